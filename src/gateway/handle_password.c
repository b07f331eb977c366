/* SPDX-License-Identifier: MIT
 * The 2FA password: giving it at login, setting, changing, removing and recovering it. */
#include "gateway/errors.h"
#include "gateway/handlers.h"
#include "gateway/login_steps.h"
#include "gateway/password_proof.h"
#include "gateway/route.h"
#include "telegram/json_or_null.h"

/* ---- POST /auth/verify_password ---- */

static struct tl_object *build_check(struct call *c, const struct tl_object *check,
                                     const struct tl_object *account, void *arg)
{
    (void)account;
    (void)arg;
    if (check)
        return request_check_password(&c->b, check);
    call_fail(c, 400, "PASSWORD_NOT_SET",
              "The account has no 2FA password any more: begin again at /auth/send_code");
    return NULL;
}

void handle_verify_password(struct call *c)
{
    struct tl_value answer;
    if (login_expect(c, SESSION_PASSWORD, SESSION_PASSWORD) &&
        invoke_proved(c, "password", call_param(c, "password")->text, build_check, NULL, &answer))
        login_finish(c, answer.kind == TL_OBJECT ? answer.object : NULL,
                     "Successfully authenticated with 2FA");
}

/* ---- GET /auth/password ---- */

void handle_password_get(struct call *c)
{
    const struct tl_object *answer = call_invoke(c, request_get_password(&c->b));
    if (!answer)
        return;
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_bool(w, "has_password", tl_bool(answer, F_has_password));
    json_text_or_null(w, "hint", tl_text(answer, F_hint));
    json_field_bool(w, "has_recovery_email", tl_bool(answer, F_has_recovery));
    json_text_or_null(w, "unconfirmed_email", tl_text(answer, F_email_unconfirmed_pattern));
    json_time_or_null(w, "reset_date", answer, F_pending_reset_date);
    json_object_end(w);
}

/* ---- PUT and DELETE /auth/password ---- */

/* Telegram takes a hint only together with a password: a hint alone comes with the old one. */
static struct slice wanted_password(const struct call *c)
{
    struct slice wanted = call_param(c, "new_password")->text;
    bool hint_alone = wanted.len == 0 && call_param(c, "hint")->present;
    return hint_alone ? call_param(c, "current_password")->text : wanted;
}

static struct tl_object *build_change(struct call *c, const struct tl_object *check,
                                      const struct tl_object *account, void *arg)
{
    (void)arg;
    const struct param_value *hint = call_param(c, "hint");
    struct slice wanted = wanted_password(c);
    struct password_settings s = {.email = call_param(c, "recovery_email")->text};
    s.set_email = call_param(c, "recovery_email")->present;
    if (!check && !call_param(c, "new_password")->present) {
        call_fail_field(c, "new_password",
                        "This account has no 2FA password yet: give new_password");
        return NULL;
    }
    if (wanted.len > 0 && !password_make(c, account, wanted, &s))
        return NULL;
    s.hint = hint->present ? hint->text : tl_text(account, F_hint);
    return request_update_password(&c->b, check, password_settings_object(&c->b, &s));
}

static bool tells_password(const struct call *c)
{
    const struct param_value *hint = call_param(c, "hint");
    return hint->present && hint->text.len > 0 && slice_eq(hint->text, wanted_password(c));
}

static void answer_changed(struct call *c, const char *message, bool has_password,
                           int64_t code_length)
{
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "message", message);
    json_field_bool(w, "has_password", has_password);
    json_field_bool(w, "email_confirmation_needed", code_length != 0);
    if (code_length > 0)
        json_field_int(w, "code_length", code_length);
    else
        json_field_null(w, "code_length");
    json_object_end(w);
}

/* EMAIL_UNCONFIRMED_n is how Telegram says that all is well but for the code it just sent there. */
static void answer_unconfirmed(struct call *c)
{
    int64_t length;
    (void)error_base(slice_str(c->error.code), &length);
    call_error_clear(c);
    answer_changed(c, "A code was sent to the recovery e-mail: POST /auth/password/confirm_email",
                   true, length > 0 ? length : -1);
}

