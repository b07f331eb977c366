/* SPDX-License-Identifier: MIT
 * help.*: the configuration, and what else a client asks when it starts. */
#include "sandbox/listeners.h"
#include "sandbox/login.h"
#include "sandbox/methods.h"

enum {
    CONFIG_LIFETIME_S = 3600,
    TERMS_LIFETIME_S = 86400,
    MEGAGROUP_MEMBERS_MAX = 200000,
    FORWARDED_MAX = 100,
    NO_LIMIT_S = INT32_MAX, /* revoking: as long as one likes */
};

/* ---- help.getConfig ---- */

struct number_field {
    uint16_t field;
    int64_t value;
};

/* As Telegram's own config states them, where this data centre keeps them; the rest are its usual
 * ones. */
static const struct number_field config_numbers[] = {
    {F_chat_size_max, CHAT_MEMBERS_MAX},
    {F_megagroup_size_max, MEGAGROUP_MEMBERS_MAX},
    {F_forwarded_count_max, FORWARDED_MAX},
    {F_online_update_period_ms, 210000},
    {F_offline_blur_timeout_ms, 5000},
    {F_offline_idle_timeout_ms, 30000},
    {F_online_cloud_timeout_ms, 300000},
    {F_notify_cloud_delay_ms, 30000},
    {F_notify_default_delay_ms, 1500},
    {F_push_chat_period_ms, 60000},
    {F_push_chat_limit, 2},
    {F_edit_time_limit, EDIT_WINDOW_S},
    {F_revoke_time_limit, NO_LIMIT_S},
    {F_revoke_pm_time_limit, NO_LIMIT_S},
    {F_rating_e_decay, 2419200},
    {F_stickers_recent_limit, 200},
    {F_channels_read_media_period, 604800},
    {F_call_receive_timeout_ms, 20000},
    {F_call_ring_timeout_ms, 90000},
    {F_call_connect_timeout_ms, 30000},
    {F_call_packet_timeout_ms, 10000},
    {F_caption_length_max, CAPTION_UNITS_MAX},
    {F_message_length_max, MESSAGE_UNITS_MAX},
};

static struct tl_value get_config(struct request *r)
{
    struct tl_object *o = tl_new(&r->b, C_config);
    tl_set_int(o, F_date, r->now_s);
    tl_set_int(o, F_expires, r->now_s + CONFIG_LIFETIME_S);
    tl_set_bool(o, F_test_mode, false);
    tl_set_int(o, F_this_dc, r->session ? r->session->auth->dc : DC_ALONE);
    build_dc_options(r, o);
    tl_set_str(o, F_dc_txt_domain_name, "");
    for (size_t i = 0; i < sizeof config_numbers / sizeof *config_numbers; i++)
        tl_set_int(o, config_numbers[i].field, config_numbers[i].value);
    tl_set_bool(o, F_revoke_pm_inbox, true);
    tl_set_str(o, F_me_url_prefix, "https://t.me/");
    tl_set_int(o, F_webfile_dc_id, r->session ? r->session->auth->dc : DC_ALONE);
    return tl_value_obj(o);
}

static struct tl_value get_nearest_dc(struct request *r)
{
    struct tl_object *o = tl_new(&r->b, C_nearestDc);
    tl_set_str(o, F_country, "");
    tl_set_int(o, F_this_dc, r->session->auth->dc);
    tl_set_int(o, F_nearest_dc, r->session->auth->dc);
    return tl_value_obj(o);
}

/* ---- help.getAppConfig ---- */

/* The limits of the sandbox that clients read from there. */
static const struct {
    const char *key;
    double value;
} app_numbers[] = {
    {"about_length_limit_default", USER_ABOUT_UNITS_MAX},
    {"dialogs_pinned_limit_default", PINNED_DIALOGS_MAX},
    {"caption_length_limit_default", CAPTION_UNITS_MAX},
    {"forum_upgrade_participants_min", MEGAGROUP_MEMBERS_MAX},
    {"upload_max_fileparts_default", FILE_PARTS_MAX},
    {"upload_max_fileparts_premium", FILE_PARTS_PREMIUM_MAX},
};
enum {
    APP_CONFIG_HASH = 1, /* changes with the table above */
    APP_CONFIG_HASH_FROZEN,
    FREEZE_S = 30 * 86400, /* until a frozen account is deleted */
};

static void push_pair(struct request *r, struct tl_vector *vec, const char *key,
                      const struct tl_object *value)
{
    struct tl_object *pair = tl_new(&r->b, C_jsonObjectValue);
    tl_set_str(pair, F_key, key);
    tl_set_obj(pair, F_value, value);
    tl_push_obj(&r->b, vec, pair);
}

static void push_number(struct request *r, struct tl_vector *vec, const char *key, double value)
{
    struct tl_object *number = tl_new(&r->b, C_jsonNumber);
    tl_set_double(number, F_value, value);
    push_pair(r, vec, key, number);
}

/* By which clients know that the account is frozen. */
static void push_freeze(struct request *r, struct tl_vector *vec)
{
    int32_t since = r->self->account->standing_since_s;
    push_number(r, vec, "freeze_since_date", since);
    push_number(r, vec, "freeze_until_date", (double)since + FREEZE_S);
    struct tl_object *url = tl_new(&r->b, C_jsonString);
    tl_set_str(url, F_value, "https://t.me/spambot");
    push_pair(r, vec, "freeze_appeal_url", url);
}

