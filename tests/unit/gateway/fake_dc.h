/* SPDX-License-Identifier: MIT
 * A scripted data centre on a thread of its own: the server side of src/mtproto, a handful of
 * methods with fixed answers, and faults that a test orders. Everything else goes through real
 * sockets. */
#ifndef TGREST_TESTS_GATEWAY_FAKE_DC_H
#define TGREST_TESTS_GATEWAY_FAKE_DC_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <uv.h>

#include "mtproto/handshake.h"
#include "mtproto/session_server.h"
#include "tl/cursor.h"
#include "tl/value.h"

enum { FAKE_KEYS = 64, FAKE_SESSIONS = 512, FAKE_HELD = 64, FAKE_READ_BYTES = 65536 };
#define FAKE_SALT 0x0123456789abcdefu

enum fake_fault {
    FAULT_NONE,
    FAULT_DROP_BEFORE, /* the connection is closed instead of reading the next request */
    FAULT_DROP_AFTER,  /* the next request is executed, the connection closed before the answer */
    FAULT_FORGET,      /* as DROP_AFTER, and the MTProto session is forgotten too */
    FAULT_KEY_UNKNOWN, /* every frame of an auth key is answered with -404 */
    FAULT_SILENT,      /* the connection of the next frame is not heard any more */
    FAULT_BAD_SALT,    /* the next request of each session is refused for its salt */
};

struct fake_session {
    uint64_t key_id;
    uint64_t session_id;
    struct server_session *server;
    struct fake_conn *conn; /* where its answers go */
};

struct fake_conn {
    uv_tcp_t tcp;
    struct fake_dc *dc;
    struct transport transport;
    struct buf in;
    struct handshake_server *handshake;
    bool closing;
    bool silent;
};

struct fake_held {
    struct fake_session *session;
    uint64_t msg_id;
    struct buf answer;
};

/* A test's own method: appends its answer to out. False: another is meant. error: 0, or the code of
 * an error whose text is put into *text. On the data centre's thread. */
typedef bool (*fake_method)(void *ctx, const struct tl_object *query, struct buf *out, int *error,
                            const char **text);

struct fake_dc {
    uv_loop_t loop;
    uv_thread_t thread;
    uv_tcp_t listener;
    uv_async_t wake; /* release held answers, or stop */
    int32_t id;
    int port;
    struct clock clock;
    struct rng rng;
    struct digests *digests;
    struct rsa_key *rsa;
    struct tl_schema *schema;
    struct auth_key keys[FAKE_KEYS]; /* known before a session uses them; under the lock */
    size_t n_keys;
    uv_mutex_t lock;
    struct fake_session sessions[FAKE_SESSIONS];
    size_t n_sessions;
    struct fake_held held[FAKE_HELD];
    size_t n_held;
    uint8_t read_buffer[FAKE_READ_BYTES];

    /* orders */
    _Atomic int fault;
    _Atomic bool hold; /* requests are executed, answers wait for fake_release */
    _Atomic bool stop;
    _Atomic int error_code; /* the next error_times requests fail with error_text */
    _Atomic int error_times;
    char error_text[64]; /* set before error_times */
    fake_method method;  /* set before the first request; NULL = none */
    void *method_ctx;
    struct file_dc *files; /* file_dc.h */
    uint64_t asking_key;   /* whose request `method` answers; on its thread */

    /* what was seen */
    _Atomic int connections; /* accepted, ever */
    _Atomic int executed;    /* requests */
    _Atomic int holding;     /* answers that wait */
    _Atomic int duplicated;  /* requests of a key while another connection of it had one open */
    _Atomic int handshakes;
    _Atomic int64_t random_id; /* of the last messages.sendMessage */
    _Atomic int inits;         /* requests that came in initConnection */
    _Atomic int destroyed;     /* keys, by destroy_auth_key */
};

/* ---- answers ---- */

