/* SPDX-License-Identifier: MIT
 * Data centres: addresses, public keys, and what the process knows of their clocks. */
#ifndef TGREST_GATEWAY_DC_H
#define TGREST_GATEWAY_DC_H

#include <stdatomic.h>
#include <uv.h>

#include "crypto/crypto.h"
#include "gateway/options.h"

enum {
    DC_MAX = 16,           /* data centres; Telegram has 5 */
    DC_GIVEN_MAX = 4,      /* addresses of one on the command line */
    DC_ADDRESSES_MAX = 12, /* known of one: given or built in, and learned */
    DC_HOST_MAX = 255,     /* bytes of a DNS name */
    DC_KEYS_MAX = 16,
    DC_ID_MAX = 9999, /* 10000 is added for test servers */
};

struct dc_address {
    char host[DC_HOST_MAX + 1]; /* a name, IPv4 or IPv6 */
    int port;
    bool media; /* Telegram wants files there, and nothing else */
};

/* What a connection is for. */
enum dc_use { DC_CALLS, DC_FILES };

/* What came of trying an address. */
struct dc_trial {
    unsigned failures; /* in a row */
    int64_t rest_ns;   /* monotonic: tried after all others before that */
};

struct dc {
    int32_t id;
    /* Under the table's lock, but for what stands there before threads are started: */
    struct dc_address addresses[DC_ADDRESSES_MAX];
    struct dc_trial trials[DC_ADDRESSES_MAX];
    size_t n_addresses;
    size_t n_fixed;                  /* the first ones: given or built in, never forgotten */
    size_t preferred;                /* the one that worked last */
    _Atomic int64_t clock_offset_ns; /* the data centre's clock minus ours */
    _Atomic bool clock_known;
    _Atomic int64_t reached_ns; /* monotonic time of the last frame from it; 0 = never */
};

struct dc_table {
    struct dc dcs[DC_MAX];
    size_t n;
    struct rsa_key *keys[DC_KEYS_MAX];
    size_t n_keys;
    bool test;
    bool learns; /* addresses from help.getConfig: with the built-in tables only */
    uv_mutex_t lock;
    int64_t learned_until_ns; /* monotonic; under the lock */
};

/* Addresses in the order in which they are to be tried. */
struct dc_candidates {
    struct dc_address addresses[DC_ADDRESSES_MAX];
    size_t n;
};

/* From --dc, --dc-key, --test-dc and the built-in tables. With --dc only those given exist. False
 * with `error` filled in (OPTION_ERROR_BYTES). */
bool dc_table_init(struct dc_table *t, const struct options *o, char *error);
void dc_table_free(struct dc_table *t);
/* NULL if there is no such data centre. */
struct dc *dc_find(struct dc_table *t, int32_t id);
/* Where a login begins: 2 as other clients do, or else the first. Never NULL. */
struct dc *dc_default(struct dc_table *t);
/* As the handshake names it: 10000 is added on test servers. */
int32_t dc_wire_id(const struct dc_table *t, const struct dc *dc);
void dc_clock_set(struct dc *dc, int64_t offset_ns);
/* What is known now: those that work first, those that failed lately last; for files media-only
 * ones before the others. Locked. */
void dc_candidates(struct dc_table *t, const struct dc *dc, enum dc_use use, int64_t now_ns,
                   struct dc_candidates *out);
/* What came of a connection to that address. Locked. */
void dc_address_tried(struct dc_table *t, struct dc *dc, const struct dc_address *address,
                      bool worked, int64_t now_ns);
/* Is it time to ask help.getConfig for addresses? True once: the caller asks. Locked. */
bool dc_learning_due(struct dc_table *t, int64_t now_ns);
/* Takes these as all that Telegram names of that data centre, beside the fixed ones. Locked. */
void dc_learn(struct dc_table *t, int32_t id, const struct dc_address *addresses, size_t n);
/* "HOST:PORT", "[::1]:PORT". */
bool dc_address_parse(const char *text, struct dc_address *address);
/* "N=HOST:PORT", "N=[::1]:PORT". */
bool dc_parse(const char *text, int32_t *id, struct dc_address *address);

#endif
