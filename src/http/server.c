/* SPDX-License-Identifier: MIT */
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "http/connection.h"

struct http_limits http_limits_default(void)
{
    return (struct http_limits){
        .connections_max = 16384,      /* 0.4 KiB each idle: 6 MiB a worker */
        .head_bytes_max = 16 * 1024,   /* a 4 KiB session string, and the 8 KiB that proxies pass */
        .target_bytes_max = 8 * 1024,  /* what nginx takes; our longest query is a search text */
        .headers_max = 100,            /* browsers behind two proxies send about 30 */
        .body_bytes_max = 1024 * 1024, /* JSON only: the longest message is 16 KiB of escapes */
        .head_timeout_ms = 10 * 1000,  /* a head is one packet or three; a slow phone has seconds */
        .body_timeout_ms = 20 * 1000,  /* a mobile link's outage */
        .idle_timeout_ms = 75 * 1000,  /* past the 60 s after which balancers drop theirs */
        .write_timeout_ms = 20 * 1000, /* as the body's */
        .half_close_ms = 2 * 1000,     /* an ordinary call is done; a gone client costs no more */
        .pipelined_max = 16 * 1024,    /* one head of the largest size */
        .stream_high_bytes = 512 * 1024,  /* a part of a file: the next one is fetched meanwhile */
        .stream_low_bytes = 128 * 1024,   /* 10 ms at 100 Mbit/s, besides the socket's own buffer */
        .stream_turn_bytes = 1024 * 1024, /* a fraction of a millisecond */
    };
}

/* ---- queues and time ---- */

static void unlink_connection(struct connection_queue *q, struct connection *c)
{
    *(c->prev ? &c->prev->next : &q->first) = c->next;
    *(c->next ? &c->next->prev : &q->last) = c->prev;
    c->prev = c->next = NULL;
}

static void append_connection(struct connection_queue *q, struct connection *c)
{
    c->prev = q->last;
    *(q->last ? &q->last->next : &q->first) = c;
    q->last = c;
}

static void on_timer(uv_timer_t *timer);

/* The timer may fire too early, never too late: a deadline that moves away costs nothing. */
static void ensure_timer(struct http_server *s, uint64_t deadline)
{
    if (s->closing || (s->timer_due != 0 && s->timer_due <= deadline))
        return;
    uint64_t now = uv_now(s->loop);
    s->timer_due = deadline;
    uv_timer_start(&s->timer, on_timer, deadline > now ? deadline - now : 0, 0);
}

static void accept_again(struct http_server *s);

static void on_timer(uv_timer_t *timer)
{
    struct http_server *s = timer->data;
    uint64_t now = uv_now(s->loop);
    s->timer_due = 0;
    if (s->accept_due != 0 && s->accept_due <= now)
        accept_again(s);
    for (size_t i = 0; i < CONNECTION_STATES; i++) {
        if (s->timeouts[i] == 0)
            continue;
        while (s->queues[i].first && s->queues[i].first->deadline <= now)
            connection_timed_out(s->queues[i].first);
    }
    for (size_t i = 0; i < CONNECTION_STATES; i++)
        if (s->timeouts[i] != 0 && s->queues[i].first)
            ensure_timer(s, s->queues[i].first->deadline);
    if (s->accept_due != 0)
        ensure_timer(s, s->accept_due);
}

/* Resumes those that are ready now; who gets ready meanwhile waits for the next turn. */
static void on_resume(uv_idle_t *idle)
{
    struct http_server *s = idle->data;
    struct connection *last = s->queues[CONNECTION_READY].last;
    struct connection *c;
    while ((c = s->queues[CONNECTION_READY].first) != NULL) {
        connection_resume(c);
        if (c == last)
            break;
    }
    if (!s->queues[CONNECTION_READY].first)
        uv_idle_stop(idle);
}

