/* SPDX-License-Identifier: MIT
 * Counters of one worker: written by its thread only, summed by whoever renders /metrics. */
#ifndef TGREST_GATEWAY_METRICS_H
#define TGREST_GATEWAY_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/bytes.h"

/* Upper bounds of the latency histogram, in microseconds; a last bucket takes the rest. */
#define METRICS_BUCKETS_US                                                                         \
    500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, \
        10000000, 30000000
enum { METRICS_BUCKETS = 15, METRICS_ROUTES_MAX = 96, METRICS_STATUS_MAX = 32 };

typedef _Atomic uint64_t metric;

/* One writer, so no locked instruction is needed. */
static inline void metric_add(metric *m, uint64_t n)
{
    atomic_store_explicit(m, atomic_load_explicit(m, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline void metric_set(metric *m, uint64_t n)
{
    atomic_store_explicit(m, n, memory_order_relaxed);
}

static inline uint64_t metric_get(const metric *m)
{
    return atomic_load_explicit(m, memory_order_relaxed);
}

/* Name in /metrics (tgrest_ in front), kind, help. */
#define METRICS(X)                                                                                 \
    X(http_connections_total, counter, "HTTP connections accepted")                                \
    X(http_connections_open, gauge, "HTTP connections open")                                       \
    X(http_refused_total, counter, "Requests answered before they reached a route")                \
    X(http_bytes_in_total, counter, "Bytes read from HTTP clients")                                \
    X(http_bytes_out_total, counter, "Bytes written to HTTP clients")                              \
    X(calls_open, gauge, "Calls that are being served")                                            \
    X(calls_handed_over_total, counter, "Calls that another worker served")                        \
    X(connections_moved_total, counter, "Connections taken to the worker of their session")        \
    X(calls_overloaded_total, counter, "Calls refused because a bound was reached")                \
    X(upstream_connections_open, gauge, "Connections to data centres")                             \
    X(upstream_connects_total, counter, "TCP connections made to data centres")                    \
    X(upstream_connect_failures_total, counter, "TCP connections that could not be made")          \
    X(upstream_reconnects_total, counter, "Connections made again while calls waited")             \
    X(upstream_requests_total, counter, "Requests sent to Telegram")                               \
    X(upstream_round_trips_total, counter, "Writes to Telegram that a call waited for")            \
    X(upstream_frames_received_total, counter, "Frames received from Telegram")                    \
    X(upstream_bytes_in_total, counter, "Bytes read from Telegram")                                \
    X(upstream_bytes_out_total, counter, "Bytes written to Telegram")                              \
    X(upstream_evictions_total, counter, "Warm connections closed for others")                     \
    X(upstream_idle_closes_total, counter, "Warm connections closed unused")                       \
    X(key_exchanges_total, counter, "Auth keys made")                                              \
    X(key_exchange_failures_total, counter, "Auth keys that could not be made")                    \
    X(flood_waits_total, counter, "Answers that asked to wait")                                    \
    X(flood_waits_slept_total, counter, "Waits that the gateway slept out itself")                 \
    X(telegram_errors_total, counter, "Errors that Telegram answered")                             \
    X(salt_renewals_total, counter, "Changes of the server salts")

struct route_metrics {
    metric count;
    metric sum_us;
    metric buckets[METRICS_BUCKETS + 1];
    struct {
        _Atomic uint16_t status; /* 0 = free */
        metric count;
    } by_status[METRICS_STATUS_MAX];
};

struct metrics {
#define METRIC_MEMBER(name, kind, help) metric name;
    METRICS(METRIC_MEMBER)
#undef METRIC_MEMBER
    struct route_metrics routes[METRICS_ROUTES_MAX + 1]; /* the last: no route */
};

/* One answered request. Routes past METRICS_ROUTES_MAX count as no route. */
void metrics_request(struct metrics *m, size_t route, int status, uint64_t us);

/* The Prometheus text of the sum. route_name gives "GET /chats" for a route's index, NULL past the
 * end. */
void metrics_render(struct buf *out, struct metrics *const *all, size_t n,
                    bool (*route_name)(size_t route, const char **method, const char **path));

#endif
