/* SPDX-License-Identifier: MIT */
#include "gateway/gateway.h"

#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/file.h"
#include "gateway/worker.h"
#include "telegram/login.h"
#include "telegram/names.h"

enum { SCHEMA_FILE_MAX = 8 * 1024 * 1024 /* today's is 0.4 MB */ };

static const char default_listen[] = "127.0.0.1:8000";
static const char default_key_file[] = "tgrest.key";

/* ---- what the workers share ---- */

static bool load_keys(struct gateway *g, char *error)
{
    const struct options *o = &g->options;
    if (o->key_text)
        g->keys = token_keys_parse(slice_str(o->key_text), error, OPTION_ERROR_BYTES);
    else
        g->keys = token_keys_load(o->key_file ? o->key_file : default_key_file, error,
                                  OPTION_ERROR_BYTES);
    return g->keys != NULL;
}

static bool load_schema(struct gateway *g, char *error)
{
    struct buf file;
    buf_init(&file, SCHEMA_FILE_MAX);
    struct slice text = tl_embedded_api();
    if (g->options.schema) {
        int status = file_read(g->options.schema, &file);
        if (status)
            snprintf(error, OPTION_ERROR_BYTES, "--schema %.150s: %s", g->options.schema,
                     strerror(-status));
        text = status ? (struct slice){0} : buf_slice(&file);
    }
    if (text.data)
        g->schema = tl_schema_parse(text, error, OPTION_ERROR_BYTES);
    buf_free(&file);
    if (!g->schema)
        return false;
    tl_schema_bind(g->schema, &telegram_names);
    /* Without these nothing at all can be asked. */
    const struct client_identity probe = {.device_model = "",
                                          .system_version = "",
                                          .app_version = "",
                                          .system_lang_code = "",
                                          .lang_code = ""};
    bool usable = init_prefix_write(g->schema, &probe, true, &g->call_prefix);
    buf_clear(&g->call_prefix);
    if (usable && call_prefix_write(g->schema, &g->call_prefix))
        return true;
    snprintf(error, OPTION_ERROR_BYTES,
             "the schema lacks invokeWithLayer, initConnection or invokeWithoutUpdates");
    return false;
}

/* A route whose names an older layer lacks is off, and the log says so once. */
static bool check_routes(struct gateway *g, char *error)
{
    g->route_off = calloc(routes_count(), sizeof *g->route_off);
    if (!g->route_off) {
        snprintf(error, OPTION_ERROR_BYTES, "out of memory");
        return false;
    }
    for (size_t i = 0; i < routes_count(); i++) {
        const struct route *r = route_at(i);
        for (size_t k = 0; k < r->n_needs; k++) {
            if (tl_schema_bound(g->schema, r->needs[k]))
                continue;
            g->route_off[i] = true;
            log_event(&g->log, LOG_WARN, "route is off: the schema lacks a name",
                      log_str("method", r->method), log_str("path", r->path),
                      log_str("name", telegram_names.combinators[r->needs[k]]),
                      log_int("layer", tl_schema_layer(g->schema)));
            break;
        }
    }
    return true;
}

/* ---- workers ---- */

static bool make_workers(struct gateway *g, char *error)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = g->options.workers > 0 ? (size_t)g->options.workers
                    : cores > 0            ? (size_t)cores
                                           : 1;
    g->workers = calloc(wanted, sizeof *g->workers);
    g->n_workers = g->workers ? wanted : 0;
    size_t ready = 0;
    while (ready < g->n_workers && worker_init(&g->workers[ready], g, (int)ready))
        ready++;
    if (ready == wanted)
        return true;
    g->n_workers = ready; /* those that can be closed again */
    snprintf(error, OPTION_ERROR_BYTES, "a worker cannot be made: no memory or no descriptors");
    return false;
}

/* All workers on one address: the first finds the port out when it is 0. */
static bool listen_on(struct gateway *g, const char *address, int *port, char *error)
{
    char exact[300];
    const char *colon = strrchr(address, ':');
    int host_len = colon ? (int)(colon - address) : (int)strlen(address);
    for (size_t i = 0; i < g->n_workers; i++) {
        int status =
            worker_listen(&g->workers[i], i == 0 ? address : exact, g->n_workers > 1, port);
        if (status) {
            snprintf(error, OPTION_ERROR_BYTES, "--listen %.150s: %s", address,
                     uv_strerror(status));
            return false;
        }
        snprintf(exact, sizeof exact, "%.*s:%d", host_len, address, *port);
    }
    return true;
}

