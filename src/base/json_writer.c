/* SPDX-License-Identifier: MIT */
#include "base/json_writer.h"

#include "base/base64.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void json_init(struct json_writer *w, struct buf *out)
{
    w->out = out;
    w->comma = false;
}

static void separate(struct json_writer *w)
{
    if (w->comma)
        buf_append_byte(w->out, ',');
    w->comma = true;
}

static void open_with(struct json_writer *w, uint8_t bracket)
{
    separate(w);
    buf_append_byte(w->out, bracket);
    w->comma = false;
}

static void close_with(struct json_writer *w, uint8_t bracket)
{
    buf_append_byte(w->out, bracket);
    w->comma = true;
}

void json_object_begin(struct json_writer *w)
{
    open_with(w, '{');
}

void json_object_end(struct json_writer *w)
{
    close_with(w, '}');
}

void json_array_begin(struct json_writer *w)
{
    open_with(w, '[');
}

void json_array_end(struct json_writer *w)
{
    close_with(w, ']');
}

/* What a byte becomes inside a string: 0 itself, 'u' \u00XX, 1 start of a longer UTF-8 sequence,
 * else the letter after the backslash. */
static uint8_t escape_of(uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
        return c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return c < 0x20 || c == 0x7f ? 'u' : c >= 0x80;
    }
}

/* Appends text[from, to) and one escape for the byte at `to`. */
static void append_escape(struct buf *out, uint8_t c, uint8_t escape)
{
    static const char hex[] = "0123456789abcdef";
    if (escape == 'u') {
        const uint8_t text[6] = {'\\', 'u', '0', '0', (uint8_t)hex[c >> 4], (uint8_t)hex[c & 15]};
        buf_append(out, text, sizeof text);
    } else {
        const uint8_t text[2] = {'\\', escape};
        buf_append(out, text, sizeof text);
    }
}

static void append_escaped(struct buf *out, struct slice s)
{
    size_t copied = 0; /* everything before is written; what is plain is written in runs */
    size_t i = 0;
    while (i < s.len) {
        uint8_t escape = escape_of(s.data[i]);
        size_t sequence = escape == 1 ? utf8_valid_prefix(slice_of(s.data + i, s.len - i)) : 1;
        if (escape == 0 || (escape == 1 && sequence > 0)) {
            i += sequence;
            continue;
        }
        buf_append(out, s.data + copied, i - copied);
        if (escape == 1)
            buf_append_str(out, "\xef\xbf\xbd");
        else
            append_escape(out, s.data[i], escape);
        copied = ++i;
    }
    if (i > copied)
        buf_append(out, s.data + copied, i - copied);
}

void json_key(struct json_writer *w, const char *key)
{
    size_t n = strlen(key);
    uint8_t *at = buf_reserve(w->out, n + 4);
    if (!at)
        return;
    uint8_t *start = at;
    if (w->comma)
        *at++ = ',';
    *at++ = '"';
    memcpy(at, key, n);
    at += n;
    *at++ = '"';
    *at++ = ':';
    w->out->len += (size_t)(at - start);
    w->comma = false;
}

void json_key_slice(struct json_writer *w, struct slice key)
{
    json_string(w, key);
    buf_append_byte(w->out, ':');
    w->comma = false;
}

void json_string(struct json_writer *w, struct slice text)
{
    separate(w);
    buf_append_byte(w->out, '"');
    append_escaped(w->out, text);
    buf_append_byte(w->out, '"');
}

static size_t format_int(int64_t value, char out[static 20])
{
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[20];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (value < 0)
        digits[n++] = '-';
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    return n;
}

void json_int(struct json_writer *w, int64_t value)
{
    char text[20];
    size_t n = format_int(value, text);
    separate(w);
    buf_append(w->out, text, n);
}

void json_int_string(struct json_writer *w, int64_t value)
{
    char text[20];
    size_t n = format_int(value, text);
    separate(w);
    buf_append_byte(w->out, '"');
    buf_append(w->out, text, n);
    buf_append_byte(w->out, '"');
}

void json_double(struct json_writer *w, double value)
{
    if (!isfinite(value)) {
        json_null(w);
        return;
    }
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        double back = strtod(text, NULL);
        if (memcmp(&back, &value, sizeof back) == 0)
            break;
    }
    separate(w);
    /* "-0" would be read as an integer, which has no negative zero. */
    buf_append_str(w->out, value == 0 && signbit(value) ? "-0.0" : text);
}

void json_boolean(struct json_writer *w, bool value)
{
    separate(w);
    buf_append_str(w->out, value ? "true" : "false");
}

void json_null(struct json_writer *w)
{
    separate(w);
    buf_append_str(w->out, "null");
}

void json_base64(struct json_writer *w, struct slice bytes)
{
    separate(w);
    buf_append_byte(w->out, '"');
    base64_encode(bytes, w->out);
    buf_append_byte(w->out, '"');
}

void json_time(struct json_writer *w, int64_t unix_s)
{
    time_t seconds = (time_t)unix_s;
    struct tm t;
    char text[40];
    /* Four-digit years only: RFC 3339 has no others, and every Telegram date is an int32. */
    if (!gmtime_r(&seconds, &t) || t.tm_year < 1000 - 1900 || t.tm_year > 9999 - 1900) {
        json_null(w);
        return;
    }
    separate(w);
    buf_append(w->out, text, strftime(text, sizeof text, "\"%Y-%m-%dT%H:%M:%SZ\"", &t));
}

void json_raw(struct json_writer *w, struct slice json)
{
    separate(w);
    buf_append(w->out, json.data, json.len);
}

void json_field_string(struct json_writer *w, const char *key, struct slice text)
{
    json_key(w, key);
    json_string(w, text);
}

void json_field_text(struct json_writer *w, const char *key, const char *text)
{
    json_field_string(w, key, slice_str(text));
}

void json_field_int(struct json_writer *w, const char *key, int64_t value)
{
    json_key(w, key);
    json_int(w, value);
}

void json_field_bool(struct json_writer *w, const char *key, bool value)
{
    json_key(w, key);
    json_boolean(w, value);
}

void json_field_null(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_null(w);
}

void json_field_time(struct json_writer *w, const char *key, int64_t unix_s)
{
    json_key(w, key);
    json_time(w, unix_s);
}
