/* SPDX-License-Identifier: MIT
 * A client session against a server that the test plays: every notice and service message. */
#include "script.h"

static struct script script;

static bool catch_frame(struct pair *p, bool from_server, uint8_t *payload, size_t len)
{
    (void)p;
    assert_false(from_server);
    hear(&script, false, payload, len);
    return false;
}

static int setup(void **state)
{
    struct pair *p = &script.p;
    script.n_heard = 0;
    pair_init(p, 7);
    p->frame_filter = catch_frame;
    p->client_config.salts = (struct salt_schedule){{{11, START_S - 9999, START_S + 99999}}, 1};
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

/* What the client has to say. */
static void listen(struct script *s)
{
    forget_heard(s);
    client_session_flush(s->p.client, &s->p.ct, &s->p.up);
    assert_true(pair_pump(&s->p, false));
}

static void start(struct script *s)
{
    pair_start(&s->p);
    pair_connect(&s->p);
}

static uint64_t say_as(struct script *s, uint64_t session_id, uint64_t msg_id, uint32_t seq_no,
                       struct slice body)
{
    struct buf frame;
    buf_init(&frame, 0);
    size_t mark = mt_seal_begin(&frame);
    buf_append(&frame, body.data, body.len);
    mt_seal_end(&s->p.key, s->p.digests, true, &s->p.rng, &frame, mark, 11, session_id, msg_id,
                seq_no);
    pair_client_frame(&s->p, frame.data, frame.len);
    buf_free(&frame);
    return msg_id;
}

static uint64_t say(struct script *s, uint32_t seq_no, struct slice body)
{
    clock_manual_advance(&s->p.server_clock, NS_PER_MS);
    return say_as(s, s->session_id, msg_id_next(&s->ids, MSG_ID_SERVER_ANSWER), seq_no, body);
}

static void say_bad(struct script *s, uint64_t bad_msg_id, uint32_t code)
{
    say(s, 0, WORDS(MT_BAD_MSG_NOTIFICATION, LONG(bad_msg_id), 1, code));
}

static void say_result(struct script *s, uint64_t req_msg_id)
{
    say(s, 1, WORDS(MT_RPC_RESULT, LONG(req_msg_id), 0x600df00d));
}

/* One call, sent: what was heard of it. */
static struct heard send_one(struct script *s, uint32_t tag, enum call_safety safety)
{
    assert_true(pair_call(&s->p, tag, safety));
    listen(s);
    const struct heard *h = heard_call(s, tag);
    assert_non_null(h);
    return *h;
}

/* ---- codes ---- */

static void test_codes_that_are_mended(void **state)
{
    struct script *s = *state;
    static const uint32_t codes[] = {16, 17, 18, 34, 35};
    start(s);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct heard first = send_one(s, (uint32_t)i + 1, CALL_ONCE);
        say_bad(s, first.msg_id, codes[i]);
        listen(s);
        const struct heard *again = heard_call(s, (uint32_t)i + 1);
        assert_non_null(again);
        assert_true(again->msg_id != first.msg_id);
        assert_true(again->session_id == first.session_id);
        assert_true(again->seq_no > first.seq_no);
        say_result(s, again->msg_id);
        assert_int_equal(s->p.results[i + 1], 1);
    }
    assert_int_equal(s->p.clock_events, 0); /* it was right within a second */
}

static void test_wrong_clock_is_learnt(void **state)
{
    struct script *s = *state;
    static const int skews[] = {-600, 600};
    for (size_t i = 0; i < 2; i++) {
        if (i > 0) {
            teardown(state);
            setup(state);
        }
        s->p.client_clock.wall_ns += skews[i] * NS_PER_S;
        start(s);
        struct heard first = send_one(s, 1, CALL_ONCE);
        assert_int_equal(msg_id_unix_s(first.msg_id), START_S + skews[i]);
        say_bad(s, first.msg_id, skews[i] < 0 ? 16 : 17);
        assert_int_equal(s->p.clock_events, 1);
        listen(s);
        const struct heard *again = heard_call(s, 1);
        assert_non_null(again);
        assert_in_range(msg_id_unix_s(again->msg_id), START_S - 1, START_S + 1);
        int64_t offset_s = client_session_clock_offset(s->p.client) / NS_PER_S;
        assert_in_range(offset_s + skews[i] + 1, 0, 2);
        say_result(s, again->msg_id);
        assert_int_equal(s->p.results[1], 1);
    }
}

