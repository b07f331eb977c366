/* SPDX-License-Identifier: MIT
 * The multipart/form-data body of a call, read as it arrives. Text fields go into c->params by the
 * route's table, in whatever order they come, as a query's values do (so entities is JSON text);
 * files (PARAM_FILE in the table) are given to the handler piece by piece. As in JSON bodies,
 * fields that the table does not name are passed over; but not files, which are a client's mistake.
 */
#ifndef TGREST_GATEWAY_FORM_H
#define TGREST_GATEWAY_FORM_H

#include "gateway/call.h"

enum {
    FORM_FIELD_BYTES_MAX = 256 * 1024, /* of one text field: a text of 32,768 characters fits */
    FORM_PARTS_MAX = 64,           /* parts of one form: ours have 24 names at most, and files */
    FORM_FILE_NAME_MAX = 255,      /* bytes, as file systems take them: longer ones are cut */
    FORM_EPILOGUE_MAX = 64 * 1024, /* bytes behind the form, which say nothing */
    FORM_SLACK = 1024 * 1024, /* of a form but its file: the longest text, its entities, a thumb */
};

struct form;

/* A part of a field that the table says is a file, with a file name or without one. Not the one
 * that browsers send where no file was chosen: no name, no bytes. Lives in the arena. */
struct form_file {
    struct slice field;        /* "file", "thumb": the parameter's name */
    struct slice name;         /* UTF-8, without folders; empty if the client gave none */
    struct slice content_type; /* as sent; empty if none */
    int64_t length;            /* as the part's Content-Length promises, unproved; -1 if none */
};

/* NULL: error set (415 where the body is no form, 400 where the boundary is missing). */
struct form *form_new(struct call *c);
/* Goes on to the next file, past what was not read of the last one; its parameter is present from
 * here on, as are those of the text fields before it. At the end of the form *file is NULL, and all
 * parameters have been checked: required ones are there, defaults are filled in. False: error set.
 */
bool form_next_file(struct form *f, struct form_file **file) __attribute__((warn_unused_result));
/* The next piece of the file, valid until the next call of any form function; empty at its end. */
bool form_read(struct form *f, struct slice *piece) __attribute__((warn_unused_result));
/* What its files have in all, by Content-Length: at least so many bytes, and FORM_SLACK more at
 * most. Known before a byte of the body is; -1 for a chunked one. */
int64_t form_files_bytes(const struct form *f);
/* The largest that the file can still become: what Content-Length leaves; -1 for a chunked body. */
int64_t form_bytes_left(const struct form *f);

#endif
