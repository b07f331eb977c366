/* SPDX-License-Identifier: MIT
 * One API request, from its bytes to its answer. */
#ifndef TGREST_SANDBOX_CALL_H
#define TGREST_SANDBOX_CALL_H

#include <uv.h>

#include "sandbox/connection.h"
#include "sandbox/fault.h"
#include "sandbox/handler.h"

enum { CALL_ARENA_MAX = 64 * 1024 * 1024, AFTER_IDS_MAX = 8 };

struct call {
    struct request r; /* first: handlers see only this */
    struct arena arena;
    struct session *session;
    uint64_t connection_serial;
    uint64_t msg_id;
    const struct method *method;
    const struct tl_combinator *ctor;  /* the method, unwrapped */
    enum fault_action after;           /* what is to happen once it is executed */
    bool counted;                      /* in its key's busy */
    uint64_t waits_for[AFTER_IDS_MAX]; /* invokeAfterMsg(s) */
    uint32_t n_waits;

    uv_timer_t timer; /* delayed by a fault */
    uv_work_t work;
    void (*work_fn)(void *arg);
    struct tl_value (*done_fn)(struct request *r, void *arg);
    void *arg;

    enum { CALL_NEW, CALL_WAITING, CALL_DELAYED, CALL_WORKING, CALL_FINISHED } state;
    struct call *prev;
    struct call *next;
};

/* Takes a request: body is copied. Its answer goes to the session, now or later. */
void call_receive(struct sandbox *s, struct connection *c, struct session *session, uint64_t msg_id,
                  struct slice body);
/* Calls answered in this turn have left: their keys are no longer busy. */
void calls_release(struct sandbox *s);
/* Drops what waits for a timer or another call; those on pool threads end by themselves. */
void calls_stop(struct sandbox *s);
void calls_free(struct sandbox *s);

/* False when the key, its login or its account may not make that request (r.error_…): gate.c. */
bool call_gate(struct call *call);
/* From the bytes to the method: call->ctor, r.query, the wrappers' effects. False when it was
 * refused (r.error_…): wrap.c. */
bool call_unwrap(struct call *call, struct slice body);
/* The layer that the request names by invokeWithLayer, as it stands there; 0 where it names none.
 * Any layer's schema knows the wrappers around it, which never change. */
int32_t call_layer(const struct tl_schema *schema, struct slice body);

#endif
