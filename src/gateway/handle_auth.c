/* SPDX-License-Identifier: MIT
 * Logging in and out. Each step finds all it needs in the session string and leaves the rest there,
 * so that the next one may run on another replica. https://core.telegram.org/api/auth */
#include <sodium.h>
#include <stdio.h>

#include "base/base64.h"
#include "gateway/gateway.h"
#include "gateway/handlers.h"
#include "gateway/route.h"
#include "telegram/login.h"

enum {
    PASSWORD_TRIES = 2, /* SRP parameters are good for one proof and a short time */
};

/* ---- answers that several steps share ---- */

static struct json_writer *answer_step(struct call *c, const char *message, const char *next_step)
{
    struct slice session = call_session_string(c);
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "message", message);
    json_field_text(w, "next_step", next_step);
    json_field_string(w, "session_string", session);
    return w;
}

/* The account is logged in: nothing of the login stays in the session. */
static void finish_login(struct call *c, const struct tl_object *authorization, const char *message)
{
    struct authorization_answer a = authorization_read(authorization);
    if (a.kind != AUTHORIZATION_DONE) {
        call_fail(c, 502, "UNEXPECTED_ANSWER",
                  "Telegram answered the login with something unknown");
        return;
    }
    c->session.state = SESSION_AUTHORIZED;
    c->session.user_id = a.user_id;
    sodium_memzero(c->session.phone, sizeof c->session.phone);
    sodium_memzero(c->session.phone_code_hash, sizeof c->session.phone_code_hash);
    /* invokeWithoutUpdates does not count for auth methods: the session id that logged in would be
     * sent updates for ever. */
    call_disconnect(c);
    struct json_writer *w = answer_step(c, message, "completed");
    json_object_end(w);
}

/* What the session must be at for this step; else says which step is next. */
static bool expect_state(struct call *c, bool fits)
{
    static const char *const hints[] = {
        [SESSION_NEW] = "No code was asked for with this session: POST /auth/send_code first",
        [SESSION_CODE_SENT] = "The next step of this login is POST /auth/verify_code",
        [SESSION_SIGN_UP] = "The next step of this login is POST /auth/verify_code with first_name",
        [SESSION_PASSWORD] = "The next step of this login is POST /auth/verify_password",
        [SESSION_AUTHORIZED] = "This session is logged in already",
        [SESSION_QR] = "The next step of this login is GET /auth/qr/wait",
    };
    if (!fits)
        call_fail(c, 400, "WRONG_LOGIN_STEP", "%s", hints[c->session.state]);
    return fits;
}

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

static void answer_code_sent(struct call *c, const struct sent_code *sent)
{
    snprintf(c->session.phone_code_hash, sizeof c->session.phone_code_hash, "%.*s",
             (int)sent->phone_code_hash.len, (const char *)sent->phone_code_hash.data);
    c->session.state = SESSION_CODE_SENT;
    struct json_writer *w = answer_step(c, "Verification code sent", "verify_code");
    json_field_text(w, "code_type", sent->type);
    json_key(w, "code_length");
    if (sent->length > 0)
        json_int(w, sent->length);
    else
        json_null(w);
    json_key(w, "timeout");
    if (sent->timeout > 0)
        json_int(w, sent->timeout);
    else
        json_null(w);
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
        finish_login(c, sent.authorization, "Successfully authenticated");
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
    struct slice api_hash = call_param(c, "api_hash")->text;
    size_t n_tokens = read_logout_tokens(c, tokens);
    if (call_failed(c))
        return;
    sodium_memzero(s, sizeof *s);
    s->api_id = (int32_t)call_param(c, "api_id")->i;
    snprintf(s->api_hash, sizeof s->api_hash, "%.*s", (int)api_hash.len,
             (const char *)api_hash.data);
    snprintf(s->phone, sizeof s->phone, "%.*s", (int)phone.len, (const char *)phone.data);
    /* PHONE_MIGRATE moves it home on the way. */
    if (!call_new_key(c, dc_default(&c->gateway->dcs)->id))
        return;
    c->has_session = true;
    const struct tl_object *answer = call_invoke(
        c, request_send_code(&c->b, s->phone, s->api_id, s->api_hash, tokens, n_tokens));
    if (answer)
        answer_sent_code(c, answer);
}

/* ---- verify_code ---- */

static void answer_password_needed(struct call *c)
{
    call_error_clear(c);
    const struct tl_object *answer = call_invoke(c, request_get_password(&c->b));
    if (!answer)
        return;
    struct slice hint = tl_text(answer, F_hint);
    c->session.state = SESSION_PASSWORD;
    struct json_writer *w = answer_step(c, "2FA password required", "verify_password");
    json_key(w, "hint");
    if (hint.len > 0)
        json_string(w, hint);
    else
        json_null(w);
    json_object_end(w);
}

