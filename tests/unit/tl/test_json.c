/* SPDX-License-Identifier: MIT
 * What JSON may stand for which type, and what is said of JSON that may not. */
#include "random_tree.h"

#include <json-c/json.h>

#include "tl/json.h"

static const char *const schema_text =
    "one flags:# n:int l:long d:double s:string b:bytes k:int128 yes:Bool "
    "t:flags.0?true o:flags.1?int p:flags.2?int q:flags.2?string v:Vector<long> x:Peer = One;\n"
    "peerUser user_id:long = Peer;\npeerNone = Peer;\nitem a:int = Item;\n"
    "list i:vector<item> = List;\n"
    "---functions---\nwrap {X:Type} query:!X = X;\nping = Peer;\n";

#define GOOD_HEAD                                                                                  \
    "{\"_\":\"one\",\"n\":-2147483648,\"l\":\"-9223372036854775808\",\"d\":1,\"s\":\"ü\\u0000\"," \
    "\"b\":\"-_-_\",\"k\":\"AAECAwQFBgcICQoLDA0ODw==\",\"yes\":true,"
#define GOOD_TAIL "\"v\":[\"1\",2,9007199254740993],\"x\":{\"_\":\"peerNone\"}}"

struct fixture {
    struct tl_schema *schema;
    struct arena arena;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->schema = schema_of(slice_str(schema_text));
    arena_init(&f->arena, 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_free(&f->arena);
    tl_schema_free(f->schema);
    free(f);
    return 0;
}

static struct tl_object *from_text(struct fixture *f, const char *name, const char *text,
                                   const struct tl_json_hook *hook, struct tl_json_error *error)
{
    struct json_object *json = json_tokener_parse(text);
    const struct tl_combinator *c = tl_schema_by_name(f->schema, slice_str(name));
    struct tl_object *o =
        tl_from_json(f->schema, c, json, &f->arena,
                     (struct tl_limits){.depth_max = 8, .values_max = 1000}, hook, error);
    json_object_put(json);
    return o;
}

static const struct tl_value *field(const struct tl_object *o, const char *name)
{
    return &o->fields[tl_field_by_name(o->ctor, slice_str(name))];
}

static void test_every_type_is_read(void **state)
{
    struct fixture *f = *state;
    struct tl_json_error error;
    struct tl_object *o =
        from_text(f, "one", GOOD_HEAD "\"t\":true,\"p\":1,\"q\":\"\"," GOOD_TAIL, NULL, &error);
    assert_non_null(o);
    assert_true(field(o, "n")->i == INT32_MIN);
    assert_true(field(o, "l")->i == INT64_MIN);
    assert_true(field(o, "d")->d == 1.0);
    assert_bytes(slice_of(field(o, "s")->bytes, field(o, "s")->len), slice_of("ü", 3));
    assert_bytes(slice_of(field(o, "b")->bytes, field(o, "b")->len), slice_of("\xfb\xff\xbf", 3));
    assert_int_equal(field(o, "k")->bytes[15], 15);
    assert_int_equal(field(o, "t")->kind, TL_TRUE);
    assert_int_equal(field(o, "o")->kind, TL_ABSENT);
    assert_true(field(o, "v")->vector->items[2].i == 9007199254740993);
    struct buf bytes = written(f->schema, o, &f->arena);
    assert_int_equal(load_le32(bytes.data + 4), 1u << 0 | 1u << 2);
    buf_free(&bytes);
}

static void test_what_is_written(void **state)
{
    struct fixture *f = *state;
    struct tl_json_error error;
    struct tl_object *o =
        from_text(f, "one", GOOD_HEAD "\"t\":false,\"o\":null," GOOD_TAIL, NULL, &error);
    assert_non_null(o);
    struct tl_value value = tl_value_obj(o);
    struct buf text;
    struct json_writer w;
    buf_init(&text, 0);
    json_init(&w, &text);
    tl_to_json(f->schema, &value, &w);
    assert_bytes(
        buf_slice(&text),
        slice_str("{\"_\":\"one\",\"n\":-2147483648,\"l\":\"-9223372036854775808\",\"d\":1,"
                  "\"s\":\"ü\\u0000\",\"b\":\"+/+/\",\"k\":\"AAECAwQFBgcICQoLDA0ODw==\","
                  "\"yes\":true,\"v\":[\"1\",\"2\",\"9007199254740993\"],"
                  "\"x\":{\"_\":\"peerNone\"}}"));
    buf_free(&text);
}

static void test_errors_say_where_and_why(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *type, *text, *path, *reason;
    } cases[] = {
        {"item", "[]", "", "must be an object"},
        {"item", "{\"_\":\"one\",\"a\":1}", "_", "must be item or left out"},
        {"item", "{}", "a", "is required"},
        {"item", "{\"a\":null}", "a", "is required"},
        {"item", "{\"a\":1,\"z\":1}", "z", "is no field of item"},
        {"item", "{\"a\":2147483648}", "a", "must fit 32 bits"},
        {"item", "{\"a\":1.5}", "a", "must be an integer"},
        {"item", "{\"a\":\"1\"}", "a", "must be an integer"},
        {"one", "{\"flags\":1}", "flags", "is computed"},
        {"peerUser", "{\"user_id\":\"12x\"}", "user_id", "must be a 64-bit integer"},
        {"peerUser", "{\"user_id\":\"9223372036854775808\"}", "user_id",
         "must be a 64-bit integer"},
        {"peerUser", "{\"user_id\":9223372036854775808}", "user_id", "must be a 64-bit integer"},
        {"peerUser", "{\"user_id\":true}", "user_id", "must be a 64-bit integer"},
        {"list", "{\"i\":{}}", "i", "must be an array"},
        {"list", "{\"i\":[{\"a\":1},{\"a\":true}]}", "i[1].a", "must be an integer"},
        {"list", "{\"i\":[{\"a\":1},7]}", "i[1]", "must name"},
        {"list", "{\"i\":[{\"_\":\"peerNone\"}]}", "i[0]", "must name"},
        {"wrap", "{\"query\":{}}", "query", "must name a constructor or method in `_`"},
        {"wrap", "{\"query\":{\"_\":\"wrap\",\"query\":{\"_\":\"peerUser\",\"user_id\":{}}}}",
         "query.query.user_id", "must be a 64-bit integer"},
        {"one", GOOD_HEAD "\"p\":1," GOOD_TAIL, "q", "is required with the other fields"},
        {"one", GOOD_HEAD "\"t\":1," GOOD_TAIL, "t", "must be true or false"},
        {"one", GOOD_HEAD "\"v\":[],\"x\":{\"_\":\"ping\"}}", "x",
         "must be an object of type Peer, with `_` one of peerUser, peerNone"},
        {"one", GOOD_HEAD "\"v\":[],\"x\":\"@name\"}", "x", "must be an object of type Peer"},
        {"one", GOOD_HEAD "\"v\":[],\"x\":{\"user_id\":1}}", "x", "must be an object of type Peer"},
        {"one", "{\"n\":1,\"l\":1,\"d\":\"x\"}", "d", "must be a number"},
        {"one", "{\"n\":1,\"l\":1,\"d\":1e999}", "d", "must fit a double"},
        {"one", "{\"n\":1,\"l\":1,\"d\":1,\"s\":5}", "s", "must be a string"},
        {"one", "{\"n\":1,\"l\":1,\"d\":1,\"s\":\"\xc1\x91\"}", "s", "must be UTF-8"},
        {"one", "{\"n\":1,\"l\":1,\"d\":1,\"s\":\"\",\"b\":\"a b\"}", "b", "must be base64"},
        {"one", "{\"n\":1,\"l\":1,\"d\":1,\"s\":\"\",\"b\":[]}", "b", "must be a string of base64"},
        {"one", "{\"n\":1,\"l\":1,\"d\":1,\"s\":\"\",\"b\":\"\",\"k\":\"AAAA\"}", "k",
         "must be 16 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tl_json_error error = {0};
        assert_null(from_text(f, cases[i].type, cases[i].text, NULL, &error));
        if (!error.reason || strcmp(error.path, cases[i].path) != 0 ||
            strncmp(error.reason, cases[i].reason, strlen(cases[i].reason)) != 0)
            fail_msg("%s: %s: %s", cases[i].text, error.path, error.reason);
    }
}

static void test_depth_and_count_are_bounded(void **state)
{
    struct fixture *f = *state;
    struct tl_json_error error;
    struct buf text;
    buf_init(&text, 0);
    for (int i = 0; i < 8; i++)
        buf_append_str(&text, "{\"_\":\"wrap\",\"query\":");
    buf_append_str(&text, "{\"_\":\"ping\"}}}}}}}}}");
    buf_append_byte(&text, 0);
    assert_null(from_text(f, "wrap", (const char *)text.data, NULL, &error));
    assert_string_equal(error.reason, "nested too deep");
    buf_clear(&text);
    buf_append_str(&text, "{\"i\":[{\"a\":1}");
    for (int i = 0; i < 1000; i++)
        buf_append_str(&text, ",{\"a\":1}");
    buf_append_str(&text, "]}");
    buf_append_byte(&text, 0);
    assert_null(from_text(f, "list", (const char *)text.data, NULL, &error));
    assert_string_equal(error.path, "i");
    assert_string_equal(error.reason, "too many values");
    buf_free(&text);
}

/* "me" stands for peerNone; everything else is refused. */
static struct tl_object *peer_hook(void *ctx, const struct tl_class *wanted,
                                   struct json_object *json)
{
    struct fixture *f = ctx;
    if (strcmp(wanted->name, "Peer") != 0 ||
        !slice_is(slice_str(json_object_get_string(json)), "me"))
        return NULL;
    struct tl_builder b = tl_builder_of(f->schema, &f->arena);
    return tl_new_ctor(&b, tl_schema_by_name(f->schema, slice_str("peerNone")));
}

static void test_a_hook_turns_other_json_into_objects(void **state)
{
    struct fixture *f = *state;
    struct tl_json_hook hook = {peer_hook, f};
    struct tl_json_error error;
    struct tl_object *o = from_text(f, "one", GOOD_HEAD "\"v\":[],\"x\":\"me\"}", &hook, &error);
    assert_non_null(o);
    assert_string_equal(field(o, "x")->object->ctor->name, "peerNone");
    assert_null(from_text(f, "one", GOOD_HEAD "\"v\":[],\"x\":-100}", &hook, &error));
    assert_string_equal(error.path, "x");
    assert_null(from_text(f, "one", GOOD_HEAD "\"v\":[]}", &hook, &error));
    assert_string_equal(error.reason, "is required");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_is_read),
        cmocka_unit_test(test_what_is_written),
        cmocka_unit_test(test_errors_say_where_and_why),
        cmocka_unit_test(test_depth_and_count_are_bounded),
        cmocka_unit_test(test_a_hook_turns_other_json_into_objects),
    };
    return cmocka_run_group_tests_name("tl json", tests, set_up, tear_down);
}
