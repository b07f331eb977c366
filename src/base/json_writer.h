/* SPDX-License-Identifier: MIT
 * Append-only JSON writer over a buf. Commas are its business; nesting is the caller's. */
#ifndef TGREST_BASE_JSON_WRITER_H
#define TGREST_BASE_JSON_WRITER_H

#include "base/bytes.h"

struct json_writer {
    struct buf *out;
    bool comma; /* the next value or key is preceded by one */
};

void json_init(struct json_writer *w, struct buf *out);
void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
/* key must need no escaping (our own names do not). */
void json_key(struct json_writer *w, const char *key);
/* Escaped; bytes that are not UTF-8 become U+FFFD. */
void json_string(struct json_writer *w, struct slice text);
void json_int(struct json_writer *w, int64_t value);
/* As a string of digits: what JavaScript cannot hold. */
void json_int_string(struct json_writer *w, int64_t value);
/* Shortest form that reads back the same; NaN and infinities become null. */
void json_double(struct json_writer *w, double value);
void json_boolean(struct json_writer *w, bool value);
void json_null(struct json_writer *w);
/* Standard base64 with padding. */
void json_base64(struct json_writer *w, struct slice bytes);
/* RFC 3339 UTC, whole seconds, Z. */
void json_time(struct json_writer *w, int64_t unix_s);
/* Text that is JSON already. */
void json_raw(struct json_writer *w, struct slice json);

/* key and value in one line. */
void json_field_string(struct json_writer *w, const char *key, struct slice text);
void json_field_text(struct json_writer *w, const char *key, const char *text);
void json_field_int(struct json_writer *w, const char *key, int64_t value);
void json_field_bool(struct json_writer *w, const char *key, bool value);
void json_field_null(struct json_writer *w, const char *key);
void json_field_time(struct json_writer *w, const char *key, int64_t unix_s);

#endif
