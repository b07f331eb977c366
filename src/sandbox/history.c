/* SPDX-License-Identifier: MIT
 * Reading messages: history, search, by id. */
#include <stdlib.h>

#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/input.h"
#include "sandbox/match.h"
#include "sandbox/methods_world.h"
#include "sandbox/page.h"

/* One search looks at this many messages at most: some 70 ms. */
enum { SEARCH_LOOK_MAX = 100000, GET_MESSAGES_MAX = 200, COUNTERS_MAX = 20 };

static struct tl_value get_history(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer)
        return refused();
    struct id_view v = id_view_of(r, peer);
    return page_answer(r, &v, page_of(r, &v));
}

/* ---- search ---- */

struct search {
    struct words words;
    struct media_filter filter;
    int64_t from;
    int32_t after; /* dates, both exclusive; 0 = none */
    int32_t before;
};

static bool matches(const struct request *r, const struct search *s, const struct message *m,
                    int32_t id)
{
    if (s->from && m->from != s->from)
        return false;
    if ((s->after && m->date <= s->after) || (s->before && m->date >= s->before))
        return false;
    if (!filter_matches(&s->filter, m, message_is_pinned(r->self, m, id)))
        return false;
    return words_match(&s->words, slice_of(m->text, m->text_len));
}

static bool read_search(struct request *r, struct search *s)
{
    const struct tl_object *from = tl_obj(r->query, F_from_id);
    *s = (struct search){
        .after = (int32_t)tl_int(r->query, F_min_date),
        .before = (int32_t)tl_int(r->query, F_max_date),
    };
    if (from) {
        s->from = input_peer_any(r, from);
        if (!s->from)
            return fail(r, 400, "FROM_PEER_INVALID"), false;
    }
    if (!filter_read(tl_obj(r->query, F_filter), &s->filter))
        return fail(r, 400, "INPUT_FILTER_INVALID"), false;
    words_read(&s->words, tl_text(r->query, F_q), r->arena);
    return true;
}

/* The ids of v that match, newest SEARCH_LOOK_MAX looked at (older ones once offset_id goes there).
 */
static struct id_view found(struct request *r, const struct id_view *v, const struct search *s)
{
    uint32_t end = v->n, begin = v->first;
    if (end - begin > SEARCH_LOOK_MAX) {
        struct id_list l = {.ids = (int32_t *)(uintptr_t)v->ids, .n = v->n};
        int32_t offset = (int32_t)tl_int(r->query, F_offset_id);
        end = offset > 0 ? id_list_lower(&l, offset) : end;
        begin = end > begin + SEARCH_LOOK_MAX ? end - SEARCH_LOOK_MAX : begin;
    }
    int32_t *ids = arena_array(r->arena, end - begin, sizeof *ids);
    struct id_view out = {.peer = v->peer, .ids = ids, .inexact = end - begin < v->n - v->first};
    for (uint32_t i = begin; ids && i < end; i++) {
        const struct message *m = world_message(r->world, r->self, v->peer, v->ids[i]);
        if (m && matches(r, s, m, v->ids[i]))
            ids[out.n++] = v->ids[i];
    }
    return out;
}

static struct tl_value search(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    struct search s;
    if (!peer || !read_search(r, &s))
        return refused();
    struct id_view all = id_view_of(r, peer);
    struct id_view v = found(r, &all, &s);
    return page_answer(r, &v, page_of(r, &v));
}

static struct tl_value get_search_counters(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer)
        return refused();
    if (tl_count(r->query, F_filters) > COUNTERS_MAX)
        return fail(r, 400, "LIMIT_INVALID");
    struct id_view all = id_view_of(r, peer);
    struct tl_vector *counters = tl_new_vec(&r->b);
    for (uint32_t i = 0; i < tl_count(r->query, F_filters); i++) {
        struct search s = {0};
        const struct tl_object *filter = tl_item_obj(r->query, F_filters, i);
        if (!filter_read(filter, &s.filter))
            return fail(r, 400, "INPUT_FILTER_INVALID");
        struct id_view v = found(r, &all, &s);
        struct tl_object *o = tl_new(&r->b, C_messages_searchCounter);
        tl_set_obj(o, F_filter, filter);
        tl_set_int(o, F_count, v.n);
        tl_set_bool(o, F_inexact, v.inexact);
        tl_push_obj(&r->b, counters, o);
    }
    return tl_value_vec(counters);
}

/* ---- search in all chats ---- */

struct hit {
    const struct message *message;
    int64_t peer;
    int32_t id;
};

/* Newest first; those of one second by chat and number, so that pages neither repeat nor skip. */
static int compare_hits(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    if (x->message->date != y->message->date)
        return x->message->date > y->message->date ? -1 : 1;
    if (x->peer != y->peer)
        return x->peer > y->peer ? -1 : 1;
    return x->id > y->id ? -1 : x->id < y->id;
}

static bool chat_wanted(const struct request *r, const struct dialog *d)
{
    const struct chat *c = world_chat(r->world, d->peer);
    bool broadcasts = tl_bool(r->query, F_broadcasts_only),
         groups = tl_bool(r->query, F_groups_only), users = tl_bool(r->query, F_users_only);
    if (d->hidden || (tl_has(r->query, F_folder_id) && tl_int(r->query, F_folder_id) != d->folder))
        return false;
    if (!broadcasts && !groups && !users)
        return true;
    return !c ? users : c->flags & CHAT_BROADCAST ? broadcasts : groups;
}