static struct tl_value get_app_config(struct request *r)
{
    bool frozen = r->self && r->self->account->standing == ACCOUNT_FROZEN;
    int32_t hash = frozen ? APP_CONFIG_HASH_FROZEN : APP_CONFIG_HASH;
    if (tl_int(r->query, F_hash) == hash)
        return tl_value_obj(tl_new(&r->b, C_help_appConfigNotModified));
    struct tl_object *json = tl_new(&r->b, C_jsonObject);
    struct tl_vector *vec = tl_set_vec(&r->b, json, F_value);
    for (size_t i = 0; i < sizeof app_numbers / sizeof *app_numbers; i++)
        push_number(r, vec, app_numbers[i].key, app_numbers[i].value);
    if (frozen)
        push_freeze(r, vec);
    struct tl_object *o = tl_new(&r->b, C_help_appConfig);
    tl_set_int(o, F_hash, hash);
    tl_set_obj(o, F_config, json);
    return tl_value_obj(o);
}

/* ---- small ones ---- */

static struct tl_value get_app_update(struct request *r)
{
    return tl_value_obj(tl_new(&r->b, C_help_noAppUpdate));
}

static struct tl_value get_invite_text(struct request *r)
{
    struct tl_object *o = tl_new(&r->b, C_help_inviteText);
    tl_set_str(o, F_message, "Try Telegram: https://telegram.org/dl");
    return tl_value_obj(o);
}

static struct tl_value get_support(struct request *r)
{
    const struct user *support = world_user(r->world, USER_SERVICE);
    struct tl_object *o = tl_new(&r->b, C_help_support);
    tl_set_str(o, F_phone_number, support->phone);
    tl_set_obj(o, F_user, build_user(r, support));
    return tl_value_obj(o);
}

static struct tl_value get_terms_update(struct request *r)
{
    struct tl_object *o = tl_new(&r->b, C_help_termsOfServiceUpdateEmpty);
    tl_set_int(o, F_expires, r->now_s + TERMS_LIFETIME_S);
    return tl_value_obj(o);
}

static struct tl_value accept_terms(struct request *r)
{
    (void)r;
    return tl_value_bool(true);
}

static struct tl_value get_promo(struct request *r)
{
    struct tl_object *o = tl_new(&r->b, C_help_promoDataEmpty);
    tl_set_int(o, F_expires, r->now_s + CONFIG_LIFETIME_S);
    return tl_value_obj(o);
}

/* ---- countries: the one that the sandbox's numbers are of ---- */

enum { COUNTRIES_HASH = 1 };

static struct tl_object *anonymous_country(struct request *r)
{
    struct tl_object *code = tl_new(&r->b, C_help_countryCode);
    tl_set_str(code, F_country_code, "999");
    struct tl_vector *prefixes = tl_set_vec(&r->b, code, F_prefixes);
    tl_push_text(&r->b, prefixes, slice_str("66"));
    struct tl_object *o = tl_new(&r->b, C_help_country);
    tl_set_str(o, F_iso2, "YY");
    tl_set_str(o, F_default_name, "Test numbers");
    tl_push_obj(&r->b, tl_set_vec(&r->b, o, F_country_codes), code);
    return o;
}

static struct tl_value get_countries(struct request *r)
{
    struct tl_object *o = tl_new(&r->b, C_help_countriesList);
    tl_push_obj(&r->b, tl_set_vec(&r->b, o, F_countries), anonymous_country(r));
    tl_set_int(o, F_hash, COUNTRIES_HASH);
    return tl_value_obj(o);
}

static struct tl_value get_peer_colors(struct request *r)
{
    struct tl_object *o = tl_new(&r->b, C_help_peerColors);
    tl_set_int(o, F_hash, 0);
    tl_set_vec(&r->b, o, F_colors);
    return tl_value_obj(o);
}

static struct tl_value get_cdn_config(struct request *r)
{
    struct tl_object *o = tl_new(&r->b, C_cdnConfig);
    tl_set_vec(&r->b, o, F_public_keys);
    return tl_value_obj(o);
}

static const struct method methods[] = {
    {C_help_getConfig, METHOD_OPEN, get_config},
    {C_help_getNearestDc, METHOD_OPEN, get_nearest_dc},
    {C_help_getAppConfig, METHOD_OPEN, get_app_config},
    {C_help_getAppUpdate, METHOD_OPEN, get_app_update},
    {C_help_getInviteText, 0, get_invite_text},
    {C_help_getSupport, 0, get_support},
    {C_help_getTermsOfServiceUpdate, 0, get_terms_update},
    {C_help_acceptTermsOfService, 0, accept_terms},
    {C_help_getPromoData, 0, get_promo},
    {C_help_getCountriesList, METHOD_OPEN, get_countries},
    {C_help_getPeerColors, 0, get_peer_colors},
    {C_help_getCdnConfig, METHOD_OPEN, get_cdn_config},
};

const struct method_table help_methods = {methods, sizeof methods / sizeof *methods};
