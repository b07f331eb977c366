/* SPDX-License-Identifier: MIT
 * channels.*: making, looking at and changing channels and supergroups. */
#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/chats.h"
#include "sandbox/input.h"
#include "sandbox/members.h"
#include "sandbox/methods_world.h"
#include "sandbox/peer_photo.h"
#include "sandbox/service.h"
#include "sandbox/username.h"

/* ---- looking ---- */

static struct tl_value get_channels(struct request *r)
{
    struct peers peers = {0};
    for (uint32_t i = 0; i < tl_count(r->query, F_id); i++) {
        const struct chat *c = input_channel_any(r, tl_item_obj(r->query, F_id, i));
        if (!c)
            return refused();
        peers_add(r, &peers, c->peer);
    }
    return chats_answer(r, &peers);
}

struct member_counts {
    uint32_t admins, kicked, banned, online;
};

static struct member_counts count_members(const struct request *r, const struct chat *c)
{
    struct member_counts n = {0};
    for (uint32_t i = 0; i < c->n_members; i++) {
        const struct member *m = c->members[i];
        const struct user *u = world_user(r->world, m->user_id);
        n.admins += m->state == MEMBER_JOINED && (m->admin || m->creator);
        n.kicked += m->state == MEMBER_KICKED;
        n.banned += m->state != MEMBER_KICKED && m->banned != 0;
        n.online += m->state == MEMBER_JOINED && u && u->online_until > r->now_s;
    }
    return n;
}

static void set_admin_view(struct request *r, struct tl_object *full, struct chat *c)
{
    uint32_t rights = chat_admin_rights(c, r->self->id);
    if (!rights)
        return;
    struct member_counts n = count_members(r, c);
    tl_set_int(full, F_admins_count, n.admins);
    tl_set_int(full, F_kicked_count, n.kicked);
    tl_set_int(full, F_banned_count, n.banned);
    if (!(rights & ADMIN_INVITE))
        return;
    struct invite *link = chat_permanent_invite(r->world, c, r->self->id, r->now_s);
    if (link)
        tl_set_obj(full, F_exported_invite, build_invite(r, link));
    if (c->n_requests == 0)
        return;
    tl_set_int(full, F_requests_pending, c->n_requests);
    struct tl_vector *recent = tl_set_vec(&r->b, full, F_recent_requesters);
    for (uint32_t i = 0; i < c->n_requests && i < RECENT_REQUESTERS_MAX; i++)
        tl_push_int(&r->b, recent, c->requests[i].user_id);
}

static void set_read_state(struct request *r, struct tl_object *full, const struct chat *c)
{
    const struct dialog *d = user_dialog_find(r->self, c->peer);
    tl_set_int(full, F_read_inbox_max_id, d ? d->read_inbox_max : 0);
    tl_set_int(full, F_read_outbox_max_id, d ? d->read_outbox_max : 0);
    tl_set_int(full, F_unread_count,
               d && chat_has(c, r->self->id) ? dialog_unread(r->world, r->self, d) : 0);
    if (d && d->folder)
        tl_set_int(full, F_folder_id, d->folder);
}

static void set_slow_mode(struct request *r, struct tl_object *full, const struct chat *c)
{
    if (!c->slow_mode_s)
        return;
    tl_set_int(full, F_slowmode_seconds, c->slow_mode_s);
    int32_t last = (int32_t)(intptr_t)id_map_get(&r->self->last_post, c->peer);
    if (last && last + c->slow_mode_s > r->now_s)
        tl_set_int(full, F_slowmode_next_send_date, last + c->slow_mode_s);
}

static struct tl_object *build_channel_full(struct request *r, struct peers *p, struct chat *c)
{
    bool admin = chat_is_admin(c, r->self->id), megagroup = c->flags & CHAT_MEGAGROUP;
    struct tl_object *full = tl_new(&r->b, C_channelFull);
    tl_set_int(full, F_id, peer_bare(c->peer));
    tl_set_str(full, F_about, c->about);
    tl_set_bool(full, F_can_view_participants,
                admin || (megagroup && !(c->flags & CHAT_PARTICIPANTS_HIDDEN)));
    tl_set_bool(full, F_can_set_username, c->creator_id == r->self->id);
    tl_set_bool(full, F_hidden_prehistory, c->flags & CHAT_HISTORY_HIDDEN);
    tl_set_bool(full, F_participants_hidden, c->flags & CHAT_PARTICIPANTS_HIDDEN);
    tl_set_int(full, F_participants_count, c->n_joined);
    if (megagroup)
        tl_set_int(full, F_online_count, count_members(r, c).online);
    set_admin_view(r, full, c);
    set_read_state(r, full, c);
    set_slow_mode(r, full, c);
    tl_set_obj(full, F_chat_photo, build_photo(r, photo_list_shown(&c->photos)));
    tl_set_obj(full, F_notify_settings, build_notify_settings(r, c->peer));
    tl_set_vec(&r->b, full, F_bot_info);
    if (c->migrated_from) {
        tl_set_int(full, F_migrated_from_chat_id, peer_bare(c->migrated_from));
        tl_set_int(full, F_migrated_from_max_id, c->migrated_from_max_id);
        peers_add(r, p, c->migrated_from);
    }
    int32_t pin = chat_newest_pin(c, r->self);
    if (pin)
        tl_set_int(full, F_pinned_msg_id, pin);
    if (c->linked) {
        tl_set_int(full, F_linked_chat_id, peer_bare(c->linked));
        peers_add(r, p, c->linked);
    }
    tl_set_int(full, F_pts, c->log.pts);
    return full;
}

