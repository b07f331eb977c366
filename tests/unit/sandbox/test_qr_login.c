/* SPDX-License-Identifier: MIT
 * Logging in by a QR code. */
#include "fixture.h"

static struct reply export_token(struct client *c, const char *except_ids)
{
    return ask(c, "auth.exportLoginToken",
               "{\"api_id\":1,\"api_hash\":\"0123456789abcdef0123456789abcdef\","
               "\"except_ids\":[%s]}",
               except_ids);
}

static struct reply with_token(struct client *c, const char *method, struct slice token)
{
    struct tl_object *o = tl_new_ctor(&c->b, tl_schema_by_name(c->schema, slice_str(method)));
    tl_set_text(o, F_token, token);
    return client_call(c, o);
}

/* The token that the client shows. */
static struct slice show(struct client *c)
{
    struct reply r = export_token(c, "");
    assert_answered(r);
    assert_true(tl_is(r.value.object, C_auth_loginToken));
    return tl_text(r.value.object, F_token);
}

static void check_success(struct reply r, const struct user *user)
{
    assert_answered(r);
    assert_true(tl_is(r.value.object, C_auth_loginTokenSuccess));
    const struct tl_object *in = tl_obj(r.value.object, F_authorization);
    assert_int_equal(tl_int(tl_obj(in, F_user), F_id), user->id);
}

static void a_scanned_code_logs_in(void **state)
{
    struct fixture *f = *state;
    struct client *phone = client_new(f->s, &f->loop, 0);
    struct client *desktop = client_new(f->s, &f->loop, 0);
    const struct user *user = log_in(f, phone, "9996621100");
    struct slice token = show(desktop);
    assert_int_equal(token.len, LOGIN_TOKEN_BYTES);
    assert_true(slice_eq(show(desktop), token)); /* asking again does not change the picture */
    unsigned before = desktop->updates;
    struct reply accepted = with_token(phone, "auth.acceptLoginToken", token);
    assert_answered(accepted);
    assert_true(tl_is(accepted.value.object, C_authorization));
    assert_false(tl_bool(accepted.value.object, F_password_pending));
    assert_true(slice_is(tl_text(accepted.value.object, F_device_model), "test"));
    assert_int_not_equal(tl_int(accepted.value.object, F_hash), 0);
    while (desktop->updates == before)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_refused(with_token(phone, "auth.acceptLoginToken", token), 400,
                   "AUTH_TOKEN_ALREADY_ACCEPTED");
    check_success(export_token(desktop, ""), user);
    check_success(export_token(desktop, ""), user); /* as after an answer that was lost */
    assert_answered(client_call(desktop, get_state(desktop)));
    assert_refused(with_token(phone, "auth.importLoginToken", token), 400,
                   "AUTH_TOKEN_ALREADY_ACCEPTED");
    client_free(phone);
    client_free(desktop);
}

static void what_is_no_good_token_is_refused(void **state)
{
    struct fixture *f = *state;
    struct client *phone = client_new(f->s, &f->loop, 0);
    struct client *desktop = client_new(f->s, &f->loop, 0);
    const struct user *user = log_in(f, phone, "9996621101");
    char nonsense[LOGIN_TOKEN_BYTES] = "nonsense";
    assert_refused(with_token(phone, "auth.acceptLoginToken", slice_str("short")), 400,
                   "AUTH_TOKEN_INVALIDX");
    assert_refused(with_token(phone, "auth.importLoginToken", slice_str("short")), 400,
                   "AUTH_TOKEN_INVALID");
    assert_refused(with_token(phone, "auth.importLoginToken", slice_of(nonsense, sizeof nonsense)),
                   400, "AUTH_TOKEN_INVALIDX");
    assert_refused(
        ask(desktop, "auth.exportLoginToken", "{\"api_id\":1,\"api_hash\":\"\",\"except_ids\":[]}"),
        400, "API_ID_INVALID");
    struct slice token = show(desktop);
    assert_refused(with_token(desktop, "auth.acceptLoginToken", token), 401,
                   "AUTH_KEY_UNREGISTERED");
    assert_answered(
        export_token(desktop, arena_printf(&desktop->arena, "%lld", (long long)user->id)));
    assert_refused(with_token(phone, "auth.acceptLoginToken", token), 400, "AUTH_TOKEN_EXCEPTION");
    assert_true(slice_eq(show(desktop), token));
    assert_true(
        tl_is(with_token(desktop, "auth.importLoginToken", token).value.object, C_auth_loginToken));
    control(f, "clock_advance %d", LOGIN_TOKEN_LIFETIME_S);
    assert_refused(with_token(phone, "auth.acceptLoginToken", token), 400, "AUTH_TOKEN_EXPIRED");
    assert_refused(with_token(desktop, "auth.importLoginToken", token), 400, "AUTH_TOKEN_EXPIRED");
    struct slice newer = show(desktop);
    assert_false(slice_eq(newer, token));
    assert_answered(with_token(phone, "auth.acceptLoginToken", newer));
    client_free(phone);
    client_free(desktop);
}

static void a_password_is_asked_for_after_the_scan(void **state)
{
    struct fixture *f = *state;
    struct client *desktop = client_new(f->s, &f->loop, 0);
    struct user *user =
        world_add_user(f->s->world, slice_str("9996621102"), slice_str("Ann"), slice_str(""), 2);
    assert_true(account_set_password(user->account, &f->s->rng, slice_str("secret"), ""));
    control(f, "accept_login tg://login?token=%s 9996621102", base64(desktop, show(desktop)));
    for (int i = 0; i < 2; i++)
        assert_refused(export_token(desktop, ""), 401, "SESSION_PASSWORD_NEEDED");
    struct reply asked = ask(desktop, "account.getPassword", "{}");
    assert_true(tl_bool(asked.value.object, F_has_password));
    client_free(desktop);
}

static void an_account_of_elsewhere_logs_in_there(void **state)
{
    struct fixture *f = *state;
    struct client *here = client_new_at(f->s, &f->loop, 1, 0);
    struct client *there = client_new_at(f->s, &f->loop, 2, 0);
    control(f, "accept_login %s 9996621103", base64(here, show(here)));
    const struct user *user = world_user_by_phone(f->s->world, slice_str("9996621103"));
    struct reply moved = export_token(here, "");
    assert_answered(moved);
    assert_true(tl_is(moved.value.object, C_auth_loginTokenMigrateTo));
    assert_int_equal(tl_int(moved.value.object, F_dc_id), 2);
    struct slice token = tl_text(moved.value.object, F_token);
    assert_true(tl_is(with_token(here, "auth.importLoginToken", token).value.object,
                      C_auth_loginTokenMigrateTo));
    check_success(with_token(there, "auth.importLoginToken", token), user);
    assert_answered(client_call(there, get_state(there)));
    assert_refused(client_call(here, get_state(here)), 401, "AUTH_KEY_UNREGISTERED");
    client_free(here);
    client_free(there);
}

static int set_up_two(void **state)
{
    return set_up_dcs(state, 2);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
#define WITH_SANDBOX(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SANDBOX(a_scanned_code_logs_in),
        WITH_SANDBOX(what_is_no_good_token_is_refused),
        WITH_SANDBOX(a_password_is_asked_for_after_the_scan),
        cmocka_unit_test_setup_teardown(an_account_of_elsewhere_logs_in_there, set_up_two,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
