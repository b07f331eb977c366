/* SPDX-License-Identifier: MIT
 * Bytes to value trees: one interpreter over the schema's types. */
#include "tl/value.h"

enum {
    DEPTH_MAX_DEFAULT = 64,
    VALUES_MAX_DEFAULT = 1000 * 1000,
    /* Sum of what one read inflates: Telegram's answers are under 1 MiB packed and far below this.
     */
    INFLATED_BYTES_MAX = 16 * 1024 * 1024,
};

struct reading {
    const struct tl_schema *schema;
    struct tl_reader *r;
    struct arena *arena;
    uint32_t depth_left;
    uint32_t values_left;
    size_t inflated_left;
};

static struct reading reading_of(const struct tl_schema *s, struct tl_reader *r, struct arena *a,
                                 struct tl_limits limits)
{
    return (struct reading){
        .schema = s,
        .r = r,
        .arena = a,
        .depth_left = limits.depth_max ? limits.depth_max : DEPTH_MAX_DEFAULT,
        .values_left = limits.values_max ? limits.values_max : VALUES_MAX_DEFAULT,
        .inflated_left = INFLATED_BYTES_MAX,
    };
}

static bool read_value(struct reading *rd, const struct tl_type *type, struct tl_value *out);

/* Takes n values off the bound before they are allocated. */
static bool spend(struct reading *rd, uint32_t n)
{
    if (n > rd->values_left) {
        tl_fail(rd->r, "too many values");
        return false;
    }
    rd->values_left -= n;
    return true;
}

static bool enter(struct reading *rd)
{
    if (rd->depth_left == 0) {
        tl_fail(rd->r, "nested too deep");
        return false;
    }
    rd->depth_left--;
    return true;
}

/* The fewest bytes that a value takes: what a count can be checked against. */
static size_t bytes_min(const struct tl_type *t)
{
    switch (t->kind) {
    case TL_LONG:
    case TL_DOUBLE:
        return 8;
    case TL_INT128:
        return 16;
    case TL_INT256:
        return 32;
    case TL_VECTOR:
        return t->bare ? 4 : 8;
    case TL_OBJECT:
        return t->bare ? 0 : 4;
    case TL_TRUE:
    case TL_ABSENT:
        return 0;
    default:
        return 4;
    }
}

static bool field_is_there(const struct tl_field *f, const struct tl_value *fields)
{
    return f->flags_field < 0 || ((uint64_t)fields[f->flags_field].i >> f->flags_bit & 1) != 0;
}

static struct tl_object *read_fields(struct reading *rd, const struct tl_combinator *c)
{
    if (!spend(rd, c->n_fields + 1u) || !enter(rd))
        return NULL;
    struct tl_object *o = arena_alloc_raw(rd->arena, sizeof *o + c->n_fields * sizeof o->fields[0]);
    if (!o) {
        tl_fail(rd->r, "out of memory");
        return NULL;
    }
    o->ctor = c;
    for (uint32_t i = 0; i < c->n_fields; i++) {
        o->fields[i] = (struct tl_value){.kind = TL_ABSENT};
        if (field_is_there(&c->fields[i], o->fields) &&
            !read_value(rd, &c->fields[i].type, &o->fields[i]))
            return NULL;
    }
    rd->depth_left++;
    return o;
}

static bool read_boxed(struct reading *rd, const struct tl_type *type, struct tl_value *out)
{
    uint32_t id = tl_read_u32(rd->r);
    const struct tl_combinator *c = tl_schema_by_id(rd->schema, id);
    if (!c) {
        tl_fail(rd->r, "unknown constructor id");
        return false;
    }
    if (type->class_index >= 0 && c->passes_as && c->result.class_index != type->class_index)
        c = c->passes_as;
    if (type->class_index >= 0 && (c->is_method || c->result.class_index != type->class_index)) {
        tl_fail(rd->r, "a constructor of another type");
        return false;
    }
    out->object = read_fields(rd, c);
    return out->object != NULL;
}

