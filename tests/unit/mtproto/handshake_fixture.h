/* SPDX-License-Identifier: MIT
 * Both sides of a handshake with all that they need; deterministic for a seed. */
#ifndef TGREST_TESTS_HANDSHAKE_FIXTURE_H
#define TGREST_TESTS_HANDSHAKE_FIXTURE_H

#include "vectors.h"

#include "mtproto/handshake_common.h"
#include "mtproto/ids.h"

enum {
    DC = 2,
    NOW_S = 1707425105, /* server_time of the documentation's example */
    HOUR_S = 3600,
};

/* ---- keys and sides ---- */

static inline struct rsa_key *test_key(void)
{
    char text[4096];
    FILE *f = fopen("tests/vectors/crypto/rsa_test_key.pem", "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    struct rsa_key *k = rsa_key_parse(slice_of(text, n), NULL);
    assert_non_null(k);
    return k;
}

/* Everything that both sides need; deterministic for a seed. */
struct fixture {
    struct rsa_key *key;
    struct digests *digests;
    struct clock_manual client_clock;
    struct clock_manual server_clock;
    struct dh_good_prime good_prime;
    struct rng client_rng;
    struct rng server_rng;
    struct handshake_client_config client_config;
    struct handshake_server_config server_config;
    struct handshake_client *client;
    struct handshake_server *server;
    int taken; /* so many keys are refused */
    uint64_t seed;
};

static inline bool key_id_taken(void *ctx, uint64_t id)
{
    struct fixture *f = ctx;
    (void)id;
    return f->taken-- > 0;
}

static inline void fixture_begin(struct fixture *f, uint64_t seed)
{
    handshake_client_free(f->client);
    handshake_server_free(f->server);
    rng_init_seed(&f->client_rng, seed);
    rng_init_seed(&f->server_rng, seed + 1000000);
    f->client = handshake_client_new(&f->client_config);
    f->server = handshake_server_new(&f->server_config);
    assert_non_null(f->client);
    assert_non_null(f->server);
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->key = test_key();
    f->digests = digests_new();
    f->seed = test_seed();
    clock_manual_init(&f->client_clock, (NOW_S - HOUR_S) * NS_PER_S);
    clock_manual_init(&f->server_clock, NOW_S * NS_PER_S);
    f->client_config = (struct handshake_client_config){
        .keys = &f->key,
        .n_keys = 1,
        .dc = DC,
        .clock = &f->client_clock.clock,
        .rng = &f->client_rng,
        .digests = f->digests,
        .good_prime = &f->good_prime,
    };
    f->server_config = (struct handshake_server_config){
        .key = f->key,
        .dc = DC,
        .clock = &f->server_clock.clock,
        .rng = &f->server_rng,
        .digests = f->digests,
        .key_id_taken = key_id_taken,
        .ctx = f,
    };
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    handshake_client_free(f->client);
    handshake_server_free(f->server);
    digests_free(f->digests);
    rsa_key_free(f->key);
    free(f);
    return 0;
}

/* Input and, when asked for, the work after it. */
static inline enum handshake_status client_step(struct fixture *f, struct slice frame,
                                                struct buf *out)
{
    buf_clear(out);
    enum handshake_status s = handshake_client_input(f->client, frame, out);
    if (s == HANDSHAKE_WORK) {
        handshake_client_work(f->client);
        s = handshake_client_continue(f->client, out);
    }
    return s;
}

static inline enum handshake_status server_step(struct fixture *f, struct slice frame,
                                                struct buf *out)
{
    buf_clear(out);
    enum handshake_status s = handshake_server_input(f->server, frame, out);
    if (s == HANDSHAKE_WORK) {
        handshake_server_work(f->server);
        s = handshake_server_continue(f->server, out);
    }
    return s;
}

#endif
