/* SPDX-License-Identifier: MIT
 * AES-256-IGE: c[i] = E(p[i] ^ c[i-1]) ^ p[i-1], with iv = c[-1] ‖ p[-1]. */
#include "crypto/crypto.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>

enum { BLOCK = 16, ROUNDS = 14 };

/* ---- any CPU: one block after the other through AES-ECB ---- */

/* Each block needs the one before it: out[i] = AES(in[i] ^ out[i-1]) ^ in[i-1]; decryption differs
 * from encryption in the direction of AES and in which half of the iv is which. */
static void ige_ecb(const uint8_t *key, const uint8_t *out_before, const uint8_t *in_before,
                    bool encrypt, const uint8_t *in, uint8_t *out, size_t len)
{
    uint8_t last_in[BLOCK];
    uint8_t last_out[BLOCK];
    uint8_t block[BLOCK];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int written = 0;
    bool ok = ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_ecb(), NULL, key, NULL, encrypt) == 1 &&
              EVP_CIPHER_CTX_set_padding(ctx, 0) == 1;

    memcpy(last_in, in_before, BLOCK);
    memcpy(last_out, out_before, BLOCK);
    for (size_t at = 0; ok && at < len; at += BLOCK) {
        for (size_t i = 0; i < BLOCK; i++)
            block[i] = in[at + i] ^ last_out[i];
        ok = EVP_CipherUpdate(ctx, block, &written, block, BLOCK) == 1 && written == BLOCK;
        for (size_t i = 0; i < BLOCK; i++)
            last_out[i] = block[i] ^ last_in[i];
        memcpy(last_in, in + at, BLOCK);
        memcpy(out + at, last_out, BLOCK);
    }
    EVP_CIPHER_CTX_free(ctx);
    sodium_memzero(block, sizeof block);
    sodium_memzero(last_in, sizeof last_in);
    sodium_memzero(last_out, sizeof last_out);
    /* Only without memory. Going on would send what is in `out` unencrypted. */
    if (!ok)
        abort();
}

void aes_ige_encrypt_portable(const uint8_t key[static 32], const uint8_t iv[static 32],
                              const uint8_t *in, uint8_t *out, size_t len)
{
    ige_ecb(key, iv, iv + BLOCK, true, in, out, len);
}

void aes_ige_decrypt_portable(const uint8_t key[static 32], const uint8_t iv[static 32],
                              const uint8_t *in, uint8_t *out, size_t len)
{
    ige_ecb(key, iv + BLOCK, iv, false, in, out, len);
}

#if defined(__x86_64__)

#include <immintrin.h>

#define AES_NI __attribute__((target("aes,sse2")))

/* ---- x86-64 with AES instructions ----
 *
 * IGE is serial in both directions, so its speed is the latency of one block. The two exclusive-ors
 * between blocks stay out of that chain: they and the first round key are folded into the last
 * round key, so that the last round of a block gives the state of the next block after its first
 * key. */

/* Mixes each word of a key half with the words before it, then with t. */
AES_NI static inline __m128i expand_half(__m128i half, __m128i t)
{
    half = _mm_xor_si128(half, _mm_slli_si128(half, 4));
    half = _mm_xor_si128(half, _mm_slli_si128(half, 8));
    return _mm_xor_si128(half, t);
}

/* FIPS 197 key expansion, two round keys a step; RCON must be an immediate. */
#define EXPAND_EVEN(i, rcon)                                                                       \
    k[i] = expand_half(k[(i)-2],                                                                   \
                       _mm_shuffle_epi32(_mm_aeskeygenassist_si128(k[(i)-1], (rcon)), 0xff))
#define EXPAND_ODD(i)                                                                              \
    k[i] = expand_half(k[(i)-2], _mm_shuffle_epi32(_mm_aeskeygenassist_si128(k[(i)-1], 0), 0xaa))

