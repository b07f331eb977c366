/* SPDX-License-Identifier: MIT
 * Login codes: sent, sent again another way, cancelled, expired. */
#include "fixture.h"

static const char *phone = "79990003001";

static const char *code_of(struct fixture *f)
{
    const char *line = control(f, "codes %s", phone);
    return strchr(line, ' ') + 1;
}

static struct reply again(struct client *c, const char *method, struct slice hash)
{
    return ask(c, method, "{\"phone_number\":\"%s\",\"phone_code_hash\":\"%.*s\"}", phone,
               (int)hash.len, (const char *)hash.data);
}

static void check_sent(struct reply r, uint16_t type, uint16_t next)
{
    assert_answered(r);
    const struct tl_object *sent = r.value.object;
    assert_true(tl_is(tl_obj(sent, F_type), type));
    assert_int_equal(tl_int(tl_obj(sent, F_type), F_length), CODE_DIGITS);
    assert_int_equal(tl_has(sent, F_next_type), next != TL_NO_SYMBOL);
    assert_int_equal(tl_has(sent, F_timeout), next != TL_NO_SYMBOL);
    if (next != TL_NO_SYMBOL)
        assert_true(tl_is(tl_obj(sent, F_next_type), next));
}

static void a_code_is_sent_by_one_way_after_the_other(void **state)
{
    struct fixture *f = *state;
    struct client *first = client_new(f->s, &f->loop, 0);
    world_add_user(f->s->world, slice_str(phone), slice_str("Ann"), slice_str(""), 2);
    struct reply sent = send_code(first, phone);
    struct slice hash = tl_text(sent.value.object, F_phone_code_hash);
    check_sent(sent, C_auth_sentCodeTypeSms, C_auth_codeTypeCall);
    assert_answered(sign_in(first, phone, hash, code_of(f)));

    struct client *second = client_new(f->s, &f->loop, 0);
    sent = send_code(second, phone);
    hash = tl_text(sent.value.object, F_phone_code_hash);
    check_sent(sent, C_auth_sentCodeTypeApp, C_auth_codeTypeSms);
    const char *old = arena_printf(&second->arena, "%s", code_of(f));
    check_sent(again(second, "auth.resendCode", hash), C_auth_sentCodeTypeSms, C_auth_codeTypeCall);
    assert_string_not_equal(code_of(f), old);
    assert_refused(sign_in(second, phone, hash, old), 400, "PHONE_CODE_INVALID");
    check_sent(again(second, "auth.resendCode", hash), C_auth_sentCodeTypeCall, TL_NO_SYMBOL);
    assert_refused(again(second, "auth.resendCode", hash), 406, "SEND_CODE_UNAVAILABLE");
    assert_answered(sign_in(second, phone, hash, code_of(f)));
    client_free(first);
    client_free(second);
}

static void a_code_ends_by_cancelling_and_by_its_time(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    static const char *const methods[] = {"auth.resendCode", "auth.cancelCode"};
    struct slice hash = tl_text(send_code(c, phone).value.object, F_phone_code_hash);
    for (size_t i = 0; i < 2; i++) {
        assert_refused(again(c, methods[i], slice_str("")), 400, "PHONE_CODE_HASH_EMPTY");
        assert_refused(again(c, methods[i], slice_str("abc")), 400, "PHONE_CODE_EXPIRED");
        assert_refused(ask(c, methods[i], "{\"phone_number\":\"1\",\"phone_code_hash\":\"a\"}"),
                       400, "PHONE_NUMBER_INVALID");
    }
    assert_answered(again(c, "auth.cancelCode", hash));
    assert_refused(again(c, "auth.cancelCode", hash), 400, "PHONE_CODE_EXPIRED");
    assert_refused(sign_in(c, phone, hash, "12345"), 400, "PHONE_CODE_EXPIRED");

    hash = tl_text(send_code(c, phone).value.object, F_phone_code_hash);
    const char *code = arena_printf(&c->arena, "%s", code_of(f));
    control(f, "clock_advance %d", CODE_LIFETIME_S + 1);
    assert_string_equal(control(f, "codes %s", phone), "");
    assert_refused(sign_in(c, phone, hash, code), 400, "PHONE_CODE_EXPIRED");
    assert_refused(again(c, "auth.resendCode", hash), 400, "PHONE_CODE_EXPIRED");
    client_free(c);
}

static void a_new_number_is_shown_the_terms(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    struct slice hash = tl_text(send_code(c, phone).value.object, F_phone_code_hash);
    struct reply in = sign_in(c, phone, hash, code_of(f));
    assert_answered(in);
    assert_true(tl_is(in.value.object, C_auth_authorizationSignUpRequired));
    const struct tl_object *terms = tl_obj(in.value.object, F_terms_of_service);
    assert_true(tl_text(terms, F_text).len > 0);
    client_free(c);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
#define WITH_SANDBOX(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SANDBOX(a_code_is_sent_by_one_way_after_the_other),
        WITH_SANDBOX(a_code_ends_by_cancelling_and_by_its_time),
        WITH_SANDBOX(a_new_number_is_shown_the_terms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