static struct tl_value get_full_channel(struct request *r)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c)
        return refused();
    struct peers peers = {0};
    peers_add(r, &peers, c->peer);
    struct tl_object *o = tl_new(&r->b, C_messages_chatFull);
    tl_set_obj(o, F_full_chat, build_channel_full(r, &peers, c));
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

static struct tl_value get_admined_public(struct request *r)
{
    struct peers peers = {0};
    for (size_t i = 0; i < r->self->n_dialogs; i++) {
        const struct chat *c = world_chat(r->world, r->self->dialog_list[i]->peer);
        if (c && c->creator_id == r->self->id && c->username[0])
            peers_add(r, &peers, c->peer);
    }
    return chats_answer(r, &peers);
}

static struct tl_value export_message_link(struct request *r)
{
    const struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c)
        return refused();
    int32_t id = (int32_t)tl_int(r->query, F_id);
    if (!world_message(r->world, r->self, c->peer, id))
        return fail(r, 400, "MESSAGE_ID_INVALID");
    char *link = c->username[0] ? arena_printf(r->arena, "https://t.me/%s/%d", c->username, id)
                                : arena_printf(r->arena, "https://t.me/c/%lld/%d",
                                               (long long)peer_bare(c->peer), id);
    struct tl_object *o = tl_new(&r->b, C_exportedMessageLink);
    tl_set_str(o, F_link, link);
    tl_set_str(o, F_html, "");
    return tl_value_obj(o);
}

static struct tl_value get_send_as(struct request *r)
{
    const struct chat *c = input_chat_peer(r, tl_obj(r->query, F_peer));
    if (!c)
        return refused();
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, C_channels_sendAsPeers),
                     *self = tl_new(&r->b, C_sendAsPeer);
    tl_set_obj(self, F_peer, build_peer(r, r->self->id));
    tl_push_obj(&r->b, tl_set_vec(&r->b, o, F_peers), self);
    peers_add(r, &peers, r->self->id);
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

/* ---- making and changing ---- */

static struct tl_value create_channel(struct request *r)
{
    struct slice title = tl_text(r->query, F_title), about = tl_text(r->query, F_about);
    const char *error = title_error(title);
    if (!error && utf16_length(about) > ABOUT_UNITS_MAX)
        error = "CHAT_ABOUT_TOO_LONG";
    if (error)
        return fail(r, 400, error);
    uint32_t flags = tl_bool(r->query, F_megagroup) ? CHAT_MEGAGROUP : CHAT_BROADCAST;
    struct chat *c =
        world_add_chat(r->world, PEER_CHANNEL, title, about, flags, r->self->id, r->now_s);
    if (!c || !chat_join(c, r->self, r->self->id, r->now_s))
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    struct cause cause;
    cause_begin(r, &cause);
    world_tell(
        r->world, r->self,
        (struct update){
            .type = &world_updates[U_CHANNEL], .date = r->now_s, .keep = true, .a = c->peer});
    struct action_draft a = {.kind = ACTION_CHANNEL_CREATE, .title = c->title};
    say_action(r->world, c, r->self->id, &a, r->now_s, false);
    return cause_answer(r, &cause);
}

static struct tl_value edit_title(struct request *r)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c || !require_right(r, c, ADMIN_CHANGE_INFO, BANNED_CHANGE_INFO))
        return refused();
    return change_title(r, c, tl_text(r->query, F_title));
}

/* The channel of the query, which only its creator may do this to. */
static struct chat *own_channel(struct request *r)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c || c->creator_id == r->self->id)
        return c;
    fail(r, 403, "CHAT_ADMIN_REQUIRED");
    return NULL;
}

static struct tl_value check_username(struct request *r)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c)
        return refused();
    const char *error = username_error(r->world, c->peer, tl_text(r->query, F_username));
    if (error && strcmp(error, "USERNAME_OCCUPIED") != 0)
        return fail(r, 400, error);
    return tl_value_bool(!error);
}

/* All members look again. */
static void tell_changed(struct request *r, struct chat *c)
{
    struct update u = {
        .type = &world_updates[U_CHANNEL], .date = r->now_s, .keep = true, .a = c->peer};
    for (uint32_t i = 0; i < c->n_members; i++) {
        struct user *to = world_user(r->world, c->members[i]->user_id);
        if (to && c->members[i]->state == MEMBER_JOINED)
            world_tell(r->world, to, u);
    }
}

static struct tl_value changed(struct request *r, struct chat *c)
{
    struct cause cause;
    cause_begin(r, &cause);
    tell_changed(r, c);
    return cause_answer(r, &cause);
}

