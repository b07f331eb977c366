/* SPDX-License-Identifier: MIT
 * Auth keys with who is logged in on them, and their MTProto sessions. */
#ifndef TGREST_SANDBOX_SESSION_H
#define TGREST_SANDBOX_SESSION_H

#include "mtproto/session_server.h"
#include "sandbox/account.h"
#include "sandbox/handler.h"

struct connection;

enum {
    AUTH_KEYS_MAX = 1000000,    /* a quarter of a GB of keys */
    SESSIONS_PER_KEY_MAX = 100, /* the oldest without a connection goes */
    SESSION_QUEUE_MAX = 1000,   /* updates that wait to be built; past it one updatesTooLong */
    ABSENT_QUEUE_MAX = 64,      /* the same of a session that has no connection now */
    RECENT_REQUESTS = 64,       /* of a session, for invokeAfterMsg */
    SALT_SPAN_S = 1800,   /* a salt is the current one for that long, and good for twice that */
    SRP_LIFETIME_S = 600, /* how long an srp_id is good */
    DEVICE_TEXT_MAX = 64, /* bytes kept of each text of initConnection */
};

enum key_state {
    KEY_LIVE,
    KEY_REVOKED,    /* ended from another session: SESSION_REVOKED until it logs in again */
    KEY_EXPIRED,    /* SESSION_EXPIRED, likewise */
    KEY_DUPLICATED, /* used from two connections in parallel: dead for good */
};

/* What initConnection told. */
struct device {
    int32_t api_id;
    char model[DEVICE_TEXT_MAX];
    char system[DEVICE_TEXT_MAX];
    char app[DEVICE_TEXT_MAX];
    char language[DEVICE_TEXT_MAX];
};

/* The challenge that account.getPassword gave last. */
struct srp_challenge {
    int64_t id; /* 0 = none */
    int64_t made_s;
    uint32_t password_serial; /* of the password it is about */
    uint8_t secret[DH_BYTES];
    uint8_t b[DH_BYTES];
    uint8_t new_salt1[8]; /* what the salts of a new password must begin with */
    uint8_t new_salt2[16];
};

/* One auth key. Freed only with the sandbox: a destroyed one is taken out of the table of keys, so
 * that answers still on their way never hold a stale pointer. */
struct authorization {
    struct auth_key key;
    enum key_state state;
    bool destroyed;
    int32_t dc;
    int32_t created_s;
    int32_t expires_s; /* temporary keys, unix; 0 = permanent */
    uint64_t first_salt;
    struct authorization *perm;  /* what this temporary key is bound to */
    struct authorization *temps; /* what is bound to this one, by next_temp */
    struct authorization *next_temp;

    bool inited;   /* initConnection was seen */
    int32_t layer; /* 0 before invokeWithLayer */
    const struct tl_schema *schema;
    struct device *device; /* NULL before initConnection */

    struct user *user;          /* who is logged in */
    struct user *password_user; /* whose code was right and whose password is awaited */
    struct srp_challenge *srp;  /* NULL before account.getPassword */
    bool imported;              /* by auth.importAuthorization: not a login of its own */
    bool unconfirmed;           /* by another login of the account */
    bool no_encrypted_requests; /* account.changeAuthorizationSettings */
    bool no_call_requests;
    int64_t hash; /* as account.getAuthorizations names it */
    int32_t login_s;
    int32_t active_s;
    char ip[48];
    struct authorization *next_login; /* of the same account */
    int64_t takeout_id;               /* of the export that it has begun; 0 = none */

    struct session *sessions;
    uint32_t n_sessions;
    struct authorization *next; /* all of them */

    /* AUTH_KEY_DUPLICATED: the connection whose requests are in flight, by serial; 0 = none */
    uint64_t busy_serial;
    uint32_t busy;
};

enum request_state { REQUEST_RUNNING, REQUEST_DONE, REQUEST_FAILED };

struct recent_request {
    uint64_t msg_id;
    enum request_state state;
};

struct session {
    struct server_session *mt;
    struct authorization *auth;    /* of the key it was made with, not the bound one */
    struct connection *connection; /* NULL while it has none */
    struct session *next_of_auth;
    struct session *next_of_connection;
    uint64_t id;
    bool wants_updates;
    bool gone;      /* taken out; freed when its calls are done */
    uint32_t calls; /* in flight */

    struct update *queue; /* owned, with ids */
    uint32_t n_queue;
    uint32_t queue_cap;
    bool queue_overflow;
    bool queued; /* linked in sandbox.updated */
    struct session *next_updated;

    struct recent_request recent[RECENT_REQUESTS];
    uint32_t recent_next;
};

/* ---- keys: key.c ---- */

/* A key that a handshake made. NULL without memory or past AUTH_KEYS_MAX. */
struct authorization *key_add(struct sandbox *s, const struct auth_key *key, uint64_t first_salt,
                              int32_t dc, int32_t expires_in_s);
/* NULL when it does not exist, is another data centre's, or has expired. */
struct authorization *key_find(struct sandbox *s, uint64_t id, int32_t dc);
/* destroy_auth_key, and expiry: logs out, ends its sessions, forgets it. */
void key_destroy(struct sandbox *s, struct authorization *a);
void keys_free(struct sandbox *s);
/* temp acts as perm from now on (it must init its connection again). */
void key_bind(struct authorization *temp, struct authorization *perm);
void key_unbind(struct authorization *temp);
/* For server_session_config.salts; ctx is the sandbox. */
void key_salts(void *ctx, uint64_t key_id, struct salt_schedule *out);
/* Where the login state of a request with that key is: itself, or what it is bound to. */
static inline struct authorization *key_login(struct authorization *a)
{
    return a->perm ? a->perm : a;
}

/* Logs in: from now on requests act as user, who hears of it on the other sessions. */
void login_begin(struct sandbox *s, struct authorization *a, struct user *user);
/* Logs out. revoked: from elsewhere, so that its requests say SESSION_REVOKED. */
void login_end(struct sandbox *s, struct authorization *a, bool revoked);
/* It was used in parallel: it and its user's login on it are dead. */
void key_duplicated(struct sandbox *s, struct authorization *a);

/* ---- sessions: session.c ---- */

/* Finds or makes it. NULL without memory. */
struct session *session_get(struct sandbox *s, struct authorization *a, uint64_t id);
struct session *session_find(const struct authorization *a, uint64_t id);
/* Forgets it, and everything that waits in it. */
void session_end(struct sandbox *s, struct session *session);
/* Its connection from now on; NULL = none. */
void session_attach(struct session *session, struct connection *connection);
/* One call less in flight: frees a session that is gone. */
void session_call_done(struct sandbox *s, struct session *session);
/* Notes how a request went, for invokeAfterMsg. */
void session_note(struct session *session, uint64_t msg_id, enum request_state state);
/* The state of an earlier request; REQUEST_DONE when it is not remembered. */
enum request_state session_recall(const struct session *session, uint64_t msg_id);

/* ---- updates: push.c ---- */

/* Builds and sends what sandbox_push queued since. */
void push_deliver(struct sandbox *s);
/* The session has a connection again: what waited for it goes out with the next push_deliver. */
void push_resume(struct sandbox *s, struct session *session);
void session_queue_clear(struct session *session);
/* updateLoginToken to the sessions of a key that nobody is logged in on. */
void push_login_token(struct sandbox *s, struct authorization *a);

#endif