static bool listen_all(struct gateway *g, char *error)
{
    struct option_list *list = &g->options.listen;
    if (list->n == 0)
        list->items[list->n++] = strdup(default_listen);
    for (size_t i = 0; i < list->n; i++) {
        int port = 0;
        if (!list->items[i] || !listen_on(g, list->items[i], &port, error))
            return false;
        g->ports[i] = port;
    }
    return true;
}

static bool start_threads(struct gateway *g, char *error)
{
    for (size_t i = 0; i < g->n_workers; i++) {
        if (uv_thread_create(&g->workers[i].thread, worker_main, &g->workers[i]) == 0)
            continue;
        snprintf(error, OPTION_ERROR_BYTES, "a thread cannot be started");
        while (i-- > 0) {
            worker_stop(&g->workers[i]);
            uv_thread_join(&g->workers[i].thread);
        }
        return false;
    }
    return true;
}

static void print_listeners(const struct gateway *g)
{
    for (size_t i = 0; i < g->options.listen.n; i++) {
        const char *address = g->options.listen.items[i];
        const char *colon = strrchr(address, ':');
        int host_len = colon ? (int)(colon - address) : (int)strlen(address);
        fprintf(stderr, "listening on http://%.*s:%d\n", host_len, address, g->ports[i]);
    }
}

static void free_gateway(struct gateway *g)
{
    for (size_t i = 0; i < g->n_workers; i++)
        worker_free(&g->workers[i]);
    free(g->workers);
    free(g->route_off);
    buf_free(&g->call_prefix);
    if (g->owners)
        owners_free(g->owners);
    if (g->schema)
        tl_schema_free(g->schema);
    if (g->keys)
        token_keys_free(g->keys);
    dc_table_free(&g->dcs);
    sodium_memzero(&g->proxy, sizeof g->proxy);
    options_release(gateway_options, gateway_options_count, &g->options);
    free(g);
}

/* Workers whose threads never ran, or have ended already, close their loops here. */
static void close_unstarted(struct gateway *g)
{
    for (size_t i = 0; i < g->n_workers; i++) {
        worker_stop(&g->workers[i]);
        worker_main(&g->workers[i]);
    }
}

struct gateway *gateway_start(struct options *options, char *error)
{
    struct gateway *g = calloc(1, sizeof *g);
    snprintf(error, OPTION_ERROR_BYTES, "out of memory");
    if (!g) {
        options_release(gateway_options, gateway_options_count, options);
        return NULL;
    }
    g->options = *options;
    *options = (struct options){0};
    g->log = (struct log){
        .fd = STDERR_FILENO, .level = g->options.log_level, .format = g->options.log_format};
    buf_init(&g->call_prefix, 0);
    g->owners = owners_new();
    bool ready = sodium_init() >= 0 && g->owners && dc_table_init(&g->dcs, &g->options, error) &&
                 proxy_parse(g->options.proxy, &g->proxy, error) && load_keys(g, error) &&
                 load_schema(g, error) && check_routes(g, error) && make_workers(g, error) &&
                 listen_all(g, error);
    if (ready && start_threads(g, error)) {
        print_listeners(g);
        return g;
    }
    if (!ready)
        close_unstarted(g);
    free_gateway(g);
    return NULL;
}

int gateway_port(const struct gateway *g)
{
    return g->ports[0];
}

void gateway_drain(struct gateway *g)
{
    if (atomic_exchange(&g->draining, true))
        return;
    log_event(&g->log, LOG_INFO, "draining");
    for (size_t i = 0; i < g->n_workers; i++)
        worker_drain(&g->workers[i]);
}

void gateway_worker_drained(struct gateway *g)
{
    if (atomic_fetch_add(&g->n_drained, 1) + 1 < g->n_workers)
        return;
    for (size_t i = 0; i < g->n_workers; i++)
        worker_stop(&g->workers[i]);
}

void gateway_join(struct gateway *g)
{
    for (size_t i = 0; i < g->n_workers; i++)
        uv_thread_join(&g->workers[i].thread);
    free_gateway(g);
}
