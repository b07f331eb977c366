/* SPDX-License-Identifier: MIT
 * What MTProto needs of cryptography, on plain buffers. No sockets, no clock.
 * https://core.telegram.org/mtproto/description
 * https://core.telegram.org/mtproto/security_guidelines */
#ifndef TGREST_CRYPTO_CRYPTO_H
#define TGREST_CRYPTO_CRYPTO_H

#include "base/bytes.h"
#include "base/random.h"

enum {
    AUTH_KEY_BYTES = 256,
    MSG_KEY_BYTES = 16,
    SHA1_BYTES = 20,
    SHA256_BYTES = 32,
    RSA_BYTES = 256,
    DH_BYTES = 256,
};

/* ---- digests: fetched once, contexts reused; one per thread ---- */
struct digests;
struct digests *digests_new(void); /* NULL without memory */
void digests_free(struct digests *d);
void sha1(struct digests *d, const struct slice *parts, size_t n, uint8_t out[static SHA1_BYTES]);
void sha256(struct digests *d, const struct slice *parts, size_t n,
            uint8_t out[static SHA256_BYTES]);
void hmac_sha256(struct digests *d, struct slice key, const struct slice *parts, size_t n,
                 uint8_t out[static SHA256_BYTES]);

/* ---- AES-256-IGE: len a multiple of 16, in and out may be the same ---- */
void aes_ige_encrypt(const uint8_t key[static 32], const uint8_t iv[static 32], const uint8_t *in,
                     uint8_t *out, size_t len);
void aes_ige_decrypt(const uint8_t key[static 32], const uint8_t iv[static 32], const uint8_t *in,
                     uint8_t *out, size_t len);
/* The same through OpenSSL's AES-ECB, for CPUs without AES instructions (and to compare in tests).
 */
void aes_ige_encrypt_portable(const uint8_t key[static 32], const uint8_t iv[static 32],
                              const uint8_t *in, uint8_t *out, size_t len);
void aes_ige_decrypt_portable(const uint8_t key[static 32], const uint8_t iv[static 32],
                              const uint8_t *in, uint8_t *out, size_t len);

/* AES-256-CTR stream for the obfuscated transport; keeps its place between calls. */
struct aes_ctr;
struct aes_ctr *aes_ctr_new(const uint8_t key[static 32], const uint8_t iv[static 16]);
void aes_ctr_xor(struct aes_ctr *c, uint8_t *data, size_t len);
void aes_ctr_free(struct aes_ctr *c);

/* ---- MTProto key derivation; from_server: x = 8 ---- */
/* The low 64 bits of SHA1(auth_key). */
uint64_t auth_key_id(struct digests *d, const uint8_t auth_key[static AUTH_KEY_BYTES]);
/* MTProto 2.0: msg_key_large over plaintext with padding. The msg_key is its middle, from
 * MSG_KEY_OFFSET on; its first 32 bits are the quick ack token. Then key and iv from the msg_key.
 */
enum { MSG_KEY_OFFSET = 8 };
void kdf2_msg_key_large(struct digests *d, const uint8_t auth_key[static AUTH_KEY_BYTES],
                        bool from_server, struct slice padded, uint8_t large[static SHA256_BYTES]);
void kdf2_aes(struct digests *d, const uint8_t auth_key[static AUTH_KEY_BYTES], bool from_server,
              const uint8_t msg_key[static MSG_KEY_BYTES], uint8_t key[static 32],
              uint8_t iv[static 32]);
/* MTProto 1.0, for the inner message of auth.bindTempAuthKey: plaintext without padding. */
void kdf1_msg_key(struct digests *d, struct slice plain, uint8_t msg_key[static MSG_KEY_BYTES]);
void kdf1_aes(struct digests *d, const uint8_t auth_key[static AUTH_KEY_BYTES], bool from_server,
              const uint8_t msg_key[static MSG_KEY_BYTES], uint8_t key[static 32],
              uint8_t iv[static 32]);
/* Key and iv that protect server_DH_inner_data and client_DH_inner_data. */
void kdf_handshake(struct digests *d, const uint8_t new_nonce[static 32],
                   const uint8_t server_nonce[static 16], uint8_t key[static 32],
                   uint8_t iv[static 32]);

/* ---- RSA, 2048 bits ---- */
struct rsa_key; /* public, or with its private part */
/* PEM: "RSA PUBLIC KEY" (PKCS#1), "PUBLIC KEY" (SPKI) or a private key. NULL when it is none of
 * them or not 2048 bits. With several keys in one text: the first; *rest (if not NULL) is what
 * follows it. */
struct rsa_key *rsa_key_parse(struct slice pem, struct slice *rest);
struct rsa_key *rsa_key_generate(void);
void rsa_key_free(struct rsa_key *k);
/* The low 64 bits of SHA1 of the TL-serialized n and e. */
uint64_t rsa_key_fingerprint(const struct rsa_key *k);
bool rsa_key_is_private(const struct rsa_key *k);
void rsa_key_write_public_pem(const struct rsa_key *k, struct buf *out);  /* PKCS#1 */
void rsa_key_write_private_pem(const struct rsa_key *k, struct buf *out); /* PKCS#1 */
/* RSA_PAD of at most 144 bytes. False when data is too long. */
bool rsa_pad_encrypt(const struct rsa_key *k, struct rng *rng, struct slice data,
                     uint8_t out[static RSA_BYTES]);
