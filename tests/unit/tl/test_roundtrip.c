/* SPDX-License-Identifier: MIT
 * Every constructor and method of every schema: random values written, read back, through JSON. */
#include "random_tree.h"

#include <json-c/json.h>

#include "tl/json.h"

enum { ROUNDS = 3, JSON_DEPTH_MAX = 128 };

struct trip {
    struct tl_schema *schema;
    struct arena arena;
    struct rng rng;
    struct forest forest;
};

static void trip_begin(struct trip *t, struct slice text)
{
    t->schema = schema_of(text);
    arena_init(&t->arena, 0);
    rng_init_seed(&t->rng, test_seed());
    t->forest = forest_of(t->schema, &t->arena, &t->rng);
}

static void trip_end(struct trip *t)
{
    free(t->forest.heights);
    arena_free(&t->arena);
    tl_schema_free(t->schema);
}

static struct buf json_of(const struct tl_schema *s, const struct tl_value *v)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, 0);
    json_init(&w, &out);
    tl_to_json(s, v, &w);
    return out;
}

static void check_json(struct trip *t, const struct tl_object *o, struct slice bytes)
{
    struct tl_value value = tl_value_obj(o);
    struct buf text = json_of(t->schema, &value);
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *json =
        json_tokener_parse_ex(tokener, (const char *)text.data, (int)text.len);
    if (!json)
        fail_msg("%s: %s", o->ctor->name, json_tokener_error_desc(json_tokener_get_error(tokener)));
    struct tl_json_error error;
    struct tl_object *back =
        tl_from_json(t->schema, o->ctor, json, &t->arena, (struct tl_limits){0}, NULL, &error);
    if (!back)
        fail_msg("%s: %s: %s", o->ctor->name, error.path, error.reason);
    assert_same_object(o, back);
    struct buf again = written(t->schema, back, &t->arena);
    assert_bytes(buf_slice(&again), bytes);
    buf_free(&again);
    json_object_put(json);
    json_tokener_free(tokener);
    buf_free(&text);
}

static void check_combinator(struct trip *t, const struct tl_combinator *c)
{
    struct tl_object *o = random_object(&t->forest, c, 0);
    struct buf bytes = written(t->schema, o, &t->arena);
    struct tl_reader r = tl_reader_of(buf_slice(&bytes));
    struct tl_object *back = tl_read_object(t->schema, &r, &t->arena, (struct tl_limits){0});
    if (!back)
        fail_msg("%s: %s", c->name, r.error);
    assert_int_equal(tl_left(&r), 0);
    assert_same_object(o, back);
    struct buf again = written(t->schema, back, &t->arena);
    assert_bytes(buf_slice(&again), buf_slice(&bytes));
    check_json(t, back, buf_slice(&bytes));
    buf_free(&again);
    buf_free(&bytes);
    arena_reset(&t->arena);
}

/* What a method answers, through the value functions. */
static void check_result(struct trip *t, const struct tl_combinator *c)
{
    struct tl_value v = random_value(&t->forest, &c->result, 0);
    struct tl_value back;
    struct buf bytes;
    const char *error = NULL;
    buf_init(&bytes, 0);
    if (!tl_write_value(t->schema, &bytes, &c->result, &v, &t->arena, &error))
        fail_msg("%s: %s", c->name, error);
    struct tl_reader r = tl_reader_of(buf_slice(&bytes));
    assert_true(tl_read_value(t->schema, &r, &c->result, &t->arena, (struct tl_limits){0}, &back));
    assert_int_equal(tl_left(&r), 0);
    assert_same_value(&v, &back);
    buf_free(&bytes);
    arena_reset(&t->arena);
}

static void check_schema(struct slice text, size_t combinators_min)
{
    struct trip t;
    trip_begin(&t, text);
    assert_true(tl_schema_count(t.schema) >= combinators_min);
    for (size_t i = 0; i < tl_schema_count(t.schema) * ROUNDS; i++) {
        const struct tl_combinator *c = tl_schema_at(t.schema, i / ROUNDS);
        if (c->id == TL_ID_GZIP_PACKED)
            continue; /* is never a value: the reader gives what was packed */
        check_combinator(&t, c);
        if (c->is_method)
            check_result(&t, c);
    }
    trip_end(&t);
}

static void test_layer_228(void **state)
{
    (void)state;
    check_schema(tl_embedded_api(), 2440);
}

static void test_mtproto(void **state)
{
    (void)state;
    check_schema(tl_embedded_mtproto(), 50);
}

static void test_layer_216(void **state)
{
    (void)state;
    struct slice text = file_bytes("schema/layers/api-216.tl");
    check_schema(text, 2230);
    free((void *)(uintptr_t)text.data);
}

/* The same in both directions for a record of a vector file: type, hex, JSON. */
static void check_vector(struct trip *t, struct vectors *v, bool same_text)
{
    const struct tl_combinator *c =
        tl_schema_by_name(t->schema, slice_str(vectors_text(v, "type")));
    assert_non_null(c);
    struct slice bytes = vectors_hex(v, "hex");
    struct tl_reader r = tl_reader_of(bytes);
    struct tl_object *o = tl_read_object(t->schema, &r, &t->arena, (struct tl_limits){0});
    if (!o || o->ctor != c || tl_left(&r) != 0)
        fail_msg("%s: %s", c->name, r.error ? r.error : "not what the record says");
    struct tl_value value = tl_value_obj(o);
    struct buf text = json_of(t->schema, &value);
    if (same_text)
        assert_bytes(buf_slice(&text), slice_str(vectors_text(v, "json")));
    buf_free(&text);

    struct json_object *json = json_tokener_parse(vectors_text(v, "json"));
    struct tl_json_error error;
    struct tl_object *from_json =
        tl_from_json(t->schema, c, json, &t->arena, (struct tl_limits){0}, NULL, &error);
    if (!from_json)
        fail_msg("%s: %s: %s", c->name, error.path, error.reason);
    struct buf again = written(t->schema, from_json, &t->arena);
    assert_bytes(buf_slice(&again), bytes);
    assert_same_object(o, from_json);
    buf_free(&again);
    json_object_put(json);
    arena_reset(&t->arena);
}

static void check_file(struct slice schema, const char *path, size_t records, bool same_text)
{
    struct trip t;
    struct vectors v;
    size_t n = 0;
    trip_begin(&t, schema);
    vectors_open(&v, path);
    for (; vectors_next(&v); n++)
        check_vector(&t, &v, same_text);
    assert_int_equal(n, records);
    vectors_close(&v);
    trip_end(&t);
}

static void test_auth_key_sample(void **state)
{
    (void)state;
    check_file(tl_embedded_mtproto(), "tests/vectors/tl/auth_key_sample.txt", 9, true);
}

static void test_what_telethon_writes(void **state)
{
    (void)state;
    struct slice text = file_bytes("schema/layers/api-216.tl");
    check_file(text, "tests/vectors/tl/telethon_216.txt", 11, false);
    free((void *)(uintptr_t)text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auth_key_sample), cmocka_unit_test(test_what_telethon_writes),
        cmocka_unit_test(test_mtproto),         cmocka_unit_test(test_layer_228),
        cmocka_unit_test(test_layer_216),
    };
    return cmocka_run_group_tests_name("tl round trips", tests, NULL, NULL);
}
