/* SPDX-License-Identifier: MIT
 * One call: what a handler sees of a request, what it may do, and its one answer.
 *
 * A handler runs on a coroutine and reads top to bottom: it takes its parameters, invokes
 * Telegram methods (each suspends it), and writes the answer. It does not know who called.
 * Everything it allocates lives in c->arena and goes with the call. A function that suspends and
 * comes back without a result has set c->error: the handler returns at once (or looks at the
 * error, clears it and goes on). Handlers of one call never run in two threads at a time. */
#ifndef TGREST_GATEWAY_CALL_H
#define TGREST_GATEWAY_CALL_H

#include "base/arena.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "gateway/session.h"
#include "tl/value.h"

struct gateway;      /* process-wide: gateway.h */
struct worker;       /* thread-wide: worker.h */
struct route;        /* route.h */
struct http_request; /* http/server.h */
struct json_object;  /* json-c */
struct token_keys;   /* token.h */
struct peer_cache;   /* peer_cache.h */
struct sealed_refs;  /* resolve.c */

enum {
    CALL_PARAMS_MAX = 24,     /* parameters of one route */
    CALL_PATH_VALUES_MAX = 4, /* {name} parts of one path */
    CALL_HEADERS_MAX = 12,    /* extra headers of one answer */
    CALL_REQUEST_ID_MAX = 64, /* longer ones of a client are replaced by ours */
    CALL_WAIT_MAX_S = 300,    /* Prefer: wait=N is cut to this */
};

/* What is wrong. Texts are static or live in the call's arena. status 0 = nothing. */
struct call_error {
    int status;         /* HTTP */
    const char *code;   /* "MESSAGE_TOO_LONG", "INVALID_PARAMETER" */
    const char *detail; /* one human sentence */
    const char *field;  /* the parameter at fault, or NULL */
    int64_t wait_s;     /* > 0: Retry-After and wait_seconds */
    bool telegram;      /* `code` is Telegram's own */
};

/* A validated parameter. Which member is meant follows from the parameter's type (route.h). */
struct param_value {
    bool present;       /* given, or has a default */
    int64_t i;          /* INT, BOOL (0/1), DATE (unix seconds); CHAT_ID that was a number */
    bool is_number;     /* CHAT_ID: `i` is meant, else `text` */
    struct slice text;  /* STRING, CHAT_ID as text */
    const int64_t *ids; /* IDS */
    size_t n_ids;
    struct json_object *json; /* JSON: borrowed from c->json_body */
};

struct call_header {
    const char *name;
    struct slice value;
};

struct call {
    struct gateway *gateway;
    struct worker *worker; /* where the handler runs */
    const struct route *route;
    const struct tl_schema *schema;
    const struct log *log;
    struct arena *arena;
    struct tl_builder b; /* over schema and arena */
    char request_id[CALL_REQUEST_ID_MAX + 1];

    /* ---- input ---- */
    const struct http_request *request; /* for readers of parameters and bodies, not for handlers */
    struct slice
        path_values[CALL_PATH_VALUES_MAX]; /* {name} parts of the path in order, percent-decoded */
    size_t n_path_values;
    struct param_value params[CALL_PARAMS_MAX]; /* in the order of route->params */
    struct json_object *json_body;              /* owned by the call; NULL without a JSON body */
    struct slice idempotency_key;               /* empty = none */
    bool head_only;      /* HEAD: what would stand in the answer's body need not be fetched */
    bool wait_told;      /* Prefer: wait=N was sent, */
    int32_t wait_max_s;  /* N: how long flood waits may be slept out; 0 without one */
    int64_t deadline_ns; /* monotonic */

    /* ---- session: changed by login steps; call call_session_changed after a change ---- */
    bool has_session;
    struct session session;
    const char *imported; /* the format of the string it was read from (import_open); else NULL */

    /* ---- output ---- */
    struct call_error error;
    int status;               /* 200 until set */
    const char *content_type; /* "application/json" until set; NULL: the answer has none */
    struct buf *body;
    struct json_writer json;  /* over body */
    struct sealed_refs *refs; /* in the arena; NULL until the answer names a peer */
    struct call_header headers[CALL_HEADERS_MAX];
    size_t n_headers;
};

/* ---- asking Telegram ---- */

/* Sends the query on the session's connection (opened when there is none) and waits. The answer
 * lives in the arena. NULL: c->error is set. On the way: FLOOD_WAIT is slept out within wait_max_s,
 * *_MIGRATE of a session that is not authorized moves it to the other data centre with a new key, a
 * lost connection is repeated where that cannot execute twice. query == NULL (a builder that
 * failed) sets METHOD_UNAVAILABLE or OUT_OF_MEMORY. */
