/* SPDX-License-Identifier: MIT
 * Messages from other workers: an intrusive queue under a mutex, and a wake-up of the loop. */
#ifndef TGREST_GATEWAY_MAILBOX_H
#define TGREST_GATEWAY_MAILBOX_H

#include <uv.h>

#include "gateway/list.h"

/* A member of what is sent; in one mailbox at a time. */
struct mail {
    struct list link;
    void (*deliver)(struct mail *mail, void *receiver); /* on the receiver's thread */
};

struct mailbox {
    uv_mutex_t lock;
    struct list queue;
    size_t n_bounded; /* of the queued, those that count against the bound */
    size_t bounded_max;
    uv_async_t async;
    void *receiver;
};

/* 0 or a libuv error. At most bounded_max offered messages wait at once. */
int mailbox_init(struct mailbox *m, uv_loop_t *loop, size_t bounded_max, void *receiver);
/* False when the mailbox is full: the mail is still the sender's. From any thread. */
bool mailbox_offer(struct mailbox *m, struct mail *mail);
/* For answers to what was accepted before, so bounded by that. From any thread. */
void mailbox_send(struct mailbox *m, struct mail *mail);
/* On the receiver's thread: nobody may send any more. */
void mailbox_close(struct mailbox *m);
/* After the loop has closed its handles. */
void mailbox_free(struct mailbox *m);

#endif
