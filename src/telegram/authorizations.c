/* SPDX-License-Identifier: MIT */
#include "telegram/authorizations.h"

struct tl_object *request_authorizations(struct tl_builder *b)
{
    return tl_new(b, C_account_getAuthorizations);
}

struct tl_object *request_reset_authorization(struct tl_builder *b, int64_t hash)
{
    struct tl_object *o = tl_new(b, C_account_resetAuthorization);
    tl_set_int(o, F_hash, hash);
    return o;
}

struct tl_object *request_reset_authorizations(struct tl_builder *b)
{
    return tl_new(b, C_auth_resetAuthorizations);
}
