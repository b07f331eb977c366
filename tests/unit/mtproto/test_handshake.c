/* SPDX-License-Identifier: MIT
 * Client against server in memory, and each against frames that were changed on the way. */
#include "vectors.h"

#include "mtproto/handshake_common.h"
#include "mtproto/ids.h"

enum {
    DC = 2,
    FRAMES = 6,
    PLAIN_HEADER = 20,
    NOW_S = 1707425105, /* server_time of the documentation's example */
    HOUR_S = 3600,
};

/* ---- keys and sides ---- */

static struct rsa_key *test_key(void)
{
    char text[4096];
    FILE *f = fopen("tests/vectors/crypto/rsa_test_key.pem", "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    struct rsa_key *k = rsa_key_parse(slice_of(text, n), NULL);
    assert_non_null(k);
    return k;
}

/* Everything that both sides need; deterministic for a seed. */
struct fixture {
    struct rsa_key *key;
    struct digests *digests;
    struct clock_manual client_clock;
    struct clock_manual server_clock;
    struct dh_good_prime good_prime;
    struct rng client_rng;
    struct rng server_rng;
    struct handshake_client_config client_config;
    struct handshake_server_config server_config;
    struct handshake_client *client;
    struct handshake_server *server;
    int taken; /* so many keys are refused */
    uint64_t seed;
};

static bool key_id_taken(void *ctx, uint64_t id)
{
    struct fixture *f = ctx;
    (void)id;
    return f->taken-- > 0;
}

static void fixture_begin(struct fixture *f, uint64_t seed)
{
    handshake_client_free(f->client);
    handshake_server_free(f->server);
    rng_init_seed(&f->client_rng, seed);
    rng_init_seed(&f->server_rng, seed + 1000000);
    f->client = handshake_client_new(&f->client_config);
    f->server = handshake_server_new(&f->server_config);
    assert_non_null(f->client);
    assert_non_null(f->server);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->key = test_key();
    f->digests = digests_new();
    f->seed = test_seed();
    clock_manual_init(&f->client_clock, (NOW_S - HOUR_S) * NS_PER_S);
    clock_manual_init(&f->server_clock, NOW_S * NS_PER_S);
    f->client_config = (struct handshake_client_config){
        .keys = &f->key,
        .n_keys = 1,
        .dc = DC,
        .clock = &f->client_clock.clock,
        .rng = &f->client_rng,
        .digests = f->digests,
        .good_prime = &f->good_prime,
    };
    f->server_config = (struct handshake_server_config){
        .key = f->key,
        .dc = DC,
        .clock = &f->server_clock.clock,
        .rng = &f->server_rng,
        .digests = f->digests,
        .key_id_taken = key_id_taken,
        .ctx = f,
    };
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    handshake_client_free(f->client);
    handshake_server_free(f->server);
    digests_free(f->digests);
    rsa_key_free(f->key);
    free(f);
    return 0;
}

/* Input and, when asked for, the work after it. */
static enum handshake_status client_step(struct fixture *f, struct slice frame, struct buf *out)
{
    buf_clear(out);
    enum handshake_status s = handshake_client_input(f->client, frame, out);
    if (s == HANDSHAKE_WORK) {
        handshake_client_work(f->client);
        s = handshake_client_continue(f->client, out);
    }
    return s;
}

static enum handshake_status server_step(struct fixture *f, struct slice frame, struct buf *out)
{
    buf_clear(out);
    enum handshake_status s = handshake_server_input(f->server, frame, out);
    if (s == HANDSHAKE_WORK) {
        handshake_server_work(f->server);
        s = handshake_server_continue(f->server, out);
    }
    return s;
}

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

/* ---- the documentation's example, and what a server could say instead ---- */

struct example {
    struct vectors v;
    struct rsa_key *key; /* Telegram's production key of that time */
    struct handshake_run run;
    struct buf in;
    struct buf out;
};

static void example_begin(struct example *e, struct fixture *f)
{
    struct vectors keys;
    struct buf pem;
    vectors_open(&keys, "tests/vectors/crypto/rsa_telegram_keys.txt");
    assert_true(vectors_next(&keys));
    buf_init(&pem, 0);
    for (const char *c = vectors_text(&keys, "pem"); *c; c++)
        buf_append_byte(&pem, *c == '|' ? '\n' : (uint8_t)*c);
    e->key = rsa_key_parse(buf_slice(&pem), NULL);
    assert_non_null(e->key);
    buf_free(&pem);
    vectors_close(&keys);

    vectors_open(&e->v, "tests/vectors/crypto/auth_key_example.txt");
    assert_true(vectors_next(&e->v));
    memcpy(e->run.nonce, vectors_hex(&e->v, "nonce").data, NONCE_BYTES);
    memcpy(e->run.server_nonce, vectors_hex(&e->v, "server_nonce").data, NONCE_BYTES);
    memcpy(e->run.new_nonce, vectors_hex(&e->v, "new_nonce").data, NEW_NONCE_BYTES);
    handshake_derive(&e->run, f->digests);
    buf_init(&e->in, 0);
    buf_init(&e->out, 0);
}

static void example_end(struct example *e)
{
    rsa_key_free(e->key);
    vectors_close(&e->v);
    buf_free(&e->in);
    buf_free(&e->out);
}

/* The client draws, in this order: nonce, new_nonce, RSA padding, its temp_key (which the example
 * does not tell), b, padding. They are written into the generator's pool. */
static void script_client(struct example *e, struct fixture *f)
{
    static const char *const draws[] = {"nonce", "new_nonce", "rsa_padding",
                                        NULL,    "b",         "client_padding"};
    struct buf b;
    buf_init(&b, 0);
    for (size_t i = 0; i < sizeof draws / sizeof *draws; i++) {
        struct slice s =
            draws[i] ? vectors_hex(&e->v, draws[i]) : slice_str("32 bytes that are not published.");
        buf_append(&b, s.data, s.len);
    }
    rng_init_seed(&f->client_rng, 1);
    assert_true(b.len <= sizeof f->client_rng.pool - sizeof f->client_rng.key);
    f->client_rng.used = sizeof f->client_rng.pool - b.len;
    memcpy(f->client_rng.pool + f->client_rng.used, b.data, b.len);
    buf_free(&b);
}

static enum handshake_status say(struct example *e, struct fixture *f, const struct buf *body)
{
    buf_clear(&e->in);
    mt_plain_write(&e->in, ((uint64_t)NOW_S << 32) + 1, buf_slice(body));
    return client_step(f, buf_slice(&e->in), &e->out);
}

static struct slice said(const struct example *e)
{
    uint64_t msg_id;
    struct slice body = {0};
    assert_true(mt_plain_open(buf_slice(&e->out), &msg_id, &body));
    assert_true(msg_id % 4 == 0);
    return body;
}

/* A client that has sent req_pq_multi and got the example's resPQ (or one with another pq). */
static enum handshake_status example_to_res_pq(struct example *e, struct fixture *f,
                                               struct slice pq)
{
    static const uint8_t count[] = {0x15, 0xc4, 0xb5, 0x1c, 3, 0, 0, 0};
    struct slice fingerprints = vectors_hex(&e->v, "fingerprints");
    struct rsa_key *own = f->key;
    f->client_config.keys = &e->key;
    fixture_begin(f, 1);
    f->client_config.keys = &f->key;
    assert_ptr_equal(own, f->key);
    script_client(e, f);
    buf_clear(&e->out);
    assert_int_equal(handshake_client_start(f->client, &e->out), HANDSHAKE_SEND);

