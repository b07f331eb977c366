/* SPDX-License-Identifier: MIT
 * Accounts, their password and tokens; the log of updates; phones and codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "sandbox/state.h"

#include <cmocka.h> /* after handler.h: it has a macro of the name fail */

/* ---- the password ---- */

static void a_client_proves_the_password_that_was_set(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seed(&rng, 5);
    struct account *a = account_new(NULL, 2);
    assert_true(account_set_password(a, &rng, slice_str("secret"), "the usual"));
    assert_string_equal(a->two_factor.hint, "the usual");
    struct srp_algo algo = two_factor_algo(&a->two_factor);

    uint8_t secret[DH_BYTES], b[DH_BYTES], x[SHA256_BYTES], proof_a[DH_BYTES], m1[SHA256_BYTES];
    rng_fill(&rng, secret, sizeof secret);
    assert_true(srp_server_challenge(&algo, a->two_factor.verifier, secret, b));
    struct dh_good_prime good = {0};
    assert_true(srp_password_hash(&algo, slice_str("secret"), x));
    assert_int_equal(srp_client_proof(&algo, x, b, &rng, &good, proof_a, m1), DH_OK);
    assert_true(srp_server_check(&algo, a->two_factor.verifier, secret, b, proof_a, m1));
    m1[0] ^= 1;
    assert_false(srp_server_check(&algo, a->two_factor.verifier, secret, b, proof_a, m1));
    account_free(a);
}

static void hints_are_text_of_bounded_length(void **state)
{
    (void)state;
    struct two_factor t = {0};
    char longest[HINT_BYTES_MAX + 1];
    memset(longest, 'h', sizeof longest);
    assert_true(two_factor_set_hint(&t, slice_of(longest, HINT_BYTES_MAX - 1)));
    assert_false(two_factor_set_hint(&t, slice_of(longest, HINT_BYTES_MAX)));
    assert_false(two_factor_set_hint(&t, slice_str("\xff")));
}

/* ---- tokens, notifications ---- */

static void a_token_is_taken_once(void **state)
{
    (void)state;
    struct account *a = account_new(NULL, 2);
    uint8_t token[FUTURE_TOKENS + 1][FUTURE_TOKEN_BYTES];
    for (size_t i = 0; i <= FUTURE_TOKENS; i++) {
        memset(token[i], (int)i + 1, FUTURE_TOKEN_BYTES);
        account_add_token(a, token[i]);
    }
    uint8_t none[FUTURE_TOKEN_BYTES] = {0};
    assert_false(account_take_token(a, slice_of(none, sizeof none)));
    assert_false(account_take_token(a, slice_of(token[0], FUTURE_TOKEN_BYTES))); /* pushed out */
    assert_false(account_take_token(a, slice_of(token[1], 5)));
    assert_true(account_take_token(a, slice_of(token[1], FUTURE_TOKEN_BYTES)));
    assert_false(account_take_token(a, slice_of(token[1], FUTURE_TOKEN_BYTES)));
    account_free(a);
}

static void a_notification_rule_replaces_the_one_before(void **state)
{
    (void)state;
    struct account *a = account_new(NULL, 2);
    assert_null(account_notify(a, 7));
    assert_true(account_set_notify(a, &(struct notify_rule){.peer = 7, .mute_until = 1}));
    assert_true(account_set_notify(a, &(struct notify_rule){.peer = 7, .mute_until = 2}));
    assert_int_equal(account_notify(a, 7)->mute_until, 2);
    assert_int_equal(a->n_notify, 1);
    account_free(a);
}

/* ---- updates ---- */

static void the_log_counts_and_keeps(void **state)
{
    (void)state;
    struct update_log log;
    update_log_init(&log);
    int32_t ids[] = {4, 5};
    struct update counted = {.pts_count = 2, .ids = ids, .n_ids = 2};
    struct update kept = {.keep = true, .a = 9};
    struct update passing = {.a = 10};
    update_log_add(&log, &counted);
    update_log_add(&log, &kept);
    update_log_add(&log, &passing);
    assert_int_equal(counted.pts, 3);
    assert_int_equal(kept.pts, 0);
    assert_int_equal(log.pts, 3);
    assert_int_equal(log.n, 2);
    ids[0] = 0;
    assert_int_equal(update_log_at(&log, 0)->ids[0], 4);
    assert_int_equal(update_log_at(&log, 1)->a, 9);
    assert_null(update_log_at(&log, 2));
    update_log_free(&log);
}

