/* SPDX-License-Identifier: MIT
 * Parts of a message as TL, for the build_*.c files and for answers that hold a message's parts. */
#ifndef TGREST_SANDBOX_BUILD_PARTS_H
#define TGREST_SANDBOX_BUILD_PARTS_H

#include "sandbox/handler.h"
#include "sandbox/message.h"

struct tl_object *build_media(struct request *view, const struct media *m);
struct tl_vector *build_entities(struct request *view, struct tl_object *o, uint16_t field,
                                 const struct message_extra *e);

#endif
