/* SPDX-License-Identifier: MIT
 * Any bytes from a client over a socket: bodies that are buffered, streamed, and streamed with
 * pauses must give the same requests, however the bytes are cut; answers whole and in pieces must
 * leave nothing behind. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server.h"

enum { TURNS_MAX = 4096, INPUT_MAX = 16 * 1024 };

enum mode { BUFFERED, STREAMED, PAUSED, MODES };

struct run {
    uv_loop_t loop;
    struct http_server *server;
    enum mode mode;
    bool pieces; /* of the answer */
    struct http_exchange *paused;
    struct http_exchange *answering;
    struct slice left; /* of its answer */
    struct buf body;   /* of the exchange that is streamed */
    struct buf log;    /* the requests that came whole */
    size_t open;       /* exchanges told and not ended */
    bool closed;
};

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void answer_on(struct run *run)
{
    struct http_exchange *x = run->answering;
    bool more = true;
    while (more && run->left.len > 0) {
        struct slice byte = slice_of(run->left.data, 1);
        run->left = slice_of(run->left.data + 1, run->left.len - 1);
        more = http_stream_write(x, byte);
    }
    if (run->left.len > 0)
        return;
    run->answering = NULL;
    run->open--;
    http_stream_end(x, true);
}

static void answer(struct run *run, struct http_exchange *x, struct slice body)
{
    const struct http_request *r = http_exchange_request(x);
    buf_append(&run->log, r->method.data, r->method.len);
    buf_append(&run->log, r->target.data, r->target.len);
    buf_printf(&run->log, "|%lld|", (long long)r->body_bytes);
    buf_append(&run->log, body.data, body.len);
    buf_append_str(&run->log, "|.|");
    check(r->body_bytes < 0 || body.len == (size_t)r->body_bytes);
    if (!run->pieces) {
        run->open--;
        http_respond(x, 200, NULL, 0, body);
        return;
    }
    run->answering = x;
    run->left = body;
    http_stream_begin(x, 200, NULL, 0, r->n_headers % 2 ? -1 : (int64_t)body.len);
    answer_on(run);
}

static bool wants_stream(void *ctx, const struct http_request *r)
{
    const struct run *run = ctx;
    check(r->body_bytes != 0);
    return run->mode != BUFFERED;
}

static void pause_body(struct run *run, struct http_exchange *x)
{
    check(!run->paused);
    run->paused = x;
    http_body_pause(x);
}

static void on_request(void *ctx, struct http_exchange *x, const struct http_request *r)
{
    struct run *run = ctx;
    run->open++;
    check(run->open == 1 && r->streamed == (run->mode != BUFFERED && r->body_bytes != 0));
    buf_clear(&run->body);
    if (!r->streamed)
        answer(run, x, r->body);
    else if (run->mode == PAUSED)
        pause_body(run, x);
}

static void on_body(void *ctx, struct http_exchange *x, struct slice piece, bool end)
{
    struct run *run = ctx;
    check(!run->paused && run->open == 1 && !http_exchange_gone(x));
    check(end || piece.len > 0);
    buf_append(&run->body, piece.data, piece.len);
    if (end)
        answer(run, x, buf_slice(&run->body));
    else if (run->mode == PAUSED)
        pause_body(run, x);
}

static void on_writable(void *ctx, struct http_exchange *x)
{
    struct run *run = ctx;
    check(x == run->answering && run->left.len > 0);
    answer_on(run);
}

static void on_gone(void *ctx, struct http_exchange *x)
{
    struct run *run = ctx;
    check(http_exchange_gone(x) && run->open == 1);
    run->open--;
    run->paused = run->answering = NULL;
    http_respond(x, 200, NULL, 0, slice_str("unheard"));
}

static void error_body(void *ctx, int status, const char *what, struct buf *body,
                       struct http_header *header)
{
    (void)ctx;
    (void)header;
    check(status >= 400 && what);
    buf_append_str(body, what);
}

static void on_closed(void *ctx)
{
    ((struct run *)ctx)->closed = true;
}

/* Lets the loop do what it can, and the client read what has come. */
static void turn(struct run *run, int client)
{
    char bytes[4096];
    struct http_exchange *x = run->paused;
    run->paused = NULL;
    if (x)
        http_body_resume(x);
    uv_run(&run->loop, UV_RUN_NOWAIT);
    while (recv(client, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
}

static void feed(struct run *run, int client, struct slice bytes, size_t step)
{
    const struct http_counters *counters = http_server_counters(run->server);
    for (size_t at = 0; at < bytes.len && counters->connections_open > 0; at += step) {
        size_t n = bytes.len - at < step ? bytes.len - at : step;
        if (send(client, bytes.data + at, n, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)n)
            break;
        turn(run, client);
    }
    shutdown(client, SHUT_WR);
    for (int i = 0; i < TURNS_MAX && counters->connections_open > 0; i++)
        turn(run, client);
    check(counters->connections_open == 0 && run->open == 0);
}

/* The log of what came. */
static void run(struct run *run, enum mode mode, struct slice bytes, size_t step)
{
    struct http_limits limits = http_limits_default();
    struct http_callbacks callbacks = {wants_stream, on_request, on_body, on_writable,
                                       on_gone,      error_body, run};
    struct clock_manual clock;
    struct log log = {.fd = 2, .level = LOG_OFF};
    int fds[2];
    *run = (struct run){.mode = mode, .pieces = step % 2};
    buf_init(&run->body, 0);
    buf_init(&run->log, 0);
    limits.head_bytes_max = 512;
    limits.stream_turn_bytes = 3;
    clock_manual_init(&clock, 0);
    check(uv_loop_init(&run->loop) == 0);
    run->server = http_server_new(&run->loop, &limits, &callbacks, &clock.clock, &log);
    check(run->server && socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    check(http_server_adopt(run->server, fds[1], (struct slice){0}) == 0);
    feed(run, fds[0], bytes, step);
    close(fds[0]);
    http_server_close(run->server, on_closed, run);
    while (!run->closed)
        uv_run(&run->loop, UV_RUN_ONCE);
    check(uv_loop_close(&run->loop) == 0);
    buf_free(&run->body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run whole, other;
    if (size == 0 || size > INPUT_MAX)
        return 0;
    signal(SIGPIPE, SIG_IGN);
    struct slice bytes = slice_of(data + 1, size - 1);
    run(&whole, BUFFERED, bytes, size);
    for (enum mode mode = STREAMED; mode < MODES; mode++) {
        run(&other, mode, bytes, 1 + data[0] % 64);
        check(slice_eq(buf_slice(&whole.log), buf_slice(&other.log)));
        buf_free(&other.log);
    }
    buf_free(&whole.log);
    return 0;
}
