/* SPDX-License-Identifier: MIT
 * The msg_ids received lately, so that no message is taken twice. */
#ifndef TGREST_MTPROTO_ID_WINDOW_H
#define TGREST_MTPROTO_ID_WINDOW_H

#include "base/bytes.h"

/* Sorted; all ids up to `floor` were given up and count as unknown. */
struct id_window {
    uint64_t *ids;
    uint32_t n;
    uint32_t cap;
    uint64_t floor;
};

enum id_state {
    ID_NEW,
    ID_SEEN,
    ID_FORGOTTEN, /* too low to know */
};
enum id_state id_window_state(const struct id_window *w, uint64_t id);
/* Adds a new id. At `max` ids the lowest quarter is given up. False without memory. */
bool id_window_add(struct id_window *w, uint64_t id, uint32_t max);
/* Takes an id out: it is new again. */
void id_window_remove(struct id_window *w, uint64_t id);
/* The highest id so far. */
uint64_t id_window_last(const struct id_window *w);
/* Gives the memory back; every id so far becomes ID_FORGOTTEN. */
void id_window_release(struct id_window *w);
/* Empty again, nothing forgotten. */
void id_window_reset(struct id_window *w);

#endif
