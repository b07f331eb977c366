/* SPDX-License-Identifier: MIT
 * Random bytes, passed in so that a test or a replay owns them. */
#ifndef TGREST_BASE_RANDOM_H
#define TGREST_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* ChaCha20 with fast key erasure: one per worker (not thread-safe). Seeded from the system it is a
 * CSPRNG without a system call per draw; seeded from a number it replays. */
struct rng {
    uint8_t pool[512]; /* the first 32 bytes of each refill become the next key */
    size_t used;
    uint8_t key[32];
};

void rng_init_system(struct rng *r);
void rng_init_seed(struct rng *r, uint64_t seed);
void rng_fill(struct rng *r, void *out, size_t n);
uint32_t rng_u32(struct rng *r);
uint64_t rng_u64(struct rng *r);
/* Uniform in [0, bound); bound > 0. */
uint64_t rng_below(struct rng *r, uint64_t bound);

#endif
