/* SPDX-License-Identifier: MIT
 * Coroutines: small pooled stacks with a guard page, switched by hand. */
#ifndef TGREST_BASE_CORO_H
#define TGREST_BASE_CORO_H

#include <stdbool.h>
#include <stddef.h>

struct coro;
struct coro_pool;

struct coro_limits {
    size_t stack_bytes; /* usable bytes, rounded up to pages; 0 = 64 KiB (256 KiB under ASan) */
    size_t live_max;    /* coroutines alive at once */
    size_t idle_max;    /* finished stacks kept, last in first out */
};

/* One pool per thread; a coroutine never leaves the thread that started it. NULL without memory. */
struct coro_pool *coro_pool_new(struct coro_limits limits);
/* All coroutines must have finished. */
void coro_pool_free(struct coro_pool *pool);

/* Runs fn(arg) on its own stack until it suspends or returns, then comes back here. False if
 * live_max is reached or there is no memory: fn was not called. Must not be called from inside a
 * coroutine. */
bool coro_start(struct coro_pool *pool, void (*fn)(void *arg), void *arg);
/* The coroutine that is running on this pool's thread, or NULL. */
struct coro *coro_self(struct coro_pool *pool);
/* Gives the thread back to whoever started or resumed the running coroutine. */
void coro_suspend(struct coro_pool *pool);
/* Goes on with a suspended coroutine until it suspends again or returns (then `c` is gone).
 * Must not be called from inside a coroutine. */
void coro_resume(struct coro *c);
size_t coro_live(const struct coro_pool *pool);

#endif
