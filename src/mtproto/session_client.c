/* SPDX-License-Identifier: MIT
 * Calls, time and what goes out; what comes in is in session_client_input.c. */
#include "mtproto/session_client_private.h"

#include <sodium.h>
#include <stdlib.h>

#include "mtproto/ids.h"
#include "mtproto/salts.h"

enum {
    CALLS_MAX_DEFAULT = 4096,
    INFLATE_MAX_DEFAULT = 16 * 1024 * 1024, /* the largest answers are a few MiB */
    PONG_WAIT_S = 15,
    PING_SLACK_S = 15,       /* the server closes that long after a ping of ours was due */
    CHECK_AFTER_S = 30,      /* an unanswered call is asked about after that */
    RELEASE_AFTER_S = 10,    /* an idle session gives its buffers back */
    SALTS_LEFT_MIN_S = 3600, /* ask for more when the schedule ends before */
    SALTS_ASK_EVERY_S = 60,
};

int64_t client_now_s(const struct client_session *s)
{
    return (clock_mono_ns(s->clock) + s->out.ids.offset_ns) / NS_PER_S;
}

/* Room for a message's inflated body and the one inside of it, with the arena's own. */
static size_t client_arena_max(const struct client_session *s)
{
    return 3 * s->inflate_max;
}

/* Ids ahead of the server's clock must not hold the next ones up, nor be used again. Whether the
 * server took them is another question: it did if its clock was ahead then and was set back. */
static void turn_ids_back(struct client_session *s)
{
    struct outbox *o = &s->outbox;
    int64_t limit_s = client_now_s(s) + MSG_ID_FUTURE_S;
    uint64_t last = 0;
    struct outgoing *prev = NULL;
    struct outgoing *next;
    for (struct outgoing *m = o->first; m; m = next) {
        bool ahead = msg_id_unix_s(m->msg_id) > limit_s;
        next = m->next;
        if (ahead && m->doubtful && m->safety == CALL_ONCE) {
            outbox_unlink(o, prev, m);
            client_lost(s, m);
            continue;
        }
        if (ahead)
            client_forget_id(m);
        else if (m->msg_id > last)
            last = m->msg_id;
        prev = m;
    }
    for (uint32_t i = 0; i < o->n_sent; i++) {
        o->sent[i]->ahead = msg_id_unix_s(o->sent[i]->msg_id) > limit_s;
        if (!o->sent[i]->ahead && o->sent[i]->msg_id > last)
            last = o->sent[i]->msg_id;
    }
    s->out.ids.last = last;
}

void client_set_clock(struct client_session *s, uint64_t server_msg_id)
{
    int64_t before_ns = s->out.ids.offset_ns;
    s->out.ids.offset_ns = msg_id_unix_ns(server_msg_id) - clock_mono_ns(s->clock);
    if (llabs(s->out.ids.offset_ns - before_ns) >= NS_PER_S)
        s->notices |= NOTICE_CLOCK;
    if (msg_id_unix_s(s->out.ids.last) > client_now_s(s) + MSG_ID_FUTURE_S)
        turn_ids_back(s);
}

static int64_t mono_ns(const struct client_session *s)
{
    return clock_mono_ns(s->clock);
}

/* ---- life ---- */

static void begin_session_id(struct client_session *s)
{
    do
        s->out.session_id = rng_u64(s->out.rng);
    while (s->out.session_id == 0);
    s->out.content_sent = 0;
    s->inited = false;
    s->known = false;
    s->relinked = false;
    s->acks.n = 0;
    s->acks_now = false;
    id_window_reset(&s->seen);
}

