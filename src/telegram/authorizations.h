/* SPDX-License-Identifier: MIT
 * The account's logins: listing and ending them. */
#ifndef TGREST_TELEGRAM_AUTHORIZATIONS_H
#define TGREST_TELEGRAM_AUTHORIZATIONS_H

#include "telegram/names.h"
#include "tl/value.h"

struct tl_object *request_authorizations(struct tl_builder *b);
struct tl_object *request_reset_authorization(struct tl_builder *b, int64_t hash);
/* All but the one that asks. */
struct tl_object *request_reset_authorizations(struct tl_builder *b);

#endif
