/* SPDX-License-Identifier: MIT
 * Building trees by symbol, reading fields, and what the writer refuses. */
#include "random_tree.h"

#define COMBINATORS(X)                                                                             \
    X(messages_sendMessage)                                                                        \
    X(inputPeerChannel)                                                                            \
    X(inputPeerSelf) X(messageEntityBold) X(users_getUsers) X(inputUserSelf) X(not_there)
#define FIELDS(X)                                                                                  \
    X(peer)                                                                                        \
    X(message)                                                                                     \
    X(random_id)                                                                                   \
    X(silent) X(schedule_date) X(entities) X(offset) X(length) X(channel_id) X(access_hash) X(id)  \
        X(flags) X(nowhere)

#define C_ENUM(name) C_##name,
#define F_ENUM(name) F_##name,
#define TEXT(name)   #name,
enum { COMBINATORS(C_ENUM) C_COUNT };
enum { FIELDS(F_ENUM) F_COUNT };
static const char *const combinator_names[] = {COMBINATORS(TEXT)};
static const char *const field_names[] = {FIELDS(TEXT)};
static const struct tl_names names = {combinator_names, C_COUNT, field_names, F_COUNT, NULL, 0};

struct fixture {
    struct tl_schema *schema;
    struct arena arena;
    struct tl_builder builder;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->schema = schema_of(tl_embedded_api());
    tl_schema_bind(f->schema, &names);
    arena_init(&f->arena, 0);
    f->builder = tl_builder_of(f->schema, &f->arena);
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

static struct tl_object *send_message(struct fixture *f)
{
    struct tl_object *send = tl_new(&f->builder, C_messages_sendMessage);
    struct tl_object *peer = tl_new(&f->builder, C_inputPeerChannel);
    tl_set_int(peer, F_channel_id, 1234567890);
    tl_set_int(peer, F_access_hash, -1);
    tl_set_obj(send, F_peer, peer);
    tl_set_str(send, F_message, "hello");
    tl_set_int(send, F_random_id, INT64_MIN);
    return send;
}

static void test_what_is_built_is_read_back(void **state)
{
    struct fixture *f = *state;
    struct tl_object *send = send_message(f);
    tl_set_bool(send, F_silent, true);
    tl_set_int(send, F_schedule_date, 1700000000);
    struct tl_vector *entities = tl_set_vec(&f->builder, send, F_entities);
    for (int i = 0; i < 9; i++) {
        struct tl_object *bold = tl_new(&f->builder, C_messageEntityBold);
        tl_set_int(bold, F_offset, i);
        tl_set_int(bold, F_length, 1);
        tl_push_obj(&f->builder, entities, bold);
    }
    assert_false(f->builder.failed);
    struct buf bytes = written(f->schema, send, &f->arena);
    struct tl_reader r = tl_reader_of(buf_slice(&bytes));
    const struct tl_object *back = tl_read_object(f->schema, &r, &f->arena, (struct tl_limits){0});
    assert_true(tl_is(back, C_messages_sendMessage));
    assert_true(tl_is(tl_obj(back, F_peer), C_inputPeerChannel));
    assert_true(tl_int(tl_obj(back, F_peer), F_channel_id) == 1234567890);
    assert_true(tl_bool(back, F_silent));
    assert_true(tl_int(back, F_random_id) == INT64_MIN);
    assert_true(slice_is(tl_text(back, F_message), "hello"));
    assert_ptr_equal(tl_text(back, F_message).data, memmem(bytes.data, bytes.len, "hello", 5));
    assert_int_equal(tl_count(back, F_entities), 9);
    assert_int_equal(tl_int(tl_item_obj(back, F_entities, 8), F_offset), 8);
    assert_null(tl_item_obj(back, F_entities, 9));
    buf_free(&bytes);
}

static void test_reading_what_is_not_there(void **state)
{
    struct fixture *f = *state;
    const struct tl_object *send = send_message(f);
    const struct tl_object *things[] = {NULL, send};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tl_get(things[i], F_nowhere)->kind, TL_ABSENT);
        assert_false(tl_has(things[i], F_schedule_date));
        assert_true(tl_int(things[i], F_schedule_date) == 0);
        assert_true(tl_double(things[i], F_message) == 0);
        assert_false(tl_bool(things[i], F_silent));
        assert_int_equal(tl_text(things[i], F_peer).len, 0);
        assert_null(tl_obj(things[i], F_message));
        assert_int_equal(tl_count(things[i], F_entities), 0);
        assert_int_equal(tl_item(things[i], F_entities, 0)->kind, TL_ABSENT);
        assert_false(tl_is(things[i], TL_NO_SYMBOL));
    }
}

static void test_setters_skip_what_a_layer_lacks(void **state)
{
    struct fixture *f = *state;
    struct tl_object *self = tl_new(&f->builder, C_inputPeerSelf);
    tl_set_int(self, F_channel_id, 1);
    tl_set_str(self, F_message, "x");
    tl_set_obj(self, F_peer, self);
    tl_set_bool(NULL, F_silent, true);
    assert_null(tl_set_vec(&f->builder, self, F_entities));
    tl_push_int(&f->builder, NULL, 1);
    assert_false(f->builder.failed);
    struct buf bytes = written(f->schema, self, &f->arena);
    assert_int_equal(bytes.len, 4);
    buf_free(&bytes);
}

