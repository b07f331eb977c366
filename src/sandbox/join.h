/* SPDX-License-Identifier: MIT
 * What joining by name and joining by link share. */
#ifndef TGREST_SANDBOX_JOIN_H
#define TGREST_SANDBOX_JOIN_H

#include "sandbox/handler.h"
#include "sandbox/message.h"

/* The collected updates in the shape of the layer; ends the cause. */
struct tl_value join_answer(struct request *r, struct cause *cause);
/* Notes self's request to join and tells the admins who may let in. */
void world_request_join(struct request *r, struct chat *c);

#endif
