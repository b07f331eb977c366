/* SPDX-License-Identifier: MIT
 * What comes in: a frame's messages are checked together, then handled one by one. */
#include "mtproto/session_server_private.h"

#include <stdlib.h>

#include "mtproto/ids.h"
#include "mtproto/salts.h"
#include "tl/value.h"

enum {
    SEEN_MAX = 2048, /* ids by which copies are recognised: two full containers */
    RUNNING_CAP_MIN = 8,
    SALTS_SENT_MIN = 2, /* fewer make some clients ask without end */
};

/* ---- refusals ---- */

/* A notice goes in a frame of its own: clients let it pass though it is out of their time, but not
 * a container with it. */
static struct outgoing *notice(struct server_session *s)
{
    struct outgoing *m = server_service(s);
    if (m)
        m->alone = true;
    return m;
}

static void refuse(struct server_session *s, uint64_t msg_id, uint32_t seq_no,
                   enum bad_msg_code code)
{
    struct outgoing *m = notice(s);
    if (!m)
        return;
    tl_write_u32(&m->body, MT_BAD_MSG_NOTIFICATION);
    tl_write_u64(&m->body, msg_id);
    tl_write_u32(&m->body, seq_no);
    tl_write_u32(&m->body, code);
}

static void refuse_salt(struct server_session *s, const struct mt_message *in, uint64_t salt)
{
    struct outgoing *m = notice(s);
    if (!m)
        return;
    tl_write_u32(&m->body, MT_BAD_SERVER_SALT);
    tl_write_u64(&m->body, in->msg_id);
    tl_write_u32(&m->body, in->seq_no);
    tl_write_u32(&m->body, BAD_MSG_SALT);
    tl_write_u64(&m->body, salt);
}

static uint64_t current_salt(const struct salt_schedule *salts, int64_t now_s)
{
    const struct salt_span *span = salts_pick(salts, now_s);
    return span ? span->salt : 0;
}

/* ---- checks ---- */

enum { ACCEPTED = 0 };

/* Parities are told apart only where all clients agree; acknowledgements, pings and the like come
 * with both. */
static int check_parity(const struct incoming *in)
{
    bool odd = in->seq_no % 2 == 1;
    switch (body_id(in->body)) {
    case MT_MSGS_ACK:
    case MT_MSG_CONTAINER:
    case MT_PING:
    case MT_PING_DELAY_DISCONNECT:
    case MT_GET_FUTURE_SALTS:
    case MT_MSGS_STATE_REQ:
    case MT_MSGS_STATE_INFO:
    case MT_MSGS_ALL_INFO:
    case MT_MSG_RESEND_REQ:
    case MT_MSG_RESEND_ANS_REQ:
    case MT_HTTP_WAIT:
    case MT_DESTROY_SESSION:
    case MT_DESTROY_AUTH_KEY:
    case MT_RPC_DROP_ANSWER:
        return ACCEPTED;
    default:
        return odd ? ACCEPTED : BAD_MSG_SEQ_EVEN;
    }
}

/* seq_no must grow with msg_id. Only the highest so far is compared with: it is what a client whose
 * counter or clock went wrong runs into. */
static int check_order(const struct server_session *s, uint64_t msg_id, uint32_t seq_no)
{
    bool odd = seq_no % 2 == 1;
    if (msg_id > s->highest_id &&
        (seq_no < s->highest_seq_no || (odd && seq_no == s->highest_seq_no)))
        return BAD_MSG_SEQ_TOO_LOW;
    if (msg_id < s->highest_id && seq_no > s->highest_seq_no)
        return BAD_MSG_SEQ_TOO_HIGH;
    return ACCEPTED;
}

static int check_time(const struct server_session *s, uint64_t msg_id)
{
    int64_t ahead_s = msg_id_unix_s(msg_id) - server_now_s(s);
    if (ahead_s > MSG_ID_FUTURE_S)
        return BAD_MSG_ID_TOO_HIGH;
    return ahead_s < -MSG_ID_PAST_S ? BAD_MSG_ID_TOO_LOW : ACCEPTED;
}

