/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "mtproto/transport.h"

static const struct {
    enum transport_kind kind;
    bool obfuscated;
} all[] = {
    {TRANSPORT_FULL, false},         {TRANSPORT_ABRIDGED, false},    {TRANSPORT_ABRIDGED, true},
    {TRANSPORT_INTERMEDIATE, false}, {TRANSPORT_INTERMEDIATE, true}, {TRANSPORT_PADDED, false},
    {TRANSPORT_PADDED, true},
};
enum { N_ALL = sizeof all / sizeof *all };

static void frame(struct transport *t, struct buf *out, struct slice payload, bool quick_ack,
                  struct rng *rng)
{
    size_t mark = transport_frame_begin(t, out);
    buf_append(out, payload.data, payload.len);
    transport_frame_end(t, out, mark, quick_ack, rng);
}

/* A payload that looks like a sealed message: not 0 in front, whole AES blocks. */
static struct slice sealed_like(struct rng *rng, uint8_t *at, size_t blocks)
{
    rng_fill(rng, at, 24 + 16 * blocks);
    at[0] |= 1;
    return slice_of(at, 24 + 16 * blocks);
}

/* Feeds the wire in pieces of random size (1: byte by byte) and expects these payloads. */
static void expect_payloads(struct transport *t, struct slice wire, struct rng *rng,
                            size_t piece_max, const struct slice *payloads, size_t n)
{
    struct buf in;
    size_t got = 0;
    buf_init(&in, 0);
    for (size_t at = 0; at < wire.len;) {
        size_t piece = 1 + rng_below(rng, piece_max);
        if (piece > wire.len - at)
            piece = wire.len - at;
        buf_append(&in, wire.data + at, piece);
        at += piece;
        for (;;) {
            size_t consumed = 0;
            struct transport_event e = transport_read(t, in.data, in.len, &consumed);
            assert_true(consumed <= in.len);
            if (e.type == TRANSPORT_FRAME) {
                assert_true(got < n);
                assert_true(slice_eq(slice_of(e.payload, e.len), payloads[got]));
                got++;
            } else {
                assert_int_equal(e.type, TRANSPORT_NEED_MORE);
            }
            buf_drop_front(&in, consumed);
            if (e.type == TRANSPORT_NEED_MORE)
                break;
        }
    }
    assert_int_equal(got, n);
    assert_int_equal(in.len, 0);
    buf_free(&in);
}

static void test_any_split_both_ways(void **state)
{
    (void)state;
    enum { FRAMES = 40 };
    static uint8_t store[FRAMES][24 + 16 * 300];
    static const size_t pieces[] = {1, 7, 1000, 100000};
    struct rng rng;
    rng_init_seed(&rng, 5);
    for (size_t i = 0; i < N_ALL * 4; i++) {
        struct transport client, server;
        struct buf up, down;
        struct slice payloads[FRAMES];
        buf_init(&up, 0);
        buf_init(&down, 0);
        transport_client_init(&client, all[i / 4].kind, all[i / 4].obfuscated, -10002, &rng, &up);
        transport_server_init(&server);
        for (size_t f = 0; f < FRAMES; f++) {
            payloads[f] = sealed_like(&rng, store[f], 1 + rng_below(&rng, f < 35 ? 40 : 300));
            frame(&client, &up, payloads[f], false, &rng);
        }
        expect_payloads(&server, buf_slice(&up), &rng, pieces[i % 4], payloads, FRAMES);
        assert_int_equal(server.kind, all[i / 4].kind);
        assert_int_equal(server.obfuscated, all[i / 4].obfuscated);
        assert_int_equal(server.dc, all[i / 4].obfuscated ? -10002 : 0);
        for (size_t f = 0; f < FRAMES; f++)
            frame(&server, &down, payloads[f], false, &rng);
        expect_payloads(&client, buf_slice(&down), &rng, pieces[i % 4], payloads, FRAMES);
        transport_free(&client);
        transport_free(&server);
        buf_free(&up);
        buf_free(&down);
    }
}

