/* SPDX-License-Identifier: MIT
 * Groups and channels: members, rights, invite links. */
#include <stdlib.h>

#include "sandbox/chat.h"
#include "sandbox/message.h"
#include "sandbox/world_parts.h"

void contact_free(struct contact *c)
{
    if (!c)
        return;
    free(c->first_name);
    free(c->last_name);
    free(c->phone);
    free(c);
}

void invite_free(struct invite *i)
{
    if (!i)
        return;
    free(i->hash);
    free(i->title);
    free(i);
}

void chat_free(struct chat *c)
{
    if (!c)
        return;
    free(c->title);
    free(c->about);
    free(c->username);
    for (uint32_t i = 0; i < c->n_members; i++) {
        free(c->members[i]->rank);
        free(c->members[i]);
    }
    free(c->members);
    id_map_free(&c->member_of);
    free(c->invites);
    free(c->requests);
    for (uint32_t i = 0; i < c->n_slots; i++) {
        if (!c->slots[i])
            continue;
        message_extra_free(c->slots[i]->extra);
        free(c->slots[i]);
    }
    free(c->slots);
    free(c->live.ids);
    photo_list_free(&c->photos);
    free(c->pinned.ids);
    update_log_free(&c->log);
    free(c);
}

/* ---- chats ---- */

struct chat *world_add_chat(struct world *w, enum peer_kind kind, struct slice title,
                            struct slice about, uint32_t flags, int64_t creator_id, int32_t now)
{
    struct chat *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    update_log_init(&c->log);
    bool group = kind == PEER_CHAT;
    int64_t *next = group ? &w->next_chat_id : &w->next_channel_id;
    c->peer = group ? peer_of_chat(*next) : peer_of_channel(*next);
    c->flags = flags;
    c->creator_id = creator_id;
    c->date = now;
    c->version = 1;
    bool ok = text_replace(&c->title, title) && text_replace(&c->about, about) &&
              text_replace(&c->username, slice_str("")) && id_map_put(&w->chats, c->peer, c);
    if (!ok) {
        chat_free(c);
        return NULL;
    }
    *next += 1 + (int64_t)rng_below(&w->rng, 1000);
    return c;
}

bool chat_set_title(struct chat *c, struct slice title)
{
    return text_replace(&c->title, title);
}

bool chat_set_about(struct chat *c, struct slice about)
{
    return text_replace(&c->about, about);
}

/* ---- members ---- */

struct member *chat_member(const struct chat *c, int64_t user_id)
{
    return id_map_get(&c->member_of, user_id);
}

bool chat_has(const struct chat *c, int64_t user_id)
{
    const struct member *m = chat_member(c, user_id);
    return m && m->state == MEMBER_JOINED;
}

static struct member *member_of(struct chat *c, int64_t user_id)
{
    struct member *m = chat_member(c, user_id);
    if (m)
        return m;
    if (!grow(&c->members, &c->members_cap, sizeof c->members_cap, c->n_members,
              sizeof(*c->members)))
        return NULL;
    m = calloc(1, sizeof *m);
    if (m)
        m->rank = text_dup(slice_str(""));
    if (!m || !m->rank || !id_map_put(&c->member_of, user_id, m)) {
        if (m)
            free(m->rank);
        free(m);
        return NULL;
    }
    m->user_id = user_id;
    m->creator = user_id == c->creator_id;
    c->members[c->n_members++] = m;
    return m;
}

struct member *chat_join(struct chat *c, struct user *u, int64_t inviter_id, int32_t now)
{
    struct member *m = member_of(c, u->id);
    struct dialog *d = m ? user_dialog(u, c->peer) : NULL;
    if (!d)
        return NULL;
    if (m->state != MEMBER_JOINED)
        c->n_joined++;
    m->state = MEMBER_JOINED;
    m->inviter_id = inviter_id;
    m->date = now;
    m->banned &= ~(uint32_t)BANNED_VIEW;
    d->hidden = false;
    d->date = now;
    if (peer_kind(c->peer) == PEER_CHANNEL) {
        m->first_visible =
            (c->flags & CHAT_HISTORY_HIDDEN) && !m->creator ? (int32_t)c->n_slots + 1 : 0;
        d->read_inbox_max = (int32_t)c->n_slots;
    }
    c->version++;
    chat_request_remove(c, u->id);
    return m;
}

struct member *chat_part(struct chat *c, struct user *u, enum member_state state, int32_t now)
{
    struct member *m = member_of(c, u->id);
    if (!m)
        return NULL;
    if (m->state == MEMBER_JOINED)
        c->n_joined--;
    m->state = state;
    m->admin = 0;
    m->date = now;
    c->version++;
    struct dialog *d = user_dialog_find(u, c->peer);
    if (d && peer_kind(c->peer) == PEER_CHANNEL) {
        d->hidden = true;
        d->pinned_rank = 0;
    }
    return m;
}

bool member_set_rank(struct member *m, struct slice rank)
{
    return text_replace(&m->rank, rank);
}

/* ---- rights ---- */

