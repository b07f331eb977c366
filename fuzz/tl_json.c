/* SPDX-License-Identifier: MIT
 * Fuzzes JSON to tree. The input is a JSON object whose `_` names a combinator of the API. What is
 * accepted must be writable, and must come back the same through bytes and through JSON. */
#include <json-c/json.h>
#include <stdlib.h>

#include "tl/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { JSON_DEPTH_MAX = 64, INPUT_BYTES_MAX = 1024 * 1024, ARENA_BYTES_MAX = 64 * 1024 * 1024 };

struct fuzz {
    struct tl_schema *schema;
    struct json_tokener *tokener;
    struct arena arena;
};

static void start(struct fuzz *f)
{
    char error[256];
    if (f->schema)
        return;
    f->schema = tl_schema_parse(tl_embedded_api(), error, sizeof error);
    f->tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
    arena_init(&f->arena, ARENA_BYTES_MAX);
    if (!f->schema || !f->tokener)
        abort();
    json_tokener_set_flags(f->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
}

static struct json_object *parse(struct fuzz *f, struct slice text)
{
    json_tokener_reset(f->tokener);
    return json_tokener_parse_ex(f->tokener, (const char *)text.data, (int)text.len);
}

static struct tl_object *tree_of(struct fuzz *f, struct json_object *json)
{
    struct json_object *name = json_object_object_get(json, "_");
    if (!json_object_is_type(name, json_type_string))
        return NULL;
    const struct tl_combinator *c =
        tl_schema_by_name(f->schema, slice_str(json_object_get_string(name)));
    struct tl_json_error error = {0};
    struct tl_object *o =
        c ? tl_from_json(f->schema, c, json, &f->arena, (struct tl_limits){0}, NULL, &error) : NULL;
    if (c && (o == NULL) != (error.reason != NULL))
        abort();
    return o;
}

/* The bytes of a tree; long strings may be refused. */
static bool bytes_of(struct fuzz *f, const struct tl_object *o, struct buf *out)
{
    const char *error = NULL;
    buf_clear(out);
    if (tl_write_object(f->schema, out, o, &f->arena, &error))
        return true;
    if (!out->failed)
        abort();
    return false;
}

static void check(struct fuzz *f, const struct tl_object *o)
{
    struct buf bytes, again, text;
    struct json_writer w;
    buf_init(&bytes, 0);
    buf_init(&again, 0);
    buf_init(&text, 0);
    if (bytes_of(f, o, &bytes)) {
        struct tl_reader r = tl_reader_of(buf_slice(&bytes));
        struct tl_value back = tl_value_obj(
            tl_read_object(f->schema, &r, &f->arena, (struct tl_limits){.depth_max = 128}));
        if (back.kind != TL_OBJECT || tl_left(&r) != 0)
            abort();
        json_init(&w, &text);
        tl_to_json(f->schema, &back, &w);
        buf_append_byte(&text, 0);
        struct json_object *json = parse(f, buf_slice(&text));
        struct tl_object *last = json ? tree_of(f, json) : NULL;
        if (!last || !bytes_of(f, last, &again) || !slice_eq(buf_slice(&bytes), buf_slice(&again)))
            abort();
        json_object_put(json);
    }
    buf_free(&bytes);
    buf_free(&again);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f; /* libFuzzer gives no context */
    start(&f);
    if (size == 0 || size > INPUT_BYTES_MAX)
        return 0;
    struct json_object *json = parse(&f, slice_of(data, size));
    struct tl_object *o = json ? tree_of(&f, json) : NULL;
    if (o)
        check(&f, o);
    json_object_put(json);
    arena_reset(&f.arena);
    return 0;
}
