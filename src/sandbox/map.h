/* SPDX-License-Identifier: MIT
 * Two hash tables of the world: by 64-bit number and by name. */
#ifndef TGREST_SANDBOX_MAP_H
#define TGREST_SANDBOX_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* int64 -> pointer; open addressing. A zeroed struct is an empty map. Values are not owned. */
struct id_map {
    int64_t *keys;
    void **values; /* NULL = free slot */
    size_t n;
    size_t slots; /* a power of two, or 0 */
};

void *id_map_get(const struct id_map *m, int64_t key);
/* value must not be NULL; replaces. False without memory. */
bool id_map_put(struct id_map *m, int64_t key, void *value);
/* Gives back what was there, or NULL. */
void *id_map_remove(struct id_map *m, int64_t key);
void id_map_free(struct id_map *m);

/* Name -> int64, ASCII case folded unless `exact`. Owns copies of the names. A zeroed struct is
 * empty. */
struct name_entry;
struct name_map {
    struct name_entry **slots;
    size_t n;
    size_t n_slots;
    bool exact; /* case matters */
};

/* 0 if the name is not there. */
int64_t name_map_get(const struct name_map *m, struct slice name);
/* value must not be 0; replaces. False without memory. */
bool name_map_put(struct name_map *m, struct slice name, int64_t value);
void name_map_remove(struct name_map *m, struct slice name);
void name_map_free(struct name_map *m);

#endif
