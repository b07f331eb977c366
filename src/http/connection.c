/* SPDX-License-Identifier: MIT */
#include "http/connection.h"

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

void http_connection_close(struct connection *c)
{
    if (c->state == CONNECTION_CLOSING)
        return;
    bool answering = c->state == CONNECTION_ANSWERING || c->state == CONNECTION_HALF_CLOSED;
    struct http_exchange *x = c->exchange;
    connection_enter(c, CONNECTION_CLOSING);
    uv_close((uv_handle_t *)&c->tcp, on_handle_closed);
    if (!x)
        return;
    if (!answering) {
        exchange_end(x);
        return;
    }
    x->connection = NULL;
    c->exchange = NULL;
    c->server->callbacks.on_gone(c->server->callbacks.ctx, x);
}

static void read_on(struct connection *c)
{
    if (!c->reading)
        c->reading = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) == 0;
}

/* Sends our end and reads on until the client's, so that unread bytes of its request do not reset
 * the connection under the answer (RFC 9112 9.6). */
static void linger(struct connection *c)
{
    uv_os_fd_t fd;
    if (c->eof || uv_fileno((const uv_handle_t *)&c->tcp, &fd) != 0) {
        http_connection_close(c);
        return;
    }
    shutdown(fd, SHUT_WR);
    buf_shrink(&c->pending, 0);
    c->progress = 0;
    connection_enter(c, CONNECTION_LINGERING);
    read_on(c);
}

/* ---- writing ---- */

struct queued_write {
    uv_write_t req;
    size_t len;
    uint8_t bytes[];
};

static void after_answer(struct connection *c)
{
    if (c->close_after || (c->server->draining && c->pending.len == 0))
        linger(c);
    else if (c->pending.len > 0 || !c->reading || c->eof)
        connection_enter(c, CONNECTION_READY);
    else
        connection_enter(c, CONNECTION_IDLE);
}

static void on_written(uv_write_t *req, int status)
{
    struct connection *c = (struct connection *)req->handle;
    free(req);
    if (c->state == CONNECTION_CLOSING)
        return;
    if (status != 0)
        http_connection_close(c);
    else
        after_answer(c);
}

/* What the socket did not take: the bytes of head and body from `sent` on. */
static bool queue_rest(struct connection *c, struct slice head, struct slice body, size_t sent)
{
    struct queued_write *w = malloc(sizeof *w + head.len + body.len - sent);
    if (!w)
        return false;
    size_t of_head = sent < head.len ? head.len - sent : 0;
    size_t of_body = sent > head.len ? sent - head.len : 0;
    w->len = of_head + body.len - of_body;
    if (of_head > 0)
        memcpy(w->bytes, head.data + sent, of_head);
    if (body.len > of_body)
        memcpy(w->bytes + of_head, body.data + of_body, body.len - of_body);
    uv_buf_t rest = {(char *)w->bytes, w->len};
    if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &rest, 1, on_written) != 0) {
        free(w);
        return false;
    }
    c->progress = w->len;
    return true;
}

void connection_send(struct connection *c, struct slice head, struct slice body, bool close_after)
{
    c->close_after = close_after;
    uv_buf_t bufs[2] = {{(char *)head.data, head.len}, {(char *)body.data, body.len}};
    int n = uv_try_write((uv_stream_t *)&c->tcp, bufs, body.len > 0 ? 2 : 1);
    size_t sent = n > 0 ? (size_t)n : 0;
    c->server->counters.bytes_out += head.len + body.len;
    connection_enter(c, CONNECTION_WRITING);
    if ((n < 0 && n != UV_EAGAIN) ||
        (sent < head.len + body.len && !queue_rest(c, head, body, sent))) {
        http_connection_close(c);
    } else if (sent == head.len + body.len) {
        after_answer(c);
    }
}