static inline uint32_t fake_id(const struct fake_dc *dc, const char *name)
{
    const struct tl_combinator *c = tl_schema_by_name(dc->schema, slice_str(name));
    return c ? c->id : 0;
}

static inline void fake_note_random_id(struct fake_dc *dc, struct slice query)
{
    struct arena a;
    struct tl_reader r = tl_reader_of(query);
    arena_init(&a, 0);
    const struct tl_object *o = tl_read_object(dc->schema, &r, &a, (struct tl_limits){0});
    int index = o ? tl_field_by_name(o->ctor, slice_str("random_id")) : -1;
    atomic_store(&dc->random_id, index >= 0 ? o->fields[index].i : 0);
    arena_free(&a);
}

/* Unwraps invokeWithLayer(initConnection(invokeWithoutUpdates(query))); gives the query's id. */
static inline uint32_t fake_unwrap(struct fake_dc *dc, struct slice body, struct slice *query)
{
    struct tl_reader r = tl_reader_of(body);
    uint32_t id = tl_read_u32(&r);
    if (id == fake_id(dc, "invokeWithLayer")) {
        tl_read_u32(&r);
        id = tl_read_u32(&r);
    }
    if (id == fake_id(dc, "initConnection")) {
        atomic_fetch_add(&dc->inits, 1);
        tl_read_u32(&r);
        tl_read_u32(&r);
        for (int i = 0; i < 6; i++)
            tl_read_bytes(&r);
        id = tl_read_u32(&r);
    }
    if (id == fake_id(dc, "invokeWithoutUpdates"))
        id = tl_read_u32(&r);
    if (r.error)
        return 0;
    *query = slice_of(r.next - 4, tl_left(&r) + 4);
    if (id == fake_id(dc, "messages.sendMessage"))
        fake_note_random_id(dc, *query);
    return id;
}

static inline bool fake_ask_method(struct fake_dc *dc, struct slice query, struct buf *out,
                                   int *error, const char **text)
{
    struct arena a;
    struct tl_reader r = tl_reader_of(query);
    if (!dc->method || query.len == 0)
        return false;
    arena_init(&a, 0);
    const struct tl_object *o = tl_read_object(dc->schema, &r, &a, (struct tl_limits){0});
    bool known = o && dc->method(dc->method_ctx, o, out, error, text);
    arena_free(&a);
    return known;
}

/* help.getNearestDc (a read), account.updateStatus (a write without random_id),
 * messages.sendMessage and auth.logOut are all a test needs; auth.sendCode is refused by error
 * orders. */
static inline bool fake_answer(struct fake_dc *dc, uint32_t id, struct buf *out)
{
    if (id == fake_id(dc, "help.getNearestDc")) {
        tl_write_u32(out, fake_id(dc, "nearestDc"));
        tl_write_bytes(out, slice_str("XX"));
        tl_write_i32(out, dc->id);
        tl_write_i32(out, dc->id);
        return true;
    }
    if (id == fake_id(dc, "messages.sendMessage")) {
        tl_write_u32(out, fake_id(dc, "updateShortSentMessage"));
        for (int i = 0; i < 5; i++) /* flags, id, pts, pts_count, date */
            tl_write_i32(out, i);
        return true;
    }
    if (id == fake_id(dc, "auth.logOut")) {
        tl_write_u32(out, fake_id(dc, "auth.loggedOut"));
        tl_write_i32(out, 0); /* flags */
        return true;
    }
    if (id == fake_id(dc, "account.updateStatus")) {
        tl_write_u32(out, TL_ID_BOOL_TRUE);
        return true;
    }
    return false;
}

/* ---- connections ---- */

static inline void fake_closed(uv_handle_t *handle)
{
    struct fake_conn *c = handle->data;
    transport_free(&c->transport);
    buf_free(&c->in);
    if (c->handshake)
        handshake_server_free(c->handshake);
    free(c);
}