    struct buf body;
    buf_init(&body, 0);
    tl_write_u32(&body, MT_RES_PQ);
    handshake_write_nonces(&e->run, &body);
    tl_write_bytes(&body, pq);
    buf_append(&body, count, sizeof count);
    buf_append(&body, fingerprints.data, fingerprints.len);
    enum handshake_status s = say(e, f, &body);
    buf_free(&body);
    return s;
}

static enum handshake_status example_dh_params(struct example *e, struct fixture *f,
                                               struct slice encrypted)
{
    struct buf body;
    buf_init(&body, 0);
    tl_write_u32(&body, MT_SERVER_DH_PARAMS_OK);
    handshake_write_nonces(&e->run, &body);
    tl_write_bytes(&body, encrypted);
    enum handshake_status s = say(e, f, &body);
    buf_free(&body);
    return s;
}

static enum handshake_status example_dh_gen(struct example *e, struct fixture *f, uint32_t id,
                                            struct slice hash)
{
    struct buf body;
    buf_init(&body, 0);
    tl_write_u32(&body, id);
    handshake_write_nonces(&e->run, &body);
    buf_append(&body, hash.data, hash.len);
    enum handshake_status s = say(e, f, &body);
    buf_free(&body);
    return s;
}

/* Up to set_client_DH_params, which must be the example's to the byte. */
static void example_to_client_dh(struct example *e, struct fixture *f)
{
    assert_int_equal(example_to_res_pq(e, f, vectors_hex(&e->v, "pq")), HANDSHAKE_SEND);
    struct tl_reader r = tl_reader_of(said(e));
    assert_true(tl_read_u32(&r) == MT_REQ_DH_PARAMS);
    assert_true(handshake_read_nonces(&e->run, &r));
    assert_bytes(tl_read_bytes(&r), vectors_hex(&e->v, "p"));
    assert_bytes(tl_read_bytes(&r), vectors_hex(&e->v, "q"));
    assert_true(tl_read_u64(&r) == load_le64(vectors_hex(&e->v, "fingerprint").data));
    assert_int_equal(tl_read_bytes(&r).len, RSA_BYTES);
    assert_true(!r.error && tl_left(&r) == 0);

    assert_int_equal(example_dh_params(e, f, vectors_hex(&e->v, "encrypted_answer")),
                     HANDSHAKE_SEND);
    r = tl_reader_of(said(e));
    assert_true(tl_read_u32(&r) == MT_SET_CLIENT_DH_PARAMS);
    assert_true(handshake_read_nonces(&e->run, &r));
    assert_bytes(tl_read_bytes(&r), vectors_hex(&e->v, "client_encrypted_data"));
}

static void test_example_of_the_documentation(void **state)
{
    struct fixture *f = *state;
    struct example e;
    example_begin(&e, f);
    example_to_client_dh(&e, f);
    assert_int_equal(example_dh_gen(&e, f, MT_DH_GEN_OK, vectors_hex(&e.v, "new_nonce_hash1")),
                     HANDSHAKE_DONE);
    const struct handshake_result *r = handshake_client_result(f->client);
    assert_bytes(slice_of(r->key.key, AUTH_KEY_BYTES), vectors_hex(&e.v, "auth_key"));
    assert_true(r->salt == (load_le64(e.run.new_nonce) ^ load_le64(e.run.server_nonce)));
    assert_true(r->clock_offset_ns == HOUR_S * NS_PER_S);
    example_end(&e);
}

static void test_answers_to_the_key(void **state)
{
    struct fixture *f = *state;
    const uint32_t ids[] = {MT_DH_GEN_OK, MT_DH_GEN_RETRY, MT_DH_GEN_FAIL, MT_RES_PQ};
    const enum handshake_status right[] = {HANDSHAKE_DONE, HANDSHAKE_SEND, HANDSHAKE_FAILED,
                                           HANDSHAKE_FAILED};
    struct example e;
    example_begin(&e, f);
    for (uint8_t id = 0; id < 4; id++) {
        for (uint8_t number = 1; number <= 4; number++) {
            uint8_t hash[SHA1_BYTES];
            uint8_t key_hash[SHA1_BYTES];
            struct slice key = vectors_hex(&e.v, "auth_key");
            sha1(f->digests, &key, 1, key_hash);
            const struct slice parts[] = {
                {e.run.new_nonce, NEW_NONCE_BYTES}, {&number, 1}, {key_hash, 8}};
            sha1(f->digests, parts, 3, hash);
            example_to_client_dh(&e, f);
            assert_int_equal(example_dh_gen(&e, f, ids[id], slice_of(hash + 4, 16)),
                             number == id + 1 ? right[id] : HANDSHAKE_FAILED);
        }
    }
    example_end(&e);
}

static void test_server_dh_params_fail(void **state)
{
    struct fixture *f = *state;
    struct example e;
    uint8_t hash[SHA1_BYTES];
    struct buf body;
    example_begin(&e, f);
    buf_init(&body, 0);
    sha1(f->digests, &(struct slice){e.run.new_nonce, NEW_NONCE_BYTES}, 1, hash);
    for (int damaged = 0; damaged < 2; damaged++) {
        assert_int_equal(example_to_res_pq(&e, f, vectors_hex(&e.v, "pq")), HANDSHAKE_SEND);
        hash[10] ^= (uint8_t)damaged;
        buf_clear(&body);
        tl_write_u32(&body, MT_SERVER_DH_PARAMS_FAIL);
        handshake_write_nonces(&e.run, &body);
        buf_append(&body, hash + 4, 16);
        assert_int_equal(say(&e, f, &body), HANDSHAKE_FAILED);
        bool refused = strstr(handshake_client_error(f->client), "refused") != NULL;
        assert_int_equal(refused, !damaged);
    }
    buf_free(&body);
    example_end(&e);
}

static void test_bad_res_pq(void **state)
{
    struct fixture *f = *state;
    static const uint8_t numbers[][9] = {
        {0},                                                 /* 0 */
        {0, 0, 0, 0, 0, 0, 0, 1},                            /* 1 */
        {0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff},                /* a prime */
        {0, 0, 0, 0, 0, 0, 0, 30},                           /* three factors */
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},    /* too large */
        {1, 0x25, 0x65, 0x95, 0xed, 0xb7, 0x76, 0x67, 0x97}, /* nine bytes */
    };
    struct example e;
    example_begin(&e, f);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_int_equal(example_to_res_pq(&e, f, slice_of(numbers[i], i == 5 ? 9 : 8)),
                         HANDSHAKE_FAILED);
    assert_int_equal(example_to_res_pq(&e, f, slice_str("")), HANDSHAKE_FAILED);
    /* No key of ours among the fingerprints. */
    struct rsa_key *published = e.key;
    e.key = f->key;
    assert_int_equal(example_to_res_pq(&e, f, vectors_hex(&e.v, "pq")), HANDSHAKE_FAILED);
    assert_non_null(strstr(handshake_client_error(f->client), "public key"));
    e.key = published;
    example_end(&e);
}

