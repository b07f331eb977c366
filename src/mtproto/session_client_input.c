/* SPDX-License-Identifier: MIT
 * What comes in: frames are opened, their messages checked and handed to one handler each. */
#include "mtproto/session_client_private.h"

#include "mtproto/ids.h"
#include "tl/value.h"

enum {
    SEEN_MAX = 1024,     /* msg_ids remembered; the guidelines ask for "the last N" */
    STALE_MAX = 8,       /* frames outside the time window in a row; then the link is of no use */
    SALT_GUESS_S = 1800, /* how long a salt without a schedule is trusted */
};

/* ---- frames ---- */

static bool is_exempt(uint32_t id)
{
    return id == MT_BAD_SERVER_SALT || id == MT_BAD_MSG_NOTIFICATION;
}

/* Replayed messages come from the past; the first message of a link may show that our clock is
 * behind, which costs the attacker who could make it a valid auth key. */
static void check_time(struct client_session *s, uint64_t msg_id)
{
    int64_t ahead_s = msg_id_unix_s(msg_id) - client_now_s(s);
    if (ahead_s > MSG_ID_FUTURE_S && !s->heard) {
        client_set_clock(s, msg_id);
        ahead_s = 0;
    }
    s->stale = ahead_s > MSG_ID_FUTURE_S || ahead_s < -MSG_ID_PAST_S;
    s->n_stale = s->stale ? (uint16_t)(s->n_stale + 1) : 0;
    if (s->n_stale > STALE_MAX)
        client_break(s, "the server's messages are out of time");
}

bool client_session_input(struct client_session *s, uint8_t *frame, size_t len)
{
    struct mt_message m;
    s->inbox.left = 0;
    if (!mt_open(&s->key, s->out.digests, true, frame, len, &m) ||
        m.session_id != s->out.session_id)
        return false;
    s->last_in_ns = clock_mono_ns(s->clock);
    s->last_use_ns = s->last_in_ns;
    s->holding = true;
    check_time(s, m.msg_id);
    s->heard = s->heard || !s->stale;
    if (s->broken)
        return true;
    if (!inbox_open(&s->inbox, m.msg_id, m.seq_no, m.body))
        client_break(s, "malformed container");
    else if (s->inbox.container && !s->stale && id_window_state(&s->seen, m.msg_id) == ID_NEW)
        id_window_add(&s->seen, m.msg_id, SEEN_MAX);
    return true;
}

/* ---- answers ---- */

static struct slice inflate_body(struct client_session *s, struct slice body)
{
    struct tl_reader r = tl_reader_of(body);
    struct slice out = {0};
    tl_read_u32(&r);
    struct slice packed = tl_read_bytes(&r);
    if (r.error || !tl_inflate(packed, s->inflate_max, &s->inflated, &out))
        return (struct slice){0};
    return out;
}

static void finish_call(struct client_session *s, struct outgoing *m)
{
    s->open_calls--;
    outbox_recycle(&s->outbox, m);
}

static bool is_uninited(struct slice text)
{
    return slice_is(text, "CONNECTION_NOT_INITED") || slice_is(text, "CONNECTION_LAYER_INVALID");
}

/* Such an error is no execution, so the call may go again with initConnection in front. */
static bool read_rpc_error(struct client_session *s, struct outgoing *m, struct slice body,
                           struct client_event *event)
{
    struct tl_reader r = tl_reader_of(body);
    tl_read_u32(&r);
    int32_t code = tl_read_i32(&r);
    struct slice text = tl_read_bytes(&r);
    if (is_uninited(text) && m->attempts++ < ATTEMPTS_MAX) {
        s->inited = false;
        client_send_fresh(s, m);
        return false;
    }
    *event = (struct client_event){
        .type = CLIENT_ERROR, .tag = m->tag, .code = code, .text = text, .unsure = m->unsure};
    finish_call(s, m);
    return true;
}

static bool read_answer(struct client_session *s, struct outgoing *m, struct slice body,
                        struct client_event *event)
{
    if (body_id(body) == MT_GZIP_PACKED)
        body = inflate_body(s, body);
    if (body.len < 4) {
        client_fail(s, m, CALL_UNREADABLE);
        return false;
    }
    if (body_id(body) == MT_RPC_ERROR)
        return read_rpc_error(s, m, body, event);
    s->inited = s->inited || m->wrapped;
    *event = (struct client_event){.type = CLIENT_RESULT, .tag = m->tag, .body = body};
    finish_call(s, m);
    return true;
}

