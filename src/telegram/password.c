/* SPDX-License-Identifier: MIT */
#include "telegram/password.h"

static struct tl_object *algo_object(struct tl_builder *b, const struct srp_algo *algo)
{
    struct tl_object *o =
        tl_new(b, C_passwordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow);
    tl_set_text(o, F_salt1, algo->salt1);
    tl_set_text(o, F_salt2, algo->salt2);
    tl_set_int(o, F_g, algo->g);
    tl_set_text(o, F_p, slice_of(algo->prime, DH_BYTES));
    return o;
}

struct tl_object *password_settings_object(struct tl_builder *b, const struct password_settings *s)
{
    struct tl_object *o = tl_new(b, C_account_passwordInputSettings);
    if (s->set_password) {
        tl_set_obj(o, F_new_algo, algo_object(b, s->algo));
        tl_set_text(o, F_new_password_hash,
                    s->remove ? slice_str("") : slice_of(s->verifier, DH_BYTES));
        tl_set_text(o, F_hint, s->hint);
    }
    if (s->set_email)
        tl_set_text(o, F_email, s->email);
    return o;
}

struct tl_object *request_update_password(struct tl_builder *b, const struct tl_object *check,
                                          const struct tl_object *settings)
{
    struct tl_object *o = tl_new(b, C_account_updatePasswordSettings);
    tl_set_obj(o, F_password, check ? check : tl_new(b, C_inputCheckPasswordEmpty));
    tl_set_obj(o, F_new_settings, settings);
    return o;
}

struct tl_object *request_confirm_password_email(struct tl_builder *b, const char *code)
{
    struct tl_object *o = tl_new(b, C_account_confirmPasswordEmail);
    tl_set_str(o, F_code, code);
    return o;
}

struct tl_object *request_resend_password_email(struct tl_builder *b)
{
    return tl_new(b, C_account_resendPasswordEmail);
}

struct tl_object *request_cancel_password_email(struct tl_builder *b)
{
    return tl_new(b, C_account_cancelPasswordEmail);
}

struct tl_object *request_password_recovery(struct tl_builder *b)
{
    return tl_new(b, C_auth_requestPasswordRecovery);
}

struct tl_object *request_recover_password(struct tl_builder *b, const char *code,
                                           const struct tl_object *settings)
{
    struct tl_object *o = tl_new(b, C_auth_recoverPassword);
    tl_set_str(o, F_code, code);
    if (settings)
        tl_set_obj(o, F_new_settings, settings);
    return o;
}
