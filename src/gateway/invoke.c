/* SPDX-License-Identifier: MIT
 * Asking Telegram: one query, its answer, and what is done about errors on the way. */
#include <sodium.h>

#include "gateway/errors.h"
#include "gateway/gateway.h"
#include "gateway/invoke.h"
#include "gateway/other_dc.h"
#include "gateway/safety.h"
#include "gateway/task.h"
#include "mtproto/ids.h"

enum {
    QUERY_MAX = 1024 * 1024, /* Telegram closes on larger frames */
    QUERY_KEEP = 64 * 1024,
    MIGRATIONS_MAX = 3,      /* a login that is sent round in circles */
    TROUBLE_REPEATS_MAX = 2, /* of errors that Telegram says to repeat */
    TROUBLE_PAUSE_MS = 300,
    DESTROY_WAIT_MS = 3000, /* for the answer to destroy_auth_key, which may be only an ack */
};

/* One call_invoke, over its repetitions. */
struct invocation {
    struct call *call;
    const struct tl_object *query;
    struct upstream *at; /* NULL: the session's own connection */
    enum call_safety safety;
    int64_t slept_s;
    unsigned migrations;
    unsigned troubles;
    bool unsure; /* an earlier copy may have been executed */
};

/* ---- one try ---- */

static void on_done(struct upstream_call *rpc)
{
    struct task *t = LIST_OWNER(rpc, struct task, rpc);
    /* The slices go with the frame. */
    if (rpc->outcome == UPSTREAM_RESULT)
        rpc->body = arena_copy(&t->arena, rpc->body);
    else if (rpc->outcome == UPSTREAM_ERROR)
        rpc->text = arena_copy(&t->arena, rpc->text);
    task_ready(t);
}

bool call_write_query(struct call *c, const struct tl_object *query, struct buf *out)
{
    const char *error = NULL;
    buf_clear(out);
    if (!tl_write_object(c->schema, out, query, c->arena, &error)) {
        log_event(c->log, LOG_ERROR, "query cannot be written",
                  log_str("request_id", c->request_id), log_str("method", query->ctor->name),
                  log_str("reason", error));
        call_fail(c, 500, "INTERNAL", "The gateway could not write the request to Telegram.");
        return false;
    }
    if (out->failed || out->len > QUERY_MAX) {
        call_fail(c, 413, "QUERY_TOO_LARGE",
                  "The request is larger than the %d bytes that Telegram takes.", QUERY_MAX);
        return false;
    }
    return true;
}

/* Sends and waits. False: error set, nothing is on its way any more. */
static bool try_once(struct invocation *in)
{
    struct call *c = in->call;
    struct task *t = task_of(c);
    struct upstream *u = in->at ? in->at : task_upstream(t);
    struct buf *query = &t->owner->query;
    if (!u || !call_write_query(c, in->query, query))
        return false;
    t->rpc = (struct upstream_call){.done = on_done};
    bool queued = upstream_call_start(u, buf_slice(query), in->safety, &t->rpc);
    if (t->secret && query->data)
        sodium_memzero(query->data, query->len);
    buf_shrink(query, QUERY_KEEP);
    if (!queued) {
        call_fail(c, 503, "OVERLOADED", "Too many requests of this session wait for Telegram.");
        return false;
    }
    while (t->rpc.outcome == UPSTREAM_PENDING) {
        if (task_wait(t))
            continue;
        upstream_call_cancel(&t->rpc);
        return false;
    }
    return true;
}

/* ---- what is done about an error: true = try again ---- */

static bool sleep_out(struct invocation *in, int64_t wait_s)
{
    struct call *c = in->call;
    struct metrics *m = &c->worker->metrics;
    metric_add(&m->flood_waits_total, 1);
    /* A process that is asked to end does not begin to sleep. */
    bool draining = atomic_load_explicit(&c->gateway->draining, memory_order_relaxed);
    if (draining || in->slept_s + wait_s > c->wait_max_s)
        return false;
    metric_add(&m->flood_waits_slept_total, 1);
    in->slept_s += wait_s;
    return call_sleep(c, wait_s * MS_PER_S);
}

