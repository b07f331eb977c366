/* SPDX-License-Identifier: MIT
 * A server and its clients on one loop: clients are plain sockets, everything awaited is an event.
 */
#ifndef TGREST_TESTS_HTTP_HARNESS_H
#define TGREST_TESTS_HTTP_HARNESS_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "http/server.h"

enum {
    WAITING_MAX = 64,
    WATCHDOG_MS = 120 * 1000,
    IDLE_MS = 1000, /* for clients whose idle time is to pass: a busy machine sends within it */
};
#define TEST_TIME_S 1709251200LL
#define TEST_DATE   "Fri, 01 Mar 2024 00:00:00 GMT"

/* /now    answers at once: method, path and body
 * /later  is kept in `waiting` until world_answer
 * /big    answers with big_bytes of 'x'
 * /up     takes its body in pieces, as `upload` says, and answers with it
 * /down   answers in pieces, as `download` says */
struct upload {
    bool pause; /* after each piece, and before the first */
    bool hold;  /* the answer is the test's to give */
    int refuse; /* answer with that status at once */
    struct http_exchange *x;
    struct buf bytes;
    size_t pieces;
    size_t ends;
};

struct download {
    int64_t promised;
    size_t total; /* bytes to write: (uint8_t)(offset % 251) */
    size_t piece;
    bool abort; /* in place of the last piece */
    bool hold;  /* writes nothing by itself */
    struct http_exchange *x;
    size_t written;
    size_t waits; /* http_stream_write said: no more */
    size_t writables;
};

struct world {
    uv_loop_t loop;
    uv_timer_t watchdog;
    struct clock_manual clock;
    struct log log;
    struct http_callbacks callbacks;
    struct http_server *server;
    const struct http_counters *counters;
    struct http_exchange *waiting[WAITING_MAX];
    size_t n_waiting;
    size_t gone;
    size_t big_bytes;
    struct upload upload;
    struct download download;
    bool closed;
};

struct client {
    uv_poll_t poll;
    int fd;
    struct buf in;
    bool eof;
    bool reset;
};

/* ---- the server's side ---- */

static inline void answer_echo(struct http_exchange *x)
{
    const struct http_request *r = http_exchange_request(x);
    struct http_header type = {slice_str("Content-Type"), slice_str("text/plain")};
    struct buf b;
    buf_init(&b, 0);
    buf_append(&b, r->method.data, r->method.len);
    buf_append(&b, " ", 1);
    buf_append(&b, r->path.data, r->path.len);
    buf_append(&b, " ", 1);
    buf_append(&b, r->body.data, r->body.len);
    http_respond(x, 200, &type, 1, buf_slice(&b));
    buf_free(&b);
}

/* ---- streams ---- */

static inline bool wants_stream(void *ctx, const struct http_request *r)
{
    (void)ctx;
    return slice_starts_with(r->path, "/up");
}

static inline void upload_answer(struct world *w)
{
    struct http_exchange *x = w->upload.x;
    w->upload.x = NULL;
    http_respond(x, w->upload.refuse ? w->upload.refuse : 200, NULL, 0,
                 buf_slice(&w->upload.bytes));
}

static inline void upload_begin(struct world *w, struct http_exchange *x,
                                const struct http_request *r)
{
    assert_true(r->streamed);
    assert_int_equal(r->body.len, 0);
    w->upload.x = x;
    buf_clear(&w->upload.bytes);
    if (w->upload.refuse)
        upload_answer(w);
    else if (w->upload.pause)
        http_body_pause(x);
}

static inline void on_body(void *ctx, struct http_exchange *x, struct slice piece, bool end)
{
    struct world *w = ctx;
    assert_ptr_equal(x, w->upload.x);
    assert_false(http_exchange_gone(x));
    assert_true(end || piece.len > 0);
    buf_append(&w->upload.bytes, piece.data, piece.len);
    w->upload.pieces++;
    w->upload.ends += end;
    if (w->upload.pause)
        http_body_pause(x);
    if (end && !w->upload.hold)
        upload_answer(w);
}

/* Writes what the socket and the bounds take; at the end ends. */
static inline void download_on(struct world *w)
{
    struct download *d = &w->download;
    bool more = true;
    uint8_t *piece = malloc(d->piece);
    while (more && d->written < d->total) {
        size_t n = d->total - d->written < d->piece ? d->total - d->written : d->piece;
        for (size_t i = 0; i < n; i++)
            piece[i] = (uint8_t)((d->written + i) % 251);
        d->written += n;
        more = http_stream_write(d->x, slice_of(piece, n));
    }
    free(piece);
    if (d->written == d->total) {
        struct http_exchange *x = d->x;
        d->x = NULL;
        http_stream_end(x, !d->abort);
    } else {
        d->waits++;
    }
}

static inline void download_begin(struct world *w, struct http_exchange *x)
{
    struct http_header type = {slice_str("Content-Type"), slice_str("text/plain")};
    w->download.x = x;
    w->download.written = 0;
    http_stream_begin(x, 200, &type, 1, w->download.promised);
    if (!w->download.hold)
        download_on(w);
}

