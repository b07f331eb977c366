/* SPDX-License-Identifier: MIT
 * JSON to value trees. */
#include "base/base64.h"
#include "tl/json.h"

#include <json-c/json.h>
#include <math.h>

enum { DEPTH_MAX_DEFAULT = 64, VALUES_MAX_DEFAULT = 1000 * 1000, CHOICES_SHOWN_MAX = 8 };

/* Where we are: a chain of stack frames, made into text only for an error. */
struct place {
    const struct place *outer;
    const char *key; /* NULL: an index */
    uint32_t index;
};

struct json_reading {
    const struct tl_schema *schema;
    struct arena *arena;
    const struct tl_json_hook *hook;
    struct tl_json_error *error;
    uint32_t depth_left;
    uint32_t values_left;
};

static bool value_from_json(struct json_reading *rd, const struct place *at,
                            const struct tl_type *type, struct json_object *json,
                            struct tl_value *out);

static void append_place(struct buf *out, const struct place *at)
{
    if (!at)
        return;
    append_place(out, at->outer);
    if (!at->key)
        buf_printf(out, "[%u]", at->index);
    else
        buf_printf(out, "%s%s", out->len ? "." : "", at->key);
}

static bool refuse(struct json_reading *rd, const struct place *at, const char *reason)
{
    if (rd->error->reason)
        return false;
    struct buf path;
    buf_init(&path, 0);
    append_place(&path, at);
    *rd->error = (struct tl_json_error){arena_strdup(rd->arena, buf_slice(&path)), reason};
    buf_free(&path);
    return false;
}

static bool spend(struct json_reading *rd, const struct place *at, size_t n)
{
    if (n > rd->values_left)
        return refuse(rd, at, "too many values");
    rd->values_left -= (uint32_t)n;
    return true;
}

static bool enter(struct json_reading *rd, const struct place *at)
{
    if (rd->depth_left == 0)
        return refuse(rd, at, "nested too deep");
    rd->depth_left--;
    return true;
}

static struct slice text_of(struct json_object *json)
{
    return slice_of(json_object_get_string(json), (size_t)json_object_get_string_len(json));
}

/* ---- plain values ---- */

/* json-c saturates what 64 bits do not hold; above INT64_MAX it keeps the number as unsigned. */
static bool number_of(struct json_object *json, int64_t *out)
{
    if (!json_object_is_type(json, json_type_int))
        return false;
    *out = json_object_get_int64(json);
    return *out != INT64_MAX || json_object_get_uint64(json) == INT64_MAX;
}

static bool int_from_json(struct json_reading *rd, const struct place *at, struct json_object *json,
                          struct tl_value *out)
{
    if (!number_of(json, &out->i))
        return refuse(rd, at, "must be an integer");
    if (out->i < INT32_MIN || out->i > INT32_MAX)
        return refuse(rd, at, "must fit 32 bits");
    return true;
}

static bool long_from_json(struct json_reading *rd, const struct place *at,
                           struct json_object *json, struct tl_value *out)
{
    bool digits = json_object_is_type(json, json_type_string);
    if (digits ? !slice_to_i64(text_of(json), &out->i) : !number_of(json, &out->i))
        return refuse(rd, at, "must be a 64-bit integer, as a string of digits or a number");
    return true;
}

static bool double_from_json(struct json_reading *rd, const struct place *at,
                             struct json_object *json, struct tl_value *out)
{
    if (!json_object_is_type(json, json_type_double) && !json_object_is_type(json, json_type_int))
        return refuse(rd, at, "must be a number");
    out->d = json_object_get_double(json);
    return isfinite(out->d) || refuse(rd, at, "must fit a double");
}

static bool bool_from_json(struct json_reading *rd, const struct place *at,
                           struct json_object *json, struct tl_value *out)
{
    if (!json_object_is_type(json, json_type_boolean))
        return refuse(rd, at, "must be true or false");
    out->i = json_object_get_boolean(json);
    return true;
}

static bool string_from_json(struct json_reading *rd, const struct place *at,
                             struct json_object *json, struct tl_value *out)
{
    if (!json_object_is_type(json, json_type_string))
        return refuse(rd, at, "must be a string");
    if (!slice_is_utf8(text_of(json))) /* json-c's own check lets overlong forms pass */
        return refuse(rd, at, "must be UTF-8");
    struct slice copy = arena_copy(rd->arena, text_of(json));
    out->bytes = copy.data;
    out->len = (uint32_t)copy.len;
    return !rd->arena->failed || refuse(rd, at, "too long");
}

