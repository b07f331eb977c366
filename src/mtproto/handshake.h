/* SPDX-License-Identifier: MIT
 * Creation of an auth key, both sides. https://core.telegram.org/mtproto/auth_key
 *
 * Both are state machines over frames: `*_input` takes one frame and either writes the next one or
 * asks for work. `*_work` does the heavy part (pq, RSA, DH): it touches nothing but the struct, so
 * it may run on a pool thread while nobody else uses the struct; `*_continue` then writes the next
 * frame. */
#ifndef TGREST_MTPROTO_HANDSHAKE_H
#define TGREST_MTPROTO_HANDSHAKE_H

#include "mtproto/message.h"

enum handshake_status {
    HANDSHAKE_SEND,   /* a plain message was appended to out: frame it, send it, wait for input */
    HANDSHAKE_WORK,   /* call *_work (anywhere), then *_continue */
    HANDSHAKE_DONE,   /* the key is in the result (server: the last message was appended too) */
    HANDSHAKE_FAILED, /* `error` says why; start again or give up */
};

struct handshake_result {
    struct auth_key key;
    uint64_t salt;
    int64_t clock_offset_ns; /* server minus ours */
    int32_t expires_in_s;    /* temporary keys; 0 = permanent */
};

/* ---- client ---- */
struct handshake_client_config {
    struct rsa_key *const *keys; /* the servers' public keys; must outlive the handshake */
    size_t n_keys;
    int32_t dc;           /* as in p_q_inner_data_dc: +10000 test, negative media */
    int32_t expires_in_s; /* > 0: a temporary key */
    const struct clock *clock;
    struct rng *rng;                  /* used in start/input/continue only, never in work */
    struct digests *digests;          /* likewise */
    struct dh_good_prime *good_prime; /* per thread; read in input, written in continue */
};
struct handshake_client;
struct handshake_client *handshake_client_new(const struct handshake_client_config *config);
void handshake_client_free(struct handshake_client *h); /* wipes */
/* Also begins anew, after a failure or for another key. */
enum handshake_status handshake_client_start(struct handshake_client *h, struct buf *out);
enum handshake_status handshake_client_input(struct handshake_client *h, struct slice frame,
                                             struct buf *out);
void handshake_client_work(struct handshake_client *h);
enum handshake_status handshake_client_continue(struct handshake_client *h, struct buf *out);
/* NULL unless it is done; good until the next start. */
const struct handshake_result *handshake_client_result(const struct handshake_client *h);
const char *handshake_client_error(const struct handshake_client *h);

/* ---- server ---- */
struct handshake_server_config {
    const struct rsa_key *key; /* private */
    int32_t
        dc; /* the data centre that this server is; a client may name -dc, ±10000 too; 0 = any */
    const struct clock *clock;
    struct rng *rng;
    struct digests *digests;
    /* May refuse an auth_key_id (in use already): the client is told dh_gen_retry. May be NULL. */
    bool (*key_id_taken)(void *ctx, uint64_t auth_key_id);
    uint64_t (*first_salt)(
        void *ctx, uint64_t auth_key_id); /* NULL: new_nonce xor server_nonce, as documented */
    void *ctx;
};
struct handshake_server;
struct handshake_server *handshake_server_new(const struct handshake_server_config *config);
void handshake_server_free(struct handshake_server *h);
/* HANDSHAKE_FAILED: answer transport error -404 and close. A client may begin anew with req_pq at
 * any time, also after HANDSHAKE_DONE. */
enum handshake_status handshake_server_input(struct handshake_server *h, struct slice frame,
                                             struct buf *out);
void handshake_server_work(struct handshake_server *h);
enum handshake_status handshake_server_continue(struct handshake_server *h, struct buf *out);
/* NULL unless it is done; good until the next input. */
const struct handshake_result *handshake_server_result(const struct handshake_server *h);
const char *handshake_server_error(const struct handshake_server *h);

#endif
