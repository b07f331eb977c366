/* SPDX-License-Identifier: MIT
 * Login codes on their way: by phone_code_hash. */
#ifndef TGREST_SANDBOX_LOGIN_CODE_H
#define TGREST_SANDBOX_LOGIN_CODE_H

#include "base/bytes.h"
#include "sandbox/map.h"

struct sandbox;
struct authorization;

enum {
    PHONE_DIGITS_MAX = 15, /* E.164 */
    PHONE_DIGITS_MIN = 5,
    CODE_DIGITS = 5,
    CODE_LIFETIME_S = 300,
    CODE_TRIES_MAX = 5,       /* then it is as good as expired */
    LOGIN_CODES_MAX = 100000, /* at once; the expired are swept first */
    CODE_HASH_DIGITS = 18,    /* hex digits of phone_code_hash, as long as Telegram's */
};

/* How a code travels, in the order in which resending goes on to the next one. */
enum code_way { CODE_BY_APP, CODE_BY_SMS, CODE_BY_CALL, CODE_WAYS_N };

struct login_code {
    char phone[PHONE_DIGITS_MAX + 1];
    char code[CODE_DIGITS + 1];
    char hash[CODE_HASH_DIGITS + 1];
    const struct authorization *auth; /* only that key may use it */
    enum code_way way;
    int32_t expires_s;
    uint32_t tries;
    bool right; /* it was given: what is left is sign-up */
};

struct login_codes {
    struct id_map by_hash; /* the first 64 bits of the hash -> struct login_code, owned */
    struct name_map sent;  /* phone -> how many codes it got, for the seeded codes */
};

/* Digits only; false when it is no phone number. */
bool phone_normal(struct slice text, char out[static PHONE_DIGITS_MAX + 1]);
/* The data centre that a 99966D#### number names; 0 for other numbers. */
int32_t phone_test_dc(const char *phone);
/* A fresh code for that phone on that key; NULL without memory or past LOGIN_CODES_MAX. */
struct login_code *code_new(struct sandbox *s, const struct authorization *auth, const char *phone,
                            int32_t now_s);
/* Another code under the same hash. */
void code_renew(struct sandbox *s, struct login_code *c, int32_t now_s);
/* NULL when there is none of that hash, phone and key. */
struct login_code *code_find(struct sandbox *s, const struct authorization *auth, const char *phone,
                             struct slice hash);
bool code_live(const struct login_code *c, int32_t now_s);
void code_drop(struct sandbox *s, struct login_code *c);
void codes_free(struct sandbox *s);

#endif
