/* SPDX-License-Identifier: MIT
 * One TCP connection to a data centre, with MTProto framing. Knows no session.
 *
 * Lifetime: opened, then exactly one of lost() or link_close(); it frees itself when the loop has
 * closed it. After link_close no callback comes any more. Callbacks may call link_close. */
#ifndef TGREST_GATEWAY_LINK_H
#define TGREST_GATEWAY_LINK_H

#include "gateway/dc.h"
#include "mtproto/transport.h"

struct link;
struct worker;

struct link_owner {
    void (*connected)(void *ctx);
    /* A frame, in a buffer that the owner may write to until it returns. */
    void (*frame)(void *ctx, uint8_t *frame, size_t len);
    /* The data centre answered with a transport error (-404, -429, -444); the link is still open.
     */
    void (*refused)(void *ctx, int32_t code);
    /* Closed by the other side, broken, or never connected. The link is gone. */
    void (*lost)(void *ctx, const char *reason);
    /* A link that was full has room again. NULL: the owner writes little. */
    void (*writable)(void *ctx);
};

/* Begins to connect to the data centre (dial.h). NULL without memory or handles. */
struct link *link_open(struct worker *w, struct dc *dc, enum dc_use use,
                       const struct link_owner *owner, void *ctx);
/* Hands the link to another owner. */
void link_set_owner(struct link *l, const struct link_owner *owner, void *ctx);
/* As link_close, for an owner whom the other side has failed: an address that never said a word is
 * tried after others next time. */
void link_give_up(struct link *l);
/* The descriptor is closed when this returns. */
void link_close(struct link *l);
bool link_connected(const struct link *l);
/* So much waits to be written that more only costs memory: writable() says when to go on. */
bool link_full(const struct link *l);
/* Bytes that were written and that the other side's TCP has not acknowledged. */
size_t link_unsent(const struct link *l);

/* Writing: frames are appended to what begin returns (the worker's scratch, with the opening bytes
 * of the transport when they are due), and written at once by end. Returns the bytes written or
 * queued. */
struct buf *link_write_begin(struct link *l);
size_t link_write_end(struct link *l);
struct transport *link_transport(struct link *l);

#endif
