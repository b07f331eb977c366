/* SPDX-License-Identifier: MIT
 * A server session against a client that the test plays: checks, service messages, hostile input.
 */
#include "script.h"

static struct script script;

enum { SESSION_ID = 77 };

static int setup(void **state)
{
    struct pair *p = &script.p;
    script.n_heard = 0;
    pair_init(p, 9);
    pair_new_server(p, SESSION_ID);
    transport_client_init(&p->ct, TRANSPORT_INTERMEDIATE, false, 2, &p->rng, &p->up);
    transport_server_init(&p->st);
    p->st.kind = TRANSPORT_INTERMEDIATE;
    script.ids = (struct msg_id_source){.clock = &p->server_clock.clock};
    *state = &script;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    forget_heard(&script);
    pair_free(&script.p);
    return 0;
}

static uint64_t good_salt(struct script *s)
{
    struct salt_schedule salts;
    pair_salts(&s->p, 0, &salts);
    return salts.spans[0].salt;
}

/* One frame to the server, and what it says to it. */
static void say_frame(struct script *s, uint64_t salt, uint64_t msg_id, uint32_t seq_no,
                      struct slice body)
{
    struct mt_message m = {
        .salt = salt, .session_id = SESSION_ID, .msg_id = msg_id, .seq_no = seq_no, .body = body};
    server_session_input(s->p.server, &m);
    pair_serve(&s->p);
}

static void listen(struct script *s)
{
    struct buf *down = &s->p.down;
    forget_heard(s);
    server_session_flush(s->p.server, &s->p.st, down);
    for (;;) {
        size_t consumed = 0;
        struct transport_event e = transport_read(&s->p.ct, down->data, down->len, &consumed);
        if (e.type != TRANSPORT_FRAME)
            break;
        hear(s, true, e.payload, e.len);
        buf_drop_front(down, consumed);
    }
    assert_int_equal(down->len, 0);
}

static uint64_t say(struct script *s, uint32_t seq_no, struct slice body)
{
    clock_manual_advance(&s->p.server_clock, NS_PER_MS);
    uint64_t id = msg_id_next(&s->ids, MSG_ID_CLIENT);
    say_frame(s, good_salt(s), id, seq_no, body);
    listen(s);
    return id;
}

static uint64_t call(struct script *s, uint32_t seq_no, uint32_t tag)
{
    return say(s, seq_no, WORDS(QUERY_ID, tag));
}

static void assert_refused(const struct script *s, uint64_t bad_msg_id, uint32_t code)
{
    const struct heard *h = heard_id(s, code == 48 ? MT_BAD_SERVER_SALT : MT_BAD_MSG_NOTIFICATION);
    assert_non_null(h);
    assert_true(load_le64(h->body.data + 4) == bad_msg_id);
    assert_int_equal(load_le32(h->body.data + 16), code);
}

static bool heard_result(const struct script *s, uint64_t req_msg_id)
{
    for (size_t i = 0; i < s->n_heard; i++) {
        const struct buf *b = &s->heard[i].body;
        if (body_id(buf_slice(b)) == MT_RPC_RESULT && load_le64(b->data + 4) == req_msg_id)
            return true;
    }
    return false;
}

/* ---- checks ---- */

static void test_first_message_creates_the_session(void **state)
{
    struct script *s = *state;
    uint64_t id = call(s, 1, 1);
    const struct heard *h = heard_id(s, MT_NEW_SESSION_CREATED);
    assert_non_null(h);
    assert_true(load_le64(h->body.data + 4) == id);
    assert_true(load_le64(h->body.data + 20) == good_salt(s));
    assert_true(heard_result(s, id));
    call(s, 3, 2);
    assert_null(heard_id(s, MT_NEW_SESSION_CREATED));
}

