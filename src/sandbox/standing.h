/* SPDX-License-Identifier: MIT
 * Accounts in trouble: frozen, banned, deleted, flooded; and keys that have ended. */
#ifndef TGREST_SANDBOX_STANDING_H
#define TGREST_SANDBOX_STANDING_H

#include "sandbox/state.h"

/* Frozen accounts may call that method: those that read. */
bool frozen_may_call(const char *method);
/* The request reads a channel that self, frozen, is no member of. */
bool frozen_is_stranger(const struct request *r);

/* What refuses to send a code to that user's number; NULL if nothing does. */
const char *standing_refuses_code(const struct user *user, int *code);
/* Brings the account, or the keys that are logged in to it, into a state by its name. False if
 * there is no such state. */
bool standing_set(struct sandbox *s, struct user *user, struct slice state);

#endif
