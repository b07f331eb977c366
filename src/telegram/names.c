/* SPDX-License-Identifier: MIT
 * The names as text, in the order of the symbols. */
#include "telegram/names.h"

static const char *const combinators[] = {
#define X(name) #name,
    TELEGRAM_COMBINATORS(X)
#undef X
};

static const char *const fields[] = {
#define X(name) #name,
    TELEGRAM_FIELDS(X)
#undef X
};

const struct tl_names telegram_names = {
    .combinators = combinators,
    .n_combinators = TELEGRAM_COMBINATOR_COUNT,
    .fields = fields,
    .n_fields = TELEGRAM_FIELD_COUNT,
};
