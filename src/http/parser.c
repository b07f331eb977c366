/* SPDX-License-Identifier: MIT */
#include "http/parser.h"

#include <stdlib.h>

enum { HEADERS_FIRST_CAP = 16 }; /* what curl, browsers and a proxy or two send */

void request_head_init(struct request_head *head, const struct http_limits *limits)
{
    *head = (struct request_head){0};
    buf_init_secret(&head->text, limits->head_bytes_max);
}

void request_head_clear(struct request_head *head, size_t keep_bytes)
{
    buf_shrink(&head->text, keep_bytes);
    head->request = (struct http_request){0};
    head->expects_continue = head->upgrade = head->http_1_0 = false;
}

void request_head_free(struct request_head *head)
{
    buf_free(&head->text);
    free(head->headers);
    *head = (struct request_head){0};
}

struct slice http_header_get(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (slice_is_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    return (struct slice){0};
}

static int refuse(struct request_parser *p, int status, const char *reason)
{
    if (p->status == 0) {
        p->status = status;
        p->reason = reason;
    }
    return -1;
}

static int refuse_over(struct request_parser *p, int status, const char *reason, size_t limit)
{
    if (p->status == 0)
        p->limit = limit;
    return refuse(p, status, reason);
}

static int refuse_target(struct request_parser *p)
{
    return refuse_over(p, 414, "The request target has too many bytes.",
                       p->limits->target_bytes_max);
}

static int refuse_head(struct request_parser *p)
{
    return refuse_over(p, 431, "The request's headers have too many bytes.",
                       p->limits->head_bytes_max);
}

/* RFC 9110 5.6.2 */
static bool is_token_byte(uint8_t c)
{
    static const uint32_t set[8] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
    return set[c >> 5] >> (c & 31) & 1;
}

static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_byte(s.data[i]))
            return false;
    return s.len > 0;
}

/* http-parser checks a value's bytes but for the first, which may be anything (RFC 9110 5.5). */
static bool begins_well(struct slice value)
{
    return value.len == 0 || (value.data[0] > ' ' && value.data[0] != 0x7f);
}

static struct slice trim_end(struct slice s)
{
    while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* ---- what http-parser tells ---- */

static struct request_parser *owner(http_parser *machine)
{
    return machine->data;
}

static int append_text(struct request_parser *p, const char *at, size_t len)
{
    buf_append(&p->head->text, at, len);
    return p->head->text.failed ? refuse_head(p) : 0;
}

static int on_url(http_parser *machine, const char *at, size_t len)
{
    struct request_parser *p = owner(machine);
    p->head->request.target.len += len;
    if (p->head->request.target.len > p->limits->target_bytes_max)
        return refuse_target(p);
    return append_text(p, at, len);
}

static bool add_header(struct request_parser *p)
{
    struct request_head *head = p->head;
    size_t n = head->request.n_headers;
    if (n == p->limits->headers_max)
        return false;
    if (n == head->headers_cap) {
        size_t cap = n ? 2 * n : HEADERS_FIRST_CAP;
        struct http_header *grown = realloc(head->headers, cap * sizeof *grown);
        if (!grown)
            return false;
        head->headers = grown;
        head->headers_cap = cap;
    }
    head->headers[n] = (struct http_header){0};
    head->request.n_headers++;
    return true;
}

static int on_header_field(http_parser *machine, const char *at, size_t len)
{
    struct request_parser *p = owner(machine);
    if (p->head_done)
        return 0; /* trailers are read past: nothing of ours is told in them */
    if ((p->in_value || p->head->request.n_headers == 0) && !add_header(p))
        return refuse_over(p, 431, "The request has too many headers.", p->limits->headers_max);
    p->in_value = false;
    p->head->headers[p->head->request.n_headers - 1].name.len += len;
    return append_text(p, at, len);
}

static int on_header_value(http_parser *machine, const char *at, size_t len)
{
    struct request_parser *p = owner(machine);
    if (p->head_done)
        return 0;
    p->in_value = true;
    p->head->headers[p->head->request.n_headers - 1].value.len += len;
    return append_text(p, at, len);
}

/* ---- the checks of a whole head ---- */

/* Lengths become slices once the text no longer moves. */
static int locate_headers(struct request_parser *p)
{
    struct request_head *head = p->head;
    const uint8_t *at = head->text.data;
    head->request.target.data = at;
    at += head->request.target.len;
    for (size_t i = 0; i < head->request.n_headers; i++) {
        struct http_header *h = &head->headers[i];
        h->name.data = at;
        at += h->name.len;
        h->value.data = at;
        at += h->value.len;
        h->value = trim_end(h->value);
        if (!is_token(h->name) || !begins_well(h->value))
            return refuse(p, 400, "A header has a character that is not allowed.");
    }
    head->request.headers = head->headers;
    return 0;
}

/* "http://host:port/path" is as good as "/path" (RFC 9112 3.2.2). */
static struct slice without_origin(struct slice target)
{
    size_t i = 0;
    if (slice_starts_with(target, "http://"))
        i = strlen("http://");
    else if (slice_starts_with(target, "https://"))
        i = strlen("https://");
    else
        return target;
    while (i < target.len && target.data[i] != '/' && target.data[i] != '?')
        i++;
    return slice_of(target.data + i, target.len - i);
}

static int split_target(struct request_parser *p)
{
    struct http_request *r = &p->head->request;
    for (size_t i = 0; i < r->target.len; i++)
        if (r->target.data[i] <= ' ' || r->target.data[i] >= 0x7f || r->target.data[i] == '#')
            return refuse(p, 400,
                          "The request target has a character that must be percent-encoded.");
    struct slice rest = without_origin(r->target);
    const uint8_t *mark = rest.len ? memchr(rest.data, '?', rest.len) : NULL;
    r->path = mark ? slice_of(rest.data, (size_t)(mark - rest.data)) : rest;
    if (mark)
        r->query = slice_of(mark + 1, rest.len - r->path.len - 1);
    if (r->path.len == 0)
        r->path = slice_str("/");
    bool asterisk = slice_is(r->path, "*") && slice_is(r->method, "OPTIONS");
    if (r->path.data[0] != '/' && !asterisk)
        return refuse(p, 400, "The request target is neither a path nor a http URL.");
    return 0;
}

static bool is_host(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] <= ' ' || s.data[i] >= 0x7f || strchr("/?#@\\,\"<>", s.data[i]))
            return false;
    return true;
}

