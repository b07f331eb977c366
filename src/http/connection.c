/* SPDX-License-Identifier: MIT */
#include "http/connection.h"

#include <sodium.h>
#include <stdlib.h>
#include <sys/socket.h>

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf);
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

/* ---- closing ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct connection *c = (struct connection *)handle;
    struct http_server *s = c->server;
    connection_enter(c, CONNECTION_STATES);
    buf_free(&c->pending);
    free(c);
    s->counters.connections_open--;
    server_handle_closed(s);
}

static void close_with(struct connection *c, void (*close)(struct connection *c))
{
    if (c->state == CONNECTION_CLOSING)
        return;
    struct http_exchange *x = c->exchange;
    connection_enter(c, CONNECTION_CLOSING);
    close(c);
    if (!x)
        return;
    exchange_detach(x);
    if (x->told)
        c->server->callbacks.on_gone(c->server->callbacks.ctx, x);
    else
        exchange_end(x);
}

static void close_handle(struct connection *c)
{
    uv_close((uv_handle_t *)&c->tcp, on_handle_closed);
}

static void reset_handle(struct connection *c)
{
    if (uv_tcp_close_reset(&c->tcp, on_handle_closed) != 0)
        close_handle(c);
}

void http_connection_close(struct connection *c)
{
    close_with(c, close_handle);
}

void connection_reset(struct connection *c)
{
    close_with(c, reset_handle);
}

/* ---- requests ---- */

static bool is_parsing_state(const struct connection *c)
{
    return c->state == CONNECTION_IDLE || c->state == CONNECTION_HEAD ||
           c->state == CONNECTION_BODY;
}

static const char body_too_large[] = "The request body has too many bytes.";

/* A client that asked first is told to go on, unless its body is on the way anyway. */
static void send_continue(struct connection *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    c->exchange->head.expects_continue = false;
    uv_buf_t b = {(char *)text, sizeof text - 1};
    if (uv_try_write((uv_stream_t *)&c->tcp, &b, 1) != (int)b.len)
        http_connection_close(c); /* 25 bytes do not fit: it reads nothing */
    else
        c->server->counters.bytes_out += b.len;
}

static void tell(struct connection *c)
{
    struct http_server *s = c->server;
    struct http_exchange *x = c->exchange;
    x->told = true;
    s->counters.requests++;
    s->callbacks.on_request(s->callbacks.ctx, x, &x->head.request);
}

static void begin_body(struct connection *c)
{
    struct http_server *s = c->server;
    struct http_request *r = &c->exchange->head.request;
    if (r->body_bytes == 0)
        return;
    r->streamed = s->callbacks.wants_stream && s->callbacks.wants_stream(s->callbacks.ctx, r);
    if (!r->streamed && r->body_bytes > (int64_t)s->limits.body_bytes_max) {
        http_connection_refuse(c, 413, body_too_large, s->limits.body_bytes_max);
        return;
    }
    connection_enter(c, CONNECTION_BODY);
    if (r->streamed)
        tell(c);
}

static void add_body(struct connection *c, struct slice piece)
{
    struct http_server *s = c->server;
    struct http_exchange *x = c->exchange;
    x->head.expects_continue = false;
    connection_enter(c, CONNECTION_BODY);
    if (x->head.request.streamed) {
        s->callbacks.on_body(s->callbacks.ctx, x, piece, false);
        return;
    }
    buf_append(&x->body, piece.data, piece.len);
    if (x->body.failed)
        http_connection_refuse(c, 413, body_too_large, s->limits.body_bytes_max);
}

static void end_body(struct connection *c)
{
    struct http_server *s = c->server;
    struct http_exchange *x = c->exchange;
    connection_enter(c, c->eof ? CONNECTION_HALF_CLOSED : CONNECTION_ANSWERING);
    if (x->head.request.streamed) {
        s->callbacks.on_body(s->callbacks.ctx, x, (struct slice){0}, true);
        return;
    }
    x->head.request.body = buf_slice(&x->body);
    tell(c);
}

static bool begin_exchange(struct connection *c)
{
    c->exchange = exchange_new(c->server);
    if (!c->exchange) {
        http_connection_refuse(c, 503, "The server is out of memory.", 0);
        return false;
    }
    c->exchange->connection = c;
    return true;
}

/* The input is used up in the middle of a request. */
static void await_more(struct connection *c)
{
    if (c->state == CONNECTION_IDLE)
        connection_enter(c, CONNECTION_HEAD);
    else if (c->state == CONNECTION_BODY && c->exchange->head.expects_continue)
        send_continue(c);
}

static void skip_body(struct connection *c, struct slice *input)
{
    size_t n = c->skip < input->len ? c->skip : input->len;
    if (n == 0)
        return; /* where nothing is pending there is no input to point into */
    c->skip -= n;
    *input = slice_of(input->data + n, input->len - n);
}

/* Until the input is used up, the caller is to act, or the connection ends. */
static void parse(struct connection *c, struct slice *input)
{
    enum request_event event = REQUEST_COMPLETE;
    while (is_parsing_state(c) && event != REQUEST_MORE) {
        if (!c->exchange)
            skip_body(c, input);
        if (!c->exchange && (input->len == 0 || !begin_exchange(c)))
            return;
        struct slice piece;
        struct request_parser *p = &c->exchange->parser;
        event = request_parser_next(p, input, &piece);
        if (event == REQUEST_HEAD)
            begin_body(c);
        else if (event == REQUEST_BODY)
            add_body(c, piece);
        else if (event == REQUEST_COMPLETE)
            end_body(c);
        else if (event == REQUEST_REFUSED)
            http_connection_refuse(c, p->status, p->reason, p->limit);
        else
            await_more(c);
    }
}

/* ---- reading ---- */

