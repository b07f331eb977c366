/* SPDX-License-Identifier: MIT
 * Diffie-Hellman with the checks of https://core.telegram.org/mtproto/security_guidelines */
#include "crypto/crypto.h"

#include <openssl/bn.h>

/* "The current value of dh_prime" of https://core.telegram.org/mtproto/auth_key: in use since 2013,
 * and the only one that some clients accept. */
const uint8_t dh_telegram_prime[DH_BYTES] = {
    0xc7, 0x1c, 0xae, 0xb9, 0xc6, 0xb1, 0xc9, 0x04, 0x8e, 0x6c, 0x52, 0x2f, 0x70, 0xf1, 0x3f, 0x73,
    0x98, 0x0d, 0x40, 0x23, 0x8e, 0x3e, 0x21, 0xc1, 0x49, 0x34, 0xd0, 0x37, 0x56, 0x3d, 0x93, 0x0f,
    0x48, 0x19, 0x8a, 0x0a, 0xa7, 0xc1, 0x40, 0x58, 0x22, 0x94, 0x93, 0xd2, 0x25, 0x30, 0xf4, 0xdb,
    0xfa, 0x33, 0x6f, 0x6e, 0x0a, 0xc9, 0x25, 0x13, 0x95, 0x43, 0xae, 0xd4, 0x4c, 0xce, 0x7c, 0x37,
    0x20, 0xfd, 0x51, 0xf6, 0x94, 0x58, 0x70, 0x5a, 0xc6, 0x8c, 0xd4, 0xfe, 0x6b, 0x6b, 0x13, 0xab,
    0xdc, 0x97, 0x46, 0x51, 0x29, 0x69, 0x32, 0x84, 0x54, 0xf1, 0x8f, 0xaf, 0x8c, 0x59, 0x5f, 0x64,
    0x24, 0x77, 0xfe, 0x96, 0xbb, 0x2a, 0x94, 0x1d, 0x5b, 0xcd, 0x1d, 0x4a, 0xc8, 0xcc, 0x49, 0x88,
    0x07, 0x08, 0xfa, 0x9b, 0x37, 0x8e, 0x3c, 0x4f, 0x3a, 0x90, 0x60, 0xbe, 0xe6, 0x7c, 0xf9, 0xa4,
    0xa4, 0xa6, 0x95, 0x81, 0x10, 0x51, 0x90, 0x7e, 0x16, 0x27, 0x53, 0xb5, 0x6b, 0x0f, 0x6b, 0x41,
    0x0d, 0xba, 0x74, 0xd8, 0xa8, 0x4b, 0x2a, 0x14, 0xb3, 0x14, 0x4e, 0x0e, 0xf1, 0x28, 0x47, 0x54,
    0xfd, 0x17, 0xed, 0x95, 0x0d, 0x59, 0x65, 0xb4, 0xb9, 0xdd, 0x46, 0x58, 0x2d, 0xb1, 0x17, 0x8d,
    0x16, 0x9c, 0x6b, 0xc4, 0x65, 0xb0, 0xd6, 0xff, 0x9c, 0xa3, 0x92, 0x8f, 0xef, 0x5b, 0x9a, 0xe4,
    0xe4, 0x18, 0xfc, 0x15, 0xe8, 0x3e, 0xbe, 0xa0, 0xf8, 0x7f, 0xa9, 0xff, 0x5e, 0xed, 0x70, 0x05,
    0x0d, 0xed, 0x28, 0x49, 0xf4, 0x7b, 0xf9, 0x59, 0xd9, 0x56, 0x85, 0x0c, 0xe9, 0x29, 0x85, 0x1f,
    0x0d, 0x81, 0x15, 0xf6, 0x35, 0xb1, 0x05, 0xee, 0x2e, 0x4e, 0x15, 0xd0, 0x4b, 0x24, 0x54, 0xbf,
    0x6f, 0x4f, 0xad, 0xf0, 0x34, 0xb1, 0x04, 0x03, 0x11, 0x9c, 0xd8, 0xe3, 0xb9, 0x2f, 0xcc, 0x5b,
};

/* g_a and g_b keep this far from both ends: 2^(2048-64). */
enum { DISTANCE_BITS = 2048 - 64 };

/* g generates the subgroup of prime order (p-1)/2 when p mod `modulus` is one of the residues
 * (quadratic reciprocity). 4 is a square, so any p will do. */