static void test_wrong_salts(void **state)
{
    struct script *s = *state;
    uint64_t id = msg_id_next(&s->ids, MSG_ID_CLIENT);
    say_frame(s, 0, id, 1, WORDS(QUERY_ID, 1));
    listen(s);
    assert_refused(s, id, 48);
    const struct heard *h = heard_id(s, MT_BAD_SERVER_SALT);
    assert_true(load_le64(h->body.data + 20) == good_salt(s));
    assert_int_equal(s->p.executed[1], 0);

    uint64_t old = good_salt(s);
    pair_advance(&s->p, SALT_SPAN_S); /* the spans overlap: still good, then no more */
    id = msg_id_next(&s->ids, MSG_ID_CLIENT);
    pair_advance(&s->p, SALT_SPAN_S / 2);
    id = msg_id_next(&s->ids, MSG_ID_CLIENT);
    say_frame(s, old, id, 1, WORDS(QUERY_ID, 1));
    listen(s);
    assert_refused(s, id, 48);

    server_session_fault_bad_salt(s->p.server); /* once */
    id = msg_id_next(&s->ids, MSG_ID_CLIENT);
    say_frame(s, good_salt(s), id, 1, WORDS(QUERY_ID, 1));
    listen(s);
    assert_refused(s, id, 48);
    id = call(s, 3, 1);
    assert_true(heard_result(s, id));
}

/* A client whose clock is wrong passes over containers that seem to come from another time. */
static void test_notices_travel_alone(void **state)
{
    struct script *s = *state;
    call(s, 1, 1);
    const uint64_t past = (uint64_t)(START_S - 900) << 32;
    const uint64_t id = msg_id_next(&s->ids, MSG_ID_CLIENT);
    say_frame(s, good_salt(s), past, 3, WORDS(QUERY_ID, 2));
    say_frame(s, good_salt(s), past + 4, 4, WORDS(MT_MSGS_ACK, TL_ID_VECTOR, 0));
    say_frame(s, 0, id, 3, WORDS(QUERY_ID, 3));
    say_frame(s, good_salt(s), id + 4, 4, WORDS(MT_PING, 1, 2));
    listen(s);
    uint32_t notices = 0;
    for (size_t i = 0; i < s->n_heard; i++) {
        uint32_t what = body_id(buf_slice(&s->heard[i].body));
        if (what != MT_BAD_MSG_NOTIFICATION && what != MT_BAD_SERVER_SALT)
            continue;
        notices++;
        assert_true(s->heard[i].container_id == 0);
    }
    assert_int_equal(notices, 3);
}

static void test_msg_ids_outside_the_window(void **state)
{
    struct script *s = *state;
    const uint64_t now = (uint64_t)START_S << 32;
    const struct {
        uint64_t msg_id;
        uint32_t code;
    } cases[] = {
        {now + 1, 18},
        {now + 2, 18},
        {now + 3, 18},
        {now - (301ull << 32), 16},
        {now + (32ull << 32), 17},
        {0, 20},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        say_frame(s, good_salt(s), cases[i].msg_id, 1, WORDS(QUERY_ID, 1));
        listen(s);
        assert_refused(s, cases[i].msg_id, cases[i].code);
    }
    assert_int_equal(s->p.requests, 0);
    say_frame(s, good_salt(s), now - (299ull << 32), 1, WORDS(QUERY_ID, 1));
    say_frame(s, good_salt(s), now + (29ull << 32), 3, WORDS(QUERY_ID, 2));
    assert_int_equal(s->p.requests, 2);
}

static void test_seq_numbers(void **state)
{
    struct script *s = *state;
    uint64_t first = call(s, 5, 1);
    assert_refused(s, call(s, 6, 2), 35);
    assert_refused(s, call(s, 3, 2), 32);
    assert_refused(s, call(s, 5, 2), 32);
    for (uint32_t seq = 6; seq <= 7; seq++) { /* mtcute numbers its acknowledgements like calls */
        say(s, seq, WORDS(MT_MSGS_ACK, TL_ID_VECTOR, 0));
        assert_null(heard_id(s, MT_BAD_MSG_NOTIFICATION));
    }
    say_frame(s, good_salt(s), first - 4, 9, WORDS(QUERY_ID, 2));
    listen(s);
    assert_refused(s, first - 4, 33);
    assert_int_equal(s->p.requests, 1);
    for (uint32_t seq = 10; seq <= 11; seq++) { /* pings come with both parities */
        say(s, seq, WORDS(MT_PING, LONG(123)));
        assert_non_null(heard_id(s, MT_PONG));
        assert_null(heard_id(s, MT_BAD_MSG_NOTIFICATION));
    }
}

