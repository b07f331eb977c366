/* SPDX-License-Identifier: MIT
 * Logging in and out. Each step finds all it needs in the session string and leaves the rest there,
 * so that the next one may run on another replica. https://core.telegram.org/api/auth */
#include <sodium.h>
#include <stdio.h>

#include "base/base64.h"
#include "gateway/gateway.h"
#include "gateway/handlers.h"
#include "gateway/login_steps.h"
#include "gateway/route.h"
#include "telegram/login.h"

/* ---- send_code ---- */

/* Tokens of earlier logouts ("future_auth_token", base64) may spare the code. */
static size_t read_logout_tokens(struct call *c, struct slice tokens[static LOGOUT_TOKENS_MAX])
{
    struct slice text = call_param(c, "logout_token")->text;
    if (text.len == 0)
        return 0;
    uint8_t *bytes = arena_alloc_raw(c->arena, BASE64_DECODED_MAX(text.len));
    size_t n = 0;
    if (!bytes || !base64_decode(text, bytes, &n)) {
        call_fail_field(c, "logout_token", "logout_token must be base64, as /auth/logout gave it");
        return 0;
    }
    tokens[0] = slice_of(bytes, n);
    return 1;
}

static void positive_or_null(struct json_writer *w, const char *key, int32_t n)
{
    if (n > 0)
        json_field_int(w, key, n);
    else
        json_field_null(w, key);
}

static void answer_code_sent(struct call *c, const struct sent_code *sent)
{
    snprintf(c->session.phone_code_hash, sizeof c->session.phone_code_hash, "%.*s",
             (int)sent->phone_code_hash.len, (const char *)sent->phone_code_hash.data);
    c->session.state = SESSION_CODE_SENT;
    call_session_changed(c);
    struct json_writer *w = login_step_answer(c, "Verification code sent", "verify_code");
    json_field_text(w, "code_type", sent->type);
    positive_or_null(w, "code_length", sent->length);
    positive_or_null(w, "timeout", sent->timeout);
    json_object_end(w);
}

static void answer_sent_code(struct call *c, const struct tl_object *answer)
{
    struct sent_code sent = sent_code_read(answer);
    switch (sent.kind) {
    case SENT_CODE_SENT:
        if (sent.phone_code_hash.len <= SESSION_PHONE_CODE_HASH_MAX) {
            answer_code_sent(c, &sent);
            return;
        }
        break;
    case SENT_CODE_SIGNED_IN:
        login_finish(c, sent.authorization, "Successfully authenticated");
        return;
    case SENT_CODE_EMAIL_REQUIRED:
        call_fail(
            c, 403, "EMAIL_SETUP_REQUIRED",
            "Telegram wants a login e-mail for this number first: set it up in an official app");
        return;
    case SENT_CODE_PAYMENT_REQUIRED:
        call_fail(c, 403, "PAYMENT_REQUIRED",
                  "Telegram wants a payment before it sends this number a code: log in with an "
                  "official app");
        return;
    case SENT_CODE_UNKNOWN:
        break;
    }
    call_fail(c, 502, "UNEXPECTED_ANSWER",
              "Telegram answered the request for a code with something unknown");
}

void handle_send_code(struct call *c)
{
    struct slice tokens[LOGOUT_TOKENS_MAX];
    struct session *s = &c->session;
    struct slice phone = call_param(c, "phone")->text;
    size_t n_tokens = read_logout_tokens(c, tokens);
    if (call_failed(c) || !login_start(c))
        return;
    snprintf(s->phone, sizeof s->phone, "%.*s", (int)phone.len, (const char *)phone.data);
    const struct tl_object *answer = call_invoke(
        c, request_send_code(&c->b, s->phone, s->api_id, s->api_hash, tokens, n_tokens));
    if (answer)
        answer_sent_code(c, answer);
}

/* ---- resend_code, cancel_code ---- */

void handle_resend_code(struct call *c)
{
    if (!login_expect(c, SESSION_CODE_SENT, SESSION_CODE_SENT))
        return;
    const struct tl_object *answer =
        call_invoke(c, request_resend_code(&c->b, c->session.phone, c->session.phone_code_hash));
    if (answer)
        answer_sent_code(c, answer);
}

void handle_cancel_code(struct call *c)
{
    struct tl_value done;
    if (!login_expect(c, SESSION_CODE_SENT, SESSION_SIGN_UP) ||
        !call_invoke_value(
            c, request_cancel_code(&c->b, c->session.phone, c->session.phone_code_hash), &done))
        return;
    call_destroy_key(c);
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "message", "Login cancelled");
    json_object_end(w);
}

/* ---- verify_code ---- */

static void sign_up(struct call *c)
{
    const char *first_name = arena_strdup(c->arena, call_param(c, "first_name")->text);
    const char *last_name = arena_strdup(c->arena, call_param(c, "last_name")->text);
    const struct tl_object *answer =
        call_invoke(c, request_sign_up(&c->b, c->session.phone, c->session.phone_code_hash,
                                       first_name, last_name));
    if (answer)
        login_finish(c, answer, "Successfully authenticated");
}

static void answer_sign_up_needed(struct call *c)
{
    c->session.state = SESSION_SIGN_UP;
    if (call_param(c, "first_name")->text.len > 0) {
        sign_up(c);
        return;
    }
    struct json_writer *w = login_step_answer(c, "Sign-up required", "sign_up");
    json_object_end(w);
}

void handle_verify_code(struct call *c)
{
    if (!login_expect(c, SESSION_CODE_SENT, SESSION_SIGN_UP))
        return;
    /* The right code was given before: signing in again would spend it. */
    if (c->session.state == SESSION_SIGN_UP) {
        if (call_param(c, "first_name")->text.len > 0)
            sign_up(c);
        else
            call_fail_field(c, "first_name",
                            "This number has no account yet: send first_name to sign up");
        return;
    }
    const char *code = arena_strdup(c->arena, call_param(c, "code")->text);
    const struct tl_object *answer =
        call_invoke(c, request_sign_in(&c->b, c->session.phone, c->session.phone_code_hash, code));
    if (answer && authorization_read(answer).kind == AUTHORIZATION_SIGN_UP)
        answer_sign_up_needed(c);
    else if (answer)
        login_finish(c, answer, "Successfully authenticated");
    else if (call_error_is(c, "SESSION_PASSWORD_NEEDED"))
        login_ask_password(c);
    else if (call_error_is(c, "PHONE_NUMBER_UNOCCUPIED")) {
        call_error_clear(c);
        answer_sign_up_needed(c);
    }
}

/* ---- bots ---- */

void handle_bot_login(struct call *c)
{
    struct slice token = call_param(c, "bot_token")->text;
    if (!login_start(c))
        return;
    const struct tl_object *answer =
        call_invoke(c, request_bot_login(&c->b, c->session.api_id, c->session.api_hash,
                                         arena_strdup(c->arena, token)));
    if (answer)
        login_finish(c, answer, "Successfully authenticated");
}

/* ---- logout ---- */

void handle_logout(struct call *c)
{
    struct slice token = {0};
    /* A login half done has no account to leave: only its key must die. */
    if (c->session.state == SESSION_AUTHORIZED) {
        const struct tl_object *answer = call_invoke(c, request_log_out(&c->b));
        if (!answer)
            return;
        token = logged_out_token(answer);
    }
    call_destroy_key(c);
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "message", "Successfully logged out");
    /* Spares the code at the next login with the same number: /auth/send_code takes it. */
    json_key(w, "logout_token");
    if (token.len > 0)
        json_base64(w, token);
    else
        json_null(w);
    json_object_end(w);
}
