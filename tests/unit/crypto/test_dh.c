/* SPDX-License-Identifier: MIT */
#include "vectors.h"

#include <openssl/bn.h>

#include "crypto/crypto.h"

static void to_bytes(const BIGNUM *x, uint8_t out[static DH_BYTES])
{
    assert_int_equal(BN_bn2binpad(x, out, DH_BYTES), DH_BYTES);
}

/* 2^2048 - offset */
static void below_top(BN_ULONG offset, uint8_t out[static DH_BYTES])
{
    BIGNUM *x = BN_new();
    assert_true(BN_set_bit(x, 2048) && BN_sub_word(x, offset));
    to_bytes(x, out);
    BN_free(x);
}

enum {
    SAFE_OFFSET = 1942289, /* 2^2048 - this is a safe prime */
    UNSAFE_OFFSET = 26489, /* … a prime p, 23 mod 24, with a composite (p-1)/2 */
    HALF_OFFSET = 1409,    /* … a composite p, 23 mod 24, with a prime (p-1)/2 */
};

static void test_known_prime_and_generators(void **state)
{
    (void)state;
    for (int g = -1; g < 20; g++) {
        /* It is 3 mod 8, 2 mod 3, 3 mod 5, 6 mod 7. (Some clients let 5 pass; it is no residue.) */
        bool good = g == 3 || g == 4 || g == 7;
        assert_int_equal(dh_check_params(dh_telegram_prime, g, NULL),
                         good ? DH_OK : DH_BAD_GENERATOR);
    }
}

static void test_known_prime_is_a_safe_prime(void **state)
{
    (void)state;
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = BN_bin2bn(dh_telegram_prime, DH_BYTES, NULL);
    assert_int_equal(BN_num_bits(p), 2048);
    assert_int_equal(BN_check_prime(p, ctx, NULL), 1);
    BN_rshift1(p, p);
    assert_int_equal(BN_check_prime(p, ctx, NULL), 1);
    BN_free(p);
    BN_CTX_free(ctx);
}

/* The table of residues against Euler's criterion, on safe primes of different residues. */
static void test_generators_are_quadratic_residues(void **state)
{
    (void)state;
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *primes[] = {BN_bin2bn(dh_telegram_prime, DH_BYTES, NULL),
                        BN_get_rfc3526_prime_2048(NULL), BN_new()};
    struct dh_good_prime good = {.known = true};
    below_top(SAFE_OFFSET, good.prime);
    BN_bin2bn(good.prime, DH_BYTES, primes[2]);

    for (size_t i = 0; i < 3; i++) {
        BIGNUM *half = BN_new();
        BIGNUM *r = BN_new();
        to_bytes(primes[i], good.prime);
        BN_rshift1(half, primes[i]);
        for (BN_ULONG g = 2; g <= 7; g++) {
            BN_set_word(r, g);
            BN_mod_exp(r, r, half, primes[i], ctx);
            assert_int_equal(dh_check_params(good.prime, (int)g, &good),
                             BN_is_one(r) ? DH_OK : DH_BAD_GENERATOR);
        }
        BN_free(half);
        BN_free(r);
        BN_free(primes[i]);
    }
    BN_CTX_free(ctx);
}

static void test_other_safe_prime_is_tested_and_remembered(void **state)
{
    (void)state;
    struct dh_good_prime good = {0};
    uint8_t prime[DH_BYTES];
    BIGNUM *p = BN_get_rfc3526_prime_2048(NULL);
    to_bytes(p, prime);
    BN_free(p);
    assert_int_equal(dh_check_params(prime, 2, &good), DH_OK);
    assert_true(good.known);
    assert_memory_equal(good.prime, prime, DH_BYTES);
}

/* The point of remembering: what is in `good` is not tested again. */
static void test_remembered_prime_is_not_tested_again(void **state)
{
    (void)state;
    struct dh_good_prime good = {.known = true};
    below_top(UNSAFE_OFFSET, good.prime);
    assert_int_equal(dh_check_params(good.prime, 4, &good), DH_OK);
    good.known = false;
    uint8_t prime[DH_BYTES];
    memcpy(prime, good.prime, DH_BYTES);
    assert_int_equal(dh_check_params(prime, 4, &good), DH_PRIME_NOT_SAFE);
    assert_false(good.known);
}

static void test_bad_primes(void **state)
{
    (void)state;
    uint8_t prime[DH_BYTES];
    below_top(UNSAFE_OFFSET, prime);
    assert_int_equal(dh_check_params(prime, 4, NULL), DH_PRIME_NOT_SAFE);
    below_top(HALF_OFFSET, prime);
    assert_int_equal(dh_check_params(prime, 4, NULL), DH_PRIME_NOT_SAFE);
    below_top(2, prime);
    assert_int_equal(dh_check_params(prime, 4, NULL), DH_PRIME_NOT_SAFE);
    memcpy(prime, dh_telegram_prime, DH_BYTES);
    prime[128] ^= 1;
    assert_int_equal(dh_check_params(prime, 4, NULL), DH_PRIME_NOT_SAFE);
    prime[0] &= 0x7f;
    assert_int_equal(dh_check_params(prime, 4, NULL), DH_PRIME_SIZE);
    memset(prime, 0, DH_BYTES);
    assert_int_equal(dh_check_params(prime, 4, NULL), DH_PRIME_SIZE);
}