uint32_t chat_admin_rights(const struct chat *c, int64_t user_id)
{
    const struct member *m = chat_member(c, user_id);
    if (!m || m->state != MEMBER_JOINED)
        return 0;
    return m->creator ? ADMIN_ALL | (m->admin & ADMIN_ANONYMOUS) : m->admin;
}

bool chat_is_admin(const struct chat *c, int64_t user_id)
{
    return chat_admin_rights(c, user_id) != 0;
}

uint32_t chat_banned_rights(const struct chat *c, int64_t user_id, int32_t now)
{
    if (chat_is_admin(c, user_id))
        return 0;
    const struct member *m = chat_member(c, user_id);
    uint32_t banned = c->default_banned;
    if (m && (m->banned_until == 0 || m->banned_until > now))
        banned |= m->banned;
    return banned;
}

bool chat_visible_to(const struct chat *c, int64_t user_id, int32_t now)
{
    if (chat_has(c, user_id))
        return true;
    bool banned = chat_banned_rights(c, user_id, now) & BANNED_VIEW;
    return peer_kind(c->peer) == PEER_CHANNEL && c->username[0] && !banned;
}

bool chat_allows(const struct chat *c, int64_t user_id, enum admin_right right, uint32_t banned_bit,
                 int32_t now)
{
    if (!chat_has(c, user_id))
        return false;
    if (chat_admin_rights(c, user_id) & right)
        return true;
    if (!banned_bit || (c->flags & CHAT_BROADCAST))
        return false;
    const struct member *m = chat_member(c, user_id);
    /* an admin without the right still has what every member has */
    uint32_t banned =
        chat_is_admin(c, user_id) ? c->default_banned : chat_banned_rights(c, user_id, now);
    return m && !(banned & banned_bit);
}

/* ---- invite links ---- */

enum { INVITE_HASH_CHARS = 16 };

static void invite_hash(struct world *w, char out[static INVITE_HASH_CHARS + 1])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (int i = 0; i < INVITE_HASH_CHARS; i++)
        out[i] = alphabet[rng_below(&w->rng, sizeof alphabet - 1)];
    out[INVITE_HASH_CHARS] = '\0';
}

struct invite *world_add_invite(struct world *w, struct chat *c, int64_t admin_id, int32_t now)
{
    char hash[INVITE_HASH_CHARS + 1];
    invite_hash(w, hash);
    return world_add_invite_as(w, c, admin_id, slice_str(hash), now);
}

struct invite *world_add_invite_as(struct world *w, struct chat *c, int64_t admin_id,
                                   struct slice hash, int32_t now)
{
    if (!grow(&w->invite_list, &w->invites_cap, sizeof w->invites_cap, w->n_invites,
              sizeof(*w->invite_list)) ||
        !grow(&c->invites, &c->invites_cap, sizeof c->invites_cap, c->n_invites,
              sizeof(*c->invites)))
        return NULL;
    struct invite *i = calloc(1, sizeof *i);
    if (!i)
        return NULL;
    *i = (struct invite){.hash = text_dup(hash),
                         .title = text_dup(slice_str("")),
                         .admin_id = admin_id,
                         .peer = c->peer,
                         .date = now};
    if (!i->hash || !i->title ||
        !name_map_put(&w->invite_hashes, hash, (int64_t)w->n_invites + 1)) {
        invite_free(i);
        return NULL;
    }
    w->invite_list[w->n_invites++] = i;
    c->invites[c->n_invites++] = i;
    return i;
}

struct invite *world_invite(const struct world *w, struct slice hash)
{
    int64_t index = name_map_get(&w->invite_hashes, hash);
    return index ? w->invite_list[index - 1] : NULL;
}

struct invite *chat_permanent_invite(struct world *w, struct chat *c, int64_t admin_id, int32_t now)
{
    for (uint32_t i = 0; i < c->n_invites; i++)
        if (c->invites[i]->permanent && !c->invites[i]->revoked &&
            c->invites[i]->admin_id == admin_id)
            return c->invites[i];
    struct invite *link = world_add_invite(w, c, admin_id, now);
    if (link)
        link->permanent = true;
    return link;
}

bool invite_expired(const struct invite *i, int32_t now)
{
    return i->revoked || (i->expires && i->expires <= now) ||
           (i->usage_limit && i->usage >= i->usage_limit);
}

/* ---- join requests ---- */

bool chat_request_find(const struct chat *c, int64_t user_id, uint32_t *index)
{
    for (uint32_t i = 0; i < c->n_requests; i++) {
        if (c->requests[i].user_id == user_id) {
            *index = i;
            return true;
        }
    }
    return false;
}

bool chat_request_add(struct chat *c, int64_t user_id, int32_t now)
{
    uint32_t at;
    if (chat_request_find(c, user_id, &at))
        return true;
    if (!grow(&c->requests, &c->requests_cap, sizeof c->requests_cap, c->n_requests,
              sizeof(*c->requests)))
        return false;
    c->requests[c->n_requests++] = (struct join_request){user_id, now};
    return true;
}

void chat_request_remove(struct chat *c, int64_t user_id)
{
    uint32_t at;
    if (!chat_request_find(c, user_id, &at))
        return;
    memmove(c->requests + at, c->requests + at + 1,
            (c->n_requests - at - 1) * sizeof(*c->requests));
    c->n_requests--;
}