/* A message that is packed, with a result in it that is packed, too. */
static void test_packed_twice(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard call = send_one(s, 1, CALL_ONCE);
    uint8_t answer[100000]; /* that packing does not make smaller */
    rng_fill(&s->p.rng, answer, sizeof answer);
    struct buf result = gzip_of(slice_of(answer, sizeof answer)), message;
    buf_init(&message, 0);
    tl_write_u32(&message, MT_RPC_RESULT);
    tl_write_u64(&message, call.msg_id);
    buf_append(&message, result.data, result.len);
    struct buf packed = gzip_of(buf_slice(&message));
    say(s, 1, buf_slice(&packed));
    assert_int_equal(s->p.results[1], 1);
    buf_free(&packed);
    buf_free(&message);
    buf_free(&result);
}

static void test_refusals_are_bounded(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard h = send_one(s, 1, CALL_REPEATABLE);
    unsigned sent = 1;
    while (s->p.failures[1] == 0) {
        say_bad(s, h.msg_id, 35);
        listen(s);
        if (heard_call(s, 1)) {
            h = *heard_call(s, 1);
            sent++;
        }
        assert_true(sent < 20);
    }
    assert_int_equal(s->p.failure[1], CALL_REFUSED);
    assert_in_range(sent, 2, 10);
}

static void test_unknown_code_is_final(void **state)
{
    struct script *s = *state;
    start(s);
    say_bad(s, send_one(s, 1, CALL_REPEATABLE).msg_id, 99);
    assert_int_equal(s->p.failures[1], 1);
    assert_int_equal(s->p.failure[1], CALL_REFUSED);
}

static void test_code_20_by_safety(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard once = send_one(s, 1, CALL_ONCE);
    struct heard repeatable = send_one(s, 2, CALL_REPEATABLE);
    say_bad(s, once.msg_id, 20);
    say_bad(s, repeatable.msg_id, 20);
    assert_int_equal(s->p.failures[1], 1);
    assert_int_equal(s->p.failure[1], CALL_LOST);
    listen(s);
    assert_null(heard_call(s, 1));
    assert_non_null(heard_call(s, 2));
    assert_true(heard_call(s, 2)->msg_id != repeatable.msg_id);
}

static void test_codes_32_and_33_begin_a_session(void **state)
{
    struct script *s = *state;
    start(s);
    for (uint32_t code = 32; code <= 33; code++) {
        uint32_t tag = code - 31;
        struct heard first = send_one(s, tag, CALL_ONCE);
        say_bad(s, first.msg_id, code);
        listen(s);
        const struct heard *again = heard_call(s, tag);
        assert_non_null(again);
        assert_true(again->session_id != first.session_id);
        assert_true(slice_starts_with(buf_slice(&again->body), "INITINITINIT"));
        say_result(s, again->msg_id);
        assert_int_equal(s->p.results[tag], 1);
    }
}

static void test_bad_salt_is_replaced(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard first = send_one(s, 1, CALL_ONCE);
    assert_true(first.salt == 11);
    say(s, 0, WORDS(MT_BAD_SERVER_SALT, LONG(first.msg_id), 1, 48, LONG(0xabcdef0123456789)));
    assert_int_equal(s->p.salt_events, 1);
    listen(s);
    assert_true(heard_call(s, 1)->salt == 0xabcdef0123456789);
    assert_non_null(heard_id(s, MT_GET_FUTURE_SALTS));
    assert_true(client_session_salts(s->p.client)->spans[0].salt == 0xabcdef0123456789);
}