static inline void on_writable(void *ctx, struct http_exchange *x)
{
    struct world *w = ctx;
    assert_ptr_equal(x, w->download.x);
    w->download.writables++;
    if (!w->download.hold)
        download_on(w);
}

/* ---- requests ---- */

static inline void on_request(void *ctx, struct http_exchange *x, const struct http_request *r)
{
    struct world *w = ctx;
    http_exchange_set_data(x, w);
    if (slice_starts_with(r->path, "/later")) {
        assert_true(w->n_waiting < WAITING_MAX);
        w->waiting[w->n_waiting++] = x;
    } else if (slice_is(r->path, "/big")) {
        char *body = malloc(w->big_bytes);
        memset(body, 'x', w->big_bytes);
        http_respond(x, 200, NULL, 0, slice_of(body, w->big_bytes));
        free(body);
    } else if (slice_starts_with(r->path, "/up") && r->streamed) {
        upload_begin(w, x, r);
    } else if (slice_is(r->path, "/down")) {
        download_begin(w, x);
    } else {
        answer_echo(x);
    }
}

static inline void on_gone(void *ctx, struct http_exchange *x)
{
    struct world *w = ctx;
    assert_true(http_exchange_gone(x));
    assert_ptr_equal(http_exchange_data(x), w);
    w->gone++;
    /* Both ways of ending one that is gone. */
    if (x == w->upload.x)
        upload_answer(w);
    if (x == w->download.x) {
        w->download.x = NULL;
        http_stream_end(x, false);
    }
}

static inline void error_body(void *ctx, int status, const char *what, struct buf *body,
                              struct http_header *header)
{
    (void)ctx;
    *header = (struct http_header){slice_str("X-Refused"), slice_str("yes")};
    buf_printf(body, "{\"status\":%d,\"detail\":\"%s\"}", status, what);
}

static inline void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("an awaited event did not come in %d ms", WATCHDOG_MS);
}

/* limits NULL: the defaults. */
static inline void world_init(struct world *w, const struct http_limits *limits)
{
    struct http_limits defaults = http_limits_default();
    *w = (struct world){.log = {.fd = 2, .level = LOG_OFF}};
    buf_init(&w->upload.bytes, 0);
    w->download.promised = -1;
    w->download.piece = 64 * 1024;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    uv_timer_init(&w->loop, &w->watchdog);
    uv_timer_start(&w->watchdog, on_watchdog, WATCHDOG_MS, 0);
    clock_manual_init(&w->clock, TEST_TIME_S * NS_PER_S);
    w->callbacks = (struct http_callbacks){.wants_stream = wants_stream,
                                           .on_request = on_request,
                                           .on_body = on_body,
                                           .on_writable = on_writable,
                                           .on_gone = on_gone,
                                           .error_body = error_body,
                                           .ctx = w};
    w->server = http_server_new(&w->loop, limits ? limits : &defaults, &w->callbacks,
                                &w->clock.clock, &w->log);
    assert_non_null(w->server);
    w->counters = http_server_counters(w->server);
}

static inline void on_closed(void *ctx)
{
    ((struct world *)ctx)->closed = true;
}

/* Answers the oldest that waits. */
static inline void world_answer(struct world *w)
{
    assert_true(w->n_waiting > 0);
    struct http_exchange *x = w->waiting[0];
    memmove(w->waiting, w->waiting + 1, --w->n_waiting * sizeof *w->waiting);
    answer_echo(x);
}

/* A closing server must be able to end, and leave nothing behind in the loop. */
static inline void world_end(struct world *w)
{
    while (w->n_waiting > 0)
        world_answer(w);
    while (!w->closed)
        uv_run(&w->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&w->watchdog, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    buf_free(&w->upload.bytes);
}

static inline void world_free(struct world *w)
{
    http_server_close(w->server, on_closed, w);
    world_end(w);
}

/* ---- the client's side ---- */

static inline void on_client_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct client *c = poll->data;
    char bytes[65536];
    ssize_t n = status == 0 ? read(c->fd, bytes, sizeof bytes) : -1;
    if (n > 0) {
        buf_append(&c->in, bytes, (size_t)n);
        return;
    }
    c->eof = n == 0;
    c->reset = n < 0;
    uv_poll_stop(poll);
}

static inline void client_listen(struct client *c)
{
    uv_poll_start(&c->poll, UV_READABLE, on_client_readable);
}

static inline void client_init(struct client *c, struct world *w, int fd)
{
    *c = (struct client){.fd = fd};
    buf_init(&c->in, 0);
    assert_int_equal(uv_poll_init(&w->loop, &c->poll, fd), 0);
    c->poll.data = c;
    client_listen(c);
}

/* A client that reads by a timer of its own, for twice the time that it may stand still: long
 * enough for a busy machine to let it sip meanwhile. */
enum { SIP_MS = 80, SIPS = 50, SIP_BYTES = 100 * 1000, STILL_MS = SIP_MS * SIPS / 2 };
static inline void on_sip(uv_timer_t *timer)
{
    struct client *c = timer->data;
    char bytes[SIP_BYTES];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n > 0)
        buf_append(&c->in, bytes, (size_t)n);
    c->eof = n == 0;
}

