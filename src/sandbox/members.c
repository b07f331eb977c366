/* SPDX-License-Identifier: MIT
 * channels.*: joining, leaving, members and their rights. */
#include "sandbox/members.h"

#include <stdlib.h>

#include "sandbox/chat.h"
#include "sandbox/chats.h"
#include "sandbox/input.h"
#include "sandbox/join.h"
#include "sandbox/methods_world.h"
#include "sandbox/service.h"

enum {
    INVITE_AT_ONCE_MAX = 100,
    RANK_UNITS_MAX = 16,
    BAN_FOREVER_S = 366 * 86400,
    BAN_SHORTEST_S = 30
};

/* ---- joining and leaving ---- */

struct tl_value join_answer(struct request *r, struct cause *cause)
{
    struct tl_value updates = cause_answer(r, cause);
    if (!tl_schema_bound(r->schema, C_messages_chatInviteJoinResultOk))
        return updates; /* older layers answer the updates themselves */
    struct tl_object *o = tl_new(&r->b, C_messages_chatInviteJoinResultOk);
    tl_set_obj(o, F_updates, updates.object);
    return tl_value_obj(o);
}

void world_request_join(struct request *r, struct chat *c)
{
    chat_request_add(c, r->self->id, r->now_s);
    struct update u = {.type = &world_updates[U_JOIN_REQUESTS], .date = r->now_s, .a = c->peer};
    for (uint32_t i = 0; i < c->n_members; i++) {
        struct user *to = world_user(r->world, c->members[i]->user_id);
        if (to && (chat_admin_rights(c, to->id) & ADMIN_INVITE))
            world_tell(r->world, to, u);
    }
}

static struct tl_value join_channel(struct request *r)
{
    struct chat *c = input_channel_any(r, tl_obj(r->query, F_channel));
    if (!c)
        return refused();
    if (chat_banned_rights(c, r->self->id, r->now_s) & BANNED_VIEW)
        return fail(r, 400, "USER_BANNED_IN_CHANNEL");
    if (!chat_visible_to(c, r->self->id, r->now_s))
        return fail(r, 406, "CHANNEL_PRIVATE");
    struct cause cause;
    cause_begin(r, &cause);
    if (chat_has(c, r->self->id)) /* Telegram answers this with the channel, as after joining */
        return join_answer(r, &cause);
    if (c->flags & CHAT_JOIN_REQUEST) {
        world_request_join(r, c);
        cause_end(r);
        return fail(r, 400, "INVITE_REQUEST_SENT");
    }
    if (!admit(r->world, c, r->self, ACTION_ADD_USERS, 0, r->now_s)) {
        cause_end(r);
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    }
    return join_answer(r, &cause);
}

static struct tl_value leave_channel(struct request *r)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c)
        return refused();
    if (!chat_has(c, r->self->id))
        return fail(r, 400, "USER_NOT_PARTICIPANT");
    struct cause cause;
    cause_begin(r, &cause);
    dismiss(r->world, c, r->self, MEMBER_LEFT, r->self->id, r->now_s);
    return cause_answer(r, &cause);
}

static struct tl_value invite_users(struct request *r)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c || !require_right(r, c, ADMIN_INVITE, BANNED_INVITE))
        return refused();
    uint32_t n = tl_count(r->query, F_users), n_missing = 0;
    if (n > INVITE_AT_ONCE_MAX)
        return fail(r, 400, "USERS_TOO_MUCH");
    int64_t missing[INVITE_AT_ONCE_MAX];
    struct user *users[INVITE_AT_ONCE_MAX];
    for (uint32_t i = 0; i < n; i++) {
        users[i] = input_user(r, tl_item_obj(r->query, F_users, i));
        if (!users[i])
            return refused();
        const struct member *m = chat_member(c, users[i]->id);
        if (m && m->state == MEMBER_KICKED)
            return fail(r, 400, "USER_KICKED");
    }
    struct cause cause;
    cause_begin(r, &cause);
    for (uint32_t i = 0; i < n; i++) {
        if (invite_refusal(r->self, users[i]))
            missing[n_missing++] = users[i]->id;
        else if (!chat_has(c, users[i]->id))
            admit(r->world, c, users[i], ACTION_ADD_USERS, r->self->id, r->now_s);
    }
    return invited_answer(r, &cause, missing, n_missing);
}

/* ---- lists ---- */

enum list_kind {
    LIST_RECENT,
    LIST_ADMINS,
    LIST_KICKED,
    LIST_BANNED,
    LIST_BOTS,
    LIST_SEARCH,
    LIST_CONTACTS
};

