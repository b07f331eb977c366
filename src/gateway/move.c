/* SPDX-License-Identifier: MIT
 * A connection moves to the worker that owns its session: bytes of a stream never cross threads. */
#include <stdlib.h>
#include <unistd.h>

#include "gateway/gateway.h"
#include "gateway/task_home.h"

/* A connection between two workers; the claim keeps the session where it is going. */
struct move {
    struct mail mail;
    struct gateway *gateway;
    uv_os_sock_t fd;
    struct buf bytes;
    uint64_t claimed_key;
};

static void deliver_connection(struct mail *mail, void *worker)
{
    struct worker *w = worker;
    struct move *m = LIST_OWNER(mail, struct move, mail);
    if (http_server_adopt(w->http, m->fd, buf_slice(&m->bytes)) != 0)
        close(m->fd);
    owners_release(m->gateway->owners, m->claimed_key);
    atomic_fetch_sub(&m->gateway->n_moving, 1);
    buf_free(&m->bytes);
    free(m);
    worker_run(w);
}

static struct move *move_new(struct task *t)
{
    struct move *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->mail.deliver = deliver_connection;
    m->gateway = t->home->gateway;
    m->claimed_key = t->claimed_key;
    buf_init_secret(&m->bytes, 0);
    if (http_exchange_detach(t->exchange, &m->fd, &m->bytes))
        return m;
    buf_free(&m->bytes);
    free(m);
    return NULL;
}

/* On the home's loop, when the HTTP server is not in the middle of the connection's bytes. */
static void deliver_departure(struct mail *mail, void *worker)
{
    struct worker *w = worker;
    struct task *t = LIST_OWNER(mail, struct task, mail);
    struct move *m = move_new(t);
    if (!m) {
        task_fail_full(t, w);
        owners_release(w->gateway->owners, t->claimed_key);
        task_answer(t);
        return;
    }
    atomic_fetch_add(&w->gateway->n_moving, 1);
    metric_add(&w->metrics.connections_moved_total, 1);
    mailbox_send(&t->owner->mailbox, &m->mail);
    task_leave(t);
}

void task_move(struct task *t)
{
    t->moving = true;
    if (t->call.request->streamed)
        http_body_pause(t->exchange);
    t->mail.deliver = deliver_departure;
    mailbox_send(&t->home->mailbox, &t->mail);
}