static size_t pending_left(const struct connection *c)
{
    return c->pending.len - c->pending_used;
}

void connection_stop_reading(struct connection *c)
{
    uv_read_stop((uv_stream_t *)&c->tcp);
    c->reading = false;
}

void connection_read_on(struct connection *c)
{
    bool room = c->close_after || pending_left(c) < c->server->limits.pipelined_max;
    if (!c->reading && !c->eof && room && c->state != CONNECTION_PAUSED)
        c->reading = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) == 0;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    const struct connection *c = (const struct connection *)handle;
    size_t room = sizeof c->server->read_buffer;
    size_t max = c->server->limits.pipelined_max;
    /* What cannot be parsed yet is kept, so no more of it is taken than may be. */
    if (!is_parsing_state(c) && !c->close_after && max - pending_left(c) < room)
        room = max - pending_left(c);
    *buf = (uv_buf_t){c->server->read_buffer, room};
}

/* The client sent its end: it has closed, or it has finished sending only. They look alike. While
 * an answer is streamed, writing will tell. */
static void on_end(struct connection *c)
{
    c->eof = true;
    connection_stop_reading(c);
    if (c->state == CONNECTION_ANSWERING)
        connection_enter(c, CONNECTION_HALF_CLOSED);
    else if (c->state != CONNECTION_STREAMING && c->state != CONNECTION_WRITING &&
             c->state != CONNECTION_READY)
        http_connection_close(c);
}

/* Bytes behind the request that is being answered, or of a paused body. Past the bound the socket
 * is left alone. */
static void keep_pending(struct connection *c, struct slice input)
{
    buf_drop_front(&c->pending, c->pending_used);
    c->pending_used = 0;
    buf_append(&c->pending, input.data, input.len);
    if (c->pending.failed)
        http_connection_close(c);
    else if (c->pending.len >= c->server->limits.pipelined_max)
        connection_stop_reading(c);
}

/* Bytes behind the last request. */
static void drop(struct connection *c, size_t n)
{
    c->dropped += n;
    if (c->dropped <= LINGER_BYTES_MAX)
        return;
    if (c->state == CONNECTION_LINGERING)
        http_connection_close(c);
    else
        connection_stop_reading(c);
}

static void take_input(struct connection *c, struct slice input)
{
    if (is_parsing_state(c))
        parse(c, &input);
    if (c->state == CONNECTION_CLOSING || input.len == 0)
        return;
    if (c->close_after || c->state == CONNECTION_LINGERING)
        drop(c, input.len);
    else
        keep_pending(c, input);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct connection *c = (struct connection *)stream;
    if (n > 0) {
        c->server->counters.bytes_in += (uint64_t)n;
        take_input(c, slice_of(buf->base, (size_t)n));
        sodium_memzero(buf->base, (size_t)n); /* session strings, passwords */
    } else if (n == UV_EOF) {
        on_end(c);
    } else if (n < 0) {
        http_connection_close(c);
    }
}

/* Callbacks may hold pieces of what is pending until parse returns. */
static void parse_pending(struct connection *c)
{
    struct slice input = buf_slice(&c->pending);
    if (c->pending_used > 0)
        input = slice_of(input.data + c->pending_used, pending_left(c));
    parse(c, &input);
    c->pending_used = c->pending.len - input.len;
    if (input.len == 0) {
        buf_shrink(&c->pending, 0);
        c->pending_used = 0;
    }
}

void connection_resume(struct connection *c)
{
    if (c->broken) {
        http_connection_close(c);
        return;
    }
    if (c->exchange && c->exchange->answer.begun) {
        connection_enter(c, CONNECTION_STREAMING);
        stream_writable(c->exchange);
        return;
    }
    connection_enter(c, c->exchange ? CONNECTION_BODY : CONNECTION_IDLE);
    parse_pending(c);
    if (c->state == CONNECTION_CLOSING || c->state == CONNECTION_LINGERING)
        return;
    if ((c->eof && is_parsing_state(c)) || (c->server->draining && c->state == CONNECTION_IDLE))
        http_connection_close(c);
    else
        connection_read_on(c);
}

/* ---- beginning, and time ---- */

struct connection *connection_new(struct http_server *s)
{
    struct connection *c = calloc(1, sizeof *c);
    if (!c || uv_tcp_init(s->loop, &c->tcp) != 0) {
        free(c);
        return NULL;
    }
    c->server = s;
    /* No more than pipelined_max is read on purpose, but one read may bring more with a request. */
    buf_init_secret(&c->pending, s->limits.pipelined_max + READ_BUFFER_BYTES);
    c->state = CONNECTION_STATES;
    connection_enter(c, CONNECTION_IDLE);
    s->handles++;
    s->counters.connections_open++;
    return c;
}

void connection_start(struct connection *c)
{
    struct http_server *s = c->server;
    s->counters.connections_accepted++;
    size_t over = s->counters.connections_open > s->limits.connections_max
                      ? s->counters.connections_open - s->limits.connections_max
                      : 0;
    uv_tcp_nodelay(&c->tcp, 1);
    connection_read_on(c);
    /* One from another server may have so much with it that it is not to be read yet. */
    if ((!c->reading && pending_left(c) == 0) || over > OVERLOAD_MAX)
        http_connection_close(c);
    else if (over > 0)
        http_connection_refuse(c, 503, "The server has too many connections.", 0);
}

void connection_timed_out(struct connection *c)
{
    switch (c->state) {
    case CONNECTION_HEAD:
        http_connection_refuse(c, 408, "The request's headers took too long.", 0);
        break;
    case CONNECTION_BODY:
        http_connection_refuse(c, 408, "The request body took too long.", 0);
        break;
    case CONNECTION_WRITING:
        connection_write_timed_out(c);
        break;
    default:
        http_connection_close(c);
    }
}
