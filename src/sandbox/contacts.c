/* SPDX-License-Identifier: MIT
 * contacts.*: the list, import, look-up by username and phone, search, blocking. */
#include <stdlib.h>

#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/input.h"
#include "sandbox/magic.h"
#include "sandbox/methods_world.h"
#include "sandbox/world_parts.h"

enum { CONTACTS_MAX = 10000, IMPORT_MAX = 500, SEARCH_MAX = 50, SEARCH_UNITS_MIN = 1 };

/* ---- the list ---- */

static int by_id(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Ids of self's contacts, ascending; *n of them, in the request's arena. */
static int64_t *contact_ids(struct request *r, uint32_t *n)
{
    const struct id_map *m = &r->self->contacts;
    int64_t *ids = arena_array(r->arena, m->n, sizeof *ids);
    *n = 0;
    for (size_t i = 0; ids && i < m->slots; i++)
        if (m->values[i])
            ids[(*n)++] = m->keys[i];
    if (*n)
        qsort(ids, *n, sizeof *ids, by_id);
    return ids;
}

static struct tl_value get_contacts(struct request *r)
{
    uint32_t n;
    int64_t *ids = contact_ids(r, &n);
    struct id_hash hash = {0};
    id_hash_add(&hash, n); /* the list's hash begins with its length */
    for (uint32_t i = 0; i < n; i++)
        id_hash_add(&hash, ids[i]);
    if (tl_int(r->query, F_hash) && (uint64_t)tl_int(r->query, F_hash) == hash.acc)
        return tl_value_obj(tl_new(&r->b, C_contacts_contactsNotModified));
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, C_contacts_contacts);
    struct tl_vector *list = tl_set_vec(&r->b, o, F_contacts);
    for (uint32_t i = 0; i < n; i++) {
        const struct user *u = world_user(r->world, ids[i]);
        struct tl_object *contact = tl_new(&r->b, C_contact);
        tl_set_int(contact, F_user_id, ids[i]);
        tl_set_bool(contact, F_mutual, u && id_map_get(&u->contacts, r->self->id));
        tl_push_obj(&r->b, list, contact);
        peers_add(r, &peers, ids[i]);
    }
    tl_set_int(o, F_saved_count, 0);
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

static struct tl_value get_statuses(struct request *r)
{
    uint32_t n;
    int64_t *ids = contact_ids(r, &n);
    struct tl_vector *list = tl_new_vec(&r->b);
    for (uint32_t i = 0; i < n; i++) {
        struct tl_object *o = tl_new(&r->b, C_contactStatus);
        tl_set_int(o, F_user_id, ids[i]);
        tl_set_obj(o, F_status, build_user_status(r, world_user(r->world, ids[i])));
        tl_push_obj(&r->b, list, o);
    }
    return tl_value_vec(list);
}

bool user_add_contact(struct user *owner, const struct user *u, struct slice first,
                      struct slice last)
{
    struct contact *c = id_map_get(&owner->contacts, u->id);
    if (!c) {
        c = calloc(1, sizeof *c);
        if (!c || !id_map_put(&owner->contacts, u->id, c)) {
            free(c);
            return false;
        }
        c->user_id = u->id;
    }
    return text_replace(&c->first_name, first) && text_replace(&c->last_name, last) &&
           text_replace(&c->phone, slice_str(u->phone));
}

static struct tl_value import_contacts(struct request *r)
{
    uint32_t n = tl_count(r->query, F_contacts);
    if (n > IMPORT_MAX || r->self->contacts.n + n > CONTACTS_MAX)
        return fail(r, 400, "LIMIT_INVALID");
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, C_contacts_importedContacts);
    struct tl_vector *imported = tl_set_vec(&r->b, o, F_imported);
    tl_set_vec(&r->b, o, F_popular_invites);
    tl_set_vec(&r->b, o, F_retry_contacts);
    for (uint32_t i = 0; i < n; i++) {
        const struct tl_object *c = tl_item_obj(r->query, F_contacts, i);
        struct user *u = world_user_by_phone(r->world, tl_text(c, F_phone));
        if (!u)
            continue;
        if (!user_add_contact(r->self, u, tl_text(c, F_first_name), tl_text(c, F_last_name)))
            return fail(r, 500, "INTERNAL_SERVER_ERROR");
        struct tl_object *one = tl_new(&r->b, C_importedContact);
        tl_set_int(one, F_user_id, u->id);
        tl_set_int(one, F_client_id, tl_int(c, F_client_id));
        tl_push_obj(&r->b, imported, one);
        peers_add(r, &peers, u->id);
    }
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

static struct tl_value add_contact(struct request *r)
{
    struct user *u = input_user(r, tl_obj(r->query, F_id));
    if (!u)
        return refused();
    if (u == r->self)
        return fail(r, 400, "CONTACT_ID_INVALID");
    struct slice first = tl_text(r->query, F_first_name);
    if (first.len == 0)
        return fail(r, 400, "CONTACT_NAME_EMPTY");
    if (r->self->contacts.n >= CONTACTS_MAX ||
        !user_add_contact(r->self, u, first, tl_text(r->query, F_last_name)))
        return fail(r, 400, "CONTACT_ADD_MISSING");
    struct cause cause;
    cause_begin(r, &cause);
    world_tell(
        r->world, r->self,
        (struct update){
            .type = &world_updates[U_PEER_SETTINGS], .date = r->now_s, .keep = true, .a = u->id});
    return cause_answer(r, &cause);
}

static struct tl_value delete_contacts(struct request *r)
{
    struct cause cause;
    cause_begin(r, &cause);
    for (uint32_t i = 0; i < tl_count(r->query, F_id); i++) {
        const struct user *u = input_user(r, tl_item_obj(r->query, F_id, i));
        if (!u) {
            cause_end(r);
            return refused();
        }
        struct contact *c = id_map_remove(&r->self->contacts, u->id);
        if (!c)
            continue;
        contact_free(c);
        world_tell(r->world, r->self,
                   (struct update){.type = &world_updates[U_PEER_SETTINGS],
                                   .date = r->now_s,
                                   .keep = true,
                                   .a = u->id});
    }
    return cause_answer(r, &cause);
}

/* ---- look-up ---- */

static struct tl_value resolved(struct request *r, int64_t peer)
{
    struct peers peers = {0};
    peers_add(r, &peers, peer);
    struct tl_object *o = tl_new(&r->b, C_contacts_resolvedPeer);
    tl_set_obj(o, F_peer, build_peer(r, peer));
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

static struct tl_value resolve_username(struct request *r)
{
    enum { SHORTEST = 3, LONGEST = 33 };
    struct slice name = tl_text(r->query, F_username);
    if (name.len < SHORTEST || name.len > LONGEST)
        return fail(r, 400, "USERNAME_INVALID");
    const struct user *magic = magic_user(r->world, name);
    int64_t peer = magic ? magic->id : world_resolve_username(r->world, name);
    return peer ? resolved(r, peer) : fail(r, 400, "USERNAME_NOT_OCCUPIED");
}

static struct tl_value resolve_phone(struct request *r)
{
    const struct user *u = world_user_by_phone(r->world, tl_text(r->query, F_phone));
    return u ? resolved(r, u->id) : fail(r, 400, "PHONE_NOT_OCCUPIED");
}

static bool has_text(const char *text, struct slice q)
{
    return strcasestr(text, (const char *)q.data) != NULL;
}

static bool matches_user(const struct user *u, const struct contact *c, struct slice q)
{
    return has_text(u->username, q) ||
           (c && (has_text(c->first_name, q) || has_text(c->last_name, q)));
}

static void push_found(struct request *r, struct peers *peers, struct tl_vector *to, int64_t peer)
{
    tl_push_obj(&r->b, to, build_peer(r, peer));
    peers_add(r, peers, peer);
}

/* Own contacts and dialogs by name or username; everybody else by the beginning of the username. */
static struct tl_value search_peers(struct request *r)
{
    struct slice q = tl_text(r->query, F_q);
    if (q.len && q.data[0] == '@')
        q = slice_of(q.data + 1, q.len - 1);
    if (utf16_length(q) < SEARCH_UNITS_MIN)
        return fail(r, 400, "SEARCH_QUERY_EMPTY");
    q = arena_copy(r->arena, q); /* NUL-terminated */
    int64_t limit = tl_int(r->query, F_limit);
    limit = limit < 1 || limit > SEARCH_MAX ? SEARCH_MAX : limit;
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, C_contacts_found);
    struct tl_vector *mine = tl_set_vec(&r->b, o, F_my_results),
                     *others = tl_set_vec(&r->b, o, F_results);
    for (size_t i = 0; i < r->world->n_users && peers.n < limit; i++) {
        const struct user *u = r->world->user_list[i];
        const struct contact *c = id_map_get(&r->self->contacts, u->id);
        if (!(u->flags & USER_DELETED) && u != r->self && matches_user(u, c, q))
            push_found(r, &peers, c || user_dialog_find(r->self, u->id) ? mine : others, u->id);
    }
    for (size_t i = 0; i < r->world->chats.slots && peers.n < limit; i++) {
        const struct chat *c = r->world->chats.values[i];
        bool member = c && chat_has(c, r->self->id);
        if (c && ((member && has_text(c->title, q)) || has_text(c->username, q)) &&
            !(c->flags & CHAT_DEACTIVATED))
            push_found(r, &peers, member ? mine : others, c->peer);
    }
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

/* ---- blocking ---- */

static struct tl_value set_blocked(struct request *r, bool blocked)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_id));
    if (!peer)
        return refused();
    if (peer == r->self->id)
        return fail(r, 400, "CONTACT_ID_INVALID");
    bool was = id_map_get(&r->self->blocked, peer) != NULL;
    if (was == blocked)
        return tl_value_bool(true);
    if (!blocked)
        id_map_remove(&r->self->blocked, peer);
    else if (!id_map_put(&r->self->blocked, peer, (void *)(intptr_t)r->now_s))
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    struct cause cause;
    cause_begin(r, &cause);
    world_tell(r->world, r->self,
               (struct update){.type = &world_updates[U_PEER_BLOCKED],
                               .date = r->now_s,
                               .keep = true,
                               .a = peer,
                               .b = blocked});
    cause_end(r);
    return answer_true();
}

