/* SPDX-License-Identifier: MIT
 * auth.*: logging in by code, signing up, logging out. */
#include "sandbox/login.h"
#include "sandbox/methods.h"

#include "sandbox/exported.h"
#include "sandbox/standing.h"
#include "sandbox/update_types.h"

enum { API_HASH_DIGITS = 32, CODE_TIMEOUT_S = 60 };

/* ---- what the requests name ---- */

bool api_pair_good(struct request *r)
{
    struct slice hash = tl_text(r->query, F_api_hash);
    bool good = tl_int(r->query, F_api_id) > 0 && hash.len == API_HASH_DIGITS;
    for (size_t i = 0; good && i < hash.len; i++)
        good = memchr("0123456789abcdefABCDEF", hash.data[i], 22) != NULL;
    if (!good)
        fail(r, 400, "API_ID_INVALID");
    return good;
}

static bool read_phone(struct request *r, char phone[static PHONE_DIGITS_MAX + 1])
{
    if (phone_normal(tl_text(r->query, F_phone_number), phone))
        return true;
    fail(r, 400, "PHONE_NUMBER_INVALID");
    return false;
}

/* Where that phone's account is, or would be. */
static int32_t phone_home(struct request *r, const char *phone)
{
    const struct user *user = world_user_by_phone(r->world, slice_str(phone));
    if (user)
        return sandbox_dc_of(r->sandbox, user->account->home_dc);
    int32_t dc = phone_test_dc(phone);
    return dc ? sandbox_dc_of(r->sandbox, dc) : r->auth->dc;
}

/* PHONE_MIGRATE_X when it is at another data centre. */
static bool at_home(struct request *r, const char *phone)
{
    int32_t home = phone_home(r, phone);
    if (home == r->auth->dc)
        return true;
    fail(r, 303, arena_printf(r->arena, "PHONE_MIGRATE_%d", home));
    return false;
}

/* The code on its way that phone_number and phone_code_hash name. */
static struct login_code *read_code(struct request *r)
{
    char phone[PHONE_DIGITS_MAX + 1];
    if (!read_phone(r, phone))
        return NULL;
    if (tl_text(r->query, F_phone_code_hash).len == 0) {
        fail(r, 400, "PHONE_CODE_HASH_EMPTY");
        return NULL;
    }
    struct login_code *c =
        code_find(r->sandbox, r->auth, phone, tl_text(r->query, F_phone_code_hash));
    if (!c || !code_live(c, r->now_s)) {
        fail(r, 400, "PHONE_CODE_EXPIRED");
        return NULL;
    }
    return c;
}

/* ---- sending codes ---- */

static bool has_other_session(const struct request *r, const struct user *user)
{
    for (const struct authorization *a = user ? user->account->logins : NULL; a; a = a->next_login)
        if (a != r->auth && !a->imported)
            return true;
    return false;
}

/* What auth.sentCode says of each way, and of the one that comes after it. */
static const struct {
    const char *name;
    uint16_t type;
    uint16_t next;
} code_ways[CODE_WAYS_N] = {
    [CODE_BY_APP] = {"app", C_auth_sentCodeTypeApp, C_auth_codeTypeSms},
    [CODE_BY_SMS] = {"sms", C_auth_sentCodeTypeSms, C_auth_codeTypeCall},
    [CODE_BY_CALL] = {"call", C_auth_sentCodeTypeCall, TL_NO_SYMBOL},
};

/* To the log, whichever way it goes; by the app, as a message from 777000. */
static void deliver_code(struct request *r, const struct login_code *c)
{
    log_event(&r->sandbox->log, LOG_INFO, "login_code", log_str("phone", c->phone),
              log_str("code", c->code), log_str("by", code_ways[c->way].name));
    if (c->way != CODE_BY_APP)
        return;
    const char *text =
        arena_printf(r->arena,
                     "Login code: %s. Do not give this code to anyone, even if they say "
                     "they are from Telegram!",
                     c->code);
    world_service_message(r->world, world_user_by_phone(r->world, slice_str(c->phone)),
                          slice_str(text), r->now_s);
}

static struct tl_value sent_code(struct request *r, const struct login_code *c)
{
    struct tl_object *type = tl_new(&r->b, code_ways[c->way].type);
    tl_set_int(type, F_length, CODE_DIGITS);
    struct tl_object *o = tl_new(&r->b, C_auth_sentCode);
    tl_set_obj(o, F_type, type);
    tl_set_str(o, F_phone_code_hash, c->hash);
    if (code_ways[c->way].next != TL_NO_SYMBOL) {
        tl_set_obj(o, F_next_type, tl_new(&r->b, code_ways[c->way].next));
        tl_set_int(o, F_timeout, CODE_TIMEOUT_S);
    }
    return tl_value_obj(o);
}

