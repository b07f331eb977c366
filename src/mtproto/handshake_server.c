/* SPDX-License-Identifier: MIT
 * The server's side of the handshake. */
#include "mtproto/handshake_common.h"
#include "mtproto/ids.h"

#include <sodium.h>
#include <stdlib.h>

enum {
    SERVER_G = 3, /* a generator of dh_telegram_prime's subgroup, and what Telegram uses */
    TEST_DC_OFFSET = 10000, /* clients add it to the data centre on test servers */
};

enum server_state {
    SERVER_WAITS_REQ_PQ,
    SERVER_WAITS_REQ_DH,
    SERVER_DECRYPTS,
    SERVER_WAITS_CLIENT_DH,
    SERVER_COMPUTES,
    SERVER_DONE,
    SERVER_FAILED,
};

struct handshake_server {
    struct handshake_server_config config;
    enum server_state state;
    const char *error;
    struct msg_id_source ids;
    struct handshake_run run;
    struct buf scratch; /* the message that is being written */

    uint64_t pq;
    uint64_t p;
    uint64_t q;
    uint8_t encrypted[RSA_BYTES];
    uint8_t inner[256]; /* what rsa_unpad gives */
    uint8_t inner_sha1[SHA1_BYTES];
    enum rsa_padding padding;

    uint8_t a[DH_BYTES];
    uint8_t g_a[DH_BYTES];
    uint8_t g_b[DH_BYTES];
    uint8_t auth_key[AUTH_KEY_BYTES];
    bool computed;
    uint64_t retry_id;
    int retries;

    struct handshake_result result;
};

struct handshake_server *handshake_server_new(const struct handshake_server_config *config)
{
    struct handshake_server *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->config = *config;
    h->ids.clock = config->clock;
    buf_init(&h->scratch, 0);
    return h;
}

void handshake_server_free(struct handshake_server *h)
{
    if (!h)
        return;
    buf_wipe_free(&h->scratch);
    sodium_memzero(h, sizeof *h);
    free(h);
}

const struct handshake_result *handshake_server_result(const struct handshake_server *h)
{
    return h->state == SERVER_DONE ? &h->result : NULL;
}

const char *handshake_server_error(const struct handshake_server *h)
{
    return h->error;
}

static enum handshake_status failed(struct handshake_server *h, const char *error)
{
    h->state = SERVER_FAILED;
    h->error = error;
    return HANDSHAKE_FAILED;
}

/* Sends what is in scratch; `next` is the state after it. */
static enum handshake_status send_answer(struct handshake_server *h, enum server_state next,
                                         struct buf *out)
{
    if (!h->scratch.failed)
        mt_plain_write(out, msg_id_next(&h->ids, MSG_ID_SERVER_ANSWER), buf_slice(&h->scratch));
    if (h->scratch.failed || out->failed)
        return failed(h, "no memory");
    h->state = next;
    return next == SERVER_DONE ? HANDSHAKE_DONE : HANDSHAKE_SEND;
}

static enum handshake_status ask_for_work(struct handshake_server *h, enum server_state state)
{
    h->state = state;
    return HANDSHAKE_WORK;
}

/* ---- 1, 2: req_pq, resPQ ---- */

static enum handshake_status take_req_pq(struct handshake_server *h, struct tl_reader *r,
                                         struct buf *out)
{
    struct buf *b = &h->scratch;
    struct slice nonce = tl_read_raw(r, NONCE_BYTES);
    if (r->error)
        return failed(h, "req_pq is cut off");
    memcpy(h->run.nonce, nonce.data, NONCE_BYTES);
    rng_fill(h->config.rng, h->run.server_nonce, NONCE_BYTES);
    h->pq = pq_random(h->config.rng, &h->p, &h->q);
    h->retries = 0;
    h->retry_id = 0;

    buf_clear(b);
    tl_write_u32(b, MT_RES_PQ);
    handshake_write_nonces(&h->run, b);
    handshake_write_number(b, h->pq);
    tl_write_u32(b, TL_ID_VECTOR);
    tl_write_u32(b, 1);
    tl_write_u64(b, rsa_key_fingerprint(h->config.key));
    return send_answer(h, SERVER_WAITS_REQ_DH, out);
}

/* ---- 5: req_DH_params ---- */

_Static_assert(RSA_BYTES == DH_BYTES, "handshake_read_large reads encrypted_data too");

static enum handshake_status take_req_dh_params(struct handshake_server *h, struct tl_reader *r)
{
    if (!handshake_read_nonces(&h->run, r))
        return failed(h, "req_DH_params is not for these nonces");
    uint64_t p = handshake_read_number(r);
    uint64_t q = handshake_read_number(r);
    uint64_t fingerprint = tl_read_u64(r);
    handshake_read_large(r, h->encrypted);
    if (r->error)
        return failed(h, "req_DH_params is cut off");
    if (p != h->p || q != h->q)
        return failed(h, "req_DH_params has other factors");
    if (fingerprint != rsa_key_fingerprint(h->config.key))
        return failed(h, "req_DH_params is for another public key");
    rng_fill(h->config.rng, h->a, sizeof h->a);
    return ask_for_work(h, SERVER_DECRYPTS);
}

