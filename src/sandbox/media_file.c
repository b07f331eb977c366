/* SPDX-License-Identifier: MIT
 * Photos and documents from what was uploaded, or by what names them.
 * https://core.telegram.org/method/messages.sendMedia */
#include "sandbox/media_file.h"

#include <stdlib.h>

#include "sandbox/image.h"
#include "sandbox/input.h"
#include "sandbox/world_parts.h"

enum {
    PHOTO_SIDES_SUM_MAX = 10000,
    PHOTO_RATIO_MAX = 20,
    THUMB_BYTES_MAX = 200 * 1024,
    THUMB_PX_MAX = 320,
};

/* The media that shows the file, with the flags that this message sets. */
static const char *show(struct file *f, const struct tl_object *o, struct media *m)
{
    struct media *shown = f ? file_show(f) : NULL;
    if (!shown)
        return "INTERNAL_SERVER_ERROR";
    *m = *shown;
    free(shown);
    m->flags |= tl_bool(o, F_spoiler) ? MEDIA_SPOILER : 0;
    return NULL;
}

/* ---- photos ---- */

/* Telegram's letter for a picture of that size:
 * https://core.telegram.org/api/files#image-thumbnail-types
 */
static char size_letter(int32_t longest)
{
    return longest <= 100    ? 's'
           : longest <= 320  ? 'm'
           : longest <= 800  ? 'x'
           : longest <= 1280 ? 'y'
                             : 'w';
}

static const char *dimensions_error(int32_t width, int32_t height)
{
    if (width <= 0 || height <= 0 || (int64_t)width + height > PHOTO_SIDES_SUM_MAX)
        return "PHOTO_INVALID_DIMENSIONS";
    int32_t longest = width > height ? width : height, shortest = width + height - longest;
    return longest / shortest > PHOTO_RATIO_MAX ? "PHOTO_INVALID_DIMENSIONS" : NULL;
}

struct file *photo_from_content(struct world *w, struct content *content, int32_t dc, int32_t now_s,
                                const char **error)
{
    int32_t width = 0, height = 0;
    struct arena scratch;
    arena_init(&scratch, 0);
    bool image = image_size(content_read(content, 0, IMAGE_HEAD_BYTES, &scratch), &width, &height);
    arena_free(&scratch);
    *error = content->size > PHOTO_BYTES_MAX ? "PHOTO_SAVE_FILE_INVALID"
             : !image                        ? "IMAGE_PROCESS_FAILED"
                                             : dimensions_error(width, height);
    struct media *m = *error ? NULL : calloc(1, sizeof *m);
    if (m)
        m->kind = MEDIA_PHOTO;
    struct file *f = m ? file_new(w, m, NULL, dc, now_s) : NULL;
    if (!f) {
        *error = *error ? *error : "INTERNAL_SERVER_ERROR";
        content_drop(&w->files.store, content);
        return NULL;
    }
    file_add_size(f, size_letter(width > height ? width : height), width, height, content);
    return f;
}

/* The name's extension, where it has one, must be a picture's. */
static bool may_be_picture(struct slice name)
{
    static const char *const extensions[] = {"jpg", "jpeg", "png", "gif", "webp"};
    size_t dot = name.len;
    while (dot > 0 && name.data[dot - 1] != '.')
        dot--;
    if (dot == 0)
        return true;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (slice_is_nocase(slice_of(name.data + dot, name.len - dot), extensions[i]))
            return true;
    return false;
}

struct file *photo_from_upload(struct request *r, const struct tl_object *input, const char **error)
{
    if (!may_be_picture(tl_text(input, F_name))) {
        *error = "PHOTO_EXT_INVALID";
        return NULL;
    }
    if (upload_was_streamed(r, input)) { /* a picture is looked at as a whole */
        *error = "PHOTO_SAVE_FILE_INVALID";
        return NULL;
    }
    struct content *content = upload_take(r, input, error);
    return content
               ? photo_from_content(r->world, content, r->self->account->home_dc, r->now_s, error)
               : NULL;
}

const char *read_uploaded_photo(struct request *r, const struct tl_object *o, struct media *m)
{
    const char *error;
    struct file *f = photo_from_upload(r, tl_obj(o, F_file), &error);
    return f ? show(f, o, m) : error;
}

/* ---- documents: what their attributes say ---- */

static bool keep_text(char **to, struct slice text)
{
    return !slice_is_utf8(text) || text_replace(to, text);
}

static bool read_file_name(const struct tl_object *a, struct media *m)
{
    return keep_text(&m->file_name, tl_text(a, F_file_name));
}

static bool read_audio(const struct tl_object *a, struct media *m)
{
    struct slice waveform = tl_text(a, F_waveform);
    m->kind = tl_bool(a, F_voice) ? MEDIA_VOICE : MEDIA_AUDIO;
    m->duration = (double)tl_int(a, F_duration);
    m->waveform_len =
        (uint8_t)(waveform.len < WAVEFORM_BYTES_MAX ? waveform.len : WAVEFORM_BYTES_MAX);
    if (m->waveform_len)
        memcpy(m->waveform, waveform.data, m->waveform_len);
    return keep_text(&m->name, tl_text(a, F_title)) &&
           keep_text(&m->extra, tl_text(a, F_performer));
}

