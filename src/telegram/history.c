/* SPDX-License-Identifier: MIT
 * Reading a chat backwards, page by page. https://core.telegram.org/api/offsets */
#include "telegram/messages.h"

/* The server's bounds are 32-bit, leave out their own second, and 0 is no bound. */
static int64_t just_after(int64_t date)
{
    return date < 0 ? 1 : date < INT32_MAX ? date + 1 : INT32_MAX;
}

static int64_t just_before(int64_t date)
{
    return date <= 0 ? 0 : date <= INT32_MAX ? date - 1 : INT32_MAX;
}

static struct tl_object *history_method(struct tl_builder *b, const struct history_query *q)
{
    struct tl_object *o;
    if (q->search.len == 0) {
        o = tl_new(b, C_messages_getHistory);
        /* Gives what is older than the date; offset_id wins where both are set. */
        tl_set_int(o, F_offset_date, q->to_date && !q->offset_id ? just_after(q->to_date) : 0);
        return o;
    }
    o = tl_new(b, C_messages_search);
    tl_set_text(o, F_q, q->search);
    tl_set_obj(o, F_filter, tl_new(b, C_inputMessagesFilterEmpty));
    tl_set_int(o, F_min_date, just_before(q->from_date));
    tl_set_int(o, F_max_date, q->to_date ? just_after(q->to_date) : 0);
    return o;
}

struct tl_object *request_history(struct tl_builder *b, const struct peer_ref *peer,
                                  const struct history_query *q)
{
    struct tl_object *input = peer_to_input(b, peer);
    if (!input)
        return NULL;
    struct tl_object *o = history_method(b, q);
    tl_set_obj(o, F_peer, input);
    tl_set_int(o, F_offset_id, q->offset_id);
    tl_set_int(o, F_add_offset, 0);
    tl_set_int(o, F_limit, q->limit < HISTORY_PAGE_MAX ? q->limit : HISTORY_PAGE_MAX);
    tl_set_int(o, F_max_id, 0);
    tl_set_int(o, F_min_id, 0);
    tl_set_int(o, F_hash, 0);
    return o;
}

/* Does the answer itself say that nothing older is there? A short page alone does not. */
static bool is_complete(const struct tl_object *answer, const struct history_query *asked,
                        uint32_t n)
{
    if (n == 0 || tl_is(answer, C_messages_messages))
        return true;
    bool from_newest = asked->offset_id == 0 && asked->to_date == 0;
    if (!from_newest && !tl_has(answer, F_offset_id_offset))
        return false;
    return !tl_bool(answer, F_inexact) &&
           tl_int(answer, F_offset_id_offset) + n >= tl_int(answer, F_count);
}

bool history_read(const struct tl_object *answer, const struct history_query *asked,
                  struct arena *a, struct history_page *out)
{
    *out = (struct history_page){0};
    if (!tl_is(answer, C_messages_messages) && !tl_is(answer, C_messages_messagesSlice) &&
        !tl_is(answer, C_messages_channelMessages))
        return false;
    uint32_t n = messages_count(answer);
    out->messages = arena_array(a, n, sizeof *out->messages);
    if (!out->messages)
        return false;
    out->total = (int32_t)(tl_has(answer, F_count) ? tl_int(answer, F_count) : n);
    out->last = is_complete(answer, asked, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct tl_object *message = messages_at(answer, i);
        int32_t id = message_id_of(tl_item_obj(answer, F_messages, i));
        int64_t date = tl_int(message, F_date);
        if (id > 0 && (out->next_offset_id == 0 || id < out->next_offset_id))
            out->next_offset_id = id;
        if (!message || (asked->to_date && date > asked->to_date))
            continue;
        if (asked->from_date && date < asked->from_date)
            out->last = true; /* all that follow are older still */
        else
            out->messages[out->n++] = message;
    }
    /* A page that leads nowhere must not be asked for again. */
    if (out->next_offset_id == 0 || (asked->offset_id && out->next_offset_id >= asked->offset_id))
        out->last = true;
    if (out->last)
        out->next_offset_id = 0;
    return true;
}
