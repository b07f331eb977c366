/* SPDX-License-Identifier: MIT
 * The random_ids of an account's last messages: a repeated one is answered with what it made. */
#ifndef TGREST_SANDBOX_SENT_H
#define TGREST_SANDBOX_SENT_H

#include "sandbox/world.h"

/* NULL when it is new (or older than RANDOM_IDS_KEPT others). */
const struct sent_id *sent_find(const struct user *u, int64_t random_id);
/* id is u's own number of the message. */
void sent_add(struct user *u, int64_t random_id, int64_t peer, int32_t id);

#endif
