/* SPDX-License-Identifier: MIT
 * Bodies and answers in pieces: what the caller does with them. */
#include "http/connection.h"

/* ---- a body's flow ---- */

void http_body_pause(struct http_exchange *x)
{
    struct connection *c = x->connection;
    bool flows = c && x->head.request.streamed && !x->answer.begun &&
                 (c->state == CONNECTION_BODY || (c->state == CONNECTION_READY && !c->broken));
    if (!flows)
        return;
    connection_stop_reading(c);
    connection_enter(c, CONNECTION_PAUSED);
}

void http_body_resume(struct http_exchange *x)
{
    struct connection *c = x->connection;
    if (c && c->state == CONNECTION_PAUSED)
        connection_enter(c, CONNECTION_READY);
}

/* ---- an answer's ---- */

/* What fails is told by the loop: this is called in the caller's frame. */
static bool stream_send(struct connection *c, const struct slice *parts, size_t n)
{
    if (!connection_write(c, parts, n)) {
        c->broken = true;
        connection_enter(c, CONNECTION_READY);
        return false;
    }
    if (connection_write_left(c) > 0 && c->state != CONNECTION_WRITING)
        connection_enter_writing(c);
    return true;
}

void http_stream_begin(struct http_exchange *x, int status, const struct http_header *headers,
                       size_t n_headers, int64_t body_bytes)
{
    struct connection *c = x->connection;
    bool bodiless = exchange_is_bodiless(x, status);
    int64_t framing = body_bytes >= 0    ? body_bytes
                      : x->head.http_1_0 ? BODY_UNTIL_END
                                         : BODY_CHUNKED;
    x->answer = (struct answer_stream){.begun = true,
                                       .left = body_bytes < 0 ? -1 : body_bytes,
                                       .chunked = framing == BODY_CHUNKED,
                                       .bodiless = bodiless};
    if (!c)
        return;
    c->close_after = exchange_is_last(x) || (framing == BODY_UNTIL_END && !bodiless);
    c->skip = c->close_after ? 0 : exchange_body_left(x);
    const char *connection = c->close_after ? "close" : x->head.http_1_0 ? "keep-alive" : NULL;
    struct slice head = response_head(x->server, status, headers, n_headers, framing, connection);
    connection_enter(c, CONNECTION_STREAMING);
    if (stream_send(c, &head, 1))
        connection_read_on(c);
}

/* No more than was promised, or the next answer would be taken for a part of this one. */
static struct slice cut_to_promise(struct http_exchange *x, struct slice bytes)
{
    if (x->answer.left < 0)
        return bytes;
    if (bytes.len > (uint64_t)x->answer.left) {
        log_event(&x->server->log, LOG_ERROR, "http_stream_too_long",
                  log_int("surplus", (int64_t)bytes.len - x->answer.left));
        bytes.len = (size_t)x->answer.left;
    }
    x->answer.left -= (int64_t)bytes.len;
    return bytes;
}

bool http_stream_write(struct http_exchange *x, struct slice bytes)
{
    struct connection *c = x->connection;
    if (!c || c->broken)
        return false;
    if (!x->answer.bodiless)
        bytes = cut_to_promise(x, bytes);
    if (x->answer.bodiless || bytes.len == 0)
        return !x->answer.full;
    char size[20]; /* 16 digits */
    struct slice parts[WRITE_PARTS_MAX] = {[1] = bytes};
    if (x->answer.chunked) {
        parts[0] = slice_of(size, (size_t)snprintf(size, sizeof size, "%zx\r\n", bytes.len));
        parts[2] = slice_str("\r\n");
    }
    if (!stream_send(c, parts, WRITE_PARTS_MAX))
        return false;
    x->answer.turn += bytes.len;
    x->answer.full = connection_write_left(c) > x->server->limits.stream_high_bytes;
    if (c->state == CONNECTION_STREAMING && x->answer.turn >= x->server->limits.stream_turn_bytes) {
        x->answer.full = true;
        connection_enter(c, CONNECTION_READY);
    }
    return !x->answer.full;
}

void stream_writable(struct http_exchange *x)
{
    if (!x->answer.full)
        return;
    x->answer.full = false;
    x->answer.turn = 0;
    x->server->callbacks.on_writable(x->server->callbacks.ctx, x);
}

void http_stream_end(struct http_exchange *x, bool complete)
{
    struct connection *c = x->connection;
    const struct answer_stream *answer = &x->answer;
    if (!c) {
        exchange_end(x);
        return;
    }
    const struct slice last_chunk = slice_str("0\r\n\r\n");
    bool whole = complete && !c->broken && (answer->bodiless || answer->left <= 0);
    if (whole && answer->chunked && !answer->bodiless)
        whole = connection_write(c, &last_chunk, 1);
    exchange_detach(x);
    exchange_end(x);
    if (whole)
        connection_answered(c);
    else
        connection_reset(c);
}
