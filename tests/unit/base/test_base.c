/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/random.h"

static void test_decimal_numbers(void **state)
{
    (void)state;
    const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-1001234567890", true, -1001234567890},
        {"+7", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"-9223372036854775808", true, INT64_MIN},
        {"-9223372036854775809", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"1 ", false, 0},
        {"0x1", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = 0;
        assert_int_equal(slice_to_i64(slice_str(cases[i].text), &value), cases[i].ok);
        assert_true(value == cases[i].value);
    }
}

static void test_utf8(void **state)
{
    (void)state;
    assert_true(slice_is_utf8(slice_str("")));
    assert_true(slice_is_utf8(slice_str("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80")));
    const char *bad[] = {"\xc0\xaf",     "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                         "\xf0\x9f\x98", "\x80",         "\xff",         "a\xc3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(slice_is_utf8(slice_str(bad[i])));
}

static void test_utf16(void **state)
{
    (void)state;
    /* 1, 2, 3 and 4 bytes; 1, 1, 1 and 2 units */
    struct slice text = slice_str("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
    static const size_t bytes[] = {0, 1, 3, 6, 10, 10, 11, 11};
    assert_int_equal(utf16_length((struct slice){0}), 0);
    assert_int_equal(utf16_length(text), 6);
    for (size_t unit = 0; unit < sizeof bytes / sizeof *bytes; unit++)
        assert_int_equal(utf16_to_byte(text, unit), bytes[unit]);
}

static void test_buf_bound_is_sticky(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    buf_append_str(&b, "12345678");
    buf_append_str(&b, "abc"); /* dropped whole */
    assert_true(b.failed);
    buf_append_str(&b, "d");
    assert_int_equal(b.len, 8);
    buf_clear(&b);
    assert_false(b.failed);
    buf_append_str(&b, "0123456789");
    assert_false(b.failed);
    buf_drop_front(&b, 4);
    assert_true(slice_is(buf_slice(&b), "456789"));
    buf_free(&b);
}

static void test_arena_bound_and_reset(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 100 * 1000);
    for (int i = 0; i < 90; i++) {
        uint8_t *p = arena_alloc(&a, 1000);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 8, 0);
        assert_int_equal(p[999], 0);
        memset(p, 0xaa, 1000);
    }
    assert_null(arena_alloc(&a, 20 * 1000));
    assert_true(a.failed);
    assert_null(arena_array(&a, SIZE_MAX / 2, 8));
    arena_reset(&a);
    assert_false(a.failed);
    assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    assert_string_equal(arena_strdup(&a, slice_of("abc", 2)), "ab");
    arena_wipe(&a);
    arena_free(&a);
}

