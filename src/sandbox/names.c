/* SPDX-License-Identifier: MIT
 * The texts of names.h, in the order of its symbols. */
#include "sandbox/names.h"

#define X(name) #name,
static const char *const combinators[] = {CORE_COMBINATORS(X) WORLD_COMBINATORS(X)};
static const char *const fields[] = {CORE_FIELDS(X) WORLD_FIELDS(X)};
#undef X

const struct tl_names sandbox_names = {combinators, COMBINATORS_N, fields, FIELDS_N};
