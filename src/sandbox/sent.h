/* SPDX-License-Identifier: MIT
 * The random_ids of an account's last messages: a repeated one is answered with what it made. */
#ifndef TGREST_SANDBOX_SENT_H
#define TGREST_SANDBOX_SENT_H

#include "sandbox/world.h"

/* NULL when it is new (or older than RANDOM_IDS_KEPT others). */
const struct sent_id *sent_find(const struct user *u, int64_t random_id);
/* Looks for n of them: sent gets those that are there. *known is how many; true when all are. */
bool sent_find_all(const struct user *u, const int64_t *random_ids, uint32_t n,
                   struct sent_id *sent, uint32_t *known);
void sent_add(struct user *u, const struct sent_id *sent);

#endif
