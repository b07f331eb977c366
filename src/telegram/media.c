/* SPDX-License-Identifier: MIT
 * What kind of thing a message carries. */
#include "telegram/view.h"

#include "telegram/json_or_null.h"
#include "telegram/media_attributes.h"

/* Stickers and animations are videos or images too: the special kinds first. */
static const char *document_type(const struct tl_object *media)
{
    const struct tl_object *document = tl_obj(media, F_document);
    const struct tl_object *video = document_attribute(document, C_documentAttributeVideo);
    const struct tl_object *audio = document_attribute(document, C_documentAttributeAudio);
    if (document_attribute(document, C_documentAttributeSticker) ||
        document_attribute(document, C_documentAttributeCustomEmoji))
        return "sticker";
    if (document_attribute(document, C_documentAttributeAnimated))
        return "animation";
    /* The media's own flags are what is left of one that expired. */
    if (tl_bool(video, F_round_message) || tl_bool(media, F_round))
        return "video_note";
    if (video || tl_bool(media, F_video))
        return "video";
    if (tl_bool(audio, F_voice) || tl_bool(media, F_voice))
        return "voice";
    return audio ? "audio" : "document";
}

const char *media_type_of(const struct tl_object *media)
{
    static const struct {
        uint16_t ctor;
        const char *name;
    } types[] = {
        {C_messageMediaPhoto, "photo"},  {C_messageMediaContact, "contact"},
        {C_messageMediaGeo, "location"}, {C_messageMediaGeoLive, "location"},
        {C_messageMediaVenue, "venue"},  {C_messageMediaPoll, "poll"},
        {C_messageMediaDice, "dice"},
    };
    if (tl_is(media, C_messageMediaDocument))
        return document_type(media);
    if (tl_is(media, C_messageMediaWebPage))
        return tl_is(tl_obj(media, F_webpage), C_webPageEmpty) ? NULL : "webpage";
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (tl_is(media, types[i].ctor))
            return types[i].name;
    return NULL;
}

void view_file(const struct view *v, const struct tl_object *media)
{
    struct json_writer *w = v->w;
    const struct tl_object *document = tl_obj(media, F_document);
    if (!tl_is(document, C_document)) {
        json_null(w);
        return;
    }
    const struct tl_object *video = document_attribute(document, C_documentAttributeVideo);
    const struct tl_object *audio = document_attribute(document, C_documentAttributeAudio);
    const struct tl_object *image = document_attribute(document, C_documentAttributeImageSize);
    const struct tl_object *name = document_attribute(document, C_documentAttributeFilename);
    const struct tl_object *picture = video ? video : image;
    json_object_begin(w);
    json_key(w, "name");
    if (name)
        json_string(w, tl_text(name, F_file_name));
    else
        json_null(w);
    json_field_string(w, "mime_type", tl_text(document, F_mime_type));
    json_field_int(w, "size", tl_int(document, F_size));
    json_key(w, "duration");
    if (video)
        json_double(w, tl_double(video, F_duration));
    else if (audio)
        json_int(w, tl_int(audio, F_duration));
    else
        json_null(w);
    json_int_or_null(w, "width", picture, F_w);
    json_int_or_null(w, "height", picture, F_h);
    json_object_end(w);
}

const char *action_type_of(const struct tl_object *action, struct arena *a)
{
    static const char prefix[] = "messageAction";
    if (!action || strncmp(action->ctor->name, prefix, sizeof prefix - 1) != 0)
        return NULL;
    const char *name = action->ctor->name + sizeof prefix - 1;
    size_t len = strlen(name), n = 0;
    char *out = arena_alloc(a, 2 * len + 1);
    for (size_t i = 0; out && i < len; i++) {
        bool upper = name[i] >= 'A' && name[i] <= 'Z';
        bool next_lower = i + 1 < len && name[i + 1] >= 'a' && name[i + 1] <= 'z';
        bool after_lower = i > 0 && !(name[i - 1] >= 'A' && name[i - 1] <= 'Z');
        if (upper && i > 0 && (after_lower || next_lower))
            out[n++] = '_';
        out[n++] = upper ? (char)(name[i] | 0x20) : name[i];
    }
    return out;
}