struct client_session *client_session_new(const struct client_session_config *config)
{
    size_t prefixes = config->init_prefix.len + config->call_prefix.len;
    struct client_session *s = calloc(1, sizeof *s + prefixes);
    if (!s)
        return NULL;
    uint8_t *at = (uint8_t *)(s + 1);
    s->init_prefix = slice_of(at, config->init_prefix.len);
    s->call_prefix = slice_of(at + config->init_prefix.len, config->call_prefix.len);
    if (config->init_prefix.len > 0)
        memcpy(at, config->init_prefix.data, config->init_prefix.len);
    if (config->call_prefix.len > 0)
        memcpy(at + config->init_prefix.len, config->call_prefix.data, config->call_prefix.len);
    s->key = config->key;
    s->salts = config->salts;
    s->clock = config->clock;
    s->calls_max = config->calls_max ? config->calls_max : CALLS_MAX_DEFAULT;
    s->inflate_max = config->inflate_max ? config->inflate_max : INFLATE_MAX_DEFAULT;
    s->ping_idle_ns = config->ping_idle_ns;
    s->out = (struct sealer){.key = &s->key,
                             .digests = config->digests,
                             .rng = config->rng,
                             .ids = {.clock = config->clock, .monotonic = true}};
    s->out.ids.offset_ns =
        config->clock_offset_ns + clock_wall_ns(s->clock) - clock_mono_ns(s->clock);
    arena_init(&s->inflated, client_arena_max(s));
    begin_session_id(s);
    return s;
}

static void free_failed(struct client_session *s)
{
    while (s->failed) {
        struct outgoing *m = s->failed;
        s->failed = m->next;
        outbox_recycle(&s->outbox, m);
    }
}

static void release(struct client_session *s)
{
    outbox_release(&s->outbox);
    id_window_release(&s->seen);
    msg_ids_free(&s->acks);
    arena_free(&s->inflated);
    arena_init(&s->inflated, client_arena_max(s));
    s->holding = false;
}

void client_session_free(struct client_session *s)
{
    if (!s)
        return;
    size_t prefixes = s->init_prefix.len + s->call_prefix.len;
    free_failed(s);
    release(s);
    outbox_free(&s->outbox);
    sodium_memzero(s, sizeof *s + prefixes);
    free(s);
}

/* ---- links ---- */

/* Asks what became of the calls that were sent before that time and not answered. */
static void ask_about_calls(struct client_session *s, int64_t sent_before_ns)
{
    struct outbox *o = &s->outbox;
    struct msg_ids ids = {0};
    for (uint32_t i = o->n_sent; i-- > 0;)
        if (o->sent[i]->kind != OUT_CALL) /* the last such question was not answered */
            outbox_recycle(o, outbox_take_sent(o, i));
    for (uint32_t i = 0; i < o->n_sent; i++)
        if (o->sent[i]->sent_ns <= sent_before_ns)
            msg_ids_add(&ids, o->sent[i]->msg_id);
    struct outgoing *m = ids.n > 0 ? outbox_new(o, OUT_STATE_REQ, true) : NULL;
    if (m) {
        m->safety = CALL_REPEATABLE;
        service_write_ids(&m->body, MT_MSGS_STATE_REQ, ids.ids, ids.n);
        outbox_queue_front(o, m);
    }
    msg_ids_free(&ids);
}

void client_session_connected(struct client_session *s)
{
    if (s->connected)
        client_session_disconnected(s);
    s->connected = true;
    s->heard = false;
    s->n_stale = 0;
    s->ping_sent_ns = 0;
    s->broken = NULL;
    s->last_in_ns = mono_ns(s);
    s->last_use_ns = s->last_in_ns;
    ask_about_calls(s, s->last_in_ns);
}

/* What was sent over the link may or may not have arrived. Under its old id the server takes it at
 * most once while it keeps the session; whether it does is asked before a CALL_ONCE goes again.
 * What only served the link is forgotten. */
void client_session_disconnected(struct client_session *s)
{
    struct outbox *o = &s->outbox;
    struct outgoing *next;
    s->connected = false;
    s->relinked = true;
    s->inbox.left = 0;
    s->check_ns = 0;
    s->ping_sent_ns = 0;
    s->salts_asked_ns = 0;
    for (struct outgoing *m = outbox_take_all(o); m; m = next) {
        next = m->next;
        if (m->kind != OUT_CALL) {
            outbox_recycle(o, m);
            continue;
        }
        m->doubtful = m->doubtful || m->msg_id != 0;
        bool stays = m->doubtful && m->safety == CALL_ONCE;
        if (!stays && m->ahead)
            client_forget_id(m);
        if (!stays)
            outbox_queue(o, m);
        else if (m->ahead || !outbox_keep(o, m))
            client_fail(s, m, CALL_LOST);
    }
}

