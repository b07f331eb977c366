/* SPDX-License-Identifier: MIT
 * For whoever runs the gateway: alive, ready, metrics. */
#include "gateway/gateway.h"
#include "gateway/handlers.h"
#include "gateway/new_key.h"
#include "gateway/worker.h"

enum { REACHED_FRESH_S = 30 /* a data centre that answered that recently is not asked again */ };

void handle_healthz(struct call *c)
{
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "status", "ok");
    json_object_end(w);
}

static bool reached_lately(struct gateway *g, int64_t now_ns)
{
    for (size_t i = 0; i < g->dcs.n; i++) {
        int64_t at_ns = atomic_load_explicit(&g->dcs.dcs[i].reached_ns, memory_order_relaxed);
        if (at_ns && now_ns - at_ns < REACHED_FRESH_S * NS_PER_S)
            return true;
    }
    return false;
}

void handle_readyz(struct call *c)
{
    struct gateway *g = c->gateway;
    struct dc *dc = dc_default(&g->dcs);
    if (!reached_lately(g, call_mono_ns(c))) {
        if (!call_probe(c, dc->id)) {
            c->error.status = 503;
            c->error.code = "NOT_READY";
            return;
        }
        atomic_store_explicit(&dc->reached_ns, call_mono_ns(c), memory_order_relaxed);
    }
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "status", "ready");
    json_object_end(w);
}

static bool route_name(size_t route, const char **method, const char **path)
{
    if (route >= routes_count())
        return false;
    *method = route_at(route)->method;
    *path = route_at(route)->path;
    return true;
}

void handle_metrics(struct call *c)
{
    struct gateway *g = c->gateway;
    struct metrics **all = arena_array(c->arena, g->n_workers, sizeof(struct metrics *));
    call_answer(c, 200);
    c->content_type = "text/plain; version=0.0.4; charset=utf-8";
    for (size_t i = 0; all && i < g->n_workers; i++)
        all[i] = &g->workers[i].metrics;
    if (all)
        metrics_render(c->body, all, g->n_workers, route_name);
}
