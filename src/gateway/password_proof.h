/* SPDX-License-Identifier: MIT
 * Requests that prove a 2FA password, and passwords that are new: the heavy hashing runs on the
 * thread pool. https://core.telegram.org/api/srp */
#ifndef TGREST_GATEWAY_PASSWORD_PROOF_H
#define TGREST_GATEWAY_PASSWORD_PROOF_H

#include "gateway/call.h"
#include "telegram/password.h"

/* Builds the request around the proof; `check` is NULL where the account has no password. May
 * suspend. NULL: error set. `account` is what account.getPassword answered. */
typedef struct tl_object *(*proved_request)(struct call *c, const struct tl_object *check,
                                            const struct tl_object *account, void *arg);

/* Asks for fresh SRP parameters, proves `password` with them and invokes the request; once more
 * where the parameters were spent meanwhile. Where the account has a password and none is given,
 * the proof is refused, naming `field`; so is a wrong one. False: error set. */
bool invoke_proved(struct call *c, const char *field, struct slice password, proved_request build,
                   void *arg, struct tl_value *out) __attribute__((warn_unused_result));

/* passwordInputSettings' half for a new password: algo (with salt of ours), verifier. `account` is
 * account.password. False: error set. */
bool password_make(struct call *c, const struct tl_object *account, struct slice password,
                   struct password_settings *out) __attribute__((warn_unused_result));
/* The same for none. */
bool password_make_none(struct call *c, const struct tl_object *account,
                        struct password_settings *out) __attribute__((warn_unused_result));

#endif
