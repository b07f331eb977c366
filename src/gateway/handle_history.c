/* SPDX-License-Identifier: MIT
 * GET /messages: history and search, page by page. */
#include "gateway/handlers.h"
#include "gateway/route.h"
#include "gateway/text_params.h"

enum {
    /* Date filters and service messages may leave pages short: how many requests one call may cost
     * beyond the pages that its limit needs. */
    HISTORY_EXTRA_PAGES = 20,
};

struct listing {
    struct call *call;
    const struct peer_ref *peer;
    struct history_query query;
    struct directory *directory;
    int64_t wanted;
    int64_t written;
    int64_t total;
    int32_t last_id; /* of the last message written */
    bool has_more;
};

/* One page of Telegram's. False: an error, or nothing more to ask for. */
static bool list_page(struct listing *l)
{
    struct call *c = l->call;
    int64_t left = l->wanted - l->written;
    l->query.limit = (int32_t)(left < HISTORY_PAGE_MAX ? left : HISTORY_PAGE_MAX);
    const struct tl_object *answer = call_invoke(c, request_history(&c->b, l->peer, &l->query));
    if (!answer)
        return false;
    struct history_page page;
    if (!history_read(answer, &l->query, c->arena, &page)) {
        call_fail(c, 502, "UNEXPECTED_ANSWER",
                  "Telegram answered the request for messages with something unknown");
        return false;
    }
    directory_add(l->directory, answer);
    resolve_remember(c, answer);
    l->total = page.total;
    struct view view = view_of_call(c, l->directory);
    uint32_t i = 0;
    for (; i < page.n && l->written < l->wanted; i++, l->written++) {
        view_message(&view, page.messages[i]);
        l->last_id = message_id_of(page.messages[i]);
    }
    l->has_more = i < page.n || !page.last;
    if (i == page.n && !page.last)
        l->last_id = page.next_offset_id;
    l->query.offset_id = page.next_offset_id;
    return !page.last && l->written < l->wanted;
}

void handle_messages(struct call *c)
{
    struct peer_ref peer;
    if (!resolve_param(c, "chat_id", &peer))
        return;
    struct listing l = {
        .call = c,
        .peer = &peer,
        .directory = directory_new(c->arena),
        .wanted = call_param(c, "limit")->i,
        .query =
            {
                .offset_id = (int32_t)call_param(c, "offset_id")->i,
                .search = call_param(c, "search")->text,
                .from_date = call_param(c, "from_date")->i,
                .to_date = call_param(c, "to_date")->i,
            },
    };
    int64_t pages_max = (l.wanted + HISTORY_PAGE_MAX - 1) / HISTORY_PAGE_MAX + HISTORY_EXTRA_PAGES;
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_key(w, "messages");
    json_array_begin(w);
    for (int64_t pages = 0; pages < pages_max && list_page(&l); pages++)
        ;
    json_array_end(w);
    json_field_int(w, "total_count", l.total);
    json_field_bool(w, "has_more", l.has_more);
    json_key(w, "next_offset");
    if (l.has_more)
        json_int(w, l.last_id);
    else
        json_null(w);
    json_object_end(w);
}
