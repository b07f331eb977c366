/* SPDX-License-Identifier: MIT
 * Media of messages as TL. */
#include "sandbox/build.h"
#include "sandbox/build_parts.h"
#include "sandbox/file.h"

static struct slice text_or_empty(const char *text)
{
    return slice_str(text ? text : "");
}

/* id, hash, reference, date and data centre of a photo or document. */
static void set_file(struct request *view, struct tl_object *o, const struct file *f)
{
    uint8_t *reference = arena_alloc(view->arena, FILE_REFERENCE_BYTES);
    if (reference)
        file_reference(view, f, reference);
    tl_set_int(o, F_id, f->id);
    tl_set_int(o, F_access_hash, world_access_hash(view->world, view->self->id, f->id));
    tl_set_text(o, F_file_reference, slice_of(reference, reference ? FILE_REFERENCE_BYTES : 0));
    tl_set_int(o, F_date, f->date);
    tl_set_int(o, F_dc_id, file_dc(view, f));
}

/* Only those that there are bytes of. */
static void set_sizes(struct request *view, struct tl_object *o, uint16_t field,
                      const struct file *f)
{
    struct tl_vector *sizes = tl_set_vec(&view->b, o, field);
    for (uint32_t i = 0; i < f->n_sizes; i++) {
        struct tl_object *size = tl_new(&view->b, C_photoSize);
        tl_set_str(size, F_type, f->sizes[i].type);
        tl_set_int(size, F_w, f->sizes[i].width);
        tl_set_int(size, F_h, f->sizes[i].height);
        tl_set_int(size, F_size, f->sizes[i].content->size);
        tl_push_obj(&view->b, sizes, size);
    }
}

struct tl_object *build_photo(struct request *view, const struct file *f)
{
    if (!f) {
        struct tl_object *empty = tl_new(&view->b, C_photoEmpty);
        tl_set_int(empty, F_id, 0);
        return empty;
    }
    struct tl_object *photo = tl_new(&view->b, C_photo);
    set_file(view, photo, f);
    set_sizes(view, photo, F_sizes, f);
    return photo;
}

static struct tl_object *build_media_photo(struct request *view, const struct media *m)
{
    struct tl_object *media = tl_new(&view->b, C_messageMediaPhoto);
    tl_set_obj(media, F_photo, build_photo(view, m->file));
    tl_set_bool(media, F_spoiler, m->flags & MEDIA_SPOILER);
    return media;
}

static struct tl_object *attribute(struct request *view, struct tl_vector *to, uint16_t symbol)
{
    struct tl_object *o = tl_new(&view->b, symbol);
    tl_push_obj(&view->b, to, o);
    return o;
}

static void add_video(struct request *view, struct tl_vector *to, const struct media *m)
{
    struct tl_object *o = attribute(view, to, C_documentAttributeVideo);
    tl_set_bool(o, F_round_message, m->kind == MEDIA_VIDEO_NOTE);
    tl_set_bool(o, F_supports_streaming, m->flags & MEDIA_STREAMABLE);
    tl_set_bool(o, F_nosound, m->flags & MEDIA_NO_SOUND);
    tl_set_double(o, F_duration, m->duration);
    tl_set_int(o, F_w, m->width);
    tl_set_int(o, F_h, m->height);
    if (m->kind == MEDIA_ANIMATION)
        attribute(view, to, C_documentAttributeAnimated);
}

static void add_audio(struct request *view, struct tl_vector *to, const struct media *m)
{
    struct tl_object *o = attribute(view, to, C_documentAttributeAudio);
    tl_set_bool(o, F_voice, m->kind == MEDIA_VOICE);
    tl_set_int(o, F_duration, (int64_t)m->duration);
    if (m->waveform_len)
        tl_set_text(o, F_waveform, slice_of(m->waveform, m->waveform_len));
    if (m->kind != MEDIA_AUDIO)
        return;
    tl_set_text(o, F_title, text_or_empty(m->name));
    tl_set_text(o, F_performer, text_or_empty(m->extra));
}

static void add_image_size(struct request *view, struct tl_vector *to, const struct media *m)
{
    struct tl_object *size = attribute(view, to, C_documentAttributeImageSize);
    tl_set_int(size, F_w, m->width);
    tl_set_int(size, F_h, m->height);
}

static void add_sticker(struct request *view, struct tl_vector *to, const struct media *m)
{
    struct tl_object *o = attribute(view, to, C_documentAttributeSticker);
    tl_set_text(o, F_alt, text_or_empty(m->extra));
    tl_set_obj(o, F_stickerset, tl_new(&view->b, C_inputStickerSetEmpty));
}

static void set_attributes(struct request *view, struct tl_object *document, const struct media *m)
{
    struct tl_vector *attributes = tl_set_vec(&view->b, document, F_attributes);
    if (m->kind == MEDIA_VIDEO || m->kind == MEDIA_VIDEO_NOTE || m->kind == MEDIA_ANIMATION)
        add_video(view, attributes, m);
    if (m->kind == MEDIA_VOICE || m->kind == MEDIA_AUDIO)
        add_audio(view, attributes, m);
    if ((m->kind == MEDIA_DOCUMENT || m->kind == MEDIA_STICKER) && m->width > 0)
        add_image_size(view, attributes, m);
    if (m->kind == MEDIA_STICKER)
        add_sticker(view, attributes, m);
    if (m->file_name)
        tl_set_str(attribute(view, attributes, C_documentAttributeFilename), F_file_name,
                   m->file_name);
}

