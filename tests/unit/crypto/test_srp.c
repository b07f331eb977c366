/* SPDX-License-Identifier: MIT */
#include "vectors.h"

#include <sodium.h>

#include "crypto/crypto.h"

static struct srp_algo algo_of(struct vectors *v)
{
    struct srp_algo algo = {
        .salt1 = vectors_hex(v, "salt1"),
        .salt2 = vectors_hex(v, "salt2"),
        .g = atoi(vectors_text(v, "g")),
    };
    memcpy(algo.prime, vectors_hex(v, "prime").data, DH_BYTES);
    return algo;
}

/* A generator whose next bytes are known: its pool is written by hand. */
static void script(struct rng *rng, struct slice bytes)
{
    rng_init_seed(rng, 1);
    assert_true(bytes.len <= sizeof rng->pool - sizeof rng->key);
    rng->used = sizeof rng->pool - bytes.len;
    memcpy(rng->pool + rng->used, bytes.data, bytes.len);
}

static void test_values_of_telethon(void **state)
{
    (void)state;
    struct vectors v;
    size_t n = 0;
    vectors_open(&v, "tests/vectors/crypto/srp.txt");
    for (; vectors_next(&v); n++) {
        struct srp_algo algo = algo_of(&v);
        struct rng rng;
        uint8_t x[SHA256_BYTES];
        uint8_t number[DH_BYTES];
        uint8_t a[DH_BYTES];
        uint8_t m1[SHA256_BYTES];
        assert_true(srp_password_hash(&algo, vectors_hex(&v, "password"), x));
        assert_bytes(slice_of(x, sizeof x), vectors_hex(&v, "x"));
        assert_true(srp_verifier(&algo, x, number));
        assert_bytes(slice_of(number, sizeof number), vectors_hex(&v, "verifier"));
        assert_true(srp_server_challenge(&algo, number, vectors_hex(&v, "b").data, number));
        assert_bytes(slice_of(number, sizeof number), vectors_hex(&v, "srp_b"));
        script(&rng, vectors_hex(&v, "a"));
        assert_int_equal(srp_client_proof(&algo, x, number, &rng, NULL, a, m1), DH_OK);
        assert_bytes(slice_of(a, sizeof a), vectors_hex(&v, "srp_a"));
        assert_bytes(slice_of(m1, sizeof m1), vectors_hex(&v, "m1"));
        assert_true(srp_server_check(&algo, vectors_hex(&v, "verifier").data,
                                     vectors_hex(&v, "b").data, vectors_hex(&v, "srp_b").data, a,
                                     m1));
    }
    vectors_close(&v);
    assert_int_equal(n, 4);
}

/* An x made of anything else would become a verifier: a password that nobody knows. */
static void test_salts_that_are_too_long_give_no_hash(void **state)
{
    (void)state;
    static const uint8_t bytes[5000];
    const struct slice longer = {bytes, sizeof bytes}, shorter = {bytes, 40};
    uint8_t x[SHA256_BYTES];
    struct srp_algo algo = {.salt1 = longer, .salt2 = shorter};
    assert_false(srp_password_hash(&algo, slice_str("secret"), x));
    algo = (struct srp_algo){.salt1 = shorter, .salt2 = longer};
    assert_false(srp_password_hash(&algo, slice_str("secret"), x));
}

struct login {
    struct srp_algo algo;
    struct rng rng;
    uint8_t x[SHA256_BYTES];
    uint8_t v[DH_BYTES];
    uint8_t b[DH_BYTES];
    uint8_t srp_b[DH_BYTES];
};

static void login_init(struct login *l, uint64_t seed)
{
    *l = (struct login){
        .algo = {.salt1 = slice_str("first salt"), .salt2 = slice_str("second"), .g = 3}};
    memcpy(l->algo.prime, dh_telegram_prime, DH_BYTES);
    rng_init_seed(&l->rng, seed);
    rng_fill(&l->rng, l->x, sizeof l->x);
    rng_fill(&l->rng, l->b, sizeof l->b);
    assert_true(srp_verifier(&l->algo, l->x, l->v));
    assert_true(srp_server_challenge(&l->algo, l->v, l->b, l->srp_b));
}

