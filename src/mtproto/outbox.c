/* SPDX-License-Identifier: MIT */
#include "mtproto/outbox.h"

#include <stdlib.h>

#include "mtproto/ids.h"

enum {
    POOL_MAX = 144,         /* records kept for reuse: 64 in flight, 64 that wait for their ack */
    POOL_BODY_BYTES = 1024, /* larger bodies are given back at once */
    BIG_BODY_BYTES = 64 * 1024, /* goes alone, so that small ones do not wait behind it */
    SENT_CAP_MIN = 16,
    FRAME_OVERHEAD_MAX = 128, /* headers and padding of a frame and its sealed message */
};

/* ---- records ---- */

struct outgoing *outbox_new(struct outbox *o, enum outgoing_kind kind, bool content)
{
    struct outgoing *m = o->pool;
    struct buf body = {.max = ANSWER_BODY_MAX};
    if (m) {
        o->pool = m->next;
        o->n_pool--;
        body = m->body;
    } else {
        m = malloc(sizeof *m);
        if (!m)
            return NULL;
    }
    *m = (struct outgoing){.kind = (uint8_t)kind, .content = content, .body = body};
    return m;
}

void outgoing_borrow(struct outgoing *m, struct slice body)
{
    buf_free(&m->body);
    m->borrowed = true;
    m->body = (struct buf){.data = (uint8_t *)(uintptr_t)body.data, /* only read */
                           .len = body.len,
                           .max = ANSWER_BODY_MAX};
}

static void drop_body(struct outgoing *m)
{
    if (m->borrowed)
        m->body = (struct buf){.max = ANSWER_BODY_MAX};
    else
        buf_shrink(&m->body, POOL_BODY_BYTES);
    m->borrowed = false;
}

static bool is_kept(const struct outgoing *m)
{
    return m->kind != OUT_SERVICE;
}

void outbox_recycle(struct outbox *o, struct outgoing *m)
{
    drop_body(m);
    if (o->n_pool == POOL_MAX) {
        buf_free(&m->body);
        free(m);
        return;
    }
    m->next = o->pool;
    o->pool = m;
    o->n_pool++;
}

/* ---- the queue ---- */

static void count_in(struct outbox *o, const struct outgoing *m)
{
    if (is_kept(m))
        o->kept_bytes += m->body.len;
}

static void count_out(struct outbox *o, const struct outgoing *m)
{
    if (is_kept(m))
        o->kept_bytes -= m->body.len;
}

static size_t body_bytes(const struct outgoing *m)
{
    return m->prefix.len + m->body.len;
}

static bool is_big(const struct outgoing *m)
{
    return body_bytes(m) > BIG_BODY_BYTES;
}

/* The one that m goes behind; NULL: it is the first. */
static struct outgoing *place_of(const struct outbox *o, const struct outgoing *m)
{
    struct outgoing *prev = NULL;
    if (!o->last || !is_big(o->last) || is_big(m))
        return o->last;
    for (struct outgoing *at = o->first; !is_big(at); at = at->next)
        prev = at;
    return prev;
}

void outbox_queue(struct outbox *o, struct outgoing *m)
{
    struct outgoing *prev = place_of(o, m);
    m->next = prev ? prev->next : o->first;
    if (prev)
        prev->next = m;
    else
        o->first = m;
    if (!m->next)
        o->last = m;
    count_in(o, m);
}

void outbox_queue_front(struct outbox *o, struct outgoing *m)
{
    m->next = o->first;
    o->first = m;
    if (!o->last)
        o->last = m;
    count_in(o, m);
}

void outbox_unlink(struct outbox *o, struct outgoing *prev, struct outgoing *m)
{
    if (prev)
        prev->next = m->next;
    else
        o->first = m->next;
    if (o->last == m)
        o->last = prev;
    m->next = NULL;
    count_out(o, m);
}

/* ---- what was sent ---- */

