/* SPDX-License-Identifier: MIT
 * Structured log lines: an event name and fields, as JSON lines or text. Nothing secret ever. */
#ifndef TGREST_BASE_LOG_H
#define TGREST_BASE_LOG_H

#include "base/bytes.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };
enum log_format { LOG_TEXT, LOG_JSON };

/* Shared by threads; each line is one write(2). */
struct log {
    int fd;
    enum log_level level;
    enum log_format format;
};

struct log_field {
    const char *key;
    struct slice text; /* used when text.data != NULL */
    int64_t number;
};

static inline struct log_field log_str(const char *key, const char *value)
{
    return (struct log_field){key, slice_str(value ? value : ""), 0};
}

static inline struct log_field log_slice(const char *key, struct slice value)
{
    return (struct log_field){key, value.data ? value : slice_str(""), 0};
}

static inline struct log_field log_int(const char *key, int64_t value)
{
    return (struct log_field){key, {0}, value};
}

/* "debug", "info", "warn", "error", "off"; false for anything else. */
bool log_level_parse(const char *text, enum log_level *out);

/* Writes one line with time, level, event and n fields; values are escaped and cut at 1 KiB each.
 */
void log_write(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t n);

/* log_event(&log, LOG_INFO, "listening", log_str("address", a), log_int("port", p)); */
#define log_event(log, level, event, ...)                                                          \
    log_write((log), (level), (event), (const struct log_field[]){{0}, ##__VA_ARGS__} + 1,         \
              sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) / sizeof(struct log_field) -  \
                  1)

#endif
