/* SPDX-License-Identifier: MIT
 * What may be a username. */
#ifndef TGREST_SANDBOX_USERNAME_H
#define TGREST_SANDBOX_USERNAME_H

#include "sandbox/world.h"

/* NULL when `peer` may take it; USERNAME_INVALID, USERNAME_OCCUPIED. */
const char *username_error(const struct world *w, int64_t peer, struct slice name);

#endif
