/* SPDX-License-Identifier: MIT
 * What a method handler of the sandbox sees: one request of one connection, and the world.
 *
 * A handler reads r->query with the tl_* accessors, changes the world, queues updates for other
 * sessions with sandbox_push_* and returns the answer, built with &r->b in r->arena. It returns
 * fail(r, code, "TELEGRAM_ERROR") to refuse. Handlers run on the sandbox's one loop thread and
 * never block; heavy work (SRP) goes through sandbox_work (sandbox.h). */
#ifndef TGREST_SANDBOX_HANDLER_H
#define TGREST_SANDBOX_HANDLER_H

#include "sandbox/names.h"
#include "tl/value.h"

struct sandbox;       /* listeners, keys, sessions, faults: sandbox.h */
struct world;         /* users, chats, messages: world.h */
struct user;          /* an account or peer: world.h */
struct authorization; /* an auth key's state: who is logged in, layer, device: session.h */
struct session;       /* the MTProto session that asks; updates go to the others: session.h */

struct request {
    struct sandbox *sandbox;
    struct world *world;
    struct authorization *auth;     /* NULL in requests that no connection made */
    struct session *session;        /* likewise; what sandbox_push excludes */
    struct user *self;              /* NULL before login: methods marked METHOD_OPEN only */
    const struct tl_schema *schema; /* the layer this connection speaks */
    const struct tl_object *query;
    struct arena *arena;
    struct tl_builder b;  /* over schema and arena */
    int32_t now_s;        /* the sandbox's clock, unix seconds */
    uint64_t msg_id;      /* of the message it came in; 0 without connection */
    bool without_updates; /* invokeWithoutUpdates */
    int error_code;       /* set by fail() */
    const char *error_text;
    bool deferred; /* set by sandbox_work(): the answer comes later */
};

/* What a method answers, as a value of the method's result type; kind TL_ABSENT = failed. */
typedef struct tl_value (*method_handler)(struct request *r);

enum method_flags {
    METHOD_OPEN = 1,   /* works before login */
    METHOD_UPLOAD = 2, /* upload.*: exempt from AUTH_KEY_DUPLICATED */
};
struct method {
    uint16_t symbol; /* C_messages_sendMessage */
    unsigned flags;
    method_handler handle;
};
/* Each handler file exports one such table; sandbox/methods.c lists the tables. */
struct method_table {
    const struct method *methods;
    size_t n;
};

/* Refuses the request: text is static or lives in r->arena ("FLOOD_WAIT_30"). Returns TL_ABSENT. */
struct tl_value fail(struct request *r, int code, const char *text);

#endif
