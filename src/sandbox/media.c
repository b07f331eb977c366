/* SPDX-License-Identifier: MIT
 * InputMedia: which there are, and those without files. */
#include "sandbox/media.h"

#include <stdlib.h>

#include "sandbox/media_file.h"
#include "sandbox/world_parts.h"

/* The text of a field as the media's own; false without memory. */
static bool keep(char **to, const struct tl_object *o, uint16_t field)
{
    *to = text_dup(tl_text(o, field));
    return *to != NULL;
}

static const char *read_contact(struct request *r, const struct tl_object *o, struct media *m)
{
    m->kind = MEDIA_CONTACT;
    const struct user *u = world_user_by_phone(r->world, tl_text(o, F_phone_number));
    m->id = u ? u->id : 0;
    return keep(&m->detail, o, F_phone_number) && keep(&m->name, o, F_first_name) &&
                   keep(&m->extra, o, F_last_name)
               ? NULL
               : "INTERNAL_SERVER_ERROR";
}

static const char *read_point(struct request *r, const struct tl_object *o, struct media *m)
{
    const struct tl_object *point = tl_obj(o, F_geo_point);
    m->kind = MEDIA_GEO;
    m->id = (int64_t)(rng_u64(&r->world->rng) >> 1);
    m->lat = tl_double(point, F_lat);
    m->lon = tl_double(point, F_long);
    bool on_earth = m->lat >= -90 && m->lat <= 90 && m->lon >= -180 && m->lon <= 180; /* no NaN */
    return tl_is(point, C_inputGeoPoint) && on_earth ? NULL : "GEO_POINT_INVALID";
}

static const char *read_venue(struct request *r, const struct tl_object *o, struct media *m)
{
    const char *error = read_point(r, o, m);
    m->kind = MEDIA_VENUE;
    if (!error && !(keep(&m->name, o, F_title) && keep(&m->detail, o, F_address)))
        error = "INTERNAL_SERVER_ERROR";
    return error;
}

/* How many sides each has: https://core.telegram.org/api/dice */
static const struct {
    const char *emoticon;
    uint32_t sides;
} dices[] = {{"🎲", 6}, {"🎯", 6}, {"🎳", 6}, {"🏀", 5}, {"⚽", 5}, {"🎰", 64}};

static const char *read_dice(struct request *r, const struct tl_object *o, struct media *m)
{
    m->kind = MEDIA_DICE;
    for (size_t i = 0; i < sizeof dices / sizeof *dices; i++) {
        if (!slice_is(tl_text(o, F_emoticon), dices[i].emoticon))
            continue;
        m->value = 1 + (int32_t)rng_below(&r->world->rng, dices[i].sides);
        return keep(&m->detail, o, F_emoticon) ? NULL : "INTERNAL_SERVER_ERROR";
    }
    return "EMOTICON_INVALID";
}

enum { POLL_ANSWERS_MAX = 10, POLL_QUESTION_UNITS_MAX = 300, POLL_ANSWER_UNITS_MAX = 100 };

static bool is_poll_text(struct slice text, size_t units_max)
{
    return text.len > 0 && slice_is_utf8(text) && utf16_length(text) <= units_max;
}

static const char *read_poll(struct request *r, const struct tl_object *o, struct media *m)
{
    const struct tl_object *poll = tl_obj(o, F_poll);
    struct slice question = tl_text(tl_obj(poll, F_question), F_text);
    uint32_t n = tl_count(poll, F_answers);
    m->kind = MEDIA_POLL;
    m->id = (int64_t)(rng_u64(&r->world->rng) >> 1 | 1);
    if (!is_poll_text(question, POLL_QUESTION_UNITS_MAX))
        return "POLL_QUESTION_INVALID";
    if (n < 2 || n > POLL_ANSWERS_MAX)
        return "POLL_ANSWERS_INVALID";
    m->name = text_dup(question);
    m->options = calloc(n, sizeof(char *));
    for (uint32_t i = 0; m->options && i < n; i++) {
        struct slice text = tl_text(tl_obj(tl_item_obj(poll, F_answers, i), F_text), F_text);
        if (!is_poll_text(text, POLL_ANSWER_UNITS_MAX))
            return "POLL_ANSWER_INVALID";
        m->options[m->n_options] = text_dup(text);
        if (!m->options[m->n_options++])
            return "INTERNAL_SERVER_ERROR";
    }
    return m->name && m->options ? NULL : "INTERNAL_SERVER_ERROR";
}

static const struct {
    uint16_t symbol;
    const char *(*read)(struct request *r, const struct tl_object *o, struct media *m);
} readers[] = {
    {C_inputMediaContact, read_contact},
    {C_inputMediaGeoPoint, read_point},
    {C_inputMediaVenue, read_venue},
    {C_inputMediaDice, read_dice},
    {C_inputMediaPoll, read_poll},
    {C_inputMediaUploadedPhoto, read_uploaded_photo},
    {C_inputMediaUploadedDocument, read_uploaded_document},
    {C_inputMediaPhoto, read_known_photo},
    {C_inputMediaDocument, read_known_document},
};

const char *media_read(struct request *r, const struct tl_object *input, struct message_extra *e)
{
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (!tl_is(input, readers[i].symbol))
            continue;
        e->media = calloc(1, sizeof *e->media);
        return e->media ? readers[i].read(r, input, e->media) : "INTERNAL_SERVER_ERROR";
    }
    return "MEDIA_INVALID";
}