static void test_rng_replays_and_is_uniform(void **state)
{
    (void)state;
    struct rng a, b;
    rng_init_seed(&a, 42);
    rng_init_seed(&b, 42);
    uint8_t one[1500], two[1500];
    rng_fill(&a, one, sizeof one);
    for (size_t i = 0; i < sizeof two; i += 100)
        rng_fill(&b, two + i, 100); /* split draws give the same stream */
    assert_memory_equal(one, two, sizeof one);
    size_t seen[7] = {0};
    for (int i = 0; i < 70000; i++)
        seen[rng_below(&a, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 9500, 10500);
    rng_init_system(&a);
    rng_init_system(&b);
    assert_true(rng_u64(&a) != rng_u64(&b));
}

static void test_secret_buf_wipes_what_it_lets_go(void **state)
{
    (void)state;
    static const uint8_t zeros[256];
    struct buf b;
    buf_init_secret(&b, 0);
    for (int i = 0; i < 200; i++) /* outgrown on the way */
        buf_append_byte(&b, 's');
    assert_int_equal(b.len, 200);
    uint8_t *data = b.data;
    buf_drop_front(&b, 150);
    assert_memory_equal(data + 50, zeros, 150);
    assert_memory_equal(data, "ssss", 4);
    buf_clear(&b);
    assert_ptr_equal(b.data, data);
    assert_memory_equal(data, zeros, 200);
    buf_append_str(&b, "again");
    buf_shrink(&b, b.cap);
    assert_memory_equal(data, zeros, 200);
    buf_append_str(&b, "again");
    buf_shrink(&b, 0);
    assert_null(b.data);
    assert_true(b.secret);
    buf_free(&b);
}

static void assert_json(struct buf *b, const char *want)
{
    buf_append_byte(b, 0);
    assert_string_equal((const char *)b->data, want);
    buf_free(b);
}

static void test_json_shapes(void **state)
{
    (void)state;
    struct buf b;
    struct json_writer w;
    buf_init(&b, 0);
    json_init(&w, &b);
    json_object_begin(&w);
    json_field_text(&w, "s", "q\"\\\n\x01\xff\xc3\xa9");
    json_key(&w, "a");
    json_array_begin(&w);
    json_int(&w, INT64_MIN);
    json_int_string(&w, INT64_MAX);
    json_double(&w, 0.1);
    json_double(&w, (double)NAN);
    json_boolean(&w, true);
    json_null(&w);
    json_object_begin(&w);
    json_object_end(&w);
    json_array_end(&w);
    json_field_time(&w, "t", 1709251200);
    json_key(&w, "b");
    json_base64(&w, slice_of("\x00\xff\x10\x20", 4));
    json_key(&w, "k");
    json_raw(&w, slice_str("[1]"));
    json_object_end(&w);
    assert_json(&b, "{\"s\":\"q\\\"\\\\\\n\\u0001\xef\xbf\xbd\xc3\xa9\","
                    "\"a\":[-9223372036854775808,\"9223372036854775807\",0.1,null,true,null,{}],"
                    "\"t\":\"2024-03-01T00:00:00Z\",\"b\":\"AP8QIA==\",\"k\":[1]}");
}

/* Each ASCII character at each place of a long string: runs are looked at eight bytes at a time. */
static void test_json_escapes_at_every_place(void **state)
{
    (void)state;
    enum { LENGTH = 20 };
    struct buf b, want;
    buf_init(&b, 0);
    buf_init(&want, 0);
    for (size_t place = 0; place < LENGTH; place++) {
        for (int c = 0; c < 0x80; c++) {
            char text[LENGTH];
            struct json_writer w;
            memset(text, 'x', sizeof text);
            text[place] = (char)c;
            buf_clear(&want);
            buf_printf(&want, "\"%.*s", (int)place, "xxxxxxxxxxxxxxxxxxxx");
            const char *letter = c ? strchr("\"\"\\\\\bb\ff\nn\rr\tt", c) : NULL;
            if (letter && (c < 0x20 || c == '"' || c == '\\'))
                buf_printf(&want, "\\%c", letter[1]);
            else if (c < 0x20 || c == 0x7f)
                buf_printf(&want, "\\u%04x", (unsigned)c);
            else
                buf_printf(&want, "%c", c);
            buf_printf(&want, "%.*s\"", (int)(LENGTH - 1 - place), "xxxxxxxxxxxxxxxxxxxx");
            buf_clear(&b);
            json_init(&w, &b);
            json_string(&w, slice_of(text, sizeof text));
            if (!slice_eq(buf_slice(&b), buf_slice(&want)))
                fail_msg("0x%02x at %zu: %.*s", (unsigned)c, place, (int)b.len,
                         (const char *)b.data);
        }
    }
    buf_free(&b);
    buf_free(&want);
}

/* The C library's calendar as it stands, over every day of four centuries and at the edges. */
static void test_json_times(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    const int64_t edges[] = {-30610224000, -30610224001, 253402300799, 253402300800, 0,
                             -1,           INT64_MIN,    INT64_MAX};
    const size_t n_edges = sizeof edges / sizeof *edges;
    for (int64_t i = 0; i < 146097 + (int64_t)n_edges; i++) {
        int64_t unix_s = i < (int64_t)n_edges ? edges[i] : (i - 73000) * 86400 + i * 7919 % 86400;
        struct json_writer w;
        struct tm t;
        char want[40] = "null";
        time_t seconds = (time_t)unix_s;
        if (unix_s >= edges[0] && unix_s <= edges[2] && gmtime_r(&seconds, &t))
            strftime(want, sizeof want, "\"%Y-%m-%dT%H:%M:%SZ\"", &t);
        buf_clear(&b);
        json_init(&w, &b);
        json_time(&w, unix_s);
        if (!slice_is(buf_slice(&b), want))
            fail_msg("%lld: %.*s, not %s", (long long)unix_s, (int)b.len, (const char *)b.data,
                     want);
    }
    buf_free(&b);
}

static void test_json_base64_lengths(void **state)
{
    (void)state;
    /* RFC 4648, section 10 */
    const char *want[] = {"\"\"",         "\"Zg==\"",     "\"Zm8=\"",    "\"Zm9v\"",
                          "\"Zm9vYg==\"", "\"Zm9vYmE=\"", "\"Zm9vYmFy\""};
    for (size_t n = 0; n < 7; n++) {
        struct buf b;
        struct json_writer w;
        buf_init(&b, 0);
        json_init(&w, &b);
        json_base64(&w, slice_of("foobar", n));
        assert_json(&b, want[n]);
    }
}

static void test_base64_round_trips_and_refuses(void **state)
{
    (void)state;
    struct rng r;
    rng_init_seed(&r, 3);
    for (size_t n = 0; n < 200; n++) {
        uint8_t bytes[200], back[280];
        size_t len = 0;
        rng_fill(&r, bytes, n);
        struct buf b;
        buf_init(&b, 0);
        base64url_encode(slice_of(bytes, n), &b);
        assert_true(base64_decode(buf_slice(&b), back, &len));
        assert_int_equal(len, n);
        assert_memory_equal(back, bytes, n);
        buf_clear(&b);
        base64_encode(slice_of(bytes, n), &b);
        assert_int_equal(b.len % 4, 0);
        assert_true(base64_decode(buf_slice(&b), back, &len));
        assert_memory_equal(back, bytes, n);
        buf_free(&b);
    }
    const char *bad[] = {"A",
                         "AAAAA",
                         "Zg=",
                         "Zg===",
                         "Z===",
                         "Zh",
                         "Zm9=",
                         "Zm 9v",
                         "Zm9v\n",
                         "=Zm9",
                         "Zm=v",
                         "Zm9v*m9v",
                         "\xff\xff\xff\xff",
                         "===="};
    uint8_t out[32];
    size_t len;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(base64_decode(slice_str(bad[i]), out, &len));
}

static void test_json_doubles_read_back(void **state)
{
    (void)state;
    struct rng r;
    rng_init_seed(&r, 1);
    for (int i = 0; i < 10000; i++) {
        union {
            uint64_t bits;
            double value;
        } d = {.bits = rng_u64(&r)};
        if (!isfinite(d.value))
            continue;
        struct buf b;
        struct json_writer w;
        buf_init(&b, 0);
        json_init(&w, &b);
        json_double(&w, d.value);
        buf_append_byte(&b, 0);
        double back = strtod((const char *)b.data, NULL);
        assert_memory_equal(&back, &d.value, sizeof back);
        buf_free(&b);
    }
}

/* JSON readers take -0 for the integer 0. */
static void test_json_negative_zero_stays_a_double(void **state)
{
    (void)state;
    struct buf b;
    struct json_writer w;
    buf_init(&b, 0);
    json_init(&w, &b);
    json_double(&w, -0.0);
    assert_true(slice_is(buf_slice(&b), "-0.0"));
    buf_free(&b);
}

static void read_log(enum log_format format, char *line, size_t size)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct log log = {fds[1], LOG_INFO, format};
    log_event(&log, LOG_DEBUG, "hidden");
    log_event(&log, LOG_WARN, "drop", log_str("why", "two words"), log_int("n", -3),
              log_str("plain", "x"), log_str("empty", NULL));
    ssize_t n = read(fds[0], line, size - 1);
    assert_true(n > 0);
    line[n] = 0;
    close(fds[0]);
    close(fds[1]);
}