static inline void fake_close(struct fake_conn *c)
{
    if (c->closing)
        return;
    c->closing = true;
    for (size_t i = 0; i < c->dc->n_sessions; i++) {
        if (c->dc->sessions[i].conn == c)
            c->dc->sessions[i].conn = NULL;
    }
    uv_close((uv_handle_t *)&c->tcp, fake_closed);
}

struct fake_write {
    uv_write_t request; /* first */
    struct buf bytes;
};

static inline void fake_written(uv_write_t *request, int status)
{
    struct fake_write *w = (struct fake_write *)request;
    (void)status;
    buf_free(&w->bytes);
    free(w);
}

static inline void fake_write(struct fake_conn *c, struct buf *out)
{
    uv_buf_t chunk = uv_buf_init((char *)out->data, (unsigned)out->len);
    int n = c->closing || out->len == 0 ? 0 : uv_try_write((uv_stream_t *)&c->tcp, &chunk, 1);
    size_t done = n > 0 ? (size_t)n : 0;
    if (!c->closing && done < out->len && (n >= 0 || n == UV_EAGAIN)) {
        struct fake_write *w = calloc(1, sizeof *w);
        w->bytes = *out;
        chunk = uv_buf_init((char *)out->data + done, (unsigned)(out->len - done));
        uv_write(&w->request, (uv_stream_t *)&c->tcp, &chunk, 1, fake_written);
        return;
    }
    buf_free(out);
}

static inline void fake_flush(struct fake_session *s)
{
    struct buf out;
    buf_init(&out, 0);
    if (!s->conn || s->conn->closing || !server_session_wants_flush(s->server))
        return;
    server_session_flush(s->server, &s->conn->transport, &out);
    fake_write(s->conn, &out);
}

/* One request: fault orders first, then the answer, now or when it is released. */
static inline void fake_request(struct fake_session *s, struct fake_conn *c,
                                const struct server_event *event)
{
    struct fake_dc *dc = c->dc;
    int fault = atomic_exchange(&dc->fault, FAULT_NONE);
    struct slice query = {0};
    uint32_t id = fake_unwrap(dc, event->body, &query);
    int code = 0;
    const char *text = "";
    atomic_fetch_add(&dc->executed, 1);
    for (size_t i = 0; i < dc->n_held; i++) {
        if (dc->held[i].session->key_id == s->key_id && dc->held[i].session->conn != c)
            atomic_fetch_add(&dc->duplicated, 1);
    }
    struct buf result;
    buf_init(&result, 0);
    dc->asking_key = s->key_id;
    if (atomic_load(&dc->hold) && dc->n_held < FAKE_HELD) {
        if (!fake_ask_method(dc, query, &result, &code, &text))
            fake_answer(dc, fake_id(dc, "help.getNearestDc"), &result);
        dc->held[dc->n_held++] = (struct fake_held){s, event->msg_id, result};
        atomic_store(&dc->holding, (int)dc->n_held);
        buf_init(&result, 0);
    } else if (atomic_load(&dc->error_times) > 0) {
        atomic_fetch_sub(&dc->error_times, 1);
        server_session_error(s->server, event->msg_id, atomic_load(&dc->error_code),
                             dc->error_text);
    } else if (fake_ask_method(dc, query, &result, &code, &text)) {
        if (code)
            server_session_error(s->server, event->msg_id, code, text);
        else
            server_session_answer(s->server, event->msg_id, buf_slice(&result));
    } else if (fake_answer(dc, id, &result)) {
        server_session_answer(s->server, event->msg_id, buf_slice(&result));
    } else {
        server_session_error(s->server, event->msg_id, 400, "INPUT_METHOD_INVALID");
    }
    buf_free(&result);
    if (fault == FAULT_DROP_AFTER || fault == FAULT_FORGET)
        fake_close(c);
    if (fault == FAULT_FORGET) {
        server_session_free(s->server);
        *s = (struct fake_session){0};
    }
}

