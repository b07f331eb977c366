/* SPDX-License-Identifier: MIT
 * The markdown that Telethon's users know: no escapes, a delimiter needs one character inside,
 * nesting everywhere but in code, pre and link labels. Removing a delimiter may join its neighbours
 * into a new one, and that one counts: the text is edited in place and read on from there. */
#include <stdlib.h>

#include "telegram/dialects.h"

enum { DELIMITER_COUNT = 5, NEEDLE_BRACKET = DELIMITER_COUNT, NEEDLE_PAREN, NEEDLE_COUNT };

/* The longest first: ``` is not three backticks. */
static const struct {
    const char *text;
    size_t len;
    enum entity_type type;
} needles[NEEDLE_COUNT] = {
    {"```", 3, ENTITY_PRE},          {"**", 2, ENTITY_BOLD}, {"__", 2, ENTITY_ITALIC},
    {"~~", 2, ENTITY_STRIKETHROUGH}, {"`", 1, ENTITY_CODE},  {"]", 1, ENTITY_UNKNOWN},
    {")", 1, ENTITY_UNKNOWN},
};

struct parser {
    uint8_t *text;
    size_t len;
    size_t at;   /* byte */
    size_t unit; /* the same place in UTF-16 units */
    struct entity *entities;
    size_t n;
    size_t n_max;
    size_t next[NEEDLE_COUNT]; /* where a needle was last found; len + 1 if nowhere. Good while at
                                  or after the place asked for, and until the text changes */
    struct arena *arena;
};

static void forget_finds(struct parser *p)
{
    memset(p->next, 0, sizeof p->next);
}

/* The first place at or after `from` where the needle stands, or SIZE_MAX. Each needle walks over
 * the text once between two edits. */
static size_t find(struct parser *p, size_t needle, size_t from)
{
    if (from >= p->len)
        return SIZE_MAX;
    if (p->next[needle] < from || p->next[needle] == 0) {
        const uint8_t *hit =
            memmem(p->text + from, p->len - from, needles[needle].text, needles[needle].len);
        p->next[needle] = hit ? (size_t)(hit - p->text) : p->len + 1;
    }
    return p->next[needle] > p->len ? SIZE_MAX : p->next[needle];
}

static void cut(struct parser *p, size_t at, size_t n)
{
    memmove(p->text + at, p->text + at + n, p->len - at - n);
    p->len -= n;
    forget_finds(p);
}

/* An entity that ends after the place where n units were cut gets shorter by n; lengths may pass
 * zero (below it as a huge number), and such entities are dropped at the end. */
static void shrink(struct entity *e, size_t n)
{
    e->length -= (uint32_t)n;
}

static int64_t end_of(const struct entity *e)
{
    return (int64_t)e->offset + (int32_t)e->length;
}

static struct entity *push(struct parser *p, enum entity_type type, size_t units)
{
    struct entity *e = &p->entities[p->n++];
    *e = (struct entity){.type = type, .offset = (uint32_t)p->unit, .length = (uint32_t)units};
    return e;
}

static size_t delimiter_at(const struct parser *p)
{
    size_t left = p->len - p->at;
    for (size_t d = 0; d < DELIMITER_COUNT; d++)
        if (left >= needles[d].len && memcmp(p->text + p->at, needles[d].text, needles[d].len) == 0)
            return d;
    return DELIMITER_COUNT;
}

/* Takes the pair that begins here, if it is closed. */
static bool take_pair(struct parser *p, size_t d)
{
    size_t len = needles[d].len;
    size_t close = find(p, d, p->at + len + 1);
    if (close == SIZE_MAX)
        return false;
    size_t bytes = close - p->at - len;
    size_t units = utf16_length(slice_of(p->text + p->at + len, bytes));
    int64_t here = (int64_t)p->unit, behind = (int64_t)(p->unit + len + units + len);
    cut(p, close, len);
    cut(p, p->at, len);
    for (size_t i = 0; i < p->n; i++) {
        struct entity *e = &p->entities[i];
        if (end_of(e) > here)
            shrink(e, (int64_t)e->offset <= here && end_of(e) >= behind ? 2 * len : len);
    }
    push(p, needles[d].type, units);
    if (needles[d].type == ENTITY_CODE || needles[d].type == ENTITY_PRE) {
        p->at += bytes;
        p->unit += units;
    }
    return true;
}

/* Takes [label](url), where it stands. */
static bool take_link(struct parser *p)
{
    size_t label_end = find(p, NEEDLE_BRACKET, p->at + 1);
    if (label_end == SIZE_MAX || label_end + 1 >= p->len || p->text[label_end + 1] != '(')
        return false;
    size_t url_begin = label_end + 2;
    size_t url_end = find(p, NEEDLE_PAREN, url_begin);
    if (url_end == SIZE_MAX)
        return false;
    struct slice label = slice_of(p->text + p->at + 1, label_end - p->at - 1);
    size_t units = utf16_length(label);
    struct slice url = arena_copy(p->arena, slice_of(p->text + url_begin, url_end - url_begin));
    size_t markup = utf16_length(url) + 4;
    cut(p, label_end, url_end + 1 - label_end);
    cut(p, p->at, 1);
    for (size_t i = 0; i < p->n; i++)
        if (end_of(&p->entities[i]) > (int64_t)p->unit)
            shrink(&p->entities[i], markup);
    entity_set_link(push(p, ENTITY_TEXT_LINK, units), url);
    p->at += label.len;
    p->unit += units;
    return true;
}

