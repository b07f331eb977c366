/* SPDX-License-Identifier: MIT
 * Client session against server session over links that lose, repeat, reorder, corrupt and cut,
 * with servers that forget: thousands of runs from a seeded generator. The rules that hold in each:
 *  - every call gets exactly one event, unless it was cancelled;
 *  - no call is executed twice within one session;
 *  - a CALL_ONCE is executed at most once, whatever happens. */
#include "link.h"

enum {
    RUNS = 2000,
    STEPS = 40,
    CALLS_MAX = 120,
    HELD_MAX = 16,
};

struct held {
    uint8_t *bytes;
    size_t len;
    unsigned session; /* of the server; a copy of the past for another does not occur on a link */
};

struct world {
    struct rng dice;
    struct held held[HELD_MAX]; /* frames of the client, to be delivered late or twice */
    size_t n_held;
    unsigned lose, repeat, corrupt; /* of 256 */
    /* Salts refused for no reason and clocks that jump: not together with late copies, for a server
     * that refuses one copy and takes the next of the same frame executes a call twice by itself.
     */
    bool skew;
    bool late;      /* frames are overtaken and outlive their link; then servers forget nothing */
    unsigned begun; /* the server's session that took something */
    unsigned executed_in[TAGS_MAX]; /* the server's session, counted from 1 */
    bool once[TAGS_MAX];
    bool cancelled[TAGS_MAX];
    size_t n_calls;
    uint64_t waiting[CALLS_MAX]; /* requests that the server answers later */
    uint32_t waiting_tag[CALLS_MAX];
    size_t n_waiting;
};

static bool roll(struct world *w, unsigned of_256)
{
    return rng_below(&w->dice, 256) < of_256;
}

static void drop_held(struct world *w)
{
    while (w->n_held > 0)
        free(w->held[--w->n_held].bytes);
}

static void forget_session(struct pair *p)
{
    struct world *w = p->user;
    server_session_free(p->server);
    p->server = NULL;
    p->server_session_id = 0;
    w->n_waiting = 0;
}

static void execute(struct pair *p, uint64_t msg_id, struct slice body)
{
    struct world *w = p->user;
    uint32_t tag = query_tag(body);
    w->begun = p->n_sessions;
    assert_in_range(tag, 1, CALLS_MAX);
    assert_int_not_equal(w->executed_in[tag], p->n_sessions);
    w->executed_in[tag] = p->n_sessions;
    if (w->once[tag])
        assert_int_equal(p->executed[tag], 1);
    if (w->n_waiting < CALLS_MAX && roll(w, 40)) {
        w->waiting[w->n_waiting] = msg_id;
        w->waiting_tag[w->n_waiting++] = tag;
    } else if (roll(w, 20)) {
        server_session_error(p->server, msg_id, 400, "SOME_ERROR");
    } else {
        pair_answer(p, msg_id, tag);
    }
}

static void answer_waiting(struct pair *p, struct world *w, bool all)
{
    while (w->n_waiting > 0 && (all || roll(w, 100))) {
        w->n_waiting--;
        pair_answer(p, w->waiting[w->n_waiting], w->waiting_tag[w->n_waiting]);
    }
}

static bool spoil(struct pair *p, bool from_server, uint8_t *payload, size_t len)
{
    struct world *w = p->user;
    if (roll(w, w->lose))
        return false;
    /* Nothing overtakes the first message of a session: what comes after it in time but has a lower
     * id counts as lost, so clients send it again. */
    bool may_hold = p->server && w->begun == p->n_sessions;
    if (!from_server && may_hold && w->n_held < HELD_MAX && roll(w, w->repeat)) {
        struct held *h = &w->held[w->n_held++];
        *h = (struct held){malloc(len), len, p->n_sessions};
        memcpy(h->bytes, payload, len);
        if (w->late && roll(w, 128))
            return false; /* late, not twice */
    }
    if (roll(w, w->corrupt))
        payload[rng_below(&w->dice, len)] ^= (uint8_t)(1 + rng_below(&w->dice, 255));
    return true;
}

static void deliver_held(struct pair *p, struct world *w)
{
    if (w->n_held == 0)
        return;
    size_t i = rng_below(&w->dice, w->n_held);
    struct held h = w->held[i];
    w->held[i] = w->held[--w->n_held];
    if (p->server && h.session == p->n_sessions)
        pair_server_frame(p, h.bytes, h.len);
    free(h.bytes);
}

static void issue_calls(struct pair *p, struct world *w)
{
    for (uint64_t n = rng_below(&w->dice, 6); n > 0 && w->n_calls < CALLS_MAX; n--) {
        size_t tag = ++w->n_calls;
        w->once[tag] = roll(w, 128);
        assert_true(pair_call_sized(p, tag, w->once[tag] ? CALL_ONCE : CALL_REPEATABLE,
                                    4 * rng_below(&w->dice, 300)));
    }
    if (w->n_calls > 0 && roll(w, 10)) {
        size_t tag = 1 + rng_below(&w->dice, w->n_calls);
        client_session_cancel(p->client, tag_of(tag));
        w->cancelled[tag] = true;
    }
}

