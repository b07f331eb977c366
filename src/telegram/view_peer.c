/* SPDX-License-Identifier: MIT
 * Chats and users as JSON. */
#include "telegram/view.h"

#include "telegram/json_or_null.h"

static void write_ref(const struct view *v, const struct peer_ref *peer)
{
    json_key(v->w, "ref");
    if (v->write_ref && peer_usable(peer))
        v->write_ref(v->ctx, v->w, peer);
    else
        json_null(v->w);
}

static void write_photo(const struct view *v, const struct tl_object *user_or_chat)
{
    json_key(v->w, "photo_url");
    if (v->write_photo)
        v->write_photo(v->ctx, v->w, user_or_chat);
    else
        json_null(v->w);
}

/* Negative where nobody says. */
static int64_t members_of(const struct tl_object *chat, const struct tl_object *full)
{
    if (tl_has(full, F_participants_count))
        return tl_int(full, F_participants_count);
    uint32_t listed = tl_count(tl_obj(full, F_participants), F_participants);
    if (tl_has(chat, F_participants_count))
        return tl_int(chat, F_participants_count);
    return listed ? (int64_t)listed : -1;
}

static void write_members(struct json_writer *w, int64_t n)
{
    if (n >= 0)
        json_field_int(w, "members_count", n);
    else
        json_field_null(w, "members_count");
}

static void write_counts(struct json_writer *w, const struct tl_object *dialog,
                         const struct tl_object *top)
{
    json_field_int(w, "unread_count", tl_int(dialog, F_unread_count));
    json_time_or_null(w, "last_message_date", top, F_date);
    json_field_int(w, "last_message_id", tl_int(dialog, F_top_message));
    json_field_int(w, "unread_mentions_count", tl_int(dialog, F_unread_mentions_count));
    json_field_bool(w, "is_marked_unread", tl_bool(dialog, F_unread_mark));
    json_field_bool(w, "is_pinned", tl_bool(dialog, F_pinned));
    json_field_bool(w, "is_archived", tl_int(dialog, F_folder_id) == 1);
}

bool view_dialog(const struct view *v, const struct tl_object *dialog, const struct tl_object *top)
{
    if (!tl_is(dialog, C_dialog))
        return false;
    const struct tl_object *chat = directory_find_peer(v->directory, tl_obj(dialog, F_peer));
    /* A group that became a supergroup goes on as that one. */
    if (!chat || tl_is(chat, C_chatEmpty) || tl_has(chat, F_migrated_to))
        return false;
    struct peer_ref peer = peer_of_object(chat);
    struct slice username = peer_username(chat);
    struct json_writer *w = v->w;
    json_object_begin(w);
    json_field_string(w, "name", peer_name(chat, v->arena));
    json_field_int(w, "id", peer_marked_id(peer.kind, peer.id));
    write_ref(v, &peer);
    json_field_text(w, "type", peer_chat_type(chat));
    write_members(w, peer.kind == PEER_USER ? -1 : members_of(chat, NULL));
    json_field_bool(w, "is_private", username.len == 0);
    json_text_or_null(w, "username", username);
    write_counts(w, dialog, top);
    write_photo(v, chat);
    json_object_end(w);
    return true;
}

void view_user(const struct view *v, const struct tl_object *user, const struct tl_object *full)
{
    struct peer_ref peer = peer_of_object(user);
    struct json_writer *w = v->w;
    json_object_begin(w);
    json_field_int(w, "id", peer.id);
    write_ref(v, &peer);
    json_field_string(w, "name", peer_name(user, v->arena));
    json_text_or_null(w, "first_name", tl_text(user, F_first_name));
    json_text_or_null(w, "last_name", tl_text(user, F_last_name));
    json_text_or_null(w, "username", peer_username(user));
    json_text_or_null(w, "phone", tl_text(user, F_phone));
    json_text_or_null(w, "bio", tl_text(full, F_about));
    json_text_or_null(w, "language", tl_text(user, F_lang_code));
    json_field_bool(w, "is_bot", tl_bool(user, F_bot));
    json_field_bool(w, "is_premium", tl_bool(user, F_premium));
    json_field_bool(w, "is_verified", tl_bool(user, F_verified));
    write_photo(v, user);
    json_object_end(w);
}

void view_chat_fields(const struct view *v, const struct tl_object *chat,
                      const struct tl_object *full)
{
    struct peer_ref peer = peer_of_object(chat);
    struct json_writer *w = v->w;
    json_field_int(w, "id", peer_marked_id(peer.kind, peer.id));
    write_ref(v, &peer);
    json_field_text(w, "type", peer_chat_type(chat));
    json_field_string(w, "title", peer_name(chat, v->arena));
    json_text_or_null(w, "username", peer_username(chat));
    json_text_or_null(w, "description", tl_text(full, F_about));
    write_members(w, members_of(chat, full));
    write_photo(v, chat);
}
