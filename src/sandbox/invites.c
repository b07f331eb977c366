/* SPDX-License-Identifier: MIT
 * Invite links: made, looked at, used; join requests. */
#include <stdlib.h>

#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/input.h"
#include "sandbox/join.h"
#include "sandbox/members.h"
#include "sandbox/methods_world.h"
#include "sandbox/peer_photo.h"
#include "sandbox/service.h"
#include "sandbox/world_parts.h"

enum { INVITE_TITLE_UNITS_MAX = 32, USAGE_LIMIT_MAX = 99999, LINKS_PAGE_MAX = 100 };

/* The hash in what a client sends: bare, or with the + of the link. */
static struct slice bare_hash(struct slice hash)
{
    return hash.len && hash.data[0] == '+' ? slice_of(hash.data + 1, hash.len - 1) : hash;
}

/* The hash in a whole link. */
static struct slice link_hash(struct slice link)
{
    size_t at = link.len;
    while (at > 0 && link.data[at - 1] != '/' && link.data[at - 1] != '+')
        at--;
    return slice_of(link.data + at, link.len - at);
}

/* A chat of which self may handle the links. */
static struct chat *invite_chat(struct request *r)
{
    struct chat *c = input_chat_peer(r, tl_obj(r->query, F_peer));
    return c && require_right(r, c, ADMIN_INVITE, 0) ? c : NULL;
}

/* ---- making ---- */

static const char *read_invite(struct request *r, struct invite *i)
{
    int64_t expires = tl_int(r->query, F_expire_date), limit = tl_int(r->query, F_usage_limit);
    struct slice title = tl_text(r->query, F_title);
    if (expires && expires <= r->now_s)
        return "EXPIRE_DATE_INVALID";
    if (limit < 0 || limit > USAGE_LIMIT_MAX || (limit && i->request_needed))
        return "USAGE_LIMIT_INVALID";
    if (tl_has(r->query, F_expire_date))
        i->expires = (int32_t)expires;
    if (tl_has(r->query, F_usage_limit))
        i->usage_limit = (int32_t)limit;
    if (utf16_length(title) <= INVITE_TITLE_UNITS_MAX && tl_has(r->query, F_title) &&
        !text_replace(&i->title, title))
        return "INTERNAL_SERVER_ERROR";
    return NULL;
}

static struct tl_value export_invite(struct request *r)
{
    struct chat *c = invite_chat(r);
    if (!c)
        return refused();
    struct invite wanted = {.request_needed = tl_bool(r->query, F_request_needed)};
    const char *error = read_invite(r, &wanted);
    free(wanted.title);
    if (error)
        return fail(r, 400, error);
    struct invite *link = world_add_invite(r->world, c, r->self->id, r->now_s);
    if (!link)
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    link->request_needed = wanted.request_needed;
    if (tl_bool(r->query, F_legacy_revoke_permanent)) {
        for (uint32_t i = 0; i < c->n_invites; i++)
            if (c->invites[i]->permanent && c->invites[i]->admin_id == r->self->id)
                c->invites[i]->revoked = true;
        link->permanent = true;
    }
    read_invite(r, link);
    return tl_value_obj(build_invite(r, link));
}

static struct tl_value get_invites(struct request *r)
{
    struct chat *c = invite_chat(r);
    const struct user *admin = c ? input_user(r, tl_obj(r->query, F_admin_id)) : NULL;
    if (!admin)
        return refused();
    bool revoked = tl_bool(r->query, F_revoked);
    int64_t limit = tl_int(r->query, F_limit), count = 0;
    limit = limit <= 0 || limit > LINKS_PAGE_MAX ? LINKS_PAGE_MAX : limit;
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, C_messages_exportedChatInvites);
    struct tl_vector *list = tl_set_vec(&r->b, o, F_invites);
    for (uint32_t i = c->n_invites; i-- > 0;) {
        if (c->invites[i]->admin_id != admin->id || c->invites[i]->revoked != revoked)
            continue;
        if (count++ < limit)
            tl_push_obj(&r->b, list, build_invite(r, c->invites[i]));
    }
    tl_set_int(o, F_count, count);
    peers_add(r, &peers, admin->id);
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

static struct tl_value edit_invite(struct request *r)
{
    struct chat *c = invite_chat(r);
    if (!c)
        return refused();
    struct invite *link = world_invite(r->world, link_hash(tl_text(r->query, F_link)));
    if (!link || link->peer != c->peer)
        return fail(r, 400, "INVITE_HASH_EXPIRED");
    if (tl_bool(r->query, F_revoked)) {
        link->revoked = true;
    } else {
        const char *error = link->permanent ? "CHAT_INVITE_PERMANENT" : read_invite(r, link);
        if (error)
            return fail(r, 400, error);
        if (tl_has(r->query, F_request_needed))
            link->request_needed = tl_bool(r->query, F_request_needed);
    }
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, C_messages_exportedChatInvite);
    tl_set_obj(o, F_invite, build_invite(r, link));
    peers_add(r, &peers, link->admin_id);
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

/* ---- using ---- */

/* The link and its chat, or refused. */
static struct invite *query_invite(struct request *r, struct chat **c)
{
    struct slice hash = bare_hash(tl_text(r->query, F_hash));
    struct invite *link = hash.len ? world_invite(r->world, hash) : NULL;
    *c = link ? world_chat(r->world, link->peer) : NULL;
    if (hash.len == 0)
        fail(r, 400, "INVITE_HASH_EMPTY");
    else if (!*c)
        fail(r, 400, "INVITE_HASH_INVALID");
    return *c ? link : NULL;
}