/* ---- 6: server_DH_params_ok ---- */

/* Clients add 10000 on test servers and negate for media. */
static bool names_this_dc(const struct handshake_server *h, int32_t dc)
{
    int64_t named = dc < 0 ? -(int64_t)dc : dc;
    bool any = h->config.dc == 0;
    return any || named == h->config.dc || named == (int64_t)h->config.dc + TEST_DC_OFFSET;
}

/* One of the four kinds of p_q_inner_data. NULL when it is good. */
static const char *read_inner_data(struct handshake_server *h)
{
    static const struct {
        uint32_t id;
        bool has_dc;
        bool temporary;
    } kinds[] = {
        {MT_P_Q_INNER_DATA, false, false},
        {MT_P_Q_INNER_DATA_DC, true, false},
        {MT_P_Q_INNER_DATA_TEMP, false, true},
        {MT_P_Q_INNER_DATA_TEMP_DC, true, true},
    };
    /* Lengths inside the paddings: 192 bytes of RSA_PAD, 235 of the older one. */
    struct slice text = {h->inner, h->padding == RSA_PADDING_PAD ? 192 : 235};
    struct tl_reader r = tl_reader_of(text);
    uint32_t id = tl_read_u32(&r);
    size_t k = 0;
    while (k < 4 && kinds[k].id != id)
        k++;
    if (k == 4)
        return "no p_q_inner_data";
    bool same = handshake_read_number(&r) == h->pq;
    same = handshake_read_number(&r) == h->p && same;
    same = handshake_read_number(&r) == h->q && same;
    same = handshake_read_nonces(&h->run, &r) && same;
    struct slice new_nonce = tl_read_raw(&r, NEW_NONCE_BYTES);
    int32_t dc = kinds[k].has_dc ? tl_read_i32(&r) : h->config.dc;
    int32_t expires_in_s = kinds[k].temporary ? tl_read_i32(&r) : 0;

    struct slice consumed = {text.data, text.len - tl_left(&r)};
    if (r.error || (h->padding == RSA_PADDING_OLD &&
                    !rsa_old_check(h->config.digests, consumed, h->inner_sha1)))
        return "p_q_inner_data is damaged";
    if (!same)
        return "p_q_inner_data is not for this pq and these nonces";
    if (!names_this_dc(h, dc))
        return "p_q_inner_data is for another data centre";
    if (expires_in_s < 0 || (kinds[k].temporary && expires_in_s == 0))
        return "the temporary key would have no lifetime";
    memcpy(h->run.new_nonce, new_nonce.data, NEW_NONCE_BYTES);
    h->result.expires_in_s = expires_in_s;
    return NULL;
}

static enum handshake_status send_dh_params(struct handshake_server *h, struct buf *out)
{
    struct buf inner;
    struct buf *b = &h->scratch;
    if (h->padding == RSA_PADDING_NONE)
        return failed(h, "encrypted_data is not for this key");
    const char *error = read_inner_data(h);
    sodium_memzero(h->inner, sizeof h->inner);
    if (error)
        return failed(h, error);
    if (!h->computed)
        return failed(h, "no memory");
    handshake_derive(&h->run, h->config.digests);

    buf_init(&inner, 0);
    tl_write_u32(&inner, MT_SERVER_DH_INNER_DATA);
    handshake_write_nonces(&h->run, &inner);
    tl_write_i32(&inner, SERVER_G);
    tl_write_bytes(&inner, slice_of(dh_telegram_prime, DH_BYTES));
    tl_write_bytes(&inner, slice_of(h->g_a, sizeof h->g_a));
    tl_write_i32(&inner, (int32_t)clock_unix_s(h->config.clock));

    buf_clear(b);
    tl_write_u32(b, MT_SERVER_DH_PARAMS_OK);
    handshake_write_nonces(&h->run, b);
    b->failed |= inner.failed;
    if (!inner.failed)
        handshake_seal(&h->run, h->config.digests, h->config.rng, buf_slice(&inner), b);
    buf_free(&inner);
    return send_answer(h, SERVER_WAITS_CLIENT_DH, out);
}

/* ---- 7: set_client_DH_params ---- */

