/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "http/connection.h"

struct http_exchange *exchange_new(struct http_server *s)
{
    struct http_exchange *x = s->pool;
    if (x) {
        s->pool = x->next;
        s->pooled--;
    } else {
        x = calloc(1, sizeof *x);
        if (!x)
            return NULL;
        x->server = s;
        request_head_init(&x->head, &s->limits);
        buf_init_secret(&x->body, s->limits.body_bytes_max);
    }
    x->next = NULL;
    x->data = NULL;
    x->told = false;
    x->answer = (struct answer_stream){0};
    request_parser_begin(&x->parser, &x->head, &s->limits);
    s->exchanges_open++;
    return x;
}

static void exchange_free(struct http_exchange *x)
{
    request_head_free(&x->head);
    buf_free(&x->body);
    free(x);
}

void exchange_detach(struct http_exchange *x)
{
    if (x->connection)
        x->connection->exchange = NULL;
    x->connection = NULL;
}

void exchange_end(struct http_exchange *x)
{
    struct http_server *s = x->server;
    exchange_detach(x);
    if (s->pooled < EXCHANGES_IDLE_MAX) {
        request_head_clear(&x->head, EXCHANGE_TEXT_KEEP);
        buf_shrink(&x->body, EXCHANGE_BODY_KEEP);
        x->next = s->pool;
        s->pool = x;
        s->pooled++;
    } else {
        exchange_free(x);
    }
    s->exchanges_open--;
    server_exchange_ended(s);
}

void exchange_free_pool(struct http_server *s)
{
    while (s->pool) {
        struct http_exchange *x = s->pool;
        s->pool = x->next;
        exchange_free(x);
    }
}

void http_exchange_set_data(struct http_exchange *x, void *data)
{
    x->data = data;
}

void *http_exchange_data(const struct http_exchange *x)
{
    return x->data;
}

const struct http_request *http_exchange_request(const struct http_exchange *x)
{
    return &x->head.request;
}

bool http_exchange_gone(const struct http_exchange *x)
{
    return x->connection == NULL;
}

size_t exchange_body_left(const struct http_exchange *x)
{
    if (x->parser.message_done)
        return 0;
    /* A client that waits for 100 may send its body or not, once it has its answer. */
    bool known = x->head.request.body_bytes >= 0 && !x->head.expects_continue;
    return known && x->parser.data_left < SIZE_MAX ? (size_t)x->parser.data_left : SIZE_MAX;
}

bool exchange_is_last(const struct http_exchange *x)
{
    const struct connection *c = x->connection;
    /* Much of a body that nobody wants is not waited for; and after the client's end no more can
     * come than what it has sent already. */
    return !x->head.request.keep_alive || x->server->draining ||
           exchange_body_left(x) > SKIP_BYTES_MAX || (c->eof && c->pending.len == c->pending_used);
}

bool exchange_is_bodiless(const struct http_exchange *x, int status)
{
    return status == 204 || status == 304 || slice_is(x->head.request.method, "HEAD");
}

void http_respond(struct http_exchange *x, int status, const struct http_header *headers,
                  size_t n_headers, struct slice body)
{
    struct connection *c = x->connection;
    if (!c) {
        exchange_end(x);
        return;
    }
    bool last = exchange_is_last(x);
    const char *connection = last ? "close" : x->head.http_1_0 ? "keep-alive" : NULL;
    c->skip = last ? 0 : exchange_body_left(x);
    struct slice head =
        response_head(x->server, status, headers, n_headers, (int64_t)body.len, connection);
    if (exchange_is_bodiless(x, status))
        body.len = 0;
    /* Answered, whatever becomes of the connection: from here on it cannot be gone. */
    exchange_detach(x);
    connection_send(c, head, body, last);
    exchange_end(x);
}