static bool read_vector(struct reading *rd, const struct tl_type *type, struct tl_value *out)
{
    if (!type->bare && tl_read_u32(rd->r) != TL_ID_VECTOR) {
        tl_fail(rd->r, "not a vector");
        return false;
    }
    uint32_t n = tl_read_count(rd->r, bytes_min(type->item));
    if (rd->r->error || !spend(rd, n) || !enter(rd))
        return false;
    struct tl_vector *v = arena_alloc_raw(rd->arena, sizeof *v + n * sizeof v->items[0]);
    if (!v) {
        tl_fail(rd->r, "out of memory");
        return false;
    }
    *v = (struct tl_vector){.n = n, .cap = n, .items = (struct tl_value *)(v + 1)};
    out->vector = v;
    for (uint32_t i = 0; i < n; i++)
        if (!read_value(rd, type->item, &v->items[i]))
            return false;
    rd->depth_left++;
    return true;
}

/* The packed value instead of the one that was expected; it must fill what it was unpacked to. */
static bool read_packed(struct reading *rd, const struct tl_type *type, struct tl_value *out)
{
    tl_read_u32(rd->r);
    struct slice packed = tl_read_bytes(rd->r);
    struct slice plain;
    if (rd->r->error || !enter(rd))
        return false;
    if (!tl_inflate(packed, rd->inflated_left, rd->arena, &plain)) {
        tl_fail(rd->r, "gzip data is broken or too long");
        return false;
    }
    rd->inflated_left -= plain.len;
    struct tl_reader inner = tl_reader_of(plain);
    struct tl_reader *outer = rd->r;
    rd->r = &inner;
    bool good = read_value(rd, type, out);
    rd->r = outer;
    rd->depth_left++;
    if (!good)
        tl_fail(outer, inner.error ? inner.error : "broken packed data");
    return good;
}

static bool read_bool(struct reading *rd, struct tl_value *out)
{
    uint32_t id = tl_read_u32(rd->r);
    if (id != TL_ID_BOOL_TRUE && id != TL_ID_BOOL_FALSE)
        tl_fail(rd->r, "not a Bool");
    out->i = id == TL_ID_BOOL_TRUE;
    return !rd->r->error;
}

static bool read_slice(struct reading *rd, struct slice bytes, struct tl_value *out)
{
    out->bytes = bytes.data;
    out->len = (uint32_t)bytes.len;
    return !rd->r->error;
}

static bool read_value(struct reading *rd, const struct tl_type *type, struct tl_value *out)
{
    bool boxed = !type->bare && (type->kind == TL_OBJECT || type->kind == TL_VECTOR);
    if (boxed && tl_peek_u32(rd->r) == TL_ID_GZIP_PACKED)
        return read_packed(rd, type, out);
    *out = (struct tl_value){.kind = (uint8_t)type->kind};
    switch (type->kind) {
    case TL_FLAGS:
        out->i = tl_read_u32(rd->r);
        return !rd->r->error;
    case TL_INT:
        out->i = tl_read_i32(rd->r);
        return !rd->r->error;
    case TL_LONG:
        out->i = tl_read_i64(rd->r);
        return !rd->r->error;
    case TL_DOUBLE:
        out->d = tl_read_double(rd->r);
        return !rd->r->error;
    case TL_INT128:
        return read_slice(rd, tl_read_raw(rd->r, 16), out);
    case TL_INT256:
        return read_slice(rd, tl_read_raw(rd->r, 32), out);
    case TL_STRING:
    case TL_BYTES:
        return read_slice(rd, tl_read_bytes(rd->r), out);
    case TL_TRUE:
        out->i = 1;
        return true;
    case TL_BOOL:
        return read_bool(rd, out);
    case TL_VECTOR:
        return read_vector(rd, type, out);
    case TL_OBJECT:
        if (!type->bare)
            return read_boxed(rd, type, out);
        out->object = read_fields(rd, type->ctor);
        return out->object != NULL;
    case TL_ABSENT:
        break;
    }
    tl_fail(rd->r, "a type that cannot be read");
    return false;
}

bool tl_read_value(const struct tl_schema *s, struct tl_reader *r, const struct tl_type *type,
                   struct arena *a, struct tl_limits limits, struct tl_value *out)
{
    struct reading rd = reading_of(s, r, a, limits);
    if (!r->error && read_value(&rd, type, out))
        return true;
    *out = (struct tl_value){.kind = TL_ABSENT};
    return false;
}

struct tl_object *tl_read_object(const struct tl_schema *s, struct tl_reader *r, struct arena *a,
                                 struct tl_limits limits)
{
    static const struct tl_type any = {.kind = TL_OBJECT, .class_index = -1};
    struct tl_value v;
    return tl_read_value(s, r, &any, a, limits, &v) ? v.object : NULL;
}
