/* SPDX-License-Identifier: MIT
 * What handlers call that does not ask Telegram. */
#include "gateway/call.h"

#include <stdio.h>

#include "gateway/errors.h"
#include "gateway/gateway.h"
#include "gateway/task.h"

enum { DETAIL_MAX = 512 /* bytes of a sentence for people */ };

static void set_error(struct call *c, int status, const char *code, const char *format,
                      va_list args)
{
    if (call_failed(c))
        return;
    char text[DETAIL_MAX];
    vsnprintf(text, sizeof text, format, args);
    c->error = (struct call_error){
        .status = status, .code = code, .detail = arena_strdup(c->arena, slice_str(text))};
}

void call_fail(struct call *c, int status, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_error(c, status, code, format, args);
    va_end(args);
}

void call_fail_field(struct call *c, const char *field, const char *format, ...)
{
    if (call_failed(c))
        return;
    va_list args;
    va_start(args, format);
    set_error(c, 400, "INVALID_PARAMETER", format, args);
    va_end(args);
    c->error.field = arena_strdup(c->arena, slice_str(field));
}

void call_fail_telegram(struct call *c, int code, struct slice name)
{
    if (!call_failed(c))
        c->error = error_from_telegram(c->arena, code, name);
}

bool call_failed(const struct call *c)
{
    return c->error.status != 0;
}

bool call_error_is(const struct call *c, const char *name)
{
    int64_t number;
    return c->error.telegram && slice_is(error_base(slice_str(c->error.code), &number), name);
}

void call_error_clear(struct call *c)
{
    c->error = (struct call_error){0};
}

struct json_writer *call_answer(struct call *c, int status)
{
    c->status = status;
    buf_clear(c->body);
    json_init(&c->json, c->body);
    return &c->json;
}

void call_header_add(struct call *c, const char *name, struct slice value)
{
    if (c->n_headers < CALL_HEADERS_MAX)
        c->headers[c->n_headers++] = (struct call_header){name, arena_copy(c->arena, value)};
}

void call_session_changed(struct call *c)
{
    struct task *t = task_of(c);
    t->session_changed = true;
    t->sealed = NULL;
}

struct slice call_seal(struct call *c, const struct session *s)
{
    struct buf text;
    buf_init(&text, 0);
    token_seal(c->gateway->keys, &c->worker->rng, s, &text);
    struct slice kept = arena_copy(c->arena, buf_slice(&text));
    buf_free(&text);
    return kept;
}

struct slice call_session_string(struct call *c)
{
    struct task *t = task_of(c);
    t->session_changed = true;
    if (t->sealed)
        return slice_str(t->sealed);
    if (t->upstream)
        c->session.salts = *upstream_salts(t->upstream);
    c->session.flags &= ~(uint32_t)SESSION_FOREIGN;
    t->secret = true;
    t->sealed = arena_strdup(c->arena, call_seal(c, &c->session));
    return slice_str(t->sealed);
}

const struct token_keys *call_token_keys(const struct call *c)
{
    return c->gateway->keys;
}

struct peer_cache *call_peer_cache(const struct call *c)
{
    return c->worker->peers;
}

int64_t call_unix_s(const struct call *c)
{
    struct dc *dc = dc_find(&c->gateway->dcs, c->session.dc);
    int64_t offset_ns = dc ? atomic_load_explicit(&dc->clock_offset_ns, memory_order_relaxed) : 0;
    return (clock_wall_ns(&c->worker->clock) + offset_ns) / NS_PER_S;
}

int64_t call_mono_ns(const struct call *c)
{
    return worker_now_ns(c->worker);
}

struct rng *call_rng(const struct call *c)
{
    return &c->worker->rng;
}

struct dh_good_prime *call_good_prime(const struct call *c)
{
    return &c->worker->good_prime;
}

/* Length before each part, so that no two lists of parts read the same. */
static int64_t keyed_random_id(struct call *c, struct slice method, struct slice peer,
                               uint32_t index)
{
    uint32_t lengths[3] = {(uint32_t)method.len, (uint32_t)peer.len,
                           (uint32_t)c->idempotency_key.len};
    struct slice parts[] = {
        slice_of(lengths, sizeof lengths), method, peer, c->idempotency_key,
        slice_of(&index, sizeof index),
    };
    uint8_t mac[SHA256_BYTES];
    hmac_sha256(c->worker->digests, slice_of(c->session.key.key, AUTH_KEY_BYTES), parts,
                sizeof parts / sizeof *parts, mac);
    return (int64_t)load_le64(mac);
}

int64_t call_random_id(struct call *c, const char *method, struct slice peer, uint32_t index)
{
    int64_t id = c->idempotency_key.len > 0 ? keyed_random_id(c, slice_str(method), peer, index)
                                            : (int64_t)rng_u64(&c->worker->rng);
    return id != 0 ? id : 1;
}

/* ---- waiting ---- */

struct work {
    uv_work_t request;
    struct task *task;
    void (*fn)(void *arg);
    void *arg;
    bool done;
};

static void on_work(uv_work_t *request)
{
    struct work *w = LIST_OWNER(request, struct work, request);
    w->fn(w->arg);
}

static void on_work_done(uv_work_t *request, int status)
{
    (void)status;
    struct work *w = LIST_OWNER(request, struct work, request);
    struct worker *worker = w->task->owner;
    w->done = true;
    task_ready(w->task);
    worker_run(worker);
}

bool call_work(struct call *c, void (*fn)(void *arg), void *arg)
{
    struct task *t = task_of(c);
    /* In the arena: the request must not move, and a coroutine's stack is not for a loop's queue.
     */
    struct work *w = arena_alloc(c->arena, sizeof *w);
    if (task_aborted(t))
        return false;
    if (!w) {
        call_fail(c, 503, "OUT_OF_MEMORY", "The gateway is out of memory.");
        return false;
    }
    *w = (struct work){.task = t, .fn = fn, .arg = arg};
    if (uv_queue_work(&t->owner->loop, &w->request, on_work, on_work_done)) {
        call_fail(c, 503, "OVERLOADED", "The gateway has no thread for this now.");
        return false;
    }
    t->uninterruptible = true;
    while (!w->done)
        task_suspend(t); /* whatever wakes us: nobody may unwind while the pool uses arg */
    t->uninterruptible = false;
    return !task_aborted(t);
}

static void on_nap_over(struct wheel_timer *timer)
{
    struct task *t = LIST_OWNER(timer, struct task, nap);
    t->nap_over = true;
    task_ready(t);
}

void task_nap_begin(struct task *t, int64_t ms)
{
    t->nap_over = false;
    t->nap.fire = on_nap_over;
    worker_arm(t->owner, &t->nap, worker_now_ns(t->owner) + ms * NS_PER_MS);
}

void task_nap_end(struct task *t)
{
    worker_disarm(t->owner, &t->nap);
}

bool call_sleep(struct call *c, int64_t ms)
{
    struct task *t = task_of(c);
    bool going_on = true;
    task_nap_begin(t, ms);
    while (going_on && !t->nap_over)
        going_on = task_wait(t);
    task_nap_end(t);
    return going_on;
}
