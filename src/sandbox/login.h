/* SPDX-License-Identifier: MIT
 * What the files of auth.* and account.* share. */
#ifndef TGREST_SANDBOX_LOGIN_H
#define TGREST_SANDBOX_LOGIN_H

#include "sandbox/state.h"

/* False and API_ID_INVALID when the request's api_id and api_hash cannot be a pair. */
bool api_pair_good(struct request *r);
/* auth.authorization of a key on which user is logged in. */
struct tl_value login_answer(struct request *r, struct user *user);
/* Logs the request's key in as user, tells the user's other sessions, and answers
 * auth.authorization. */
struct tl_value login_complete(struct request *r, struct user *user);
/* As login_complete, unless the account has a password: then SESSION_PASSWORD_NEEDED. */
struct tl_value login_or_password(struct request *r, struct user *user);

#endif
