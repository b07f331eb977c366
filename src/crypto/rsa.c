/* SPDX-License-Identifier: MIT
 * RSA of the handshake: the raw operation under two paddings of Telegram's own.
 * https://core.telegram.org/mtproto/auth_key#41-rsa-paddata-server-public-key-mentioned-above-is-implemented-as-follows
 */
#include "crypto/crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RSA_BITS = RSA_BYTES * 8,
    PEM_BYTES_MAX = 16 * 1024, /* a private key of 2048 bits takes 1.7 KiB */
    EXPONENT_BYTES_MAX = 8,    /* 65537 takes 3; a public exponent has no reason to be long */

    PAD_DATA_MAX = 144,
    PAD_PADDED = 192,
    PAD_KEY = 32,
    PAD_ENCRYPTED = PAD_PADDED + SHA256_BYTES,
    PAD_TRIES_MAX = 128, /* each succeeds with a chance of at least 1/2 */

    OLD_DATA_MAX = RSA_BYTES - 1 - SHA1_BYTES,
};

struct rsa_key {
    EVP_PKEY *pkey;
    uint8_t modulus[RSA_BYTES];
    uint64_t fingerprint;
    bool is_private;
};

/* ---- keys ---- */

/* SHA1 of n and e as TL strings, big-endian. */
static bool set_fingerprint(struct rsa_key *k, const BIGNUM *e)
{
    uint8_t text[4 + RSA_BYTES + 1 + EXPONENT_BYTES_MAX + 3] = {0xfe, 0x00, 0x01, 0x00};
    size_t e_bytes = (size_t)BN_num_bytes(e);
    uint8_t hash[SHA1_BYTES];

    if (e_bytes == 0 || e_bytes > EXPONENT_BYTES_MAX)
        return false;
    memcpy(text + 4, k->modulus, RSA_BYTES);
    text[4 + RSA_BYTES] = (uint8_t)e_bytes;
    BN_bn2bin(e, text + 4 + RSA_BYTES + 1);
    struct slice whole = {text, (4 + RSA_BYTES + 1 + e_bytes + 3) / 4 * 4};

    struct digests *d = digests_new();
    if (!d)
        return false;
    sha1(d, &whole, 1, hash);
    digests_free(d);
    k->fingerprint = load_le64(hash + 12);
    return true;
}

/* Takes the ownership of pkey, also when it is refused. */
static struct rsa_key *key_of(EVP_PKEY *pkey)
{
    struct rsa_key *k = calloc(1, sizeof *k);
    BIGNUM *n = NULL;
    BIGNUM *e = NULL;
    BIGNUM *d = NULL;
    bool ok = k && pkey && EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) == RSA_BITS &&
              EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
              EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(n) &&
              BN_is_odd(e) && BN_bn2binpad(n, k->modulus, RSA_BYTES) == RSA_BYTES &&
              set_fingerprint(k, e);
    if (ok) {
        k->pkey = pkey;
        k->is_private = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_D, &d) == 1;
    } else {
        EVP_PKEY_free(pkey);
        free(k);
        k = NULL;
    }
    BN_free(n);
    BN_free(e);
    BN_clear_free(d);
    ERR_clear_error();
    return k;
}

/* The first PEM block of a kind that may hold a key; *rest is what follows it. */
static bool find_pem_block(struct slice text, struct slice *block, struct slice *rest)
{
    static const char *const labels[] = {"RSA PUBLIC KEY", "PUBLIC KEY", "RSA PRIVATE KEY",
                                         "PRIVATE KEY"};
    const uint8_t *first = NULL;
    *rest = (struct slice){text.data, 0};
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        char begin[40];
        char end[40];
        int n_begin = snprintf(begin, sizeof begin, "-----BEGIN %s-----", labels[i]);
        int n_end = snprintf(end, sizeof end, "-----END %s-----", labels[i]);
        const uint8_t *from = text.len ? memmem(text.data, text.len, begin, (size_t)n_begin) : NULL;
        if (!from || (first && from > first))
            continue;
        size_t left = text.len - (size_t)(from - text.data);
        const uint8_t *last = memmem(from, left, end, (size_t)n_end);
        if (!last)
            continue;
        first = from;
        *block = (struct slice){from, (size_t)(last - from) + (size_t)n_end};
        *rest = (struct slice){from + block->len, left - block->len};
    }
    return first != NULL;
}

