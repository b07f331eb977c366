/* SPDX-License-Identifier: MIT
 * Bots: users that log in with a token, and may not call everything. */
#ifndef TGREST_SANDBOX_BOTS_H
#define TGREST_SANDBOX_BOTS_H

#include "sandbox/world.h"

enum {
    BOT_SECRET_CHARS = 35,
    BOT_TOKEN_CHARS_MAX = 20 + 1 + BOT_SECRET_CHARS, /* id ':' secret */
};

/* Makes a user somebody can log in as with a token. False without memory. */
bool bot_enable(struct user *u, int32_t home_dc);
/* A new bot of that username, which must end in "bot". NULL with *why. */
struct user *bot_add(struct world *w, struct slice username, int32_t home_dc, const char **why);
/* Its valid token, NUL-terminated. Of the world's seed: it replays. */
void bot_token(const struct world *w, const struct user *bot,
               char out[static BOT_TOKEN_CHARS_MAX + 1]);
/* Expires its token: bot_token gives another one. */
void bot_revoke(struct user *bot);
/* Bots may call that method. https://core.telegram.org/methods says it of each. */
bool bot_may_call(const char *method);

#endif
