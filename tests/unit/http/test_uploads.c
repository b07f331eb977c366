/* SPDX-License-Identifier: MIT
 * Bodies given on in pieces: however they are cut, paused, refused or broken off. */
#include "harness.h"

#include <malloc.h>

#define UP_HEAD "POST /up HTTP/1.1\r\nHost: a\r\n"
#define ANSWER  "HTTP/1.1 200 OK\r\nDate: " TEST_DATE "\r\n"

static const struct {
    const char *request;
    const char *body;
} whole[] = {
    {UP_HEAD "Content-Length: 5\r\n\r\nhello", "hello"},
    {UP_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: x\r\n\r\n",
     "abcde"},
    {UP_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""},
    {"POST /up HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", "hi"},
};
enum { WHOLE = sizeof whole / sizeof *whole };

static void expect_body(struct world *w, struct client *c, const char *body, const char *connection)
{
    char answer[256];
    snprintf(answer, sizeof answer, ANSWER "Content-Length: %zu\r\n%s\r\n%s", strlen(body),
             connection, body);
    expect_bytes(w, c, answer);
}

/* Sent in pieces of `step` bytes, each seen by the server before the next; resumed when paused. */
static void upload_in_steps(struct world *w, struct client *c, size_t which, size_t step)
{
    const char *request = whole[which].request;
    size_t len = strlen(request), ends = w->upload.ends;
    uint64_t before = w->counters->bytes_in;
    for (size_t at = 0; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        assert_int_equal(write(c->fd, request + at, n), (ssize_t)n);
        while (w->counters->bytes_in < before + at + n) {
            uv_run(&w->loop, UV_RUN_ONCE);
            if (w->upload.x)
                http_body_resume(w->upload.x);
        }
    }
    while (w->upload.ends == ends) {
        uv_run(&w->loop, UV_RUN_ONCE);
        if (w->upload.x)
            http_body_resume(w->upload.x);
    }
    expect_body(w, c, whole[which].body, which == 3 ? "Connection: keep-alive\r\n" : "");
}

static void test_bodies_arrive_however_they_are_cut(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    for (int pause = 0; pause < 2; pause++) {
        w.upload.pause = pause == 1;
        for (size_t i = 0; i < WHOLE; i++)
            for (size_t step = 1; step <= strlen(whole[i].request); step++)
                upload_in_steps(&w, &c, i, step);
    }
    assert_int_equal(w.counters->connections_accepted, 1);
    assert_int_equal(w.gone, 0);
    end(&w, &c);
}

static void test_requests_behind_a_streamed_body_are_answered(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    client_send(&c, UP_HEAD "Content-Length: 2\r\n\r\nhi" GET_NOW UP_HEAD
                            "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" GET_NOW);
    expect_body(&w, &c, "hi", "");
    expect_echo(&w, &c, "GET /now ", "");
    expect_body(&w, &c, "a", "");
    expect_echo(&w, &c, "GET /now ", "");
    end(&w, &c);
}