static struct tl_object *build_document(struct request *view, const struct media *m)
{
    struct tl_object *document = tl_new(&view->b, C_document);
    set_file(view, document, m->file);
    tl_set_text(document, F_mime_type, text_or_empty(m->detail));
    tl_set_int(document, F_size, m->file->content->size);
    if (m->file->n_sizes)
        set_sizes(view, document, F_thumbs, m->file);
    set_attributes(view, document, m);
    struct tl_object *media = tl_new(&view->b, C_messageMediaDocument);
    tl_set_obj(media, F_document, document);
    tl_set_bool(media, F_spoiler, m->flags & MEDIA_SPOILER);
    tl_set_bool(media, F_video, m->kind == MEDIA_VIDEO);
    tl_set_bool(media, F_round, m->kind == MEDIA_VIDEO_NOTE);
    tl_set_bool(media, F_voice, m->kind == MEDIA_VOICE);
    return media;
}

static struct tl_object *build_contact(struct request *view, const struct media *m)
{
    struct tl_object *o = tl_new(&view->b, C_messageMediaContact);
    tl_set_text(o, F_phone_number, text_or_empty(m->detail));
    tl_set_text(o, F_first_name, text_or_empty(m->name));
    tl_set_text(o, F_last_name, text_or_empty(m->extra));
    tl_set_str(o, F_vcard, "");
    tl_set_int(o, F_user_id, m->id);
    return o;
}

static struct tl_object *build_geo(struct request *view, const struct media *m)
{
    struct tl_object *point = tl_new(&view->b, C_geoPoint);
    tl_set_double(point, F_long, m->lon);
    tl_set_double(point, F_lat, m->lat);
    tl_set_int(point, F_access_hash, world_access_hash(view->world, 0, m->id));
    struct tl_object *o =
        tl_new(&view->b, m->kind == MEDIA_VENUE ? C_messageMediaVenue : C_messageMediaGeo);
    tl_set_obj(o, F_geo, point);
    if (m->kind == MEDIA_VENUE) {
        tl_set_text(o, F_title, text_or_empty(m->name));
        tl_set_text(o, F_address, text_or_empty(m->detail));
        tl_set_str(o, F_provider, "");
        tl_set_str(o, F_venue_id, "");
        tl_set_str(o, F_venue_type, "");
    }
    return o;
}

static struct tl_object *plain_text(struct request *view, const char *text)
{
    struct tl_object *o = tl_new(&view->b, C_textWithEntities);
    tl_set_text(o, F_text, text_or_empty(text));
    tl_set_vec(&view->b, o, F_entities);
    return o;
}

static struct tl_object *build_poll(struct request *view, const struct media *m)
{
    struct tl_object *poll = tl_new(&view->b, C_poll);
    tl_set_int(poll, F_id, m->id);
    tl_set_int(poll, F_hash, m->id);
    tl_set_obj(poll, F_question, plain_text(view, m->name));
    struct tl_vector *answers = tl_set_vec(&view->b, poll, F_answers);
    static const char keys[] = "0123456789"; /* options are told apart by any bytes; ten at most */
    for (uint32_t i = 0; i < m->n_options && i < sizeof keys - 1; i++) {
        struct tl_object *answer = tl_new(&view->b, C_pollAnswer);
        tl_set_obj(answer, F_text, plain_text(view, m->options[i]));
        tl_set_text(answer, F_option, slice_of(keys + i, 1));
        tl_push_obj(&view->b, answers, answer);
    }
    struct tl_object *results = tl_new(&view->b, C_pollResults);
    tl_set_int(results, F_total_voters, 0);
    struct tl_object *o = tl_new(&view->b, C_messageMediaPoll);
    tl_set_obj(o, F_poll, poll);
    tl_set_obj(o, F_results, results);
    return o;
}

static struct tl_object *build_webpage(struct request *view, const struct media *m)
{
    struct tl_object *page = tl_new(&view->b, C_webPage);
    tl_set_int(page, F_id, m->id);
    tl_set_text(page, F_url, text_or_empty(m->detail));
    tl_set_text(page, F_display_url, text_or_empty(m->detail));
    tl_set_int(page, F_hash, 0);
    tl_set_str(page, F_type, "article");
    tl_set_text(page, F_title, text_or_empty(m->name));
    tl_set_text(page, F_description, text_or_empty(m->extra));
    if (m->file)
        tl_set_obj(page, F_photo, build_photo(view, m->file));
    struct tl_object *o = tl_new(&view->b, C_messageMediaWebPage);
    tl_set_obj(o, F_webpage, page);
    return o;
}

static struct tl_object *build_dice(struct request *view, const struct media *m)
{
    struct tl_object *o = tl_new(&view->b, C_messageMediaDice);
    tl_set_int(o, F_value, m->value);
    tl_set_text(o, F_emoticon, text_or_empty(m->detail));
    return o;
}

struct tl_object *build_media(struct request *view, const struct media *m)
{
    switch (m->kind) {
    case MEDIA_PHOTO:
        return build_media_photo(view, m);
    case MEDIA_CONTACT:
        return build_contact(view, m);
    case MEDIA_GEO:
    case MEDIA_VENUE:
        return build_geo(view, m);
    case MEDIA_POLL:
        return build_poll(view, m);
    case MEDIA_DICE:
        return build_dice(view, m);
    case MEDIA_WEBPAGE:
        return build_webpage(view, m);
    default:
        return build_document(view, m);
    }
}
