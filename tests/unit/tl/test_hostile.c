/* SPDX-License-Identifier: MIT
 * Bytes that mean harm: every read ends, within its bounds. Inputs are copied to blocks of their
 * exact size, so that the sanitizers see a byte read too far. */
#include "random_tree.h"

#include <zlib.h>

#include "tl/json.h"

enum {
    VALUES_MAX = 20000,
    /* A value is 16 bytes; an object or vector adds 16 at most; plus what gzip may unpack. */
    ARENA_BYTES_MAX = 32 * VALUES_MAX + 4096,
    INFLATED_BYTES_MAX = 16 * 1024 * 1024,
};

struct target {
    struct tl_schema *schema;
    struct arena arena;
    struct rng rng;
    struct forest forest;
};

static int set_up(void **state)
{
    struct target *t = calloc(1, sizeof *t);
    t->schema = schema_of(tl_embedded_api());
    arena_init(&t->arena, 0);
    rng_init_seed(&t->rng, test_seed());
    t->forest = forest_of(t->schema, &t->arena, &t->rng);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct target *t = *state;
    free(t->forest.heights);
    arena_free(&t->arena);
    tl_schema_free(t->schema);
    free(t);
    return 0;
}

/* Reads from a block of just that size; true when an object came out. */
static bool read_exact(struct target *t, struct slice bytes, const char **error)
{
    uint8_t *block = malloc(bytes.len ? bytes.len : 1);
    if (bytes.len)
        memcpy(block, bytes.data, bytes.len);
    arena_reset(&t->arena);
    struct tl_reader r = tl_reader_of(slice_of(block, bytes.len));
    struct tl_object *o =
        tl_read_object(t->schema, &r, &t->arena, (struct tl_limits){.values_max = VALUES_MAX});
    assert_true((o == NULL) == (r.error != NULL));
    assert_true(t->arena.used <= ARENA_BYTES_MAX + (size_t)INFLATED_BYTES_MAX);
    if (error)
        *error = r.error;
    if (o) { /* what was read can be written and shown */
        struct buf again = written(t->schema, o, &t->arena);
        struct buf text;
        struct json_writer w;
        struct tl_value value = tl_value_obj(o);
        buf_init(&text, 0);
        json_init(&w, &text);
        tl_to_json(t->schema, &value, &w);
        buf_free(&text);
        buf_free(&again);
    }
    free(block);
    return o != NULL;
}

static struct buf random_message(struct target *t)
{
    const struct tl_combinator *c =
        tl_schema_at(t->schema, rng_below(&t->rng, tl_schema_count(t->schema)));
    arena_reset(&t->arena);
    return written(t->schema, random_object(&t->forest, c, 0), &t->arena);
}

static void test_every_truncation(void **state)
{
    struct target *t = *state;
    for (int round = 0; round < 300; round++) {
        struct buf bytes = random_message(t);
        assert_true(read_exact(t, buf_slice(&bytes), NULL));
        for (size_t len = 0; len < bytes.len && len < 2000; len++)
            assert_false(read_exact(t, slice_of(bytes.data, len), NULL));
        buf_free(&bytes);
    }
}

static void test_random_mutations(void **state)
{
    struct target *t = *state;
    for (int round = 0; round < 20000; round++) {
        struct buf bytes = random_message(t);
        for (uint64_t n = 1 + rng_below(&t->rng, 4); n > 0; n--) {
            uint64_t at = rng_below(&t->rng, bytes.len);
            uint8_t flipped = (uint8_t)(bytes.data[at] ^ 1u << rng_below(&t->rng, 8));
            bytes.data[at] = rng_below(&t->rng, 2) ? (uint8_t)rng_u32(&t->rng) : flipped;
        }
        read_exact(t, buf_slice(&bytes), NULL);
        buf_free(&bytes);
    }
}

/* users.getUsers id:Vector<InputUser>, with a count of our choice. */
static void test_huge_counts_allocate_nothing(void **state)
{
    struct target *t = *state;
    static const uint32_t counts[] = {3, 0x7fffffff, 0x80000000, 0xffffffff};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct buf bytes;
        const char *error;
        buf_init(&bytes, 0);
        tl_write_u32(&bytes, tl_schema_by_name(t->schema, slice_str("users.getUsers"))->id);
        tl_write_u32(&bytes, TL_ID_VECTOR);
        tl_write_u32(&bytes, counts[i]);
        tl_write_u64(&bytes, 0);
        assert_false(read_exact(t, buf_slice(&bytes), &error));
        assert_string_equal(error, "more items announced than the data holds");
        assert_true(t->arena.used < 256);
        buf_free(&bytes);
    }
}

