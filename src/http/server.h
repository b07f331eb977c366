/* SPDX-License-Identifier: MIT
 * HTTP/1.1 server on a libuv loop: parses, bounds, keeps alive, answers. Knows no route.
 *
 * Lifetime: an exchange is one request with its one answer. It exists from on_request until
 * http_respond or http_stream_end; the connection may vanish earlier: on_gone tells so once, and
 * either of them then ends the exchange and drops the answer. No function of an exchange calls back
 * before it returns.
 *
 * A client that sent its end (FIN) while an answer is pending may have closed, or may have finished
 * sending only (`nc -N`): the two look alike. So the answer may still be given, or begun, for
 * half_close_ms, then the client counts as gone; a streamed answer goes on for as long as it is
 * read. A reset counts at once. While a client has pipelined_max bytes of further requests waiting,
 * its socket is not read, and its going is seen only when the answer is written.
 *
 * One thread: everything is called on the loop's. The process must ignore SIGPIPE. */
#ifndef TGREST_HTTP_SERVER_H
#define TGREST_HTTP_SERVER_H

#include <uv.h>

#include "base/clock.h"
#include "base/log.h"

struct http_server;
struct http_exchange;

struct http_limits { /* times of 0: no such timeout */
    size_t connections_max;
    size_t head_bytes_max;    /* request line and headers: 431 */
    size_t target_bytes_max;  /* 414 */
    size_t headers_max;       /* count: 431 */
    size_t body_bytes_max;    /* buffered bodies: 413 */
    int64_t head_timeout_ms;  /* first byte to end of headers: 408 */
    int64_t body_timeout_ms;  /* without progress: 408 */
    int64_t idle_timeout_ms;  /* keep-alive between requests: closed */
    int64_t write_timeout_ms; /* a client that does not read: closed */
    int64_t half_close_ms;    /* answer pending, client's end seen: gone after that */
    size_t pipelined_max;     /* bytes of further requests read while one is being answered */
    size_t stream_high_bytes; /* of a streamed answer queued for the socket: write no more */
    size_t stream_low_bytes;  /* write on */
    size_t stream_turn_bytes; /* written to one client in one turn of the loop: others wait */
};
struct http_limits http_limits_default(void);

struct http_header {
    struct slice name;
    struct slice value;
};

struct http_request {
    struct slice method; /* "GET" */
    struct slice target; /* as sent */
    struct slice path;   /* before '?', not decoded */
    struct slice query;  /* after '?', not decoded */
    const struct http_header *headers;
    size_t n_headers;
    struct slice body;  /* whole; empty for none, and for a body that is streamed */
    int64_t body_bytes; /* as announced; -1 if chunked */
    bool streamed;      /* the body follows in pieces: on_body */
    bool keep_alive;
};
/* The first header of that name, case-insensitive; empty slice with NULL data if there is none. */
struct slice http_header_get(const struct http_request *r, const char *name);

struct http_callbacks {
    /* A head with a body has arrived: is the body to be streamed? Then on_request follows at once
     * (r->streamed), and body_bytes_max does not hold. NULL: never. */
    bool (*wants_stream)(void *ctx, const struct http_request *r);
    /* The request and its slices live until the exchange ends. Answer now or later, once. */
    void (*on_request)(void *ctx, struct http_exchange *x, const struct http_request *r);
    /* A piece of a streamed body, valid until it returns; never while paused, never after the
     * answer has begun: what is left of the body is then dropped; where that is much, not known, or
     * not asked for yet (Expect), the connection ends with the answer. `end` comes once, with an
     * empty or the last piece. A body that breaks off ends with on_gone; one that breaks the
     * grammar or body_timeout_ms too, and the server itself refuses it (400, 408). `Expect:
     * 100-continue` is answered when the first piece is due, that is not before on_request has
     * returned without an answer and without a pause. */
    void (*on_body)(void *ctx, struct http_exchange *x, struct slice piece, bool end);
    /* A streamed answer, after http_stream_write said no: write on. */
    void (*on_writable)(void *ctx, struct http_exchange *x);
    /* The client closed or broke before the end of the answer; x stays valid until http_respond or
     * http_stream_end. */
    void (*on_gone)(void *ctx, struct http_exchange *x);
    /* The server itself refuses a request (malformed, too large, too slow, overloaded): the body of
     * its answer, so that every error has the caller's shape (JSON), and one header more if *header
     * is set (to slices that live until the next call). `what` is a sentence for people, with the
     * limit where one was passed. status: 400, 408, 413, 414, 417, 431, 501, 503, 505. */
    void (*error_body)(void *ctx, int status, const char *what, struct buf *body,
                       struct http_header *header);
    void *ctx;
};

