/* SPDX-License-Identifier: MIT */
#include "tl/schema_private.h"

#include <stdlib.h>

enum {
    NAME_MAX_BYTES = 128,
    SLOTS_MAX = 2048, /* both lists of names in use have under a thousand fields */
};

void tl_schema_free(struct tl_schema *s)
{
    if (!s)
        return;
    arena_free(&s->arena);
    free(s);
}

int tl_schema_layer(const struct tl_schema *s)
{
    return s->layer;
}

size_t tl_schema_count(const struct tl_schema *s)
{
    return s->n_combinators;
}

const struct tl_combinator *tl_schema_at(const struct tl_schema *s, size_t index)
{
    return index < s->n_combinators ? &s->combinators[index] : NULL;
}

const struct tl_class *tl_schema_class(const struct tl_schema *s, int32_t class_index)
{
    return class_index >= 0 && (size_t)class_index < s->n_classes ? &s->classes[class_index] : NULL;
}

const struct tl_combinator *tl_schema_by_id(const struct tl_schema *s, uint32_t id)
{
    /* Ids are CRCs: their low bits are as good as any hash. */
    for (uint32_t i = id & s->by_id_mask; s->by_id[i].index; i = (i + 1) & s->by_id_mask)
        if (s->by_id[i].id == id)
            return &s->combinators[s->by_id[i].index - 1];
    return NULL;
}

const struct tl_combinator *tl_schema_by_name(const struct tl_schema *s, struct slice name)
{
    int64_t index = name_table_find(&s->by_name, name);
    return index < 0 ? NULL : &s->combinators[index];
}

const struct tl_combinator *tl_schema_bound(const struct tl_schema *s, uint16_t symbol)
{
    return symbol < s->n_bound ? s->bound[symbol] : NULL;
}

/* Namespaces are lower-case words before a '.', so the first '_' of an identifier may stand for it:
 * messages_sendMessage, but p_q_inner_data as it is. */
static struct tl_combinator *combinator_by_identifier(struct tl_schema *s, const char *identifier)
{
    struct slice name = slice_str(identifier);
    int64_t index = name_table_find(&s->by_name, name);
    const char *underscore = strchr(identifier, '_');
    if (index < 0 && underscore && name.len < NAME_MAX_BYTES) {
        char dotted[NAME_MAX_BYTES];
        memcpy(dotted, identifier, name.len);
        dotted[underscore - identifier] = '.';
        index = name_table_find(&s->by_name, slice_of(dotted, name.len));
    }
    return index < 0 ? NULL : &s->combinators[index];
}

static void bind_combinators(struct tl_schema *s, const struct tl_names *names)
{
    s->bound = arena_array(&s->arena, names->n_combinators, sizeof *s->bound);
    if (!s->bound)
        return;
    s->n_bound = names->n_combinators;
    for (size_t i = 0; i < names->n_combinators; i++) {
        struct tl_combinator *c = combinator_by_identifier(s, names->combinators[i]);
        s->bound[i] = c;
        if (c)
            c->symbol = (uint16_t)i;
    }
}

static void bind_fields(struct tl_schema *s, const struct tl_names *names)
{
    struct arena scratch;
    arena_init(&scratch, 0);
    struct name_table symbols;
    if (name_table_init(&symbols, &scratch, names->n_fields)) {
        for (size_t i = 0; i < names->n_fields; i++)
            name_table_put(&symbols, slice_str(names->fields[i]), (uint32_t)i);
        for (size_t i = 0; i < s->n_combinators; i++) {
            /* The schema is ours to change until it is shared. */
            struct tl_field *fields = (struct tl_field *)(uintptr_t)s->combinators[i].fields;
            for (size_t k = 0; k < s->combinators[i].n_fields; k++) {
                int64_t symbol = name_table_find(&symbols, slice_str(fields[k].name));
                fields[k].symbol = symbol < 0 ? TL_NO_SYMBOL : (uint16_t)symbol;
            }
        }
    }
    arena_free(&scratch);
}

