/* SPDX-License-Identifier: MIT */
#include "gateway/dial.h"

#include <stdlib.h>

#include "gateway/gateway.h"
#include "gateway/list.h"
#include "gateway/worker.h"

enum {
    TUNNEL_BYTES_MAX = 16 * 1024, /* of what a proxy says before the tunnel is open */
    ATTEMPTS_MAX = 6,             /* in the race at once; RFC 8305 wants a bound */
};

struct dial {
    struct worker *worker;
    struct dc *dc;
    const struct dial_owner *owner;
    void *ctx;
    struct dc_candidates candidates;
    size_t next;          /* candidate */
    struct list attempts; /* in the race */
    size_t n_attempts;
    struct wheel_timer race; /* when the next one joins */
    struct wheel_timer timeout;
    const char *reason; /* of the last failure */
    bool beginning;     /* dial_begin has not returned: nobody is told of failures yet */
};

struct attempt {
    struct dial_socket *socket; /* freed by its closing, or handed to the winner's owner */
    struct list link;
    struct dial *dial; /* NULL: no longer in the race */
    union {
        uv_connect_t connect;
        uv_getaddrinfo_t resolve;
    };
    struct addrinfo *resolved; /* of a name; NULL: it was an address */
    struct addrinfo *left;     /* of those, not tried yet */
    bool resolving;
    bool connecting;
    struct dc_address target;
    struct tunnel tunnel;
    struct buf in;
};

static void free_dial(struct dial *d)
{
    worker_disarm(d->worker, &d->race);
    worker_disarm(d->worker, &d->timeout);
    free(d);
}

/* ---- sockets ---- */

static void on_socket_closed(uv_handle_t *handle)
{
    struct dial_socket *s = (struct dial_socket *)(void *)handle;
    if (s->on_closed)
        s->on_closed(handle->data);
    free(s);
}

void dial_socket_close(struct dial_socket *s, void (*on_closed)(void *data))
{
    s->on_closed = on_closed;
    uv_close((uv_handle_t *)&s->tcp, on_socket_closed);
}

/* ---- attempts ---- */

/* It is freed when the loop needs none of it any more. */
static void free_attempt_when_done(struct attempt *a)
{
    if (a->dial || a->resolving || a->connecting)
        return;
    buf_wipe_free(&a->in);
    uv_freeaddrinfo(a->resolved);
    free(a);
}

static void leave_race(struct attempt *a)
{
    a->dial->n_attempts--;
    a->dial = NULL;
    list_remove(&a->link);
}

static void drop_attempt(struct attempt *a)
{
    leave_race(a);
    if (a->resolving)
        uv_cancel((uv_req_t *)&a->resolve);
    dial_socket_close(a->socket, NULL);
    free_attempt_when_done(a);
}

static void drop_attempts(struct dial *d)
{
    while (!list_empty(&d->attempts))
        drop_attempt(LIST_OWNER(d->attempts.next, struct attempt, link));
}

void dial_cancel(struct dial *d)
{
    drop_attempts(d);
    free_dial(d);
}

static void note_failure(struct dial *d, const struct dc_address *address)
{
    dc_address_tried(&d->worker->gateway->dcs, d->dc, address, false, worker_now_ns(d->worker));
}

static void go_on(struct dial *d);

static void fail_attempt(struct attempt *a, const char *reason)
{
    struct dial *d = a->dial;
    note_failure(d, &a->target);
    drop_attempt(a);
    d->reason = reason;
    if (!d->beginning)
        go_on(d);
}

static void win(struct attempt *a)
{
    struct dial *d = a->dial;
    struct dial_socket *socket = a->socket;
    const struct dial_owner *owner = d->owner;
    void *ctx = d->ctx;
    struct dc_address target = a->target;
    leave_race(a);
    free_attempt_when_done(a);
    dial_cancel(d);
    owner->connected(ctx, socket, &target);
}

/* ---- tunnels ---- */

static void send_words(struct attempt *a, struct buf *words)
{
    uv_buf_t chunk = uv_buf_init((char *)words->data, (unsigned)words->len);
    bool sent = words->len == 0 ||
                (!words->failed && uv_try_write((uv_stream_t *)&a->socket->tcp, &chunk, 1) ==
                                       (int)words->len); /* a few bytes into an empty buffer */
    buf_wipe_free(words);
    if (!sent)
        fail_attempt(a, "the proxy takes no bytes");
}

