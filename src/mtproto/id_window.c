/* SPDX-License-Identifier: MIT */
#include "mtproto/id_window.h"

#include <stdlib.h>

enum { CAP_MIN = 16 };

/* Index of the first id that is not below. Ids mostly come in order, so the end is tried first. */
static uint32_t lower_bound(const struct id_window *w, uint64_t id)
{
    if (w->n == 0 || w->ids[w->n - 1] < id)
        return w->n;
    uint32_t low = 0;
    uint32_t high = w->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (w->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum id_state id_window_state(const struct id_window *w, uint64_t id)
{
    if (id <= w->floor)
        return ID_FORGOTTEN;
    uint32_t at = lower_bound(w, id);
    return at < w->n && w->ids[at] == id ? ID_SEEN : ID_NEW;
}

static void give_up_lowest(struct id_window *w)
{
    uint32_t gone = w->n / 4;
    w->floor = w->ids[gone - 1];
    w->n -= gone;
    memmove(w->ids, w->ids + gone, w->n * sizeof *w->ids);
}

static bool make_room(struct id_window *w, uint32_t max)
{
    if (w->n >= max) {
        give_up_lowest(w);
        return true;
    }
    if (w->n < w->cap)
        return true;
    uint32_t cap = w->cap ? w->cap * 2 : CAP_MIN;
    uint64_t *ids = realloc(w->ids, cap * sizeof *ids);
    if (!ids)
        return false;
    w->ids = ids;
    w->cap = cap;
    return true;
}

bool id_window_add(struct id_window *w, uint64_t id, uint32_t max)
{
    if (!make_room(w, max))
        return false;
    uint32_t at = lower_bound(w, id);
    memmove(w->ids + at + 1, w->ids + at, (w->n - at) * sizeof *w->ids);
    w->ids[at] = id;
    w->n++;
    return true;
}

void id_window_remove(struct id_window *w, uint64_t id)
{
    uint32_t at = lower_bound(w, id);
    if (at == w->n || w->ids[at] != id)
        return;
    w->n--;
    memmove(w->ids + at, w->ids + at + 1, (w->n - at) * sizeof *w->ids);
}

uint64_t id_window_last(const struct id_window *w)
{
    return w->n > 0 ? w->ids[w->n - 1] : w->floor;
}

void id_window_release(struct id_window *w)
{
    uint64_t last = id_window_last(w);
    free(w->ids);
    *w = (struct id_window){.floor = last};
}

void id_window_reset(struct id_window *w)
{
    free(w->ids);
    *w = (struct id_window){0};
}
