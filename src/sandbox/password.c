/* SPDX-License-Identifier: MIT
 * 2FA: account.getPassword, auth.checkPassword, account.updatePasswordSettings. E-mail is in
 * password_email.c.
 * https://core.telegram.org/api/srp */
#include <sodium.h>
#include <stdlib.h>

#include "sandbox/login.h"
#include "sandbox/methods.h"
#include "sandbox/password.h"

enum {
    SECURE_RANDOM_BYTES = 256,
    SECURE_SALT_BYTES = 8,
    SALT1_EXTRA_BYTES = 32,
    PASSWORD_TRIES_MAX = 20, /* wrong ones in a row; then one waits */
    PASSWORD_WAIT_S = 60
};

/* What is checked on a pool thread: copies only. */
struct check {
    struct account *account; /* not the pool thread's */
    struct two_factor two_factor;
    uint8_t secret[DH_BYTES];
    uint8_t b[DH_BYTES];
    uint8_t a[DH_BYTES];
    uint8_t m1[SHA256_BYTES];
    bool good;
};

struct user *password_owner(struct request *r)
{
    struct user *user = r->self ? r->self : r->auth->password_user;
    if (!user)
        fail(r, 401, "AUTH_KEY_UNREGISTERED");
    return user;
}

void password_replace(struct account *a, const struct two_factor *t)
{
    a->two_factor = *t;
    a->password_serial++;
    a->password_reset_s = 0;
    if (a->mail)
        sodium_memzero(a->mail, sizeof *a->mail);
}

/* ---- account.getPassword ---- */

struct challenge {
    struct two_factor two_factor;
    uint32_t serial;
    uint8_t secret[DH_BYTES];
    uint8_t b[DH_BYTES];
    bool good;
};

static struct tl_object *algo_object(struct request *r, struct slice salt1, struct slice salt2)
{
    struct two_factor none = {0};
    struct srp_algo algo = two_factor_algo(&none);
    struct tl_object *o =
        tl_new(&r->b, C_passwordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow);
    tl_set_text(o, F_salt1, salt1);
    tl_set_text(o, F_salt2, salt2);
    tl_set_int(o, F_g, algo.g);
    tl_set_text(o, F_p, slice_of(dh_telegram_prime, DH_BYTES));
    return o;
}

static struct slice random_slice(struct request *r, size_t n)
{
    uint8_t *bytes = arena_alloc(r->arena, n);
    if (!bytes)
        return slice_of(NULL, 0);
    rng_fill(&r->sandbox->protocol_rng, bytes, n);
    return slice_of(bytes, n);
}

/* What is the same with and without a password: the algorithms that a new one would use. */
static struct tl_object *password_object(struct request *r, const struct account *a)
{
    struct srp_challenge *srp = r->auth->srp;
    struct tl_object *secure = tl_new(&r->b, C_securePasswordKdfAlgoPBKDF2HMACSHA512iter100000);
    tl_set_text(secure, F_salt, random_slice(r, SECURE_SALT_BYTES));
    struct tl_object *o = tl_new(&r->b, C_account_password);
    rng_fill(&r->sandbox->protocol_rng, srp->new_salt1, sizeof srp->new_salt1);
    rng_fill(&r->sandbox->protocol_rng, srp->new_salt2, sizeof srp->new_salt2);
    tl_set_obj(o, F_new_algo,
               algo_object(r, slice_of(srp->new_salt1, sizeof srp->new_salt1),
                           slice_of(srp->new_salt2, sizeof srp->new_salt2)));
    tl_set_obj(o, F_new_secure_algo, secure);
    tl_set_text(o, F_secure_random, random_slice(r, SECURE_RANDOM_BYTES));
    if (a->mail && email_code_live(&a->mail->confirmation, r->now_s))
        tl_set_str(o, F_email_unconfirmed_pattern,
                   email_pattern(r->arena, a->mail->confirmation.email));
    if (a->password_reset_s)
        tl_set_int(o, F_pending_reset_date, a->password_reset_s);
    return o;
}

static void make_challenge(void *arg)
{
    struct challenge *c = arg;
    struct srp_algo algo = two_factor_algo(&c->two_factor);
    c->good = srp_server_challenge(&algo, c->two_factor.verifier, c->secret, c->b);
}

static struct tl_value challenge_made(struct request *r, void *arg)
{
    struct challenge *c = arg;
    struct srp_challenge *srp = r->auth->srp;
    const struct user *user = password_owner(r);
    if (!user) /* logged out meanwhile */
        return fail(r, r->error_code, r->error_text);
    if (!c->good)
        return fail(r, 500, "INTERNAL");
    memcpy(srp->secret, c->secret, DH_BYTES);
    memcpy(srp->b, c->b, DH_BYTES);
    srp->id = (int64_t)(rng_u64(&r->sandbox->protocol_rng) >> 1) + 1;
    srp->made_s = r->now_s;
    srp->password_serial = c->serial;
    struct tl_object *o = password_object(r, user->account);
    tl_set_bool(o, F_has_password, true);
    tl_set_bool(o, F_has_recovery, c->two_factor.email[0] != 0);
    tl_set_obj(o, F_current_algo,
               algo_object(r, slice_of(c->two_factor.salt1, c->two_factor.salt1_len),
                           slice_of(c->two_factor.salt2, c->two_factor.salt2_len)));
    tl_set_text(o, F_srp_B, slice_of(srp->b, DH_BYTES));
    tl_set_int(o, F_srp_id, srp->id);
    if (c->two_factor.hint[0])
        tl_set_str(o, F_hint, c->two_factor.hint);
    return tl_value_obj(o);
}

