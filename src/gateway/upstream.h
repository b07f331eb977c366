/* SPDX-License-Identifier: MIT
 * Upstream: the one main connection of an auth key, and the MTProto session on it.
 *
 * Lifetime: made by the first upstream_get of a key, kept while anybody uses it, then warm until
 * idle time, a bound, or the end of the process closes it. Links come and go beneath it. Nothing
 * here calls back into a user directly: calls that are done are handed to done(), which only notes
 * it. */
#ifndef TGREST_GATEWAY_UPSTREAM_H
#define TGREST_GATEWAY_UPSTREAM_H

#include "gateway/link.h"
#include "gateway/list.h"
#include "gateway/session.h"
#include "gateway/wheel.h"

struct worker;
struct upstream;

enum { UPSTREAM_BUCKETS_MIN = 64 };

/* All of one worker. */
struct upstreams {
    struct worker *worker;
    struct list *buckets; /* by auth key id */
    size_t n_buckets;     /* a power of two */
    size_t n;
    size_t max;
    struct list idle;  /* nobody uses them: least recently used first */
    struct list flush; /* have something to send */
};

enum upstream_outcome {
    UPSTREAM_PENDING,
    UPSTREAM_RESULT,  /* body */
    UPSTREAM_ERROR,   /* code, text: rpc_error, or a transport error put as one */
    UPSTREAM_LOST,    /* sent, and whether it was executed is not known */
    UPSTREAM_REFUSED, /* the server refused the message itself */
    UPSTREAM_TOO_LONG,
    UPSTREAM_UNREADABLE,  /* answered, but the answer cannot be unpacked */
    UPSTREAM_UNREACHABLE, /* never answered by any connection */
};

/* One request on its way; a member of whoever waits. */
struct upstream_call {
    struct list link;
    struct upstream *upstream;
    enum upstream_outcome outcome;
    struct slice body;  /* RESULT: until done() returns */
    int32_t code;       /* ERROR */
    struct slice text;  /* ERROR: until done() returns */
    const char *reason; /* UNREACHABLE */
    bool unsure;        /* not LOST, and all the same a copy of it may have been executed */
    void (*done)(struct upstream_call *call);
};

bool upstreams_init(struct upstreams *all, struct worker *w, size_t max);
/* Sends what waits on every connection. Once per turn of the loop. */
void upstreams_flush(struct upstreams *all);
/* Closes all: nobody may be using one. */
void upstreams_free(struct upstreams *all);

/* The upstream of the session's key, in use by the caller until upstream_release. One that was for
 * files connects anew when it is wanted for calls. NULL: *full says whether the bound was reached
 * (else there is no memory). */
struct upstream *upstream_get(struct upstreams *all, const struct session *s, struct dc *dc,
                              enum dc_use use, bool *full);
/* As upstream_get for a key that was made on this very link, which becomes its connection. */
struct upstream *upstream_adopt(struct upstreams *all, const struct session *s, struct dc *dc,
                                struct link *link);
/* One user more: for as long as calls may be on their way that the task does not wait for. */
void upstream_share(struct upstream *u);
/* keep false: the connection is closed (its descriptor too, before this returns) unless others use
 * it. */
void upstream_release(struct upstream *u, bool keep);
/* From now on the key or its session is not worth keeping: closed at the last release. Who asks for
 * it before that shares it. */
void upstream_condemn(struct upstream *u);

/* Queues the query (copied). False when too many are queued. done() follows once unless cancelled.
 */
bool upstream_call_start(struct upstream *u, struct slice query, enum call_safety safety,
                         struct upstream_call *call) __attribute__((warn_unused_result));
/* The same without the copy: the query stays where it is until done(), or until it is cancelled. */
bool upstream_call_start_borrowed(struct upstream *u, struct slice query, enum call_safety safety,
                                  struct upstream_call *call) __attribute__((warn_unused_result));
void upstream_call_cancel(struct upstream_call *call);

const struct salt_schedule *upstream_salts(const struct upstream *u);

#endif
