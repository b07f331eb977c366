/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sandbox/fault.h"

static struct fault parsed(const char *rule)
{
    struct fault f;
    const char *error = NULL;
    assert_true(fault_parse(slice_str(rule), &f, &error));
    return f;
}

static void reads_every_action(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        enum fault_action action;
        int64_t number;
    } cases[] = {
        {"do=flood_wait:30", FAULT_FLOOD_WAIT, 30},
        {"do=migrate:2", FAULT_MIGRATE, 2},
        {"do=delay:500", FAULT_DELAY, 500},
        {"do=drop_before", FAULT_DROP_BEFORE, 0},
        {"do=drop_after", FAULT_DROP_AFTER, 0},
        {"do=reset", FAULT_RESET, 0},
        {"do=lose_session", FAULT_LOSE_SESSION, 0},
        {"do=bad_salt", FAULT_BAD_SALT, 0},
        {"do=transport_error:404", FAULT_TRANSPORT_ERROR, 404},
        {"do=garbage", FAULT_GARBAGE, 0},
        {"do=clock_skew:-600", FAULT_CLOCK_SKEW, -600},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault f = parsed(cases[i].rule);
        assert_int_equal(f.action, cases[i].action);
        assert_int_equal(f.number, cases[i].number);
        assert_int_equal(f.count, -1);
    }
    struct fault f =
        parsed("do=error:400:PEER_ID_INVALID,method=messages.*,user=7,dc=2,after=1,count=3,p=0.5");
    assert_int_equal(f.code, 400);
    assert_string_equal(f.text, "PEER_ID_INVALID");
    assert_string_equal(f.method, "messages.*");
    assert_int_equal(f.user, 7);
    assert_int_equal(f.dc, 2);
    assert_int_equal(f.after, 1);
    assert_int_equal(f.count, 3);
    assert_true(f.probability > 0.49 && f.probability < 0.51);
}

static void refuses_what_is_no_rule(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "",
        "do=",
        "method=x",
        "do=nonsense",
        "do=flood_wait",
        "do=flood_wait:x",
        "do=drop_before:1",
        "do=error:400",
        "do=error:x:Y",
        "do=error:400:",
        "do=delay:1,do=delay:2",
        "do=delay:1,color=red",
        "do=delay:1,p=2",
        "do=delay:1,count=0",
        "do=delay:1,user=0",
        ",",
        "do=delay:1,p=x",
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct fault f;
        const char *error = NULL;
        assert_false(fault_parse(slice_str(rules[i]), &f, &error));
        assert_non_null(error);
    }
}

static void globs(void **state)
{
    (void)state;
    assert_true(glob_match("messages.*", "messages.sendMessage"));
    assert_true(glob_match("*send*", "messages.sendMessage"));
    assert_true(glob_match("messages.?endMessage", "messages.sendMessage"));
    assert_true(glob_match("*", ""));
    assert_false(glob_match("messages.send", "messages.sendMessage"));
    assert_false(glob_match("*Media", "messages.sendMessage"));
    assert_false(glob_match("?", ""));
}

static const struct fault *match(struct faults *f, const char *method, const char *phone,
                                 int64_t user, int32_t dc)
{
    static struct rng rng;
    rng_init_seed(&rng, 1);
    struct fault_target target = {method, slice_str(phone), user, dc};
    return faults_match(f, &rng, &target);
}

static void strikes_what_matches_as_often_as_told(void **state)
{
    (void)state;
    struct faults f = {0};
    struct fault rule = parsed("method=messages.send*,phone=9996620001,do=delay:1,after=1,count=2");
    uint32_t id = faults_add(&f, &rule);
    assert_int_not_equal(id, 0);
    assert_null(match(&f, "messages.getHistory", "9996620001", 1, 1));
    assert_null(match(&f, "messages.sendMessage", "9996620002", 1, 1));
    assert_null(match(&f, "messages.sendMessage", "9996620001", 1, 1)); /* after=1 */
    assert_non_null(match(&f, "messages.sendMedia", "9996620001", 1, 1));
    assert_non_null(match(&f, "messages.sendMessage", "9996620001", 1, 1));
    assert_null(match(&f, "messages.sendMessage", "9996620001", 1, 1)); /* count=2 */
    assert_int_equal(f.list[0].hits, 2);
    assert_true(faults_remove(&f, id));
    assert_false(faults_remove(&f, id));
}

static void chance_is_kept_about(void **state)
{
    (void)state;
    struct faults f = {0};
    struct fault rule = parsed("do=delay:1,p=0.25");
    struct rng rng;
    struct fault_target target = {"x", slice_str(""), 0, 1};
    unsigned hits = 0;
    rng_init_seed(&rng, 7);
    faults_add(&f, &rule);
    for (int i = 0; i < 4000; i++)
        hits += faults_match(&f, &rng, &target) != NULL;
    assert_in_range(hits, 850, 1150);
}

static void skews_add_up_and_strike_no_request(void **state)
{
    (void)state;
    struct faults f = {0};
    struct fault ahead = parsed("do=clock_skew:600");
    struct fault behind = parsed("do=clock_skew:-100");
    faults_add(&f, &ahead);
    uint32_t id = faults_add(&f, &behind);
    assert_int_equal(faults_clock_skew_s(&f), 500);
    assert_null(match(&f, "x", "", 0, 1));
    faults_remove(&f, id);
    assert_int_equal(faults_clock_skew_s(&f), 600);
}

static void holds_no_more_than_its_bound(void **state)
{
    (void)state;
    struct faults f = {0};
    struct fault rule = parsed("do=garbage");
    for (int i = 0; i < FAULTS_MAX; i++)
        assert_int_not_equal(faults_add(&f, &rule), 0);
    assert_int_equal(faults_add(&f, &rule), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_action),
        cmocka_unit_test(refuses_what_is_no_rule),
        cmocka_unit_test(globs),
        cmocka_unit_test(strikes_what_matches_as_often_as_told),
        cmocka_unit_test(chance_is_kept_about),
        cmocka_unit_test(skews_add_up_and_strike_no_request),
        cmocka_unit_test(holds_no_more_than_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