/* Items of no bytes at all: only the bound on values ends them. */
static void test_a_vector_of_nothing_is_bounded(void **state)
{
    (void)state;
    struct tl_schema *s = schema_of(slice_str("none = None; all x:vector<none> = All;"));
    struct arena arena;
    struct buf bytes;
    arena_init(&arena, 0);
    buf_init(&bytes, 0);
    tl_write_u32(&bytes, tl_schema_by_name(s, slice_str("all"))->id);
    tl_write_u32(&bytes, 0xffffffff);
    struct tl_reader r = tl_reader_of(buf_slice(&bytes));
    assert_null(tl_read_object(s, &r, &arena, (struct tl_limits){0}));
    assert_string_equal(r.error, "too many values");
    assert_true(arena.used < 256);
    buf_free(&bytes);
    arena_free(&arena);
    tl_schema_free(s);
}

/* invokeWithoutUpdates inside itself; 8 bytes a level would need no bound, these take 4. */
static void test_depth_is_bounded(void **state)
{
    struct target *t = *state;
    uint32_t wrapper = tl_schema_by_name(t->schema, slice_str("invokeWithoutUpdates"))->id;
    for (int levels = 60; levels <= 100000; levels = levels == 60 ? 64 : levels * 10) {
        struct buf bytes;
        const char *error;
        buf_init(&bytes, 0);
        for (int i = 0; i < levels; i++)
            tl_write_u32(&bytes, wrapper);
        tl_write_u32(&bytes, tl_schema_by_name(t->schema, slice_str("help.getConfig"))->id);
        assert_true(read_exact(t, buf_slice(&bytes), &error) == (levels < 64));
        if (error)
            assert_string_equal(error, "nested too deep");
        buf_free(&bytes);
    }
}

static void test_an_endless_type_is_bounded(void **state)
{
    (void)state;
    struct tl_schema *s = schema_of(slice_str("snake x:%Snake = Snake;"));
    struct arena arena;
    struct buf bytes;
    arena_init(&arena, 0);
    buf_init(&bytes, 0);
    tl_write_u32(&bytes, tl_schema_at(s, 0)->id);
    struct tl_reader r = tl_reader_of(buf_slice(&bytes));
    assert_null(tl_read_object(s, &r, &arena, (struct tl_limits){0}));
    assert_string_equal(r.error, "nested too deep");
    buf_free(&bytes);
    arena_free(&arena);
    tl_schema_free(s);
}

/* Appends gzip_packed of the plain bytes. */
static void append_packed(struct buf *out, struct slice plain)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&z, (uLong)plain.len);
    uint8_t *packed = malloc(room);
    z.next_in = (Bytef *)(uintptr_t)plain.data;
    z.avail_in = (uInt)plain.len;
    z.next_out = packed;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    tl_write_u32(out, TL_ID_GZIP_PACKED);
    tl_write_bytes(out, slice_of(packed, z.total_out));
    deflateEnd(&z);
    free(packed);
}

static void test_packed_objects_are_read_wherever_objects_stand(void **state)
{
    struct target *t = *state;
    for (int round = 0; round < 50; round++) {
        struct buf plain = random_message(t);
        struct buf packed, wrapped;
        buf_init(&packed, 0);
        buf_init(&wrapped, 0);
        append_packed(&packed, buf_slice(&plain));
        assert_true(read_exact(t, buf_slice(&packed), NULL));
        tl_write_u32(&wrapped, tl_schema_by_name(t->schema, slice_str("invokeWithoutUpdates"))->id);
        append_packed(&wrapped, buf_slice(&packed)); /* packed twice */
        arena_reset(&t->arena);
        struct tl_reader r = tl_reader_of(buf_slice(&wrapped));
        struct tl_object *o = tl_read_object(t->schema, &r, &t->arena, (struct tl_limits){0});
        assert_non_null(o);
        assert_int_equal(tl_left(&r), 0);
        struct buf again = written(t->schema, o->fields[0].object, &t->arena);
        assert_bytes(buf_slice(&again), buf_slice(&plain));
        buf_free(&again);
        for (size_t i = 0; i < packed.len; i++) { /* a broken byte anywhere */
            packed.data[i] ^= 0x55;
            read_exact(t, buf_slice(&packed), NULL);
            packed.data[i] ^= 0x55;
        }
        buf_free(&packed);
        buf_free(&wrapped);
        buf_free(&plain);
    }
}

static void test_a_packed_vector_answers_a_method(void **state)
{
    struct target *t = *state;
    struct buf plain, packed;
    struct tl_value v;
    buf_init(&plain, 0);
    buf_init(&packed, 0);
    tl_write_u32(&plain, TL_ID_VECTOR);
    tl_write_u32(&plain, 0);
    append_packed(&packed, buf_slice(&plain));
    struct tl_reader r = tl_reader_of(buf_slice(&packed));
    arena_reset(&t->arena);
    const struct tl_combinator *c = tl_schema_by_name(t->schema, slice_str("users.getUsers"));
    assert_true(tl_read_value(t->schema, &r, &c->result, &t->arena, (struct tl_limits){0}, &v));
    assert_int_equal(v.kind, TL_VECTOR);
    assert_int_equal(v.vector->n, 0);
    buf_free(&plain);
    buf_free(&packed);
}