/* The openings and envelopes of core.telegram.org/mtproto/mtproto-transports. */
static void test_documented_bytes(void **state)
{
    (void)state;
    static const struct {
        enum transport_kind kind;
        const char *hex; /* opening and the first frame of the 16 bytes 00 … 0f */
    } cases[] = {
        {TRANSPORT_ABRIDGED, "ef"
                             "04000102030405060708090a0b0c0d0e0f"},
        {TRANSPORT_INTERMEDIATE, "eeeeeeee"
                                 "10000000000102030405060708090a0b0c0d0e0f"},
        {TRANSPORT_PADDED, "dddddddd"
                           "10000000000102030405060708090a0b0c0d0e0f"},
        {TRANSPORT_FULL, "1c00000000000000000102030405060708090a0b0c0d0e0f21bed445"},
    };
    uint8_t payload[16];
    for (uint8_t i = 0; i < 16; i++)
        payload[i] = i;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct transport t;
        struct rng rng;
        struct buf out, hex;
        rng_init_seed(&rng, 1);
        buf_init(&out, 0);
        buf_init(&hex, 0);
        transport_client_init(&t, cases[i].kind, false, 2, &rng, &out);
        frame(&t, &out, slice_of(payload, 16), false, NULL);
        for (size_t b = 0; b < out.len; b++)
            buf_printf(&hex, "%02x", out.data[b]);
        buf_append_byte(&hex, 0);
        assert_string_equal((const char *)hex.data, cases[i].hex);
        buf_free(&out);
        buf_free(&hex);
    }
}

static void test_abridged_long_lengths(void **state)
{
    (void)state;
    struct transport t;
    struct rng rng;
    struct buf out;
    static uint8_t payload[600];
    rng_init_seed(&rng, 1);
    buf_init(&out, 0);
    transport_client_init(&t, TRANSPORT_ABRIDGED, false, 2, &rng, &out);
    buf_clear(&out);
    frame(&t, &out, slice_of(payload, 126 * 4), false, &rng);
    assert_int_equal(out.data[0], 126);
    assert_int_equal(out.len, 1 + 126 * 4);
    buf_clear(&out);
    frame(&t, &out, slice_of(payload, 127 * 4), false, &rng);
    assert_memory_equal(out.data, "\x7f\x7f\x00\x00", 4);
    assert_int_equal(out.len, 4 + 127 * 4);
    buf_clear(&out);
    frame(&t, &out, slice_of(payload, 127 * 4), true, &rng);
    assert_memory_equal(out.data, "\xff\x7f\x00\x00", 4);
    buf_free(&out);
}

static void test_obfuscated_headers_avoid_other_protocols(void **state)
{
    (void)state;
    static const char *const forbidden[] = {
        "HEAD", "POST", "GET ", "OPTI", "\x16\x03\x01\x02", "\xdd\xdd\xdd\xdd", "\xee\xee\xee\xee"};
    struct rng rng;
    rng_init_seed(&rng, 3);
    for (int i = 0; i < 20000; i++) {
        struct transport t;
        struct buf out;
        buf_init(&out, 0);
        transport_client_init(&t, TRANSPORT_INTERMEDIATE, true, 2, &rng, &out);
        assert_int_equal(out.len, 64);
        assert_int_not_equal(out.data[0], 0xef); /* one in 256 draws would be */
        assert_int_not_equal(load_le32(out.data + 4), 0);
        for (size_t f = 0; f < sizeof forbidden / sizeof *forbidden; f++)
            assert_memory_not_equal(out.data, forbidden[f], 4);
        transport_free(&t);
        buf_free(&out);
    }
}

static struct transport_event read_one(struct transport *t, struct buf *in)
{
    size_t consumed = 0;
    struct transport_event e = transport_read(t, in->data, in->len, &consumed);
    buf_drop_front(in, consumed);
    return e;
}

static void test_quick_acks(void **state)
{
    (void)state;
    struct rng rng;
    uint8_t payload[40];
    rng_init_seed(&rng, 4);
    for (size_t i = 0; i < N_ALL; i++) {
        struct transport client, server;
        struct buf wire;
        buf_init(&wire, 0);
        transport_client_init(&client, all[i].kind, all[i].obfuscated, 2, &rng, &wire);
        transport_server_init(&server);
        frame(&client, &wire, sealed_like(&rng, payload, 1), true, &rng);
        struct transport_event e = read_one(&server, &wire);
        assert_int_equal(e.type, TRANSPORT_FRAME);
        assert_int_equal(e.quick_ack_wanted, all[i].kind != TRANSPORT_FULL);
        buf_clear(&wire);
        transport_write_quick_ack(&server, &wire, 0x92345678);
        if (all[i].kind == TRANSPORT_ABRIDGED && !all[i].obfuscated)
            assert_memory_equal(wire.data, "\x92\x34\x56\x78", 4);
        if (all[i].kind == TRANSPORT_INTERMEDIATE && !all[i].obfuscated)
            assert_memory_equal(wire.data, "\x78\x56\x34\x92", 4);
        e = read_one(&client, &wire);
        if (all[i].kind == TRANSPORT_FULL) {
            assert_int_equal(e.type, TRANSPORT_NEED_MORE); /* it has none */
        } else {
            assert_int_equal(e.type, TRANSPORT_QUICK_ACK);
            assert_int_equal((uint32_t)e.code, 0x92345678);
        }
        frame(&server, &wire, sealed_like(&rng, payload, 1), false, &rng); /* goes on */
        assert_int_equal(read_one(&client, &wire).type, TRANSPORT_FRAME);
        transport_free(&client);
        transport_free(&server);
        buf_free(&wire);
    }
}

