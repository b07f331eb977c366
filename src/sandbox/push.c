/* SPDX-License-Identifier: MIT
 * Updates on their way to the sessions that want them: queued as facts, built in each one's own
 * layer. */
#include <stdlib.h>

#include "sandbox/state.h"

void session_queue_clear(struct session *session)
{
    for (uint32_t i = 0; i < session->n_queue; i++)
        free((void *)(uintptr_t)session->queue[i].ids);
    session->n_queue = 0;
    session->queue_overflow = false;
}

static bool queue_room(struct session *session)
{
    if (session->n_queue >= (session->connection ? SESSION_QUEUE_MAX : ABSENT_QUEUE_MAX))
        return false;
    if (session->n_queue < session->queue_cap)
        return true;
    uint32_t cap = session->queue_cap ? session->queue_cap * 2 : 4;
    struct update *queue = realloc(session->queue, cap * sizeof *queue);
    if (!queue)
        return false;
    session->queue = queue;
    session->queue_cap = cap;
    return true;
}

void push_resume(struct sandbox *s, struct session *session)
{
    if (session->queued || (!session->n_queue && !session->queue_overflow))
        return;
    session->queued = true;
    session->next_updated = s->updated;
    s->updated = session;
}

/* Of one that has no connection now they wait for its next. */
static void queue_update(struct sandbox *s, struct session *session, const struct update *u)
{
    struct update copy;
    if (queue_room(session) && update_copy(&copy, u))
        session->queue[session->n_queue++] = copy;
    else
        session->queue_overflow = true;
    if (session->connection)
        push_resume(s, session);
}

static void push_to_key(struct sandbox *s, const struct authorization *a,
                        const struct session *except, const struct update *u)
{
    for (struct session *session = a->sessions; session; session = session->next_of_auth)
        if (session->wants_updates && session != except)
            queue_update(s, session, u);
}

void sandbox_push(struct sandbox *s, const struct session *except, struct user *to,
                  const struct update *u)
{
    if (!to->account)
        return;
    for (const struct authorization *a = to->account->logins; a; a = a->next_login) {
        push_to_key(s, a, except, u);
        for (const struct authorization *temp = a->temps; temp; temp = temp->next_temp)
            push_to_key(s, temp, except, u);
    }
}

/* All that is queued as one `updates`; NULL when nothing is left to say. */
static struct tl_object *build_queue(struct request *view, const struct session *session)
{
    if (session->queue_overflow)
        return tl_new(&view->b, C_updatesTooLong);
    struct peers peers = {0};
    struct tl_vector *vec = tl_new_vec(&view->b);
    for (uint32_t i = 0; i < session->n_queue; i++) {
        const struct update *u = &session->queue[i];
        const struct tl_object *built = u->type->build(view, u, &peers);
        if (built)
            tl_push_obj(&view->b, vec, built);
    }
    return vec && vec->n ? build_updates(view, &peers, vec) : NULL;
}

static void write_push(struct sandbox *s, const struct tl_schema *schema, struct session *session,
                       const struct tl_object *updates)
{
    const char *error = NULL;
    buf_clear(&s->scratch_buf);
    if (tl_write_object(schema, &s->scratch_buf, updates, &s->scratch, &error)) {
        server_session_push(session->mt, buf_slice(&s->scratch_buf));
        s->stats.pushes++;
        connection_touch(session->connection);
    } else if (error) {
        log_event(&s->log, LOG_ERROR, "push_not_written", log_str("reason", error));
    }
}

/* A request to build with, for that key. */
static void view_as(struct sandbox *s, struct request *view, struct authorization *login,
                    const struct tl_schema *schema)
{
    arena_reset(&s->scratch);
    sandbox_request_as(s, view, login->user, &s->scratch);
    view->auth = login;
    view->schema = schema;
    view->b = tl_builder_of(schema, &s->scratch);
}

static void deliver(struct sandbox *s, struct session *session)
{
    struct authorization *login = key_login(session->auth);
    if (!login->user)
        return;
    struct request view;
    view_as(s, &view, login, session->auth->schema);
    struct tl_object *updates = build_queue(&view, session);
    if (updates)
        write_push(s, view.schema, session, updates);
}

static void push_login_token_to(struct sandbox *s, struct authorization *a)
{
    for (struct session *session = a->sessions; session; session = session->next_of_auth) {
        if (!session->connection)
            continue;
        struct request view;
        view_as(s, &view, key_login(a), a->schema);
        struct tl_object *o = tl_new(&view.b, C_updateShort);
        tl_set_obj(o, F_update, tl_new(&view.b, C_updateLoginToken));
        tl_set_int(o, F_date, view.now_s);
        if (o)
            write_push(s, view.schema, session, o);
    }
}

void push_login_token(struct sandbox *s, struct authorization *a)
{
    push_login_token_to(s, a);
    for (struct authorization *temp = a->temps; temp; temp = temp->next_temp)
        push_login_token_to(s, temp);
}

void push_deliver(struct sandbox *s)
{
    while (s->updated) {
        struct session *session = s->updated;
        s->updated = session->next_updated;
        session->queued = false;
        if (!session->connection)
            continue;
        deliver(s, session);
        session_queue_clear(session);
    }
}
