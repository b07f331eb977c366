/* SPDX-License-Identifier: MIT
 * Logging in by a QR code that another device scans. Nothing is heard in between: the token is
 * asked for again, as Telegram's own web client does, so any replica can go on at any time.
 * https://core.telegram.org/api/qr-login */
#include <stdio.h>

#include "base/base64.h"
#include "gateway/gateway.h"
#include "gateway/handlers.h"
#include "gateway/login_steps.h"
#include "gateway/qr.h"
#include "gateway/route.h"
#include "gateway/worker.h"
#include "telegram/login.h"

enum {
    POLL_MS = 2000,     /* the token stays the same while it lives: asking is cheap */
    TOKEN_MAX = 256,    /* bytes; Telegram's are about 32 */
    MIGRATIONS_MAX = 3, /* a login that is sent round in circles */
};

static const char link_start[] = "tg://login?token=";

/* ---- the code on show ---- */

static uint64_t token_mark(struct call *c, struct slice token)
{
    uint8_t hash[SHA256_BYTES];
    sha256(c->worker->digests, &token, 1, hash);
    uint64_t mark = load_le64(hash);
    return mark ? mark : 1;
}

static void write_png(struct json_writer *w, const char *link)
{
    struct buf png, uri;
    buf_init(&png, 0);
    buf_init(&uri, 0);
    buf_append_str(&uri, "data:image/png;base64,");
    if (qr_png(link, &png))
        base64_encode(buf_slice(&png), &uri);
    else
        w->out->failed = true;
    json_field_string(w, "png", buf_slice(&uri));
    buf_free(&png);
    buf_free(&uri);
}

static void write_svg(struct json_writer *w, const char *link)
{
    struct buf svg;
    buf_init(&svg, 0);
    if (!qr_svg(link, &svg))
        w->out->failed = true;
    json_field_string(w, "svg", buf_slice(&svg));
    buf_free(&svg);
}

static void answer_shown(struct call *c, const struct login_token *token)
{
    struct buf link;
    if (token->token.len == 0 || token->token.len > TOKEN_MAX) {
        call_fail(c, 502, "UNEXPECTED_ANSWER", "Telegram's login token is of no known size");
        return;
    }
    buf_init(&link, 0);
    buf_append_str(&link, link_start);
    base64url_encode(token->token, &link);
    const char *text = arena_strdup(c->arena, buf_slice(&link));
    buf_free(&link);
    c->session.state = SESSION_QR;
    c->session.qr_token = token_mark(c, token->token);
    call_session_changed(c);
    struct json_writer *w = login_step_answer(
        c, "Scan the code in Telegram: Settings, Devices, Link Device", "qr_wait");
    json_field_text(w, "url", text);
    json_field_time(w, "expires_at", token->expires);
    write_svg(w, text);
    write_png(w, text);
    json_object_end(w);
}

/* ---- asking ---- */

/* Follows the login to the account's data centre. False: error set, or the password is asked for.
 */
static bool ask_token(struct call *c, struct login_token *out)
{
    const struct tl_object *answer =
        call_invoke(c, request_export_login_token(&c->b, c->session.api_id, c->session.api_hash));
    *out = login_token_read(answer);
    for (int moves = 0; answer && out->kind == LOGIN_TOKEN_MOVED; moves++) {
        if (moves == MIGRATIONS_MAX || !call_new_key(c, out->dc))
            break;
        answer = call_invoke(c, request_import_login_token(&c->b, out->token));
        *out = login_token_read(answer);
    }
    if (call_error_is(c, "SESSION_PASSWORD_NEEDED")) {
        login_ask_password(c);
        return false;
    }
    if (!call_failed(c) && out->kind != LOGIN_TOKEN_SHOWN && out->kind != LOGIN_TOKEN_DONE)
        call_fail(c, 502, "UNEXPECTED_ANSWER",
                  "Telegram answered the login with something unknown");
    return !call_failed(c);
}

void handle_qr(struct call *c)
{
    struct login_token token;
    if (!login_start(c))
        return;
    c->session.state = SESSION_QR;
    if (!ask_token(c, &token))
        return;
    if (token.kind == LOGIN_TOKEN_DONE)
        login_finish(c, token.authorization, "Successfully authenticated");
    else
        answer_shown(c, &token);
}

/* ---- waiting ---- */

/* Until another code has to be shown, the time is up, or the gateway is to end. */
static bool is_over(struct call *c, const struct login_token *token, int64_t until_ns)
{
    return token_mark(c, token->token) != c->session.qr_token || call_mono_ns(c) >= until_ns ||
           atomic_load_explicit(&c->gateway->draining, memory_order_relaxed);
}

void handle_qr_wait(struct call *c)
{
    struct login_token token;
    int64_t wait_s = call_param(c, "timeout")->i;
    int64_t longest_s = c->gateway->options.timeout_s - 5; /* leaves time for the answer */
    int64_t until_ns = call_mono_ns(c) + (wait_s < longest_s ? wait_s : longest_s) * NS_PER_S;
    if (!login_expect(c, SESSION_QR, SESSION_QR))
        return;
    while (ask_token(c, &token)) {
        if (token.kind == LOGIN_TOKEN_DONE) {
            login_finish(c, token.authorization, "Successfully authenticated");
            return;
        }
        if (is_over(c, &token, until_ns)) {
            answer_shown(c, &token);
            return;
        }
        int64_t left_ms = (until_ns - call_mono_ns(c)) / NS_PER_MS + 1;
        if (!call_sleep(c, left_ms < POLL_MS ? left_ms : POLL_MS))
            return;
    }
}
