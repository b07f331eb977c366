/* SPDX-License-Identifier: MIT
 * Where an account is logged in, and ending that from elsewhere. */
#include "fixture.h"

static const char *phone = "9996621500";

static const struct tl_object *list(struct client *c)
{
    struct reply r = ask(c, "account.getAuthorizations", "{}");
    assert_answered(r);
    return r.value.object;
}

/* The only one that is not the client's own. */
static const struct tl_object *the_other(struct client *c)
{
    const struct tl_object *all = list(c);
    assert_int_equal(tl_count(all, F_authorizations), 2);
    const struct tl_object *first = tl_item_obj(all, F_authorizations, 0);
    const struct tl_object *second = tl_item_obj(all, F_authorizations, 1);
    assert_int_not_equal(tl_bool(first, F_current), tl_bool(second, F_current));
    return tl_bool(first, F_current) ? second : first;
}

static void each_login_is_listed_with_its_device(void **state)
{
    struct fixture *f = *state;
    struct client *one = client_new(f->s, &f->loop, 0);
    struct client *two = client_new(f->s, &f->loop, 0);
    log_in(f, one, phone);
    const struct tl_object *own = tl_item_obj(list(one), F_authorizations, 0);
    assert_true(tl_bool(own, F_current) && !tl_bool(own, F_unconfirmed));
    assert_int_equal(tl_int(own, F_hash), 0);
    control(f, "clock_advance 10");
    log_in(f, two, phone);
    const struct tl_object *other = the_other(one);
    assert_true(slice_is(tl_text(other, F_device_model), "test"));
    assert_true(slice_is(tl_text(other, F_app_version), "test"));
    assert_true(slice_is(tl_text(other, F_app_name), "App 1"));
    assert_true(slice_is(tl_text(other, F_ip), "127.0.0.1"));
    assert_int_equal(tl_int(other, F_api_id), 1);
    assert_true(tl_int(other, F_date_created) >= tl_int(own, F_date_created) + 10);
    assert_true(tl_int(other, F_date_active) >= tl_int(other, F_date_created));
    assert_int_not_equal(tl_int(other, F_hash), tl_int(the_other(two), F_hash));
    client_free(one);
    client_free(two);
}

static void a_new_login_is_confirmed_and_restricted(void **state)
{
    struct fixture *f = *state;
    struct client *one = client_new(f->s, &f->loop, 0);
    struct client *two = client_new(f->s, &f->loop, 0);
    log_in(f, one, phone);
    log_in(f, two, phone);
    const struct tl_object *other = the_other(one);
    assert_true(tl_bool(other, F_unconfirmed));
    assert_false(tl_bool(other, F_call_requests_disabled));
    long long hash = tl_int(other, F_hash);
    assert_answered(ask(one, "account.changeAuthorizationSettings",
                        "{\"hash\":\"%lld\",\"confirmed\":true,\"call_requests_disabled\":true}",
                        hash));
    other = the_other(one);
    assert_false(tl_bool(other, F_unconfirmed));
    assert_true(tl_bool(other, F_call_requests_disabled));
    assert_false(tl_bool(other, F_encrypted_requests_disabled));
    assert_refused(ask(one, "account.changeAuthorizationSettings", "{\"hash\":7}"), 400,
                   "HASH_INVALID");
    client_free(one);
    client_free(two);
}

static void others_are_ended_one_by_one_or_all(void **state)
{
    struct fixture *f = *state;
    struct client *one = client_new(f->s, &f->loop, 0);
    struct client *two = client_new(f->s, &f->loop, 0);
    log_in(f, one, phone);
    log_in(f, two, phone);
    assert_refused(ask(one, "account.resetAuthorization", "{\"hash\":7}"), 400, "HASH_INVALID");
    assert_refused(ask(one, "account.resetAuthorization", "{\"hash\":0}"), 400, "HASH_INVALID");
    long long own = tl_int(the_other(two), F_hash); /* as others name it */
    assert_refused(ask(one, "account.resetAuthorization", "{\"hash\":\"%lld\"}", own), 400,
                   "HASH_INVALID");
    long long hash = tl_int(the_other(one), F_hash);
    assert_answered(ask(one, "account.resetAuthorization", "{\"hash\":\"%lld\"}", hash));
    assert_refused(client_call(two, get_state(two)), 401, "SESSION_REVOKED");
    log_in(f, two, phone);
    assert_answered(ask(one, "auth.resetAuthorizations", "{}"));
    assert_refused(client_call(two, get_state(two)), 401, "SESSION_REVOKED");
    assert_int_equal(tl_count(list(one), F_authorizations), 1);
    add_fault(f,
              "method=auth.resetAuthorizations,do=error:406:FRESH_RESET_AUTHORISATION_FORBIDDEN");
    assert_refused(ask(one, "auth.resetAuthorizations", "{}"), 406,
                   "FRESH_RESET_AUTHORISATION_FORBIDDEN");
    client_free(one);
    client_free(two);
}

static void time_limits_are_kept(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    log_in(f, c, phone);
    assert_answered(ask(c, "account.setAuthorizationTTL", "{\"authorization_ttl_days\":30}"));
    assert_int_equal(tl_int(list(c), F_authorization_ttl_days), 30);
    assert_refused(ask(c, "account.setAuthorizationTTL", "{\"authorization_ttl_days\":0}"), 400,
                   "TTL_DAYS_INVALID");
    client_free(c);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
#define WITH_SANDBOX(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SANDBOX(each_login_is_listed_with_its_device),
        WITH_SANDBOX(a_new_login_is_confirmed_and_restricted),
        WITH_SANDBOX(others_are_ended_one_by_one_or_all),
        WITH_SANDBOX(time_limits_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
