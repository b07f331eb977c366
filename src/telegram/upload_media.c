/* SPDX-License-Identifier: MIT */
#include "telegram/upload_media.h"

#include "telegram/request_parts.h"

/* ---- kinds ---- */

static bool fits_photo(const struct media_info *info, int64_t bytes)
{
    int64_t longer = info->width > info->height ? info->width : info->height;
    int64_t shorter = info->width > info->height ? info->height : info->width;
    return format_is_image(info->format) && !info->animated && bytes <= PHOTO_BYTES_MAX &&
           shorter > 0 && longer + shorter <= PHOTO_SIDES_MAX &&
           longer <= shorter * PHOTO_RATIO_MAX;
}

enum media_kind media_kind_of(const struct media_info *info, int64_t bytes,
                              const struct media_wish *wish)
{
    if (wish->document)
        return MEDIA_DOCUMENT;
    if (fits_photo(info, bytes))
        return MEDIA_PHOTO;
    if (info->format == FORMAT_GIF)
        return MEDIA_ANIMATION;
    if (info->has_video)
        return wish->video_note ? MEDIA_VIDEO_NOTE : MEDIA_VIDEO;
    if (info->has_audio)
        return wish->voice ? MEDIA_VOICE : MEDIA_AUDIO;
    return MEDIA_DOCUMENT;
}

bool media_kinds_mix(enum media_kind a, enum media_kind b)
{
    bool both_visual =
        (a == MEDIA_PHOTO || a == MEDIA_VIDEO) && (b == MEDIA_PHOTO || b == MEDIA_VIDEO);
    return both_visual || (a == b && (a == MEDIA_AUDIO || a == MEDIA_DOCUMENT));
}

/* ---- attributes ---- */

static struct tl_object *video_attribute(struct tl_builder *b, const struct upload_media *m)
{
    struct tl_object *o = tl_new(b, C_documentAttributeVideo);
    tl_set_bool(o, F_round_message, m->kind == MEDIA_VIDEO_NOTE);
    tl_set_bool(o, F_supports_streaming, m->info->streamable);
    tl_set_double(o, F_duration, m->info->duration);
    tl_set_int(o, F_w, m->info->width);
    tl_set_int(o, F_h, m->info->height);
    return o;
}

static struct tl_object *audio_attribute(struct tl_builder *b, const struct upload_media *m)
{
    const struct media_info *info = m->info;
    double seconds = info->duration < INT32_MAX ? info->duration + 0.5 : 0;
    struct tl_object *o = tl_new(b, C_documentAttributeAudio);
    tl_set_bool(o, F_voice, m->kind == MEDIA_VOICE);
    tl_set_int(o, F_duration, (int64_t)seconds);
    if (m->kind == MEDIA_AUDIO && *info->title)
        tl_set_str(o, F_title, info->title);
    if (m->kind == MEDIA_AUDIO && *info->performer)
        tl_set_str(o, F_performer, info->performer);
    return o;
}

static void push_attributes(struct tl_builder *b, struct tl_vector *attributes,
                            const struct upload_media *m)
{
    struct tl_object *name = tl_new(b, C_documentAttributeFilename);
    tl_set_text(name, F_file_name, m->name);
    tl_push_obj(b, attributes, name);
    if (m->kind == MEDIA_VIDEO || m->kind == MEDIA_VIDEO_NOTE)
        tl_push_obj(b, attributes, video_attribute(b, m));
    if (m->kind == MEDIA_AUDIO || m->kind == MEDIA_VOICE)
        tl_push_obj(b, attributes, audio_attribute(b, m));
    if (m->kind == MEDIA_ANIMATION)
        tl_push_obj(b, attributes, tl_new(b, C_documentAttributeAnimated));
    bool picture = m->info->format == FORMAT_GIF || format_is_image(m->info->format);
    if (!picture || m->info->width == 0)
        return;
    struct tl_object *size = tl_new(b, C_documentAttributeImageSize);
    tl_set_int(size, F_w, m->info->width);
    tl_set_int(size, F_h, m->info->height);
    tl_push_obj(b, attributes, size);
}

