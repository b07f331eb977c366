/* SPDX-License-Identifier: MIT
 * GET /messages/media/{message_id}: the photo or document of a message. */
#include <time.h>

#include "gateway/file_answer.h"
#include "gateway/handlers.h"
#include "gateway/messages.h"
#include "gateway/resolve.h"
#include "telegram/mime.h"
#include "telegram/stored_file.h"

struct media {
    struct peer_ref peer;
    int32_t message_id;
    struct slice thumb;
    struct stored_file file;
};

/* Asks for the message, for its file references live for hours only. */
static bool find_media(struct call *c, struct media *m)
{
    const struct tl_object *message = message_fetch(c, &m->peer, m->message_id);
    if (!message)
        return false;
    switch (stored_file_of_message(&c->b, message, m->thumb, &m->file)) {
    case STORED_FILE_FOUND:
        return true;
    case STORED_FILE_NO_THUMB:
        call_fail(c, 404, "THUMB_NOT_FOUND", "The media of this message has no such size");
        c->error.field = "thumb";
        return false;
    case STORED_FILE_NONE:
        break;
    }
    call_fail(c, 404, "MEDIA_EMPTY", "This message has no photo or file, or it has expired");
    return false;
}

static struct file_place place_of(const struct stored_file *f)
{
    return (struct file_place){.dc = f->dc, .location = f->location, .size = f->size};
}

/* The message may have been edited since: the rest of another file is not to follow. */
static bool renew(struct call *c, void *arg, struct file_place *place)
{
    struct media *m = arg;
    int64_t id = m->file.id;
    if (!find_media(c, m))
        return false;
    if (m->file.id != id || !m->file.location) {
        call_fail(c, 404, "MEDIA_EMPTY", "The media of this message has been replaced meanwhile");
        return false;
    }
    *place = place_of(&m->file);
    return true;
}

/* "photo_2024-03-01_10-20-30.jpg" for what has no name of its own. */
static struct slice name_of(struct call *c, const struct stored_file *f, struct slice mime)
{
    char date[32] = "";
    time_t seconds = (time_t)f->date;
    struct tm tm;
    if (f->name.len)
        return f->name;
    struct slice extension = mime_extension(mime);
    if (f->date > 0 && gmtime_r(&seconds, &tm))
        strftime(date, sizeof date, "_%Y-%m-%d_%H-%M-%S", &tm);
    return slice_str(arena_printf(c->arena, "%s%s%s%.*s", f->size_type.len ? "photo" : "file", date,
                                  extension.len ? "." : "", (int)extension.len,
                                  (const char *)extension.data));
}

void handle_media(struct call *c)
{
    struct media *m = arena_alloc(c->arena, sizeof *m);
    if (!m || !resolve_param(c, "chat_id", &m->peer))
        return;
    m->message_id = (int32_t)call_param(c, "message_id")->i;
    m->thumb = call_param(c, "thumb")->text;
    if (!find_media(c, m))
        return;
    const struct stored_file *f = &m->file;
    struct slice mime = mime_essence(f->mime);
    if (mime.len == 0)
        mime = slice_str(MIME_OCTETS);
    const char *etag = arena_printf(c->arena, "\"%llx-%llx%s%.*s\"", (unsigned long long)f->id,
                                    (unsigned long long)f->size, f->size_type.len ? "-" : "",
                                    (int)f->size_type.len, (const char *)f->size_type.data);
    struct file_answer answer = {
        .place = place_of(f),
        .bytes = f->bytes,
        .etag = slice_str(etag),
        .modified = f->date,
        .mime = mime,
        .name = name_of(c, f, mime),
        .caching = "private, no-cache", /* a message can be edited to hold another */
        .renew = renew,
        .arg = m,
    };
    file_answer_send(c, &answer);
}
