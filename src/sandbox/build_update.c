/* SPDX-License-Identifier: MIT
 * Updates as TL: one builder for each kind of fact. */
#include "sandbox/build.h"
#include "sandbox/build_parts.h"
#include "sandbox/chat.h"
#include "sandbox/drafts.h"
#include "sandbox/members.h"
#include "sandbox/scheduled.h"
#include "sandbox/update.h"

struct tl_object *build_updates(struct request *view, struct peers *p, struct tl_vector *updates)
{
    struct tl_object *o = tl_new(&view->b, C_updates);
    struct tl_vector *to = tl_set_vec(&view->b, o, F_updates);
    for (uint32_t i = 0; updates && i < updates->n; i++)
        tl_push_obj(&view->b, to, updates->items[i].object);
    peers_set(view, p, o);
    tl_set_int(o, F_date, view->now_s);
    tl_set_int(o, F_seq, 0);
    return o;
}

static void set_pts(struct tl_object *o, const struct update *u)
{
    tl_set_int(o, F_pts, u->pts);
    tl_set_int(o, F_pts_count, u->pts_count);
}

static bool in_channel(const struct update *u)
{
    return peer_kind(u->a) == PEER_CHANNEL;
}

static struct tl_object *with_message(struct request *view, const struct update *u, struct peers *p,
                                      uint16_t symbol)
{
    const struct message *m = world_message(view->world, view->self, u->a, (int32_t)u->b);
    if (!m)
        return NULL;
    struct tl_object *o = tl_new(&view->b, symbol);
    tl_set_obj(o, F_message, build_message(view, p, m, (int32_t)u->b));
    set_pts(o, u);
    return o;
}

static struct tl_object *new_message(struct request *view, const struct update *u, struct peers *p)
{
    return with_message(view, u, p, in_channel(u) ? C_updateNewChannelMessage : C_updateNewMessage);
}

static struct tl_object *edit_message(struct request *view, const struct update *u, struct peers *p)
{
    return with_message(view, u, p,
                        in_channel(u) ? C_updateEditChannelMessage : C_updateEditMessage);
}

static void set_ids(struct request *view, struct tl_object *o, const struct update *u)
{
    struct tl_vector *ids = tl_set_vec(&view->b, o, F_messages);
    for (uint32_t i = 0; i < u->n_ids; i++)
        tl_push_int(&view->b, ids, u->ids[i]);
}

static struct tl_object *deleted(struct request *view, const struct update *u, struct peers *p)
{
    struct tl_object *o =
        tl_new(&view->b, in_channel(u) ? C_updateDeleteChannelMessages : C_updateDeleteMessages);
    tl_set_int(o, F_channel_id, peer_bare(u->a));
    set_ids(view, o, u);
    set_pts(o, u);
    peers_add(view, p, u->a);
    return o;
}

static struct tl_object *pinned(struct request *view, const struct update *u, struct peers *p)
{
    struct tl_object *o =
        tl_new(&view->b, in_channel(u) ? C_updatePinnedChannelMessages : C_updatePinnedMessages);
    tl_set_bool(o, F_pinned, u->b != 0);
    tl_set_int(o, F_channel_id, peer_bare(u->a));
    tl_set_obj(o, F_peer, build_peer(view, u->a));
    set_ids(view, o, u);
    set_pts(o, u);
    peers_add(view, p, u->a);
    return o;
}

static struct tl_object *read_inbox(struct request *view, const struct update *u, struct peers *p)
{
    struct tl_object *o =
        tl_new(&view->b, in_channel(u) ? C_updateReadChannelInbox : C_updateReadHistoryInbox);
    tl_set_int(o, F_channel_id, peer_bare(u->a));
    tl_set_obj(o, F_peer, build_peer(view, u->a));
    tl_set_int(o, F_max_id, u->b);
    tl_set_int(o, F_still_unread_count, u->c);
    const struct chat *c = in_channel(u) ? world_chat(view->world, u->a) : NULL;
    set_pts(o, u);
    if (c)
        tl_set_int(o, F_pts, c->log.pts);
    peers_add(view, p, u->a);
    return o;
}

static struct tl_object *read_outbox(struct request *view, const struct update *u, struct peers *p)
{
    struct tl_object *o =
        tl_new(&view->b, in_channel(u) ? C_updateReadChannelOutbox : C_updateReadHistoryOutbox);
    tl_set_int(o, F_channel_id, peer_bare(u->a));
    tl_set_obj(o, F_peer, build_peer(view, u->a));
    tl_set_int(o, F_max_id, u->b);
    set_pts(o, u);
    peers_add(view, p, u->a);
    return o;
}

static struct tl_object *message_id(struct request *view, const struct update *u, struct peers *p)
{
    (void)p;
    struct tl_object *o = tl_new(&view->b, C_updateMessageID);
    tl_set_int(o, F_id, u->a);
    tl_set_int(o, F_random_id, u->b);
    return o;
}

