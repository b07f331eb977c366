/* SPDX-License-Identifier: MIT
 * Schema text to combinators, in two passes: names first, so that fields may refer to what follows.
 */
#include "tl/schema_private.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TEXT_BYTES_MAX = 16 * 1024 * 1024, /* forty times today's schema */
    COMBINATORS_MAX = 32768,
    FIELDS_MAX = 255, /* today's longest has 53 */
    TYPE_DEPTH_MAX = 8,
    GENERICS_MAX = 4,
};

struct statement {
    struct slice text;   /* without the ';' */
    struct slice fields; /* between the name and the '=' */
    struct slice result; /* after the '=' */
    int line;
    bool is_method;
};

struct parser {
    struct tl_schema *s;
    const char *next;
    const char *end;
    int line;
    bool in_functions;
    struct statement *statements;
    size_t n_statements;
    struct slice generics[GENERICS_MAX]; /* of the statement at hand */
    size_t n_generics;
    struct buf scratch;
    char *error;
    size_t error_size;
};

static bool fail(struct parser *p, int line, const char *reason, struct slice what)
{
    snprintf(p->error, p->error_size, "line %d: %s%s%.*s", line, reason, what.len ? ": " : "",
             (int)(what.len < 80 ? what.len : 80), what.len ? (const char *)what.data : "");
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

/* ---- text to statements ---- */

/* `// LAYER 228`; other comments say nothing to us. */
static void read_layer(struct parser *p, struct slice comment)
{
    size_t i = 0;
    while (i < comment.len && (comment.data[i] == '/' || is_space((char)comment.data[i])))
        i++;
    struct slice rest = slice_of(comment.data + i, comment.len - i);
    if (rest.len < 6 || !slice_is_nocase(slice_of(rest.data, 6), "layer "))
        return;
    size_t n = 0;
    while (6 + n < rest.len && rest.data[6 + n] >= '0' && rest.data[6 + n] <= '9')
        n++;
    int64_t layer;
    if (slice_to_i64(slice_of(rest.data + 6, n), &layer) && layer > 0 && layer < INT32_MAX)
        p->s->layer = (int)layer;
}

static void skip_line(struct parser *p)
{
    while (p->next < p->end && *p->next != '\n')
        p->next++;
}

/* Spaces, comments and the ---types--- / ---functions--- marks before the next statement. */
static void skip_between(struct parser *p)
{
    while (p->next < p->end) {
        const char *at = p->next;
        size_t left = (size_t)(p->end - at);
        if (is_space(*at)) {
            p->line += *at == '\n';
            p->next++;
        } else if (left >= 2 && memcmp(at, "//", 2) == 0) {
            skip_line(p);
            read_layer(p, slice_of(at, (size_t)(p->next - at)));
        } else if (left >= 3 && memcmp(at, "---", 3) == 0) {
            skip_line(p);
            struct slice mark = slice_of(at, (size_t)(p->next - at));
            p->in_functions = memmem(mark.data, mark.len, "functions", 9) != NULL;
        } else {
            return;
        }
    }
}

/* Built-in types and `vector` are written in the full language (`int ? = Int`, `# [ t ]`): we know
 * them. */
static bool is_built_in(struct slice text)
{
    return memmem(text.data, text.len, " ? ", 3) || memchr(text.data, '[', text.len);
}

static bool split_statements(struct parser *p)
{
    for (skip_between(p); p->next < p->end; skip_between(p)) {
        const char *at = p->next;
        int line = p->line;
        const char *end = memchr(at, ';', (size_t)(p->end - at));
        if (!end)
            return fail(p, line, "no ';' after a declaration", slice_of(at, 0));
        for (const char *c = at; c < end; c++)
            p->line += *c == '\n';
        p->next = end + 1;
        struct slice text = slice_of(at, (size_t)(end - at));
        if (is_built_in(text))
            continue;
        const uint8_t *equals = memrchr(text.data, '=', text.len);
        if (!equals)
            return fail(p, line, "no '=' in a declaration", text);
        struct statement *st = &p->statements[p->n_statements++];
        *st = (struct statement){.text = text, .line = line, .is_method = p->in_functions};
        st->fields = slice_of(text.data, (size_t)(equals - text.data));
        st->result = slice_of(equals + 1, (size_t)(text.data + text.len - equals - 1));
    }
    return true;
}

static void trim(struct slice *s)
{
    while (s->len && is_space((char)s->data[0]))
        *s = slice_of(s->data + 1, s->len - 1);
    while (s->len && is_space((char)s->data[s->len - 1]))
        s->len--;
}

/* A word of letters, digits, '_' and '.', cut off the front of s. */
static struct slice take_word(struct slice *s)
{
    size_t n = 0;
    while (n < s->len && is_word((char)s->data[n]))
        n++;
    struct slice word = slice_of(s->data, n);
    *s = slice_of(s->data + n, s->len - n);
    return word;
}

static bool take_char(struct slice *s, char c)
{
    if (s->len == 0 || s->data[0] != (uint8_t)c)
        return false;
    *s = slice_of(s->data + 1, s->len - 1);
    return true;
}

/* ---- first pass: names, ids, classes ---- */

static bool parse_id(struct slice hex, uint32_t *id)
{
    if (hex.len == 0 || hex.len > 8)
        return false;
    *id = 0;
    for (size_t i = 0; i < hex.len; i++) {
        uint8_t c = hex.data[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return false;
        *id = *id << 4 | (uint32_t)digit;
    }
    return true;
}

static bool insert_id(struct tl_schema *s, uint32_t id, size_t index)
{
    uint32_t i = id & s->by_id_mask;
    for (; s->by_id[i].index; i = (i + 1) & s->by_id_mask)
        if (s->by_id[i].id == id)
            return false;
    s->by_id[i] = (struct id_slot){id, (uint32_t)index + 1};
    return true;
}

static bool declare_combinator(struct parser *p, struct statement *st)
{
    struct tl_schema *s = p->s;
    struct tl_combinator *c = &s->combinators[s->n_combinators];
    struct slice name = take_word(&st->fields);
    if (name.len == 0)
        return fail(p, st->line, "no name in a declaration", st->text);
    uint32_t crc = tl_line_crc(st->text, &p->scratch);
    c->id = crc;
    if (take_char(&st->fields, '#') && !parse_id(take_word(&st->fields), &c->id))
        return fail(p, st->line, "not an id of up to 8 hex digits", st->text);
    c->id_differs = c->id != crc;
    c->is_method = st->is_method;
    c->symbol = TL_NO_SYMBOL;
    c->name = arena_strdup(&s->arena, name);
    trim(&st->result);
    c->result_text = arena_strdup(&s->arena, st->result);
    if (name_table_find(&s->by_name, name) >= 0)
        return fail(p, st->line, "a name declared twice", name);
    if (!insert_id(s, c->id, s->n_combinators))
        return fail(p, st->line, "an id declared twice", st->text);
    name_table_put(&s->by_name, slice_str(c->name), (uint32_t)s->n_combinators++);
    return true;
}

/* Counts the constructors of each class; fill_classes then gives them their arrays. */
static void declare_class(struct parser *p, const struct tl_combinator *c)
{
    struct tl_schema *s = p->s;
    int64_t index = name_table_find(&s->classes_by_name, slice_str(c->result_text));
    if (index < 0) {
        index = (int64_t)s->n_classes++;
        s->classes[index].name = c->result_text;
        name_table_put(&s->classes_by_name, slice_str(c->result_text), (uint32_t)index);
    }
    s->classes[index].n_ctors++;
}

static bool fill_classes(struct tl_schema *s)
{
    const struct tl_combinator **ctors = arena_array(&s->arena, s->n_combinators, sizeof *ctors);
    if (!ctors)
        return false;
    for (size_t i = 0; i < s->n_classes; i++) {
        s->classes[i].ctors = ctors;
        ctors += s->classes[i].n_ctors;
        s->classes[i].n_ctors = 0;
    }
    for (size_t i = 0; i < s->n_combinators; i++) {
        const struct tl_combinator *c = &s->combinators[i];
        if (c->is_method)
            continue;
        int64_t index = name_table_find(&s->classes_by_name, slice_str(c->result_text));
        struct tl_class *class = &s->classes[index];
        /* The array is ours until the schema is handed out. */
        ((const struct tl_combinator **)(uintptr_t) class->ctors)[class->n_ctors++] = c;
    }
    return true;
}

static bool declare(struct parser *p)
{
    for (size_t i = 0; i < p->n_statements; i++) {
        if (!declare_combinator(p, &p->statements[i]))
            return false;
        const struct tl_combinator *c = &p->s->combinators[i];
        if (!c->is_method)
            declare_class(p, c);
    }
    return fill_classes(p->s) || fail(p, 0, "out of memory", slice_of(NULL, 0));
}

/* ---- second pass: fields and types ---- */

static bool is_generic(const struct parser *p, struct slice name)
{
    for (size_t i = 0; i < p->n_generics; i++)
        if (slice_eq(p->generics[i], name))
            return true;
    return false;
}

static bool plain_kind(struct slice name, enum tl_kind *kind)
{
    static const struct {
        const char *name;
        enum tl_kind kind;
    } kinds[] = {
        {"int", TL_INT},       {"long", TL_LONG},     {"string", TL_STRING},
        {"bytes", TL_BYTES},   {"double", TL_DOUBLE}, {"int128", TL_INT128},
        {"int256", TL_INT256}, {"true", TL_TRUE},     {"Bool", TL_BOOL},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (slice_is(name, kinds[i].name)) {
            *kind = kinds[i].kind;
            return true;
        }
    return false;
}

/* A name that is no plain type: a class, a constructor by its own name, or %Class. */
static bool resolve_object(struct parser *p, int line, struct slice name, bool bare,
                           struct tl_type *t)
{
    *t = (struct tl_type){.kind = TL_OBJECT, .class_index = -1};
    if (slice_is(name, "Object") || is_generic(p, name))
        return true;
    int64_t class = name_table_find(&p->s->classes_by_name, name);
    if (class >= 0 && !bare) {
        t->class_index = (int32_t) class;
        return true;
    }
    t->bare = true;
    if (class >= 0 && p->s->classes[class].n_ctors == 1)
        t->ctor = p->s->classes[class].ctors[0];
    else
        t->ctor = tl_schema_by_name(p->s, name);
    if (!t->ctor || t->ctor->is_method)
        return fail(p, line, "an unknown type", name);
    return true;
}

static bool parse_type(struct parser *p, int line, struct slice *text, int depth,
                       struct tl_type *t);

static bool parse_vector(struct parser *p, int line, struct slice *text, int depth, bool bare,
                         struct tl_type *t)
{
    struct tl_type *item = arena_alloc(&p->s->arena, sizeof *item);
    if (!item)
        return fail(p, line, "out of memory", slice_of(NULL, 0));
    *t = (struct tl_type){.kind = TL_VECTOR, .bare = bare, .class_index = -1, .item = item};
    bool bracket = take_char(text, '<');
    if (!bracket && !take_char(text, ' '))
        return fail(p, line, "a vector of what?", *text);
    if (!parse_type(p, line, text, depth + 1, item))
        return false;
    if (bracket && !take_char(text, '>'))
        return fail(p, line, "a missing '>'", *text);
    return item->kind != TL_FLAGS || fail(p, line, "a vector of #", slice_of(NULL, 0));
}

static bool parse_type(struct parser *p, int line, struct slice *text, int depth, struct tl_type *t)
{
    *t = (struct tl_type){.class_index = -1};
    if (depth > TYPE_DEPTH_MAX)
        return fail(p, line, "a type nested too deep", *text);
    if (take_char(text, '#')) {
        t->kind = TL_FLAGS;
        return true;
    }
    take_char(text, '!'); /* !X is a call whose answer is X: anything, for us */
    bool bare = take_char(text, '%');
    struct slice name = take_word(text);
    if (slice_is(name, "vector") || slice_is(name, "Vector"))
        return parse_vector(p, line, text, depth, bare || name.data[0] == 'v', t);
    if (plain_kind(name, &t->kind))
        return true;
    return resolve_object(p, line, name, bare, t);
}

/* `flags.3?` before a type: finds the # field named before, among the n so far. */
static bool parse_condition(struct parser *p, int line, struct slice *text,
                            const struct tl_field *fields, int n, struct tl_field *f)
{
    f->flags_field = -1;
    struct slice rest = *text;
    struct slice word = take_word(&rest);
    if (!take_char(&rest, '?'))
        return true;
    *text = rest;
    const uint8_t *dot = word.len ? memrchr(word.data, '.', word.len) : NULL;
    int64_t bit = -1;
    if (!dot || !slice_to_i64(slice_of(dot + 1, (size_t)(word.data + word.len - dot - 1)), &bit) ||
        bit < 0 || bit > 31)
        return fail(p, line, "not a condition like flags.3", word);
    f->flags_bit = (uint8_t)bit;
    for (int i = 0; i < n; i++)
        if (fields[i].type.kind == TL_FLAGS &&
            slice_is(slice_of(word.data, (size_t)(dot - word.data)), fields[i].name))
            f->flags_field = (int16_t)i;
    return f->flags_field >= 0 || fail(p, line, "a condition on no # field before it", word);
}

/* {X:Type}: remembers X. */
static bool parse_generic(struct parser *p, int line, struct slice *text)
{
    struct slice name = take_word(text);
    const uint8_t *close = text->len ? memchr(text->data, '}', text->len) : NULL;
    if (!close || name.len == 0 || p->n_generics == GENERICS_MAX)
        return fail(p, line, "not a type parameter like {X:Type}", name);
    p->generics[p->n_generics++] = name;
    *text = slice_of(close + 1, (size_t)(text->data + text->len - close - 1));
    return true;
}

static bool parse_field(struct parser *p, int line, struct slice *text,
                        const struct tl_field *fields, int n, struct tl_field *f)
{
    struct slice name = take_word(text);
    if (name.len == 0 || !take_char(text, ':'))
        return fail(p, line, "not a field like name:type", *text);
    f->name = arena_strdup(&p->s->arena, name);
    f->symbol = TL_NO_SYMBOL;
    if (!parse_condition(p, line, text, fields, n, f) || !parse_type(p, line, text, 0, &f->type))
        return false;
    return f->type.kind != TL_FLAGS || f->flags_field < 0 ||
           fail(p, line, "a # under a condition", name);
}

static bool parse_fields(struct parser *p, const struct statement *st, struct tl_combinator *c)
{
    struct tl_field fields[FIELDS_MAX];
    struct slice text = st->fields;
    int n = 0;
    p->n_generics = 0;
    for (trim(&text); text.len; trim(&text)) {
        bool good =
            take_char(&text, '{')
                ? parse_generic(p, st->line, &text)
                : n < FIELDS_MAX && parse_field(p, st->line, &text, fields, n, &fields[n]) && ++n;
        if (!good)
            return n < FIELDS_MAX ? false : fail(p, st->line, "too many fields", st->text);
    }
    struct tl_field *kept = arena_array(&p->s->arena, (size_t)n, sizeof *kept);
    if (!kept)
        return fail(p, st->line, "out of memory", slice_of(NULL, 0));
    memcpy(kept, fields, (size_t)n * sizeof *kept);
    c->fields = kept;
    c->n_fields = (uint16_t)n;
    struct slice result = st->result;
    trim(&result);
    return parse_type(p, st->line, &result, 0, &c->result) &&
           (result.len == 0 || fail(p, st->line, "something after the result type", result));
}

static bool parse_bodies(struct parser *p)
{
    for (size_t i = 0; i < p->n_statements; i++)
        if (!parse_fields(p, &p->statements[i], &p->s->combinators[i]))
            return false;
    return true;
}

/* ---- the whole ---- */

/* Tables for as many declarations as there are semicolons. */
static bool make_room(struct parser *p, struct arena *scratch)
{
    struct tl_schema *s = p->s;
    size_t n = 0;
    for (const char *c = p->next; c < p->end; c++)
        n += *c == ';';
    if (n > COMBINATORS_MAX)
        return fail(p, 0, "too many declarations", slice_of(NULL, 0));
    uint32_t n_slots = 16;
    while (n_slots < n * 2)
        n_slots *= 2;
    s->by_id_mask = n_slots - 1;
    s->by_id = arena_array(&s->arena, n_slots, sizeof *s->by_id);
    s->combinators = arena_array(&s->arena, n, sizeof *s->combinators);
    s->classes = arena_array(&s->arena, n, sizeof *s->classes);
    p->statements = arena_array(scratch, n, sizeof *p->statements);
    return (s->by_id && s->combinators && s->classes && p->statements &&
            name_table_init(&s->by_name, &s->arena, n) &&
            name_table_init(&s->classes_by_name, &s->arena, n)) ||
           fail(p, 0, "out of memory", slice_of(NULL, 0));
}

struct tl_schema *tl_schema_parse(struct slice text, char *error, size_t error_size)
{
    struct parser p = {.next = text.len ? (const char *)text.data : "",
                       .line = 1,
                       .error = error,
                       .error_size = error_size};
    p.end = p.next + text.len;
    p.s = calloc(1, sizeof *p.s);
    if (!p.s || text.len > TEXT_BYTES_MAX) {
        fail(&p, 0, p.s ? "the text is too long" : "out of memory", slice_of(NULL, 0));
        free(p.s);
        return NULL;
    }
    struct arena scratch;
    arena_init(&scratch, 0);
    arena_init(&p.s->arena, 0);
    buf_init(&p.scratch, 0);
    bool good = make_room(&p, &scratch) && split_statements(&p) && declare(&p) &&
                parse_bodies(&p) &&
                (!p.s->arena.failed || fail(&p, 0, "out of memory", slice_of(NULL, 0)));
    buf_free(&p.scratch);
    arena_free(&scratch);
    if (good)
        return p.s;
    tl_schema_free(p.s);
    return NULL;
}
