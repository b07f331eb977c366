/* SPDX-License-Identifier: MIT
 * One thread: one loop, its listeners, its upstream connections, its counters. Nothing in here is
 * touched by another thread but the mailbox and the metrics. */
#ifndef TGREST_GATEWAY_WORKER_H
#define TGREST_GATEWAY_WORKER_H

#include <uv.h>

#include "base/coro.h"
#include "base/random.h"
#include "crypto/crypto.h"
#include "gateway/call.h"
#include "gateway/learn.h"
#include "gateway/list.h"
#include "gateway/mailbox.h"
#include "gateway/metrics.h"
#include "gateway/other_dc.h"
#include "gateway/peer_cache.h"
#include "gateway/token_cache.h"
#include "gateway/upload_limit.h"
#include "gateway/upstream.h"
#include "gateway/wheel.h"
#include "http/server.h"

struct gateway;
struct task;

struct worker {
    struct gateway *gateway;
    int index;
    uv_thread_t thread;
    uv_loop_t loop;
    uv_prepare_t prepare; /* before and after the poll: upstream frames are flushed once per turn */
    uv_check_t check;
    uv_timer_t tick; /* drives the wheel; runs only while something is armed */
    bool ticking;
    struct wheel wheel;
    struct mailbox mailbox;
    struct mail drain_mail; /* from the main thread, each once */
    struct mail stop_mail;
    struct http_server *http;
    struct coro_pool *coros;
    struct clock clock;
    struct rng rng;
    struct digests *digests;
    struct dh_good_prime good_prime;
    struct json_tokener *tokener; /* reused by the parameter parser; made on first use */
    struct peer_cache *peers;
    struct token_cache *tokens; /* NULL with --warm off: then nothing outlives its call */
    struct upstreams upstreams;
    struct other_keys *other_keys;
    struct learning learning;
    struct upload_limits upload_limits;
    struct list ready; /* tasks to start or resume */
    bool running;      /* inside worker_run */
    struct list spare; /* tasks to reuse */
    size_t n_spare;
    size_t tasks_home; /* tasks of our HTTP connections, wherever they run */
    size_t tasks_live; /* tasks that run here */
    bool draining;
    bool drained;     /* told the gateway so */
    struct buf query; /* scratch: a TL query, used up at once */
    struct buf out;   /* scratch: frames on their way to a socket */
    char refused_id[CALL_REQUEST_ID_MAX +
                    1];   /* of the last request that the HTTP server itself refused */
    uint8_t *read_buffer; /* scratch: what a socket gave, used up at once */
    struct metrics metrics;
};

enum { WORKER_READ_BYTES = 64 * 1024 };

/* Makes the loop and all that is on it; nothing runs yet. False without memory or handles. */
bool worker_init(struct worker *w, struct gateway *g, int index);
/* 0 or a libuv error; *port is what was bound. */
int worker_listen(struct worker *w, const char *address, bool reuse_port, int *port);
/* Runs until it is told to stop and everything on the loop is closed. A uv_thread_cb. */
void worker_main(void *worker);
/* From any thread: stop accepting; let calls finish. */
void worker_drain(struct worker *w);
/* From any thread: close everything and return from worker_main. */
void worker_stop(struct worker *w);
/* After worker_main returned, or instead of it (then closes the loop itself). */
void worker_free(struct worker *w);

/* Starts and resumes the tasks that are ready. Last thing in every callback of the loop that may
 * have made one ready; does nothing inside itself. */
void worker_run(struct worker *w);
/* Arms a timer of the wheel, and the tick if it stood still. */
void worker_arm(struct worker *w, struct wheel_timer *timer, int64_t deadline_ns);
void worker_disarm(struct worker *w, struct wheel_timer *timer);
/* Tells the gateway once that nothing of ours is left (while draining). */
void worker_check_drained(struct worker *w);

static inline int64_t worker_now_ns(const struct worker *w)
{
    return clock_mono_ns(&w->clock);
}

#endif
