/* SPDX-License-Identifier: MIT
 * 2FA passwords over the wire: set, asked for, changed, removed, recovered by e-mail. */
#include "fixture.h"

#include "sandbox/password.h"

struct protected
{
    struct fixture *f;
    struct client *c;
    struct user *user;
};

static struct protected logged_in(struct fixture *f)
{
    struct protected p = {.f = f, .c = client_new(f->s, &f->loop, 0)};
    p.user = log_in(f, p.c, "9996621200");
    return p;
}

/* The algorithm that account.getPassword tells, with what the client adds to salt1. */
static struct srp_algo algo_of(struct client *c, const struct tl_object *o, size_t extra)
{
    struct slice salt1 = tl_text(o, F_salt1);
    uint8_t *bytes = arena_alloc(&c->arena, salt1.len + extra);
    memcpy(bytes, salt1.data, salt1.len);
    rng_fill(&c->rng, bytes + salt1.len, extra);
    struct srp_algo algo = {.salt1 = slice_of(bytes, salt1.len + extra),
                            .salt2 = tl_text(o, F_salt2),
                            .g = (int)tl_int(o, F_g)};
    assert_int_equal(tl_text(o, F_p).len, DH_BYTES);
    memcpy(algo.prime, tl_text(o, F_p).data, DH_BYTES);
    return algo;
}

static const struct tl_object *get_password(struct client *c)
{
    struct reply r = ask(c, "account.getPassword", "{}");
    assert_answered(r);
    return r.value.object;
}

/* inputCheckPasswordSRP for that challenge. */
static struct tl_object *proof(struct client *c, const struct tl_object *challenge,
                               const char *password)
{
    struct srp_algo algo = algo_of(c, tl_obj(challenge, F_current_algo), 0);
    uint8_t x[SHA256_BYTES];
    uint8_t *a = arena_alloc(&c->arena, DH_BYTES);
    uint8_t *m1 = arena_alloc(&c->arena, SHA256_BYTES);
    assert_true(srp_password_hash(&algo, slice_str(password), x));
    struct slice b = tl_text(challenge, F_srp_B);
    assert_int_equal(b.len, DH_BYTES);
    assert_int_equal(srp_client_proof(&algo, x, b.data, &c->rng, &c->good, a, m1), DH_OK);
    struct tl_object *o = tl_new(&c->b, C_inputCheckPasswordSRP);
    tl_set_int(o, F_srp_id, tl_int(challenge, F_srp_id));
    tl_set_text(o, F_A, slice_of(a, DH_BYTES));
    tl_set_text(o, F_M1, slice_of(m1, SHA256_BYTES));
    return o;
}

/* inputCheckPasswordEmpty where there is no password. */
static struct tl_object *proof_now(struct client *c, const char *password)
{
    return password ? proof(c, get_password(c), password)
                    : tl_new(&c->b, C_inputCheckPasswordEmpty);
}

/* account.passwordInputSettings; password NULL = none given, "" = remove; email NULL = not given.
 */
static struct tl_object *settings(struct client *c, const struct tl_object *challenge,
                                  const char *password, const char *email)
{
    struct tl_object *o = tl_new(&c->b, C_account_passwordInputSettings);
    if (email)
        tl_set_str(o, F_email, email);
    if (!password)
        return o;
    const struct tl_object *given = tl_obj(challenge, F_new_algo);
    struct srp_algo algo = algo_of(c, given, 32);
    struct tl_object *wanted = tl_new(&c->b, given->ctor->symbol);
    tl_set_text(wanted, F_salt1, algo.salt1);
    tl_set_text(wanted, F_salt2, algo.salt2);
    tl_set_int(wanted, F_g, algo.g);
    tl_set_text(wanted, F_p, tl_text(given, F_p));
    tl_set_obj(o, F_new_algo, wanted);
    tl_set_str(o, F_hint, "a hint");
    tl_set_text(o, F_new_password_hash, slice_str(""));
    if (!password[0])
        return o;
    uint8_t x[SHA256_BYTES];
    uint8_t *verifier = arena_alloc(&c->arena, DH_BYTES);
    assert_true(srp_password_hash(&algo, slice_str(password), x));
    assert_true(srp_verifier(&algo, x, verifier));
    tl_set_text(o, F_new_password_hash, slice_of(verifier, DH_BYTES));
    return o;
}

