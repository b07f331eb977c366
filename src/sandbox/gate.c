/* SPDX-License-Identifier: MIT
 * What stands before a request's handler: the state of its key, its login, its account. */
#include "sandbox/bots.h"
#include "sandbox/chat.h"
#include "sandbox/standing.h"
#include "sandbox/state.h"

static bool refuse(struct call *call, int code, const char *text)
{
    fail(&call->r, code, text);
    return false;
}

/* ---- accounts ---- */

/* A frozen account reads what it is a member of. */
static bool gate_frozen(struct call *call)
{
    if (!frozen_may_call(call->ctor->name))
        return refuse(call, 420, "FROZEN_METHOD_INVALID");
    return !frozen_is_stranger(&call->r) || refuse(call, 400, "FROZEN_PARTICIPANT_MISSING");
}

static bool gate_account(struct call *call)
{
    const struct user *user = call->r.self;
    if (user->flags & USER_DELETED)
        return refuse(call, 401, "USER_DEACTIVATED");
    if (user->account->standing == ACCOUNT_BANNED)
        return refuse(call, 401, "USER_DEACTIVATED_BAN");
    if (user->account->standing == ACCOUNT_FROZEN && !gate_frozen(call))
        return false;
    if ((user->flags & USER_BOT) && !bot_may_call(call->ctor->name))
        return refuse(call, 400, "BOT_METHOD_INVALID");
    return true;
}

/* Files, and going away from there, work where the account does not live. */
static bool works_anywhere(const struct call *call)
{
    uint16_t symbol = call->ctor->symbol;
    return (call->method->flags & METHOD_UPLOAD) || symbol == C_auth_logOut ||
           symbol == C_auth_exportAuthorization;
}

static bool gate_home(struct call *call)
{
    int32_t home = sandbox_dc_of(call->r.sandbox, call->r.self->account->home_dc);
    if (home == call->session->auth->dc || works_anywhere(call))
        return true;
    return refuse(call, 303, arena_printf(&call->arena, "USER_MIGRATE_%d", home));
}

/* ---- keys ---- */

static bool gate_key(struct call *call)
{
    const struct authorization *key = call->session->auth;
    const struct authorization *login = call->r.auth;
    if (login->state == KEY_DUPLICATED || key->state == KEY_DUPLICATED)
        return refuse(call, 406, "AUTH_KEY_DUPLICATED");
    if (login->user || (call->method->flags & METHOD_OPEN))
        return true;
    if (key->expires_s && !key->perm)
        return refuse(call, 401, "AUTH_KEY_PERM_EMPTY");
    if (login->password_user)
        return refuse(call, 401, "SESSION_PASSWORD_NEEDED");
    if (login->state == KEY_REVOKED)
        return refuse(call, 401, "SESSION_REVOKED");
    if (login->state == KEY_EXPIRED)
        return refuse(call, 401, "SESSION_EXPIRED");
    return refuse(call, 401, "AUTH_KEY_UNREGISTERED");
}

static bool gate_init(struct call *call)
{
    const struct authorization *key = call->session->auth;
    if (call->ctor->symbol == C_auth_bindTempAuthKey)
        return true;
    if (!key->layer)
        return refuse(call, 400, "CONNECTION_LAYER_INVALID");
    return key->inited || refuse(call, 400, "CONNECTION_NOT_INITED");
}

/* account.getPassword is open to who has yet to give one; of who is logged in it wants the same as
 * any other. */
static bool needs_account(const struct call *call)
{
    return call->r.self &&
           (!(call->method->flags & METHOD_OPEN) || call->ctor->symbol == C_account_getPassword);
}

bool call_gate(struct call *call)
{
    if (!call->method) {
        log_event(&call->r.sandbox->log, LOG_WARN, "method_not_in_sandbox",
                  log_str("method", call->ctor->name));
        return refuse(call, 400, "METHOD_INVALID");
    }
    if (!gate_init(call) || !gate_key(call))
        return false;
    return !needs_account(call) || (gate_account(call) && gate_home(call));
}
