/* SPDX-License-Identifier: MIT
 * Pictures to show: PNGs of coloured squares. */
#ifndef TGREST_SANDBOX_PNG_H
#define TGREST_SANDBOX_PNG_H

#include "base/bytes.h"

/* Appends a PNG of width x height, 12 squares across; `tone` picks the colours. On failure
 * out->failed. */
void png_write(struct buf *out, uint32_t width, uint32_t height, uint32_t tone);

#endif
