/* SPDX-License-Identifier: MIT
 *
 * Layout of one mapping, low to high: guard page | stack | struct coro. The struct sits on the
 * stack's first (highest) page, which is touched anyway, so that a suspended coroutine costs one
 * page. */
#include "base/coro.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/coro_switch.h"

#if defined(__SANITIZE_ADDRESS__)
#define CORO_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define CORO_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CORO_ASAN 1
#elif __has_feature(thread_sanitizer)
#define CORO_TSAN 1
#endif
#endif
#ifdef CORO_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef CORO_TSAN
#include <sanitizer/tsan_interface.h>
#endif

enum {
    STACK_DEFAULT = 64 * 1024,
    STACK_DEFAULT_SANITIZED = 256 * 1024, /* instrumented frames are several times larger */
    STACK_ALIGN = 64,
    DEPTH_CHECK_EACH =
        32, /* uses of a stack between two looks (a system call) at how deep it got */
};

/* One side of a switch: the thread's own stack, or a coroutine's. */
struct side {
    struct coro_context context;
    const void *stack_low;
    size_t stack_size;
    void *fake_stack; /* ASan's, while this side does not run */
    void *fiber;      /* TSan's */
};

struct coro {
    struct side side;
    struct coro_pool *pool;
    struct coro *next_idle;
    void (*fn)(void *arg);
    void *arg;
    unsigned uses;
    bool finished;
};

struct coro_pool {
    struct side main;
    struct coro *running;
    struct coro *idle;
    size_t n_idle;
    size_t n_live;
    size_t page_bytes;
    size_t map_bytes; /* guard page and stack */
    struct coro_limits limits;
};

#ifdef CORO_ASAN
static void switch_begin(struct side *from, const struct side *to, bool from_is_finished)
{
    __sanitizer_start_switch_fiber(from_is_finished ? NULL : &from->fake_stack, to->stack_low,
                                   to->stack_size);
}

/* Runs on the side that was switched to; tells where the other stack is, which for the thread's own
 * is known only from here. */
static void switch_end(struct side *here, struct side *came_from)
{
    __sanitizer_finish_switch_fiber(here->fake_stack, &came_from->stack_low,
                                    &came_from->stack_size);
}
#elif defined(CORO_TSAN)
static void switch_begin(struct side *from, const struct side *to, bool from_is_finished)
{
    (void)from_is_finished;
    if (!from->fiber)
        from->fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->fiber, 0);
}

static void switch_end(struct side *here, struct side *came_from)
{
    (void)here;
    (void)came_from;
}
#else
static void switch_begin(struct side *from, const struct side *to, bool from_is_finished)
{
    (void)from;
    (void)to;
    (void)from_is_finished;
}

static void switch_end(struct side *here, struct side *came_from)
{
    (void)here;
    (void)came_from;
}
#endif

static void switch_sides(struct side *from, struct side *to, struct side *other_for_asan)
{
    switch_begin(from, to, false);
    coro_context_switch(&from->context, &to->context);
    switch_end(from, other_for_asan);
}

struct coro_pool *coro_pool_new(struct coro_limits limits)
{
    struct coro_pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    if (limits.stack_bytes == 0)
        limits.stack_bytes = STACK_DEFAULT;
#if defined(CORO_ASAN) || defined(CORO_TSAN)
    if (limits.stack_bytes < STACK_DEFAULT_SANITIZED)
        limits.stack_bytes = STACK_DEFAULT_SANITIZED;
#endif
    size_t pages = (limits.stack_bytes + p->page_bytes - 1) / p->page_bytes;
    p->map_bytes = (pages + 1) * p->page_bytes;
    p->limits = limits;
    return p;
}

static uint8_t *mapping_of(const struct coro *c)
{
    return (uint8_t *)(uintptr_t)c->side.stack_low - c->pool->page_bytes;
}

static void coro_free(struct coro *c)
{
    uint8_t *mapping = mapping_of(c);
#ifdef CORO_TSAN
    __tsan_destroy_fiber(c->side.fiber);
#endif
    munmap(mapping, c->pool->map_bytes);
}