static void take_answer(struct attempt *a)
{
    struct buf words;
    buf_init(&words, 0);
    switch (tunnel_input(&a->tunnel, &a->in, &words)) {
    case TUNNEL_MORE:
        send_words(a, &words);
        return;
    case TUNNEL_FAILED:
        fail_attempt(a, a->tunnel.reason);
        break;
    case TUNNEL_OPEN:
        uv_read_stop((uv_stream_t *)&a->socket->tcp);
        /* A data centre says nothing before it is spoken to. */
        if (a->in.len > 0)
            fail_attempt(a, "the proxy sends what nobody asked for");
        else
            win(a);
        break;
    }
    buf_wipe_free(&words);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct attempt *a = handle->data;
    *buf = uv_buf_init((char *)a->dial->worker->read_buffer, WORKER_READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct attempt *a = stream->data;
    struct worker *w = a->dial->worker;
    if (n > 0) {
        buf_append(&a->in, bytes->base, (size_t)n);
        if (a->in.failed)
            fail_attempt(a, "the proxy says too much");
        else
            take_answer(a);
    } else if (n < 0) {
        fail_attempt(a, "the proxy closed the connection");
    }
    worker_run(w);
}

static void open_tunnel(struct attempt *a, const struct proxy *proxy)
{
    struct buf words;
    buf_init(&words, 0);
    tunnel_begin(&a->tunnel, proxy, &a->target, &words);
    int status = uv_read_start((uv_stream_t *)&a->socket->tcp, on_alloc, on_read);
    if (status) {
        buf_wipe_free(&words);
        fail_attempt(a, uv_strerror(status));
    } else {
        send_words(a, &words);
    }
}

/* ---- connecting ---- */

static int connect_to_next(struct attempt *a);

/* It was the proxy, where there is one, that was connected to. */
static void fail_connect(struct attempt *a, int status)
{
    bool direct = a->dial->worker->gateway->proxy.kind == PROXY_NONE;
    const char *of_proxy =
        status == UV_ECONNREFUSED ? "the proxy refuses connections" : "the proxy cannot be reached";
    fail_attempt(a, direct ? uv_strerror(status) : of_proxy);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct attempt *a = LIST_OWNER(request, struct attempt, connect);
    a->connecting = false;
    if (!a->dial) {
        free_attempt_when_done(a);
        return;
    }
    struct worker *w = a->dial->worker;
    const struct proxy *proxy = &w->gateway->proxy;
    if (status && connect_to_next(a) == 0)
        return;
    if (status)
        fail_connect(a, status);
    else if (proxy_is_tunnel(proxy))
        open_tunnel(a, proxy);
    else
        win(a);
    worker_run(w);
}

static int connect_to(struct attempt *a, const struct sockaddr *address)
{
    int status = uv_tcp_connect(&a->connect, &a->socket->tcp, address, on_connected);
    a->connecting = status == 0;
    return status;
}

static struct dial_socket *new_socket(struct attempt *a)
{
    struct dial_socket *s = calloc(1, sizeof *s);
    if (!s || uv_tcp_init(&a->dial->worker->loop, &s->tcp)) {
        free(s);
        return NULL;
    }
    s->tcp.data = a;
    return s;
}

/* A name may have several addresses, of both families: "localhost" often has. Each wants a socket
 * of its own. */
static int connect_to_next(struct attempt *a)
{
    int status = UV_EAI_NODATA;
    while (status && a->left) {
        const struct addrinfo *next = a->left;
        struct dial_socket *s = new_socket(a);
        a->left = next->ai_next;
        if (!s)
            return UV_ENOMEM;
        dial_socket_close(a->socket, NULL);
        a->socket = s;
        status = connect_to(a, next->ai_addr);
    }
    return status;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *result)
{
    struct attempt *a = LIST_OWNER(request, struct attempt, resolve);
    a->resolving = false;
    if (!a->dial) {
        uv_freeaddrinfo(result);
        free_attempt_when_done(a);
        return;
    }
    struct worker *w = a->dial->worker;
    a->resolved = a->left = result;
    if (status == 0)
        status = connect_to_next(a);
    if (status)
        fail_connect(a, status);
    worker_run(w);
}

static int resolve(struct attempt *a, const struct dc_address *address)
{
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char port[8];
    snprintf(port, sizeof port, "%d", address->port);
    int status = uv_getaddrinfo(&a->dial->worker->loop, &a->resolve, on_resolved, address->host,
                                port, &hints);
    a->resolving = status == 0;
    return status;
}

static int begin_connect(struct attempt *a, const struct dc_address *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (uv_ip4_addr(address->host, address->port, &v4) == 0)
        return connect_to(a, (const struct sockaddr *)&v4);
    if (uv_ip6_addr(address->host, address->port, &v6) == 0)
        return connect_to(a, (const struct sockaddr *)&v6);
    return resolve(a, address);
}

static struct attempt *new_attempt(struct dial *d)
{
    struct attempt *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->dial = d;
    a->socket = new_socket(a);
    if (!a->socket) {
        free(a);
        return NULL;
    }
    buf_init(&a->in, TUNNEL_BYTES_MAX);
    list_push(&d->attempts, &a->link);
    d->n_attempts++;
    return a;
}

static void start_attempt(struct dial *d)
{
    const struct proxy *proxy = &d->worker->gateway->proxy;
    const struct dc_address *target = &d->candidates.addresses[d->next++];
    struct attempt *a = new_attempt(d);
    if (!a) {
        d->reason = "no connection can be opened";
        return;
    }
    a->target = *target;
    int status = begin_connect(a, proxy->kind == PROXY_NONE ? &a->target : &proxy->address);
    if (status)
        fail_connect(a, status);
}

/* ---- the race ---- */

/* Lets the next one join, if one can. False: nobody is in the race any more. */
static bool join(struct dial *d)
{
    bool was_beginning = d->beginning;
    d->beginning = true; /* one that fails at once is followed by this loop */
    while (d->next < d->candidates.n && d->n_attempts < ATTEMPTS_MAX) {
        size_t before = d->n_attempts;
        start_attempt(d);
        if (d->n_attempts > before)
            break;
    }
    d->beginning = was_beginning;
    if (d->next < d->candidates.n)
        worker_arm(d->worker, &d->race, worker_now_ns(d->worker) + DIAL_RACE_MS * NS_PER_MS);
    return d->n_attempts > 0;
}

static void fail(struct dial *d, const char *reason)
{
    const struct dial_owner *owner = d->owner;
    void *ctx = d->ctx;
    dial_cancel(d);
    owner->failed(ctx, reason);
}

static void go_on(struct dial *d)
{
    if (!join(d))
        fail(d, d->reason);
}

static void on_race(struct wheel_timer *timer)
{
    go_on(LIST_OWNER(timer, struct dial, race));
}

static void on_timeout(struct wheel_timer *timer)
{
    struct dial *d = LIST_OWNER(timer, struct dial, timeout);
    struct list *node;
    for (node = d->attempts.next; node != &d->attempts; node = node->next)
        note_failure(d, &LIST_OWNER(node, struct attempt, link)->target);
    fail(d, d->worker->gateway->proxy.kind == PROXY_NONE
                ? "the data centre does not answer"
                : "the proxy, or the data centre behind it, does not answer");
}

/* An MTProxy is told the data centre, and finds its address itself. */
static void list_candidates(struct dial *d, enum dc_use use)
{
    struct gateway *g = d->worker->gateway;
    dc_candidates(&g->dcs, d->dc, use, worker_now_ns(d->worker), &d->candidates);
    if (g->proxy.kind != PROXY_MTPROTO)
        return;
    d->candidates.addresses[0] = g->proxy.address;
    d->candidates.n = 1;
}

struct dial *dial_begin(struct worker *w, struct dc *dc, enum dc_use use,
                        const struct dial_owner *owner, void *ctx)
{
    struct dial *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->worker = w;
    d->dc = dc;
    d->owner = owner;
    d->ctx = ctx;
    d->race.fire = on_race;
    d->timeout.fire = on_timeout;
    list_init(&d->attempts);
    list_candidates(d, use);
    d->beginning = true;
    bool racing = join(d);
    d->beginning = false;
    if (!racing) {
        free_dial(d);
        return NULL;
    }
    worker_arm(w, &d->timeout, worker_now_ns(w) + DIAL_TIMEOUT_MS * NS_PER_MS);
    return d;
}