/* A login begins anew over there, with a new key: what Telegram was told so far is in the query. An
 * account that is logged in is brought over. */
static bool migrate(struct invocation *in, int32_t dc)
{
    struct call *c = in->call;
    if (in->at || dc == c->session.dc || ++in->migrations > MIGRATIONS_MAX)
        return false;
    if (!dc_find(&c->gateway->dcs, dc)) {
        call_fail(c, 502, "UNKNOWN_DATA_CENTRE",
                  "Telegram sends this login to data centre %d, which this gateway does not know.",
                  (int)dc);
        return false;
    }
    return c->session.state == SESSION_AUTHORIZED ? call_move_home(c, dc) : call_new_key(c, dc);
}

bool error_is_trouble(struct slice name)
{
    return slice_is(name, "AUTH_KEY_UNSYNCHRONIZED") || slice_is(name, "MSG_WAIT_FAILED") ||
           slice_is(name, "WORKER_BUSY_TOO_LONG_RETRY");
}

/* Telegram says that it did not execute the request. */
static bool pause_for_trouble(struct invocation *in)
{
    return ++in->troubles <= TROUBLE_REPEATS_MAX && call_sleep(in->call, TROUBLE_PAUSE_MS);
}

bool error_is_dead_key(struct slice name)
{
    static const char *const names[] = {
        "AUTH_KEY_UNREGISTERED", "AUTH_KEY_INVALID", "AUTH_KEY_DUPLICATED",  "SESSION_REVOKED",
        "SESSION_EXPIRED",       "USER_DEACTIVATED", "USER_DEACTIVATED_BAN",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (slice_is(name, names[i]))
            return true;
    }
    return false;
}

/* "Wait", or "unreachable", would be read as "not executed". A repeated Idempotency-Key finds out.
 */
static bool outcome_is_open(const struct invocation *in)
{
    bool keyed = in->safety == CALL_REPEATABLE && in->call->idempotency_key.len > 0;
    return in->unsure && !keyed && !method_is_read(in->query->ctor);
}

static void fail_open_outcome(struct call *c)
{
    call_fail(
        c, 504, "OUTCOME_UNKNOWN",
        "The connection to Telegram was lost: whether the request was executed is not known.");
}

static bool mend(struct invocation *in, int32_t code, struct slice name)
{
    struct call *c = in->call;
    int64_t wait_s = error_wait_s(name);
    int32_t dc = error_migrate_dc(name);
    bool again = false;
    if (wait_s > 0)
        again = sleep_out(in, wait_s);
    else if (dc > 0)
        again = migrate(in, dc);
    else if (error_is_trouble(name))
        again = pause_for_trouble(in);
    if (again)
        return true;
    struct upstream *u = in->at ? in->at : task_of(c)->upstream;
    bool dead = error_is_dead_key(name);
    if (dead && u)
        upstream_condemn(u);
    if (!dead && outcome_is_open(in))
        fail_open_outcome(c);
    else
        call_fail_telegram(c, code, name);
    return false;
}

void call_fail_outcome(struct call *c, const struct upstream_call *rpc)
{
    switch (rpc->outcome) {
    case UPSTREAM_LOST:
        fail_open_outcome(c);
        break;
    case UPSTREAM_REFUSED:
        call_fail(c, 502, "UPSTREAM_REFUSED", "Telegram refused the message.");
        break;
    case UPSTREAM_UNREADABLE:
        call_fail(c, 502, "UPSTREAM_BROKEN", "Telegram's answer cannot be unpacked.");
        break;
    case UPSTREAM_TOO_LONG:
        call_fail(c, 413, "QUERY_TOO_LARGE", "The request is larger than what Telegram takes.");
        break;
    default:
        call_fail(c, 502, "UPSTREAM_UNREACHABLE", "Telegram cannot be reached: %s.",
                  rpc->reason ? rpc->reason : "no answer");
        break;
    }
}

