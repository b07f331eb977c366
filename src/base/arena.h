/* SPDX-License-Identifier: MIT
 * Arena: many small allocations freed at once, with a bound on the sum. */
#ifndef TGREST_BASE_ARENA_H
#define TGREST_BASE_ARENA_H

#include "base/bytes.h"

struct arena_block;

/* One per call. Memory handed out lives until arena_reset or arena_free; under ASan unused and
 * reset memory is poisoned. Not thread-safe; may move between threads while nobody uses it. */
struct arena {
    struct arena_block *blocks;
    uint8_t *next;
    uint8_t *end;
    size_t used;
    size_t max;
    bool failed; /* an allocation was refused since the last reset */
};

/* Allocates nothing yet. max bounds the sum of what is handed out; 0 means ARENA_MAX_DEFAULT. */
enum { ARENA_MAX_DEFAULT = 64 * 1024 * 1024 };
void arena_init(struct arena *a, size_t max);
/* Zeroed, 8-byte aligned; NULL (and a->failed) past the bound or without memory. n 0 gives a valid
 * pointer. */
void *arena_alloc(struct arena *a, size_t n);
/* As arena_alloc(count * size), NULL on overflow too. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* Not zeroed. */
void *arena_alloc_raw(struct arena *a, size_t n);
/* Copies; a NUL follows the copy (not counted in len). On failure gives an empty slice of "". */
struct slice arena_copy(struct arena *a, struct slice s);
/* NUL-terminated copy; "" on failure, never NULL. */
char *arena_strdup(struct arena *a, struct slice s);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Everything handed out is gone; keeps one block for the next use. */
void arena_reset(struct arena *a);
/* As arena_reset after overwriting all blocks with zeroes (for calls that held secrets). */
void arena_wipe(struct arena *a);
void arena_free(struct arena *a);

#endif
