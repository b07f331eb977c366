/* SPDX-License-Identifier: MIT
 * A client of the sandbox on the same loop: our own handshake and session over a real socket. */
#ifndef TGREST_TESTS_SANDBOX_CLIENT_H
#define TGREST_TESTS_SANDBOX_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <uv.h>

#include "mtproto/handshake.h"
#include "mtproto/session_client.h"
#include "sandbox/state.h"

#include <cmocka.h> /* after handler.h: it has a macro of the name fail */

enum { WAIT_MS_MAX = 120000, CALLS_MAX = 16 };

/* One call and how it ended. */
struct reply {
    bool done;
    bool failed;  /* rpc_error, or no answer will come */
    int32_t code; /* 0: no answer will come */
    char text[64];
    struct tl_value value;
    const struct tl_combinator *method;
};

struct client {
    int32_t dc;
    uv_loop_t *loop;
    uv_tcp_t tcp;
    uv_connect_t connecting;
    bool connected;
    bool closed;
    int32_t transport_error;
    struct transport transport;
    struct buf in;
    struct buf out;
    uint8_t chunk[65536];
    struct handshake_client *handshake;
    struct handshake_result key;
    bool has_key;
    struct client_session *session;
    struct rng rng;
    struct digests *digests;
    struct clock clock;
    struct dh_good_prime good;
    struct rsa_key *rsa;
    struct tl_schema *schema;
    struct arena arena;
    struct tl_builder b;
    struct buf prefix;
    unsigned updates;
};

/* Turns the loop until *flag. */
static inline void turn_until(uv_loop_t *loop, const bool *flag)
{
    uint64_t end = uv_hrtime() + (uint64_t)WAIT_MS_MAX * 1000000;
    while (!*flag) {
        assert_true(uv_hrtime() < end);
        uv_run(loop, UV_RUN_ONCE);
    }
}

static inline void client_write(struct client *c)
{
    if (c->closed || c->out.len == 0)
        return;
    uv_buf_t all = uv_buf_init((char *)c->out.data, (unsigned)c->out.len);
    int n = uv_try_write((uv_stream_t *)&c->tcp, &all, 1);
    assert_true(n == (int)c->out.len ||
                n < 0); /* loopback takes what these tests write; or it is closed */
    buf_clear(&c->out);
}

static inline void client_flush(struct client *c)
{
    if (c->session && !c->closed)
        client_session_flush(c->session, &c->transport, &c->out);
    client_write(c);
}

static inline void client_take_events(struct client *c)
{
    struct client_event e;
    while (client_session_next(c->session, &e) && e.type != CLIENT_NONE) {
        struct reply *reply = e.tag;
        if (e.type == CLIENT_UPDATES)
            c->updates++;
        if (e.type != CLIENT_RESULT && e.type != CLIENT_ERROR && e.type != CLIENT_FAILED)
            continue;
        reply->done = true;
        reply->failed = e.type != CLIENT_RESULT;
        if (e.type == CLIENT_ERROR) {
            reply->code = e.code;
            memcpy(reply->text, e.text.data, e.text.len < 63 ? e.text.len : 63);
        } else if (e.type == CLIENT_RESULT) {
            struct tl_reader r = tl_reader_of(arena_copy(&c->arena, e.body));
            assert_true(tl_read_value(c->schema, &r, &reply->method->result, &c->arena,
                                      (struct tl_limits){0}, &reply->value));
        }
    }
}

static inline void client_handshake_step(struct client *c, enum handshake_status status,
                                         struct buf *frame)
{
    while (status == HANDSHAKE_WORK) {
        handshake_client_work(c->handshake);
        status = handshake_client_continue(c->handshake, frame);
    }
    if (frame->len) {
        size_t mark = transport_frame_begin(&c->transport, &c->out);
        buf_append(&c->out, frame->data, frame->len);
        transport_frame_end(&c->transport, &c->out, mark, false, &c->rng);
        client_write(c);
    }
    assert_int_not_equal(status, HANDSHAKE_FAILED);
    if (status == HANDSHAKE_DONE) {
        c->key = *handshake_client_result(c->handshake);
        c->has_key = true;
    }
}

