/* SPDX-License-Identifier: MIT */
#include "gateway/wheel.h"

#include "base/clock.h"

static int64_t tick_of(int64_t ns)
{
    return ns / (WHEEL_TICK_MS * NS_PER_MS);
}

void wheel_init(struct wheel *w, int64_t now_ns)
{
    for (size_t i = 0; i < WHEEL_SLOTS; i++)
        list_init(&w->slots[i]);
    w->done_tick = tick_of(now_ns);
    w->armed = 0;
}

void wheel_arm(struct wheel *w, struct wheel_timer *timer, int64_t deadline_ns)
{
    wheel_disarm(w, timer);
    /* The tick after the deadline's own, so that it never fires early. */
    int64_t tick = tick_of(deadline_ns) + 1;
    if (tick <= w->done_tick)
        tick = w->done_tick + 1;
    timer->deadline_ns = deadline_ns;
    list_push(&w->slots[tick % WHEEL_SLOTS], &timer->link);
    w->armed++;
}

void wheel_disarm(struct wheel *w, struct wheel_timer *timer)
{
    if (!list_linked(&timer->link))
        return;
    list_remove(&timer->link);
    w->armed--;
}

static void fire_due(struct wheel *w, struct list *slot, int64_t now_ns)
{
    struct list waiting;
    list_init(&waiting);
    list_append_all(&waiting, slot);
    for (struct list *node; (node = list_pop(&waiting)) != NULL;) {
        struct wheel_timer *timer = LIST_OWNER(node, struct wheel_timer, link);
        if (timer->deadline_ns > now_ns) {
            list_push(slot, node);
            continue;
        }
        w->armed--;
        timer->fire(timer);
    }
}

void wheel_advance(struct wheel *w, int64_t now_ns)
{
    int64_t now_tick = tick_of(now_ns);
    /* After a long pause one full turn sees every slot. */
    if (now_tick - w->done_tick > WHEEL_SLOTS)
        w->done_tick = now_tick - WHEEL_SLOTS;
    while (w->done_tick < now_tick) {
        w->done_tick++;
        fire_due(w, &w->slots[w->done_tick % WHEEL_SLOTS], now_ns);
    }
}
