/* SPDX-License-Identifier: MIT
 * The gateway as a process: what its workers share, its start and its end. */
#ifndef TGREST_GATEWAY_GATEWAY_H
#define TGREST_GATEWAY_GATEWAY_H

#include "base/log.h"
#include "gateway/dc.h"
#include "gateway/options.h"
#include "gateway/owners.h"
#include "gateway/proxy.h"
#include "gateway/route.h"
#include "gateway/token.h"
#include "tl/schema.h"

struct worker;

/* Immutable while workers run, but for what says so. */
struct gateway {
    struct options options;
    struct log log;
    struct tl_schema *schema;
    struct token_keys *keys;
    struct dc_table dcs;    /* has its own lock; clocks are atomic */
    struct proxy proxy;     /* on the way to all of them */
    struct owners *owners;  /* has its own locks */
    struct buf call_prefix; /* in front of every query */
    bool *route_off;        /* by route index: the schema lacks what it needs */
    struct worker *workers;
    size_t n_workers;
    _Atomic bool draining;
    _Atomic size_t n_moving;    /* connections between two workers */
    _Atomic size_t n_drained;   /* workers with nothing left; the last one stops all */
    int ports[OPTION_LIST_MAX]; /* bound ones, by listener */
};

/* Reads keys and schema, opens the listeners, starts the threads; prints "listening on" lines. NULL
 * with `error` filled in (OPTION_ERROR_BYTES). Takes the options over, also on failure. */
struct gateway *gateway_start(struct options *options, char *error);
/* From any thread: begins to drain; idempotent. */
void gateway_drain(struct gateway *g);
/* Waits for the workers to end and frees everything. */
void gateway_join(struct gateway *g);
/* From any thread, of a worker that has nothing left while draining. */
void gateway_worker_drained(struct gateway *g);
/* The port of the first listener. */
int gateway_port(const struct gateway *g);

/* For programs of which the gateway is the main part, before any other thread is started: leaves
 * SIGTERM and SIGINT to gateway_run, ignores SIGPIPE, allows no core files (keys are in memory). */
void gateway_prepare_process(void);
/* Blocks until SIGTERM or SIGINT, drains, and returns when the last call has ended. A second
 * signal, or a drain that takes longer than calls may take, ends the process at once. */
void gateway_run(struct gateway *g);

/* `tgrest serve …`: argv[0] is the subcommand. The exit status. */
int gateway_main(int argc, char **argv);

#endif
