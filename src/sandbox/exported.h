/* SPDX-License-Identifier: MIT
 * Authorizations on their way from one data centre to another. */
#ifndef TGREST_SANDBOX_EXPORTED_H
#define TGREST_SANDBOX_EXPORTED_H

#include "base/bytes.h"

struct sandbox;
struct user;

enum {
    EXPORTED_MAX = 1024, /* the oldest goes */
    EXPORTED_LIFETIME_S = 60,
    EXPORTED_BYTES = 128,
};

struct exported {
    struct user *user; /* NULL = free */
    int32_t dc;        /* where it may be imported */
    int32_t expires_s;
    uint8_t bytes[EXPORTED_BYTES];
};

struct exported *exported_add(struct sandbox *s, struct user *user, int32_t dc, int32_t now_s);
/* Whose it is: NULL when it is unknown, used, too old or meant for another data centre (dc 0: any).
 */
struct user *exported_take(struct sandbox *s, int64_t user_id, struct slice bytes, int32_t dc,
                           int32_t now_s);

#endif