/* server_DH_inner_data as a test wants it. */
struct inner {
    int32_t g;
    uint8_t prime[DH_BYTES];
    uint8_t g_a[DH_BYTES];
    bool other_nonce;
    bool bad_hash;
    size_t padding_blocks; /* 16 bytes each, more than there may be */
};

static enum handshake_status try_inner(struct example *e, struct fixture *f, const struct inner *in)
{
    struct buf b;
    uint8_t sealed[HANDSHAKE_SEALED_MAX];
    buf_init(&b, 0);
    assert_int_equal(example_to_res_pq(e, f, vectors_hex(&e->v, "pq")), HANDSHAKE_SEND);
    buf_extend(&b, SHA1_BYTES);
    tl_write_u32(&b, MT_SERVER_DH_INNER_DATA);
    handshake_write_nonces(&e->run, &b);
    tl_write_i32(&b, in->g);
    tl_write_bytes(&b, slice_of(in->prime, DH_BYTES));
    tl_write_bytes(&b, slice_of(in->g_a, DH_BYTES));
    tl_write_i32(&b, NOW_S);
    if (in->other_nonce)
        b.data[SHA1_BYTES + 4] ^= 1;
    sha1(f->digests, &(struct slice){b.data + SHA1_BYTES, b.len - SHA1_BYTES}, 1, b.data);
    b.data[0] ^= in->bad_hash;
    size_t padding = (16 - b.len % 16) % 16 + 16 * in->padding_blocks;
    rng_fill(&f->server_rng, buf_extend(&b, padding), padding);
    aes_ige_encrypt(e->run.tmp_key, e->run.tmp_iv, b.data, sealed, b.len);
    enum handshake_status s = example_dh_params(e, f, slice_of(sealed, b.len));
    buf_free(&b);
    return s;
}