static bool bytes_from_json(struct json_reading *rd, const struct place *at,
                            struct json_object *json, struct tl_value *out)
{
    if (!json_object_is_type(json, json_type_string))
        return refuse(rd, at, "must be a string of base64");
    struct slice text = text_of(json);
    uint8_t *bytes = arena_alloc_raw(rd->arena, BASE64_DECODED_MAX(text.len));
    size_t len = 0;
    if (!bytes)
        return refuse(rd, at, "too long");
    if (!base64_decode(text, bytes, &len))
        return refuse(rd, at, "must be base64");
    if ((out->kind == TL_INT128 && len != 16) || (out->kind == TL_INT256 && len != 32))
        return refuse(rd, at, out->kind == TL_INT128 ? "must be 16 bytes" : "must be 32 bytes");
    out->bytes = bytes;
    out->len = (uint32_t)len;
    return true;
}

static bool vector_from_json(struct json_reading *rd, const struct place *at,
                             const struct tl_type *type, struct json_object *json,
                             struct tl_value *out)
{
    if (!json_object_is_type(json, json_type_array))
        return refuse(rd, at, "must be an array");
    size_t n = json_object_array_length(json);
    if (!spend(rd, at, n) || !enter(rd, at))
        return false;
    struct tl_vector *v = arena_alloc_raw(rd->arena, sizeof *v + n * sizeof v->items[0]);
    if (!v)
        return refuse(rd, at, "too long");
    *v = (struct tl_vector){
        .n = (uint32_t)n, .cap = (uint32_t)n, .items = (struct tl_value *)(v + 1)};
    for (uint32_t i = 0; i < n; i++) {
        struct place item = {.outer = at, .index = i};
        if (!value_from_json(rd, &item, type->item, json_object_array_get_idx(json, i),
                             &v->items[i]))
            return false;
    }
    rd->depth_left++;
    out->vector = v;
    return true;
}

/* ---- objects ---- */

static bool known_keys_only(struct json_reading *rd, const struct place *at,
                            const struct tl_combinator *c, struct json_object *json)
{
    json_object_object_foreach(json, key, value)
    {
        (void)value;
        struct place field = {.outer = at, .key = key};
        int i = tl_field_by_name(c, slice_str(key));
        if (i >= 0 && c->fields[i].type.kind == TL_FLAGS)
            return refuse(rd, &field, "is computed from the fields that are there: leave it out");
        if (i < 0 && strcmp(key, "_") != 0)
            return refuse(rd, &field, arena_printf(rd->arena, "is no field of %s", c->name));
    }
    return true;
}

static bool field_from_json(struct json_reading *rd, const struct place *at,
                            const struct tl_field *f, struct json_object *object,
                            struct tl_value *out)
{
    *out = (struct tl_value){.kind = TL_ABSENT};
    struct place here = {.outer = at, .key = f->name};
    struct json_object *json = json_object_object_get(object, f->name);
    bool optional = f->flags_field >= 0 || f->type.kind == TL_FLAGS;
    if (!json)
        return optional || refuse(rd, &here, "is required");
    if (!value_from_json(rd, &here, &f->type, json, out))
        return false;
    if (f->type.kind == TL_TRUE && out->i == 0)
        out->kind = TL_ABSENT;
    return true;
}

/* Fields that share a bit of flags stand or fall together. */
static bool partners_are_there(struct json_reading *rd, const struct place *at,
                               const struct tl_object *o)
{
    uint32_t set[UINT8_MAX + 1] = {0};
    const struct tl_combinator *c = o->ctor;
    for (uint32_t i = 0; i < c->n_fields; i++)
        if (c->fields[i].flags_field >= 0 && o->fields[i].kind != TL_ABSENT)
            set[c->fields[i].flags_field] |= 1u << c->fields[i].flags_bit;
    for (uint32_t i = 0; i < c->n_fields; i++) {
        const struct tl_field *f = &c->fields[i];
        if (f->flags_field < 0 || f->type.kind == TL_TRUE || o->fields[i].kind != TL_ABSENT)
            continue;
        struct place here = {.outer = at, .key = f->name};
        if (set[f->flags_field] >> f->flags_bit & 1)
            return refuse(rd, &here, "is required with the other fields of its kind");
    }
    return true;
}

static struct tl_object *object_of(struct json_reading *rd, const struct place *at,
                                   const struct tl_combinator *c, struct json_object *json)
{
    if (!spend(rd, at, c->n_fields + 1u) || !enter(rd, at) || !known_keys_only(rd, at, c, json))
        return NULL;
    struct tl_object *o = arena_alloc_raw(rd->arena, sizeof *o + c->n_fields * sizeof o->fields[0]);
    if (!o) {
        refuse(rd, at, "too long");
        return NULL;
    }
    o->ctor = c;
    for (uint32_t i = 0; i < c->n_fields; i++)
        if (!field_from_json(rd, at, &c->fields[i], json, &o->fields[i]))
            return NULL;
    rd->depth_left++;
    return partners_are_there(rd, at, o) ? o : NULL;
}