static void test_ranges_of_public_values(void **state)
{
    (void)state;
    const struct {
        bool from_prime; /* value = p - offset, else offset; offset = 2^bits + add */
        int bits;        /* -1: no power */
        int add;
        enum dh_check expected;
    } cases[] = {
        {false, -1, 0, DH_OUT_OF_RANGE},
        {false, -1, 1, DH_OUT_OF_RANGE},
        {false, -1, 2, DH_OUT_OF_RANGE},
        {false, 1984, -1, DH_OUT_OF_RANGE},
        {false, 1984, 0, DH_OK},
        {false, 1984, 1, DH_OK},
        {false, 2046, 0, DH_OK},
        {true, 1984, 1, DH_OK},
        {true, 1984, 0, DH_OK},
        {true, 1984, -1, DH_OUT_OF_RANGE},
        {true, -1, 2, DH_OUT_OF_RANGE},
        {true, -1, 1, DH_OUT_OF_RANGE},
        {true, -1, 0, DH_OUT_OF_RANGE},
        {true, -1, -1, DH_OUT_OF_RANGE},
        {true, -1, -100, DH_OUT_OF_RANGE},
        {false, 2047, 0, DH_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t value[DH_BYTES];
        BIGNUM *p = BN_bin2bn(dh_telegram_prime, DH_BYTES, NULL);
        BIGNUM *x = BN_new();
        if (cases[i].bits >= 0)
            BN_set_bit(x, cases[i].bits);
        if (cases[i].add >= 0)
            BN_add_word(x, (BN_ULONG)cases[i].add);
        else
            BN_sub_word(x, (BN_ULONG)-cases[i].add);
        if (cases[i].from_prime)
            BN_sub(x, p, x);
        to_bytes(x, value);
        assert_int_equal(dh_check_public(dh_telegram_prime, value), cases[i].expected);
        BN_free(p);
        BN_free(x);
    }
    uint8_t top[DH_BYTES];
    memset(top, 0xff, sizeof top);
    assert_int_equal(dh_check_public(dh_telegram_prime, top), DH_OUT_OF_RANGE);
}

static void test_key_of_the_documentation(void **state)
{
    (void)state;
    struct vectors v;
    uint8_t out[DH_BYTES];
    vectors_open(&v, "tests/vectors/crypto/auth_key_example.txt");
    assert_true(vectors_next(&v));
    const uint8_t *b = vectors_hex(&v, "b").data;
    assert_true(dh_public(dh_telegram_prime, 3, b, out));
    assert_bytes(slice_of(out, DH_BYTES), vectors_hex(&v, "g_b"));
    assert_true(dh_shared(dh_telegram_prime, vectors_hex(&v, "g_a").data, b, out));
    assert_bytes(slice_of(out, DH_BYTES), vectors_hex(&v, "auth_key"));
    assert_int_equal(dh_check_public(dh_telegram_prime, vectors_hex(&v, "g_a").data), DH_OK);
    vectors_close(&v);
}

/* Both sides agree, and short results are padded on the left. */
static void test_agreement_and_padding(void **state)
{
    (void)state;
    struct rng rng;
    uint8_t a[DH_BYTES];
    uint8_t b[DH_BYTES];
    uint8_t ga[DH_BYTES];
    uint8_t gb[DH_BYTES];
    uint8_t one[DH_BYTES];
    uint8_t other[DH_BYTES];
    rng_init_seed(&rng, test_seed());
    rng_fill(&rng, a, sizeof a);
    rng_fill(&rng, b, sizeof b);
    assert_true(dh_public(dh_telegram_prime, 3, a, ga) && dh_public(dh_telegram_prime, 3, b, gb));
    assert_true(dh_shared(dh_telegram_prime, gb, a, one) &&
                dh_shared(dh_telegram_prime, ga, b, other));
    assert_memory_equal(one, other, DH_BYTES);

    memset(a, 0, sizeof a);
    a[DH_BYTES - 1] = 5;
    memset(b, 0, sizeof b);
    b[DH_BYTES - 1] = 3 * 81; /* 3^5 */
    assert_true(dh_public(dh_telegram_prime, 3, a, one));
    assert_memory_equal(one, b, DH_BYTES);
}

static void test_even_modulus_is_refused(void **state)
{
    (void)state;
    uint8_t even[DH_BYTES];
    uint8_t out[DH_BYTES];
    memcpy(even, dh_telegram_prime, DH_BYTES);
    even[DH_BYTES - 1] &= 0xfe;
    assert_false(dh_public(even, 3, dh_telegram_prime, out));
    memset(even, 0, sizeof even);
    assert_false(dh_shared(even, dh_telegram_prime, dh_telegram_prime, out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_prime_and_generators),
        cmocka_unit_test(test_known_prime_is_a_safe_prime),
        cmocka_unit_test(test_generators_are_quadratic_residues),
        cmocka_unit_test(test_other_safe_prime_is_tested_and_remembered),
        cmocka_unit_test(test_remembered_prime_is_not_tested_again),
        cmocka_unit_test(test_bad_primes),
        cmocka_unit_test(test_ranges_of_public_values),
        cmocka_unit_test(test_key_of_the_documentation),
        cmocka_unit_test(test_agreement_and_padding),
        cmocka_unit_test(test_even_modulus_is_refused),
    };
    return cmocka_run_group_tests_name("dh", tests, NULL, NULL);
}