void connection_enter(struct connection *c, enum connection_state state)
{
    struct http_server *s = c->server;
    if (c->state != CONNECTION_STATES)
        unlink_connection(&s->queues[c->state], c);
    c->state = state;
    if (state == CONNECTION_STATES)
        return;
    append_connection(&s->queues[state], c);
    c->deadline = 0;
    if (s->timeouts[state] != 0) {
        c->deadline = uv_now(s->loop) + s->timeouts[state];
        ensure_timer(s, c->deadline);
    }
    if (state == CONNECTION_READY && !s->closing)
        uv_idle_start(&s->resumer, on_resume);
}

/* ---- listening ---- */

static void on_connection(uv_stream_t *listener, int status)
{
    struct http_server *s = listener->data;
    if (status != 0) {
        log_event(&s->log, LOG_ERROR, "http_accept_failed", log_str("reason", uv_strerror(status)));
        return;
    }
    struct connection *c = connection_new(s);
    if (!c) { /* the loop does not look at a listener any more until it is accepted from */
        s->accept_due = uv_now(s->loop) + ACCEPT_AGAIN_MS;
        ensure_timer(s, s->accept_due);
        return;
    }
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0)
        http_connection_close(c);
    else
        connection_start(c);
}

/* Where nothing waits, accepting fails and nothing comes of it. */
static void accept_again(struct http_server *s)
{
    s->accept_due = 0;
    for (size_t i = 0; i < s->n_listeners; i++)
        on_connection((uv_stream_t *)s->listeners[i], 0);
}

/* "1.2.3.4:5", "[::1]:5" */
static int parse_address(const char *text, struct sockaddr_storage *out)
{
    const char *colon = strrchr(text, ':');
    int64_t port;
    if (!colon || !slice_to_i64(slice_str(colon + 1), &port) || port < 0 || port > 65535)
        return UV_EINVAL;
    bool bracketed = text[0] == '[' && colon > text + 1 && colon[-1] == ']';
    size_t len = (size_t)(colon - text) - (bracketed ? 2 : 0);
    char host[INET6_ADDRSTRLEN];
    if (len >= sizeof host)
        return UV_EINVAL;
    memcpy(host, text + bracketed, len);
    host[len] = 0;
    return bracketed ? uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)out)
                     : uv_ip4_addr(host, (int)port, (struct sockaddr_in *)out);
}

static int bind_and_listen(uv_tcp_t *tcp, const struct sockaddr_storage *address, bool reuse_port,
                           int *port)
{
    uv_os_fd_t fd;
    int on = 1;
    int rc = uv_fileno((const uv_handle_t *)tcp, &fd);
    if (rc == 0 && reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
        rc = uv_translate_sys_error(errno);
    if (rc == 0)
        rc = uv_tcp_bind(tcp, (const struct sockaddr *)address, 0);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)tcp, LISTEN_BACKLOG, on_connection);
    struct sockaddr_storage bound;
    int len = sizeof bound;
    if (rc == 0)
        rc = uv_tcp_getsockname(tcp, (struct sockaddr *)&bound, &len);
    if (rc == 0) /* the port stands at the same place in both families */
        *port = ntohs(((const struct sockaddr_in *)&bound)->sin_port);
    return rc;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct http_server *s = handle->data;
    free(handle);
    server_handle_closed(s);
}

int http_server_listen(struct http_server *s, const char *address, bool reuse_port, int *port)
{
    struct sockaddr_storage parsed;
    int rc = parse_address(address, &parsed);
    if (rc != 0)
        return rc;
    if (s->n_listeners == LISTENERS_MAX || s->draining)
        return UV_EMFILE;
    uv_tcp_t *tcp = calloc(1, sizeof *tcp);
    if (!tcp)
        return UV_ENOMEM;
    rc = uv_tcp_init_ex(s->loop, tcp, parsed.ss_family);
    if (rc != 0) {
        free(tcp);
        return rc;
    }
    tcp->data = s;
    s->handles++;
    rc = bind_and_listen(tcp, &parsed, reuse_port, port);
    if (rc != 0)
        uv_close((uv_handle_t *)tcp, on_listener_closed);
    else
        s->listeners[s->n_listeners++] = tcp;
    return rc;
}