static void test_what_a_server_may_not_say(void **state)
{
    struct fixture *f = *state;
    struct example e;
    example_begin(&e, f);
    struct inner good = {.g = 3};
    memcpy(good.prime, dh_telegram_prime, DH_BYTES);
    memcpy(good.g_a, vectors_hex(&e.v, "g_a").data, DH_BYTES);
    assert_int_equal(try_inner(&e, f, &good), HANDSHAKE_SEND);

    struct inner bad[10];
    for (size_t i = 0; i < 10; i++)
        bad[i] = good;
    bad[0].g = 2;
    bad[1].g = 1;
    bad[2].prime[0] = 0x47;
    bad[3].prime[255] ^= 2;
    bad[3].g = 4;
    memset(bad[4].g_a, 0, DH_BYTES);
    bad[4].g_a[255] = 1;
    memcpy(bad[5].g_a, dh_telegram_prime, DH_BYTES);
    bad[5].g_a[255] -= 1;
    memset(bad[6].g_a, 0xff, DH_BYTES);
    bad[7].other_nonce = true;
    bad[8].bad_hash = true;
    bad[9].padding_blocks = 1;
    for (size_t i = 0; i < 10; i++) {
        if (try_inner(&e, f, &bad[i]) != HANDSHAKE_FAILED)
            fail_msg("case %zu was not refused", i);
        assert_non_null(handshake_client_error(f->client));
        assert_false(f->good_prime.known);
    }
    example_end(&e);
}

