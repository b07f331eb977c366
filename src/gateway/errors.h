/* SPDX-License-Identifier: MIT
 * Telegram's errors as HTTP: one table of the names that need saying, rules for the other hundreds.
 */
#ifndef TGREST_GATEWAY_ERRORS_H
#define TGREST_GATEWAY_ERRORS_H

#include "base/arena.h"
#include "gateway/call.h"

/* A Telegram error's name without its number: "FLOOD_WAIT_30" -> "FLOOD_WAIT", 30. The number is -1
 * where there is none. */
struct slice error_base(struct slice name, int64_t *number);

/* What an RPC error means for the caller. Goes by name first, for the same name comes with
 * different codes; `code` decides for names that no rule knows. Texts are static or in the arena.
 */
struct call_error error_from_telegram(struct arena *a, int code, struct slice name);

/* Seconds to wait before the same request may succeed; 0 for errors that do not ask for a wait. */
int64_t error_wait_s(struct slice name);

/* The number of a *_MIGRATE_n that moves a login (PHONE, USER, NETWORK); 0 for any other error. */
int32_t error_migrate_dc(struct slice name);

/* The parameter of the route at fault: what the error says itself, else what one of Telegram's is
 * about. NULL: none, or none that this route has. The route may be NULL. */
const char *error_field(const struct call_error *e, const struct route *r);

/* Appends the JSON body of an error answer. */
void error_body_write(struct buf *out, const struct call_error *e, const char *request_id);

#endif
