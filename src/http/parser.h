/* SPDX-License-Identifier: MIT
 * HTTP/1.x requests from bytes, without sockets: bytes in, events out.
 *
 * http-parser does the grammar. The library is usually built lenient (Debian's is: bare line feeds,
 * folded headers, spaces in names and any two bytes after a chunk pass), so this wrapper cuts its
 * input into lines and data itself and hands on only what RFC 9112 allows a sender. */
#ifndef TGREST_HTTP_PARSER_H
#define TGREST_HTTP_PARSER_H

#include <http_parser.h>

#include "http/server.h"

/* What stands before the body. Reused from request to request. */
struct request_head {
    struct http_request request; /* its slices point into text; valid from REQUEST_HEAD on */
    bool expects_continue;       /* the client waits for 100 before it sends the body */
    bool upgrade;                /* it asks for another protocol, see its Upgrade header */
    bool http_1_0;
    struct buf text; /* target, then name and value of each header, with nothing between */
    struct http_header *headers;
    size_t headers_cap;
};
void request_head_init(struct request_head *head, const struct http_limits *limits);
/* Ready for another request; keeps at most keep_bytes of text. */
void request_head_clear(struct request_head *head, size_t keep_bytes);
void request_head_free(struct request_head *head);

enum request_event {
    REQUEST_MORE,     /* the input is used up */
    REQUEST_HEAD,     /* head->request is complete but for its body */
    REQUEST_BODY,     /* a piece of the body, inside the input */
    REQUEST_COMPLETE, /* the rest of the input belongs to the next request */
    REQUEST_REFUSED   /* status and reason say why; the connection can only be closed */
};

struct request_parser {
    http_parser machine;
    struct request_head *head;
    const struct http_limits *limits;
    uint64_t data_left;   /* body bytes before the next line or the end */
    size_t framing_bytes; /* of head, chunk lines or trailers since body bytes were last seen */
    size_t line_bytes;
    bool after_cr;
    bool after_chunk; /* the line that ends a chunk's data comes next */
    bool in_value;    /* the last piece of a header was of its value */
    bool version_checked;
    bool head_done;
    bool head_told;
    bool message_done;
    int status;         /* REQUEST_REFUSED: 4xx or 5xx */
    const char *reason; /* a sentence, static */
    size_t limit;       /* the bound that was passed, 0 if it is not about one */
};

/* For one request: begin again for the next. The parser must not move while in use; head and limits
 * must outlive it. */
void request_parser_begin(struct request_parser *p, struct request_head *head,
                          const struct http_limits *limits);
/* Takes bytes off the front of *input until something is to be told. */
enum request_event request_parser_next(struct request_parser *p, struct slice *input,
                                       struct slice *body);

#endif