static void test_no_limit_of_buffered_bodies_holds(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.body_bytes_max = 4;
    struct world w;
    struct client c;
    begin(&w, &c, &limits);
    client_send(&c, UP_HEAD "Content-Length: 5\r\n\r\nhello");
    expect_body(&w, &c, "hello", "");
    client_send(&c, "POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    expect_refusal(&w, &c, 413);
    end(&w, &c);
}

/* ---- flow ---- */

/* What a paused body costs: one read. The rest stays with the client. */
static void test_paused_body_is_not_read(void **state)
{
    (void)state;
    enum { TOTAL = 8 * 1000 * 1000, READ_BYTES = 64 * 1024 };
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    w.upload.pause = w.upload.hold = true;
    uint8_t *bytes = malloc(TOTAL);
    for (size_t i = 0; i < TOTAL; i++)
        bytes[i] = (uint8_t)(i % 253);
    client_send(&c, UP_HEAD "Content-Length: 8000000\r\n\r\n");
    size_t sent = 0;
    while (w.upload.bytes.len < TOTAL) {
        size_t pieces = w.upload.pieces;
        ssize_t n = send(c.fd, bytes + sent, TOTAL - sent, MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        settle(&w);
        assert_int_equal(w.upload.pieces, pieces);
        assert_true(w.counters->bytes_in <= strlen(UP_HEAD) + w.upload.bytes.len + READ_BYTES);
        if (w.upload.x)
            http_body_resume(w.upload.x);
        while (w.upload.pieces == pieces)
            uv_run(&w.loop, UV_RUN_ONCE);
        assert_int_equal(w.upload.pieces, pieces + 1);
    }
    assert_int_equal(w.upload.ends, 0);
    http_body_resume(w.upload.x);
    while (w.upload.ends == 0)
        uv_run(&w.loop, UV_RUN_ONCE);
    assert_memory_equal(w.upload.bytes.data, bytes, TOTAL);
    free(bytes);
    buf_clear(&w.upload.bytes);
    upload_answer(&w);
    expect_body(&w, &c, "", "");
    end(&w, &c);
}

static void test_pause_has_no_timeout_and_waiting_has(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.body_timeout_ms = 5;
    limits.idle_timeout_ms = IDLE_MS;
    struct world w;
    struct client c, other;
    begin(&w, &c, &limits);
    w.upload.pause = true;
    client_send(&c, UP_HEAD "Content-Length: 5\r\n\r\nhe");
    while (!w.upload.x)
        uv_run(&w.loop, UV_RUN_ONCE);
    client_pair(&other, &w);
    expect_end(&w, &other); /* so that time has passed */
    assert_int_equal(w.gone, 0);
    w.upload.pause = false;
    http_body_resume(w.upload.x);
    await_gone(&w, 1);
    assert_int_equal(w.upload.ends, 0);
    assert_int_equal(w.upload.bytes.len, 2);
    expect_refusal(&w, &c, 408);
    client_free(&other, &w);
    end(&w, &c);
}

static void test_pause_and_resume_may_be_called_at_any_time(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    w.upload.pause = w.upload.hold = true;
    client_send(&c, UP_HEAD "Content-Length: 2\r\n\r\nhi");
    while (!w.upload.x)
        uv_run(&w.loop, UV_RUN_ONCE);
    http_body_resume(w.upload.x);
    http_body_resume(w.upload.x);
    http_body_pause(w.upload.x);
    http_body_pause(w.upload.x);
    settle(&w);
    assert_int_equal(w.upload.pieces, 0);
    w.upload.pause = false;
    http_body_resume(w.upload.x);
    await_pieces(&w, 2);
    http_body_pause(w.upload.x);
    http_body_resume(w.upload.x);
    settle(&w);
    assert_int_equal(w.upload.ends, 1);
    upload_answer(&w);
    expect_body(&w, &c, "hi", "");
    end(&w, &c);
}

static void test_continue_waits_for_the_caller(void **state)
{
    (void)state;
    static const char expecting[] = UP_HEAD "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    client_send(&c, expecting);
    expect_bytes(&w, &c, "HTTP/1.1 100 Continue\r\n\r\n");
    client_send(&c, "hi");
    expect_body(&w, &c, "hi", "");
    w.upload.pause = true;
    client_send(&c, expecting);
    while (!w.upload.x)
        uv_run(&w.loop, UV_RUN_ONCE);
    settle(&w);
    assert_int_equal(c.in.len, 0);
    w.upload.pause = false;
    http_body_resume(w.upload.x);
    expect_bytes(&w, &c, "HTTP/1.1 100 Continue\r\n\r\n");
    client_send(&c, "ho");
    expect_body(&w, &c, "ho", "");
    w.upload.refuse = 401;
    client_send(&c, expecting);
    expect_bytes(&w, &c, "HTTP/1.1 401 Unauthorized\r\n");
    await_end(&w, &c);
    assert_non_null(strstr((const char *)c.in.data, "Connection: close\r\n"));
    end(&w, &c);
}

/* ---- answers before the end of the body ---- */

/* Over TCP, where a close with unread bytes would reset the connection under the answer. */
static void test_early_answer_reaches_a_client_that_is_still_sending(void **state)
{
    (void)state;
    enum { UPLOAD = 3 * 1000 * 1000, PIECE = 65536 };
    struct world w;
    struct client c;
    begin_tcp(&w, &c, NULL);
    uv_poll_stop(&c.poll);
    w.upload.refuse = 413;
    client_send(&c, UP_HEAD "Content-Length: 3000000\r\n\r\n");
    char *piece = calloc(1, PIECE);
    for (size_t sent = 0; sent < UPLOAD;) {
        ssize_t n = send(c.fd, piece, UPLOAD - sent < PIECE ? UPLOAD - sent : PIECE, MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        uv_run(&w.loop, UV_RUN_NOWAIT);
    }
    free(piece);
    client_listen(&c);
    expect_bytes(&w, &c, "HTTP/1.1 413 Payload Too Large\r\n");
    await_end(&w, &c);
    assert_true(c.eof);
    assert_int_equal(w.upload.pieces, 0);
    end(&w, &c);
}

static const char first_of_500[] = UP_HEAD "Content-Length: 500\r\n\r\nhi";
enum { REST = 500 - 2 };

/* The rest may look like a request, and come at once, in any pieces, or late. */
static void test_little_of_an_answered_body_is_passed_over(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 7, REST - 1, REST, REST + 3, 1000};
    char rest[REST + sizeof GET_NOW];
    memset(rest, 'x', sizeof rest);
    memcpy(rest, GET_NOW, strlen(GET_NOW));
    memcpy(rest + REST, GET_NOW, sizeof GET_NOW);
    for (size_t i = 0; i < 3 * sizeof steps / sizeof *steps; i++) {
        struct world w;
        struct client c;
        bool paused = i % 3 > 0, sent_before = i % 3 == 2;
        begin(&w, &c, NULL);
        w.upload.hold = true;
        w.upload.pause = paused;
        client_send(&c, first_of_500);
        while (!w.upload.x || (!paused && w.upload.pieces == 0))
            uv_run(&w.loop, UV_RUN_ONCE);
        if (!sent_before)
            upload_answer(&w);
        for (size_t at = 0, n; at < strlen(rest); at += n) {
            /* A socket that nobody reads takes few writes. */
            n = sent_before ? strlen(rest) : steps[i / 3];
            n = strlen(rest) - at < n ? strlen(rest) - at : n;
            assert_int_equal(write(c.fd, rest + at, n), (ssize_t)n);
            uv_run(&w.loop, UV_RUN_NOWAIT);
        }
        if (sent_before)
            upload_answer(&w);
        expect_body(&w, &c, paused ? "" : "hi", "");
        expect_echo(&w, &c, "GET /now ", "");
        assert_int_equal(w.counters->requests, 2);
        end(&w, &c);
    }
}

static void test_a_rest_that_never_comes_is_waited_for_as_the_idle_are(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.idle_timeout_ms = 5;
    struct world w;
    struct client c;
    begin(&w, &c, &limits);
    w.upload.refuse = 401;
    client_send(&c, first_of_500);
    expect_bytes(&w, &c, "HTTP/1.1 401 Unauthorized\r\n");
    await_end(&w, &c);
    assert_null(memmem(c.in.data, c.in.len, "HTTP", 4));
    end(&w, &c);
}

/* Behind an answer in the middle of a long body nothing may be taken for a request. */
static void test_answer_within_the_body_is_the_last(void **state)
{
    (void)state;
    for (int paused = 0; paused < 2; paused++) {
        struct world w;
        struct client c;
        begin(&w, &c, NULL);
        w.upload.hold = true;
        w.upload.pause = paused;
        client_send(&c, UP_HEAD "Content-Length: 65539\r\n\r\nhi");
        while (!w.upload.x || (!paused && w.upload.pieces == 0))
            uv_run(&w.loop, UV_RUN_ONCE);
        client_send(&c, GET_NOW);
        upload_answer(&w);
        expect_body(&w, &c, paused ? "" : "hi", "Connection: close\r\n");
        expect_end(&w, &c);
        assert_int_equal(w.counters->requests, 1);
        assert_int_equal(w.gone, 0);
        end(&w, &c);
    }
}

/* ---- bodies that break off ---- */

static void test_broken_grammar_is_refused_and_gone(void **state)
{
    (void)state;
    static const char *const bodies[] = {"hello", "3\r\nabcd\r\n", "3\r\nabc\r\nx\r\n"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct world w;
        struct client c;
        begin(&w, &c, NULL);
        client_send(&c, UP_HEAD "Transfer-Encoding: chunked\r\n\r\n");
        client_send(&c, bodies[i]);
        await_gone(&w, 1);
        expect_refusal(&w, &c, 400);
        assert_int_equal(w.upload.ends, 0);
        assert_int_equal(w.gone, 1);
        assert_int_equal(w.counters->refused, 1);
        end(&w, &c);
    }
}

static void test_client_that_goes_within_the_body_is_gone(void **state)
{
    (void)state;
    for (int paused = 0; paused < 2; paused++) {
        struct world w;
        struct client c;
        begin(&w, &c, NULL);
        w.upload.pause = paused;
        client_send(&c, UP_HEAD "Content-Length: 500\r\n\r\nhi");
        shutdown(c.fd, SHUT_WR);
        while (!w.upload.x && w.gone == 0)
            uv_run(&w.loop, UV_RUN_ONCE);
        w.upload.pause = false;
        if (w.upload.x)
            http_body_resume(w.upload.x);
        await_gone(&w, 1);
        expect_end(&w, &c);
        await_open(&w, 0);
        assert_int_equal(w.upload.ends, 0);
        end(&w, &c);
    }
}

static void test_half_closed_client_gets_the_answer_to_its_upload(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    w.upload.hold = true;
    client_send(&c, UP_HEAD "Content-Length: 2\r\n\r\nhi");
    shutdown(c.fd, SHUT_WR);
    await_pieces(&w, 2);
    settle(&w);
    upload_answer(&w);
    expect_body(&w, &c, "hi", "Connection: close\r\n");
    expect_end(&w, &c);
    assert_int_equal(w.gone, 0);
    end(&w, &c);
}

/* ---- ends, and cost ---- */

static void test_upload_outlives_a_drain(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    client_send(&c, UP_HEAD "Content-Length: 4\r\n\r\nhi");
    await_pieces(&w, 1);
    http_server_drain(w.server);
    settle(&w);
    client_send(&c, "ho");
    expect_body(&w, &c, "hiho", "Connection: close\r\n");
    expect_end(&w, &c);
    end(&w, &c);
}

static void test_close_breaks_uploads_off(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    w.upload.pause = true;
    client_send(&c, UP_HEAD "Content-Length: 4\r\n\r\nhi");
    while (!w.upload.x)
        uv_run(&w.loop, UV_RUN_ONCE);
    http_server_close(w.server, on_closed, &w);
    assert_int_equal(w.gone, 1);
    expect_end(&w, &c);
    client_free(&c, &w);
    world_end(&w);
}

static void test_pieces_cost_no_memory(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    begin(&w, &c, NULL);
    w.upload.hold = true;
    buf_reserve(&w.upload.bytes, 20 * 1000);
    client_send(&c, UP_HEAD "Transfer-Encoding: chunked\r\n\r\n");
    size_t before = 0;
    for (size_t i = 1; i <= 10 * 1000; i++) {
        client_send(&c, "2\r\nhi\r\n");
        await_pieces(&w, i);
        if (i == 100)
            before = mallinfo2().uordblks;
    }
    assert_int_equal(mallinfo2().uordblks, before);
    client_send(&c, "0\r\n\r\n");
    await_pieces(&w, 10 * 1000 + 1);
    assert_int_equal(w.upload.bytes.len, 20 * 1000);
    upload_answer(&w);
    expect_bytes(&w, &c, ANSWER "Content-Length: 20000\r\n\r\nhihi");
    end(&w, &c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_arrive_however_they_are_cut),
        cmocka_unit_test(test_requests_behind_a_streamed_body_are_answered),
        cmocka_unit_test(test_no_limit_of_buffered_bodies_holds),
        cmocka_unit_test(test_paused_body_is_not_read),
        cmocka_unit_test(test_pause_has_no_timeout_and_waiting_has),
        cmocka_unit_test(test_pause_and_resume_may_be_called_at_any_time),
        cmocka_unit_test(test_continue_waits_for_the_caller),
        cmocka_unit_test(test_early_answer_reaches_a_client_that_is_still_sending),
        cmocka_unit_test(test_little_of_an_answered_body_is_passed_over),
        cmocka_unit_test(test_a_rest_that_never_comes_is_waited_for_as_the_idle_are),
        cmocka_unit_test(test_answer_within_the_body_is_the_last),
        cmocka_unit_test(test_broken_grammar_is_refused_and_gone),
        cmocka_unit_test(test_client_that_goes_within_the_body_is_gone),
        cmocka_unit_test(test_half_closed_client_gets_the_answer_to_its_upload),
        cmocka_unit_test(test_upload_outlives_a_drain),
        cmocka_unit_test(test_close_breaks_uploads_off),
        cmocka_unit_test(test_pieces_cost_no_memory),
    };
    return cmocka_run_group_tests_name("http_uploads", tests, NULL, NULL);
}
