/* SPDX-License-Identifier: MIT
 * Where one is logged in: account.getAuthorizations, ending others, time limits. */
#include "sandbox/authorizations.h"

#include "sandbox/methods.h"

enum { AUTHORIZATION_TTL_MAX = 366 };

/* What initConnection told on the key, or on a temporary one that acts for it. */
static const struct device *device_of(const struct authorization *a)
{
    static const struct device unknown = {0};
    const struct device *d = a->device;
    for (const struct authorization *temp = a->temps; !d && temp; temp = temp->next_temp)
        d = temp->device;
    return d ? d : &unknown;
}

struct tl_object *build_authorization(struct request *r, const struct authorization *a)
{
    const struct device *d = device_of(a);
    struct tl_object *o = tl_new(&r->b, C_authorization);
    tl_set_bool(o, F_current, a == r->auth);
    tl_set_bool(o, F_unconfirmed, a->unconfirmed && a != r->auth);
    tl_set_bool(o, F_encrypted_requests_disabled, a->no_encrypted_requests);
    tl_set_bool(o, F_call_requests_disabled, a->no_call_requests);
    tl_set_int(o, F_hash, a == r->auth ? 0 : a->hash);
    tl_set_str(o, F_device_model, d->model);
    tl_set_str(o, F_platform, "");
    tl_set_str(o, F_system_version, d->system);
    tl_set_int(o, F_api_id, d->api_id);
    tl_set_str(o, F_app_name, arena_printf(r->arena, "App %d", d->api_id));
    tl_set_str(o, F_app_version, d->app);
    tl_set_int(o, F_date_created, a->login_s);
    tl_set_int(o, F_date_active, a->active_s);
    tl_set_str(o, F_ip, a->ip);
    tl_set_str(o, F_country, "");
    tl_set_str(o, F_region, "");
    return o;
}

static struct tl_value get_authorizations(struct request *r)
{
    struct tl_object *o = tl_new(&r->b, C_account_authorizations);
    tl_set_int(o, F_authorization_ttl_days, r->self->account->authorization_ttl_days);
    struct tl_vector *vec = tl_set_vec(&r->b, o, F_authorizations);
    for (const struct authorization *a = r->self->account->logins; a; a = a->next_login)
        if (!a->imported)
            tl_push_obj(&r->b, vec, build_authorization(r, a));
    return tl_value_obj(o);
}

/* Another login of self's by its hash; NULL and HASH_INVALID when there is none. */
static struct authorization *other_login(struct request *r)
{
    int64_t hash = tl_int(r->query, F_hash);
    struct authorization *a = r->self->account->logins;
    while (a && (a->hash != hash || a == r->auth))
        a = a->next_login;
    if (!a)
        fail(r, 400, "HASH_INVALID");
    return a;
}

static struct tl_value reset_authorization(struct request *r)
{
    struct authorization *a = other_login(r);
    if (!a)
        return fail(r, r->error_code, r->error_text);
    login_end(r->sandbox, a, true);
    return tl_value_bool(true);
}

static struct tl_value reset_authorizations(struct request *r)
{
    for (struct authorization *a = r->self->account->logins, *next; a; a = next) {
        next = a->next_login;
        if (a != r->auth)
            login_end(r->sandbox, a, true);
    }
    return tl_value_bool(true);
}

static struct tl_value change_settings(struct request *r)
{
    struct authorization *a = tl_int(r->query, F_hash) ? other_login(r) : r->auth;
    if (!a)
        return fail(r, r->error_code, r->error_text);
    if (tl_bool(r->query, F_confirmed))
        a->unconfirmed = false;
    if (tl_has(r->query, F_encrypted_requests_disabled))
        a->no_encrypted_requests = tl_bool(r->query, F_encrypted_requests_disabled);
    if (tl_has(r->query, F_call_requests_disabled))
        a->no_call_requests = tl_bool(r->query, F_call_requests_disabled);
    return tl_value_bool(true);
}

static struct tl_value set_ttl(struct request *r)
{
    int64_t days = tl_int(r->query, F_authorization_ttl_days);
    if (days < 1 || days > AUTHORIZATION_TTL_MAX)
        return fail(r, 400, "TTL_DAYS_INVALID");
    r->self->account->authorization_ttl_days = (int32_t)days;
    return tl_value_bool(true);
}

static const struct method methods[] = {
    {C_account_getAuthorizations, 0, get_authorizations},
    {C_account_resetAuthorization, 0, reset_authorization},
    {C_auth_resetAuthorizations, 0, reset_authorizations},
    {C_account_changeAuthorizationSettings, 0, change_settings},
    {C_account_setAuthorizationTTL, 0, set_ttl},
};
const struct method_table authorizations_methods = {methods, sizeof methods / sizeof *methods};
