/* SPDX-License-Identifier: MIT
 * Pages of histories. */
#include "sandbox/page.h"

#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/input.h"

struct id_view id_view_of(const struct request *r, int64_t peer)
{
    struct id_view v = {.peer = peer};
    const struct id_list *l = NULL;
    if (peer_kind(peer) == PEER_CHANNEL) {
        const struct chat *c = world_chat(r->world, peer);
        l = c ? chat_ids(c, r->self, &v.first) : NULL;
    } else {
        const struct dialog *d = user_dialog_find(r->self, peer);
        l = d ? &d->ids : NULL;
    }
    if (l) {
        v.ids = l->ids;
        v.n = l->n;
    }
    if (v.first > v.n)
        v.first = v.n;
    return v;
}

/* Index of the first id >= id, within the view. */
static uint32_t lower(const struct id_view *v, int64_t id)
{
    if (id > INT32_MAX)
        return v->n;
    struct id_list l = {.ids = (int32_t *)(uintptr_t)v->ids, .n = v->n};
    uint32_t at = id <= 0 ? 0 : id_list_lower(&l, (int32_t)id);
    return at < v->first ? v->first : at;
}

/* Index of the first message of that date or later; dates grow with ids. */
static uint32_t lower_date(const struct request *r, const struct id_view *v, int32_t date)
{
    uint32_t low = v->first, high = v->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct message *m = world_message(r->world, r->self, v->peer, v->ids[mid]);
        if (m && m->date < date)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static uint32_t clamp(int64_t at, uint32_t low, uint32_t high)
{
    return at < low ? low : at > high ? high : (uint32_t)at;
}

struct page page_of(const struct request *r, const struct id_view *v)
{
    const struct tl_object *q = r->query;
    int64_t offset_id = tl_int(q, F_offset_id), min_id = tl_int(q, F_min_id),
            max_id = tl_int(q, F_max_id);
    int32_t offset_date = (int32_t)tl_int(q, F_offset_date);
    int64_t limit = tl_int(q, F_limit);
    limit = limit < 0 ? 0 : limit > PAGE_MAX ? PAGE_MAX : limit;
    uint32_t low = min_id > 0 ? lower(v, min_id + 1) : v->first;
    uint32_t high = max_id > 0 ? lower(v, max_id) : v->n;
    high = high < low ? low : high;
    int64_t at = high;
    if (offset_id > 0)
        at = lower(v, offset_id);
    else if (offset_date > 0)
        at = lower_date(r, v, offset_date);
    at = clamp(at, low, high);
    int64_t end = at - tl_int(q, F_add_offset);
    struct page p = {.begin = clamp(end - limit, low, high),
                     .end = clamp(end, low, high),
                     .newer = v->n - (uint32_t)at};
    return p;
}

static uint64_t page_hash(const struct id_view *v, struct page p)
{
    struct id_hash h = {0};
    for (uint32_t i = p.end; i-- > p.begin;)
        id_hash_add(&h, v->ids[i]);
    return h.acc;
}

static struct tl_object *page_object(struct request *r, const struct id_view *v, struct page p)
{
    const struct chat *c =
        peer_kind(v->peer) == PEER_CHANNEL ? world_chat(r->world, v->peer) : NULL;
    uint32_t count = v->n - v->first;
    bool whole = p.end - p.begin == count && !v->inexact;
    struct tl_object *o = tl_new(&r->b, c       ? C_messages_channelMessages
                                        : whole ? C_messages_messages
                                                : C_messages_messagesSlice);
    tl_set_int(o, F_count, count);
    tl_set_bool(o, F_inexact, v->inexact);
    if (c)
        tl_set_int(o, F_pts, c->log.pts);
    if (!whole)
        tl_set_int(o, F_offset_id_offset, p.newer);
    tl_set_vec(&r->b, o, F_topics);
    return o;
}

struct tl_value page_answer(struct request *r, const struct id_view *v, struct page p)
{
    uint64_t hash = (uint64_t)tl_int(r->query, F_hash);
    if (hash && p.end > p.begin && hash == page_hash(v, p)) {
        struct tl_object *same = tl_new(&r->b, C_messages_messagesNotModified);
        tl_set_int(same, F_count, v->n - v->first);
        return tl_value_obj(same);
    }
    struct peers peers = {0};
    struct tl_object *o = page_object(r, v, p);
    struct tl_vector *messages = tl_set_vec(&r->b, o, F_messages);
    peers_add(r, &peers, v->peer);
    for (uint32_t i = p.end; i-- > p.begin;) {
        const struct message *m = world_message(r->world, r->self, v->peer, v->ids[i]);
        if (m)
            tl_push_obj(&r->b, messages, build_message(r, &peers, m, v->ids[i]));
    }
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}
