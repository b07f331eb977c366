/* SPDX-License-Identifier: MIT
 * What a client gets: answers, their order, their headers, and what a vanished client means. */
#include "harness.h"

#include <malloc.h>

static void test_answers_and_keeps_the_connection(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    for (int i = 0; i < 3; i++) {
        client_send(&c, "POST /now?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
        expect_echo(&w, &c, "POST /now hello", "");
    }
    assert_int_equal(w.counters->requests, 3);
    assert_int_equal(w.counters->connections_accepted, 1);
    assert_int_equal(w.counters->refused, 0);
    end(&w, &c);
}

static void test_date_follows_the_clock(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    client_send(&c, GET_NOW);
    expect_echo(&w, &c, "GET /now ", "");
    clock_manual_advance(&w.clock, 59 * NS_PER_S);
    client_send(&c, GET_NOW);
    expect_bytes(&w, &c, "HTTP/1.1 200 OK\r\nDate: Fri, 01 Mar 2024 00:00:59 GMT\r\n");
    end(&w, &c);
}

static void test_bytes_one_at_a_time(void **state)
{
    (void)state;
    static const char request[] =
        "POST /now HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    for (size_t i = 0; request[i]; i++) {
        assert_int_equal(write(c.fd, request + i, 1), 1);
        while (w.counters->bytes_in <= i)
            uv_run(&w.loop, UV_RUN_ONCE);
    }
    expect_echo(&w, &c, "POST /now abcde", "");
    end(&w, &c);
}

static void test_pipelined_answers_come_in_order(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    client_send(&c, GET_NOW GET_LATER GET_NOW "GET /later2 HTTP/1.1\r\nHost: a\r\n\r\n" GET_NOW);
    expect_echo(&w, &c, "GET /now ", "");
    await_waiting(&w, 1);
    assert_int_equal(w.counters->requests, 2);
    world_answer(&w);
    expect_echo(&w, &c, "GET /later ", "");
    expect_echo(&w, &c, "GET /now ", "");
    await_waiting(&w, 1);
    world_answer(&w);
    expect_echo(&w, &c, "GET /later2 ", "");
    expect_echo(&w, &c, "GET /now ", "");
    assert_int_equal(c.in.len, 0);
    end(&w, &c);
}

static void test_head_has_no_body(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    client_send(&c, "HEAD /now HTTP/1.1\r\nHost: a\r\n\r\n" GET_NOW);
    expect_bytes(&w, &c,
                 "HTTP/1.1 200 OK\r\nDate: " TEST_DATE "\r\nContent-Type: text/plain\r\n"
                 "Content-Length: 10\r\n\r\n");
    expect_echo(&w, &c, "GET /now ", "");
    end(&w, &c);
}

static void test_close_when_the_client_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        const char *connection;
        bool ends;
    } cases[] = {
        {"GET /now HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET_NOW,
         "Connection: close\r\n", true},
        {"GET /now HTTP/1.0\r\n\r\n", "Connection: close\r\n", true},
        {"GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "Connection: keep-alive\r\n",
         false},
    };
    struct world w;
    world_init(&w, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client c;
        client_pair(&c, &w);
        client_send(&c, cases[i].request);
        expect_echo(&w, &c, "GET /now ", cases[i].connection);
        if (cases[i].ends) {
            expect_end(&w, &c);
        } else {
            client_send(&c, GET_NOW);
            expect_echo(&w, &c, "GET /now ", "");
        }
        client_free(&c, &w);
        await_open(&w, 0);
    }
    world_free(&w);
}

static void test_continue_is_sent_to_who_waits_for_it(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
#define POST_EXPECTING                                                                             \
    "POST /now HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    client_send(&c, POST_EXPECTING);
    expect_bytes(&w, &c, "HTTP/1.1 100 Continue\r\n\r\n");
    client_send(&c, "hi");
    expect_echo(&w, &c, "POST /now hi", "");
    client_send(&c, POST_EXPECTING "hi");
    expect_echo(&w, &c, "POST /now hi", "");
    client_send(&c, "POST /now HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
                    "99999999\r\n\r\n");
    expect_refusal(&w, &c, 413);
    end(&w, &c);
}