static inline const struct auth_key *fake_find_key(struct fake_dc *dc, uint64_t id)
{
    const struct auth_key *found = NULL;
    uv_mutex_lock(&dc->lock);
    for (size_t i = 0; i < dc->n_keys; i++) {
        if (dc->keys[i].id == id)
            found = &dc->keys[i];
    }
    uv_mutex_unlock(&dc->lock);
    return found;
}

static inline void fake_salts(void *ctx, uint64_t auth_key_id, struct salt_schedule *out)
{
    struct fake_dc *dc = ctx;
    int64_t now_s = clock_unix_s(&dc->clock);
    (void)auth_key_id;
    *out = (struct salt_schedule){.n = 1};
    out->spans[0] = (struct salt_span){FAKE_SALT, now_s - 3600, now_s + 7 * 86400};
}

static inline uint64_t fake_first_salt(void *ctx, uint64_t auth_key_id)
{
    (void)ctx;
    (void)auth_key_id;
    return FAKE_SALT;
}

static inline struct fake_session *fake_session_of(struct fake_dc *dc, const struct auth_key *key,
                                                   uint64_t session_id)
{
    struct fake_session *free_one = NULL;
    for (size_t i = 0; i < dc->n_sessions; i++) {
        if (dc->sessions[i].server && dc->sessions[i].key_id == key->id &&
            dc->sessions[i].session_id == session_id)
            return &dc->sessions[i];
    }
    if (dc->n_sessions < FAKE_SESSIONS)
        free_one = &dc->sessions[dc->n_sessions++];
    if (!free_one)
        return NULL;
    struct server_session_config config = {
        .key = key,
        .session_id = session_id,
        .clock = &dc->clock,
        .rng = &dc->rng,
        .digests = dc->digests,
        .salts = fake_salts,
        .ctx = dc,
    };
    *free_one = (struct fake_session){.key_id = key->id, .session_id = session_id};
    free_one->server = server_session_new(&config);
    return free_one;
}

static inline void fake_sealed(struct fake_conn *c, const struct auth_key *key, uint8_t *frame,
                               size_t len)
{
    struct fake_dc *dc = c->dc;
    struct mt_message m;
    if (!mt_open(key, dc->digests, false, frame, len, &m)) {
        fake_close(c);
        return;
    }
    struct fake_session *s = fake_session_of(dc, key, m.session_id);
    if (s && s->conn != c) {
        s->conn = c;
        server_session_attach(s->server);
    }
    int salt_fault = FAULT_BAD_SALT;
    if (s && atomic_compare_exchange_strong(&dc->fault, &salt_fault, FAULT_NONE))
        server_session_fault_bad_salt(s->server);
    struct server_event event;
    server_session_input(s->server, &m);
    while (s->server && server_session_next(s->server, &event)) {
        if (event.type == SERVER_REQUEST)
            fake_request(s, c, &event);
        else if (event.type == SERVER_DESTROY_KEY) {
            atomic_fetch_add(&dc->destroyed, 1);
            server_session_key_destroyed(s->server, event.msg_id, true);
        }
        if (c->closing)
            break;
    }
    if (s->server)
        fake_flush(s);
}

