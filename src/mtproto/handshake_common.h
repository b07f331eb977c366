/* SPDX-License-Identifier: MIT
 * What the two sides of the handshake share. https://core.telegram.org/mtproto/auth_key */
#ifndef TGREST_MTPROTO_HANDSHAKE_COMMON_H
#define TGREST_MTPROTO_HANDSHAKE_COMMON_H

#include "mtproto/handshake.h"
#include "tl/cursor.h"

enum {
    NONCE_BYTES = 16,
    NEW_NONCE_BYTES = 32,
    NONCE_HASH_BYTES = 16,
    /* server_DH_inner_data, the longest that is sealed, takes 592 bytes. */
    HANDSHAKE_SEALED_MAX = 1024,
    /* A repeated auth_key_id means a broken random source, so a few tries are plenty. */
    HANDSHAKE_RETRIES_MAX = 4,
};

/* The last byte of the hash that proves each answer. */
enum handshake_answer { ANSWER_OK = 1, ANSWER_RETRY = 2, ANSWER_FAIL = 3 };

/* One run of the protocol. */
struct handshake_run {
    uint8_t nonce[NONCE_BYTES];
    uint8_t server_nonce[NONCE_BYTES];
    uint8_t new_nonce[NEW_NONCE_BYTES];
    uint8_t tmp_key[32];
    uint8_t tmp_iv[32];
};

/* tmp_key and tmp_iv, once the nonces are known. */
void handshake_derive(struct handshake_run *run, struct digests *d);

/* Reads the pair (nonce, server_nonce) that starts every message after the first answer. */
bool handshake_read_nonces(const struct handshake_run *run, struct tl_reader *r);
void handshake_write_nonces(const struct handshake_run *run, struct buf *b);

/* Appends, as TL bytes, IGE(SHA1(data) + data + padding). */
void handshake_seal(const struct handshake_run *run, struct digests *d, struct rng *rng,
                    struct slice data, struct buf *out);
/* Undoes it into `plain` without a check, since only reading the data tells where they end: read
 * from *r, then ask handshake_opened_well. False when no message has this length. */
struct handshake_opened {
    uint8_t plain[HANDSHAKE_SEALED_MAX];
    size_t len;
};
bool handshake_open(const struct handshake_run *run, struct slice sealed,
                    struct handshake_opened *o, struct tl_reader *r);
/* Did the reader end well, is the hash that of what it read, and is the rest mere padding? */
bool handshake_opened_well(const struct handshake_opened *o, struct digests *d,
                           const struct tl_reader *r);

/* new_nonce_hash1, 2, 3. */
void handshake_nonce_hash(const struct handshake_run *run, struct digests *d,
                          enum handshake_answer answer,
                          const uint8_t auth_key[static AUTH_KEY_BYTES],
                          uint8_t out[static NONCE_HASH_BYTES]);
/* auth_key_aux_hash: the high 64 bits of SHA1(auth_key). */
uint64_t handshake_aux_hash(struct digests *d, const uint8_t auth_key[static AUTH_KEY_BYTES]);
uint64_t handshake_first_salt(const struct handshake_run *run);

/* TL bytes of a number, big-endian without leading zeroes. */
void handshake_write_number(struct buf *b, uint64_t n);
/* TL bytes of a number of at most 8 bytes; more fail the reader. */
uint64_t handshake_read_number(struct tl_reader *r);
/* TL bytes of a number of at most DH_BYTES, filled up with zeroes on the left; more fail the
 * reader. */
void handshake_read_large(struct tl_reader *r, uint8_t out[static DH_BYTES]);

#endif
