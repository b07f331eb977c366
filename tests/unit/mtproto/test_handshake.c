/* SPDX-License-Identifier: MIT
 * Client against server in memory, and each against frames that were changed on the way. */
#include "handshake_fixture.h"

enum {
    FRAMES = 6,
    PLAIN_HEADER = 20,
};

/* ---- whole runs ---- */

/* What changes a frame on its way; number 0 is the client's first. */
typedef void change_fn(void *ctx, int number, struct buf *frame);

/* Frames to and fro until the client ends. */
static enum handshake_status run(struct fixture *f, change_fn *change, void *ctx)
{
    struct buf to_server;
    struct buf to_client;
    buf_init(&to_server, 0);
    buf_init(&to_client, 0);
    enum handshake_status s = handshake_client_start(f->client, &to_server);
    for (int number = 0; s == HANDSHAKE_SEND && number < 64; number += 2) {
        if (change)
            change(ctx, number, &to_server);
        s = server_step(f, buf_slice(&to_server), &to_client);
        if (s == HANDSHAKE_FAILED)
            break;
        if (change)
            change(ctx, number + 1, &to_client);
        s = client_step(f, buf_slice(&to_client), &to_server);
    }
    buf_free(&to_server);
    buf_free(&to_client);
    return s;
}

static void assert_same_key(struct fixture *f)
{
    const struct handshake_result *c = handshake_client_result(f->client);
    const struct handshake_result *s = handshake_server_result(f->server);
    assert_non_null(c);
    assert_non_null(s);
    assert_memory_equal(c->key.key, s->key.key, AUTH_KEY_BYTES);
    assert_true(c->key.id == s->key.id && c->key.id == auth_key_id(f->digests, c->key.key));
    assert_true(c->salt == s->salt);
    assert_int_equal(c->expires_in_s, s->expires_in_s);
}

/* Nobody holds a key, and one side says why. */
static void assert_clear_failure(struct fixture *f)
{
    assert_null(handshake_client_result(f->client));
    assert_true(handshake_client_error(f->client) || handshake_server_error(f->server));
}

static void test_permanent_key(void **state)
{
    struct fixture *f = *state;
    uint64_t last = 0;
    for (uint64_t i = 0; i < 3; i++) {
        fixture_begin(f, f->seed + i);
        assert_int_equal(run(f, NULL, NULL), HANDSHAKE_DONE);
        assert_same_key(f);
        const struct handshake_result *r = handshake_client_result(f->client);
        assert_true(r->key.id != last);
        last = r->key.id;
        assert_int_equal(r->expires_in_s, 0);
        assert_true(r->clock_offset_ns == HOUR_S * NS_PER_S);
    }
}

static void test_temporary_key(void **state)
{
    struct fixture *f = *state;
    f->client_config.expires_in_s = 86400;
    fixture_begin(f, f->seed);
    f->client_config.expires_in_s = 0;
    assert_int_equal(run(f, NULL, NULL), HANDSHAKE_DONE);
    assert_same_key(f);
    assert_int_equal(handshake_server_result(f->server)->expires_in_s, 86400);
}

