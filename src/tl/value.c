/* SPDX-License-Identifier: MIT
 * Value trees: reading fields, building. */
#include "tl/value.h"

static const struct tl_value absent = {.kind = TL_ABSENT};

bool tl_is(const struct tl_object *o, uint16_t c_symbol)
{
    return o && o->ctor->symbol == c_symbol && c_symbol != TL_NO_SYMBOL;
}

const struct tl_value *tl_get(const struct tl_object *o, uint16_t f_symbol)
{
    int i = o ? tl_field_by_symbol(o->ctor, f_symbol) : -1;
    return i < 0 ? &absent : &o->fields[i];
}

bool tl_has(const struct tl_object *o, uint16_t f_symbol)
{
    return tl_get(o, f_symbol)->kind != TL_ABSENT;
}

static bool holds_integer(const struct tl_value *v)
{
    return v->kind == TL_INT || v->kind == TL_LONG || v->kind == TL_FLAGS || v->kind == TL_TRUE ||
           v->kind == TL_BOOL;
}

static bool holds_bytes(const struct tl_value *v)
{
    return v->kind == TL_STRING || v->kind == TL_BYTES || v->kind == TL_INT128 ||
           v->kind == TL_INT256;
}

int64_t tl_int(const struct tl_object *o, uint16_t f_symbol)
{
    const struct tl_value *v = tl_get(o, f_symbol);
    return holds_integer(v) ? v->i : 0;
}

double tl_double(const struct tl_object *o, uint16_t f_symbol)
{
    const struct tl_value *v = tl_get(o, f_symbol);
    return v->kind == TL_DOUBLE ? v->d : 0;
}

bool tl_bool(const struct tl_object *o, uint16_t f_symbol)
{
    return tl_int(o, f_symbol) != 0;
}

struct slice tl_text(const struct tl_object *o, uint16_t f_symbol)
{
    const struct tl_value *v = tl_get(o, f_symbol);
    return holds_bytes(v) ? slice_of(v->bytes, v->len) : slice_of(NULL, 0);
}

const struct tl_object *tl_obj(const struct tl_object *o, uint16_t f_symbol)
{
    const struct tl_value *v = tl_get(o, f_symbol);
    return v->kind == TL_OBJECT ? v->object : NULL;
}

uint32_t tl_count(const struct tl_object *o, uint16_t f_symbol)
{
    const struct tl_value *v = tl_get(o, f_symbol);
    return v->kind == TL_VECTOR ? v->vector->n : 0;
}

const struct tl_value *tl_item(const struct tl_object *o, uint16_t f_symbol, uint32_t index)
{
    const struct tl_value *v = tl_get(o, f_symbol);
    return v->kind == TL_VECTOR && index < v->vector->n ? &v->vector->items[index] : &absent;
}

const struct tl_object *tl_item_obj(const struct tl_object *o, uint16_t f_symbol, uint32_t index)
{
    const struct tl_value *v = tl_item(o, f_symbol, index);
    return v->kind == TL_OBJECT ? v->object : NULL;
}

/* ---- building ---- */

enum { VECTOR_CAP_FIRST = 4 };

struct tl_builder tl_builder_of(const struct tl_schema *s, struct arena *a)
{
    return (struct tl_builder){.schema = s, .arena = a, .missing = TL_NO_SYMBOL};
}

struct tl_object *tl_new_ctor(struct tl_builder *b, const struct tl_combinator *c)
{
    if (b->failed || !c)
        return NULL;
    struct tl_object *o = arena_alloc(b->arena, sizeof *o + c->n_fields * sizeof o->fields[0]);
    if (o)
        o->ctor = c;
    else
        b->failed = true;
    return o;
}

struct tl_object *tl_new(struct tl_builder *b, uint16_t c_symbol)
{
    const struct tl_combinator *c = tl_schema_bound(b->schema, c_symbol);
    if (!c && !b->failed) {
        b->failed = true;
        b->missing = c_symbol;
    }
    return tl_new_ctor(b, c);
}

/* The field's type, and where its value goes; NULL if there is no such object or field. */
static const struct tl_type *field_of(struct tl_object *o, uint16_t f, struct tl_value **value)
{
    int i = o ? tl_field_by_symbol(o->ctor, f) : -1;
    if (i < 0)
        return NULL;
    *value = &o->fields[i];
    return &o->ctor->fields[i].type;
}

