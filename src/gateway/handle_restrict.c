/* SPDX-License-Identifier: MIT
 * POST /auth/restrict: a narrower session string. All of it stands in the string, so no replica
 * need be told; what it narrows can be narrowed further and never widened (scope.h). */
#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>

#include "gateway/handlers.h"
#include "gateway/resolve.h"
#include "gateway/route.h"
#include "gateway/scope.h"
#include "telegram/login.h"

/* The list of 1 to max items; NULL: not given, or the error is set. */
static struct json_object *list_param(struct call *c, const char *name, size_t max)
{
    const struct param_value *v = call_param(c, name);
    if (!v->present || json_object_is_type(v->json, json_type_null))
        return NULL;
    size_t n =
        json_object_is_type(v->json, json_type_array) ? json_object_array_length(v->json) : 0;
    if (n >= 1 && n <= max)
        return v->json;
    call_fail_field(c, name, "%s must be a list of 1 to %zu", name, max);
    return NULL;
}

/* ---- chats ---- */

static bool read_chat_id(struct call *c, struct json_object *json, struct param_value *out)
{
    *out = (struct param_value){.present = true};
    if (json_object_is_type(json, json_type_string)) {
        out->text =
            slice_of(json_object_get_string(json), (size_t)json_object_get_string_len(json));
    } else if (json_object_is_type(json, json_type_int)) {
        out->is_number = true;
        out->i = json_object_get_int64(json);
    } else {
        call_fail_field(c, "chats", "chats must be ids (numbers) or names (strings)");
    }
    return !call_failed(c);
}

/* "me" is a chat, too, and foreign strings do not say whose they are. */
static bool learn_user_id(struct call *c)
{
    struct tl_value users;
    if (c->session.user_id)
        return true;
    if (!call_invoke_value(c, request_self(&c->b), &users))
        return false;
    c->session.user_id = self_read(&users);
    call_session_changed(c);
    if (c->session.user_id == 0)
        call_fail(c, 502, "UNEXPECTED_ANSWER", "Telegram did not say whose session this is");
    return !call_failed(c);
}

static bool add_chat(struct call *c, struct json_object *json, struct session_scope *narrow)
{
    struct param_value value;
    struct peer_ref peer;
    if (!read_chat_id(c, json, &value) || !resolve_value(c, "chats", &value, &peer))
        return false;
    int64_t id = peer.self ? c->session.user_id : peer_marked_id(peer.kind, peer.id);
    if (!scope_allows_chat(&c->session, id)) {
        call_fail(c, 403, "SCOPE_CHATS", "This session string may not touch this chat");
        c->error.field = "chats";
        return false;
    }
    for (size_t i = 0; i < narrow->n_chats; i++)
        if (narrow->chats[i] == id)
            return true;
    narrow->chats[narrow->n_chats++] = id;
    return true;
}

static bool narrow_chats(struct call *c, struct session_scope *narrow)
{
    struct json_object *list = list_param(c, "chats", SESSION_CHATS_MAX);
    if (!list || !learn_user_id(c))
        return !call_failed(c);
    narrow->n_chats = 0;
    for (size_t i = 0; i < json_object_array_length(list); i++)
        if (!add_chat(c, json_object_array_get_idx(list, i), narrow))
            return false;
    return true;
}

/* ---- routes ---- */

static const struct route *read_route(struct call *c, struct json_object *json)
{
    const struct route *r = NULL;
    if (json_object_is_type(json, json_type_string))
        r = route_by_name(
            slice_of(json_object_get_string(json), (size_t)json_object_get_string_len(json)));
    if (!r)
        call_fail_field(c, "routes",
                        "routes must be such as \"POST /messages/send\": /openapi.json lists them");
    return r;
}

static bool has_code(const struct session_scope *scope, uint32_t code)
{
    for (size_t i = 0; i < scope->n_routes; i++)
        if (scope->routes[i] == code)
            return true;
    return false;
}

static bool narrow_routes(struct call *c, struct session_scope *narrow)
{
    const struct session_scope *now = &c->session.scope;
    struct json_object *list = list_param(c, "routes", SESSION_ROUTES_MAX);
    if (!list)
        return !call_failed(c);
    narrow->n_routes = 0;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct route *r = read_route(c, json_object_array_get_idx(list, i));
        if (!r)
            return false;
        if (now->n_routes && !has_code(now, route_code(r))) {
            call_fail(c, 403, "SCOPE_ROUTES", "This session string may not be used for %s %s",
                      r->method, r->path);
            c->error.field = "routes";
            return false;
        }
        if (!has_code(narrow, route_code(r)))
            narrow->routes[narrow->n_routes++] = route_code(r);
    }
    return true;
}

/* ---- expiry ---- */

static bool narrow_time(struct call *c, struct session_scope *narrow)
{
    const struct param_value *in = call_param(c, "expires_in"), *at = call_param(c, "expires_at");
    int64_t now_s = scope_now_s(c);
    if (!in->present && !at->present)
        return true;
    if (in->present && at->present)
        call_fail_field(c, "expires_at", "give expires_in or expires_at, not both");
    else if (at->present && at->i <= now_s)
        call_fail_field(c, "expires_at", "expires_at is over already");
    if (call_failed(c))
        return false;
    int64_t end = at->present ? at->i : now_s + in->i;
    if (narrow->expires_at == 0 || end < narrow->expires_at)
        narrow->expires_at = end;
    return true;
}

/* ---- the answer ---- */

static void write_routes(struct json_writer *w, const struct session_scope *scope)
{
    json_key(w, "routes");
    if (scope->n_routes == 0) {
        json_null(w);
        return;
    }
    json_array_begin(w);
    for (size_t i = 0; i < routes_count(); i++) {
        const struct route *r = route_at(i);
        if (!has_code(scope, route_code(r)))
            continue;
        char name[128];
        snprintf(name, sizeof name, "%s %s", r->method, r->path);
        json_string(w, slice_str(name));
    }
    json_array_end(w);
}

static void write_chats(struct json_writer *w, const struct session_scope *scope)
{
    json_key(w, "chats");
    if (scope->n_chats == 0) {
        json_null(w);
        return;
    }
    json_array_begin(w);
    for (size_t i = 0; i < scope->n_chats; i++)
        json_int(w, scope->chats[i]);
    json_array_end(w);
}

static void answer_narrowed(struct call *c, const struct session_scope *narrow)
{
    struct session s = c->session;
    s.scope = *narrow;
    struct slice text = call_seal(c, &s);
    sodium_memzero(&s, sizeof s);
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "message", "This string may do less; the one that you sent stays as it is");
    json_field_string(w, "session_string", text);
    json_field_bool(w, "read_only", narrow->read_only);
    write_chats(w, narrow);
    write_routes(w, narrow);
    json_key(w, "expires_at");
    if (narrow->expires_at)
        json_time(w, narrow->expires_at);
    else
        json_null(w);
    json_object_end(w);
}

void handle_restrict(struct call *c)
{
    struct session_scope narrow = c->session.scope;
    narrow.read_only = narrow.read_only || call_param(c, "read_only")->i != 0;
    if (!narrow_time(c, &narrow) || !narrow_routes(c, &narrow) || !narrow_chats(c, &narrow))
        return;
    if (!scope_is_narrowed(&narrow)) {
        call_fail(c, 400, "INVALID_PARAMETER",
                  "Say what to narrow: read_only, chats, routes, expires_in or expires_at");
        return;
    }
    answer_narrowed(c, &narrow);
}
