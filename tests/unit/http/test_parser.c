/* SPDX-License-Identifier: MIT
 * The parser against tests/vectors/http/requests.txt, in every kind of split, and against its
 * bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "http/parser.h"

enum { RANDOM_SPLITS = 20 };

static struct http_limits small_limits(void)
{
    struct http_limits limits = http_limits_default();
    limits.head_bytes_max = 1024;
    limits.target_bytes_max = 64;
    limits.headers_max = 8;
    return limits;
}

/* ---- the log of events ---- */

struct run {
    struct http_limits limits;
    struct request_head head;
    struct request_parser parser;
    struct buf log;
    bool begun, in_body, refused;
};

static void run_init(struct run *r)
{
    *r = (struct run){.limits = small_limits()};
    request_head_init(&r->head, &r->limits);
    buf_init(&r->log, 0);
}

static void run_free(struct run *r)
{
    request_head_free(&r->head);
    buf_free(&r->log);
}

static void log_slice_of(struct run *r, const char *before, struct slice s)
{
    buf_append_str(&r->log, before);
    buf_append(&r->log, s.data, s.len);
}

static void log_head(struct run *r)
{
    const struct http_request *q = &r->head.request;
    log_slice_of(r, "HEAD ", q->method);
    log_slice_of(r, " path=", q->path);
    log_slice_of(r, " query=", q->query);
    buf_printf(&r->log, " %s length=%d%s%s ", q->keep_alive ? "keep" : "close",
               (int)r->head.request.body_bytes, r->head.expects_continue ? " expects" : "",
               r->head.upgrade ? " upgrade" : "");
    for (size_t i = 0; i < q->n_headers; i++) {
        log_slice_of(r, "[", q->headers[i].name);
        log_slice_of(r, "=", q->headers[i].value);
        buf_append_str(&r->log, "]");
    }
    buf_append_str(&r->log, "\n");
}

static void log_event_of(struct run *r, enum request_event event, struct slice piece)
{
    if (event == REQUEST_BODY) {
        log_slice_of(r, r->in_body ? "" : "BODY ", piece);
        r->in_body = true;
        return;
    }
    if (r->in_body && event != REQUEST_MORE) {
        buf_append_str(&r->log, "\n");
        r->in_body = false;
    }
    if (event == REQUEST_HEAD)
        log_head(r);
    else if (event == REQUEST_COMPLETE)
        buf_append_str(&r->log, "COMPLETE\n");
    else if (event == REQUEST_REFUSED)
        buf_printf(&r->log, "REFUSED %d\n", r->parser.status);
}

/* As a server does: a parser for each request, none between them. */
static void run_feed(struct run *r, struct slice input)
{
    while (input.len > 0 && !r->refused) {
        if (!r->begun) {
            request_head_clear(&r->head, 0);
            request_parser_begin(&r->parser, &r->head, &r->limits);
            r->begun = true;
        }
        enum request_event event;
        do {
            struct slice piece = {0};
            event = request_parser_next(&r->parser, &input, &piece);
            log_event_of(r, event, piece);
        } while (event == REQUEST_HEAD || event == REQUEST_BODY);
        r->begun = event == REQUEST_MORE;
        r->refused = event == REQUEST_REFUSED;
        assert_true(event != REQUEST_MORE || input.len == 0);
        assert_true(event != REQUEST_REFUSED || (r->parser.status >= 400 && r->parser.reason));
    }
}

/* ---- the vectors ---- */

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

static void unescape(struct buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\\') {
            buf_append_byte(out, (uint8_t)text[i]);
            continue;
        }
        char c = text[++i];
        if (c == 'x') {
            buf_append_byte(out, (uint8_t)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
            i += 2;
        } else {
            buf_append_byte(out, c == 'r'   ? '\r'
                                 : c == 'n' ? '\n'
                                 : c == 't' ? '\t'
                                 : c == '0' ? 0
                                            : (uint8_t)c);
        }
    }
}

static void expect_log(struct run *r, const struct buf *expected, const char *name, const char *how,
                       uint64_t seed)
{
    if (!slice_eq(buf_slice(&r->log), buf_slice(expected)))
        fail_msg("%s, fed %s (TGREST_TEST_SEED=%llu):\n%.*sinstead of\n%.*s", name, how,
                 (unsigned long long)seed, (int)r->log.len, (const char *)r->log.data,
                 (int)expected->len, (const char *)expected->data);
}

/* Pieces are copied to their exact size, so that ASan sees a byte read outside of them. */
static void feed_copy(struct run *r, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len);
    assert_non_null(copy);
    memcpy(copy, data, len);
    run_feed(r, slice_of(copy, len));
    free(copy);
}