static bool on_rpc_result(struct client_session *s, const struct incoming *in,
                          struct client_event *event)
{
    struct tl_reader r = tl_reader_of(in->body);
    tl_read_u32(&r);
    struct outgoing *m = outbox_take(&s->outbox, tl_read_u64(&r));
    if (!m)
        return false; /* cancelled */
    if (m->kind != OUT_CALL) {
        outbox_recycle(&s->outbox, m);
        return false;
    }
    return read_answer(s, m, tl_read_raw(&r, tl_left(&r)), event);
}

/* Some queries are answered bare, without naming them: the oldest of that kind is meant. */
static bool answer_bare(struct client_session *s, uint32_t query_id, const struct incoming *in,
                        struct client_event *event)
{
    for (uint32_t i = 0; i < s->outbox.n_sent; i++) {
        struct outgoing *m = s->outbox.sent[i];
        if (m->kind == OUT_CALL && body_id(buf_slice(&m->body)) == query_id)
            return read_answer(s, outbox_take_sent(&s->outbox, i), in->body, event);
    }
    return false;
}

static bool on_key_destroyed(struct client_session *s, const struct incoming *in,
                             struct client_event *event)
{
    return answer_bare(s, MT_DESTROY_AUTH_KEY, in, event);
}

static bool on_session_destroyed(struct client_session *s, const struct incoming *in,
                                 struct client_event *event)
{
    return answer_bare(s, MT_DESTROY_SESSION, in, event);
}

/* ---- notices about our messages ---- */

static bool travelled_as(const struct outgoing *m, uint64_t msg_id)
{
    /* No message has the id 0, but it is the container_id of all that went alone. */
    return msg_id != 0 && (m->msg_id == msg_id || m->container_id == msg_id);
}

/* Takes what has that id, or travelled in the container of that id, newest first, so that putting
 * one after the other in front keeps their order. NULL when there is no more. */
static struct outgoing *take_refused(struct client_session *s, uint64_t bad_msg_id)
{
    for (uint32_t i = s->outbox.n_sent; i-- > 0;)
        if (travelled_as(s->outbox.sent[i], bad_msg_id))
            return outbox_take_sent(&s->outbox, i);
    return NULL;
}

/* Out of time only a notice about what is in flight is believed: it can be no replay. */
static bool is_ours(const struct client_session *s, uint64_t msg_id)
{
    for (uint32_t i = 0; i < s->outbox.n_sent; i++)
        if (travelled_as(s->outbox.sent[i], msg_id))
            return true;
    return false;
}

static bool on_bad_server_salt(struct client_session *s, const struct incoming *in,
                               struct client_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    tl_read_u32(&r);
    uint64_t bad_msg_id = tl_read_u64(&r);
    tl_read_u32(&r);
    tl_read_u32(&r);
    uint64_t salt = tl_read_u64(&r);
    if (r.error || (s->stale && !is_ours(s, bad_msg_id)))
        return false;
    int64_t now = client_now_s(s);
    /* The schedule was wrong altogether; the next one is asked for with the next flush. */
    s->salts.n = 1;
    s->salts.spans[0] = (struct salt_span){salt, now - SALT_GUESS_S, now + SALT_GUESS_S};
    s->salts_asked_ns = 0;
    s->notices |= NOTICE_SALTS;
    struct outgoing *m;
    while ((m = take_refused(s, bad_msg_id)))
        client_refused(s, m);
    return false;
}

/* A container whose id was seen may be a copy of one that was taken: its calls are asked about with
 * the next tick. */
static void ask_soon(struct client_session *s, uint64_t container_id)
{
    for (uint32_t i = 0; i < s->outbox.n_sent; i++) {
        if (!travelled_as(s->outbox.sent[i], container_id))
            continue;
        s->outbox.sent[i]->sent_ns = INT64_MIN; /* long ago */
        s->check_ns = s->last_in_ns;
    }
}

static void apply_bad_msg(struct client_session *s, struct outgoing *m, uint32_t code)
{
    switch (code) {
    case BAD_MSG_TOO_OLD:
        client_lost(s, m);
        break;
    case BAD_MSG_CONTAINER:
        m->alone = !m->doubtful;
        client_refused(s, m);
        break;
    case BAD_MSG_ID_TOO_LOW:
    case BAD_MSG_ID_TOO_HIGH:
    case BAD_MSG_ID_BITS:
    case BAD_MSG_SEQ_TOO_LOW:
    case BAD_MSG_SEQ_TOO_HIGH:
    case BAD_MSG_SEQ_ODD:
    case BAD_MSG_SEQ_EVEN:
        client_refused(s, m);
        break;
    default:
        client_fail(s, m, CALL_REFUSED);
        break;
    }
}

