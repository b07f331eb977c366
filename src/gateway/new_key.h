/* SPDX-License-Identifier: MIT
 * Auth keys made inside a call. */
#ifndef TGREST_GATEWAY_NEW_KEY_H
#define TGREST_GATEWAY_NEW_KEY_H

#include "gateway/call.h"

struct upstream;

/* A fresh auth key on that data centre, put into *at (dc, flags, key, salts; the rest of it stays),
 * and its connection, in use by the caller until upstream_release. NULL: error set. */
struct upstream *call_new_upstream(struct call *c, int32_t dc, struct session *at);
/* Does the data centre answer the first message of a key exchange? False: error set. */
bool call_probe(struct call *c, int32_t dc) __attribute__((warn_unused_result));

#endif