static void sign_up(struct call *c)
{
    const char *first_name = arena_strdup(c->arena, call_param(c, "first_name")->text);
    const char *last_name = arena_strdup(c->arena, call_param(c, "last_name")->text);
    const struct tl_object *answer =
        call_invoke(c, request_sign_up(&c->b, c->session.phone, c->session.phone_code_hash,
                                       first_name, last_name));
    if (answer)
        finish_login(c, answer, "Successfully authenticated");
}

static void answer_sign_up_needed(struct call *c)
{
    c->session.state = SESSION_SIGN_UP;
    if (call_param(c, "first_name")->text.len > 0) {
        sign_up(c);
        return;
    }
    struct json_writer *w = answer_step(c, "Sign-up required", "sign_up");
    json_object_end(w);
}

void handle_verify_code(struct call *c)
{
    enum session_state state = c->session.state;
    if (!expect_state(c, state == SESSION_CODE_SENT || state == SESSION_SIGN_UP))
        return;
    /* The right code was given before: signing in again would spend it. */
    if (state == SESSION_SIGN_UP) {
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
        finish_login(c, answer, "Successfully authenticated");
    else if (call_error_is(c, "SESSION_PASSWORD_NEEDED"))
        answer_password_needed(c);
    else if (call_error_is(c, "PHONE_NUMBER_UNOCCUPIED")) {
        call_error_clear(c);
        answer_sign_up_needed(c);
    }
}

/* ---- verify_password ---- */

/* What the thread pool works on. */
struct proof {
    struct password_state password;
    struct slice text;
    struct rng rng;
    struct dh_good_prime good;
    enum dh_check result;
    uint8_t a[DH_BYTES];
    uint8_t m1[SHA256_BYTES];
};

static void compute_proof(void *arg)
{
    struct proof *p = arg;
    uint8_t x[SHA256_BYTES];
    srp_password_hash(&p->password.algo, p->text, x);
    p->result =
        srp_client_proof(&p->password.algo, x, p->password.srp_b, &p->rng, &p->good, p->a, p->m1);
    sodium_memzero(x, sizeof x);
}

/* Asks for fresh SRP parameters each time: srp_B is good for one proof. */
static bool prepare_proof(struct call *c, struct proof *p)
{
    const struct tl_object *answer = call_invoke(c, request_get_password(&c->b));
    if (!answer)
        return false;
    if (!password_read(answer, &p->password)) {
        call_fail(c, 502, "UNEXPECTED_ANSWER",
                  "Telegram checks this password in a way that is not known here");
        return false;
    }
    if (!p->password.has_password) {
        call_fail(c, 400, "PASSWORD_NOT_SET",
                  "The account has no 2FA password any more: begin again at /auth/send_code");
        return false;
    }
    /* The pool thread must not share the worker's generator or its memory of the prime. */
    rng_init_system(&p->rng);
    p->good = *call_good_prime(c);
    if (!call_work(c, compute_proof, p))
        return false;
    if (p->result != DH_OK) {
        call_fail(c, 502, "BAD_SRP_PARAMETERS",
                  "Telegram's password parameters failed their checks");
        return false;
    }
    *call_good_prime(c) = p->good;
    return true;
}

static const struct tl_object *check_password(struct call *c, struct proof *p)
{
    for (int try = 1;; try++) {
        if (!prepare_proof(c, p))
            return NULL;
        const struct tl_object *answer =
            call_invoke(c, request_check_password(&c->b, p->password.srp_id, p->a, p->m1));
        bool stale = !answer && (call_error_is(c, "SRP_ID_INVALID") ||
                                 call_error_is(c, "AUTH_KEY_UNSYNCHRONIZED"));
        if (!stale || try == PASSWORD_TRIES)
            return answer;
        call_error_clear(c);
    }
}

void handle_verify_password(struct call *c)
{
    if (!expect_state(c, c->session.state == SESSION_PASSWORD))
        return;
    struct proof *p = arena_alloc(c->arena, sizeof *p);
    if (!p) {
        call_fail(c, 503, "OUT_OF_MEMORY", "Out of memory; try again");
        return;
    }
    p->text = call_param(c, "password")->text;
    const struct tl_object *answer = check_password(c, p);
    sodium_memzero(p, sizeof *p);
    if (answer)
        finish_login(c, answer, "Successfully authenticated with 2FA");
    else if (call_error_is(c, "PASSWORD_HASH_INVALID"))
        c->error.field = "password";
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
