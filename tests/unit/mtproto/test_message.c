/* SPDX-License-Identifier: MIT
 * Messages against ones that other software sealed, and against damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "mtproto/message.h"
#include "mtproto/transport.h"

enum { LINE_MAX_BYTES = 65536, WORDS_MAX = 16 };

static struct buf from_hex(const char *hex)
{
    struct buf b;
    buf_init(&b, 0);
    for (; hex[0] && hex[1]; hex += 2) {
        unsigned byte;
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        buf_append_byte(&b, (uint8_t)byte);
    }
    return b;
}

/* Calls `check` with the words of each line that starts with that kind; returns how many there
 * were. */
static size_t each_vector(const char *kind, void (*check)(char **words, size_t n))
{
    static char line[LINE_MAX_BYTES];
    FILE *f = fopen("tests/vectors/mtproto/telethon.txt", "r");
    size_t lines = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char *words[WORDS_MAX];
        char *rest;
        size_t n = 0;
        for (char *w = strtok_r(line, " \n", &rest); w && n < WORDS_MAX;
             w = strtok_r(NULL, " \n", &rest))
            words[n++] = w;
        if (n > 0 && strcmp(words[0], kind) == 0) {
            check(words, n);
            lines++;
        }
    }
    fclose(f);
    return lines;
}

/* message from_server key salt session_id msg_id seq_no body sealed */
static void check_message(char **w, size_t n)
{
    assert_int_equal(n, 9);
    bool from_server = w[1][0] == '1';
    struct digests *d = digests_new();
    struct rng rng;
    struct auth_key key;
    struct mt_message m;
    struct buf key_bytes = from_hex(w[2]);
    struct buf body = from_hex(w[7]);
    struct buf sealed = from_hex(w[8]);
    struct buf again;
    rng_init_seed(&rng, 1);
    buf_init(&again, 0);
    assert_int_equal(key_bytes.len, AUTH_KEY_BYTES);
    auth_key_set(&key, d, key_bytes.data);

    assert_true(mt_frame_key_id(buf_slice(&sealed)) == key.id);
    size_t len = sealed.len;
    assert_true(mt_open(&key, d, from_server, sealed.data, sealed.len, &m));
    for (int round = 0; round < 2; round++) {
        assert_true(m.salt == strtoull(w[3], NULL, 10));
        assert_true(m.session_id == strtoull(w[4], NULL, 10));
        assert_true(m.msg_id == strtoull(w[5], NULL, 10));
        assert_true(m.seq_no == strtoul(w[6], NULL, 10));
        assert_true(slice_eq(m.body, buf_slice(&body)));
        if (round == 1)
            break;
        size_t mark = mt_seal_begin(&again);
        buf_append(&again, m.body.data, m.body.len);
        mt_seal_end(&key, d, from_server, &rng, &again, mark, m.salt, m.session_id, m.msg_id,
                    m.seq_no);
        assert_int_equal(again.len, len);
        assert_true(mt_open(&key, d, from_server, again.data, again.len, &m));
    }
    buf_free(&key_bytes);
    buf_free(&body);
    buf_free(&sealed);
    buf_free(&again);
    digests_free(d);
}

static void test_messages_of_telethon_open(void **state)
{
    (void)state;
    assert_int_equal(each_vector("message", check_message), 16);
}

/* stream kind obfuscated bytes payload… */
static void check_stream(char **w, size_t n)
{
    static const char *const kinds[] = {"", "full", "abridged", "intermediate", "padded"};
    struct transport t;
    struct buf in = from_hex(w[3]);
    transport_server_init(&t);
    for (size_t i = 4; i < n; i++) {
        struct buf payload = from_hex(w[i]);
        size_t consumed = 0;
        struct transport_event e = transport_read(&t, in.data, in.len, &consumed);
        assert_int_equal(e.type, TRANSPORT_FRAME);
        assert_true(slice_eq(slice_of(e.payload, e.len), buf_slice(&payload)));
        buf_drop_front(&in, consumed);
        buf_free(&payload);
    }
    assert_int_equal(in.len, 0);
    assert_string_equal(kinds[t.kind], w[1]);
    assert_int_equal(t.obfuscated, w[2][0] == '1');
    buf_free(&in);
    transport_free(&t);
}

static void test_streams_of_telethon_are_recognised(void **state)
{
    (void)state;
    assert_int_equal(each_vector("stream", check_stream), 6);
}

struct sealed {
    struct digests *d;
    struct rng rng;
    struct auth_key key;
    struct buf frame;
};

static void seal(struct sealed *s, size_t body_len)
{
    uint8_t bytes[AUTH_KEY_BYTES];
    s->d = digests_new();
    rng_init_seed(&s->rng, body_len);
    rng_fill(&s->rng, bytes, sizeof bytes);
    auth_key_set(&s->key, s->d, bytes);
    buf_init(&s->frame, 0);
    size_t mark = mt_seal_begin(&s->frame);
    memset(buf_extend(&s->frame, body_len), 0x42, body_len);
    mt_seal_end(&s->key, s->d, false, &s->rng, &s->frame, mark, 1, 2, 4, 1);
}

static void sealed_free(struct sealed *s)
{
    buf_free(&s->frame);
    digests_free(s->d);
}

