/* SPDX-License-Identifier: MIT
 * One API request: faults, its handler, its answer. */
#include "sandbox/call.h"

#include <stdio.h>
#include <stdlib.h>

#include "sandbox/state.h"

static void call_run(struct call *call);
static void call_finish(struct call *call, struct tl_value value);

struct tl_value fail(struct request *r, int code, const char *text)
{
    r->error_code = code;
    r->error_text = text;
    return (struct tl_value){.kind = TL_ABSENT};
}

/* ---- memory ---- */

static struct call *call_new(struct sandbox *s)
{
    struct call *call = s->pool;
    if (call) {
        s->pool = call->next;
        s->n_pool--;
    } else {
        call = calloc(1, sizeof *call);
        if (!call)
            return NULL;
        arena_init(&call->arena, CALL_ARENA_MAX);
    }
    struct arena arena = call->arena;
    *call = (struct call){.arena = arena, .state = CALL_NEW};
    call->next = s->running;
    if (call->next)
        call->next->prev = call;
    s->running = call;
    return call;
}

static void call_unlink(struct sandbox *s, struct call *call)
{
    if (call->prev)
        call->prev->next = call->next;
    else
        s->running = call->next;
    if (call->next)
        call->next->prev = call->prev;
    call->prev = NULL;
    call->next = NULL;
}

static void call_recycle(struct sandbox *s, struct call *call)
{
    if (s->n_pool >= CALLS_KEPT) {
        arena_free(&call->arena);
        free(call);
        return;
    }
    if (call->method && (call->method->flags & METHOD_UPLOAD))
        arena_reset(
            &call->arena); /* parts of files: wiping them would cost a tenth of a transfer */
    else
        arena_wipe(&call->arena);
    call->next = s->pool;
    s->pool = call;
    s->n_pool++;
}

void calls_free(struct sandbox *s)
{
    calls_release(s);
    for (struct call *call = s->pool, *next; call; call = next) {
        next = call->next;
        arena_free(&call->arena);
        free(call);
    }
    s->pool = NULL;
}

/* ---- AUTH_KEY_DUPLICATED ---- */

/* Two connections of one key in flight at the same time kill it; a client that has closed the other
 * one already is not in two places. */
static bool key_enter(struct call *call)
{
    struct sandbox *s = call->r.sandbox;
    struct authorization *a = call->session->auth;
    if (!call->r.self || (call->method->flags & METHOD_UPLOAD))
        return true;
    if (a->busy && a->busy_serial != call->connection_serial) {
        struct connection *other = connection_by_serial(s, a->busy_serial);
        if (other && !connection_peer_gone(other)) {
            key_duplicated(s, a);
            return false;
        }
        a->busy = 0;
    }
    a->busy_serial = call->connection_serial;
    a->busy++;
    call->counted = true;
    return true;
}

void calls_release(struct sandbox *s)
{
    while (s->finished) {
        struct call *call = s->finished;
        s->finished = call->next;
        struct authorization *a = call->session->auth;
        if (call->counted && a->busy_serial == call->connection_serial && a->busy > 0 &&
            --a->busy == 0)
            a->busy_serial = 0;
        session_call_done(s, call->session);
        call_recycle(s, call);
    }
}

/* ---- faults ---- */

static struct connection *call_connection(struct call *call)
{
    return connection_by_serial(call->r.sandbox, call->connection_serial);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct call *call = handle->data;
    if (call->r.sandbox->stopping)
        call_finish(call, (struct tl_value){.kind = TL_ABSENT});
    else
        call_run(call);
}

static void on_delay_over(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, on_timer_closed);
}

static void delay(struct call *call, int64_t ms)
{
    call->state = CALL_DELAYED;
    call->timer.data = call;
    uv_timer_init(call->r.sandbox->loop, &call->timer);
    uv_timer_start(&call->timer, on_delay_over, (uint64_t)(ms > 0 ? ms : 0), 0);
}

static const char *migrate_text(struct call *call, int64_t dc)
{
    const char *name = strncmp(call->ctor->name, "auth.", 5) == 0 ? "PHONE"
                       : (call->method->flags & METHOD_UPLOAD)    ? "FILE"
                       : call->r.self                             ? "USER"
                                                                  : "NETWORK";
    return arena_printf(&call->arena, "%s_MIGRATE_%lld", name, (long long)dc);
}

static struct fault_target fault_target_of(const struct call *call)
{
    const struct user *self = call->r.self;
    const struct tl_object *query = call->r.query;
    struct slice phone = self ? slice_str(self->phone) : tl_text(query, F_phone_number);
    if (phone.len && phone.data[0] == '+')
        phone = slice_of(phone.data + 1, phone.len - 1);
    return (struct fault_target){call->ctor->name, phone, self ? self->id : 0,
                                 call->session->auth->dc};
}

static void to_finished(struct call *call)
{
    struct sandbox *s = call->r.sandbox;
    call->state = CALL_FINISHED;
    call_unlink(s, call);
    call->next = s->finished;
    s->finished = call;
}

