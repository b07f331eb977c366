/* SPDX-License-Identifier: MIT
 * The inside of a server session, shared by session_server.c (answers, pushes, what goes out) and
 * session_server_input.c (what comes in). */
#ifndef TGREST_MTPROTO_SESSION_SERVER_PRIVATE_H
#define TGREST_MTPROTO_SESSION_SERVER_PRIVATE_H

#include "base/arena.h"
#include "mtproto/id_window.h"
#include "mtproto/outbox.h"
#include "mtproto/service.h"
#include "mtproto/session_server.h"

enum {
    ANSWERS_MAX_DEFAULT = 512,
    ANSWERS_BYTES_MAX = 32 * 1024 * 1024, /* of all answers kept: what 60 parts of a file take */
    RUNNING_MAX = 4096,                   /* requests of one session that wait for their answer */
};

/* A request that was handed out and not answered. */
struct running {
    uint64_t msg_id;
    bool acked; /* the client was told that it arrived */
};

struct server_session {
    struct sealer out;
    const struct clock *clock;
    void (*salts)(void *ctx, uint64_t auth_key_id, struct salt_schedule *out);
    void *ctx;
    size_t answers_max;
    size_t inflate_max;
    size_t gzip_min;

    struct outbox outbox;
    struct inbox inbox;
    struct id_window seen;
    struct msg_ids acks; /* content messages that get no answer of their own */
    struct running *running;
    uint32_t n_running;
    uint32_t cap_running;
    uint32_t n_unacked; /* of those running */
    struct arena inflated;

    uint64_t first_msg_id; /* 0: nothing accepted yet */
    uint64_t highest_id;   /* with its seq_no, for codes 32 and 33 */
    uint32_t highest_seq_no;
    bool fault_bad_salt;
    const char *broken;
};

struct salt_schedule server_salts(const struct server_session *s);
int64_t server_now_s(const struct server_session *s);
/* A message queued with an empty body; NULL without memory. */
struct outgoing *server_service(struct server_session *s);

/* The index in running, or n_running. */
uint32_t server_find_running(const struct server_session *s, uint64_t msg_id);
void server_forget_running(struct server_session *s, uint32_t index);
/* The kept answer to that request, or NULL. */
struct outgoing *server_find_answer(struct server_session *s, uint64_t req_msg_id);

#endif