static void test_copies_get_their_answer_again(void **state)
{
    struct script *s = *state;
    uint64_t id = call(s, 1, 1);
    const struct heard *h = heard_id(s, MT_RPC_RESULT);
    uint64_t answer_id = h->msg_id;
    for (int i = 0; i < 3; i++) {
        say_frame(s, 999, id, 1, WORDS(QUERY_ID, 1)); /* whatever the salt */
        listen(s);
        assert_true(heard_result(s, id));
        assert_true(heard_id(s, MT_RPC_RESULT)->msg_id == answer_id);
    }
    assert_int_equal(s->p.executed[1], 1);
    say(s, 2, WORDS(MT_MSGS_ACK, TL_ID_VECTOR, 1, LONG(answer_id)));
    say_frame(s, good_salt(s), id, 1, WORDS(QUERY_ID, 1));
    listen(s);
    assert_false(heard_result(s, id)); /* acknowledged: gone */
    assert_int_equal(s->p.executed[1], 1);
}

/* ---- containers ---- */

/* A container with n calls of tag 1 … n; the nth inner id is base + 4n. */
static struct buf container_of(uint64_t base, uint32_t n)
{
    struct buf b;
    buf_init(&b, 0);
    tl_write_u32(&b, MT_MSG_CONTAINER);
    tl_write_u32(&b, n);
    for (uint32_t i = 1; i <= n; i++) {
        tl_write_u64(&b, base + 4 * i);
        tl_write_u32(&b, 2 * i - 1);
        tl_write_u32(&b, 8);
        tl_write_u32(&b, QUERY_ID);
        tl_write_u32(&b, i % (TAGS_MAX - 1));
    }
    return b;
}

static void test_containers_are_taken_or_refused_whole(void **state)
{
    struct script *s = *state;
    const uint64_t base = (uint64_t)START_S << 32;
    struct buf b = container_of(base, 5);
    say_frame(s, good_salt(s), base + 4000, 10, buf_slice(&b));
    assert_int_equal(s->p.requests, 5);
    say_frame(s, good_salt(s), base + 4000, 10, buf_slice(&b)); /* a copy */
    assert_int_equal(s->p.requests, 5);
    buf_free(&b);
    listen(s);

    b = container_of(base + 8000, 5);
    store_le32(b.data + 8 + 4 * 24 + 8, 8); /* the last has a wrong parity */
    say_frame(s, good_salt(s), base + 12000, 12, buf_slice(&b));
    listen(s);
    assert_refused(s, base + 12000, 35);
    store_le64(b.data + 8 + 4 * 24, base + 8021); /* … wrong bits */
    say_frame(s, good_salt(s), base + 12000, 12, buf_slice(&b));
    listen(s);
    assert_refused(s, base + 12000, 18);
    store_le64(b.data + 8 + 4 * 24, base + 12004); /* … an id above the container's */
    say_frame(s, good_salt(s), base + 12000, 12, buf_slice(&b));
    listen(s);
    assert_refused(s, base + 12000, 64);
    assert_int_equal(s->p.requests, 5);
    buf_free(&b);

    b = container_of(base + 13000, 1); /* another container under an old id */
    say_frame(s, good_salt(s), base + 4000, 12, buf_slice(&b));
    listen(s);
    assert_int_equal(s->p.requests, 5);
    assert_non_null(heard_id(s, MT_BAD_MSG_NOTIFICATION));
    buf_free(&b);
}

