/* SPDX-License-Identifier: MIT
 * What travels sealed in X-Session-String: everything the gateway knows of one login. */
#ifndef TGREST_GATEWAY_SESSION_H
#define TGREST_GATEWAY_SESSION_H

#include "mtproto/session_client.h" /* struct auth_key, struct salt_schedule */

enum session_state {
    SESSION_NEW,       /* a key and nothing else */
    SESSION_CODE_SENT, /* phone and phone_code_hash are set: verify_code is next */
    SESSION_SIGN_UP,   /* the code was right, the number has no account: verify_code with a name */
    SESSION_PASSWORD,  /* 2FA: verify_password is next */
    SESSION_AUTHORIZED,
    SESSION_QR, /* a QR code is shown: it is scanned, or not yet */
    SESSION_STATE_MAX = SESSION_QR,
};

enum {
    SESSION_API_HASH_MAX = 64,        /* Telegram's are 32 hex digits */
    SESSION_PHONE_MAX = 32,           /* E.164 has 15 digits; people write spaces */
    SESSION_PHONE_CODE_HASH_MAX = 64, /* 18 hex digits today */
    SESSION_EXTRA_KEYS_MAX = 3, /* about 340 characters of the string each, of at most 4 KiB */
    SESSION_CHATS_MAX = 50,     /* about 11 characters of the string each */
    SESSION_ROUTES_MAX = 16,    /* about 6 characters each; there are some 40 routes */
};

enum session_flags {
    SESSION_TEST_DC = 1, /* the key belongs to Telegram's test data centres */
    SESSION_FOREIGN = 2, /* read from another library's string: a sealed one is owed */
};

/* A key at a data centre other than the home one, where the account was brought by
 * auth.exportAuthorization: files live there. */
struct session_extra_key {
    int32_t dc; /* 0 = none */
    struct auth_key key;
};

/* What a narrowed string (POST /auth/restrict) may do. All zeroes: everything. A narrowed string is
 * never widened again; scope.h says what holds. */
struct session_scope {
    bool read_only;
    int64_t expires_at;                  /* unix seconds; 0 = never */
    size_t n_chats;                      /* 0 = every chat */
    int64_t chats[SESSION_CHATS_MAX];    /* marked ids */
    size_t n_routes;                     /* 0 = every route */
    uint32_t routes[SESSION_ROUTES_MAX]; /* route_code of each */
};

/* Plain data, no pointers: copied as a whole, wiped with sodium_memzero. Texts are NUL-terminated.
 */
struct session {
    int32_t dc;     /* home data centre: 1, 2, … */
    uint32_t flags; /* enum session_flags */
    enum session_state state;
    struct auth_key key; /* key.id is computed when the string is opened */
    struct salt_schedule salts;
    int32_t api_id;
    char api_hash[SESSION_API_HASH_MAX + 1];
    char phone[SESSION_PHONE_MAX + 1];
    char phone_code_hash[SESSION_PHONE_CODE_HASH_MAX + 1];
    uint64_t qr_token; /* of the QR code on show: the first eight bytes of its token's SHA-256 */
    int64_t user_id;   /* 0 = not known */
    struct session_extra_key extra_keys[SESSION_EXTRA_KEYS_MAX]; /* the least recently used goes */
    struct session_scope scope;
};

#endif
