/* SPDX-License-Identifier: MIT */
#include "vectors.h"

#include "tl/cursor.h"

/* https://core.telegram.org/mtproto/serialize: little-endian numbers, strings padded to 4 bytes. */
static void test_numbers(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        0x15, 0xc4, 0xb5, 0x1c,                         /* vector#1cb5c415 */
        0xfe, 0xff, 0xff, 0xff,                         /* -2 */
        0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, /* 0x0123456789abcdef */
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* -1 */
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0xbf, /* -1.5 */
    };
    struct buf out;
    buf_init(&out, 0);
    tl_write_u32(&out, TL_ID_VECTOR);
    tl_write_i32(&out, -2);
    tl_write_u64(&out, 0x0123456789abcdef);
    tl_write_i64(&out, -1);
    tl_write_double(&out, -1.5);
    assert_bytes(buf_slice(&out), slice_of(expected, sizeof expected));
    struct tl_reader r = tl_reader_of(buf_slice(&out));
    assert_int_equal(tl_peek_u32(&r), TL_ID_VECTOR);
    assert_int_equal(tl_read_u32(&r), TL_ID_VECTOR);
    assert_int_equal(tl_read_i32(&r), -2);
    assert_true(tl_read_u64(&r) == 0x0123456789abcdef);
    assert_true(tl_read_i64(&r) == -1);
    assert_true(tl_read_double(&r) == -1.5);
    assert_int_equal(tl_left(&r), 0);
    assert_null(r.error);
    assert_int_equal(tl_peek_u32(&r), 0);
    assert_null(r.error);
    buf_free(&out);
}

static void test_strings_of_every_padding(void **state)
{
    (void)state;
    const struct {
        size_t len;
        uint8_t head[4];
        size_t head_len;
        size_t total;
    } cases[] = {
        {0, {0}, 1, 4},
        {1, {1}, 1, 4},
        {2, {2}, 1, 4},
        {3, {3}, 1, 4},
        {4, {4}, 1, 8},
        {252, {252}, 1, 256},
        {253, {253}, 1, 256},
        {254, {254, 254, 0, 0}, 4, 260},
        {256, {254, 0, 1, 0}, 4, 260},
        {65536, {254, 0, 0, 1}, 4, 65540},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *data = malloc(cases[i].len + 1);
        memset(data, 0xab, cases[i].len);
        struct buf out;
        buf_init(&out, 0);
        tl_write_bytes(&out, slice_of(data, cases[i].len));
        assert_int_equal(out.len, cases[i].total);
        assert_memory_equal(out.data, cases[i].head, cases[i].head_len);
        for (size_t k = cases[i].head_len + cases[i].len; k < out.len; k++)
            assert_int_equal(out.data[k], 0);
        struct tl_reader r = tl_reader_of(buf_slice(&out));
        assert_bytes(tl_read_bytes(&r), slice_of(data, cases[i].len));
        assert_int_equal(tl_left(&r), 0);
        buf_free(&out);
        free(data);
    }
}

static void test_a_string_past_24_bits_is_refused(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 0);
    uint8_t *data = calloc(1, 1 << 24);
    tl_write_bytes(&out, slice_of(data, (1 << 24) - 1));
    assert_false(out.failed);
    size_t len = out.len;
    tl_write_bytes(&out, slice_of(data, 1 << 24));
    assert_true(out.failed);
    assert_int_equal(out.len, len);
    buf_free(&out);
    free(data);
}

static void test_the_first_error_sticks(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 0, 0, 0, 2, 0};
    struct tl_reader r = tl_reader_of(slice_of(bytes, sizeof bytes));
    assert_int_equal(tl_read_u32(&r), 1);
    assert_int_equal(tl_read_u32(&r), 0);
    const char *error = r.error;
    assert_non_null(error);
    assert_int_equal(tl_read_u64(&r), 0);
    assert_int_equal(tl_read_bytes(&r).len, 0);
    assert_int_equal(tl_read_raw(&r, 1).len, 0);
    assert_int_equal(tl_left(&r), 0);
    tl_fail(&r, "another");
    assert_ptr_equal(r.error, error);
}

static void test_broken_strings(void **state)
{
    (void)state;
    const struct {
        uint8_t bytes[8];
        size_t len;
    } cases[] = {
        {{0}, 0},                          /* nothing at all */
        {{4, 'a', 'b', 'c'}, 4},           /* shorter than it says */
        {{2, 'a', 'b'}, 3},                /* padding cut off */
        {{254, 1, 0}, 3},                  /* length cut off */
        {{254, 5, 0, 0, 'a', 'b'}, 6},     /* long form, shorter than it says */
        {{255, 1, 0, 0, 'a', 0, 0, 0}, 8}, /* reserved */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tl_reader r = tl_reader_of(slice_of(cases[i].bytes, cases[i].len));
        assert_int_equal(tl_read_bytes(&r).len, 0);
        assert_non_null(r.error);
    }
}

static void test_counts_are_held_against_the_input(void **state)
{
    (void)state;
    static const uint8_t three[] = {3, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3};
    struct tl_reader r = tl_reader_of(slice_of(three, sizeof three));
    assert_int_equal(tl_read_count(&r, 4), 3);
    r = tl_reader_of(slice_of(three, sizeof three));
    assert_int_equal(tl_read_count(&r, 5), 0);
    assert_non_null(r.error);
    static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 1, 1, 1, 1};
    r = tl_reader_of(slice_of(huge, sizeof huge));
    assert_int_equal(tl_read_count(&r, 1), 0);
    assert_non_null(r.error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_strings_of_every_padding),
        cmocka_unit_test(test_a_string_past_24_bits_is_refused),
        cmocka_unit_test(test_the_first_error_sticks),
        cmocka_unit_test(test_broken_strings),
        cmocka_unit_test(test_counts_are_held_against_the_input),
    };
    return cmocka_run_group_tests_name("tl cursor", tests, NULL, NULL);
}
