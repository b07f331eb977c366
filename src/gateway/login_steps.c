/* SPDX-License-Identifier: MIT */
#include "gateway/login_steps.h"

#include <sodium.h>
#include <stdio.h>

#include "gateway/gateway.h"
#include "telegram/json_or_null.h"
#include "telegram/login.h"

bool login_start(struct call *c)
{
    struct session *s = &c->session;
    struct slice api_hash = call_param(c, "api_hash")->text;
    sodium_memzero(s, sizeof *s);
    s->api_id = (int32_t)call_param(c, "api_id")->i;
    snprintf(s->api_hash, sizeof s->api_hash, "%.*s", (int)api_hash.len,
             (const char *)api_hash.data);
    /* PHONE_MIGRATE and USER_MIGRATE move it home on the way. */
    if (!call_new_key(c, dc_default(&c->gateway->dcs)->id))
        return false;
    c->has_session = true;
    return true;
}

bool login_expect(struct call *c, enum session_state state, enum session_state or_state)
{
    static const char *const hints[] = {
        [SESSION_NEW] = "No code was asked for with this session: POST /auth/send_code first",
        [SESSION_CODE_SENT] = "The next step of this login is POST /auth/verify_code",
        [SESSION_SIGN_UP] = "The next step of this login is POST /auth/verify_code with first_name",
        [SESSION_PASSWORD] = "The next step of this login is POST /auth/verify_password",
        [SESSION_AUTHORIZED] = "This session is logged in already",
        [SESSION_QR] = "The next step of this login is GET /auth/qr/wait",
    };
    if (c->session.state == state || c->session.state == or_state)
        return true;
    call_fail(c, 400, "WRONG_LOGIN_STEP", "%s", hints[c->session.state]);
    return false;
}

struct json_writer *login_step_answer(struct call *c, const char *message, const char *next_step)
{
    struct slice session = call_session_string(c);
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "message", message);
    json_field_text(w, "next_step", next_step);
    json_field_string(w, "session_string", session);
    return w;
}

void login_finish(struct call *c, const struct tl_object *authorization, const char *message)
{
    struct authorization_answer a = authorization_read(authorization);
    if (a.kind != AUTHORIZATION_DONE) {
        call_fail(c, 502, "UNEXPECTED_ANSWER",
                  "Telegram answered the login with something unknown");
        return;
    }
    c->session.state = SESSION_AUTHORIZED;
    c->session.user_id = a.user_id;
    c->session.qr_token = 0;
    sodium_memzero(c->session.phone, sizeof c->session.phone);
    sodium_memzero(c->session.phone_code_hash, sizeof c->session.phone_code_hash);
    /* invokeWithoutUpdates does not count for auth methods: the session id that logged in would be
     * sent updates for ever. */
    call_disconnect(c);
    struct json_writer *w = login_step_answer(c, message, "completed");
    json_object_end(w);
}

void login_ask_password(struct call *c)
{
    call_error_clear(c);
    const struct tl_object *answer = call_invoke(c, request_get_password(&c->b));
    if (!answer)
        return;
    struct slice hint = tl_text(answer, F_hint);
    c->session.state = SESSION_PASSWORD;
    call_session_changed(c);
    struct json_writer *w = login_step_answer(c, "2FA password required", "verify_password");
    json_text_or_null(w, "hint", hint);
    json_object_end(w);
}
