/* SPDX-License-Identifier: MIT */
#include "gateway/link.h"

#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "gateway/dial.h"
#include "gateway/gateway.h"
#include "gateway/worker.h"

enum {
    WRITE_QUEUE_FULL = 1024 * 1024,    /* nothing more is written until the socket took it */
    WRITE_QUEUE_MAX = 8 * 1024 * 1024, /* an owner that writes on all the same is given up */
    WRITE_KEEP_MAX = 1024 * 1024,      /* scratch kept between writes: a frame of a file's part */
    WRITE_COPY_MAX = 16 * 1024, /* what is left of a write is copied; more takes its buffer */
};

struct link {
    struct worker *worker;
    struct dc *dc;
    const struct link_owner *owner; /* NULL once closed */
    void *ctx;
    struct dial *dial;           /* while connecting */
    struct dial_socket *socket;  /* then */
    struct dc_address *unproved; /* where it is connected to, until a word comes from there */
    struct transport transport;
    struct buf in; /* the beginning of a frame whose rest is on its way */
    bool closed;
};

struct pending_write {
    uv_write_t request;
    struct link *link;
    struct buf bytes;
};

static void free_link(void *link)
{
    struct link *l = link;
    transport_free(&l->transport);
    buf_free(&l->in);
    free(l->unproved);
    free(l);
}

static void note_trial(struct link *l, bool worked)
{
    struct worker *w = l->worker;
    if (!l->unproved)
        return;
    dc_address_tried(&w->gateway->dcs, l->dc, l->unproved, worked, worker_now_ns(w));
    free(l->unproved);
    l->unproved = NULL;
}

static uv_stream_t *stream_of(struct link *l)
{
    return (uv_stream_t *)&l->socket->tcp;
}

void link_close(struct link *l)
{
    if (l->closed)
        return;
    l->closed = true;
    l->owner = NULL;
    if (l->socket) {
        metric_add(&l->worker->metrics.upstream_connections_open, (uint64_t)-1);
        dial_socket_close(l->socket, free_link);
        return;
    }
    if (l->dial)
        dial_cancel(l->dial);
    free_link(l);
}

void link_give_up(struct link *l)
{
    note_trial(l, false);
    link_close(l);
}

static void lose(struct link *l, const char *reason)
{
    const struct link_owner *owner = l->owner;
    void *ctx = l->ctx;
    if (!owner)
        return;
    link_give_up(l);
    owner->lost(ctx, reason);
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct link *l = handle->data;
    /* The rest of a frame goes straight behind its beginning. */
    uint8_t *at = l->in.len > 0 ? buf_reserve(&l->in, WORKER_READ_BYTES) : l->worker->read_buffer;
    *buf = uv_buf_init((char *)at, at ? WORKER_READ_BYTES : 0);
}

/* Hands on every whole frame; returns how many bytes were used up. */
static size_t take_frames(struct link *l, uint8_t *bytes, size_t len)
{
    size_t used = 0;
    while (l->owner) {
        size_t consumed = 0;
        struct transport_event event =
            transport_read(&l->transport, bytes + used, len - used, &consumed);
        used += consumed;
        if (event.type == TRANSPORT_FRAME || event.type == TRANSPORT_ERROR)
            note_trial(l, true);
        switch (event.type) {
        case TRANSPORT_NEED_MORE:
            return used;
        case TRANSPORT_FRAME:
            metric_add(&l->worker->metrics.upstream_frames_received_total, 1);
            l->owner->frame(l->ctx, event.payload, event.len);
            break;
        case TRANSPORT_QUICK_ACK:
            break;
        case TRANSPORT_ERROR:
            l->owner->refused(l->ctx, event.code);
            break;
        case TRANSPORT_BROKEN:
            lose(l, event.reason);
            break;
        }
    }
    return len;
}

static void take_bytes(struct link *l, uint8_t *bytes, size_t len)
{
    metric_add(&l->worker->metrics.upstream_bytes_in_total, len);
    if (l->in.len == 0) {
        size_t used = take_frames(l, bytes, len);
        buf_append(&l->in, bytes + used, len - used);
    } else {
        l->in.len += len;
        buf_drop_front(&l->in, take_frames(l, l->in.data, l->in.len));
        if (l->in.len == 0)
            buf_shrink(&l->in, 0);
    }
    if (l->in.failed)
        lose(l, "a frame is too large");
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct link *l = stream->data;
    struct worker *w = l->worker;
    if (n > 0)
        take_bytes(l, (uint8_t *)buf->base, (size_t)n);
    else if (n < 0)
        lose(l, n == UV_EOF ? "the data centre closed the connection" : uv_strerror((int)n));
    worker_run(w);
}

/* ---- connecting ---- */

static void on_connected(void *ctx, struct dial_socket *socket, const struct dc_address *address)
{
    struct link *l = ctx;
    struct worker *w = l->worker;
    l->dial = NULL;
    l->socket = socket;
    l->unproved = malloc(sizeof *l->unproved);
    if (l->unproved)
        *l->unproved = *address;
    socket->tcp.data = l;
    metric_add(&w->metrics.upstream_connects_total, 1);
    metric_add(&w->metrics.upstream_connections_open, 1);
    uv_tcp_nodelay(&socket->tcp, 1);
    int status = uv_read_start(stream_of(l), on_alloc, on_read);
    if (status)
        lose(l, uv_strerror(status));
    else
        l->owner->connected(l->ctx);
}

