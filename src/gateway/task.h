/* SPDX-License-Identifier: MIT
 * The inside of a call: its coroutine, its deadline, who waits for its answer.
 *
 * Lifetime: made by its home worker (whose HTTP connection it came on), run by its owner (the
 * worker that has the session's connection; often the same), answered and freed at home. At any
 * time one thread uses it; the mailboxes hand it over. */
#ifndef TGREST_GATEWAY_TASK_H
#define TGREST_GATEWAY_TASK_H

#include "gateway/call.h"
#include "gateway/worker.h"

enum task_abort { ABORT_NONE, ABORT_DEADLINE, ABORT_GONE };

/* The body as it arrives and the answer as it leaves; for routes that stream. Such a task runs
 * where its connection is: a connection whose session another worker owns moves there first
 * (move.c). */
struct task_stream {
    struct buf arriving; /* of the body, not read yet */
    struct buf reading;  /* what call_body_read gave last */
    bool ended;          /* the body is all there */
    bool paused;
    bool writable;  /* the client has caught up */
    bool answering; /* the answer's head is out */
};

struct task {
    struct call call;
    struct arena arena;
    struct buf body;
    struct worker *home;
    struct worker *owner;
    struct http_exchange *exchange;
    int64_t started_ns;
    struct list ready_link; /* in the owner's ready list, or the home's spare list */
    struct coro *coro;
    bool started;
    bool finished; /* the handler returned: the answer may go */
    bool suspended;
    bool uninterruptible; /* a pool thread works for us */
    enum task_abort abort;
    struct wheel_timer deadline;
    struct wheel_timer nap;
    bool nap_over;
    struct upstream *upstream; /* in use by us */
    struct upstream_call rpc;
    bool session_changed;
    bool params_read;   /* at home already */
    const char *sealed; /* the session string, when it was made already */
    uint64_t claimed_key;
    bool claimed;
    bool secret; /* wipe rather than reset */
    struct task_stream stream;
    bool moving;           /* to another worker, with its connection */
    struct mail mail;      /* home -> owner, then owner -> home */
    struct mail gone_mail; /* home -> owner: the client left; and back */
    bool gone_mail_out;    /* home's */
    bool answered;         /* home's */
};

static inline struct task *task_of(struct call *c)
{
    return (struct task *)c; /* its first member */
}

/* ---- at home ---- */

/* http callbacks; ctx is the worker. */
void task_on_request(void *worker, struct http_exchange *x, const struct http_request *r);
void task_on_gone(void *worker, struct http_exchange *x);
bool task_wants_stream(void *worker, const struct http_request *r);
void task_on_body(void *worker, struct http_exchange *x, struct slice piece, bool end);
void task_on_writable(void *worker, struct http_exchange *x);
void task_error_body(void *worker, int status, const char *what, struct buf *body,
                     struct http_header *header);
void tasks_free_spare(struct worker *w);

/* ---- at its owner's ---- */

/* Starts it, or goes on with it; then lets the answer go if it has finished. From worker_run only.
 */
void task_run(struct task *t);
/* Something it waits for has happened. */
void task_ready(struct task *t);
/* A transfer went on: its deadline is the time of a call from now, and pause_ns more if it is about
 * to wait for that long. */
void task_progress(struct task *t, int64_t pause_ns);
/* There is no room for the call: 503, counted by the worker it happens on. */
void task_fail_full(struct task *t, struct worker *here);
/* The handler is to unwind. */
void task_abort(struct task *t, enum task_abort why);

/* On the task's coroutine: waits for task_ready. False when the task was aborted (error set). */
bool task_wait(struct task *t) __attribute__((warn_unused_result));
/* The same without looking whether it was aborted. */
void task_suspend(struct task *t);
/* Sets the error of an aborted task; true if it was aborted. */
bool task_aborted(struct task *t);
/* A time after which nap_over is set and the task is made ready; ended by task_nap_end. */
void task_nap_begin(struct task *t, int64_t ms);
void task_nap_end(struct task *t);
/* The session's connection, in use by the task until its end. NULL: error set. */
struct upstream *task_upstream(struct task *t);
/* The connection of that session's key, in use by the caller until upstream_release. NULL: error
 * set. */
struct upstream *task_upstream_of(struct task *t, const struct session *s, enum dc_use use);
/* Do connections stay open after their call? */
bool task_keeps_warm(const struct task *t);
/* Gives the connection back, keeping it warm if the gateway does so. */
void task_release_upstream(struct task *t, bool keep);
/* The header with the session string, where one is owed. */
void task_add_session_header(struct task *t);
/* The session got another key: claims it for the owner. False without memory, or when another
 * worker has calls of that key. */
bool task_claim(struct task *t, uint64_t key_id);

#endif
