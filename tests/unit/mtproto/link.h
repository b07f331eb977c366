/* SPDX-License-Identifier: MIT
 * A client session and a server session that talk through two transports in memory, for tests. */
#ifndef TGREST_TESTS_MTPROTO_LINK_H
#define TGREST_TESTS_MTPROTO_LINK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "mtproto/ids.h"
#include "mtproto/session_client.h"
#include "mtproto/session_server.h"
#include "tl/cursor.h"

enum {
    START_S = 1767225600, /* 2026-01-01 */
    SALT_SPAN_S = 1800,
    TAGS_MAX = 512,
    QUERY_ID = 0x51ab1e5, /* a constructor that MTProto does not know */
};

struct pair {
    struct clock_manual server_clock;
    struct clock_manual client_clock;
    struct rng rng;
    struct digests *digests;
    struct auth_key key;
    struct client_session *client;
    struct server_session *server;
    uint64_t server_session_id;
    unsigned n_sessions; /* that the server ever had */
    struct transport ct, st;
    enum transport_kind kind;
    bool obfuscated;
    bool linked;
    struct buf up, down; /* bytes on the wire, received and not consumed */
    struct server_session_config server_config;
    struct client_session_config client_config;
    uint64_t salt_seed;

    /* what happened, by tag 1 … TAGS_MAX - 1 */
    unsigned executed[TAGS_MAX];
    unsigned results[TAGS_MAX];
    unsigned errors[TAGS_MAX];
    unsigned unsure; /* of the errors */
    unsigned failures[TAGS_MAX];
    enum call_failure failure[TAGS_MAX];
    unsigned updates, renewed, broken, clock_events, salt_events, requests, bad_frames;
    int32_t last_code;
    char last_text[64];
    /* what the server's handler does with a request; NULL: answer at once */
    void (*handle)(struct pair *p, uint64_t msg_id, struct slice body);
    bool (*frame_filter)(struct pair *p, bool from_server, uint8_t *payload, size_t len);
    void *user;
};

/* Salts of half an hour that overlap by a quarter, derived from the time. */
static inline void pair_salts(void *ctx, uint64_t key_id, struct salt_schedule *out)
{
    const struct pair *p = ctx;
    int64_t now = clock_unix_s(&p->server_clock.clock);
    (void)key_id;
    out->n = 0;
    for (int64_t i = 0; i < 8; i++) {
        int64_t since = (now / SALT_SPAN_S + i) * SALT_SPAN_S;
        out->spans[out->n++] =
            (struct salt_span){p->salt_seed ^ (uint64_t)since * 0x9e3779b97f4a7c15u, since,
                               since + SALT_SPAN_S + SALT_SPAN_S / 4};
    }
}

static inline void pair_new_server(struct pair *p, uint64_t session_id)
{
    server_session_free(p->server);
    p->server_config.session_id = session_id;
    p->server = server_session_new(&p->server_config);
    p->server_session_id = session_id;
    p->n_sessions++;
    p->server_clock.wall_ns +=
        NS_PER_S / 10; /* a server that begins anew does not repeat msg_ids */
}

static inline void pair_init(struct pair *p, uint64_t seed)
{
    uint8_t key[AUTH_KEY_BYTES];
    *p = (struct pair){.salt_seed = seed, .kind = TRANSPORT_INTERMEDIATE};
    rng_init_seed(&p->rng, seed);
    p->digests = digests_new();
    rng_fill(&p->rng, key, sizeof key);
    auth_key_set(&p->key, p->digests, key);
    clock_manual_init(&p->server_clock, START_S * NS_PER_S);
    clock_manual_init(&p->client_clock, START_S * NS_PER_S);
    buf_init(&p->up, 0);
    buf_init(&p->down, 0);
    p->server_config = (struct server_session_config){.key = &p->key,
                                                      .clock = &p->server_clock.clock,
                                                      .rng = &p->rng,
                                                      .digests = p->digests,
                                                      .salts = pair_salts,
                                                      .ctx = p};
    p->client_config = (struct client_session_config){.key = p->key,
                                                      .clock = &p->client_clock.clock,
                                                      .rng = &p->rng,
                                                      .digests = p->digests,
                                                      .init_prefix = slice_of("INITINITINIT", 12),
                                                      .call_prefix = slice_of("NOUP", 4)};
}

static inline void pair_start(struct pair *p)
{
    p->client = client_session_new(&p->client_config);
    assert_non_null(p->client);
}

static inline void pair_connect(struct pair *p)
{
    buf_clear(&p->up);
    buf_clear(&p->down);
    transport_free(&p->ct);
    transport_free(&p->st);
    transport_server_init(&p->st);
    transport_client_init(&p->ct, p->kind, p->obfuscated, 2, &p->rng, &p->up);
    client_session_connected(p->client);
    if (p->server)
        server_session_attach(p->server);
    p->linked = true;
}

static inline void pair_cut(struct pair *p)
{
    client_session_disconnected(p->client);
    p->linked = false;
}

static inline void pair_free(struct pair *p)
{
    client_session_free(p->client);
    server_session_free(p->server);
    transport_free(&p->ct);
    transport_free(&p->st);
    buf_free(&p->up);
    buf_free(&p->down);
    digests_free(p->digests);
}

static inline void pair_advance(struct pair *p, int64_t s)
{
    clock_manual_advance(&p->server_clock, s * NS_PER_S);
    clock_manual_advance(&p->client_clock, s * NS_PER_S);
}

static inline size_t tag_index(const void *tag)
{
    size_t i = (size_t)(uintptr_t)tag;
    assert_in_range(i, 1, TAGS_MAX - 1);
    return i;
}

