/* SPDX-License-Identifier: MIT */
#include "base/json_writer.h"

#include "base/base64.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DAY_S = 24 * 60 * 60 };
/* Four-digit years only: RFC 3339 has no others, and every Telegram date is an int32. */
static const int64_t time_min_s = -30610224000; /* 1000-01-01T00:00:00Z */
static const int64_t time_max_s = 253402300799; /* 9999-12-31T23:59:59Z */

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

/* Eight bytes that need no escape and no look at UTF-8: none below 0x20 or above 0x7e, no '"', no
 * '\\'. In `v - ones` a byte borrows into its top bit only where it, or one below it, was zero:
 * enough to tell whether there is any. */
static bool all_plain(uint64_t v)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t quote = v ^ ones * '"', backslash = v ^ ones * '\\', del = v ^ ones * 0x7f;
    uint64_t special = (v - ones * 0x20) | ((quote - ones) & ~quote) |
                       ((backslash - ones) & ~backslash) | ((del - ones) & ~del) | v;
    return (special & tops) == 0;
}

static void append_escaped(struct buf *out, struct slice s)
{
    size_t copied = 0; /* everything before is written; what is plain is written in runs */
    size_t i = 0;
    while (i < s.len) {
        if (s.len - i >= sizeof(uint64_t) && all_plain(load_le64(s.data + i))) {
            i += sizeof(uint64_t);
            continue;
        }
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

/* Decimal digits, `width` of them. */
static void put_digits(char *at, int width, int64_t value)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
}

/* Days since 1970 to a date of the Gregorian calendar. Years begin in March here, so that the leap
 * day is their last; 400 of them, an era, are 146,097 days. */
static void civil_date(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t since = days + 719468; /* from 0000-03-01 */
    int64_t era = since / 146097;
    int of_era = (int)(since % 146097);
    int year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int from_march = (5 * of_year + 2) / 153;
    *day = of_year - (153 * from_march + 2) / 5 + 1;
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = era * 400 + year_of_era + (*month <= 2);
}

/* By hand: strftime takes longer than all the rest of a short answer. */
void json_time(struct json_writer *w, int64_t unix_s)
{
    int64_t year;
    int month, day;
    char text[] = "\"0000-00-00T00:00:00Z\"";
    if (unix_s < time_min_s || unix_s > time_max_s) {
        json_null(w);
        return;
    }
    int64_t of_day = (unix_s % DAY_S + DAY_S) % DAY_S;
    civil_date((unix_s - of_day) / DAY_S, &year, &month, &day);
    put_digits(text + 1, 4, year);
    put_digits(text + 6, 2, month);
    put_digits(text + 9, 2, day);
    put_digits(text + 12, 2, of_day / 3600);
    put_digits(text + 15, 2, of_day / 60 % 60);
    put_digits(text + 18, 2, of_day % 60);
    separate(w);
    buf_append(w->out, text, sizeof text - 1);
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