static void test_gzip_bombs(void **state)
{
    struct target *t = *state;
    size_t len = 64 * 1024 * 1024;
    uint8_t *zeroes = calloc(1, len);
    struct buf bomb, cluster;
    const char *error;
    buf_init(&bomb, 0);
    append_packed(&bomb, slice_of(zeroes, len));
    assert_false(read_exact(t, buf_slice(&bomb), &error));
    assert_string_equal(error, "gzip data is broken or too long");
    assert_true(t->arena.used < 4096);

    /* Many small ones: what all of them unpack to is bounded too. */
    store_le32(zeroes, tl_schema_by_name(t->schema, slice_str("inputUserSelf"))->id);
    buf_init(&cluster, 0);
    tl_write_u32(&cluster, tl_schema_by_name(t->schema, slice_str("users.getUsers"))->id);
    tl_write_u32(&cluster, TL_ID_VECTOR);
    tl_write_u32(&cluster, 20);
    for (int i = 0; i < 20; i++)
        append_packed(&cluster, slice_of(zeroes, 1024 * 1024));
    assert_false(read_exact(t, buf_slice(&cluster), &error));
    assert_string_equal(error, "gzip data is broken or too long");
    buf_free(&cluster);
    buf_free(&bomb);
    free(zeroes);
}

static void test_inflate_bound_is_exact(void **state)
{
    (void)state;
    static const uint8_t zeroes[5000];
    struct buf packed;
    struct arena arena;
    struct slice plain;
    buf_init(&packed, 0);
    arena_init(&arena, 0);
    append_packed(&packed, slice_of(zeroes, sizeof zeroes));
    struct tl_reader r = tl_reader_of(buf_slice(&packed));
    tl_read_u32(&r);
    struct slice gzip = tl_read_bytes(&r);
    assert_true(tl_inflate(gzip, sizeof zeroes, &arena, &plain));
    assert_bytes(plain, slice_of(zeroes, sizeof zeroes));
    assert_false(tl_inflate(gzip, sizeof zeroes - 1, &arena, &plain));
    assert_false(tl_inflate(gzip, 0, &arena, &plain));
    assert_false(tl_inflate(slice_of(gzip.data, gzip.len - 9), sizeof zeroes, &arena, &plain));
    assert_false(tl_inflate(slice_of(NULL, 0), sizeof zeroes, &arena, &plain));
    buf_free(&packed);
    arena_free(&arena);
}

/* Bytes of objects and vectors of a tree: what it may cost when nothing is allocated per field. */
static size_t tree_bytes(const struct tl_value *v)
{
    size_t n = 0;
    if (v->kind == TL_VECTOR) {
        n = sizeof *v->vector + v->vector->n * sizeof *v;
        for (uint32_t i = 0; i < v->vector->n; i++)
            n += tree_bytes(&v->vector->items[i]);
    } else if (v->kind == TL_OBJECT) {
        n = sizeof *v->object + v->object->ctor->n_fields * sizeof *v;
        for (int i = 0; i < v->object->ctor->n_fields; i++)
            n += tree_bytes(&v->object->fields[i]);
    }
    return n;
}

/* messages.messages with a hundred messages: one piece of arena for each object and vector, nothing
 * else. */
static void test_a_history_costs_its_objects_only(void **state)
{
    struct target *t = *state;
    arena_reset(&t->arena);
    const struct tl_combinator *c = tl_schema_by_name(t->schema, slice_str("messages.messages"));
    const struct tl_combinator *message = tl_schema_by_name(t->schema, slice_str("message"));
    struct tl_object *history = random_object(&t->forest, c, 0);
    struct tl_vector *messages = arena_alloc(&t->arena, sizeof *messages);
    *messages = (struct tl_vector){100, 100, arena_array(&t->arena, 100, sizeof(struct tl_value))};
    for (uint32_t i = 0; i < messages->n; i++)
        messages->items[i] = tl_value_obj(random_object(&t->forest, message, 1));
    history->fields[tl_field_by_name(c, slice_str("messages"))] = tl_value_vec(messages);
    struct buf bytes = written(t->schema, history, &t->arena);
    struct tl_reader r = tl_reader_of(buf_slice(&bytes));
    arena_reset(&t->arena);
    struct tl_value back =
        tl_value_obj(tl_read_object(t->schema, &r, &t->arena, (struct tl_limits){0}));
    assert_int_equal(back.kind, TL_OBJECT);
    assert_int_equal(t->arena.used, tree_bytes(&back));
    buf_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_random_mutations),
        cmocka_unit_test(test_huge_counts_allocate_nothing),
        cmocka_unit_test(test_a_vector_of_nothing_is_bounded),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_an_endless_type_is_bounded),
        cmocka_unit_test(test_packed_objects_are_read_wherever_objects_stand),
        cmocka_unit_test(test_a_packed_vector_answers_a_method),
        cmocka_unit_test(test_gzip_bombs),
        cmocka_unit_test(test_inflate_bound_is_exact),
        cmocka_unit_test(test_a_history_costs_its_objects_only),
    };
    return cmocka_run_group_tests_name("tl hostile input", tests, set_up, tear_down);
}
