/* SPDX-License-Identifier: MIT
 * One TCP connection: bytes to frames, frames to the handshake or to their session, and back. */
#include "sandbox/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "sandbox/state.h"

enum { OUT_KEPT = 4096, GARBAGE_BYTES = 128 };

/* ---- writing ---- */

struct write {
    uv_write_t req;
    struct buf bytes;
};

static void on_written(uv_write_t *req, int status)
{
    struct write *w = (struct write *)req->data;
    struct connection *c = (struct connection *)req->handle->data;
    buf_free(&w->bytes);
    free(w);
    if (status < 0)
        connection_close(c, false);
}

/* What the socket did not take at once goes into libuv's queue, in its own memory. */
static void queue_rest(struct connection *c, size_t written)
{
    struct write *w = calloc(1, sizeof *w);
    if (!w || uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) > WRITE_QUEUE_MAX) {
        free(w);
        connection_close(c, true);
        return;
    }
    w->bytes = c->out;
    w->req.data = w;
    buf_init(&c->out, WRITE_QUEUE_MAX);
    uv_buf_t rest =
        uv_buf_init((char *)w->bytes.data + written, (unsigned)(w->bytes.len - written));
    if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &rest, 1, on_written) < 0) {
        buf_free(&w->bytes);
        free(w);
        connection_close(c, false);
    }
}

static void write_out(struct connection *c)
{
    if (c->closing || c->out.len == 0)
        return;
    if (c->out.failed) {
        connection_close(c, true);
        return;
    }
    uv_buf_t all = uv_buf_init((char *)c->out.data, (unsigned)c->out.len);
    int n = uv_try_write((uv_stream_t *)&c->tcp, &all, 1);
    if (n < 0 && n != UV_EAGAIN) {
        connection_close(c, false);
        return;
    }
    size_t written = n < 0 ? 0 : (size_t)n;
    if (written < c->out.len) {
        queue_rest(c, written);
        return;
    }
    buf_clear(&c->out);
    buf_shrink(&c->out, OUT_KEPT);
}

void connection_touch(struct connection *c)
{
    if (c->touched || c->closing)
        return;
    c->touched = true;
    c->next_touched = c->sandbox->touched;
    c->sandbox->touched = c;
}

void connection_flush(struct connection *c)
{
    for (struct session *session = c->sessions; session; session = session->next_of_connection)
        if (server_session_wants_flush(session->mt))
            server_session_flush(session->mt, &c->transport, &c->out);
    write_out(c);
}

void connection_send_garbage(struct connection *c)
{
    size_t mark = transport_frame_begin(&c->transport, &c->out);
    uint8_t *bytes = buf_extend(&c->out, GARBAGE_BYTES);
    if (bytes)
        rng_fill(&c->sandbox->protocol_rng, bytes, GARBAGE_BYTES);
    transport_frame_end(&c->transport, &c->out, mark, false, &c->sandbox->protocol_rng);
    connection_touch(c);
}

void connection_refuse(struct connection *c, int32_t code)
{
    if (c->closing)
        return;
    transport_write_error(&c->transport, &c->out, code);
    write_out(c);
    connection_close(c, false);
}

/* ---- closing ---- */

static void free_when_idle(struct connection *c)
{
    if (c->handles_open > 0 || c->working)
        return;
    handshake_server_free(c->handshake);
    free(c);
}

static void on_closed(uv_handle_t *handle)
{
    struct connection *c = handle->data;
    c->handles_open--;
    free_when_idle(c);
}

static void unlink_connection(struct connection *c)
{
    struct sandbox *s = c->sandbox;
    if (c->prev)
        c->prev->next = c->next;
    else
        s->connections = c->next;
    if (c->next)
        c->next->prev = c->prev;
    s->n_connections--;
    for (struct connection **link = &s->touched; c->touched && *link;
         link = &(*link)->next_touched) {
        if (*link == c) {
            *link = c->next_touched;
            break;
        }
    }
}

/* Its requests that still run no longer count: the client may use the key elsewhere now. */
static void rest_key(const struct connection *c, struct authorization *a)
{
    if (a->busy_serial != c->serial)
        return;
    a->busy_serial = 0;
    a->busy = 0;
}

