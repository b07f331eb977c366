/* SPDX-License-Identifier: MIT
 * The server side of an MTProto session: frames of a client in, requests out; answers and updates
 * in, frames out. https://core.telegram.org/mtproto/service_messages
 *
 * A session is (auth key, session id) and outlives connections: answers that were not acknowledged
 * are sent again on the next one. The caller opens the frame (mt_open), finds or makes the session
 * by session_id, and hands the message over. */
#ifndef TGREST_MTPROTO_SESSION_SERVER_H
#define TGREST_MTPROTO_SESSION_SERVER_H

#include "mtproto/message.h"
#include "mtproto/session_client.h" /* struct salt_schedule */
#include "mtproto/transport.h"

struct server_session_config {
    const struct auth_key *key; /* must outlive the session */
    uint64_t session_id;
    const struct clock *clock; /* the server's own (a fault may skew it) */
    struct rng *rng;
    struct digests *digests;
    /* The salts that are valid now and later, current first; asked on each message. */
    void (*salts)(void *ctx, uint64_t auth_key_id, struct salt_schedule *out);
    void *ctx;
    size_t answers_max; /* kept for resending; 0 = 512 */
    size_t inflate_max; /* bytes of one gzip_packed; 0 = 16 MiB */
    size_t gzip_min;    /* answers of at least that many bytes are packed when it pays; 0 = never */
};

struct server_session;
struct server_session *server_session_new(const struct server_session_config *config);
void server_session_free(struct server_session *s);
/* On a new connection: what was not acknowledged is queued again. */
void server_session_attach(struct server_session *s);

enum server_event_type {
    SERVER_NONE,
    SERVER_REQUEST, /* msg_id, body: an API query, gzip undone, containers unpacked; answer it once
                     */
    SERVER_DROP_ANSWER,     /* msg_id: the client no longer wants that request's answer */
    SERVER_DESTROY_SESSION, /* session_id: another session of the same key; say whether it was there
                             */
    SERVER_DESTROY_KEY,     /* destroy_auth_key: msg_id; answer by server_session_key_destroyed */
    SERVER_DISCONNECT_IN,   /* code: seconds; ping_delay_disconnect: close unless another comes by
                               then */
    SERVER_HTTP_WAIT,
    SERVER_BROKEN, /* reason: close the connection */
};
struct server_event {
    enum server_event_type type;
    uint64_t msg_id;
    uint64_t session_id;
    struct slice body;
    int32_t code;
    const char *reason;
};

/* One opened message. Wrong salt, msg_id, seq_no are answered inside (bad_server_salt,
 * bad_msg_notification) and give no event; duplicates give no second request but their stored
 * answer. The message's bytes must stay until server_session_next says NONE. */
void server_session_input(struct server_session *s, const struct mt_message *m);
bool server_session_next(struct server_session *s, struct server_event *event);

/* Exactly one of these for each SERVER_REQUEST, at any later time. An answer that fits no frame
 * goes as error 500 ANSWER_TOO_LONG; one that the client dropped, or a second one, is passed over.
 */
void server_session_answer(struct server_session *s, uint64_t req_msg_id, struct slice result);
/* The same without trying whether packing pays: for parts of files. */
void server_session_answer_as_is(struct server_session *s, uint64_t req_msg_id,
                                 struct slice result);
void server_session_error(struct server_session *s, uint64_t req_msg_id, int32_t code,
                          const char *text);
/* An Updates object. Dropped when it is too long or too much waits unacknowledged. */
void server_session_push(struct server_session *s, struct slice updates);
void server_session_session_destroyed(struct server_session *s, uint64_t session_id, bool existed);
void server_session_key_destroyed(struct server_session *s, uint64_t req_msg_id, bool existed);

/* Appends frames with all that waits, several messages in one container. */
void server_session_flush(struct server_session *s, struct transport *t, struct buf *out);
bool server_session_wants_flush(const struct server_session *s);

/* ---- faults, for a server that is told to misbehave ---- */
/* The next message is answered with bad_server_salt whatever its salt. */
void server_session_fault_bad_salt(struct server_session *s);
/* A request that was handed out and not answered never came: it gets no answer, and a copy of it is
 * handed out anew. */
void server_session_fault_forget(struct server_session *s, uint64_t req_msg_id);

#endif
