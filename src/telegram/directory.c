/* SPDX-License-Identifier: MIT
 * An open-addressed table of an answer's users and chats. */
#include "telegram/directory.h"

struct slot {
    enum peer_kind kind; /* PEER_NONE = free */
    int64_t id;
    const struct tl_object *object;
};

struct directory {
    struct arena *arena;
    struct slot *slots;
    size_t n;
    size_t cap; /* 0 or a power of two, at least twice n */
    const struct tl_object *self;
};

struct directory *directory_new(struct arena *a)
{
    struct directory *d = arena_alloc(a, sizeof *d);
    if (d)
        d->arena = a;
    return d;
}

/* The slot of a peer, or the free one where it belongs. cap > n. */
static struct slot *slot_of(const struct directory *d, enum peer_kind kind, int64_t id)
{
    uint64_t hash = ((uint64_t)id * 4 + kind) * 0x9e3779b97f4a7c15u;
    size_t at = (size_t)(hash >> 32) & (d->cap - 1);
    while (d->slots[at].kind != PEER_NONE && (d->slots[at].kind != kind || d->slots[at].id != id))
        at = (at + 1) & (d->cap - 1);
    return &d->slots[at];
}

/* Room for `more` peers; false without memory. */
static bool reserve(struct directory *d, size_t more)
{
    enum { CAP_MIN = 16 };
    size_t cap = d->cap ? d->cap : CAP_MIN;
    while (cap < 2 * (d->n + more))
        cap *= 2;
    if (cap == d->cap)
        return true;
    struct slot *old = d->slots, *fresh = arena_array(d->arena, cap, sizeof *fresh);
    size_t old_cap = d->cap;
    if (!fresh)
        return false;
    d->slots = fresh;
    d->cap = cap;
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].kind != PEER_NONE)
            *slot_of(d, old[i].kind, old[i].id) = old[i];
    return true;
}

static void add_object(struct directory *d, const struct tl_object *o)
{
    struct peer_ref p = peer_of_object(o);
    if (p.kind == PEER_NONE || !reserve(d, 1))
        return;
    struct slot *slot = slot_of(d, p.kind, p.id);
    d->n += slot->kind == PEER_NONE;
    if (p.self)
        d->self = o;
    bool worse = slot->object && tl_bool(o, F_min) && !tl_bool(slot->object, F_min);
    if (!worse)
        *slot = (struct slot){p.kind, p.id, o};
}

void directory_add_vector(struct directory *d, const struct tl_vector *vector)
{
    if (!d || !vector || !reserve(d, vector->n))
        return;
    for (uint32_t i = 0; i < vector->n; i++)
        if (vector->items[i].kind == TL_OBJECT)
            add_object(d, vector->items[i].object);
}

static void add_field(struct directory *d, const struct tl_object *answer, uint16_t f_symbol)
{
    const struct tl_value *v = tl_get(answer, f_symbol);
    if (v->kind == TL_VECTOR)
        directory_add_vector(d, v->vector);
    else if (v->kind == TL_OBJECT)
        add_object(d, v->object);
}

void directory_add(struct directory *d, const struct tl_object *answer)
{
    if (!d || !answer)
        return;
    static const uint16_t fields[] = {F_users, F_chats, F_user, F_chat};
    const struct tl_object *inner = tl_obj(answer, F_updates);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        add_field(d, answer, fields[i]);
        add_field(d, inner, fields[i]);
    }
}

const struct tl_object *directory_find(const struct directory *d, enum peer_kind kind, int64_t id)
{
    return d && d->cap && kind != PEER_NONE ? slot_of(d, kind, id)->object : NULL;
}

const struct tl_object *directory_find_peer(const struct directory *d, const struct tl_object *peer)
{
    struct peer_ref p = peer_of_tl(peer);
    return directory_find(d, p.kind, p.id);
}

struct peer_ref directory_ref(const struct directory *d, const struct tl_object *peer)
{
    const struct tl_object *known = directory_find_peer(d, peer);
    return known ? peer_of_object(known) : peer_of_tl(peer);
}

struct peer_ref directory_ref_in(const struct directory *d, const struct tl_object *peer,
                                 const struct tl_object *message)
{
    struct peer_ref p = directory_ref(d, peer);
    if (peer_usable(&p) || p.kind == PEER_NONE)
        return p;
    struct peer_ref chat = directory_ref(d, tl_obj(message, F_peer_id));
    bool reachable = chat.kind == PEER_CHAT || chat.has_hash;
    if (reachable && !peer_same(&p, &chat))
        p.origin = (struct peer_origin){chat.kind, chat.id, chat.access_hash,
                                        (int32_t)tl_int(message, F_id)};
    return p;
}

const struct tl_object *directory_self(const struct directory *d)
{
    return d ? d->self : NULL;
}

/* ---- one User or Chat ---- */

struct slice peer_name(const struct tl_object *user_or_chat, struct arena *a)
{
    if (tl_has(user_or_chat, F_title))
        return tl_text(user_or_chat, F_title);
    if (tl_bool(user_or_chat, F_deleted) || tl_is(user_or_chat, C_userEmpty))
        return slice_str("Deleted Account");
    struct slice first = tl_text(user_or_chat, F_first_name),
                 last = tl_text(user_or_chat, F_last_name);
    if (first.len == 0 || last.len == 0)
        return first.len ? first : last;
    uint8_t *both = arena_alloc_raw(a, first.len + 1 + last.len);
    if (!both)
        return first;
    memcpy(both, first.data, first.len);
    both[first.len] = ' ';
    memcpy(both + first.len + 1, last.data, last.len);
    return slice_of(both, first.len + 1 + last.len);
}

struct slice peer_username(const struct tl_object *user_or_chat)
{
    struct slice name = tl_text(user_or_chat, F_username);
    for (uint32_t i = 0; name.len == 0 && i < tl_count(user_or_chat, F_usernames); i++) {
        const struct tl_object *one = tl_item_obj(user_or_chat, F_usernames, i);
        if (tl_bool(one, F_active))
            name = tl_text(one, F_username);
    }
    return name;
}

const char *peer_chat_type(const struct tl_object *user_or_chat)
{
    switch (peer_of_object(user_or_chat).kind) {
    case PEER_CHAT:
        return "group";
    case PEER_CHANNEL:
        return tl_bool(user_or_chat, F_broadcast) ? "channel" : "supergroup";
    default:
        return "private";
    }
}