static void test_container_bombs(void **state)
{
    struct script *s = *state;
    const uint64_t base = (uint64_t)START_S << 32;
    struct buf b = container_of(base, 1020);
    say_frame(s, good_salt(s), base + 40000, 3000, buf_slice(&b));
    assert_int_equal(s->p.requests, 1020);
    buf_free(&b);
    b = container_of(base + 80000, 1021);
    say_frame(s, good_salt(s), base + 120000, 6000, buf_slice(&b));
    assert_int_equal(s->p.requests, 1020);
    buf_free(&b);
    const struct slice bodies[] = {
        WORDS(MT_MSG_CONTAINER, 1, LONG(base + 200000), 1, 16, MT_MSG_CONTAINER, 0, 0, 0),
        WORDS(MT_MSG_CONTAINER, 0x7fffffff, 1, 2, 3, 4),
        WORDS(MT_MSG_CONTAINER, 1, LONG(base + 200000), 1, 0xfffffffc, 1),
        WORDS(MT_MSG_CONTAINER),
    };
    for (uint32_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        listen(s);
        uint64_t id = base + 400000 + 4 * i;
        say_frame(s, good_salt(s), id, 7000, bodies[i]);
        listen(s);
        assert_refused(s, id, 64);
    }
    assert_int_equal(s->p.requests, 1020);
}

static void test_gzip_in(void **state)
{
    struct script *s = *state;
    struct buf b = gzip_of(WORDS(QUERY_ID, 5));
    uint64_t id = say(s, 1, buf_slice(&b));
    assert_int_equal(s->p.executed[5], 1);
    assert_true(heard_result(s, id));
    buf_free(&b);

    size_t bomb_len = 17 * 1024 * 1024; /* past the bound of 16 MiB, 17 KiB packed */
    uint8_t *bomb = calloc(1, bomb_len);
    b = gzip_of(slice_of(bomb, bomb_len));
    free(bomb);
    id = say(s, 3, buf_slice(&b));
    assert_int_equal(s->p.requests, 1);
    assert_true(heard_result(s, id)); /* an error, so that the caller need not wait */
    const struct heard *h = heard_id(s, MT_RPC_RESULT);
    assert_int_equal(load_le32(h->body.data + 12), MT_RPC_ERROR);
    buf_free(&b);
}

/* ---- service messages ---- */

static void test_pings_and_salts(void **state)
{
    struct script *s = *state;
    uint64_t id = say(s, 0, WORDS(MT_PING, LONG(0x1122334455667788)));
    const struct heard *pong = heard_id(s, MT_PONG);
    assert_non_null(pong);
    assert_true(load_le64(pong->body.data + 4) == id);
    assert_true(load_le64(pong->body.data + 12) == 0x1122334455667788);
    for (uint32_t wanted = 1; wanted < 70; wanted += 34) {
        id = say(s, 0, WORDS(MT_GET_FUTURE_SALTS, wanted));
        const struct heard *salts = heard_id(s, MT_FUTURE_SALTS);
        assert_non_null(salts);
        assert_true(load_le64(salts->body.data + 4) == id);
        uint32_t n = load_le32(salts->body.data + 16);
        assert_in_range(n, 2, 64);
        assert_int_equal(salts->body.len, 20 + 16 * n);
        assert_true(load_le64(salts->body.data + 28) == good_salt(s));
    }
}

static void test_events_of_the_link(void **state)
{
    struct script *s = *state;
    struct server_event e;
    const struct {
        struct slice body;
        enum server_event_type type;
    } cases[] = {
        {WORDS(MT_PING_DELAY_DISCONNECT, 1, 2, 75), SERVER_DISCONNECT_IN},
        {WORDS(MT_DESTROY_SESSION, 3, 4), SERVER_DESTROY_SESSION},
        {WORDS(MT_DESTROY_AUTH_KEY), SERVER_DESTROY_KEY},
        {WORDS(MT_HTTP_WAIT, 1, 2, 3), SERVER_HTTP_WAIT},
    };
    for (uint32_t i = 0; i < 4; i++) {
        struct mt_message m = {.salt = good_salt(s),
                               .session_id = SESSION_ID,
                               .msg_id = msg_id_next(&s->ids, MSG_ID_CLIENT),
                               .seq_no = 2 * i + 1,
                               .body = cases[i].body};
        server_session_input(s->p.server, &m);
        assert_true(server_session_next(s->p.server, &e));
        assert_int_equal(e.type, cases[i].type);
        if (e.type == SERVER_DISCONNECT_IN)
            assert_int_equal(e.code, 75);
        if (e.type == SERVER_DESTROY_SESSION)
            assert_true(e.session_id == (4ull << 32 | 3));
        assert_false(server_session_next(s->p.server, &e));
    }
    server_session_session_destroyed(s->p.server, 9, true);
    server_session_session_destroyed(s->p.server, 9, false);
    server_session_key_destroyed(s->p.server, 9, true);
    listen(s);
    assert_non_null(heard_id(s, MT_DESTROY_SESSION_OK));
    assert_non_null(heard_id(s, MT_DESTROY_SESSION_NONE));
    assert_non_null(heard_id(s, MT_DESTROY_AUTH_KEY_OK));
}

