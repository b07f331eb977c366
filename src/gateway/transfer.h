/* SPDX-License-Identifier: MIT
 * Files to and from Telegram's data centres, part by part, with several parts in flight and memory
 * bounded by that window. For handlers, on the call's coroutine. (core.telegram.org/api/files) */
#ifndef TGREST_GATEWAY_TRANSFER_H
#define TGREST_GATEWAY_TRANSFER_H

#include "gateway/call.h"

enum {
    TRANSFER_PART_BYTES = 512 * 1024,        /* the largest part that Telegram takes */
    TRANSFER_PARTS_IN_FLIGHT = 8,            /* 4 MiB a transfer: enough for 100 ms at 40 MB/s */
    SMALL_FILE_BYTES_MAX = 10 * 1024 * 1024, /* above: upload.saveBigFilePart */
};

/* ---- upload: always to the home data centre ---- */

struct upload;

/* bytes_max: the largest that it can become, -1 if not known: decides between small and big parts.
 * NULL: error set. */
struct upload *upload_begin(struct call *c, int64_t bytes_max);
/* Waits while the window is full. An account that has moved is followed (the session changes),
 * unless it moves later than the first parts were let go (503 ACCOUNT_MOVED). Parts that a flood
 * wait, a lost link or a busy server refused are sent again. False: error set (413 FILE_TOO_LARGE
 * past Telegram's limit of parts, too). */
bool upload_write(struct upload *u, struct slice bytes) __attribute__((warn_unused_result));
/* Waits for all parts. InputFile or InputFileBig, in the arena; NULL: error set. */
const struct tl_object *upload_end(struct upload *u, struct slice name);
int64_t upload_bytes(const struct upload *u);
/* 503 ACCOUNT_MOVED: what was uploaded has stayed at the account's old home. */
void upload_fail_moved(struct call *c);
/* Parts in flight are forgotten. Every upload ends with it, after upload_end too. */
void upload_free(struct upload *u);

/* ---- download ---- */

struct file_place {
    int32_t dc;
    const struct tl_object *location; /* InputFileLocation, in the arena */
    int64_t size;                     /* bytes; -1 if not known */
};

struct download;

/* Makes the place anew when its file reference has expired (asks for the message again). False:
 * error set; the download ends with it. */
typedef bool (*file_place_renew)(struct call *c, void *arg, struct file_place *place);

/* Bytes from `from` to before `to`. Connects to the place's data centre, with a key and an
 * authorization there (the session may change: before call_stream_begin), follows FILE_MIGRATE, and
 * waits for the first part, so that most errors are known before an answer begins. NULL: error set.
 */
struct download *download_begin(struct call *c, const struct file_place *place,
                                file_place_renew renew, void *arg, int64_t from, int64_t to);
/* The next bytes, in order, valid until the next call; empty at the end (which is the file's, too,
 * if its size was not known). False: error set. */
bool download_read(struct download *d, struct slice *bytes) __attribute__((warn_unused_result));
void download_free(struct download *d);

#endif