static inline void fake_plain(struct fake_conn *c, struct slice frame)
{
    struct fake_dc *dc = c->dc;
    if (!c->handshake) {
        struct handshake_server_config config = {
            .key = dc->rsa,
            .dc = dc->id,
            .clock = &dc->clock,
            .rng = &dc->rng,
            .digests = dc->digests,
            .first_salt = fake_first_salt,
            .ctx = dc,
        };
        c->handshake = handshake_server_new(&config);
    }
    struct buf message;
    buf_init(&message, 0);
    enum handshake_status status = handshake_server_input(c->handshake, frame, &message);
    while (status == HANDSHAKE_WORK) {
        handshake_server_work(c->handshake);
        status = handshake_server_continue(c->handshake, &message);
    }
    if (status == HANDSHAKE_DONE) {
        uv_mutex_lock(&dc->lock);
        dc->keys[dc->n_keys++ % FAKE_KEYS] = handshake_server_result(c->handshake)->key;
        uv_mutex_unlock(&dc->lock);
        atomic_fetch_add(&dc->handshakes, 1);
    }
    struct buf out;
    buf_init(&out, 0);
    if (status == HANDSHAKE_FAILED) {
        transport_write_error(&c->transport, &out, TRANSPORT_ERROR_AUTH_KEY);
    } else {
        size_t mark = transport_frame_begin(&c->transport, &out);
        buf_append(&out, message.data, message.len);
        transport_frame_end(&c->transport, &out, mark, false, &dc->rng);
    }
    buf_free(&message);
    fake_write(c, &out);
}

static inline void fake_frame(struct fake_conn *c, uint8_t *frame, size_t len)
{
    uint64_t key_id = mt_frame_key_id(slice_of(frame, len));
    if (key_id == 0) {
        fake_plain(c, slice_of(frame, len));
        return;
    }
    const struct auth_key *key = fake_find_key(c->dc, key_id);
    int silence = FAULT_SILENT;
    if (atomic_compare_exchange_strong(&c->dc->fault, &silence, FAULT_NONE))
        c->silent = true;
    if (c->silent)
        return;
    int drop = FAULT_DROP_BEFORE;
    if (atomic_compare_exchange_strong(&c->dc->fault, &drop, FAULT_NONE)) {
        fake_close(c);
        return;
    }
    if (key && atomic_load(&c->dc->fault) != FAULT_KEY_UNKNOWN) {
        fake_sealed(c, key, frame, len);
        return;
    }
    struct buf out;
    buf_init(&out, 0);
    transport_write_error(&c->transport, &out, TRANSPORT_ERROR_AUTH_KEY);
    fake_write(c, &out);
    fake_close(c);
}

static inline void fake_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct fake_conn *c = handle->data;
    (void)suggested;
    *buf = uv_buf_init((char *)c->dc->read_buffer, FAKE_READ_BYTES);
}

static inline void fake_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct fake_conn *c = stream->data;
    if (n < 0) {
        fake_close(c);
        return;
    }
    buf_append(&c->in, bytes->base, (size_t)n);
    size_t used = 0;
    while (!c->closing) {
        size_t consumed = 0;
        struct transport_event event =
            transport_read(&c->transport, c->in.data + used, c->in.len - used, &consumed);
        used += consumed;
        if (event.type == TRANSPORT_NEED_MORE)
            break;
        if (event.type == TRANSPORT_BROKEN)
            fake_close(c);
        else if (event.type == TRANSPORT_FRAME)
            fake_frame(c, event.payload, event.len);
    }
    buf_drop_front(&c->in, used);
}

static inline void fake_accept(uv_stream_t *listener, int status)
{
    struct fake_dc *dc = listener->data;
    struct fake_conn *c = calloc(1, sizeof *c);
    if (status || !c)
        abort();
    atomic_fetch_add(&dc->connections, 1);
    c->dc = dc;
    buf_init(&c->in, 0);
    transport_server_init(&c->transport);
    uv_tcp_init(&dc->loop, &c->tcp);
    c->tcp.data = c;
    uv_accept(listener, (uv_stream_t *)&c->tcp);
    uv_tcp_nodelay(&c->tcp, 1);
    uv_read_start((uv_stream_t *)&c->tcp, fake_alloc, fake_read);
}

/* ---- life ---- */

static inline void fake_close_walk(uv_handle_t *handle, void *ctx)
{
    struct fake_dc *dc = ctx;
    if (handle == (uv_handle_t *)&dc->listener || handle == (uv_handle_t *)&dc->wake)
        uv_close(handle, NULL);
    else if (handle->type == UV_TCP)
        fake_close(handle->data);
}