const struct tl_object *call_invoke(struct call *c, const struct tl_object *query)
    __attribute__((warn_unused_result));
/* The same for methods that answer a Bool, a number or a Vector. */
bool call_invoke_value(struct call *c, const struct tl_object *query, struct tl_value *out)
    __attribute__((warn_unused_result));
/* A fresh auth key on that data centre, put into c->session (dc, key, salts); the rest of the
 * session stays. Costs a key exchange. False: c->error is set. */
bool call_new_key(struct call *c, int32_t dc) __attribute__((warn_unused_result));
/* Closes the session's connection now, in whatever state. After log-out, for the key is dead; after
 * the login too: Telegram ignores invokeWithoutUpdates on auth methods, so that MTProto session
 * would be sent updates for ever. */
void call_disconnect(struct call *c);
/* destroy_auth_key on the session's connection, as well as it goes: no error is set. Then
 * disconnects and forgets the session: the answer brings none back. */
void call_destroy_key(struct call *c);
/* random_id of a message: HMAC(auth key, method, peer, Idempotency-Key, index), or random without
 * that header; never 0. `peer` is any text that names the peer the same way each time. */
int64_t call_random_id(struct call *c, const char *method, struct slice peer, uint32_t index);

/* ---- waiting ---- */

/* Runs fn(arg) on the thread pool: CPU-heavy steps only. Not interrupted by a deadline. False
 * (error set) when the call ended meanwhile; fn has run to its end in any case. */
bool call_work(struct call *c, void (*fn)(void *arg), void *arg)
    __attribute__((warn_unused_result));
/* False (error set) when the call ended before that. */
bool call_sleep(struct call *c, int64_t ms) __attribute__((warn_unused_result));

/* ---- answering: error set = error answer, whatever was written before ---- */

/* Refuses. `format` is the sentence for people. Keeps the first error. */
void call_fail(struct call *c, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* As call_fail with 400 INVALID_PARAMETER, naming the field. */
void call_fail_field(struct call *c, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As if Telegram had answered that error ("FLOOD_WAIT_30", "PEER_ID_INVALID"): through the table.
 */
void call_fail_telegram(struct call *c, int code, struct slice name);
bool call_failed(const struct call *c);
/* Is the error Telegram's, of that name (a wait's number left out: "FLOOD_WAIT")? */
bool call_error_is(const struct call *c, const char *name);
void call_error_clear(struct call *c);

/* Starts a JSON answer with that status: returns &c->json, nothing written yet. */
struct json_writer *call_answer(struct call *c, int status);
/* name static; value copied into the arena. Silently dropped past CALL_HEADERS_MAX. */
void call_header_add(struct call *c, const char *name, struct slice value);

/* ---- streams: bodies and answers of any size in bounded memory ---- */

/* The next piece of the body of a route with a streamed body (route.h), valid until the next call;
 * empty at its end. Waits for the client. False: error set. The call's deadline moves on with each
 * piece: a transfer may last as long as it makes progress. */
bool call_body_read(struct call *c, struct slice *piece) __attribute__((warn_unused_result));
/* Begins a streamed answer of that many bytes (-1: not known), with the content type, the headers
 * and the session string as they stand now. For HEAD nothing need be written. False: error set. */
bool call_stream_begin(struct call *c, int status, int64_t bytes)
    __attribute__((warn_unused_result));
/* Waits while the client is slower. False: error set (the client left). An error after
 * call_stream_begin ends the connection before its time: no other way to tell the client is left.
 */
bool call_stream_write(struct call *c, struct slice bytes) __attribute__((warn_unused_result));

/* The session changed: the answer carries X-Session-String. */
void call_session_changed(struct call *c);
/* A session string of another session than the call's own: in the arena, not marked as changed. */
struct slice call_seal(struct call *c, const struct session *s);
/* The sealed string as it stands now (with the salts known by now), marked as changed. In the
 * arena. */
struct slice call_session_string(struct call *c);

/* A parameter by its name in the route; never NULL (an absent value if the route has no such one).
 */
const struct param_value *call_param(const struct call *c, const char *name);

/* The keys that seal sessions, refs and cursors. */
const struct token_keys *call_token_keys(const struct call *c);
/* Peers that this worker has resolved lately: a hint, never needed. */
struct peer_cache *call_peer_cache(const struct call *c);
int64_t call_unix_s(const struct call *c); /* the data centre's clock, as well as it is known */
int64_t call_mono_ns(const struct call *c);
struct rng *call_rng(const struct call *c);
/* Per-thread memory of the checked Diffie-Hellman prime; for call_work of the same thread's calls
 * copy it first: pool threads must not touch it. */
struct dh_good_prime *call_good_prime(const struct call *c);

#endif
