/* SPDX-License-Identifier: MIT
 * What a client cannot do: send nonsense, too much, too slowly, from too many connections; and how
 * a server ends. */
#include "harness.h"

#include "http/connection.h"

static void test_refusals_reach_the_client_in_the_callers_shape(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n" GET_NOW, 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n" GET_NOW, 501},
        {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
        {"GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: a\r\n\r\n", 414},
        {"GET / HTTP/1.1\r\nHost: a\r\n1:\r\n2:\r\n3:\r\n4:\r\n\r\n", 431},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world", 413},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello "
         "world\r\n0\r\n\r\n",
         413},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nhello", 400},
    };
    struct http_limits limits = http_limits_default();
    limits.target_bytes_max = 32;
    limits.headers_max = 4;
    limits.body_bytes_max = 10;
    struct world w;
    world_init(&w, &limits);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client c;
        client_pair(&c, &w);
        client_send(&c, cases[i].request);
        expect_refusal(&w, &c, cases[i].status);
        client_free(&c, &w);
        await_open(&w, 0);
    }
    assert_int_equal(w.counters->requests, 0);
    assert_int_equal(w.counters->refused, sizeof cases / sizeof *cases);
    world_free(&w);
}

static void test_refused_head_request_gets_no_body(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    client_send(&c, "HEAD / HTTP/1.1\r\n\r\n");
    await_end(&w, &c);
    assert_true(c.eof);
    assert_memory_equal(c.in.data, "HTTP/1.1 400 ", 13);
    assert_memory_equal(c.in.data + c.in.len - 4, "\r\n\r\n", 4);
    end(&w, &c);
}

static void test_answers_before_a_bad_request_still_come(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    client_send(&c, GET_LATER "nonsense\r\n\r\n");
    await_waiting(&w, 1);
    world_answer(&w);
    expect_echo(&w, &c, "GET /later ", "");
    expect_refusal(&w, &c, 501);
    end(&w, &c);
}