static void a_full_log_says_what_it_lost(void **state)
{
    (void)state;
    struct update_log log;
    update_log_init(&log);
    for (int i = 0; i < UPDATE_LOG_MAX + 7; i++)
        update_log_add(&log, &(struct update){.pts_count = 1, .a = i});
    assert_int_equal(log.n, UPDATE_LOG_MAX);
    assert_int_equal(update_log_at(&log, 0)->a, 7);
    assert_int_equal(update_log_at(&log, UPDATE_LOG_MAX - 1)->pts, log.pts);
    assert_int_equal(log.lost_pts, update_log_at(&log, 0)->pts - 1);
    update_log_free(&log);
}

/* ---- phones and codes ---- */

static void phones_are_digits(void **state)
{
    (void)state;
    char phone[PHONE_DIGITS_MAX + 1];
    assert_true(phone_normal(slice_str("+7 (999) 123-45-67"), phone));
    assert_string_equal(phone, "79991234567");
    assert_false(phone_normal(slice_str("1234"), phone));
    assert_false(phone_normal(slice_str("1234567890123456"), phone));
    assert_false(phone_normal(slice_str("12345x"), phone));
    assert_false(phone_normal(slice_of("12345\0", 6), phone));
    assert_int_equal(phone_test_dc("9996620000"), 2);
    assert_int_equal(phone_test_dc("9996640000"), 0);
    assert_int_equal(phone_test_dc("99966200001"), 0);
    assert_int_equal(phone_test_dc("9996520000"), 0);
}

static struct sandbox *bare_sandbox(uint64_t seed)
{
    struct sandbox *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->seed = seed;
    s->digests = digests_new();
    rng_init_seed(&s->protocol_rng, seed);
    return s;
}

static void bare_free(struct sandbox *s)
{
    codes_free(s);
    digests_free(s->digests);
    free(s);
}

static void codes_replay_under_a_seed_and_belong_to_a_key(void **state)
{
    (void)state;
    struct sandbox *one = bare_sandbox(3);
    struct sandbox *two = bare_sandbox(3);
    struct authorization key = {0}, other_key = {0};
    struct login_code *a = code_new(one, &key, "79990000001", 1000);
    code_new(two, &key, "79990000002", 1000); /* somebody else's, in between */
    struct login_code *b = code_new(two, &key, "79990000001", 1000);
    assert_string_equal(a->code, b->code);
    assert_ptr_equal(code_find(one, &key, "79990000001", slice_str(a->hash)), a);
    assert_null(code_find(one, &other_key, "79990000001", slice_str(a->hash)));
    assert_null(code_find(one, &key, "79990000002", slice_str(a->hash)));
    assert_null(code_find(one, &key, "79990000001", slice_str("0123456789abcdef01")));
    assert_null(code_find(one, &key, "79990000001", slice_str("")));
    assert_true(code_live(a, 1000 + CODE_LIFETIME_S));
    assert_false(code_live(a, 1001 + CODE_LIFETIME_S));
    struct login_code *test = code_new(one, &key, "9996631234", 1000);
    assert_string_equal(test->code, "33333");
    bare_free(one);
    bare_free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_proves_the_password_that_was_set),
        cmocka_unit_test(hints_are_text_of_bounded_length),
        cmocka_unit_test(a_token_is_taken_once),
        cmocka_unit_test(a_notification_rule_replaces_the_one_before),
        cmocka_unit_test(the_log_counts_and_keeps),
        cmocka_unit_test(a_full_log_says_what_it_lost),
        cmocka_unit_test(phones_are_digits),
        cmocka_unit_test(codes_replay_under_a_seed_and_belong_to_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
