/* SPDX-License-Identifier: MIT */
#include "gateway/mailbox.h"

static void on_async(uv_async_t *async)
{
    struct mailbox *m = async->data;
    struct list batch;
    list_init(&batch);
    uv_mutex_lock(&m->lock);
    list_append_all(&batch, &m->queue);
    m->n_bounded = 0;
    uv_mutex_unlock(&m->lock);
    for (struct list *node; (node = list_pop(&batch)) != NULL;) {
        struct mail *mail = LIST_OWNER(node, struct mail, link);
        mail->deliver(mail, m->receiver);
    }
}

int mailbox_init(struct mailbox *m, uv_loop_t *loop, size_t bounded_max, void *receiver)
{
    *m = (struct mailbox){.bounded_max = bounded_max, .receiver = receiver};
    list_init(&m->queue);
    int status = uv_mutex_init(&m->lock);
    if (status)
        return status;
    m->async.data = m;
    status = uv_async_init(loop, &m->async, on_async);
    if (status)
        uv_mutex_destroy(&m->lock);
    return status;
}

static bool enqueue(struct mailbox *m, struct mail *mail, bool bounded)
{
    uv_mutex_lock(&m->lock);
    bool full = bounded && m->n_bounded >= m->bounded_max;
    bool first = list_empty(&m->queue);
    if (!full) {
        list_push(&m->queue, &mail->link);
        m->n_bounded += bounded;
    }
    /* Under the lock: a receiver that is told to stop by this very mail must not close the handle
     * before it has been woken. */
    if (!full && first)
        uv_async_send(&m->async);
    uv_mutex_unlock(&m->lock);
    return !full;
}

bool mailbox_offer(struct mailbox *m, struct mail *mail)
{
    return enqueue(m, mail, true);
}

void mailbox_send(struct mailbox *m, struct mail *mail)
{
    enqueue(m, mail, false);
}

void mailbox_close(struct mailbox *m)
{
    uv_close((uv_handle_t *)&m->async, NULL);
}

void mailbox_free(struct mailbox *m)
{
    uv_mutex_destroy(&m->lock);
}
