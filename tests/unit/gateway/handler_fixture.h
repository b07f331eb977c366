/* SPDX-License-Identifier: MIT
 * A handler of the test's own on a worker of a running gateway, without HTTP: what it suspends for
 * goes over real connections to the scripted data centres. */
#ifndef TGREST_TESTS_GATEWAY_HANDLER_FIXTURE_H
#define TGREST_TESTS_GATEWAY_HANDLER_FIXTURE_H

#include "gateway/serve_fixture.h"
#include "gateway/task.h"

struct handler_run {
    struct task task;
    struct worker home; /* only its mailbox is real: where the finished task arrives */
    uv_loop_t loop;
    struct route route;
    struct http_request request;
    struct mail abort_mail;
    void *arg;
};

static inline struct handler_run *run_of(struct call *c)
{
    return (struct handler_run *)(void *)((char *)c - offsetof(struct handler_run, task.call));
}

static inline void handler_deliver(struct mail *mail, void *worker)
{
    task_ready(LIST_OWNER(mail, struct task, mail));
    worker_run(worker);
}

static inline void handler_deliver_gone(struct mail *mail, void *worker)
{
    struct handler_run *run = LIST_OWNER(mail, struct handler_run, abort_mail);
    task_abort(&run->task, ABORT_GONE);
    worker_run(worker);
}

static inline struct handler_run *handler_start(struct fixture *f, const struct session *s,
                                                void (*handle)(struct call *), void *arg)
{
    struct handler_run *run = calloc(1, sizeof *run);
    struct worker *w = &f->gateway->workers[0];
    struct task *t = &run->task;
    struct call *c = &t->call;
    assert_int_equal(uv_loop_init(&run->loop), 0);
    assert_int_equal(mailbox_init(&run->home.mailbox, &run->loop, 8, &run->home), 0);
    run->arg = arg;
    run->route = (struct route){.method = "POST", .path = "/", .handle = handle};
    t->home = &run->home;
    t->owner = w;
    arena_init(&t->arena, 0);
    buf_init(&t->body, 0);
    c->gateway = f->gateway;
    c->worker = w;
    c->schema = f->gateway->schema;
    c->log = &f->gateway->log;
    c->arena = &t->arena;
    c->b = tl_builder_of(c->schema, c->arena);
    c->route = &run->route;
    c->request = &run->request;
    c->body = &t->body;
    json_init(&c->json, c->body);
    c->deadline_ns = worker_now_ns(w) + f->gateway->options.timeout_s * NS_PER_S;
    c->has_session = true;
    c->session = *s;
    assert_int_equal(owners_claim(f->gateway->owners, s->key.id, 0), 0);
    t->claimed = true;
    t->claimed_key = s->key.id;
    t->mail.deliver = handler_deliver;
    mailbox_send(&w->mailbox, &t->mail);
    return run;
}

static inline bool handler_has_ended(struct handler_run *run)
{
    uv_mutex_lock(&run->home.mailbox.lock);
    bool ended = !list_empty(&run->home.mailbox.queue);
    uv_mutex_unlock(&run->home.mailbox.lock);
    return ended;
}

/* As a client that closes its connection. */
static inline void handler_leave(struct handler_run *run)
{
    run->abort_mail.deliver = handler_deliver_gone;
    mailbox_send(&run->task.owner->mailbox, &run->abort_mail);
}

/* Waits for its end; then its task can be looked at until handler_free. */
static inline void handler_wait(struct handler_run *run)
{
    WAIT_FOR(handler_has_ended(run));
}

static inline void handler_free(struct handler_run *run)
{
    list_init(&run->home.mailbox.queue);
    mailbox_close(&run->home.mailbox);
    uv_run(&run->loop, UV_RUN_DEFAULT);
    mailbox_free(&run->home.mailbox);
    assert_int_equal(uv_loop_close(&run->loop), 0);
    arena_free(&run->task.arena);
    buf_free(&run->task.body);
    free(run);
}

#endif