static void test_a_refused_container_is_refused_whole(void **state)
{
    struct script *s = *state;
    start(s);
    for (size_t tag = 1; tag <= 5; tag++)
        pair_call(&s->p, tag, CALL_ONCE);
    listen(s);
    uint64_t container = heard_call(s, 1)->container_id;
    assert_true(container != 0 && container == heard_call(s, 5)->container_id);
    say_bad(s, container, 64);
    listen(s);
    uint64_t last = 0;
    for (uint32_t tag = 1; tag <= 5; tag++) { /* each alone, in their order */
        const struct heard *h = heard_call(s, tag);
        assert_non_null(h);
        assert_true(h->container_id == 0);
        assert_true(h->msg_id > last);
        last = h->msg_id;
    }
}

static void test_code_19_asks_first(void **state)
{
    struct script *s = *state;
    start(s);
    pair_call(&s->p, 1, CALL_ONCE);
    pair_call(&s->p, 2, CALL_ONCE);
    listen(s);
    struct heard first = *heard_call(s, 1);
    say_bad(s, first.container_id, 19);
    listen(s);
    assert_null(heard_call(s, 1));
    client_session_tick(s->p.client);
    listen(s);
    assert_null(heard_call(s, 1));
    assert_non_null(heard_id(s, MT_MSGS_STATE_REQ));
    say_result(s, first.msg_id); /* it had been taken */
    assert_int_equal(s->p.results[1], 1);
}

static void test_notices_about_others_do_nothing(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard h = send_one(s, 1, CALL_ONCE);
    for (uint32_t code = 15; code < 70; code++)
        if (code != 32 && code != 33)
            say_bad(s, h.msg_id + 4000, code);
    /* The id 0 is nobody's, also not of what went without a container. */
    assert_true(h.container_id == 0);
    say_bad(s, 0, 20);
    say_result(s, h.msg_id + 4000);
    listen(s);
    assert_null(heard_call(s, 1));
    assert_int_equal(s->p.failures[1], 0);
    say_result(s, h.msg_id);
    assert_int_equal(s->p.results[1], 1);
}

/* ---- new links, lost sessions ---- */

static void test_new_link_resends_under_the_same_id(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard first = send_one(s, 1, CALL_REPEATABLE);
    pair_cut(&s->p);
    pair_connect(&s->p);
    pair_advance(&s->p, 400); /* by now the id alone is too old */
    listen(s);
    const struct heard *again = heard_call(s, 1);
    assert_non_null(again);
    assert_true(again->msg_id == first.msg_id && again->seq_no == first.seq_no);
    assert_int_equal(msg_id_unix_s(again->container_id), START_S + 400);
}

/* What a CALL_ONCE does on a new link when the server says that state of it. */
static void once_after_new_link(struct script *s, uint8_t state, struct heard *first)
{
    start(s);
    *first = send_one(s, 1, CALL_ONCE);
    pair_cut(&s->p);
    pair_connect(&s->p);
    listen(s);
    assert_null(heard_call(s, 1));
    const struct heard *question = heard_id(s, MT_MSGS_STATE_REQ);
    assert_non_null(question);
    assert_int_equal(question->body.len, 20);
    assert_true(load_le64(question->body.data + 12) == first->msg_id);
    say(s, 0, WORDS(MT_MSGS_STATE_INFO, LONG(question->msg_id), 1u | (uint32_t)state << 8));
    listen(s);
}

static void test_once_goes_again_when_it_never_arrived(void **state)
{
    struct script *s = *state;
    struct heard first;
    once_after_new_link(s, 3, &first);
    assert_non_null(heard_call(s, 1));
    assert_true(heard_call(s, 1)->msg_id == first.msg_id);
}

static void test_once_waits_when_it_arrived(void **state)
{
    struct script *s = *state;
    struct heard first;
    once_after_new_link(s, 4, &first);
    assert_null(heard_call(s, 1));
    say_result(s, first.msg_id);
    assert_int_equal(s->p.results[1], 1);
}

