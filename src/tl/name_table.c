/* SPDX-License-Identifier: MIT */
#include "tl/name_table.h"

/* FNV-1a: short names, and the names are the schema's, not an attacker's. */
static uint32_t hash(struct slice name)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ name.data[i]) * 16777619u;
    return h;
}

bool name_table_init(struct name_table *t, struct arena *a, size_t n_max)
{
    uint32_t n = 16;
    while (n < n_max * 2)
        n *= 2;
    t->mask = n - 1;
    t->slots = arena_array(a, n, sizeof *t->slots);
    return t->slots != NULL;
}

int64_t name_table_find(const struct name_table *t, struct slice name)
{
    for (uint32_t i = hash(name) & t->mask; t->slots[i].name.data; i = (i + 1) & t->mask)
        if (slice_eq(t->slots[i].name, name))
            return t->slots[i].value;
    return -1;
}

void name_table_put(struct name_table *t, struct slice name, uint32_t value)
{
    uint32_t i = hash(name) & t->mask;
    while (t->slots[i].name.data)
        i = (i + 1) & t->mask;
    t->slots[i] = (struct name_slot){name, value};
}
