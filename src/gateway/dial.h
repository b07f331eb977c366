/* SPDX-License-Identifier: MIT
 * Dialling a data centre: its addresses are tried one after the other, without waiting long for
 * any (RFC 8305, "happy eyeballs"): the next one joins the race after DIAL_RACE_MS, or as soon as
 * one has failed; the first that is connected wins. Through a tunnelling proxy the race is between
 * tunnels.
 *
 * Lifetime: a dial ends with exactly one of connected(), failed() and dial_cancel(). */
#ifndef TGREST_GATEWAY_DIAL_H
#define TGREST_GATEWAY_DIAL_H

#include "gateway/dc.h"

struct worker;
struct dial;

enum {
    DIAL_RACE_MS = 250,     /* RFC 8305, 5: recommended */
    DIAL_TIMEOUT_MS = 5000, /* a far data centre answers a SYN within a few hundred ms */
};

/* A connected TCP socket on the worker's loop. `data` of the handle is the owner's. */
struct dial_socket {
    uv_tcp_t tcp; /* first */
    void (*on_closed)(void *data);
};

struct dial_owner {
    /* The socket is the owner's from now on: dial_socket_close ends it. That the address takes
     * connections says little: whether it works (dc_address_tried) is for the owner to tell. */
    void (*connected)(void *ctx, struct dial_socket *socket, const struct dc_address *address);
    void (*failed)(void *ctx, const char *reason);
};

/* NULL without memory or handles, or when every address failed at once. */
struct dial *dial_begin(struct worker *w, struct dc *dc, enum dc_use use,
                        const struct dial_owner *owner, void *ctx);
void dial_cancel(struct dial *d);
/* The descriptor is closed when this returns; on_closed(data) follows when the loop has let go of
 * it, and it is freed. */
void dial_socket_close(struct dial_socket *s, void (*on_closed)(void *data));

#endif
