/* SPDX-License-Identifier: MIT
 * Asking Telegram, for those who send over other connections than the session's main one. */
#ifndef TGREST_GATEWAY_INVOKE_H
#define TGREST_GATEWAY_INVOKE_H

#include "gateway/upstream.h"

struct call;
struct tl_object;
struct tl_value;

/* Writes the query into `out`, cleared before. False: error set. */
bool call_write_query(struct call *c, const struct tl_object *query, struct buf *out)
    __attribute__((warn_unused_result));
/* As call_invoke_value over that connection, whatever its data centre; it is not migrated. */
bool call_invoke_at(struct call *c, struct upstream *u, const struct tl_object *query,
                    struct tl_value *out) __attribute__((warn_unused_result));
/* destroy_auth_key over that connection, as well as it goes; the caller closes it then. */
void call_destroy_key_at(struct call *c, struct upstream *u);
/* Sets the error of a request that ended without an answer of Telegram. */
void call_fail_outcome(struct call *c, const struct upstream_call *rpc);
/* The auth key, or the session behind it, is gone for good. */
bool error_is_dead_key(struct slice name);
/* Telegram says that it was busy and did not execute the request. */
bool error_is_trouble(struct slice name);

#endif