static const struct {
    uint16_t symbol;
    enum list_kind kind;
} lists[] = {
    {C_channelParticipantsRecent, LIST_RECENT},   {C_channelParticipantsAdmins, LIST_ADMINS},
    {C_channelParticipantsKicked, LIST_KICKED},   {C_channelParticipantsBanned, LIST_BANNED},
    {C_channelParticipantsBots, LIST_BOTS},       {C_channelParticipantsSearch, LIST_SEARCH},
    {C_channelParticipantsMentions, LIST_SEARCH}, {C_channelParticipantsContacts, LIST_CONTACTS},
};

static bool is_in_list(const struct request *r, const struct member *m, enum list_kind kind,
                       const char *q)
{
    const struct user *u = world_user(r->world, m->user_id);
    if (!u || (q[0] && !strcasestr(u->first_name, q) && !strcasestr(u->last_name, q) &&
               !strcasestr(u->username, q)))
        return false;
    bool joined = m->state == MEMBER_JOINED;
    switch (kind) {
    case LIST_ADMINS:
        return joined && (m->admin || m->creator);
    case LIST_KICKED:
        return m->state == MEMBER_KICKED;
    case LIST_BANNED:
        return m->state != MEMBER_KICKED && m->banned;
    case LIST_BOTS:
        return joined && (u->flags & USER_BOT);
    case LIST_CONTACTS:
        return joined && id_map_get(&r->self->contacts, u->id);
    default:
        return joined;
    }
}

static bool may_list(struct request *r, const struct chat *c, enum list_kind kind)
{
    bool admin = chat_is_admin(c, r->self->id);
    bool hidden = (c->flags & CHAT_BROADCAST) || (c->flags & CHAT_PARTICIPANTS_HIDDEN);
    if (admin || (!hidden && kind != LIST_KICKED && kind != LIST_BANNED))
        return true;
    fail(r, 403, "CHAT_ADMIN_REQUIRED");
    return false;
}

static struct tl_value list_members(struct request *r, const struct chat *c, enum list_kind kind)
{
    int64_t offset = tl_int(r->query, F_offset), limit = tl_int(r->query, F_limit), count = 0;
    limit = limit <= 0 || limit > PARTICIPANTS_PAGE_MAX ? PARTICIPANTS_PAGE_MAX : limit;
    const char *q = arena_strdup(r->arena, tl_text(tl_obj(r->query, F_filter), F_q));
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, C_channels_channelParticipants);
    struct tl_vector *list = tl_set_vec(&r->b, o, F_participants);
    for (uint32_t i = 0; i < c->n_members; i++) {
        if (!is_in_list(r, c->members[i], kind, q))
            continue;
        if (count >= offset && count < offset + limit)
            tl_push_obj(&r->b, list, build_channel_participant(r, &peers, c->members[i]));
        count++;
    }
    tl_set_int(o, F_count, count);
    peers_add(r, &peers, c->peer);
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

static struct tl_value get_participants(struct request *r)
{
    const struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c)
        return refused();
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (tl_is(tl_obj(r->query, F_filter), lists[i].symbol))
            return may_list(r, c, lists[i].kind) ? list_members(r, c, lists[i].kind) : refused();
    return fail(r, 400, "INPUT_FILTER_INVALID");
}

static struct tl_value get_participant(struct request *r)
{
    const struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    int64_t who = c ? input_peer_any(r, tl_obj(r->query, F_participant)) : 0;
    if (!who)
        return refused();
    if (peer_kind(who) != PEER_USER)
        return fail(r, 400, "PARTICIPANT_ID_INVALID");
    if (who != r->self->id && (c->flags & CHAT_BROADCAST) && !chat_is_admin(c, r->self->id))
        return fail(r, 403, "CHAT_ADMIN_REQUIRED");
    const struct member *m = chat_member(c, who);
    if (!m || m->state == MEMBER_LEFT)
        return fail(r, 400, "USER_NOT_PARTICIPANT");
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, C_channels_channelParticipant);
    tl_set_obj(o, F_participant, build_channel_participant(r, &peers, m));
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

/* ---- rights ---- */

/* Both sides look again; ends the cause. */
static struct tl_value changed_member(struct request *r, struct cause *cause, const struct chat *c,
                                      struct user *u)
{
    struct update look = {
        .type = &world_updates[U_CHANNEL], .date = r->now_s, .keep = true, .a = c->peer};
    world_tell(r->world, u, look);
    if (u != r->self)
        world_tell(r->world, r->self, look);
    return cause_answer(r, cause);
}

