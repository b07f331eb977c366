/* SPDX-License-Identifier: MIT
 * A connection's output: written at once where the socket takes it, else queued; and what follows
 * the last byte of an answer. */
#include <stdlib.h>
#include <sys/socket.h>

#include "http/connection.h"

struct queued_write {
    uv_write_t req;
    uint8_t bytes[];
};

size_t connection_write_left(const struct connection *c)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&c->tcp);
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
    c->dropped = 0;
    connection_enter(c, CONNECTION_LINGERING);
    connection_read_on(c);
}

static void after_answer(struct connection *c)
{
    bool pending = c->pending.len > c->pending_used;
    if (c->close_after || (c->server->draining && !pending))
        linger(c);
    else if (pending || !c->reading || c->eof)
        connection_enter(c, CONNECTION_READY);
    else
        connection_enter(c, CONNECTION_IDLE);
}

void connection_enter_writing(struct connection *c)
{
    c->flushed = c->queued - connection_write_left(c);
    connection_enter(c, CONNECTION_WRITING);
}

void connection_answered(struct connection *c)
{
    if (connection_write_left(c) == 0)
        after_answer(c);
    else
        connection_enter_writing(c);
}

/* A streamed answer's queue has become shorter. */
static void stream_on(struct http_exchange *x, size_t left)
{
    if (left == 0)
        connection_enter(x->connection, CONNECTION_STREAMING);
    else
        connection_enter_writing(x->connection);
    if (left <= x->server->limits.stream_low_bytes)
        stream_writable(x);
}

static void on_written(uv_write_t *req, int status)
{
    struct connection *c = (struct connection *)req->handle;
    free(req);
    if (c->state == CONNECTION_CLOSING)
        return;
    if (status != 0)
        http_connection_close(c);
    else if (c->state == CONNECTION_WRITING && c->exchange)
        stream_on(c->exchange, connection_write_left(c));
    else if (c->state == CONNECTION_WRITING)
        connection_answered(c);
}

static bool queue_rest(struct connection *c, const uv_buf_t *bufs, size_t n, size_t sent,
                       size_t left)
{
    struct queued_write *w = malloc(sizeof *w + left);
    if (!w)
        return false;
    uint8_t *to = w->bytes;
    for (size_t i = 0; i < n; i++) {
        size_t skip = sent < bufs[i].len ? sent : bufs[i].len;
        memcpy(to, bufs[i].base + skip, bufs[i].len - skip);
        to += bufs[i].len - skip;
        sent -= skip;
    }
    uv_buf_t rest = {(char *)w->bytes, left};
    if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &rest, 1, on_written) != 0) {
        free(w);
        return false;
    }
    c->queued += left;
    return true;
}

bool connection_write(struct connection *c, const struct slice *parts, size_t n)
{
    uv_buf_t bufs[WRITE_PARTS_MAX];
    unsigned used = 0;
    size_t total = 0;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].len > 0)
            bufs[used++] = (uv_buf_t){(char *)parts[i].data, parts[i].len};
        total += parts[i].len;
    }
    if (total == 0)
        return true;
    int rc = uv_try_write((uv_stream_t *)&c->tcp, bufs, used);
    if (rc < 0 && rc != UV_EAGAIN)
        return false;
    size_t sent = rc > 0 ? (size_t)rc : 0;
    c->server->counters.bytes_out += total;
    return sent == total || queue_rest(c, bufs, used, sent, total - sent);
}

void connection_send(struct connection *c, struct slice head, struct slice body, bool close_after)
{
    const struct slice parts[] = {head, body};
    c->close_after = close_after;
    if (connection_write(c, parts, 2))
        connection_answered(c);
    else
        http_connection_close(c);
}

void http_connection_refuse(struct connection *c, int status, const char *reason, size_t limit)
{
    struct http_server *s = c->server;
    struct http_exchange *x = c->exchange;
    bool bodiless = x && exchange_is_bodiless(x, status);
    if (x)
        exchange_detach(x);
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
    struct slice head = response_head(s, status, headers, n_headers, (int64_t)body.len, "close");
    if (bodiless)
        body.len = 0;
    s->counters.refused++;
    connection_send(c, head, body, true);
    if (x && x->told)
        s->callbacks.on_gone(s->callbacks.ctx, x);
    else if (x)
        exchange_end(x);
}

/* A client that reads, however slowly, may go on. */
void connection_write_timed_out(struct connection *c)
{
    if (c->queued - connection_write_left(c) == c->flushed)
        http_connection_close(c);
    else
        connection_enter_writing(c);
}
