/* SPDX-License-Identifier: MIT
 * The Bot API's html, read. https://core.telegram.org/bots/api#html-style */
#include "telegram/dialects.h"

enum tag_trait { TAG_PLAIN, TAG_LINK, TAG_SPAN, TAG_EMOJI, TAG_CODE, TAG_PRE, TAG_QUOTE };

struct tag {
    const char *name;
    enum entity_type type;
    enum tag_trait trait;
};

static const struct tag tags[] = {
    {"a", ENTITY_TEXT_LINK, TAG_LINK},
    {"b", ENTITY_BOLD, TAG_PLAIN},
    {"blockquote", ENTITY_BLOCKQUOTE, TAG_QUOTE},
    {"code", ENTITY_CODE, TAG_CODE},
    {"del", ENTITY_STRIKETHROUGH, TAG_PLAIN},
    {"em", ENTITY_ITALIC, TAG_PLAIN},
    {"i", ENTITY_ITALIC, TAG_PLAIN},
    {"ins", ENTITY_UNDERLINE, TAG_PLAIN},
    {"pre", ENTITY_PRE, TAG_PRE},
    {"s", ENTITY_STRIKETHROUGH, TAG_PLAIN},
    {"span", ENTITY_SPOILER, TAG_SPAN},
    {"strike", ENTITY_STRIKETHROUGH, TAG_PLAIN},
    {"strong", ENTITY_BOLD, TAG_PLAIN},
    {"tg-emoji", ENTITY_CUSTOM_EMOJI, TAG_EMOJI},
    {"tg-spoiler", ENTITY_SPOILER, TAG_PLAIN},
    {"u", ENTITY_UNDERLINE, TAG_PLAIN},
};

/* A tag that waits for its end. */
struct open_tag {
    const struct tag *tag;
    size_t source; /* byte of the input, for errors */
    size_t out;    /* byte of the text */
    size_t unit;
    struct slice value; /* href, or the language of code */
    int64_t id;         /* custom emoji */
    bool expandable;
};

struct parser {
    struct slice in;
    size_t at;
    uint8_t *out; /* never longer than the input */
    size_t len;
    size_t unit;
    struct entity *entities;
    size_t n;
    size_t n_max;
    struct open_tag open[TEXT_NESTING_MAX];
    size_t depth;
    struct arena *arena;
    struct text_error *error;
};

