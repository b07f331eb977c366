/* SPDX-License-Identifier: MIT */
#include "mtproto/handshake_common.h"

#include <sodium.h>

enum { BLOCK = 16 };

void handshake_derive(struct handshake_run *run, struct digests *d)
{
    kdf_handshake(d, run->new_nonce, run->server_nonce, run->tmp_key, run->tmp_iv);
}

bool handshake_read_nonces(const struct handshake_run *run, struct tl_reader *r)
{
    struct slice nonce = tl_read_raw(r, NONCE_BYTES);
    struct slice server_nonce = tl_read_raw(r, NONCE_BYTES);
    return !r->error && memcmp(nonce.data, run->nonce, NONCE_BYTES) == 0 &&
           memcmp(server_nonce.data, run->server_nonce, NONCE_BYTES) == 0;
}

void handshake_write_nonces(const struct handshake_run *run, struct buf *b)
{
    buf_append(b, run->nonce, NONCE_BYTES);
    buf_append(b, run->server_nonce, NONCE_BYTES);
}

void handshake_seal(const struct handshake_run *run, struct digests *d, struct rng *rng,
                    struct slice data, struct buf *out)
{
    uint8_t text[HANDSHAKE_SEALED_MAX];
    size_t unpadded = SHA1_BYTES + data.len;
    size_t len = (unpadded + BLOCK - 1) / BLOCK * BLOCK;
    if (len > sizeof text) {
        out->failed = true;
        return;
    }
    sha1(d, &data, 1, text);
    memcpy(text + SHA1_BYTES, data.data, data.len);
    rng_fill(rng, text + unpadded, len - unpadded);
    aes_ige_encrypt(run->tmp_key, run->tmp_iv, text, text, len);
    tl_write_bytes(out, slice_of(text, len));
}

bool handshake_open(const struct handshake_run *run, struct slice sealed,
                    struct handshake_opened *o, struct tl_reader *r)
{
    if (sealed.len < SHA1_BYTES || sealed.len > sizeof o->plain || sealed.len % BLOCK != 0)
        return false;
    aes_ige_decrypt(run->tmp_key, run->tmp_iv, sealed.data, o->plain, sealed.len);
    o->len = sealed.len;
    *r = tl_reader_of(slice_of(o->plain + SHA1_BYTES, o->len - SHA1_BYTES));
    return true;
}

bool handshake_opened_well(const struct handshake_opened *o, struct digests *d,
                           const struct tl_reader *r)
{
    uint8_t hash[SHA1_BYTES];
    if (r->error || tl_left(r) >= BLOCK)
        return false;
    struct slice data = {o->plain + SHA1_BYTES, o->len - SHA1_BYTES - tl_left(r)};
    sha1(d, &data, 1, hash);
    return sodium_memcmp(hash, o->plain, SHA1_BYTES) == 0;
}

void handshake_nonce_hash(const struct handshake_run *run, struct digests *d,
                          enum handshake_answer answer,
                          const uint8_t auth_key[static AUTH_KEY_BYTES],
                          uint8_t out[static NONCE_HASH_BYTES])
{
    uint8_t tail[1 + sizeof(uint64_t)] = {(uint8_t)answer};
    uint8_t hash[SHA1_BYTES];
    store_le64(tail + 1, handshake_aux_hash(d, auth_key));
    sha1(d, (const struct slice[]){{run->new_nonce, NEW_NONCE_BYTES}, {tail, sizeof tail}}, 2,
         hash);
    memcpy(out, hash + SHA1_BYTES - NONCE_HASH_BYTES, NONCE_HASH_BYTES);
}

uint64_t handshake_aux_hash(struct digests *d, const uint8_t auth_key[static AUTH_KEY_BYTES])
{
    uint8_t hash[SHA1_BYTES];
    sha1(d, &(struct slice){auth_key, AUTH_KEY_BYTES}, 1, hash);
    return load_le64(hash);
}

uint64_t handshake_first_salt(const struct handshake_run *run)
{
    return load_le64(run->new_nonce) ^ load_le64(run->server_nonce);
}

void handshake_write_number(struct buf *b, uint64_t n)
{
    uint64_t big_endian = __builtin_bswap64(n);
    size_t zeroes = n ? (size_t)__builtin_clzll(n) / 8 : sizeof n;
    tl_write_bytes(b, slice_of((const uint8_t *)&big_endian + zeroes, sizeof n - zeroes));
}

uint64_t handshake_read_number(struct tl_reader *r)
{
    struct slice s = tl_read_bytes(r);
    uint64_t n = 0;
    if (s.len > sizeof n) {
        tl_fail(r, "number too long");
        return 0;
    }
    for (size_t i = 0; i < s.len; i++)
        n = n << 8 | s.data[i];
    return n;
}

void handshake_read_large(struct tl_reader *r, uint8_t out[static DH_BYTES])
{
    struct slice s = tl_read_bytes(r);
    if (s.len > DH_BYTES) {
        tl_fail(r, "number too long");
        s.len = 0;
    }
    memset(out, 0, DH_BYTES - s.len);
    if (s.len)
        memcpy(out + DH_BYTES - s.len, s.data, s.len);
}
