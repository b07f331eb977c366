/* SPDX-License-Identifier: MIT
 * The server against clients of other kinds. */
#include "handshake_fixture.h"

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
    uint64_t p = 0;
    uint64_t q = 0;
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
        cmocka_unit_test(test_kinds_of_clients),
        cmocka_unit_test(test_bytes_behind_the_inner_data),
        cmocka_unit_test(test_what_a_client_may_not_say),
    };
    return cmocka_run_group_tests_name("handshake foreign", tests, setup, teardown);
}
