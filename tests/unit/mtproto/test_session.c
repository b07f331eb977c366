/* SPDX-License-Identifier: MIT
 * Client session against server session, without faults. */
#include "link.h"

static int setup(void **state)
{
    static struct pair p; /* too large for a small stack */
    pair_init(&p, 1);
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    pair_free(*state);
    return 0;
}

static void test_first_call_learns_the_salt(void **state)
{
    struct pair *p = *state;
    pair_start(p);
    pair_connect(p);
    assert_true(pair_call(p, 1, CALL_ONCE));
    pair_run(p);
    assert_int_equal(p->results[1], 1);
    assert_int_equal(p->executed[1], 1);
    assert_int_equal(client_session_open_calls(p->client), 0);
    assert_in_range(p->salt_events, 1, 3);
    assert_int_equal(client_session_salts(p->client)->n, 8);
    assert_int_equal(p->broken + p->bad_frames + p->renewed + p->clock_events, 0);
}

static const struct {
    enum transport_kind kind;
    bool obfuscated;
} transports[] = {
    {TRANSPORT_FULL, false},         {TRANSPORT_ABRIDGED, false},    {TRANSPORT_ABRIDGED, true},
    {TRANSPORT_INTERMEDIATE, false}, {TRANSPORT_INTERMEDIATE, true}, {TRANSPORT_PADDED, false},
    {TRANSPORT_PADDED, true},
};

static void test_every_transport_carries_calls(void **state)
{
    struct pair *p = *state;
    pair_free(p);
    for (size_t i = 0; i < sizeof transports / sizeof *transports; i++) {
        pair_init(p, 10 + i);
        p->kind = transports[i].kind;
        p->obfuscated = transports[i].obfuscated;
        pair_start(p);
        pair_connect(p);
        for (size_t tag = 1; tag <= 100; tag++)
            assert_true(pair_call_sized(p, tag, CALL_ONCE, 4 * (tag % 50) * tag));
        pair_run(p);
        for (size_t tag = 1; tag <= 100; tag++) {
            assert_int_equal(p->executed[tag], 1);
            assert_int_equal(p->results[tag], 1);
        }
        if (i + 1 < sizeof transports / sizeof *transports)
            pair_free(p);
    }
}

static size_t wrapped_calls;

static void count_wrapped(struct pair *p, uint64_t msg_id, struct slice body)
{
    if (slice_starts_with(body, "INITINITINIT"))
        wrapped_calls++;
    else
        assert_true(slice_starts_with(body, "NOUP"));
    pair_answer(p, msg_id, query_tag(body));
}

static void test_init_prefix_until_one_answer(void **state)
{
    struct pair *p = *state;
    wrapped_calls = 0;
    p->handle = count_wrapped;
    pair_start(p);
    pair_connect(p);
    pair_call(p, 1, CALL_ONCE);
    pair_call(p, 2, CALL_ONCE);
    pair_run(p);
    assert_int_equal(wrapped_calls, 2);
    pair_call(p, 3, CALL_ONCE);
    pair_run(p);
    assert_int_equal(wrapped_calls, 2);
    client_session_renew(p->client);
    pair_call(p, 4, CALL_ONCE);
    pair_run(p);
    assert_int_equal(wrapped_calls, 3);
    assert_int_equal(p->results[4], 1);
}

static void refuse_unwrapped(struct pair *p, uint64_t msg_id, struct slice body)
{
    if (slice_starts_with(body, "INITINITINIT"))
        pair_answer(p, msg_id, query_tag(body));
    else
        server_session_error(p->server, msg_id, 400, "CONNECTION_NOT_INITED");
}

static void test_not_inited_wraps_again(void **state)
{
    struct pair *p = *state;
    pair_start(p);
    pair_connect(p);
    pair_call(p, 1, CALL_ONCE);
    pair_run(p);
    p->handle = refuse_unwrapped;
    pair_call(p, 2, CALL_ONCE);
    pair_run(p);
    assert_int_equal(p->results[2], 1);
    assert_int_equal(p->executed[2], 2); /* the first time it was refused before it ran */
}

static void always_uninited(struct pair *p, uint64_t msg_id, struct slice body)
{
    (void)body;
    server_session_error(p->server, msg_id, 400, "CONNECTION_LAYER_INVALID");
}

static void test_not_inited_is_bounded(void **state)
{
    struct pair *p = *state;
    p->handle = always_uninited;
    pair_start(p);
    pair_connect(p);
    pair_call(p, 1, CALL_ONCE);
    pair_run(p);
    assert_int_equal(p->errors[1], 1);
    assert_string_equal(p->last_text, "CONNECTION_LAYER_INVALID");
    assert_in_range(p->executed[1], 2, 10);
}

static void answer_error(struct pair *p, uint64_t msg_id, struct slice body)
{
    (void)body;
    server_session_error(p->server, msg_id, 420, "FLOOD_WAIT_17");
}

