/* SPDX-License-Identifier: MIT
 * Prefer: wait=N, in the ways that RFC 7240 allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/prefer.h"

/* Exactly its bytes, so that reading past them is seen. */
static int64_t wait_of(const char *first, const char *second)
{
    size_t n = strlen(first);
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, first, n);
    const struct http_header headers[] = {
        {slice_str("Accept"), slice_str("wait=99")},
        {slice_str("prefer"), slice_of(copy, n)},
        {slice_str("Prefer"), slice_str(second)},
    };
    const struct http_request request = {.headers = headers, .n_headers = 3};
    int64_t seconds = prefer_wait_s(&request);
    free(copy);
    return seconds;
}

static void waits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"wait=5", 5},
        {"Wait=5", 5},
        {"wait=0", 0},
        {"wait=\"5\"", 5},
        {"wait = 5", 5},
        {"wait=5; x=y", 5},
        {"wait=5;x", 5},
        {"respond-async, wait=5", 5},
        {"respond-async,\twait=5", 5},
        {",, wait=5,", 5},
        {"wait=5, wait=6", 5},
        {"wait=soon, wait=6", 6},
        {"handling=\"a, wait=7\", wait=5", 5},
        {"wait=9223372036854775807", INT64_MAX},
        {"", PREFER_NO_WAIT},
        {"wait", PREFER_NO_WAIT},
        {"wait=", PREFER_NO_WAIT},
        {"wait=-5", PREFER_NO_WAIT},
        {"wait=5s", PREFER_NO_WAIT},
        {"wait=1.5", PREFER_NO_WAIT},
        {"await=5", PREFER_NO_WAIT},
        {"respond-async; wait=5", PREFER_NO_WAIT},
        {"wait=\"5", PREFER_NO_WAIT},
        {"wait=9223372036854775808", PREFER_NO_WAIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t seconds = wait_of(rows[i].text, "");
        if (seconds != rows[i].seconds)
            fail_msg("%s: %lld", rows[i].text, (long long)seconds);
    }
}

static void several_headers(void **state)
{
    (void)state;
    assert_int_equal(wait_of("respond-async", "wait=4"), 4);
    assert_int_equal(wait_of("wait=3", "wait=4"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits),
        cmocka_unit_test(several_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
