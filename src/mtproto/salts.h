/* SPDX-License-Identifier: MIT
 * Which salt of a schedule to use.
 * https://core.telegram.org/mtproto/service_messages#request-for-several-future-salts */
#ifndef TGREST_MTPROTO_SALTS_H
#define TGREST_MTPROTO_SALTS_H

#include "mtproto/session_client.h"

/* The span that is valid at now_s and farthest from both its ends, so that clocks may differ a
 * little; NULL when none is valid. */
const struct salt_span *salts_pick(const struct salt_schedule *s, int64_t now_s);
/* Whether that salt is valid at now_s. */
bool salts_accept(const struct salt_schedule *s, uint64_t salt, int64_t now_s);
/* Seconds from now_s until the last span ends; 0 when it has. */
int64_t salts_left_s(const struct salt_schedule *s, int64_t now_s);

#endif
