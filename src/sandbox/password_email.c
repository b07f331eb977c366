/* SPDX-License-Identifier: MIT
 * Recovery by e-mail: confirming an address, and setting a password that was forgotten anew.
 * https://core.telegram.org/api/srp#email-verification */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "sandbox/login.h"
#include "sandbox/methods.h"
#include "sandbox/password.h"

enum {
    EMAIL_CODE_LIFETIME_S = 3600,
    EMAIL_CODE_TRIES_MAX = 5, /* then it is as good as expired */
    RESET_WAIT_S = 7 * 86400, /* account.resetPassword, as Telegram's */
};

/* ---- addresses ---- */

bool email_valid(struct slice email)
{
    const uint8_t *at = email.len ? memchr(email.data, '@', email.len) : NULL;
    if (!at || at == email.data || email.len > EMAIL_BYTES_MAX || !slice_is_utf8(email))
        return false;
    size_t left = email.len - (size_t)(at + 1 - email.data);
    const uint8_t *dot = left ? memchr(at + 1, '.', left) : NULL;
    for (size_t i = 0; i < email.len; i++)
        if (email.data[i] <= ' ' || (email.data[i] == '@' && &email.data[i] != at))
            return false;
    return dot && dot > at + 1 && email.data[email.len - 1] != '.';
}

const char *email_pattern(struct arena *arena, const char *email)
{
    const char *at = strchr(email, '@');
    if (!at || at == email)
        return "";
    return at - email == 1 ? arena_printf(arena, "*%s", at)
                           : arena_printf(arena, "%c***%c%s", email[0], at[-1], at);
}

/* ---- codes ---- */

bool email_code_live(const struct email_code *c, int32_t now_s)
{
    return now_s < c->expires_s && c->tries < EMAIL_CODE_TRIES_MAX;
}

static void send_email(struct request *r, const struct account *a, struct email_code *c)
{
    snprintf(c->code, sizeof c->code, "%0*u", EMAIL_CODE_DIGITS,
             (unsigned)rng_below(&r->sandbox->protocol_rng, 1000000));
    c->expires_s = r->now_s + EMAIL_CODE_LIFETIME_S;
    c->tries = 0;
    log_event(&r->sandbox->log, LOG_INFO, "email_code", log_str("phone", a->user->phone),
              log_str("email", c->email), log_str("code", c->code));
}

/* True when given is the code; a wrong one counts, and gives CODE_INVALID. */
static bool email_code_is(struct request *r, struct email_code *c, struct slice given)
{
    if (slice_is(given, c->code))
        return true;
    c->tries++;
    fail(r, 400, "CODE_INVALID");
    return false;
}

static bool make_mail(struct account *a)
{
    if (!a->mail)
        a->mail = calloc(1, sizeof *a->mail);
    return a->mail != NULL;
}

/* ---- a new address ---- */

struct tl_value email_confirm_first(struct request *r, struct account *a,
                                    const struct two_factor *t)
{
    if (!make_mail(a))
        return fail(r, 500, "INTERNAL");
    a->mail->awaited = *t;
    memcpy(a->mail->confirmation.email, t->email, sizeof t->email);
    send_email(r, a, &a->mail->confirmation);
    return fail(r, 400, arena_printf(r->arena, "EMAIL_UNCONFIRMED_%d", EMAIL_CODE_DIGITS));
}

/* What self has yet to confirm; NULL and EMAIL_HASH_EXPIRED without. */
static struct password_mail *unconfirmed(struct request *r)
{
    struct password_mail *mail = r->self->account->mail;
    if (mail && email_code_live(&mail->confirmation, r->now_s))
        return mail;
    fail(r, 400, "EMAIL_HASH_EXPIRED");
    return NULL;
}

static struct tl_value confirm_email(struct request *r)
{
    struct password_mail *mail = unconfirmed(r);
    if (!mail || !email_code_is(r, &mail->confirmation, tl_text(r->query, F_code)))
        return fail(r, r->error_code, r->error_text);
    struct two_factor t = mail->awaited;
    password_replace(r->self->account, &t);
    sodium_memzero(&t, sizeof t);
    return tl_value_bool(true);
}

static struct tl_value resend_email(struct request *r)
{
    struct password_mail *mail = unconfirmed(r);
    if (!mail)
        return fail(r, r->error_code, r->error_text);
    send_email(r, r->self->account, &mail->confirmation);
    return tl_value_bool(true);
}

