/* SPDX-License-Identifier: MIT
 * Text and its entities as they come in: counted, checked, trimmed as Telegram does it. */
#ifndef TGREST_SANDBOX_ENTITIES_H
#define TGREST_SANDBOX_ENTITIES_H

#include "sandbox/handler.h"
#include "sandbox/message.h"

/* Takes white space off both ends of *text; gives the UTF-16 units taken from the front. */
uint32_t world_text_trim(struct slice *text);

/* The entities of the query's vector `field`, moved by -shift, cut to `units`, sorted, and those
 * that the text itself shows (mentions, hashtags, URLs, commands…) added, into *e. NULL when fine,
 * else the error's name. */
const char *entities_read(struct request *r, const struct tl_object *o, uint16_t field,
                          struct slice text, uint32_t shift, struct message_extra *e);

struct tl_object *build_entity(struct request *view, const struct entity *e);

#endif
