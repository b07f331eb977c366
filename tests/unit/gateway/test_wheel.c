/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/random.h"
#include "gateway/wheel.h"

struct probe {
    struct wheel_timer timer;
    int64_t fired_ns; /* 0 = not yet */
    const int64_t *now_ns;
};

static void note(struct wheel_timer *timer)
{
    struct probe *p = LIST_OWNER(timer, struct probe, timer);
    p->fired_ns = *p->now_ns;
}

static void fires_after_its_deadline_never_before(void **state)
{
    (void)state;
    enum { PROBES = 500, STEPS = 4000 };
    const char *given = getenv("TGREST_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 1;
    struct rng rng;
    struct wheel wheel;
    static struct probe probes[PROBES];
    int64_t now_ns = 77 * NS_PER_S;
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init_seed(&rng, seed);
    wheel_init(&wheel, now_ns);
    for (size_t i = 0; i < PROBES; i++) {
        /* Up to three turns of the wheel. */
        int64_t delay_ms = (int64_t)rng_below(&rng, 3 * WHEEL_SLOTS * WHEEL_TICK_MS);
        probes[i] = (struct probe){.timer.fire = note, .now_ns = &now_ns};
        wheel_arm(&wheel, &probes[i].timer, now_ns + delay_ms * NS_PER_MS);
    }
    int64_t step_max_ms = 60;
    for (int step = 0; step < STEPS; step++) {
        now_ns += (int64_t)rng_below(&rng, (uint64_t)step_max_ms) * NS_PER_MS;
        wheel_advance(&wheel, now_ns);
    }
    for (size_t i = 0; i < PROBES; i++) {
        assert_true(probes[i].fired_ns >= probes[i].timer.deadline_ns);
        assert_true(probes[i].fired_ns <=
                    probes[i].timer.deadline_ns + (WHEEL_TICK_MS + step_max_ms) * NS_PER_MS);
    }
    assert_int_equal(wheel.armed, 0);
}

static void disarmed_timer_stays_silent(void **state)
{
    (void)state;
    struct wheel wheel;
    int64_t now_ns = NS_PER_S;
    struct probe p = {.timer.fire = note, .now_ns = &now_ns};
    wheel_init(&wheel, now_ns);
    wheel_arm(&wheel, &p.timer, now_ns + NS_PER_S);
    wheel_disarm(&wheel, &p.timer);
    wheel_disarm(&wheel, &p.timer);
    now_ns += 10 * NS_PER_S;
    wheel_advance(&wheel, now_ns);
    assert_int_equal(p.fired_ns, 0);
    assert_int_equal(wheel.armed, 0);
}

static void rearming_moves_the_deadline(void **state)
{
    (void)state;
    struct wheel wheel;
    int64_t now_ns = NS_PER_S;
    struct probe p = {.timer.fire = note, .now_ns = &now_ns};
    wheel_init(&wheel, now_ns);
    wheel_arm(&wheel, &p.timer, now_ns + NS_PER_S);
    wheel_arm(&wheel, &p.timer, now_ns + 3 * NS_PER_S);
    assert_int_equal(wheel.armed, 1);
    now_ns += 2 * NS_PER_S;
    wheel_advance(&wheel, now_ns);
    assert_int_equal(p.fired_ns, 0);
    now_ns += 2 * NS_PER_S;
    wheel_advance(&wheel, now_ns);
    assert_int_equal(p.fired_ns, now_ns);
}

struct chain {
    struct wheel_timer timer;
    struct wheel *wheel;
    int64_t *now_ns;
    int fired;
};

static void fire_again(struct wheel_timer *timer)
{
    struct chain *c = LIST_OWNER(timer, struct chain, timer);
    c->fired++;
    wheel_arm(c->wheel, timer, *c->now_ns); /* due at once: the next tick, not this one for ever */
}

static void timer_may_arm_itself_while_it_fires(void **state)
{
    (void)state;
    struct wheel wheel;
    int64_t now_ns = NS_PER_S;
    struct chain c = {.timer.fire = fire_again, .wheel = &wheel, .now_ns = &now_ns};
    wheel_init(&wheel, now_ns);
    wheel_arm(&wheel, &c.timer, now_ns);
    for (int i = 1; i <= 5; i++) {
        now_ns += WHEEL_TICK_MS * NS_PER_MS;
        wheel_advance(&wheel, now_ns);
        assert_int_equal(c.fired, i);
    }
}

static void long_pause_fires_everything_once(void **state)
{
    (void)state;
    struct wheel wheel;
    int64_t now_ns = NS_PER_S;
    struct probe p[3];
    wheel_init(&wheel, now_ns);
    for (int i = 0; i < 3; i++) {
        p[i] = (struct probe){.timer.fire = note, .now_ns = &now_ns};
        wheel_arm(&wheel, &p[i].timer, now_ns + (1 + 40 * i) * NS_PER_S);
    }
    now_ns += 3600 * NS_PER_S;
    wheel_advance(&wheel, now_ns);
    for (int i = 0; i < 3; i++)
        assert_int_equal(p[i].fired_ns, now_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_after_its_deadline_never_before),
        cmocka_unit_test(disarmed_timer_stays_silent),
        cmocka_unit_test(rearming_moves_the_deadline),
        cmocka_unit_test(timer_may_arm_itself_while_it_fires),
        cmocka_unit_test(long_pause_fires_everything_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
