/* SPDX-License-Identifier: MIT
 * The client's side of the handshake, with the checks of
 * https://core.telegram.org/mtproto/security_guidelines */
#include "mtproto/handshake_common.h"
#include "mtproto/ids.h"

#include <sodium.h>
#include <stdlib.h>

enum client_state {
    CLIENT_IDLE,
    CLIENT_WAITS_RES_PQ,
    CLIENT_FACTORS,
    CLIENT_WAITS_DH_PARAMS,
    CLIENT_COMPUTES,
    CLIENT_WAITS_DH_GEN,
    CLIENT_DONE,
    CLIENT_FAILED,
};

struct handshake_client {
    struct handshake_client_config config;
    enum client_state state;
    const char *error;
    struct msg_id_source ids;
    struct handshake_run run;
    struct buf scratch; /* the message that is being written; secrets pass through it */

    const struct rsa_key *key;
    uint64_t pq;
    uint64_t p;
    uint64_t q;
    bool factored;

    int32_t g;
    uint8_t prime[DH_BYTES];
    uint8_t g_a[DH_BYTES];
    uint8_t b[DH_BYTES];
    uint8_t g_b[DH_BYTES];
    uint8_t auth_key[AUTH_KEY_BYTES];
    struct dh_good_prime good_prime; /* a copy, as work may run on another thread */
    enum dh_check check;
    bool computed;
    uint64_t retry_id;
    int retries;

    struct handshake_result result;
};

struct handshake_client *handshake_client_new(const struct handshake_client_config *config)
{
    struct handshake_client *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->config = *config;
    h->ids.clock = config->clock;
    buf_init(&h->scratch, 0);
    return h;
}

void handshake_client_free(struct handshake_client *h)
{
    if (!h)
        return;
    buf_wipe_free(&h->scratch);
    sodium_memzero(h, sizeof *h);
    free(h);
}

const struct handshake_result *handshake_client_result(const struct handshake_client *h)
{
    return h->state == CLIENT_DONE ? &h->result : NULL;
}

const char *handshake_client_error(const struct handshake_client *h)
{
    return h->error;
}

static enum handshake_status failed(struct handshake_client *h, const char *error)
{
    h->state = CLIENT_FAILED;
    h->error = error;
    return HANDSHAKE_FAILED;
}

/* Sends what is in scratch and waits for the answer. */
static enum handshake_status send_query(struct handshake_client *h, enum client_state next,
                                        struct buf *out)
{
    if (!h->scratch.failed)
        mt_plain_write(out, msg_id_next(&h->ids, MSG_ID_CLIENT), buf_slice(&h->scratch));
    if (h->scratch.failed || out->failed)
        return failed(h, "no memory");
    h->state = next;
    return HANDSHAKE_SEND;
}

/* ---- 1: req_pq_multi ---- */

enum handshake_status handshake_client_start(struct handshake_client *h, struct buf *out)
{
    h->error = NULL;
    h->retries = 0;
    h->retry_id = 0;
    rng_fill(h->config.rng, h->run.nonce, NONCE_BYTES);
    buf_clear(&h->scratch);
    tl_write_u32(&h->scratch, MT_REQ_PQ_MULTI);
    buf_append(&h->scratch, h->run.nonce, NONCE_BYTES);
    return send_query(h, CLIENT_WAITS_RES_PQ, out);
}

/* ---- 2: resPQ; 3: factors ---- */

static const struct rsa_key *key_of(const struct handshake_client *h, uint64_t fingerprint)
{
    for (size_t i = 0; i < h->config.n_keys; i++)
        if (rsa_key_fingerprint(h->config.keys[i]) == fingerprint)
            return h->config.keys[i];
    return NULL;
}

static enum handshake_status take_res_pq(struct handshake_client *h, struct tl_reader *r)
{
    uint32_t id = tl_read_u32(r);
    struct slice nonce = tl_read_raw(r, NONCE_BYTES);
    struct slice server_nonce = tl_read_raw(r, NONCE_BYTES);
    h->pq = handshake_read_number(r);
    uint32_t vector = tl_read_u32(r);
    uint32_t count = tl_read_count(r, sizeof(uint64_t));
    h->key = NULL;
    for (uint32_t i = 0; i < count && !r->error && !h->key; i++)
        h->key = key_of(h, tl_read_u64(r));
    if (r->error || id != MT_RES_PQ || vector != TL_ID_VECTOR)
        return failed(h, "no resPQ");
    if (memcmp(nonce.data, h->run.nonce, NONCE_BYTES) != 0)
        return failed(h, "resPQ is not for this nonce");
    if (!h->key)
        return failed(h, "no public key of the server is known here");
    memcpy(h->run.server_nonce, server_nonce.data, NONCE_BYTES);
    h->state = CLIENT_FACTORS;
    return HANDSHAKE_WORK;
}

/* ---- 4, 5: req_DH_params ---- */

