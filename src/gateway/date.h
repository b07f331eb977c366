/* SPDX-License-Identifier: MIT
 * RFC 3339 dates as people send them. */
#ifndef TGREST_GATEWAY_DATE_H
#define TGREST_GATEWAY_DATE_H

#include "base/bytes.h"

/* "2024-03-01T00:00:00Z", any offset, fractions of a second (cut off), a space for the T; without
 * an offset UTC is meant, without a time midnight; also plain unix seconds. */
bool date_parse(struct slice text, int64_t *unix_s) __attribute__((warn_unused_result));

#endif
