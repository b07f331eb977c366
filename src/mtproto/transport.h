/* SPDX-License-Identifier: MIT
 * MTProto transports: frames over a byte stream.
 * https://core.telegram.org/mtproto/mtproto-transports */
#ifndef TGREST_MTPROTO_TRANSPORT_H
#define TGREST_MTPROTO_TRANSPORT_H

#include "base/bytes.h"
#include "base/random.h"
#include "crypto/crypto.h"

enum transport_kind {
    TRANSPORT_UNKNOWN, /* server side before the first bytes */
    TRANSPORT_FULL,
    TRANSPORT_ABRIDGED,
    TRANSPORT_INTERMEDIATE,
    TRANSPORT_PADDED,
};

enum {
    TRANSPORT_FRAME_MAX = 1044404 + 64, /* Telegram closes above; a little slack for headers */
    TRANSPORT_ANSWER_MAX = 1024 * 1024 + 1024, /* of a server: 1 MiB of a file, and its headers */
    TRANSPORT_ERROR_AUTH_KEY = -404,
    TRANSPORT_ERROR_FLOOD = -429,
    TRANSPORT_ERROR_DC = -444,
};

struct transport {
    enum transport_kind kind;
    bool server;
    bool obfuscated;
    bool started;    /* server: the opening bytes were read; client: they were written */
    int16_t dc;      /* as the obfuscated header says: +10000 test, negative media; 0 = not said */
    uint32_t seq_in; /* full transport */
    uint32_t seq_out;
    size_t decrypted; /* bytes of the input that are deobfuscated already */
    struct aes_ctr *decrypt;
    struct aes_ctr *encrypt;
};

/* Client: appends the opening bytes to out. */
void transport_client_init(struct transport *t, enum transport_kind kind, bool obfuscated,
                           int16_t dc, struct rng *rng, struct buf *out);
/* Client of an MTProxy: obfuscated with its secret. The data centre says where the proxy goes on
 * to. kind: TRANSPORT_PADDED where the secret asks for it. */
enum { TRANSPORT_SECRET_BYTES = 16 };
void transport_client_init_proxy(struct transport *t, enum transport_kind kind, int16_t dc,
                                 const uint8_t secret[static TRANSPORT_SECRET_BYTES],
                                 struct digests *digests, struct rng *rng, struct buf *out);
/* Server: finds out by itself what the client speaks. */
void transport_server_init(struct transport *t);
void transport_free(struct transport *t);

enum transport_event_type {
    TRANSPORT_NEED_MORE,
    TRANSPORT_FRAME,     /* payload: points into the input, may be written to */
    TRANSPORT_QUICK_ACK, /* code: the token */
    TRANSPORT_ERROR,     /* code: -404, -429, … */
    TRANSPORT_BROKEN,    /* reason: close the connection */
};

struct transport_event {
    enum transport_event_type type;
    uint8_t *payload;
    size_t len;
    bool quick_ack_wanted; /* server side */
    int32_t code;
    const char *reason;
};

/* Takes the next frame out of in[0, len) — all bytes received and not yet consumed, deobfuscated in
 * place — and says in *consumed how many bytes the caller drops before the next call (also with
 * NEED_MORE). Frames that are to be ignored are skipped. Never reads past len; no allocation. */
struct transport_event transport_read(struct transport *t, uint8_t *in, size_t len,
                                      size_t *consumed);

/* Frame around what is appended to out in between: begin; append the payload; end.
 * `mark` is what begin returned. quick_ack asks for one (client). rng makes the padded transport's
 * padding; NULL = none. A payload over TRANSPORT_FRAME_MAX (of a server: TRANSPORT_ANSWER_MAX)
 * fails the buf. */
size_t transport_frame_begin(struct transport *t, struct buf *out);
void transport_frame_end(struct transport *t, struct buf *out, size_t mark, bool quick_ack,
                         struct rng *rng);
/* Server: a quick ack token, or a transport error, framed. */
void transport_write_quick_ack(struct transport *t, struct buf *out, uint32_t token);
void transport_write_error(struct transport *t, struct buf *out, int32_t code);

#endif