static void write_inner_data(struct handshake_client *h)
{
    struct buf *b = &h->scratch;
    bool temporary = h->config.expires_in_s > 0;
    buf_clear(b);
    tl_write_u32(b, temporary ? MT_P_Q_INNER_DATA_TEMP_DC : MT_P_Q_INNER_DATA_DC);
    handshake_write_number(b, h->pq);
    handshake_write_number(b, h->p);
    handshake_write_number(b, h->q);
    handshake_write_nonces(&h->run, b);
    buf_append(b, h->run.new_nonce, NEW_NONCE_BYTES);
    tl_write_i32(b, h->config.dc);
    if (temporary)
        tl_write_i32(b, h->config.expires_in_s);
}

static enum handshake_status send_req_dh_params(struct handshake_client *h, struct buf *out)
{
    uint8_t encrypted[RSA_BYTES];
    struct buf *b = &h->scratch;
    if (!h->factored)
        return failed(h, "pq is no product of two primes");
    rng_fill(h->config.rng, h->run.new_nonce, NEW_NONCE_BYTES);
    handshake_derive(&h->run, h->config.digests);
    write_inner_data(h);
    if (b->failed || !rsa_pad_encrypt(h->key, h->config.rng, buf_slice(b), encrypted))
        return failed(h, "RSA failed");

    sodium_memzero(b->data, b->len);
    buf_clear(b);
    tl_write_u32(b, MT_REQ_DH_PARAMS);
    handshake_write_nonces(&h->run, b);
    handshake_write_number(b, h->p);
    handshake_write_number(b, h->q);
    tl_write_u64(b, rsa_key_fingerprint(h->key));
    tl_write_bytes(b, slice_of(encrypted, sizeof encrypted));
    return send_query(h, CLIENT_WAITS_DH_PARAMS, out);
}

/* ---- 6: server_DH_params ---- */

static enum handshake_status begin_computing(struct handshake_client *h)
{
    rng_fill(h->config.rng, h->b, sizeof h->b);
    h->state = CLIENT_COMPUTES;
    return HANDSHAKE_WORK;
}

static bool read_inner_data(struct handshake_client *h, struct slice sealed, int32_t *server_time_s)
{
    struct handshake_opened opened;
    struct tl_reader r;
    if (!handshake_open(&h->run, sealed, &opened, &r))
        return false;
    uint32_t id = tl_read_u32(&r);
    bool ours = handshake_read_nonces(&h->run, &r);
    h->g = tl_read_i32(&r);
    handshake_read_large(&r, h->prime);
    handshake_read_large(&r, h->g_a);
    *server_time_s = tl_read_i32(&r);
    return handshake_opened_well(&opened, h->config.digests, &r) && id == MT_SERVER_DH_INNER_DATA &&
           ours;
}

static enum handshake_status take_refusal(struct handshake_client *h, struct tl_reader *r)
{
    uint8_t hash[SHA1_BYTES];
    struct slice got = tl_read_raw(r, NONCE_HASH_BYTES);
    sha1(h->config.digests, &(struct slice){h->run.new_nonce, NEW_NONCE_BYTES}, 1, hash);
    if (r->error ||
        sodium_memcmp(got.data, hash + SHA1_BYTES - NONCE_HASH_BYTES, NONCE_HASH_BYTES) != 0)
        return failed(h, "server_DH_params_fail with a wrong hash");
    return failed(h, "the server refused the query (server_DH_params_fail)");
}

static enum handshake_status take_dh_params(struct handshake_client *h, struct tl_reader *r)
{
    int32_t server_time_s = 0;
    uint32_t id = tl_read_u32(r);
    if (!handshake_read_nonces(&h->run, r))
        return failed(h, "server_DH_params are not for these nonces");
    if (id == MT_SERVER_DH_PARAMS_FAIL)
        return take_refusal(h, r);
    struct slice sealed = tl_read_bytes(r);
    if (r->error || id != MT_SERVER_DH_PARAMS_OK)
        return failed(h, "no server_DH_params");
    if (!read_inner_data(h, sealed, &server_time_s))
        return failed(h, "server_DH_inner_data is damaged or not for these nonces");

    h->result.clock_offset_ns = server_time_s * NS_PER_S - clock_wall_ns(h->config.clock);
    h->ids.offset_ns = h->result.clock_offset_ns;
    if (h->config.good_prime)
        h->good_prime = *h->config.good_prime;
    return begin_computing(h);
}

/* ---- 7, 8: set_client_DH_params and the key ---- */

static enum handshake_status send_client_dh_params(struct handshake_client *h, struct buf *out)
{
    static const char *const errors[] = {
        [DH_OK] = NULL,
        [DH_PRIME_SIZE] = "dh_prime has not 2048 bits",
        [DH_PRIME_NOT_SAFE] = "dh_prime is no safe prime",
        [DH_BAD_GENERATOR] = "g is no generator for dh_prime",
        [DH_OUT_OF_RANGE] = "g_a or g_b is out of range",
    };
    struct buf inner;
    struct buf *b = &h->scratch;
    if (h->check != DH_OK)
        return failed(h, errors[h->check]);
    if (!h->computed)
        return failed(h, "no memory");
    if (h->config.good_prime && h->good_prime.known)
        *h->config.good_prime = h->good_prime;

