/* SPDX-License-Identifier: MIT
 * The time, passed in so that a test or a replay owns it. */
#ifndef TGREST_BASE_CLOCK_H
#define TGREST_BASE_CLOCK_H

#include <stdint.h>

enum { MS_PER_S = 1000 };
#define NS_PER_S  1000000000LL
#define NS_PER_MS 1000000LL

/* wall_ns: nanoseconds since 1970 (may jump). mono_ns: never goes back, arbitrary origin. */
struct clock {
    int64_t (*wall_ns)(void *ctx);
    int64_t (*mono_ns)(void *ctx);
    void *ctx;
};

static inline int64_t clock_wall_ns(const struct clock *c)
{
    return c->wall_ns(c->ctx);
}

static inline int64_t clock_mono_ns(const struct clock *c)
{
    return c->mono_ns(c->ctx);
}

static inline int64_t clock_unix_s(const struct clock *c)
{
    return clock_wall_ns(c) / NS_PER_S;
}

/* The machine's clock; ctx unused. */
struct clock clock_system(void);

/* A clock that stands until it is moved. `clock.ctx` points at the struct: do not copy it. */
struct clock_manual {
    struct clock clock;
    int64_t wall_ns;
    int64_t mono_ns;
};
void clock_manual_init(struct clock_manual *m, int64_t wall_ns);
void clock_manual_advance(struct clock_manual *m, int64_t ns);

#endif