static void test_log_lines(void **state)
{
    (void)state;
    char line[1024];
    read_log(LOG_TEXT, line, sizeof line);
    assert_non_null(strstr(line, "Z warn  drop why=\"two words\" n=-3 plain=x empty=\"\"\n"));
    read_log(LOG_JSON, line, sizeof line);
    assert_non_null(strstr(line, "\"level\":\"warn\",\"event\":\"drop\",\"why\":\"two words\","
                                 "\"n\":-3,\"plain\":\"x\",\"empty\":\"\"}\n"));
    assert_int_equal(line[0], '{');
}

static void test_manual_clock_stands_until_moved(void **state)
{
    (void)state;
    struct clock_manual m;
    clock_manual_init(&m, 5 * NS_PER_S);
    assert_int_equal(clock_unix_s(&m.clock), 5);
    int64_t mono = clock_mono_ns(&m.clock);
    clock_manual_advance(&m, 2 * NS_PER_S);
    assert_int_equal(clock_unix_s(&m.clock), 7);
    assert_int_equal(clock_mono_ns(&m.clock) - mono, 2 * NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimal_numbers),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_buf_bound_is_sticky),
        cmocka_unit_test(test_secret_buf_wipes_what_it_lets_go),
        cmocka_unit_test(test_arena_bound_and_reset),
        cmocka_unit_test(test_rng_replays_and_is_uniform),
        cmocka_unit_test(test_json_shapes),
        cmocka_unit_test(test_json_escapes_at_every_place),
        cmocka_unit_test(test_json_times),
        cmocka_unit_test(test_json_base64_lengths),
        cmocka_unit_test(test_base64_round_trips_and_refuses),
        cmocka_unit_test(test_json_doubles_read_back),
        cmocka_unit_test(test_json_negative_zero_stays_a_double),
        cmocka_unit_test(test_log_lines),
        cmocka_unit_test(test_manual_clock_stands_until_moved),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
