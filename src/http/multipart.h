/* SPDX-License-Identifier: MIT
 * multipart/form-data (RFC 7578, RFC 2046 5.1), without sockets: bytes in, events out.
 *
 * Strict in the framing (CR LF, a boundary that ends its line, a last boundary), lenient in what
 * clients really send inside of it: names with the escapes of browsers (%22 %0D %0A) and of curl
 * (\" and \\), filename*, bytes that are not UTF-8. Content-Transfer-Encoding is not looked at: RFC
 * 7578 4.7 has done away with it. Costs the same for each byte, whatever the bytes are; allocates
 * nothing. */
#ifndef TGREST_HTTP_MULTIPART_H
#define TGREST_HTTP_MULTIPART_H

#include "base/bytes.h"

enum {
    MULTIPART_BOUNDARY_MAX = 70, /* RFC 2046 5.1.1 */
    MULTIPART_HEAD_MAX = 4096,   /* bytes of a part's headers: a name, a long file name, a type */
    MULTIPART_HEADERS_MAX = 16,  /* of one part; clients send two or three */
    MULTIPART_DELIMITER_MAX = 4 + MULTIPART_BOUNDARY_MAX,
};

/* What a part says of itself. Its slices live until the next part begins. */
struct multipart_part {
    struct slice name;         /* UTF-8 */
    struct slice file_name;    /* UTF-8, as the client gave it: it may hold slashes, or anything */
    struct slice content_type; /* as sent; empty if there is none */
    int64_t length;     /* as its Content-Length says, which nothing holds it to; -1 if none */
    bool has_file_name; /* it is a file, if an unnamed one */
    bool latin1; /* a name was not UTF-8 and has been read as ISO-8859-1, which takes all bytes */
};

enum multipart_event {
    MULTIPART_MORE, /* the input is used up */
    MULTIPART_PART, /* m->part is known; its data follows */
    MULTIPART_DATA, /* a piece of it, inside the input or inside m; never empty */
    MULTIPART_PART_END,
    MULTIPART_END,    /* told again for all that follows the last boundary, which is dropped */
    MULTIPART_REFUSED /* m->reason says why; told again from here on */
};

struct multipart {
    struct multipart_part part;
    const char *reason; /* MULTIPART_REFUSED: a sentence, static */
    int state;
    bool in_part;
    size_t parts;
    size_t parts_max;
    size_t matched; /* bytes of the delimiter that the input has ended with so far */
    size_t delimiter_len;
    size_t head_len;
    size_t line_start; /* in head */
    size_t text_len;
    uint8_t delimiter[MULTIPART_DELIMITER_MAX]; /* CR LF "--" boundary */
    uint8_t head[MULTIPART_HEAD_MAX];
    uint8_t text[2 * MULTIPART_HEAD_MAX]; /* decoded names: a byte becomes two at most */
};

enum multipart_type {
    MULTIPART_TYPE_OK,
    MULTIPART_TYPE_OTHER,      /* not multipart/form-data */
    MULTIPART_TYPE_NO_BOUNDARY /* or one that RFC 2046 does not allow */
};

/* Ready for a body with that Content-Type. m is written to only if it can be. */
enum multipart_type multipart_begin(struct multipart *m, struct slice content_type,
                                    size_t parts_max);
/* Takes bytes off the front of *input until something is to be told. A body that ends before
 * MULTIPART_END is not whole. */
enum multipart_event multipart_next(struct multipart *m, struct slice *input, struct slice *data);

#endif
