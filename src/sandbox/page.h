/* SPDX-License-Identifier: MIT
 * Pages of histories: offset_id, offset_date, add_offset, limit, min_id and max_id mean what
 * https://core.telegram.org/api/offsets says, for all methods alike. */
#ifndef TGREST_SANDBOX_PAGE_H
#define TGREST_SANDBOX_PAGE_H

#include "sandbox/handler.h"
#include "sandbox/message.h"

/* Ids of one dialog as one user sees it, ascending: ids[first … n). */
struct id_view {
    int64_t peer;
    const int32_t *ids;
    uint32_t first;
    uint32_t n;
    bool inexact; /* not all there is: the count is a lower bound */
};

/* Also for a channel without a dialog; empty where there is nothing. */
struct id_view id_view_of(const struct request *r, int64_t peer);

/* The page [begin, end) of the view that the query asks for, newest at end - 1. */
struct page {
    uint32_t begin;
    uint32_t end;
    uint32_t newer; /* how many messages of the view come before offset_id */
};
struct page page_of(const struct request *r, const struct id_view *v);

/* messages.messages, messagesSlice, channelMessages or messagesNotModified for that page. */
struct tl_value page_answer(struct request *r, const struct id_view *v, struct page p);

#endif