/* As clients do: the new salts and the proof are of one account.getPassword. */
static struct reply update(struct client *c, const char *current, const char *password,
                           const char *email)
{
    const struct tl_object *challenge = get_password(c);
    struct tl_object *o = tl_new(&c->b, C_account_updatePasswordSettings);
    tl_set_obj(o, F_new_settings, settings(c, challenge, password, email));
    tl_set_obj(o, F_password,
               current ? proof(c, challenge, current) : tl_new(&c->b, C_inputCheckPasswordEmpty));
    return client_call(c, o);
}

/* These settings, of an account without a password. */
static struct reply update_to(struct client *c, const struct tl_object *wanted)
{
    struct tl_object *o = tl_new(&c->b, C_account_updatePasswordSettings);
    tl_set_obj(o, F_new_settings, wanted);
    tl_set_obj(o, F_password, tl_new(&c->b, C_inputCheckPasswordEmpty));
    return client_call(c, o);
}

static struct reply with_password(struct client *c, uint16_t method, const struct tl_object *given)
{
    struct tl_object *o = tl_new(&c->b, method);
    tl_set_obj(o, F_password, given);
    return client_call(c, o);
}

static struct reply get_settings(struct client *c, const char *password)
{
    return with_password(c, C_account_getPasswordSettings, proof_now(c, password));
}

static struct reply code_call(struct client *c, const char *method, const char *code)
{
    return ask(c, method, "{\"code\":\"%s\"}", code);
}

/* The last code that went to the account's mailbox. */
static const char *email_code(struct protected *p, const char *email)
{
    const char *line = control(p->f, "email_codes %s", p->user->phone);
    const char *found = strstr(line, email);
    assert_non_null(found);
    return arena_printf(&p->c->arena, "%.6s", found + strlen(email) + 1);
}

/* ---- setting, changing, removing ---- */

static void a_password_is_set_changed_and_removed(void **state)
{
    struct protected p = logged_in(*state);
    struct client *c = p.c;
    assert_false(tl_bool(get_password(c), F_has_password));
    assert_refused(get_settings(c, NULL), 400, "PASSWORD_EMPTY");
    assert_answered(update(c, NULL, "one", NULL));
    const struct tl_object *now = get_password(c);
    assert_true(tl_bool(now, F_has_password));
    assert_false(tl_bool(now, F_has_recovery));
    assert_true(slice_is(tl_text(now, F_hint), "a hint"));
    assert_answered(get_settings(c, "one"));
    assert_refused(get_settings(c, "two"), 400, "PASSWORD_HASH_INVALID");
    assert_refused(update(c, NULL, "two", NULL), 400, "PASSWORD_HASH_INVALID");
    assert_answered(update(c, "one", "two", NULL));
    assert_answered(get_settings(c, "two"));
    assert_answered(update(c, "two", "", NULL));
    assert_false(tl_bool(get_password(c), F_has_password));
    client_free(c);
}

