/* SPDX-License-Identifier: MIT
 * What a user who can log in has beyond being a peer: home data centre, 2FA, logins, update log. */
#ifndef TGREST_SANDBOX_ACCOUNT_H
#define TGREST_SANDBOX_ACCOUNT_H

#include "crypto/crypto.h"
#include "sandbox/update.h"

struct authorization;
struct user;

enum { HINT_BYTES_MAX = 64, SRP_SALT_BYTES_MAX = 64 };

/* The 2FA password as the server knows it. */
struct two_factor {
    bool set;
    uint8_t salt1[SRP_SALT_BYTES_MAX];
    uint8_t salt2[SRP_SALT_BYTES_MAX];
    size_t salt1_len;
    size_t salt2_len;
    uint8_t verifier[DH_BYTES];
    char hint[HINT_BYTES_MAX];
};

/* One per user with a phone number; struct user points at it (NULL for users nobody can log in as). */
struct account {
    struct user *user;
    int32_t home_dc;
    struct two_factor two_factor;
    struct update_log log;           /* what happened outside channels: pts */
    struct authorization *logins;    /* linked by authorization.next_login */
    int32_t ttl_days;                /* of the account */
    int32_t authorization_ttl_days;
};

struct account *account_new(struct user *user, int32_t home_dc); /* NULL without memory */
void account_free(struct account *a);
/* The parameters of its SRP: Telegram's prime, g 3; the salts point into t. */
struct srp_algo two_factor_algo(const struct two_factor *t);
/* False when the hint is too long or no UTF-8. */
bool two_factor_set_hint(struct two_factor *t, struct slice hint);
/* Sets a password from its text (for the demo world and tests; blocks some 100 ms). */
bool account_set_password(struct account *a, struct rng *rng, struct slice password, const char *hint);

#endif
