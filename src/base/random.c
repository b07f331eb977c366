/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <sodium.h>
#include <string.h>

/* Refills the pool with the key's stream and replaces the key by the pool's first bytes, so that a
 * later look into memory does not tell earlier output. */
static void refill(struct rng *r)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    crypto_stream_chacha20(r->pool, sizeof r->pool, nonce, r->key);
    memcpy(r->key, r->pool, sizeof r->key);
    sodium_memzero(r->pool, sizeof r->key);
    r->used = sizeof r->key;
}

void rng_init_system(struct rng *r)
{
    randombytes_buf(r->key, sizeof r->key);
    refill(r);
}

void rng_init_seed(struct rng *r, uint64_t seed)
{
    memset(r->key, 0, sizeof r->key);
    memcpy(r->key, &seed, sizeof seed);
    refill(r);
}

void rng_fill(struct rng *r, void *out, size_t n)
{
    uint8_t *at = out;
    while (n > 0) {
        if (r->used == sizeof r->pool)
            refill(r);
        size_t step = sizeof r->pool - r->used;
        if (step > n)
            step = n;
        memcpy(at, r->pool + r->used, step);
        memset(r->pool + r->used, 0, step);
        r->used += step;
        at += step;
        n -= step;
    }
}

uint32_t rng_u32(struct rng *r)
{
    uint32_t v;
    rng_fill(r, &v, sizeof v);
    return v;
}

uint64_t rng_u64(struct rng *r)
{
    uint64_t v;
    rng_fill(r, &v, sizeof v);
    return v;
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
    uint64_t uneven = -bound % bound; /* draws below this would favour small results */
    uint64_t v;
    do {
        v = rng_u64(r);
    } while (v < uneven);
    return v % bound;
}