static void test_rpc_errors_come_out(void **state)
{
    struct pair *p = *state;
    p->handle = answer_error;
    pair_start(p);
    pair_connect(p);
    pair_call(p, 1, CALL_ONCE);
    pair_run(p);
    assert_int_equal(p->errors[1], 1);
    assert_int_equal(p->results[1], 0);
    assert_int_equal(p->last_code, 420);
    assert_string_equal(p->last_text, "FLOOD_WAIT_17");
}

static void answer_large(struct pair *p, uint64_t msg_id, struct slice body)
{
    (void)body;
    uint8_t *large = calloc(1, 300000);
    store_le32(large, 0x600df00d);
    server_session_answer(p->server, msg_id, slice_of(large, 300000));
    free(large);
}

static void test_gzipped_answers(void **state)
{
    struct pair *p = *state;
    struct client_event e;
    size_t consumed;
    p->server_config.gzip_min = 512;
    p->handle = answer_large;
    pair_start(p);
    pair_connect(p);
    pair_call(p, 1, CALL_ONCE);
    pair_run(p);
    assert_int_equal(p->results[1], 1);

    /* once more by hand, to look at the event */
    pair_call(p, 2, CALL_ONCE);
    client_session_flush(p->client, &p->ct, &p->up);
    assert_true(pair_pump(p, false));
    server_session_flush(p->server, &p->st, &p->down);
    assert_true(p->down.len < 4000);
    struct transport_event t = transport_read(&p->ct, p->down.data, p->down.len, &consumed);
    assert_int_equal(t.type, TRANSPORT_FRAME);
    assert_true(client_session_input(p->client, t.payload, t.len));
    assert_true(client_session_next(p->client, &e));
    assert_int_equal(e.type, CLIENT_RESULT);
    assert_int_equal(e.body.len, 300000);
    assert_int_equal(load_le32(e.body.data), 0x600df00d);
    assert_false(client_session_next(p->client, &e));
    buf_clear(&p->down);
}

static void test_gzip_bomb_is_a_clear_failure(void **state)
{
    struct pair *p = *state;
    p->server_config.gzip_min = 512;
    p->client_config.inflate_max = 100000;
    p->handle = answer_large;
    pair_start(p);
    pair_connect(p);
    pair_call(p, 1, CALL_ONCE);
    pair_run(p);
    assert_int_equal(p->failures[1], 1);
    assert_int_equal(p->failure[1], CALL_UNREADABLE);
    assert_int_equal(client_session_open_calls(p->client), 0);
}

static void test_too_long_fails_and_the_longest_fits(void **state)
{
    struct pair *p = *state;
    pair_start(p);
    pair_connect(p);
    assert_true(pair_call_sized(p, 1, CALL_ONCE, 1044404));
    assert_true(pair_call_sized(p, 2, CALL_ONCE, 1044000));
    assert_true(pair_call_sized(p, 3, CALL_ONCE, 512 * 1024));
    assert_true(pair_call_sized(p, 4, CALL_ONCE, 8));
    pair_run(p);
    assert_int_equal(p->failures[1], 1);
    assert_int_equal(p->failure[1], CALL_TOO_LONG);
    for (size_t tag = 2; tag <= 4; tag++)
        assert_int_equal(p->results[tag], 1);
}

static void test_calls_are_bounded(void **state)
{
    struct pair *p = *state;
    p->client_config.calls_max = 3;
    pair_start(p);
    pair_connect(p);
    for (size_t tag = 1; tag <= 3; tag++)
        assert_true(pair_call(p, tag, CALL_ONCE));
    assert_false(pair_call(p, 4, CALL_ONCE));
    pair_run(p);
    assert_true(pair_call(p, 4, CALL_ONCE));
}

static void test_cancelled_calls_are_silent(void **state)
{
    struct pair *p = *state;
    pair_start(p);
    pair_connect(p);
    pair_call(p, 1, CALL_ONCE);
    pair_run(p);
    pair_call(p, 2, CALL_ONCE);
    pair_call(p, 3, CALL_ONCE);
    client_session_cancel(p->client, tag_of(2)); /* not sent yet */
    client_session_flush(p->client, &p->ct, &p->up);
    client_session_cancel(p->client, tag_of(3)); /* sent */
    client_session_cancel(p->client, tag_of(9)); /* nobody */
    pair_run(p);
    assert_int_equal(p->executed[2], 0);
    assert_int_equal(p->executed[3], 1);
    assert_int_equal(p->results[2] + p->results[3] + p->failures[2] + p->failures[3], 0);
    assert_int_equal(client_session_open_calls(p->client), 0);
}

static void test_updates_arrive_once_and_are_acknowledged(void **state)
{
    struct pair *p = *state;
    pair_start(p);
    pair_connect(p);
    pair_call(p, 1, CALL_ONCE);
    pair_run(p);
    for (int i = 0; i < 40; i++)
        server_session_push(p->server, slice_of("\x01\x02\x03\x04update..", 12));
    pair_run(p); /* more than 16: acknowledged at once */
    assert_int_equal(p->updates, 40);
    pair_advance(p, 11);
    client_session_tick(p->client);
    pair_run(p);
    pair_cut(p);
    pair_connect(p); /* what was not acknowledged would come again */
    pair_run(p);
    assert_int_equal(p->updates, 40);
    assert_int_equal(p->down.len, 0);
}