static void wait_for_answer(struct pair *p, uint64_t msg_id, struct slice body)
{
    (void)p;
    (void)msg_id;
    (void)body;
}

static void test_state_requests(void **state)
{
    struct script *s = *state;
    uint64_t before = msg_id_next(&s->ids, MSG_ID_CLIENT);
    uint64_t answered = call(s, 1, 1);
    s->p.handle = wait_for_answer;
    uint64_t running = call(s, 3, 2);
    const struct heard *acks = heard_id(s, MT_MSGS_ACK); /* as its answer takes longer */
    assert_non_null(acks);
    assert_true(load_le64(acks->body.data + 12) == running);
    uint64_t id = say(s, 4,
                      WORDS(MT_MSGS_STATE_REQ, TL_ID_VECTOR, 5, LONG(before), LONG(answered),
                            LONG(running), LONG(running - 4), LONG(running + (1ull << 32))));
    const struct heard *h = heard_id(s, MT_MSGS_STATE_INFO);
    assert_non_null(h);
    assert_true(load_le64(h->body.data + 4) == id);
    assert_memory_equal(h->body.data + 12, "\x05\x01\x64\x24\x02\x03", 6);
}

static void test_drop_answer(void **state)
{
    struct script *s = *state;
    uint64_t answered = call(s, 1, 1);
    say(s, 3, WORDS(MT_RPC_DROP_ANSWER, LONG(answered)));
    const struct heard *h = heard_id(s, MT_RPC_RESULT);
    assert_int_equal(load_le32(h->body.data + 12), MT_RPC_ANSWER_DROPPED);
    say(s, 5, WORDS(MT_RPC_DROP_ANSWER, LONG(answered)));
    assert_int_equal(load_le32(heard_id(s, MT_RPC_RESULT)->body.data + 12), MT_RPC_ANSWER_UNKNOWN);

    s->p.handle = wait_for_answer;
    uint64_t running = call(s, 7, 2);
    say(s, 9, WORDS(MT_RPC_DROP_ANSWER, LONG(running)));
    assert_int_equal(load_le32(heard_id(s, MT_RPC_RESULT)->body.data + 12),
                     MT_RPC_ANSWER_DROPPED_RUNNING);
    pair_answer(&s->p, running, 2); /* passed over */
    listen(s);
    assert_false(heard_result(s, running));
}

static void test_resend_requests(void **state)
{
    struct script *s = *state;
    uint64_t id = call(s, 1, 1);
    uint64_t answer = heard_id(s, MT_RPC_RESULT)->msg_id;
    say(s, 2, WORDS(MT_MSG_RESEND_REQ, TL_ID_VECTOR, 1, LONG(answer)));
    assert_true(heard_result(s, id));
    assert_null(heard_id(s, MT_MSGS_STATE_INFO));
    say(s, 2, WORDS(MT_MSG_RESEND_ANS_REQ, TL_ID_VECTOR, 1, LONG(id)));
    assert_true(heard_result(s, id));
    assert_true(heard_id(s, MT_RPC_RESULT)->msg_id == answer);
    say(s, 2, WORDS(MT_MSG_RESEND_REQ, TL_ID_VECTOR, 1, LONG(answer + 8)));
    assert_non_null(heard_id(s, MT_MSGS_STATE_INFO));
}

