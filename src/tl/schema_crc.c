/* SPDX-License-Identifier: MIT
 * Ids of combinators: https://core.telegram.org/mtproto/TL-formal#combinator-names */
#include "tl/schema_private.h"

#include <zlib.h>

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool ends_with(struct slice s, const char *tail)
{
    size_t n = strlen(tail);
    return s.len >= n && memcmp(s.data + s.len - n, tail, n) == 0;
}

/* The next word of the line, cut off its front. */
static struct slice next_word(struct slice *line)
{
    while (line->len && is_space(line->data[0]))
        *line = slice_of(line->data + 1, line->len - 1);
    size_t n = 0;
    while (n < line->len && !is_space(line->data[n]))
        n++;
    struct slice word = slice_of(line->data, n);
    *line = slice_of(line->data + n, line->len - n);
    return word;
}

/* `<` opens as a space and `>` closes as nothing; %Message goes by its constructor, message. */
static void append_word(struct buf *out, struct slice word)
{
    bool bytes = ends_with(word, ":bytes") || ends_with(word, "?bytes");
    size_t n = bytes ? word.len - strlen("bytes") : word.len;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = word.data[i];
        if (c == '%' && i + 1 < n) {
            c = word.data[++i];
            buf_append_byte(out, c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c);
        } else if (c == '<') {
            buf_append_byte(out, ' ');
        } else if (c != '>' && c != '{' && c != '}') {
            buf_append_byte(out, c);
        }
    }
    if (bytes)
        buf_append_str(out, "string");
}

uint32_t tl_line_crc(struct slice line, struct buf *scratch)
{
    buf_clear(scratch);
    struct slice head = next_word(&line);
    const uint8_t *hash = head.len ? memchr(head.data, '#', head.len) : NULL;
    buf_append(scratch, head.data, hash ? (size_t)(hash - head.data) : head.len);
    for (struct slice word = next_word(&line); word.len; word = next_word(&line)) {
        /* Flags that are true came after ids were fixed, and are left out of them. */
        if (ends_with(word, "?true"))
            continue;
        buf_append_byte(scratch, ' ');
        append_word(scratch, word);
    }
    return (uint32_t)crc32(0, scratch->data, (uInt)scratch->len);
}