/* One of the tokens of earlier log-outs spares the code. */
static bool token_spares_code(struct request *r, const struct user *user)
{
    const struct tl_object *settings = tl_obj(r->query, F_settings);
    if (!user)
        return false;
    for (uint32_t i = 0; i < tl_count(settings, F_logout_tokens); i++) {
        const struct tl_value *token = tl_item(settings, F_logout_tokens, i);
        if (account_take_token(user->account, slice_of(token->bytes, token->len)))
            return true;
    }
    return false;
}

static struct tl_value send_code(struct request *r)
{
    char phone[PHONE_DIGITS_MAX + 1];
    if (!api_pair_good(r) || !read_phone(r, phone) || !at_home(r, phone))
        return fail(r, r->error_code, r->error_text);
    struct user *user = world_user_by_phone(r->world, slice_str(phone));
    int code;
    const char *error = user ? standing_refuses_code(user, &code) : NULL;
    if (error)
        return fail(r, code, error);
    if (token_spares_code(r, user)) {
        struct tl_value done = login_or_password(r, user);
        struct tl_object *o = done.kind == TL_OBJECT ? tl_new(&r->b, C_auth_sentCodeSuccess) : NULL;
        tl_set_obj(o, F_authorization, done.object);
        return o ? tl_value_obj(o) : done;
    }
    struct login_code *c = code_new(r->sandbox, r->auth, phone, r->now_s);
    if (!c)
        return fail(r, 420, "FLOOD_WAIT_60");
    c->way = has_other_session(r, user) ? CODE_BY_APP : CODE_BY_SMS;
    deliver_code(r, c);
    return sent_code(r, c);
}

static struct tl_value resend_code(struct request *r)
{
    struct login_code *c = read_code(r);
    if (!c)
        return fail(r, r->error_code, r->error_text);
    if (c->way + 1 == CODE_WAYS_N)
        return fail(r, 406, "SEND_CODE_UNAVAILABLE");
    c->way++;
    code_renew(r->sandbox, c, r->now_s);
    deliver_code(r, c);
    return sent_code(r, c);
}

static struct tl_value cancel_code(struct request *r)
{
    struct login_code *c = read_code(r);
    if (!c)
        return fail(r, r->error_code, r->error_text);
    code_drop(r->sandbox, c);
    return tl_value_bool(true);
}

/* ---- logging in ---- */

struct tl_value login_answer(struct request *r, struct user *user)
{
    r->self = user;
    struct tl_object *o = tl_new(&r->b, C_auth_authorization);
    tl_set_obj(o, F_user, build_user(r, user));
    return tl_value_obj(o);
}

struct tl_value login_complete(struct request *r, struct user *user)
{
    struct authorization *a = r->auth;
    a->imported = false;
    login_begin(r->sandbox, a, user);
    if (!(user->flags & USER_BOT))
        sandbox_push(r->sandbox, r->session, user,
                     &(struct update){
                         .type = &update_new_authorization,
                         .date = r->now_s,
                         .a = a->hash,
                     });
    return login_answer(r, user);
}

struct tl_value login_or_password(struct request *r, struct user *user)
{
    if (!user->account->two_factor.set)
        return login_complete(r, user);
    login_end(r->sandbox, r->auth, false);
    r->auth->state = KEY_LIVE;
    r->auth->password_user = user;
    return fail(r, 401, "SESSION_PASSWORD_NEEDED");
}

/* The number is nobody's yet: what its owner is to agree to. */
static struct tl_value sign_up_required(struct request *r)
{
    struct tl_object *id = tl_new(&r->b, C_dataJSON);
    tl_set_str(id, F_data, "{\"country\":\"YY\",\"min_age\":false,\"terms_key\":\"sandbox\"}");
    struct tl_object *terms = tl_new(&r->b, C_help_termsOfService);
    tl_set_obj(terms, F_id, id);
    tl_set_str(terms, F_text, "By signing up you agree that nothing here outlives this process.");
    tl_set_vec(&r->b, terms, F_entities);
    struct tl_object *o = tl_new(&r->b, C_auth_authorizationSignUpRequired);
    tl_set_obj(o, F_terms_of_service, terms);
    return tl_value_obj(o);
}

