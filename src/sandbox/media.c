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

static const struct {
    uint16_t symbol;
    const char *(*read)(struct request *r, const struct tl_object *o, struct media *m);
} readers[] = {
    {C_inputMediaContact, read_contact},
    {C_inputMediaGeoPoint, read_point},
    {C_inputMediaVenue, read_venue},
    {C_inputMediaDice, read_dice},
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
