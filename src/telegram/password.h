/* SPDX-License-Identifier: MIT
 * Setting, changing, removing and recovering a 2FA password. https://core.telegram.org/api/srp */
#ifndef TGREST_TELEGRAM_PASSWORD_H
#define TGREST_TELEGRAM_PASSWORD_H

#include "telegram/login.h"

enum { PASSWORD_SALT_BYTES = 32 /* that a client adds to the server's half of salt1 */ };

/* account.passwordInputSettings, field by field; borrowed until the request is written. */
struct password_settings {
    bool set_password; /* to what verifier and algo say, or to none where `remove` */
    bool remove;
    const struct srp_algo *algo;
    const uint8_t *verifier; /* DH_BYTES */
    struct slice hint;
    bool set_email;
    struct slice email;
};
struct tl_object *password_settings_object(struct tl_builder *b, const struct password_settings *s);

/* `check` is a password_proof, NULL where there is no password yet. */
struct tl_object *request_update_password(struct tl_builder *b, const struct tl_object *check,
                                          const struct tl_object *settings);
struct tl_object *request_confirm_password_email(struct tl_builder *b, const char *code);
struct tl_object *request_resend_password_email(struct tl_builder *b);
struct tl_object *request_cancel_password_email(struct tl_builder *b);
struct tl_object *request_password_recovery(struct tl_builder *b);
/* `settings` NULL: the account has no password afterwards. */
struct tl_object *request_recover_password(struct tl_builder *b, const char *code,
                                           const struct tl_object *settings);

#endif