/* An encrypted key is refused: without this OpenSSL would ask for its password on the terminal. */
static int no_password(char *buffer, int size, int rwflag, void *ctx)
{
    (void)buffer;
    (void)size;
    (void)rwflag;
    (void)ctx;
    return -1;
}

struct rsa_key *rsa_key_parse(struct slice pem, struct slice *rest)
{
    struct slice after;
    struct slice block;
    EVP_PKEY *pkey = NULL;

    bool found = find_pem_block(pem, &block, &after);
    if (rest)
        *rest = after;
    if (!found || block.len > PEM_BYTES_MAX)
        return NULL;
    OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey, "PEM", NULL, "RSA", 0, NULL, NULL);
    if (!ctx)
        return NULL;
    OSSL_DECODER_CTX_set_pem_password_cb(ctx, no_password, NULL);
    (void)OSSL_DECODER_from_data(ctx, &block.data, &block.len); /* pkey stays NULL when it fails */
    OSSL_DECODER_CTX_free(ctx);
    return key_of(pkey);
}

struct rsa_key *rsa_key_generate(void)
{
    return key_of(EVP_RSA_gen(RSA_BITS));
}

void rsa_key_free(struct rsa_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey); /* wipes the private part */
    free(k);
}

uint64_t rsa_key_fingerprint(const struct rsa_key *k)
{
    return k->fingerprint;
}

bool rsa_key_is_private(const struct rsa_key *k)
{
    return k->is_private;
}

static void write_pem(const struct rsa_key *k, int selection, struct buf *out)
{
    unsigned char *text = NULL;
    size_t len = 0;
    OSSL_ENCODER_CTX *ctx =
        OSSL_ENCODER_CTX_new_for_pkey(k->pkey, selection, "PEM", "type-specific", NULL);
    if (ctx && OSSL_ENCODER_to_data(ctx, &text, &len) == 1)
        buf_append(out, text, len);
    else
        out->failed = true;
    OPENSSL_clear_free(text, len);
    OSSL_ENCODER_CTX_free(ctx);
}

void rsa_key_write_public_pem(const struct rsa_key *k, struct buf *out)
{
    write_pem(k, EVP_PKEY_PUBLIC_KEY, out);
}

void rsa_key_write_private_pem(const struct rsa_key *k, struct buf *out)
{
    write_pem(k, EVP_PKEY_KEYPAIR, out);
}

/* ---- the raw operation ---- */

