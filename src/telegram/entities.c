/* SPDX-License-Identifier: MIT
 * Entities as JSON and as MessageEntity objects: one table for both. */
#include <json-c/json.h>
#include <strings.h>

#include "telegram/names.h"
#include "telegram/text.h"

/* name: the Bot API's. class_name: the schema's, without messageEntity. */
static const struct {
    const char *name;
    const char *class_name;
    uint16_t ctor;
} kinds[ENTITY_TYPE_COUNT] = {
    [ENTITY_UNKNOWN] = {"unknown", "Unknown", C_messageEntityUnknown},
    [ENTITY_MENTION] = {"mention", "Mention", C_messageEntityMention},
    [ENTITY_HASHTAG] = {"hashtag", "Hashtag", C_messageEntityHashtag},
    [ENTITY_CASHTAG] = {"cashtag", "Cashtag", C_messageEntityCashtag},
    [ENTITY_BOT_COMMAND] = {"bot_command", "BotCommand", C_messageEntityBotCommand},
    [ENTITY_URL] = {"url", "Url", C_messageEntityUrl},
    [ENTITY_EMAIL] = {"email", "Email", C_messageEntityEmail},
    [ENTITY_PHONE_NUMBER] = {"phone_number", "Phone", C_messageEntityPhone},
    [ENTITY_BANK_CARD] = {"bank_card", "BankCard", C_messageEntityBankCard},
    [ENTITY_BOLD] = {"bold", "Bold", C_messageEntityBold},
    [ENTITY_ITALIC] = {"italic", "Italic", C_messageEntityItalic},
    [ENTITY_UNDERLINE] = {"underline", "Underline", C_messageEntityUnderline},
    [ENTITY_STRIKETHROUGH] = {"strikethrough", "Strike", C_messageEntityStrike},
    [ENTITY_SPOILER] = {"spoiler", "Spoiler", C_messageEntitySpoiler},
    [ENTITY_CODE] = {"code", "Code", C_messageEntityCode},
    [ENTITY_PRE] = {"pre", "Pre", C_messageEntityPre},
    [ENTITY_BLOCKQUOTE] = {"blockquote", "Blockquote", C_messageEntityBlockquote},
    [ENTITY_EXPANDABLE_BLOCKQUOTE] = {"expandable_blockquote", "", C_messageEntityBlockquote},
    [ENTITY_TEXT_LINK] = {"text_link", "TextUrl", C_messageEntityTextUrl},
    [ENTITY_TEXT_MENTION] = {"text_mention", "MentionName", C_messageEntityMentionName},
    [ENTITY_CUSTOM_EMOJI] = {"custom_emoji", "CustomEmoji", C_messageEntityCustomEmoji},
};

/* ---- JSON out ---- */

static void write_entity(const struct entity *e, struct json_writer *w)
{
    json_object_begin(w);
    json_field_text(w, "type", kinds[e->type].name);
    json_field_int(w, "offset", e->offset);
    json_field_int(w, "length", e->length);
    if (e->type == ENTITY_TEXT_LINK)
        json_field_string(w, "url", e->value);
    if (e->type == ENTITY_PRE && e->value.len > 0)
        json_field_string(w, "language", e->value);
    if (e->type == ENTITY_TEXT_MENTION) {
        json_key(w, "user");
        json_object_begin(w);
        json_field_int(w, "id", e->id);
        json_object_end(w);
    }
    if (e->type == ENTITY_CUSTOM_EMOJI) {
        json_key(w, "custom_emoji_id");
        json_int_string(w, e->id);
    }
    json_object_end(w);
}

void entities_to_json(const struct entity *entities, size_t n, struct json_writer *w)
{
    json_array_begin(w);
    for (size_t i = 0; i < n; i++)
        if (entities[i].type != ENTITY_UNKNOWN)
            write_entity(&entities[i], w);
    json_array_end(w);
}

/* ---- JSON in ---- */

struct entity_reader {
    struct arena *arena;
    struct tl_json_error *error;
    size_t index;
    size_t units; /* of the text */
};

static bool refuse(const struct entity_reader *r, const char *field, const char *reason)
{
    r->error->path =
        arena_printf(r->arena, "entities[%zu]%s%s", r->index, field ? "." : "", field ? field : "");
    r->error->reason = reason;
    return false;
}

