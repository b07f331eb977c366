/* SPDX-License-Identifier: MIT
 * The Bot API's html, written. Entities that overlap without nesting are closed and opened again.
 */
#include "telegram/dialects.h"

struct writer {
    struct slice rest; /* text not written yet */
    size_t unit;
    const struct entity *open[TEXT_NESTING_MAX];
    size_t depth;
    struct buf *out;
};

static const char *const plain_tags[ENTITY_TYPE_COUNT] = {
    [ENTITY_BOLD] = "b",
    [ENTITY_ITALIC] = "i",
    [ENTITY_UNDERLINE] = "u",
    [ENTITY_STRIKETHROUGH] = "s",
    [ENTITY_SPOILER] = "tg-spoiler",
    [ENTITY_CODE] = "code",
    [ENTITY_PRE] = "pre",
    [ENTITY_BLOCKQUOTE] = "blockquote",
    [ENTITY_EXPANDABLE_BLOCKQUOTE] = "blockquote",
    [ENTITY_TEXT_LINK] = "a",
    [ENTITY_TEXT_MENTION] = "a",
    [ENTITY_CUSTOM_EMOJI] = "tg-emoji",
};

static void escape(struct buf *out, struct slice text)
{
    size_t begin = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *with;
        switch (text.data[i]) {
        case '<':
            with = "&lt;";
            break;
        case '>':
            with = "&gt;";
            break;
        case '&':
            with = "&amp;";
            break;
        case '"':
            with = "&quot;";
            break;
        default:
            continue;
        }
        buf_append(out, text.data + begin, i - begin);
        buf_append_str(out, with);
        begin = i + 1;
    }
    buf_append(out, text.data + begin, text.len - begin);
}

static void open_tag(struct buf *out, const struct entity *e)
{
    switch (e->type) {
    case ENTITY_TEXT_LINK:
        buf_append_str(out, "<a href=\"");
        escape(out, e->value);
        buf_append_str(out, "\">");
        break;
    case ENTITY_TEXT_MENTION:
        buf_printf(out, "<a href=\"tg://user?id=%lld\">", (long long)e->id);
        break;
    case ENTITY_CUSTOM_EMOJI:
        buf_printf(out, "<tg-emoji emoji-id=\"%lld\">", (long long)e->id);
        break;
    case ENTITY_EXPANDABLE_BLOCKQUOTE:
        buf_append_str(out, "<blockquote expandable>");
        break;
    default:
        buf_append_byte(out, '<');
        buf_append_str(out, plain_tags[e->type]);
        buf_append_byte(out, '>');
    }
    if (e->type == ENTITY_PRE && e->value.len > 0) {
        buf_append_str(out, "<code class=\"language-");
        escape(out, e->value);
        buf_append_str(out, "\">");
    }
}

static void close_tag(struct buf *out, const struct entity *e)
{
    if (e->type == ENTITY_PRE && e->value.len > 0)
        buf_append_str(out, "</code>");
    buf_append_str(out, "</");
    buf_append_str(out, plain_tags[e->type]);
    buf_append_byte(out, '>');
}

/* Writes text up to a UTF-16 unit. */
static void write_until(struct writer *w, size_t unit)
{
    if (unit <= w->unit)
        return;
    size_t bytes = utf16_to_byte(w->rest, unit - w->unit);
    struct slice part = slice_of(w->rest.data, bytes);
    escape(w->out, part);
    w->unit += utf16_length(part);
    w->rest = slice_of(w->rest.data + bytes, w->rest.len - bytes);
}

static size_t end_of(const struct entity *e)
{
    return (size_t)e->offset + e->length;
}

/* Closes the open entity that ends first; those opened inside it are closed around it and reopened.
 */
static void close_one(struct writer *w, size_t index)
{
    write_until(w, end_of(w->open[index]));
    for (size_t i = w->depth; i > index; i--)
        close_tag(w->out, w->open[i - 1]);
    w->depth--;
    for (size_t i = index; i < w->depth; i++) {
        w->open[i] = w->open[i + 1];
        open_tag(w->out, w->open[i]);
    }
}

/* The innermost of the open entities that end first. */
static size_t first_to_end(const struct writer *w)
{
    size_t first = w->depth - 1;
    for (size_t i = first; i > 0; i--)
        if (end_of(w->open[i - 1]) < end_of(w->open[first]))
            first = i - 1;
    return first;
}

static void close_until(struct writer *w, size_t unit)
{
    while (w->depth > 0) {
        size_t first = first_to_end(w);
        if (end_of(w->open[first]) > unit)
            return;
        close_one(w, first);
    }
}

/* Can html say it? */
static bool can_write(const struct entity *e, size_t units)
{
    if (e->type >= ENTITY_TYPE_COUNT || !plain_tags[e->type] || e->length == 0 ||
        e->offset >= units)
        return false;
    return e->type != ENTITY_TEXT_LINK || e->value.len > 0;
}

void html_unparse(const struct formatted_text *text, struct buf *out)
{
    struct writer w = {.rest = text->text, .out = out};
    size_t units = utf16_length(text->text);
    for (size_t i = 0; i < text->n_entities; i++) {
        const struct entity *e = &text->entities[i];
        if (!can_write(e, units))
            continue;
        close_until(&w, e->offset);
        if (w.depth == TEXT_NESTING_MAX)
            continue;
        write_until(&w, e->offset);
        open_tag(out, e);
        w.open[w.depth++] = e;
    }
    close_until(&w, SIZE_MAX);
    write_until(&w, units);
}