struct tl_object *upload_media_to_input(struct tl_builder *b, const struct upload_media *m)
{
    bool photo = m->kind == MEDIA_PHOTO;
    struct tl_object *o =
        tl_new(b, photo ? C_inputMediaUploadedPhoto : C_inputMediaUploadedDocument);
    tl_set_obj(o, F_file, m->file);
    tl_set_bool(o, F_spoiler, m->spoiler);
    if (photo)
        return o;
    tl_set_obj(o, F_thumb, m->thumb);
    tl_set_bool(o, F_force_file, m->kind == MEDIA_DOCUMENT);
    tl_set_bool(o, F_nosound_video, m->kind == MEDIA_VIDEO); /* a silent one stays a video */
    tl_set_text(o, F_mime_type, m->mime);
    push_attributes(b, tl_set_vec(b, o, F_attributes), m);
    return o;
}

struct tl_object *uploaded_to_input(struct tl_builder *b, const struct tl_object *message_media,
                                    bool spoiler)
{
    const struct tl_object *photo = tl_obj(message_media, F_photo);
    const struct tl_object *document = tl_obj(message_media, F_document);
    bool is_photo = tl_is(photo, C_photo);
    const struct tl_object *file = is_photo ? photo : document;
    if (!is_photo && !tl_is(document, C_document))
        return NULL;
    struct tl_object *id = tl_new(b, is_photo ? C_inputPhoto : C_inputDocument);
    tl_set_int(id, F_id, tl_int(file, F_id));
    tl_set_int(id, F_access_hash, tl_int(file, F_access_hash));
    tl_set_text(id, F_file_reference, tl_text(file, F_file_reference));
    struct tl_object *o = tl_new(b, is_photo ? C_inputMediaPhoto : C_inputMediaDocument);
    tl_set_obj(o, F_id, id);
    tl_set_bool(o, F_spoiler, spoiler);
    return o;
}

/* ---- requests ---- */

struct tl_object *request_send_media(struct tl_builder *b, const struct peer_ref *peer,
                                     const struct tl_object *input_media,
                                     const struct send_options *o)
{
    struct tl_object *request = request_to_peer(b, C_messages_sendMedia, F_peer, peer);
    if (!request || !input_media)
        return NULL;
    tl_set_obj(request, F_media, input_media);
    request_set_text(b, request, o);
    tl_set_int(request, F_random_id, o->random_id);
    request_set_delivery(b, request, o);
    return request;
}

struct tl_object *request_upload_media(struct tl_builder *b, const struct peer_ref *peer,
                                       const struct tl_object *input_media)
{
    struct tl_object *request = request_to_peer(b, C_messages_uploadMedia, F_peer, peer);
    if (!request || !input_media)
        return NULL;
    tl_set_obj(request, F_media, input_media);
    return request;
}

struct tl_object *request_send_album(struct tl_builder *b, const struct peer_ref *peer,
                                     const struct tl_object *const *input_media,
                                     const int64_t *random_ids, size_t n,
                                     const struct send_options *o)
{
    struct tl_object *request = request_to_peer(b, C_messages_sendMultiMedia, F_peer, peer);
    if (!request)
        return NULL;
    struct tl_vector *items = tl_set_vec(b, request, F_multi_media);
    for (size_t i = 0; i < n; i++) {
        struct tl_object *item = tl_new(b, C_inputSingleMedia);
        tl_set_obj(item, F_media, input_media[i]);
        tl_set_int(item, F_random_id, random_ids[i]);
        if (i == 0)
            request_set_text(b, item, o);
        else
            tl_set_str(item, F_message, "");
        tl_push_obj(b, items, item);
    }
    request_set_delivery(b, request, o);
    return request;
}
