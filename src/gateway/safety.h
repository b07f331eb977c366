/* SPDX-License-Identifier: MIT
 * Which methods may be sent again when it is not known whether they were executed. */
#ifndef TGREST_GATEWAY_SAFETY_H
#define TGREST_GATEWAY_SAFETY_H

#include "mtproto/session_client.h"
#include "tl/schema.h"

/* Reads, by their names, and methods whose random_id makes Telegram itself answer the second with
 * the first. Everything else is CALL_ONCE. */
enum call_safety method_safety(const struct tl_combinator *method);
/* Does it change nothing at all, as its name says? */
bool method_is_read(const struct tl_combinator *method);

#endif
