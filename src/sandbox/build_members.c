/* SPDX-License-Identifier: MIT
 * Members of groups and channels, and invite links, as TL. */
#include "sandbox/chat.h"
#include "sandbox/members.h"

static void set_rank(struct tl_object *o, const struct member *m)
{
    if (m->rank[0])
        tl_set_str(o, F_rank, m->rank);
}

static struct tl_object *build_chat_participant(struct request *view, const struct member *m)
{
    uint16_t symbol = m->creator ? C_chatParticipantCreator
                      : m->admin ? C_chatParticipantAdmin
                                 : C_chatParticipant;
    struct tl_object *o = tl_new(&view->b, symbol);
    tl_set_int(o, F_user_id, m->user_id);
    tl_set_int(o, F_inviter_id, m->inviter_id ? m->inviter_id : m->user_id);
    tl_set_int(o, F_date, m->date);
    return o;
}

struct tl_object *build_chat_participants(struct request *view, struct peers *p,
                                          const struct chat *c)
{
    if (!chat_has(c, view->self->id)) {
        struct tl_object *o = tl_new(&view->b, C_chatParticipantsForbidden);
        tl_set_int(o, F_chat_id, peer_bare(c->peer));
        return o;
    }
    struct tl_object *o = tl_new(&view->b, C_chatParticipants);
    tl_set_int(o, F_chat_id, peer_bare(c->peer));
    tl_set_int(o, F_version, c->version);
    struct tl_vector *members = tl_set_vec(&view->b, o, F_participants);
    for (uint32_t i = 0; i < c->n_members; i++) {
        if (c->members[i]->state != MEMBER_JOINED)
            continue;
        tl_push_obj(&view->b, members, build_chat_participant(view, c->members[i]));
        peers_add(view, p, c->members[i]->user_id);
    }
    return o;
}

static struct tl_object *build_admin(struct request *view, const struct member *m)
{
    struct tl_object *o = tl_new(&view->b, C_channelParticipantAdmin);
    bool self = m->user_id == view->self->id;
    tl_set_bool(o, F_can_edit, m->promoted_by == view->self->id && !self);
    tl_set_bool(o, F_self, self);
    if (self)
        tl_set_int(o, F_inviter_id, m->inviter_id ? m->inviter_id : m->user_id);
    tl_set_int(o, F_promoted_by, m->promoted_by ? m->promoted_by : m->user_id);
    tl_set_int(o, F_date, m->date);
    tl_set_obj(o, F_admin_rights, build_admin_rights(view, m->admin));
    return o;
}

static struct tl_object *build_banned(struct request *view, const struct member *m)
{
    struct tl_object *o = tl_new(&view->b, C_channelParticipantBanned);
    tl_set_bool(o, F_left, m->state != MEMBER_JOINED);
    tl_set_obj(o, F_peer, build_peer(view, m->user_id));
    tl_set_int(o, F_kicked_by, m->promoted_by ? m->promoted_by : m->user_id);
    tl_set_int(o, F_date, m->date);
    tl_set_obj(o, F_banned_rights,
               build_banned_rights(view, m->banned, m->banned_until ? m->banned_until : INT32_MAX));
    return o;
}

static struct tl_object *build_plain(struct request *view, const struct member *m)
{
    bool self = m->user_id == view->self->id;
    struct tl_object *o = tl_new(&view->b, self ? C_channelParticipantSelf : C_channelParticipant);
    if (self) {
        tl_set_bool(o, F_via_request, m->via_request);
        tl_set_int(o, F_inviter_id, m->inviter_id ? m->inviter_id : m->user_id);
    }
    tl_set_int(o, F_date, m->date);
    return o;
}

struct tl_object *build_channel_participant(struct request *view, struct peers *p,
                                            const struct member *m)
{
    struct tl_object *o;
    bool banned = m->banned && (m->banned_until == 0 || m->banned_until > view->now_s);
    peers_add(view, p, m->user_id);
    if (m->creator && m->state == MEMBER_JOINED) {
        o = tl_new(&view->b, C_channelParticipantCreator);
        tl_set_obj(o, F_admin_rights, build_admin_rights(view, ADMIN_ALL | m->admin));
    } else if (m->admin) {
        o = build_admin(view, m);
        peers_add(view, p, m->promoted_by);
    } else if (banned) {
        o = build_banned(view, m);
        peers_add(view, p, m->promoted_by);
    } else if (m->state == MEMBER_JOINED) {
        o = build_plain(view, m);
        peers_add(view, p, m->user_id == view->self->id ? m->inviter_id : 0);
    } else {
        o = tl_new(&view->b, C_channelParticipantLeft);
        tl_set_obj(o, F_peer, build_peer(view, m->user_id));
    }
    tl_set_int(o, F_user_id, m->user_id);
    set_rank(o, m);
    return o;
}

struct tl_object *build_invite(struct request *view, const struct invite *i)
{
    struct tl_object *o = tl_new(&view->b, C_chatInviteExported);
    tl_set_bool(o, F_revoked, i->revoked);
    tl_set_bool(o, F_permanent, i->permanent);
    tl_set_bool(o, F_request_needed, i->request_needed);
    tl_set_str(o, F_link, arena_printf(view->arena, "https://t.me/+%s", i->hash));
    tl_set_int(o, F_admin_id, i->admin_id);
    tl_set_int(o, F_date, i->date);
    if (i->expires)
        tl_set_int(o, F_expire_date, i->expires);
    if (i->usage_limit)
        tl_set_int(o, F_usage_limit, i->usage_limit);
    if (i->usage)
        tl_set_int(o, F_usage, i->usage);
    if (i->requested)
        tl_set_int(o, F_requested, i->requested);
    if (i->title[0])
        tl_set_str(o, F_title, i->title);
    return o;
}
