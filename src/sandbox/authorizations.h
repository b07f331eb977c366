/* SPDX-License-Identifier: MIT
 * Where an account is logged in, as its owner sees it. */
#ifndef TGREST_SANDBOX_AUTHORIZATIONS_H
#define TGREST_SANDBOX_AUTHORIZATIONS_H

#include "sandbox/state.h"

/* authorization#… of that key; its hash is 0 where it is the one that asks. */
struct tl_object *build_authorization(struct request *r, const struct authorization *a);

#endif