static struct tl_value edit_admin(struct request *r)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    struct user *u = c ? input_user(r, tl_obj(r->query, F_user_id)) : NULL;
    if (!u)
        return refused();
    uint32_t own = chat_admin_rights(c, r->self->id),
             rights = read_admin_rights(tl_obj(r->query, F_admin_rights));
    struct member *m = chat_member(c, u->id);
    if (!(own & ADMIN_ADD_ADMINS))
        return fail(r, 403, "CHAT_ADMIN_REQUIRED");
    if (u->id == c->creator_id && r->self != u)
        return fail(r, 400, "USER_CREATOR");
    if (c->creator_id != r->self->id &&
        ((rights & ~own) || (m && m->admin && m->promoted_by != r->self->id)))
        return fail(r, 403, "RIGHT_FORBIDDEN");
    if (utf16_length(tl_text(r->query, F_rank)) > RANK_UNITS_MAX)
        return fail(r, 400, "ADMIN_RANK_INVALID");
    bool outside = !m || m->state != MEMBER_JOINED;
    if (m && m->state == MEMBER_KICKED)
        return fail(r, 400, "USER_KICKED");
    if (outside && !rights)
        return fail(r, 400, "USER_NOT_PARTICIPANT");
    if (outside && invite_refusal(r->self, u))
        return fail(r, 403, "USER_PRIVACY_RESTRICTED");
    struct cause cause;
    cause_begin(r, &cause);
    if (outside && !admit(r->world, c, u, ACTION_ADD_USERS, r->self->id, r->now_s)) {
        cause_end(r);
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    }
    m = chat_member(c, u->id);
    m->admin = rights;
    m->banned = rights ? 0 : m->banned;
    m->promoted_by = r->self->id;
    member_set_rank(m, tl_text(r->query, F_rank));
    return changed_member(r, &cause, c, u);
}

/* 0 for bans that never end: none given, under 30 s or over 366 days away. */
static int32_t ban_end(const struct request *r, int64_t until)
{
    int64_t left = until - r->now_s;
    return left < BAN_SHORTEST_S || left > BAN_FOREVER_S ? 0 : (int32_t)until;
}

static bool may_ban(struct request *r, const struct chat *c, const struct user *u)
{
    if (!require_right(r, c, ADMIN_BAN, 0))
        return false;
    const struct member *m = chat_member(c, u->id);
    bool theirs = m && m->admin && m->promoted_by != r->self->id && c->creator_id != r->self->id;
    if (u == r->self || u->id == c->creator_id || theirs)
        return fail(r, 400, "USER_ADMIN_INVALID"), false;
    return true;
}

static struct tl_value edit_banned(struct request *r)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    int64_t who = c ? input_peer_any(r, tl_obj(r->query, F_participant)) : 0;
    if (!who)
        return refused();
    struct user *u = world_user(r->world, who);
    if (!u)
        return fail(r, 400, "PARTICIPANT_ID_INVALID");
    if (!may_ban(r, c, u))
        return refused();
    const struct tl_object *rights = tl_obj(r->query, F_banned_rights);
    uint32_t banned = read_banned_rights(rights);
    const struct member *was = chat_member(c, u->id);
    bool kicked = was && was->state == MEMBER_KICKED;
    struct cause cause;
    cause_begin(r, &cause);
    if (banned & BANNED_VIEW)
        dismiss(r->world, c, u, MEMBER_KICKED, r->self->id, r->now_s);
    else if (!was || kicked)
        chat_part(c, u, MEMBER_LEFT, r->now_s);
    struct member *m = chat_member(c, u->id);
    if (!m) {
        cause_end(r);
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    }
    m->banned = banned;
    m->banned_until = ban_end(r, tl_int(rights, F_until_date));
    m->admin = 0;
    m->promoted_by = r->self->id;
    return changed_member(r, &cause, c, u);
}

static const struct method methods[] = {
    {C_channels_joinChannel, 0, join_channel},
    {C_channels_leaveChannel, 0, leave_channel},
    {C_channels_inviteToChannel, 0, invite_users},
    {C_channels_getParticipants, 0, get_participants},
    {C_channels_getParticipant, 0, get_participant},
    {C_channels_editAdmin, 0, edit_admin},
    {C_channels_editBanned, 0, edit_banned},
};
const struct method_table members_methods = {methods, sizeof methods / sizeof *methods};