int http_server_adopt(struct http_server *s, uv_os_sock_t fd, struct slice bytes)
{
    struct connection *c = connection_new(s);
    if (!c)
        return UV_ENOMEM;
    c->pending.max += bytes.len; /* within the other server's bounds, and then parsed within ours */
    buf_append(&c->pending, bytes.data, bytes.len);
    int rc = c->pending.failed ? UV_ENOMEM : uv_tcp_open(&c->tcp, fd);
    if (rc != 0) {
        http_connection_close(c);
        return rc;
    }
    connection_start(c);
    if (bytes.len > 0 && c->state == CONNECTION_IDLE)
        connection_resume(c);
    return 0;
}

/* ---- beginning and end ---- */

struct http_server *http_server_new(uv_loop_t *loop, const struct http_limits *limits,
                                    const struct http_callbacks *callbacks,
                                    const struct clock *clock, const struct log *log)
{
    struct http_server *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->loop = loop;
    s->limits = *limits;
    if (s->limits.pipelined_max == 0)
        s->limits.pipelined_max = 1; /* with no room to read there is no way to see a client go */
    s->callbacks = *callbacks;
    s->clock = *clock;
    s->log = *log;
    s->date_s = -1;
    buf_init_secret(&s->answer_head, ANSWER_HEAD_MAX);
    buf_init(&s->error_body, ANSWER_HEAD_MAX);
    s->timeouts[CONNECTION_IDLE] = (uint64_t)limits->idle_timeout_ms;
    s->timeouts[CONNECTION_HEAD] = (uint64_t)limits->head_timeout_ms;
    s->timeouts[CONNECTION_BODY] = (uint64_t)limits->body_timeout_ms;
    s->timeouts[CONNECTION_WRITING] = (uint64_t)limits->write_timeout_ms;
    s->timeouts[CONNECTION_HALF_CLOSED] = (uint64_t)limits->half_close_ms;
    s->timeouts[CONNECTION_LINGERING] = LINGER_MS;
    uv_timer_init(loop, &s->timer);
    uv_idle_init(loop, &s->resumer);
    s->timer.data = s->resumer.data = s;
    s->handles = 2;
    return s;
}

static void close_listeners(struct http_server *s)
{
    while (s->n_listeners > 0)
        uv_close((uv_handle_t *)s->listeners[--s->n_listeners], on_listener_closed);
}

static void close_all(struct http_server *s, enum connection_state state)
{
    while (s->queues[state].first)
        http_connection_close(s->queues[state].first);
}

void http_server_drain(struct http_server *s)
{
    s->draining = true;
    close_listeners(s);
    close_all(s, CONNECTION_IDLE);
}

bool http_server_idle(const struct http_server *s)
{
    return s->counters.connections_open == 0;
}

const struct http_counters *http_server_counters(const struct http_server *s)
{
    return &s->counters;
}

static void on_own_handle_closed(uv_handle_t *handle)
{
    server_handle_closed(handle->data);
}

/* The resumer's handle stays until the last exchange has ended: so the server outlives them. */
void server_exchange_ended(struct http_server *s)
{
    if (s->closing && s->exchanges_open == 0 && !uv_is_closing((uv_handle_t *)&s->resumer))
        uv_close((uv_handle_t *)&s->resumer, on_own_handle_closed);
}

void http_server_close(struct http_server *s, void (*on_closed)(void *ctx), void *ctx)
{
    s->on_closed = on_closed;
    s->on_closed_ctx = ctx;
    http_server_drain(s);
    s->closing = true;
    uv_idle_stop(&s->resumer);
    uv_close((uv_handle_t *)&s->timer, on_own_handle_closed);
    for (enum connection_state state = 0; state < CONNECTION_CLOSING; state++)
        close_all(s, state);
    server_exchange_ended(s);
}

void server_handle_closed(struct http_server *s)
{
    if (--s->handles > 0)
        return;
    void (*on_closed)(void *ctx) = s->on_closed;
    void *ctx = s->on_closed_ctx;
    exchange_free_pool(s);
    buf_free(&s->answer_head);
    buf_free(&s->error_body);
    free(s);
    if (on_closed)
        on_closed(ctx);
}