static int check_inner(const struct server_session *s, const struct mt_message *outer,
                       const struct incoming *in, bool outer_seen)
{
    bool fresh = id_window_state(&s->seen, in->msg_id) == ID_NEW;
    if (in->msg_id % 4 != 0)
        return BAD_MSG_ID_BITS;
    if (in->msg_id >= outer->msg_id)
        return BAD_MSG_CONTAINER;
    if (fresh && outer_seen)
        return BAD_MSG_CONTAINER_ID_REPEATED;
    return fresh ? check_parity(in) : ACCEPTED;
}

/* Checks all messages of a frame, so that a container is taken or refused whole. */
static int check_frame(struct server_session *s, const struct mt_message *m)
{
    struct inbox all;
    struct incoming in;
    int code = ACCEPTED;
    bool seen = id_window_state(&s->seen, m->msg_id) != ID_NEW;
    if (!inbox_open(&all, m->msg_id, m->seq_no, m->body))
        return BAD_MSG_CONTAINER;
    if (!all.container)
        return seen ? ACCEPTED : check_parity(&all.single);
    while (code == ACCEPTED && inbox_next(&all, &in))
        code = check_inner(s, m, &in, seen);
    return code;
}

/* A copy of what was taken before passes: its parts are recognised one by one. */
static int check(struct server_session *s, const struct mt_message *m)
{
    if (m->msg_id % 4 != 0)
        return BAD_MSG_ID_BITS;
    enum id_state state = id_window_state(&s->seen, m->msg_id);
    int code = ACCEPTED;
    if (state == ID_FORGOTTEN)
        return BAD_MSG_TOO_OLD;
    if (state == ID_NEW) {
        code = check_time(s, m->msg_id);
        if (code == ACCEPTED)
            code = check_order(s, m->msg_id, m->seq_no);
    }
    return code == ACCEPTED ? check_frame(s, m) : code;
}

static bool salt_is_good(struct server_session *s, const struct mt_message *m)
{
    /* Checked first a copy would be refused whose original was taken, and its sender would send
     * the same again under another id. */
    if (id_window_state(&s->seen, m->msg_id) == ID_SEEN)
        return true;
    struct salt_schedule salts = server_salts(s);
    int64_t now = server_now_s(s);
    if (!s->fault_bad_salt && salts_accept(&salts, m->salt, now))
        return true;
    s->fault_bad_salt = false;
    refuse_salt(s, m, current_salt(&salts, now));
    return false;
}

static void say_new_session(struct server_session *s, uint64_t first_msg_id)
{
    struct outgoing *m = outbox_new(&s->outbox, OUT_PUSH, true);
    if (!m)
        return;
    struct salt_schedule salts = server_salts(s);
    m->id_kind = MSG_ID_SERVER_PUSH;
    tl_write_u32(&m->body, MT_NEW_SESSION_CREATED);
    tl_write_u64(&m->body, first_msg_id);
    tl_write_u64(&m->body, rng_u64(s->out.rng));
    tl_write_u64(&m->body, current_salt(&salts, server_now_s(s)));
    outbox_queue(&s->outbox, m);
}

void server_session_input(struct server_session *s, const struct mt_message *m)
{
    s->inbox.left = 0;
    if (!salt_is_good(s, m))
        return;
    int code = check(s, m);
    if (code != ACCEPTED) {
        refuse(s, m->msg_id, m->seq_no, (enum bad_msg_code)code);
        return;
    }
    if (!inbox_open(&s->inbox, m->msg_id, m->seq_no, m->body))
        return;
    if (s->first_msg_id == 0) {
        s->first_msg_id = m->msg_id;
        say_new_session(s, m->msg_id);
    }
    if (s->inbox.container && id_window_state(&s->seen, m->msg_id) == ID_NEW)
        id_window_add(&s->seen, m->msg_id, SEEN_MAX);
    if (m->msg_id > s->highest_id) {
        s->highest_id = m->msg_id;
        s->highest_seq_no = m->seq_no;
    }
}

/* ---- handlers: true when the event is filled in ---- */