static struct tl_value get_password(struct request *r)
{
    const struct user *user = password_owner(r);
    if (!user)
        return fail(r, r->error_code, r->error_text);
    if (!r->auth->srp)
        r->auth->srp = calloc(1, sizeof *r->auth->srp);
    struct challenge *c = arena_alloc(r->arena, sizeof *c);
    if (!r->auth->srp || !c)
        return fail(r, 500, "INTERNAL");
    if (!user->account->two_factor.set)
        return tl_value_obj(password_object(r, user->account));
    c->two_factor = user->account->two_factor;
    c->serial = user->account->password_serial;
    rng_fill(&r->sandbox->protocol_rng, c->secret, sizeof c->secret);
    return sandbox_work(r, make_challenge, challenge_made, c);
}

/* ---- checking one ---- */

static void run_check(void *arg)
{
    struct check *c = arg;
    struct srp_algo algo = two_factor_algo(&c->two_factor);
    c->good = srp_server_check(&algo, c->two_factor.verifier, c->secret, c->b, c->a, c->m1);
}

/* The challenge that the proof answers, used up by it. NULL when it was refused. */
static struct check *take_proof(struct request *r, const struct user *user,
                                const struct tl_object *proof)
{
    struct srp_challenge *srp = r->auth->srp;
    struct slice a = tl_text(proof, F_A);
    struct slice m1 = tl_text(proof, F_M1);
    struct check *c = arena_alloc(r->arena, sizeof *c);
    int32_t wait_s = user->account->password_wait_s - r->now_s;
    if (wait_s > 0) {
        fail(r, 420, arena_printf(r->arena, "FLOOD_WAIT_%d", wait_s));
        return NULL;
    }
    if (!tl_is(proof, C_inputCheckPasswordSRP) || a.len > DH_BYTES || m1.len != SHA256_BYTES) {
        fail(r, 400, "PASSWORD_HASH_INVALID");
        return NULL;
    }
    if (!c || !srp || !srp->id || srp->id != tl_int(proof, F_srp_id) ||
        r->now_s - srp->made_s > SRP_LIFETIME_S) {
        fail(r, 400, "SRP_ID_INVALID");
        return NULL;
    }
    srp->id = 0;
    if (srp->password_serial != user->account->password_serial) {
        fail(r, 400, "SRP_PASSWORD_CHANGED");
        return NULL;
    }
    c->account = user->account;
    c->two_factor = user->account->two_factor;
    memcpy(c->secret, srp->secret, DH_BYTES);
    memcpy(c->b, srp->b, DH_BYTES);
    if (a.len)
        memcpy(c->a + DH_BYTES - a.len, a.data, a.len);
    memcpy(c->m1, m1.data, m1.len);
    return c;
}

/* Counts; false when the proof was wrong. */
static bool proven(struct request *r, const struct check *c)
{
    struct account *a = c->account;
    if (c->good) {
        a->password_failures = 0;
        return true;
    }
    if (++a->password_failures >= PASSWORD_TRIES_MAX) {
        a->password_failures = 0;
        a->password_wait_s = r->now_s + PASSWORD_WAIT_S;
    }
    fail(r, 400, "PASSWORD_HASH_INVALID");
    return false;
}

static struct tl_value check_done(struct request *r, void *arg)
{
    const struct check *c = arg;
    struct user *user = r->auth->password_user;
    if (!proven(r, c))
        return fail(r, r->error_code, r->error_text);
    if (!user) /* logged out meanwhile */
        return fail(r, 401, "AUTH_KEY_UNREGISTERED");
    return login_complete(r, user);
}

static struct tl_value check_password(struct request *r)
{
    const struct user *user = r->auth->password_user;
    if (!user)
        return fail(r, 401, "AUTH_KEY_UNREGISTERED");
    struct check *c = take_proof(r, user, tl_obj(r->query, F_password));
    return c ? sandbox_work(r, run_check, check_done, c) : fail(r, r->error_code, r->error_text);
}

/* ---- with the password: settings ---- */

static struct tl_value password_settings(struct request *r, const struct two_factor *t)
{
    struct tl_object *o = tl_new(&r->b, C_account_passwordSettings);
    if (t->email[0])
        tl_set_text(o, F_email, arena_copy(r->arena, slice_str(t->email)));
    return tl_value_obj(o);
}

static struct tl_value settings_checked(struct request *r, void *arg)
{
    const struct check *c = arg;
    return proven(r, c) ? password_settings(r, &c->two_factor)
                        : fail(r, r->error_code, r->error_text);
}

