/* SPDX-License-Identifier: MIT
 * Random value trees of any combinator, and their comparison. */
#ifndef TGREST_TESTS_TL_RANDOM_TREE_H
#define TGREST_TESTS_TL_RANDOM_TREE_H

#include "vectors.h"

#include <math.h>

#include "base/random.h"
#include "tl/value.h"

enum {
    TREE_DEPTH_FREE = 3 /* below it only the shortest ways to an end are taken */,
    HEIGHT_UNKNOWN = 1000
};

struct forest {
    const struct tl_schema *schema;
    struct arena *arena;
    struct rng *rng;
    int *heights; /* by index of the combinator: objects that must nest below it */
};

static inline struct tl_schema *schema_of(struct slice text)
{
    char error[256] = "";
    struct tl_schema *s = tl_schema_parse(text, error, sizeof error);
    if (!s)
        fail_msg("%s", error);
    return s;
}

/* The whole file; the caller frees data. */
static inline struct slice file_bytes(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s (tests run from the repository root)", path);
    fseek(file, 0, SEEK_END);
    size_t len = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(len + 1);
    assert_int_equal(fread(data, 1, len, file), len);
    fclose(file);
    return slice_of(data, len);
}

static inline int forest_height(const struct forest *f, const struct tl_combinator *c)
{
    return f->heights[c - tl_schema_at(f->schema, 0)];
}

static inline const struct tl_combinator *lowest_ctor(const struct forest *f,
                                                      const struct tl_class *class)
{
    const struct tl_combinator *best = class->ctors[0];
    for (uint32_t i = 1; i < class->n_ctors; i++)
        if (forest_height(f, class->ctors[i]) < forest_height(f, best))
            best = class->ctors[i];
    return best;
}

static inline int height_below(const struct forest *f, const struct tl_combinator *c)
{
    int height = 0;
    for (int i = 0; i < c->n_fields; i++) {
        const struct tl_type *t = &c->fields[i].type;
        int below = 0;
        if (t->kind != TL_OBJECT || c->fields[i].flags_field >= 0)
            continue;
        if (t->bare)
            below = 1 + forest_height(f, t->ctor);
        else if (t->class_index >= 0)
            below =
                1 + forest_height(f, lowest_ctor(f, tl_schema_class(f->schema, t->class_index)));
        height = below > height ? below : height;
    }
    return height < HEIGHT_UNKNOWN ? height : HEIGHT_UNKNOWN;
}

static inline struct forest forest_of(const struct tl_schema *s, struct arena *a, struct rng *rng)
{
    size_t n = tl_schema_count(s);
    struct forest f = {s, a, rng, calloc(n, sizeof(int))};
    for (size_t i = 0; i < n; i++)
        f.heights[i] = HEIGHT_UNKNOWN;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < n; i++) {
            int height = height_below(&f, tl_schema_at(s, i));
            changed = changed || height != f.heights[i];
            f.heights[i] = height;
        }
    }
    return f;
}

static inline struct tl_object *random_object(struct forest *f, const struct tl_combinator *c,
                                              int depth);

static inline struct slice random_bytes(struct forest *f, size_t len)
{
    uint8_t *data = arena_alloc(f->arena, len);
    rng_fill(f->rng, data, len);
    return slice_of(data, len);
}

static inline size_t random_length(struct forest *f)
{
    static const size_t edges[] = {0, 1, 2, 3, 4, 253, 254, 255, 256, 300};
    return rng_below(f->rng, 4) ? rng_below(f->rng, 24) : edges[rng_below(f->rng, 10)];
}

static inline struct slice random_text(struct forest *f)
{
    static const char *const pieces[] = {"a", "Z", " ",  "\n", "\"", "\\",
                                         "ü", "ж", "漢", "𝄞",  "👩",  "\x01"};
    struct buf text;
    buf_init(&text, 0);
    for (size_t n = random_length(f); n > 0; n--)
        buf_append_str(&text, pieces[rng_below(f->rng, sizeof pieces / sizeof *pieces)]);
    struct slice copy = arena_copy(f->arena, buf_slice(&text));
    buf_free(&text);
    return copy;
}

static inline double random_double(struct forest *f)
{
    for (;;) {
        uint64_t bits = rng_u64(f->rng);
        double d;
        memcpy(&d, &bits, sizeof d);
        if (isfinite(d))
            return rng_below(f->rng, 2) ? d : (double)(int32_t)bits;
    }
}

static inline struct tl_value bytes_value(struct slice s, enum tl_kind kind)
{
    return (struct tl_value){.bytes = s.data, .len = (uint32_t)s.len, .kind = (uint8_t)kind};
}

