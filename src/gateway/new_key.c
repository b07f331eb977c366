/* SPDX-License-Identifier: MIT
 * The key exchange on a call's coroutine: a link of its own, the handshake, then the link becomes
 * the new key's connection. */
#include "gateway/new_key.h"

#include <sodium.h>

#include "gateway/gateway.h"
#include "gateway/task.h"
#include "mtproto/handshake.h"

enum {
    EXCHANGES_MAX = 3,      /* tries: a lost link, silence, or a server that asks to begin again */
    EXCHANGE_TIMEOUT_S = 8, /* of one try */
    FIRST_SALT_LIFE_S = 1800, /* a salt lives 30 to 60 minutes */
};

struct exchange {
    struct task *task;
    struct link *link; /* NULL once lost */
    const char *lost;  /* why */
    bool connected;
    struct slice frame; /* copied into the arena */
    bool has_frame;
    struct wheel_timer timer;
};

static void on_connected(void *ctx)
{
    struct exchange *e = ctx;
    e->connected = true;
    task_ready(e->task);
}

/* The protocol is a strict dialogue: a second frame before the first was read is not part of it. */
static void on_frame(void *ctx, uint8_t *frame, size_t len)
{
    struct exchange *e = ctx;
    if (e->has_frame)
        return;
    e->frame = arena_copy(&e->task->arena, slice_of(frame, len));
    e->has_frame = true;
    task_ready(e->task);
}

static void on_lost(void *ctx, const char *reason)
{
    struct exchange *e = ctx;
    e->link = NULL;
    e->lost = reason;
    task_ready(e->task);
}

static void give_up(struct exchange *e, const char *reason)
{
    if (e->link)
        link_close(e->link);
    on_lost(e, reason);
}

static void on_refused(void *ctx, int32_t code)
{
    (void)code;
    give_up(ctx, "the data centre refused the key exchange");
}

static void on_timeout(struct wheel_timer *timer)
{
    struct exchange *e = LIST_OWNER(timer, struct exchange, timer);
    if (e->link)
        link_give_up(e->link);
    on_lost(e, "the data centre fell silent");
}

static const struct link_owner exchange_owner = {
    .connected = on_connected,
    .frame = on_frame,
    .refused = on_refused,
    .lost = on_lost,
};

/* False: lost, or the call was aborted (its error is set). */
static bool wait_connected(struct exchange *e)
{
    while (!e->connected && !e->lost) {
        if (!task_wait(e->task))
            return false;
    }
    return !e->lost;
}

static bool wait_frame(struct exchange *e)
{
    while (!e->has_frame && !e->lost) {
        if (!task_wait(e->task))
            return false;
    }
    return e->has_frame;
}

/* What to do with the handshake next; appends its message to out. */
typedef enum handshake_status (*handshake_step)(struct exchange *e, struct handshake_client *h,
                                                struct buf *out);

static enum handshake_status step_start(struct exchange *e, struct handshake_client *h,
                                        struct buf *out)
{
    (void)e;
    return handshake_client_start(h, out);
}

static enum handshake_status step_input(struct exchange *e, struct handshake_client *h,
                                        struct buf *out)
{
    e->has_frame = false;
    return handshake_client_input(h, e->frame, out);
}

static enum handshake_status step_continue(struct exchange *e, struct handshake_client *h,
                                           struct buf *out)
{
    (void)e;
    return handshake_client_continue(h, out);
}

/* Runs a step and sends what it says, in one frame. */
static enum handshake_status take_step(struct exchange *e, struct handshake_client *h,
                                       handshake_step step)
{
    struct buf message;
    buf_init(&message, 0);
    enum handshake_status status = step(e, h, &message);
    if (status == HANDSHAKE_SEND && !e->link) {
        status = HANDSHAKE_FAILED; /* lost while the pool worked */
    } else if (status == HANDSHAKE_SEND) {
        struct buf *out = link_write_begin(e->link);
        size_t mark = transport_frame_begin(link_transport(e->link), out);
        buf_append(out, message.data, message.len);
        transport_frame_end(link_transport(e->link), out, mark, false, &e->task->owner->rng);
        link_write_end(e->link);
    }
    buf_free(&message);
    return status;
}

static void work(void *handshake)
{
    handshake_client_work(handshake);
}

/* False: failed (or the call was aborted). probe: the first answer is enough. */
static bool converse(struct exchange *e, struct handshake_client *h, bool probe)
{
    if (!wait_connected(e))
        return false;
    enum handshake_status status = take_step(e, h, step_start);
    for (;;) {
        switch (status) {
        case HANDSHAKE_SEND:
            if (!wait_frame(e))
                return false;
            status = take_step(e, h, step_input);
            if (probe)
                return status != HANDSHAKE_FAILED;
            break;
        case HANDSHAKE_WORK:
            if (!call_work(&e->task->call, work, h))
                return false;
            status = take_step(e, h, step_continue);
            break;
        case HANDSHAKE_DONE:
            return e->link != NULL;
        case HANDSHAKE_FAILED:
            return false;
        }
    }
}

