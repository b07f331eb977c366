/* SPDX-License-Identifier: MIT
 * Login tokens: what a QR code shows. https://core.telegram.org/api/qr-login */
#ifndef TGREST_SANDBOX_LOGIN_TOKEN_H
#define TGREST_SANDBOX_LOGIN_TOKEN_H

#include "base/bytes.h"

struct authorization;
struct sandbox;
struct user;

enum {
    LOGIN_TOKENS_MAX = 1024, /* the oldest goes */
    LOGIN_TOKEN_BYTES = 32,
    LOGIN_TOKEN_LIFETIME_S = 30, /* until it is accepted, and as long again to log in with it */
    EXCEPT_IDS_MAX = 16,         /* more accounts than an app holds */
};

struct login_token {
    uint8_t bytes[LOGIN_TOKEN_BYTES];
    struct authorization *auth; /* the key that shows it; NULL = free */
    struct user *by;            /* who accepted it; NULL = nobody yet */
    bool used;                  /* somebody has logged in with it */
    int32_t expires_s;
    int64_t except_ids[EXCEPT_IDS_MAX]; /* users who may not accept it */
    uint32_t n_except;
};

struct login_tokens {
    struct login_token list[LOGIN_TOKENS_MAX]; /* a ring */
    uint32_t next;
};

/* A new one for that key. */
struct login_token *login_token_add(struct sandbox *s, struct authorization *auth, int32_t now_s);
/* What that key shows now: live and unused; NULL = nothing. */
struct login_token *login_token_shown(struct sandbox *s, const struct authorization *auth,
                                      int32_t now_s);
/* The one with those bytes, live or not. */
struct login_token *login_token_find(struct sandbox *s, struct slice bytes);
/* user's app has scanned it: notes it, and tells the sessions of the key that shows it. NULL, or
 * Telegram's error. */
const char *login_token_accept(struct sandbox *s, struct slice bytes, struct user *user,
                               int32_t now_s);

#endif
