/* SPDX-License-Identifier: MIT */
#include "gateway/parts.h"

#include <stdlib.h>

#include "gateway/errors.h"
#include "gateway/gateway.h"
#include "gateway/invoke.h"
#include "gateway/other_dc.h"

enum {
    TRIES_MAX = 6,           /* of one part; each waits longer than the last */
    TRY_PAUSE_MS = 250,      /* doubled each time: 16 s in all, a restart of a server */
    SERVER_ERROR_CODE = 500, /* and above; timeouts come as -503 */
    TIMEOUT_CODE = -503,
};

/* ---- answers, as they come ---- */

static void note_error(struct part *part)
{
    size_t len = part->rpc.text.len < PART_ERROR_MAX ? part->rpc.text.len : PART_ERROR_MAX;
    memcpy(part->error, part->rpc.text.data, len);
    part->error[len] = '\0';
}

static void on_done(struct upstream_call *rpc)
{
    struct part *part = LIST_OWNER(rpc, struct part, rpc);
    struct parts *p = part->parts;
    struct task *t = task_of(p->call);
    part->state = PART_REFUSED;
    if (rpc->outcome == UPSTREAM_RESULT && p->kind->take(part, rpc->body)) {
        part->state = PART_DONE;
        part->tries = 0;
        p->waited_ns = 0;
        if (list_linked(&t->deadline.link)) /* else the call waits for its client, without one */
            task_progress(t, 0);
    } else if (rpc->outcome == UPSTREAM_RESULT) {
        rpc->outcome = UPSTREAM_UNREADABLE;
    } else if (rpc->outcome == UPSTREAM_ERROR) {
        note_error(part);
    }
    task_ready(t);
}

/* ---- pauses ---- */

static void on_pause_over(struct wheel_timer *timer)
{
    task_ready(task_of(LIST_OWNER(timer, struct parts, pause)->call));
}

/* A client that says how long it waits is believed as long as it can be told something else. */
static int64_t wait_max_s(struct call *c)
{
    if (c->wait_told && !task_of(c)->stream.answering)
        return c->wait_max_s;
    return c->wait_max_s > TRANSFER_WAIT_MAX_S ? c->wait_max_s : TRANSFER_WAIT_MAX_S;
}

/* False: that is longer than max_s, or the process is about to end. */
static bool pause_parts(struct parts *p, int64_t pause_ns, int64_t max_s)
{
    struct call *c = p->call;
    struct task *t = task_of(c);
    int64_t now_ns = worker_now_ns(t->owner);
    if (now_ns + pause_ns <= p->pause_ns)
        return true; /* several parts were refused for one reason */
    bool draining = atomic_load_explicit(&c->gateway->draining, memory_order_relaxed);
    if (draining || p->waited_ns + pause_ns > max_s * NS_PER_S)
        return false;
    p->waited_ns += pause_ns;
    p->pause_ns = now_ns + pause_ns;
    worker_arm(t->owner, &p->pause, p->pause_ns);
    task_progress(t, pause_ns);
    return true;
}

static bool wait_out(struct part *part, int64_t wait_s)
{
    struct metrics *m = &part->parts->call->worker->metrics;
    metric_add(&m->flood_waits_total, 1);
    if (wait_s > CALL_WAIT_MAX_S ||
        !pause_parts(part->parts, wait_s * NS_PER_S, wait_max_s(part->parts->call)))
        return false;
    metric_add(&m->flood_waits_slept_total, 1);
    return true;
}

static bool try_again(struct part *part)
{
    int64_t pause_ms = (int64_t)TRY_PAUSE_MS << part->tries;
    return ++part->tries <= TRIES_MAX &&
           pause_parts(part->parts, pause_ms * NS_PER_MS, TRANSFER_WAIT_MAX_S);
}

/* ---- what is done about refusals ---- */

static bool may_try_again(const struct part *part)
{
    int32_t code = part->rpc.code;
    switch (part->rpc.outcome) {
    case UPSTREAM_ERROR:
        return code >= SERVER_ERROR_CODE || code == TIMEOUT_CODE ||
               error_is_trouble(slice_str(part->error));
    case UPSTREAM_TOO_LONG:
        return false;
    default:
        return true;
    }
}

static bool mend_error(struct part *part)
{
    struct parts *p = part->parts;
    struct slice error = slice_str(part->error);
    int64_t wait_s = error_wait_s(error);
    enum part_mend mend = wait_s == 0 && p->kind->mend ? p->kind->mend(part, error) : MEND_UNKNOWN;
    if (mend != MEND_UNKNOWN)
        return mend == MEND_AGAIN;
    if (wait_s > 0 ? wait_out(part, wait_s) : may_try_again(part) && try_again(part))
        return true;
    call_fail_telegram(p->call, part->rpc.code, error);
    return false;
}