static struct handshake_client *new_handshake(struct worker *w, const struct dc *dc)
{
    const struct dc_table *table = &w->gateway->dcs;
    struct handshake_client_config config = {
        .keys = table->keys,
        .n_keys = table->n_keys,
        .dc = dc_wire_id(table, dc),
        .clock = &w->clock,
        .rng = &w->rng,
        .digests = w->digests,
        .good_prime = &w->good_prime,
    };
    return handshake_client_new(&config);
}

/* Takes the result over: session, clock, connection. */
static struct upstream *take_key(struct task *t, struct dc *dc, struct exchange *e,
                                 const struct handshake_result *result, struct session *at)
{
    dc_clock_set(dc, result->clock_offset_ns);
    at->dc = dc->id;
    at->flags = t->owner->gateway->dcs.test ? SESSION_TEST_DC : 0;
    at->key = result->key;
    int64_t now_s = (clock_wall_ns(&t->owner->clock) + result->clock_offset_ns) / NS_PER_S;
    at->salts = (struct salt_schedule){.n = 1};
    at->salts.spans[0] = (struct salt_span){result->salt, now_s, now_s + FIRST_SALT_LIFE_S};
    struct upstream *u = upstream_adopt(&t->owner->upstreams, at, dc, e->link);
    if (u)
        e->link = NULL;
    else
        call_fail(&t->call, 503, "OVERLOADED", "All connections to Telegram are in use.");
    return u;
}

/* What an exchange is for: a key that goes into *at, and its connection; or, without at, to see
 * whether the data centre answers. */
struct purpose {
    struct session *at;
    struct upstream *upstream;
};

/* One try. True: done, or the call failed for good; false: try again. */
static bool try_exchange(struct task *t, struct dc *dc, struct purpose *purpose,
                         const char **reason)
{
    struct worker *w = t->owner;
    struct exchange *e = arena_alloc(&t->arena, sizeof *e);
    struct handshake_client *h = new_handshake(w, dc);
    bool ok = false;
    if (!e || !h) {
        call_fail(&t->call, 503, "OUT_OF_MEMORY", "The gateway is out of memory.");
    } else {
        *e = (struct exchange){.task = t, .timer.fire = on_timeout};
        e->link = link_open(w, dc, DC_CALLS, &exchange_owner, e);
        e->lost = e->link ? NULL : "no connection can be opened";
        worker_arm(w, &e->timer, worker_now_ns(w) + EXCHANGE_TIMEOUT_S * NS_PER_S);
        ok = converse(e, h, !purpose->at);
        worker_disarm(w, &e->timer);
        *reason = e->lost ? e->lost : handshake_client_error(h);
        if (ok && purpose->at)
            purpose->upstream = take_key(t, dc, e, handshake_client_result(h), purpose->at);
        if (e->link)
            link_close(e->link);
    }
    if (h)
        handshake_client_free(h);
    return ok || call_failed(&t->call);
}

static bool exchange(struct call *c, int32_t dc_id, struct purpose *purpose)
{
    struct task *t = task_of(c);
    struct metrics *m = &t->owner->metrics;
    struct dc *dc = dc_find(&c->gateway->dcs, dc_id);
    const char *reason = NULL;
    if (!dc) {
        call_fail(c, 502, "UNKNOWN_DATA_CENTRE", "This gateway does not know data centre %d.",
                  (int)dc_id);
        return false;
    }
    bool over = false;
    for (unsigned i = 0; i < EXCHANGES_MAX && !over && !task_aborted(t); i++)
        over = try_exchange(t, dc, purpose, &reason);
    if (!over)
        call_fail(c, 502, "UPSTREAM_UNREACHABLE", "Telegram cannot be reached: %s.",
                  reason ? reason : "no answer");
    if (purpose->at)
        metric_add(call_failed(c) ? &m->key_exchange_failures_total : &m->key_exchanges_total, 1);
    return !call_failed(c);
}

struct upstream *call_new_upstream(struct call *c, int32_t dc, struct session *at)
{
    struct purpose purpose = {.at = at};
    return exchange(c, dc, &purpose) ? purpose.upstream : NULL;
}

bool call_new_key(struct call *c, int32_t dc)
{
    struct task *t = task_of(c);
    task_release_upstream(t, false); /* its key is given up in any case */
    struct upstream *u = call_new_upstream(c, dc, &c->session);
    if (!u)
        return false;
    c->has_session = true;
    t->upstream = u;
    call_session_changed(c);
    if (task_claim(t, c->session.key.id))
        return true;
    call_fail(c, 503, "OUT_OF_MEMORY", "The gateway is out of memory.");
    return false;
}

bool call_probe(struct call *c, int32_t dc)
{
    struct purpose purpose = {0};
    return exchange(c, dc, &purpose);
}