/* Whether it comes after what the last page ended with: offset_rate is that one's date. */
static bool is_after_offset(const struct request *r, const struct hit *h, int64_t offset_peer)
{
    int32_t rate = (int32_t)tl_int(r->query, F_offset_rate),
            id = (int32_t)tl_int(r->query, F_offset_id);
    if (!rate || h->message->date != rate)
        return !rate || h->message->date < rate;
    return h->peer != offset_peer ? h->peer < offset_peer : h->id < id;
}

static uint32_t collect_hits(struct request *r, const struct search *s, int64_t offset_peer,
                             struct hit *hits)
{
    uint32_t n = 0, left = SEARCH_LOOK_MAX;
    for (size_t i = 0; i < r->self->n_dialogs; i++) {
        const struct dialog *d = r->self->dialog_list[i];
        struct id_view v = id_view_of(r, d->peer);
        for (uint32_t k = v.n; chat_wanted(r, d) && k-- > v.first && left > 0; left--) {
            struct hit h = {world_message(r->world, r->self, d->peer, v.ids[k]), d->peer, v.ids[k]};
            if (h.message && matches(r, s, h.message, h.id) && is_after_offset(r, &h, offset_peer))
                hits[n++] = h;
        }
    }
    qsort(hits, n, sizeof *hits, compare_hits);
    return n;
}

static struct tl_value search_global(struct request *r)
{
    struct search s;
    const struct tl_object *offset = tl_obj(r->query, F_offset_peer);
    if (!read_search(r, &s))
        return refused();
    if (s.words.n == 0 && s.filter.any)
        return fail(r, 400, "SEARCH_QUERY_EMPTY");
    int64_t offset_peer = tl_is(offset, C_inputPeerEmpty) ? 0 : input_peer_any(r, offset);
    if (!offset_peer && !tl_is(offset, C_inputPeerEmpty))
        return refused();
    int64_t limit = tl_int(r->query, F_limit);
    struct hit *hits = arena_array(r->arena, SEARCH_LOOK_MAX, sizeof *hits);
    uint32_t n = hits ? collect_hits(r, &s, offset_peer, hits) : 0;
    uint32_t shown = limit > 0 && limit < PAGE_MAX ? (uint32_t)limit : PAGE_MAX;
    shown = shown < n ? shown : n;
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, shown < n ? C_messages_messagesSlice : C_messages_messages);
    tl_set_int(o, F_count, n);
    if (shown < n && shown)
        tl_set_int(o, F_next_rate, hits[shown - 1].message->date);
    struct tl_vector *messages = tl_set_vec(&r->b, o, F_messages);
    for (uint32_t i = 0; i < shown; i++)
        tl_push_obj(&r->b, messages, build_message(r, &peers, hits[i].message, hits[i].id));
    tl_set_vec(&r->b, o, F_topics);
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

/* ---- by id ---- */

/* channel 0: the account's own box. */
static const struct message *by_id(const struct request *r, int64_t channel, int32_t id)
{
    return channel ? world_message(r->world, r->self, channel, id)
                   : world_boxed(r->world, r->self, id);
}

/* The number that an InputMessage means; 0 = none. */
static int32_t input_message(const struct request *r, int64_t channel, const struct tl_object *o)
{
    int32_t id = (int32_t)tl_int(o, F_id);
    if (tl_is(o, C_inputMessageID))
        return id;
    if (tl_is(o, C_inputMessagePinned))
        return channel ? chat_newest_pin(world_chat(r->world, channel), r->self) : 0;
    const struct message *m = tl_is(o, C_inputMessageReplyTo) ? by_id(r, channel, id) : NULL;
    return m ? storage_id_for(r->world, r->self, m, m->reply_to) : 0;
}

static struct tl_value messages_by_id(struct request *r, int64_t channel)
{
    const struct chat *c = channel ? world_chat(r->world, channel) : NULL;
    uint32_t n = tl_count(r->query, F_id);
    n = n > GET_MESSAGES_MAX ? GET_MESSAGES_MAX : n;
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, c ? C_messages_channelMessages : C_messages_messages);
    struct tl_vector *messages = tl_set_vec(&r->b, o, F_messages);
    for (uint32_t i = 0; i < n; i++) {
        const struct tl_object *input = tl_item_obj(r->query, F_id, i);
        int32_t id = input_message(r, channel, input);
        const struct message *m = id ? by_id(r, channel, id) : NULL;
        if (m) {
            tl_push_obj(&r->b, messages, build_message(r, &peers, m, id));
            continue;
        }
        struct tl_object *empty = tl_new(&r->b, C_messageEmpty);
        tl_set_int(empty, F_id, id ? id : tl_int(input, F_id));
        tl_push_obj(&r->b, messages, empty);
    }
    if (c) {
        tl_set_int(o, F_pts, c->log.pts);
        tl_set_int(o, F_count, n);
        peers_add(r, &peers, channel);
    }
    tl_set_vec(&r->b, o, F_topics);
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

static struct tl_value get_messages(struct request *r)
{
    return messages_by_id(r, 0);
}

static struct tl_value get_channel_messages(struct request *r)
{
    const struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c)
        return refused();
    if (tl_count(r->query, F_id) == 0)
        return fail(r, 400, "MESSAGE_IDS_EMPTY");
    return messages_by_id(r, c->peer);
}

static const struct method methods[] = {
    {C_messages_getHistory, 0, get_history},
    {C_messages_search, 0, search},
    {C_messages_getSearchCounters, 0, get_search_counters},
    {C_messages_searchGlobal, 0, search_global},
    {C_messages_getMessages, 0, get_messages},
    {C_channels_getMessages, 0, get_channel_messages},
};
const struct method_table history_methods = {methods, sizeof methods / sizeof *methods};
