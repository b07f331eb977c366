/* SPDX-License-Identifier: MIT
 * From an HTTP request to a task, and from a finished task to the answer. */
#include "gateway/task_home.h"

#include <json-c/json.h>
#include <json-c/json_visit.h>
#include <sodium.h>
#include <stdlib.h>

#include "gateway/errors.h"
#include "gateway/gateway.h"
#include "gateway/handlers.h"
#include "gateway/prefer.h"
#include "gateway/route.h"
#include "gateway/scope.h"

enum {
    RETRY_AFTER_S = 1,                 /* what a gateway that is full or leaving asks for */
    TASK_ARENA_MAX = 64 * 1024 * 1024, /* the largest answers of Telegram, read and written */
    TASK_BODY_MAX = 64 * 1024 * 1024,
    TASK_BODY_KEEP = 16 * 1024,   /* kept for the next call */
    TASK_STREAM_MAX = 512 * 1024, /* what is taken of a body ahead, and one read on top */
    SPARE_MAX = 256,
    IDEMPOTENCY_KEY_MAX = 255,
};

/* ---- making and freeing ---- */

static struct task *task_new(struct worker *w)
{
    struct list *node = list_pop(&w->spare);
    struct task *t;
    if (node) {
        w->n_spare--;
        t = LIST_OWNER(node, struct task, ready_link);
        struct arena arena = t->arena;
        struct buf body = t->body;
        memset(t, 0, sizeof *t);
        t->arena = arena;
        t->body = body;
    } else {
        t = calloc(1, sizeof *t);
        if (!t)
            return NULL;
        arena_init(&t->arena, TASK_ARENA_MAX);
        buf_init(&t->body, TASK_BODY_MAX);
    }
    w->tasks_home++;
    return t;
}

static int wipe_text(struct json_object *json, int flags, struct json_object *parent,
                     const char *name, size_t *index, void *arg)
{
    (void)flags, (void)parent, (void)name, (void)index, (void)arg;
    if (json_object_is_type(json, json_type_string))
        sodium_memzero((char *)(uintptr_t)json_object_get_string(json),
                       (size_t)json_object_get_string_len(json));
    return JSON_C_VISIT_RETURN_CONTINUE;
}

static void task_free(struct task *t)
{
    struct worker *w = t->home;
    if (t->call.json_body && t->secret)
        json_c_visit(t->call.json_body, 0, wipe_text, NULL);
    if (t->call.json_body)
        json_object_put(t->call.json_body);
    if (t->secret)
        arena_wipe(&t->arena);
    else
        arena_reset(&t->arena);
    buf_shrink(&t->body, TASK_BODY_KEEP);
    buf_free(&t->stream.arriving);
    buf_free(&t->stream.reading);
    if (t->call.has_session)
        sodium_memzero(&t->call.session, sizeof t->call.session);
    w->tasks_home--;
    if (w->n_spare < SPARE_MAX) {
        list_push(&w->spare, &t->ready_link);
        w->n_spare++;
    } else {
        arena_free(&t->arena);
        buf_free(&t->body);
        free(t);
    }
}

void tasks_free_spare(struct worker *w)
{
    for (struct list *node; (node = list_pop(&w->spare)) != NULL;) {
        struct task *t = LIST_OWNER(node, struct task, ready_link);
        arena_free(&t->arena);
        buf_wipe_free(&t->body);
        free(t);
    }
    w->n_spare = 0;
}

/* ---- reading what is common to all routes ---- */

