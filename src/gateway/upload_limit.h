/* SPDX-License-Identifier: MIT
 * How many parts a file may have: Telegram says it in its app configuration. */
#ifndef TGREST_GATEWAY_UPLOAD_LIMIT_H
#define TGREST_GATEWAY_UPLOAD_LIMIT_H

#include "gateway/call.h"

/* What it has been for years, and what holds when it cannot be asked for. Never less. */
enum { UPLOAD_PARTS_MAX_DEFAULT = 4000 };

/* Of one worker. */
struct upload_limits {
    int64_t parts_default;
    int64_t parts_premium;
    int64_t until_ns; /* monotonic; 0 = never asked */
};

/* The limit that a file of that many parts meets: the account's, or the one that holds for all if
 * it is past that; asks Telegram. The default if it does not say. */
int64_t upload_parts_max(struct call *c, int64_t n_parts);
/* May the account send a file of that many bytes? Asks only where it may matter: most files are far
 * below. False: error set (413 FILE_TOO_LARGE, mostly). */
bool upload_fits(struct call *c, int64_t bytes) __attribute__((warn_unused_result));
/* Sets that error. */
void upload_refuse(struct call *c, int64_t parts_max);

#endif
