/* SPDX-License-Identifier: MIT */
#include "gateway/learn.h"

#include "gateway/gateway.h"
#include "gateway/worker.h"
#include "telegram/names.h"

static bool is_useful(const struct tl_object *option, int32_t dc)
{
    return tl_int(option, F_id) == dc && !tl_bool(option, F_cdn) && !tl_bool(option, F_tcpo_only) &&
           !tl_has(option, F_secret);
}

static bool read_address(const struct tl_object *option, struct dc_address *address)
{
    struct slice host = tl_text(option, F_ip_address);
    int64_t port = tl_int(option, F_port);
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (host.len == 0 || host.len > DC_HOST_MAX || port < 1 || port > 65535)
        return false;
    memcpy(address->host, host.data, host.len);
    address->host[host.len] = '\0';
    address->port = (int)port;
    address->media = tl_bool(option, F_media_only);
    return uv_ip4_addr(address->host, address->port, &v4) == 0 ||
           uv_ip6_addr(address->host, address->port, &v6) == 0;
}

static void learn_of(struct dc_table *t, const struct tl_object *config, int32_t dc)
{
    struct dc_address addresses[DC_ADDRESSES_MAX];
    size_t n = 0;
    for (uint32_t i = 0; i < tl_count(config, F_dc_options) && n < DC_ADDRESSES_MAX; i++) {
        const struct tl_object *option = tl_item_obj(config, F_dc_options, i);
        n += is_useful(option, dc) && read_address(option, &addresses[n]);
    }
    dc_learn(t, dc, addresses, n);
}

void learn_from_config(struct dc_table *t, const struct tl_object *config)
{
    if (tl_count(config, F_dc_options) == 0)
        return;
    for (size_t i = 0; i < t->n; i++)
        learn_of(t, config, t->dcs[i].id);
}

static void on_done(struct upstream_call *rpc)
{
    struct learning *l = LIST_OWNER(rpc, struct learning, rpc);
    struct worker *w = l->worker;
    struct arena a;
    l->over = true; /* its connection is in use by whoever called this */
    if (rpc->outcome == UPSTREAM_RESULT) {
        struct tl_reader r = tl_reader_of(rpc->body);
        arena_init(&a, 0);
        learn_from_config(&w->gateway->dcs,
                          tl_read_object(w->gateway->schema, &r, &a, (struct tl_limits){0}));
        arena_free(&a);
    }
}

void learn_if_due(struct worker *w, struct upstream *u)
{
    struct learning *l = &w->learning;
    struct arena a;
    if (l->upstream || !dc_learning_due(&w->gateway->dcs, worker_now_ns(w)))
        return;
    arena_init(&a, 0);
    buf_clear(&w->query);
    struct tl_builder b = tl_builder_of(w->gateway->schema, &a);
    const struct tl_object *query = tl_new(&b, C_help_getConfig);
    bool written = query && tl_write_object(w->gateway->schema, &w->query, query, &a, NULL);
    arena_free(&a);
    *l = (struct learning){.rpc.done = on_done, .worker = w};
    if (!written || !upstream_call_start(u, buf_slice(&w->query), CALL_REPEATABLE, &l->rpc))
        return;
    upstream_share(u);
    l->upstream = u;
}

void learn_settle(struct worker *w)
{
    if (w->learning.over)
        learn_cancel(w);
}

void learn_cancel(struct worker *w)
{
    struct learning *l = &w->learning;
    if (!l->upstream)
        return;
    upstream_call_cancel(&l->rpc);
    upstream_release(l->upstream, true);
    *l = (struct learning){0};
}
