/* SPDX-License-Identifier: MIT
 * Answers of Telegram as the HTTP API's JSON. */
#ifndef TGREST_TELEGRAM_VIEW_H
#define TGREST_TELEGRAM_VIEW_H

#include "base/json_writer.h"
#include "telegram/messages.h"

/* What every view needs: where to write, who is who, how to write text. */
struct view {
    struct json_writer *w;
    struct arena *arena;
    const struct directory *directory;
    enum text_mode mode;
    bool with_entities; /* messages: also write text_plain and `entities` */
    /* Writes the sealed ref of a peer as a JSON string (or null). */
    void (*write_ref)(void *ctx, struct json_writer *w, const struct peer_ref *peer);
    /* Writes this gateway's path that serves the photo of a User or Chat (or null). */
    void (*write_photo)(void *ctx, struct json_writer *w, const struct tl_object *user_or_chat);
    void *ctx;
};

/* ---- messages ---- */

/* One object of /messages, from a message or messageService. */
void view_message(const struct view *v, const struct tl_object *message);
/* "photo", "video", "video_note", "animation", "voice", "audio", "sticker", "document", "contact",
 * "location", "venue", "poll", "dice", "webpage"; NULL for anything else. Static. */
const char *media_type_of(const struct tl_object *media);
/* The JSON value of a media's document (name, mime_type, size, duration, width, height), or null.
 */
void view_file(const struct view *v, const struct tl_object *media);
/* The service action's own name in snake case ("chat_create", "pin_message"), in the arena; NULL if
 * none. */
const char *action_type_of(const struct tl_object *action, struct arena *a);

/* ---- chats and users ---- */

/* One object of /chats. `top` is the dialog's top message or NULL. False (and nothing written)
 * where there is no such chat to show: folders, and chats that are gone. */
bool view_dialog(const struct view *v, const struct tl_object *dialog, const struct tl_object *top);
/* The answer of /me: a User object; `full` (userFull, or NULL) adds the bio. */
void view_user(const struct view *v, const struct tl_object *user, const struct tl_object *full);
/* The fields id, ref, type, title, username, description, members_count, photo_url, for a Chat
 * object and its ChatFull or NULL; the caller opens and closes the object. */
void view_chat_fields(const struct view *v, const struct tl_object *chat,
                      const struct tl_object *full);

#endif