static bool on_msgs_ack(struct server_session *s, const struct incoming *in,
                        struct server_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    tl_read_u32(&r);
    for (uint32_t n = service_read_ids(&r); n > 0; n--) {
        struct outgoing *m = outbox_take(&s->outbox, tl_read_u64(&r));
        if (m)
            outbox_recycle(&s->outbox, m);
    }
    return false;
}

static void pong(struct server_session *s, uint64_t msg_id, uint64_t ping_id)
{
    struct outgoing *m = server_service(s);
    if (!m)
        return;
    tl_write_u32(&m->body, MT_PONG);
    tl_write_u64(&m->body, msg_id);
    tl_write_u64(&m->body, ping_id);
}

static bool on_ping(struct server_session *s, const struct incoming *in, struct server_event *event)
{
    struct tl_reader r = tl_reader_of(in->body);
    uint32_t id = tl_read_u32(&r);
    uint64_t ping_id = tl_read_u64(&r);
    int32_t delay_s = id == MT_PING_DELAY_DISCONNECT ? tl_read_i32(&r) : 0;
    if (r.error)
        return false;
    pong(s, in->msg_id, ping_id);
    if (id == MT_PING)
        return false;
    *event =
        (struct server_event){.type = SERVER_DISCONNECT_IN, .msg_id = in->msg_id, .code = delay_s};
    return true;
}

static bool on_get_future_salts(struct server_session *s, const struct incoming *in,
                                struct server_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    tl_read_u32(&r);
    uint32_t wanted = tl_read_u32(&r);
    struct salt_schedule salts = server_salts(s);
    size_t n = wanted < SALTS_SENT_MIN ? SALTS_SENT_MIN : wanted;
    if (n > salts.n)
        n = salts.n;
    struct outgoing *m = server_service(s);
    if (!m)
        return false;
    tl_write_u32(&m->body, MT_FUTURE_SALTS);
    tl_write_u64(&m->body, in->msg_id);
    tl_write_i32(&m->body, (int32_t)server_now_s(s));
    tl_write_u32(&m->body, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        tl_write_i32(&m->body, (int32_t)salts.spans[i].valid_since);
        tl_write_i32(&m->body, (int32_t)salts.spans[i].valid_until);
        tl_write_u64(&m->body, salts.spans[i].salt);
    }
    return false;
}

static uint8_t state_of(struct server_session *s, uint64_t msg_id)
{
    switch (id_window_state(&s->seen, msg_id)) {
    case ID_FORGOTTEN:
        return MSG_STATE_FORGOTTEN;
    case ID_NEW:
        if (msg_id < s->first_msg_id)
            return MSG_STATE_FORGOTTEN; /* an earlier session of that id may have had it */
        return msg_id > id_window_last(&s->seen) ? MSG_STATE_NOT_YET : MSG_STATE_NOT_RECEIVED;
    default:
        break;
    }
    if (server_find_running(s, msg_id) < s->n_running)
        return MSG_STATE_RECEIVED | MSG_STATE_PROCESSING;
    if (server_find_answer(s, msg_id))
        return MSG_STATE_RECEIVED | MSG_STATE_PROCESSING | MSG_STATE_ANSWERED;
    return MSG_STATE_RECEIVED;
}

static void say_states(struct server_session *s, uint64_t req_msg_id, struct tl_reader ids,
                       uint32_t n)
{
    uint8_t info[SERVICE_IDS_MAX];
    for (uint32_t i = 0; i < n; i++)
        info[i] = state_of(s, tl_read_u64(&ids));
    struct outgoing *m = server_service(s);
    if (!m)
        return;
    tl_write_u32(&m->body, MT_MSGS_STATE_INFO);
    tl_write_u64(&m->body, req_msg_id);
    tl_write_bytes(&m->body, slice_of(info, n));
}

static bool on_msgs_state_req(struct server_session *s, const struct incoming *in,
                              struct server_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    tl_read_u32(&r);
    uint32_t n = service_read_ids(&r);
    say_states(s, in->msg_id, r, n);
    return false;
}