/* As if the request had never come: the connection goes, and a copy of it will be executed. */
static void vanish(struct call *call, const struct fault *f)
{
    struct connection *c = call_connection(call);
    server_session_fault_forget(call->session->mt, call->msg_id);
    session_note(call->session, call->msg_id, REQUEST_FAILED);
    to_finished(call);
    if (c && f->action == FAULT_TRANSPORT_ERROR)
        connection_refuse(c, (int32_t)-f->number);
    else if (c)
        connection_close(c, f->action == FAULT_RESET);
}

static void garble(struct call *call)
{
    struct connection *c = call_connection(call);
    if (c)
        connection_send_garbage(c);
}

/* Strikes before the handler. True when the call goes on at once. */
static bool strike(struct call *call, const struct fault *f)
{
    switch (f->action) {
    case FAULT_ERROR:
        fail(&call->r, f->code, arena_printf(&call->arena, "%s", f->text));
        return true;
    case FAULT_FLOOD_WAIT:
        fail(&call->r, 420, arena_printf(&call->arena, "FLOOD_WAIT_%lld", (long long)f->number));
        return true;
    case FAULT_MIGRATE:
        fail(&call->r, 303, migrate_text(call, f->number));
        return true;
    case FAULT_DELAY:
        delay(call, f->number);
        return false;
    case FAULT_DROP_BEFORE:
    case FAULT_RESET:
    case FAULT_TRANSPORT_ERROR:
        vanish(call, f);
        return false;
    case FAULT_GARBAGE:
        garble(call);
        return true;
    case FAULT_DROP_AFTER:
    case FAULT_LOSE_SESSION:
    case FAULT_BAD_SALT:
        call->after = f->action;
        return true;
    case FAULT_CLOCK_SKEW: /* never aims at a request */
    case FAULT_NONE:
        break;
    }
    return true;
}

static void strike_after(struct call *call)
{
    if (call->after == FAULT_BAD_SALT)
        server_session_fault_bad_salt(call->session->mt);
    if (call->after != FAULT_DROP_AFTER && call->after != FAULT_LOSE_SESSION)
        return;
    struct connection *c = call_connection(call);
    if (c)
        connection_close(c, false);
    if (call->after == FAULT_LOSE_SESSION && !call->session->gone)
        session_end(call->r.sandbox, call->session);
}

/* ---- answering ---- */

static void answer(struct call *call, const struct tl_value *value)
{
    struct sandbox *s = call->r.sandbox;
    const char *error = NULL;
    buf_clear(&s->scratch_buf);
    if (!call->r.error_code &&
        (value->kind == TL_ABSENT || call->r.b.failed ||
         !tl_write_value(call->r.schema, &s->scratch_buf, &call->ctor->result, value, &call->arena,
                         &error))) {
        log_event(&s->log, LOG_ERROR, "answer_not_built", log_str("method", call->ctor->name),
                  log_str("reason", error ? error : "nothing built"),
                  log_int("missing", call->r.b.missing));
        fail(&call->r, 500, "INTERNAL");
    }
    if (call->r.error_code)
        server_session_error(call->session->mt, call->msg_id, call->r.error_code,
                             call->r.error_text);
    else if (call->method && (call->method->flags & METHOD_UPLOAD))
        server_session_answer_as_is(call->session->mt, call->msg_id, buf_slice(&s->scratch_buf));
    else
        server_session_answer(call->session->mt, call->msg_id, buf_slice(&s->scratch_buf));
}

/* ---- invokeAfterMsg ---- */

/* What the requests it is to come after say: running, done, or one of them failed. */
static enum request_state awaited(const struct call *call)
{
    for (uint32_t i = 0; i < call->n_waits; i++) {
        enum request_state state = session_recall(call->session, call->waits_for[i]);
        if (call->waits_for[i] != call->msg_id && state != REQUEST_DONE)
            return state;
    }
    return REQUEST_DONE;
}

static struct call *find_ready(struct sandbox *s)
{
    for (struct call *call = s->running; call; call = call->next)
        if (call->state == CALL_WAITING && awaited(call) != REQUEST_RUNNING)
            return call;
    return NULL;
}

/* Calls that waited for one that has ended go on. */
static void wake_waiters(struct sandbox *s)
{
    struct call *call;
    while (s->n_waiting && (call = find_ready(s)) != NULL) {
        s->n_waiting--;
        call->state = CALL_NEW;
        call_run(call);
    }
}

static void call_finish(struct call *call, struct tl_value value)
{
    struct sandbox *s = call->r.sandbox;
    to_finished(call);
    if (s->stopping)
        return;
    if (!call->session->gone)
        answer(call, &value);
    bool failed = call->r.error_code != 0;
    if (failed && call->ctor && call->ctor->symbol != TL_NO_SYMBOL)
        s->stats.failed[call->ctor->symbol]++;
    session_note(call->session, call->msg_id, failed ? REQUEST_FAILED : REQUEST_DONE);
    if (call->session->connection)
        connection_touch(call->session->connection);
    strike_after(call);
    wake_waiters(s);
}

/* ---- running ---- */

