/* SPDX-License-Identifier: MIT
 * Two-step verification: Telegram's SRP, both sides. https://core.telegram.org/api/srp
 * Numbers are hashed as DH_BYTES big-endian bytes. */
#include "crypto/crypto.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>

enum {
    PBKDF2_ROUNDS = 100000,
    PBKDF2_BYTES = 64,
    SALT_BYTES_MAX = 4096, /* Telegram's take some 40; the server says them, so a bound */
    TRIES_MAX = 64,        /* a proof that must be drawn again has a chance below 2^-60 */
};

/* What both sides compute with; the numbers belong to ctx, which wipes them. */
struct srp {
    struct digests *d;
    BN_CTX *ctx;
    BIGNUM *p;
    BIGNUM *g;
    BIGNUM *k; /* H(p | g) */
    uint8_t g_bytes[DH_BYTES];
};

static void hash_number(struct digests *d, const uint8_t *a, const uint8_t *b, BIGNUM *out)
{
    uint8_t hash[SHA256_BYTES];
    sha256(d, (const struct slice[]){{a, DH_BYTES}, {b, DH_BYTES}}, 2, hash);
    BN_bin2bn(hash, SHA256_BYTES, out);
}

static void srp_end(struct srp *s)
{
    if (s->ctx)
        BN_CTX_end(s->ctx);
    BN_CTX_free(s->ctx);
    digests_free(s->d);
}

/* False without memory; srp_end in any case. */
static bool srp_begin(struct srp *s, const struct srp_algo *algo)
{
    *s = (struct srp){.d = digests_new(), .ctx = BN_CTX_secure_new()};
    if (!s->d || !s->ctx)
        return false;
    BN_CTX_start(s->ctx);
    s->p = BN_CTX_get(s->ctx);
    s->g = BN_CTX_get(s->ctx);
    s->k = BN_CTX_get(s->ctx);
    if (!s->k || algo->g < 2 || BN_set_word(s->g, (BN_ULONG)algo->g) != 1 ||
        !BN_bin2bn(algo->prime, DH_BYTES, s->p))
        return false;
    BN_bn2binpad(s->g, s->g_bytes, DH_BYTES);
    hash_number(s->d, algo->prime, s->g_bytes, s->k);
    return !BN_is_zero(s->k);
}

/* A number that belongs to s->ctx; NULL without memory. */
static BIGNUM *number(struct srp *s, const uint8_t *bytes, size_t n)
{
    BIGNUM *x = BN_CTX_get(s->ctx);
    return x && BN_bin2bn(bytes, (int)n, x) ? x : NULL;
}

/* r = base^exponent mod p in constant time. */
static bool power(struct srp *s, BIGNUM *r, const BIGNUM *base, BIGNUM *exponent)
{
    BN_set_flags(exponent, BN_FLG_CONSTTIME);
    return BN_mod_exp(r, base, exponent, s->p, s->ctx) == 1;
}

static bool to_bytes(const BIGNUM *x, uint8_t *out)
{
    return BN_bn2binpad(x, out, DH_BYTES) == DH_BYTES;
}

/* M1 = H(H(p) xor H(g) | H(salt1) | H(salt2) | A | B | H(S)). */
static void proof(struct srp *s, const struct srp_algo *algo, const uint8_t *a, const uint8_t *b,
                  const uint8_t *secret, uint8_t *m1)
{
    uint8_t group[SHA256_BYTES];
    uint8_t hash[SHA256_BYTES];
    uint8_t salt1[SHA256_BYTES];
    uint8_t salt2[SHA256_BYTES];
    uint8_t key[SHA256_BYTES];

    sha256(s->d, &(struct slice){algo->prime, DH_BYTES}, 1, group);
    sha256(s->d, &(struct slice){s->g_bytes, DH_BYTES}, 1, hash);
    for (size_t i = 0; i < SHA256_BYTES; i++)
        group[i] ^= hash[i];
    sha256(s->d, &algo->salt1, 1, salt1);
    sha256(s->d, &algo->salt2, 1, salt2);
    sha256(s->d, &(struct slice){secret, DH_BYTES}, 1, key);
    sha256(s->d,
           (const struct slice[]){{group, SHA256_BYTES},
                                  {salt1, SHA256_BYTES},
                                  {salt2, SHA256_BYTES},
                                  {a, DH_BYTES},
                                  {b, DH_BYTES},
                                  {key, SHA256_BYTES}},
           6, m1);
    sodium_memzero(key, sizeof key);
}