    buf_init(&inner, 0);
    tl_write_u32(&inner, MT_CLIENT_DH_INNER_DATA);
    handshake_write_nonces(&h->run, &inner);
    tl_write_u64(&inner, h->retry_id);
    tl_write_bytes(&inner, slice_of(h->g_b, sizeof h->g_b));

    buf_clear(b);
    tl_write_u32(b, MT_SET_CLIENT_DH_PARAMS);
    handshake_write_nonces(&h->run, b);
    b->failed |= inner.failed;
    if (!inner.failed)
        handshake_seal(&h->run, h->config.digests, h->config.rng, buf_slice(&inner), b);
    buf_free(&inner);
    return send_query(h, CLIENT_WAITS_DH_GEN, out);
}

/* ---- 9: dh_gen_ok, dh_gen_retry, dh_gen_fail ---- */

static enum handshake_status finish(struct handshake_client *h)
{
    auth_key_set(&h->result.key, h->config.digests, h->auth_key);
    h->result.salt = handshake_first_salt(&h->run);
    h->result.expires_in_s = h->config.expires_in_s > 0 ? h->config.expires_in_s : 0;
    sodium_memzero(h->b, sizeof h->b);
    sodium_memzero(h->auth_key, sizeof h->auth_key);
    sodium_memzero(&h->run, sizeof h->run);
    h->state = CLIENT_DONE;
    return HANDSHAKE_DONE;
}

/* The server has a key of the same id: the last step again with another b. */
static enum handshake_status retry(struct handshake_client *h)
{
    if (h->retries++ == HANDSHAKE_RETRIES_MAX)
        return failed(h, "too many dh_gen_retry");
    h->retry_id = handshake_aux_hash(h->config.digests, h->auth_key);
    return begin_computing(h);
}

static enum handshake_status take_dh_gen(struct handshake_client *h, struct tl_reader *r)
{
    static const struct {
        uint32_t id;
        enum handshake_answer answer;
    } answers[] = {
        {MT_DH_GEN_OK, ANSWER_OK},
        {MT_DH_GEN_RETRY, ANSWER_RETRY},
        {MT_DH_GEN_FAIL, ANSWER_FAIL},
    };
    uint8_t expected[NONCE_HASH_BYTES];
    uint32_t id = tl_read_u32(r);
    bool ours = handshake_read_nonces(&h->run, r);
    struct slice hash = tl_read_raw(r, NONCE_HASH_BYTES);
    size_t i = 0;
    while (i < 3 && answers[i].id != id)
        i++;
    if (r->error || i == 3)
        return failed(h, "no answer to set_client_DH_params");
    handshake_nonce_hash(&h->run, h->config.digests, answers[i].answer, h->auth_key, expected);
    if (!ours || sodium_memcmp(hash.data, expected, NONCE_HASH_BYTES) != 0)
        return failed(h, "the answer to set_client_DH_params is not for this key");
    switch (answers[i].answer) {
    case ANSWER_OK:
        return finish(h);
    case ANSWER_RETRY:
        return retry(h);
    case ANSWER_FAIL:
        break;
    }
    return failed(h, "the server refused the key (dh_gen_fail)");
}

/* ---- the machine ---- */

enum handshake_status handshake_client_input(struct handshake_client *h, struct slice frame,
                                             struct buf *out)
{
    uint64_t msg_id;
    struct slice body;
    (void)out; /* every answer asks for work first */
    if (!mt_plain_open(frame, &msg_id, &body) || !(msg_id & 1))
        return failed(h, "no plain message of a server");
    struct tl_reader r = tl_reader_of(body);
    switch (h->state) {
    case CLIENT_WAITS_RES_PQ:
        return take_res_pq(h, &r);
    case CLIENT_WAITS_DH_PARAMS:
        return take_dh_params(h, &r);
    case CLIENT_WAITS_DH_GEN:
        return take_dh_gen(h, &r);
    case CLIENT_FAILED:
        return HANDSHAKE_FAILED;
    case CLIENT_IDLE:
    case CLIENT_FACTORS:
    case CLIENT_COMPUTES:
    case CLIENT_DONE:
        break;
    }
    return failed(h, "a message that nobody asked for");
}

void handshake_client_work(struct handshake_client *h)
{
    if (h->state == CLIENT_FACTORS)
        h->factored = pq_factor(h->pq, &h->p, &h->q);
    if (h->state != CLIENT_COMPUTES)
        return;
    h->check = dh_check_params(h->prime, h->g, &h->good_prime);
    if (h->check == DH_OK)
        h->check = dh_check_public(h->prime, h->g_a);
    h->computed = h->check == DH_OK && dh_public(h->prime, h->g, h->b, h->g_b) &&
                  dh_shared(h->prime, h->g_a, h->b, h->auth_key);
    if (h->computed)
        h->check = dh_check_public(h->prime, h->g_b);
}

enum handshake_status handshake_client_continue(struct handshake_client *h, struct buf *out)
{
    if (h->state == CLIENT_FACTORS)
        return send_req_dh_params(h, out);
    if (h->state == CLIENT_COMPUTES)
        return send_client_dh_params(h, out);
    return failed(h, "no work was asked for");
}