static void on_failed(void *ctx, const char *reason)
{
    struct link *l = ctx;
    l->dial = NULL;
    metric_add(&l->worker->metrics.upstream_connect_failures_total, 1);
    lose(l, reason);
}

static const struct dial_owner dial_owner = {.connected = on_connected, .failed = on_failed};

struct link *link_open(struct worker *w, struct dc *dc, enum dc_use use,
                       const struct link_owner *owner, void *ctx)
{
    struct link *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->worker = w;
    l->dc = dc;
    l->owner = owner;
    l->ctx = ctx;
    buf_init(&l->in, TRANSPORT_FRAME_MAX + WORKER_READ_BYTES);
    l->dial = dial_begin(w, dc, use, &dial_owner, l);
    if (!l->dial) {
        metric_add(&w->metrics.upstream_connect_failures_total, 1);
        link_close(l);
        return NULL;
    }
    return l;
}

size_t link_unsent(const struct link *l)
{
    uv_os_fd_t fd;
    int in_kernel = 0;
    if (!link_connected(l) || uv_fileno((const uv_handle_t *)&l->socket->tcp, &fd))
        return 0;
    if (ioctl(fd, SIOCOUTQ, &in_kernel))
        in_kernel = 0;
    return (size_t)in_kernel + uv_stream_get_write_queue_size((const uv_stream_t *)&l->socket->tcp);
}

void link_set_owner(struct link *l, const struct link_owner *owner, void *ctx)
{
    if (l->closed)
        return;
    l->owner = owner;
    l->ctx = ctx;
}

bool link_connected(const struct link *l)
{
    return l->socket && !l->closed;
}

bool link_full(const struct link *l)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&l->socket->tcp) >= WRITE_QUEUE_FULL;
}

struct transport *link_transport(struct link *l)
{
    return &l->transport;
}

/* ---- writing ---- */

static void open_transport(struct link *l, struct buf *out)
{
    struct worker *w = l->worker;
    const struct proxy *proxy = &w->gateway->proxy;
    if (proxy->kind == PROXY_MTPROTO)
        transport_client_init_proxy(
            &l->transport, proxy->padded ? TRANSPORT_PADDED : TRANSPORT_INTERMEDIATE,
            (int16_t)dc_wire_id(&w->gateway->dcs, l->dc), proxy->secret, w->digests, &w->rng, out);
    else
        transport_client_init(&l->transport, TRANSPORT_INTERMEDIATE, false, 0, &w->rng, out);
}

struct buf *link_write_begin(struct link *l)
{
    struct buf *out = &l->worker->out;
    buf_clear(out);
    if (l->transport.kind == TRANSPORT_UNKNOWN)
        open_transport(l, out);
    return out;
}

static void on_written(uv_write_t *request, int status)
{
    (void)status; /* a failed write shows on the reading side */
    struct pending_write *p = LIST_OWNER(request, struct pending_write, request);
    struct link *l = p->link;
    buf_free(&p->bytes);
    free(p);
    if (l->owner && l->owner->writable && !link_full(l))
        l->owner->writable(l->ctx);
}

/* What is lost cannot be made good: let the reading side see the end. */
static void break_off(struct link *l)
{
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)stream_of(l), &fd) == 0)
        shutdown(fd, SHUT_RDWR);
}

/* Queues what of `out` is behind its first `done` bytes, and may take its memory. */
static void queue_write(struct link *l, struct buf *out, size_t done)
{
    size_t left = out->len - done;
    struct pending_write *p = NULL;
    if (uv_stream_get_write_queue_size(stream_of(l)) + left <= WRITE_QUEUE_MAX)
        p = calloc(1, sizeof *p);
    if (!p) {
        break_off(l);
        return;
    }
    p->link = l;
    buf_init(&p->bytes, 0);
    if (left <= WRITE_COPY_MAX) {
        buf_append(&p->bytes, out->data + done, left);
        done = 0;
    } else {
        p->bytes = *out;
        buf_init(out, 0);
    }
    uv_buf_t chunk = uv_buf_init((char *)p->bytes.data + done, (unsigned)left);
    if (p->bytes.failed || uv_write(&p->request, stream_of(l), &chunk, 1, on_written)) {
        buf_free(&p->bytes);
        free(p);
        break_off(l);
    }
}

size_t link_write_end(struct link *l)
{
    struct buf *out = &l->worker->out;
    size_t len = out->len;
    if (out->failed)
        break_off(l);
    if (!link_connected(l) || out->failed || len == 0)
        return 0;
    uv_buf_t chunk = uv_buf_init((char *)out->data, (unsigned)len);
    int written = uv_try_write(stream_of(l), &chunk, 1);
    size_t done = written > 0 ? (size_t)written : 0;
    if (done < len && (written >= 0 || written == UV_EAGAIN))
        queue_write(l, out, done);
    metric_add(&l->worker->metrics.upstream_bytes_out_total, len);
    buf_shrink(out, WRITE_KEEP_MAX);
    return len;
}
