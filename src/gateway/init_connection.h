/* SPDX-License-Identifier: MIT
 * What stands in front of a query: invokeWithLayer(initConnection(invokeWithoutUpdates(…))).
 * https://core.telegram.org/api/invoking */
#ifndef TGREST_GATEWAY_INIT_CONNECTION_H
#define TGREST_GATEWAY_INIT_CONNECTION_H

#include "tl/schema.h"

/* For the first query of an MTProto session. Fails the buf when the schema lacks a wrapper. */
void init_connection_write(struct buf *out, const struct tl_schema *s, int32_t api_id);
/* For every later one. */
void without_updates_write(struct buf *out, const struct tl_schema *s);

#endif
