/* SPDX-License-Identifier: MIT
 * Bodies that are read and answers that are written in pieces, by a handler that reads top to
 * bottom while the client and Telegram go at their own speeds. */
#include "gateway/gateway.h"
#include "gateway/task_home.h"

enum { BODY_HIGH_BYTES = 128 * 1024 /* arrived and not read: the client is paused */ };

/* ---- the body ---- */

bool task_wants_stream(void *worker, const struct http_request *r)
{
    (void)worker;
    return route_streams_body(r->method, r->path);
}

void task_on_body(void *worker, struct http_exchange *x, struct slice piece, bool end)
{
    struct worker *w = worker;
    struct task *t = http_exchange_data(x);
    if (!t || t->finished)
        return;
    struct task_stream *s = &t->stream;
    buf_append(&s->arriving, piece.data, piece.len);
    s->ended = end;
    if (s->arriving.len >= BODY_HIGH_BYTES && !end)
        task_hold_body(t);
    task_ready(t);
    worker_run(w);
}

/* A client that stops in the middle of its body is told so, rather than that Telegram is slow. */
static bool await_body(struct task *t)
{
    struct call *c = &t->call;
    if (task_wait(t))
        return true;
    if (t->abort == ABORT_DEADLINE) {
        call_error_clear(c);
        call_fail(c, 408, "REQUEST_TIMEOUT", "The rest of the body did not arrive in time.");
    }
    return false;
}

void task_hold_body(struct task *t)
{
    t->stream.paused = true;
    http_body_pause(t->exchange);
}

static void let_arrive(struct task *t)
{
    if (!t->stream.paused)
        return;
    t->stream.paused = false;
    http_body_resume(t->exchange);
}

bool call_body_read(struct call *c, struct slice *piece)
{
    struct task *t = task_of(c);
    struct task_stream *s = &t->stream;
    if (!c->request->streamed) {
        *piece = s->ended ? (struct slice){0} : c->request->body;
        s->ended = true;
        return !task_aborted(t);
    }
    while (s->arriving.len == 0 && !s->ended && !s->arriving.failed) {
        let_arrive(t);
        if (!await_body(t))
            return false;
    }
    if (s->arriving.failed) {
        call_fail(c, 503, "OUT_OF_MEMORY", "The gateway is out of memory.");
        return false;
    }
    struct buf read = s->reading;
    s->reading = s->arriving;
    s->arriving = read;
    buf_clear(&s->arriving);
    let_arrive(t);
    task_progress(t, 0);
    *piece = buf_slice(&s->reading);
    return !task_aborted(t);
}

/* ---- the answer ---- */

bool call_stream_begin(struct call *c, int status, int64_t bytes)
{
    struct task *t = task_of(c);
    struct http_header headers[CALL_HEADERS_MAX + 3];
    if (task_aborted(t))
        return false;
    c->status = status;
    task_add_session_header(t);
    t->stream.answering = true;
    http_stream_begin(t->exchange, status, headers, task_headers(t, headers), bytes);
    return true;
}

void task_on_writable(void *worker, struct http_exchange *x)
{
    struct worker *w = worker;
    struct task *t = http_exchange_data(x);
    if (!t || t->finished)
        return;
    t->stream.writable = true;
    task_ready(t);
    worker_run(w);
}

/* How long a client may take is the HTTP server's to say. */
static bool await_client(struct task *t)
{
    t->stream.writable = false;
    worker_disarm(t->owner, &t->deadline);
    while (!t->stream.writable) {
        if (!task_wait(t))
            return false;
    }
    return true;
}

bool call_stream_write(struct call *c, struct slice bytes)
{
    struct task *t = task_of(c);
    if (task_aborted(t) || (!http_stream_write(t->exchange, bytes) && !await_client(t)))
        return false;
    task_progress(t, 0);
    return true;
}