static void test_ping_keeps_alive_and_notices_silence(void **state)
{
    struct pair *p = *state;
    p->client_config.ping_idle_ns = 60 * NS_PER_S;
    pair_start(p);
    pair_connect(p);
    pair_call(p, 1, CALL_ONCE);
    pair_run(p);
    for (int i = 0; i < 20; i++) {
        int64_t due = client_session_deadline_ns(p->client);
        int64_t now = clock_mono_ns(&p->client_clock.clock);
        assert_true(due != INT64_MAX);
        pair_advance(p, due > now ? (due - now + NS_PER_S - 1) / NS_PER_S : 0);
        client_session_tick(p->client);
        pair_run(p);
    }
    assert_int_equal(p->broken, 0);
    pair_advance(p, 61);
    client_session_tick(p->client);
    client_session_flush(p->client, &p->ct, &p->up);
    assert_true(p->up.len > 0);
    buf_clear(&p->up); /* the ping is lost */
    pair_advance(p, 16);
    client_session_tick(p->client);
    pair_events(p);
    assert_int_equal(p->broken, 1);
}

static void test_salts_last_a_day(void **state)
{
    struct pair *p = *state;
    pair_start(p);
    pair_connect(p);
    pair_call(p, 1, CALL_ONCE);
    pair_run(p);
    unsigned events = p->salt_events;
    for (size_t i = 2; i < 200; i++) { /* 8 minutes apart: more than a day */
        pair_advance(p, 480);
        client_session_tick(p->client);
        pair_call(p, i, CALL_ONCE);
        pair_run(p);
        assert_int_equal(p->executed[i], 1);
        assert_int_equal(p->results[i], 1);
    }
    assert_true(p->salt_events > events);
    assert_int_equal(p->requests, 199); /* no call was refused and repeated */
}

static void test_destroy_auth_key_is_answered_bare(void **state)
{
    struct pair *p = *state;
    uint8_t query[4];
    pair_start(p);
    pair_connect(p);
    store_le32(query, MT_DESTROY_AUTH_KEY);
    assert_true(client_session_call(p->client, slice_of(query, 4), CALL_ONCE, tag_of(1)));
    pair_run(p);
    assert_int_equal(p->results[1], 1);
}

static void keep_waiting(struct pair *p, uint64_t msg_id, struct slice body)
{
    (void)body;
    *(uint64_t *)p->user = msg_id;
}

static void test_slow_requests_are_acknowledged(void **state)
{
    struct pair *p = *state;
    uint64_t waiting = 0;
    p->user = &waiting;
    p->handle = keep_waiting;
    pair_start(p);
    pair_connect(p);
    pair_call(p, 1, CALL_ONCE);
    pair_run(p);
    assert_true(waiting != 0);
    assert_int_equal(p->results[1], 0);
    for (int i = 0; i < 10; i++) { /* asked about now and then, never executed again */
        pair_advance(p, 31);
        client_session_tick(p->client);
        pair_run(p);
    }
    assert_int_equal(p->executed[1], 1);
    pair_answer(p, waiting, 1);
    server_session_error(p->server, waiting, 500, "TWICE"); /* only the first counts */
    pair_run(p);
    assert_int_equal(p->results[1], 1);
    assert_int_equal(p->errors[1], 0);
}

static void test_idle_sessions_are_small(void **state)
{
    struct pair *p = *state;
    pair_start(p);
    pair_connect(p);
    for (size_t tag = 1; tag <= 64; tag++)
        pair_call_sized(p, tag, CALL_ONCE, 1000);
    pair_run(p);
    for (int i = 0; i < 3; i++) {
        pair_advance(p, 11);
        client_session_tick(p->client);
        pair_run(p);
    }
    assert_true(client_session_deadline_ns(p->client) == INT64_MAX);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_first_call_learns_the_salt),
        CASE(test_every_transport_carries_calls),
        CASE(test_init_prefix_until_one_answer),
        CASE(test_not_inited_wraps_again),
        CASE(test_not_inited_is_bounded),
        CASE(test_rpc_errors_come_out),
        CASE(test_gzipped_answers),
        CASE(test_gzip_bomb_is_a_clear_failure),
        CASE(test_too_long_fails_and_the_longest_fits),
        CASE(test_calls_are_bounded),
        CASE(test_cancelled_calls_are_silent),
        CASE(test_updates_arrive_once_and_are_acknowledged),
        CASE(test_ping_keeps_alive_and_notices_silence),
        CASE(test_salts_last_a_day),
        CASE(test_destroy_auth_key_is_answered_bare),
        CASE(test_slow_requests_are_acknowledged),
        CASE(test_idle_sessions_are_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