/* Over a socket pair, adopted by the server. */
static inline void client_pair(struct client *c, struct world *w)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(http_server_adopt(w->server, fds[1], (struct slice){0}), 0);
    client_init(c, w, fds[0]);
}

/* Over loopback; the server accepts it when the loop runs. */
static inline void client_tcp(struct client *c, struct world *w, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    client_init(c, w, fd);
}

static inline void on_poll_closed(uv_handle_t *handle)
{
    ((struct client *)handle->data)->fd = -1;
}

static inline void client_free(struct client *c, struct world *w)
{
    int fd = c->fd;
    uv_close((uv_handle_t *)&c->poll, on_poll_closed);
    while (c->fd >= 0)
        uv_run(&w->loop, UV_RUN_NOWAIT);
    close(fd);
    buf_free(&c->in);
}

/* A world and one client of it, over a socket pair. */
static inline void begin(struct world *w, struct client *c, const struct http_limits *limits)
{
    world_init(w, limits);
    client_pair(c, w);
}

/* The same over TCP. */
static inline void begin_tcp(struct world *w, struct client *c, const struct http_limits *limits)
{
    int port = 0;
    world_init(w, limits);
    assert_int_equal(http_server_listen(w->server, "127.0.0.1:0", false, &port), 0);
    client_tcp(c, w, port);
}

static inline void end(struct world *w, struct client *c)
{
    client_free(c, w);
    world_free(w);
}

/* The client ends in a reset of its connection. */
static inline void client_reset(struct client *c, struct world *w)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    client_free(c, w);
}

static inline void client_send(struct client *c, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(write(c->fd, text, len), (ssize_t)len);
}

/* Runs the loop until the client holds n bytes. */
static inline void await_bytes(struct world *w, struct client *c, size_t n)
{
    while (c->in.len < n && !c->eof && !c->reset)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_true(c->in.len >= n);
}

static inline void await_end(struct world *w, struct client *c)
{
    while (!c->eof && !c->reset)
        uv_run(&w->loop, UV_RUN_ONCE);
}

static inline void await_waiting(struct world *w, size_t n)
{
    while (w->n_waiting < n)
        uv_run(&w->loop, UV_RUN_ONCE);
}

static inline void await_gone(struct world *w, size_t n)
{
    while (w->gone < n)
        uv_run(&w->loop, UV_RUN_ONCE);
}

/* Lets the loop do what it can do now. */
static inline void settle(struct world *w)
{
    for (int i = 0; i < 20; i++)
        uv_run(&w->loop, UV_RUN_NOWAIT);
}

static inline void await_pieces(struct world *w, size_t n)
{
    while (w->upload.pieces < n)
        uv_run(&w->loop, UV_RUN_ONCE);
}

static inline void await_open(struct world *w, uint64_t n)
{
    while (w->counters->connections_open != n)
        uv_run(&w->loop, UV_RUN_ONCE);
}

/* Exactly these bytes come; they are taken. */
static inline void expect_bytes(struct world *w, struct client *c, const char *text)
{
    size_t len = strlen(text);
    await_bytes(w, c, len);
    if (memcmp(c->in.data, text, len) != 0)
        fail_msg("got\n%.*s\ninstead of\n%s", (int)c->in.len, (const char *)c->in.data, text);
    buf_drop_front(&c->in, len);
}

static inline void expect_end(struct world *w, struct client *c)
{
    await_end(w, c);
    assert_true(c->eof);
    if (c->in.len != 0)
        fail_msg("got %.*s before the end", (int)c->in.len, (const char *)c->in.data);
}

/* An echo's answer; connection is "" or a whole header line. */
static inline void expect_echo(struct world *w, struct client *c, const char *text,
                               const char *connection)
{
    char answer[512];
    snprintf(answer, sizeof answer,
             "HTTP/1.1 200 OK\r\nDate: " TEST_DATE "\r\nContent-Type: text/plain\r\n"
             "Content-Length: %zu\r\n%s\r\n%s",
             strlen(text), connection, text);
    expect_bytes(w, c, answer);
}

/* A refusal of that status with the caller's body, and the end of the connection. */
static inline void expect_refusal(struct world *w, struct client *c, int status)
{
    await_end(w, c);
    assert_true(c->eof);
    buf_append(&c->in, "", 1);
    const char *text = (const char *)c->in.data;
    char line[64], body[64];
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    snprintf(body, sizeof body, "{\"status\":%d,\"detail\":\"", status);
    if (strncmp(text, line, strlen(line)) != 0)
        fail_msg("got %s instead of %d", text, status);
    const char *start = strstr(text, "\r\n\r\n");
    assert_non_null(start);
    assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(text, "\r\nContent-Type: application/json\r\n"));
    assert_memory_equal(start + 4, body, strlen(body));
    const char *length = strstr(text, "\r\nContent-Length: ");
    assert_non_null(length);
    assert_int_equal(strtoul(length + 18, NULL, 10), strlen(start + 4));
}

#define GET_NOW   "GET /now HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_LATER "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"

#endif