static inline void *tag_of(size_t i)
{
    return (void *)(uintptr_t)i;
}

/* A query is QUERY_ID, the tag, and as many bytes more. */
static inline bool pair_call_sized(struct pair *p, size_t tag, enum call_safety safety, size_t more)
{
    struct buf q;
    buf_init(&q, 0);
    tl_write_u32(&q, QUERY_ID);
    tl_write_u32(&q, (uint32_t)tag);
    uint8_t *at = buf_extend(&q, more);
    memset(at, 0x5a, more);
    bool ok = client_session_call(p->client, buf_slice(&q), safety, tag_of(tag));
    buf_free(&q);
    return ok;
}

static inline bool pair_call(struct pair *p, size_t tag, enum call_safety safety)
{
    return pair_call_sized(p, tag, safety, 0);
}

/* The tag in a query, whatever prefix it has. */
static inline uint32_t query_tag(struct slice body)
{
    for (size_t at = 0; at + 8 <= body.len && at <= 64; at += 4)
        if (load_le32(body.data + at) == QUERY_ID)
            return load_le32(body.data + at + 4);
    return 0;
}

static inline void pair_answer(struct pair *p, uint64_t msg_id, uint32_t tag)
{
    uint8_t result[8];
    store_le32(result, 0x600df00d);
    store_le32(result + 4, tag);
    server_session_answer(p->server, msg_id, slice_of(result, sizeof result));
}

static inline void pair_serve(struct pair *p)
{
    struct server_event e;
    while (server_session_next(p->server, &e)) {
        if (e.type == SERVER_DESTROY_KEY)
            server_session_key_destroyed(p->server, e.msg_id, true);
        if (e.type != SERVER_REQUEST)
            continue;
        uint32_t tag = query_tag(e.body);
        p->requests++;
        if (tag > 0 && tag < TAGS_MAX)
            p->executed[tag]++;
        if (p->handle)
            p->handle(p, e.msg_id, e.body);
        else
            pair_answer(p, e.msg_id, tag);
    }
}

static inline void pair_server_frame(struct pair *p, uint8_t *frame, size_t len)
{
    struct mt_message m;
    if (!mt_open(&p->key, p->digests, false, frame, len, &m)) {
        p->bad_frames++;
        return;
    }
    if (!p->server || p->server_session_id != m.session_id)
        pair_new_server(p, m.session_id);
    server_session_input(p->server, &m);
    pair_serve(p);
}

static inline void pair_note(struct pair *p, const struct client_event *e)
{
    switch (e->type) {
    case CLIENT_RESULT:
        p->results[tag_index(e->tag)]++;
        break;
    case CLIENT_ERROR:
        p->errors[tag_index(e->tag)]++;
        p->unsure += e->unsure;
        p->last_code = e->code;
        snprintf(p->last_text, sizeof p->last_text, "%.*s", (int)e->text.len, e->text.data);
        break;
    case CLIENT_FAILED:
        p->failures[tag_index(e->tag)]++;
        p->failure[tag_index(e->tag)] = e->failure;
        break;
    case CLIENT_UPDATES:
        p->updates++;
        break;
    case CLIENT_SALTS:
        p->salt_events++;
        break;
    case CLIENT_RENEWED:
        p->renewed++;
        break;
    case CLIENT_CLOCK:
        p->clock_events++;
        break;
    case CLIENT_BROKEN:
        p->broken++;
        snprintf(p->last_text, sizeof p->last_text, "%.*s", (int)e->text.len, e->text.data);
        break;
    default:
        fail();
    }
}

static inline void pair_events(struct pair *p)
{
    struct client_event e;
    while (client_session_next(p->client, &e))
        pair_note(p, &e);
}

static inline void pair_client_frame(struct pair *p, uint8_t *frame, size_t len)
{
    if (!client_session_input(p->client, frame, len))
        p->bad_frames++;
    pair_events(p);
}

/* Hands what is in the wire to its reader, frame by frame. False when the transport broke. */
static inline bool pair_pump(struct pair *p, bool from_server)
{
    struct buf *wire = from_server ? &p->down : &p->up;
    clock_manual_advance(&p->server_clock, NS_PER_MS); /* the way takes its time */
    clock_manual_advance(&p->client_clock, NS_PER_MS);
    struct transport *t = from_server ? &p->ct : &p->st;
    for (;;) {
        size_t consumed = 0;
        struct transport_event e = transport_read(t, wire->data, wire->len, &consumed);
        if (e.type == TRANSPORT_FRAME &&
            (!p->frame_filter || p->frame_filter(p, from_server, e.payload, e.len))) {
            if (from_server)
                pair_client_frame(p, e.payload, e.len);
            else
                pair_server_frame(p, e.payload, e.len);
        }
        if (wire->len > 0)
            buf_drop_front(wire, consumed);
        if (e.type == TRANSPORT_BROKEN)
            return false;
        if (e.type == TRANSPORT_NEED_MORE)
            return true;
    }
}

/* Exchanges until both sides are silent. */
static inline void pair_run(struct pair *p)
{
    for (int round = 0; round < 200; round++) {
        pair_events(p);
        if (p->linked)
            client_session_flush(p->client, &p->ct, &p->up);
        assert_true(pair_pump(p, false));
        if (p->server && p->st.started)
            server_session_flush(p->server, &p->st, &p->down);
        assert_true(pair_pump(p, true));
        if (!client_session_wants_flush(p->client) &&
            (!p->server || !server_session_wants_flush(p->server)))
            return;
    }
    fail_msg("the two sides never fall silent");
}

static inline uint64_t test_seed(void)
{
    const char *text = getenv("TGREST_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : 1;
    print_message("TGREST_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

#endif