/* A deadline that passes while a write is on its way leaves its outcome open. */
static void refine_timeout(struct invocation *in)
{
    struct call *c = in->call;
    if (task_of(c)->abort != ABORT_DEADLINE || in->safety != CALL_ONCE)
        return;
    c->error.code = "OUTCOME_UNKNOWN";
    c->error.detail =
        "Telegram did not answer in time: whether the request was executed is not known.";
}

static bool read_answer(struct invocation *in, struct slice body, struct tl_value *out)
{
    struct call *c = in->call;
    struct tl_reader r = tl_reader_of(body);
    if (tl_read_value(c->schema, &r, &in->query->ctor->result, c->arena, (struct tl_limits){0},
                      out))
        return true;
    log_event(c->log, LOG_WARN, "answer cannot be read", log_str("request_id", c->request_id),
              log_str("method", in->query->ctor->name), log_str("reason", r.error));
    call_fail(c, 502, "UPSTREAM_BROKEN", "Telegram's answer does not fit the schema.");
    return false;
}

static bool query_is_usable(struct call *c, const struct tl_object *query)
{
    if (query)
        return true;
    if (c->b.missing != TL_NO_SYMBOL)
        call_fail(c, 501, "METHOD_UNAVAILABLE", "The loaded schema lacks what this request needs.");
    else
        call_fail(c, 503, "OUT_OF_MEMORY", "The gateway is out of memory.");
    return false;
}

bool call_invoke_at(struct call *c, struct upstream *u, const struct tl_object *query,
                    struct tl_value *out)
{
    struct task *t = task_of(c);
    if (task_aborted(t) || !query_is_usable(c, query))
        return false;
    struct invocation in = {
        .call = c, .query = query, .at = u, .safety = method_safety(query->ctor)};
    for (;;) {
        if (!try_once(&in)) {
            refine_timeout(&in);
            return false;
        }
        if (t->rpc.outcome == UPSTREAM_RESULT)
            return read_answer(&in, t->rpc.body, out);
        in.unsure = in.unsure || t->rpc.unsure;
        if (t->rpc.outcome != UPSTREAM_ERROR) {
            if (t->rpc.outcome == UPSTREAM_UNREACHABLE && outcome_is_open(&in))
                fail_open_outcome(c);
            else
                call_fail_outcome(c, &t->rpc);
            return false;
        }
        if (!mend(&in, t->rpc.code, t->rpc.text))
            return false;
    }
}

bool call_invoke_value(struct call *c, const struct tl_object *query, struct tl_value *out)
{
    return call_invoke_at(c, NULL, query, out);
}

const struct tl_object *call_invoke(struct call *c, const struct tl_object *query)
{
    struct tl_value value;
    if (!call_invoke_value(c, query, &value))
        return NULL;
    if (value.kind == TL_OBJECT)
        return value.object;
    call_fail(c, 502, "UPSTREAM_BROKEN", "Telegram's answer does not fit the schema.");
    return NULL;
}

void call_destroy_key_at(struct call *c, struct upstream *u)
{
    struct task *t = task_of(c);
    uint8_t query[4];
    store_le32(query, MT_DESTROY_AUTH_KEY);
    t->rpc = (struct upstream_call){.done = on_done};
    if (upstream_call_start(u, slice_of(query, sizeof query), CALL_ONCE, &t->rpc)) {
        task_nap_begin(t, DESTROY_WAIT_MS);
        while (t->rpc.outcome == UPSTREAM_PENDING && !t->nap_over && task_wait(t))
            continue;
        task_nap_end(t);
        upstream_call_cancel(&t->rpc);
    }
}

void call_destroy_key(struct call *c)
{
    struct task *t = task_of(c);
    call_other_dcs_leave(c);
    struct upstream *u = call_failed(c) ? NULL : task_upstream(t);
    if (u)
        call_destroy_key_at(c, u);
    if (t->abort == ABORT_NONE)
        call_error_clear(c);
    call_disconnect(c);
    sodium_memzero(&c->session, sizeof c->session);
    c->has_session = false;
}