/* Another safe prime (RFC 3526, 14) passes a real test once, and is remembered for the next
 * handshake. */
static void test_another_prime_is_remembered(void **state)
{
    struct fixture *f = *state;
    static const char top[] = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
                              "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
                              "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
                              "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
                              "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
                              "9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
                              "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
                              "3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF";
    struct example e;
    struct inner other = {.g = 2};
    example_begin(&e, f);
    for (size_t i = 0; i < DH_BYTES; i++) {
        unsigned byte;
        assert_int_equal(sscanf(top + 2 * i, "%2x", &byte), 1);
        other.prime[i] = (uint8_t)byte;
    }
    memcpy(other.g_a, vectors_hex(&e.v, "g_a").data, DH_BYTES);
    assert_int_equal(try_inner(&e, f, &other), HANDSHAKE_SEND);
    assert_true(f->good_prime.known);
    assert_memory_equal(f->good_prime.prime, other.prime, DH_BYTES);
    assert_int_equal(try_inner(&e, f, &other), HANDSHAKE_SEND);
    f->good_prime.known = false;
    example_end(&e);
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

/* ---- clients of other kinds against our server ---- */

struct foreign {
    uint32_t req_pq;
    uint32_t inner_id;
    bool old_padding;
    bool has_dc;
    int32_t expires_in_s; /* 0: not written */
    bool wrong_new_pq;    /* the inner data name another pq */
    uint64_t retry_id;
    bool small_g_b;
    bool tail; /* four more bytes behind the inner data, which an old hash would cover */
};

static enum handshake_status tell(struct fixture *f, struct buf *body, struct buf *out,
                                  struct slice *answer)
{
    struct buf frame;
    uint64_t msg_id;
    buf_init(&frame, 0);
    mt_plain_write(&frame, (uint64_t)NOW_S << 32, buf_slice(body));
    enum handshake_status s = server_step(f, buf_slice(&frame), out);
    if (s != HANDSHAKE_FAILED) {
        assert_true(mt_plain_open(buf_slice(out), &msg_id, answer));
        assert_true(msg_id % 4 == 1);
    }
    buf_free(&frame);
    buf_clear(body);
    return s;
}

static enum handshake_status foreign_req_dh(struct fixture *f, const struct foreign *kind,
                                            struct handshake_run *hr, struct buf *body,
                                            struct buf *out, struct slice *answer)
{
    uint64_t p;
    uint64_t q;
    uint8_t encrypted[RSA_BYTES];
    struct tl_reader r = tl_reader_of(*answer);
    assert_true(tl_read_u32(&r) == MT_RES_PQ);
    tl_read_raw(&r, NONCE_BYTES);
    memcpy(hr->server_nonce, tl_read_raw(&r, NONCE_BYTES).data, NONCE_BYTES);
    uint64_t pq = handshake_read_number(&r);
    assert_true(!r.error && pq_factor(pq, &p, &q));

    handshake_derive(hr, f->digests);
    tl_write_u32(body, kind->inner_id);
    handshake_write_number(body, pq + kind->wrong_new_pq);
    handshake_write_number(body, p);
    handshake_write_number(body, q);
    handshake_write_nonces(hr, body);
    buf_append(body, hr->new_nonce, NEW_NONCE_BYTES);
    if (kind->has_dc)
        tl_write_i32(body, DC);
    if (kind->expires_in_s)
        tl_write_i32(body, kind->expires_in_s);
    if (kind->tail)
        tl_write_u32(body, 0);
    assert_true((kind->old_padding ? rsa_old_encrypt : rsa_pad_encrypt)(
        f->key, &f->client_rng, buf_slice(body), encrypted));
    buf_clear(body);
    tl_write_u32(body, MT_REQ_DH_PARAMS);
    handshake_write_nonces(hr, body);
    handshake_write_number(body, p);
    handshake_write_number(body, q);
    tl_write_u64(body, rsa_key_fingerprint(f->key));
    tl_write_bytes(body, slice_of(encrypted, sizeof encrypted));
    return tell(f, body, out, answer);
}

static enum handshake_status foreign_client_dh(struct fixture *f, const struct foreign *kind,
                                               struct handshake_run *hr, struct buf *body,
                                               struct buf *out, struct slice *answer,
                                               uint8_t *auth_key)
{
    uint8_t b[DH_BYTES];
    uint8_t number[DH_BYTES];
    struct handshake_opened opened;
    struct tl_reader inner;
    struct tl_reader r = tl_reader_of(*answer);
    assert_true(tl_read_u32(&r) == MT_SERVER_DH_PARAMS_OK && handshake_read_nonces(hr, &r));
    assert_true(handshake_open(hr, tl_read_bytes(&r), &opened, &inner));
    assert_true(tl_read_u32(&inner) == MT_SERVER_DH_INNER_DATA &&
                handshake_read_nonces(hr, &inner));
    assert_int_equal(tl_read_i32(&inner), 3);
    assert_bytes(tl_read_bytes(&inner), slice_of(dh_telegram_prime, DH_BYTES));
    handshake_read_large(&inner, number);
    assert_int_equal(tl_read_i32(&inner), NOW_S);
    assert_true(handshake_opened_well(&opened, f->digests, &inner));

    rng_fill(&f->client_rng, b, sizeof b);
    assert_true(dh_shared(dh_telegram_prime, number, b, auth_key));
    assert_true(dh_public(dh_telegram_prime, 3, b, number));
    if (kind->small_g_b)
        memset(number, 0, 9);
    struct buf data;
    buf_init(&data, 0);
    tl_write_u32(&data, MT_CLIENT_DH_INNER_DATA);
    handshake_write_nonces(hr, &data);
    tl_write_u64(&data, kind->retry_id);
    tl_write_bytes(&data, slice_of(number, sizeof number));
    tl_write_u32(body, MT_SET_CLIENT_DH_PARAMS);
    handshake_write_nonces(hr, body);
    handshake_seal(hr, f->digests, &f->client_rng, buf_slice(&data), body);
    buf_free(&data);
    return tell(f, body, out, answer);
}

static enum handshake_status run_foreign(struct fixture *f, const struct foreign *kind)
{
    struct handshake_run hr;
    struct buf body;
    struct buf out;
    struct slice answer = {0};
    uint8_t auth_key[AUTH_KEY_BYTES];
    fixture_begin(f, 3);
    rng_fill(&f->client_rng, &hr, sizeof hr);
    buf_init(&body, 0);
    buf_init(&out, 0);
    tl_write_u32(&body, kind->req_pq);
    buf_append(&body, hr.nonce, NONCE_BYTES);
    enum handshake_status s = tell(f, &body, &out, &answer);
    if (s == HANDSHAKE_SEND)
        s = foreign_req_dh(f, kind, &hr, &body, &out, &answer);
    if (s == HANDSHAKE_SEND)
        s = foreign_client_dh(f, kind, &hr, &body, &out, &answer, auth_key);
    if (s == HANDSHAKE_DONE) {
        const struct handshake_result *result = handshake_server_result(f->server);
        assert_memory_equal(result->key.key, auth_key, AUTH_KEY_BYTES);
        assert_int_equal(result->expires_in_s, kind->expires_in_s);
        assert_true(load_le32(answer.data) == MT_DH_GEN_OK);
    }
    buf_free(&body);
    buf_free(&out);
    return s;
}

static void test_kinds_of_clients(void **state)
{
    struct fixture *f = *state;
    for (int old = 0; old < 2; old++) {
        const struct foreign kinds[] = {
            {MT_REQ_PQ, MT_P_Q_INNER_DATA, old, false, 0, false, 0, false, false},
            {MT_REQ_PQ_MULTI, MT_P_Q_INNER_DATA_DC, old, true, 0, false, 0, false, false},
            {MT_REQ_PQ, MT_P_Q_INNER_DATA_TEMP, old, false, 60, false, 0, false, false},
            {MT_REQ_PQ_MULTI, MT_P_Q_INNER_DATA_TEMP_DC, old, true, 86400, false, 0, false, false},
        };
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(run_foreign(f, &kinds[i]), HANDSHAKE_DONE);
    }
}

/* RSA_PAD pads behind the data; the older hash must be of the data alone. */
static void test_bytes_behind_the_inner_data(void **state)
{
    struct fixture *f = *state;
    struct foreign kind = {.req_pq = MT_REQ_PQ, .inner_id = MT_P_Q_INNER_DATA, .tail = true};
    assert_int_equal(run_foreign(f, &kind), HANDSHAKE_DONE);
    kind.old_padding = true;
    assert_int_equal(run_foreign(f, &kind), HANDSHAKE_FAILED);
}

static void test_what_a_client_may_not_say(void **state)
{
    struct fixture *f = *state;
    for (int old = 0; old < 2; old++) {
        const struct foreign kinds[] = {
            {MT_REQ_DH_PARAMS, MT_P_Q_INNER_DATA, old, false, 0, false, 0, false, false},
            {MT_REQ_PQ, MT_RES_PQ, old, false, 0, false, 0, false, false},
            {MT_REQ_PQ, MT_P_Q_INNER_DATA, old, false, 0, true, 0, false, false},
            {MT_REQ_PQ, MT_P_Q_INNER_DATA_TEMP, old, false, -5, false, 0, false, false},
            {MT_REQ_PQ, MT_P_Q_INNER_DATA, old, false, 0, false, 1, false, false},
            {MT_REQ_PQ, MT_P_Q_INNER_DATA, old, false, 0, false, 0, true, false},
        };
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            assert_int_equal(run_foreign(f, &kinds[i]), HANDSHAKE_FAILED);
            assert_non_null(handshake_server_error(f->server));
            assert_null(handshake_server_result(f->server));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example_of_the_documentation),
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
        cmocka_unit_test(test_answers_to_the_key),
        cmocka_unit_test(test_server_dh_params_fail),
        cmocka_unit_test(test_bad_res_pq),
        cmocka_unit_test(test_what_a_server_may_not_say),
        cmocka_unit_test(test_another_prime_is_remembered),
        cmocka_unit_test(test_kinds_of_clients),
        cmocka_unit_test(test_bytes_behind_the_inner_data),
        cmocka_unit_test(test_what_a_client_may_not_say),
        cmocka_unit_test(test_msg_id_of_a_client),
    };
    return cmocka_run_group_tests_name("handshake", tests, setup, teardown);
}