/* ---- the password ---- */

/* H(salt | data | salt) */
static void salted(struct digests *d, struct slice data, struct slice salt, uint8_t *out)
{
    sha256(d, (const struct slice[]){salt, data, salt}, 3, out);
}

bool srp_password_hash(const struct srp_algo *algo, struct slice password,
                       uint8_t x[static SHA256_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    uint8_t stretched[PBKDF2_BYTES];
    struct digests *d = digests_new();
    bool ok = d && algo->salt1.len <= SALT_BYTES_MAX && algo->salt2.len <= SALT_BYTES_MAX;

    if (ok) {
        salted(d, password, algo->salt1, hash);
        salted(d, (struct slice){hash, SHA256_BYTES}, algo->salt2, hash);
        ok = PKCS5_PBKDF2_HMAC((const char *)hash, SHA256_BYTES, algo->salt1.data,
                               (int)algo->salt1.len, PBKDF2_ROUNDS, EVP_sha512(), PBKDF2_BYTES,
                               stretched) == 1;
    }
    if (ok)
        salted(d, (struct slice){stretched, PBKDF2_BYTES}, algo->salt2, x);
    sodium_memzero(hash, sizeof hash);
    sodium_memzero(stretched, sizeof stretched);
    digests_free(d);
    return ok;
}

bool srp_verifier(const struct srp_algo *algo, const uint8_t x[static SHA256_BYTES],
                  uint8_t v[static DH_BYTES])
{
    struct srp s;
    bool ok = srp_begin(&s, algo);
    if (ok) {
        BIGNUM *exponent = number(&s, x, SHA256_BYTES);
        BIGNUM *r = BN_CTX_get(s.ctx);
        ok = exponent && r && power(&s, r, s.g, exponent) && to_bytes(r, v);
    }
    srp_end(&s);
    return ok;
}

/* ---- client ---- */

/* base = B - k * g^x mod p, which is the server's g^b when the passwords agree. */
static bool unmask(struct srp *s, BIGNUM *x, const BIGNUM *b, BIGNUM *base)
{
    return power(s, base, s->g, x) && BN_mod_mul(base, base, s->k, s->p, s->ctx) == 1 &&
           BN_mod_sub(base, b, base, s->p, s->ctx) == 1;
}

/* A fresh secret a with an acceptable A = g^a and u = H(A | B). */
static bool draw(struct srp *s, const struct srp_algo *algo, struct rng *rng,
                 const uint8_t *b_bytes, BIGNUM *a, BIGNUM *u, uint8_t *a_bytes)
{
    uint8_t secret[DH_BYTES];
    bool ok = false;
    for (int i = 0; i < TRIES_MAX && !ok; i++) {
        rng_fill(rng, secret, DH_BYTES);
        ok = dh_public(algo->prime, algo->g, secret, a_bytes) &&
             dh_check_public(algo->prime, a_bytes) == DH_OK;
        hash_number(s->d, a_bytes, b_bytes, u);
        ok = ok && !BN_is_zero(u) && BN_bin2bn(secret, DH_BYTES, a);
    }
    sodium_memzero(secret, sizeof secret);
    return ok;
}

/* Once prime, g and B are known to be good. */
static bool prove(struct srp *s, const struct srp_algo *algo, const uint8_t *x_bytes,
                  const uint8_t *b_bytes, struct rng *rng, uint8_t *a_out, uint8_t *m1_out)
{
    uint8_t secret[DH_BYTES];
    BIGNUM *x = number(s, x_bytes, SHA256_BYTES);
    BIGNUM *b = number(s, b_bytes, DH_BYTES);
    BIGNUM *base = BN_CTX_get(s->ctx);
    BIGNUM *a = BN_CTX_get(s->ctx);
    BIGNUM *u = BN_CTX_get(s->ctx);

    if (!x || !b || !u || !unmask(s, x, b, base) || !to_bytes(base, secret) ||
        dh_check_public(algo->prime, secret) != DH_OK)
        return false;
    /* S = (B - k * v) ^ (a + u * x) */
    bool ok = draw(s, algo, rng, b_bytes, a, u, a_out) && BN_mul(u, u, x, s->ctx) == 1 &&
              BN_add(a, a, u) == 1 && power(s, base, base, a) && to_bytes(base, secret);
    if (ok)
        proof(s, algo, a_out, b_bytes, secret, m1_out);
    sodium_memzero(secret, sizeof secret);
    return ok;
}

enum dh_check srp_client_proof(const struct srp_algo *algo, const uint8_t x[static SHA256_BYTES],
                               const uint8_t srp_b[static DH_BYTES], struct rng *rng,
                               struct dh_good_prime *good, uint8_t a_out[static DH_BYTES],
                               uint8_t m1_out[static SHA256_BYTES])
{
    struct srp s;
    enum dh_check check = dh_check_params(algo->prime, algo->g, good);
    if (check == DH_OK)
        check = dh_check_public(algo->prime, srp_b);
    if (check != DH_OK)
        return check;
    if (!srp_begin(&s, algo) || !prove(&s, algo, x, srp_b, rng, a_out, m1_out))
        check = DH_OUT_OF_RANGE;
    srp_end(&s);
    return check;
}

/* ---- server ---- */

bool srp_server_challenge(const struct srp_algo *algo, const uint8_t v[static DH_BYTES],
                          const uint8_t b_secret[static DH_BYTES], uint8_t b_out[static DH_BYTES])
{
    struct srp s;
    bool ok = srp_begin(&s, algo);
    if (ok) {
        /* B = k * v + g^b */
        BIGNUM *verifier = number(&s, v, DH_BYTES);
        BIGNUM *b = number(&s, b_secret, DH_BYTES);
        BIGNUM *r = BN_CTX_get(s.ctx);
        ok = verifier && b && r && power(&s, r, s.g, b) &&
             BN_mod_mul(verifier, verifier, s.k, s.p, s.ctx) == 1 &&
             BN_mod_add(r, r, verifier, s.p, s.ctx) == 1 && to_bytes(r, b_out);
    }
    srp_end(&s);
    return ok;
}

/* S = (A * v^u) ^ b */
static bool server_secret(struct srp *s, const uint8_t *v, const uint8_t *b_secret,
                          const uint8_t *b_public, const uint8_t *a_public, uint8_t *secret)
{
    BIGNUM *verifier = number(s, v, DH_BYTES);
    BIGNUM *b = number(s, b_secret, DH_BYTES);
    BIGNUM *a = number(s, a_public, DH_BYTES);
    BIGNUM *u = BN_CTX_get(s->ctx);
    if (!verifier || !b || !a || !u)
        return false;
    hash_number(s->d, a_public, b_public, u);
    return !BN_is_zero(u) && power(s, verifier, verifier, u) &&
           BN_mod_mul(a, a, verifier, s->p, s->ctx) == 1 && power(s, a, a, b) &&
           to_bytes(a, secret);
}

bool srp_server_check(const struct srp_algo *algo, const uint8_t v[static DH_BYTES],
                      const uint8_t b_secret[static DH_BYTES],
                      const uint8_t b_public[static DH_BYTES],
                      const uint8_t a_public[static DH_BYTES],
                      const uint8_t m1[static SHA256_BYTES])
{
    struct srp s;
    uint8_t secret[DH_BYTES];
    uint8_t expected[SHA256_BYTES];
    /* An A of 0 or near it would make S known without the password. */
    if (dh_check_public(algo->prime, a_public) != DH_OK)
        return false;
    bool ok = srp_begin(&s, algo) && server_secret(&s, v, b_secret, b_public, a_public, secret);
    if (ok) {
        proof(&s, algo, a_public, b_public, secret, expected);
        ok = sodium_memcmp(expected, m1, SHA256_BYTES) == 0;
    }
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(expected, sizeof expected);
    srp_end(&s);
    return ok;
}