static void test_every_length_comes_back(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 400; len += 4) {
        struct sealed s;
        struct mt_message m;
        seal(&s, len);
        assert_int_equal((s.frame.len - 24) % 16, 0);
        size_t padding = s.frame.len - 56 - len;
        assert_in_range(padding, 12, 12 + 15);
        assert_true(mt_open(&s.key, s.d, false, s.frame.data, s.frame.len, &m));
        assert_int_equal(m.body.len, len);
        sealed_free(&s);
    }
}

static void test_any_flipped_bit_is_noticed(void **state)
{
    (void)state;
    struct sealed s;
    struct mt_message m;
    seal(&s, 40);
    uint8_t copy[256];
    assert_true(s.frame.len <= sizeof copy);
    for (size_t bit = 0; bit < s.frame.len * 8; bit++) {
        memcpy(copy, s.frame.data, s.frame.len);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(mt_open(&s.key, s.d, false, copy, s.frame.len, &m));
    }
    for (size_t len = 0; len < s.frame.len; len++) {
        memcpy(copy, s.frame.data, s.frame.len);
        assert_false(mt_open(&s.key, s.d, false, copy, len, &m));
    }
    memcpy(copy, s.frame.data, s.frame.len);
    assert_false(mt_open(&s.key, s.d, true, copy, s.frame.len, &m)); /* reflected to its sender */
    memcpy(copy, s.frame.data, s.frame.len);
    assert_true(mt_open(&s.key, s.d, false, copy, s.frame.len, &m));
    sealed_free(&s);
}

/* A frame whose msg_key is right, with whatever length and padding inside. */
static bool opens_with(uint32_t stated_len, size_t inner_len)
{
    struct sealed s;
    struct mt_message m;
    uint8_t large[SHA256_BYTES], key[32], iv[32];
    seal(&s, 4);
    buf_clear(&s.frame);
    uint8_t *at = buf_extend(&s.frame, 24 + inner_len);
    memset(at, 0, 24 + inner_len);
    store_le64(at, s.key.id);
    store_le32(at + 24 + 28, stated_len);
    kdf2_msg_key_large(s.d, s.key.key, false, slice_of(at + 24, inner_len), large);
    memcpy(at + 8, large + MSG_KEY_OFFSET, MSG_KEY_BYTES);
    kdf2_aes(s.d, s.key.key, false, at + 8, key, iv);
    aes_ige_encrypt(key, iv, at + 24, at + 24, inner_len);
    bool ok = mt_open(&s.key, s.d, false, at, s.frame.len, &m);
    sealed_free(&s);
    return ok;
}

static void test_lengths_and_padding_are_checked(void **state)
{
    (void)state;
    assert_true(opens_with(4, 48));
    assert_true(opens_with(0, 48));
    assert_false(opens_with(5, 48));  /* no multiple of 4 */
    assert_false(opens_with(8, 48));  /* 8 bytes of padding */
    assert_false(opens_with(16, 48)); /* none */
    assert_false(opens_with(20, 48)); /* past the end */
    assert_false(opens_with(0xfffffffc, 48));
    assert_true(opens_with(64, 32 + 64 + 1024));
    assert_false(opens_with(60, 32 + 64 + 1024)); /* 1028 bytes of padding */
}

static void test_plain_messages(void **state)
{
    (void)state;
    struct buf out;
    struct slice body;
    uint64_t msg_id;
    buf_init(&out, 0);
    mt_plain_write(&out, 0x51e57ac42770964a, slice_of("\x78\x97\x46\x60nonce...", 12));
    assert_int_equal(out.len, 32);
    assert_true(mt_plain_open(buf_slice(&out), &msg_id, &body));
    assert_true(msg_id == 0x51e57ac42770964a);
    assert_int_equal(body.len, 12);
    assert_false(mt_plain_open(slice_of(out.data, 31), &msg_id, &body));
    buf_append(&out, "trailing", 8);
    assert_true(mt_plain_open(buf_slice(&out), &msg_id, &body));
    assert_int_equal(body.len, 12);
    out.data[0] = 1;
    assert_false(mt_plain_open(buf_slice(&out), &msg_id, &body));
    buf_free(&out);
}

static void test_msg_ids_grow(void **state)
{
    (void)state;
    struct clock_manual clock;
    clock_manual_init(&clock, 1767225600 * NS_PER_S + NS_PER_S / 2);
    struct msg_id_source s = {.clock = &clock.clock, .offset_ns = 10 * NS_PER_S};
    uint64_t first = msg_id_next(&s, MSG_ID_CLIENT);
    assert_int_equal(msg_id_unix_s(first), 1767225610);
    assert_true(msg_id_unix_ns(first) / NS_PER_MS == 1767225610500);
    uint64_t last = first;
    for (int i = 0; i < 1000; i++) { /* the clock stands, then goes back */
        static const enum msg_id_kind kinds[] = {MSG_ID_CLIENT, MSG_ID_SERVER_ANSWER,
                                                 MSG_ID_SERVER_PUSH};
        uint64_t id = msg_id_next(&s, kinds[i % 3]);
        assert_true(id > last);
        assert_int_equal(id % 4, kinds[i % 3]);
        last = id;
        if (i == 500)
            clock.wall_ns -= NS_PER_S;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_of_telethon_open),
        cmocka_unit_test(test_streams_of_telethon_are_recognised),
        cmocka_unit_test(test_every_length_comes_back),
        cmocka_unit_test(test_any_flipped_bit_is_noticed),
        cmocka_unit_test(test_lengths_and_padding_are_checked),
        cmocka_unit_test(test_plain_messages),
        cmocka_unit_test(test_msg_ids_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
