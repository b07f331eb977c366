/* SPDX-License-Identifier: MIT
 * A file of Telegram's as an HTTP answer: what the client has already, which part it wants, then
 * the bytes as they come. */
#ifndef TGREST_GATEWAY_FILE_ANSWER_H
#define TGREST_GATEWAY_FILE_ANSWER_H

#include "gateway/transfer.h"

struct file_answer {
    struct file_place place; /* location NULL: `bytes` are the file; size known */
    struct slice bytes;
    struct slice etag;   /* strong, with its quotes */
    int64_t modified;    /* unix seconds; 0 = not known */
    struct slice mime;   /* sane */
    struct slice name;   /* as its sender wrote it; may be empty */
    const char *caching; /* Cache-Control */
    file_place_renew renew;
    void *arg;
};

/* Headers that the routes of files take, as parameters. */
#define FILE_HEADER_RANGE             "Range"
#define FILE_HEADER_IF_RANGE          "If-Range"
#define FILE_HEADER_IF_NONE_MATCH     "If-None-Match"
#define FILE_HEADER_IF_MODIFIED_SINCE "If-Modified-Since"

/* Answers 304 where the client has this very file; else false, and nothing has happened. Needs
 * etag, modified, mime and caching alone. */
bool file_answer_unchanged(struct call *c, const struct file_answer *f);
/* 200, 206, 304 or 416, whole; or the error is set. */
void file_answer_send(struct call *c, const struct file_answer *f);

#endif