static bool on_bad_msg_notification(struct client_session *s, const struct incoming *in,
                                    struct client_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    tl_read_u32(&r);
    uint64_t bad_msg_id = tl_read_u64(&r);
    tl_read_u32(&r);
    uint32_t code = tl_read_u32(&r);
    if (r.error || (s->stale && !is_ours(s, bad_msg_id)))
        return false;
    if (code == BAD_MSG_ID_TOO_LOW || code == BAD_MSG_ID_TOO_HIGH)
        client_set_clock(s, in->msg_id);
    struct outgoing *m;
    if (code == BAD_MSG_CONTAINER_ID_REPEATED)
        ask_soon(s, bad_msg_id);
    else
        while ((m = take_refused(s, bad_msg_id)))
            apply_bad_msg(s, m, code);
    if (code == BAD_MSG_SEQ_TOO_LOW || code == BAD_MSG_SEQ_TOO_HIGH)
        client_renew(s);
    return false;
}

/* The server knows nothing of m. A young id stays, in case a copy is still on its way. */
static void forgotten(struct client_session *s, struct outgoing *m)
{
    bool young = client_now_s(s) - msg_id_unix_s(m->msg_id) < MSG_ID_PAST_S;
    if (young && m->safety == CALL_REPEATABLE)
        client_send_same(s, m);
    else
        client_lost(s, m);
}

/* The id that the server saw first of the frame m travelled in. */
static uint64_t outer_id(const struct outgoing *m)
{
    return m->container_id != 0 ? m->container_id : m->msg_id;
}

/* Ids do not tell the order once the server's clock was set back. */
static bool was_sent_before(const struct outgoing *m, uint64_t first_msg_id)
{
    return m->msg_id != 0 && (outer_id(m) < first_msg_id || m->ahead);
}

/* The server knows nothing of what it got before that message. */
static void lose_before(struct client_session *s, uint64_t first_msg_id)
{
    struct outgoing *lost = NULL;
    struct outgoing *prev = NULL;
    struct outgoing *next;
    for (struct outgoing *m = s->outbox.first; m; m = next) {
        next = m->next;
        if (!was_sent_before(m, first_msg_id)) {
            prev = m;
            continue;
        }
        outbox_unlink(&s->outbox, prev, m);
        m->next = lost;
        lost = m;
    }
    for (; lost; lost = next) {
        next = lost->next;
        forgotten(s, lost);
    }
    for (uint32_t i = s->outbox.n_sent; i-- > 0;)
        if (was_sent_before(s->outbox.sent[i], first_msg_id))
            forgotten(s, outbox_take_sent(&s->outbox, i));
}

/* Copies that went over earlier links went to a session that is forgotten: an answer that comes now
 * tells nothing of them. */
static void doubt_earlier_copies(struct client_session *s)
{
    for (struct outgoing *m = s->outbox.first; m; m = m->next)
        m->unsure = m->unsure || m->doubtful;
    for (uint32_t i = 0; i < s->outbox.n_sent; i++)
        s->outbox.sent[i]->unsure = s->outbox.sent[i]->unsure || s->outbox.sent[i]->doubtful;
}

/* A session id that began on this link cannot have been forgotten yet: what was sent is still going
 * to be answered, whatever a careless server calls its first message. */
static bool on_new_session_created(struct client_session *s, const struct incoming *in,
                                   struct client_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    tl_read_u32(&r);
    uint64_t first_msg_id = tl_read_u64(&r);
    if (r.error)
        return false;
    if (s->known) {
        s->notices |= NOTICE_RENEWED;
        s->inited = false;
    }
    if (s->known || s->relinked) {
        lose_before(s, first_msg_id);
        doubt_earlier_copies(s);
    }
    s->known = true;
    return false;
}

static bool on_msgs_ack(struct client_session *s, const struct incoming *in,
                        struct client_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    tl_read_u32(&r);
    for (uint32_t n = service_read_ids(&r); n > 0; n--) {
        uint32_t at = outbox_find(&s->outbox, tl_read_u64(&r));
        if (at < s->outbox.n_sent)
            s->outbox.sent[at]->sent_ns = s->last_in_ns; /* no need to ask about it soon */
    }
    return false;
}

/* ---- state of messages ---- */