static enum handshake_status take_client_dh_params(struct handshake_server *h, struct tl_reader *r)
{
    struct handshake_opened opened;
    struct tl_reader inner;
    if (!handshake_read_nonces(&h->run, r))
        return failed(h, "set_client_DH_params is not for these nonces");
    struct slice sealed = tl_read_bytes(r);
    if (r->error || !handshake_open(&h->run, sealed, &opened, &inner))
        return failed(h, "set_client_DH_params is cut off");
    uint32_t id = tl_read_u32(&inner);
    bool ours = handshake_read_nonces(&h->run, &inner);
    uint64_t retry_id = tl_read_u64(&inner);
    handshake_read_large(&inner, h->g_b);
    if (!handshake_opened_well(&opened, h->config.digests, &inner) ||
        id != MT_CLIENT_DH_INNER_DATA || !ours)
        return failed(h, "client_DH_inner_data is damaged or not for these nonces");
    if (retry_id != h->retry_id)
        return failed(h, "client_DH_inner_data has another retry_id");
    if (dh_check_public(dh_telegram_prime, h->g_b) != DH_OK)
        return failed(h, "g_b is out of range");
    return ask_for_work(h, SERVER_COMPUTES);
}

/* ---- 9: dh_gen_ok, dh_gen_retry ---- */

static void write_dh_gen(struct handshake_server *h, uint32_t id, enum handshake_answer answer)
{
    uint8_t hash[NONCE_HASH_BYTES];
    handshake_nonce_hash(&h->run, h->config.digests, answer, h->auth_key, hash);
    buf_clear(&h->scratch);
    tl_write_u32(&h->scratch, id);
    handshake_write_nonces(&h->run, &h->scratch);
    buf_append(&h->scratch, hash, sizeof hash);
}

static enum handshake_status send_dh_gen(struct handshake_server *h, struct buf *out)
{
    if (!h->computed)
        return failed(h, "no memory");
    auth_key_set(&h->result.key, h->config.digests, h->auth_key);
    if (h->config.key_id_taken && h->config.key_id_taken(h->config.ctx, h->result.key.id)) {
        if (h->retries++ == HANDSHAKE_RETRIES_MAX)
            return failed(h, "the client found no free auth_key_id");
        h->retry_id = handshake_aux_hash(h->config.digests, h->auth_key);
        write_dh_gen(h, MT_DH_GEN_RETRY, ANSWER_RETRY);
        return send_answer(h, SERVER_WAITS_CLIENT_DH, out);
    }
    h->result.salt = h->config.first_salt ? h->config.first_salt(h->config.ctx, h->result.key.id)
                                          : handshake_first_salt(&h->run);
    write_dh_gen(h, MT_DH_GEN_OK, ANSWER_OK);
    sodium_memzero(h->a, sizeof h->a);
    sodium_memzero(h->auth_key, sizeof h->auth_key);
    sodium_memzero(&h->run, sizeof h->run);
    return send_answer(h, SERVER_DONE, out);
}

/* ---- the machine ---- */

enum handshake_status handshake_server_input(struct handshake_server *h, struct slice frame,
                                             struct buf *out)
{
    uint64_t msg_id;
    struct slice body;
    if (h->state == SERVER_FAILED)
        return HANDSHAKE_FAILED;
    if (h->state == SERVER_DECRYPTS || h->state == SERVER_COMPUTES)
        return failed(h, "a message before the last one was answered");
    if (!mt_plain_open(frame, &msg_id, &body))
        return failed(h, "no plain message");
    struct tl_reader r = tl_reader_of(body);
    uint32_t id = tl_read_u32(&r);
    /* A client may begin again at any time, and make another key on the same connection. */
    if (id == MT_REQ_PQ || id == MT_REQ_PQ_MULTI)
        return take_req_pq(h, &r, out);
    if (id == MT_REQ_DH_PARAMS && h->state == SERVER_WAITS_REQ_DH)
        return take_req_dh_params(h, &r);
    if (id == MT_SET_CLIENT_DH_PARAMS && h->state == SERVER_WAITS_CLIENT_DH)
        return take_client_dh_params(h, &r);
    return failed(h, "a message that is not due");
}

void handshake_server_work(struct handshake_server *h)
{
    if (h->state == SERVER_DECRYPTS) {
        h->padding = rsa_unpad(h->config.key, h->encrypted, h->inner, h->inner_sha1);
        h->computed =
            h->padding != RSA_PADDING_NONE && dh_public(dh_telegram_prime, SERVER_G, h->a, h->g_a);
    } else if (h->state == SERVER_COMPUTES) {
        h->computed = dh_shared(dh_telegram_prime, h->g_b, h->a, h->auth_key);
    }
}

enum handshake_status handshake_server_continue(struct handshake_server *h, struct buf *out)
{
    if (h->state == SERVER_DECRYPTS)
        return send_dh_params(h, out);
    if (h->state == SERVER_COMPUTES)
        return send_dh_gen(h, out);
    return failed(h, "no work was asked for");
}