/* Gives every field with a symbol the slot of its low bits. False when two want the same one. */
static bool fill_slots(const struct tl_combinator *c, uint16_t mask, uint8_t *slots)
{
    memset(slots, 0, (size_t)mask + 1);
    for (size_t i = 0; i < c->n_fields; i++) {
        uint16_t symbol = c->fields[i].symbol;
        if (symbol == TL_NO_SYMBOL)
            continue;
        if (slots[symbol & mask])
            return false;
        slots[symbol & mask] = (uint8_t)(i + 1);
    }
    return true;
}

/* The smallest table without a collision; there is one of SLOTS_MAX at the latest, unless a schema
 * has more fields in a line, or more names, than any today: then the fields are searched one by
 * one. */
static void make_slots(struct tl_schema *s, struct tl_combinator *c)
{
    uint8_t slots[SLOTS_MAX];
    size_t n = 1;
    if (c->n_fields >= UINT8_MAX)
        return;
    while (n <= SLOTS_MAX && !fill_slots(c, (uint16_t)(n - 1), slots))
        n *= 2;
    uint8_t *kept = n <= SLOTS_MAX ? arena_alloc_raw(&s->arena, n) : NULL;
    if (!kept)
        return;
    memcpy(kept, slots, n);
    c->slots_mask = (uint16_t)(n - 1);
    c->slots = kept;
}

static bool same_fields(const struct tl_combinator *a, const struct tl_combinator *b)
{
    bool same = a->n_fields == b->n_fields;
    for (uint16_t i = 0; same && i < a->n_fields; i++)
        same = a->fields[i].type.kind == b->fields[i].type.kind &&
               a->fields[i].type.class_index == b->fields[i].type.class_index &&
               a->fields[i].flags_field == b->fields[i].flags_field;
    return same;
}

/* Only between lines of the same form, which a layer may change. */
static void bind_passes(struct tl_schema *s, const struct tl_names *names)
{
    for (size_t i = 0; i < s->n_combinators; i++)
        for (size_t k = 0; k < names->n_passes; k++) {
            struct tl_combinator *c = &s->combinators[i];
            const struct tl_combinator *as = tl_schema_bound(s, names->passes[k].as);
            if (as && c->symbol == names->passes[k].given && same_fields(c, as))
                c->passes_as = as;
        }
}

void tl_schema_bind(struct tl_schema *s, const struct tl_names *names)
{
    bind_combinators(s, names);
    bind_fields(s, names);
    bind_passes(s, names);
    for (size_t i = 0; i < s->n_combinators; i++)
        make_slots(s, &s->combinators[i]);
}

int tl_field_by_symbol(const struct tl_combinator *c, uint16_t symbol)
{
    if (symbol == TL_NO_SYMBOL)
        return -1;
    if (c->slots) {
        int i = c->slots[symbol & c->slots_mask] - 1;
        return i >= 0 && c->fields[i].symbol == symbol ? i : -1;
    }
    for (int i = 0; i < c->n_fields; i++)
        if (c->fields[i].symbol == symbol)
            return i;
    return -1;
}

int tl_field_by_name(const struct tl_combinator *c, struct slice name)
{
    for (int i = 0; i < c->n_fields; i++)
        if (slice_is(name, c->fields[i].name))
            return i;
    return -1;
}

void tl_type_text(const struct tl_schema *s, const struct tl_type *t, struct buf *out)
{
    static const char *const plain[] = {
        [TL_ABSENT] = "nothing", [TL_FLAGS] = "#",       [TL_INT] = "int",
        [TL_LONG] = "long",      [TL_DOUBLE] = "double", [TL_INT128] = "int128",
        [TL_INT256] = "int256",  [TL_STRING] = "string", [TL_BYTES] = "bytes",
        [TL_TRUE] = "true",      [TL_BOOL] = "Bool",
    };
    if (t->kind == TL_VECTOR) {
        buf_append_str(out, t->bare ? "vector<" : "Vector<");
        tl_type_text(s, t->item, out);
        buf_append_str(out, ">");
    } else if (t->kind == TL_OBJECT) {
        const struct tl_class *class = tl_schema_class(s, t->class_index);
        buf_append_str(out, t->bare ? t->ctor->name : class ? class->name : "Object");
    } else {
        buf_append_str(out, plain[t->kind]);
    }
}
