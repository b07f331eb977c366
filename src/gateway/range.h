/* SPDX-License-Identifier: MIT
 * Parts of files and files that the client has already (RFC 9110, 13 and 14). */
#ifndef TGREST_GATEWAY_RANGE_H
#define TGREST_GATEWAY_RANGE_H

#include "base/bytes.h"

enum range_status {
    RANGE_WHOLE,         /* none was asked for, or what may be ignored: several, malformed */
    RANGE_PART,          /* one, which is there */
    RANGE_UNSATISFIABLE, /* 416 */
};

/* Bytes from `from` to before `to`. */
struct byte_range {
    int64_t from;
    int64_t to;
};

/* A Range header (empty = none) for a file of that size; *out is the whole for RANGE_WHOLE. */
enum range_status range_parse(struct slice header, int64_t size, struct byte_range *out);

/* If-None-Match: "*", or the tag among others, weak or strong. */
bool etag_listed(struct slice header, struct slice etag);
/* If-Range: the same strong tag, or the very date of Last-Modified. */
bool if_range_holds(struct slice header, struct slice etag, int64_t modified);

enum { HTTP_DATE_SIZE = 30 }; /* with its NUL */
/* "Sun, 06 Nov 1994 08:49:37 GMT" */
void http_date_write(int64_t unix_s, char out[static HTTP_DATE_SIZE]);
/* Any of the three forms of RFC 9110 5.6.7; false for all else. */
bool http_date_parse(struct slice text, int64_t *unix_s);

#endif