/* A context of its own for each call: keys are shared by threads. */
static bool raw_rsa(const struct rsa_key *k, bool encrypt, const uint8_t *in, uint8_t *out)
{
    size_t len = RSA_BYTES;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    bool ok = ctx && (encrypt ? EVP_PKEY_encrypt_init(ctx) : EVP_PKEY_decrypt_init(ctx)) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
              (encrypt ? EVP_PKEY_encrypt(ctx, out, &len, in, RSA_BYTES)
                       : EVP_PKEY_decrypt(ctx, out, &len, in, RSA_BYTES)) == 1 &&
              len == RSA_BYTES;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

/* ---- RSA_PAD ---- */

static void reverse(const uint8_t *in, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = in[n - 1 - i];
}

static void xor_with_hash(struct digests *d, const uint8_t *hashed, size_t n, const uint8_t *in,
                          uint8_t *out)
{
    uint8_t hash[SHA256_BYTES];
    sha256(d, &(struct slice){hashed, n}, 1, hash);
    for (size_t i = 0; i < SHA256_BYTES; i++)
        out[i] = in[i] ^ hash[i];
}

static void hash_key_and_data(struct digests *d, const uint8_t *key, const uint8_t *padded,
                              uint8_t *out)
{
    sha256(d, (const struct slice[]){{key, PAD_KEY}, {padded, PAD_PADDED}}, 2, out);
}

/* block = (temp_key ^ SHA256(aes)) ‖ aes, where aes = IGE(reversed ‖ SHA256(temp_key ‖ padded)). */
static void pad_block(struct digests *d, const uint8_t *padded, const uint8_t *temp_key,
                      uint8_t *block)
{
    static const uint8_t zero_iv[32];
    uint8_t *aes = block + PAD_KEY;
    reverse(padded, aes, PAD_PADDED);
    hash_key_and_data(d, temp_key, padded, aes + PAD_PADDED);
    aes_ige_encrypt(temp_key, zero_iv, aes, aes, PAD_ENCRYPTED);
    xor_with_hash(d, aes, PAD_ENCRYPTED, temp_key, block);
}

bool rsa_pad_encrypt(const struct rsa_key *k, struct rng *rng, struct slice data,
                     uint8_t out[static RSA_BYTES])
{
    uint8_t padded[PAD_PADDED];
    uint8_t temp_key[PAD_KEY];
    uint8_t block[RSA_BYTES];
    struct digests *d = data.len <= PAD_DATA_MAX ? digests_new() : NULL;
    if (!d)
        return false;

    memcpy(padded, data.data, data.len);
    rng_fill(rng, padded + data.len, PAD_PADDED - data.len);
    bool fits = false;
    for (int i = 0; i < PAD_TRIES_MAX && !fits; i++) {
        rng_fill(rng, temp_key, PAD_KEY);
        pad_block(d, padded, temp_key, block);
        fits = memcmp(block, k->modulus, RSA_BYTES) < 0;
    }
    bool ok = fits && raw_rsa(k, true, block, out);
    sodium_memzero(padded, sizeof padded);
    sodium_memzero(temp_key, sizeof temp_key);
    sodium_memzero(block, sizeof block);
    digests_free(d);
    return ok;
}

/* Undoes pad_block; false when the hash inside does not fit. */
static bool unpad_block(struct digests *d, const uint8_t *block, uint8_t *padded)
{
    static const uint8_t zero_iv[32];
    uint8_t temp_key[PAD_KEY];
    uint8_t plain[PAD_ENCRYPTED];
    uint8_t hash[SHA256_BYTES];

    xor_with_hash(d, block + PAD_KEY, PAD_ENCRYPTED, block, temp_key);
    aes_ige_decrypt(temp_key, zero_iv, block + PAD_KEY, plain, PAD_ENCRYPTED);
    reverse(plain, padded, PAD_PADDED);
    hash_key_and_data(d, temp_key, padded, hash);
    bool ok = sodium_memcmp(hash, plain + PAD_PADDED, SHA256_BYTES) == 0;
    sodium_memzero(temp_key, sizeof temp_key);
    sodium_memzero(plain, sizeof plain);
    return ok;
}

/* ---- the older padding: 0 ‖ SHA1(data) ‖ data ‖ random bytes ---- */

bool rsa_old_encrypt(const struct rsa_key *k, struct rng *rng, struct slice data,
                     uint8_t out[static RSA_BYTES])
{
    uint8_t block[RSA_BYTES] = {0};
    uint8_t *body = block + 1 + SHA1_BYTES;
    struct digests *d = data.len <= OLD_DATA_MAX ? digests_new() : NULL;
    if (!d)
        return false;
    sha1(d, &data, 1, block + 1);
    digests_free(d);
    memcpy(body, data.data, data.len);
    rng_fill(rng, body + data.len, OLD_DATA_MAX - data.len);
    bool ok = raw_rsa(k, true, block, out);
    sodium_memzero(block, sizeof block);
    return ok;
}

bool rsa_old_check(struct digests *d, struct slice consumed,
                   const uint8_t sha1_of_old[static SHA1_BYTES])
{
    uint8_t hash[SHA1_BYTES];
    sha1(d, &consumed, 1, hash);
    return sodium_memcmp(hash, sha1_of_old, SHA1_BYTES) == 0;
}

enum rsa_padding rsa_unpad(const struct rsa_key *k, const uint8_t in[static RSA_BYTES],
                           uint8_t out[static 256], uint8_t sha1_of_old[static SHA1_BYTES])
{
    uint8_t block[RSA_BYTES];
    enum rsa_padding kind = RSA_PADDING_NONE;
    struct digests *d = k->is_private ? digests_new() : NULL;

    if (d && raw_rsa(k, false, in, block)) {
        if (unpad_block(d, block, out)) {
            kind = RSA_PADDING_PAD;
        } else if (block[0] == 0) {
            memcpy(sha1_of_old, block + 1, SHA1_BYTES);
            memcpy(out, block + 1 + SHA1_BYTES, OLD_DATA_MAX);
            kind = RSA_PADDING_OLD;
        }
    }
    sodium_memzero(block, sizeof block);
    digests_free(d);
    return kind;
}
