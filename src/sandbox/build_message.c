/* SPDX-License-Identifier: MIT
 * Messages and dialogs as TL, as one of the accounts that have them sees them. */
#include "sandbox/build.h"
#include "sandbox/build_parts.h"
#include "sandbox/chat.h"
#include "sandbox/drafts.h"
#include "sandbox/entities.h"

struct tl_vector *build_entities(struct request *view, struct tl_object *o, uint16_t field,
                                 const struct message_extra *e)
{
    if (!e || !e->n_entities)
        return NULL;
    struct tl_vector *vec = tl_set_vec(&view->b, o, field);
    for (uint32_t i = 0; i < e->n_entities; i++)
        tl_push_obj(&view->b, vec, build_entity(view, &e->entities[i]));
    return vec;
}

/* ---- parts ---- */

static const uint16_t action_symbols[ACTION_KINDS] = {
    [ACTION_CHAT_CREATE] = C_messageActionChatCreate,
    [ACTION_ADD_USERS] = C_messageActionChatAddUser,
    [ACTION_DELETE_USER] = C_messageActionChatDeleteUser,
    [ACTION_JOINED_BY_LINK] = C_messageActionChatJoinedByLink,
    [ACTION_JOINED_BY_REQUEST] = C_messageActionChatJoinedByRequest,
    [ACTION_EDIT_TITLE] = C_messageActionChatEditTitle,
    [ACTION_EDIT_PHOTO] = C_messageActionChatEditPhoto,
    [ACTION_DELETE_PHOTO] = C_messageActionChatDeletePhoto,
    [ACTION_CHANNEL_CREATE] = C_messageActionChannelCreate,
    [ACTION_MIGRATE_TO] = C_messageActionChatMigrateTo,
    [ACTION_MIGRATED_FROM] = C_messageActionChannelMigrateFrom,
    [ACTION_PIN] = C_messageActionPinMessage,
    [ACTION_CONTACT_SIGN_UP] = C_messageActionContactSignUp,
    [ACTION_HISTORY_CLEAR] = C_messageActionHistoryClear,
};

/* Each constructor has some of these fields; the setters skip the others. */
static struct tl_object *build_action(struct request *view, struct peers *p, const struct action *a)
{
    struct tl_object *o = tl_new(&view->b, action_symbols[a->kind]);
    if (a->title)
        tl_set_str(o, F_title, a->title);
    if (a->photo)
        tl_set_obj(o, F_photo, build_photo(view, a->photo));
    int64_t bare = peer_bare(a->peer);
    tl_set_int(o, F_user_id, bare);
    tl_set_int(o, F_inviter_id, bare);
    tl_set_int(o, F_chat_id, bare);
    tl_set_int(o, F_channel_id, bare);
    peers_add(view, p, a->peer);
    struct tl_vector *users = tl_set_vec(&view->b, o, F_users);
    for (uint32_t i = 0; i < a->n_users; i++) {
        tl_push_int(&view->b, users, a->users[i]);
        peers_add(view, p, a->users[i]);
    }
    return o;
}

static struct tl_object *build_forward(struct request *view, struct peers *p,
                                       const struct forward *f)
{
    struct tl_object *o = tl_new(&view->b, C_messageFwdHeader);
    tl_set_int(o, F_date, f->date);
    if (f->from)
        tl_set_obj(o, F_from_id, build_peer(view, f->from));
    else
        tl_set_str(o, F_from_name, f->from_name ? f->from_name : "");
    if (f->channel_post)
        tl_set_int(o, F_channel_post, f->channel_post);
    if (f->post_author)
        tl_set_str(o, F_post_author, f->post_author);
    if (f->saved_peer) {
        tl_set_obj(o, F_saved_from_peer, build_peer(view, f->saved_peer));
        tl_set_int(o, F_saved_from_msg_id, f->saved_id);
        peers_add(view, p, f->saved_peer);
    }
    peers_add(view, p, f->from);
    return o;
}

static struct tl_object *build_reply(struct request *view, const struct message *m)
{
    int32_t id = storage_id_for(view->world, view->self, m, m->reply_to);
    struct tl_object *o = tl_new(&view->b, C_messageReplyHeader);
    /* Telegram keeps the number of what was answered also when that is gone; boxes forget it. */
    tl_set_int(o, F_reply_to_msg_id, id || peer_kind(m->peer) != PEER_CHANNEL ? id : m->reply_to);
    if (m->extra && m->extra->quote) {
        tl_set_bool(o, F_quote, true);
        tl_set_str(o, F_quote_text, m->extra->quote);
        tl_set_int(o, F_quote_offset, m->extra->quote_offset);
    }
    return o;
}

/* ---- messages ---- */

