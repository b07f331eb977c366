/* SPDX-License-Identifier: MIT
 * Usernames that are an error. */
#include "fixture.h"

#include "sandbox/magic.h"

static void names_say_their_error(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        int code;
    } cases[] = {
        {"flood_wait_7", "FLOOD_WAIT_7", 420},
        {"Flood_Wait_30", "FLOOD_WAIT_30", 420},
        {"slowmode_10", "SLOWMODE_WAIT_10", 420},
        {"error_peer_flood", "PEER_FLOOD", 400},
        {"error_flood_premium_wait_3", "FLOOD_PREMIUM_WAIT_3", 420},
        {"error_user_migrate_4", "USER_MIGRATE_4", 303},
        {"error_403_user_is_blocked", "USER_IS_BLOCKED", 403},
        {"error_406_peer_flood", "PEER_FLOOD", 406},
        {"error_2fa_confirm_wait_5", "2FA_CONFIRM_WAIT_5", 420},
        {"error_999_x", "999_X", 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct magic_error error;
        assert_true(magic_parse(slice_str(cases[i].name), &error));
        assert_string_equal(error.text, cases[i].text);
        assert_int_equal(error.code, cases[i].code);
    }
    static const char *const others[] = {"alice",        "error",    "error_",    "flood_wait_",
                                         "flood_wait_x", "slowmode", "slow_lane", ""};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct magic_error error;
        assert_false(magic_parse(slice_str(others[i]), &error));
    }
}

static void who_writes_to_one_is_refused(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    log_in(f, c, "9996621400");
    int64_t id = 0;
    for (int i = 0; i < 2; i++) {
        struct reply r = ask(c, "contacts.resolveUsername", "{\"username\":\"slowmode_10\"}");
        assert_answered(r);
        const struct tl_object *user = tl_item_obj(r.value.object, F_users, 0);
        assert_true(i == 0 || tl_int(user, F_id) == id);
        id = tl_int(user, F_id);
        assert_refused(ask(c, "messages.sendMessage",
                           "{\"peer\":{\"_\":\"inputPeerUser\",\"user_id\":%lld,"
                           "\"access_hash\":%lld},\"message\":\"hello\",\"random_id\":1}",
                           (long long)id, (long long)tl_int(user, F_access_hash)),
                       420, "SLOWMODE_WAIT_10");
    }
    assert_refused(ask(c, "contacts.resolveUsername", "{\"username\":\"flood_wait_x\"}"), 400,
                   "USERNAME_NOT_OCCUPIED");
    client_free(c);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_say_their_error),
        cmocka_unit_test_setup_teardown(who_writes_to_one_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
