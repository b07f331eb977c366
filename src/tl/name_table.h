/* SPDX-License-Identifier: MIT
 * Names to numbers: an open-addressing hash table in an arena, filled once, then only read. */
#ifndef TGREST_TL_NAME_TABLE_H
#define TGREST_TL_NAME_TABLE_H

#include "base/arena.h"

struct name_slot {
    struct slice name;
    uint32_t value;
};

struct name_table {
    struct name_slot *slots;
    uint32_t mask; /* slots - 1, a power of two */
};

/* Room for n_max names; false without memory. */
bool name_table_init(struct name_table *t, struct arena *a, size_t n_max);
/* The value of a name; -1 if it is not there. */
int64_t name_table_find(const struct name_table *t, struct slice name);
/* Adds a name that is not there yet. The name's bytes are borrowed. */
void name_table_put(struct name_table *t, struct slice name, uint32_t value);

#endif
