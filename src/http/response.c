/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "http/connection.h"

static void append_slice(struct buf *b, struct slice s)
{
    buf_append(b, s.data, s.len);
}

static void append_number(struct buf *b, uint64_t n)
{
    char digits[20]; /* 2^64 has 20 */
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    buf_append(b, digits + at, sizeof digits - at);
}

/* IMF-fixdate (RFC 9110 5.6.7), by hand because strftime follows the locale. */
static void render_date(struct http_server *s, int64_t unix_s)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t t = (time_t)unix_s;
    struct tm tm;
    gmtime_r(&t, &tm);
    snprintf(s->date, sizeof s->date, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
             days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, (tm.tm_year + 1900) % 10000,
             tm.tm_hour, tm.tm_min, tm.tm_sec);
    s->date_s = unix_s;
}

static bool breaks_framing(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.data[i] < ' ' && s.data[i] != '\t') || s.data[i] == 0x7f)
            return true;
    return false;
}

static void append_header(struct buf *b, struct slice name, struct slice value)
{
    append_slice(b, name);
    buf_append(b, ": ", 2);
    append_slice(b, value);
    buf_append(b, "\r\n", 2);
}

/* 204 and 304 say no length: they have no body by definition. */
static bool has_length(int status)
{
    return status != 204 && status != 304;
}

struct slice response_head(struct http_server *s, int status, const struct http_header *headers,
                           size_t n_headers, int64_t body_bytes, const char *connection)
{
    struct buf *b = &s->answer_head;
    buf_clear(b);
    buf_append_str(b, "HTTP/1.1 ");
    append_number(b, (uint64_t)status);
    buf_append_byte(b, ' ');
    buf_append_str(b, http_status_str((enum http_status)status));
    int64_t now_s = clock_unix_s(&s->clock);
    if (now_s != s->date_s)
        render_date(s, now_s);
    buf_append_str(b, "\r\nDate: ");
    buf_append_str(b, s->date);
    buf_append(b, "\r\n", 2);
    for (size_t i = 0; i < n_headers; i++) {
        if (breaks_framing(headers[i].name) || breaks_framing(headers[i].value))
            log_event(&s->log, LOG_ERROR, "http_header_dropped",
                      log_slice("name", headers[i].name));
        else
            append_header(b, headers[i].name, headers[i].value);
    }
    if (has_length(status) && body_bytes >= 0) {
        buf_append_str(b, "Content-Length: ");
        append_number(b, (uint64_t)body_bytes);
        buf_append(b, "\r\n", 2);
    } else if (has_length(status) && body_bytes == BODY_CHUNKED) {
        buf_append_str(b, "Transfer-Encoding: chunked\r\n");
    }
    if (connection)
        append_header(b, slice_str("Connection"), slice_str(connection));
    buf_append(b, "\r\n", 2);
    if (b->failed && n_headers > 0) {
        log_event(&s->log, LOG_ERROR, "http_headers_too_large",
                  log_int("count", (int64_t)n_headers));
        return response_head(s, status, NULL, 0, body_bytes, connection);
    }
    return buf_slice(b);
}
