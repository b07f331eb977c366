/* SPDX-License-Identifier: MIT
 * The insides of struct sandbox, for the files that run it. */
#ifndef TGREST_SANDBOX_STATE_H
#define TGREST_SANDBOX_STATE_H

#include <uv.h>

#include "sandbox/build.h"
#include "sandbox/call.h"
#include "sandbox/connection.h"
#include "sandbox/exported.h"
#include "sandbox/fault.h"
#include "sandbox/layers.h"
#include "sandbox/login_code.h"
#include "sandbox/login_token.h"
#include "sandbox/map.h"
#include "sandbox/sandbox.h"
#include "sandbox/session.h"
#include "sandbox/world.h"

struct control;

enum {
    DC_ALONE = 2,     /* what a single data centre is: where most clients start */
    GZIP_MIN = 4096,  /* answers of that many bytes are packed when it pays */
    CALLS_KEPT = 256, /* finished calls whose memory is reused */
};

/* What the control port's `stats` shows. */
struct stats {
    uint64_t connections;             /* accepted */
    uint64_t handshakes;              /* keys made */
    uint64_t frames_in;               /* encrypted frames that were good */
    uint64_t plain_in;                /* handshake frames */
    uint64_t requests;                /* API requests received */
    uint64_t executed[COMBINATORS_N]; /* handlers run, by method */
    uint64_t failed[COMBINATORS_N];   /* of them, and refused before */
    uint64_t pushes;
    uint64_t duplicated; /* keys killed by parallel use */
};

struct sandbox {
    uv_loop_t *loop;
    struct log log;
    int32_t dcs;
    uint64_t seed;
    bool stopping;

    struct clock clock; /* ctx is this struct */
    struct clock system;
    int64_t clock_shift_ns;  /* by the control port and by skew faults */
    struct rng rng;          /* the world's, seeded */
    struct rng protocol_rng; /* nonces, padding: apart, so that timing does not change the world */
    struct digests *digests;
    struct rsa_key *rsa;
    uint8_t salt_secret[32];

    struct layers layers;
    const struct method *methods[COMBINATORS_N]; /* by symbol */
    struct world *world;
    struct faults faults;
    struct stats stats;

    struct listener listeners[SANDBOX_DCS_MAX + SANDBOX_FURTHER_MAX]; /* one a data centre first */
    size_t n_listeners;
    struct control *control;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t second;    /* runs while messages are scheduled */
    uint8_t *read_buffer; /* READ_BYTES; one connection reads at a time */

    struct id_map keys; /* auth_key_id -> struct authorization */
    struct authorization *authorizations;
    size_t n_keys;
    struct connection *connections;
    size_t n_connections;
    uint64_t next_serial;
    struct connection *touched;
    struct session *updated;
    struct call *running;  /* all calls in flight */
    struct call *finished; /* answered in this turn */
    struct call *pool;
    size_t n_pool;
    size_t n_waiting;     /* of those running: for another one's end */
    struct arena scratch; /* of one push */
    struct buf scratch_buf;

    struct login_codes codes;
    struct login_tokens login_tokens;
    struct exported exported[EXPORTED_MAX]; /* a ring */
    uint32_t next_exported;
};

/* The number of the data centre that a home or asked-for number means here: with a single one,
 * itself. */
int32_t sandbox_dc_of(const struct sandbox *s, int32_t dc);
/* A new key whose fingerprint has no leading zero in hexadecimal: mtcute (0.30.3) writes the one
 * that a server offers without leading zeros, those of its own keys with them, and finds no such
 * key. NULL when none can be made; to be freed. */
struct rsa_key *sandbox_rsa_key_new(void);
/* Sends what this turn produced. */
void sandbox_flush(struct sandbox *s);
/* "127.0.0.1:80" or "[::1]:80". */
bool address_parse(const char *text, struct sockaddr_storage *out);
uint16_t bound_port(const uv_tcp_t *tcp);

#endif