static bool read_type(const struct entity_reader *r, struct json_object *json, struct entity *e)
{
    static const char prefix[] = "messageEntity";
    struct json_object *type = json_object_object_get(json, "type");
    if (!type)
        type = json_object_object_get(json, "_");
    if (!json_object_is_type(type, json_type_string))
        return refuse(r, "type", "must be a string");
    const char *name = json_object_get_string(type);
    bool of_schema = strncasecmp(name, prefix, sizeof prefix - 1) == 0;
    for (size_t i = ENTITY_UNKNOWN + 1; i < ENTITY_TYPE_COUNT; i++) {
        bool same = of_schema ? strcasecmp(name + sizeof prefix - 1, kinds[i].class_name) == 0
                              : strcmp(name, kinds[i].name) == 0;
        if (same) {
            e->type = (enum entity_type)i;
            return true;
        }
    }
    return refuse(r, "type", "is no type of entity");
}

static bool read_range(const struct entity_reader *r, struct json_object *json, struct entity *e)
{
    struct json_object *offset = json_object_object_get(json, "offset");
    struct json_object *length = json_object_object_get(json, "length");
    if (!json_object_is_type(offset, json_type_int))
        return refuse(r, "offset", "must be a whole number");
    if (!json_object_is_type(length, json_type_int))
        return refuse(r, "length", "must be a whole number");
    int64_t from = json_object_get_int64(offset), n = json_object_get_int64(length);
    if (from < 0 || from >= (int64_t)r->units)
        return refuse(r, "offset", "is outside the text");
    if (n <= 0 || n > (int64_t)r->units - from)
        return refuse(r, "length", "is less than 1 or reaches past the end of the text");
    e->offset = (uint32_t)from;
    e->length = (uint32_t)n;
    return true;
}

static struct slice string_of(struct json_object *json)
{
    return slice_of(json_object_get_string(json), (size_t)json_object_get_string_len(json));
}

/* A positive id, as a number or as digits. */
static bool read_id(struct json_object *json, int64_t *out)
{
    if (json_object_is_type(json, json_type_int))
        *out = json_object_get_int64(json);
    else if (!json_object_is_type(json, json_type_string) || !slice_to_i64(string_of(json), out))
        return false;
    return *out != 0;
}

static bool read_value(const struct entity_reader *r, struct json_object *json, const char *field,
                       bool required, struct entity *e)
{
    struct json_object *value = json_object_object_get(json, field);
    if (!value && !required)
        return true;
    if (!json_object_is_type(value, json_type_string))
        return refuse(r, field, "must be a string");
    e->value = arena_copy(r->arena, string_of(value));
    return !required || e->value.len > 0 || refuse(r, field, "is empty");
}

static bool read_mention(const struct entity_reader *r, struct json_object *json, struct entity *e)
{
    struct json_object *user = json_object_object_get(json, "user");
    struct json_object *id = json_object_is_type(user, json_type_object)
                                 ? json_object_object_get(user, "id")
                                 : json_object_object_get(json, "user_id");
    return read_id(id, &e->id) || refuse(r, "user.id", "must be a user's id");
}

static bool read_emoji(const struct entity_reader *r, struct json_object *json, struct entity *e)
{
    struct json_object *id = json_object_object_get(json, "custom_emoji_id");
    if (!id)
        id = json_object_object_get(json, "document_id");
    return read_id(id, &e->id) || refuse(r, "custom_emoji_id", "must be an emoji's id");
}

static bool read_entity(const struct entity_reader *r, struct json_object *json, struct entity *e)
{
    *e = (struct entity){0};
    if (!json_object_is_type(json, json_type_object))
        return refuse(r, NULL, "must be an object");
    if (!read_type(r, json, e) || !read_range(r, json, e))
        return false;
    switch (e->type) {
    case ENTITY_TEXT_LINK:
        return read_value(r, json, "url", true, e);
    case ENTITY_PRE:
        return read_value(r, json, "language", false, e);
    case ENTITY_TEXT_MENTION:
        return read_mention(r, json, e);
    case ENTITY_CUSTOM_EMOJI:
        return read_emoji(r, json, e);
    case ENTITY_BLOCKQUOTE:
        if (json_object_get_boolean(json_object_object_get(json, "collapsed")))
            e->type = ENTITY_EXPANDABLE_BLOCKQUOTE;
        return true;
    default:
        return true;
    }
}

