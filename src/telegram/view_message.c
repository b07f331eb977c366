/* SPDX-License-Identifier: MIT
 * One message as JSON. */
#include "telegram/view.h"

#include "telegram/json_or_null.h"

/* ---- who sent it ---- */

struct sender {
    struct peer_ref ref;
    const struct tl_object *object; /* NULL where the answer does not hold it */
};

/* from_id is left out for posts of a channel, and in private chats, where it is the other or
 * oneself. */
static struct sender sender_of(const struct view *v, const struct tl_object *m)
{
    const struct tl_object *from = tl_obj(m, F_from_id);
    const struct tl_object *self = directory_self(v->directory);
    struct peer_ref chat = peer_of_tl(tl_obj(m, F_peer_id));
    if (!from && chat.kind == PEER_USER && tl_bool(m, F_out) && self)
        return (struct sender){peer_of_object(self), self};
    if (!from && chat.kind == PEER_CHAT)
        return (struct sender){0};
    const struct tl_object *peer = from ? from : tl_obj(m, F_peer_id);
    return (struct sender){directory_ref_in(v->directory, peer, m),
                           directory_find_peer(v->directory, peer)};
}

static void write_sender(const struct view *v, const struct tl_object *m)
{
    struct sender sender = sender_of(v, m);
    struct json_writer *w = v->w;
    if (sender.ref.kind == PEER_NONE)
        json_field_null(w, "sender_id");
    else
        json_field_int(w, "sender_id", peer_marked_id(sender.ref.kind, sender.ref.id));
    json_text_or_null(w, "sender_username", peer_username(sender.object));
    json_text_or_null(w, "sender_name", peer_name(sender.object, v->arena));
    json_key(w, "sender_ref");
    if (v->write_ref && peer_usable(&sender.ref))
        v->write_ref(v->ctx, w, &sender.ref);
    else
        json_null(w);
}

/* ---- where it came from ---- */

static struct slice forward_name(const struct view *v, const struct tl_object *forward)
{
    struct slice name = tl_text(forward, F_from_name);
    if (name.len == 0)
        name = peer_name(directory_find_peer(v->directory, tl_obj(forward, F_from_id)), v->arena);
    if (name.len == 0 && tl_has(forward, F_from_id))
        name = slice_str(arena_printf(v->arena, "%lld",
                                      (long long)peer_marked_of_tl(tl_obj(forward, F_from_id))));
    return name.len ? name : slice_str("unknown");
}

/* forward_from is a name, for it is all that some forwards tell; `forward` has the rest. */
static void write_forward(const struct view *v, const struct tl_object *m)
{
    const struct tl_object *forward = tl_obj(m, F_fwd_from);
    struct json_writer *w = v->w;
    if (!forward) {
        json_field_null(w, "forward_from");
        json_field_null(w, "forward");
        return;
    }
    json_field_string(w, "forward_from", forward_name(v, forward));
    json_key(w, "forward");
    json_object_begin(w);
    if (tl_has(forward, F_from_id))
        json_field_int(w, "from_id", peer_marked_of_tl(tl_obj(forward, F_from_id)));
    else
        json_field_null(w, "from_id");
    json_time_or_null(w, "date", forward, F_date);
    json_int_or_null(w, "message_id", forward, F_channel_post);
    json_object_end(w);
}

/* ---- what it says ---- */

static void write_text(const struct view *v, const struct formatted_text *text)
{
    if (text->n_entities == 0 && v->mode != TEXT_HTML) {
        json_string(v->w, text->text);
        return;
    }
    struct buf written;
    buf_init(&written, 0);
    text_unparse(v->mode, text, v->arena, &written);
    json_string(v->w, buf_slice(&written));
    buf_free(&written);
}

static void write_content(const struct view *v, const struct tl_object *m)
{
    struct json_writer *w = v->w;
    json_key(w, "text");
    if (!tl_is(m, C_message)) {
        json_null(w);
        return;
    }
    struct formatted_text text = {.text = tl_text(m, F_message)};
    if (v->mode != TEXT_NONE || v->with_entities)
        entities_from_tl(m, F_entities, v->arena, &text);
    write_text(v, &text);
    if (!v->with_entities)
        return;
    json_field_string(w, "text_plain", text.text);
    json_key(w, "entities");
    entities_to_json(text.entities, text.n_entities, w);
}

static void write_media(const struct view *v, const struct tl_object *m)
{
    const struct tl_object *media = tl_obj(m, F_media);
    const char *type = media_type_of(media);
    json_text_or_null(v->w, "media_type", slice_str(type));
    json_key(v->w, "file");
    view_file(v, media);
}

static void write_action(const struct view *v, const struct tl_object *m)
{
    const struct tl_object *action = tl_obj(m, F_action);
    struct json_writer *w = v->w;
    json_key(w, "action");
    if (!action) {
        json_null(w);
        return;
    }
    const char *type = action_type_of(action, v->arena);
    json_object_begin(w);
    json_text_or_null(w, "type", slice_str(type));
    if (tl_has(action, F_title))
        json_field_string(w, "title", tl_text(action, F_title));
    if (tl_is(action, C_messageActionCustomAction))
        json_field_string(w, "message", tl_text(action, F_message));
    if (tl_get(action, F_users)->kind == TL_VECTOR) {
        json_key(w, "user_ids");
        json_array_begin(w);
        for (uint32_t i = 0; i < tl_count(action, F_users); i++)
            json_int(w, tl_item(action, F_users, i)->i);
        json_array_end(w);
    }
    if (tl_has(action, F_user_id))
        json_field_int(w, "user_id", tl_int(action, F_user_id));
    json_object_end(w);
}

void view_message(const struct view *v, const struct tl_object *message)
{
    struct json_writer *w = v->w;
    json_object_begin(w);
    json_field_int(w, "id", message_id_of(message));
    json_field_int(w, "chat_id", peer_marked_of_tl(tl_obj(message, F_peer_id)));
    write_content(v, message);
    json_field_time(w, "date", tl_int(message, F_date));
    write_sender(v, message);
    json_int_or_null(w, "reply_to_msg_id", tl_obj(message, F_reply_to), F_reply_to_msg_id);
    write_forward(v, message);
    write_media(v, message);
    json_field_bool(w, "is_pinned", tl_bool(message, F_pinned));
    json_field_bool(w, "out", tl_bool(message, F_out));
    json_time_or_null(w, "edit_date", message, F_edit_date);
    json_int_or_null(w, "views", message, F_views);
    json_int_or_null(w, "forwards", message, F_forwards);
    json_key(w, "grouped_id");
    if (tl_has(message, F_grouped_id))
        json_int_string(w, tl_int(message, F_grouped_id));
    else
        json_null(w);
    json_text_or_null(w, "post_author", tl_text(message, F_post_author));
    write_action(v, message);
    json_object_end(w);
}