static void test_once_asks_for_an_answer_that_is_there(void **state)
{
    struct script *s = *state;
    struct heard first;
    once_after_new_link(s, 4 | 32 | 64, &first);
    assert_null(heard_call(s, 1));
    assert_non_null(heard_id(s, MT_MSG_RESEND_ANS_REQ));
}

static void test_once_is_lost_with_its_session(void **state)
{
    struct script *s = *state;
    struct heard first;
    once_after_new_link(s, 1, &first);
    assert_null(heard_call(s, 1));
    assert_int_equal(s->p.failures[1], 1);
    assert_int_equal(s->p.failure[1], CALL_LOST);
}

/* The server may have taken the call before its clock was set back and it forgot the session. The
 * client asks on a new link, learns the time, and asks again: that question. */
static struct heard ask_after_clock_was_set_back(struct script *s, enum call_safety safety)
{
    start(s);
    send_one(s, 1, safety);
    pair_cut(&s->p);
    s->p.server_clock.wall_ns -= 900 * NS_PER_S;
    s->ids.last = 0;
    pair_connect(&s->p);
    listen(s);
    const struct heard *refused = s->n_heard ? &s->heard[0] : NULL;
    assert_non_null(refused);
    say_bad(s, refused->container_id ? refused->container_id : refused->msg_id, 17);
    listen(s);
    const struct heard *question = heard_id(s, MT_MSGS_STATE_REQ);
    return question ? *question : (struct heard){0};
}

static void test_once_is_lost_when_the_clock_is_set_back(void **state)
{
    struct script *s = *state;
    struct heard question = ask_after_clock_was_set_back(s, CALL_ONCE);
    say(s, 1, WORDS(MT_NEW_SESSION_CREATED, LONG(question.msg_id), LONG(5), LONG(11)));
    listen(s);
    assert_null(heard_call(s, 1));
    assert_int_equal(s->p.failures[1], 1);
    assert_int_equal(s->p.failure[1], CALL_LOST);
}

/* "Not received" says a server that would say so of all that it forgot. */
static void test_once_is_lost_when_its_id_is_of_no_use(void **state)
{
    struct script *s = *state;
    struct heard question = ask_after_clock_was_set_back(s, CALL_ONCE);
    say(s, 0, WORDS(MT_MSGS_STATE_INFO, LONG(question.msg_id), 1u | 3u << 8));
    listen(s);
    assert_null(heard_call(s, 1));
    assert_int_equal(s->p.failures[1], 1);
    assert_int_equal(s->p.failure[1], CALL_LOST);
}

static void test_once_is_lost_when_the_link_goes_after_the_clock_was_set_back(void **state)
{
    struct script *s = *state;
    ask_after_clock_was_set_back(s, CALL_ONCE);
    pair_cut(&s->p);
    pair_events(&s->p);
    pair_connect(&s->p);
    listen(s);
    assert_null(heard_call(s, 1));
    assert_int_equal(s->p.failures[1], 1);
    assert_int_equal(s->p.failure[1], CALL_LOST);
}

static void test_a_repeatable_call_goes_on_when_the_clock_is_set_back(void **state)
{
    struct script *s = *state;
    ask_after_clock_was_set_back(s, CALL_REPEATABLE);
    const struct heard *again = heard_call(s, 1);
    assert_non_null(again);
    assert_in_range(msg_id_unix_s(again->msg_id), START_S - 901, START_S - 899);
    say_result(s, again->msg_id);
    assert_int_equal(s->p.results[1], 1);
}

static void say_error(struct script *s, uint64_t req_msg_id)
{
    say(s, 1, WORDS(MT_RPC_RESULT, LONG(req_msg_id), MT_RPC_ERROR, 400, 0x44414203)); /* "BAD" */
}

