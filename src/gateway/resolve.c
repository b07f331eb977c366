/* SPDX-License-Identifier: MIT */
#include "gateway/resolve.h"

#include "gateway/peer_cache.h"
#include "gateway/scope.h"
#include "gateway/token.h"
#include "telegram/dialogs.h"
#include "telegram/login.h"

enum {
    /* A bare id that nobody has told us the access hash of is looked for in the dialogs: at most
     * 3,000 of them, the archive included. */
    RESOLVE_PAGES_MAX = 30,
    SEALED_REFS_MAX = 8, /* remembered within one answer */
};

static const char ref_purpose[] = "peer";

/* ---- opaque refs ---- */

/* An answer names few peers many times over (who wrote each message), and sealing takes
 * microseconds. */
struct sealed_ref {
    uint8_t payload[PEER_PAYLOAD_MAX];
    size_t len; /* 0 = free */
    struct slice text;
};
struct sealed_refs {
    struct sealed_ref refs[SEALED_REFS_MAX];
    unsigned next; /* the place of the newest */
};

static struct slice seal_ref(struct call *c, struct slice payload)
{
    struct buf text;
    buf_init(&text, 0);
    buf_append_str(&text, PEER_REF_PREFIX);
    token_seal_bytes(call_token_keys(c), call_rng(c), ref_purpose, payload, &text);
    struct slice kept = arena_copy(c->arena, buf_slice(&text));
    buf_free(&text);
    return kept;
}

static struct slice sealed_ref(struct call *c, struct slice payload)
{
    if (!c->refs && !(c->refs = arena_alloc(c->arena, sizeof *c->refs)))
        return seal_ref(c, payload);
    for (size_t i = 0; i < SEALED_REFS_MAX; i++)
        if (slice_eq(slice_of(c->refs->refs[i].payload, c->refs->refs[i].len), payload))
            return c->refs->refs[i].text;
    struct sealed_ref *r = &c->refs->refs[c->refs->next++ % SEALED_REFS_MAX];
    memcpy(r->payload, payload.data, payload.len);
    r->len = payload.len;
    r->text = seal_ref(c, payload);
    return r->text;
}

void write_peer_ref(void *ctx, struct json_writer *w, const struct peer_ref *peer)
{
    uint8_t payload[PEER_PAYLOAD_MAX];
    if (peer_usable(peer))
        json_string(w, sealed_ref(ctx, slice_of(payload, peer_encode(peer, payload))));
    else
        json_null(w);
}

static bool open_ref(struct call *c, const char *field, struct slice text, struct peer_ref *out)
{
    uint8_t payload[TOKEN_SMALL_MAX];
    size_t n = 0;
    size_t skip = sizeof PEER_REF_PREFIX - 1;
    if (slice_starts_with(text, PEER_REF_PREFIX))
        text = slice_of(text.data + skip, text.len - skip);
    if (token_open_bytes(call_token_keys(c), ref_purpose, text, payload, &n) &&
        peer_decode(slice_of(payload, n), out))
        return true;
    call_fail_field(c, field, "%s is not a ref of this gateway (or of one with the same key file)",
                    field);
    return false;
}

/* ---- what answers tell ---- */

static void remember_vector(struct call *c, const struct tl_object *answer, uint16_t f)
{
    for (uint32_t i = 0; i < tl_count(answer, f); i++) {
        struct peer_ref peer = peer_of_object(tl_item_obj(answer, f, i));
        peer_cache_put(call_peer_cache(c), c->session.key.id, &peer);
    }
}

void resolve_remember(struct call *c, const struct tl_object *answer)
{
    remember_vector(c, answer, F_users);
    remember_vector(c, answer, F_chats);
}

static bool not_found(struct call *c, const char *field, const char *format, struct slice what)
{
    call_fail(c, 404, "CHAT_NOT_FOUND", format, (int)what.len, (const char *)what.data);
    c->error.field = field;
    return false;
}

/* ---- bare ids ---- */

/* Contacts are people one may write to without ever having had a dialog. */
static bool find_in_contacts(struct call *c, int64_t user_id, struct peer_ref *out)
{
    struct tl_object *q = tl_new(&c->b, C_contacts_getContacts);
    tl_set_int(q, F_hash, 0);
    const struct tl_object *answer = call_invoke(c, q);
    struct directory *directory = directory_new(c->arena);
    directory_add(directory, answer);
    resolve_remember(c, answer);
    *out = peer_of_object(directory_find(directory, PEER_USER, user_id));
    return peer_usable(out);
}

static bool find_in_dialogs(struct call *c, int32_t folder, enum peer_kind kind, int64_t id,
                            struct peer_ref *out)
{
    struct dialogs_cursor cursor = {.folder_id = folder};
    for (int page_number = 0; page_number < RESOLVE_PAGES_MAX; page_number++) {
        const struct tl_object *answer =
            call_invoke(c, request_dialogs(&c->b, &cursor, DIALOGS_PAGE_MAX));
        struct directory *directory = directory_new(c->arena);
        struct dialogs_page page;
        directory_add(directory, answer);
        if (!answer || !dialogs_read(answer, &cursor, DIALOGS_PAGE_MAX, directory, c->arena, &page))
            return false;
        resolve_remember(c, answer);
        *out = peer_of_object(directory_find(directory, kind, id));
        if (peer_usable(out))
            return true;
        if (page.last)
            return false;
        cursor = page.next;
    }
    return false;
}

