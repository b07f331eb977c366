/* SPDX-License-Identifier: MIT
 * Messages of one side of a session: those that wait to be sent, and those that were sent and are
 * kept until the other side answered or acknowledged them. */
#ifndef TGREST_MTPROTO_OUTBOX_H
#define TGREST_MTPROTO_OUTBOX_H

#include "mtproto/message.h"
#include "mtproto/transport.h"

enum {
    CONTAINER_MESSAGES_MAX = 1020, /* Telegram's bound */
    CONTAINER_HEADER_BYTES = 8,
    CONTAINER_ITEM_BYTES = 16, /* msg_id, seq_no, length of each message in a container */
    /* What fits one frame: the frame's bound of 1,044,404 less both headers and the padding. */
    MESSAGE_BODY_MAX = 1044404 - 24 - 32 - 28,
    OUTGOING_BODY_MAX = MESSAGE_BODY_MAX - CONTAINER_HEADER_BYTES - CONTAINER_ITEM_BYTES,
    ANSWER_BODY_MAX = 1024 * 1024 + 512, /* a server's, which fits TRANSPORT_ANSWER_MAX */
};

enum outgoing_kind {
    OUT_SERVICE,   /* sent once, not kept */
    OUT_STATE_REQ, /* kept: its body says which ids were asked for */
    OUT_CALL,
    OUT_ANSWER,
    OUT_PUSH,
};

struct outgoing {
    struct outgoing *next;
    void *tag;             /* OUT_CALL */
    uint64_t msg_id;       /* 0: gets one when it is sent */
    uint64_t container_id; /* that it travelled in last; 0 = none */
    uint64_t req_msg_id;   /* OUT_ANSWER: the request */
    int64_t sent_ns;       /* monotonic; or when the other side was last known to have it */
    struct slice prefix;   /* written in front of the body; not owned */
    uint32_t seq_no;
    uint8_t kind;
    uint8_t id_kind; /* enum msg_id_kind */
    bool content;    /* wants an acknowledgement: odd seq_no */
    bool borrowed;   /* the body's bytes belong to somebody else, who keeps them until it is gone */
    bool alone;      /* not together with others (a container was refused) */
    bool ahead; /* its id is ahead of the other side's clock: no use to send it under that again */
    bool doubtful; /* a copy went over an earlier link: it may have been received */
    bool unsure;   /* OUT_CALL: taken, perhaps, by a session or under an id that is forgotten */
    bool wrapped;  /* OUT_CALL: went with initConnection in front */
    uint8_t safety;
    uint8_t failure;
    uint8_t attempts;
    struct buf body;
};

struct outbox {
    struct outgoing *first; /* the queue */
    struct outgoing *last;
    struct outgoing **sent; /* by msg_id */
    uint32_t n_sent;
    uint32_t cap_sent;
    size_t kept_bytes; /* of bodies, queued and sent, service messages excepted */
    struct outgoing *pool;
    uint32_t n_pool;
};

/* One side's identity in a session and its counters. */
struct sealer {
    const struct auth_key *key;
    struct digests *digests;
    struct rng *rng;
    struct msg_id_source ids;
    uint64_t session_id;
    uint64_t salt;
    uint32_t content_sent;
    bool from_server;
};

/* A record with an empty body, from the pool; NULL without memory. Then queue it. */
struct outgoing *outbox_new(struct outbox *o, enum outgoing_kind kind, bool content);
/* Takes those bytes as its body, without a copy. */
void outgoing_borrow(struct outgoing *m, struct slice body);
/* Behind all others, but in front of large ones: parts of files do not hold small calls up. */
void outbox_queue(struct outbox *o, struct outgoing *m);
/* In front of all others: what goes first. */
void outbox_queue_front(struct outbox *o, struct outgoing *m);
/* Back to the pool. The record must be in no list (outbox_take_*). */
void outbox_recycle(struct outbox *o, struct outgoing *m);

/* The index in `sent`, or n_sent. */
uint32_t outbox_find(const struct outbox *o, uint64_t msg_id);
struct outgoing *outbox_take_sent(struct outbox *o, uint32_t index);
/* Takes it out of `sent` or, when it waits to be sent again, out of the queue; NULL if not there.
 */
struct outgoing *outbox_take(struct outbox *o, uint64_t msg_id);
/* Takes m out of the queue; prev is the one before it, or NULL. */
void outbox_unlink(struct outbox *o, struct outgoing *prev, struct outgoing *m);
/* All that was sent waits again, in order, with the ids it has. */
void outbox_requeue_sent(struct outbox *o);
/* Takes everything out: what was sent, then what was queued, linked by `next`. */
struct outgoing *outbox_take_all(struct outbox *o);
/* Puts a message that has an id among the sent ones, without sending it. False without memory. */
bool outbox_keep(struct outbox *o, struct outgoing *m);

/* Writes what is queued in as few frames as is legal, until `out` holds bytes_max or more. Records
 * of OUT_SERVICE are recycled, the others go to `sent`. Nothing allocates when the buffers are
 * warm.
 */
void outbox_flush(struct outbox *o, struct sealer *s, int64_t now_ns, struct transport *t,
                  size_t bytes_max, struct buf *out);

/* Gives spare memory back. */
void outbox_release(struct outbox *o);
void outbox_free(struct outbox *o);

#endif
