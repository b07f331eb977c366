/* SPDX-License-Identifier: MIT
 * Answers in pieces: their framing, readers that are slow or leave, and what they may cost. */
#include "harness.h"

#include <malloc.h>

#define DOWN       "GET /down HTTP/1.1\r\nHost: a\r\n\r\n"
#define DOWN_1_0   "GET /down HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
#define DOWN_HEAD  "HEAD /down HTTP/1.1\r\nHost: a\r\n\r\n"
#define ANSWER     "HTTP/1.1 200 OK\r\nDate: " TEST_DATE "\r\nContent-Type: text/plain\r\n"
#define LAST_CHUNK "0\r\n\r\n"

static void promise(struct world *w, size_t n)
{
    w->download.total = n;
    w->download.promised = (int64_t)n;
}

static void expect_pattern(struct world *w, struct client *c, size_t from, size_t n)
{
    await_bytes(w, c, n);
    for (size_t i = 0; i < n; i++)
        if (c->in.data[i] != (uint8_t)((from + i) % 251))
            fail_msg("byte %zu is %d", from + i, c->in.data[i]);
    buf_drop_front(&c->in, n);
}

static void expect_chunks(struct world *w, struct client *c, size_t total, size_t piece)
{
    char line[32];
    for (size_t at = 0; at < total; at += piece) {
        size_t n = total - at < piece ? total - at : piece;
        snprintf(line, sizeof line, "%zx\r\n", n);
        expect_bytes(w, c, line);
        expect_pattern(w, c, at, n);
        expect_bytes(w, c, "\r\n");
    }
    expect_bytes(w, c, LAST_CHUNK);
}

static void test_framing_and_keep_alive(void **state)
{
    (void)state;
    enum { TOTAL = 1000 };
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    promise(&w, TOTAL);
    w.download.piece = 7;
    client_send(&c, DOWN DOWN_HEAD DOWN);
    expect_bytes(&w, &c, ANSWER "Content-Length: 1000\r\n\r\n");
    expect_pattern(&w, &c, 0, TOTAL);
    expect_bytes(&w, &c, ANSWER "Content-Length: 1000\r\n\r\n");
    expect_bytes(&w, &c, ANSWER "Content-Length: 1000\r\n\r\n");
    expect_pattern(&w, &c, 0, TOTAL);
    w.download.promised = -1;
    client_send(&c, DOWN DOWN_HEAD);
    expect_bytes(&w, &c, ANSWER "Transfer-Encoding: chunked\r\n\r\n");
    expect_chunks(&w, &c, TOTAL, 7);
    expect_bytes(&w, &c, ANSWER "Transfer-Encoding: chunked\r\n\r\n");
    promise(&w, 0);
    client_send(&c, DOWN GET_NOW);
    expect_bytes(&w, &c, ANSWER "Content-Length: 0\r\n\r\n");
    expect_echo(&w, &c, "GET /now ", "");
    w.download.promised = -1;
    client_send(&c, DOWN GET_NOW);
    expect_bytes(&w, &c, ANSWER "Transfer-Encoding: chunked\r\n\r\n" LAST_CHUNK);
    expect_echo(&w, &c, "GET /now ", "");
    assert_int_equal(w.counters->connections_accepted, 1);
    end(&w, &c);
}

static void test_old_clients_get_a_length_or_the_end(void **state)
{
    (void)state;
    enum { TOTAL = 1000 };
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    promise(&w, TOTAL);
    client_send(&c, DOWN_1_0);
    expect_bytes(&w, &c, ANSWER "Content-Length: 1000\r\nConnection: keep-alive\r\n\r\n");
    expect_pattern(&w, &c, 0, TOTAL);
    w.download.promised = -1;
    client_send(&c, DOWN_1_0);
    expect_bytes(&w, &c, ANSWER "Connection: close\r\n\r\n");
    expect_pattern(&w, &c, 0, TOTAL);
    expect_end(&w, &c);
    end(&w, &c);
}

/* ---- too much, too little ---- */