static struct tl_value get_password_settings(struct request *r)
{
    if (!r->self->account->two_factor.set)
        return fail(r, 400, "PASSWORD_EMPTY");
    struct check *c = take_proof(r, r->self, tl_obj(r->query, F_password));
    return c ? sandbox_work(r, run_check, settings_checked, c)
             : fail(r, r->error_code, r->error_text);
}

/* The front of salt1 and all of salt2 must be what account.getPassword gave. */
static bool new_salts_good(const struct srp_challenge *srp, struct slice salt1, struct slice salt2)
{
    return srp && salt1.len >= sizeof srp->new_salt1 + SALT1_EXTRA_BYTES &&
           salt1.len <= SRP_SALT_BYTES_MAX &&
           memcmp(salt1.data, srp->new_salt1, sizeof srp->new_salt1) == 0 &&
           slice_eq(salt2, slice_of(srp->new_salt2, sizeof srp->new_salt2));
}

/* The algorithm's numbers must be ours, and the verifier one that they can give. */
static bool new_verifier_good(const struct tl_object *algo, struct slice verifier)
{
    struct two_factor none = {0};
    return tl_int(algo, F_g) == two_factor_algo(&none).g &&
           slice_eq(tl_text(algo, F_p), slice_of(dh_telegram_prime, DH_BYTES)) &&
           verifier.len == DH_BYTES && dh_check_public(dh_telegram_prime, verifier.data) == DH_OK;
}

bool password_read_new(struct request *r, const struct tl_object *settings, struct two_factor *t)
{
    const struct tl_object *algo = tl_obj(settings, F_new_algo);
    struct slice verifier = tl_text(settings, F_new_password_hash);
    struct slice salt1 = tl_text(algo, F_salt1);
    struct slice salt2 = tl_text(algo, F_salt2);
    const char *error = NULL;
    if (!tl_is(algo, C_passwordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow))
        error = "NEW_SETTINGS_INVALID";
    else if (!new_salts_good(r->auth->srp, salt1, salt2))
        error = "NEW_SALT_INVALID";
    else if (!new_verifier_good(algo, verifier) ||
             !two_factor_set_hint(t, tl_text(settings, F_hint)))
        error = "NEW_SETTINGS_INVALID";
    if (error) {
        fail(r, 400, error);
        return false;
    }
    t->set = true;
    t->salt1_len = salt1.len;
    t->salt2_len = salt2.len;
    memcpy(t->salt1, salt1.data, salt1.len);
    memcpy(t->salt2, salt2.data, salt2.len);
    memcpy(t->verifier, verifier.data, verifier.len);
    return true;
}

/* The password of t as the settings want it; false when they were refused. */
static bool apply_password(struct request *r, const struct tl_object *settings,
                           struct two_factor *t)
{
    bool removes = tl_has(settings, F_new_algo) && !tl_text(settings, F_new_password_hash).len;
    if (tl_has(settings, F_new_algo) && !removes)
        return password_read_new(r, settings, t);
    if (!t->set || (!removes && !tl_has(settings, F_email))) {
        fail(r, 400, "NEW_SETTINGS_EMPTY");
        return false;
    }
    if (removes && tl_text(settings, F_email).len) {
        fail(r, 400, "NEW_SETTINGS_INVALID"); /* nothing is left to be recovered */
        return false;
    }
    if (removes)
        sodium_memzero(t, sizeof *t);
    return true;
}

static struct tl_value apply_settings(struct request *r)
{
    struct account *a = r->self->account;
    const struct tl_object *settings = tl_obj(r->query, F_new_settings);
    struct slice email = tl_text(settings, F_email);
    struct two_factor t = a->two_factor;
    if (!apply_password(r, settings, &t))
        return fail(r, r->error_code, r->error_text);
    if (email.len && !email_valid(email))
        return fail(r, 400, "EMAIL_INVALID");
    bool confirmed = slice_is(email, t.email);
    if (tl_has(settings, F_email)) {
        if (email.len)
            memcpy(t.email, email.data, email.len);
        t.email[email.len] = 0;
    }
    if (email.len && !confirmed)
        return email_confirm_first(r, a, &t);
    password_replace(a, &t);
    return tl_value_bool(true);
}

static struct tl_value update_checked(struct request *r, void *arg)
{
    const struct check *c = arg;
    return proven(r, c) ? apply_settings(r) : fail(r, r->error_code, r->error_text);
}

static struct tl_value update_password_settings(struct request *r)
{
    if (!r->self->account->two_factor.set)
        return apply_settings(r);
    struct check *c = take_proof(r, r->self, tl_obj(r->query, F_password));
    return c ? sandbox_work(r, run_check, update_checked, c)
             : fail(r, r->error_code, r->error_text);
}

static const struct method methods[] = {
    {C_account_getPassword, METHOD_OPEN, get_password},
    {C_auth_checkPassword, METHOD_OPEN, check_password},
    {C_account_getPasswordSettings, 0, get_password_settings},
    {C_account_updatePasswordSettings, 0, update_password_settings},
};

const struct method_table password_methods = {methods, sizeof methods / sizeof *methods};