static bool fail_at(struct parser *p, size_t at, const char *reason)
{
    *p->error = (struct text_error){at, reason ? reason : "out of memory"};
    return false;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_alpha(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* What stands at `at`; 0 behind the end. */
static uint8_t peek(const struct parser *p)
{
    return p->at < p->in.len ? p->in.data[p->at] : 0;
}

static void skip_blanks(struct parser *p)
{
    while (is_blank(peek(p)))
        p->at++;
}

/* ---- character references ---- */

static size_t put_utf8(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    size_t extra = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    for (size_t i = extra; i > 0; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(lead[extra] | c);
    return extra + 1;
}

static int hex_digit(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    uint8_t lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Behind "&#": the number, 0 if there is none or no character has it. */
static uint32_t numeric_reference(struct slice s, size_t *used)
{
    size_t at = 0;
    uint32_t base = 10, value = 0;
    if (at < s.len && (s.data[at] == 'x' || s.data[at] == 'X')) {
        base = 16;
        at++;
    }
    for (; at < s.len; at++) {
        int digit = hex_digit(s.data[at]);
        if (digit < 0 || (uint32_t)digit >= base)
            break;
        value = value > 0x10ffff ? value : value * base + (uint32_t)digit;
    }
    *used = at;
    return value > 0x10ffff || (value >= 0xd800 && value < 0xe000) ? 0 : value;
}

static uint32_t named_reference(struct slice s, size_t *used)
{
    static const struct {
        const char *name;
        uint32_t value;
    } names[] = {{"lt", '<'},   {"gt", '>'},    {"amp", '&'},
                 {"quot", '"'}, {"apos", '\''}, {"nbsp", 0xa0}};
    size_t len = 0;
    while (len < s.len && is_alpha(s.data[len]))
        len++;
    *used = len;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(slice_of(s.data, len), names[i].name))
            return names[i].value;
    return 0;
}

/* The character that the reference at s ('&' first) stands for; 0 where it is but an ampersand. */
static uint32_t reference(struct slice s, size_t *used)
{
    struct slice rest = slice_of(s.data + 1, s.len - 1);
    size_t body = 0;
    uint32_t c;
    if (rest.len > 0 && rest.data[0] == '#') {
        c = numeric_reference(slice_of(rest.data + 1, rest.len - 1), &body);
        body++;
    } else {
        c = named_reference(rest, &body);
    }
    *used = 1 + body;
    if (*used < s.len && s.data[*used] == ';')
        ++*used;
    return c;
}

/* Text with its references undone; the copy is never longer. */
static struct slice decoded(struct parser *p, struct slice s)
{
    uint8_t *copy = arena_alloc_raw(p->arena, s.len);
    if (!copy)
        return (struct slice){0};
    size_t len = 0;
    for (size_t at = 0; at < s.len;) {
        size_t used = 1;
        uint32_t c = s.data[at] == '&' ? reference(slice_of(s.data + at, s.len - at), &used) : 0;
        if (c) {
            len += put_utf8(c, copy + len);
            at += used;
        } else {
            copy[len++] = s.data[at++];
        }
    }
    return slice_of(copy, len);
}

/* ---- start tags ---- */

struct attribute {
    struct slice name;
    struct slice value;
    bool has_value;
};

static bool read_value(struct parser *p, struct attribute *out)
{
    uint8_t quote = peek(p);
    size_t begin = p->at;
    if (quote == '"' || quote == '\'') {
        const uint8_t *end = memchr(p->in.data + begin + 1, quote, p->in.len - begin - 1);
        if (!end)
            return fail_at(p, begin, "an attribute's value has no closing quote");
        p->at = (size_t)(end - p->in.data) + 1;
        out->value = decoded(p, slice_of(p->in.data + begin + 1, p->at - begin - 2));
        return true;
    }
    while (p->at < p->in.len && !is_blank(peek(p)) && peek(p) != '>')
        p->at++;
    if (p->at == begin)
        return fail_at(p, begin, "an attribute has no value");
    out->value = decoded(p, slice_of(p->in.data + begin, p->at - begin));
    return true;
}

/* One attribute; at a name's first character. */
static bool read_attribute(struct parser *p, struct attribute *out)
{
    *out = (struct attribute){0};
    size_t begin = p->at;
    while (p->at < p->in.len && !is_blank(peek(p)) && peek(p) != '=' && peek(p) != '>')
        p->at++;
    if (p->at == begin)
        return fail_at(p, begin, "an attribute has no name");
    out->name = slice_of(p->in.data + begin, p->at - begin);
    skip_blanks(p);
    if (peek(p) != '=')
        return true;
    p->at++;
    skip_blanks(p);
    out->has_value = true;
    return read_value(p, out);
}

static bool is_attribute(const struct attribute *a, const char *name)
{
    return slice_is_nocase(a->name, name);
}

/* Keeps what the tag wants of an attribute; others are ignored, as browsers do. */
static void apply_attribute(struct open_tag *o, const struct attribute *a)
{
    static const char language[] = "language-";
    switch (o->tag->trait) {
    case TAG_LINK:
        if (is_attribute(a, "href"))
            o->value = a->value;
        break;
    case TAG_SPAN:
        if (is_attribute(a, "class"))
            o->value = a->value;
        break;
    case TAG_EMOJI:
        if (is_attribute(a, "emoji-id") && !slice_to_i64(a->value, &o->id))
            o->id = 0;
        break;
    case TAG_CODE:
    case TAG_PRE:
        if (is_attribute(a, "class") && slice_starts_with(a->value, language))
            o->value =
                slice_of(a->value.data + sizeof language - 1, a->value.len - (sizeof language - 1));
        break;
    case TAG_QUOTE:
        o->expandable |= is_attribute(a, "expandable");
        break;
    case TAG_PLAIN:
        break;
    }
}

static bool check_attributes(struct parser *p, const struct open_tag *o)
{
    if (o->tag->trait == TAG_SPAN && !slice_is(o->value, "tg-spoiler"))
        return fail_at(p, o->source, "a span must have the class \"tg-spoiler\"");
    if (o->tag->trait == TAG_EMOJI && o->id == 0)
        return fail_at(p, o->source, "a tg-emoji must have a number as emoji-id");
    return true;
}

static const struct tag *tag_named(struct slice name)
{
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (slice_is_nocase(name, tags[i].name))
            return &tags[i];
    return NULL;
}

/* The name behind '<' or '</'; stops at a blank or '>'. */
static struct slice read_name(struct parser *p)
{
    size_t begin = p->at;
    while (p->at < p->in.len && !is_blank(peek(p)) && peek(p) != '>')
        p->at++;
    return slice_of(p->in.data + begin, p->at - begin);
}

/* Names in messages are cut, so that an error stays one readable sentence. */
static int shown(struct slice name)
{
    enum { NAME_SHOWN_MAX = 32 };
    return (int)(name.len < NAME_SHOWN_MAX ? name.len : NAME_SHOWN_MAX);
}

static bool start_tag(struct parser *p)
{
    struct open_tag o = {.source = p->at, .out = p->len, .unit = p->unit};
    p->at++;
    struct slice name = read_name(p);
    o.tag = tag_named(name);
    if (!o.tag)
        return fail_at(p, o.source,
                       name.len == 0 ? "a '<' that begins no tag must be written as &lt;"
                                     : arena_printf(p->arena, "unsupported tag \"%.*s\"",
                                                    shown(name), (const char *)name.data));
    for (skip_blanks(p); p->at < p->in.len && peek(p) != '>'; skip_blanks(p)) {
        struct attribute a;
        if (!read_attribute(p, &a))
            return false;
        apply_attribute(&o, &a);
    }
    if (p->at >= p->in.len)
        return fail_at(p, o.source, "the tag is not closed by '>'");
    p->at++;
    if (p->depth == TEXT_NESTING_MAX)
        return fail_at(p, o.source, "tags nest more than 64 deep");
    p->open[p->depth++] = o;
    return check_attributes(p, &o);
}

/* ---- end tags ---- */

/* <pre><code class="language-x">…</code></pre> is one entity with a language. */
static bool merge_code(struct parser *p, const struct entity *pre)
{
    struct entity *last = p->n ? &p->entities[p->n - 1] : NULL;
    if (!last || last->type != ENTITY_CODE || last->offset != pre->offset ||
        last->length != pre->length)
        return false;
    struct slice language = last->value.len ? last->value : pre->value;
    *last = *pre;
    last->value = language;
    return true;
}

static bool close_tag(struct parser *p, const struct open_tag *o)
{
    if (p->unit == o->unit)
        return true;
    struct entity e = {.type = o->tag->type,
                       .offset = (uint32_t)o->unit,
                       .length = (uint32_t)(p->unit - o->unit),
                       .value = o->tag->trait == TAG_SPAN ? (struct slice){0} : o->value,
                       .id = o->id};
    if (o->tag->trait == TAG_LINK)
        entity_set_link(&e, o->value.len ? o->value : slice_of(p->out + o->out, p->len - o->out));
    if (o->expandable)
        e.type = ENTITY_EXPANDABLE_BLOCKQUOTE;
    if (e.type == ENTITY_PRE && merge_code(p, &e))
        return true;
    if (p->n == p->n_max)
        return fail_at(p, o->source, "the text has more than 256 entities");
    p->entities[p->n++] = e;
    return true;
}

static bool end_tag(struct parser *p)
{
    size_t source = p->at;
    p->at += 2;
    struct slice name = read_name(p);
    skip_blanks(p);
    if (peek(p) != '>')
        return fail_at(p, source, "the end tag is not closed by '>'");
    p->at++;
    if (p->depth == 0)
        return fail_at(p, source, "an end tag without a start tag");
    const struct open_tag *o = &p->open[p->depth - 1];
    /* "</>" ends whatever is open. */
    if (name.len > 0 && !slice_is_nocase(name, o->tag->name))
        return fail_at(p, source,
                       arena_printf(p->arena, "expected the end tag of \"%s\", found \"%.*s\"",
                                    o->tag->name, shown(name), (const char *)name.data));
    p->depth--;
    return close_tag(p, o);
}

/* ---- text ---- */

static void put(struct parser *p, const uint8_t *bytes, size_t n)
{
    memcpy(p->out + p->len, bytes, n);
    p->len += n;
    p->unit += utf16_length(slice_of(bytes, n));
}

static void plain_text(struct parser *p)
{
    size_t begin = p->at;
    if (peek(p) == '&') {
        size_t used;
        uint8_t bytes[4];
        uint32_t c = reference(slice_of(p->in.data + begin, p->in.len - begin), &used);
        if (c) {
            put(p, bytes, put_utf8(c, bytes));
            p->at += used;
            return;
        }
        p->at++;
    }
    while (p->at < p->in.len && peek(p) != '<' && peek(p) != '&')
        p->at++;
    put(p, p->in.data + begin, p->at - begin);
}

/* Code keeps the class of its language only inside pre. */
static void drop_languages_of_code(struct parser *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->entities[i].type == ENTITY_CODE)
            p->entities[i].value = (struct slice){0};
}

bool html_parse(struct slice input, struct arena *a, struct formatted_text *out,
                struct text_error *error)
{
    struct parser *p = arena_alloc(a, sizeof *p);
    uint8_t *text = arena_alloc_raw(a, input.len);
    size_t n_max = entities_bound(input, "<");
    struct entity *entities = arena_array(a, n_max, sizeof *entities);
    if (!p || !text || !entities) {
        *error = (struct text_error){0, "out of memory"};
        return false;
    }
    *p = (struct parser){
        .in = input, .out = text, .entities = entities, .n_max = n_max, .arena = a, .error = error};
    while (p->at < input.len) {
        bool is_end = p->at + 1 < input.len && input.data[p->at + 1] == '/';
        if (peek(p) != '<')
            plain_text(p);
        else if (!(is_end ? end_tag : start_tag)(p))
            return false;
    }
    if (p->depth > 0) {
        const struct open_tag *o = &p->open[p->depth - 1];
        return fail_at(p, o->source,
                       arena_printf(a, "the tag \"%s\" has no end tag", o->tag->name));
    }
    drop_languages_of_code(p);
    *out = (struct formatted_text){slice_of(text, p->len), entities, p->n};
    return true;
}
