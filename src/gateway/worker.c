/* SPDX-License-Identifier: MIT */
#include "gateway/worker.h"

#include <json-c/json.h>
#include <sodium.h>
#include <stdlib.h>

#include "gateway/gateway.h"
#include "gateway/task.h"

enum {
    MAILBOX_MAX = 4096, /* calls handed over and not yet looked at */
    CALLS_PER_WORKER_MIN = 64,
    IDLE_STACKS_MAX = 256, /* 2 MiB of touched stack pages at most */
    HTTP_CONNECTIONS_MIN = 64,
};

/* ---- the turn of the loop ---- */

void worker_run(struct worker *w)
{
    if (w->running)
        return;
    w->running = true;
    for (struct list *node; (node = list_pop(&w->ready)) != NULL;)
        task_run(LIST_OWNER(node, struct task, ready_link));
    w->running = false;
}

static void copy_http_counters(struct worker *w)
{
    const struct http_counters *c = http_server_counters(w->http);
    metric_set(&w->metrics.http_connections_total, c->connections_accepted);
    metric_set(&w->metrics.http_connections_open, c->connections_open);
    metric_set(&w->metrics.http_refused_total, c->refused);
    metric_set(&w->metrics.http_bytes_in_total, c->bytes_in);
    metric_set(&w->metrics.http_bytes_out_total, c->bytes_out);
}

