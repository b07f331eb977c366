/* SPDX-License-Identifier: MIT
 * What a user who can log in has beyond being a peer: home data centre, 2FA, logins, update log. */
#ifndef TGREST_SANDBOX_ACCOUNT_H
#define TGREST_SANDBOX_ACCOUNT_H

#include "crypto/crypto.h"
#include "sandbox/update.h"

struct authorization;
struct password_mail;
struct user;

enum {
    HINT_BYTES_MAX = 256,
    SRP_SALT_BYTES_MAX = 64,
    EMAIL_BYTES_MAX = 127,
    EMAIL_CODE_DIGITS = 6,
    FUTURE_TOKENS = 4, /* log-outs remembered, so that logging in again needs no code */
    FUTURE_TOKEN_BYTES = 64,
    NOTIFY_RULES_MAX = 1000,
};

/* Notification settings of one peer, or of all of a kind. */
struct notify_rule {
    int64_t peer; /* marked id; NOTIFY_USERS … for the kinds */
    bool silent;
    bool show_previews;
    int32_t mute_until;
};
enum { NOTIFY_USERS = INT32_MIN, NOTIFY_CHATS, NOTIFY_BROADCASTS };

/* The 2FA password as the server knows it. */
struct two_factor {
    bool set;
    uint8_t salt1[SRP_SALT_BYTES_MAX];
    uint8_t salt2[SRP_SALT_BYTES_MAX];
    size_t salt1_len;
    size_t salt2_len;
    uint8_t verifier[DH_BYTES];
    char hint[HINT_BYTES_MAX];
    char email[EMAIL_BYTES_MAX + 1]; /* for recovery, confirmed; "" = none */
};

/* What Telegram thinks of it. */
enum account_standing {
    ACCOUNT_GOOD,
    ACCOUNT_FROZEN, /* may only read */
    ACCOUNT_BANNED,
    ACCOUNT_PHONE_FLOOD,    /* no more codes: too many were asked for */
    ACCOUNT_PASSWORD_FLOOD, /* no more codes: too many passwords were wrong */
};

/* One per user with a phone number; struct user points at it (NULL for users nobody can log in as).
 */
struct account {
    struct user *user;
    int32_t home_dc;
    enum account_standing standing;
    int32_t standing_since_s;
    struct two_factor two_factor;
    uint32_t password_serial;     /* how often the password was replaced */
    uint32_t password_failures;   /* wrong ones since the last right one */
    int32_t password_wait_s;      /* FLOOD_WAIT until then: too many were wrong */
    int32_t password_reset_s;     /* when account.resetPassword may take it away; 0 = not asked */
    struct password_mail *mail;   /* codes by e-mail: password.h; NULL = none was sent; owned */
    struct update_log log;        /* what happened outside channels: pts */
    struct authorization *logins; /* linked by authorization.next_login */
    int32_t ttl_days;             /* of the account */
    int32_t authorization_ttl_days;
    uint8_t tokens[FUTURE_TOKENS][FUTURE_TOKEN_BYTES]; /* future_auth_token; zeroes = none */
    uint32_t next_token;
    uint32_t token_serial;      /* of a bot: its tokens with a lower one are expired */
    struct notify_rule *notify; /* owned */
    uint32_t n_notify;
};

struct account *account_new(struct user *user, int32_t home_dc); /* NULL without memory */
void account_free(struct account *a);
/* The parameters of its SRP: Telegram's prime, g 3; the salts point into t. */
struct srp_algo two_factor_algo(const struct two_factor *t);
/* False when the hint is too long or no UTF-8. */
bool two_factor_set_hint(struct two_factor *t, struct slice hint);
/* Sets a password from its text (for the demo world and tests; blocks some 100 ms). */
bool account_set_password(struct account *a, struct rng *rng, struct slice password,
                          const char *hint);

/* Remembers a future_auth_token (the oldest goes); takes one: true, once, if it is there. */
void account_add_token(struct account *a, const uint8_t token[static FUTURE_TOKEN_BYTES]);
bool account_take_token(struct account *a, struct slice token);

/* The rule for that peer or kind; NULL if there is none. */
const struct notify_rule *account_notify(const struct account *a, int64_t peer);
/* Adds or replaces. False without memory or past NOTIFY_RULES_MAX. */
bool account_set_notify(struct account *a, const struct notify_rule *rule);

#endif