static int check_headers(struct request_parser *p)
{
    struct request_head *head = p->head;
    size_t hosts = 0, codings = 0;
    for (size_t i = 0; i < head->request.n_headers; i++) {
        const struct http_header *h = &head->headers[i];
        if (slice_is_nocase(h->name, "host")) {
            hosts++;
            if (!is_host(h->value))
                return refuse(p, 400, "The Host header is malformed.");
        } else if (slice_is_nocase(h->name, "transfer-encoding")) {
            codings++;
            if (codings > 1 || !slice_is_nocase(h->value, "chunked"))
                return refuse(p, 501, "The only transfer coding understood is chunked.");
        } else if (slice_is_nocase(h->name, "expect") && !head->http_1_0) {
            if (!slice_is_nocase(h->value, "100-continue"))
                return refuse(p, 417, "The only expectation understood is 100-continue.");
            head->expects_continue = true;
        }
    }
    if (hosts > 1)
        return refuse(p, 400, "The request has more than one Host header.");
    if (hosts == 0 && !head->http_1_0)
        return refuse(p, 400, "The request has no Host header.");
    if (codings > 0 && head->http_1_0)
        return refuse(p, 400, "An HTTP/1.0 request cannot have a transfer coding.");
    return 0;
}

static int on_headers_complete(http_parser *machine)
{
    struct request_parser *p = owner(machine);
    struct request_head *head = p->head;
    head->request.method = slice_str(http_method_str(machine->method));
    head->request.keep_alive = http_should_keep_alive(machine);
    head->http_1_0 = machine->http_minor == 0;
    head->upgrade = machine->upgrade;
    if (machine->method == HTTP_CONNECT)
        return refuse(p, 501, "This is not a proxy: CONNECT is not implemented.");
    if (locate_headers(p) != 0 || split_target(p) != 0 || check_headers(p) != 0)
        return -1;
    if (machine->flags & F_CHUNKED)
        head->request.body_bytes = -1;
    else if (machine->flags & F_CONTENTLENGTH)
        p->data_left = machine->content_length;
    if (p->data_left > INT64_MAX)
        return refuse_over(p, 413, "The request body has too many bytes.",
                           p->limits->body_bytes_max);
    if (p->data_left > 0)
        head->request.body_bytes = (int64_t)p->data_left;
    /* Whether to change the protocol is the server's decision: a body is read as usual. */
    machine->upgrade = 0;
    p->head_done = true;
    p->framing_bytes = 0;
    return 0;
}

static int on_chunk_header(http_parser *machine)
{
    owner(machine)->data_left = machine->content_length;
    return 0;
}

static int on_message_complete(http_parser *machine)
{
    owner(machine)->message_done = true;
    return 0;
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_message_complete = on_message_complete,
};

void request_parser_begin(struct request_parser *p, struct request_head *head,
                          const struct http_limits *limits)
{
    *p = (struct request_parser){.head = head, .limits = limits};
    http_parser_init(&p->machine, HTTP_REQUEST);
    p->machine.data = p;
}

/* ---- feeding it ---- */