static void set_common(struct request *view, struct peers *p, struct tl_object *o,
                       const struct message *m, int32_t id)
{
    int64_t dialog = message_dialog(view->self, m);
    tl_set_int(o, F_id, id);
    tl_set_int(o, F_date, m->date);
    tl_set_obj(o, F_peer_id, build_peer(view, dialog));
    peers_add(view, p, dialog);
    tl_set_bool(o, F_out, message_is_out(view->self, m) && dialog != view->self->id);
    tl_set_bool(o, F_silent, m->flags & MESSAGE_SILENT);
    tl_set_bool(o, F_post, m->flags & MESSAGE_POST);
    /* In private chats the one who wrote is left out where the dialog says it. */
    if (m->from != m->peer && m->from != dialog) {
        tl_set_obj(o, F_from_id, build_peer(view, m->from));
        peers_add(view, p, m->from);
    } else if (dialog == view->self->id) {
        tl_set_obj(o, F_from_id, build_peer(view, m->from));
    }
    if (m->reply_to)
        tl_set_obj(o, F_reply_to, build_reply(view, m));
}

static void set_extra(struct request *view, struct peers *p, struct tl_object *o,
                      const struct message *m)
{
    const struct message_extra *e = m->extra;
    build_entities(view, o, F_entities, e);
    if (e->media)
        tl_set_obj(o, F_media, build_media(view, e->media));
    if (e->grouped_id)
        tl_set_int(o, F_grouped_id, e->grouped_id);
    if (e->forward)
        tl_set_obj(o, F_fwd_from, build_forward(view, p, e->forward));
    if (e->post_author)
        tl_set_str(o, F_post_author, e->post_author);
    if (e->via_bot) {
        tl_set_int(o, F_via_bot_id, e->via_bot);
        peers_add(view, p, e->via_bot);
    }
}

struct tl_object *build_message(struct request *view, struct peers *p, const struct message *m,
                                int32_t id)
{
    if (m->extra && m->extra->action) {
        struct tl_object *service = tl_new(&view->b, C_messageService);
        set_common(view, p, service, m, id);
        tl_set_obj(service, F_action, build_action(view, p, m->extra->action));
        return service;
    }
    struct tl_object *o = tl_new(&view->b, C_message);
    set_common(view, p, o, m, id);
    tl_set_text(o, F_message, slice_of(m->text, m->text_len));
    tl_set_bool(o, F_pinned, m->id && message_is_pinned(view->self, m, id));
    tl_set_bool(o, F_from_scheduled, m->flags & MESSAGE_FROM_SCHEDULED);
    tl_set_bool(o, F_noforwards, m->flags & MESSAGE_NOFORWARDS);
    if (m->edit_date) {
        tl_set_int(o, F_edit_date, m->edit_date);
        tl_set_bool(o, F_edit_hide, m->flags & MESSAGE_EDIT_HIDE);
    }
    if (m->flags & MESSAGE_POST) {
        tl_set_int(o, F_views, m->views);
        tl_set_int(o, F_forwards, m->extra ? m->extra->forwards : 0);
    }
    if (m->extra)
        set_extra(view, p, o, m);
    return o;
}

/* ---- dialogs ---- */

struct tl_object *build_dialog(struct request *view, struct peers *p, const struct dialog *d)
{
    int32_t top;
    dialog_top(view->world, view->self, d, &top);
    struct tl_object *o = tl_new(&view->b, C_dialog);
    tl_set_bool(o, F_pinned, d->pinned_rank > 0);
    tl_set_bool(o, F_unread_mark, d->unread_mark);
    tl_set_obj(o, F_peer, build_peer(view, d->peer));
    tl_set_int(o, F_top_message, top);
    tl_set_int(o, F_read_inbox_max_id, d->read_inbox_max);
    tl_set_int(o, F_read_outbox_max_id, d->read_outbox_max);
    tl_set_int(o, F_unread_count, dialog_unread(view->world, view->self, d));
    tl_set_int(o, F_unread_mentions_count, 0);
    tl_set_int(o, F_unread_reactions_count, 0);
    tl_set_int(o, F_unread_poll_votes_count, 0);
    tl_set_obj(o, F_notify_settings, build_notify_settings(view, d->peer));
    const struct chat *c =
        peer_kind(d->peer) == PEER_CHANNEL ? world_chat(view->world, d->peer) : NULL;
    if (c)
        tl_set_int(o, F_pts, c->log.pts);
    if (d->folder)
        tl_set_int(o, F_folder_id, d->folder);
    if (d->saved)
        tl_set_obj(o, F_draft, build_saved_draft(view, d));
    peers_add(view, p, d->peer);
    return o;
}