void coro_pool_free(struct coro_pool *pool)
{
    if (!pool)
        return;
    for (struct coro *c = pool->idle, *next; c; c = next) {
        next = c->next_idle;
        coro_free(c);
    }
    free(pool);
}

static struct coro *coro_map(struct coro_pool *p)
{
    uint8_t *mapping = mmap(NULL, p->map_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
        return NULL;
    if (mprotect(mapping, p->page_bytes, PROT_NONE) != 0) {
        munmap(mapping, p->map_bytes);
        return NULL;
    }
    uintptr_t top = (uintptr_t)(mapping + p->map_bytes) - sizeof(struct coro);
    struct coro *c = (struct coro *)(top & ~(uintptr_t)(STACK_ALIGN - 1));
    c->pool = p;
    c->side.stack_low = mapping + p->page_bytes;
    c->side.stack_size = (size_t)((uint8_t *)c - (uint8_t *)(uintptr_t)c->side.stack_low);
#ifdef CORO_TSAN
    c->side.fiber = __tsan_create_fiber(0);
#endif
    return c;
}

/* Deep calls leave pages behind that the next user of the stack may never need. */
static void give_back_deep_pages(struct coro *c)
{
    if (++c->uses % DEPTH_CHECK_EACH != 0)
        return;
    size_t keep = 2 * c->pool->page_bytes;
    uintptr_t low = (uintptr_t)c->side.stack_low;
    uintptr_t high = ((uintptr_t)c - keep) & ~(uintptr_t)(c->pool->page_bytes - 1);
    unsigned char resident = 0;
    /* Look first: the page below the kept ones is resident only after a deep call. */
    if (high > low &&
        mincore((void *)(high - c->pool->page_bytes), c->pool->page_bytes, &resident) == 0 &&
        (resident & 1))
        madvise((void *)low, high - low, MADV_DONTNEED);
}

static void retire(struct coro_pool *p, struct coro *c)
{
    p->n_live--;
    if (p->n_idle >= p->limits.idle_max) {
        coro_free(c);
        return;
    }
    give_back_deep_pages(c);
    c->next_idle = p->idle;
    p->idle = c;
    p->n_idle++;
}

/* First and last function on a coroutine's stack. */
static void run(void *arg)
{
    struct coro *c = arg;
    switch_end(&c->side, &c->pool->main);
    c->fn(c->arg);
    c->finished = true;
    switch_begin(&c->side, &c->pool->main, true);
    coro_context_switch(&c->side.context, &c->pool->main.context);
    __builtin_unreachable();
}

static void go(struct coro *c)
{
    struct coro_pool *p = c->pool;
    p->running = c;
    switch_sides(&p->main, &c->side, &(struct side){0});
    p->running = NULL;
    if (c->finished)
        retire(p, c);
}

bool coro_start(struct coro_pool *pool, void (*fn)(void *arg), void *arg)
{
    if (pool->n_live >= pool->limits.live_max)
        return false;
    struct coro *c = pool->idle;
    if (c) {
        pool->idle = c->next_idle;
        pool->n_idle--;
    } else {
        c = coro_map(pool);
    }
    if (!c)
        return false;
    pool->n_live++;
    c->fn = fn;
    c->arg = arg;
    c->finished = false;
    c->side.fake_stack = NULL;
#ifdef CORO_ASAN
    /* The last user's outermost frame never returned, so its red zones are still there. */
    __asan_unpoison_memory_region(c->side.stack_low, c->side.stack_size);
#endif
    coro_context_make(&c->side.context, (uint8_t *)(uintptr_t)c->side.stack_low, (uint8_t *)c, run,
                      c);
    go(c);
    return true;
}

struct coro *coro_self(struct coro_pool *pool)
{
    return pool->running;
}

void coro_suspend(struct coro_pool *pool)
{
    struct coro *c = pool->running;
    switch_sides(&c->side, &pool->main, &pool->main);
}

void coro_resume(struct coro *c)
{
    go(c);
}

size_t coro_live(const struct coro_pool *pool)
{
    return pool->n_live;
}