static struct tl_value update_username(struct request *r)
{
    struct chat *c = own_channel(r);
    if (!c)
        return refused();
    struct slice name = tl_text(r->query, F_username);
    const char *error = slice_is(name, c->username) ? "USERNAME_NOT_MODIFIED"
                        : name.len                  ? username_error(r->world, c->peer, name)
                                                    : NULL;
    if (error)
        return fail(r, 400, error);
    if (!world_set_username(r->world, c->peer, name))
        return fail(r, 400, "USERNAME_OCCUPIED");
    changed(r, c);
    return answer_true();
}

static struct tl_value toggle_slow_mode(struct request *r)
{
    static const int32_t steps[] = {0, 10, 30, 60, 300, 900, 3600};
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c || !require_right(r, c, ADMIN_BAN, 0))
        return refused();
    int64_t seconds = tl_int(r->query, F_seconds);
    bool known = false;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        known = known || steps[i] == seconds;
    if (!known || !(c->flags & CHAT_MEGAGROUP))
        return fail(r, 400, known ? "CHAT_INVALID" : "SECONDS_INVALID");
    if (c->slow_mode_s == seconds)
        return fail(r, 400, "CHAT_NOT_MODIFIED");
    c->slow_mode_s = (int32_t)seconds;
    return changed(r, c);
}

/* Nobody is a member any more, no name and no link leads there. */
static void dissolve(struct world *w, struct chat *c, int32_t now)
{
    world_set_username(w, c->peer, slice_str(""));
    for (uint32_t i = 0; i < c->n_invites; i++)
        c->invites[i]->revoked = true;
    c->flags |= CHAT_DEACTIVATED;
    for (uint32_t i = 0; i < c->n_members; i++) {
        struct user *u = world_user(w, c->members[i]->user_id);
        if (!u || c->members[i]->state != MEMBER_JOINED)
            continue;
        chat_part(c, u, MEMBER_LEFT, now);
        world_tell(w, u,
                   (struct update){
                       .type = &world_updates[U_CHANNEL], .date = now, .keep = true, .a = c->peer});
    }
}

static struct tl_value delete_channel(struct request *r)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c)
        return refused();
    if (c->creator_id != r->self->id || !chat_has(c, r->self->id))
        return fail(r, 403, "CHAT_ADMIN_REQUIRED");
    struct cause cause;
    cause_begin(r, &cause);
    dissolve(r->world, c, r->now_s);
    return cause_answer(r, &cause);
}

static struct tl_value toggle(struct request *r, uint32_t flag, bool on, uint32_t only_in)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c || !require_right(r, c, ADMIN_CHANGE_INFO, 0))
        return refused();
    if (!(c->flags & only_in))
        return fail(r, 400, "CHANNEL_INVALID");
    if (((c->flags & flag) != 0) == on)
        return fail(r, 400, "CHAT_NOT_MODIFIED");
    c->flags ^= flag;
    return changed(r, c);
}

static struct tl_value toggle_signatures(struct request *r)
{
    return toggle(r, CHAT_SIGNATURES, tl_bool(r->query, F_signatures_enabled), CHAT_BROADCAST);
}

static struct tl_value toggle_prehistory(struct request *r)
{
    return toggle(r, CHAT_HISTORY_HIDDEN, tl_bool(r->query, F_enabled), CHAT_MEGAGROUP);
}

static struct tl_value toggle_join_request(struct request *r)
{
    return toggle(r, CHAT_JOIN_REQUEST, tl_bool(r->query, F_enabled), CHAT_MEGAGROUP);
}

static struct tl_value toggle_no_forwards(struct request *r)
{
    struct chat *c = input_chat_peer(r, tl_obj(r->query, F_peer));
    if (!c)
        return refused();
    if (c->creator_id != r->self->id)
        return fail(r, 400, "CHAT_ADMIN_REQUIRED");
    bool on = tl_bool(r->query, F_enabled);
    if (((c->flags & CHAT_NOFORWARDS) != 0) == on)
        return fail(r, 400, "CHAT_NOT_MODIFIED");
    c->flags ^= CHAT_NOFORWARDS;
    return changed(r, c);
}

static const struct method methods[] = {
    {C_channels_deleteChannel, 0, delete_channel},
    {C_channels_getChannels, 0, get_channels},
    {C_channels_getFullChannel, 0, get_full_channel},
    {C_channels_getAdminedPublicChannels, 0, get_admined_public},
    {C_channels_exportMessageLink, 0, export_message_link},
    {C_channels_getSendAs, 0, get_send_as},
    {C_channels_createChannel, 0, create_channel},
    {C_channels_editTitle, 0, edit_title},
    {C_channels_checkUsername, 0, check_username},
    {C_channels_updateUsername, 0, update_username},
    {C_channels_toggleSlowMode, 0, toggle_slow_mode},
    {C_channels_toggleSignatures, 0, toggle_signatures},
    {C_channels_togglePreHistoryHidden, 0, toggle_prehistory},
    {C_channels_toggleJoinRequest, 0, toggle_join_request},
    {C_messages_toggleNoForwards, 0, toggle_no_forwards},
};
const struct method_table channels_methods = {methods, sizeof methods / sizeof *methods};