static inline void client_frame(struct client *c, uint8_t *payload, size_t len)
{
    if (c->session) {
        if (client_session_input(c->session, payload, len))
            client_take_events(c);
        client_flush(c);
        return;
    }
    struct buf frame;
    buf_init(&frame, 0);
    enum handshake_status status =
        handshake_client_input(c->handshake, slice_of(payload, len), &frame);
    client_handshake_step(c, status, &frame);
    buf_free(&frame);
}

static inline void client_on_close(uv_handle_t *handle)
{
    ((struct client *)handle->data)->connected = false;
}

static inline void client_hang_up(struct client *c)
{
    if (c->closed)
        return;
    c->closed = true;
    if (c->session)
        client_session_disconnected(c->session);
    uv_close((uv_handle_t *)&c->tcp, client_on_close);
}

static inline void client_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct client *c = handle->data;
    (void)suggested;
    *out = uv_buf_init((char *)c->chunk, sizeof c->chunk);
}

static inline void client_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct client *c = stream->data;
    if (n < 0) {
        client_hang_up(c);
        return;
    }
    buf_append(&c->in, b->base, (size_t)n);
    for (;;) {
        size_t consumed = 0;
        struct transport_event e = transport_read(&c->transport, c->in.data, c->in.len, &consumed);
        if (e.type == TRANSPORT_FRAME)
            client_frame(c, e.payload, e.len);
        if (e.type == TRANSPORT_ERROR)
            c->transport_error = e.code;
        assert_int_not_equal(e.type, TRANSPORT_BROKEN);
        buf_drop_front(&c->in, consumed);
        if (e.type == TRANSPORT_NEED_MORE || c->closed)
            return;
    }
}

static inline void client_on_connect(uv_connect_t *req, int status)
{
    struct client *c = req->data;
    assert_int_equal(status, 0);
    c->connected = true;
    uv_read_start((uv_stream_t *)&c->tcp, client_on_alloc, client_on_read);
}

/* Connects (again). */
static inline void client_dial_at(struct client *c, const char *ip, uint16_t port)
{
    struct sockaddr_in address;
    uv_ip4_addr(ip, port, &address);
    uv_tcp_init(c->loop, &c->tcp);
    c->tcp.data = c;
    c->connecting.data = c;
    c->closed = false;
    c->connected = false;
    buf_clear(&c->in);
    buf_clear(&c->out);
    transport_free(&c->transport);
    transport_client_init(&c->transport, TRANSPORT_INTERMEDIATE, true, 2, &c->rng, &c->out);
    assert_int_equal(
        uv_tcp_connect(&c->connecting, &c->tcp, (struct sockaddr *)&address, client_on_connect), 0);
    turn_until(c->loop, &c->connected);
    if (c->session)
        client_session_connected(c->session);
    client_flush(c);
}

static inline void client_dial(struct client *c, uint16_t port)
{
    client_dial_at(c, "127.0.0.1", port);
}

/* initConnection and invokeWithLayer up to the query. */
static inline void client_prefix(struct client *c)
{
    buf_init(&c->prefix, 0);
    tl_write_u32(&c->prefix, tl_schema_bound(c->schema, C_invokeWithLayer)->id);
    tl_write_i32(&c->prefix, tl_schema_layer(c->schema));
    tl_write_u32(&c->prefix, tl_schema_bound(c->schema, C_initConnection)->id);
    tl_write_u32(&c->prefix, 0);
    tl_write_i32(&c->prefix, 1);
    for (int i = 0; i < 6; i++)
        tl_write_bytes(&c->prefix, slice_str("test"));
}