static bool send_again(struct server_session *s, uint64_t msg_id)
{
    uint32_t at = outbox_find(&s->outbox, msg_id);
    if (at == s->outbox.n_sent)
        return false;
    outbox_queue(&s->outbox, outbox_take_sent(&s->outbox, at));
    return true;
}

/* Asked for by the id of our message, or of the request it answers. */
static bool on_msg_resend_req(struct server_session *s, const struct incoming *in,
                              struct server_event *event)
{
    (void)event;
    struct tl_reader r = tl_reader_of(in->body);
    bool by_request = tl_read_u32(&r) == MT_MSG_RESEND_ANS_REQ;
    uint32_t n = service_read_ids(&r);
    struct tl_reader ids = r;
    bool all = true;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t id = tl_read_u64(&r);
        const struct outgoing *m = by_request ? server_find_answer(s, id) : NULL;
        all = send_again(s, m ? m->msg_id : id) && all;
    }
    if (!all)
        say_states(s, in->msg_id, ids, n);
    return false;
}

static void answer_drop(struct server_session *s, uint64_t msg_id, uint32_t ctor,
                        const struct outgoing *dropped)
{
    struct outgoing *m = outbox_new(&s->outbox, OUT_ANSWER, true);
    if (!m)
        return;
    m->req_msg_id = msg_id;
    m->id_kind = MSG_ID_SERVER_ANSWER;
    tl_write_u32(&m->body, MT_RPC_RESULT);
    tl_write_u64(&m->body, msg_id);
    tl_write_u32(&m->body, ctor);
    if (dropped) {
        tl_write_u64(&m->body, dropped->msg_id);
        tl_write_u32(&m->body, dropped->seq_no);
        tl_write_u32(&m->body, (uint32_t)dropped->body.len);
    }
    outbox_queue(&s->outbox, m);
}

/* Only the answer is dropped: the request runs on. */
static bool on_rpc_drop_answer(struct server_session *s, const struct incoming *in,
                               struct server_event *event)
{
    struct tl_reader r = tl_reader_of(in->body);
    tl_read_u32(&r);
    uint64_t req_msg_id = tl_read_u64(&r);
    uint32_t at = server_find_running(s, req_msg_id);
    if (at < s->n_running) {
        server_forget_running(s, at);
        answer_drop(s, in->msg_id, MT_RPC_ANSWER_DROPPED_RUNNING, NULL);
        *event = (struct server_event){.type = SERVER_DROP_ANSWER, .msg_id = req_msg_id};
        return true;
    }
    struct outgoing *answer = server_find_answer(s, req_msg_id);
    if (!answer || answer->msg_id == 0 || !outbox_take(&s->outbox, answer->msg_id)) {
        answer_drop(s, in->msg_id, MT_RPC_ANSWER_UNKNOWN, NULL);
        return false;
    }
    answer_drop(s, in->msg_id, MT_RPC_ANSWER_DROPPED, answer);
    outbox_recycle(&s->outbox, answer);
    return false;
}

static bool on_destroy_session(struct server_session *s, const struct incoming *in,
                               struct server_event *event)
{
    (void)s;
    struct tl_reader r = tl_reader_of(in->body);
    tl_read_u32(&r);
    *event = (struct server_event){
        .type = SERVER_DESTROY_SESSION, .msg_id = in->msg_id, .session_id = tl_read_u64(&r)};
    return !r.error;
}

static bool on_destroy_auth_key(struct server_session *s, const struct incoming *in,
                                struct server_event *event)
{
    (void)s;
    *event = (struct server_event){.type = SERVER_DESTROY_KEY, .msg_id = in->msg_id};
    return true;
}

static bool on_http_wait(struct server_session *s, const struct incoming *in,
                         struct server_event *event)
{
    (void)s;
    *event = (struct server_event){.type = SERVER_HTTP_WAIT, .msg_id = in->msg_id};
    return true;
}

/* What a client tells about our messages: we resend by acknowledgements alone. */
static bool on_info(struct server_session *s, const struct incoming *in, struct server_event *event)
{
    (void)s;
    (void)in;
    (void)event;
    return false;
}

