/* SPDX-License-Identifier: MIT
 * A connection that leaves its server in the middle of a request, to go on at another. */
#include <fcntl.h>
#include <stdio.h>

#include "http/connection.h"

static void append(struct buf *out, struct slice s)
{
    buf_append(out, s.data, s.len);
}

/* The parser kept no bytes of the head, but all that they said. */
static void write_head(const struct request_head *head, struct buf *out)
{
    const struct http_request *r = &head->request;
    append(out, r->method);
    append(out, slice_str(" "));
    append(out, r->target);
    append(out, slice_str(head->http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n"));
    for (size_t i = 0; i < r->n_headers; i++) {
        append(out, r->headers[i].name);
        append(out, slice_str(":")); /* no blank that was not there: heads have a bound */
        append(out, r->headers[i].value);
        append(out, slice_str("\r\n"));
    }
    append(out, slice_str("\r\n"));
}

/* What has been taken out of its chunks goes into one again. */
static void write_body(const struct request_head *head, struct buf *out)
{
    struct slice body = head->request.body;
    if (head->request.body_bytes < 0 && !head->request.streamed) {
        char line[24];
        int n = snprintf(line, sizeof line, "%zx\r\n", body.len);
        if (body.len > 0)
            append(out, slice_of(line, (size_t)n));
        append(out, body);
        append(out, slice_str(body.len > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n"));
    } else {
        append(out, body);
    }
}

bool http_exchange_detach(struct http_exchange *x, uv_os_sock_t *fd, struct buf *bytes)
{
    struct connection *c = x->connection;
    uv_os_fd_t own;
    if (!c || uv_fileno((const uv_handle_t *)&c->tcp, &own) != 0)
        return false;
    write_head(&x->head, bytes);
    write_body(&x->head, bytes);
    append(bytes, slice_of(c->pending.data + c->pending_used, c->pending.len - c->pending_used));
    /* Closing the handle takes its descriptor out of the loop; the copy knows no loop yet. */
    int copy = bytes->failed ? -1 : fcntl(own, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return false;
    *fd = copy;
    exchange_detach(x);
    exchange_end(x);
    http_connection_close(c);
    return true;
}
