/* SPDX-License-Identifier: MIT
 * parse_mode and entities: how text comes in and goes out. */
#ifndef TGREST_GATEWAY_TEXT_PARAMS_H
#define TGREST_GATEWAY_TEXT_PARAMS_H

#include "gateway/resolve.h"
#include "telegram/messages.h"
#include "telegram/view.h"

/* The route's parse_mode (markdown when it was not given). */
enum text_mode text_mode_param(const struct call *c);
/* The text in parameter `name`, by `entities` where they were given, else by parse_mode. False:
 * c->error is set. */
bool text_param(struct call *c, const char *name, struct formatted_text *out)
    __attribute__((warn_unused_result));
/* Looks up who is mentioned. Must be called before a request is built with it: it suspends. Lives
 * in the arena; mentions that nobody can be found for stay plain text. NULL without mentions. */
const struct mention_resolver *resolve_mentions(struct call *c, const struct formatted_text *text);
/* A view that writes c->json with refs of this gateway. */
struct view view_of_call(struct call *c, const struct directory *directory);

#endif
