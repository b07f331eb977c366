/* SPDX-License-Identifier: MIT
 * Proxies between the gateway and the data centres. A SOCKS5 (RFC 1928, 1929) or HTTP CONNECT
 * (RFC 9110, 9.3.6) proxy is a tunnel: a short dialogue, then the bytes pass. An MTProxy is spoken
 * to as if it were the data centre, in a transport that knows its secret. No sockets here. */
#ifndef TGREST_GATEWAY_PROXY_H
#define TGREST_GATEWAY_PROXY_H

#include "gateway/dc.h"
#include "mtproto/transport.h"

enum proxy_kind { PROXY_NONE, PROXY_SOCKS5, PROXY_HTTP, PROXY_MTPROTO };

enum { PROXY_NAME_MAX = 255 /* RFC 1929, bytes of a user's name or password */ };

struct proxy {
    enum proxy_kind kind;
    struct dc_address address;
    char user[PROXY_NAME_MAX + 1]; /* empty: none is given */
    char password[PROXY_NAME_MAX + 1];
    uint8_t secret[TRANSPORT_SECRET_BYTES]; /* MTPROTO */
    bool padded;                            /* MTPROTO: the secret began with dd */
};

/* "socks5://[user:password@]host:port", "http://…", "mtproxy://host:port/SECRET" (hexadecimal).
 * NULL is no proxy. False with `error` filled in (OPTION_ERROR_BYTES), which shows no secret. */
bool proxy_parse(const char *url, struct proxy *p, char *error);

enum tunnel_status { TUNNEL_MORE, TUNNEL_OPEN, TUNNEL_FAILED };

struct tunnel {
    const struct proxy *proxy;
    const struct dc_address *target;
    unsigned step;
    const char *reason; /* FAILED: static */
};

/* Is there a dialogue at all? */
bool proxy_is_tunnel(const struct proxy *p);
/* Appends the first words to out. */
void tunnel_begin(struct tunnel *t, const struct proxy *p, const struct dc_address *target,
                  struct buf *out);
/* Takes what the proxy said off the front of `in`, and appends what is said next to out. */
enum tunnel_status tunnel_input(struct tunnel *t, struct buf *in, struct buf *out);

#endif
