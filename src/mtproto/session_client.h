/* SPDX-License-Identifier: MIT
 * The client side of an MTProto session: calls in, frames out; frames in, events out.
 * https://core.telegram.org/mtproto/service_messages
 *
 * Lifetime: a session outlives connections. connected -> call/flush/input/next/tick … ->
 * disconnected
 * -> connected …; on every new connection what was sent and not answered is sent again where that
 * is safe: a call whose fate is unknown goes again under its old msg_id, by which the server
 * recognises it, and a CALL_ONCE not before the server has said that it still knows the session.
 * Events point into the frame (or into the session's scratch, for gzip) and are good until the next
 * call of client_session_next. */
#ifndef TGREST_MTPROTO_SESSION_CLIENT_H
#define TGREST_MTPROTO_SESSION_CLIENT_H

#include "mtproto/message.h"
#include "mtproto/transport.h"

enum { SALTS_MAX = 16 };
struct salt_span {
    uint64_t salt;
    int64_t valid_since; /* unix seconds of the server's clock */
    int64_t valid_until;
};
struct salt_schedule {
    struct salt_span spans[SALTS_MAX];
    size_t n;
};

/* What may happen to a call whose answer was lost with its session. */
enum call_safety {
    CALL_ONCE,       /* may have been executed: fails as CALL_LOST */
    CALL_REPEATABLE, /* reads, and methods with a random_id: sent again */
};

struct client_session_config {
    struct auth_key key;
    struct salt_schedule salts; /* may be empty: the first call then costs one more round trip */
    int64_t clock_offset_ns;
    const struct clock *clock;
    struct rng *rng;
    struct digests *digests;
    /* Put in front of the query until one such call was answered in this session id
     * (invokeWithLayer + initConnection + invokeWithoutUpdates, complete up to the query) …
     * Both prefixes are copied. */
    struct slice init_prefix;
    /* … and in front of every later one (invokeWithoutUpdates; empty for connections that take
     * updates). */
    struct slice call_prefix;
    size_t calls_max;     /* in flight and queued; 0 = 4096 */
    size_t inflate_max;   /* bytes of one gzip_packed; 0 = 16 MiB */
    int64_t ping_idle_ns; /* ping_delay_disconnect after that much silence; 0 = never */
};

struct client_session;
struct client_session *client_session_new(const struct client_session_config *config);
void client_session_free(struct client_session *s); /* wipes; calls still open are forgotten */

/* The link is up (its transport's opening bytes are written) or gone. */
void client_session_connected(struct client_session *s);
void client_session_disconnected(struct client_session *s);
/* A new session id, nothing carried over; open calls are failed or sent again by their safety. */
void client_session_renew(struct client_session *s);

/* Queues a call: the body is copied. False when calls_max is reached. `tag` comes back in its
 * event; exactly one RESULT, ERROR or FAILED event follows unless it is cancelled. */
bool client_session_call(struct client_session *s, struct slice query, enum call_safety safety,
                         void *tag);
/* The same without the copy, for parts of files: the query stays where it is until its event, or
 * until it is cancelled. */
bool client_session_call_borrowed(struct client_session *s, struct slice query,
                                  enum call_safety safety, void *tag);
/* The caller is gone: no event for this tag any more, and the call is not sent if it still waits.
 * True: it was sent, and may be executed. */
bool client_session_cancel(struct client_session *s, void *tag);
size_t client_session_open_calls(const struct client_session *s);

/* Appends frames with what waits to be sent (calls, acks, pings, resends), many in one container
 * where that is legal, until `out` holds FLUSH_BYTES: client_session_wants_flush says whether more
 * waits. Nothing to send appends nothing. Only while connected. */
enum { FLUSH_BYTES = 256 * 1024 };
void client_session_flush(struct client_session *s, struct transport *t, struct buf *out);

enum client_event_type {
    CLIENT_NONE,    /* nothing more in this frame */
    CLIENT_RESULT,  /* tag, body: the answer, gzip undone */
    CLIENT_ERROR,   /* tag, code, text: rpc_error */
    CLIENT_FAILED,  /* tag, failure: no answer will come */
    CLIENT_UPDATES, /* body: an Updates object nobody asked for */
    CLIENT_SALTS,   /* the schedule changed: client_session_salts */
    CLIENT_RENEWED, /* the server began a new session: state not carried by updates may be lost */
    CLIENT_CLOCK,   /* clock_offset_ns changed: client_session_clock_offset */
    CLIENT_BROKEN,  /* text: the link must be closed (protocol violation); then reconnect */
};
enum call_failure {
    CALL_LOST,       /* sent, session lost, not repeatable: outcome unknown */
    CALL_REFUSED,    /* the server refused the message for good (bad_msg that cannot be mended) */
    CALL_TOO_LONG,   /* never fits a frame */
    CALL_UNREADABLE, /* the answer came, but its gzip is bad or inflates past inflate_max */
};
struct client_event {
    enum client_event_type type;
    void *tag;
    struct slice body;
    int32_t code;
    struct slice text;
    enum call_failure failure;
    bool unsure; /* ERROR: to a call that went again; the first copy may have been executed */
};

/* Takes one frame (decrypted in place, so it must stay until client_session_next says NONE). False
 * when it cannot be ours: wrong key id, wrong msg_key, wrong session id: ignore, and close after
 * several. */
bool client_session_input(struct client_session *s, uint8_t *frame, size_t len)
    __attribute__((warn_unused_result));
/* The next event: of the frame, or of disconnected/renew/tick/flush. Loop until CLIENT_NONE. */
bool client_session_next(struct client_session *s, struct client_event *event);

/* When client_session_tick wants to be called, on the monotonic clock; INT64_MAX = never. */
int64_t client_session_deadline_ns(const struct client_session *s);
void client_session_tick(struct client_session *s);
/* Something waits to be flushed. */
bool client_session_wants_flush(const struct client_session *s);

const struct salt_schedule *client_session_salts(const struct client_session *s);
int64_t client_session_clock_offset(const struct client_session *s);
const struct auth_key *client_session_key(const struct client_session *s);

#endif
