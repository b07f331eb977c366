/* SPDX-License-Identifier: MIT
 * What the build_*.c files share, and entities as they come in. */
#ifndef TGREST_SANDBOX_BUILD_PARTS_H
#define TGREST_SANDBOX_BUILD_PARTS_H

#include "sandbox/handler.h"
#include "sandbox/message.h"

struct tl_object *build_media(struct request *view, const struct media *m);
struct tl_vector *build_entities(struct request *view, struct tl_object *o, uint16_t field,
                                 const struct message_extra *e);

#endif