/* Per-server counters, read by metrics. */
struct http_counters {
    uint64_t connections_accepted;
    uint64_t connections_open;
    uint64_t requests;
    uint64_t refused; /* answered by the server itself */
    uint64_t bytes_in;
    uint64_t bytes_out;
};

struct http_server *http_server_new(uv_loop_t *loop, const struct http_limits *limits,
                                    const struct http_callbacks *callbacks,
                                    const struct clock *clock, const struct log *log);
/* "127.0.0.1:8000", "[::1]:0"; reuse_port for several workers on one address. On success *port is
 * the bound port. Returns 0 or a libuv error code. May be called several times. */
int http_server_listen(struct http_server *s, const char *address, bool reuse_port, int *port);
/* An accepted or socketpair'd descriptor as a connection (tests; a connection that moves between
 * servers). `bytes` are as if read from it, and are parsed at once: on_request may be called before
 * this returns. Returns 0, or a libuv error code and the descriptor stays the caller's. */
int http_server_adopt(struct http_server *s, uv_os_sock_t fd, struct slice bytes);
/* Stops accepting; idle connections close; each open exchange's answer carries Connection: close.
 * Clients that keep their end open after that are waited for at most 2 s. */
void http_server_drain(struct http_server *s);
bool http_server_idle(const struct http_server *s); /* no connection left */
/* Closes everything; on_gone is called for each open exchange, here. on_closed is called when every
 * exchange has been answered and the loop no longer knows the server, which frees itself. */
void http_server_close(struct http_server *s, void (*on_closed)(void *ctx), void *ctx);
const struct http_counters *http_server_counters(const struct http_server *s);

/* ctx pointer for the owner of the exchange. */
void http_exchange_set_data(struct http_exchange *x, void *data);
void *http_exchange_data(const struct http_exchange *x);
/* As on_request was given it. */
const struct http_request *http_exchange_request(const struct http_exchange *x);
/* Is its connection gone (on_gone has told so), its answer for nobody? */
bool http_exchange_gone(const struct http_exchange *x);

/* Takes the connection away from its server, for http_server_adopt of another: *fd is it, and bytes
 * gets the request written out once more and what was read behind its head. After it x is gone. Not
 * inside on_request; a streamed body must have been paused there, an answer not begun. False
 * without descriptors or memory, or when x is gone: nothing has happened, it is to be answered. */
bool http_exchange_detach(struct http_exchange *x, uv_os_sock_t *fd, struct buf *bytes);

/* A streamed body's flow: paused, the socket is not read (and a client that leaves is seen only
 * once it is resumed, or the answer is written); body_timeout_ms does not run meanwhile. Neither
 * calls back before it returns. Nothing happens on one that is gone. */
void http_body_pause(struct http_exchange *x);
void http_body_resume(struct http_exchange *x);

/* A streamed answer, in place of http_respond: the head goes out at once. body_bytes is what
 * Content-Length says; -1: chunked (HTTP/1.0: until the end of the connection). HEAD and 304 send
 * no body, whatever is written. */
void http_stream_begin(struct http_exchange *x, int status, const struct http_header *headers,
                       size_t n_headers, int64_t body_bytes);
/* Writes at once what the socket takes and queues a copy of the rest. False: more than
 * stream_high_bytes are queued (or the client is gone): wait for on_writable (or on_gone). So a
 * slow client costs at most those and one piece. Bytes past those promised are dropped and logged.
 */
bool http_stream_write(struct http_exchange *x, struct slice bytes);
/* After it x is gone. complete false, or fewer bytes than promised: the connection is reset, so
 * that the client does not take a part for the whole. */
void http_stream_end(struct http_exchange *x, bool complete);

/* Exactly once per exchange, unless its answer is streamed. headers: without Content-Length,
 * Connection, Date (the server's own); everything is copied before it returns, and written to the
 * socket at once where it fits. HEAD answers send no body. After it x is gone. */
void http_respond(struct http_exchange *x, int status, const struct http_header *headers,
                  size_t n_headers, struct slice body);

#endif
