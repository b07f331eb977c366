/* SPDX-License-Identifier: MIT
 * Asking Telegram, for those who send over other connections than the session's main one. */
#ifndef TGREST_GATEWAY_INVOKE_H
#define TGREST_GATEWAY_INVOKE_H

#include "gateway/upstream.h"

struct call;

/* Writes the query into `out`, cleared before. False: error set. */
bool call_write_query(struct call *c, const struct tl_object *query, struct buf *out)
    __attribute__((warn_unused_result));
/* Sets the error of a request that ended without an answer of Telegram. */
void call_fail_outcome(struct call *c, const struct upstream_call *rpc);
/* Telegram says that it was busy and did not execute the request. */
bool error_is_trouble(struct slice name);

#endif