static bool is_auth_method(const struct call *call)
{
    return strncmp(call->ctor->name, "auth.", 5) == 0;
}

static void call_handled(struct call *call, struct tl_value value)
{
    struct sandbox *s = call->r.sandbox;
    if (call->r.deferred)
        return;
    const struct user *user = call->r.auth->user;
    bool at_home = user && sandbox_dc_of(s, user->account->home_dc) == call->session->auth->dc;
    /* invokeWithoutUpdates around a login step is ignored, as Telegram does; other data centres
     * than one's own only give files. */
    if (at_home && (!call->r.without_updates || is_auth_method(call)))
        call->session->wants_updates = !call->session->gone;
    call_finish(call, value);
    world_run_pending(s->world, call->r.now_s);
}

static void call_execute(struct call *call)
{
    struct sandbox *s = call->r.sandbox;
    if (call->r.error_code) {
        call_finish(call, (struct tl_value){.kind = TL_ABSENT});
        return;
    }
    call->r.now_s = (int32_t)clock_unix_s(&s->clock);
    s->stats.executed[call->ctor->symbol]++;
    call_handled(call, call->method->handle(&call->r));
}

/* From wherever it waited to the handler. */
static void call_run(struct call *call)
{
    struct sandbox *s = call->r.sandbox;
    if (call->state != CALL_DELAYED) {
        enum request_state state = awaited(call);
        if (state == REQUEST_RUNNING) {
            call->state = CALL_WAITING;
            s->n_waiting++;
            return;
        }
        if (state == REQUEST_FAILED)
            fail(&call->r, 400, "MSG_WAIT_FAILED");
        struct fault_target target = fault_target_of(call);
        const struct fault *f =
            call->r.error_code ? NULL : faults_match(&s->faults, &s->protocol_rng, &target);
        if (f && !strike(call, f))
            return;
    }
    call_execute(call);
}

static void fill_request(struct call *call)
{
    struct sandbox *s = call->r.sandbox;
    struct authorization *login = key_login(call->session->auth);
    struct request *r = &call->r;
    r->auth = login;
    r->session = call->session;
    r->self = login->user;
    r->schema = call->session->auth->schema;
    r->arena = &call->arena;
    r->b = tl_builder_of(r->schema, &call->arena);
    r->now_s = (int32_t)clock_unix_s(&s->clock);
    login->active_s = r->now_s;
}

void call_receive(struct sandbox *s, struct connection *c, struct session *session, uint64_t msg_id,
                  struct slice body)
{
    struct call *call = call_new(s);
    s->stats.requests++;
    if (!call) {
        server_session_error(session->mt, msg_id, 500, "INTERNAL");
        return;
    }
    call->r.sandbox = s;
    call->r.world = s->world;
    call->session = session;
    session->calls++;
    call->connection_serial = c->serial;
    call->msg_id = msg_id;
    call->r.msg_id = msg_id;
    session_note(session, msg_id, REQUEST_RUNNING);
    bool read = call_unwrap(call, arena_copy(&call->arena, body));
    fill_request(call);
    if (!read) {
        call_finish(call, (struct tl_value){.kind = TL_ABSENT});
        return;
    }
    if (call->ctor->symbol != TL_NO_SYMBOL)
        call->method = s->methods[call->ctor->symbol];
    if (call_gate(call) && !key_enter(call))
        fail(&call->r, 406, "AUTH_KEY_DUPLICATED");
    if (call->r.error_code)
        call_finish(call, (struct tl_value){.kind = TL_ABSENT});
    else
        call_run(call);
}

/* ---- work off the loop ---- */

static void on_work(uv_work_t *work)
{
    struct call *call = work->data;
    call->work_fn(call->arg);
}

static void on_work_done(uv_work_t *work, int status)
{
    struct call *call = work->data;
    (void)status;
    call->r.deferred = false;
    call->state = CALL_NEW;
    if (call->r.sandbox->stopping) {
        call_finish(call, (struct tl_value){.kind = TL_ABSENT});
        return;
    }
    call_handled(call, call->done_fn(&call->r, call->arg));
}

struct tl_value sandbox_work(struct request *r, void (*work)(void *arg),
                             struct tl_value (*done)(struct request *r, void *arg), void *arg)
{
    struct call *call = (struct call *)r;
    call->work_fn = work;
    call->done_fn = done;
    call->arg = arg;
    call->work.data = call;
    if (uv_queue_work(r->sandbox->loop, &call->work, on_work, on_work_done) < 0)
        return fail(r, 500, "INTERNAL");
    call->state = CALL_WORKING;
    r->deferred = true;
    return (struct tl_value){.kind = TL_ABSENT};
}

void calls_stop(struct sandbox *s)
{
    for (struct call *call = s->running, *next; call; call = next) {
        next = call->next;
        if (call->state == CALL_WAITING)
            call_finish(call, (struct tl_value){.kind = TL_ABSENT});
        else if (call->state == CALL_DELAYED && !uv_is_closing((uv_handle_t *)&call->timer))
            uv_close((uv_handle_t *)&call->timer, on_timer_closed);
    }
}
