/* SPDX-License-Identifier: MIT
 * What the forms of formatted text share: order, trimming, dispatch. */
#include "telegram/text.h"

#include <stdlib.h>

#include "telegram/dialects.h"

bool text_mode_parse(struct slice name, enum text_mode *out)
{
    static const struct {
        const char *name;
        enum text_mode mode;
    } modes[] = {
        {"markdown", TEXT_MARKDOWN}, {"md", TEXT_MARKDOWN}, {"", TEXT_MARKDOWN},
        {"html", TEXT_HTML},         {"none", TEXT_NONE},
    };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (slice_is_nocase(name, modes[i].name)) {
            *out = modes[i].mode;
            return true;
        }
    }
    return false;
}

static int compare_entities(const void *left, const void *right)
{
    const struct entity *a = left, *b = right;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    if (a->length != b->length)
        return a->length > b->length ? -1 : 1;
    return (int)a->type - (int)b->type;
}

void entities_sort(struct entity *entities, size_t n)
{
    if (n > 1)
        qsort(entities, n, sizeof *entities, compare_entities);
}

size_t entities_bound(struct slice input, const char *bytes)
{
    bool wanted[256] = {false};
    for (const char *b = bytes; *b; b++)
        wanted[(uint8_t)*b] = true;
    size_t n = 0;
    for (size_t i = 0; i < input.len; i++)
        n += wanted[input.data[i]];
    return n / 2 < TEXT_ENTITIES_MAX ? n / 2 + 1 : TEXT_ENTITIES_MAX;
}

/* ---- trimming ---- */

static bool is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x3000;
}

/* The character at `at` of valid UTF-8 and its bytes; astral ones are no white space and need no
 * value. */
static uint32_t char_at(struct slice text, size_t at, size_t *bytes)
{
    const uint8_t *p = text.data + at;
    if (p[0] < 0x80) {
        *bytes = 1;
        return p[0];
    }
    if (p[0] < 0xe0) {
        *bytes = 2;
        return (uint32_t)(p[0] & 0x1f) << 6 | (uint32_t)(p[1] & 0x3f);
    }
    *bytes = p[0] < 0xf0 ? 3 : 4;
    return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (uint32_t)(p[2] & 0x3f);
}

static size_t leading_space(struct slice text)
{
    size_t at = 0, bytes;
    while (at < text.len && is_space(char_at(text, at, &bytes)))
        at += bytes;
    return at;
}

static size_t without_trailing_space(struct slice text)
{
    size_t end = text.len, bytes;
    while (end > 0) {
        size_t at = end - 1;
        while (at > 0 && (text.data[at] & 0xc0) == 0x80)
            at--;
        if (!is_space(char_at(text, at, &bytes)) || bytes == 4)
            break;
        end = at;
    }
    return end;
}

void text_trim(struct formatted_text *text)
{
    size_t begin = leading_space(text->text);
    struct slice rest = slice_of(text->text.data + begin, text->text.len - begin);
    rest.len = without_trailing_space(rest);
    /* All white space is one UTF-16 unit a character. */
    size_t cut = utf16_length(slice_of(text->text.data, begin));
    size_t length = utf16_length(rest);
    size_t kept = 0;
    for (size_t i = 0; i < text->n_entities; i++) {
        struct entity e = text->entities[i];
        size_t from = e.offset > cut ? e.offset - cut : 0;
        size_t end = (size_t)e.offset + e.length;
        size_t to = end > cut ? end - cut : 0;
        to = to < length ? to : length;
        if (from >= to)
            continue;
        e.offset = (uint32_t)from;
        e.length = (uint32_t)(to - from);
        text->entities[kept++] = e;
    }
    text->text = rest;
    text->n_entities = kept;
    entities_sort(text->entities, kept);
}

static int64_t mentioned_user(struct slice url)
{
    static const char prefix[] = "tg://user?id=";
    if (!slice_starts_with(url, prefix))
        return 0;
    size_t at = sizeof prefix - 1, digits = at;
    while (digits < url.len && url.data[digits] >= '0' && url.data[digits] <= '9')
        digits++;
    int64_t id = 0;
    return slice_to_i64(slice_of(url.data + at, digits - at), &id) ? id : 0;
}

void entity_set_link(struct entity *e, struct slice url)
{
    e->id = mentioned_user(url);
    e->type = e->id ? ENTITY_TEXT_MENTION : ENTITY_TEXT_LINK;
    e->value = e->id ? (struct slice){0} : url;
}

/* ---- dispatch ---- */

static bool refuse(struct text_error *error, const char *reason)
{
    *error = (struct text_error){0, reason};
    return false;
}

bool text_parse(enum text_mode mode, struct slice input, struct arena *a,
                struct formatted_text *out, struct text_error *error)
{
    *out = (struct formatted_text){0};
    *error = (struct text_error){0};
    if (input.len > TEXT_BYTES_MAX)
        return refuse(error, "the text is longer than 65536 bytes");
    if (!slice_is_utf8(input))
        return refuse(error, "the text is not valid UTF-8");
    if (mode == TEXT_NONE)
        out->text = input;
    else if (!(mode == TEXT_HTML ? html_parse : markdown_parse)(input, a, out, error))
        return false;
    text_trim(out);
    return true;
}

void text_unparse(enum text_mode mode, const struct formatted_text *text, struct arena *a,
                  struct buf *out)
{
    if (mode == TEXT_HTML)
        html_unparse(text, out);
    else if (mode == TEXT_MARKDOWN && text->n_entities > 0)
        markdown_unparse(text, a, out);
    else
        buf_append(out, text->text.data, text->text.len);
}