static bool read_video(const struct tl_object *a, struct media *m)
{
    if (m->kind == MEDIA_DOCUMENT)
        m->kind = tl_bool(a, F_round_message) ? MEDIA_VIDEO_NOTE : MEDIA_VIDEO;
    m->duration = tl_double(a, F_duration);
    m->width = (int32_t)tl_int(a, F_w);
    m->height = (int32_t)tl_int(a, F_h);
    m->flags |= tl_bool(a, F_supports_streaming) ? MEDIA_STREAMABLE : 0;
    m->flags |= tl_bool(a, F_nosound) ? MEDIA_NO_SOUND : 0;
    return true;
}

static bool read_animated(const struct tl_object *a, struct media *m)
{
    (void)a;
    m->kind = MEDIA_ANIMATION;
    return true;
}

static bool read_sticker(const struct tl_object *a, struct media *m)
{
    m->kind = MEDIA_STICKER;
    return keep_text(&m->extra, tl_text(a, F_alt));
}

static bool read_image_size(const struct tl_object *a, struct media *m)
{
    m->width = (int32_t)tl_int(a, F_w);
    m->height = (int32_t)tl_int(a, F_h);
    return true;
}

static const struct {
    uint16_t symbol;
    bool (*read)(const struct tl_object *a, struct media *m);
} attributes[] = {
    {C_documentAttributeFilename, read_file_name}, {C_documentAttributeAudio, read_audio},
    {C_documentAttributeVideo, read_video},        {C_documentAttributeAnimated, read_animated},
    {C_documentAttributeSticker, read_sticker},    {C_documentAttributeImageSize, read_image_size},
};

static bool read_attributes(const struct tl_object *o, struct media *m)
{
    m->kind = MEDIA_DOCUMENT;
    for (uint32_t i = 0; i < tl_count(o, F_attributes); i++) {
        const struct tl_object *a = tl_item_obj(o, F_attributes, i);
        for (size_t k = 0; k < sizeof attributes / sizeof *attributes; k++)
            if (tl_is(a, attributes[k].symbol) && !attributes[k].read(a, m))
                return false;
    }
    bool moving = m->kind == MEDIA_VIDEO || m->kind == MEDIA_ANIMATION;
    if (tl_bool(o, F_force_file) && moving)
        m->kind = MEDIA_DOCUMENT;
    struct slice mime = tl_text(o, F_mime_type);
    return keep_text(&m->detail, mime.len ? mime : slice_str("application/octet-stream")) &&
           (m->detail || text_replace(&m->detail, slice_str("application/octet-stream")));
}

/* ---- documents: their bytes ---- */

/* What is no small picture is passed over, as Telegram does with thumbs. */
static void take_thumb(struct request *r, struct file *f, const struct tl_object *input)
{
    const char *error;
    struct content *c = input ? upload_take(r, input, &error) : NULL;
    int32_t width, height;
    if (!c)
        return;
    if (c->size <= THUMB_BYTES_MAX &&
        image_size(content_read(c, 0, IMAGE_HEAD_BYTES, r->arena), &width, &height) && width > 0 &&
        height > 0 && width <= THUMB_PX_MAX && height <= THUMB_PX_MAX)
        file_add_size(f, 'm', width, height, c);
    else
        content_drop(&r->world->files.store, c);
}

const char *read_uploaded_document(struct request *r, const struct tl_object *o, struct media *m)
{
    const char *error;
    struct content *c = upload_take(r, tl_obj(o, F_file), &error);
    struct media *about = c ? calloc(1, sizeof *about) : NULL;
    if (!about || !read_attributes(o, about)) {
        content_drop(&r->world->files.store, c);
        media_free(about);
        return c ? "INTERNAL_SERVER_ERROR" : error;
    }
    if (about->kind == MEDIA_DOCUMENT && !about->width)
        image_size(content_read(c, 0, IMAGE_HEAD_BYTES, r->arena), &about->width, &about->height);
    struct file *f = file_new(r->world, about, c, r->self->account->home_dc, r->now_s);
    if (!f)
        return "INTERNAL_SERVER_ERROR";
    take_thumb(r, f, tl_obj(o, F_thumb));
    return show(f, o, m);
}

/* ---- what is there already ---- */

static const char *read_known(struct request *r, const struct tl_object *o, bool photo,
                              struct media *m)
{
    const struct tl_object *id = tl_obj(o, F_id);
    const char *error = NULL;
    if (!tl_is(id, photo ? C_inputPhoto : C_inputDocument))
        return "MEDIA_EMPTY";
    struct file *f = input_file_named(r, id, photo, &error);
    if (f)
        return show(f, o, m);
    return strcmp(error, "FILE_ID_INVALID") == 0 ? "MEDIA_EMPTY" : error;
}

const char *read_known_photo(struct request *r, const struct tl_object *o, struct media *m)
{
    return read_known(r, o, true, m);
}

const char *read_known_document(struct request *r, const struct tl_object *o, struct media *m)
{
    return read_known(r, o, false, m);
}