/* A key (expires_in_s > 0: a temporary one), then a session on it. */
static inline void client_make_key(struct client *c, int32_t expires_in_s)
{
    struct buf frame;
    buf_init(&frame, 0);
    struct rsa_key *keys[] = {c->rsa};
    c->handshake = handshake_client_new(&(struct handshake_client_config){
        .keys = keys,
        .n_keys = 1,
        .dc = c->dc,
        .expires_in_s = expires_in_s,
        .clock = &c->clock,
        .rng = &c->rng,
        .digests = c->digests,
        .good_prime = &c->good,
    });
    c->has_key = false;
    client_handshake_step(c, handshake_client_start(c->handshake, &frame), &frame);
    buf_free(&frame);
    turn_until(c->loop, &c->has_key);
    handshake_client_free(c->handshake);
    c->handshake = NULL;
}

static inline void client_make_session(struct client *c)
{
    struct client_session_config config = {
        .key = c->key.key,
        .clock = &c->clock,
        .rng = &c->rng,
        .digests = c->digests,
        .init_prefix = buf_slice(&c->prefix),
    };
    config.salts.n = 1;
    config.salts.spans[0] = (struct salt_span){c->key.salt, 0, INT64_MAX};
    c->session = client_session_new(&config);
    client_session_connected(c->session);
}

static inline struct client *client_new_at(struct sandbox *s, uv_loop_t *loop, int32_t dc,
                                           int32_t expires_in_s)
{
    static uint64_t seed = 100;
    char error[256];
    struct buf pem;
    struct client *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->dc = dc;
    c->loop = loop;
    c->clock = clock_system();
    c->digests = digests_new();
    rng_init_seed(&c->rng, ++seed);
    buf_init(&c->in, 0);
    buf_init(&c->out, 0);
    arena_init(&c->arena, 0);
    buf_init(&pem, 0);
    sandbox_public_pem(s, &pem);
    c->rsa = rsa_key_parse(buf_slice(&pem), NULL);
    buf_free(&pem);
    c->schema = tl_schema_parse(tl_embedded_api(), error, sizeof error);
    tl_schema_bind(c->schema, &sandbox_names);
    c->b = tl_builder_of(c->schema, &c->arena);
    client_prefix(c);
    client_dial(c, sandbox_port(s, dc));
    client_make_key(c, expires_in_s);
    client_make_session(c);
    return c;
}

/* At data centre 2, which one alone is. */
static inline struct client *client_new(struct sandbox *s, uv_loop_t *loop, int32_t expires_in_s)
{
    return client_new_at(s, loop, 2, expires_in_s);
}

/* A second connection with the key of the first, in a session of its own. */
static inline struct client *client_twin(struct sandbox *s, const struct client *of)
{
    struct client *c = client_new(s, of->loop, 0);
    c->key = of->key;
    client_session_free(c->session);
    client_make_session(c);
    return c;
}

static inline void client_free(struct client *c)
{
    client_hang_up(c);
    while (c->connected)
        uv_run(c->loop, UV_RUN_ONCE);
    client_session_free(c->session);
    transport_free(&c->transport);
    tl_schema_free(c->schema);
    rsa_key_free(c->rsa);
    digests_free(c->digests);
    arena_free(&c->arena);
    buf_free(&c->in);
    buf_free(&c->out);
    buf_free(&c->prefix);
    free(c);
}

/* Sends the request; the answer comes to *reply. */
static inline void client_send(struct client *c, const struct tl_object *query, struct reply *reply)
{
    struct buf bytes;
    const char *error = NULL;
    buf_init(&bytes, 0);
    assert_true(tl_write_object(c->schema, &bytes, query, &c->arena, &error));
    const struct tl_object *inner = query;
    while (tl_obj(inner, F_query))
        inner = tl_obj(inner, F_query);
    *reply = (struct reply){.method = inner->ctor};
    assert_true(client_session_call(c->session, buf_slice(&bytes), CALL_REPEATABLE, reply));
    buf_free(&bytes);
    client_flush(c);
}

static inline struct reply client_call(struct client *c, const struct tl_object *query)
{
    struct reply reply;
    client_send(c, query, &reply);
    turn_until(c->loop, &reply.done);
    return reply;
}

#endif