/* limit: the bound that was passed, 0 for none. */
static void refuse(struct connection *c, int status, const char *reason, size_t limit)
{
    struct http_server *s = c->server;
    bool bodiless = c->exchange && slice_is(c->exchange->head.request.method, "HEAD");
    if (c->exchange)
        exchange_end(c->exchange);
    char text[160];
    snprintf(text, sizeof text, limit ? "%s The limit is %zu." : "%s", reason, limit);
    buf_clear(&s->error_body);
    struct http_header headers[3] = {{slice_str("Content-Type"), slice_str("application/json")}};
    size_t n_headers = 1;
    s->callbacks.error_body(s->callbacks.ctx, status, text, &s->error_body, &headers[n_headers]);
    if (headers[n_headers].name.len > 0)
        n_headers++;
    if (status == 503)
        headers[n_headers++] = (struct http_header){slice_str("Retry-After"), slice_str("1")};
    struct slice body = buf_slice(&s->error_body);
    struct slice head = response_head(s, status, headers, n_headers, body.len, "close");
    if (bodiless)
        body.len = 0;
    s->counters.refused++;
    connection_send(c, head, body, true);
}

/* ---- requests ---- */

static bool is_parsing_state(const struct connection *c)
{
    return c->state == CONNECTION_IDLE || c->state == CONNECTION_HEAD ||
           c->state == CONNECTION_BODY;
}

/* A client that asked first is told to go on, unless its body is on the way anyway. */
static void send_continue(struct connection *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    uv_buf_t b = {(char *)text, sizeof text - 1};
    if (uv_try_write((uv_stream_t *)&c->tcp, &b, 1) != (int)b.len)
        http_connection_close(c); /* 25 bytes do not fit: it reads nothing */
    else
        c->server->counters.bytes_out += b.len;
}

static void begin_body(struct connection *c, struct slice rest)
{
    struct request_head *head = &c->exchange->head;
    if (head->body_bytes > (int64_t)c->server->limits.body_bytes_max) {
        refuse(c, 413, "The request body has too many bytes.", c->server->limits.body_bytes_max);
        return;
    }
    if (head->body_bytes == 0)
        return;
    connection_enter(c, CONNECTION_BODY);
    if (head->expects_continue && rest.len == 0)
        send_continue(c);
}

static void add_body(struct connection *c, struct slice piece)
{
    struct http_exchange *x = c->exchange;
    buf_append(&x->body, piece.data, piece.len);
    if (x->body.failed)
        refuse(c, 413, "The request body has too many bytes.", c->server->limits.body_bytes_max);
    else
        connection_enter(c, CONNECTION_BODY);
}

static void deliver(struct connection *c)
{
    struct http_server *s = c->server;
    struct http_exchange *x = c->exchange;
    x->head.request.body = buf_slice(&x->body);
    s->counters.requests++;
    connection_enter(c, c->eof ? CONNECTION_HALF_CLOSED : CONNECTION_ANSWERING);
    s->callbacks.on_request(s->callbacks.ctx, x, &x->head.request);
}

static bool begin_exchange(struct connection *c)
{
    c->exchange = exchange_new(c->server);
    if (!c->exchange) {
        refuse(c, 503, "The server is out of memory.", 0);
        return false;
    }
    c->exchange->connection = c;
    return true;
}

/* Until the input is used up, a request waits for its answer, or the connection ends. */
static void parse(struct connection *c, struct slice *input)
{
    while (is_parsing_state(c) && input->len > 0 && (c->exchange || begin_exchange(c))) {
        struct slice piece;
        struct request_parser *p = &c->exchange->parser;
        enum request_event event;
        do {
            event = request_parser_next(p, input, &piece);
            if (event == REQUEST_HEAD)
                begin_body(c, *input);
            else if (event == REQUEST_BODY)
                add_body(c, piece);
            else if (event == REQUEST_COMPLETE)
                deliver(c);
            else if (event == REQUEST_REFUSED)
                refuse(c, p->status, p->reason, p->limit);
            else if (c->state == CONNECTION_IDLE)
                connection_enter(c, CONNECTION_HEAD);
        } while (event != REQUEST_MORE && event != REQUEST_COMPLETE && is_parsing_state(c));
    }
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    const struct connection *c = (const struct connection *)handle;
    size_t room = sizeof c->server->read_buffer;
    size_t max = c->server->limits.pipelined_max;
    /* What cannot be parsed yet is kept, so no more of it is taken than may be. */
    if (!is_parsing_state(c) && c->state != CONNECTION_LINGERING && max - c->pending.len < room)
        room = max - c->pending.len;
    *buf = (uv_buf_t){c->server->read_buffer, room};
}

