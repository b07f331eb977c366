/* SPDX-License-Identifier: MIT
 * Data centres: addresses, public keys, and what the process knows of their clocks. */
#ifndef TGREST_GATEWAY_DC_H
#define TGREST_GATEWAY_DC_H

#include <stdatomic.h>

#include "crypto/crypto.h"
#include "gateway/options.h"

enum {
    DC_MAX = 16,          /* data centres; Telegram has 5 */
    DC_ADDRESSES_MAX = 4, /* of one data centre, tried in turn */
    DC_HOST_MAX = 255,    /* bytes of a DNS name */
    DC_KEYS_MAX = 16,
    DC_ID_MAX = 9999, /* 10000 is added for test servers */
};

struct dc_address {
    char host[DC_HOST_MAX + 1]; /* a name, IPv4 or IPv6 */
    int port;
};

struct dc {
    int32_t id;
    struct dc_address addresses[DC_ADDRESSES_MAX];
    size_t n_addresses;
    _Atomic int64_t clock_offset_ns; /* the data centre's clock minus ours */
    _Atomic bool clock_known;
    _Atomic uint32_t next_address; /* index to try first: moves on after a failure */
    _Atomic int64_t reached_ns;    /* monotonic time of the last frame from it; 0 = never */
};

struct dc_table {
    struct dc dcs[DC_MAX];
    size_t n;
    struct rsa_key *keys[DC_KEYS_MAX];
    size_t n_keys;
    bool test;
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
/* "N=HOST:PORT", "N=[::1]:PORT". */
bool dc_parse(const char *text, int32_t *id, struct dc_address *address);

#endif