static struct tl_value sign_in(struct request *r)
{
    struct slice given = tl_text(r->query, F_phone_code);
    struct login_code *c = read_code(r);
    if (!c)
        return fail(r, r->error_code, r->error_text);
    if (given.len == 0)
        return fail(r, 400, "PHONE_CODE_EMPTY");
    if (!slice_is(given, c->code)) {
        c->tries++;
        return fail(r, 400, "PHONE_CODE_INVALID");
    }
    struct user *user = world_user_by_phone(r->world, slice_str(c->phone));
    if (!user) {
        c->right = true;
        return sign_up_required(r);
    }
    if (user->account->standing == ACCOUNT_BANNED)
        return fail(r, 400, "PHONE_NUMBER_BANNED");
    code_drop(r->sandbox, c);
    return login_or_password(r, user);
}

static struct tl_value sign_up(struct request *r)
{
    struct slice first = tl_text(r->query, F_first_name);
    struct slice last = tl_text(r->query, F_last_name);
    struct login_code *c = read_code(r);
    if (!c)
        return fail(r, r->error_code, r->error_text);
    if (!c->right)
        return fail(r, 400, "PHONE_CODE_INVALID");
    if (world_user_by_phone(r->world, slice_str(c->phone)))
        return fail(r, 400, "PHONE_NUMBER_OCCUPIED");
    if (first.len == 0 || !slice_is_utf8(first) || utf16_length(first) > NAME_UNITS_MAX)
        return fail(r, 400, "FIRSTNAME_INVALID");
    if (!slice_is_utf8(last) || utf16_length(last) > NAME_UNITS_MAX)
        return fail(r, 400, "LASTNAME_INVALID");
    struct user *user =
        world_add_user(r->world, slice_str(c->phone), first, last, phone_home(r, c->phone));
    if (!user)
        return fail(r, 500, "SIGN_UP_FAILED");
    code_drop(r->sandbox, c);
    return login_complete(r, user);
}

static struct tl_value log_out(struct request *r)
{
    uint8_t *token = arena_alloc(r->arena, FUTURE_TOKEN_BYTES);
    if (!token)
        return fail(r, 500, "INTERNAL");
    rng_fill(&r->sandbox->protocol_rng, token, FUTURE_TOKEN_BYTES);
    account_add_token(r->self->account, token);
    login_end(r->sandbox, r->auth, false);
    struct tl_object *o = tl_new(&r->b, C_auth_loggedOut);
    tl_set_text(o, F_future_auth_token, slice_of(token, FUTURE_TOKEN_BYTES));
    return tl_value_obj(o);
}

/* ---- other data centres ---- */

static struct tl_value export_authorization(struct request *r)
{
    struct sandbox *s = r->sandbox;
    int64_t dc = tl_int(r->query, F_dc_id);
    if (dc < 1 || dc > SANDBOX_DCS_MAX || (s->dcs > 1 && (dc > s->dcs || dc == r->auth->dc)))
        return fail(r, 400, "DC_ID_INVALID");
    const struct exported *e = exported_add(s, r->self, (int32_t)dc, r->now_s);
    struct tl_object *o = tl_new(&r->b, C_auth_exportedAuthorization);
    tl_set_int(o, F_id, r->self->id);
    tl_set_text(o, F_bytes, arena_copy(r->arena, slice_of(e->bytes, sizeof e->bytes)));
    return tl_value_obj(o);
}

static struct tl_value import_authorization(struct request *r)
{
    struct sandbox *s = r->sandbox;
    struct user *user = exported_take(s, tl_int(r->query, F_id), tl_text(r->query, F_bytes),
                                      s->dcs > 1 ? r->auth->dc : 0, r->now_s);
    if (!user)
        return fail(r, 400, "AUTH_BYTES_INVALID");
    struct tl_value done = login_complete(r, user);
    /* Where the account lives it goes on as a login of its own: it was moved there. */
    r->auth->imported = s->dcs == 1 || sandbox_dc_of(s, user->account->home_dc) != r->auth->dc;
    return done;
}

static const struct method methods[] = {
    {C_auth_sendCode, METHOD_OPEN, send_code},
    {C_auth_resendCode, METHOD_OPEN, resend_code},
    {C_auth_cancelCode, METHOD_OPEN, cancel_code},
    {C_auth_signIn, METHOD_OPEN, sign_in},
    {C_auth_signUp, METHOD_OPEN, sign_up},
    {C_auth_logOut, 0, log_out},
    {C_auth_exportAuthorization, 0, export_authorization},
    {C_auth_importAuthorization, METHOD_OPEN, import_authorization},
};

const struct method_table login_methods = {methods, sizeof methods / sizeof *methods};
