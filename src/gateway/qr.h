/* SPDX-License-Identifier: MIT
 * QR codes as pictures. */
#ifndef TGREST_GATEWAY_QR_H
#define TGREST_GATEWAY_QR_H

#include "base/bytes.h"

/* Append the code of `text` (at most a few hundred bytes) with its quiet zone. False, with nothing
 * appended, where the text is too long or without memory. */
bool qr_svg(const char *text, struct buf *out) __attribute__((warn_unused_result));
bool qr_png(const char *text, struct buf *out) __attribute__((warn_unused_result));

#endif
