/* SPDX-License-Identifier: MIT
 * The headers of one part of a form (private to multipart.c), and parameters in headers. */
#ifndef TGREST_HTTP_MULTIPART_HEAD_H
#define TGREST_HTTP_MULTIPART_HEAD_H

#include "http/multipart.h"

/* m->part from the headers in m->head, each ended by CR LF, and their empty line. NULL, or what is
 * wrong. */
const char *multipart_read_head(struct multipart *m);

/* Of a header like `form-data; name="a"; x=y`. */
struct header_parameter {
    struct slice name;  /* "name" */
    struct slice value; /* without its quotes, with its escapes */
    bool quoted;
};

/* Takes what stands before the first parameter off the front, trimmed. */
struct slice header_first_word(struct slice *rest);
/* Takes the next parameter off the front; empty ones (`;;`) are passed over. False: there is none,
 * or something else stands there (then *rest is not empty); *p is empty. */
bool header_parameter_next(struct slice *rest, struct header_parameter *p);

#endif