/* What is said of a message that was sent with the question or after it may be out of date. */
static void apply_state(struct client_session *s, const struct outgoing *asked, uint64_t msg_id,
                        uint8_t state, struct msg_ids *answered)
{
    uint32_t at = outbox_find(&s->outbox, msg_id);
    if (at == s->outbox.n_sent || s->outbox.sent[at]->kind != OUT_CALL)
        return;
    struct outgoing *m = s->outbox.sent[at];
    if (!was_sent_before(m, outer_id(asked)))
        return;
    switch (state & MSG_STATE_MASK) {
    case MSG_STATE_FORGOTTEN:
        forgotten(s, outbox_take_sent(&s->outbox, at));
        break;
    case MSG_STATE_NOT_RECEIVED:
    case MSG_STATE_NOT_YET:
        client_send_same(s, outbox_take_sent(&s->outbox, at));
        break;
    default:
        m->sent_ns = s->last_in_ns;
        if (state & MSG_STATE_ANSWERED)
            msg_ids_add(answered, msg_id);
        break;
    }
}

static void apply_states(struct client_session *s, const struct outgoing *asked, struct slice info)
{
    struct msg_ids answered = {0};
    struct tl_reader ids = tl_reader_of(buf_slice(&asked->body));
    tl_read_u32(&ids);
    uint32_t n = service_read_ids(&ids);
    for (uint32_t i = 0; i < n && i < info.len; i++)
        apply_state(s, asked, tl_read_u64(&ids), info.data[i], &answered);
    struct outgoing *m = answered.n > 0 ? client_service(s, true) : NULL;
    if (m)
        service_write_ids(&m->body, MT_MSG_RESEND_ANS_REQ, answered.ids, answered.n);
    msg_ids_free(&answered);
}

static bool on_msgs_state_info(struct client_session *s, const struct incoming *in,
                               struct client_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    tl_read_u32(&r);
    uint64_t req_msg_id = tl_read_u64(&r);
    struct slice info = tl_read_bytes(&r);
    uint32_t at = outbox_find(&s->outbox, req_msg_id);
    if (r.error || at == s->outbox.n_sent || s->outbox.sent[at]->kind != OUT_STATE_REQ)
        return false;
    struct outgoing *asked = outbox_take_sent(&s->outbox, at);
    apply_states(s, asked, info);
    outbox_recycle(&s->outbox, asked);
    return false;
}

/* Told without being asked: we ask when we want to know. */
static bool on_msgs_all_info(struct client_session *s, const struct incoming *in,
                             struct client_event *event)
{
    (void)s;
    (void)in;
    (void)event;
    return false;
}

static uint8_t state_of(const struct client_session *s, uint64_t msg_id)
{
    switch (id_window_state(&s->seen, msg_id)) {
    case ID_SEEN:
        return MSG_STATE_RECEIVED;
    case ID_FORGOTTEN:
        return MSG_STATE_FORGOTTEN;
    default:
        return msg_id > id_window_last(&s->seen) ? MSG_STATE_NOT_YET : MSG_STATE_NOT_RECEIVED;
    }
}

static bool on_msgs_state_req(struct client_session *s, const struct incoming *in,
                              struct client_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    uint8_t info[SERVICE_IDS_MAX];
    tl_read_u32(&r);
    uint32_t n = service_read_ids(&r);
    for (uint32_t i = 0; i < n; i++)
        info[i] = state_of(s, tl_read_u64(&r));
    struct outgoing *m = client_service(s, false);
    if (!m)
        return false;
    tl_write_u32(&m->body, MT_MSGS_STATE_INFO);
    tl_write_u64(&m->body, in->msg_id);
    tl_write_bytes(&m->body, slice_of(info, n));
    return false;
}

static bool on_msg_resend_req(struct client_session *s, const struct incoming *in,
                              struct client_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    tl_read_u32(&r);
    for (uint32_t n = service_read_ids(&r); n > 0; n--) {
        uint32_t at = outbox_find(&s->outbox, tl_read_u64(&r));
        if (at < s->outbox.n_sent)
            client_send_same(s, outbox_take_sent(&s->outbox, at));
    }
    return false;
}

/* An answer exists: if it did not come, ask for it; if it did, the server missed our ack. */
static void want_answer(struct client_session *s, uint64_t answer_msg_id)
{
    if (id_window_state(&s->seen, answer_msg_id) == ID_SEEN) {
        msg_ids_add(&s->acks, answer_msg_id);
        return;
    }
    struct outgoing *m = client_service(s, false);
    if (m)
        service_write_ids(&m->body, MT_MSG_RESEND_REQ, &answer_msg_id, 1);
}

static bool on_msg_detailed_info(struct client_session *s, const struct incoming *in,
                                 struct client_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    if (tl_read_u32(&r) == MT_MSG_DETAILED_INFO)
        tl_read_u64(&r);
    uint64_t answer_msg_id = tl_read_u64(&r);
    if (!r.error)
        want_answer(s, answer_msg_id);
    return false;
}