static const struct {
    uint32_t id;
    bool (*handle)(struct server_session *s, const struct incoming *in, struct server_event *event);
} handlers[] = {
    {MT_MSGS_ACK, on_msgs_ack},
    {MT_PING, on_ping},
    {MT_PING_DELAY_DISCONNECT, on_ping},
    {MT_GET_FUTURE_SALTS, on_get_future_salts},
    {MT_MSGS_STATE_REQ, on_msgs_state_req},
    {MT_MSG_RESEND_REQ, on_msg_resend_req},
    {MT_MSG_RESEND_ANS_REQ, on_msg_resend_req},
    {MT_RPC_DROP_ANSWER, on_rpc_drop_answer},
    {MT_DESTROY_SESSION, on_destroy_session},
    {MT_DESTROY_AUTH_KEY, on_destroy_auth_key},
    {MT_HTTP_WAIT, on_http_wait},
    {MT_MSGS_STATE_INFO, on_info},
    {MT_MSGS_ALL_INFO, on_info},
    {MT_MSG_DETAILED_INFO, on_info},
    {MT_MSG_NEW_DETAILED_INFO, on_info},
};

static bool add_running(struct server_session *s, uint64_t msg_id)
{
    if (s->n_running == s->cap_running) {
        uint32_t cap = s->cap_running ? s->cap_running * 2 : RUNNING_CAP_MIN;
        struct running *list = cap > RUNNING_MAX ? NULL : realloc(s->running, cap * sizeof *list);
        if (!list)
            return false;
        s->running = list;
        s->cap_running = cap;
    }
    s->running[s->n_running++] = (struct running){.msg_id = msg_id};
    s->n_unacked++;
    return true;
}

static bool hand_out(struct server_session *s, const struct incoming *in,
                     struct server_event *event)
{
    if (!add_running(s, in->msg_id)) {
        s->inbox.left = 0;
        *event = (struct server_event){.type = SERVER_BROKEN, .reason = "too many requests"};
        return true;
    }
    *event = (struct server_event){.type = SERVER_REQUEST, .msg_id = in->msg_id, .body = in->body};
    return true;
}

static bool inflate_body(struct server_session *s, struct slice *body)
{
    struct tl_reader r = tl_reader_of(*body);
    tl_read_u32(&r);
    struct slice packed = tl_read_bytes(&r);
    arena_reset(&s->inflated);
    return !r.error && tl_inflate(packed, s->inflate_max, &s->inflated, body);
}

static bool dispatch(struct server_session *s, struct incoming *in, struct server_event *event)
{
    if (body_id(in->body) == MT_GZIP_PACKED && !inflate_body(s, &in->body)) {
        if (add_running(s, in->msg_id))
            server_session_error(s, in->msg_id, 400, "INPUT_FETCH_ERROR");
        return false;
    }
    uint32_t id = body_id(in->body);
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
        if (handlers[i].id == id)
            return handlers[i].handle(s, in, event);
    return hand_out(s, in, event);
}

/* A copy: its answer may have been lost on the way. */
static void answer_copy(struct server_session *s, const struct incoming *in)
{
    const struct outgoing *answer = server_find_answer(s, in->msg_id);
    if (answer)
        send_again(s, answer->msg_id);
    else if (in->seq_no % 2 == 1)
        msg_ids_add(&s->acks, in->msg_id);
}

/* Whether it is new and is to be handled. */
static bool accept(struct server_session *s, const struct incoming *in)
{
    switch (id_window_state(&s->seen, in->msg_id)) {
    case ID_SEEN:
        answer_copy(s, in);
        return false;
    case ID_FORGOTTEN:
        /* This one alone: the others of its container are known to be new. */
        refuse(s, in->msg_id, in->seq_no, BAD_MSG_TOO_OLD);
        return false;
    default:
        return id_window_add(&s->seen, in->msg_id, SEEN_MAX);
    }
}

bool server_session_next(struct server_session *s, struct server_event *event)
{
    struct incoming in;
    *event = (struct server_event){.type = SERVER_NONE};
    while (inbox_next(&s->inbox, &in))
        if (accept(s, &in) && dispatch(s, &in, event))
            return true;
    return false;
}