/* ---- another session id ---- */

void client_renew(struct client_session *s)
{
    struct outgoing *next;
    begin_session_id(s);
    for (struct outgoing *m = outbox_take_all(&s->outbox); m; m = next) {
        next = m->next;
        if (m->kind != OUT_CALL) {
            outbox_recycle(&s->outbox, m);
        } else if (m->msg_id != 0 && !client_may_repeat(m)) {
            client_fail(s, m, CALL_LOST);
        } else {
            m->doubtful = m->msg_id != 0;
            client_forget_id(m);
            outbox_queue(&s->outbox, m);
        }
    }
}

void client_session_renew(struct client_session *s)
{
    client_renew(s);
}

void client_break(struct client_session *s, const char *why)
{
    if (!s->broken)
        s->broken = why;
    s->inbox.left = 0;
}

/* ---- what goes out ---- */

struct outgoing *client_service(struct client_session *s, bool content)
{
    struct outgoing *m = outbox_new(&s->outbox, OUT_SERVICE, content);
    if (m)
        outbox_queue_front(&s->outbox, m);
    s->holding = true;
    return m;
}

static void queue_acks(struct client_session *s)
{
    struct outgoing *m = s->acks.n > 0 ? client_service(s, false) : NULL;
    if (!m)
        return;
    service_write_ids(&m->body, MT_MSGS_ACK, s->acks.ids, s->acks.n);
    s->acks.n = 0;
    s->acks_now = false;
    s->acks_due_ns = 0;
}

static void queue_ping(struct client_session *s, int64_t now)
{
    struct outgoing *m = client_service(s, true);
    if (!m)
        return;
    s->ping_id = rng_u64(s->out.rng);
    s->ping_sent_ns = now;
    tl_write_u32(&m->body, MT_PING_DELAY_DISCONNECT);
    tl_write_u64(&m->body, s->ping_id);
    tl_write_i32(&m->body, (int32_t)(s->ping_idle_ns / NS_PER_S) + PING_SLACK_S);
}

static void queue_salts_request(struct client_session *s, int64_t now)
{
    bool asked = s->salts_asked_ns != 0 && now - s->salts_asked_ns < SALTS_ASK_EVERY_S * NS_PER_S;
    if (asked || salts_left_s(&s->salts, client_now_s(s)) >= SALTS_LEFT_MIN_S)
        return;
    struct outgoing *m = client_service(s, true);
    if (!m)
        return;
    s->salts_asked_ns = now;
    tl_write_u32(&m->body, MT_GET_FUTURE_SALTS);
    tl_write_i32(&m->body, SALTS_MAX);
}

static void choose_prefixes(struct client_session *s)
{
    for (struct outgoing *m = s->outbox.first; m; m = m->next) {
        if (m->kind != OUT_CALL || client_is_service_query(m))
            continue;
        m->prefix = s->inited ? s->call_prefix : s->init_prefix;
        m->wrapped = !s->inited;
    }
}

static void choose_salt(struct client_session *s)
{
    const struct salt_span *span = salts_pick(&s->salts, client_now_s(s));
    if (span)
        s->out.salt = span->salt;
    else if (s->out.salt == 0 && s->salts.n > 0)
        s->out.salt =
            s->salts.spans[s->salts.n - 1].salt; /* expired: the server will say the next */
}

bool client_session_wants_flush(const struct client_session *s)
{
    return s->connected && (s->outbox.first || s->acks.n > ACKS_MAX || s->acks_now);
}

void client_session_flush(struct client_session *s, struct transport *t, struct buf *out)
{
    if (!client_session_wants_flush(s))
        return;
    int64_t now = mono_ns(s);
    queue_salts_request(s, now);
    queue_acks(s);
    choose_prefixes(s);
    choose_salt(s);
    outbox_flush(&s->outbox, &s->out, now, t, FLUSH_BYTES, out);
    s->last_use_ns = now;
    if (s->check_ns == 0 && s->outbox.n_sent > 0)
        s->check_ns = now + CHECK_AFTER_S * NS_PER_S;
}

