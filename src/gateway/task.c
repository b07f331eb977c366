/* SPDX-License-Identifier: MIT
 * A call on the worker that owns its session: start, suspend, abort, end. */
#include "gateway/task.h"

#include "gateway/errors.h"
#include "gateway/gateway.h"
#include "gateway/task_home.h"
#include "mtproto/salts.h"

/* ---- waiting ---- */

void task_ready(struct task *t)
{
    if (!list_linked(&t->ready_link))
        list_push(&t->owner->ready, &t->ready_link);
}

bool task_aborted(struct task *t)
{
    struct call *c = &t->call;
    switch (t->abort) {
    case ABORT_NONE:
        return false;
    case ABORT_DEADLINE:
        call_fail(c, 504, "TIMEOUT", "Telegram did not answer within %lld seconds.",
                  (long long)c->gateway->options.timeout_s + c->wait_max_s);
        break;
    case ABORT_GONE:
        call_fail(c, 499, "CLIENT_GONE", "The client closed the connection.");
        break;
    }
    return true;
}

void task_suspend(struct task *t)
{
    t->suspended = true;
    coro_suspend(t->owner->coros);
    t->suspended = false;
}

bool task_wait(struct task *t)
{
    if (task_aborted(t))
        return false;
    task_suspend(t);
    return !task_aborted(t);
}

void task_abort(struct task *t, enum task_abort why)
{
    if (t->finished || t->abort != ABORT_NONE)
        return;
    t->abort = why;
    if (!t->uninterruptible)
        task_ready(t);
}

void task_progress(struct task *t, int64_t pause_ns)
{
    struct call *c = &t->call;
    int64_t time_ns = (c->gateway->options.timeout_s + c->wait_max_s) * NS_PER_S;
    int64_t deadline_ns = worker_now_ns(t->owner) + time_ns + pause_ns;
    bool later = deadline_ns > c->deadline_ns;
    if (t->abort != ABORT_NONE || t->finished || (!later && list_linked(&t->deadline.link)))
        return;
    if (later) /* never earlier: a pause that was allowed for may last still */
        c->deadline_ns = deadline_ns;
    worker_arm(t->owner, &t->deadline, c->deadline_ns);
}

void task_fail_full(struct task *t, struct worker *here)
{
    metric_add(&here->metrics.calls_overloaded_total, 1);
    call_fail(&t->call, 503, "OVERLOADED",
              "The gateway serves as many calls as it can. Try again.");
}

static void on_deadline(struct wheel_timer *timer)
{
    task_abort(LIST_OWNER(timer, struct task, deadline), ABORT_DEADLINE);
}

/* ---- the session's connection ---- */

bool task_claim(struct task *t, uint64_t key_id)
{
    struct owners *owners = t->owner->gateway->owners;
    int owner = owners_claim(owners, key_id, t->owner->index);
    if (owner >= 0 && owner != t->owner->index)
        owners_release(owners, key_id);
    if (owner != t->owner->index)
        return false;
    if (t->claimed)
        owners_release(owners, t->claimed_key);
    t->claimed = true;
    t->claimed_key = key_id;
    return true;
}

struct upstream *task_upstream_of(struct task *t, const struct session *s, enum dc_use use)
{
    struct call *c = &t->call;
    struct dc *dc = dc_find(&c->gateway->dcs, s->dc);
    if (!dc) {
        call_fail(c, 401, "SESSION_OTHER_NETWORK",
                  "The session belongs to data centre %d, which this gateway does not know.",
                  (int)s->dc);
        return NULL;
    }
    bool full;
    struct upstream *u = upstream_get(&t->owner->upstreams, s, dc, use, &full);
    if (!u) {
        metric_add(&t->owner->metrics.calls_overloaded_total, 1);
        call_fail(c, 503, "OVERLOADED",
                  full ? "All connections to Telegram are in use."
                       : "The gateway is out of memory.");
    }
    return u;
}

struct upstream *task_upstream(struct task *t)
{
    if (!t->upstream)
        t->upstream = task_upstream_of(t, &t->call.session, DC_CALLS);
    return t->upstream;
}

bool task_keeps_warm(const struct task *t)
{
    return t->call.gateway->options.warm_s != OPTION_OFF;
}

void task_release_upstream(struct task *t, bool keep)
{
    if (!t->upstream)
        return;
    keep = keep && task_keeps_warm(t);
    if (keep)
        learn_if_due(t->owner, t->upstream);
    upstream_release(t->upstream, keep);
    t->upstream = NULL;
}

void call_disconnect(struct call *c)
{
    struct task *t = task_of(c);
    if (t->upstream)
        upstream_condemn(t->upstream);
    task_release_upstream(t, false);
}

/* ---- beginning and end ---- */

/* A string whose salts have all ended would cost each cold call one more round trip: a fresh one is
 * owed as soon as better ones are known. */
static bool salts_are_stale(const struct task *t)
{
    int64_t now_s = call_unix_s(&t->call);
    return t->upstream && salts_left_s(&t->call.session.salts, now_s) == 0 &&
           salts_left_s(upstream_salts(t->upstream), now_s) > 0;
}

/* A login or an import that did not even begin has no session worth keeping: a client that takes
 * over what comes back would lose its own for it. */
static bool is_stillborn(const struct call *c)
{
    return call_failed(c) &&
           (c->route->session == SESSION_NEED_NONE || c->route->session == SESSION_NEED_IMPORT);
}

void task_add_session_header(struct task *t)
{
    struct call *c = &t->call;
    if (c->has_session && !is_stillborn(c) && (t->session_changed || salts_are_stale(t)))
        call_header_add(c, "X-Session-String", call_session_string(c));
}

static void task_main(void *arg)
{
    struct task *t = arg;
    struct call *c = &t->call;
    t->coro = coro_self(t->owner->coros);
    if (!task_aborted(t) && (t->params_read || params_parse(c)))
        c->route->handle(c);
    if (!t->stream.answering)
        task_add_session_header(t);
    task_release_upstream(t, true);
    t->finished = true;
}

static void finish(struct task *t)
{
    struct worker *w = t->owner;
    worker_disarm(w, &t->deadline);
    list_remove(&t->ready_link);
    if (t->claimed)
        owners_release(w->gateway->owners, t->claimed_key);
    t->claimed = false;
    w->tasks_live--;
    metric_set(&w->metrics.calls_open, w->tasks_live);
    if (t->home == w) {
        task_answer(t);
        return;
    }
    t->mail.deliver = task_deliver_answer;
    mailbox_send(&t->home->mailbox, &t->mail);
    if (w->draining)
        worker_check_drained(w);
}

static void start(struct task *t)
{
    struct worker *w = t->owner;
    t->started = true;
    t->call.worker = w;
    t->deadline.fire = on_deadline;
    w->tasks_live++;
    metric_set(&w->metrics.calls_open, w->tasks_live);
    worker_arm(w, &t->deadline, t->call.deadline_ns);
    if (!coro_start(w->coros, task_main, t)) {
        task_fail_full(t, w);
        t->finished = true;
    }
}

void task_run(struct task *t)
{
    if (!t->started)
        start(t);
    else if (t->suspended)
        coro_resume(t->coro);
    if (t->finished)
        finish(t);
}
