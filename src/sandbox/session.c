/* SPDX-License-Identifier: MIT
 * Sessions: finding, making, ending, and the connection each one has. */
#include <stdlib.h>

#include "sandbox/state.h"

struct session *session_find(const struct authorization *a, uint64_t id)
{
    for (struct session *session = a->sessions; session; session = session->next_of_auth)
        if (session->id == id)
            return session;
    return NULL;
}

/* The one without connection that was made first; of a full house with connections, the very first.
 */
static struct session *oldest(const struct authorization *a)
{
    struct session *last = NULL;
    struct session *last_idle = NULL;
    for (struct session *session = a->sessions; session; session = session->next_of_auth) {
        last = session;
        if (!session->connection)
            last_idle = session;
    }
    return last_idle ? last_idle : last;
}

struct session *session_get(struct sandbox *s, struct authorization *a, uint64_t id)
{
    struct session *session = session_find(a, id);
    if (session)
        return session;
    if (a->n_sessions >= SESSIONS_PER_KEY_MAX)
        session_end(s, oldest(a));
    session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    session->mt = server_session_new(&(struct server_session_config){
        .key = &a->key,
        .session_id = id,
        .clock = &s->clock,
        .rng = &s->protocol_rng,
        .digests = s->digests,
        .salts = key_salts,
        .ctx = s,
        .gzip_min = GZIP_MIN,
    });
    if (!session->mt) {
        free(session);
        return NULL;
    }
    session->auth = a;
    session->id = id;
    session->next_of_auth = a->sessions;
    a->sessions = session;
    a->n_sessions++;
    return session;
}

static void detach(struct session *session)
{
    if (!session->connection)
        return;
    struct session **link = &session->connection->sessions;
    while (*link && *link != session)
        link = &(*link)->next_of_connection;
    if (*link)
        *link = session->next_of_connection;
    session->connection = NULL;
    session->next_of_connection = NULL;
}

void session_attach(struct session *session, struct connection *connection)
{
    if (session->connection == connection)
        return;
    detach(session);
    if (!connection)
        return;
    session->connection = connection;
    session->next_of_connection = connection->sessions;
    connection->sessions = session;
    server_session_attach(session->mt);
    push_resume(connection->sandbox, session);
}

static void session_free(struct sandbox *s, struct session *session)
{
    session_queue_clear(session);
    free(session->queue);
    for (struct session **link = &s->updated; *link; link = &(*link)->next_updated) {
        if (*link == session) {
            *link = session->next_updated;
            break;
        }
    }
    server_session_free(session->mt);
    free(session);
}

void session_end(struct sandbox *s, struct session *session)
{
    detach(session);
    for (struct session **link = &session->auth->sessions; *link; link = &(*link)->next_of_auth) {
        if (*link == session) {
            *link = session->next_of_auth;
            session->auth->n_sessions--;
            break;
        }
    }
    session->gone = true;
    session->wants_updates = false;
    if (session->calls == 0)
        session_free(s, session);
}

void session_call_done(struct sandbox *s, struct session *session)
{
    if (--session->calls == 0 && session->gone)
        session_free(s, session);
}

void session_note(struct session *session, uint64_t msg_id, enum request_state state)
{
    for (size_t i = 0; i < RECENT_REQUESTS; i++) {
        if (session->recent[i].msg_id == msg_id) {
            session->recent[i].state = state;
            return;
        }
    }
    session->recent[session->recent_next].msg_id = msg_id;
    session->recent[session->recent_next].state = state;
    session->recent_next = (session->recent_next + 1) % RECENT_REQUESTS;
}

enum request_state session_recall(const struct session *session, uint64_t msg_id)
{
    for (size_t i = 0; i < RECENT_REQUESTS; i++)
        if (session->recent[i].msg_id == msg_id)
            return session->recent[i].state;
    return REQUEST_DONE;
}
