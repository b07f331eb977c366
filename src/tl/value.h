/* SPDX-License-Identifier: MIT
 * Value trees: what TL bytes and JSON are read into and written from. They live in an arena. */
#ifndef TGREST_TL_VALUE_H
#define TGREST_TL_VALUE_H

#include "base/arena.h"
#include "tl/cursor.h"
#include "tl/schema.h"

struct tl_object;
struct tl_vector;

/* 16 bytes. `kind` says which member is meant; TL_ABSENT = not there. */
struct tl_value {
    union {
        int64_t i;            /* INT, LONG, FLAGS, TRUE, BOOL (0/1) */
        double d;             /* DOUBLE */
        const uint8_t *bytes; /* STRING, BYTES, INT128 (16), INT256 (32): `len` bytes */
        struct tl_object *object;
        struct tl_vector *vector;
    };
    uint32_t len;
    uint8_t kind; /* enum tl_kind */
};

struct tl_object {
    const struct tl_combinator *ctor;
    struct tl_value fields[]; /* ctor->n_fields */
};

struct tl_vector {
    uint32_t n;
    uint32_t cap;
    struct tl_value *items;
};

/* ---- reading: bytes to tree ---- */

/* Bounds of one read. depth_max counts nested objects and vectors. */
struct tl_limits {
    uint32_t depth_max;  /* 0 = 64 */
    uint32_t values_max; /* values in the tree, all levels; 0 = 1,000,000 */
};

/* One boxed object of any class; slices in the tree point into the input. NULL (r->error says why)
 * on an unknown id, a bound, or short input. gzip_packed is inflated into the arena first. */
struct tl_object *tl_read_object(const struct tl_schema *s, struct tl_reader *r, struct arena *a,
                                 struct tl_limits limits);
/* The answer of a method: an object, or Vector<t>, int, long, Bool… as `type` says. */
bool tl_read_value(const struct tl_schema *s, struct tl_reader *r, const struct tl_type *type,
                   struct arena *a, struct tl_limits limits, struct tl_value *out);
/* zlib/gzip bytes inflated into the arena; false past output_max or on bad data. */
bool tl_inflate(struct slice packed, size_t output_max, struct arena *a, struct slice *out);

/* ---- writing: tree to bytes ---- */

/* Appends the boxed object. Flags are computed from the fields that are there; bits set
 * by hand that stand for no field are kept. False (and `error`,
 * if not NULL, a text that lives in `a`) when a required field is absent or of the wrong kind. */
bool tl_write_object(const struct tl_schema *s, struct buf *out, const struct tl_object *o,
                     struct arena *a, const char **error);
/* As tl_write_object for a value of the given type (e.g. a method's answer: Vector<X>, Bool, int).
 */
bool tl_write_value(const struct tl_schema *s, struct buf *out, const struct tl_type *type,
                    const struct tl_value *v, struct arena *a, const char **error);

/* ---- reading fields: all of these accept o == NULL and fields that are not there ---- */

bool tl_is(const struct tl_object *o, uint16_t c_symbol);
/* Never NULL: a TL_ABSENT value if there is none. */
const struct tl_value *tl_get(const struct tl_object *o, uint16_t f_symbol);
bool tl_has(const struct tl_object *o, uint16_t f_symbol);
int64_t tl_int(const struct tl_object *o, uint16_t f_symbol);       /* 0 */
double tl_double(const struct tl_object *o, uint16_t f_symbol);     /* 0 */
bool tl_bool(const struct tl_object *o, uint16_t f_symbol);         /* false; true-flags and Bool */
struct slice tl_text(const struct tl_object *o, uint16_t f_symbol); /* empty; strings and bytes */
const struct tl_object *tl_obj(const struct tl_object *o, uint16_t f_symbol); /* NULL */
/* The number of items, 0 if there is no such vector. */
uint32_t tl_count(const struct tl_object *o, uint16_t f_symbol);
/* TL_ABSENT, or NULL, past the end. */
const struct tl_value *tl_item(const struct tl_object *o, uint16_t f_symbol, uint32_t index);
const struct tl_object *tl_item_obj(const struct tl_object *o, uint16_t f_symbol, uint32_t index);

/* ---- building: setters accept o == NULL, and skip a field that the constructor lacks (an older
 * layer) ---- */

/* Sticky: after the first failure (no memory, unbound name) everything is a no-op and NULL. */
struct tl_builder {
    const struct tl_schema *schema;
    struct arena *arena;
    bool failed;
    uint16_t missing; /* the unbound symbol that failed it, TL_NO_SYMBOL otherwise */
};

struct tl_builder tl_builder_of(const struct tl_schema *s, struct arena *a);
struct tl_object *tl_new(struct tl_builder *b, uint16_t c_symbol);
struct tl_object *tl_new_ctor(struct tl_builder *b, const struct tl_combinator *c);
void tl_set_int(struct tl_object *o, uint16_t f, int64_t v); /* int, long, #, by the field's type */
void tl_set_double(struct tl_object *o, uint16_t f, double v);
void tl_set_bool(struct tl_object *o, uint16_t f, bool v); /* true-flag (false = absent) or Bool */
void tl_set_text(struct tl_object *o, uint16_t f,
                 struct slice v); /* string, bytes, int128, int256; borrowed */
void tl_set_str(struct tl_object *o, uint16_t f, const char *v);             /* borrowed */
void tl_set_obj(struct tl_object *o, uint16_t f, const struct tl_object *v); /* NULL = absent */
/* An empty vector in the field, to be pushed to; NULL if the constructor has no such field. */
struct tl_vector *tl_set_vec(struct tl_builder *b, struct tl_object *o, uint16_t f);
struct tl_vector *tl_new_vec(struct tl_builder *b);
/* All accept vec == NULL. */
void tl_push_int(struct tl_builder *b, struct tl_vector *vec,
                 int64_t v); /* Vector<int>, Vector<long> */
void tl_push_text(struct tl_builder *b, struct tl_vector *vec, struct slice v);
void tl_push_obj(struct tl_builder *b, struct tl_vector *vec, const struct tl_object *v);

struct tl_value tl_value_obj(const struct tl_object *o);
struct tl_value tl_value_vec(struct tl_vector *v);
struct tl_value tl_value_int(int64_t v);
struct tl_value tl_value_bool(bool v);

#endif