static uint32_t lower_bound(const struct outbox *o, uint64_t msg_id)
{
    if (o->n_sent == 0 || o->sent[o->n_sent - 1]->msg_id < msg_id)
        return o->n_sent;
    uint32_t low = 0;
    uint32_t high = o->n_sent;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (o->sent[middle]->msg_id < msg_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t outbox_find(const struct outbox *o, uint64_t msg_id)
{
    uint32_t at = lower_bound(o, msg_id);
    return at < o->n_sent && o->sent[at]->msg_id == msg_id ? at : o->n_sent;
}

struct outgoing *outbox_take_sent(struct outbox *o, uint32_t index)
{
    struct outgoing *m = o->sent[index];
    o->n_sent--;
    memmove(o->sent + index, o->sent + index + 1, (o->n_sent - index) * sizeof *o->sent);
    count_out(o, m);
    return m;
}

struct outgoing *outbox_take(struct outbox *o, uint64_t msg_id)
{
    uint32_t at = outbox_find(o, msg_id);
    if (at < o->n_sent)
        return outbox_take_sent(o, at);
    struct outgoing *prev = NULL;
    for (struct outgoing *m = o->first; m && msg_id != 0; prev = m, m = m->next) {
        if (m->msg_id == msg_id) {
            outbox_unlink(o, prev, m);
            return m;
        }
    }
    return NULL;
}

void outbox_requeue_sent(struct outbox *o)
{
    while (o->n_sent > 0)
        outbox_queue_front(o, outbox_take_sent(o, o->n_sent - 1));
}

static bool reserve_sent(struct outbox *o, size_t more)
{
    size_t cap = o->cap_sent ? o->cap_sent : SENT_CAP_MIN;
    while (cap < o->n_sent + more)
        cap *= 2;
    if (cap == o->cap_sent)
        return true;
    struct outgoing **sent = realloc(o->sent, cap * sizeof(struct outgoing *));
    if (!sent)
        return false;
    o->sent = sent;
    o->cap_sent = (uint32_t)cap;
    return true;
}

static void keep_sent(struct outbox *o, struct outgoing *m)
{
    uint32_t at = lower_bound(o, m->msg_id);
    memmove(o->sent + at + 1, o->sent + at, (o->n_sent - at) * sizeof *o->sent);
    o->sent[at] = m;
    o->n_sent++;
    count_in(o, m);
}

struct outgoing *outbox_take_all(struct outbox *o)
{
    outbox_requeue_sent(o);
    struct outgoing *all = o->first;
    o->first = NULL;
    o->last = NULL;
    o->kept_bytes = 0;
    return all;
}

bool outbox_keep(struct outbox *o, struct outgoing *m)
{
    if (!reserve_sent(o, 1))
        return false;
    keep_sent(o, m);
    return true;
}

/* ---- frames ---- */

static bool goes_alone(const struct outgoing *m)
{
    return m->alone || is_big(m);
}

/* How many from the front of the queue go into the next frame. */
static size_t batch_size(const struct outbox *o)
{
    const struct outgoing *m = o->first;
    size_t bytes = CONTAINER_HEADER_BYTES + CONTAINER_ITEM_BYTES + body_bytes(m);
    size_t n = 1;
    if (goes_alone(m))
        return n;
    for (m = m->next; m && n < CONTAINER_MESSAGES_MAX && !goes_alone(m); m = m->next) {
        bytes += CONTAINER_ITEM_BYTES + body_bytes(m);
        if (bytes > MESSAGE_BODY_MAX)
            break;
        n++;
    }
    return n;
}

static uint32_t next_seq_no(struct sealer *s, bool content)
{
    return content ? 2 * s->content_sent++ + 1 : 2 * s->content_sent;
}

static void number(struct sealer *s, struct outgoing *m)
{
    if (m->msg_id != 0)
        return;
    m->msg_id = msg_id_next(&s->ids, m->id_kind);
    m->seq_no = next_seq_no(s, m->content);
}

static void write_item_header(struct buf *out, const struct outgoing *m)
{
    uint8_t *at = buf_extend(out, CONTAINER_ITEM_BYTES);
    if (!at)
        return;
    store_le64(at, m->msg_id);
    store_le32(at + 8, m->seq_no);
    store_le32(at + 12, (uint32_t)body_bytes(m));
}

static void write_container_header(struct buf *out, size_t n)
{
    uint8_t *at = buf_extend(out, CONTAINER_HEADER_BYTES);
    if (!at)
        return;
    store_le32(at, MT_MSG_CONTAINER);
    store_le32(at + 4, (uint32_t)n);
}

static void settle(struct outbox *o, struct outgoing *m, uint64_t container_id, int64_t now_ns)
{
    m->container_id = container_id;
    m->sent_ns = now_ns;
    if (is_kept(m))
        keep_sent(o, m);
    else
        outbox_recycle(o, m);
}

static size_t frame_bytes_about(const struct outgoing *m, size_t n)
{
    size_t bytes = FRAME_OVERHEAD_MAX;
    for (size_t i = 0; i < n; i++, m = m->next)
        bytes += CONTAINER_ITEM_BYTES + body_bytes(m);
    return bytes;
}

/* A message that is sent again keeps its id; inside a container its age does not matter, for the
 * receiver compares only the outer id with its clock. */
static void write_frame(struct outbox *o, struct sealer *s, size_t n, int64_t now_ns,
                        struct transport *t, struct buf *out)
{
    bool container = n > 1 || o->first->msg_id != 0;
    size_t frame = transport_frame_begin(t, out);
    size_t seal = mt_seal_begin(out);
    struct outgoing *batch = o->first;
    struct outgoing *m = batch;

    buf_reserve(out, frame_bytes_about(batch, n)); /* grows once, not by doubling */
    if (container)
        write_container_header(out, n);
    for (size_t i = 0; i < n; i++, m = m->next) {
        number(s, m);
        if (container)
            write_item_header(out, m);
        buf_append(out, m->prefix.data, m->prefix.len);
        buf_append(out, m->body.data, m->body.len);
    }
    uint64_t msg_id = batch->msg_id;
    uint32_t seq_no = batch->seq_no;
    if (container) {
        msg_id = msg_id_next(&s->ids, batch->id_kind);
        seq_no = next_seq_no(s, false);
    }
    mt_seal_end(s->key, s->digests, s->from_server, s->rng, out, seal, s->salt, s->session_id,
                msg_id, seq_no);
    transport_frame_end(t, out, frame, false, s->rng);
    for (size_t i = 0; i < n; i++) {
        m = o->first;
        outbox_unlink(o, NULL, m);
        settle(o, m, container ? msg_id : 0, now_ns);
    }
}

void outbox_flush(struct outbox *o, struct sealer *s, int64_t now_ns, struct transport *t,
                  size_t bytes_max, struct buf *out)
{
    while (o->first && out->len < bytes_max) {
        size_t n = batch_size(o);
        if (!reserve_sent(o, n)) {
            out->failed = true;
            return;
        }
        write_frame(o, s, n, now_ns, t, out);
    }
}

/* ---- memory ---- */

static void free_list(struct outgoing *m)
{
    while (m) {
        struct outgoing *next = m->next;
        drop_body(m);
        buf_free(&m->body);
        free(m);
        m = next;
    }
}

void outbox_release(struct outbox *o)
{
    free_list(o->pool);
    o->pool = NULL;
    o->n_pool = 0;
    if (o->n_sent == 0) {
        free(o->sent);
        o->sent = NULL;
        o->cap_sent = 0;
    }
}

void outbox_free(struct outbox *o)
{
    free_list(outbox_take_all(o));
    outbox_release(o);
}
