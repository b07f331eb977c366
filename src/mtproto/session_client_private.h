/* SPDX-License-Identifier: MIT
 * The inside of a client session, shared by session_client.c (calls, time, what goes out) and
 * session_client_input.c (what comes in). */
#ifndef TGREST_MTPROTO_SESSION_CLIENT_PRIVATE_H
#define TGREST_MTPROTO_SESSION_CLIENT_PRIVATE_H

#include "base/arena.h"
#include "mtproto/id_window.h"
#include "mtproto/outbox.h"
#include "mtproto/service.h"
#include "mtproto/session_client.h"

enum {
    ATTEMPTS_MAX = 5,  /* refusals of one call; a server that refuses more will never take it */
    ACKS_MAX = 16,     /* more than these go on their own, as the documentation advises */
    ACKS_DELAY_S = 10, /* fewer wait that long for a call to travel with */
};

/* Events that carry nothing but themselves, waiting for client_session_next. */
enum client_notice {
    NOTICE_RENEWED = 1,
    NOTICE_CLOCK = 2,
    NOTICE_SALTS = 4,
};

struct client_session {
    struct sealer out;
    struct auth_key key;
    struct salt_schedule salts;
    const struct clock *clock;
    size_t calls_max;
    size_t inflate_max;
    int64_t ping_idle_ns;

    struct outbox outbox;
    struct outgoing *failed; /* calls whose FAILED event waits, in order */
    struct outgoing *failed_last;
    size_t open_calls;

    struct inbox inbox;
    struct id_window seen;
    struct msg_ids acks;
    struct arena inflated;

    /* Monotonic; 0 = not set. */
    int64_t last_in_ns;
    int64_t last_use_ns;
    int64_t ping_sent_ns;
    int64_t acks_due_ns;
    int64_t check_ns;
    int64_t salts_asked_ns;
    uint64_t ping_id;

    const char *broken;
    unsigned notices; /* enum client_notice */
    uint16_t n_stale; /* frames outside the time window, in a row */
    bool connected;
    bool inited;   /* a call with the init prefix was answered in this session id */
    bool known;    /* the server said new_session_created for this session id */
    bool relinked; /* this session id was used over an earlier link too */
    bool heard;    /* something was received over this link */
    bool stale;    /* the frame at hand lies outside the time window */
    bool acks_now;
    bool holding; /* buffers are held that an idle session gives back */

    struct slice init_prefix; /* both point behind the struct */
    struct slice call_prefix;
};

/* The server's time. */
int64_t client_now_s(const struct client_session *s);
/* The server's clock, as one of its messages shows it. */
void client_set_clock(struct client_session *s, uint64_t server_msg_id);

/* The server did not take this copy of m. In this and the next four m is in no list. */
void client_refused(struct client_session *s, struct outgoing *m);
/* Whether the server took m will never be known: by its safety it goes again or fails. */
void client_lost(struct client_session *s, struct outgoing *m);
void client_fail(struct client_session *s, struct outgoing *m, enum call_failure why);
/* To be sent again, before all others: under a new id, or under the same, by which the server knows
 * it and answers if it took an earlier copy. */
void client_send_fresh(struct client_session *s, struct outgoing *m);
void client_send_same(struct client_session *s, struct outgoing *m);
/* As if it had never been sent. */
void client_forget_id(struct outgoing *m);
/* Whether a call of unknown fate may go again; counts as an attempt. */
bool client_may_repeat(struct outgoing *m);
/* Queries of MTProto itself, which no prefix may wrap. */
bool client_is_service_query(const struct outgoing *m);
/* As client_session_renew. */
void client_renew(struct client_session *s);
void client_break(struct client_session *s, const char *why);
/* A service message of ours, queued; write the body into it. NULL without memory. */
struct outgoing *client_service(struct client_session *s, bool content);

/* The next event that the frame at hand holds; false when there is none left. */
bool client_read_event(struct client_session *s, struct client_event *event);

#endif
