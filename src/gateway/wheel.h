/* SPDX-License-Identifier: MIT
 * Deadlines of one worker: a timer wheel, so that arming and disarming is a few stores and the loop
 * has one timer however many calls wait. Coarse: a timer fires up to WHEEL_TICK_MS late, never
 * early. */
#ifndef TGREST_GATEWAY_WHEEL_H
#define TGREST_GATEWAY_WHEEL_H

#include <stdint.h>

#include "gateway/list.h"

enum {
    WHEEL_TICK_MS = 32,
    WHEEL_SLOTS = 1024, /* 33 s in one turn; later deadlines stay for further turns */
};

struct wheel_timer {
    struct list link;
    int64_t deadline_ns;
    void (*fire)(struct wheel_timer *timer); /* disarmed by then; may arm it again */
};

struct wheel {
    struct list slots[WHEEL_SLOTS];
    int64_t done_tick; /* all ticks up to this one have been looked at */
    unsigned armed;
};

void wheel_init(struct wheel *w, int64_t now_ns);
/* (Re)arms at deadline_ns of the monotonic clock. A past deadline fires at the next tick. */
void wheel_arm(struct wheel *w, struct wheel_timer *timer, int64_t deadline_ns);
/* Harmless when it is not armed. */
void wheel_disarm(struct wheel *w, struct wheel_timer *timer);
/* Fires what is due. */
void wheel_advance(struct wheel *w, int64_t now_ns);

#endif
