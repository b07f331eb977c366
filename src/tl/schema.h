/* SPDX-License-Identifier: MIT
 * A TL schema, read at run time: combinators, their fields and types.
 * https://core.telegram.org/mtproto/TL-formal */
#ifndef TGREST_TL_SCHEMA_H
#define TGREST_TL_SCHEMA_H

#include "base/bytes.h"

enum tl_kind {
    TL_ABSENT, /* only in values: an optional field that is not there */
    TL_FLAGS,  /* # */
    TL_INT,
    TL_LONG,
    TL_DOUBLE,
    TL_INT128,
    TL_INT256,
    TL_STRING,
    TL_BYTES,
    TL_TRUE, /* flags.N?true: no bytes, the bit is the value */
    TL_BOOL, /* boolTrue / boolFalse */
    TL_VECTOR,
    TL_OBJECT, /* of a class (boxed), of a given constructor (bare), or anything (!X, Object) */
};

struct tl_type {
    enum tl_kind kind;
    bool bare;                        /* vector without its id; object without its constructor id */
    int32_t class_index;              /* TL_OBJECT boxed: index into classes; -1 = any (generic) */
    const struct tl_combinator *ctor; /* TL_OBJECT bare */
    const struct tl_type *item;       /* TL_VECTOR */
};

struct tl_field {
    const char *name;
    struct tl_type type;
    int16_t flags_field; /* index of the # field that holds the bit; -1 = always there */
    uint8_t flags_bit;
    uint16_t symbol; /* F_… of the bound names; TL_NO_SYMBOL where not named there */
};

struct tl_combinator {
    uint32_t id;
    const char *name; /* "messages.sendMessage" */
    bool is_method;
    bool id_differs; /* the id is not the CRC of the line: set by hand, or the line is mistyped */
    uint16_t symbol; /* C_… of the bound names; TL_NO_SYMBOL where not named there */
    uint16_t n_fields;
    uint16_t slots_mask;
    const struct tl_field *fields;
    const uint8_t
        *slots; /* 1 + index of the field whose symbol & slots_mask it is; NULL = not made */
    struct tl_type
        result; /* constructors: their class; methods: what they answer (item type for vectors) */
    const char *result_text; /* as written in the schema */
    const struct tl_combinator
        *passes_as; /* of another class, with the same fields; NULL = of none */
};

struct tl_class {
    const char *name; /* "InputPeer" */
    uint32_t n_ctors;
    const struct tl_combinator *const *ctors;
};

enum { TL_NO_SYMBOL = 0xffff };

/* Immutable once loaded and bound; shared by threads. */
struct tl_schema;

/* Symbols of two constructors with the same fields: where the class of `as` is due, readers of TL
 * bytes take `given` for it. */
struct tl_pass {
    uint16_t given;
    uint16_t as;
};

/* The names that code uses: C identifiers with '_' for the '.' of a combinator's namespace.
 * Index in the list = symbol. */
struct tl_names {
    const char *const *combinators;
    size_t n_combinators;
    const char *const *fields;
    size_t n_fields;
    const struct tl_pass *passes;
    size_t n_passes;
};

/* Parses schema text (a comment `// LAYER N` gives the layer). An id that is missing is computed;
 * one that is not the CRC of its line is kept and marked id_differs. NULL on error with `error` (at
 * least 256 bytes) saying line and reason. */
struct tl_schema *tl_schema_parse(struct slice text, char *error, size_t error_size);
/* Resolves names to combinators and fields; call once, before sharing. Names that the schema lacks
 * stay unbound: tl_schema_bound gives NULL. `names` must outlive the schema. */
void tl_schema_bind(struct tl_schema *s, const struct tl_names *names);
void tl_schema_free(struct tl_schema *s);

int tl_schema_layer(const struct tl_schema *s);
const struct tl_combinator *tl_schema_bound(const struct tl_schema *s, uint16_t symbol);
const struct tl_combinator *tl_schema_by_id(const struct tl_schema *s, uint32_t id);
/* Full name as in the schema; constructors and methods share one namespace (case differs). */
const struct tl_combinator *tl_schema_by_name(const struct tl_schema *s, struct slice name);
size_t tl_schema_count(const struct tl_schema *s);
const struct tl_combinator *tl_schema_at(const struct tl_schema *s, size_t index);
const struct tl_class *tl_schema_class(const struct tl_schema *s, int32_t class_index);
/* The field's index in c, by bound symbol or by name; -1 if c has none. */
int tl_field_by_symbol(const struct tl_combinator *c, uint16_t symbol);
int tl_field_by_name(const struct tl_combinator *c, struct slice name);
/* The type as schema text ("flags.3?Vector<InputPeer>" without the condition part), for messages
 * and /methods. */
void tl_type_text(const struct tl_schema *s, const struct tl_type *t, struct buf *out);

/* Schema texts in the binary (schema/api.tl and schema/mtproto.tl). */
struct slice tl_embedded_api(void);
struct slice tl_embedded_mtproto(void);

#endif