static bool resolve_id(struct call *c, const char *field, enum peer_kind kind, int64_t id,
                       struct peer_ref *out)
{
    *out = (struct peer_ref){.kind = kind, .id = id};
    if (kind == PEER_CHAT)
        return true;
    if (kind == PEER_USER && id == c->session.user_id) {
        out->self = true;
        return true;
    }
    if (peer_cache_get(call_peer_cache(c), c->session.key.id, kind, id, out))
        return true;
    bool found = find_in_dialogs(c, DIALOGS_FOLDER_MAIN, kind, id, out);
    if (!found && !call_failed(c))
        found = find_in_dialogs(c, DIALOGS_FOLDER_ARCHIVE, kind, id, out);
    if (!found && !call_failed(c) && kind == PEER_USER)
        found = find_in_contacts(c, id, out);
    if (!found && !call_failed(c)) {
        struct slice text =
            slice_str(arena_printf(c->arena, "%lld", (long long)peer_marked_id(kind, id)));
        not_found(c, field,
                  "There is no chat with the id %.*s among this account's dialogs and contacts",
                  text);
    }
    return found;
}

/* ---- names, phones, links ---- */

static const struct tl_object *resolved_object(struct call *c, const struct tl_object *answer)
{
    struct directory *directory = directory_new(c->arena);
    directory_add(directory, answer);
    resolve_remember(c, answer);
    return directory_find_peer(directory, tl_obj(answer, F_peer));
}

bool resolve_username(struct call *c, const char *field, struct slice username,
                      struct peer_ref *out, const struct tl_object **object)
{
    struct peer_cache *cache = call_peer_cache(c);
    if (object)
        *object = NULL;
    else if (peer_cache_get_name(cache, c->session.key.id, username, call_mono_ns(c), out))
        return true;
    const struct tl_object *answer = call_invoke(c, request_resolve_username(&c->b, username));
    if (!answer) {
        if (call_error_is(c, "USERNAME_NOT_OCCUPIED") || call_error_is(c, "USERNAME_INVALID"))
            c->error.field = field;
        return false;
    }
    const struct tl_object *found = resolved_object(c, answer);
    *out = peer_of_object(found);
    if (!peer_usable(out))
        return not_found(c, field, "There is no chat or user @%.*s", username);
    peer_cache_put_name(cache, c->session.key.id, username, call_mono_ns(c), out);
    if (object)
        *object = found;
    return true;
}

static bool resolve_phone(struct call *c, const char *field, struct slice phone,
                          struct peer_ref *out)
{
    const struct tl_object *answer = call_invoke(c, request_resolve_phone(&c->b, phone));
    if (!answer) {
        if (!call_error_is(c, "PHONE_NOT_OCCUPIED"))
            return false;
        call_error_clear(c);
    }
    *out = peer_of_object(answer ? resolved_object(c, answer) : NULL);
    return peer_usable(out) ||
           not_found(c, field, "No account is known by the phone number +%.*s", phone);
}

static bool resolve_invite(struct call *c, const char *field, struct slice hash,
                           struct peer_ref *out)
{
    const struct tl_object *answer = call_invoke(c, request_check_invite(&c->b, hash));
    if (!answer)
        return false;
    *out = peer_of_object(invite_chat(answer));
    if (peer_usable(out)) {
        peer_cache_put(call_peer_cache(c), c->session.key.id, out);
        return true;
    }
    return not_found(
        c, field, "The account is not in the chat of the invite link +%.*s: join it first", hash);
}

bool resolve_address(struct call *c, const char *field, const struct peer_address *address,
                     struct peer_ref *out)
{
    switch (address->form) {
    case ADDRESS_MARKED_ID:
        return resolve_id(c, field, address->kind, address->id, out);
    case ADDRESS_USERNAME:
        return resolve_username(c, field, address->text, out, NULL);
    case ADDRESS_PHONE:
        return resolve_phone(c, field, address->text, out);
    case ADDRESS_SELF:
        *out = (struct peer_ref){.kind = PEER_USER, .self = true, .id = c->session.user_id};
        return true;
    case ADDRESS_INVITE:
        return resolve_invite(c, field, address->text, out);
    case ADDRESS_REF:
        return open_ref(c, field, address->text, out);
    }
    return false;
}

bool resolve_value(struct call *c, const char *field, const struct param_value *value,
                   struct peer_ref *out)
{
    struct peer_address address = {.form = ADDRESS_MARKED_ID};
    if (value->is_number) {
        if (!peer_from_marked(value->i, &address.kind, &address.id)) {
            call_fail_field(
                c, field, "%s is no id of a user (123), group (-123) or channel (-100123)", field);
            return false;
        }
    } else {
        const char *reason = peer_address_parse(value->text, c->arena, &address);
        if (reason) {
            call_fail_field(c, field, "%s: %s", field, reason);
            return false;
        }
    }
    return resolve_address(c, field, &address, out);
}

bool resolve_param(struct call *c, const char *name, struct peer_ref *out)
{
    const struct param_value *value = call_param(c, name);
    struct peer_ref bare = {0};
    /* Of an id it is known at once: a narrowed string need not look for chats that it may not
     * touch.
     */
    int64_t id = value->i;
    if ((value->is_number || slice_to_i64(value->text, &id)) &&
        peer_from_marked(id, &bare.kind, &bare.id) && !scope_check_peer(c, name, &bare))
        return false;
    return resolve_value(c, name, value, out) && scope_check_peer(c, name, out);
}

struct slice resolve_canonical(struct call *c, const struct peer_ref *peer)
{
    if (peer->self)
        return slice_str("self");
    return slice_str(
        arena_printf(c->arena, "%lld", (long long)peer_marked_id(peer->kind, peer->id)));
}
