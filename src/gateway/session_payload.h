/* SPDX-License-Identifier: MIT
 * A session as the bytes that are sealed in its string. */
#ifndef TGREST_GATEWAY_SESSION_PAYLOAD_H
#define TGREST_GATEWAY_SESSION_PAYLOAD_H

#include "gateway/session.h"

/* The largest session: all extra keys, the longest scope; and the string fits into 4 KiB. */
enum { SESSION_PAYLOAD_MAX = 2560 };

/* Returns how many bytes it took. */
size_t session_payload_write(const struct session *s, uint8_t out[static SESSION_PAYLOAD_MAX]);
/* Into *out, which is all zeroes before. False where it is not of a version that is known here. */
bool session_payload_read(struct slice payload, struct session *out)
    __attribute__((warn_unused_result));

#endif
