/* SPDX-License-Identifier: MIT
 * Session strings of other programs, taken over and given away. */
#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>

#include "gateway/foreign.h"
#include "gateway/gateway.h"
#include "gateway/handlers.h"
#include "gateway/route.h"
#include "gateway/token.h"
#include "gateway/worker.h"
#include "telegram/login.h"

static const char warning[] =
    "Two programs that use one key at a time get it killed by Telegram (AUTH_KEY_DUPLICATED): let "
    "only one of them go on";
static const char own_format[] = "tgrest";

/* ---- import ---- */

static bool is_auto(const struct call *c)
{
    return slice_is(call_param(c, "format")->text, "auto");
}

static bool may_be(const struct call *c, const char *format)
{
    return is_auto(c) || slice_is(call_param(c, "format")->text, format);
}

/* Our own string, or the older project's: credentials are in it. */
static bool open_own(struct call *c, struct slice text)
{
    if (!may_be(c, own_format) ||
        token_open(call_token_keys(c), c->worker->digests, text, &c->session, NULL) != TOKEN_OK)
        return false;
    if (c->session.state != SESSION_AUTHORIZED)
        call_fail_field(c, "string", "The login of this session is not finished");
    return true;
}

static bool take_credentials(struct call *c, const struct foreign_login *login)
{
    const struct param_value *api_id = call_param(c, "api_id"), *hash = call_param(c, "api_hash");
    struct session *s = &c->session;
    s->api_id = api_id->present ? (int32_t)api_id->i : login->api_id;
    if (s->api_id == 0)
        call_fail_field(c, "api_id", "The string does not say its api_id: give it");
    else if (!hash->present)
        call_fail_field(c, "api_hash", "The string does not say its api_hash: give it");
    else
        snprintf(s->api_hash, sizeof s->api_hash, "%.*s", (int)hash->text.len,
                 (const char *)hash->text.data);
    return !call_failed(c);
}

static bool take_login(struct call *c, const struct foreign_login *login)
{
    struct session *s = &c->session;
    bool test = login->says_network ? login->test : c->gateway->dcs.test;
    sodium_memzero(s, sizeof *s);
    s->state = SESSION_AUTHORIZED;
    s->flags = test ? SESSION_TEST_DC : 0;
    s->dc = login->dc;
    s->user_id = login->user_id;
    memcpy(s->key.key, login->key, AUTH_KEY_BYTES);
    s->key.id = auth_key_id(c->worker->digests, s->key.key);
    return take_credentials(c, login);
}

bool import_open(struct call *c)
{
    struct slice text = call_param(c, "string")->text;
    struct foreign_login login;
    if (open_own(c, text))
        return !call_failed(c);
    for (int i = 0; i < FOREIGN_FORMATS_N; i++) {
        enum foreign_format format = (enum foreign_format)i;
        if (!may_be(c, foreign_format_name(format)) || !foreign_read(format, text, &login))
            continue;
        bool taken = take_login(c, &login);
        sodium_memzero(&login, sizeof login);
        c->imported = foreign_format_name(format);
        return taken;
    }
    call_fail_field(c, "string",
                    is_auto(c) ? "string is of none of the formats that are known"
                               : "string is not of this format");
    return false;
}

/* Whose it is. False: error set. */
static bool ask_self(struct call *c, bool *is_bot)
{
    struct tl_value users;
    if (!call_invoke_value(c, request_self(&c->b), &users))
        return false;
    const struct tl_object *self = self_object(&users);
    if (!self) {
        call_fail(c, 502, "UNEXPECTED_ANSWER", "Telegram did not say whose session this is");
        return false;
    }
    *is_bot = tl_bool(self, F_bot);
    if (c->session.user_id != tl_int(self, F_id)) {
        c->session.user_id = tl_int(self, F_id);
        call_session_changed(c);
    }
    return true;
}

void handle_import(struct call *c)
{
    bool is_bot;
    if (call_param(c, "check")->i && !ask_self(c, &is_bot))
        return;
    struct slice string = call_session_string(c);
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "message", "Session imported");
    json_field_string(w, "session_string", string);
    json_field_text(w, "format", c->imported ? c->imported : own_format);
    json_key(w, "user_id");
    if (c->session.user_id)
        json_int(w, c->session.user_id);
    else
        json_null(w);
    json_field_text(w, "warning", warning);
    json_object_end(w);
}

/* ---- export ---- */

/* Of the fixed ones: what is learned changes under its lock. */
static const struct dc_address *literal_address(const struct dc *dc)
{
    uint8_t scratch[16];
    for (size_t i = 0; dc && i < dc->n_fixed; i++)
        if (inet_pton(AF_INET, dc->addresses[i].host, scratch) == 1 ||
            inet_pton(AF_INET6, dc->addresses[i].host, scratch) == 1)
            return &dc->addresses[i];
    return NULL;
}

static void answer_exported(struct call *c, const char *format, struct slice string)
{
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "format", format);
    json_field_string(w, "string", string);
    json_field_text(w, "warning", warning);
    json_object_end(w);
}

static void export_as(struct call *c, enum foreign_format format)
{
    const struct dc_address *address = literal_address(dc_find(&c->gateway->dcs, c->session.dc));
    bool is_bot;
    struct buf text;
    if (!ask_self(c, &is_bot))
        return;
    /* Telegram remembers a key's layer: whoever comes back after another program says its own anew,
     * as the first request of a connection does. */
    call_disconnect(c);
    struct foreign_login login = foreign_login_of(&c->session, address ? address->host : "",
                                                  address ? (uint16_t)address->port : 0);
    login.is_bot = is_bot;
    buf_init(&text, 0);
    const char *reason = address || format == FOREIGN_PYROGRAM
                             ? foreign_write(format, &login, &text)
                             : "its data centre is known by a name, not by an address";
    sodium_memzero(&login, sizeof login);
    if (reason)
        call_fail(c, 400, "EXPORT_IMPOSSIBLE", "This session has no string of that format: %s",
                  reason);
    else
        answer_exported(c, foreign_format_name(format), buf_slice(&text));
    buf_wipe_free(&text);
}

void handle_export(struct call *c)
{
    struct slice wanted = call_param(c, "format")->text;
    for (int i = 0; i < FOREIGN_FORMATS_N; i++) {
        if (slice_is(wanted, foreign_format_name((enum foreign_format)i))) {
            export_as(c, (enum foreign_format)i);
            return;
        }
    }
    answer_exported(c, own_format, call_seal(c, &c->session));
}
