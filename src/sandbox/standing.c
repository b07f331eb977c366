/* SPDX-License-Identifier: MIT
 * The states of accounts, in one table. https://core.telegram.org/api/errors */
#include "sandbox/standing.h"

#include "sandbox/chat.h"

/* ---- frozen ---- */

bool frozen_may_call(const char *method)
{
    static const char *const globs[] = {
        "*.get*",
        "auth.*",
        "account.updateStatus",
        "contacts.resolve*",
        "contacts.search",
        "help.*",
        "langpack.*",
        "messages.search*",
        "messages.checkChatInvite",
        "updates.*",
    };
    for (size_t i = 0; i < sizeof globs / sizeof *globs; i++)
        if (glob_match(globs[i], method))
            return true;
    return false;
}

static bool is_stranger(const struct request *r, const struct tl_object *peer)
{
    const struct chat *c = world_chat(r->world, peer_of_channel(tl_int(peer, F_channel_id)));
    return c && !chat_has(c, r->self->id);
}

bool frozen_is_stranger(const struct request *r)
{
    switch (r->query->ctor->symbol) {
    case C_channels_getMessages:
    case C_updates_getChannelDifference:
        return is_stranger(r, tl_obj(r->query, F_channel));
    case C_messages_getHistory:
        return is_stranger(r, tl_obj(r->query, F_peer));
    case C_messages_getPeerDialogs:
        for (uint32_t i = 0; i < tl_count(r->query, F_peers); i++)
            if (is_stranger(r, tl_obj(tl_item_obj(r->query, F_peers, i), F_peer)))
                return true;
        return false;
    default:
        return false;
    }
}

/* ---- states ---- */

const char *standing_refuses_code(const struct user *user, int *code)
{
    *code = 400;
    switch (user->account->standing) {
    case ACCOUNT_BANNED:
        return "PHONE_NUMBER_BANNED";
    case ACCOUNT_PHONE_FLOOD:
        return "PHONE_NUMBER_FLOOD";
    case ACCOUNT_PASSWORD_FLOOD:
        *code = 406;
        return "PHONE_PASSWORD_FLOOD";
    case ACCOUNT_GOOD:
    case ACCOUNT_FROZEN:
        break;
    }
    return NULL;
}

/* What a state does to the account, and to the keys that are logged in to it. */
static const struct state {
    const char *name;
    enum { SETS_STANDING, ENDS_KEYS, DELETES_ACCOUNT } does;
    enum account_standing standing;
    enum key_state key;
} states[] = {
    {"good", SETS_STANDING, ACCOUNT_GOOD, KEY_LIVE},
    {"frozen", SETS_STANDING, ACCOUNT_FROZEN, KEY_LIVE},
    {"banned", SETS_STANDING, ACCOUNT_BANNED, KEY_LIVE},
    {"phone_flood", SETS_STANDING, ACCOUNT_PHONE_FLOOD, KEY_LIVE},
    {"password_flood", SETS_STANDING, ACCOUNT_PASSWORD_FLOOD, KEY_LIVE},
    {"deactivated", DELETES_ACCOUNT, ACCOUNT_GOOD, KEY_LIVE},
    {"revoked", ENDS_KEYS, ACCOUNT_GOOD, KEY_REVOKED},
    {"expired", ENDS_KEYS, ACCOUNT_GOOD, KEY_EXPIRED},
    {"unregistered", ENDS_KEYS, ACCOUNT_GOOD, KEY_LIVE},
    {"duplicated", ENDS_KEYS, ACCOUNT_GOOD, KEY_DUPLICATED},
};

static void end_keys(struct sandbox *s, const struct user *user, enum key_state state)
{
    while (user->account->logins) {
        struct authorization *a = user->account->logins;
        login_end(s, a, false);
        a->state = state;
    }
}

bool standing_set(struct sandbox *s, struct user *user, struct slice name)
{
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (!slice_is(name, states[i].name))
            continue;
        if (states[i].does == SETS_STANDING) {
            user->account->standing = states[i].standing;
            user->account->standing_since_s = (int32_t)clock_unix_s(&s->clock);
        } else if (states[i].does == ENDS_KEYS) {
            end_keys(s, user, states[i].key);
        } else {
            world_delete_account(s->world, user);
        }
        return true;
    }
    return false;
}