static const char *choices(struct json_reading *rd, const struct tl_class *class)
{
    if (!class)
        return "must name a constructor or method in `_`";
    struct buf text;
    buf_init(&text, 0);
    buf_printf(&text, "must be an object of type %s, with `_` one of", class->name);
    for (uint32_t i = 0; i < class->n_ctors && i < CHOICES_SHOWN_MAX; i++)
        buf_printf(&text, "%s %s", i ? "," : "", class->ctors[i]->name);
    if (class->n_ctors > CHOICES_SHOWN_MAX)
        buf_printf(&text, " and %u more", class->n_ctors - CHOICES_SHOWN_MAX);
    const char *copy = arena_strdup(rd->arena, buf_slice(&text));
    buf_free(&text);
    return copy;
}

/* The combinator that `_` names, if it may stand here. */
static const struct tl_combinator *
named_combinator(struct json_reading *rd, const struct tl_type *type, struct json_object *json)
{
    struct json_object *name = json_object_object_get(json, "_");
    if (!name && type->bare)
        return type->ctor;
    if (!json_object_is_type(name, json_type_string))
        return NULL;
    const struct tl_combinator *c = tl_schema_by_name(rd->schema, text_of(name));
    if (!c || type->bare)
        return c == type->ctor ? c : NULL;
    bool fits =
        type->class_index < 0 || (!c->is_method && c->result.class_index == type->class_index);
    return fits ? c : NULL;
}

static bool object_from_json(struct json_reading *rd, const struct place *at,
                             const struct tl_type *type, struct json_object *json,
                             struct tl_value *out)
{
    const struct tl_class *class = tl_schema_class(rd->schema, type->class_index);
    if (!json_object_is_type(json, json_type_object)) {
        bool hooked = rd->hook && class && json;
        out->object = hooked ? rd->hook->object(rd->hook->ctx, class, json) : NULL;
        return out->object || refuse(rd, at, choices(rd, class));
    }
    const struct tl_combinator *c = named_combinator(rd, type, json);
    if (!c)
        return refuse(rd, at, choices(rd, class));
    out->object = object_of(rd, at, c, json);
    return out->object != NULL;
}

static bool value_from_json(struct json_reading *rd, const struct place *at,
                            const struct tl_type *type, struct json_object *json,
                            struct tl_value *out)
{
    *out = (struct tl_value){.kind = (uint8_t)type->kind};
    switch (type->kind) {
    case TL_INT:
        return int_from_json(rd, at, json, out);
    case TL_LONG:
        return long_from_json(rd, at, json, out);
    case TL_DOUBLE:
        return double_from_json(rd, at, json, out);
    case TL_INT128:
    case TL_INT256:
    case TL_BYTES:
        return bytes_from_json(rd, at, json, out);
    case TL_STRING:
        return string_from_json(rd, at, json, out);
    case TL_TRUE:
    case TL_BOOL:
        return bool_from_json(rd, at, json, out);
    case TL_VECTOR:
        return vector_from_json(rd, at, type, json, out);
    case TL_OBJECT:
        return object_from_json(rd, at, type, json, out);
    case TL_FLAGS:
    case TL_ABSENT:
        break;
    }
    return refuse(rd, at, "cannot be given");
}

struct tl_object *tl_from_json(const struct tl_schema *s, const struct tl_combinator *c,
                               struct json_object *json, struct arena *a, struct tl_limits limits,
                               const struct tl_json_hook *hook, struct tl_json_error *error)
{
    *error = (struct tl_json_error){0};
    struct json_reading rd = {
        .schema = s,
        .arena = a,
        .hook = hook,
        .error = error,
        .depth_left = limits.depth_max ? limits.depth_max : DEPTH_MAX_DEFAULT,
        .values_left = limits.values_max ? limits.values_max : VALUES_MAX_DEFAULT,
    };
    if (!json_object_is_type(json, json_type_object)) {
        refuse(&rd, NULL, "must be an object");
        return NULL;
    }
    struct json_object *name = json_object_object_get(json, "_");
    if (name &&
        !(json_object_is_type(name, json_type_string) && slice_is(text_of(name), c->name))) {
        struct place at = {.key = "_"};
        refuse(&rd, &at, arena_printf(a, "must be %s or left out", c->name));
        return NULL;
    }
    return object_of(&rd, NULL, c, json);
}