static bool sane_id(struct slice id)
{
    if (id.len == 0 || id.len > CALL_REQUEST_ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        uint8_t ch = id.data[i];
        bool letter =
            (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
        if (!letter && ch != '-' && ch != '_' && ch != '.')
            return false;
    }
    return true;
}

static void make_request_id(struct rng *rng, struct slice wanted,
                            char out[static CALL_REQUEST_ID_MAX + 1])
{
    uint8_t bytes[8];
    if (sane_id(wanted)) {
        memcpy(out, wanted.data, wanted.len);
        out[wanted.len] = '\0';
        return;
    }
    rng_fill(rng, bytes, sizeof bytes);
    sodium_bin2hex(out, CALL_REQUEST_ID_MAX + 1, bytes, sizeof bytes);
}

static void read_headers(struct call *c, const struct http_request *r)
{
    int64_t wait_s = prefer_wait_s(r);
    c->wait_told = wait_s != PREFER_NO_WAIT;
    if (c->wait_told)
        c->wait_max_s = (int32_t)(wait_s < CALL_WAIT_MAX_S ? wait_s : CALL_WAIT_MAX_S);
    c->idempotency_key = http_header_get(r, "idempotency-key");
    if (c->idempotency_key.len > IDEMPOTENCY_KEY_MAX)
        call_fail_field(c, "Idempotency-Key", "Idempotency-Key is longer than %d bytes",
                        IDEMPOTENCY_KEY_MAX);
}

static struct task *task_of_request(struct worker *w, struct http_exchange *x,
                                    const struct http_request *r)
{
    struct task *t = task_new(w);
    if (!t)
        return NULL;
    struct call *c = &t->call;
    t->home = t->owner = w;
    t->exchange = x;
    buf_init(&t->stream.arriving, TASK_STREAM_MAX);
    buf_init(&t->stream.reading, TASK_STREAM_MAX);
    t->started_ns = worker_now_ns(w);
    c->gateway = w->gateway;
    c->worker = w;
    c->schema = w->gateway->schema;
    c->log = &w->gateway->log;
    c->arena = &t->arena;
    c->b = tl_builder_of(c->schema, c->arena);
    c->request = r;
    c->head_only = slice_is(r->method, "HEAD");
    c->status = 200;
    c->content_type = "application/json";
    c->body = &t->body;
    json_init(&c->json, c->body);
    make_request_id(&w->rng, http_header_get(r, "x-request-id"), c->request_id);
    read_headers(c, r);
    c->deadline_ns = t->started_ns + (w->gateway->options.timeout_s + c->wait_max_s) * NS_PER_S;
    http_exchange_set_data(x, t);
    return t;
}

static void find_route(struct call *c)
{
    int status = 0;
    const char *allow = NULL;
    c->route = route_match(c, c->request->method, c->request->path, &status, &allow);
    if (c->route && c->gateway->route_off[route_index(c->route)]) {
        call_fail(c, 501, "METHOD_UNAVAILABLE", "The loaded schema lacks what this route needs.");
    } else if (!c->route && status == 405) {
        call_fail(c, 405, "METHOD_NOT_ALLOWED", "Only %s work on this path.", allow);
        call_header_add(c, "Allow", slice_str(allow));
    } else if (!c->route) {
        call_fail(c, status ? status : 404, "NOT_FOUND", "There is no such path.");
    }
}

/* ---- the session string ---- */

static void refuse_token(struct call *c, enum token_status status)
{
    switch (status) {
    case TOKEN_MALFORMED:
        call_fail(c, 401, "SESSION_MALFORMED", "X-Session-String does not hold a session.");
        break;
    case TOKEN_FORGED:
        call_fail(c, 401, "SESSION_FORGED", "The session string was cut or altered.");
        break;
    case TOKEN_UNKNOWN_KEY:
        call_fail(c, 401, "SESSION_UNKNOWN_KEY",
                  "The session string was sealed by a gateway with another key.");
        break;
    case TOKEN_UNSUPPORTED:
        call_fail(c, 401, "SESSION_UNSUPPORTED", "The session string was made by a newer gateway.");
        break;
    case TOKEN_OK:
        break;
    }
}

static void check_session(struct call *c)
{
    bool test = (c->session.flags & SESSION_TEST_DC) != 0;
    if (test != c->gateway->dcs.test)
        call_fail(c, 401, "SESSION_OTHER_NETWORK", "The session belongs to Telegram's %s servers.",
                  test ? "test" : "production");
    else if (c->route->session == SESSION_NEED_FULL && c->session.state != SESSION_AUTHORIZED)
        call_fail(c, 401, "LOGIN_NOT_FINISHED", "The login of this session is not finished.");
    else
        scope_check_route(c);
}

/* Whose call it is stands in the body, which the handler would read at the owner's otherwise. */
static void import_session(struct task *t)
{
    struct call *c = &t->call;
    t->params_read = true;
    if (!params_parse(c) || !import_open(c))
        return;
    c->has_session = true;
    t->session_changed = true;
    check_session(c);
}

static void open_session(struct task *t)
{
    struct call *c = &t->call;
    struct worker *w = t->home;
    struct slice text = http_header_get(c->request, "x-session-string");
    if (text.len == 0) {
        call_fail(c, 401, "NO_SESSION", "The X-Session-String header is missing.");
        return;
    }
    bool old_key = false;
    enum token_status status = token_cache_open(w->tokens, t->started_ns, w->gateway->keys,
                                                w->digests, text, &c->session, &old_key);
    refuse_token(c, status);
    if (status != TOKEN_OK)
        return;
    c->has_session = true;
    t->session_changed = old_key || (c->session.flags & SESSION_FOREIGN);
    check_session(c);
}

/* ---- to the owner ---- */

static void deliver_call(struct mail *mail, void *worker)
{
    struct worker *w = worker;
    task_ready(LIST_OWNER(mail, struct task, mail));
    worker_run(w);
}

static void run_at_owner(struct task *t)
{
    struct call *c = &t->call;
    struct worker *w = t->home;
    if (c->has_session) {
        int owner = owners_claim(w->gateway->owners, c->session.key.id, w->index);
        if (owner < 0) {
            call_fail(c, 503, "OUT_OF_MEMORY", "The gateway is out of memory.");
            task_answer(t);
            return;
        }
        t->claimed = true;
        t->claimed_key = c->session.key.id;
        t->owner = &w->gateway->workers[owner];
    }
    if (t->owner == w) {
        /* What can be refused without a byte of the body is, before a client is asked for it. */
        if (c->request->streamed)
            task_hold_body(t);
        task_ready(t);
        return;
    }
    if (c->route->body == BODY_FORM || c->route->streams_answer) {
        task_move(t);
        return;
    }
    t->mail.deliver = deliver_call;
    metric_add(&w->metrics.calls_handed_over_total, 1);
    if (mailbox_offer(&t->owner->mailbox, &t->mail))
        return;
    owners_release(w->gateway->owners, t->claimed_key);
    task_fail_full(t, w);
    task_answer(t);
}

void task_on_request(void *worker, struct http_exchange *x, const struct http_request *r)
{
    struct worker *w = worker;
    struct task *t = task_of_request(w, x, r);
    if (!t) {
        http_respond(
            x, 503, NULL, 0,
            slice_str(
                "{\"detail\":\"The gateway is out of memory.\",\"error\":\"OUT_OF_MEMORY\"}"));
        return;
    }
    struct call *c = &t->call;
    if (w->draining)
        call_fail(c, 503, "DRAINING", "The gateway is shutting down.");
    if (!call_failed(c))
        find_route(c);
    t->secret = c->route && (c->route->session != SESSION_NEED_FULL ||
                             c->route->scope == SCOPE_ACCOUNT || c->route->scope == SCOPE_NARROW);
    t->body.secret = t->secret;
    if (!call_failed(c) && c->route->session == SESSION_NEED_IMPORT)
        import_session(t);
    else if (!call_failed(c) && c->route->session != SESSION_NEED_NONE)
        open_session(t);
    if (call_failed(c))
        task_answer(t);
    else
        run_at_owner(t);
    worker_run(w);
}

/* ---- the client leaves ---- */

static void deliver_gone_back(struct mail *mail, void *worker)
{
    (void)worker;
    struct task *t = LIST_OWNER(mail, struct task, gone_mail);
    t->gone_mail_out = false;
    if (t->answered)
        task_free(t);
}

static void deliver_gone(struct mail *mail, void *worker)
{
    struct worker *w = worker;
    struct task *t = LIST_OWNER(mail, struct task, gone_mail);
    task_abort(t, ABORT_GONE);
    mail->deliver = deliver_gone_back;
    mailbox_send(&t->home->mailbox, mail);
    worker_run(w);
}

void task_on_gone(void *worker, struct http_exchange *x)
{
    struct worker *w = worker;
    struct task *t = http_exchange_data(x);
    if (!t || t->moving)
        return;
    if (t->owner == w) {
        task_abort(t, ABORT_GONE);
        worker_run(w);
    } else if (!t->gone_mail_out) {
        t->gone_mail_out = true;
        t->gone_mail.deliver = deliver_gone;
        mailbox_send(&t->owner->mailbox, &t->gone_mail);
    }
}

/* ---- the answer ---- */

static void write_error(struct call *c)
{
    c->status = c->error.status;
    c->content_type = "application/json";
    if (c->status == 503 && c->error.wait_s == 0)
        c->error.wait_s = RETRY_AFTER_S;
    c->error.field = error_field(&c->error, c->route);
    buf_clear(c->body);
    error_body_write(c->body, &c->error, c->request_id);
    if (c->error.wait_s > 0)
        call_header_add(c, "Retry-After",
                        slice_str(arena_printf(c->arena, "%lld", (long long)c->error.wait_s)));
}

static void check_answer(struct call *c)
{
    if (!call_failed(c) && (c->body->failed || c->arena->failed)) {
        log_event(c->log, LOG_ERROR, "answer too large", log_str("request_id", c->request_id));
        call_fail(c, 502, "ANSWER_TOO_LARGE", "The answer is larger than the gateway can hold.");
    }
    if (call_failed(c))
        write_error(c);
}

static void log_answer(const struct task *t, int64_t took_ns)
{
    const struct call *c = &t->call;
    enum log_level level = c->status == 500 ? LOG_ERROR : c->status > 500 ? LOG_WARN : LOG_INFO;
    if (level < c->log->level)
        return;
    log_event(c->log, level, "request", log_str("request_id", c->request_id),
              log_slice("method", c->request->method),
              log_str("route", c->route ? c->route->path : ""), log_int("status", c->status),
              log_int("us", took_ns / 1000),
              log_str("error", c->error.status ? c->error.code : ""));
}

size_t task_headers(const struct task *t, struct http_header *headers)
{
    const struct call *c = &t->call;
    size_t n = 0;
    if (c->content_type)
        headers[n++] = (struct http_header){slice_str("Content-Type"), slice_str(c->content_type)};
    headers[n++] = (struct http_header){slice_str("X-Request-Id"), slice_str(c->request_id)};
    for (size_t i = 0; i < c->n_headers; i++)
        headers[n++] = (struct http_header){slice_str(c->headers[i].name), c->headers[i].value};
    return n;
}

static void respond(struct task *t)
{
    struct call *c = &t->call;
    struct http_header headers[CALL_HEADERS_MAX + 3];
    http_exchange_set_data(t->exchange, NULL);
    if (t->stream.answering)
        http_stream_end(t->exchange, !call_failed(c));
    else
        http_respond(t->exchange, c->status, headers, task_headers(t, headers), buf_slice(c->body));
}

void task_leave(struct task *t)
{
    struct worker *w = t->home;
    t->answered = true;
    if (!t->gone_mail_out)
        task_free(t);
    if (w->draining)
        worker_check_drained(w);
}

void task_answer(struct task *t)
{
    struct worker *w = t->home;
    struct call *c = &t->call;
    if (!t->stream.answering)
        check_answer(c);
    int64_t took_ns = worker_now_ns(w) - t->started_ns;
    size_t route = c->route ? route_index(c->route) : SIZE_MAX;
    metrics_request(&w->metrics, route, c->status, (uint64_t)(took_ns / 1000));
    log_answer(t, took_ns);
    respond(t);
    task_leave(t);
}

void task_deliver_answer(struct mail *mail, void *worker)
{
    (void)worker;
    task_answer(LIST_OWNER(mail, struct task, mail));
}

void task_error_body(void *worker, int status, const char *what, struct buf *body,
                     struct http_header *header)
{
    static const struct {
        int status;
        const char *code;
    } codes[] = {
        {400, "BAD_REQUEST"},       {408, "REQUEST_TIMEOUT"},
        {411, "LENGTH_REQUIRED"},   {413, "BODY_TOO_LARGE"},
        {414, "TARGET_TOO_LONG"},   {417, "EXPECTATION_FAILED"},
        {431, "HEADERS_TOO_LARGE"}, {501, "METHOD_NOT_IMPLEMENTED"},
        {503, "OVERLOADED"},        {505, "HTTP_VERSION_NOT_SUPPORTED"},
    };
    struct worker *w = worker;
    struct call_error e = {.status = status, .code = "BAD_REQUEST", .detail = what};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i].status == status)
            e.code = codes[i].code;
    }
    make_request_id(&w->rng, (struct slice){0}, w->refused_id);
    error_body_write(body, &e, w->refused_id);
    *header = (struct http_header){slice_str("X-Request-Id"), slice_str(w->refused_id)};
}
