/* SPDX-License-Identifier: MIT
 * One MTProto message: sealed (encrypted with an auth key, MTProto 2.0) or plain (handshake).
 * https://core.telegram.org/mtproto/description */
#ifndef TGREST_MTPROTO_MESSAGE_H
#define TGREST_MTPROTO_MESSAGE_H

#include "crypto/crypto.h"
#include "base/clock.h"

/* An auth key with its id; wipe when done. */
struct auth_key {
    uint8_t key[AUTH_KEY_BYTES];
    uint64_t id;
};
void auth_key_set(struct auth_key *k, struct digests *d, const uint8_t key[static AUTH_KEY_BYTES]);

struct mt_message {
    uint64_t salt;
    uint64_t session_id;
    uint64_t msg_id;
    uint32_t seq_no;
    struct slice body;
    uint32_t quick_ack; /* the token a server would send for it */
};

/* The auth key id at the front of a frame: 0 = plain. Frames under 8 bytes give 0. */
uint64_t mt_frame_key_id(struct slice frame);

/* Decrypts the frame in place and checks msg_key, lengths and padding (12 to 1024 bytes) as the
 * security guidelines say. False on any mismatch: the frame is to be dropped or the link closed.
 * m->body points into the frame. from_server: the direction of this frame. */
bool mt_open(const struct auth_key *k, struct digests *d, bool from_server, uint8_t *frame,
             size_t len, struct mt_message *m) __attribute__((warn_unused_result));

/* Appends the sealed message: begin reserves the header, the caller appends the body, end pads and
 * encrypts in place. Any other use of `out` in between is the caller's bug. */
size_t mt_seal_begin(struct buf *out);
void mt_seal_end(const struct auth_key *k, struct digests *d, bool from_server, struct rng *rng,
                 struct buf *out, size_t mark, uint64_t salt, uint64_t session_id, uint64_t msg_id,
                 uint32_t seq_no);

/* Plain messages (auth_key_id 0). Trailing bytes inside the frame are tolerated. */
bool mt_plain_open(struct slice frame, uint64_t *msg_id, struct slice *body)
    __attribute__((warn_unused_result));
void mt_plain_write(struct buf *out, uint64_t msg_id, struct slice body);

/* msg_ids of one side: growing, by the corrected clock, with the low two bits of that side's kind.
 */
struct msg_id_source {
    const struct clock *clock;
    int64_t offset_ns; /* the other side's clock minus ours */
    uint64_t last;
    bool monotonic; /* ours is the monotonic clock, which nobody sets back under a session */
};
enum msg_id_kind { MSG_ID_CLIENT = 0, MSG_ID_SERVER_ANSWER = 1, MSG_ID_SERVER_PUSH = 3 };
uint64_t msg_id_next(struct msg_id_source *s, enum msg_id_kind kind);
static inline int64_t msg_id_unix_s(uint64_t msg_id)
{
    return (int64_t)(msg_id >> 32);
}
/* The same in nanoseconds. */
static inline int64_t msg_id_unix_ns(uint64_t msg_id)
{
    return msg_id_unix_s(msg_id) * NS_PER_S + (int64_t)(((msg_id & 0xffffffff) * NS_PER_S) >> 32);
}

#endif