static struct tl_value cancel_email(struct request *r)
{
    struct password_mail *mail = unconfirmed(r);
    if (!mail)
        return fail(r, r->error_code, r->error_text);
    sodium_memzero(&mail->confirmation, sizeof mail->confirmation);
    sodium_memzero(&mail->awaited, sizeof mail->awaited);
    return tl_value_bool(true);
}

/* ---- a forgotten password ---- */

static struct tl_value request_recovery(struct request *r)
{
    const struct user *user = password_owner(r);
    if (!user)
        return fail(r, r->error_code, r->error_text);
    struct account *a = user->account;
    if (!a->two_factor.set)
        return fail(r, 400, "PASSWORD_EMPTY");
    if (!a->two_factor.email[0])
        return fail(r, 400, "PASSWORD_RECOVERY_NA");
    if (!make_mail(a))
        return fail(r, 500, "INTERNAL");
    memcpy(a->mail->recovery.email, a->two_factor.email, sizeof a->two_factor.email);
    send_email(r, a, &a->mail->recovery);
    struct tl_object *o = tl_new(&r->b, C_auth_passwordRecovery);
    tl_set_str(o, F_email_pattern, email_pattern(r->arena, a->two_factor.email));
    return tl_value_obj(o);
}

/* The owner, when the request's code is the one that was sent; NULL when it was refused. */
static struct user *recovering_user(struct request *r)
{
    struct user *user = password_owner(r);
    struct slice code = tl_text(r->query, F_code);
    if (!user)
        return NULL;
    struct password_mail *mail = user->account->mail;
    if (code.len == 0) {
        fail(r, 400, "CODE_EMPTY");
        return NULL;
    }
    if (!mail || !email_code_live(&mail->recovery, r->now_s)) {
        fail(r, 400, "PASSWORD_RECOVERY_EXPIRED");
        return NULL;
    }
    return email_code_is(r, &mail->recovery, code) ? user : NULL;
}

static struct tl_value check_recovery(struct request *r)
{
    return recovering_user(r) ? tl_value_bool(true) : fail(r, r->error_code, r->error_text);
}

/* Without new settings the password is gone. */
static struct tl_value recover(struct request *r)
{
    struct user *user = recovering_user(r);
    struct two_factor t = {0};
    if (!user)
        return fail(r, r->error_code, r->error_text);
    if (tl_has(r->query, F_new_settings)) {
        memcpy(t.email, user->account->two_factor.email, sizeof t.email);
        if (!password_read_new(r, tl_obj(r->query, F_new_settings), &t))
            return fail(r, r->error_code, r->error_text);
    }
    password_replace(user->account, &t);
    sodium_memzero(&t, sizeof t);
    return r->self ? login_answer(r, user) : login_complete(r, user);
}

/* ---- without a mailbox: in a week ---- */

static struct tl_value reset_password(struct request *r)
{
    struct account *a = r->self->account;
    static const struct two_factor none = {0};
    if (!a->two_factor.set)
        return fail(r, 400, "PASSWORD_EMPTY");
    if (a->password_reset_s && r->now_s >= a->password_reset_s) {
        password_replace(a, &none);
        return tl_value_obj(tl_new(&r->b, C_account_resetPasswordOk));
    }
    if (!a->password_reset_s)
        a->password_reset_s = r->now_s + RESET_WAIT_S;
    struct tl_object *o = tl_new(&r->b, C_account_resetPasswordRequestedWait);
    tl_set_int(o, F_until_date, a->password_reset_s);
    return tl_value_obj(o);
}

static struct tl_value decline_reset(struct request *r)
{
    if (!r->self->account->password_reset_s)
        return fail(r, 400, "RESET_REQUEST_MISSING");
    r->self->account->password_reset_s = 0;
    return tl_value_bool(true);
}

static const struct method methods[] = {
    {C_account_confirmPasswordEmail, 0, confirm_email},
    {C_account_resendPasswordEmail, 0, resend_email},
    {C_account_cancelPasswordEmail, 0, cancel_email},
    {C_auth_requestPasswordRecovery, METHOD_OPEN, request_recovery},
    {C_auth_checkRecoveryPassword, METHOD_OPEN, check_recovery},
    {C_auth_recoverPassword, METHOD_OPEN, recover},
    {C_account_resetPassword, 0, reset_password},
    {C_account_declinePasswordReset, 0, decline_reset},
};
const struct method_table password_email_methods = {methods, sizeof methods / sizeof *methods};
