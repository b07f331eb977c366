/* SPDX-License-Identifier: MIT
 * auth.importBotAuthorization, and what makes a bot. */
#include "sandbox/bots.h"

#include <sodium.h>
#include <stdio.h>

#include "sandbox/login.h"
#include "sandbox/methods.h"
#include "sandbox/username.h"

enum { BOT_SECRET_BYTES = 26 }; /* 35 characters of base64 */

/* ---- making one ---- */

bool bot_enable(struct user *u, int32_t home_dc)
{
    if (!u->account)
        u->account = account_new(u, home_dc);
    u->flags |= USER_BOT;
    return u->account != NULL;
}

static bool ends_in_bot(struct slice name)
{
    return name.len > 3 && (name.data[name.len - 3] | 0x20) == 'b' &&
           (name.data[name.len - 2] | 0x20) == 'o' && (name.data[name.len - 1] | 0x20) == 't';
}

struct user *bot_add(struct world *w, struct slice username, int32_t home_dc, const char **why)
{
    *why = ends_in_bot(username) ? username_error(w, 0, username) : "a bot's username ends in bot";
    if (*why)
        return NULL;
    struct user *u = world_add_user(w, slice_str(""), username, slice_str(""), home_dc);
    if (u && bot_enable(u, home_dc) && world_set_username(w, u->id, username))
        return u;
    *why = "no memory";
    return NULL;
}

void bot_revoke(struct user *bot)
{
    bot->account->token_serial++;
}

/* ---- tokens ---- */

static void token_of(const struct world *w, const struct user *bot, uint32_t serial,
                     char out[static BOT_TOKEN_CHARS_MAX + 1])
{
    uint8_t secret[BOT_SECRET_BYTES];
    int64_t message[2] = {bot->id, serial};
    crypto_generichash(secret, sizeof secret, (const unsigned char *)message, sizeof message,
                       w->hash_secret, sizeof w->hash_secret);
    int n = snprintf(out, BOT_TOKEN_CHARS_MAX + 1, "%lld:", (long long)bot->id);
    sodium_bin2base64(out + n, BOT_SECRET_CHARS + 1, secret, sizeof secret,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(secret, sizeof secret);
}

void bot_token(const struct world *w, const struct user *bot,
               char out[static BOT_TOKEN_CHARS_MAX + 1])
{
    token_of(w, bot, bot->account->token_serial, out);
}

static bool token_is(const struct world *w, const struct user *bot, uint32_t serial,
                     struct slice given)
{
    char token[BOT_TOKEN_CHARS_MAX + 1];
    token_of(w, bot, serial, token);
    bool same = given.len == strlen(token) && sodium_memcmp(token, given.data, given.len) == 0;
    sodium_memzero(token, sizeof token);
    return same;
}

/* The bot that the token names, whether or not the token is good. */
static struct user *token_bot(const struct world *w, struct slice token)
{
    const uint8_t *colon = token.len ? memchr(token.data, ':', token.len) : NULL;
    int64_t id;
    if (!colon || !slice_to_i64(slice_of(token.data, (size_t)(colon - token.data)), &id))
        return NULL;
    struct user *u = world_user(w, id);
    return u && (u->flags & USER_BOT) && u->account ? u : NULL;
}

/* ---- logging in ---- */

static struct tl_value import_bot(struct request *r)
{
    struct slice token = tl_text(r->query, F_bot_auth_token);
    if (!api_pair_good(r))
        return fail(r, r->error_code, r->error_text);
    struct user *bot = token_bot(r->world, token);
    if (!bot)
        return fail(r, 400, "ACCESS_TOKEN_INVALID");
    uint32_t serial = bot->account->token_serial;
    if (!token_is(r->world, bot, serial, token)) {
        while (serial > 0)
            if (token_is(r->world, bot, --serial, token))
                return fail(r, 400, "ACCESS_TOKEN_EXPIRED");
        return fail(r, 400, "ACCESS_TOKEN_INVALID");
    }
    int32_t home = sandbox_dc_of(r->sandbox, bot->account->home_dc);
    if (home != r->auth->dc)
        return fail(r, 303, arena_printf(r->arena, "USER_MIGRATE_%d", home));
    return login_complete(r, bot);
}

/* ---- what a bot may call ---- */

bool bot_may_call(const char *method)
{
    static const char *const globs[] = {
        "auth.bindTempAuthKey",
        "auth.dropTempAuthKeys",
        "auth.exportAuthorization",
        "auth.importAuthorization",
        "auth.importBotAuthorization",
        "auth.logOut",
        "channels.deleteMessages",
        "channels.editAdmin",
        "channels.editBanned",
        "channels.editTitle",
        "channels.getChannels",
        "channels.getFullChannel",
        "channels.getMessages",
        "channels.getParticipant*",
        "channels.leaveChannel",
        "contacts.resolveUsername",
        "help.getCdnConfig",
        "help.getConfig",
        "messages.deleteChatUser",
        "messages.deleteMessages",
        "messages.editChatAbout",
        "messages.editChatDefaultBannedRights",
        "messages.editChatTitle",
        "messages.editExportedChatInvite",
        "messages.editMessage",
        "messages.exportChatInvite",
        "messages.forwardMessages",
        "messages.getChats",
        "messages.getFullChat",
        "messages.getMessages",
        "messages.hideChatJoinRequest",
        "messages.sendM*",
        "messages.setTyping",
        "messages.unpinAllMessages",
        "messages.updatePinnedMessage",
        "messages.uploadMedia",
        "photos.getUserPhotos",
        "updates.*",
        "upload.*",
        "users.getFullUser",
        "users.getUsers",
    };
    for (size_t i = 0; i < sizeof globs / sizeof *globs; i++)
        if (glob_match(globs[i], method))
            return true;
    return false;
}

static const struct method methods[] = {
    {C_auth_importBotAuthorization, METHOD_OPEN, import_bot},
};
const struct method_table bots_methods = {methods, sizeof methods / sizeof *methods};
