/* SPDX-License-Identifier: MIT
 * Key derivation of MTProto.
 * https://core.telegram.org/mtproto/description#defining-aes-key-and-initialization-vector and,
 * for 1.0, https://core.telegram.org/mtproto/description_v1 */
#include "crypto/crypto.h"

#include <sodium.h>

/* Where in the auth key the bytes of this direction start. */
static size_t direction(bool from_server)
{
    return from_server ? 8 : 0;
}

uint64_t auth_key_id(struct digests *d, const uint8_t auth_key[static AUTH_KEY_BYTES])
{
    uint8_t hash[SHA1_BYTES];
    sha1(d, &(struct slice){auth_key, AUTH_KEY_BYTES}, 1, hash);
    uint64_t id = load_le64(hash + 12);
    sodium_memzero(hash, sizeof hash);
    return id;
}

void kdf2_msg_key_large(struct digests *d, const uint8_t auth_key[static AUTH_KEY_BYTES],
                        bool from_server, struct slice padded, uint8_t large[static SHA256_BYTES])
{
    const struct slice parts[] = {{auth_key + 88 + direction(from_server), 32}, padded};
    sha256(d, parts, 2, large);
}

void kdf2_aes(struct digests *d, const uint8_t auth_key[static AUTH_KEY_BYTES], bool from_server,
              const uint8_t msg_key[static MSG_KEY_BYTES], uint8_t key[static 32],
              uint8_t iv[static 32])
{
    const uint8_t *from = auth_key + direction(from_server);
    const struct slice of_a[] = {{msg_key, MSG_KEY_BYTES}, {from, 36}};
    const struct slice of_b[] = {{from + 40, 36}, {msg_key, MSG_KEY_BYTES}};
    uint8_t a[SHA256_BYTES];
    uint8_t b[SHA256_BYTES];

    sha256(d, of_a, 2, a);
    sha256(d, of_b, 2, b);
    memcpy(key, a, 8);
    memcpy(key + 8, b + 8, 16);
    memcpy(key + 24, a + 24, 8);
    memcpy(iv, b, 8);
    memcpy(iv + 8, a + 8, 16);
    memcpy(iv + 24, b + 24, 8);
    sodium_memzero(a, sizeof a);
    sodium_memzero(b, sizeof b);
}

void kdf1_msg_key(struct digests *d, struct slice plain, uint8_t msg_key[static MSG_KEY_BYTES])
{
    uint8_t hash[SHA1_BYTES];
    sha1(d, &plain, 1, hash);
    memcpy(msg_key, hash + 4, MSG_KEY_BYTES);
}

void kdf1_aes(struct digests *d, const uint8_t auth_key[static AUTH_KEY_BYTES], bool from_server,
              const uint8_t msg_key[static MSG_KEY_BYTES], uint8_t key[static 32],
              uint8_t iv[static 32])
{
    const uint8_t *from = auth_key + direction(from_server);
    const struct slice msg = {msg_key, MSG_KEY_BYTES};
    uint8_t hash[4][SHA1_BYTES];

    sha1(d, (const struct slice[]){msg, {from, 32}}, 2, hash[0]);
    sha1(d, (const struct slice[]){{from + 32, 16}, msg, {from + 48, 16}}, 3, hash[1]);
    sha1(d, (const struct slice[]){{from + 64, 32}, msg}, 2, hash[2]);
    sha1(d, (const struct slice[]){msg, {from + 96, 32}}, 2, hash[3]);
    memcpy(key, hash[0], 8);
    memcpy(key + 8, hash[1] + 8, 12);
    memcpy(key + 20, hash[2] + 4, 12);
    memcpy(iv, hash[0] + 8, 12);
    memcpy(iv + 12, hash[1], 8);
    memcpy(iv + 20, hash[2] + 16, 4);
    memcpy(iv + 24, hash[3], 8);
    sodium_memzero(hash, sizeof hash);
}

void kdf_handshake(struct digests *d, const uint8_t new_nonce[static 32],
                   const uint8_t server_nonce[static 16], uint8_t key[static 32],
                   uint8_t iv[static 32])
{
    const struct slice fresh = {new_nonce, 32};
    const struct slice server = {server_nonce, 16};
    uint8_t fresh_server[SHA1_BYTES];
    uint8_t server_fresh[SHA1_BYTES];
    uint8_t fresh_fresh[SHA1_BYTES];

    sha1(d, (const struct slice[]){fresh, server}, 2, fresh_server);
    sha1(d, (const struct slice[]){server, fresh}, 2, server_fresh);
    sha1(d, (const struct slice[]){fresh, fresh}, 2, fresh_fresh);
    memcpy(key, fresh_server, 20);
    memcpy(key + 20, server_fresh, 12);
    memcpy(iv, server_fresh + 12, 8);
    memcpy(iv + 8, fresh_fresh, 20);
    memcpy(iv + 28, new_nonce, 4);
    sodium_memzero(fresh_server, sizeof fresh_server);
    sodium_memzero(server_fresh, sizeof server_fresh);
    sodium_memzero(fresh_fresh, sizeof fresh_fresh);
}