static bool mend(struct part *part)
{
    struct call *c = part->parts->call;
    if (part->rpc.outcome == UPSTREAM_ERROR)
        return mend_error(part);
    if (may_try_again(part) && try_again(part))
        return true;
    call_fail_outcome(c, &part->rpc);
    return false;
}

/* ---- sending ---- */

static bool send_part(struct part *part)
{
    struct parts *p = part->parts;
    struct slice query;
    bool borrowed = false;
    if (!p->kind->query(part, &query, &borrowed))
        return false;
    part->place = p->place;
    part->rpc = (struct upstream_call){.done = on_done};
    part->state = PART_SENT; /* before it is: what cannot be sent at all is refused at once */
    bool queued =
        borrowed ? upstream_call_start_borrowed(p->upstream, query, CALL_REPEATABLE, &part->rpc)
                 : upstream_call_start(p->upstream, query, CALL_REPEATABLE, &part->rpc);
    if (!queued) {
        part->state = PART_DUE;
        call_fail(p->call, 503, "OVERLOADED",
                  "Too many requests of this session wait for Telegram.");
    }
    return queued;
}

bool parts_settle(struct parts *p)
{
    struct task *t = task_of(p->call);
    if (task_aborted(t))
        return false;
    for (struct part *part; (part = parts_find(p, PART_REFUSED));) {
        if (!mend(part))
            return false;
        if (part->state == PART_REFUSED)
            part->state = PART_DUE;
    }
    if (worker_now_ns(t->owner) < p->pause_ns)
        return true;
    for (struct part *part; (part = parts_find(p, PART_DUE));)
        if (!send_part(part))
            return false;
    return true;
}

bool parts_wait(struct parts *p)
{
    return parts_settle(p) && task_wait(task_of(p->call));
}

/* ---- parts ---- */

struct part *parts_find(struct parts *p, enum part_state state)
{
    struct part *first = NULL;
    for (size_t i = 0; i < PARTS_MAX; i++) {
        struct part *part = &p->items[i];
        if (part->state == state && (!first || part->number < first->number))
            first = part;
    }
    return first;
}

uint8_t *part_memory(struct part *part)
{
    if (!part->memory)
        part->memory = malloc(PART_MEMORY);
    if (!part->memory)
        call_fail(part->parts->call, 503, "OUT_OF_MEMORY", "The gateway is out of memory.");
    return part->memory;
}

void part_drop(struct part *part)
{
    if (part->state == PART_SENT)
        upstream_call_cancel(&part->rpc);
    part->state = PART_FREE;
}

void parts_init(struct parts *p, struct call *c, const struct parts_kind *kind)
{
    *p = (struct parts){.call = c, .kind = kind, .pause.fire = on_pause_over};
    for (size_t i = 0; i < PARTS_MAX; i++)
        p->items[i].parts = p;
}

struct upstream *parts_home(struct parts *p)
{
    struct upstream *u = call_failed(p->call) ? NULL : task_upstream(task_of(p->call));
    if (u)
        upstream_share(u);
    return u;
}

bool parts_move_home(struct parts *p, int32_t dc)
{
    /* Another call may have moved it; then only the connection is to follow. */
    if (dc != p->call->session.dc && !call_move_home(p->call, dc))
        return false;
    struct upstream *u = parts_home(p);
    if (u)
        parts_move(p, u);
    return u != NULL;
}

void parts_move(struct parts *p, struct upstream *u)
{
    for (size_t i = 0; i < PARTS_MAX; i++) {
        struct part *part = &p->items[i];
        if (part->state == PART_SENT)
            upstream_call_cancel(&part->rpc);
        if (part->state == PART_SENT || part->state == PART_REFUSED)
            part->state = PART_DUE;
    }
    if (p->upstream)
        upstream_release(p->upstream, task_keeps_warm(task_of(p->call)));
    p->upstream = u;
    p->place++;
}

void parts_end(struct parts *p)
{
    for (size_t i = 0; i < PARTS_MAX; i++) {
        part_drop(&p->items[i]);
        free(p->items[i].memory);
        p->items[i].memory = NULL;
    }
    worker_disarm(task_of(p->call)->owner, &p->pause);
    if (p->upstream)
        upstream_release(p->upstream, task_keeps_warm(task_of(p->call)));
    p->upstream = NULL;
}
