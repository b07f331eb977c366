/* SPDX-License-Identifier: MIT
 * Small configuration files, whole. */
#ifndef TGREST_GATEWAY_FILE_H
#define TGREST_GATEWAY_FILE_H

#include "base/bytes.h"

/* Appends the file's bytes. 0, or -errno; -EFBIG when it is larger than out->max. */
int file_read(const char *path, struct buf *out);

#endif