static struct tl_object *typing(struct request *view, const struct update *u, struct peers *p)
{
    static const uint16_t symbols[] = {
        [PEER_NONE] = C_updateUserTyping,
        [PEER_USER] = C_updateUserTyping,
        [PEER_CHAT] = C_updateChatUserTyping,
        [PEER_CHANNEL] = C_updateChannelUserTyping,
    };
    struct tl_object *o = tl_new(&view->b, symbols[peer_kind(u->a)]);
    struct tl_object *action = tl_new(&view->b, (uint16_t)u->c);
    tl_set_int(action, F_progress, 0);
    tl_set_int(o, F_user_id, u->b);
    tl_set_int(o, F_chat_id, peer_bare(u->a));
    tl_set_int(o, F_channel_id, peer_bare(u->a));
    tl_set_obj(o, F_from_id, build_peer(view, u->b));
    tl_set_obj(o, F_action, action);
    peers_add(view, p, u->a);
    peers_add(view, p, u->b);
    return o;
}

static struct tl_object *user_status(struct request *view, const struct update *u, struct peers *p)
{
    (void)p;
    const struct user *who = world_user(view->world, u->a);
    if (!who)
        return NULL;
    struct tl_object *o = tl_new(&view->b, C_updateUserStatus);
    tl_set_int(o, F_user_id, who->id);
    tl_set_obj(o, F_status, build_user_status(view, who));
    return o;
}

static struct tl_object *user_name(struct request *view, const struct update *u, struct peers *p)
{
    const struct user *who = world_user(view->world, u->a);
    if (!who)
        return NULL;
    struct tl_object *o = tl_new(&view->b, C_updateUserName);
    tl_set_int(o, F_user_id, who->id);
    tl_set_str(o, F_first_name, who->first_name);
    tl_set_str(o, F_last_name, who->last_name);
    struct tl_vector *usernames = tl_set_vec(&view->b, o, F_usernames);
    if (who->username[0]) {
        struct tl_object *name = tl_new(&view->b, C_username);
        tl_set_bool(name, F_editable, true);
        tl_set_bool(name, F_active, true);
        tl_set_str(name, F_username, who->username);
        tl_push_obj(&view->b, usernames, name);
    }
    peers_add(view, p, who->id);
    return o;
}

static struct tl_object *look_again(struct request *view, const struct update *u, struct peers *p)
{
    static const uint16_t symbols[] = {
        [PEER_NONE] = C_updateUser,
        [PEER_USER] = C_updateUser,
        [PEER_CHAT] = C_updateChat,
        [PEER_CHANNEL] = C_updateChannel,
    };
    struct tl_object *o = tl_new(&view->b, symbols[peer_kind(u->a)]);
    tl_set_int(o, F_user_id, u->a);
    tl_set_int(o, F_chat_id, peer_bare(u->a));
    tl_set_int(o, F_channel_id, peer_bare(u->a));
    peers_add(view, p, u->a);
    return o;
}

static struct tl_object *chat_members(struct request *view, const struct update *u, struct peers *p)
{
    const struct chat *c = world_chat(view->world, u->a);
    if (!c || !chat_has(c, view->self->id))
        return NULL;
    struct tl_object *o = tl_new(&view->b, C_updateChatParticipants);
    tl_set_obj(o, F_participants, build_chat_participants(view, p, c));
    return o;
}

static struct tl_object *dialog_peer(struct request *view, const struct update *u, struct peers *p)
{
    struct tl_object *o = tl_new(&view->b, C_dialogPeer);
    tl_set_obj(o, F_peer, build_peer(view, u->a));
    peers_add(view, p, u->a);
    return o;
}

static struct tl_object *dialog_pinned(struct request *view, const struct update *u,
                                       struct peers *p)
{
    struct tl_object *o = tl_new(&view->b, C_updateDialogPinned);
    tl_set_bool(o, F_pinned, u->b != 0);
    if (u->c)
        tl_set_int(o, F_folder_id, u->c);
    tl_set_obj(o, F_peer, dialog_peer(view, u, p));
    return o;
}

static struct tl_object *dialog_unread_mark(struct request *view, const struct update *u,
                                            struct peers *p)
{
    struct tl_object *o = tl_new(&view->b, C_updateDialogUnreadMark);
    tl_set_bool(o, F_unread, u->b != 0);
    tl_set_obj(o, F_peer, dialog_peer(view, u, p));
    return o;
}

static struct tl_object *peer_blocked(struct request *view, const struct update *u, struct peers *p)
{
    struct tl_object *o = tl_new(&view->b, C_updatePeerBlocked);
    tl_set_bool(o, F_blocked, u->b != 0);
    tl_set_obj(o, F_peer_id, build_peer(view, u->a));
    peers_add(view, p, u->a);
    return o;
}

static struct tl_object *folder(struct request *view, const struct update *u, struct peers *p)
{
    struct tl_object *o = tl_new(&view->b, C_updateFolderPeers);
    struct tl_object *one = tl_new(&view->b, C_folderPeer);
    tl_set_obj(one, F_peer, build_peer(view, u->a));
    tl_set_int(one, F_folder_id, u->b);
    tl_push_obj(&view->b, tl_set_vec(&view->b, o, F_folder_peers), one);
    set_pts(o, u);
    peers_add(view, p, u->a);
    return o;
}