static const struct {
    enum http_errno code;
    int status;
    const char *reason;
} refusals[] = {
    {HPE_HEADER_OVERFLOW, 431, "The request's headers are too large."},
    {HPE_INVALID_VERSION, 400, "The HTTP version is malformed."},
    {HPE_INVALID_CONSTANT, 400, "The request line does not end in an HTTP version."},
    {HPE_INVALID_METHOD, 400, "The request does not begin with a method."},
    {HPE_INVALID_HEADER_TOKEN, 400, "A header has a character that is not allowed."},
    {HPE_INVALID_CONTENT_LENGTH, 400, "The length of the body is malformed."},
    {HPE_UNEXPECTED_CONTENT_LENGTH, 400,
     "The request has two Content-Length headers, or one beside a transfer coding."},
    {HPE_INVALID_CHUNK_SIZE, 400, "The size of a chunk is malformed."},
    {HPE_INVALID_TRANSFER_ENCODING, 501, "The only transfer coding understood is chunked."},
};

static void refuse_by_errno(struct request_parser *p, uint8_t at)
{
    enum http_errno code = HTTP_PARSER_ERRNO(&p->machine);
    if (code == HPE_INVALID_METHOD && is_token_byte(at)) {
        refuse(p, 501, "The method is not known.");
        return;
    }
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].code == code)
            refuse(p, refusals[i].status, refusals[i].reason);
    refuse(p, 400, "The request is malformed.");
}

/* Takes n bytes off the input and through the grammar. */
static void feed(struct request_parser *p, struct slice *input, size_t n)
{
    size_t used = http_parser_execute(&p->machine, &settings, (const char *)input->data, n);
    if (HTTP_PARSER_ERRNO(&p->machine) != HPE_OK || used != n)
        refuse_by_errno(p, used < n ? input->data[used] : 0);
    input->data += n;
    input->len -= n;
}

/* The length of the piece up to the line's end, 0 if it breaks the rules of a line: ended by CR LF,
 * none of the two anywhere else, no blank at its front (a folded header), nothing in the one that
 * ends a chunk. */
static size_t line_piece(struct request_parser *p, struct slice input)
{
    if (p->after_cr) {
        p->after_cr = false;
        p->line_bytes = 0;
        return input.data[0] == '\n';
    }
    if (p->line_bytes == 0 && (input.data[0] == ' ' || input.data[0] == '\t'))
        return 0;
    if (p->after_chunk && input.data[0] != '\r')
        return 0;
    p->after_chunk = false;
    const uint8_t *lf = memchr(input.data, '\n', input.len);
    size_t n = lf ? (size_t)(lf - input.data) + 1 : input.len;
    const uint8_t *cr = memchr(input.data, '\r', n);
    size_t before_cr = cr ? (size_t)(cr - input.data) : n;
    if (before_cr != (lf ? n - 2 : n) && before_cr != (lf ? n - 2 : n - 1))
        return 0;
    p->after_cr = cr && !lf;
    p->line_bytes = lf ? 0 : p->line_bytes + n;
    return n;
}

static void check_version(struct request_parser *p)
{
    p->version_checked = true;
    if (p->machine.http_major == 0)
        refuse(p, 400, "HTTP/0.9 is not served.");
    else if (p->machine.http_major != 1)
        refuse(p, 505, "Only HTTP/1.0 and HTTP/1.1 are served.");
}

static void take_line(struct request_parser *p, struct slice *input)
{
    size_t n = line_piece(p, *input);
    if (n == 0) {
        refuse(p, 400, "A line begins with a blank, or is not ended by CR LF.");
        return;
    }
    size_t room = p->limits->head_bytes_max - p->framing_bytes;
    size_t within = n < room ? n : room;
    p->framing_bytes += within;
    if (within > 0)
        feed(p, input, within);
    if (within < n) {
        if (!p->version_checked && p->head->request.target.len > 0)
            refuse_target(p);
        else
            refuse_head(p);
        return;
    }
    if (!p->version_checked && p->line_bytes == 0 && p->head->request.target.len > 0)
        check_version(p);
}

static struct slice take_data(struct request_parser *p, struct slice *input)
{
    size_t n = input->len < p->data_left ? input->len : (size_t)p->data_left;
    struct slice data = slice_of(input->data, n);
    p->data_left -= n;
    p->after_chunk = p->data_left == 0;
    p->framing_bytes = 0;
    feed(p, input, n);
    return data;
}

enum request_event request_parser_next(struct request_parser *p, struct slice *input,
                                       struct slice *body)
{
    for (;;) {
        if (p->status != 0)
            return REQUEST_REFUSED;
        if (p->head_done && !p->head_told) {
            p->head_told = true;
            return REQUEST_HEAD;
        }
        if (p->message_done)
            return REQUEST_COMPLETE;
        if (input->len == 0)
            return REQUEST_MORE;
        if (p->data_left > 0) {
            *body = take_data(p, input);
            if (p->status == 0)
                return REQUEST_BODY;
        } else {
            take_line(p, input);
        }
    }
}
