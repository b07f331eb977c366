/* SPDX-License-Identifier: MIT
 * The ring of an account's or channel's last updates. */
#include "sandbox/update.h"

#include <stdlib.h>

enum { RING_CAP_FIRST = 16 };

void update_log_init(struct update_log *log)
{
    *log = (struct update_log){.pts = 1, .lost_pts = 1};
}

void update_log_free(struct update_log *log)
{
    for (uint32_t i = 0; i < log->n; i++)
        free((void *)(uintptr_t)update_log_at(log, i)->ids);
    free(log->ring);
    *log = (struct update_log){0};
}

const struct update *update_log_at(const struct update_log *log, uint32_t i)
{
    return i < log->n ? &log->ring[(log->first + i) % log->cap] : NULL;
}

/* The oldest goes: whoever asks from before it has missed something. */
static void drop_oldest(struct update_log *log)
{
    struct update *oldest = &log->ring[log->first];
    if (oldest->pts > log->lost_pts)
        log->lost_pts = oldest->pts;
    free((void *)(uintptr_t)oldest->ids);
    log->first = (log->first + 1) % log->cap;
    log->n--;
}

/* Room for one more: grows up to UPDATE_LOG_MAX, then overwrites. False without memory. */
static bool make_room(struct update_log *log)
{
    if (log->n < log->cap)
        return true;
    if (log->cap >= UPDATE_LOG_MAX) {
        drop_oldest(log);
        return true;
    }
    uint32_t cap = log->cap ? log->cap * 2 : RING_CAP_FIRST;
    if (cap > UPDATE_LOG_MAX)
        cap = UPDATE_LOG_MAX;
    struct update *ring = malloc(cap * sizeof *ring);
    if (!ring)
        return false;
    for (uint32_t i = 0; i < log->n; i++)
        ring[i] = *update_log_at(log, i);
    free(log->ring);
    log->ring = ring;
    log->cap = cap;
    log->first = 0;
    return true;
}

bool update_copy(struct update *to, const struct update *from)
{
    *to = *from;
    to->ids = NULL;
    if (!from->n_ids)
        return true;
    int32_t *ids = malloc(from->n_ids * sizeof *ids);
    if (!ids)
        return false;
    memcpy(ids, from->ids, from->n_ids * sizeof *ids);
    to->ids = ids;
    return true;
}

void update_log_add(struct update_log *log, struct update *u)
{
    if (u->pts_count > 0) {
        log->pts += u->pts_count;
        u->pts = log->pts;
        log->date = u->date;
    } else if (!u->keep) {
        return;
    }
    struct update copy;
    if (!make_room(log) || !update_copy(&copy, u)) {
        log->lost_pts = log->pts; /* without memory for it, honest: that difference is too long */
        return;
    }
    log->ring[(log->first + log->n) % log->cap] = copy;
    log->n++;
}
