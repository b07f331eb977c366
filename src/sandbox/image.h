/* SPDX-License-Identifier: MIT
 * What the first bytes of a file say of it. */
#ifndef TGREST_SANDBOX_IMAGE_H
#define TGREST_SANDBOX_IMAGE_H

#include "sandbox/names.h"

enum { IMAGE_HEAD_BYTES = 64 * 1024 }; /* JPEGs with large profiles have their size that far in */

/* C_storage_file… */
uint16_t storage_type(struct slice head);
/* The size in pixels of a PNG, JPEG, GIF or WebP; false for anything else. */
bool image_size(struct slice head, int32_t *width, int32_t *height);

#endif