/* A call that goes again on a new link: the session is the same one, or a new one under its id. */
static void test_an_error_to_a_copy_tells_nothing_of_an_earlier_one(void **state)
{
    struct script *s = *state;
    for (int anew = 0; anew < 2; anew++) {
        if (anew) {
            teardown(state);
            setup(state);
        }
        start(s);
        send_one(s, 1, CALL_REPEATABLE);
        pair_cut(&s->p);
        pair_connect(&s->p);
        listen(s);
        const struct heard *again = heard_call(s, 1);
        assert_non_null(again);
        uint64_t outer = again->container_id ? again->container_id : again->msg_id;
        if (anew)
            say(s, 1, WORDS(MT_NEW_SESSION_CREATED, LONG(outer), LONG(5), LONG(11)));
        say_error(s, again->msg_id);
        assert_int_equal(s->p.errors[1], 1);
        assert_int_equal(s->p.unsure, anew);
    }
}

static void test_an_error_after_code_20_tells_nothing_of_the_first_copy(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard first = send_one(s, 1, CALL_REPEATABLE);
    say_bad(s, first.msg_id, 20);
    listen(s);
    assert_non_null(heard_call(s, 1));
    say_error(s, heard_call(s, 1)->msg_id);
    assert_int_equal(s->p.unsure, 1);
}

/* Time passes until the client asks about what it sent; what it says then. */
static void wait_for_question(struct script *s)
{
    pair_advance(&s->p, 31);
    client_session_tick(s->p.client);
}

static void test_unanswered_calls_are_asked_about(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard first = send_one(s, 1, CALL_ONCE);
    assert_true(client_session_deadline_ns(s->p.client) < 32 * NS_PER_S);
    wait_for_question(s);
    listen(s);
    const struct heard *question = heard_id(s, MT_MSGS_STATE_REQ);
    assert_non_null(question);
    say(s, 0, WORDS(MT_MSGS_STATE_INFO, LONG(question->msg_id), 0x0301));
    listen(s);
    assert_non_null(heard_call(s, 1));
    assert_true(heard_call(s, 1)->msg_id == first.msg_id);
    say_result(s, first.msg_id);
    assert_int_equal(s->p.results[1], 1);
}

static void test_states_older_than_the_call_are_not_believed(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard first = send_one(s, 1, CALL_ONCE);
    wait_for_question(s);
    say(s, 1, WORDS(MT_MSG_RESEND_REQ, TL_ID_VECTOR, 1, LONG(first.msg_id)));
    listen(s); /* the question and the call in one container */
    const struct heard *question = heard_id(s, MT_MSGS_STATE_REQ);
    assert_non_null(question);
    assert_true(heard_call(s, 1)->container_id == question->container_id);
    say(s, 0, WORDS(MT_MSGS_STATE_INFO, LONG(question->msg_id), 0x0101));
    assert_int_equal(s->p.failures[1], 0);
    say_result(s, first.msg_id);
    assert_int_equal(s->p.results[1], 1);
}

static void test_new_session_created(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard once = send_one(s, 1, CALL_ONCE);
    say(s, 1, WORDS(MT_NEW_SESSION_CREATED, LONG(once.msg_id), LONG(5), LONG(11)));
    assert_int_equal(s->p.renewed, 0); /* the session is new to both */
    assert_int_equal(s->p.failures[1], 0);
    struct heard repeatable = send_one(s, 2, CALL_REPEATABLE);
    struct heard later = send_one(s, 3, CALL_ONCE);
    say(s, 1, WORDS(MT_NEW_SESSION_CREATED, LONG(later.msg_id), LONG(6), LONG(11)));
    assert_int_equal(s->p.renewed, 1);
    assert_int_equal(s->p.failures[1], 1);
    assert_int_equal(s->p.failure[1], CALL_LOST);
    assert_int_equal(s->p.failures[3], 0);
    listen(s);
    assert_non_null(heard_call(s, 2));
    assert_null(heard_call(s, 3));
    assert_true(heard_call(s, 2)->container_id != repeatable.container_id);
}

static void test_a_session_that_just_began_has_lost_nothing(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard once = send_one(s, 1, CALL_ONCE);
    say(s, 1, WORDS(MT_NEW_SESSION_CREATED, LONG(once.msg_id + 4096), LONG(5), LONG(11)));
    assert_int_equal(s->p.failures[1], 0);
    say_result(s, once.msg_id);
    assert_int_equal(s->p.results[1], 1);
}

