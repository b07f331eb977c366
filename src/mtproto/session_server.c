/* SPDX-License-Identifier: MIT
 * Answers, pushes and what goes out; what comes in is in session_server_input.c. */
#include "mtproto/session_server_private.h"

#include <sodium.h>
#include <stdlib.h>
#include <zlib.h>

#include "mtproto/ids.h"
#include "mtproto/salts.h"

enum {
    INFLATE_MAX_DEFAULT = 16 * 1024 * 1024,
    RESULT_HEADER_BYTES = 12, /* rpc_result, req_msg_id */
};

struct salt_schedule server_salts(const struct server_session *s)
{
    struct salt_schedule salts = {0};
    s->salts(s->ctx, s->out.key->id, &salts);
    return salts;
}

int64_t server_now_s(const struct server_session *s)
{
    return clock_unix_s(s->clock);
}

/* ---- life ---- */

struct server_session *server_session_new(const struct server_session_config *config)
{
    struct server_session *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->clock = config->clock;
    s->salts = config->salts;
    s->ctx = config->ctx;
    s->answers_max = config->answers_max ? config->answers_max : ANSWERS_MAX_DEFAULT;
    s->inflate_max = config->inflate_max ? config->inflate_max : INFLATE_MAX_DEFAULT;
    s->gzip_min = config->gzip_min;
    s->out = (struct sealer){.key = config->key,
                             .digests = config->digests,
                             .rng = config->rng,
                             .ids = {.clock = config->clock},
                             .session_id = config->session_id,
                             .from_server = true};
    /* Room for one inflated body and what its growing leaves behind. */
    arena_init(&s->inflated, 3 * s->inflate_max);
    return s;
}

void server_session_free(struct server_session *s)
{
    if (!s)
        return;
    outbox_free(&s->outbox);
    id_window_reset(&s->seen);
    msg_ids_free(&s->acks);
    free(s->running);
    arena_free(&s->inflated);
    free(s);
}

void server_session_attach(struct server_session *s)
{
    s->inbox.left = 0;
    outbox_requeue_sent(&s->outbox);
}

void server_session_fault_bad_salt(struct server_session *s)
{
    s->fault_bad_salt = true;
}

/* ---- requests that run ---- */

uint32_t server_find_running(const struct server_session *s, uint64_t msg_id)
{
    uint32_t i = 0;
    while (i < s->n_running && s->running[i].msg_id != msg_id)
        i++;
    return i;
}

void server_forget_running(struct server_session *s, uint32_t index)
{
    if (!s->running[index].acked)
        s->n_unacked--;
    s->running[index] = s->running[--s->n_running];
}

static bool take_running(struct server_session *s, uint64_t msg_id)
{
    uint32_t at = server_find_running(s, msg_id);
    if (at == s->n_running)
        return false;
    server_forget_running(s, at);
    return true;
}

void server_session_fault_forget(struct server_session *s, uint64_t req_msg_id)
{
    if (take_running(s, req_msg_id))
        id_window_remove(&s->seen, req_msg_id);
}

/* ---- messages of ours ---- */

struct outgoing *server_service(struct server_session *s)
{
    struct outgoing *m = outbox_new(&s->outbox, OUT_SERVICE, false);
    if (!m)
        return NULL;
    m->id_kind = MSG_ID_SERVER_ANSWER;
    outbox_queue(&s->outbox, m);
    return m;
}

static struct outgoing *find_queued(struct server_session *s, uint64_t req_msg_id)
{
    for (struct outgoing *m = s->outbox.first; m; m = m->next)
        if (m->kind == OUT_ANSWER && m->req_msg_id == req_msg_id)
            return m;
    return NULL;
}

struct outgoing *server_find_answer(struct server_session *s, uint64_t req_msg_id)
{
    for (uint32_t i = s->outbox.n_sent; i-- > 0;)
        if (s->outbox.sent[i]->kind == OUT_ANSWER && s->outbox.sent[i]->req_msg_id == req_msg_id)
            return s->outbox.sent[i];
    return find_queued(s, req_msg_id);
}

/* A client that never acknowledges must not make us keep everything: what was sent first goes, for
 * it most likely arrived. False when `more` bytes do not fit all the same. */
static bool make_room(struct server_session *s, size_t more)
{
    struct outbox *o = &s->outbox;
    while (o->n_sent > 0 &&
           (o->n_sent >= s->answers_max || o->kept_bytes + more > ANSWERS_BYTES_MAX))
        outbox_recycle(o, outbox_take_sent(o, 0));
    return o->kept_bytes + more <= ANSWERS_BYTES_MAX;
}

static struct outgoing *new_answer(struct server_session *s, uint64_t req_msg_id)
{
    if (!take_running(s, req_msg_id))
        return NULL; /* dropped, or answered before */
    struct outgoing *m = outbox_new(&s->outbox, OUT_ANSWER, true);
    if (!m)
        return NULL;
    m->req_msg_id = req_msg_id;
    m->id_kind = MSG_ID_SERVER_ANSWER;
    tl_write_u32(&m->body, MT_RPC_RESULT);
    tl_write_u64(&m->body, req_msg_id);
    return m;
}