static void settings_that_say_nothing_good_are_refused(void **state)
{
    struct protected p = logged_in(*state);
    struct client *c = p.c;
    assert_refused(update(c, NULL, NULL, NULL), 400, "NEW_SETTINGS_EMPTY");
    assert_refused(update(c, NULL, "", NULL), 400, "NEW_SETTINGS_EMPTY");
    assert_refused(update(c, NULL, NULL, "a@b.example"), 400, "NEW_SETTINGS_EMPTY");

    struct tl_object *o = settings(c, get_password(c), "one", NULL);
    struct tl_object *stale = settings(c, get_password(c), "one", NULL); /* asks for new salts */
    assert_refused(update_to(c, o), 400, "NEW_SALT_INVALID");
    tl_set_text(stale, F_new_password_hash, slice_str("too short"));
    assert_refused(update_to(c, stale), 400, "NEW_SETTINGS_INVALID");
    uint8_t zeroes[DH_BYTES] = {0};
    o = settings(c, get_password(c), "one", NULL);
    tl_set_text(o, F_new_password_hash, slice_of(zeroes, sizeof zeroes));
    assert_refused(update_to(c, o), 400, "NEW_SETTINGS_INVALID");
    o = settings(c, get_password(c), "one", NULL);
    tl_set_int((struct tl_object *)tl_obj(o, F_new_algo), F_g, 7);
    assert_refused(update_to(c, o), 400, "NEW_SETTINGS_INVALID");
    o = settings(c, get_password(c), "one", NULL);
    tl_set_text((struct tl_object *)tl_obj(o, F_new_algo), F_p, slice_of(zeroes, sizeof zeroes));
    assert_refused(update_to(c, o), 400, "NEW_SETTINGS_INVALID");
    o = settings(c, get_password(c), "one", NULL);
    tl_set_obj(o, F_new_algo, tl_new(&c->b, C_passwordKdfAlgoUnknown));
    assert_refused(update_to(c, o), 400, "NEW_SETTINGS_INVALID");

    assert_answered(update(c, NULL, "one", NULL));
    assert_refused(update(c, "one", NULL, NULL), 400, "NEW_SETTINGS_EMPTY");
    assert_refused(update(c, "one", "", "a@b.example"), 400, "NEW_SETTINGS_INVALID");
    static const char *const addresses[] = {"nobody",    "@b.example", "a@example", "a@b@c.example",
                                            "a b@c.org", "a@.example", "a@b.",      "a\\@"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        assert_refused(update(c, "one", NULL, addresses[i]), 400, "EMAIL_INVALID");
    client_free(c);
}

static void a_proof_is_good_once_for_its_password(void **state)
{
    struct protected p = logged_in(*state);
    struct client *c = p.c;
    struct client *other = client_new(p.f->s, &p.f->loop, 0);
    log_in(p.f, other, "9996621200");
    assert_answered(update(c, NULL, "one", NULL));
    struct tl_object *once = proof(c, get_password(c), "one");
    assert_answered(with_password(c, C_account_getPasswordSettings, once));
    assert_refused(with_password(c, C_account_getPasswordSettings, once), 400, "SRP_ID_INVALID");

    struct tl_object *old = proof(c, get_password(c), "one");
    assert_answered(update(other, "one", "two", NULL));
    assert_refused(with_password(c, C_account_getPasswordSettings, old), 400,
                   "SRP_PASSWORD_CHANGED");
    struct tl_object *late = proof(c, get_password(c), "two");
    control(p.f, "clock_advance %d", SRP_LIFETIME_S + 1);
    assert_refused(with_password(c, C_account_getPasswordSettings, late), 400, "SRP_ID_INVALID");
    client_free(c);
    client_free(other);
}

/* A proof of no password at all, which costs no key stretching. */
static struct reply guess(struct client *c)
{
    const struct tl_object *challenge = get_password(c);
    static const uint8_t zeroes[SHA256_BYTES];
    struct tl_object *o = tl_new(&c->b, C_inputCheckPasswordSRP);
    tl_set_int(o, F_srp_id, tl_int(challenge, F_srp_id));
    tl_set_text(o, F_A, tl_text(challenge, F_srp_B));
    tl_set_text(o, F_M1, slice_of(zeroes, sizeof zeroes));
    return with_password(c, C_account_getPasswordSettings, o);
}

static void who_guesses_too_often_waits(void **state)
{
    struct protected p = logged_in(*state);
    struct client *c = p.c;
    assert_answered(update(c, NULL, "one", NULL));
    for (int i = 0; i < 20; i++)
        assert_refused(guess(c), 400, "PASSWORD_HASH_INVALID");
    struct reply r = get_settings(c, "one");
    assert_int_equal(r.code, 420);
    assert_memory_equal(r.text, "FLOOD_WAIT_", sizeof "FLOOD_WAIT_" - 1);
    control(p.f, "clock_advance 301"); /* so far that the client sets its clock */
    assert_refused(guess(c), 400, "PASSWORD_HASH_INVALID");
    assert_answered(get_settings(c, "one"));
    client_free(c);
}

/* ---- e-mail ---- */

static void an_address_is_confirmed_before_it_counts(void **state)
{
    struct protected p = logged_in(*state);
    struct client *c = p.c;
    static const char *const methods[] = {"account.resendPasswordEmail",
                                          "account.cancelPasswordEmail"};
    for (size_t i = 0; i < 2; i++)
        assert_refused(ask(c, methods[i], "{}"), 400, "EMAIL_HASH_EXPIRED");
    assert_refused(code_call(c, "account.confirmPasswordEmail", "1"), 400, "EMAIL_HASH_EXPIRED");

    assert_refused(update(c, NULL, "one", "jordan@example.org"), 400, "EMAIL_UNCONFIRMED_6");
    const struct tl_object *now = get_password(c);
    assert_false(tl_bool(now, F_has_password)); /* not before the address is confirmed */
    assert_true(slice_is(tl_text(now, F_email_unconfirmed_pattern), "j***n@example.org"));
    const char *first = email_code(&p, "jordan@example.org");
    assert_answered(ask(c, "account.resendPasswordEmail", "{}"));
    const char *second = email_code(&p, "jordan@example.org");
    assert_string_not_equal(first, second);
    assert_refused(code_call(c, "account.confirmPasswordEmail", first), 400, "CODE_INVALID");
    assert_answered(code_call(c, "account.confirmPasswordEmail", second));
    assert_true(tl_bool(get_password(c), F_has_recovery));
    struct reply r = get_settings(c, "one");
    assert_true(slice_is(tl_text(r.value.object, F_email), "jordan@example.org"));

    assert_answered(update(c, "one", NULL, "jordan@example.org")); /* the same one */
    assert_refused(update(c, "one", NULL, "j@example.org"), 400, "EMAIL_UNCONFIRMED_6");
    assert_true(slice_is(tl_text(get_password(c), F_email_unconfirmed_pattern), "*@example.org"));
    assert_answered(ask(c, "account.cancelPasswordEmail", "{}"));
    assert_false(tl_has(get_password(c), F_email_unconfirmed_pattern));
    assert_refused(code_call(c, "account.confirmPasswordEmail", "1"), 400, "EMAIL_HASH_EXPIRED");
    assert_answered(update(c, "one", NULL, ""));
    assert_false(tl_bool(get_password(c), F_has_recovery));
    client_free(c);
}

static void a_code_by_email_ends_by_wrong_tries_and_by_its_time(void **state)
{
    struct protected p = logged_in(*state);
    struct client *c = p.c;
    assert_refused(update(c, NULL, "one", "jo@example.org"), 400, "EMAIL_UNCONFIRMED_6");
    const char *code = email_code(&p, "jo@example.org");
    for (int i = 0; i < 5; i++)
        assert_refused(code_call(c, "account.confirmPasswordEmail", "x"), 400, "CODE_INVALID");
    assert_refused(code_call(c, "account.confirmPasswordEmail", code), 400, "EMAIL_HASH_EXPIRED");
    assert_refused(update(c, NULL, "one", "jo@example.org"), 400, "EMAIL_UNCONFIRMED_6");
    code = email_code(&p, "jo@example.org");
    control(p.f, "clock_advance 3600");
    assert_refused(code_call(c, "account.confirmPasswordEmail", code), 400, "EMAIL_HASH_EXPIRED");
    client_free(c);
}

/* ---- forgotten ---- */

static void protect(struct protected *p, const char *password, const char *email)
{
    assert_refused(update(p->c, NULL, password, email), 400, "EMAIL_UNCONFIRMED_6");
    assert_answered(code_call(p->c, "account.confirmPasswordEmail", email_code(p, email)));
}

/* A new client whose code was right and whose password is awaited. */
static struct client *at_the_password(struct protected *p)
{
    struct client *c = client_new(p->f->s, &p->f->loop, 0);
    struct reply sent = send_code(c, p->user->phone);
    assert_refused(
        sign_in(c, p->user->phone, tl_text(sent.value.object, F_phone_code_hash), "22222"), 401,
        "SESSION_PASSWORD_NEEDED");
    return c;
}

static void a_forgotten_password_is_recovered_by_email(void **state)
{
    struct protected p = logged_in(*state);
    assert_refused(ask(p.c, "auth.requestPasswordRecovery", "{}"), 400, "PASSWORD_EMPTY");
    protect(&p, "one", "jordan@example.org");
    struct client *c = at_the_password(&p);
    assert_refused(code_call(c, "auth.checkRecoveryPassword", "1"), 400,
                   "PASSWORD_RECOVERY_EXPIRED");
    struct reply asked = ask(c, "auth.requestPasswordRecovery", "{}");
    assert_answered(asked);
    assert_true(slice_is(tl_text(asked.value.object, F_email_pattern), "j***n@example.org"));
    const char *code = email_code(&p, "jordan@example.org");
    assert_refused(code_call(c, "auth.checkRecoveryPassword", ""), 400, "CODE_EMPTY");
    assert_refused(code_call(c, "auth.recoverPassword", ""), 400, "CODE_EMPTY");
    assert_refused(code_call(c, "auth.checkRecoveryPassword", "x"), 400, "CODE_INVALID");
    assert_answered(code_call(c, "auth.checkRecoveryPassword", code));

    struct tl_object *o = tl_new(&c->b, C_auth_recoverPassword);
    tl_set_str(o, F_code, code);
    tl_set_obj(o, F_new_settings, settings(c, NULL, NULL, NULL));
    assert_refused(client_call(c, o), 400, "NEW_SETTINGS_INVALID");
    tl_set_obj(o, F_new_settings, settings(c, get_password(c), "new", NULL));
    struct reply in = client_call(c, o);
    assert_answered(in);
    assert_int_equal(tl_int(tl_obj(in.value.object, F_user), F_id), p.user->id);
    assert_answered(get_settings(c, "new"));
    assert_true(tl_bool(get_password(c), F_has_recovery));
    assert_refused(code_call(c, "auth.recoverPassword", code), 400, "PASSWORD_RECOVERY_EXPIRED");
    client_free(c);
    client_free(p.c);
}

static void a_forgotten_password_may_be_dropped(void **state)
{
    struct protected p = logged_in(*state);
    protect(&p, "one", "jordan@example.org");
    struct client *c = at_the_password(&p);
    assert_answered(ask(c, "auth.requestPasswordRecovery", "{}"));
    control(p.f, "clock_advance 3600");
    const char *late = p.user->account->mail->recovery.code;
    assert_refused(code_call(c, "auth.recoverPassword", late), 400, "PASSWORD_RECOVERY_EXPIRED");
    assert_answered(ask(c, "auth.requestPasswordRecovery", "{}"));
    assert_answered(code_call(c, "auth.recoverPassword", email_code(&p, "jordan@example.org")));
    assert_false(tl_bool(get_password(c), F_has_password));
    client_free(c);
    client_free(p.c);
}

static void a_password_without_a_mailbox_goes_in_a_week(void **state)
{
    struct protected p = logged_in(*state);
    struct client *c = p.c;
    assert_refused(ask(c, "account.resetPassword", "{}"), 400, "PASSWORD_EMPTY");
    assert_refused(ask(c, "account.declinePasswordReset", "{}"), 400, "RESET_REQUEST_MISSING");
    assert_answered(update(c, NULL, "one", NULL));
    assert_refused(ask(c, "auth.requestPasswordRecovery", "{}"), 400, "PASSWORD_RECOVERY_NA");
    assert_true(tl_is(ask(c, "account.resetPassword", "{}").value.object,
                      C_account_resetPasswordRequestedWait));
    assert_true(tl_has(get_password(c), F_pending_reset_date));
    assert_answered(ask(c, "account.declinePasswordReset", "{}"));
    assert_false(tl_has(get_password(c), F_pending_reset_date));
    struct reply wait = ask(c, "account.resetPassword", "{}");
    int64_t left = tl_int(wait.value.object, F_until_date) - clock_unix_s(&p.f->s->clock);
    assert_in_range(left, 7 * 86400 - 60, 7 * 86400);
    control(p.f, "clock_advance %lld", (long long)left);
    assert_true(
        tl_is(ask(c, "account.resetPassword", "{}").value.object, C_account_resetPasswordOk));
    assert_false(tl_bool(get_password(c), F_has_password));
    client_free(c);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
#define WITH_SANDBOX(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SANDBOX(a_password_is_set_changed_and_removed),
        WITH_SANDBOX(settings_that_say_nothing_good_are_refused),
        WITH_SANDBOX(a_proof_is_good_once_for_its_password),
        WITH_SANDBOX(who_guesses_too_often_waits),
        WITH_SANDBOX(an_address_is_confirmed_before_it_counts),
        WITH_SANDBOX(a_code_by_email_ends_by_wrong_tries_and_by_its_time),
        WITH_SANDBOX(a_forgotten_password_is_recovered_by_email),
        WITH_SANDBOX(a_forgotten_password_may_be_dropped),
        WITH_SANDBOX(a_password_without_a_mailbox_goes_in_a_week),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
