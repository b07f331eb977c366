/* SPDX-License-Identifier: MIT
 * Where the data centres listen. */
#ifndef TGREST_SANDBOX_LISTENERS_H
#define TGREST_SANDBOX_LISTENERS_H

#include "sandbox/state.h"

/* Opens all that config names; false with `error`. What is open by then stays, for listeners_close.
 */
bool listeners_open(struct sandbox *s, const struct sandbox_config *config, char *error,
                    size_t error_size);
void listeners_close(struct sandbox *s);
/* Its address without the port. False when size is too small. */
bool listener_text(const struct listener *l, char *out, size_t size);
/* config.dc_options: all of them, as this request's client reaches them. */
void build_dc_options(struct request *r, struct tl_object *config);

#endif
