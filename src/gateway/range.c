/* SPDX-License-Identifier: MIT */
#include "gateway/range.h"

#include <time.h>

/* ---- ranges ---- */

static struct slice trim(struct slice s)
{
    while (s.len && (s.data[0] == ' ' || s.data[0] == '\t'))
        s = slice_of(s.data + 1, s.len - 1);
    while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* Digits only; those beyond 64 bits are as good as the largest number. */
static bool parse_position(struct slice text, int64_t *out)
{
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    if (!slice_to_i64(text, out))
        *out = INT64_MAX;
    return true;
}

/* "-500": the last bytes. */
static enum range_status parse_suffix(struct slice digits, int64_t size, struct byte_range *out)
{
    int64_t n;
    if (!parse_position(digits, &n))
        return RANGE_WHOLE;
    if (n == 0 || size == 0)
        return RANGE_UNSATISFIABLE;
    out->from = n < size ? size - n : 0;
    return RANGE_PART;
}

enum range_status range_parse(struct slice header, int64_t size, struct byte_range *out)
{
    static const char unit[] = "bytes=";
    size_t n_unit = sizeof unit - 1;
    int64_t first, last = INT64_MAX;
    *out = (struct byte_range){0, size};
    if (header.len <= n_unit || !slice_is_nocase(slice_of(header.data, n_unit), unit))
        return RANGE_WHOLE;
    struct slice spec = trim(slice_of(header.data + n_unit, header.len - n_unit));
    const uint8_t *dash = spec.len ? memchr(spec.data, '-', spec.len) : NULL;
    if (!dash || memchr(spec.data, ',', spec.len))
        return RANGE_WHOLE;
    struct slice before = slice_of(spec.data, (size_t)(dash - spec.data));
    struct slice after = slice_of(dash + 1, spec.len - before.len - 1);
    if (before.len == 0)
        return parse_suffix(after, size, out);
    if (!parse_position(before, &first) || (after.len && !parse_position(after, &last)) ||
        last < first)
        return RANGE_WHOLE;
    if (first >= size)
        return RANGE_UNSATISFIABLE;
    *out = (struct byte_range){first, last < size ? last + 1 : size};
    return RANGE_PART;
}

/* ---- tags ---- */

bool etag_listed(struct slice header, struct slice etag)
{
    header = trim(header);
    if (slice_is(header, "*"))
        return true;
    while (header.len > 0) {
        const uint8_t *comma = memchr(header.data, ',', header.len);
        size_t n = comma ? (size_t)(comma - header.data) : header.len;
        struct slice tag = trim(slice_of(header.data, n));
        if (slice_starts_with(tag, "W/"))
            tag = slice_of(tag.data + 2, tag.len - 2);
        if (slice_eq(tag, etag))
            return true;
        n += comma != NULL;
        header = slice_of(header.data + n, header.len - n);
    }
    return false;
}

bool if_range_holds(struct slice header, struct slice etag, int64_t modified)
{
    int64_t date;
    header = trim(header);
    if (header.len && (header.data[0] == '"' || slice_starts_with(header, "W/")))
        return slice_eq(header, etag);
    return modified > 0 && http_date_parse(header, &date) && date == modified;
}

/* ---- dates: always in the C locale, for the program sets no other ---- */

/* As senders write it today, and two of the past that recipients still must read. */
static const char date_form[] = "%a, %d %b %Y %H:%M:%S GMT";
static const char *const date_forms[] = {date_form, "%a, %d-%b-%y %H:%M:%S GMT",
                                         "%a %b %d %H:%M:%S %Y"};
enum { HTTP_DATE_MAX = 33 /* "Wednesday, 09-Nov-94 08:49:37 GMT" */ };

void http_date_write(int64_t unix_s, char out[static HTTP_DATE_SIZE])
{
    time_t seconds = (time_t)unix_s;
    struct tm tm;
    out[0] = 0;
    if (gmtime_r(&seconds, &tm))
        strftime(out, HTTP_DATE_SIZE, date_form, &tm);
}

bool http_date_parse(struct slice text, int64_t *unix_s)
{
    char copy[HTTP_DATE_MAX + 1];
    if (text.len == 0 || text.len > HTTP_DATE_MAX)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    for (size_t i = 0; i < sizeof date_forms / sizeof *date_forms; i++) {
        struct tm tm = {0};
        const char *end = strptime(copy, date_forms[i], &tm);
        if (!end || *end)
            continue;
        *unix_s = timegm(&tm);
        return true;
    }
    return false;
}
