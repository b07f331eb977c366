/* SPDX-License-Identifier: MIT
 * Entities of texts: read from requests, found in the text, written into answers.
 * https://core.telegram.org/api/entities */
#include "sandbox/entities.h"

#include <stdlib.h>

#include "sandbox/build_parts.h"
#include "sandbox/input.h"
#include "sandbox/world_parts.h"

static const uint16_t entity_symbols[ENTITY_KINDS] = {
    [ENTITY_MENTION] = C_messageEntityMention,
    [ENTITY_HASHTAG] = C_messageEntityHashtag,
    [ENTITY_BOT_COMMAND] = C_messageEntityBotCommand,
    [ENTITY_URL] = C_messageEntityUrl,
    [ENTITY_EMAIL] = C_messageEntityEmail,
    [ENTITY_PHONE] = C_messageEntityPhone,
    [ENTITY_CASHTAG] = C_messageEntityCashtag,
    [ENTITY_BANK_CARD] = C_messageEntityBankCard,
    [ENTITY_BOLD] = C_messageEntityBold,
    [ENTITY_ITALIC] = C_messageEntityItalic,
    [ENTITY_CODE] = C_messageEntityCode,
    [ENTITY_PRE] = C_messageEntityPre,
    [ENTITY_TEXT_URL] = C_messageEntityTextUrl,
    [ENTITY_MENTION_NAME] = C_messageEntityMentionName,
    [ENTITY_UNDERLINE] = C_messageEntityUnderline,
    [ENTITY_STRIKE] = C_messageEntityStrike,
    [ENTITY_BLOCKQUOTE] = C_messageEntityBlockquote,
    [ENTITY_SPOILER] = C_messageEntitySpoiler,
    [ENTITY_CUSTOM_EMOJI] = C_messageEntityCustomEmoji,
};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

uint32_t world_text_trim(struct slice *text)
{
    uint32_t front = 0;
    while (text->len && is_space(text->data[0])) {
        *text = slice_of(text->data + 1, text->len - 1);
        front++;
    }
    while (text->len && is_space(text->data[text->len - 1]))
        text->len--;
    return front;
}

/* ---- reading ---- */

static bool add_entity(struct message_extra *e, struct entity entity)
{
    if (e->n_entities == ENTITIES_MAX) {
        free(entity.text);
        return true;
    }
    if (!e->entities)
        e->entities = calloc(ENTITIES_MAX, sizeof(*e->entities));
    if (!e->entities) {
        free(entity.text);
        return false;
    }
    e->entities[e->n_entities++] = entity;
    return true;
}

/* ENTITY_KINDS where it is none that users send. */
static enum entity_kind kind_of(const struct tl_object *o)
{
    if (tl_is(o, C_inputMessageEntityMentionName))
        return ENTITY_MENTION_NAME;
    for (int i = 0; i < ENTITY_KINDS; i++)
        if (tl_is(o, entity_symbols[i]))
            return (enum entity_kind)i;
    return ENTITY_KINDS;
}

/* A link without a scheme is taken for http, as Telegram takes it. */
static char *normal_url(struct slice url)
{
    bool has_scheme = memmem(url.data, url.len, "://", 3) || slice_starts_with(url, "tg:");
    struct slice prefix = slice_str(has_scheme ? "" : "http://");
    char *text = malloc(prefix.len + url.len + 1);
    if (!text)
        return NULL;
    memcpy(text, prefix.data, prefix.len);
    if (url.len)
        memcpy(text + prefix.len, url.data, url.len);
    text[prefix.len + url.len] = '\0';
    return text;
}

/* The kind's own fields. False: drop the entity (or *error says why the request fails). */
static bool read_details(struct request *r, const struct tl_object *o, struct entity *e,
                         const char **error)
{
    if (tl_is(o, C_inputMessageEntityMentionName)) {
        const struct user *u = input_user(r, tl_obj(o, F_user_id));
        *error = u ? NULL : "ENTITY_MENTION_USER_INVALID";
        e->id = u ? u->id : 0;
        return u != NULL;
    }
    switch (e->kind) {
    case ENTITY_MENTION_NAME:
        e->id = tl_int(o, F_user_id);
        return world_user(r->world, e->id) != NULL;
    case ENTITY_TEXT_URL:
        e->text = normal_url(tl_text(o, F_url));
        return tl_text(o, F_url).len && e->text;
    case ENTITY_PRE:
        e->text = text_dup(tl_text(o, F_language));
        return e->text != NULL;
    case ENTITY_CUSTOM_EMOJI:
        e->id = tl_int(o, F_document_id);
        return true;
    case ENTITY_BLOCKQUOTE:
        e->id = tl_bool(o, F_collapsed);
        return true;
    default:
        return true;
    }
}

/* Telegram finds these itself, wherever clients claim them. */
static bool found_by_server(enum entity_kind kind)
{
    return kind <= ENTITY_BANK_CARD || kind == ENTITY_KINDS;
}

static const char *read_one(struct request *r, const struct tl_object *o, uint32_t shift,
                            int64_t units, int64_t units_given, struct message_extra *e)
{
    struct entity entity = {.kind = kind_of(o)};
    if (found_by_server(entity.kind))
        return NULL;
    int64_t from = tl_int(o, F_offset), to = from + tl_int(o, F_length);
    if (from < 0 || to < from || to > units_given)
        return "ENTITY_BOUNDS_INVALID";
    from = from > shift ? from - shift : 0;
    to = to - shift < units ? to - shift : units;
    if (to <= from)
        return NULL;
    const char *error = NULL;
    if (!read_details(r, o, &entity, &error)) {
        free(entity.text);
        return error;
    }
    entity.offset = (int32_t)from;
    entity.length = (int32_t)(to - from);
    return add_entity(e, entity) ? NULL : "INTERNAL_SERVER_ERROR";
}