/* Over TCP, where a close with unread bytes would reset the connection under the answer. */
static void test_refused_upload_is_read_until_the_client_has_the_answer(void **state)
{
    (void)state;
    enum { UPLOAD = 3 * 1000 * 1000 };
    struct world w;
    struct client c;
    begin_tcp(&w, &c, NULL);
    uv_poll_stop(&c.poll);
    client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
    char *piece = calloc(1, 65536);
    for (size_t sent = 0; sent < UPLOAD;) {
        ssize_t n = send(c.fd, piece, UPLOAD - sent < 65536 ? UPLOAD - sent : 65536, MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        uv_run(&w.loop, UV_RUN_NOWAIT);
    }
    free(piece);
    client_listen(&c);
    expect_refusal(&w, &c, 413);
    assert_non_null(strstr((const char *)c.in.data, "The limit is 1048576."));
    end(&w, &c);
}

static void test_pipelined_bytes_are_bounded(void **state)
{
    (void)state;
    enum { REQUESTS = 20000 };
    struct http_limits limits = http_limits_default();
    limits.pipelined_max = 4096;
    struct world w;
    struct client c;
    begin(&w, &c, &limits);
    uv_poll_stop(&c.poll);
    client_send(&c, GET_LATER);
    await_waiting(&w, 1);
    size_t len = strlen(GET_NOW), total = REQUESTS * len, sent = 0;
    char *requests = malloc(total + 1);
    for (size_t i = 0; i < REQUESTS; i++)
        memcpy(requests + i * len, GET_NOW, len + 1);
    for (int i = 0; i < 100; i++) {
        ssize_t n = send(c.fd, requests + sent, total - sent, MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        uv_run(&w.loop, UV_RUN_NOWAIT);
    }
    assert_true(sent < total);
    assert_int_equal(w.counters->bytes_in, strlen(GET_LATER) + limits.pipelined_max);
    client_listen(&c);
    world_answer(&w);
    while (w.counters->requests < 1 + REQUESTS) {
        ssize_t n = sent < total ? send(c.fd, requests + sent, total - sent, MSG_DONTWAIT) : 0;
        sent += n > 0 ? (size_t)n : 0;
        uv_run(&w.loop, sent < total ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    }
    await_bytes(&w, &c, (size_t)w.counters->bytes_out);
    free(requests);
    end(&w, &c);
}

/* The socket is not read when the last answer is given, yet the client must not see a reset. */
static void test_flood_behind_the_last_request_does_not_cost_its_answer(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.pipelined_max = 4096;
    struct world w;
    struct client c;
    begin_tcp(&w, &c, &limits);
    uv_poll_stop(&c.poll);
    client_send(&c, "GET /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await_waiting(&w, 1);
    char *flood = calloc(1, 60000);
    assert_int_equal(write(c.fd, flood, 60000), 60000);
    free(flood);
    uint64_t before = w.counters->bytes_in;
    while (w.counters->bytes_in < before + limits.pipelined_max)
        uv_run(&w.loop, UV_RUN_ONCE);
    world_answer(&w);
    while (w.counters->bytes_in < before + 60000)
        uv_run(&w.loop, UV_RUN_ONCE);
    client_listen(&c);
    expect_echo(&w, &c, "GET /later ", "Connection: close\r\n");
    expect_end(&w, &c);
    end(&w, &c);
}

/* ---- slowness ---- */

static void test_slow_head_and_body_are_told_so(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"};
    struct http_limits limits = http_limits_default();
    limits.head_timeout_ms = limits.body_timeout_ms = 5;
    struct world w;
    world_init(&w, &limits);
    for (size_t i = 0; i < 2; i++) {
        struct client c;
        client_pair(&c, &w);
        client_send(&c, parts[i]);
        expect_refusal(&w, &c, 408);
        client_free(&c, &w);
        await_open(&w, 0);
    }
    world_free(&w);
}

static void test_dripping_does_not_prolong_the_head(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.head_timeout_ms = 10;
    limits.head_bytes_max = 64 * 1024; /* not reached, a byte a turn of the loop */
    struct world w;
    struct client c;
    begin(&w, &c, &limits);
    client_send(&c, "GET / HTTP/1.1\r\nX: ");
    while (!c.eof && c.in.len == 0) {
        (void)!send(c.fd, "a", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        uv_run(&w.loop, UV_RUN_ONCE);
        assert_int_equal(w.counters->requests, 0);
    }
    shutdown(c.fd, SHUT_WR);
    expect_refusal(&w, &c, 408);
    end(&w, &c);
}

static void test_idle_connection_is_closed_quietly(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.idle_timeout_ms = IDLE_MS;
    struct world w;
    struct client fresh, used;
    begin(&w, &fresh, &limits);
    client_pair(&used, &w);
    client_send(&used, GET_NOW);
    expect_echo(&w, &used, "GET /now ", "");
    expect_end(&w, &fresh);
    expect_end(&w, &used);
    client_free(&fresh, &w);
    end(&w, &used);
}

static void test_client_that_does_not_read_is_closed(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.write_timeout_ms = 5;
    struct world w;
    struct client c;
    world_init(&w, &limits);
    w.big_bytes = 5 * 1000 * 1000;
    client_pair(&c, &w);
    uv_poll_stop(&c.poll);
    client_send(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    while (w.counters->requests == 0)
        uv_run(&w.loop, UV_RUN_ONCE);
    await_open(&w, 0);
    end(&w, &c);
}

static void test_client_that_reads_slowly_gets_its_answer(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.write_timeout_ms = STILL_MS;
    struct world w;
    struct client c;
    uv_timer_t sip;
    world_init(&w, &limits);
    w.big_bytes = SIPS * SIP_BYTES;
    client_pair(&c, &w);
    uv_poll_stop(&c.poll);
    client_send(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    uv_timer_init(&w.loop, &sip);
    sip.data = &c;
    uv_timer_start(&sip, on_sip, SIP_MS, SIP_MS);
    await_bytes(&w, &c, w.big_bytes);
    uv_close((uv_handle_t *)&sip, NULL);
    end(&w, &c);
}

static void test_waiting_for_the_caller_has_no_timeout(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.body_timeout_ms = limits.write_timeout_ms = 2;
    limits.head_timeout_ms = limits.idle_timeout_ms = IDLE_MS; /* a head is to arrive in time */
    struct world w;
    struct client c, other;
    begin(&w, &c, &limits);
    client_send(&c, GET_LATER);
    await_waiting(&w, 1);
    client_pair(&other, &w);
    expect_end(&w, &other); /* so the idle time has passed */
    world_answer(&w);
    expect_echo(&w, &c, "GET /later ", "");
    client_free(&c, &w);
    end(&w, &other);
}

/* ---- many connections ---- */

static void test_too_many_connections_are_told_so(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.connections_max = 2;
    struct world w;
    struct client a, b, c;
    begin(&w, &a, &limits);
    client_pair(&b, &w);
    client_pair(&c, &w);
    client_send(&c, GET_NOW);
    await_end(&w, &c);
    buf_append(&c.in, "", 1);
    assert_non_null(strstr((const char *)c.in.data, "\r\nRetry-After: 1\r\n"));
    assert_non_null(strstr((const char *)c.in.data, "\r\nX-Refused: yes\r\n"));
    c.in.len--;
    expect_refusal(&w, &c, 503);
    client_send(&a, GET_NOW);
    expect_echo(&w, &a, "GET /now ", "");
    client_free(&c, &w);
    client_free(&b, &w);
    await_open(&w, 1);
    client_pair(&b, &w);
    client_send(&b, GET_NOW);
    expect_echo(&w, &b, "GET /now ", "");
    client_free(&a, &w);
    end(&w, &b);
}

static void test_listens_on_both_families_and_shares_ports(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    struct world w, v;
    struct client c;
    int port = 0, again = 0;
    char address[64];
    world_init(&w, &limits);
    world_init(&v, &limits);
    assert_int_equal(http_server_listen(w.server, "127.0.0.1:0", true, &port), 0);
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    assert_int_equal(http_server_listen(v.server, address, true, &again), 0);
    assert_int_equal(port, again);
    assert_int_equal(http_server_listen(v.server, address, false, &again), UV_EADDRINUSE);
    int rc = http_server_listen(w.server, "[::1]:0", false, &again);
    assert_true((rc == 0 && again > 0) || rc == UV_EADDRNOTAVAIL || rc == UV_EAFNOSUPPORT);
    static const char *const bad[] = {
        "",       "127.0.0.1", "127.0.0.1:",   "127.0.0.1:65536", "127.0.0.1:-1",
        "::1:80", "[::1:80",   "localhost:80", "[]:80",           "1.2.3.4:8x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(http_server_listen(w.server, bad[i], false, &again), 0);
    world_free(&v);
    client_tcp(&c, &w, port);
    client_send(&c, GET_NOW);
    expect_echo(&w, &c, "GET /now ", "");
    end(&w, &c);
}

/* ---- ends ---- */

static void test_drain_ends_connections_with_their_answers(void **state)
{
    (void)state;
    struct world w;
    struct client idle, open, half;
    int port = 0;
    world_init(&w, NULL);
    assert_int_equal(http_server_listen(w.server, "127.0.0.1:0", false, &port), 0);
    client_tcp(&idle, &w, port);
    client_tcp(&open, &w, port);
    client_tcp(&half, &w, port);
    client_send(&idle, GET_NOW);
    expect_echo(&w, &idle, "GET /now ", "");
    client_send(&half, "GET /now HTTP/1.1\r\n");
    client_send(&open, GET_LATER);
    await_waiting(&w, 1);
    while (w.counters->bytes_in < strlen(GET_NOW GET_LATER "GET /now HTTP/1.1\r\n"))
        uv_run(&w.loop, UV_RUN_ONCE);
    http_server_drain(w.server);
    expect_end(&w, &idle);
    assert_false(http_server_idle(w.server));
    client_send(&half, "Host: a\r\n\r\n");
    expect_echo(&w, &half, "GET /now ", "Connection: close\r\n");
    expect_end(&w, &half);
    world_answer(&w);
    expect_echo(&w, &open, "GET /later ", "Connection: close\r\n");
    expect_end(&w, &open);
    client_free(&idle, &w);
    client_free(&half, &w);
    client_free(&open, &w);
    await_open(&w, 0);
    assert_true(http_server_idle(w.server));
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), -1);
    close(fd);
    world_free(&w);
}

static void test_close_waits_for_open_exchanges(void **state)
{
    (void)state;
    struct world w;
    struct client c, writing;
    world_init(&w, NULL);
    w.big_bytes = 5 * 1000 * 1000;
    client_pair(&c, &w);
    client_pair(&writing, &w);
    uv_poll_stop(&writing.poll);
    client_send(&writing, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    client_send(&c, GET_LATER GET_NOW);
    await_waiting(&w, 1);
    while (w.counters->requests < 2)
        uv_run(&w.loop, UV_RUN_ONCE);
    http_server_close(w.server, on_closed, &w);
    assert_int_equal(w.gone, 1);
    expect_end(&w, &c);
    for (int i = 0; i < 10; i++)
        uv_run(&w.loop, UV_RUN_NOWAIT);
    assert_false(w.closed);
    client_free(&c, &w);
    client_free(&writing, &w);
    world_end(&w);
}

/* ---- secrets ---- */

/* Nothing of a request may lie about once it is answered: it holds session strings and passwords.
 */
static void test_what_a_request_held_is_wiped(void **state)
{
    (void)state;
    static const char secret[] = "correct-horse-battery";
    struct world w;
    struct client c;
    struct http_limits limits = http_limits_default();
    world_init(&w, &limits);
    client_pair(&c, &w);
    for (int i = 0; i < 2; i++) { /* the second comes while the first is answered */
        client_send(&c, "GET /later HTTP/1.1\r\nHost: a\r\nX-Session-String: correct-horse-battery"
                        "\r\n\r\n");
        client_send(&c, "POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 21\r\n\r\n"
                        "correct-horse-battery");
    }
    for (int i = 0; i < 2; i++) {
        while (w.n_waiting == 0)
            uv_run(&w.loop, UV_RUN_ONCE);
        settle(&w);
        world_answer(&w);
        expect_echo(&w, &c, "GET /later ", "");
        expect_echo(&w, &c, "POST /now correct-horse-battery", "");
    }
    settle(&w);
    const struct http_server *s = w.server;
    const struct connection *idle = s->queues[CONNECTION_IDLE].first;
    assert_non_null(s->pool);
    assert_non_null(idle);
    assert_null(memmem(s->read_buffer, sizeof s->read_buffer, secret, sizeof secret - 1));
    assert_int_equal(idle->pending.cap, 0);
    for (const struct http_exchange *x = s->pool; x; x = x->next) {
        const struct buf *const kept[] = {&x->head.text, &x->body};
        for (size_t i = 0; i < 2; i++)
            assert_true(kept[i]->cap == 0 || !memmem(kept[i]->data, kept[i]->cap, "correct", 7));
    }
    client_free(&c, &w);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_request_held_is_wiped),
        cmocka_unit_test(test_refusals_reach_the_client_in_the_callers_shape),
        cmocka_unit_test(test_refused_head_request_gets_no_body),
        cmocka_unit_test(test_answers_before_a_bad_request_still_come),
        cmocka_unit_test(test_refused_upload_is_read_until_the_client_has_the_answer),
        cmocka_unit_test(test_pipelined_bytes_are_bounded),
        cmocka_unit_test(test_flood_behind_the_last_request_does_not_cost_its_answer),
        cmocka_unit_test(test_slow_head_and_body_are_told_so),
        cmocka_unit_test(test_dripping_does_not_prolong_the_head),
        cmocka_unit_test(test_idle_connection_is_closed_quietly),
        cmocka_unit_test(test_client_that_does_not_read_is_closed),
        cmocka_unit_test(test_client_that_reads_slowly_gets_its_answer),
        cmocka_unit_test(test_waiting_for_the_caller_has_no_timeout),
        cmocka_unit_test(test_too_many_connections_are_told_so),
        cmocka_unit_test(test_listens_on_both_families_and_shares_ports),
        cmocka_unit_test(test_drain_ends_connections_with_their_answers),
        cmocka_unit_test(test_close_waits_for_open_exchanges),
    };
    return cmocka_run_group_tests_name("http_server_bounds", tests, NULL, NULL);
}
