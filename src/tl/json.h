/* SPDX-License-Identifier: MIT
 * Value trees as JSON: `_` names the constructor, 64-bit integers are strings of digits (numbers
 * are accepted too), bytes and int128/int256 are base64, absent optional fields are left out,
 * true-flags are true or left out. */
#ifndef TGREST_TL_JSON_H
#define TGREST_TL_JSON_H

#include "base/json_writer.h"
#include "tl/value.h"

struct json_object; /* json-c */

void tl_to_json(const struct tl_schema *s, const struct tl_value *v, struct json_writer *w);

/* What was wrong and where: path like "peer.user_id" or "entities[3].offset". Texts live in the
 * arena. */
struct tl_json_error {
    const char *path;
    const char *reason;
};

/* Called for a JSON value that stands where an object of a class is wanted but is not a JSON object
 * (e.g. "@name" or -100123 where an InputPeer goes). Returns the object, or NULL to refuse. */
struct tl_json_hook {
    struct tl_object *(*object)(void *ctx, const struct tl_class *wanted, struct json_object *json);
    void *ctx;
};

/* A tree for combinator c from the fields of a JSON object (for a method: its parameters; `_` not
 * needed at the top). Unknown fields, wrong types, out-of-range numbers and missing required fields
 * are errors; null counts as absent. Strings are copied into the arena, so json may go after.
 * hook may be NULL. NULL on error with *error filled in. */
struct tl_object *tl_from_json(const struct tl_schema *s, const struct tl_combinator *c,
                               struct json_object *json, struct arena *a, struct tl_limits limits,
                               const struct tl_json_hook *hook, struct tl_json_error *error);

#endif
