/* SPDX-License-Identifier: MIT
 * Usernames that are an error: whoever writes to @flood_wait_7 is answered FLOOD_WAIT_7. */
#ifndef TGREST_SANDBOX_MAGIC_H
#define TGREST_SANDBOX_MAGIC_H

#include "sandbox/world.h"

struct magic_error {
    int code;
    char text[64];
};

/* flood_wait_S, slowmode_S, error_[CODE_]NAME: the error; false for all other names. Without CODE
 * it is 420 where NAME ends in _WAIT_S, 303 where it ends in _MIGRATE_N, else 400. */
bool magic_parse(struct slice username, struct magic_error *out);
/* The user of such a name, made when it is first asked for; NULL for other names. */
struct user *magic_user(struct world *w, struct slice username);

#endif