static void test_errors(void **state)
{
    (void)state;
    static const int32_t codes[] = {TRANSPORT_ERROR_AUTH_KEY, TRANSPORT_ERROR_FLOOD,
                                    TRANSPORT_ERROR_DC};
    struct rng rng;
    uint8_t payload[40];
    rng_init_seed(&rng, 6);
    for (size_t i = 0; i < N_ALL; i++) {
        struct transport client, server;
        struct buf wire;
        buf_init(&wire, 0);
        transport_client_init(&client, all[i].kind, all[i].obfuscated, 2, &rng, &wire);
        transport_server_init(&server);
        frame(&client, &wire, sealed_like(&rng, payload, 1), false, &rng);
        read_one(&server, &wire);
        buf_clear(&wire);
        for (size_t c = 0; c < 3; c++)
            transport_write_error(&server, &wire, codes[c]);
        for (size_t c = 0; c < 3; c++) {
            struct transport_event e = read_one(&client, &wire);
            assert_int_equal(e.type, TRANSPORT_ERROR);
            assert_int_equal(e.code, codes[c]);
        }
        transport_free(&client);
        transport_free(&server);
        buf_free(&wire);
    }
}

/* One plain transport's bytes, as its client reads them. */
static struct transport_event client_reads(enum transport_kind kind, const char *bytes, size_t len)
{
    struct transport t;
    struct rng rng;
    struct buf in;
    rng_init_seed(&rng, 1);
    buf_init(&in, 0);
    transport_client_init(&t, kind, false, 2, &rng, &in);
    buf_clear(&in);
    buf_append(&in, bytes, len);
    struct transport_event e = read_one(&t, &in);
    e.payload = NULL;
    buf_free(&in);
    return e;
}