static struct tl_object *build_preview(struct request *r, const struct chat *c,
                                       const struct invite *link)
{
    struct tl_object *o = tl_new(&r->b, C_chatInvite);
    bool channel = peer_kind(c->peer) == PEER_CHANNEL;
    tl_set_bool(o, F_channel, channel);
    tl_set_bool(o, F_broadcast, c->flags & CHAT_BROADCAST);
    tl_set_bool(o, F_public, c->username[0]);
    tl_set_bool(o, F_megagroup, c->flags & CHAT_MEGAGROUP);
    tl_set_bool(o, F_request_needed, link->request_needed);
    tl_set_str(o, F_title, c->title);
    if (c->about[0])
        tl_set_str(o, F_about, c->about);
    tl_set_obj(o, F_photo, build_photo(r, photo_list_shown(&c->photos)));
    tl_set_int(o, F_participants_count, c->n_joined);
    tl_set_int(o, F_color, 0);
    return o;
}

static struct tl_value check_invite(struct request *r)
{
    struct chat *c;
    const struct invite *link = query_invite(r, &c);
    if (!link)
        return refused();
    if (chat_has(c, r->self->id)) {
        struct tl_object *o = tl_new(&r->b, C_chatInviteAlready);
        tl_set_obj(o, F_chat, build_chat(r, c));
        return tl_value_obj(o);
    }
    if (invite_expired(link, r->now_s))
        return fail(r, 400, "INVITE_HASH_EXPIRED");
    return tl_value_obj(build_preview(r, c, link));
}

static const char *import_refusal(struct request *r, const struct chat *c,
                                  const struct invite *link)
{
    if (chat_has(c, r->self->id))
        return "USER_ALREADY_PARTICIPANT";
    /* for somebody who was thrown out the link is as good as gone */
    const struct member *m = chat_member(c, r->self->id);
    bool kicked = m && m->state == MEMBER_KICKED &&
                  (chat_banned_rights(c, r->self->id, r->now_s) & BANNED_VIEW);
    bool group_kicked = m && m->state == MEMBER_KICKED && peer_kind(c->peer) == PEER_CHAT;
    if (kicked || group_kicked || invite_expired(link, r->now_s))
        return "INVITE_HASH_EXPIRED";
    if (peer_kind(c->peer) == PEER_CHAT && c->n_joined >= CHAT_MEMBERS_MAX)
        return "USERS_TOO_MUCH";
    return NULL;
}

static struct tl_value import_invite(struct request *r)
{
    struct chat *c;
    struct invite *link = query_invite(r, &c);
    if (!link)
        return refused();
    const char *error = import_refusal(r, c, link);
    if (error)
        return fail(r, 400, error);
    struct cause cause;
    cause_begin(r, &cause);
    if (link->request_needed) {
        uint32_t at;
        link->requested += !chat_request_find(c, r->self->id, &at);
        world_request_join(r, c);
        cause_end(r);
        return fail(r, 400, "INVITE_REQUEST_SENT");
    }
    if (!admit(r->world, c, r->self, ACTION_JOINED_BY_LINK, link->admin_id, r->now_s)) {
        cause_end(r);
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    }
    link->usage++;
    return join_answer(r, &cause);
}

/* ---- join requests ---- */

static struct tl_value hide_request(struct request *r)
{
    struct chat *c = invite_chat(r);
    struct user *u = c ? input_user(r, tl_obj(r->query, F_user_id)) : NULL;
    if (!u)
        return refused();
    uint32_t at;
    if (chat_has(c, u->id))
        return fail(r, 400, "USER_ALREADY_PARTICIPANT");
    if (!chat_request_find(c, u->id, &at))
        return fail(r, 400, "HIDE_REQUESTER_MISSING");
    struct cause cause;
    cause_begin(r, &cause);
    chat_request_remove(c, u->id);
    if (tl_bool(r->query, F_approved))
        admit(r->world, c, u, ACTION_JOINED_BY_REQUEST, r->self->id, r->now_s);
    world_tell(
        r->world, r->self,
        (struct update){.type = &world_updates[U_JOIN_REQUESTS], .date = r->now_s, .a = c->peer});
    return cause_answer(r, &cause);
}

static struct tl_value get_importers(struct request *r)
{
    struct chat *c = invite_chat(r);
    if (!c)
        return refused();
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, C_messages_chatInviteImporters);
    struct tl_vector *list = tl_set_vec(&r->b, o, F_importers);
    bool requested = tl_bool(r->query, F_requested);
    for (uint32_t i = 0; requested && i < c->n_requests; i++) {
        struct tl_object *one = tl_new(&r->b, C_chatInviteImporter);
        tl_set_bool(one, F_requested, true);
        tl_set_int(one, F_user_id, c->requests[i].user_id);
        tl_set_int(one, F_date, c->requests[i].date);
        tl_push_obj(&r->b, list, one);
        peers_add(r, &peers, c->requests[i].user_id);
    }
    tl_set_int(o, F_count, requested ? c->n_requests : 0);
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

static const struct method methods[] = {
    {C_messages_exportChatInvite, 0, export_invite},
    {C_messages_getExportedChatInvites, 0, get_invites},
    {C_messages_editExportedChatInvite, 0, edit_invite},
    {C_messages_checkChatInvite, 0, check_invite},
    {C_messages_importChatInvite, 0, import_invite},
    {C_messages_hideChatJoinRequest, 0, hide_request},
    {C_messages_getChatInviteImporters, 0, get_importers},
};
const struct method_table invites_methods = {methods, sizeof methods / sizeof *methods};
