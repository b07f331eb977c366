/* SPDX-License-Identifier: MIT
 * The table of routes: drives routing, validation, /openapi.json and the docs. */
#ifndef TGREST_GATEWAY_ROUTE_H
#define TGREST_GATEWAY_ROUTE_H

#include "gateway/call.h"

enum param_place { PARAM_QUERY, PARAM_BODY, PARAM_PATH, PARAM_HEADER };

enum param_type {
    PARAM_STRING,  /* min, max: characters */
    PARAM_INT,     /* min, max: value; a decimal string is accepted too */
    PARAM_BOOL,    /* true/false, in queries also 1/0 */
    PARAM_CHAT_ID, /* number or string: peer_address_parse */
    PARAM_DATE,    /* RFC 3339 with any offset, or unix seconds; min, max: these */
    PARAM_IDS,     /* array of ints (queries: comma-separated); min, max: count */
    PARAM_JSON,    /* any JSON value; in forms and queries its text */
    PARAM_FILE, /* of a form (form.h): the handler reads it; present = one has begun; max: how many
                 */
};

struct param {
    const char *name;
    enum param_place place;
    enum param_type type;
    bool required;
    int64_t min; /* min == max == 0: no bounds */
    int64_t max;
    const char *default_text;   /* as it would be sent; NULL = absent when not given */
    const char *const *choices; /* strings allowed, NULL-terminated; NULL = any */
    const char *text;           /* what it is, for people */
    const char *example;        /* of a required one outside of the body, as it would be sent */
};

enum session_need {
    SESSION_NEED_NONE,   /* X-Session-String is not looked at */
    SESSION_NEED_LOGIN,  /* any session; the handler checks its state */
    SESSION_NEED_FULL,   /* an authorized one, else 401 */
    SESSION_NEED_IMPORT, /* not in the header: import_open makes it of the body */
};

/* What a route does, for narrowed session strings (scope.h). */
enum route_scope {
    SCOPE_READ,    /* changes nothing */
    SCOPE_WRITE,   /* anything else */
    SCOPE_METHOD,  /* what its method does: the handler asks scope_check_method */
    SCOPE_ACCOUNT, /* the login, its password, its other sessions: never with a narrowed string */
    SCOPE_NARROW,  /* makes narrower strings: always */
};

/* How far a route reaches, for strings that are narrowed to some chats. */
enum route_reach {
    REACH_ACCOUNT, /* beyond single chats: refused */
    REACH_CHATS,   /* only chats that resolve_param names, or a list that leaves out all others */
};

enum route_body {
    BODY_JSON, /* or none: whole, bounded; parameters are read before the handler runs */
    BODY_FORM, /* multipart/form-data, streamed: the handler reads it by form.h */
};

enum { ROUTE_NEEDS_MAX = 12 };

struct route {
    const char *method; /* "GET" answers HEAD too */
    const char *path; /* "/messages/media/{message_id}"; a trailing slash in a request is ignored */
    const char *summary;
    const struct param *params;
    size_t n_params;
    void (*handle)(struct call *c);
    enum session_need session;
    enum route_scope scope;
    enum route_reach reach;
    const char *example;             /* JSON of a body, where there may be one */
    const char *answer_schema;       /* JSON Schema text of the 200 answer, for /openapi.json */
    uint16_t needs[ROUTE_NEEDS_MAX]; /* C_… that the schema must have, or the route is off */
    size_t n_needs;
    enum route_body body;
    bool streams_answer; /* the answer may be large: call_stream_begin */
    bool strict_body; /* body parameters that the table does not name are refused, not passed over:
                       * a slip of the pen would give away more than was meant */
    bool free_body; /* body parameters that the table does not name are kept (POST /methods/{name})
                     */
};

/* All routes: the fixed table. The index of a route in it is its id in the metrics. */
size_t routes_count(void);
const struct route *route_at(size_t index);
size_t route_index(const struct route *r);
/* Of method and path: names the route in session strings, the same in every version. */
uint32_t route_code(const struct route *r);
/* The route that "POST /messages/send" names, its path as the table writes it; NULL if none. */
const struct route *route_by_name(struct slice name);

bool route_has_param(const struct route *r, const char *name);

/* Finds the route, fills path_values (decoded into the arena of c). NULL: *status is 404, or 405
 * with *allow the methods that exist there ("GET, HEAD", in the arena). */
const struct route *route_match(struct call *c, struct slice method, struct slice path, int *status,
                                const char **allow);

/* Is the body of such a request to be streamed? */
bool route_streams_body(struct slice method, struct slice path);

/* Decodes %XX (and + where told) into the arena; false on a bad escape. */
bool percent_decode(struct arena *a, struct slice text, bool plus_is_space, struct slice *out)
    __attribute__((warn_unused_result));

/* Reads query, body (JSON by json-c: strict, UTF-8 checked, depth bounded) and headers of
 * c->request into c->params and c->json_body and checks them against the route's table. False:
 * c->error is set. Runs on the call's coroutine. The body of a form is left to its handler. */
bool params_parse(struct call *c);
/* One value that came as text (or did not: then the default), checked by the table. The text must
 * live as long as the call. False: c->error is set. */
bool param_from_text(struct call *c, const struct param *p, bool given, struct slice text,
                     struct param_value *v) __attribute__((warn_unused_result));

#endif