static void test_surplus_is_dropped(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    w.download.total = 1000;
    w.download.promised = 900;
    w.download.piece = 256;
    client_send(&c, DOWN GET_NOW);
    expect_bytes(&w, &c, ANSWER "Content-Length: 900\r\n\r\n");
    expect_pattern(&w, &c, 0, 900);
    expect_echo(&w, &c, "GET /now ", "");
    end(&w, &c);
}

/* Over TCP, for the reset to be seen. */
static void test_part_of_an_answer_ends_in_a_reset(void **state)
{
    (void)state;
    static const struct {
        int64_t promised;
        bool abort;
    } cases[] = {{1001, false}, {1000, true}, {-1, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        struct client c;
        begin_tcp(&w, &c, NULL);
        w.download.total = 1000;
        w.download.promised = cases[i].promised;
        w.download.abort = cases[i].abort;
        client_send(&c, DOWN);
        await_end(&w, &c);
        assert_true(c.reset);
        assert_int_equal(w.gone, 0);
        end(&w, &c);
    }
}

/* ---- slow readers ---- */

static void test_slow_reader_costs_no_more_than_the_bound(void **state)
{
    (void)state;
    enum { TOTAL = 20 * 1000 * 1000, PIECE = 64 * 1024, LITTLE = 100 };
    for (int chunked = 0; chunked < 2; chunked++) {
        struct http_limits limits = http_limits_default();
        limits.stream_high_bytes = 256 * 1024;
        limits.stream_low_bytes = 64 * 1024;
        struct world w;
        struct client c;
        begin(&w, &c, &limits);
        w.download.total = TOTAL;
        w.download.promised = chunked ? -1 : TOTAL;
        w.download.piece = PIECE;
        uv_poll_stop(&c.poll);
        size_t before = mallinfo2().uordblks;
        client_send(&c, DOWN GET_NOW);
        while (w.download.waits == 0)
            uv_run(&w.loop, UV_RUN_ONCE);
        settle(&w);
        size_t bound = limits.stream_high_bytes + PIECE;
        int socket_bytes;
        socklen_t len = sizeof socket_bytes;
        getsockopt(c.fd, SOL_SOCKET, SO_SNDBUF, &socket_bytes, &len);
        assert_true(mallinfo2().uordblks < before + bound + 8 * PIECE);
        assert_true(w.download.written < bound + 4 * (size_t)socket_bytes);
        assert_int_equal(w.download.writables, 0);
        client_listen(&c);
        expect_bytes(&w, &c, ANSWER);
        expect_bytes(&w, &c,
                     chunked ? "Transfer-Encoding: chunked\r\n\r\n"
                             : "Content-Length: 20000000\r\n\r\n");
        if (chunked)
            expect_chunks(&w, &c, TOTAL, PIECE);
        else
            expect_pattern(&w, &c, 0, TOTAL);
        assert_int_equal(w.download.writables, w.download.waits);
        expect_echo(&w, &c, "GET /now ", "");
        end(&w, &c);
    }
}

/* The loop is not the download's alone, even where the socket takes all that is written. */
static void test_others_are_served_meanwhile(void **state)
{
    (void)state;
    enum { TOTAL = 100 * 1000, TURN = 10 * 1000 };
    struct http_limits limits = http_limits_default();
    limits.stream_turn_bytes = TURN;
    struct world w;
    struct client c, other;
    begin(&w, &c, &limits);
    client_pair(&other, &w);
    promise(&w, TOTAL);
    w.download.piece = 1000;
    client_send(&c, DOWN GET_NOW);
    client_send(&other, GET_NOW);
    expect_echo(&w, &other, "GET /now ", "");
    assert_true(w.download.written < TOTAL);
    expect_bytes(&w, &c, ANSWER "Content-Length: 100000\r\n\r\n");
    expect_pattern(&w, &c, 0, TOTAL);
    expect_echo(&w, &c, "GET /now ", "");
    assert_int_equal(w.download.writables, TOTAL / TURN - 1);
    client_free(&other, &w);
    end(&w, &c);
}

static void test_reader_with_progress_may_go_on_and_one_without_is_gone(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.write_timeout_ms = STILL_MS;
    struct world w;
    struct client c;
    uv_timer_t sip;
    begin(&w, &c, &limits);
    w.download.total = 2 * SIPS * SIP_BYTES;
    uv_poll_stop(&c.poll);
    client_send(&c, DOWN);
    uv_timer_init(&w.loop, &sip);
    sip.data = &c;
    uv_timer_start(&sip, on_sip, SIP_MS, SIP_MS);
    await_bytes(&w, &c, SIPS * SIP_BYTES);
    assert_int_equal(w.gone, 0);
    uv_close((uv_handle_t *)&sip, NULL);
    await_gone(&w, 1);
    await_open(&w, 0);
    end(&w, &c);
}

static void test_waiting_for_the_caller_has_no_timeout(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.write_timeout_ms = limits.body_timeout_ms = 2;
    limits.idle_timeout_ms = IDLE_MS;
    struct world w;
    struct client c, other;
    begin(&w, &c, &limits);
    w.download.hold = true;
    promise(&w, 3);
    client_send(&c, DOWN);
    expect_bytes(&w, &c, ANSWER "Content-Length: 3\r\n\r\n");
    client_pair(&other, &w);
    expect_end(&w, &other); /* so that time has passed */
    assert_int_equal(w.gone, 0);
    download_on(&w);
    expect_pattern(&w, &c, 0, 3);
    client_free(&other, &w);
    end(&w, &c);
}

/* ---- readers that leave ---- */

static void test_client_that_resets_is_gone_with_and_without_a_queue(void **state)
{
    (void)state;
    for (int hold = 0; hold < 2; hold++) {
        struct world w;
        struct client c;
        begin_tcp(&w, &c, NULL);
        uv_poll_stop(&c.poll);
        w.download.hold = hold;
        w.download.total = 100 * 1000 * 1000;
        client_send(&c, DOWN);
        while (!w.download.x || (!hold && w.download.waits == 0))
            uv_run(&w.loop, UV_RUN_ONCE);
        client_reset(&c, &w);
        await_gone(&w, 1);
        await_open(&w, 0);
        assert_int_equal(w.gone, 1);
        world_free(&w);
    }
}

/* A write finds it out before the loop does: it is not told in the caller's frame. */
static void test_write_to_a_gone_client_is_told_by_the_loop(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    w.download.hold = true;
    w.download.total = 10;
    client_send(&c, DOWN);
    while (!w.download.x)
        uv_run(&w.loop, UV_RUN_ONCE);
    uv_poll_stop(&c.poll);
    shutdown(c.fd, SHUT_RD);
    assert_false(http_stream_write(w.download.x, slice_str("hello")));
    assert_false(http_stream_write(w.download.x, slice_str("hello")));
    assert_int_equal(w.gone, 0);
    assert_false(http_exchange_gone(w.download.x));
    await_gone(&w, 1);
    end(&w, &c);
}

static void test_broken_stream_may_be_ended_at_once(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    w.download.hold = true;
    client_send(&c, DOWN);
    while (!w.download.x)
        uv_run(&w.loop, UV_RUN_ONCE);
    uv_poll_stop(&c.poll);
    shutdown(c.fd, SHUT_RD);
    assert_false(http_stream_write(w.download.x, slice_str("hello")));
    http_stream_end(w.download.x, true);
    w.download.x = NULL;
    await_open(&w, 0);
    assert_int_equal(w.gone, 0);
    end(&w, &c);
}

static void test_half_closed_client_reads_on(void **state)
{
    (void)state;
    enum { TOTAL = 3 * 1000 * 1000 };
    struct http_limits limits = http_limits_default();
    limits.half_close_ms = 2;
    limits.idle_timeout_ms = IDLE_MS;
    struct world w;
    struct client c, other;
    begin(&w, &c, &limits);
    w.download.hold = true;
    promise(&w, TOTAL);
    client_send(&c, DOWN);
    expect_bytes(&w, &c, ANSWER "Content-Length: 3000000\r\n\r\n");
    shutdown(c.fd, SHUT_WR);
    client_pair(&other, &w);
    expect_end(&w, &other); /* so that time has passed */
    w.download.hold = false;
    download_on(&w);
    expect_pattern(&w, &c, 0, TOTAL);
    expect_end(&w, &c);
    assert_int_equal(w.gone, 0);
    client_free(&other, &w);
    end(&w, &c);
}

/* ---- beside a body, and at the end ---- */

/* An answer that begins while its request's body arrives: the body is read past. */
static void test_answer_streamed_within_the_body(void **state)
{
    (void)state;
    enum { BODY = 2 * 1000 * 1000 };
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    w.upload.pause = w.upload.hold = w.download.hold = true;
    client_send(&c, "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\nhi");
    while (!w.upload.x)
        uv_run(&w.loop, UV_RUN_ONCE);
    struct http_exchange *x = w.upload.x;
    w.upload.x = NULL;
    promise(&w, 3);
    download_begin(&w, x);
    char *body = calloc(1, BODY);
    for (size_t sent = 2; sent < BODY;) {
        ssize_t n = send(c.fd, body + sent, BODY - sent, MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        uv_run(&w.loop, UV_RUN_NOWAIT);
    }
    free(body);
    client_send(&c, GET_NOW);
    download_on(&w);
    expect_bytes(&w, &c, ANSWER "Content-Length: 3\r\nConnection: close\r\n\r\n");
    expect_pattern(&w, &c, 0, 3);
    expect_end(&w, &c);
    assert_int_equal(w.upload.pieces, 0);
    assert_int_equal(w.counters->requests, 1);
    end(&w, &c);
}

static void test_download_outlives_a_drain(void **state)
{
    (void)state;
    enum { TOTAL = 3 * 1000 * 1000 };
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    promise(&w, TOTAL);
    client_send(&c, DOWN);
    while (w.download.waits == 0)
        uv_run(&w.loop, UV_RUN_ONCE);
    http_server_drain(w.server);
    expect_bytes(&w, &c, ANSWER "Content-Length: 3000000\r\n\r\n");
    expect_pattern(&w, &c, 0, TOTAL);
    expect_end(&w, &c);
    end(&w, &c);
}

static void test_close_breaks_downloads_off(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    w.download.total = 100 * 1000 * 1000;
    uv_poll_stop(&c.poll);
    client_send(&c, DOWN);
    while (w.download.waits == 0)
        uv_run(&w.loop, UV_RUN_ONCE);
    http_server_close(w.server, on_closed, &w);
    assert_int_equal(w.gone, 1);
    client_free(&c, &w);
    world_end(&w);
}

static void test_pieces_that_the_socket_takes_cost_no_memory(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    w.download.hold = true;
    client_send(&c, DOWN);
    expect_bytes(&w, &c, ANSWER "Transfer-Encoding: chunked\r\n\r\n");
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 10 * 1000; i++) {
        assert_true(http_stream_write(w.download.x, slice_str("hello")));
        expect_bytes(&w, &c, "5\r\nhello\r\n");
    }
    assert_int_equal(mallinfo2().uordblks, before);
    http_stream_end(w.download.x, true);
    w.download.x = NULL;
    expect_bytes(&w, &c, LAST_CHUNK);
    end(&w, &c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing_and_keep_alive),
        cmocka_unit_test(test_old_clients_get_a_length_or_the_end),
        cmocka_unit_test(test_surplus_is_dropped),
        cmocka_unit_test(test_part_of_an_answer_ends_in_a_reset),
        cmocka_unit_test(test_slow_reader_costs_no_more_than_the_bound),
        cmocka_unit_test(test_others_are_served_meanwhile),
        cmocka_unit_test(test_reader_with_progress_may_go_on_and_one_without_is_gone),
        cmocka_unit_test(test_waiting_for_the_caller_has_no_timeout),
        cmocka_unit_test(test_client_that_resets_is_gone_with_and_without_a_queue),
        cmocka_unit_test(test_write_to_a_gone_client_is_told_by_the_loop),
        cmocka_unit_test(test_broken_stream_may_be_ended_at_once),
        cmocka_unit_test(test_half_closed_client_reads_on),
        cmocka_unit_test(test_answer_streamed_within_the_body),
        cmocka_unit_test(test_download_outlives_a_drain),
        cmocka_unit_test(test_close_breaks_downloads_off),
        cmocka_unit_test(test_pieces_that_the_socket_takes_cost_no_memory),
    };
    return cmocka_run_group_tests_name("http_downloads", tests, NULL, NULL);
}
