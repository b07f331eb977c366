/* SPDX-License-Identifier: MIT
 * messages.* about chats: basic groups, and what groups and channels share. */
#include <stdlib.h>

#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/chats.h"
#include "sandbox/input.h"
#include "sandbox/members.h"
#include "sandbox/methods_world.h"
#include "sandbox/peer_photo.h"
#include "sandbox/service.h"

struct tl_value chats_answer(struct request *r, const struct peers *p)
{
    struct tl_object *o = tl_new(&r->b, C_messages_chats);
    struct tl_vector *chats = tl_set_vec(&r->b, o, F_chats);
    for (uint32_t i = 0; i < p->n; i++)
        tl_push_obj(&r->b, chats, build_chat(r, world_chat(r->world, p->ids[i])));
    return tl_value_obj(o);
}

const char *title_error(struct slice title)
{
    if (title.len == 0)
        return "CHAT_TITLE_EMPTY";
    return utf16_length(title) > TITLE_UNITS_MAX ? "CHAT_TITLE_EMPTY" : NULL;
}

struct tl_value invited_answer(struct request *r, struct cause *cause, const int64_t *missing,
                               uint32_t n_missing)
{
    struct tl_object *o = tl_new(&r->b, C_messages_invitedUsers);
    tl_set_obj(o, F_updates, cause_answer(r, cause).object);
    struct tl_vector *list = tl_set_vec(&r->b, o, F_missing_invitees);
    for (uint32_t i = 0; i < n_missing; i++) {
        struct tl_object *one = tl_new(&r->b, C_missingInvitee);
        tl_set_int(one, F_user_id, missing[i]);
        tl_push_obj(&r->b, list, one);
    }
    return tl_value_obj(o);
}

/* ---- looking ---- */

static struct tl_value get_chats(struct request *r)
{
    struct peers peers = {0};
    for (uint32_t i = 0; i < tl_count(r->query, F_id); i++) {
        const struct chat *c = input_chat_id(r, tl_item(r->query, F_id, i)->i);
        if (!c)
            return refused();
        peers_add(r, &peers, c->peer);
    }
    return chats_answer(r, &peers);
}