static inline void fake_on_wake(uv_async_t *async)
{
    struct fake_dc *dc = async->data;
    if (atomic_load(&dc->stop)) {
        uv_walk(&dc->loop, fake_close_walk, dc);
        return;
    }
    for (size_t i = 0; i < dc->n_held; i++) {
        struct fake_held *h = &dc->held[i];
        if (h->session->server) {
            server_session_answer(h->session->server, h->msg_id, buf_slice(&h->answer));
            fake_flush(h->session);
        }
        buf_free(&h->answer);
    }
    dc->n_held = 0;
    atomic_store(&dc->holding, 0);
}

static inline void fake_thread(void *arg)
{
    struct fake_dc *dc = arg;
    uv_run(&dc->loop, UV_RUN_DEFAULT);
}

/* The same RSA key may serve several data centres. */
static inline struct fake_dc *fake_dc_start(int32_t id, struct rsa_key *rsa)
{
    struct fake_dc *dc = calloc(1, sizeof *dc);
    char error[256];
    struct sockaddr_in address;
    int len = sizeof address;
    assert_non_null(dc);
    dc->id = id;
    dc->rsa = rsa;
    dc->clock = clock_system();
    rng_init_system(&dc->rng);
    dc->digests = digests_new();
    dc->schema = tl_schema_parse(tl_embedded_api(), error, sizeof error);
    assert_non_null(dc->schema);
    assert_int_equal(uv_mutex_init(&dc->lock), 0);
    assert_int_equal(uv_loop_init(&dc->loop), 0);
    uv_async_init(&dc->loop, &dc->wake, fake_on_wake);
    uv_tcp_init(&dc->loop, &dc->listener);
    dc->wake.data = dc->listener.data = dc;
    uv_ip4_addr("127.0.0.1", 0, &address);
    assert_int_equal(uv_tcp_bind(&dc->listener, (const struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&dc->listener, 128, fake_accept), 0);
    uv_tcp_getsockname(&dc->listener, (struct sockaddr *)&address, &len);
    dc->port = ntohs(address.sin_port);
    assert_int_equal(uv_thread_create(&dc->thread, fake_thread, dc), 0);
    return dc;
}

static inline void fake_dc_stop(struct fake_dc *dc)
{
    atomic_store(&dc->stop, true);
    uv_async_send(&dc->wake);
    uv_thread_join(&dc->thread);
    for (size_t i = 0; i < dc->n_held; i++)
        buf_free(&dc->held[i].answer);
    for (size_t i = 0; i < dc->n_sessions; i++) {
        if (dc->sessions[i].server)
            server_session_free(dc->sessions[i].server);
    }
    uv_loop_close(&dc->loop);
    uv_mutex_destroy(&dc->lock);
    tl_schema_free(dc->schema);
    digests_free(dc->digests);
    free(dc);
}

/* A key that the data centre knows, without a handshake. */
static inline struct auth_key fake_dc_add_key(struct fake_dc *dc)
{
    uint8_t bytes[AUTH_KEY_BYTES];
    struct auth_key key;
    struct rng rng;
    struct digests *digests = digests_new();
    rng_init_system(&rng);
    rng_fill(&rng, bytes, sizeof bytes);
    auth_key_set(&key, digests, bytes);
    digests_free(digests);
    uv_mutex_lock(&dc->lock);
    dc->keys[dc->n_keys++] = key;
    uv_mutex_unlock(&dc->lock);
    return key;
}

/* Answers everything that is held. */
static inline void fake_release(struct fake_dc *dc)
{
    atomic_store(&dc->hold, false);
    uv_async_send(&dc->wake);
}

static inline void fake_order_error(struct fake_dc *dc, int times, int code, const char *text)
{
    snprintf(dc->error_text, sizeof dc->error_text, "%s", text);
    atomic_store(&dc->error_code, code);
    atomic_store(&dc->error_times, times);
}

#endif
