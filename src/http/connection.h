/* SPDX-License-Identifier: MIT
 * What the files of http/ share: server.c (queues, time, listening), connection.c (reading),
 * writing.c, stream.c (bodies and answers in pieces), exchange.c and response.c. Private.
 *
 * Lifetime:
 * 1. A connection is in exactly one state, and in that state's queue, from accept until its
 *    handle is closed; it is freed in the handle's close callback, never earlier.
 * 2. An exchange belongs to one connection from the first byte of its request; when the connection
 *    goes first, the exchange lives on alone (gone) until the caller ends it.
 * 3. Nothing that the caller calls on an exchange calls it back: a connection that may go on is put
 *    into CONNECTION_READY and resumed by the loop. So it may be called from anywhere on the loop's
 *    thread, callbacks and coroutines included.
 * 4. A closing server is freed when all handles are closed and all exchanges have ended. */
#ifndef TGREST_HTTP_CONNECTION_H
#define TGREST_HTTP_CONNECTION_H

#include "http/parser.h"

enum {
    READ_BUFFER_BYTES = 64 * 1024, /* one per server: a read returns before the next begins */
    EXCHANGES_IDLE_MAX = 256,      /* pooled ones, about 2 KiB each: a burst allocates nothing */
    EXCHANGE_TEXT_KEEP = 4096,     /* of its memory a pooled exchange keeps: an ordinary head */
    EXCHANGE_BODY_KEEP = 4096,     /* and an ordinary JSON body */
    ANSWER_HEAD_MAX = 64 * 1024,   /* ours are under 8 KiB, with a session string */
    LISTENERS_MAX = 8,             /* a few addresses: IPv4, IPv6, one for metrics */
    LISTEN_BACKLOG = 1024,         /* connections made while one loop iteration runs */
    ACCEPT_AGAIN_MS = 100,         /* after a failure for want of memory */
    OVERLOAD_MAX = 64, /* connections past the bound that are told 503; more are just closed */
    LINGER_MS = 2000,  /* for the client to read an answer before its bytes are reset */
    SKIP_BYTES_MAX = 64 * 1024, /* of a body that is answered early: more ends the connection */
    LINGER_BYTES_MAX = 16 * 1024 * 1024, /* of a refused upload, dropped so that it sees why */
};

enum connection_state {
    CONNECTION_IDLE,        /* between requests */
    CONNECTION_HEAD,        /* part of a head has arrived */
    CONNECTION_BODY,        /* part of a body has arrived; the rest is waited for */
    CONNECTION_PAUSED,      /* the caller takes no more of a streamed body for now */
    CONNECTION_ANSWERING,   /* the caller works on the answer */
    CONNECTION_HALF_CLOSED, /* the same, and the client has sent its end */
    CONNECTION_STREAMING,   /* the caller works on the rest of a streamed answer */
    CONNECTION_WRITING,     /* the socket was full: something of an answer is queued */
    CONNECTION_READY,       /* the loop will go on with it: next request, body, answer, or end */
    CONNECTION_LINGERING,   /* our end is sent; reading until the client's */
    CONNECTION_CLOSING,     /* the handle is being closed */
    CONNECTION_STATES
};

struct connection {
    uv_tcp_t tcp; /* first: the handle is the connection */
    struct http_server *server;
    struct connection *prev, *next; /* in the queue of its state */
    uint64_t deadline;              /* loop time, ms; 0 for none */
    struct http_exchange *exchange; /* NULL between requests */
    struct buf pending;             /* bytes of further requests, or of a paused body */
    size_t pending_used;            /* of them are parsed */
    uint64_t queued;                /* bytes that the socket did not take at once, ever */
    uint64_t flushed;               /* WRITING: of those, gone out at the last look */
    size_t skip;                    /* bytes of an answered request's body, still to come */
    size_t dropped;                 /* bytes behind the last request */
    enum connection_state state;
    bool reading;
    bool eof;         /* the client has sent its end */
    bool close_after; /* the answer being written is the last */
    bool broken;      /* a write failed: to be closed by the loop */
};

/* An answer that is given in pieces. */
struct answer_stream {
    int64_t left; /* promised and not written yet; -1 if no length was */
    size_t turn;  /* written since the caller last waited */
    bool begun;
    bool chunked;
    bool bodiless; /* HEAD, 204, 304: what is written is dropped */
    bool full;     /* the caller waits for on_writable */
};

