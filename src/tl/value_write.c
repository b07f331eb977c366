/* SPDX-License-Identifier: MIT
 * Value trees to bytes. */
#include "tl/value.h"

enum {
    WRITE_DEPTH_MAX = 128 /* twice what is read: only a tree that contains itself gets there */
};

struct writing {
    const struct tl_schema *schema;
    struct buf *out;
    struct arena *arena;
    const char *error;
    uint32_t depth_left;
};

static bool write_value(struct writing *w, const struct tl_type *type, const struct tl_value *v);

static bool wrong(struct writing *w, const char *error)
{
    if (!w->error)
        w->error = error;
    return false;
}

static bool value_is_there(const struct tl_field *f, const struct tl_value *v)
{
    return f->type.kind == TL_TRUE ? v->kind != TL_ABSENT && v->i != 0 : v->kind != TL_ABSENT;
}

/* The bits of the # field at index: those of fields that are there, and those set by hand that
 * stand for no field. */
static uint32_t flags_of(const struct tl_object *o, int index)
{
    const struct tl_combinator *c = o->ctor;
    uint32_t known = 0;
    uint32_t set = 0;
    for (int i = index + 1; i < c->n_fields; i++) {
        if (c->fields[i].flags_field != index)
            continue;
        uint32_t bit = 1u << c->fields[i].flags_bit;
        known |= bit;
        if (value_is_there(&c->fields[i], &o->fields[i]))
            set |= bit;
    }
    uint32_t given = o->fields[index].kind == TL_ABSENT ? 0 : (uint32_t)o->fields[index].i;
    return (given & ~known) | set;
}

static bool write_field(struct writing *w, const struct tl_object *o, int index, uint32_t *flags)
{
    const struct tl_field *f = &o->ctor->fields[index];
    if (f->type.kind == TL_FLAGS) {
        flags[index] = flags_of(o, index);
        tl_write_u32(w->out, flags[index]);
        return true;
    }
    bool conditional = f->flags_field >= 0;
    if (conditional && (flags[f->flags_field] >> f->flags_bit & 1) == 0)
        return true;
    if (write_value(w, &f->type, &o->fields[index]))
        return true;
    if (w->arena && !strchr(w->error, ':'))
        w->error = arena_printf(w->arena, "%s of %s: %s", f->name, o->ctor->name, w->error);
    return false;
}

static bool write_fields(struct writing *w, const struct tl_object *o)
{
    enum { FIELDS_MAX = 255 }; /* the parser's bound */
    uint32_t flags[FIELDS_MAX];
    if (w->depth_left == 0)
        return wrong(w, "nested too deep");
    w->depth_left--;
    for (int i = 0; i < o->ctor->n_fields; i++)
        if (!write_field(w, o, i, flags))
            return false;
    w->depth_left++;
    return true;
}

static bool write_object(struct writing *w, const struct tl_type *type, const struct tl_object *o)
{
    const struct tl_combinator *c = o->ctor;
    if (type->bare)
        return c == type->ctor ? write_fields(w, o)
                               : wrong(w, "another constructor than the type's");
    if (type->class_index >= 0 && (c->is_method || c->result.class_index != type->class_index))
        return wrong(w, "a constructor of another type");
    tl_write_u32(w->out, c->id);
    return write_fields(w, o);
}

static bool write_vector(struct writing *w, const struct tl_type *type, const struct tl_vector *v)
{
    if (w->depth_left == 0)
        return wrong(w, "nested too deep");
    w->depth_left--;
    if (!type->bare)
        tl_write_u32(w->out, TL_ID_VECTOR);
    tl_write_u32(w->out, v->n);
    for (uint32_t i = 0; i < v->n; i++)
        if (!write_value(w, type->item, &v->items[i]))
            return false;
    w->depth_left++;
    return true;
}

static bool write_integer(struct writing *w, enum tl_kind kind, const struct tl_value *v)
{
    if (v->kind != TL_INT && v->kind != TL_LONG)
        return wrong(w, "not an integer");
    if (kind == TL_LONG)
        tl_write_i64(w->out, v->i);
    else if (v->i < INT32_MIN || v->i > INT32_MAX)
        return wrong(w, "past 32 bits");
    else
        tl_write_i32(w->out, (int32_t)v->i);
    return true;
}

static bool write_bytes(struct writing *w, enum tl_kind kind, const struct tl_value *v)
{
    if (v->kind != TL_STRING && v->kind != TL_BYTES && v->kind != TL_INT128 && v->kind != TL_INT256)
        return wrong(w, "not a string");
    if (kind == TL_STRING || kind == TL_BYTES) {
        tl_write_bytes(w->out, slice_of(v->bytes, v->len));
        return true;
    }
    if (v->len != (kind == TL_INT128 ? 16 : 32))
        return wrong(w, "of another length than its type");
    buf_append(w->out, v->bytes, v->len);
    return true;
}

static bool write_value(struct writing *w, const struct tl_type *type, const struct tl_value *v)
{
    if (v->kind == TL_ABSENT && type->kind != TL_TRUE)
        return wrong(w, "is required");
    switch (type->kind) {
    case TL_INT:
    case TL_LONG:
        return write_integer(w, type->kind, v);
    case TL_DOUBLE:
        if (v->kind != TL_DOUBLE)
            return wrong(w, "not a double");
        tl_write_double(w->out, v->d);
        return true;
    case TL_STRING:
    case TL_BYTES:
    case TL_INT128:
    case TL_INT256:
        return write_bytes(w, type->kind, v);
    case TL_TRUE:
        return true;
    case TL_BOOL:
        if (v->kind != TL_BOOL && v->kind != TL_TRUE)
            return wrong(w, "not a Bool");
        tl_write_u32(w->out, v->i ? TL_ID_BOOL_TRUE : TL_ID_BOOL_FALSE);
        return true;
    case TL_VECTOR:
        return v->kind == TL_VECTOR ? write_vector(w, type, v->vector) : wrong(w, "not a vector");
    case TL_OBJECT:
        return v->kind == TL_OBJECT ? write_object(w, type, v->object) : wrong(w, "not an object");
    case TL_FLAGS:
    case TL_ABSENT:
        break;
    }
    return wrong(w, "of a type that cannot be written");
}

bool tl_write_value(const struct tl_schema *s, struct buf *out, const struct tl_type *type,
                    const struct tl_value *v, struct arena *a, const char **error)
{
    struct writing w = {.schema = s, .out = out, .arena = a, .depth_left = WRITE_DEPTH_MAX};
    bool good = write_value(&w, type, v);
    if (good && out->failed)
        good = wrong(&w, "too long");
    if (error)
        *error = w.error;
    return good;
}

bool tl_write_object(const struct tl_schema *s, struct buf *out, const struct tl_object *o,
                     struct arena *a, const char **error)
{
    static const struct tl_type any = {.kind = TL_OBJECT, .class_index = -1};
    struct tl_value v = tl_value_obj(o);
    return tl_write_value(s, out, &any, &v, a, error);
}