static void test_a_session_of_an_earlier_link_may_have_lost_calls(void **state)
{
    struct script *s = *state;
    start(s);
    client_session_disconnected(s->p.client);
    client_session_connected(s->p.client);
    struct heard once = send_one(s, 1, CALL_ONCE);
    say(s, 1, WORDS(MT_NEW_SESSION_CREATED, LONG(once.msg_id + 4096), LONG(5), LONG(11)));
    assert_int_equal(s->p.failures[1], 1);
    assert_int_equal(s->p.failure[1], CALL_LOST);
}

/* ---- what is taken and what is not ---- */

static void test_copies_are_dropped_and_acknowledged_again(void **state)
{
    struct script *s = *state;
    start(s);
    send_one(s, 1, CALL_ONCE);
    uint64_t id = say(s, 1, WORDS(0x11223344, 1, 2));
    for (int i = 0; i < 20; i++)
        say_as(s, s->session_id, id, 1, WORDS(0x11223344, 1, 2));
    assert_int_equal(s->p.updates, 1);
    listen(s);
    const struct heard *acks = heard_id(s, MT_MSGS_ACK);
    assert_non_null(acks);
    assert_true(load_le64(acks->body.data + 12) == id);
}

static void test_foreign_messages_are_ignored(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard h = send_one(s, 1, CALL_ONCE);
    struct slice update = WORDS(0x11223344, 1, 2);
    uint64_t now = (uint64_t)START_S << 32;
    say(s, 1, update); /* one good message, so that the clock is trusted */
    say_as(s, h.session_id + 1, now + 1, 1, update);
    assert_int_equal(s->p.bad_frames, 1);
    say_as(s, h.session_id, now + 4, 1, update); /* a client's parity */
    say_as(s, h.session_id, now + 2, 1, update);
    say_as(s, h.session_id, now + 1 - (301ull << 32), 1, update); /* too old */
    say_as(s, h.session_id, now + 1 + (31ull << 32), 1, update);  /* too new */
    assert_int_equal(s->p.updates, 1);
    assert_int_equal(s->p.clock_events, 0);
    say_as(s, h.session_id, now + 5 - (299ull << 32), 1, update);
    say_as(s, h.session_id, now + 5 + (29ull << 32), 1, update);
    assert_int_equal(s->p.updates, 3);
}

static void test_first_message_shows_a_clock_behind(void **state)
{
    struct script *s = *state;
    s->p.client_clock.wall_ns -= 200 * NS_PER_S; /* close enough that the server takes our ids */
    start(s);
    struct heard h = send_one(s, 1, CALL_ONCE);
    say_result(s, h.msg_id);
    assert_int_equal(s->p.results[1], 1);
    assert_int_equal(s->p.clock_events, 1);
}

static void test_a_link_out_of_time_is_given_up(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard h = send_one(s, 1, CALL_ONCE);
    for (uint64_t i = 0; i < 20; i++)
        say_as(s, h.session_id, ((uint64_t)(START_S - 1000) << 32) + 4 * i + 1, 1, WORDS(1, 2));
    assert_int_equal(s->p.updates, 0);
    assert_in_range(s->p.broken, 1, 20);
}

static void test_malformed_containers_break_the_link(void **state)
{
    struct script *s = *state;
    start(s);
    send_one(s, 1, CALL_ONCE);
    const struct slice bodies[] = {
        WORDS(MT_MSG_CONTAINER, 1, 1, 0, 1, 8, MT_MSG_CONTAINER, 0), /* nested */
        WORDS(MT_MSG_CONTAINER, 2, 1, 0, 1, 4, 7),                   /* one is missing */
        WORDS(MT_MSG_CONTAINER, 1, 1, 0, 1, 8, 7),                   /* cut off */
        WORDS(MT_MSG_CONTAINER, 1, 1, 0, 1, 3, 7),                   /* odd length */
        WORDS(MT_MSG_CONTAINER, 0xffffffff),
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        say(s, 0, bodies[i]);
        assert_int_equal(s->p.broken, i + 1);
    }
    assert_int_equal(s->p.updates, 0);
}

