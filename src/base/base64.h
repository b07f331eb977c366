/* SPDX-License-Identifier: MIT
 * Base64 by table: opening a session string spends its time here or nowhere. */
#ifndef TGREST_BASE_BASE64_H
#define TGREST_BASE_BASE64_H

#include "base/bytes.h"

/* Bytes that n characters can decode to, at most. A macro, for it sizes arrays. */
#define BASE64_DECODED_MAX(n) ((size_t)(n) / 4 * 3 + 3)

/* Decodes the standard or the url-safe alphabet, with or without padding, into out (room for
 * BASE64_DECODED_MAX(text.len)). Strict: no white space, no bits left over, no padding in the
 * middle. */
bool base64_decode(struct slice text, uint8_t *out, size_t *out_len)
    __attribute__((warn_unused_result));
/* Appends: url-safe without padding, or standard with. */
void base64url_encode(struct slice bytes, struct buf *out);
void base64_encode(struct slice bytes, struct buf *out);

#endif
