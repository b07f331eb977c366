/* SPDX-License-Identifier: MIT
 * HTTP/1.1 server on a libuv loop: parses, bounds, keeps alive, answers. Knows no route.
 *
 * Lifetime: an exchange is one request with its one answer. It exists from on_request until
 * http_respond (or the end of a streamed answer); the connection may vanish earlier: on_gone tells
 * so once, and http_respond is then accepted and drops the answer. Nothing is freed inside a
 * callback of its own.
 *
 * A client that sent its end (FIN) while an answer is pending may have closed, or may have finished
 * sending only (`nc -N`): the two look alike. So the answer may still be given for half_close_ms,
 * then the client counts as gone. A reset counts at once. While a client has pipelined_max bytes of
 * further requests waiting, its socket is not read, and its going is seen only when the answer is
 * written.
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
    struct slice body; /* whole; empty for none */
    bool keep_alive;
};
/* The first header of that name, case-insensitive; empty slice with NULL data if there is none. */
struct slice http_header_get(const struct http_request *r, const char *name);

struct http_callbacks {
    /* The request and its slices live until the exchange ends. Answer now or later, once. */
    void (*on_request)(void *ctx, struct http_exchange *x, const struct http_request *r);
    /* The client closed or broke before the answer; x stays valid until http_respond. */
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
/* An accepted or socketpair'd descriptor as a connection (tests; a connection that moves workers).
 * Returns 0, or a libuv error code and the descriptor stays the caller's. */
int http_server_adopt(struct http_server *s, uv_os_sock_t fd);
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
const struct http_request *http_exchange_request(const struct http_exchange *x);
bool http_exchange_gone(const struct http_exchange *x);

/* Exactly once per exchange. headers: without Content-Length, Connection, Date (the server's own);
 * everything is copied before it returns, and written to the socket at once where it fits. HEAD
 * answers send no body. After it x is gone. */
void http_respond(struct http_exchange *x, int status, const struct http_header *headers,
                  size_t n_headers, struct slice body);

#endif