static void check_case(const char *name, const struct buf *input, const struct buf *expected,
                       struct rng *rng, uint64_t seed)
{
    for (int i = 0; i < 2 + RANDOM_SPLITS; i++) {
        struct run r;
        run_init(&r);
        for (size_t at = 0, n; at < input->len; at += n) {
            size_t left = input->len - at;
            n = i == 0 ? left : i == 1 ? 1 : 1 + (size_t)rng_below(rng, left);
            feed_copy(&r, input->data + at, n);
        }
        expect_log(&r, expected, name,
                   i == 0   ? "whole"
                   : i == 1 ? "byte by byte"
                            : "in random pieces",
                   seed);
        run_free(&r);
    }
}

static uint64_t test_seed(void)
{
    const char *text = getenv("TGREST_TEST_SEED");
    struct rng system;
    rng_init_system(&system);
    uint64_t seed = text ? strtoull(text, NULL, 10) : rng_u32(&system);
    print_message("TGREST_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

static void test_vectors(void **state)
{
    (void)state;
    FILE *f = fopen("tests/vectors/http/requests.txt", "r");
    assert_non_null(f);
    uint64_t seed = test_seed();
    struct rng rng;
    rng_init_seed(&rng, seed);
    char line[1024], name[128] = "";
    struct buf input, expected;
    buf_init(&input, 0);
    buf_init(&expected, 0);
    size_t cases = 0;
    bool more;
    do {
        more = fgets(line, sizeof line, f) != NULL;
        size_t len = more ? strcspn(line, "\n") : 0;
        if ((!more || strncmp(line, "== ", 3) == 0) && input.len > 0) {
            check_case(name, &input, &expected, &rng, seed);
            cases++;
            buf_clear(&input);
            buf_clear(&expected);
        }
        if (!more || len == 0 || line[0] == '#')
            continue;
        if (strncmp(line, "== ", 3) == 0) {
            snprintf(name, sizeof name, "%.*s", (int)len - 3, line + 3);
        } else if (strncmp(line, "-> ", 3) == 0) {
            unescape(&expected, line + 3, len - 3);
            buf_append_byte(&expected, '\n');
        } else {
            unescape(&input, line, len);
        }
    } while (more);
    fclose(f);
    buf_free(&input);
    buf_free(&expected);
    assert_true(cases > 80);
}

/* ---- the bounds ---- */

static int refusal_of(const char *front, const char *repeated, size_t times)
{
    struct run r;
    run_init(&r);
    run_feed(&r, slice_str(front));
    for (size_t i = 0; i < times && !r.refused; i++)
        run_feed(&r, slice_str(repeated));
    int status = r.refused ? r.parser.status : 0;
    assert_true(r.head.text.cap <= 2 * r.limits.head_bytes_max);
    run_free(&r);
    return status;
}

static void test_endless_parts_are_refused(void **state)
{
    (void)state;
#define POST_CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert_int_equal(refusal_of("", "\r\n", 1 << 20), 431);
    assert_int_equal(refusal_of("GET /", "a", 1 << 20), 414);
    assert_int_equal(refusal_of("GET / HTTP/1.1\r\nX: ", "a", 1 << 20), 431);
    assert_int_equal(refusal_of("GET / HTTP/1.1\r\nX: ", " ", 1 << 20), 431);
    assert_int_equal(refusal_of("GET / HTTP/1.1\r\n", "a", 1 << 20), 431);
    assert_int_equal(refusal_of("GET / HTTP/1.1\r\n", "a: b\r\n", 1 << 20), 431);
    assert_int_equal(refusal_of(POST_CHUNKED, "0", 1 << 20), 431);
    assert_int_equal(refusal_of(POST_CHUNKED "1;", "a", 1 << 20), 431);
    assert_int_equal(refusal_of(POST_CHUNKED "0\r\n", "a: b\r\n", 1 << 20), 431);
    assert_int_equal(refusal_of("G", "E", 1 << 20), 501);
}

static void test_chunk_bound_begins_anew_after_data(void **state)
{
    (void)state;
    assert_int_equal(refusal_of(POST_CHUNKED, "1\r\na\r\n", 10000), 0);
}

static void test_header_look_up_ignores_case(void **state)
{
    (void)state;
    struct http_header headers[] = {{slice_str("X-A"), slice_str("1")},
                                    {slice_str("x-a"), slice_str("2")},
                                    {slice_str("Empty"), slice_str("")}};
    struct http_request r = {.headers = headers, .n_headers = 3};
    assert_true(slice_is(http_header_get(&r, "x-A"), "1"));
    assert_non_null(http_header_get(&r, "empty").data);
    assert_null(http_header_get(&r, "X").data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_endless_parts_are_refused),
        cmocka_unit_test(test_chunk_bound_begins_anew_after_data),
        cmocka_unit_test(test_header_look_up_ignores_case),
    };
    return cmocka_run_group_tests_name("http_parser", tests, NULL, NULL);
}
