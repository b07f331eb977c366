/* SPDX-License-Identifier: MIT
 * Service messages, and joining and leaving with all that they cause. */
#ifndef TGREST_SANDBOX_SERVICE_H
#define TGREST_SANDBOX_SERVICE_H

#include "sandbox/message.h"

struct action_draft {
    enum action_kind kind;
    const char *title; /* NULL = none */
    struct file *photo;
    int64_t peer;
    const int64_t *users;
    uint32_t n_users;
};
/* A service message of from in the chat; NULL without memory. quiet: as in struct draft. */
struct message *say_action(struct world *w, const struct chat *c, int64_t from,
                           const struct action_draft *a, int32_t now, bool quiet);

/* Makes u a member and tells everybody: the message says how (`kind`), and who let them in (0:
 * nobody). In channels the newcomer is told to look at the channel; broadcast channels say nothing.
 */
bool admit(struct world *w, struct chat *c, struct user *u, enum action_kind kind, int64_t by,
           int32_t now);
/* Ends u's membership (by whom: themselves or an admin) and tells everybody. */
void dismiss(struct world *w, struct chat *c, struct user *u, enum member_state state, int64_t by,
             int32_t now);

/* Why u cannot be added by self, NULL when they can. */
const char *invite_refusal(const struct user *self, const struct user *u);

#endif
