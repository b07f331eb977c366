/* SPDX-License-Identifier: MIT
 * A connection that goes from one server to another in the middle of a request. */
#include "harness.h"

struct pair {
    struct world w;
    struct http_server *other;
    bool other_closed;
};

static void on_other_closed(void *ctx)
{
    ((struct pair *)ctx)->other_closed = true;
}

static void pair_init(struct pair *p)
{
    struct http_limits limits = http_limits_default();
    world_init(&p->w, &limits);
    struct http_callbacks callbacks = p->w.callbacks;
    p->other = http_server_new(&p->w.loop, &limits, &callbacks, &p->w.clock.clock, &p->w.log);
    p->other_closed = false;
    assert_non_null(p->other);
}

static void pair_free(struct pair *p)
{
    http_server_close(p->other, on_other_closed, p);
    while (!p->other_closed)
        uv_run(&p->w.loop, UV_RUN_ONCE);
    world_free(&p->w);
}

static struct http_exchange *take_waiting(struct world *w)
{
    await_waiting(w, 1);
    w->n_waiting = 0;
    return w->waiting[0];
}

/* The request that waits goes to the other server, which asks for it again. */
static void move(struct pair *p)
{
    struct http_exchange *x = take_waiting(&p->w);
    uv_os_sock_t fd;
    struct buf bytes;
    buf_init(&bytes, 0);
    assert_true(http_exchange_detach(x, &fd, &bytes));
    assert_int_equal(http_server_adopt(p->other, fd, buf_slice(&bytes)), 0);
    buf_free(&bytes);
    await_open(&p->w, 0);
}

static void test_a_request_is_answered_by_the_other_server(void **state)
{
    (void)state;
    struct pair p;
    struct client c;
    pair_init(&p);
    client_pair(&c, &p.w);
    client_send(&c, "GET /later?a=%20b HTTP/1.1\r\nHost: a\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n");
    move(&p);
    struct http_exchange *x = take_waiting(&p.w);
    const struct http_request *r = http_exchange_request(x);
    assert_true(slice_is(r->target, "/later?a=%20b"));
    assert_int_equal(r->n_headers, 3);
    assert_true(slice_is(r->headers[2].name, "X-Twice"));
    assert_true(slice_is(r->headers[2].value, "2"));
    answer_echo(x);
    expect_echo(&p.w, &c, "GET /later ", "");
    client_send(&c, GET_NOW);
    expect_echo(&p.w, &c, "GET /now ", "");
    assert_int_equal(http_server_counters(p.other)->requests, 2);
    assert_int_equal(p.w.gone, 0);
    client_free(&c, &p.w);
    pair_free(&p);
}

static void test_bodies_and_what_is_pipelined_go_along(void **state)
{
    static const char *const requests[] = {
        "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" GET_NOW,
        "POST /later HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n" GET_NOW,
    };
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct pair p;
        struct client c;
        pair_init(&p);
        client_pair(&c, &p.w);
        client_send(&c, requests[i]);
        move(&p);
        answer_echo(take_waiting(&p.w));
        expect_echo(&p.w, &c, "POST /later hello", "");
        expect_echo(&p.w, &c, "GET /now ", "");
        client_free(&c, &p.w);
        pair_free(&p);
    }
}

/* More than a server reads ahead, and more than it ever does: it is no reason to hang up. */
static void test_much_goes_along(void **state)
{
    enum { BODY = 150000, SEND_BUFFER = 200000 };
    (void)state;
    struct pair p;
    struct client c;
    static char body[BODY + 1], request[BODY + 200];
    memset(body, 'x', BODY);
    snprintf(request, sizeof request,
             "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" GET_NOW, BODY, body);
    pair_init(&p);
    client_pair(&c, &p.w);
    int room = SEND_BUFFER;
    setsockopt(c.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    client_send(&c, request);
    move(&p);
    struct http_exchange *x = take_waiting(&p.w);
    assert_int_equal(http_exchange_request(x)->body.len, BODY);
    http_respond(x, 200, NULL, 0, slice_str("whole"));
    expect_bytes(&p.w, &c,
                 "HTTP/1.1 200 OK\r\nDate: " TEST_DATE "\r\nContent-Length: 5\r\n\r\nwhole");
    expect_echo(&p.w, &c, "GET /now ", "");
    client_free(&c, &p.w);
    pair_free(&p);
}

/* Without the blanks that need not be there it has room for more. */
static void test_the_largest_head_goes_along(void **state)
{
    (void)state;
    struct pair p;
    struct client c;
    size_t most = http_limits_default().head_bytes_max;
    char *head = malloc(most + 1);
    size_t n = (size_t)snprintf(head, most, "GET /later HTTP/1.1\r\nHost:a\r\n");
    for (int i = 0; i < 90; i++)
        n += (size_t)snprintf(head + n, most - n, "X:y\r\n");
    n += (size_t)snprintf(head + n, most - n, "Z:");
    memset(head + n, 'z', most - n - 4);
    memcpy(head + most - 4, "\r\n\r\n", 5);
    pair_init(&p);
    client_pair(&c, &p.w);
    client_send(&c, head);
    free(head);
    move(&p);
    answer_echo(take_waiting(&p.w));
    expect_echo(&p.w, &c, "GET /later ", "");
    client_free(&c, &p.w);
    pair_free(&p);
}

static void test_http_1_0_stays_http_1_0(void **state)
{
    (void)state;
    struct pair p;
    struct client c;
    pair_init(&p);
    client_pair(&c, &p.w);
    client_send(&c, "GET /later HTTP/1.0\r\n\r\n");
    move(&p);
    answer_echo(take_waiting(&p.w));
    expect_echo(&p.w, &c, "GET /later ", "Connection: close\r\n");
    expect_end(&p.w, &c);
    client_free(&c, &p.w);
    pair_free(&p);
}

static void test_a_client_that_left_cannot_be_moved(void **state)
{
    (void)state;
    struct pair p;
    struct client c;
    pair_init(&p);
    client_pair(&c, &p.w);
    client_send(&c, GET_LATER);
    await_waiting(&p.w, 1);
    client_reset(&c, &p.w);
    /* A socket pair has no half-closed time to wait for, but the end it sees is the same. */
    struct http_exchange *x = take_waiting(&p.w);
    http_server_drain(p.w.server);
    uv_os_sock_t fd;
    struct buf bytes;
    buf_init(&bytes, 0);
    await_gone(&p.w, 1);
    assert_false(http_exchange_detach(x, &fd, &bytes));
    buf_free(&bytes);
    answer_echo(x);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_is_answered_by_the_other_server),
        cmocka_unit_test(test_bodies_and_what_is_pipelined_go_along),
        cmocka_unit_test(test_much_goes_along),
        cmocka_unit_test(test_the_largest_head_goes_along),
        cmocka_unit_test(test_http_1_0_stays_http_1_0),
        cmocka_unit_test(test_a_client_that_left_cannot_be_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