static bool try_login(struct login *l, const uint8_t *x)
{
    uint8_t a[DH_BYTES];
    uint8_t m1[SHA256_BYTES];
    assert_int_equal(srp_client_proof(&l->algo, x, l->srp_b, &l->rng, NULL, a, m1), DH_OK);
    return srp_server_check(&l->algo, l->v, l->b, l->srp_b, a, m1);
}

static void test_right_and_wrong_passwords(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    for (uint64_t i = 0; i < 5; i++) {
        struct login l;
        login_init(&l, seed + i);
        assert_true(try_login(&l, l.x));
        l.x[i] ^= 0x10;
        assert_false(try_login(&l, l.x));
    }
}

static void test_server_refuses_damaged_proofs(void **state)
{
    (void)state;
    struct login l;
    uint8_t a[DH_BYTES];
    uint8_t m1[SHA256_BYTES];
    login_init(&l, test_seed());
    assert_int_equal(srp_client_proof(&l.algo, l.x, l.srp_b, &l.rng, NULL, a, m1), DH_OK);
    m1[31] ^= 1;
    assert_false(srp_server_check(&l.algo, l.v, l.b, l.srp_b, a, m1));
    m1[31] ^= 1;
    a[100] ^= 1;
    assert_false(srp_server_check(&l.algo, l.v, l.b, l.srp_b, a, m1));
    a[100] ^= 1;
    assert_true(srp_server_check(&l.algo, l.v, l.b, l.srp_b, a, m1));
}

/* With A = 0 the secret would be 0 whatever the password. */
static void test_server_refuses_a_zero_a(void **state)
{
    (void)state;
    struct login l;
    uint8_t a[DH_BYTES] = {0};
    uint8_t m1[SHA256_BYTES] = {0};
    login_init(&l, test_seed());
    assert_false(srp_server_check(&l.algo, l.v, l.b, l.srp_b, a, m1));
    assert_false(srp_server_check(&l.algo, l.v, l.b, l.srp_b, dh_telegram_prime, m1));
}

static void test_client_checks_what_the_server_says(void **state)
{
    (void)state;
    struct login l;
    uint8_t a[DH_BYTES];
    uint8_t m1[SHA256_BYTES];
    uint8_t zero[DH_BYTES] = {0};
    login_init(&l, test_seed());
    assert_int_equal(srp_client_proof(&l.algo, l.x, zero, &l.rng, NULL, a, m1), DH_OUT_OF_RANGE);
    assert_int_equal(srp_client_proof(&l.algo, l.x, dh_telegram_prime, &l.rng, NULL, a, m1),
                     DH_OUT_OF_RANGE);
    l.algo.g = 2;
    assert_int_equal(srp_client_proof(&l.algo, l.x, l.srp_b, &l.rng, NULL, a, m1),
                     DH_BAD_GENERATOR);
    l.algo.g = 4;
    l.algo.prime[200] ^= 1;
    assert_int_equal(srp_client_proof(&l.algo, l.x, l.srp_b, &l.rng, NULL, a, m1),
                     DH_PRIME_NOT_SAFE);
    l.algo.prime[0] = 0;
    assert_int_equal(srp_client_proof(&l.algo, l.x, l.srp_b, &l.rng, NULL, a, m1), DH_PRIME_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_of_telethon),
        cmocka_unit_test(test_salts_that_are_too_long_give_no_hash),
        cmocka_unit_test(test_right_and_wrong_passwords),
        cmocka_unit_test(test_server_refuses_damaged_proofs),
        cmocka_unit_test(test_server_refuses_a_zero_a),
        cmocka_unit_test(test_client_checks_what_the_server_says),
    };
    return cmocka_run_group_tests_name("srp", tests, NULL, NULL);
}