void connection_close(struct connection *c, bool reset)
{
    if (c->closing)
        return;
    c->closing = true;
    unlink_connection(c);
    while (c->sessions) {
        struct session *session = c->sessions;
        rest_key(c, session->auth);
        session_attach(session, NULL);
    }
    transport_free(&c->transport);
    buf_free(&c->in);
    buf_free(&c->out);
    uv_close((uv_handle_t *)&c->timer, on_closed);
    if (!reset || uv_tcp_close_reset(&c->tcp, on_closed) < 0)
        uv_close((uv_handle_t *)&c->tcp, on_closed);
}

bool connection_peer_gone(const struct connection *c)
{
    uv_os_fd_t fd;
    char byte;
    if (c->closing || uv_fileno((const uv_handle_t *)&c->tcp, &fd) < 0)
        return true;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

struct connection *connection_by_serial(struct sandbox *s, uint64_t serial)
{
    for (struct connection *c = s->connections; c; c = c->next)
        if (c->serial == serial)
            return c;
    return NULL;
}

static void on_timer(uv_timer_t *timer)
{
    connection_close(timer->data, false);
}

void connection_close_in(struct connection *c, uint64_t ms)
{
    if (c->closing)
        return;
    if (ms)
        uv_timer_start(&c->timer, on_timer, ms, 0);
    else
        uv_timer_stop(&c->timer);
}

/* ---- the handshake ---- */

static bool key_id_taken(void *ctx, uint64_t id)
{
    return id_map_get(&((struct sandbox *)ctx)->keys, (int64_t)id) != NULL;
}

static struct handshake_server *handshake_new(struct connection *c)
{
    struct sandbox *s = c->sandbox;
    return handshake_server_new(&(struct handshake_server_config){
        .key = s->rsa,
        .dc = s->dcs == 1 ? 0 : c->dc,
        .clock = &s->clock,
        .rng = &s->protocol_rng,
        .digests = s->digests,
        .key_id_taken = key_id_taken,
        .ctx = s,
    });
}

static void frame_out(struct connection *c, const struct buf *payload)
{
    size_t mark = transport_frame_begin(&c->transport, &c->out);
    buf_append(&c->out, payload->data, payload->len);
    transport_frame_end(&c->transport, &c->out, mark, false, &c->sandbox->protocol_rng);
    connection_touch(c);
}

static void handshake_step(struct connection *c, enum handshake_status status,
                           const struct buf *out);

static void on_work(uv_work_t *work)
{
    handshake_server_work(((struct connection *)work->data)->handshake);
}

static void on_work_done(uv_work_t *work, int status)
{
    struct connection *c = work->data;
    c->working = false;
    if (c->closing || status < 0) {
        free_when_idle(c);
        return;
    }
    struct buf out;
    buf_init(&out, 0);
    enum handshake_status next = handshake_server_continue(c->handshake, &out);
    handshake_step(c, next, &out);
    buf_free(&out);
}

static void handshake_done(struct connection *c)
{
    struct sandbox *s = c->sandbox;
    const struct handshake_result *r = handshake_server_result(c->handshake);
    if (!key_add(s, &r->key, r->salt, c->dc, r->expires_in_s)) {
        connection_refuse(c, TRANSPORT_ERROR_FLOOD);
        return;
    }
    s->stats.handshakes++;
    handshake_server_free(c->handshake);
    c->handshake = NULL;
}

static void handshake_step(struct connection *c, enum handshake_status status,
                           const struct buf *out)
{
    if (out->len)
        frame_out(c, out);
    switch (status) {
    case HANDSHAKE_SEND:
        break;
    case HANDSHAKE_WORK:
        c->working = true;
        c->work.data = c;
        if (uv_queue_work(c->sandbox->loop, &c->work, on_work, on_work_done) < 0) {
            c->working = false;
            connection_close(c, false);
        }
        break;
    case HANDSHAKE_DONE:
        handshake_done(c);
        break;
    case HANDSHAKE_FAILED:
        log_event(&c->sandbox->log, LOG_INFO, "handshake_failed",
                  log_str("reason", handshake_server_error(c->handshake)));
        connection_refuse(c, TRANSPORT_ERROR_AUTH_KEY);
        break;
    }
}

static void plain_frame(struct connection *c, struct slice frame)
{
    c->sandbox->stats.plain_in++;
    if (c->working) { /* a client speaks in turns: more before our answer is not ours to queue */
        log_event(&c->sandbox->log, LOG_DEBUG, "plain_frame_dropped",
                  log_str("reason", "the answer to the one before is still being computed"));
        return;
    }
    if (!c->handshake)
        c->handshake = handshake_new(c);
    if (!c->handshake) {
        connection_close(c, false);
        return;
    }
    struct buf out;
    buf_init(&out, 0);
    enum handshake_status status = handshake_server_input(c->handshake, frame, &out);
    handshake_step(c, status, &out);
    buf_free(&out);
}

/* ---- sessions ---- */

static void key_to_be_destroyed(struct connection *c, struct session *session, uint64_t msg_id)
{
    struct sandbox *s = c->sandbox;
    server_session_key_destroyed(session->mt, msg_id, true);
    connection_flush(c);
    key_destroy(s, session->auth);
}

/* False when session or connection are no more. */
static bool session_event(struct connection *c, struct session *session,
                          const struct server_event *e)
{
    struct sandbox *s = c->sandbox;
    struct session *other;
    switch (e->type) {
    case SERVER_REQUEST:
        call_receive(s, c, session, e->msg_id, e->body);
        return !session->gone && session->connection == c && !c->closing;
    case SERVER_DESTROY_SESSION:
        other = session_find(session->auth, e->session_id);
        server_session_session_destroyed(session->mt, e->session_id, other && other != session);
        if (other && other != session)
            session_end(s, other);
        return true;
    case SERVER_DESTROY_KEY:
        key_to_be_destroyed(c, session, e->msg_id);
        return false;
    case SERVER_DISCONNECT_IN:
        connection_close_in(c, (uint64_t)(e->code > 0 ? e->code : 1) * MS_PER_S);
        return true;
    case SERVER_BROKEN:
        log_event(&s->log, LOG_INFO, "session_broken", log_str("reason", e->reason));
        connection_close(c, false);
        return false;
    case SERVER_DROP_ANSWER: /* its answer is dropped by the session; the call itself goes on */
    case SERVER_HTTP_WAIT:
    case SERVER_NONE:
        break;
    }
    return true;
}

static void sealed_frame(struct connection *c, uint8_t *frame, size_t len, bool quick_ack_wanted)
{
    struct sandbox *s = c->sandbox;
    struct authorization *a = key_find(s, mt_frame_key_id(slice_of(frame, len)), c->dc);
    if (!a) {
        connection_refuse(c, TRANSPORT_ERROR_AUTH_KEY);
        return;
    }
    struct mt_message m;
    if (!mt_open(&a->key, s->digests, false, frame, len, &m)) {
        log_event(&s->log, LOG_WARN, "frame_not_opened", log_int("bytes", (int64_t)len));
        if (++c->bad_frames >= BAD_FRAMES_MAX) /* which bounds the log too */
            connection_refuse(c, TRANSPORT_ERROR_AUTH_KEY);
        return;
    }
    s->stats.frames_in++;
    if (!c->proven) {
        c->proven = true;
        connection_close_in(c, 0);
        memcpy(a->ip, c->ip, sizeof a->ip);
    }
    struct session *session = session_get(s, a, m.session_id);
    if (!session) {
        connection_close(c, false);
        return;
    }
    session_attach(session, c);
    if (quick_ack_wanted)
        transport_write_quick_ack(&c->transport, &c->out, m.quick_ack);
    connection_touch(c);
    server_session_input(session->mt, &m);
    session->calls++; /* holds the session while its events are taken */
    struct server_event event;
    while (server_session_next(session->mt, &event) && event.type != SERVER_NONE)
        if (!session_event(c, session, &event))
            break;
    session_call_done(s, session);
}

/* ---- reading ---- */

/* False when the connection is gone. */
static bool transport_event(struct connection *c, const struct transport_event *e)
{
    switch (e->type) {
    case TRANSPORT_FRAME:
        if (mt_frame_key_id(slice_of(e->payload, e->len)) == 0)
            plain_frame(c, slice_of(e->payload, e->len));
        else
            sealed_frame(c, e->payload, e->len, e->quick_ack_wanted);
        break;
    case TRANSPORT_BROKEN:
        log_event(&c->sandbox->log, LOG_INFO, "transport_broken", log_str("reason", e->reason));
        connection_close(c, false);
        break;
    case TRANSPORT_QUICK_ACK:
    case TRANSPORT_ERROR:
    case TRANSPORT_NEED_MORE:
        break;
    }
    return !c->closing;
}

/* Takes all frames out of [data, data + len); says how many bytes it used. */
static size_t take_frames(struct connection *c, uint8_t *data, size_t len)
{
    size_t used = 0;
    for (;;) {
        size_t consumed = 0;
        struct transport_event e =
            transport_read(&c->transport, data + used, len - used, &consumed);
        used += consumed;
        if (e.type == TRANSPORT_NEED_MORE || !transport_event(c, &e))
            return used;
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct connection *c = handle->data;
    (void)suggested;
    if (c->in.len == 0) { /* most reads are whole frames: no copy */
        *out = uv_buf_init((char *)c->sandbox->read_buffer, READ_BYTES);
        return;
    }
    enum { MORE = 64 * 1024 };
    uint8_t *room = buf_reserve(&c->in, MORE);
    *out = uv_buf_init((char *)room, room ? MORE : 0);
}

static void read_shared(struct connection *c, uint8_t *data, size_t len)
{
    size_t used = take_frames(c, data, len);
    if (!c->closing && used < len)
        buf_append(&c->in, data + used, len - used);
}

static void read_own(struct connection *c, size_t n)
{
    c->in.len += n;
    size_t used = take_frames(c, c->in.data, c->in.len);
    if (c->closing)
        return;
    buf_drop_front(&c->in, used);
    if (c->in.len == 0)
        buf_shrink(&c->in, 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct connection *c = stream->data;
    if (n < 0) {
        connection_close(c, false);
        return;
    }
    if (n == 0 || c->closing)
        return;
    if ((uint8_t *)b->base == c->sandbox->read_buffer)
        read_shared(c, (uint8_t *)b->base, (size_t)n);
    else
        read_own(c, (size_t)n);
    if (!c->closing && c->in.failed)
        connection_close(c, false);
}

/* ---- accepting ---- */

static void note_address(struct connection *c)
{
    struct sockaddr_storage address;
    int len = sizeof address;
    if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&address, &len) == 0)
        uv_ip_name((struct sockaddr *)&address, c->ip, sizeof c->ip);
}

static void start(struct connection *c)
{
    struct sandbox *s = c->sandbox;
    c->serial = ++s->next_serial;
    transport_server_init(&c->transport);
    buf_init(&c->in, 2 * TRANSPORT_FRAME_MAX);
    buf_init(&c->out, WRITE_QUEUE_MAX);
    c->next = s->connections;
    if (c->next)
        c->next->prev = c;
    s->connections = c;
    s->n_connections++;
    s->stats.connections++;
    note_address(c);
    uv_tcp_nodelay(&c->tcp, 1);
    connection_close_in(c, HANDSHAKE_TIMEOUT_MS);
    if (s->n_connections > CONNECTIONS_MAX ||
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
        connection_close(c, false);
}

void connection_accept(uv_stream_t *server, int status)
{
    struct listener *l = server->data;
    struct connection *c = status < 0 ? NULL : calloc(1, sizeof *c);
    if (!c)
        return;
    c->sandbox = l->sandbox;
    c->dc = l->dc;
    c->tcp.data = c;
    c->timer.data = c;
    uv_tcp_init(l->sandbox->loop, &c->tcp);
    uv_timer_init(l->sandbox->loop, &c->timer);
    c->handles_open = 2;
    int accepted = uv_accept(server, (uv_stream_t *)&c->tcp);
    start(c);
    if (accepted < 0)
        connection_close(c, false);
}
