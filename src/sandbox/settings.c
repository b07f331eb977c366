/* SPDX-License-Identifier: MIT
 * account.*: online status, notifications, time limits, takeout. */
#include "sandbox/input.h"
#include "sandbox/login.h"
#include "sandbox/methods.h"
#include "sandbox/message.h"
#include "sandbox/update_types.h"

enum {
    ONLINE_S = 300, /* how long account.updateStatus(offline: false) lasts */
    TTL_DAYS_MIN = 30,
    TTL_DAYS_MAX = 730,
};

/* ---- online ---- */

/* Those who talk with self see it. */
static struct tl_value update_status(struct request *r)
{
    bool offline = tl_bool(r->query, F_offline);
    r->self->online_until = offline ? r->now_s : r->now_s + ONLINE_S;
    for (size_t i = 0; i < r->self->n_dialogs; i++) {
        struct user *other = world_user(r->world, r->self->dialog_list[i]->peer);
        if (other && other->account && other != r->self)
            world_tell(r->world, other,
                       (struct update){
                           .type = &world_updates[U_USER_STATUS],
                           .date = r->now_s,
                           .a = r->self->id,
                       });
    }
    return tl_value_bool(true);
}

/* ---- notifications ---- */

/* Marked peer or kind; 0 when it was refused. */
static int64_t notify_target(struct request *r)
{
    const struct tl_object *o = tl_obj(r->query, F_peer);
    if (tl_is(o, C_inputNotifyUsers))
        return NOTIFY_USERS;
    if (tl_is(o, C_inputNotifyChats))
        return NOTIFY_CHATS;
    if (tl_is(o, C_inputNotifyBroadcasts))
        return NOTIFY_BROADCASTS;
    if (!tl_has(o, F_peer)) {
        fail(r, 400, "PEER_ID_INVALID");
        return 0;
    }
    return input_peer(r, tl_obj(o, F_peer));
}

static struct tl_value get_notify_settings(struct request *r)
{
    int64_t peer = notify_target(r);
    if (!peer)
        return fail(r, r->error_code, r->error_text);
    return tl_value_obj(build_notify_settings(r, peer));
}

static struct tl_value update_notify(struct request *r)
{
    int64_t peer = notify_target(r);
    if (!peer)
        return fail(r, r->error_code, r->error_text);
    const struct tl_object *settings = tl_obj(r->query, F_settings);
    struct notify_rule rule = {
        .peer = peer,
        .show_previews = !tl_has(settings, F_show_previews) || tl_bool(settings, F_show_previews),
        .silent = tl_bool(settings, F_silent),
        .mute_until = (int32_t)tl_int(settings, F_mute_until),
    };
    if (!account_set_notify(r->self->account, &rule))
        return fail(r, 400, "SETTINGS_INVALID");
    sandbox_push(r->sandbox, r->session, r->self,
                 &(struct update){
                     .type = &update_notify_settings,
                     .date = r->now_s,
                     .a = peer,
                 });
    return tl_value_bool(true);
}

/* ---- their updates ---- */

static struct tl_object *build_new_authorization(struct request *view, const struct update *u,
                                                 struct peers *p)
{
    (void)p;
    const struct authorization *a = view->self->account->logins;
    while (a && a->hash != u->a)
        a = a->next_login;
    if (!a)
        return NULL;
    struct tl_object *o = tl_new(&view->b, C_updateNewAuthorization);
    tl_set_bool(o, F_unconfirmed, true);
    tl_set_int(o, F_hash, a->hash);
    tl_set_int(o, F_date, u->date);
    tl_set_str(o, F_device, a->device ? a->device->model : "");
    tl_set_str(o, F_location, a->ip);
    return o;
}

static struct tl_object *build_notify_update(struct request *view, const struct update *u,
                                             struct peers *p)
{
    uint16_t symbol = u->a == NOTIFY_USERS        ? C_notifyUsers
                      : u->a == NOTIFY_CHATS      ? C_notifyChats
                      : u->a == NOTIFY_BROADCASTS ? C_notifyBroadcasts
                                                  : C_notifyPeer;
    struct tl_object *peer = tl_new(&view->b, symbol);
    if (symbol == C_notifyPeer) {
        tl_set_obj(peer, F_peer, build_peer(view, u->a));
        peers_add(view, p, u->a);
    }
    struct tl_object *o = tl_new(&view->b, C_updateNotifySettings);
    tl_set_obj(o, F_peer, peer);
    tl_set_obj(o, F_notify_settings, build_notify_settings(view, u->a));
    return o;
}

const struct update_type update_new_authorization = {"new_authorization", UPDATE_TRANSIENT,
                                                     build_new_authorization};
const struct update_type update_notify_settings = {"notify_settings", UPDATE_TRANSIENT,
                                                   build_notify_update};

/* ---- time limits ---- */

static struct tl_value get_account_ttl(struct request *r)
{
    struct tl_object *o = tl_new(&r->b, C_accountDaysTTL);
    tl_set_int(o, F_days, r->self->account->ttl_days);
    return tl_value_obj(o);
}

static struct tl_value set_account_ttl(struct request *r)
{
    int64_t days = tl_int(tl_obj(r->query, F_ttl), F_days);
    if (days < TTL_DAYS_MIN || days > TTL_DAYS_MAX)
        return fail(r, 400, "TTL_DAYS_INVALID");
    r->self->account->ttl_days = (int32_t)days;
    return tl_value_bool(true);
}

/* ---- the rest that clients call when they start ---- */

static struct tl_value accept_all(struct request *r)
{
    (void)r;
    return tl_value_bool(true);
}

static struct tl_value get_content_settings(struct request *r)
{
    return tl_value_obj(tl_new(&r->b, C_account_contentSettings));
}

static struct tl_value init_takeout(struct request *r)
{
    r->auth->takeout_id = (int64_t)(rng_u64(&r->sandbox->protocol_rng) >> 1) + 1;
    struct tl_object *o = tl_new(&r->b, C_account_takeout);
    tl_set_int(o, F_id, r->auth->takeout_id);
    return tl_value_obj(o);
}

static struct tl_value finish_takeout(struct request *r)
{
    if (!r->auth->takeout_id)
        return fail(r, 400, "TAKEOUT_REQUIRED");
    r->auth->takeout_id = 0;
    return tl_value_bool(true);
}

static const struct method methods[] = {
    {C_account_updateStatus, 0, update_status},
    {C_account_getNotifySettings, 0, get_notify_settings},
    {C_account_updateNotifySettings, 0, update_notify},
    {C_account_getAccountTTL, 0, get_account_ttl},
    {C_account_setAccountTTL, 0, set_account_ttl},
    {C_account_registerDevice, 0, accept_all},
    {C_account_unregisterDevice, 0, accept_all},
    {C_account_getContentSettings, 0, get_content_settings},
    {C_account_initTakeoutSession, 0, init_takeout},
    {C_account_finishTakeoutSession, 0, finish_takeout},
};

const struct method_table settings_methods = {methods, sizeof methods / sizeof *methods};