static struct tl_value block(struct request *r)
{
    return set_blocked(r, true);
}

static struct tl_value unblock(struct request *r)
{
    return set_blocked(r, false);
}

static struct tl_value get_blocked(struct request *r)
{
    const struct id_map *m = &r->self->blocked;
    int64_t offset = tl_int(r->query, F_offset), limit = tl_int(r->query, F_limit), at = 0;
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, C_contacts_blocked);
    struct tl_vector *list = tl_set_vec(&r->b, o, F_blocked);
    for (size_t i = 0; i < m->slots; i++) {
        if (!m->values[i] || at++ < offset || at > offset + limit)
            continue;
        struct tl_object *one = tl_new(&r->b, C_peerBlocked);
        tl_set_obj(one, F_peer_id, build_peer(r, m->keys[i]));
        tl_set_int(one, F_date, (intptr_t)m->values[i]);
        tl_push_obj(&r->b, list, one);
        peers_add(r, &peers, m->keys[i]);
    }
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

static const struct method methods[] = {
    {C_contacts_getContacts, 0, get_contacts},
    {C_contacts_getStatuses, 0, get_statuses},
    {C_contacts_importContacts, 0, import_contacts},
    {C_contacts_addContact, 0, add_contact},
    {C_contacts_deleteContacts, 0, delete_contacts},
    {C_contacts_resolveUsername, 0, resolve_username},
    {C_contacts_resolvePhone, 0, resolve_phone},
    {C_contacts_search, 0, search_peers},
    {C_contacts_block, 0, block},
    {C_contacts_unblock, 0, unblock},
    {C_contacts_getBlocked, 0, get_blocked},
};
const struct method_table contacts_methods = {methods, sizeof methods / sizeof *methods};
