/* SPDX-License-Identifier: MIT
 * Content-Disposition (RFC 6266). */
#ifndef TGREST_GATEWAY_CONTENT_DISPOSITION_H
#define TGREST_GATEWAY_CONTENT_DISPOSITION_H

#include "base/bytes.h"

enum { DISPOSITION_NAME_MAX = 255 }; /* bytes of a file name that are given on */

/* May a browser show it by itself? Pictures and films; nothing that can hold a script. */
bool mime_is_inline(struct slice mime);
/* Appends `inline` or `attachment` with the name: in ASCII, and as it is (UTF-8) where that
 * differs. What no file name should have (folders, control characters, bad UTF-8) becomes '_'. */
void content_disposition_write(struct buf *out, bool is_inline, struct slice name);

#endif
