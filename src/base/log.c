/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/clock.h"
#include "base/json_writer.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LOG_VALUE_MAX = 1024, LOG_LINE_MAX = 16 * 1024 };

static const char *const level_names[] = {"debug", "info", "warn", "error", "off"};

bool log_level_parse(const char *text, enum log_level *out)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void append_time(struct buf *b)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm t;
    gmtime_r(&now.tv_sec, &t);
    char text[32];
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &t);
    buf_append(b, text, n);
    buf_printf(b, ".%03ldZ", now.tv_nsec / 1000000);
}

static struct slice cut(struct slice s)
{
    return slice_of(s.data, s.len > LOG_VALUE_MAX ? LOG_VALUE_MAX : s.len);
}

static void write_json(struct buf *line, enum log_level level, const char *event,
                       const struct log_field *fields, size_t n)
{
    struct json_writer w;
    buf_append_str(line, "{\"time\":\"");
    append_time(line);
    buf_append_str(line, "\"");
    json_init(&w, line);
    w.comma = true;
    json_field_text(&w, "level", level_names[level]);
    json_field_text(&w, "event", event);
    for (size_t i = 0; i < n; i++) {
        if (fields[i].text.data)
            json_field_string(&w, fields[i].key, cut(fields[i].text));
        else
            json_field_int(&w, fields[i].key, fields[i].number);
    }
    buf_append_str(line, "}\n");
}

/* Values with a space, a quote or a control character are quoted as in JSON. */
static bool is_plain(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] <= ' ' || s.data[i] == '"' || s.data[i] == '\\' || s.data[i] >= 0x7f)
            return false;
    return s.len > 0;
}

static void write_text(struct buf *line, enum log_level level, const char *event,
                       const struct log_field *fields, size_t n)
{
    append_time(line);
    buf_printf(line, " %-5s %s", level_names[level], event);
    for (size_t i = 0; i < n; i++) {
        buf_printf(line, " %s=", fields[i].key);
        struct slice text = cut(fields[i].text);
        if (!fields[i].text.data) {
            buf_printf(line, "%lld", (long long)fields[i].number);
        } else if (is_plain(text)) {
            buf_append(line, text.data, text.len);
        } else {
            struct json_writer w;
            json_init(&w, line);
            json_string(&w, text);
        }
    }
    buf_append_byte(line, '\n');
}

void log_write(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t n)
{
    if (!log || level < log->level || level >= LOG_OFF)
        return;
    struct buf line;
    buf_init(&line, LOG_LINE_MAX);
    if (log->format == LOG_JSON)
        write_json(&line, level, event, fields, n);
    else
        write_text(&line, level, event, fields, n);
    /* A log that cannot be written has nobody left to be told. */
    if (!line.failed && write(log->fd, line.data, line.len) < 0)
        (void)0;
    buf_free(&line);
}
