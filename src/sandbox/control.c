/* SPDX-License-Identifier: MIT
 * The control port's connections. */
#include "sandbox/control.h"

#include <stdlib.h>

#include "sandbox/state.h"

enum {
    LINE_MAX_BYTES = 4096,
    ANSWER_MAX = 4 * 1024 * 1024,
    CONTROL_CLIENTS_MAX = 64,
    CONTROL_BACKLOG = 16
};

struct control_client {
    uv_tcp_t tcp;
    struct control *control;
    struct buf in;
    bool closing;
    struct control_client *prev;
    struct control_client *next;
    uint8_t chunk[LINE_MAX_BYTES];
};

struct control {
    uv_tcp_t tcp;
    struct sandbox *sandbox;
    struct control_client *clients;
    size_t n_clients;
    bool stopping;
};

struct control_write {
    uv_write_t req;
    struct buf bytes;
};

static void on_client_closed(uv_handle_t *handle)
{
    struct control_client *c = handle->data;
    buf_free(&c->in);
    free(c);
}

static void client_close(struct control_client *c)
{
    if (c->closing)
        return;
    c->closing = true;
    if (c->prev)
        c->prev->next = c->next;
    else
        c->control->clients = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->control->n_clients--;
    uv_close((uv_handle_t *)&c->tcp, on_client_closed);
}

static void on_written(uv_write_t *req, int status)
{
    struct control_write *w = req->data;
    (void)status; /* a client that is gone shows in its reading */
    buf_free(&w->bytes);
    free(w);
}

static void client_answer(struct control_client *c, struct slice line)
{
    struct control_write *w = calloc(1, sizeof *w);
    if (!w) {
        client_close(c);
        return;
    }
    buf_init(&w->bytes, ANSWER_MAX);
    w->req.data = w;
    control_run(c->control->sandbox, line, &w->bytes);
    uv_buf_t all = uv_buf_init((char *)w->bytes.data, (unsigned)w->bytes.len);
    if (w->bytes.failed || uv_write(&w->req, (uv_stream_t *)&c->tcp, &all, 1, on_written) < 0) {
        buf_free(&w->bytes);
        free(w);
        client_close(c);
    }
}

/* Runs all whole lines that are there. */
static void take_lines(struct control_client *c)
{
    const uint8_t *end;
    while (!c->closing && c->in.len && (end = memchr(c->in.data, '\n', c->in.len)) != NULL) {
        size_t len = (size_t)(end - c->in.data);
        size_t trimmed = len && c->in.data[len - 1] == '\r' ? len - 1 : len;
        client_answer(c, slice_of(c->in.data, trimmed));
        buf_drop_front(&c->in, len + 1);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct control_client *c = handle->data;
    (void)suggested;
    *out = uv_buf_init((char *)c->chunk, sizeof c->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct control_client *c = stream->data;
    if (n > 0) {
        buf_append(&c->in, b->base, (size_t)n);
        take_lines(c);
    }
    if (n < 0 || c->in.failed)
        client_close(c);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct control *control = server->data;
    struct control_client *c = status < 0 ? NULL : calloc(1, sizeof *c);
    if (!c)
        return;
    c->control = control;
    c->tcp.data = c;
    buf_init(&c->in, LINE_MAX_BYTES);
    uv_tcp_init(control->sandbox->loop, &c->tcp);
    c->next = control->clients;
    if (c->next)
        c->next->prev = c;
    control->clients = c;
    control->n_clients++;
    if (uv_accept(server, (uv_stream_t *)&c->tcp) < 0 || control->n_clients > CONTROL_CLIENTS_MAX ||
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
        client_close(c);
}

int control_start(struct sandbox *s, const struct sockaddr *address, struct control **out)
{
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        return UV_ENOMEM;
    *out = c;
    c->sandbox = s;
    c->tcp.data = c;
    uv_tcp_init(s->loop, &c->tcp);
    int status = uv_tcp_bind(&c->tcp, address, 0);
    return status < 0 ? status : uv_listen((uv_stream_t *)&c->tcp, CONTROL_BACKLOG, on_connection);
}

void control_stop(struct control *c)
{
    if (c->stopping)
        return;
    c->stopping = true;
    while (c->clients)
        client_close(c->clients);
    uv_close((uv_handle_t *)&c->tcp, NULL);
}

void control_free(struct control *c)
{
    free(c);
}

uint16_t control_port(const struct control *c)
{
    return bound_port(&c->tcp);
}
