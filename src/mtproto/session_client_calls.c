/* SPDX-License-Identifier: MIT
 * Calls of a client session: how they come, go, and what becomes of those that were not answered.
 */
#include "mtproto/session_client_private.h"

#include "mtproto/ids.h"

bool client_is_service_query(const struct outgoing *m)
{
    switch (body_id(buf_slice(&m->body))) {
    case MT_DESTROY_AUTH_KEY:
    case MT_DESTROY_SESSION:
    case MT_RPC_DROP_ANSWER:
    case MT_GET_FUTURE_SALTS:
        return true;
    default:
        return false;
    }
}

static bool start_call(struct client_session *s, struct slice query, enum call_safety safety,
                       bool borrowed, void *tag)
{
    if (s->open_calls >= s->calls_max)
        return false;
    struct outgoing *m = outbox_new(&s->outbox, OUT_CALL, true);
    if (!m)
        return false;
    m->tag = tag;
    m->safety = (uint8_t)safety;
    s->open_calls++;
    s->holding = true;
    size_t prefix =
        s->init_prefix.len > s->call_prefix.len ? s->init_prefix.len : s->call_prefix.len;
    if (query.len + prefix > OUTGOING_BODY_MAX || query.len % 4 != 0) {
        client_fail(s, m, CALL_TOO_LONG);
        return true;
    }
    if (borrowed)
        outgoing_borrow(m, query);
    else
        buf_append(&m->body, query.data, query.len);
    if (m->body.failed) {
        s->open_calls--;
        outbox_recycle(&s->outbox, m);
        return false;
    }
    outbox_queue(&s->outbox, m);
    return true;
}

bool client_session_call(struct client_session *s, struct slice query, enum call_safety safety,
                         void *tag)
{
    return start_call(s, query, safety, false, tag);
}

bool client_session_call_borrowed(struct client_session *s, struct slice query,
                                  enum call_safety safety, void *tag)
{
    return start_call(s, query, safety, true, tag);
}

static bool may_have_been_taken(const struct outgoing *m)
{
    return m->unsure || m->msg_id != 0;
}

static struct outgoing *take_queued(struct client_session *s, const void *tag)
{
    struct outgoing *prev = NULL;
    for (struct outgoing *m = s->outbox.first; m; prev = m, m = m->next) {
        if (m->kind == OUT_CALL && m->tag == tag) {
            outbox_unlink(&s->outbox, prev, m);
            return m;
        }
    }
    return NULL;
}

static struct outgoing *take_sent(struct client_session *s, const void *tag)
{
    for (uint32_t i = 0; i < s->outbox.n_sent; i++) {
        if (s->outbox.sent[i]->kind == OUT_CALL && s->outbox.sent[i]->tag == tag)
            return outbox_take_sent(&s->outbox, i);
    }
    return NULL;
}

static struct outgoing *take_failed(struct client_session *s, const void *tag)
{
    struct outgoing *prev = NULL;
    for (struct outgoing *m = s->failed; m; prev = m, m = m->next) {
        if (m->tag != tag)
            continue;
        if (prev)
            prev->next = m->next;
        else
            s->failed = m->next;
        if (s->failed_last == m)
            s->failed_last = prev;
        return m;
    }
    return NULL;
}

/* The answer, if it still comes, names a msg_id that nobody knows and is passed over. */
bool client_session_cancel(struct client_session *s, void *tag)
{
    struct outgoing *m = take_queued(s, tag);
    if (!m)
        m = take_sent(s, tag);
    if (!m)
        m = take_failed(s, tag);
    if (!m)
        return false;
    bool taken = may_have_been_taken(m);
    s->open_calls--;
    outbox_recycle(&s->outbox, m);
    return taken;
}

size_t client_session_open_calls(const struct client_session *s)
{
    return s->open_calls;
}

/* ---- what becomes of a call that was not answered ---- */

void client_fail(struct client_session *s, struct outgoing *m, enum call_failure why)
{
    if (m->kind != OUT_CALL) {
        outbox_recycle(&s->outbox, m);
        return;
    }
    m->failure = (uint8_t)why;
    m->next = NULL;
    if (s->failed)
        s->failed_last->next = m;
    else
        s->failed = m;
    s->failed_last = m;
}

void client_forget_id(struct outgoing *m)
{
    m->unsure = m->unsure || m->doubtful;
    m->msg_id = 0;
    m->container_id = 0;
    m->doubtful = false;
    m->ahead = false;
}

void client_send_fresh(struct client_session *s, struct outgoing *m)
{
    client_forget_id(m);
    outbox_queue_front(&s->outbox, m);
}

bool client_may_repeat(struct outgoing *m)
{
    return m->safety == CALL_REPEATABLE && m->attempts++ < ATTEMPTS_MAX;
}

void client_lost(struct client_session *s, struct outgoing *m)
{
    m->doubtful = true;
    if (client_may_repeat(m))
        client_send_fresh(s, m);
    else
        client_fail(s, m, CALL_LOST);
}

void client_send_same(struct client_session *s, struct outgoing *m)
{
    m->doubtful = true;
    if (m->ahead)
        client_lost(s, m); /* the server would refuse that id now */
    else if (m->attempts++ >= ATTEMPTS_MAX)
        client_fail(s, m, CALL_LOST);
    else
        outbox_queue_front(&s->outbox, m);
}

void client_refused(struct client_session *s, struct outgoing *m)
{
    if (m->doubtful && m->container_id != 0)
        client_send_same(s, m); /* this copy was refused, an earlier one may have been taken */
    else if (m->doubtful)
        client_lost(s, m); /* it is the id itself that was refused */
    else if (m->attempts++ < ATTEMPTS_MAX)
        client_send_fresh(s, m);
    else
        client_fail(s, m, CALL_REFUSED);
}