static void test_an_unbound_name_fails_the_builder(void **state)
{
    struct fixture *f = *state;
    assert_null(tl_new(&f->builder, C_not_there));
    assert_true(f->builder.failed);
    assert_int_equal(f->builder.missing, C_not_there);
    assert_null(tl_new(&f->builder, C_inputPeerSelf));
    f->builder = tl_builder_of(f->schema, &f->arena);
}

static void test_a_full_arena_fails_the_builder(void **state)
{
    struct fixture *f = *state;
    struct arena small;
    arena_init(&small, 100);
    struct tl_builder b = tl_builder_of(f->schema, &small);
    assert_null(tl_new(&b, C_messages_sendMessage));
    assert_true(b.failed);
    assert_int_equal(b.missing, TL_NO_SYMBOL);
    arena_free(&small);
}

static void assert_refused(struct fixture *f, const struct tl_object *o, const char *reason)
{
    struct buf out;
    const char *error = NULL;
    buf_init(&out, 0);
    assert_false(tl_write_object(f->schema, &out, o, &f->arena, &error));
    assert_string_equal(error, reason);
    buf_free(&out);
}

static void test_the_writer_refuses_what_does_not_fit(void **state)
{
    struct fixture *f = *state;
    struct tl_object *send = send_message(f);
    tl_set_obj(send, F_peer, NULL);
    assert_refused(f, send, "peer of messages.sendMessage: is required");
    tl_set_obj(send, F_peer, tl_new(&f->builder, C_messageEntityBold));
    assert_refused(f, send, "peer of messages.sendMessage: a constructor of another type");
    send = send_message(f);
    tl_set_int(send, F_schedule_date, 1LL << 31);
    assert_refused(f, send, "schedule_date of messages.sendMessage: past 32 bits");
    send = send_message(f);
    tl_set_str(send, F_random_id, "text");
    assert_refused(f, send, "random_id of messages.sendMessage: not an integer");
    send = send_message(f);
    tl_set_int(send, F_message, 1);
    assert_refused(f, send, "message of messages.sendMessage: not a string");
    assert_refused(f, NULL, "is required");
}

static void test_bits_that_stand_for_no_field_are_kept(void **state)
{
    struct fixture *f = *state;
    struct tl_object *send = send_message(f);
    tl_set_bool(send, F_silent, true);
    tl_set_int(send, F_flags, 1u << 31 | 1u << 3); /* 3: entities, which are not there */
    struct buf bytes = written(f->schema, send, &f->arena);
    assert_int_equal(load_le32(bytes.data + 4), 1u << 31 | 1u << 5);
    buf_free(&bytes);
}

static bool reads_as_self(const struct tl_schema *schema, struct fixture *f,
                          const struct buf *bytes)
{
    struct tl_reader r = tl_reader_of(buf_slice(bytes));
    const struct tl_object *o = tl_read_object(schema, &r, &f->arena, (struct tl_limits){0});
    return o && tl_is(tl_item_obj(o, F_id, 0), C_inputUserSelf);
}

static void test_a_constructor_passes_as_another_where_the_names_say_so(void **state)
{
    struct fixture *f = *state;
    static const struct tl_pass passes[] = {{C_inputPeerSelf, C_inputUserSelf},
                                            {C_inputPeerChannel, C_inputUserSelf}};
    struct tl_names lenient = names;
    lenient.passes = passes;
    lenient.n_passes = sizeof passes / sizeof *passes;
    struct tl_schema *schema = schema_of(tl_embedded_api());
    tl_schema_bind(schema, &lenient);
    struct buf bytes;
    buf_init(&bytes, 0);
    tl_write_u32(&bytes, tl_schema_bound(schema, C_users_getUsers)->id);
    tl_write_u32(&bytes, TL_ID_VECTOR);
    tl_write_u32(&bytes, 1);
    tl_write_u32(&bytes, tl_schema_bound(schema, C_inputPeerSelf)->id);
    assert_false(reads_as_self(f->schema, f, &bytes));
    assert_true(reads_as_self(schema, f, &bytes));

    /* One with other fields never does. */
    store_le32(bytes.data + 12, tl_schema_bound(schema, C_inputPeerChannel)->id);
    tl_write_u64(&bytes, 1);
    tl_write_u64(&bytes, 1);
    assert_false(reads_as_self(schema, f, &bytes));
    buf_free(&bytes);
    tl_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_built_is_read_back),
        cmocka_unit_test(test_reading_what_is_not_there),
        cmocka_unit_test(test_setters_skip_what_a_layer_lacks),
        cmocka_unit_test(test_an_unbound_name_fails_the_builder),
        cmocka_unit_test(test_a_full_arena_fails_the_builder),
        cmocka_unit_test(test_the_writer_refuses_what_does_not_fit),
        cmocka_unit_test(test_a_constructor_passes_as_another_where_the_names_say_so),
        cmocka_unit_test(test_bits_that_stand_for_no_field_are_kept),
    };
    return cmocka_run_group_tests_name("tl values", tests, set_up, tear_down);
}