static void test_large_answer_to_a_client_that_reads_late(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    world_init(&w, NULL);
    w.big_bytes = 5 * 1000 * 1000;
    client_pair(&c, &w);
    uv_poll_stop(&c.poll);
    client_send(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n" GET_NOW);
    while (w.counters->requests == 0)
        uv_run(&w.loop, UV_RUN_ONCE);
    client_listen(&c);
    expect_bytes(&w, &c,
                 "HTTP/1.1 200 OK\r\nDate: " TEST_DATE "\r\nContent-Length: 5000000\r\n\r\n");
    await_bytes(&w, &c, w.big_bytes);
    for (size_t i = 0; i < w.big_bytes; i++)
        if (c.in.data[i] != 'x')
            fail_msg("byte %zu is %d", i, c.in.data[i]);
    buf_drop_front(&c.in, w.big_bytes);
    expect_echo(&w, &c, "GET /now ", "");
    end(&w, &c);
}

static void test_headers_cannot_split_an_answer(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    client_send(&c, GET_LATER);
    await_waiting(&w, 1);
    struct http_header headers[] = {{slice_str("X-A"), slice_str("1\r\nX-Evil: 2")},
                                    {slice_str("X-B\n"), slice_str("1")},
                                    {slice_str("X-C"), slice_str("ok")}};
    w.n_waiting = 0;
    http_respond(w.waiting[0], 204, headers, 3, slice_str("dropped"));
    expect_bytes(&w, &c, "HTTP/1.1 204 No Content\r\nDate: " TEST_DATE "\r\nX-C: ok\r\n\r\n");
    client_send(&c, GET_NOW);
    expect_echo(&w, &c, "GET /now ", "");
    end(&w, &c);
}

static void test_answer_with_too_large_headers_keeps_its_framing(void **state)
{
    (void)state;
    enum { HUGE_BYTES = 100 * 1000 };
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    client_send(&c, GET_LATER);
    await_waiting(&w, 1);
    char *value = malloc(HUGE_BYTES);
    memset(value, 'v', HUGE_BYTES);
    struct http_header header = {slice_str("X-Huge"), slice_of(value, HUGE_BYTES)};
    w.n_waiting = 0;
    http_respond(w.waiting[0], 200, &header, 1, slice_str("ok"));
    free(value);
    expect_bytes(&w, &c, "HTTP/1.1 200 OK\r\nDate: " TEST_DATE "\r\nContent-Length: 2\r\n\r\nok");
    client_send(&c, GET_NOW);
    expect_echo(&w, &c, "GET /now ", "");
    end(&w, &c);
}

/* ---- clients that go ---- */

static void test_reset_client_is_gone_once(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin_tcp(&w, &c, NULL);
    client_send(&c, GET_LATER);
    await_waiting(&w, 1);
    client_reset(&c, &w);
    await_gone(&w, 1);
    await_open(&w, 0);
    assert_true(slice_is(http_exchange_request(w.waiting[0])->path, "/later"));
    world_answer(&w);
    assert_int_equal(w.gone, 1);
    world_free(&w);
}

static void test_half_closed_client_gets_its_answers(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    client_send(&c, GET_LATER GET_NOW);
    shutdown(c.fd, SHUT_WR);
    await_waiting(&w, 1);
    for (int i = 0; i < 10; i++)
        uv_run(&w.loop, UV_RUN_NOWAIT);
    world_answer(&w);
    expect_echo(&w, &c, "GET /later ", "");
    expect_bytes(&w, &c, "HTTP/1.1 200 OK\r\n");
    await_end(&w, &c);
    assert_true(c.eof);
    assert_int_equal(w.gone, 0);
    client_free(&c, &w);
    await_open(&w, 0);
    world_free(&w);
}

static void test_half_closed_client_is_gone_after_a_while(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.half_close_ms = 5;
    struct world w;
    struct client c;
    begin(&w, &c, &limits);
    client_send(&c, GET_LATER);
    shutdown(c.fd, SHUT_WR);
    await_gone(&w, 1);
    expect_end(&w, &c);
    end(&w, &c);
}

static void test_client_that_goes_within_a_request_is_no_request(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "GET", "GET / HTTP/1.1\r\nHost: a\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"};
    struct world w;
    world_init(&w, NULL);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct client c;
        client_pair(&c, &w);
        client_send(&c, parts[i]);
        shutdown(c.fd, SHUT_WR);
        expect_end(&w, &c);
        client_free(&c, &w);
        await_open(&w, 0);
    }
    assert_int_equal(w.counters->requests, 0);
    assert_int_equal(w.gone, 0);
    world_free(&w);
}

/* ---- cost ---- */

static void test_ten_thousand_requests_hold_no_more_memory(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    size_t before = 0;
    for (int i = 0; i < 10 * 1000; i++) {
        client_send(&c, "POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
        expect_echo(&w, &c, "POST /now hello", "");
        if (i == 100)
            before = mallinfo2().uordblks;
    }
    assert_int_equal(mallinfo2().uordblks, before);
    assert_int_equal(w.counters->requests, 10 * 1000);
    end(&w, &c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_and_keeps_the_connection),
        cmocka_unit_test(test_date_follows_the_clock),
        cmocka_unit_test(test_bytes_one_at_a_time),
        cmocka_unit_test(test_pipelined_answers_come_in_order),
        cmocka_unit_test(test_head_has_no_body),
        cmocka_unit_test(test_close_when_the_client_says_so),
        cmocka_unit_test(test_continue_is_sent_to_who_waits_for_it),
        cmocka_unit_test(test_large_answer_to_a_client_that_reads_late),
        cmocka_unit_test(test_headers_cannot_split_an_answer),
        cmocka_unit_test(test_answer_with_too_large_headers_keeps_its_framing),
        cmocka_unit_test(test_reset_client_is_gone_once),
        cmocka_unit_test(test_half_closed_client_gets_its_answers),
        cmocka_unit_test(test_half_closed_client_is_gone_after_a_while),
        cmocka_unit_test(test_client_that_goes_within_a_request_is_no_request),
        cmocka_unit_test(test_ten_thousand_requests_hold_no_more_memory),
    };
    return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
