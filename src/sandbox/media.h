/* SPDX-License-Identifier: MIT
 * Media as they come in. */
#ifndef TGREST_SANDBOX_MEDIA_H
#define TGREST_SANDBOX_MEDIA_H

#include "sandbox/handler.h"
#include "sandbox/message.h"

/* An InputMedia into e->media. NULL when fine, else the error; what was made is e's either way. */
const char *media_read(struct request *r, const struct tl_object *input, struct message_extra *e);

/* Kinds of the same number go together in an album; 0: stands alone. */
int album_kind(const struct media *m);

#endif