/* SHA1(data) + data + random padding, at most 235 bytes: what older clients send. */
bool rsa_old_encrypt(const struct rsa_key *k, struct rng *rng, struct slice data,
                     uint8_t out[static RSA_BYTES]);
/* Server side: undoes RSA_PAD, or else the older padding (whose data length is not known: out holds
 * 235 bytes and the caller parses and calls rsa_old_check with what it consumed).
 * Returns the kind; RSA_PADDING_NONE when neither can be. `out` needs 256 bytes. */
enum rsa_padding { RSA_PADDING_NONE, RSA_PADDING_PAD, RSA_PADDING_OLD };
enum rsa_padding rsa_unpad(const struct rsa_key *k, const uint8_t in[static RSA_BYTES],
                           uint8_t out[static 256], uint8_t sha1_of_old[static SHA1_BYTES]);
bool rsa_old_check(struct digests *d, struct slice consumed,
                   const uint8_t sha1_of_old[static SHA1_BYTES]);

/* ---- pq ---- */
/* p <= q, both prime factors of pq (any product of two primes below 2^63). False if pq is not one.
 */
bool pq_factor(uint64_t pq, uint64_t *p, uint64_t *q);
/* A product of two random primes of 31 bits or so, for the server side. */
uint64_t pq_random(struct rng *rng, uint64_t *p, uint64_t *q);

/* ---- Diffie-Hellman, 2048 bits, big-endian numbers of DH_BYTES ---- */
extern const uint8_t dh_telegram_prime[DH_BYTES];
enum dh_check {
    DH_OK,
    DH_PRIME_SIZE,
    DH_PRIME_NOT_SAFE,
    DH_BAD_GENERATOR,
    DH_OUT_OF_RANGE, /* not in (1, p-1), or outside 2^(2048-64) … p - 2^(2048-64) */
};
/* The guidelines' checks of prime and g. The known prime is compared, any other tested for real
 * (about a second: thread pool) unless *good already holds it; a prime that passes is put there. */
struct dh_good_prime {
    bool known;
    uint8_t prime[DH_BYTES];
};
enum dh_check dh_check_params(const uint8_t prime[static DH_BYTES], int g,
                              struct dh_good_prime *good);
/* The range checks of g_a and g_b. */
enum dh_check dh_check_public(const uint8_t prime[static DH_BYTES],
                              const uint8_t value[static DH_BYTES]);
/* out = g^secret mod prime. A few ms: thread pool. */
bool dh_public(const uint8_t prime[static DH_BYTES], int g, const uint8_t secret[static DH_BYTES],
               uint8_t out[static DH_BYTES]);
/* out = base^secret mod prime, left-padded with zeroes. */
bool dh_shared(const uint8_t prime[static DH_BYTES], const uint8_t base[static DH_BYTES],
               const uint8_t secret[static DH_BYTES], uint8_t out[static DH_BYTES]);

/* ---- SRP 2FA, https://core.telegram.org/api/srp ---- */
struct srp_algo { /* passwordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow */
    struct slice salt1;
    struct slice salt2;
    int g;
    uint8_t prime[DH_BYTES];
};
/* x of the password: 100,000 PBKDF2 rounds, some 100 ms: thread pool. False without memory, or when
 * a salt is longer than any of Telegram's. */
bool srp_password_hash(const struct srp_algo *algo, struct slice password,
                       uint8_t x[static SHA256_BYTES]) __attribute__((warn_unused_result));
/* Client: A and M1 for srp_B. Checks prime, g and B. The outputs must not overlap srp_b. */
enum dh_check srp_client_proof(const struct srp_algo *algo, const uint8_t x[static SHA256_BYTES],
                               const uint8_t srp_b[static DH_BYTES], struct rng *rng,
                               struct dh_good_prime *good, uint8_t a_out[static DH_BYTES],
                               uint8_t m1_out[static SHA256_BYTES]);
/* v = g^x: what the server keeps, and what account.updatePasswordSettings sends. */
bool srp_verifier(const struct srp_algo *algo, const uint8_t x[static SHA256_BYTES],
                  uint8_t v[static DH_BYTES]);
/* Server: B for a fresh secret b. */
bool srp_server_challenge(const struct srp_algo *algo, const uint8_t v[static DH_BYTES],
                          const uint8_t b_secret[static DH_BYTES], uint8_t b_out[static DH_BYTES]);
/* Server: is M1 right for A? Constant-time compare. */
bool srp_server_check(const struct srp_algo *algo, const uint8_t v[static DH_BYTES],
                      const uint8_t b_secret[static DH_BYTES],
                      const uint8_t b_public[static DH_BYTES],
                      const uint8_t a_public[static DH_BYTES],
                      const uint8_t m1[static SHA256_BYTES]);

#endif