bool entities_from_json(struct json_object *json, struct slice text, struct arena *a,
                        struct formatted_text *out, struct tl_json_error *error)
{
    *out = (struct formatted_text){.text = text};
    *error = (struct tl_json_error){"entities", "must be an array of at most 256 objects"};
    if (!json_object_is_type(json, json_type_array) ||
        json_object_array_length(json) > TEXT_ENTITIES_MAX)
        return false;
    struct text_error bad;
    if (!text_parse(TEXT_NONE, text, a, out, &bad)) {
        *error = (struct tl_json_error){"text", bad.reason};
        return false;
    }
    size_t n = json_object_array_length(json);
    *out =
        (struct formatted_text){.text = text, .entities = arena_array(a, n, sizeof *out->entities)};
    if (!out->entities) {
        error->reason = "out of memory";
        return false;
    }
    struct entity_reader r = {a, error, 0, utf16_length(text)};
    for (; r.index < n; r.index++)
        if (!read_entity(&r, json_object_array_get_idx(json, r.index),
                         &out->entities[out->n_entities++]))
            return false;
    text_trim(out);
    return true;
}

/* ---- TL ---- */

static enum entity_type type_of(const struct tl_object *o)
{
    for (size_t i = ENTITY_UNKNOWN + 1; i < ENTITY_TYPE_COUNT; i++)
        if (tl_is(o, kinds[i].ctor))
            return (enum entity_type)i;
    return ENTITY_UNKNOWN;
}

static bool entity_of(const struct tl_object *o, struct entity *e)
{
    int64_t offset = tl_int(o, F_offset), length = tl_int(o, F_length);
    if (offset < 0 || length <= 0 || offset > INT32_MAX || length > INT32_MAX)
        return false;
    *e =
        (struct entity){.type = type_of(o), .offset = (uint32_t)offset, .length = (uint32_t)length};
    if (e->type == ENTITY_BLOCKQUOTE && tl_bool(o, F_collapsed))
        e->type = ENTITY_EXPANDABLE_BLOCKQUOTE;
    if (e->type == ENTITY_TEXT_LINK)
        e->value = tl_text(o, F_url);
    if (e->type == ENTITY_PRE)
        e->value = tl_text(o, F_language);
    if (e->type == ENTITY_TEXT_MENTION)
        e->id = tl_int(o, F_user_id);
    if (e->type == ENTITY_CUSTOM_EMOJI)
        e->id = tl_int(o, F_document_id);
    return true;
}

void entities_from_tl(const struct tl_object *owner, uint16_t f_symbol, struct arena *a,
                      struct formatted_text *out)
{
    uint32_t n = tl_count(owner, f_symbol);
    out->n_entities = 0;
    out->entities = n ? arena_array(a, n, sizeof *out->entities) : NULL;
    for (uint32_t i = 0; out->entities && i < n; i++)
        out->n_entities +=
            entity_of(tl_item_obj(owner, f_symbol, i), &out->entities[out->n_entities]);
    entities_sort(out->entities, out->n_entities);
}

bool entity_is_mention(const struct entity *e)
{
    bool by_name = e->type == ENTITY_TEXT_LINK && e->value.len > 1 &&
                   (e->value.data[0] == '@' || e->value.data[0] == '+');
    return by_name || e->type == ENTITY_TEXT_MENTION;
}

/* The object to send, or NULL where it must be left out. */
static struct tl_object *entity_object(struct tl_builder *b, const struct entity *e,
                                       const struct mention_resolver *resolver)
{
    const struct tl_object *user = NULL;
    if (entity_is_mention(e))
        user = resolver ? resolver->input_user(resolver->ctx, e) : NULL;
    if (e->type == ENTITY_UNKNOWN || (e->type == ENTITY_TEXT_MENTION && !user))
        return NULL;
    struct tl_object *o = tl_new(b, user ? C_inputMessageEntityMentionName : kinds[e->type].ctor);
    if (!o)
        return NULL;
    tl_set_int(o, F_offset, e->offset);
    tl_set_int(o, F_length, e->length);
    if (user)
        tl_set_obj(o, F_user_id, user);
    else if (e->type == ENTITY_TEXT_LINK)
        tl_set_text(o, F_url, e->value);
    else if (e->type == ENTITY_PRE)
        tl_set_text(o, F_language, e->value.data ? e->value : slice_str(""));
    else if (e->type == ENTITY_CUSTOM_EMOJI)
        tl_set_int(o, F_document_id, e->id);
    else if (e->type == ENTITY_EXPANDABLE_BLOCKQUOTE)
        tl_set_bool(o, F_collapsed, true);
    return o;
}

void entities_to_tl(struct tl_builder *b, struct tl_object *request, uint16_t f_symbol,
                    const struct formatted_text *text, const struct mention_resolver *resolver)
{
    struct tl_vector *vec = NULL;
    for (size_t i = 0; i < text->n_entities; i++) {
        struct tl_object *o = entity_object(b, &text->entities[i], resolver);
        if (o && !vec)
            vec = tl_set_vec(b, request, f_symbol);
        if (o)
            tl_push_obj(b, vec, o);
    }
}