/* ---- the rest ---- */

static bool on_future_salts(struct client_session *s, const struct incoming *in,
                            struct client_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    struct salt_schedule fresh = {0};
    tl_read_raw(&r, 4 + 8 + 4); /* constructor, req_msg_id, now */
    uint32_t n = tl_read_count(&r, 16);
    for (uint32_t i = 0; i < n && fresh.n < SALTS_MAX; i++) {
        struct salt_span *span = &fresh.spans[fresh.n++];
        span->valid_since = tl_read_i32(&r);
        span->valid_until = tl_read_i32(&r);
        span->salt = tl_read_u64(&r);
    }
    if (r.error || fresh.n == 0)
        return false;
    s->salts = fresh;
    s->notices |= NOTICE_SALTS;
    return false;
}

static bool on_pong(struct client_session *s, const struct incoming *in, struct client_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    tl_read_u32(&r);
    tl_read_u64(&r);
    if (tl_read_u64(&r) == s->ping_id)
        s->ping_sent_ns = 0;
    return false;
}

static bool on_update(struct client_session *s, const struct incoming *in,
                      struct client_event *event)
{
    (void)s;
    if (in->body.len < 4)
        return false;
    *event = (struct client_event){.type = CLIENT_UPDATES, .body = in->body};
    return true;
}

static const struct {
    uint32_t id;
    bool (*handle)(struct client_session *s, const struct incoming *in, struct client_event *event);
} handlers[] = {
    {MT_RPC_RESULT, on_rpc_result},
    {MT_MSGS_ACK, on_msgs_ack},
    {MT_PONG, on_pong},
    {MT_NEW_SESSION_CREATED, on_new_session_created},
    {MT_BAD_SERVER_SALT, on_bad_server_salt},
    {MT_BAD_MSG_NOTIFICATION, on_bad_msg_notification},
    {MT_FUTURE_SALTS, on_future_salts},
    {MT_MSGS_STATE_INFO, on_msgs_state_info},
    {MT_MSGS_ALL_INFO, on_msgs_all_info},
    {MT_MSGS_STATE_REQ, on_msgs_state_req},
    {MT_MSG_RESEND_REQ, on_msg_resend_req},
    {MT_MSG_DETAILED_INFO, on_msg_detailed_info},
    {MT_MSG_NEW_DETAILED_INFO, on_msg_detailed_info},
    {MT_DESTROY_AUTH_KEY_OK, on_key_destroyed},
    {MT_DESTROY_AUTH_KEY_NONE, on_key_destroyed},
    {MT_DESTROY_AUTH_KEY_FAIL, on_key_destroyed},
    {MT_DESTROY_SESSION_OK, on_session_destroyed},
    {MT_DESTROY_SESSION_NONE, on_session_destroyed},
};

static void note_ack(struct client_session *s, const struct incoming *in)
{
    if (in->seq_no % 2 == 0)
        return;
    if (s->acks.n == 0)
        s->acks_due_ns = s->last_in_ns + ACKS_DELAY_S * NS_PER_S;
    msg_ids_add(&s->acks, in->msg_id);
}

/* Whether the message is to be handled: from a server, in time, not seen before. One that was seen
 * is acknowledged again, for the server would not send it twice had it got the first. */
static bool accept(struct client_session *s, const struct incoming *in)
{
    bool exempt = is_exempt(body_id(in->body));
    if (in->msg_id % 2 == 0 || (s->stale && !exempt))
        return false;
    enum id_state state = id_window_state(&s->seen, in->msg_id);
    if (state != ID_FORGOTTEN)
        note_ack(s, in);
    if (state != ID_NEW)
        return false;
    return id_window_add(&s->seen, in->msg_id, SEEN_MAX);
}

static bool dispatch(struct client_session *s, const struct incoming *in,
                     struct client_event *event)
{
    uint32_t id = body_id(in->body);
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
        if (handlers[i].id == id)
            return handlers[i].handle(s, in, event);
    return on_update(s, in, event);
}

bool client_read_event(struct client_session *s, struct client_event *event)
{
    struct incoming in;
    while (inbox_next(&s->inbox, &in)) {
        if (!accept(s, &in))
            continue;
        arena_reset(&s->inflated); /* once a message: what is packed may hold what is packed */
        if (body_id(in.body) == MT_GZIP_PACKED)
            in.body = inflate_body(s, in.body);
        if (body_id(in.body) != MT_MSG_CONTAINER && dispatch(s, &in, event))
            return true;
    }
    return false;
}
