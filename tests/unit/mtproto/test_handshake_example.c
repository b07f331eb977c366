/* SPDX-License-Identifier: MIT
 * The client on the documentation's example, and on what a server could say instead. */
#include "handshake_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example_of_the_documentation),
        cmocka_unit_test(test_answers_to_the_key),
        cmocka_unit_test(test_server_dh_params_fail),
        cmocka_unit_test(test_bad_res_pq),
        cmocka_unit_test(test_what_a_server_may_not_say),
        cmocka_unit_test(test_another_prime_is_remembered),
    };
    return cmocka_run_group_tests_name("handshake example", tests, setup, teardown);
}