static void write_error(struct buf *b, int32_t code, const char *text)
{
    tl_write_u32(b, MT_RPC_ERROR);
    tl_write_i32(b, code);
    tl_write_bytes(b, slice_str(text));
}

/* Writes gzip_packed when that is shorter than what it packs. */
static bool write_packed(struct buf *b, struct slice result)
{
    z_stream z = {0};
    struct buf packed;
    bool shorter = false;
    /* windowBits 15 + 16: the gzip format */
    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    buf_init(&packed, result.len);
    uint8_t *at = buf_extend(&packed, result.len);
    if (at) {
        z.next_in = (Bytef *)(uintptr_t)result.data;
        z.avail_in = (uInt)result.len;
        z.next_out = at;
        z.avail_out = (uInt)result.len;
        shorter = deflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out + 16 < result.len;
    }
    if (shorter) {
        tl_write_u32(b, MT_GZIP_PACKED);
        tl_write_bytes(b, slice_of(packed.data, z.total_out));
    }
    deflateEnd(&z);
    buf_free(&packed);
    return shorter;
}

static bool pays_to_pack(const struct server_session *s, size_t len)
{
    /* tl bytes hold at most 2^24 - 1 */
    return s->gzip_min > 0 && len >= s->gzip_min && len < 1u << 24;
}

static void queue_answer(struct server_session *s, uint64_t req_msg_id, struct slice result,
                         bool pack)
{
    bool fits = make_room(s, result.len);
    struct outgoing *m = new_answer(s, req_msg_id);
    if (!m)
        return;
    if (!pack || !write_packed(&m->body, result))
        buf_append(&m->body, result.data, result.len);
    if (!fits || m->body.failed || m->body.len > ANSWER_BODY_MAX) {
        m->body.len = RESULT_HEADER_BYTES;
        m->body.failed = false;
        write_error(&m->body, 500, "ANSWER_TOO_LONG");
    }
    outbox_queue(&s->outbox, m);
}

void server_session_answer(struct server_session *s, uint64_t req_msg_id, struct slice result)
{
    queue_answer(s, req_msg_id, result, pays_to_pack(s, result.len));
}

void server_session_answer_as_is(struct server_session *s, uint64_t req_msg_id, struct slice result)
{
    queue_answer(s, req_msg_id, result, false);
}

void server_session_error(struct server_session *s, uint64_t req_msg_id, int32_t code,
                          const char *text)
{
    make_room(s, 0);
    struct outgoing *m = new_answer(s, req_msg_id);
    if (!m)
        return;
    write_error(&m->body, code, text);
    outbox_queue(&s->outbox, m);
}

void server_session_push(struct server_session *s, struct slice updates)
{
    if (updates.len > OUTGOING_BODY_MAX || !make_room(s, updates.len))
        return;
    struct outgoing *m = outbox_new(&s->outbox, OUT_PUSH, true);
    if (!m)
        return;
    m->id_kind = MSG_ID_SERVER_PUSH;
    buf_append(&m->body, updates.data, updates.len);
    if (m->body.failed)
        outbox_recycle(&s->outbox, m);
    else
        outbox_queue(&s->outbox, m);
}

void server_session_session_destroyed(struct server_session *s, uint64_t session_id, bool existed)
{
    struct outgoing *m = server_service(s);
    if (!m)
        return;
    tl_write_u32(&m->body, existed ? MT_DESTROY_SESSION_OK : MT_DESTROY_SESSION_NONE);
    tl_write_u64(&m->body, session_id);
}

/* Comes bare, as clients expect it. */
void server_session_key_destroyed(struct server_session *s, uint64_t req_msg_id, bool existed)
{
    take_running(s, req_msg_id);
    struct outgoing *m = server_service(s);
    if (m)
        tl_write_u32(&m->body, existed ? MT_DESTROY_AUTH_KEY_OK : MT_DESTROY_AUTH_KEY_NONE);
}

/* ---- what goes out ---- */

bool server_session_wants_flush(const struct server_session *s)
{
    return s->outbox.first || s->acks.n > 0 || s->n_unacked > 0;
}

/* Answers acknowledge their requests; those that take longer are acknowledged at once. */
static void queue_acks(struct server_session *s)
{
    for (uint32_t i = 0; i < s->n_running && s->n_unacked > 0; i++) {
        if (s->running[i].acked)
            continue;
        s->running[i].acked = true;
        s->n_unacked--;
        msg_ids_add(&s->acks, s->running[i].msg_id);
    }
    if (s->acks.n == 0)
        return;
    struct outgoing *m = server_service(s);
    if (m)
        service_write_ids(&m->body, MT_MSGS_ACK, s->acks.ids, s->acks.n);
    s->acks.n = 0;
}

void server_session_flush(struct server_session *s, struct transport *t, struct buf *out)
{
    if (!server_session_wants_flush(s))
        return;
    struct salt_schedule salts = server_salts(s);
    const struct salt_span *span = salts_pick(&salts, server_now_s(s));
    s->out.salt = span ? span->salt : 0;
    queue_acks(s);
    outbox_flush(&s->outbox, &s->out, clock_mono_ns(s->clock), t, SIZE_MAX, out);
}
