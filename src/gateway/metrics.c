/* SPDX-License-Identifier: MIT
 * Text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
#include "gateway/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const uint64_t bucket_us[METRICS_BUCKETS] = {METRICS_BUCKETS_US};

static void count_status(struct route_metrics *r, int status)
{
    for (size_t i = 0; i < METRICS_STATUS_MAX; i++) {
        uint16_t have = atomic_load_explicit(&r->by_status[i].status, memory_order_relaxed);
        if (have == 0)
            atomic_store_explicit(&r->by_status[i].status, (uint16_t)status, memory_order_relaxed);
        if (have == 0 || have == status) {
            metric_add(&r->by_status[i].count, 1);
            return;
        }
    }
}

void metrics_request(struct metrics *m, size_t route, int status, uint64_t us)
{
    struct route_metrics *r = &m->routes[route < METRICS_ROUTES_MAX ? route : METRICS_ROUTES_MAX];
    size_t bucket = 0;
    while (bucket < METRICS_BUCKETS && us > bucket_us[bucket])
        bucket++;
    metric_add(&r->buckets[bucket], 1);
    metric_add(&r->count, 1);
    metric_add(&r->sum_us, us);
    count_status(r, status);
}

struct metric_text {
    size_t offset;
    const char *name;
    const char *kind;
    const char *help;
};
static const struct metric_text texts[] = {
#define METRIC_TEXT(name, kind, help) {offsetof(struct metrics, name), #name, #kind, help},
    METRICS(METRIC_TEXT)
#undef METRIC_TEXT
};

static void render_head(struct buf *out, const char *name, const char *kind, const char *help)
{
    buf_printf(out, "# HELP tgrest_%s %s\n# TYPE tgrest_%s %s\n", name, help, name, kind);
}

static void render_plain(struct buf *out, struct metrics *const *all, size_t n)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint64_t sum = 0;
        for (size_t w = 0; w < n; w++)
            sum +=
                metric_get((const metric *)(const void *)((const char *)all[w] + texts[i].offset));
        render_head(out, texts[i].name, texts[i].kind, texts[i].help);
        buf_printf(out, "tgrest_%s %llu\n", texts[i].name, (unsigned long long)sum);
    }
}

struct route_sum {
    uint64_t count;
    uint64_t sum_us;
    uint64_t buckets[METRICS_BUCKETS + 1];
    uint64_t by_status[1000];
};

static void sum_route(struct route_sum *sum, struct metrics *const *all, size_t n, size_t route)
{
    memset(sum, 0, sizeof *sum);
    for (size_t w = 0; w < n; w++) {
        const struct route_metrics *r = &all[w]->routes[route];
        sum->count += metric_get(&r->count);
        sum->sum_us += metric_get(&r->sum_us);
        for (size_t b = 0; b <= METRICS_BUCKETS; b++)
            sum->buckets[b] += metric_get(&r->buckets[b]);
        for (size_t s = 0; s < METRICS_STATUS_MAX; s++) {
            uint16_t status = atomic_load_explicit(&r->by_status[s].status, memory_order_relaxed);
            if (status < 1000)
                sum->by_status[status] += metric_get(&r->by_status[s].count);
        }
    }
}

static void render_statuses(struct buf *out, const struct route_sum *sum, const char *method,
                            const char *path)
{
    for (int status = 100; status < 1000; status++) {
        if (sum->by_status[status] > 0)
            buf_printf(out,
                       "tgrest_requests_total{method=\"%s\",route=\"%s\",status=\"%d\"} %llu\n",
                       method, path, status, (unsigned long long)sum->by_status[status]);
    }
}

static void render_histogram(struct buf *out, const struct route_sum *sum, const char *method,
                             const char *path)
{
    static const char series[] = "tgrest_request_duration_seconds";
    uint64_t below = 0;
    for (size_t b = 0; b < METRICS_BUCKETS; b++) {
        below += sum->buckets[b];
        buf_printf(out, "%s_bucket{method=\"%s\",route=\"%s\",le=\"%g\"} %llu\n", series, method,
                   path, (double)bucket_us[b] / 1e6, (unsigned long long)below);
    }
    buf_printf(out, "%s_bucket{method=\"%s\",route=\"%s\",le=\"+Inf\"} %llu\n", series, method,
               path, (unsigned long long)sum->count);
    buf_printf(out, "%s_sum{method=\"%s\",route=\"%s\"} %.6f\n", series, method, path,
               (double)sum->sum_us / 1e6);
    buf_printf(out, "%s_count{method=\"%s\",route=\"%s\"} %llu\n", series, method, path,
               (unsigned long long)sum->count);
}

typedef void (*route_renderer)(struct buf *out, const struct route_sum *sum, const char *method,
                               const char *path);

static void render_routes(struct buf *out, struct metrics *const *all, size_t n,
                          struct route_sum *sum,
                          bool (*route_name)(size_t, const char **, const char **),
                          route_renderer render)
{
    for (size_t route = 0; route <= METRICS_ROUTES_MAX; route++) {
        const char *method = "";
        const char *path = "";
        if (route < METRICS_ROUTES_MAX && !route_name(route, &method, &path))
            continue;
        sum_route(sum, all, n, route);
        if (sum->count > 0)
            render(out, sum, method, path);
    }
}

/* Resident bytes as the kernel counts them; 0 where /proc is not there. */
static uint64_t resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    unsigned long long pages = 0;
    if (f && fscanf(f, "%*u %llu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void metrics_render(struct buf *out, struct metrics *const *all, size_t n,
                    bool (*route_name)(size_t route, const char **method, const char **path))
{
    struct route_sum *sum = malloc(sizeof *sum); /* too large for a call's stack */
    if (!sum)
        return;
    render_plain(out, all, n);
    render_head(out, "requests_total", "counter", "Requests answered, by route and status");
    render_routes(out, all, n, sum, route_name, render_statuses);
    render_head(out, "request_duration_seconds", "histogram",
                "Time from a request's last byte to its answer");
    render_routes(out, all, n, sum, route_name, render_histogram);
    render_head(out, "resident_memory_bytes", "gauge", "Resident memory of the process");
    buf_printf(out, "tgrest_resident_memory_bytes %llu\n", (unsigned long long)resident_bytes());
    free(sum);
}