static void test_short_and_odd_bodies_are_survived(void **state)
{
    struct script *s = *state;
    start(s);
    send_one(s, 1, CALL_REPEATABLE);
    static const uint32_t ids[] = {
        MT_RPC_RESULT,
        MT_MSGS_ACK,
        MT_PONG,
        MT_NEW_SESSION_CREATED,
        MT_BAD_SERVER_SALT,
        MT_FUTURE_SALTS,
        MT_MSGS_STATE_REQ,
        MT_BAD_MSG_NOTIFICATION,
        MT_MSGS_STATE_INFO,
        MT_MSGS_ALL_INFO,
        MT_MSG_RESEND_REQ,
        MT_MSG_DETAILED_INFO,
        MT_MSG_NEW_DETAILED_INFO,
        MT_GZIP_PACKED,
        MT_DESTROY_AUTH_KEY_OK,
        MT_DESTROY_SESSION_OK,
    };
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        say(s, 1, WORDS(ids[i]));
        say(s, 1, WORDS(ids[i], 0xffffffff));
        say(s, 1, WORDS(ids[i], TL_ID_VECTOR, 0xffffffff, 1));
    }
    say(s, 1, slice_of("", 0));
    assert_int_equal(s->p.broken, 0);
    assert_int_equal(s->p.results[1] + s->p.errors[1] + s->p.failures[1], 0);
    say_result(s, send_one(s, 2, CALL_ONCE).msg_id);
    assert_int_equal(s->p.results[2], 1);
}

static void test_unreadable_answers_fail_clearly(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard h = send_one(s, 1, CALL_ONCE);
    say(s, 1, WORDS(MT_RPC_RESULT, LONG(h.msg_id), MT_GZIP_PACKED, 0x61626303));
    h = send_one(s, 2, CALL_ONCE);
    say(s, 1, WORDS(MT_RPC_RESULT, LONG(h.msg_id)));
    for (size_t tag = 1; tag <= 2; tag++) {
        assert_int_equal(s->p.failures[tag], 1);
        assert_int_equal(s->p.failure[tag], CALL_UNREADABLE);
    }
}

/* ---- questions of the server ---- */

static void test_state_requests_are_answered(void **state)
{
    struct script *s = *state;
    start(s);
    send_one(s, 1, CALL_ONCE);
    uint64_t seen = say(s, 1, WORDS(0x11223344, 1, 2));
    uint64_t unseen = seen - 4;
    uint64_t ahead = seen + (1ull << 32);
    uint64_t req =
        say(s, 1, WORDS(MT_MSGS_STATE_REQ, TL_ID_VECTOR, 3, LONG(seen), LONG(unseen), LONG(ahead)));
    listen(s);
    const struct heard *h = heard_id(s, MT_MSGS_STATE_INFO);
    assert_non_null(h);
    assert_true(load_le64(h->body.data + 4) == req);
    assert_memory_equal(h->body.data + 12, "\x03\x04\x02\x03", 4);
}

static void test_resend_requests_are_followed(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard first = send_one(s, 1, CALL_ONCE);
    say(s, 1, WORDS(MT_MSG_RESEND_REQ, TL_ID_VECTOR, 1, LONG(first.msg_id)));
    listen(s);
    assert_non_null(heard_call(s, 1));
    assert_true(heard_call(s, 1)->msg_id == first.msg_id);
}

