/* SPDX-License-Identifier: MIT */
#include "vectors.h"

#include "crypto/crypto.h"

static void assert_factors(uint64_t pq, uint64_t p, uint64_t q)
{
    uint64_t a = 0;
    uint64_t b = 0;
    if (!pq_factor(pq, &a, &b) || a != p || b != q)
        fail_msg("%llu: got %llu * %llu", (unsigned long long)pq, (unsigned long long)a,
                 (unsigned long long)b);
}

static void assert_refused(uint64_t pq)
{
    uint64_t a;
    uint64_t b;
    if (pq_factor(pq, &a, &b))
        fail_msg("%llu is no product of two primes", (unsigned long long)pq);
}

/* By trial division, slow and plain. */
static bool is_prime_plain(uint64_t n)
{
    for (uint64_t d = 2; d * d <= n; d++)
        if (n % d == 0)
            return false;
    return n >= 2;
}

static uint64_t prime_at_or_below(uint64_t n)
{
    while (!is_prime_plain(n))
        n--;
    return n;
}

static void test_examples_of_the_documentation(void **state)
{
    (void)state;
    assert_factors(2694724800268887959, 1513098571, 1780931429);
    assert_factors(0x17ED48941A08F981, 0x494C553B, 0x53911073);
}

/* Every number up to a bound, against counting its prime factors one by one. */
static void test_all_small_numbers(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 20000; n++) {
        uint64_t p = 0;
        for (uint64_t d = 2; d * d <= n && !p; d++)
            if (n % d == 0)
                p = d;
        if (p && is_prime_plain(n / p))
            assert_factors(n, p, n / p);
        else
            assert_refused(n);
    }
}

static void test_primes_and_what_is_too_large_are_refused(void **state)
{
    (void)state;
    const uint64_t cases[] = {
        0,
        1,
        2147483647,          /* 2^31 - 1 */
        4294967291,          /* the largest prime below 2^32 */
        2305843009213693951, /* 2^61 - 1 */
        9223372036854775783, /* the largest prime below 2^63 */
        3215031751,          /* strong pseudoprime to 2, 3, 5 and 7: three factors */
        3825123056546413051, /* strong pseudoprime to the first nine primes: 149491 * 747451 *
                                34233211 */
        1ULL << 62,
        1ULL << 63,
        UINT64_MAX,
        2ULL * 3 * 1000000007,
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i]);
}

static void test_squares_and_lopsided_products(void **state)
{
    (void)state;
    const uint64_t near_root = prime_at_or_below(3037000499); /* the root of 2^63 */
    const uint64_t near_half = prime_at_or_below(3037000000);
    assert_factors(near_root * near_root, near_root, near_root);
    assert_factors(near_root * near_half, near_half, near_root);
    assert_factors(4, 2, 2);
    assert_factors(41 * 41, 41, 41);
    assert_factors(2 * 4611686018427387847ULL, 2, 4611686018427387847ULL);
    assert_factors(3 * 2305843009213693951ULL, 3, 2305843009213693951ULL);
    for (uint64_t n = 65537; n > 60000; n = prime_at_or_below(n - 1))
        assert_factors(n * n, n, n);
}

static void test_random_products(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    for (int i = 0; i < 3000; i++) {
        uint64_t p;
        uint64_t q;
        uint64_t pq = pq_random(&rng, &p, &q);
        assert_true(p < q && p >> 30 == 1 && q >> 30 == 1 && p * q == pq);
        assert_factors(pq, p, q);
    }
}

static void test_random_products_are_of_primes(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    for (int i = 0; i < 100; i++) {
        uint64_t p;
        uint64_t q;
        pq_random(&rng, &p, &q);
        assert_true(is_prime_plain(p) && is_prime_plain(q));
    }
}

/* Any sizes: p of 2 to 31 bits, q as large as still fits. */
static void test_random_sizes(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    for (int i = 0; i < 2000; i++) {
        uint64_t p = prime_at_or_below(2 + rng_below(&rng, 1ULL << (2 + rng_below(&rng, 20))));
        uint64_t q = prime_at_or_below(2 + rng_below(&rng, 1ULL << (2 + rng_below(&rng, 24))));
        assert_factors(p * q, p < q ? p : q, p < q ? q : p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_of_the_documentation),
        cmocka_unit_test(test_all_small_numbers),
        cmocka_unit_test(test_primes_and_what_is_too_large_are_refused),
        cmocka_unit_test(test_squares_and_lopsided_products),
        cmocka_unit_test(test_random_products),
        cmocka_unit_test(test_random_products_are_of_primes),
        cmocka_unit_test(test_random_sizes),
    };
    return cmocka_run_group_tests_name("pq", tests, NULL, NULL);
}
