/* SPDX-License-Identifier: MIT
 * Value trees to JSON. */
#include "tl/json.h"

static void object_to_json(const struct tl_object *o, struct json_writer *w);

/* A value that a builder set may hold another integer or text kind than its type: the type decides,
 * so that a long is a string of digits whoever made the tree. */
static enum tl_kind shown_kind(const struct tl_type *type, const struct tl_value *v)
{
    enum tl_kind kind = (enum tl_kind)v->kind;
    bool integer = kind == TL_INT || kind == TL_LONG;
    bool text = kind == TL_STRING || kind == TL_BYTES;
    if (type && ((integer && (type->kind == TL_INT || type->kind == TL_LONG)) ||
                 (text && (type->kind == TL_STRING || type->kind == TL_BYTES))))
        return type->kind;
    return kind;
}

/* type may be NULL: the value then stands for itself. */
static void value_to_json(const struct tl_type *type, const struct tl_value *v,
                          struct json_writer *w)
{
    const struct tl_type *item = type && type->kind == TL_VECTOR ? type->item : NULL;
    switch (shown_kind(type, v)) {
    case TL_FLAGS:
    case TL_INT:
        json_int(w, v->i);
        return;
    case TL_LONG:
        json_int_string(w, v->i);
        return;
    case TL_DOUBLE:
        json_double(w, v->d);
        return;
    case TL_TRUE:
    case TL_BOOL:
        json_boolean(w, v->i != 0);
        return;
    case TL_STRING:
        json_string(w, slice_of(v->bytes, v->len));
        return;
    case TL_BYTES:
    case TL_INT128:
    case TL_INT256:
        json_base64(w, slice_of(v->bytes, v->len));
        return;
    case TL_VECTOR:
        json_array_begin(w);
        for (uint32_t i = 0; i < v->vector->n; i++)
            value_to_json(item, &v->vector->items[i], w);
        json_array_end(w);
        return;
    case TL_OBJECT:
        object_to_json(v->object, w);
        return;
    case TL_ABSENT:
        break;
    }
    json_null(w);
}

static void object_to_json(const struct tl_object *o, struct json_writer *w)
{
    json_object_begin(w);
    json_field_text(w, "_", o->ctor->name);
    for (uint32_t i = 0; i < o->ctor->n_fields; i++) {
        const struct tl_field *f = &o->ctor->fields[i];
        const struct tl_value *v = &o->fields[i];
        if (f->type.kind == TL_FLAGS || v->kind == TL_ABSENT ||
            (f->type.kind == TL_TRUE && v->i == 0))
            continue;
        json_key(w, f->name);
        value_to_json(&f->type, v, w);
    }
    json_object_end(w);
}

void tl_to_json(const struct tl_schema *s, const struct tl_value *v, struct json_writer *w)
{
    (void)s; /* a tree knows its constructors */
    value_to_json(NULL, v, w);
}