/* The client sent its end: it has closed, or it has finished sending only. They look alike. */
static void on_end(struct connection *c)
{
    c->eof = true;
    uv_read_stop((uv_stream_t *)&c->tcp);
    c->reading = false;
    if (c->state == CONNECTION_ANSWERING)
        connection_enter(c, CONNECTION_HALF_CLOSED);
    else if (c->state != CONNECTION_WRITING && c->state != CONNECTION_READY)
        http_connection_close(c);
}

/* Bytes behind the request that is being answered. Past the bound the socket is left alone. */
static void keep_pending(struct connection *c, struct slice input)
{
    buf_append(&c->pending, input.data, input.len);
    if (c->pending.failed) {
        http_connection_close(c);
    } else if (c->pending.len >= c->server->limits.pipelined_max) {
        uv_read_stop((uv_stream_t *)&c->tcp);
        c->reading = false;
    }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct connection *c = (struct connection *)stream;
    if (n == 0)
        return;
    if (n == UV_EOF) {
        on_end(c);
        return;
    }
    if (n < 0) {
        http_connection_close(c);
        return;
    }
    c->server->counters.bytes_in += (uint64_t)n;
    struct slice input = slice_of(buf->base, (size_t)n);
    if (is_parsing_state(c))
        parse(c, &input);
    if (c->state == CONNECTION_LINGERING) {
        c->progress += input.len;
        if (c->progress > LINGER_BYTES_MAX)
            http_connection_close(c);
    } else if (c->state != CONNECTION_CLOSING && input.len > 0) {
        keep_pending(c, input);
    }
}

void connection_resume(struct connection *c)
{
    connection_enter(c, CONNECTION_IDLE);
    struct slice input = buf_slice(&c->pending);
    size_t before = input.len;
    if (before > 0)
        parse(c, &input);
    if (c->state == CONNECTION_CLOSING || c->state == CONNECTION_LINGERING)
        return;
    buf_drop_front(&c->pending, before - input.len);
    if (c->pending.len == 0)
        buf_shrink(&c->pending, 0);
    if ((c->eof && is_parsing_state(c)) || (c->server->draining && c->state == CONNECTION_IDLE))
        http_connection_close(c);
    else if (!c->eof && c->pending.len < c->server->limits.pipelined_max)
        read_on(c);
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
    buf_init(&c->pending, s->limits.pipelined_max + READ_BUFFER_BYTES);
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
    read_on(c);
    if (!c->reading || over > OVERLOAD_MAX)
        http_connection_close(c);
    else if (over > 0)
        refuse(c, 503, "The server has too many connections.", 0);
}

/* A client that reads, however slowly, may go on. */
static void write_timed_out(struct connection *c)
{
    size_t left = uv_stream_get_write_queue_size((const uv_stream_t *)&c->tcp);
    if (left >= c->progress) {
        http_connection_close(c);
        return;
    }
    c->progress = left;
    connection_enter(c, CONNECTION_WRITING);
}

void connection_timed_out(struct connection *c)
{
    switch (c->state) {
    case CONNECTION_HEAD:
        refuse(c, 408, "The request's headers took too long.", 0);
        break;
    case CONNECTION_BODY:
        refuse(c, 408, "The request body took too long.", 0);
        break;
    case CONNECTION_WRITING:
        write_timed_out(c);
        break;
    default:
        http_connection_close(c);
    }
}