static struct tl_value get_full_chat(struct request *r)
{
    struct chat *c = input_chat_id(r, tl_int(r->query, F_chat_id));
    if (!c)
        return refused();
    struct peers peers = {0};
    struct tl_object *full = tl_new(&r->b, C_chatFull);
    tl_set_int(full, F_id, peer_bare(c->peer));
    tl_set_str(full, F_about, c->about);
    tl_set_bool(full, F_can_set_username, c->creator_id == r->self->id);
    if (c->photos.n)
        tl_set_obj(full, F_chat_photo, build_photo(r, photo_list_shown(&c->photos)));
    tl_set_obj(full, F_participants, build_chat_participants(r, &peers, c));
    tl_set_obj(full, F_notify_settings, build_notify_settings(r, c->peer));
    bool may_invite = chat_admin_rights(c, r->self->id) & ADMIN_INVITE;
    struct invite *link =
        may_invite ? chat_permanent_invite(r->world, c, r->self->id, r->now_s) : NULL;
    if (link)
        tl_set_obj(full, F_exported_invite, build_invite(r, link));
    const struct dialog *d = user_dialog_find(r->self, c->peer);
    if (d && d->folder)
        tl_set_int(full, F_folder_id, d->folder);
    peers_add(r, &peers, c->peer);
    struct tl_object *o = tl_new(&r->b, C_messages_chatFull);
    tl_set_obj(o, F_full_chat, full);
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

static struct tl_value get_common_chats(struct request *r)
{
    const struct user *u = input_user(r, tl_obj(r->query, F_user_id));
    if (!u)
        return refused();
    int64_t limit = tl_int(r->query, F_limit), max_id = tl_int(r->query, F_max_id);
    struct peers peers = {0};
    for (size_t i = 0; i < r->self->n_dialogs; i++) {
        const struct chat *c = world_chat(r->world, r->self->dialog_list[i]->peer);
        bool common = c && !(c->flags & (CHAT_BROADCAST | CHAT_DEACTIVATED)) &&
                      chat_has(c, r->self->id) && chat_has(c, u->id);
        if (common && (max_id == 0 || peer_bare(c->peer) < max_id) &&
            (limit <= 0 || peers.n < limit))
            peers_add(r, &peers, c->peer);
    }
    return chats_answer(r, &peers);
}

static struct tl_value get_onlines(struct request *r)
{
    const struct chat *c = input_chat_peer(r, tl_obj(r->query, F_peer));
    if (!c)
        return refused();
    int64_t online = 0;
    for (uint32_t i = 0; i < c->n_members; i++) {
        const struct user *u = world_user(r->world, c->members[i]->user_id);
        online += u && c->members[i]->state == MEMBER_JOINED && u->online_until > r->now_s;
    }
    struct tl_object *o = tl_new(&r->b, C_chatOnlines);
    tl_set_int(o, F_onlines, online);
    return tl_value_obj(o);
}

/* ---- making ---- */

/* Members that are let in; the others are named as missing. */
static bool admit_first(struct request *r, struct chat *c, int64_t *ids, uint32_t *n,
                        int64_t *missing, uint32_t *n_missing)
{
    *n = *n_missing = 0;
    for (uint32_t i = 0; i < tl_count(r->query, F_users); i++) {
        struct user *u = input_user(r, tl_item_obj(r->query, F_users, i));
        if (!u)
            return false;
        if (u == r->self || chat_has(c, u->id))
            continue;
        if (invite_refusal(r->self, u)) {
            missing[(*n_missing)++] = u->id;
            continue;
        }
        if (!chat_join(c, u, r->self->id, r->now_s))
            return fail(r, 500, "INTERNAL_SERVER_ERROR"), false;
        ids[(*n)++] = u->id;
    }
    return true;
}

static struct tl_value create_chat(struct request *r)
{
    struct slice title = tl_text(r->query, F_title);
    const char *error = title_error(title);
    if (error)
        return fail(r, 400, error);
    uint32_t named = tl_count(r->query, F_users), n, n_missing;
    if (named >= CHAT_MEMBERS_MAX)
        return fail(r, 400, "USERS_TOO_MUCH");
    for (uint32_t i = 0; i < named; i++) /* nothing is made when one of them is wrong */
        if (!input_user(r, tl_item_obj(r->query, F_users, i)))
            return refused();
    int64_t *ids = arena_array(r->arena, named, sizeof *ids),
            *missing = arena_array(r->arena, named, sizeof *ids);
    struct chat *c =
        world_add_chat(r->world, PEER_CHAT, title, slice_str(""), 0, r->self->id, r->now_s);
    if (!ids || !missing || !c || !chat_join(c, r->self, r->self->id, r->now_s))
        return fail(r, 500, "CHAT_ID_GENERATE_FAILED");
    struct cause cause;
    cause_begin(r, &cause);
    if (!admit_first(r, c, ids, &n, missing, &n_missing)) {
        cause_end(r);
        return refused();
    }
    struct action_draft a = {
        .kind = ACTION_CHAT_CREATE, .title = c->title, .users = ids, .n_users = n};
    for (uint32_t i = 0; i < c->n_members; i++)
        world_tell(r->world, world_user(r->world, c->members[i]->user_id),
                   (struct update){.type = &world_updates[U_CHAT_MEMBERS],
                                   .date = r->now_s,
                                   .keep = true,
                                   .a = c->peer});
    say_action(r->world, c, r->self->id, &a, r->now_s, false);
    return invited_answer(r, &cause, missing, n_missing);
}

static struct tl_value add_user(struct request *r)
{
    struct chat *c = input_chat_id(r, tl_int(r->query, F_chat_id));
    struct user *u = c ? input_user(r, tl_obj(r->query, F_user_id)) : NULL;
    if (!u || !require_right(r, c, ADMIN_INVITE, BANNED_INVITE))
        return refused();
    if (chat_has(c, u->id))
        return fail(r, 400, "USER_ALREADY_PARTICIPANT");
    if (c->n_joined >= CHAT_MEMBERS_MAX)
        return fail(r, 400, "USERS_TOO_MUCH");
    const char *error = u == r->self ? NULL : invite_refusal(r->self, u);
    bool privacy = error && strcmp(error, "USER_PRIVACY_RESTRICTED") == 0;
    if (error && !privacy)
        return fail(r, 400, error);
    struct cause cause;
    cause_begin(r, &cause);
    if (privacy)
        return invited_answer(r, &cause, &u->id, 1);
    if (!admit(r->world, c, u, ACTION_ADD_USERS, r->self->id, r->now_s)) {
        cause_end(r);
        return fail(r, 500, "CHAT_MEMBER_ADD_FAILED");
    }
    return invited_answer(r, &cause, NULL, 0);
}

static struct tl_value delete_user(struct request *r)
{
    struct chat *c = input_chat_id(r, tl_int(r->query, F_chat_id));
    struct user *u = c ? input_user(r, tl_obj(r->query, F_user_id)) : NULL;
    if (!u)
        return refused();
    const struct member *m = chat_member(c, u->id);
    if (!m || m->state != MEMBER_JOINED)
        return fail(r, 400, "USER_NOT_PARTICIPANT");
    bool invited_by_self = m->inviter_id == r->self->id && chat_has(c, r->self->id);
    if (u != r->self && !invited_by_self && !require_right(r, c, ADMIN_BAN, 0))
        return refused();
    if (u != r->self && (m->creator || (m->admin && c->creator_id != r->self->id)))
        return fail(r, 400, "CHAT_ADMIN_REQUIRED");
    struct cause cause;
    cause_begin(r, &cause);
    dismiss(r->world, c, u, u == r->self ? MEMBER_LEFT : MEMBER_KICKED, r->self->id, r->now_s);
    return cause_answer(r, &cause);
}

/* ---- changing ---- */

struct tl_value change_title(struct request *r, struct chat *c, struct slice title)
{
    const char *error = title_error(title);
    if (!error && slice_is(title, c->title))
        error = "CHAT_NOT_MODIFIED";
    if (error)
        return fail(r, 400, error);
    if (!chat_set_title(c, title))
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    struct cause cause;
    cause_begin(r, &cause);
    struct action_draft a = {.kind = ACTION_EDIT_TITLE, .title = c->title};
    say_action(r->world, c, r->self->id, &a, r->now_s, false);
    return cause_answer(r, &cause);
}

static struct tl_value edit_title(struct request *r)
{
    struct chat *c = input_chat_id(r, tl_int(r->query, F_chat_id));
    if (!c || !require_right(r, c, ADMIN_CHANGE_INFO, BANNED_CHANGE_INFO))
        return refused();
    return change_title(r, c, tl_text(r->query, F_title));
}

static struct tl_value edit_about(struct request *r)
{
    struct chat *c = input_chat_peer(r, tl_obj(r->query, F_peer));
    if (!c || !require_right(r, c, ADMIN_CHANGE_INFO, BANNED_CHANGE_INFO))
        return refused();
    struct slice about = tl_text(r->query, F_about);
    if (utf16_length(about) > ABOUT_UNITS_MAX)
        return fail(r, 400, "CHAT_ABOUT_TOO_LONG");
    if (slice_is(about, c->about))
        return fail(r, 400, "CHAT_ABOUT_NOT_MODIFIED");
    return chat_set_about(c, about) ? answer_true() : fail(r, 500, "INTERNAL_SERVER_ERROR");
}

static struct tl_value edit_admin(struct request *r)
{
    struct chat *c = input_chat_id(r, tl_int(r->query, F_chat_id));
    struct user *u = c ? input_user(r, tl_obj(r->query, F_user_id)) : NULL;
    if (!u)
        return refused();
    struct member *m = chat_member(c, u->id);
    if (c->creator_id != r->self->id)
        return fail(r, 400, "CHAT_ADMIN_REQUIRED");
    if (!m || m->state != MEMBER_JOINED)
        return fail(r, 400, "USER_NOT_PARTICIPANT");
    m->admin = tl_bool(r->query, F_is_admin) ? ADMIN_ALL & ~(uint32_t)ADMIN_ADD_ADMINS : 0;
    m->promoted_by = r->self->id;
    c->version++;
    return answer_true();
}

static struct tl_value edit_default_rights(struct request *r)
{
    struct chat *c = input_chat_peer(r, tl_obj(r->query, F_peer));
    if (!c || !require_right(r, c, ADMIN_BAN, 0))
        return refused();
    uint32_t banned =
        read_banned_rights(tl_obj(r->query, F_banned_rights)) & ~(uint32_t)BANNED_VIEW;
    if (banned == c->default_banned)
        return fail(r, 400, "CHAT_NOT_MODIFIED");
    c->default_banned = banned;
    c->version++;
    struct cause cause;
    cause_begin(r, &cause);
    struct update u = {.type =
                           &world_updates[peer_kind(c->peer) == PEER_CHANNEL ? U_CHANNEL : U_CHAT],
                       .date = r->now_s,
                       .a = c->peer};
    world_tell_members(r->world, c, u, r->self);
    world_tell(r->world, r->self, u);
    return cause_answer(r, &cause);
}

/* ---- from basic group to supergroup ---- */

static struct chat *make_supergroup(struct request *r, struct chat *old)
{
    struct chat *c =
        world_add_chat(r->world, PEER_CHANNEL, slice_str(old->title), slice_str(old->about),
                       CHAT_MEGAGROUP | CHAT_HISTORY_HIDDEN, old->creator_id, r->now_s);
    if (!c)
        return NULL;
    c->default_banned = old->default_banned;
    c->migrated_from = old->peer;
    c->migrated_from_max_id = (int32_t)r->self->box_n;
    for (uint32_t i = 0; i < old->n_members; i++) {
        const struct member *from = old->members[i];
        struct user *u = world_user(r->world, from->user_id);
        struct member *m =
            u && from->state == MEMBER_JOINED ? chat_join(c, u, from->inviter_id, r->now_s) : NULL;
        if (m)
            m->admin = from->admin;
    }
    return c;
}

static struct tl_value migrate_chat(struct request *r)
{
    struct chat *old = input_chat_id(r, tl_int(r->query, F_chat_id));
    if (!old)
        return refused();
    if (old->creator_id != r->self->id)
        return fail(r, 403, "CHAT_ADMIN_REQUIRED");
    if (old->migrated_to)
        return fail(r, 400, "CHAT_ID_INVALID");
    struct chat *c = make_supergroup(r, old);
    if (!c)
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    struct cause cause;
    cause_begin(r, &cause);
    struct action_draft to = {.kind = ACTION_MIGRATE_TO, .peer = c->peer};
    struct action_draft from = {
        .kind = ACTION_MIGRATED_FROM, .title = old->title, .peer = old->peer};
    say_action(r->world, old, r->self->id, &to, r->now_s, false);
    old->flags |= CHAT_DEACTIVATED;
    old->migrated_to = c->peer;
    struct update look = {
        .type = &world_updates[U_CHANNEL], .date = r->now_s, .keep = true, .a = c->peer};
    for (uint32_t i = 0; i < c->n_members; i++)
        world_tell(r->world, world_user(r->world, c->members[i]->user_id), look);
    say_action(r->world, c, r->self->id, &from, r->now_s, false);
    return cause_answer(r, &cause);
}

static const struct method methods[] = {
    {C_messages_getChats, 0, get_chats},
    {C_messages_getFullChat, 0, get_full_chat},
    {C_messages_getCommonChats, 0, get_common_chats},
    {C_messages_getOnlines, 0, get_onlines},
    {C_messages_createChat, 0, create_chat},
    {C_messages_addChatUser, 0, add_user},
    {C_messages_deleteChatUser, 0, delete_user},
    {C_messages_editChatTitle, 0, edit_title},
    {C_messages_editChatAbout, 0, edit_about},
    {C_messages_editChatAdmin, 0, edit_admin},
    {C_messages_editChatDefaultBannedRights, 0, edit_default_rights},
    {C_messages_migrateChat, 0, migrate_chat},
};
const struct method_table groups_methods = {methods, sizeof methods / sizeof *methods};