static bool is_special(uint8_t c)
{
    return c == '*' || c == '_' || c == '~' || c == '`' || c == '[';
}

static void skip_plain(struct parser *p)
{
    size_t begin = p->at;
    while (p->at < p->len && !is_special(p->text[p->at]))
        p->at++;
    p->unit += utf16_length(slice_of(p->text + begin, p->at - begin));
}

static void drop_empty(struct parser *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->n; i++)
        if ((int32_t)p->entities[i].length > 0)
            p->entities[kept++] = p->entities[i];
    p->n = kept;
}

bool markdown_parse(struct slice input, struct arena *a, struct formatted_text *out,
                    struct text_error *error)
{
    struct parser p = {.len = input.len, .n_max = entities_bound(input, "*_~`[]"), .arena = a};
    p.text = arena_alloc_raw(a, input.len);
    p.entities = arena_array(a, p.n_max, sizeof *p.entities);
    if (!p.text || !p.entities) {
        *error = (struct text_error){0, "out of memory"};
        return false;
    }
    if (input.len)
        memcpy(p.text, input.data, input.len);
    for (skip_plain(&p); p.at < p.len; skip_plain(&p)) {
        if (p.n == p.n_max) {
            *error = (struct text_error){p.at, "the text has more than 256 entities"};
            return false;
        }
        size_t d = delimiter_at(&p);
        if (d < DELIMITER_COUNT ? take_pair(&p, d) : p.text[p.at] == '[' && take_link(&p))
            continue;
        p.at++;
        p.unit++;
    }
    drop_empty(&p);
    *out = (struct formatted_text){slice_of(p.text, p.len), p.entities, p.n};
    return true;
}

/* ---- writing ---- */

struct mark {
    size_t unit;
    int64_t rank; /* among marks of one place: closing ones first, the last opened first */
    size_t serial;
    const char *text;
    const struct entity *link; /* the closing mark of a link also writes its url */
};

static int compare_marks(const void *left, const void *right)
{
    const struct mark *a = left, *b = right;
    if (a->unit != b->unit)
        return a->unit < b->unit ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->serial < b->serial ? -1 : 1;
}

static const char *delimiter_of(enum entity_type type)
{
    for (size_t d = 0; d < DELIMITER_COUNT; d++)
        if (needles[d].type == type)
            return needles[d].text;
    return NULL;
}

static bool is_link(const struct entity *e)
{
    return e->type == ENTITY_TEXT_MENTION || (e->type == ENTITY_TEXT_LINK && e->value.len > 0);
}

static size_t collect_marks(const struct formatted_text *text, size_t units, struct mark *marks)
{
    size_t n = 0;
    for (size_t i = 0; i < text->n_entities; i++) {
        const struct entity *e = &text->entities[i];
        const char *delimiter = delimiter_of(e->type);
        bool link = is_link(e);
        if ((!delimiter && !link) || e->offset >= units)
            continue;
        size_t end = (size_t)e->offset + e->length;
        marks[n] = (struct mark){e->offset, (int64_t)i, n, link ? "[" : delimiter, NULL};
        n++;
        marks[n] = (struct mark){end < units ? end : units, -(int64_t)i, n, link ? "](" : delimiter,
                                 link ? e : NULL};
        n++;
    }
    return n;
}

static void write_mark(const struct mark *m, struct buf *out)
{
    buf_append_str(out, m->text);
    if (!m->link)
        return;
    if (m->link->type == ENTITY_TEXT_MENTION)
        buf_printf(out, "tg://user?id=%lld", (long long)m->link->id);
    else
        buf_append(out, m->link->value.data, m->link->value.len);
    buf_append_byte(out, ')');
}

void markdown_unparse(const struct formatted_text *text, struct arena *a, struct buf *out)
{
    struct mark *marks = arena_array(a, 2 * text->n_entities, sizeof *marks);
    if (!marks) {
        out->failed = true;
        return;
    }
    size_t n = collect_marks(text, utf16_length(text->text), marks);
    qsort(marks, n, sizeof *marks, compare_marks);
    struct slice rest = text->text;
    size_t unit = 0;
    for (size_t i = 0; i < n; i++) {
        if (marks[i].unit > unit) {
            size_t bytes = utf16_to_byte(rest, marks[i].unit - unit);
            struct slice part = slice_of(rest.data, bytes);
            unit += utf16_length(part);
            buf_append(out, part.data, part.len);
            rest = slice_of(rest.data + bytes, rest.len - bytes);
        }
        write_mark(&marks[i], out);
    }
    buf_append(out, rest.data, rest.len);
}
