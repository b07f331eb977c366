/* SPDX-License-Identifier: MIT */
#include "mtproto/message.h"

#include <sodium.h>

/* auth_key_id 8, msg_key 16 | salt 8, session_id 8, msg_id 8, seq_no 4, length 4 | body, padding */
enum {
    OUTER_BYTES = 24,
    INNER_BYTES = 32,
    HEADER_BYTES = OUTER_BYTES + INNER_BYTES,
    PADDING_MIN = 12,
    PADDING_MAX = 1024,
    BLOCK = 16,
    PLAIN_HEADER_BYTES = 20, /* zero 8, msg_id 8, length 4 */
};

#define QUICK_ACK_BIT 0x80000000u

void auth_key_set(struct auth_key *k, struct digests *d, const uint8_t key[static AUTH_KEY_BYTES])
{
    memcpy(k->key, key, AUTH_KEY_BYTES);
    k->id = auth_key_id(d, k->key);
}

uint64_t mt_frame_key_id(struct slice frame)
{
    return frame.len < sizeof(uint64_t) ? 0 : load_le64(frame.data);
}

static void decrypt_in_place(const struct auth_key *k, struct digests *d, bool from_server,
                             const uint8_t *msg_key, uint8_t *data, size_t len)
{
    uint8_t key[32];
    uint8_t iv[32];
    kdf2_aes(d, k->key, from_server, msg_key, key, iv);
    aes_ige_decrypt(key, iv, data, data, len);
    sodium_memzero(key, sizeof key);
    sodium_memzero(iv, sizeof iv);
}

bool mt_open(const struct auth_key *k, struct digests *d, bool from_server, uint8_t *frame,
             size_t len, struct mt_message *m)
{
    if (len < HEADER_BYTES + BLOCK || (len - OUTER_BYTES) % BLOCK != 0 || load_le64(frame) != k->id)
        return false;
    uint8_t *inner = frame + OUTER_BYTES;
    size_t inner_len = len - OUTER_BYTES;
    uint8_t large[SHA256_BYTES];

    decrypt_in_place(k, d, from_server, frame + 8, inner, inner_len);
    kdf2_msg_key_large(d, k->key, from_server, slice_of(inner, inner_len), large);
    /* Nothing of the plaintext is looked at before this. */
    if (sodium_memcmp(large + MSG_KEY_OFFSET, frame + 8, MSG_KEY_BYTES) != 0)
        return false;

    size_t body_len = load_le32(inner + 28);
    size_t room = inner_len - INNER_BYTES;
    if (body_len % 4 != 0 || body_len > room || room - body_len < PADDING_MIN ||
        room - body_len > PADDING_MAX)
        return false;
    *m = (struct mt_message){
        .salt = load_le64(inner),
        .session_id = load_le64(inner + 8),
        .msg_id = load_le64(inner + 16),
        .seq_no = load_le32(inner + 24),
        .body = {inner + INNER_BYTES, body_len},
        .quick_ack = load_le32(large) | QUICK_ACK_BIT,
    };
    return true;
}

size_t mt_seal_begin(struct buf *out)
{
    size_t mark = out->len;
    buf_extend(out, HEADER_BYTES);
    return mark;
}

void mt_seal_end(const struct auth_key *k, struct digests *d, bool from_server, struct rng *rng,
                 struct buf *out, size_t mark, uint64_t salt, uint64_t session_id, uint64_t msg_id,
                 uint32_t seq_no)
{
    size_t body_len = out->len - mark - HEADER_BYTES;
    size_t unpadded = INNER_BYTES + body_len + PADDING_MIN;
    size_t padding = PADDING_MIN + (BLOCK - unpadded % BLOCK) % BLOCK;
    uint8_t *pad = out->failed ? NULL : buf_extend(out, padding);
    if (!pad) {
        if (out->len > mark)
            out->len = mark;
        return;
    }
    rng_fill(rng, pad, padding);

    uint8_t *frame = out->data + mark;
    uint8_t *inner = frame + OUTER_BYTES;
    size_t inner_len = out->len - mark - OUTER_BYTES;
    store_le64(frame, k->id);
    store_le64(inner, salt);
    store_le64(inner + 8, session_id);
    store_le64(inner + 16, msg_id);
    store_le32(inner + 24, seq_no);
    store_le32(inner + 28, (uint32_t)body_len);

    uint8_t large[SHA256_BYTES];
    uint8_t key[32];
    uint8_t iv[32];
    kdf2_msg_key_large(d, k->key, from_server, slice_of(inner, inner_len), large);
    memcpy(frame + 8, large + MSG_KEY_OFFSET, MSG_KEY_BYTES);
    kdf2_aes(d, k->key, from_server, frame + 8, key, iv);
    aes_ige_encrypt(key, iv, inner, inner, inner_len);
    sodium_memzero(key, sizeof key);
    sodium_memzero(iv, sizeof iv);
}

bool mt_plain_open(struct slice frame, uint64_t *msg_id, struct slice *body)
{
    if (frame.len < PLAIN_HEADER_BYTES || load_le64(frame.data) != 0)
        return false;
    size_t len = load_le32(frame.data + 16);
    if (len == 0 || len > frame.len - PLAIN_HEADER_BYTES)
        return false;
    *msg_id = load_le64(frame.data + 8);
    *body = slice_of(frame.data + PLAIN_HEADER_BYTES, len);
    return true;
}

void mt_plain_write(struct buf *out, uint64_t msg_id, struct slice body)
{
    uint8_t *at = buf_extend(out, PLAIN_HEADER_BYTES + body.len);
    if (!at)
        return;
    store_le64(at, 0);
    store_le64(at + 8, msg_id);
    store_le32(at + 16, (uint32_t)body.len);
    memcpy(at + PLAIN_HEADER_BYTES, body.data, body.len);
}

uint64_t msg_id_next(struct msg_id_source *s, enum msg_id_kind kind)
{
    int64_t now = s->offset_ns + (s->monotonic ? clock_mono_ns(s->clock) : clock_wall_ns(s->clock));
    uint64_t ns = now > 0 ? (uint64_t)now : 0;
    uint64_t fraction = ((ns % NS_PER_S) << 32) / NS_PER_S;
    uint64_t id = ((ns / NS_PER_S) << 32 | fraction) & ~(uint64_t)3;
    uint64_t after_last = (s->last & ~(uint64_t)3) + 4;
    if (id < after_last)
        id = after_last;
    s->last = id | (uint64_t)kind;
    return s->last;
}