static void test_data_centres(void **state)
{
    struct fixture *f = *state;
    const struct {
        int32_t dc;
        bool good;
    } cases[] = {
        {DC, true},          {-DC, true},        {DC + 10000, true}, {-DC - 10000, true},
        {0, false},          {DC + 1, false},    {-(DC + 1), false}, {10000, false},
        {DC - 10000, false}, {INT32_MIN, false}, {INT32_MAX, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        f->client_config.dc = cases[i].dc;
        fixture_begin(f, f->seed + i);
        assert_int_equal(run(f, NULL, NULL), cases[i].good ? HANDSHAKE_DONE : HANDSHAKE_FAILED);
    }
    f->client_config.dc = DC;
}

static uint64_t fixed_salt(void *ctx, uint64_t id)
{
    (void)ctx;
    return id ^ 42;
}

static void test_server_chooses_the_first_salt(void **state)
{
    struct fixture *f = *state;
    f->server_config.first_salt = fixed_salt;
    fixture_begin(f, f->seed);
    f->server_config.first_salt = NULL;
    assert_int_equal(run(f, NULL, NULL), HANDSHAKE_DONE);
    const struct handshake_result *s = handshake_server_result(f->server);
    assert_true(s->salt == (s->key.id ^ 42));
}

/* A taken auth_key_id: the last step again, a few times, then no more. */
static void test_retries_are_bounded(void **state)
{
    struct fixture *f = *state;
    for (int taken = 0; taken <= HANDSHAKE_RETRIES_MAX + 1; taken++) {
        bool good = taken <= HANDSHAKE_RETRIES_MAX;
        fixture_begin(f, f->seed);
        f->taken = taken;
        assert_int_equal(run(f, NULL, NULL), good ? HANDSHAKE_DONE : HANDSHAKE_FAILED);
        if (good)
            assert_same_key(f);
        else
            assert_clear_failure(f);
        f->taken = 0;
    }
}

static void test_two_keys_on_one_connection(void **state)
{
    struct fixture *f = *state;
    fixture_begin(f, f->seed);
    assert_int_equal(run(f, NULL, NULL), HANDSHAKE_DONE);
    uint64_t first = handshake_client_result(f->client)->key.id;
    assert_int_equal(run(f, NULL, NULL), HANDSHAKE_DONE);
    assert_same_key(f);
    assert_true(handshake_client_result(f->client)->key.id != first);
}

static void test_client_may_begin_again_half_way(void **state)
{
    struct fixture *f = *state;
    struct buf to_server;
    struct buf to_client;
    buf_init(&to_server, 0);
    buf_init(&to_client, 0);
    fixture_begin(f, f->seed);
    for (int steps = 0; steps < 3; steps++) {
        buf_clear(&to_server);
        enum handshake_status s = handshake_client_start(f->client, &to_server);
        for (int i = 0; i < steps; i++) {
            assert_int_equal(s, HANDSHAKE_SEND);
            assert_int_equal(server_step(f, buf_slice(&to_server), &to_client), HANDSHAKE_SEND);
            s = client_step(f, buf_slice(&to_client), &to_server);
        }
    }
    assert_int_equal(run(f, NULL, NULL), HANDSHAKE_DONE);
    assert_same_key(f);
    buf_free(&to_server);
    buf_free(&to_client);
}

/* ---- frames that changed on the way ---- */

/* Writes the message length anew after the body changed. */
static void fit_length(struct buf *frame)
{
    if (frame->len >= PLAIN_HEADER)
        store_le32(frame->data + 16, (uint32_t)(frame->len - PLAIN_HEADER));
}

static void trailing_bytes(void *ctx, int number, struct buf *frame)
{
    struct fixture *f = ctx;
    size_t n = 4 * (1 + (size_t)number * 7);
    rng_fill(&f->server_rng, buf_extend(frame, n), n);
    if (number % 2 == 0) /* inside the length, as TDLib pads; else after it */
        fit_length(frame);
}

static void test_trailing_bytes_are_tolerated(void **state)
{
    struct fixture *f = *state;
    fixture_begin(f, f->seed);
    assert_int_equal(run(f, trailing_bytes, f), HANDSHAKE_DONE);
    assert_same_key(f);
}

struct record {
    struct buf frames[FRAMES];
};

static void record_frame(void *ctx, int number, struct buf *frame)
{
    struct record *r = ctx;
    assert_true(number < FRAMES);
    buf_init(&r->frames[number], 0);
    buf_append(&r->frames[number], frame->data, frame->len);
}

static void record_free(struct record *r)
{
    for (int i = 0; i < FRAMES; i++)
        buf_free(&r->frames[i]);
}

/* The side that takes frame `number`, driven by the recorded frames up to it and then by `frame`.
 * The sides are deterministic, so the recorded frames fit; the other side's work is spared. */
static enum handshake_status replay(struct fixture *f, const struct record *r, int number,
                                    struct slice frame)
{
    struct buf out;
    enum handshake_status s = HANDSHAKE_SEND;
    buf_init(&out, 0);
    fixture_begin(f, 7);
    if (number % 2)
        handshake_client_start(f->client, &out);
    for (int i = number % 2; i <= number && s == HANDSHAKE_SEND; i += 2) {
        struct slice in = i == number ? frame : buf_slice(&r->frames[i]);
        s = number % 2 ? client_step(f, in, &out) : server_step(f, in, &out);
    }
    buf_free(&out);
    return s;
}

/* Bytes that nothing depends on: msg_id, and the padding of TL strings. (A client looks at the
 * lowest bit of a server's msg_id.) */
static bool is_free(int number, size_t at)
{
    static const struct {
        int number;
        size_t from;
        size_t n;
    } free_bytes[] = {
        {1, PLAIN_HEADER + 45, 3}, /* after pq */
        {2, PLAIN_HEADER + 41, 3}, /* after p */
        {2, PLAIN_HEADER + 49, 3}, /* after q */
    };
    bool is = at >= 8 && at < 16;
    for (size_t i = 0; i < sizeof free_bytes / sizeof *free_bytes; i++)
        is |= free_bytes[i].number == number && at - free_bytes[i].from < free_bytes[i].n;
    return is;
}

static void begin_record(struct fixture *f, struct record *r)
{
    fixture_begin(f, 7);
    assert_int_equal(run(f, record_frame, r), HANDSHAKE_DONE);
    assert_same_key(f);
}

static const char *error_of(struct fixture *f, int number)
{
    return number % 2 ? handshake_client_error(f->client) : handshake_server_error(f->server);
}

/* Frames 2 to 5, each byte: the side that takes it notices. */
static void test_every_byte_of_later_frames(void **state)
{
    struct fixture *f = *state;
    struct record r;
    struct rng rng;
    uint8_t key[AUTH_KEY_BYTES];
    rng_init_seed(&rng, f->seed);
    begin_record(f, &r);
    memcpy(key, handshake_client_result(f->client)->key.key, sizeof key);
    for (int number = 2; number < FRAMES; number++) {
        struct buf *frame = &r.frames[number];
        for (size_t at = 0; at < frame->len; at++) {
            uint8_t bit = (uint8_t)(1u << rng_below(&rng, 8));
            frame->data[at] ^= bit;
            enum handshake_status s = replay(f, &r, number, buf_slice(frame));
            frame->data[at] ^= bit;
            if (s == HANDSHAKE_FAILED) {
                assert_non_null(error_of(f, number));
                assert_null(handshake_client_result(f->client));
                assert_null(handshake_server_result(f->server));
                continue;
            }
            if (!is_free(number, at))
                fail_msg("frame %d, byte %zu, bit %02x: not noticed", number, at, bit);
            if (number == FRAMES - 1)
                assert_memory_equal(handshake_client_result(f->client)->key.key, key, sizeof key);
        }
    }
    record_free(&r);
}

struct flip {
    int number;
    size_t at;
    uint8_t bit;
};

static void flip_byte(void *ctx, int number, struct buf *frame)
{
    const struct flip *flip = ctx;
    if (number == flip->number && flip->at < frame->len)
        frame->data[flip->at] ^= flip->bit;
}

/* Frames 0 and 1 decide what both sides work on, so they are tried on whole runs. */
static void test_every_byte_of_first_frames(void **state)
{
    struct fixture *f = *state;
    struct record r;
    struct rng rng;
    rng_init_seed(&rng, f->seed);
    begin_record(f, &r);
    for (int number = 0; number < 2; number++) {
        for (size_t at = 0; at < r.frames[number].len; at++) {
            struct flip flip = {number, at, (uint8_t)(1u << rng_below(&rng, 8))};
            fixture_begin(f, 7);
            if (run(f, flip_byte, &flip) == HANDSHAKE_DONE) {
                assert_true(is_free(number, at));
                assert_same_key(f);
            } else {
                assert_clear_failure(f);
            }
        }
    }
    record_free(&r);
}

static void test_every_cut(void **state)
{
    struct fixture *f = *state;
    struct record r;
    begin_record(f, &r);
    for (int number = 0; number < FRAMES; number++) {
        struct buf *frame = &r.frames[number];
        struct buf cut;
        buf_init(&cut, 0);
        for (size_t len = 0; len < frame->len; len++) {
            buf_clear(&cut);
            buf_append(&cut, frame->data, len);
            if (number < 2) /* a length past the end fails before a side looks at its state */
                assert_int_equal(replay(f, &r, number, buf_slice(&cut)), HANDSHAKE_FAILED);
            fit_length(&cut);
            assert_int_equal(replay(f, &r, number, buf_slice(&cut)), HANDSHAKE_FAILED);
            assert_non_null(error_of(f, number));
        }
        buf_free(&cut);
    }
    record_free(&r);
}

/* Random bytes behind a good header and a constructor that is due. */
static void test_garbage(void **state)
{
    struct fixture *f = *state;
    struct record r;
    struct rng rng;
    uint8_t frame[2048];
    rng_init_seed(&rng, f->seed);
    begin_record(f, &r);
    for (int i = 0; i < 600; i++) {
        int number = i % FRAMES;
        size_t len = rng_below(&rng, sizeof frame + 1);
        rng_fill(&rng, frame, sizeof frame);
        if (i % 3 && len >= PLAIN_HEADER + 40) {
            memcpy(frame, r.frames[number].data, PLAIN_HEADER + (i % 3 == 1 ? 4 : 36));
            store_le32(frame + 16, (uint32_t)(len - PLAIN_HEADER));
        }
        enum handshake_status s = replay(f, &r, number, slice_of(frame, len));
        assert_int_not_equal(s, HANDSHAKE_DONE);
        if (number > 0) /* any 16 bytes are a good nonce of the first frame */
            assert_int_equal(s, HANDSHAKE_FAILED);
    }
    record_free(&r);
}

static void test_frames_that_are_not_due(void **state)
{
    struct fixture *f = *state;
    struct record r;
    struct buf out;
    buf_init(&out, 0);
    begin_record(f, &r);
    for (int after = 0; after < FRAMES; after++) {
        for (int number = after % 2; number < FRAMES; number += 2) {
            bool due = number == after || number == 0;
            enum handshake_status s = replay(f, &r, after, buf_slice(&r.frames[number]));
            if (!due)
                assert_int_equal(s, HANDSHAKE_FAILED);
            else
                assert_int_not_equal(s, HANDSHAKE_FAILED);
        }
    }
    /* Failed is failed, also for good frames. */
    assert_int_equal(replay(f, &r, 0, slice_str("nonsense")), HANDSHAKE_FAILED);
    assert_int_equal(server_step(f, buf_slice(&r.frames[0]), &out), HANDSHAKE_FAILED);
    assert_int_equal(replay(f, &r, 1, slice_str("nonsense")), HANDSHAKE_FAILED);
    assert_int_equal(client_step(f, buf_slice(&r.frames[1]), &out), HANDSHAKE_FAILED);
    /* So is continuing without work. */
    fixture_begin(f, 7);
    assert_int_equal(handshake_client_continue(f->client, &out), HANDSHAKE_FAILED);
    assert_int_equal(handshake_server_continue(f->server, &out), HANDSHAKE_FAILED);
    buf_free(&out);
    record_free(&r);
}

/* Even msg_ids are a client's: a frame of ours that came back. */
static void test_msg_id_of_a_client(void **state)
{
    struct fixture *f = *state;
    struct record r;
    begin_record(f, &r);
    r.frames[1].data[8] &= 0xfe;
    assert_int_equal(replay(f, &r, 1, buf_slice(&r.frames[1])), HANDSHAKE_FAILED);
    record_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_permanent_key),
        cmocka_unit_test(test_temporary_key),
        cmocka_unit_test(test_data_centres),
        cmocka_unit_test(test_server_chooses_the_first_salt),
        cmocka_unit_test(test_retries_are_bounded),
        cmocka_unit_test(test_two_keys_on_one_connection),
        cmocka_unit_test(test_client_may_begin_again_half_way),
        cmocka_unit_test(test_trailing_bytes_are_tolerated),
        cmocka_unit_test(test_every_byte_of_later_frames),
        cmocka_unit_test(test_every_byte_of_first_frames),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_frames_that_are_not_due),
        cmocka_unit_test(test_msg_id_of_a_client),
    };
    return cmocka_run_group_tests_name("handshake", tests, setup, teardown);
}