static const struct {
    unsigned modulus;
    unsigned residues[3];
    size_t n_residues;
} generators[] = {
    [2] = {8, {7}, 1},    [3] = {3, {2}, 1},       [4] = {1, {0}, 1},
    [5] = {5, {1, 4}, 2}, [6] = {24, {19, 23}, 2}, [7] = {7, {3, 5, 6}, 3},
};

static bool is_generator(const BIGNUM *p, int g)
{
    if (g < 2 || g > 7)
        return false;
    BN_ULONG residue = BN_mod_word(p, generators[g].modulus);
    for (size_t i = 0; i < generators[g].n_residues; i++)
        if (residue == generators[g].residues[i])
            return true;
    return false;
}

/* Are p and (p-1)/2 prime? Some 64 rounds of Miller-Rabin each. */
static bool is_safe_prime(const BIGNUM *p)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *half = BN_new();
    bool safe = ctx && half && BN_is_odd(p) && BN_rshift1(half, p) == 1 &&
                BN_check_prime(half, ctx, NULL) == 1 && BN_check_prime(p, ctx, NULL) == 1;
    BN_free(half);
    BN_CTX_free(ctx);
    return safe;
}

static bool is_known_prime(const uint8_t *prime, const struct dh_good_prime *good)
{
    return memcmp(prime, dh_telegram_prime, DH_BYTES) == 0 ||
           (good && good->known && memcmp(prime, good->prime, DH_BYTES) == 0);
}

enum dh_check dh_check_params(const uint8_t prime[static DH_BYTES], int g,
                              struct dh_good_prime *good)
{
    if (!(prime[0] & 0x80))
        return DH_PRIME_SIZE;
    BIGNUM *p = BN_bin2bn(prime, DH_BYTES, NULL);
    enum dh_check check = DH_OK;
    /* The cheap question first: a bad generator spares the test of the prime. */
    if (!p || !is_generator(p, g))
        check = DH_BAD_GENERATOR;
    else if (!is_known_prime(prime, good) && !is_safe_prime(p))
        check = DH_PRIME_NOT_SAFE;
    if (check == DH_OK && good && !is_known_prime(prime, good)) {
        memcpy(good->prime, prime, DH_BYTES);
        good->known = true;
    }
    BN_free(p);
    return check;
}

enum dh_check dh_check_public(const uint8_t prime[static DH_BYTES],
                              const uint8_t value[static DH_BYTES])
{
    BIGNUM *p = BN_bin2bn(prime, DH_BYTES, NULL);
    BIGNUM *v = BN_bin2bn(value, DH_BYTES, NULL);
    bool ok = p && v && BN_num_bits(v) > DISTANCE_BITS && BN_sub(p, p, v) == 1 &&
              !BN_is_negative(p) && BN_num_bits(p) > DISTANCE_BITS;
    BN_free(v);
    BN_free(p);
    return ok ? DH_OK : DH_OUT_OF_RANGE;
}

/* Takes the ownership of base. */
static bool secret_power(const uint8_t *prime, BIGNUM *base, const uint8_t *secret, uint8_t *out)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = BN_bin2bn(prime, DH_BYTES, NULL);
    BIGNUM *x = BN_bin2bn(secret, DH_BYTES, NULL);
    bool ok = ctx && p && x && base;
    if (ok) {
        BN_set_flags(x, BN_FLG_CONSTTIME);
        ok =
            BN_mod_exp(base, base, x, p, ctx) == 1 && BN_bn2binpad(base, out, DH_BYTES) == DH_BYTES;
    }
    BN_clear_free(base);
    BN_clear_free(x);
    BN_free(p);
    BN_CTX_free(ctx);
    return ok;
}

bool dh_public(const uint8_t prime[static DH_BYTES], int g, const uint8_t secret[static DH_BYTES],
               uint8_t out[static DH_BYTES])
{
    BIGNUM *base = BN_new();
    if (!base || g < 2 || BN_set_word(base, (BN_ULONG)g) != 1) {
        BN_free(base);
        return false;
    }
    return secret_power(prime, base, secret, out);
}

bool dh_shared(const uint8_t prime[static DH_BYTES], const uint8_t base[static DH_BYTES],
               const uint8_t secret[static DH_BYTES], uint8_t out[static DH_BYTES])
{
    return secret_power(prime, BN_bin2bn(base, DH_BYTES, NULL), secret, out);
}