struct http_exchange {
    struct http_server *server;
    struct connection *connection; /* NULL once gone, */
    struct http_exchange *next;    /* or while pooled: the next pooled one */
    void *data;
    struct request_head head;
    struct request_parser parser;
    struct buf body;
    bool told; /* on_request has been called: the caller ends it */
    struct answer_stream answer;
};

struct connection_queue {
    struct connection *first, *last;
};

struct http_server {
    uv_loop_t *loop;
    struct http_limits limits;
    struct http_callbacks callbacks;
    struct clock clock;
    struct log log;
    struct http_counters counters;

    uv_tcp_t *listeners[LISTENERS_MAX];
    size_t n_listeners;
    uv_timer_t timer; /* fires at the earliest deadline of all queues, or earlier */
    uint64_t timer_due;
    uint64_t accept_due; /* when to accept again what there was no memory for; 0: nothing */
    uv_idle_t resumer;   /* active while a connection is READY */
    struct connection_queue queues[CONNECTION_STATES];
    uint64_t timeouts[CONNECTION_STATES]; /* ms, one a state: so each queue is in deadline order */

    struct http_exchange *pool;
    size_t pooled;
    size_t exchanges_open;

    struct buf answer_head; /* of the answer being written */
    struct buf error_body;
    int64_t date_s;
    char date[32]; /* of date_s, as the Date header wants it */

    bool draining;
    bool closing;
    size_t handles; /* not yet closed */
    void (*on_closed)(void *ctx);
    void *on_closed_ctx;
    char read_buffer[READ_BUFFER_BYTES];
};

/* server.c */
/* Into the queue of that state, with a fresh deadline. */
void connection_enter(struct connection *c, enum connection_state state);
/* Every handle's close callback ends here. */
void server_handle_closed(struct http_server *s);
/* Starts the end of a closing server once its last exchange has ended. */
void server_exchange_ended(struct http_server *s);

/* connection.c */
struct connection *connection_new(struct http_server *s);
/* Begins to read, or says 503 if there are too many. The handle is open. */
void connection_start(struct connection *c);
void http_connection_close(struct connection *c);
/* The same with a reset, so that the client does not take what it has for the whole. */
void connection_reset(struct connection *c);
/* Reads on if the state has use for it, so that a client that goes is seen. */
void connection_read_on(struct connection *c);
void connection_stop_reading(struct connection *c);
void connection_resume(struct connection *c);
void connection_timed_out(struct connection *c);

/* writing.c */
enum { WRITE_PARTS_MAX = 3 };
/* Writes at once what the socket takes and queues a copy of the rest. False: the connection is
 * broken, or there is no memory. */
bool connection_write(struct connection *c, const struct slice *parts, size_t n);
size_t connection_write_left(const struct connection *c);
/* Waits until what is queued has left, within the time for writing. */
void connection_enter_writing(struct connection *c);
/* All of an answer is written or queued: lingers, or turns to the next request, in its time. */
void connection_answered(struct connection *c);
/* A whole answer. */
void connection_send(struct connection *c, struct slice head, struct slice body, bool close_after);
/* The server's own answer, the connection's last. An exchange that the caller knows is gone.
 * limit: the bound that was passed, 0 for none. */
void http_connection_refuse(struct connection *c, int status, const char *reason, size_t limit);
void connection_write_timed_out(struct connection *c);

/* stream.c */
/* Lets the caller write on if it waits. */
void stream_writable(struct http_exchange *x);

/* exchange.c */
/* NULL without memory. */
struct http_exchange *exchange_new(struct http_server *s);
/* From here on neither knows the other: the exchange is gone, or answered. */
void exchange_detach(struct http_exchange *x);
/* Bytes of its body that are still to come and to be passed over; SIZE_MAX: nobody knows. */
size_t exchange_body_left(const struct http_exchange *x);
/* Must the connection end with this exchange's answer? */
bool exchange_is_last(const struct http_exchange *x);
/* Has an answer of that status no body, whatever is written? */
bool exchange_is_bodiless(const struct http_exchange *x, int status);
/* Back to the pool. Ends the exchange for the server, too. */
void exchange_end(struct http_exchange *x);
void exchange_free_pool(struct http_server *s);

/* response.c */
enum body_framing { BODY_CHUNKED = -1, BODY_UNTIL_END = -2 };
/* The status line and headers of an answer, in s->answer_head; body_bytes is what Content-Length
 * says, or a body_framing. Headers that would break the framing are left out. */
struct slice response_head(struct http_server *s, int status, const struct http_header *headers,
                           size_t n_headers, int64_t body_bytes, const char *connection);

#endif
