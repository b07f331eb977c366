/* SPDX-License-Identifier: MIT
 * Logging in by a QR code: auth.exportLoginToken, importLoginToken, acceptLoginToken.
 * https://core.telegram.org/api/qr-login */
#include "sandbox/authorizations.h"
#include "sandbox/login.h"
#include "sandbox/login_token.h"
#include "sandbox/methods.h"

/* What the app that shows it is to do until it is accepted: the same code goes on as long as it
 * lives, so that asking again does not change what is on the screen. */
static struct tl_value shown(struct request *r, const struct login_token *t)
{
    struct tl_object *o = tl_new(&r->b, C_auth_loginToken);
    tl_set_int(o, F_expires, t->expires_s);
    tl_set_text(o, F_token, arena_copy(r->arena, slice_of(t->bytes, sizeof t->bytes)));
    return tl_value_obj(o);
}

static struct tl_value success(struct request *r, struct tl_value authorization)
{
    if (authorization.kind != TL_OBJECT)
        return authorization; /* SESSION_PASSWORD_NEEDED */
    struct tl_object *o = tl_new(&r->b, C_auth_loginTokenSuccess);
    tl_set_obj(o, F_authorization, authorization.object);
    return tl_value_obj(o);
}

/* Logs in where the account lives. A token that asked for a password stays: the app may ask again.
 */
static struct tl_value take(struct request *r, struct login_token *t)
{
    int32_t home = sandbox_dc_of(r->sandbox, t->by->account->home_dc);
    if (home != r->auth->dc) {
        struct tl_object *o = tl_new(&r->b, C_auth_loginTokenMigrateTo);
        tl_set_int(o, F_dc_id, home);
        tl_set_text(o, F_token, arena_copy(r->arena, slice_of(t->bytes, sizeof t->bytes)));
        return tl_value_obj(o);
    }
    t->used = !t->by->account->two_factor.set;
    return success(r, login_or_password(r, t->by));
}

static void read_except_ids(const struct request *r, struct login_token *t)
{
    t->n_except = 0;
    for (uint32_t i = 0; i < tl_count(r->query, F_except_ids) && i < EXCEPT_IDS_MAX; i++)
        t->except_ids[t->n_except++] = tl_item(r->query, F_except_ids, i)->i;
}

static struct tl_value export_token(struct request *r)
{
    if (!api_pair_good(r))
        return fail(r, r->error_code, r->error_text);
    if (r->self) /* logged in by an answer that was lost on its way */
        return success(r, login_answer(r, r->self));
    struct login_token *t = login_token_shown(r->sandbox, r->auth, r->now_s);
    if (t && t->by)
        return take(r, t);
    if (!t)
        t = login_token_add(r->sandbox, r->auth, r->now_s);
    read_except_ids(r, t);
    return shown(r, t);
}

static struct tl_value import_token(struct request *r)
{
    struct slice bytes = tl_text(r->query, F_token);
    struct login_token *t = login_token_find(r->sandbox, bytes);
    if (bytes.len != LOGIN_TOKEN_BYTES)
        return fail(r, 400, "AUTH_TOKEN_INVALID");
    if (!t)
        return fail(r, 400, "AUTH_TOKEN_INVALIDX");
    if (t->used)
        return fail(r, 400, "AUTH_TOKEN_ALREADY_ACCEPTED");
    if (r->now_s >= t->expires_s)
        return fail(r, 400, "AUTH_TOKEN_EXPIRED");
    return t->by ? take(r, t) : shown(r, t);
}

static struct tl_value accept_token(struct request *r)
{
    struct slice bytes = tl_text(r->query, F_token);
    const char *error = login_token_accept(r->sandbox, bytes, r->self, r->now_s);
    if (error)
        return fail(r, 400, error);
    const struct authorization *a = login_token_find(r->sandbox, bytes)->auth;
    struct tl_object *o = build_authorization(r, a);
    tl_set_int(o, F_date_created, r->now_s);
    tl_set_bool(o, F_password_pending, r->self->account->two_factor.set);
    return tl_value_obj(o);
}

static const struct method methods[] = {
    {C_auth_exportLoginToken, METHOD_OPEN, export_token},
    {C_auth_importLoginToken, METHOD_OPEN, import_token},
    {C_auth_acceptLoginToken, 0, accept_token},
};
const struct method_table qr_login_methods = {methods, sizeof methods / sizeof *methods};
