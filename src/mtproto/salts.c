/* SPDX-License-Identifier: MIT */
#include "mtproto/salts.h"

static bool is_valid(const struct salt_span *span, int64_t now_s)
{
    return span->valid_since <= now_s && now_s < span->valid_until;
}

static int64_t margin(const struct salt_span *span, int64_t now_s)
{
    int64_t since = now_s - span->valid_since;
    int64_t until = span->valid_until - now_s;
    return since < until ? since : until;
}

const struct salt_span *salts_pick(const struct salt_schedule *s, int64_t now_s)
{
    const struct salt_span *best = NULL;
    for (size_t i = 0; i < s->n; i++) {
        const struct salt_span *span = &s->spans[i];
        if (is_valid(span, now_s) && (!best || margin(span, now_s) > margin(best, now_s)))
            best = span;
    }
    return best;
}

bool salts_accept(const struct salt_schedule *s, uint64_t salt, int64_t now_s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->spans[i].salt == salt && is_valid(&s->spans[i], now_s))
            return true;
    return false;
}

int64_t salts_left_s(const struct salt_schedule *s, int64_t now_s)
{
    int64_t last = now_s;
    for (size_t i = 0; i < s->n; i++)
        if (s->spans[i].valid_until > last)
            last = s->spans[i].valid_until;
    return last - now_s;
}
