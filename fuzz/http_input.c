/* SPDX-License-Identifier: MIT
 * Any bytes into the request parser: whole and in pieces it must tell the same, within its bounds.
 */
#include <stdlib.h>

#include "http/parser.h"

enum { REQUESTS_MAX = 64 };

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_head(const struct request_head *head, const struct http_limits *limits)
{
    const struct http_request *r = &head->request;
    check(r->target.len > 0 && r->target.len <= limits->target_bytes_max);
    check(r->path.len > 0 && r->n_headers <= limits->headers_max);
    check(head->text.len <= limits->head_bytes_max && r->body_bytes >= -1);
    for (size_t i = 0; i < r->target.len; i++)
        check(r->target.data[i] > ' ' && r->target.data[i] < 0x7f);
    for (size_t i = 0; i < r->n_headers; i++) {
        struct slice name = r->headers[i].name, value = r->headers[i].value;
        check(name.len > 0 && !memchr(name.data, ' ', name.len));
        for (size_t k = 0; k < value.len; k++)
            check(value.data[k] >= ' ' || value.data[k] == '\t');
    }
}

/* What was told, in a form that does not depend on where body pieces were cut. */
static void tell(struct buf *log, enum request_event event, const struct request_parser *p,
                 struct slice piece)
{
    const struct http_request *r = &p->head->request;
    if (event == REQUEST_BODY) {
        buf_append(log, piece.data, piece.len);
    } else if (event == REQUEST_HEAD) {
        check_head(p->head, p->limits);
        buf_append(log, r->method.data, r->method.len);
        buf_append(log, p->head->text.data, p->head->text.len);
        buf_printf(log, "|%lld %d|", (long long)r->body_bytes, r->keep_alive);
    } else if (event == REQUEST_REFUSED) {
        check(p->status >= 400 && p->status < 600 && p->reason);
        buf_append_str(log, "|refused|"); /* of two faults in one line either may be named */
    } else if (event == REQUEST_COMPLETE) {
        buf_append_str(log, "|.|");
    }
}

static void run(const uint8_t *data, size_t size, size_t step, const struct http_limits *limits,
                struct buf *log)
{
    struct request_head head;
    struct request_parser parser;
    request_head_init(&head, limits);
    request_parser_begin(&parser, &head, limits);
    size_t requests = 0;
    enum request_event event = REQUEST_MORE;
    for (size_t at = 0; at < size && event != REQUEST_REFUSED && requests < REQUESTS_MAX;
         at += step) {
        struct slice input = slice_of(data + at, size - at < step ? size - at : step);
        do {
            struct slice piece = {0};
            event = request_parser_next(&parser, &input, &piece);
            tell(log, event, &parser, piece);
            check(event != REQUEST_MORE || input.len == 0);
            if (event == REQUEST_COMPLETE) {
                request_head_clear(&head, 0);
                request_parser_begin(&parser, &head, limits);
                requests++;
            }
        } while (event != REQUEST_MORE && event != REQUEST_REFUSED && requests < REQUESTS_MAX);
    }
    request_head_free(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_limits limits = http_limits_default();
    limits.head_bytes_max = 512;
    limits.target_bytes_max = 64;
    limits.headers_max = 8;
    struct buf whole, pieces;
    buf_init(&whole, 0);
    buf_init(&pieces, 0);
    run(data, size, size + 1, &limits, &whole);
    run(data, size, size ? 1 + data[size / 2] % 7 : 1, &limits, &pieces);
    check(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    buf_free(&whole);
    buf_free(&pieces);
    return 0;
}