static void test_attach_sends_what_was_not_acknowledged(void **state)
{
    struct script *s = *state;
    uint64_t first = call(s, 1, 1);
    uint64_t first_answer = heard_id(s, MT_RPC_RESULT)->msg_id;
    uint64_t second = call(s, 3, 2);
    server_session_push(s->p.server, WORDS(0x11223344, 5));
    listen(s);
    say(s, 4, WORDS(MT_MSGS_ACK, TL_ID_VECTOR, 1, LONG(first_answer)));
    server_session_attach(s->p.server);
    listen(s);
    assert_false(heard_result(s, first));
    assert_true(heard_result(s, second));
    assert_non_null(heard_id(s, 0x11223344));
    assert_true(heard_id(s, 0x11223344)->container_id != 0);
}

/* ---- bounds ---- */

static void test_answers_kept_are_bounded(void **state)
{
    struct script *s = *state;
    for (uint32_t i = 0; i < 1000; i++)
        call(s, 2 * i + 1, 1 + i % 500);
    server_session_attach(s->p.server);
    listen(s);
    assert_in_range(s->n_heard, 400, 520);
    uint8_t *large = calloc(1, 1000000);
    for (int i = 0; i < 100; i++) {
        server_session_push(s->p.server, slice_of(large, 1000000));
        listen(s);
    }
    server_session_attach(s->p.server);
    listen(s);
    assert_in_range(s->n_heard, 20, 34); /* 32 MiB */
    free(large);
}

static void test_answers_too_long_become_errors(void **state)
{
    struct script *s = *state;
    s->p.handle = wait_for_answer;
    uint64_t id = call(s, 1, 1);
    uint8_t *large = calloc(1, 2000000);
    server_session_answer(s->p.server, id, slice_of(large, 2000000));
    free(large);
    listen(s);
    assert_true(heard_result(s, id));
    assert_int_equal(load_le32(heard_id(s, MT_RPC_RESULT)->body.data + 12), MT_RPC_ERROR);
}

static void test_too_many_requests_break_the_link(void **state)
{
    struct script *s = *state;
    struct server_event e;
    const uint64_t base = (uint64_t)START_S << 32;
    bool broken = false;
    for (uint64_t i = 0; i < 6 && !broken; i++) {
        struct buf b = container_of(base + i * 40000, 1000);
        struct mt_message m = {.salt = good_salt(s),
                               .session_id = SESSION_ID,
                               .msg_id = base + i * 40000 + 8000,
                               .seq_no = 3000 + (uint32_t)i * 2,
                               .body = buf_slice(&b)};
        server_session_input(s->p.server, &m);
        while (!broken && server_session_next(s->p.server, &e))
            broken = e.type == SERVER_BROKEN;
        buf_free(&b);
    }
    assert_true(broken);
}

static void test_old_ids_are_unknown(void **state)
{
    struct script *s = *state;
    uint64_t id = call(s, 1, 1);
    for (uint32_t i = 1; i < 3000; i++) /* more than are remembered */
        say(s, 2 * i, WORDS(MT_PING, 1, 2));
    say_frame(s, good_salt(s), id, 1, WORDS(QUERY_ID, 1));
    listen(s);
    assert_refused(s, id, 20);
    assert_int_equal(s->p.executed[1], 1);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_first_message_creates_the_session),
        CASE(test_wrong_salts),
        CASE(test_notices_travel_alone),
        CASE(test_msg_ids_outside_the_window),
        CASE(test_seq_numbers),
        CASE(test_copies_get_their_answer_again),
        CASE(test_containers_are_taken_or_refused_whole),
        CASE(test_container_bombs),
        CASE(test_gzip_in),
        CASE(test_pings_and_salts),
        CASE(test_events_of_the_link),
        CASE(test_state_requests),
        CASE(test_drop_answer),
        CASE(test_resend_requests),
        CASE(test_attach_sends_what_was_not_acknowledged),
        CASE(test_answers_kept_are_bounded),
        CASE(test_answers_too_long_become_errors),
        CASE(test_too_many_requests_break_the_link),
        CASE(test_old_ids_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
