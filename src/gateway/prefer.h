/* SPDX-License-Identifier: MIT
 * What a client prefers (RFC 7240). */
#ifndef TGREST_GATEWAY_PREFER_H
#define TGREST_GATEWAY_PREFER_H

#include "http/server.h"

enum { PREFER_NO_WAIT = -1 };

/* `Prefer: wait=N`: seconds, as sent; PREFER_NO_WAIT where none is given, or none that is a number.
 * Of several the first counts. */
int64_t prefer_wait_s(const struct http_request *request);

#endif