AES_NI static void expand_key(const uint8_t *key, __m128i k[static ROUNDS + 1])
{
    k[0] = _mm_loadu_si128((const __m128i *)key);
    k[1] = _mm_loadu_si128((const __m128i *)(key + BLOCK));
    EXPAND_EVEN(2, 0x01);
    EXPAND_ODD(3);
    EXPAND_EVEN(4, 0x02);
    EXPAND_ODD(5);
    EXPAND_EVEN(6, 0x04);
    EXPAND_ODD(7);
    EXPAND_EVEN(8, 0x08);
    EXPAND_ODD(9);
    EXPAND_EVEN(10, 0x10);
    EXPAND_ODD(11);
    EXPAND_EVEN(12, 0x20);
    EXPAND_ODD(13);
    EXPAND_EVEN(14, 0x40);
}

#undef EXPAND_EVEN
#undef EXPAND_ODD

/* The keys of the equivalent inverse cipher, in the order of use. */
AES_NI static void invert_key(__m128i k[static ROUNDS + 1])
{
    for (size_t i = 0; i < ROUNDS - i; i++) {
        __m128i swap = k[i];
        k[i] = k[ROUNDS - i];
        k[ROUNDS - i] = swap;
    }
    for (size_t i = 1; i < ROUNDS; i++)
        k[i] = _mm_aesimc_si128(k[i]);
}

AES_NI static inline __m128i load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

/* Both directions; `encrypt` is a constant in each caller, so that the choice of instruction costs
 * nothing. */
AES_NI static inline __attribute__((always_inline)) void
ige_blocks(const __m128i *k, bool encrypt, __m128i out_before, __m128i in_before, const uint8_t *in,
           uint8_t *out, size_t len)
{
    __m128i current = load(in);
    __m128i state = _mm_xor_si128(_mm_xor_si128(current, out_before), k[0]);

    for (size_t at = 0; at < len; at += BLOCK) {
        bool more = len - at > BLOCK;
        __m128i next = more ? load(in + at + BLOCK) : _mm_setzero_si128();
        __m128i next_with_key = _mm_xor_si128(next, k[0]);
        __m128i last_key = _mm_xor_si128(_mm_xor_si128(k[ROUNDS], in_before), next_with_key);

#pragma GCC unroll 13
        for (size_t r = 1; r < ROUNDS; r++)
            state = encrypt ? _mm_aesenc_si128(state, k[r]) : _mm_aesdec_si128(state, k[r]);
        state =
            encrypt ? _mm_aesenclast_si128(state, last_key) : _mm_aesdeclast_si128(state, last_key);
        _mm_storeu_si128((__m128i *)(out + at), _mm_xor_si128(state, next_with_key));
        in_before = current;
        current = next;
    }
}

AES_NI static void ige_encrypt_ni(const uint8_t *key, const uint8_t *iv, const uint8_t *in,
                                  uint8_t *out, size_t len)
{
    __m128i k[ROUNDS + 1];
    expand_key(key, k);
    ige_blocks(k, true, load(iv), load(iv + BLOCK), in, out, len);
    sodium_memzero(k, sizeof k);
}

AES_NI static void ige_decrypt_ni(const uint8_t *key, const uint8_t *iv, const uint8_t *in,
                                  uint8_t *out, size_t len)
{
    __m128i k[ROUNDS + 1];
    expand_key(key, k);
    invert_key(k);
    ige_blocks(k, false, load(iv + BLOCK), load(iv), in, out, len);
    sodium_memzero(k, sizeof k);
}

static bool cpu_has_aes(void)
{
    return __builtin_cpu_supports("aes");
}

#else

#define ige_encrypt_ni aes_ige_encrypt_portable
#define ige_decrypt_ni aes_ige_decrypt_portable

static bool cpu_has_aes(void)
{
    return false;
}

#endif

void aes_ige_encrypt(const uint8_t key[static 32], const uint8_t iv[static 32], const uint8_t *in,
                     uint8_t *out, size_t len)
{
    if (len == 0)
        return;
    if (cpu_has_aes())
        ige_encrypt_ni(key, iv, in, out, len);
    else
        aes_ige_encrypt_portable(key, iv, in, out, len);
}

void aes_ige_decrypt(const uint8_t key[static 32], const uint8_t iv[static 32], const uint8_t *in,
                     uint8_t *out, size_t len)
{
    if (len == 0)
        return;
    if (cpu_has_aes())
        ige_decrypt_ni(key, iv, in, out, len);
    else
        aes_ige_decrypt_portable(key, iv, in, out, len);
}