static void test_short_frames(void **state)
{
    (void)state;
    static const struct {
        enum transport_kind kind;
        const char *bytes;
        size_t len;
        enum transport_event_type type;
        int32_t code;
    } cases[] = {
        /* a raw -429 where full transport has its length */
        {TRANSPORT_FULL, "\x53\xfe\xff\xff", 4, TRANSPORT_ERROR, -429},
        /* -404 with padding */
        {TRANSPORT_PADDED, "\x09\x00\x00\x00\x6c\xfe\xff\xffpaddi", 13, TRANSPORT_ERROR, -404},
        /* 0 of four bytes, and other short frames, are ignored */
        {TRANSPORT_INTERMEDIATE, "\x04\x00\x00\x00\x00\x00\x00\x00", 8, TRANSPORT_NEED_MORE, 0},
        {TRANSPORT_INTERMEDIATE, "\x08\x00\x00\x00\x6c\xfe\xff\xff....", 12, TRANSPORT_NEED_MORE,
         0},
        {TRANSPORT_INTERMEDIATE, "\x00\x00\x00\x00", 4, TRANSPORT_NEED_MORE, 0},
        {TRANSPORT_ABRIDGED, "\x00\x01\x6c\xfe\xff\xff", 6, TRANSPORT_ERROR, -404},
        /* a token behind -1, as one server writes it */
        {TRANSPORT_ABRIDGED, "\x02\xff\xff\xff\xff\x78\x56\x34\x92", 9, TRANSPORT_QUICK_ACK,
         (int32_t)0x92345678},
        /* lengths out of bounds */
        {TRANSPORT_INTERMEDIATE, "\xff\xff\xff\x7f", 4, TRANSPORT_BROKEN, 0},
        {TRANSPORT_ABRIDGED, "\x7f\xff\xff\xff", 4, TRANSPORT_BROKEN, 0},
        {TRANSPORT_FULL, "\xff\xff\xff\x7f", 4, TRANSPORT_BROKEN, 0},
        {TRANSPORT_FULL, "\x08\x00\x00\x00", 4, TRANSPORT_BROKEN, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct transport_event e = client_reads(cases[i].kind, cases[i].bytes, cases[i].len);
        assert_int_equal(e.type, cases[i].type);
        assert_int_equal(e.code, cases[i].code);
    }
}

static void test_full_refuses_what_is_damaged(void **state)
{
    (void)state;
    struct rng rng;
    struct buf wire, copy;
    struct transport client, server;
    uint8_t payload[40];
    rng_init_seed(&rng, 8);
    buf_init(&wire, 0);
    buf_init(&copy, 0);
    transport_client_init(&client, TRANSPORT_FULL, false, 2, &rng, &wire);
    frame(&client, &wire, sealed_like(&rng, payload, 1), false, &rng);
    for (size_t bit = 64; bit < wire.len * 8;
         bit++) { /* length and sequence number tell the kind */
        transport_server_init(&server);
        buf_clear(&copy);
        buf_append(&copy, wire.data, wire.len);
        copy.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(read_one(&server, &copy).type, TRANSPORT_BROKEN);
        transport_free(&server);
    }
    /* the same frame twice */
    transport_server_init(&server);
    buf_clear(&copy);
    buf_append(&copy, wire.data, wire.len);
    buf_append(&copy, wire.data, wire.len);
    assert_int_equal(read_one(&server, &copy).type, TRANSPORT_FRAME);
    assert_int_equal(read_one(&server, &copy).type, TRANSPORT_BROKEN);
    transport_free(&server);
    buf_free(&wire);
    buf_free(&copy);
}

static void test_other_protocols_are_refused(void **state)
{
    (void)state;
    static const char *const openings[] = {"GET / HTTP/1.1\r\n", "POST /api", "HEAD /api",
                                           "OPTIONS *", "\x16\x03\x01\x02\x00\x01"};
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
        struct transport t;
        struct buf in;
        buf_init(&in, 0);
        transport_server_init(&t);
        buf_append(&in, openings[i], 6);
        assert_int_equal(read_one(&t, &in).type, TRANSPORT_BROKEN);
        transport_free(&t);
        buf_free(&in);
    }
}

static void test_padding_of_any_length_is_stripped(void **state)
{
    (void)state;
    struct rng rng;
    uint8_t payload[24 + 16 * 3];
    rng_init_seed(&rng, 9);
    struct slice sealed = sealed_like(&rng, payload, 3);
    for (uint32_t padding = 0; padding < 16; padding++) {
        struct transport t;
        struct buf in;
        buf_init(&in, 0);
        transport_server_init(&t);
        uint32_t len = (uint32_t)sealed.len + padding;
        buf_append(&in, "\xdd\xdd\xdd\xdd", 4);
        buf_append(&in, &len, 4);
        buf_append(&in, sealed.data, sealed.len);
        buf_append(&in, "................", padding);
        struct transport_event e = read_one(&t, &in);
        assert_int_equal(e.type, TRANSPORT_FRAME);
        assert_int_equal(e.len, sealed.len);
        buf_free(&in);
        transport_free(&t);
    }
}

static void test_too_long_payloads_fail_the_buffer(void **state)
{
    (void)state;
    static uint8_t payload[TRANSPORT_FRAME_MAX + 4];
    struct rng rng;
    rng_init_seed(&rng, 1);
    for (size_t i = 0; i < N_ALL; i++) {
        struct transport t;
        struct buf out;
        buf_init(&out, 0);
        transport_client_init(&t, all[i].kind, all[i].obfuscated, 2, &rng, &out);
        size_t before = out.len;
        frame(&t, &out, slice_of(payload, sizeof payload), false, &rng);
        assert_true(out.failed);
        assert_int_equal(out.len, before);
        transport_free(&t);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_split_both_ways),
        cmocka_unit_test(test_documented_bytes),
        cmocka_unit_test(test_abridged_long_lengths),
        cmocka_unit_test(test_obfuscated_headers_avoid_other_protocols),
        cmocka_unit_test(test_quick_acks),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_short_frames),
        cmocka_unit_test(test_full_refuses_what_is_damaged),
        cmocka_unit_test(test_other_protocols_are_refused),
        cmocka_unit_test(test_padding_of_any_length_is_stripped),
        cmocka_unit_test(test_too_long_payloads_fail_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