void handle_password_put(struct call *c)
{
    const struct param_value *wanted = call_param(c, "new_password");
    struct tl_value done;
    if (!wanted->present && !call_param(c, "hint")->present &&
        !call_param(c, "recovery_email")->present)
        call_fail_field(c, "new_password",
                        "Say what to change: new_password, hint, recovery_email");
    else if (tells_password(c))
        call_fail_field(c, "hint", "Everybody who tries to log in sees the hint: not the password");
    if (call_failed(c))
        return;
    if (invoke_proved(c, "current_password", call_param(c, "current_password")->text, build_change,
                      NULL, &done))
        answer_changed(c, "2FA password changed", true, 0);
    else if (call_error_is(c, "EMAIL_UNCONFIRMED"))
        answer_unconfirmed(c);
}

static struct tl_object *build_removal(struct call *c, const struct tl_object *check,
                                       const struct tl_object *account, void *arg)
{
    (void)arg;
    struct password_settings s = {0};
    if (!check)
        call_fail(c, 400, "PASSWORD_NOT_SET", "This account has no 2FA password");
    if (call_failed(c) || !password_make_none(c, account, &s))
        return NULL;
    return request_update_password(&c->b, check, password_settings_object(&c->b, &s));
}

void handle_password_delete(struct call *c)
{
    struct tl_value done;
    if (invoke_proved(c, "current_password", call_param(c, "current_password")->text, build_removal,
                      NULL, &done))
        answer_changed(c, "2FA password removed", false, 0);
}

/* ---- the recovery e-mail ---- */

static void answer_message(struct call *c, const char *message)
{
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "message", message);
    json_object_end(w);
}

void handle_password_confirm_email(struct call *c)
{
    struct tl_value done;
    const char *code = arena_strdup(c->arena, call_param(c, "code")->text);
    if (call_invoke_value(c, request_confirm_password_email(&c->b, code), &done))
        answer_message(c, "Recovery e-mail confirmed");
}

void handle_password_resend_email(struct call *c)
{
    struct tl_value done;
    if (call_invoke_value(c, request_resend_password_email(&c->b), &done))
        answer_message(c, "Another code was sent to the recovery e-mail");
}

void handle_password_cancel_email(struct call *c)
{
    struct tl_value done;
    if (call_invoke_value(c, request_cancel_password_email(&c->b), &done))
        answer_message(c, "Recovery e-mail cancelled");
}

/* ---- POST /auth/password/recover ---- */

static void ask_recovery_code(struct call *c)
{
    const struct tl_object *answer = call_invoke(c, request_password_recovery(&c->b));
    if (!answer)
        return;
    struct json_writer *w =
        login_step_answer(c, "A code was sent to the recovery e-mail", "recover_password");
    json_field_string(w, "email_pattern", tl_text(answer, F_email_pattern));
    json_object_end(w);
}

/* NULL without new_password: the account has none afterwards. */
static const struct tl_object *new_settings(struct call *c)
{
    struct password_settings s = {.hint = call_param(c, "hint")->text};
    struct slice wanted = call_param(c, "new_password")->text;
    if (wanted.len == 0)
        return NULL;
    const struct tl_object *account = call_invoke(c, request_get_password(&c->b));
    if (!account || !password_make(c, account, wanted, &s))
        return NULL;
    return password_settings_object(&c->b, &s);
}

void handle_password_recover(struct call *c)
{
    if (!login_expect(c, SESSION_PASSWORD, SESSION_AUTHORIZED))
        return;
    if (!call_param(c, "code")->present) {
        ask_recovery_code(c);
        return;
    }
    const char *code = arena_strdup(c->arena, call_param(c, "code")->text);
    const struct tl_object *settings = new_settings(c);
    if (call_failed(c))
        return;
    const struct tl_object *answer =
        call_invoke(c, request_recover_password(&c->b, code, settings));
    if (answer)
        login_finish(c, answer, "Password recovered");
}
