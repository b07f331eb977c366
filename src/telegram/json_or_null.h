/* SPDX-License-Identifier: MIT
 * JSON fields that are null where there is nothing to say. */
#ifndef TGREST_TELEGRAM_JSON_OR_NULL_H
#define TGREST_TELEGRAM_JSON_OR_NULL_H

#include "base/json_writer.h"
#include "tl/value.h"

/* null for empty text. */
static inline void json_text_or_null(struct json_writer *w, const char *key, struct slice text)
{
    if (text.len > 0)
        json_field_string(w, key, text);
    else
        json_field_null(w, key);
}

/* null where the object has no such field. */
static inline void json_int_or_null(struct json_writer *w, const char *key,
                                    const struct tl_object *o, uint16_t f)
{
    if (tl_has(o, f))
        json_field_int(w, key, tl_int(o, f));
    else
        json_field_null(w, key);
}

/* null for no date, and for 0. */
static inline void json_time_or_null(struct json_writer *w, const char *key,
                                     const struct tl_object *o, uint16_t f)
{
    if (tl_int(o, f) > 0)
        json_field_time(w, key, tl_int(o, f));
    else
        json_field_null(w, key);
}

#endif