static void exchange(struct pair *p, struct world *w)
{
    if (p->linked)
        client_session_flush(p->client, &p->ct, &p->up);
    if (roll(w, 20))
        p->up.len = rng_below(&w->dice, p->up.len + 1); /* the rest never leaves: the link is cut */
    bool cut = !pair_pump(p, false) || p->up.len > 0;
    if (p->server)
        answer_waiting(p, w, false);
    if (p->server && p->st.started && !roll(w, 20))
        server_session_flush(p->server, &p->st, &p->down);
    if (roll(w, 15))
        cut = true;
    if (!cut)
        cut = !pair_pump(p, true) || p->broken > 0;
    pair_events(p);
    if (cut || p->broken > 0) {
        p->broken = 0;
        if (!w->late)
            drop_held(w);
        pair_cut(p);
        pair_connect(p);
    }
}

static void step(struct pair *p, struct world *w)
{
    issue_calls(p, w);
    exchange(p, w);
    if (roll(w, 60))
        deliver_held(p, w);
    if (roll(w, 60)) {
        pair_advance(p, (int64_t)rng_below(&w->dice, 40));
        client_session_tick(p->client);
    }
    if (!w->late && roll(w, 6))
        forget_session(p);
    if (w->skew && p->server && roll(w, 6))
        server_session_fault_bad_salt(p->server);
    if (!w->late && roll(w, 2)) {
        client_session_renew(p->client);
        forget_session(p);
    }
    if (w->skew && roll(w, 4)) /* somebody sets our clock: sessions must not notice */
        p->client_clock.wall_ns += ((int64_t)rng_below(&w->dice, 1200) - 600) * NS_PER_S;
    if (w->skew && roll(w, 4))
        p->server_clock.wall_ns += (int64_t)rng_below(&w->dice, 600) * NS_PER_S;
}

/* The link is good again: everything must settle. */
static void settle(struct pair *p, struct world *w)
{
    w->lose = w->repeat = w->corrupt = 0;
    drop_held(w);
    pair_cut(p);
    pair_connect(p);
    for (int i = 0; i < 40 && client_session_open_calls(p->client) > 0; i++) {
        pair_run(p);
        if (p->server)
            answer_waiting(p, w, true);
        pair_run(p);
        if (p->broken > 0) {
            p->broken = 0;
            pair_cut(p);
            pair_connect(p);
        }
        pair_advance(p, 16);
        client_session_tick(p->client);
    }
}

static void check_events(struct pair *p, const struct world *w)
{
    for (size_t tag = 1; tag <= w->n_calls; tag++) {
        unsigned events = p->results[tag] + p->errors[tag] + p->failures[tag];
        if (w->cancelled[tag])
            assert_in_range(events, 0, 1);
        else
            assert_int_equal(events, 1);
        if (p->results[tag] + p->errors[tag] > 0)
            assert_in_range(p->executed[tag], 1, 1000);
        if (w->once[tag])
            assert_in_range(p->executed[tag], 0, 1);
    }
    assert_int_equal(client_session_open_calls(p->client), 0);
}

static void run_once(uint64_t seed, const struct world *faults)
{
    static const enum transport_kind kinds[] = {TRANSPORT_FULL, TRANSPORT_ABRIDGED,
                                                TRANSPORT_INTERMEDIATE, TRANSPORT_PADDED};
    static struct pair p;
    struct world w = *faults;
    pair_init(&p, seed);
    rng_init_seed(&w.dice, seed ^ 0xfa17);
    p.user = &w;
    p.handle = execute;
    p.frame_filter = spoil;
    p.kind = kinds[rng_below(&w.dice, 4)];
    p.obfuscated = roll(&w, 64);
    w.late = roll(&w, 128);
    if (w.skew)
        p.client_clock.wall_ns += ((int64_t)rng_below(&w.dice, 1200) - 600) * NS_PER_S;
    p.client_config.ping_idle_ns = roll(&w, 128) ? 20 * NS_PER_S : 0;
    pair_start(&p);
    pair_connect(&p);
    for (int i = 0; i < STEPS; i++)
        step(&p, &w);
    settle(&p, &w);
    check_events(&p, &w);
    drop_held(&w);
    pair_free(&p);
}

static uint64_t current_run; /* said when it fails */

static int say_run(void **state)
{
    (void)state;
    print_message("last run %llu\n", (unsigned long long)current_run);
    return 0;
}

static void run_all(const struct world *faults)
{
    uint64_t seed = test_seed();
    for (uint64_t i = 0; i < RUNS; i++) {
        current_run = seed * RUNS + i;
        run_once(current_run, faults);
    }
}

static void test_links_that_cut(void **state)
{
    (void)state;
    run_all(&(struct world){.skew = true});
}

static void test_frames_lost(void **state)
{
    (void)state;
    run_all(&(struct world){.lose = 25, .skew = true});
}

static void test_frames_repeated_and_reordered(void **state)
{
    (void)state;
    run_all(&(struct world){.repeat = 60});
}

static void test_frames_corrupted(void **state)
{
    (void)state;
    run_all(&(struct world){.corrupt = 25, .skew = true});
}

static void test_everything_at_once(void **state)
{
    (void)state;
    run_all(&(struct world){.lose = 15, .repeat = 40, .corrupt = 15});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_links_that_cut, say_run),
        cmocka_unit_test_teardown(test_frames_lost, say_run),
        cmocka_unit_test_teardown(test_frames_repeated_and_reordered, say_run),
        cmocka_unit_test_teardown(test_frames_corrupted, say_run),
        cmocka_unit_test_teardown(test_everything_at_once, say_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