static void on_turn(struct worker *w)
{
    learn_settle(w);
    upstreams_flush(&w->upstreams);
    if (!list_empty(&w->ready)) {
        worker_run(w);
        upstreams_flush(&w->upstreams);
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    on_turn(prepare->data);
}

static void on_check(uv_check_t *check)
{
    struct worker *w = check->data;
    on_turn(w);
    if (w->http)
        copy_http_counters(w);
}

static void on_tick(uv_timer_t *tick)
{
    struct worker *w = tick->data;
    wheel_advance(&w->wheel, worker_now_ns(w));
    worker_run(w);
    if (w->draining)
        worker_check_drained(w);
    if (w->wheel.armed == 0 && w->ticking && !w->draining) {
        uv_timer_stop(&w->tick);
        w->ticking = false;
    }
}

static void start_tick(struct worker *w)
{
    if (w->ticking || uv_is_closing((uv_handle_t *)&w->tick))
        return;
    w->ticking = uv_timer_start(&w->tick, on_tick, WHEEL_TICK_MS, WHEEL_TICK_MS) == 0;
}

void worker_arm(struct worker *w, struct wheel_timer *timer, int64_t deadline_ns)
{
    if (w->wheel.armed == 0)
        wheel_advance(&w->wheel, worker_now_ns(w)); /* it stood still */
    wheel_arm(&w->wheel, timer, deadline_ns);
    start_tick(w);
}

void worker_disarm(struct worker *w, struct wheel_timer *timer)
{
    wheel_disarm(&w->wheel, timer);
}

/* ---- end ---- */

void worker_check_drained(struct worker *w)
{
    if (!w->draining || w->drained || w->tasks_home > 0 || w->tasks_live > 0 ||
        atomic_load(&w->gateway->n_moving) > 0 || !http_server_idle(w->http))
        return;
    w->drained = true;
    gateway_worker_drained(w->gateway);
}

static void on_drain(struct mail *mail, void *receiver)
{
    (void)mail;
    struct worker *w = receiver;
    w->draining = true;
    http_server_drain(w->http);
    start_tick(w); /* looks every tick whether the connections are gone */
    worker_check_drained(w);
}

static void on_http_closed(void *ctx)
{
    struct worker *w = ctx;
    w->http = NULL;
}

static void on_stop(struct mail *mail, void *receiver)
{
    (void)mail;
    struct worker *w = receiver;
    copy_http_counters(w);
    http_server_close(w->http, on_http_closed, w);
    learn_cancel(w);
    upstreams_free(&w->upstreams);
    uv_close((uv_handle_t *)&w->prepare, NULL);
    uv_close((uv_handle_t *)&w->check, NULL);
    uv_close((uv_handle_t *)&w->tick, NULL);
    mailbox_close(&w->mailbox);
}

void worker_drain(struct worker *w)
{
    mailbox_send(&w->mailbox, &w->drain_mail);
}

void worker_stop(struct worker *w)
{
    mailbox_send(&w->mailbox, &w->stop_mail);
}

void worker_main(void *worker)
{
    struct worker *w = worker;
    uv_run(&w->loop, UV_RUN_DEFAULT);
}

/* ---- beginning ---- */

static size_t share(int64_t total, size_t n_workers, size_t least)
{
    size_t mine = ((size_t)total + n_workers - 1) / n_workers;
    return mine > least ? mine : least;
}

static bool init_http(struct worker *w)
{
    struct gateway *g = w->gateway;
    struct http_limits limits = http_limits_default();
    limits.connections_max = share(g->options.connections_max, g->n_workers, HTTP_CONNECTIONS_MIN);
    limits.body_bytes_max = (size_t)g->options.body_bytes_max;
    struct http_callbacks callbacks = {
        .wants_stream = task_wants_stream,
        .on_request = task_on_request,
        .on_body = task_on_body,
        .on_writable = task_on_writable,
        .on_gone = task_on_gone,
        .error_body = task_error_body,
        .ctx = w,
    };
    w->http = http_server_new(&w->loop, &limits, &callbacks, &w->clock, &g->log);
    return w->http != NULL;
}

static bool init_loop(struct worker *w)
{
    if (uv_loop_init(&w->loop))
        return false;
    uv_prepare_init(&w->loop, &w->prepare);
    uv_check_init(&w->loop, &w->check);
    uv_timer_init(&w->loop, &w->tick);
    w->prepare.data = w->check.data = w->tick.data = w;
    uv_prepare_start(&w->prepare, on_prepare);
    uv_check_start(&w->check, on_check);
    w->drain_mail.deliver = on_drain;
    w->stop_mail.deliver = on_stop;
    return mailbox_init(&w->mailbox, &w->loop, MAILBOX_MAX, w) == 0;
}

bool worker_init(struct worker *w, struct gateway *g, int index)
{
    *w = (struct worker){.gateway = g, .index = index, .clock = clock_system()};
    list_init(&w->ready);
    list_init(&w->spare);
    rng_init_system(&w->rng);
    buf_init(&w->query, 0);
    buf_init(&w->out, 0);
    wheel_init(&w->wheel, worker_now_ns(w));
    w->coros = coro_pool_new((struct coro_limits){
        .live_max = share(g->options.calls_max, g->n_workers, CALLS_PER_WORKER_MIN),
        .idle_max = IDLE_STACKS_MAX,
    });
    w->digests = digests_new();
    w->peers = peer_cache_new();
    w->other_keys = other_keys_new();
    bool keeps = g->options.warm_s != OPTION_OFF;
    w->tokens = keeps ? token_cache_new(g->options.warm_s * NS_PER_S) : NULL;
    w->read_buffer = malloc(WORKER_READ_BYTES);
    size_t upstreams = share(g->options.warm_max, g->n_workers, 1);
    return w->coros && w->digests && w->peers && w->other_keys && (w->tokens || !keeps) &&
           w->read_buffer && upstreams_init(&w->upstreams, w, upstreams) && init_loop(w) &&
           init_http(w);
}

int worker_listen(struct worker *w, const char *address, bool reuse_port, int *port)
{
    return http_server_listen(w->http, address, reuse_port, port);
}

void worker_free(struct worker *w)
{
    tasks_free_spare(w);
    mailbox_free(&w->mailbox);
    uv_loop_close(&w->loop);
    coro_pool_free(w->coros);
    digests_free(w->digests);
    peer_cache_free(w->peers);
    token_cache_free(w->tokens);
    other_keys_free(w->other_keys);
    if (w->tokener)
        json_tokener_free(w->tokener);
    buf_wipe_free(&w->query);
    buf_free(&w->out);
    if (w->read_buffer)
        sodium_memzero(w->read_buffer, WORKER_READ_BYTES);
    free(w->read_buffer);
    sodium_memzero(&w->rng, sizeof w->rng);
}
