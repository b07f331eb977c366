/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t system_wall_ns(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono_ns(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_MONOTONIC);
}

struct clock clock_system(void)
{
    return (struct clock){system_wall_ns, system_mono_ns, NULL};
}

static int64_t manual_wall_ns(void *ctx)
{
    return ((struct clock_manual *)ctx)->wall_ns;
}

static int64_t manual_mono_ns(void *ctx)
{
    return ((struct clock_manual *)ctx)->mono_ns;
}

void clock_manual_init(struct clock_manual *m, int64_t wall_ns)
{
    *m = (struct clock_manual){{manual_wall_ns, manual_mono_ns, m}, wall_ns, NS_PER_S};
}

void clock_manual_advance(struct clock_manual *m, int64_t ns)
{
    m->wall_ns += ns;
    m->mono_ns += ns;
}