void tl_set_int(struct tl_object *o, uint16_t f, int64_t v)
{
    struct tl_value *value;
    const struct tl_type *type = field_of(o, f, &value);
    if (type)
        *value = (struct tl_value){.i = v, .kind = type->kind == TL_FLAGS ? TL_FLAGS : TL_LONG};
}

void tl_set_double(struct tl_object *o, uint16_t f, double v)
{
    struct tl_value *value;
    if (field_of(o, f, &value))
        *value = (struct tl_value){.d = v, .kind = TL_DOUBLE};
}

void tl_set_bool(struct tl_object *o, uint16_t f, bool v)
{
    struct tl_value *value;
    const struct tl_type *type = field_of(o, f, &value);
    if (!type)
        return;
    *value = (struct tl_value){.i = v, .kind = TL_BOOL};
    if (type->kind == TL_TRUE)
        value->kind = v ? TL_TRUE : TL_ABSENT;
}

static struct tl_value text_value(struct slice v)
{
    return (struct tl_value){.bytes = v.data, .len = (uint32_t)v.len, .kind = TL_STRING};
}

void tl_set_text(struct tl_object *o, uint16_t f, struct slice v)
{
    struct tl_value *value;
    const struct tl_type *type = field_of(o, f, &value);
    if (!type)
        return;
    *value = text_value(v);
    if (type->kind == TL_BYTES || type->kind == TL_INT128 || type->kind == TL_INT256)
        value->kind = (uint8_t)type->kind;
}

void tl_set_str(struct tl_object *o, uint16_t f, const char *v)
{
    tl_set_text(o, f, slice_str(v));
}

void tl_set_obj(struct tl_object *o, uint16_t f, const struct tl_object *v)
{
    struct tl_value *value;
    if (field_of(o, f, &value))
        *value = v ? tl_value_obj(v) : absent;
}

struct tl_vector *tl_new_vec(struct tl_builder *b)
{
    struct tl_vector *v = b->failed ? NULL : arena_alloc(b->arena, sizeof *v);
    if (!v)
        b->failed = true;
    return v;
}

struct tl_vector *tl_set_vec(struct tl_builder *b, struct tl_object *o, uint16_t f)
{
    struct tl_value *value;
    struct tl_vector *v = field_of(o, f, &value) ? tl_new_vec(b) : NULL;
    if (v)
        *value = tl_value_vec(v);
    return v;
}

static void push(struct tl_builder *b, struct tl_vector *vec, struct tl_value v)
{
    if (!vec || b->failed)
        return;
    if (vec->n == vec->cap) {
        uint32_t cap = vec->cap ? vec->cap * 2 : VECTOR_CAP_FIRST;
        struct tl_value *items = arena_array(b->arena, cap, sizeof *items);
        if (!items) {
            b->failed = true;
            return;
        }
        if (vec->n)
            memcpy(items, vec->items, vec->n * sizeof *items);
        vec->items = items;
        vec->cap = cap;
    }
    vec->items[vec->n++] = v;
}

void tl_push_int(struct tl_builder *b, struct tl_vector *vec, int64_t v)
{
    push(b, vec, tl_value_int(v));
}

void tl_push_text(struct tl_builder *b, struct tl_vector *vec, struct slice v)
{
    push(b, vec, text_value(v));
}

void tl_push_obj(struct tl_builder *b, struct tl_vector *vec, const struct tl_object *v)
{
    if (v)
        push(b, vec, tl_value_obj(v));
    else
        b->failed = true;
}

struct tl_value tl_value_obj(const struct tl_object *o)
{
    /* Trees are built from borrowed parts; the writer does not change them. */
    return (struct tl_value){.object = (struct tl_object *)(uintptr_t)o,
                             .kind = o ? TL_OBJECT : TL_ABSENT};
}

struct tl_value tl_value_vec(struct tl_vector *v)
{
    return (struct tl_value){.vector = v, .kind = v ? TL_VECTOR : TL_ABSENT};
}

struct tl_value tl_value_int(int64_t v)
{
    return (struct tl_value){.i = v, .kind = TL_LONG};
}

struct tl_value tl_value_bool(bool v)
{
    return (struct tl_value){.i = v, .kind = TL_BOOL};
}