static struct tl_object *peer_settings(struct request *view, const struct update *u,
                                       struct peers *p)
{
    struct tl_object *o = tl_new(&view->b, C_updatePeerSettings);
    tl_set_obj(o, F_peer, build_peer(view, u->a));
    tl_set_obj(o, F_settings, tl_new(&view->b, C_peerSettings));
    peers_add(view, p, u->a);
    return o;
}

static struct tl_object *join_requests(struct request *view, const struct update *u,
                                       struct peers *p)
{
    const struct chat *c = world_chat(view->world, u->a);
    if (!c)
        return NULL;
    struct tl_object *o = tl_new(&view->b, C_updatePendingJoinRequests);
    tl_set_obj(o, F_peer, build_peer(view, u->a));
    tl_set_int(o, F_requests_pending, c->n_requests);
    struct tl_vector *recent = tl_set_vec(&view->b, o, F_recent_requesters);
    for (uint32_t i = 0; i < c->n_requests && i < RECENT_REQUESTERS_MAX; i++) {
        tl_push_int(&view->b, recent, c->requests[i].user_id);
        peers_add(view, p, c->requests[i].user_id);
    }
    peers_add(view, p, u->a);
    return o;
}

static struct tl_object *available(struct request *view, const struct update *u, struct peers *p)
{
    struct tl_object *o = tl_new(&view->b, C_updateChannelAvailableMessages);
    tl_set_int(o, F_channel_id, peer_bare(u->a));
    tl_set_int(o, F_available_min_id, u->b);
    peers_add(view, p, u->a);
    return o;
}

static struct tl_object *new_scheduled(struct request *view, const struct update *u,
                                       struct peers *p)
{
    const struct scheduled *s = scheduled_find(view->world, view->self, (int32_t)u->b);
    if (!s)
        return NULL;
    struct tl_object *o = tl_new(&view->b, C_updateNewScheduledMessage);
    tl_set_obj(o, F_message, build_message(view, p, s->message, s->id));
    return o;
}

static struct tl_object *delete_scheduled(struct request *view, const struct update *u,
                                          struct peers *p)
{
    struct tl_object *o = tl_new(&view->b, C_updateDeleteScheduledMessages);
    tl_set_obj(o, F_peer, build_peer(view, u->a));
    set_ids(view, o, u);
    if (u->b)
        tl_push_int(&view->b, tl_set_vec(&view->b, o, F_sent_messages), u->b);
    peers_add(view, p, u->a);
    return o;
}

const struct update_type world_updates[U_KINDS] = {
    [U_NEW_MESSAGE] = {"new_message", UPDATE_NEW_MESSAGE, new_message},
    [U_EDIT_MESSAGE] = {"edit_message", UPDATE_OTHER, edit_message},
    [U_DELETE] = {"delete", UPDATE_OTHER, deleted},
    [U_READ_INBOX] = {"read_inbox", UPDATE_OTHER, read_inbox},
    [U_READ_OUTBOX] = {"read_outbox", UPDATE_OTHER, read_outbox},
    [U_PINNED] = {"pinned", UPDATE_OTHER, pinned},
    [U_MESSAGE_ID] = {"message_id", UPDATE_TRANSIENT, message_id},
    [U_TYPING] = {"typing", UPDATE_TRANSIENT, typing},
    [U_USER_STATUS] = {"user_status", UPDATE_TRANSIENT, user_status},
    [U_USER_NAME] = {"user_name", UPDATE_OTHER, user_name},
    [U_USER] = {"user", UPDATE_OTHER, look_again},
    [U_CHANNEL] = {"channel", UPDATE_OTHER, look_again},
    [U_CHAT] = {"chat", UPDATE_OTHER, look_again},
    [U_CHAT_MEMBERS] = {"chat_members", UPDATE_OTHER, chat_members},
    [U_DIALOG_PINNED] = {"dialog_pinned", UPDATE_OTHER, dialog_pinned},
    [U_DIALOG_UNREAD] = {"dialog_unread", UPDATE_OTHER, dialog_unread_mark},
    [U_PEER_BLOCKED] = {"peer_blocked", UPDATE_OTHER, peer_blocked},
    [U_FOLDER] = {"folder", UPDATE_OTHER, folder},
    [U_PEER_SETTINGS] = {"peer_settings", UPDATE_OTHER, peer_settings},
    [U_AVAILABLE] = {"available", UPDATE_OTHER, available},
    [U_NEW_SCHEDULED] = {"new_scheduled", UPDATE_OTHER, new_scheduled},
    [U_DELETE_SCHEDULED] = {"delete_scheduled", UPDATE_OTHER, delete_scheduled},
    [U_DRAFT] = {"draft", UPDATE_OTHER, build_draft_update},
    [U_JOIN_REQUESTS] = {"join_requests", UPDATE_OTHER, join_requests},
};
