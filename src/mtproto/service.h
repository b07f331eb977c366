/* SPDX-License-Identifier: MIT
 * Service messages that both sides read and write.
 * https://core.telegram.org/mtproto/service_messages_about_messages */
#ifndef TGREST_MTPROTO_SERVICE_H
#define TGREST_MTPROTO_SERVICE_H

#include "base/bytes.h"
#include "tl/cursor.h"

enum {
    SERVICE_IDS_MAX = 8192, /* msg_ids in one message, Telegram's bound */
    MSG_ID_PAST_S = 300,    /* how far a msg_id may lie behind the receiver's clock … */
    MSG_ID_FUTURE_S = 30,   /* … and ahead of it */
};

/* Codes of bad_msg_notification; 48 comes as bad_server_salt. */
enum bad_msg_code {
    BAD_MSG_ID_TOO_LOW = 16,
    BAD_MSG_ID_TOO_HIGH = 17,
    BAD_MSG_ID_BITS = 18,
    BAD_MSG_CONTAINER_ID_REPEATED = 19,
    BAD_MSG_TOO_OLD = 20, /* whether it was received is not known */
    BAD_MSG_SEQ_TOO_LOW = 32,
    BAD_MSG_SEQ_TOO_HIGH = 33,
    BAD_MSG_SEQ_ODD = 34,
    BAD_MSG_SEQ_EVEN = 35,
    BAD_MSG_SALT = 48,
    BAD_MSG_CONTAINER = 64,
};

/* The bytes of msgs_state_info. */
enum msg_state {
    MSG_STATE_FORGOTTEN = 1,
    MSG_STATE_NOT_RECEIVED = 2,
    MSG_STATE_NOT_YET = 3,
    MSG_STATE_RECEIVED = 4,
    MSG_STATE_MASK = 7,
    MSG_STATE_PROCESSING = 32,
    MSG_STATE_ANSWERED = 64,
};

/* A message of a frame: the only one, or one of a container. */
struct incoming {
    uint64_t msg_id;
    uint32_t seq_no;
    struct slice body;
};

/* The constructor id at the front; 0 when the body is shorter. */
uint32_t body_id(struct slice body);

/* The messages of an opened frame. */
struct inbox {
    struct tl_reader r;
    uint32_t left;
    bool container;
    struct incoming single; /* used when it is none */
};
/* False when the body is a container that is malformed, too long or holds another container. */
bool inbox_open(struct inbox *in, uint64_t msg_id, uint32_t seq_no, struct slice body);
bool inbox_next(struct inbox *in, struct incoming *m);

/* ctor msg_ids:Vector<long> (msgs_ack, msgs_state_req, msg_resend_req …) */
void service_write_ids(struct buf *b, uint32_t ctor, const uint64_t *ids, size_t n);
/* The count of a Vector<long>, at most SERVICE_IDS_MAX; the reader then stands on the first. */
uint32_t service_read_ids(struct tl_reader *r);

/* A list of msg_ids that grows up to SERVICE_IDS_MAX; what does not fit is dropped. */
struct msg_ids {
    uint64_t *ids;
    uint32_t n;
    uint32_t cap;
};
void msg_ids_add(struct msg_ids *l, uint64_t id);
void msg_ids_free(struct msg_ids *l);

#endif
