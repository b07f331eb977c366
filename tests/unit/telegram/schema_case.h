/* SPDX-License-Identifier: MIT
 * The embedded schema, and objects written as JSON. */
#ifndef TGREST_TEST_SCHEMA_CASE_H
#define TGREST_TEST_SCHEMA_CASE_H

#include <json-c/json.h>

#include "telegram/names.h"
#include "tl/json.h"
#include "tl/value.h"

/* Of a group of tests: its state is the schema, bound to telegram_names. */
static inline int schema_setup(void **state)
{
    char error[256] = "";
    struct tl_schema *s = tl_schema_parse(tl_embedded_api(), error, sizeof error);
    if (!s)
        fail_msg("%s", error);
    tl_schema_bind(s, &telegram_names);
    *state = s;
    return 0;
}

static inline int schema_teardown(void **state)
{
    tl_schema_free(*state);
    return 0;
}

/* The object that JSON with a "_" means. Written to bytes and read back, as an answer comes. */
static inline const struct tl_object *object_of(const struct tl_schema *s, struct json_object *json,
                                                struct arena *a)
{
    const char *name = json_object_get_string(json_object_object_get(json, "_"));
    const struct tl_combinator *c = tl_schema_by_name(s, slice_str(name));
    if (!c)
        fail_msg("no combinator %s", name);
    struct tl_json_error bad;
    struct tl_object *o = tl_from_json(s, c, json, a, (struct tl_limits){0}, NULL, &bad);
    if (!o)
        fail_msg("%s: %s: %s", name, bad.path, bad.reason);
    struct buf bytes;
    const char *error = NULL;
    buf_init(&bytes, 0);
    if (!tl_write_object(s, &bytes, o, a, &error))
        fail_msg("%s: %s", name, error);
    struct tl_reader r = tl_reader_of(arena_copy(a, buf_slice(&bytes)));
    buf_free(&bytes);
    const struct tl_object *back = tl_read_object(s, &r, a, (struct tl_limits){0});
    if (!back)
        fail_msg("%s: %s", name, r.error);
    return back;
}

static inline const struct tl_object *object_of_text(const struct tl_schema *s, const char *text,
                                                     struct arena *a)
{
    struct json_object *json = json_tokener_parse(text);
    if (!json)
        fail_msg("no JSON: %s", text);
    const struct tl_object *o = object_of(s, json, a);
    json_object_put(json);
    return o;
}

/* A request as JSON text in the arena; what cannot be written fails the test. */
static inline const char *request_json(const struct tl_schema *s, const struct tl_object *request,
                                       struct arena *a)
{
    assert_non_null(request);
    struct buf bytes, text;
    struct json_writer w;
    const char *error = NULL;
    buf_init(&bytes, 0);
    buf_init(&text, 0);
    if (!tl_write_object(s, &bytes, request, a, &error))
        fail_msg("%s: %s", request->ctor->name, error);
    json_init(&w, &text);
    struct tl_value v = tl_value_obj(request);
    tl_to_json(s, &v, &w);
    const char *json = arena_strdup(a, buf_slice(&text));
    buf_free(&bytes);
    buf_free(&text);
    return json;
}

#endif