/* ---- time ---- */

static bool is_idle(const struct client_session *s)
{
    return s->open_calls == 0 && !s->outbox.first && s->outbox.n_sent == 0 && s->acks.n == 0 &&
           s->inbox.left == 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t client_session_deadline_ns(const struct client_session *s)
{
    int64_t due = INT64_MAX;
    if (s->holding && is_idle(s))
        due = s->last_use_ns + RELEASE_AFTER_S * NS_PER_S;
    if (!s->connected)
        return due;
    if (s->acks.n > 0 && !s->acks_now)
        due = earlier(due, s->acks_due_ns);
    if (s->outbox.n_sent > 0 && s->check_ns != 0)
        due = earlier(due, s->check_ns);
    if (s->ping_sent_ns != 0)
        due = earlier(due, s->ping_sent_ns + PONG_WAIT_S * NS_PER_S);
    else if (s->ping_idle_ns > 0)
        due = earlier(due, s->last_in_ns + s->ping_idle_ns);
    return due;
}

static void tick_link(struct client_session *s, int64_t now)
{
    if (s->acks.n > 0 && now >= s->acks_due_ns)
        s->acks_now = true;
    if (s->check_ns != 0 && now >= s->check_ns) {
        ask_about_calls(s, now - CHECK_AFTER_S * NS_PER_S);
        s->check_ns = s->outbox.n_sent > 0 ? now + CHECK_AFTER_S * NS_PER_S : 0;
    }
    if (s->ping_sent_ns != 0) {
        if (now >= s->ping_sent_ns + PONG_WAIT_S * NS_PER_S)
            client_break(s, "no answer to a ping");
    } else if (s->ping_idle_ns > 0 && now >= s->last_in_ns + s->ping_idle_ns) {
        queue_ping(s, now);
    }
}

void client_session_tick(struct client_session *s)
{
    int64_t now = mono_ns(s);
    if (s->connected)
        tick_link(s, now);
    if (s->holding && is_idle(s) && now >= s->last_use_ns + RELEASE_AFTER_S * NS_PER_S)
        release(s);
}

/* ---- events ---- */

static bool take_notice(struct client_session *s, unsigned notice, enum client_event_type type,
                        struct client_event *event)
{
    if ((s->notices & notice) == 0)
        return false;
    s->notices &= ~notice;
    event->type = type;
    return true;
}

static bool take_failed(struct client_session *s, struct client_event *event)
{
    struct outgoing *m = s->failed;
    if (!m)
        return false;
    s->failed = m->next;
    s->open_calls--;
    *event = (struct client_event){
        .type = CLIENT_FAILED, .tag = m->tag, .failure = (enum call_failure)m->failure};
    outbox_recycle(&s->outbox, m);
    return true;
}

static bool take_broken(struct client_session *s, struct client_event *event)
{
    if (!s->broken)
        return false;
    *event = (struct client_event){.type = CLIENT_BROKEN, .text = slice_str(s->broken)};
    s->broken = NULL;
    return true;
}

static bool take_pending(struct client_session *s, struct client_event *event)
{
    return take_notice(s, NOTICE_RENEWED, CLIENT_RENEWED, event) ||
           take_notice(s, NOTICE_CLOCK, CLIENT_CLOCK, event) ||
           take_notice(s, NOTICE_SALTS, CLIENT_SALTS, event) || take_failed(s, event) ||
           take_broken(s, event);
}

bool client_session_next(struct client_session *s, struct client_event *event)
{
    *event = (struct client_event){.type = CLIENT_NONE};
    if (take_pending(s, event))
        return true;
    return client_read_event(s, event) || take_pending(s, event);
}

const struct salt_schedule *client_session_salts(const struct client_session *s)
{
    return &s->salts;
}

int64_t client_session_clock_offset(const struct client_session *s)
{
    return s->out.ids.offset_ns + clock_mono_ns(s->clock) - clock_wall_ns(s->clock);
}

const struct auth_key *client_session_key(const struct client_session *s)
{
    return &s->key;
}