static inline const struct tl_combinator *random_ctor(struct forest *f, const struct tl_type *t,
                                                      int depth)
{
    if (t->bare)
        return t->ctor;
    const struct tl_class *class = tl_schema_class(f->schema, t->class_index);
    if (class)
        return depth < TREE_DEPTH_FREE ? class->ctors[rng_below(f->rng, class->n_ctors)]
                                       : lowest_ctor(f, class);
    for (;;) { /* anything: a call or an object without fields */
        const struct tl_combinator *c =
            tl_schema_at(f->schema, rng_below(f->rng, tl_schema_count(f->schema)));
        if (c->n_fields == 0)
            return c;
    }
}

static inline struct tl_value random_value(struct forest *f, const struct tl_type *t, int depth)
{
    switch (t->kind) {
    case TL_INT:
        return (struct tl_value){.i = (int32_t)rng_u32(f->rng), .kind = TL_INT};
    case TL_LONG:
        return (struct tl_value){.i = (int64_t)rng_u64(f->rng), .kind = TL_LONG};
    case TL_DOUBLE:
        return (struct tl_value){.d = random_double(f), .kind = TL_DOUBLE};
    case TL_INT128:
    case TL_INT256:
        return bytes_value(random_bytes(f, t->kind == TL_INT128 ? 16 : 32), t->kind);
    case TL_STRING:
        return bytes_value(random_text(f), TL_STRING);
    case TL_BYTES:
        return bytes_value(random_bytes(f, random_length(f)), TL_BYTES);
    case TL_TRUE:
        return (struct tl_value){.i = 1, .kind = TL_TRUE};
    case TL_BOOL:
        return (struct tl_value){.i = (int64_t)rng_below(f->rng, 2), .kind = TL_BOOL};
    case TL_VECTOR: {
        struct tl_vector *v = arena_alloc(f->arena, sizeof *v);
        v->n = v->cap = (uint32_t)(depth < TREE_DEPTH_FREE ? rng_below(f->rng, 4) : 0);
        v->items = arena_array(f->arena, v->n, sizeof *v->items);
        for (uint32_t i = 0; i < v->n; i++)
            v->items[i] = random_value(f, t->item, depth + 1);
        return tl_value_vec(v);
    }
    case TL_OBJECT:
        return tl_value_obj(random_object(f, random_ctor(f, t, depth), depth + 1));
    default:
        fail_msg("a kind without random values");
        return (struct tl_value){0};
    }
}

/* Bits are drawn, not fields: fields that share one stand or fall together. */
static inline struct tl_object *random_object(struct forest *f, const struct tl_combinator *c,
                                              int depth)
{
    struct tl_object *o = arena_alloc(f->arena, sizeof *o + c->n_fields * sizeof o->fields[0]);
    uint32_t bits[256] = {0};
    o->ctor = c;
    for (int i = 0; i < c->n_fields; i++) {
        const struct tl_field *field = &c->fields[i];
        if (field->type.kind == TL_FLAGS)
            bits[i] = depth < TREE_DEPTH_FREE ? rng_u32(f->rng) : 0;
        else if (field->flags_field < 0 || (bits[field->flags_field] >> field->flags_bit & 1))
            o->fields[i] = random_value(f, &field->type, depth);
    }
    return o;
}

static inline void assert_same_value(const struct tl_value *a, const struct tl_value *b);

/* Flags are left out: the writer computes them. */
static inline void assert_same_object(const struct tl_object *a, const struct tl_object *b)
{
    assert_ptr_equal(a->ctor, b->ctor);
    for (int i = 0; i < a->ctor->n_fields; i++)
        if (a->ctor->fields[i].type.kind != TL_FLAGS)
            assert_same_value(&a->fields[i], &b->fields[i]);
}

static inline void assert_same_value(const struct tl_value *a, const struct tl_value *b)
{
    assert_int_equal(a->kind, b->kind);
    switch ((enum tl_kind)a->kind) {
    case TL_ABSENT:
        return;
    case TL_OBJECT:
        assert_same_object(a->object, b->object);
        return;
    case TL_VECTOR:
        assert_int_equal(a->vector->n, b->vector->n);
        for (uint32_t i = 0; i < a->vector->n; i++)
            assert_same_value(&a->vector->items[i], &b->vector->items[i]);
        return;
    case TL_STRING:
    case TL_BYTES:
    case TL_INT128:
    case TL_INT256:
        assert_bytes(slice_of(a->bytes, a->len), slice_of(b->bytes, b->len));
        return;
    default:
        assert_true(a->i == b->i); /* doubles too: the bits */
    }
}

/* Writes, or fails the test with the writer's reason. The caller frees the buf. */
static inline struct buf written(const struct tl_schema *s, const struct tl_object *o,
                                 struct arena *a)
{
    const char *error = NULL;
    struct buf out;
    buf_init(&out, 0);
    if (!tl_write_object(s, &out, o, a, &error))
        fail_msg("%s: %s", o->ctor->name, error);
    return out;
}

#endif
