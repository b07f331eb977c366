/* SPDX-License-Identifier: MIT
 * What the files about 2FA passwords share. https://core.telegram.org/api/srp */
#ifndef TGREST_SANDBOX_PASSWORD_H
#define TGREST_SANDBOX_PASSWORD_H

#include "sandbox/state.h"

/* A code sent to an e-mail address. */
struct email_code {
    char email[EMAIL_BYTES_MAX + 1];
    char code[EMAIL_CODE_DIGITS + 1];
    int32_t expires_s; /* 0 = none was sent */
    uint32_t tries;
};

/* What waits for a code from an account's mailbox. */
struct password_mail {
    struct email_code confirmation; /* of a new recovery address */
    struct two_factor awaited;      /* in force once it is confirmed */
    struct email_code recovery;     /* of a forgotten password */
};

/* Whose password this key may ask about: the login's, or the one that is awaited. NULL and
 * AUTH_KEY_UNREGISTERED when nobody's. */
struct user *password_owner(struct request *r);
/* Reads the new password of account.passwordInputSettings into t; false when it was refused. */
bool password_read_new(struct request *r, const struct tl_object *settings, struct two_factor *t);
/* The password from now on; t->set false = none. Challenges and codes until now end. */
void password_replace(struct account *a, const struct two_factor *t);

/* ---- e-mail: password_email.c ---- */

bool email_valid(struct slice email);
/* "j***n@example.org", in the arena. */
const char *email_pattern(struct arena *arena, const char *email);
bool email_code_live(const struct email_code *c, int32_t now_s);
/* t comes in force once the code sent to t->email is given: refuses with EMAIL_UNCONFIRMED_…. */
struct tl_value email_confirm_first(struct request *r, struct account *a,
                                    const struct two_factor *t);

#endif
