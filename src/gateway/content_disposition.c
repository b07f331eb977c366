/* SPDX-License-Identifier: MIT */
#include "gateway/content_disposition.h"

/* Types are the same in whatever case (RFC 9110 8.3.1): browsers run an IMAGE/SVG+XML, too. */
static bool is_of(struct slice mime, const char *start)
{
    size_t n = strlen(start);
    return mime.len >= n && slice_is_nocase(slice_of(mime.data, n), start);
}

bool mime_is_inline(struct slice mime)
{
    return (is_of(mime, "image/") && !is_of(mime, "image/svg")) || is_of(mime, "video/");
}

/* Of the name's next character: its bytes, 0 where it is not fit for a file name. */
static size_t fit_character(struct slice name)
{
    uint8_t c = name.data[0];
    return c < 0x20 || c == 0x7f || c == '/' || c == '\\' ? 0 : utf8_valid_prefix(name);
}

/* A quote would end the string; old clients take '%' for an escape. */
static bool fits_quoted(uint8_t c)
{
    return c < 0x80 && c != '"' && c != '%';
}

/* attr-char of RFC 8187. */
static bool fits_bare(uint8_t c)
{
    bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    return alnum || (c && strchr("!#$&+-.^_`|~", c));
}

static void write_quoted(struct buf *out, struct slice name)
{
    while (name.len > 0) {
        size_t n = fit_character(name), step = n ? n : 1;
        buf_append_byte(out, n == 1 && fits_quoted(name.data[0]) ? name.data[0] : '_');
        name = slice_of(name.data + step, name.len - step);
    }
}

static void write_extended(struct buf *out, struct slice name)
{
    while (name.len > 0) {
        size_t n = fit_character(name), step = n ? n : 1;
        if (n == 0)
            buf_append_byte(out, '_');
        for (size_t i = 0; i < n; i++) {
            if (fits_bare(name.data[i]))
                buf_append_byte(out, name.data[i]);
            else
                buf_printf(out, "%%%02X", name.data[i]);
        }
        name = slice_of(name.data + step, name.len - step);
    }
}

static bool needs_extended(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] >= 0x80 || !fits_quoted(name.data[i]))
            return true;
    return false;
}

/* Whole characters of at most that many bytes. */
static struct slice cut(struct slice name)
{
    if (name.len <= DISPOSITION_NAME_MAX)
        return name;
    size_t n = DISPOSITION_NAME_MAX;
    while (n > 0 && (name.data[n] & 0xc0) == 0x80)
        n--;
    return slice_of(name.data, n);
}

void content_disposition_write(struct buf *out, bool is_inline, struct slice name)
{
    buf_append_str(out, is_inline ? "inline" : "attachment");
    name = cut(name);
    if (name.len == 0)
        return;
    buf_append_str(out, "; filename=\"");
    write_quoted(out, name);
    buf_append_byte(out, '"');
    if (!needs_extended(name))
        return;
    buf_append_str(out, "; filename*=UTF-8''");
    write_extended(out, name);
}