static void test_detailed_info_asks_for_the_answer(void **state)
{
    struct script *s = *state;
    start(s);
    struct heard h = send_one(s, 1, CALL_ONCE);
    uint64_t answer = msg_id_next(&s->ids, MSG_ID_SERVER_ANSWER);
    say(s, 0, WORDS(MT_MSG_DETAILED_INFO, LONG(h.msg_id), LONG(answer), 100, 0));
    listen(s);
    const struct heard *wanted = heard_id(s, MT_MSG_RESEND_REQ);
    assert_non_null(wanted);
    assert_true(load_le64(wanted->body.data + 12) == answer);
    say_as(s, s->session_id, answer, 1, WORDS(MT_RPC_RESULT, LONG(h.msg_id), 0x600df00d));
    assert_int_equal(s->p.results[1], 1);
    say(s, 0, WORDS(MT_MSG_NEW_DETAILED_INFO, LONG(answer), 100, 0)); /* it is here already */
    pair_call(&s->p, 2, CALL_ONCE);
    listen(s);
    assert_null(heard_id(s, MT_MSG_RESEND_REQ));
}

static void test_future_salts_make_the_schedule(void **state)
{
    struct script *s = *state;
    s->p.client_config.salts.spans[0].valid_until = START_S + 600;
    start(s);
    struct heard h = send_one(s, 1, CALL_ONCE);
    const struct heard *question = heard_id(s, MT_GET_FUTURE_SALTS);
    assert_non_null(question);
    say(s, 0,
        WORDS(MT_FUTURE_SALTS, LONG(question->msg_id), START_S, 2, START_S, START_S + 1800,
              LONG(21), START_S + 1800, START_S + 99999, LONG(22)));
    say_result(s, h.msg_id);
    assert_int_equal(client_session_salts(s->p.client)->n, 2);
    pair_advance(&s->p, 10);
    assert_true(send_one(s, 2, CALL_ONCE).salt == 21);
    pair_advance(&s->p, 1800);
    assert_true(send_one(s, 3, CALL_ONCE).salt == 22);
    assert_null(heard_id(s, MT_GET_FUTURE_SALTS));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_codes_that_are_mended),
        CASE(test_wrong_clock_is_learnt),
        CASE(test_packed_twice),
        CASE(test_refusals_are_bounded),
        CASE(test_unknown_code_is_final),
        CASE(test_code_20_by_safety),
        CASE(test_codes_32_and_33_begin_a_session),
        CASE(test_bad_salt_is_replaced),
        CASE(test_a_refused_container_is_refused_whole),
        CASE(test_code_19_asks_first),
        CASE(test_notices_about_others_do_nothing),
        CASE(test_new_link_resends_under_the_same_id),
        CASE(test_once_goes_again_when_it_never_arrived),
        CASE(test_once_waits_when_it_arrived),
        CASE(test_once_asks_for_an_answer_that_is_there),
        CASE(test_once_is_lost_with_its_session),
        CASE(test_once_is_lost_when_the_clock_is_set_back),
        CASE(test_once_is_lost_when_its_id_is_of_no_use),
        CASE(test_once_is_lost_when_the_link_goes_after_the_clock_was_set_back),
        CASE(test_a_repeatable_call_goes_on_when_the_clock_is_set_back),
        CASE(test_an_error_to_a_copy_tells_nothing_of_an_earlier_one),
        CASE(test_an_error_after_code_20_tells_nothing_of_the_first_copy),
        CASE(test_unanswered_calls_are_asked_about),
        CASE(test_states_older_than_the_call_are_not_believed),
        CASE(test_new_session_created),
        CASE(test_a_session_that_just_began_has_lost_nothing),
        CASE(test_a_session_of_an_earlier_link_may_have_lost_calls),
        CASE(test_copies_are_dropped_and_acknowledged_again),
        CASE(test_foreign_messages_are_ignored),
        CASE(test_first_message_shows_a_clock_behind),
        CASE(test_a_link_out_of_time_is_given_up),
        CASE(test_malformed_containers_break_the_link),
        CASE(test_short_and_odd_bodies_are_survived),
        CASE(test_unreadable_answers_fail_clearly),
        CASE(test_state_requests_are_answered),
        CASE(test_resend_requests_are_followed),
        CASE(test_detailed_info_asks_for_the_answer),
        CASE(test_future_salts_make_the_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