/* ---- finding ---- */

static bool is_word(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c >= 0x80;
}

static size_t word_length(struct slice text, size_t from)
{
    size_t n = 0;
    while (from + n < text.len && is_word(text.data[from + n]))
        n++;
    return n;
}

static size_t url_length(struct slice text, size_t from)
{
    struct slice rest = slice_of(text.data + from, text.len - from);
    size_t scheme = slice_starts_with(rest, "https://")  ? 8
                    : slice_starts_with(rest, "http://") ? 7
                    : slice_starts_with(rest, "t.me/")   ? 5
                                                         : 0;
    if (!scheme)
        return 0;
    size_t n = scheme;
    while (n < rest.len && !is_space(rest.data[n]))
        n++;
    while (n > scheme && strchr(".,;:!?)]}\"'", rest.data[n - 1]))
        n--; /* punctuation that ends the sentence, not the link */
    return n > scheme ? n : 0;
}

/* Length in bytes of what begins at `at`, 0 for nothing. */
static size_t find_at(struct slice text, size_t at, enum entity_kind *kind)
{
    enum { USERNAME_MIN = 3, USERNAME_MAX = 32 };
    if (at && is_word(text.data[at - 1]))
        return 0;
    size_t url = url_length(text, at);
    if (url) {
        *kind = ENTITY_URL;
        return url;
    }
    size_t n = at + 1 < text.len ? word_length(text, at + 1) : 0;
    switch (text.data[at]) {
    case '@':
        *kind = ENTITY_MENTION;
        return n >= USERNAME_MIN && n <= USERNAME_MAX ? n + 1 : 0;
    case '#':
        *kind = ENTITY_HASHTAG;
        return n ? n + 1 : 0;
    case '/':
        *kind = ENTITY_BOT_COMMAND;
        return n && n <= USERNAME_MAX && (!at || is_space(text.data[at - 1])) ? n + 1 : 0;
    default:
        return 0;
    }
}

/* Inside code, pre and links nothing is found. */
static bool is_taken(const struct message_extra *e, uint32_t given, int32_t offset, int32_t length)
{
    for (uint32_t i = 0; i < given; i++) {
        const struct entity *x = &e->entities[i];
        bool solid = x->kind == ENTITY_CODE || x->kind == ENTITY_PRE ||
                     x->kind == ENTITY_TEXT_URL || x->kind == ENTITY_MENTION_NAME ||
                     x->kind == ENTITY_CUSTOM_EMOJI;
        if (solid && offset < x->offset + x->length && x->offset < offset + length)
            return true;
    }
    return false;
}

static bool find_entities(struct slice text, struct message_extra *e)
{
    uint32_t given = e->n_entities, units = 0;
    for (size_t i = 0; i < text.len;) {
        enum entity_kind kind;
        size_t n = find_at(text, i, &kind);
        uint32_t length = (uint32_t)utf16_length(slice_of(text.data + i, n ? n : 1));
        if (n && !is_taken(e, given, (int32_t)units, (int32_t)length) &&
            !add_entity(e, (struct entity){
                               .kind = kind, .offset = (int32_t)units, .length = (int32_t)length}))
            return false;
        units += length;
        i += n ? n : 1;
    }
    return true;
}

/* Outer before inner. */
static int by_place(const void *a, const void *b)
{
    const struct entity *x = a, *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    if (x->length != y->length)
        return x->length > y->length ? -1 : 1;
    return (int)x->kind - (int)y->kind;
}

const char *entities_read(struct request *r, const struct tl_object *o, uint16_t field,
                          struct slice text, uint32_t shift, struct message_extra *e)
{
    uint32_t n = tl_count(o, field);
    int64_t units = (int64_t)utf16_length(text);
    int64_t given = (int64_t)utf16_length(tl_text(o, F_message));
    for (uint32_t i = 0; i < n; i++) {
        const char *error = read_one(r, tl_item_obj(o, field, i), shift, units, given, e);
        if (error)
            return error;
    }
    if (!find_entities(text, e))
        return "INTERNAL_SERVER_ERROR";
    if (e->n_entities == 0) {
        free(e->entities);
        e->entities = NULL;
        return NULL;
    }
    qsort(e->entities, e->n_entities, sizeof(*e->entities), by_place);
    struct entity *fitting = realloc(e->entities, e->n_entities * sizeof(*e->entities));
    e->entities = fitting ? fitting : e->entities;
    return NULL;
}

/* ---- writing ---- */

struct tl_object *build_entity(struct request *view, const struct entity *e)
{
    struct tl_object *o = tl_new(&view->b, entity_symbols[e->kind]);
    tl_set_int(o, F_offset, e->offset);
    tl_set_int(o, F_length, e->length);
    switch (e->kind) { /* fields that only this kind has */
    case ENTITY_TEXT_URL:
        tl_set_str(o, F_url, e->text);
        break;
    case ENTITY_PRE:
        tl_set_str(o, F_language, e->text);
        break;
    case ENTITY_MENTION_NAME:
        tl_set_int(o, F_user_id, e->id);
        break;
    case ENTITY_CUSTOM_EMOJI:
        tl_set_int(o, F_document_id, e->id);
        break;
    case ENTITY_BLOCKQUOTE:
        tl_set_bool(o, F_collapsed, e->id);
        break;
    default:
        break;
    }
    return o;
}
