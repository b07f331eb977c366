/* SPDX-License-Identifier: MIT
 * Auth keys made inside a call. */
#ifndef TGREST_GATEWAY_NEW_KEY_H
#define TGREST_GATEWAY_NEW_KEY_H

#include "gateway/call.h"

/* Does the data centre answer the first message of a key exchange? False: error set. */
bool call_probe(struct call *c, int32_t dc) __attribute__((warn_unused_result));

#endif
