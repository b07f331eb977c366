/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif
#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

/* First block one page with malloc's own header: most calls need no second. Later ones double. */
enum { ARENA_BLOCK_FIRST = 4096 - 32, ARENA_BLOCK_MAX = 1024 * 1024, ARENA_ALIGN = 8 };

struct arena_block {
    struct arena_block *older;
    size_t size; /* of data */
    uint8_t data[];
};

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){.max = max ? max : ARENA_MAX_DEFAULT};
}

static bool arena_add_block(struct arena *a, size_t need)
{
    size_t size = ARENA_BLOCK_FIRST - sizeof(struct arena_block);
    if (a->blocks && a->blocks->size < ARENA_BLOCK_MAX)
        size = a->blocks->size * 2;
    else if (a->blocks)
        size = ARENA_BLOCK_MAX;
    if (size < need)
        size = need;
    struct arena_block *block = malloc(sizeof *block + size);
    if (!block)
        return false;
    block->older = a->blocks;
    block->size = size;
    a->blocks = block;
    a->next = block->data;
    a->end = block->data + size;
    ASAN_POISON_MEMORY_REGION(block->data, size);
    return true;
}

void *arena_alloc_raw(struct arena *a, size_t n)
{
    if (n > a->max - a->used) {
        a->failed = true;
        return NULL;
    }
    size_t step = (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (step == 0)
        step = ARENA_ALIGN;
    if ((!a->next || (size_t)(a->end - a->next) < step) && !arena_add_block(a, step)) {
        a->failed = true;
        return NULL;
    }
    void *at = a->next;
    a->next += step;
    a->used += n;
    ASAN_UNPOISON_MEMORY_REGION(at, n);
    return at;
}

void *arena_alloc(struct arena *a, size_t n)
{
    void *at = arena_alloc_raw(a, n);
    if (at && n)
        memset(at, 0, n);
    return at;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n)) {
        a->failed = true;
        return NULL;
    }
    return arena_alloc(a, n);
}

struct slice arena_copy(struct arena *a, struct slice s)
{
    uint8_t *at = s.len == SIZE_MAX ? NULL : arena_alloc_raw(a, s.len + 1);
    if (!at)
        return slice_str("");
    if (s.len)
        memcpy(at, s.data, s.len);
    at[s.len] = 0;
    return slice_of(at, s.len);
}

char *arena_strdup(struct arena *a, struct slice s)
{
    return (char *)(uintptr_t)arena_copy(a, s).data;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    static char empty[1] = "";
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *at = n < 0 ? NULL : arena_alloc_raw(a, (size_t)n + 1);
    if (at)
        vsnprintf(at, (size_t)n + 1, format, again);
    va_end(again);
    return at ? at : empty;
}

void arena_reset(struct arena *a)
{
    struct arena_block *kept = NULL;
    for (struct arena_block *b = a->blocks, *older; b; b = older) {
        older = b->older;
        if (!older)
            kept = b; /* the oldest is the smallest: what an idle arena may hold */
        else
            free(b);
    }
    if (kept && kept->size >= ARENA_BLOCK_FIRST) { /* grown for one huge allocation */
        free(kept);
        kept = NULL;
    }
    a->blocks = kept;
    a->next = kept ? kept->data : NULL;
    a->end = kept ? kept->data + kept->size : NULL;
    a->used = 0;
    a->failed = false;
    if (kept)
        ASAN_POISON_MEMORY_REGION(kept->data, kept->size);
}

void arena_wipe(struct arena *a)
{
    for (struct arena_block *b = a->blocks; b; b = b->older) {
        ASAN_UNPOISON_MEMORY_REGION(b->data, b->size);
        sodium_memzero(b->data, b->size);
    }
    arena_reset(a);
}

void arena_free(struct arena *a)
{
    for (struct arena_block *b = a->blocks, *older; b; b = older) {
        older = b->older;
        free(b);
    }
    arena_init(a, a->max);
}
