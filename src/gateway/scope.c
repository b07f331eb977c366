/* SPDX-License-Identifier: MIT */
#include "gateway/scope.h"

#include "gateway/route.h"
#include "gateway/safety.h"
#include "gateway/worker.h"

bool scope_is_narrowed(const struct session_scope *scope)
{
    return scope->read_only || scope->expires_at || scope->n_chats || scope->n_routes;
}

int64_t scope_now_s(const struct call *c)
{
    return clock_unix_s(&c->worker->clock);
}

/* ---- routes ---- */

static bool lists_route(const struct session_scope *scope, const struct route *r)
{
    for (size_t i = 0; i < scope->n_routes; i++)
        if (scope->routes[i] == route_code(r))
            return true;
    return scope->n_routes == 0;
}

void scope_check_route(struct call *c)
{
    const struct session_scope *scope = &c->session.scope;
    const struct route *r = c->route;
    if (!scope_is_narrowed(scope))
        return;
    if (scope->expires_at && scope_now_s(c) >= scope->expires_at)
        call_fail(c, 401, "SESSION_STRING_EXPIRED",
                  "This session string was narrowed to a time that is over: ask its owner for "
                  "another");
    else if (r->scope == SCOPE_ACCOUNT)
        call_fail(c, 403, "SCOPE_ACCOUNT",
                  "A narrowed session string may not touch the account itself");
    else if (scope->read_only && r->scope == SCOPE_WRITE)
        call_fail(c, 403, "SCOPE_READ_ONLY", "This session string may only read");
    else if (scope->n_chats && r->reach != REACH_CHATS && r->scope != SCOPE_NARROW)
        call_fail(c, 403, "SCOPE_CHATS", "This session string may only touch some chats");
    else if (r->scope != SCOPE_NARROW && !lists_route(scope, r))
        call_fail(c, 403, "SCOPE_ROUTES", "This session string may not be used for %s %s",
                  r->method, r->path);
}

/* ---- chats ---- */

static bool lists_chat(const struct session_scope *scope, int64_t marked_id)
{
    for (size_t i = 0; i < scope->n_chats; i++)
        if (scope->chats[i] == marked_id)
            return true;
    return false;
}

bool scope_allows_chat(const struct session *s, int64_t marked_id)
{
    return s->scope.n_chats == 0 || lists_chat(&s->scope, marked_id);
}

bool scope_check_peer(struct call *c, const char *field, const struct peer_ref *peer)
{
    const struct session_scope *scope = &c->session.scope;
    int64_t id = peer->self ? c->session.user_id : peer_marked_id(peer->kind, peer->id);
    if (!scope_is_narrowed(scope) || lists_chat(scope, id))
        return true;
    if (scope->n_chats)
        call_fail(c, 403, "SCOPE_CHATS", "This session string may not touch this chat");
    else if (id == SERVICE_USER_ID)
        call_fail(c, 403, "SCOPE_ACCOUNT",
                  "A narrowed session string may not read Telegram's login codes");
    else
        return true;
    c->error.field = field;
    return false;
}

/* ---- methods ---- */

/* Where a method writes, nobody has thought of all that it may reach: the account's messages by
 * their ids, its login by a token. The other routes write; here a narrowed string reads. */
void scope_check_method(struct call *c, const struct tl_combinator *method)
{
    struct slice name = slice_str(method->name);
    if (!scope_is_narrowed(&c->session.scope))
        return;
    if (slice_starts_with(name, "auth.") || slice_starts_with(name, "account."))
        call_fail(c, 403, "SCOPE_ACCOUNT",
                  "A narrowed session string may not touch the account itself");
    else if (!method_is_read(method))
        call_fail(c, 403, "SCOPE_READ_ONLY",
                  "A narrowed session string calls only methods that read");
}

/* ---- Telegram's own account in queries and answers ---- */

/* Calls visit for each object of the tree until it says true; depth is bounded by how trees are
 * read. */
typedef bool (*object_visit)(struct tl_object *o);

static bool walk(const struct tl_value *v, object_visit visit)
{
    if (v->kind == TL_VECTOR) {
        for (uint32_t i = 0; i < v->vector->n; i++)
            if (walk(&v->vector->items[i], visit))
                return true;
        return false;
    }
    if (v->kind != TL_OBJECT || !v->object)
        return false;
    if (visit(v->object))
        return true;
    for (uint16_t i = 0; i < v->object->ctor->n_fields; i++)
        if (walk(&v->object->fields[i], visit))
            return true;
    return false;
}

static bool names_service(struct tl_object *o)
{
    return (tl_is(o, C_inputPeerUser) || tl_is(o, C_inputUser) ||
            tl_is(o, C_inputPeerUserFromMessage) || tl_is(o, C_inputUserFromMessage)) &&
           tl_int(o, F_user_id) == SERVICE_USER_ID;
}

/* Whether a word is found tells a code as well as the message does, letter by letter. */
static bool searches_all_chats(const struct tl_object *query)
{
    bool everywhere =
        tl_is(query, C_messages_searchGlobal) ||
        (tl_is(query, C_messages_search) && tl_is(tl_obj(query, F_peer), C_inputPeerEmpty));
    return everywhere && tl_text(query, F_q).len > 0;
}

bool scope_check_query(struct call *c, const struct tl_object *query)
{
    struct tl_value v = tl_value_obj(query);
    if (!scope_is_narrowed(&c->session.scope))
        return true;
    if (searches_all_chats(query))
        call_fail(c, 403, "SCOPE_ACCOUNT",
                  "A narrowed session string may not search all chats at once: Telegram's login "
                  "codes are among them");
    else if (walk(&v, names_service))
        call_fail(c, 403, "SCOPE_ACCOUNT",
                  "A narrowed session string may not read Telegram's login codes");
    return !call_failed(c);
}

static bool is_from_service(const struct tl_object *o)
{
    if (tl_is(o, C_updateShortMessage))
        return tl_int(o, F_user_id) == SERVICE_USER_ID;
    return tl_is(o, C_message) && (peer_marked_of_tl(tl_obj(o, F_peer_id)) == SERVICE_USER_ID ||
                                   peer_marked_of_tl(tl_obj(o, F_from_id)) == SERVICE_USER_ID);
}

static bool blank(struct tl_object *o)
{
    if (!is_from_service(o))
        return false;
    tl_set_text(o, F_message, slice_str(""));
    int entities = tl_field_by_symbol(o->ctor, F_entities);
    if (entities >= 0 && o->fields[entities].kind == TL_VECTOR)
        o->fields[entities].vector->n = 0;
    return false;
}

void scope_blank_codes(const struct call *c, struct tl_value *answer)
{
    if (scope_is_narrowed(&c->session.scope))
        (void)walk(answer, blank);
}
