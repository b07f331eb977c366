/* SPDX-License-Identifier: MIT
 * Media as they come in. */
#ifndef TGREST_SANDBOX_MEDIA_H
#define TGREST_SANDBOX_MEDIA_H

#include "sandbox/handler.h"
#include "sandbox/message.h"

/* An InputMedia into e->media. NULL when fine, else the error; what was made is e's either way. */
const char *media_read(struct request *r, const struct tl_object *input, struct message_extra *e);

#endif
