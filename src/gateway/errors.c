/* SPDX-License-Identifier: MIT */
#include "gateway/errors.h"

#include "gateway/route.h"

struct known_error {
    const char *name; /* without its number */
    int status;
    const char *sentence;
};

/* Names whose status a rule below would get wrong, or that deserve a sentence. */
static const struct known_error known[] = {
    /* The session. */
    {"AUTH_KEY_UNREGISTERED", 401,
     "Telegram does not know this session: it was logged out or never logged in. Log in again."},
    {"AUTH_KEY_INVALID", 401, "Telegram refuses the key of this session. Log in again."},
    {"AUTH_KEY_PERM_EMPTY", 401,
     "The key of this session is not bound to an account. Log in again."},
    {"AUTH_KEY_DUPLICATED", 401,
     "This session was used from two places at once, so Telegram ended it. Log in again, and give "
     "each program a session of its own."},
    {"SESSION_REVOKED", 401, "This session was ended from another device. Log in again."},
    {"SESSION_EXPIRED", 401, "This session has expired. Log in again."},
    {"USER_DEACTIVATED", 401,
     "This account was deleted or deactivated. Its phone number can sign up anew."},
    {"USER_DEACTIVATED_BAN", 401,
     "This account was banned by Telegram. Appeal to recover@telegram.org."},
    {"SESSION_PASSWORD_NEEDED", 401,
     "This account is protected with a password: verify_password is the next step."},
    {"ACTIVE_USER_REQUIRED", 401, "This method needs an account that is logged in."},
    /* The login. */
    {"PHONE_NUMBER_INVALID", 400, "The phone number is not valid."},
    {"PHONE_NUMBER_BANNED", 403, "This phone number is banned from Telegram."},
    {"PHONE_NUMBER_UNOCCUPIED", 400, "No account uses this phone number."},
    {"PHONE_NUMBER_FLOOD", 429, "Too many codes were asked for this number. Try again tomorrow."},
    {"PHONE_PASSWORD_FLOOD", 429, "Too many logins were tried with this number. Try again later."},
    {"PHONE_CODE_INVALID", 400, "The code is wrong."},
    {"PHONE_CODE_EMPTY", 400, "The code is missing."},
    {"PHONE_CODE_EXPIRED", 400, "The code has expired: ask for a new one."},
    {"PHONE_CODE_HASH_EMPTY", 400, "This login was not begun: send_code is the first step."},
    {"PASSWORD_HASH_INVALID", 400, "The password is wrong."},
    {"PASSWORD_EMPTY", 400, "This account has no password to recover."},
    {"PASSWORD_RECOVERY_NA", 400,
     "This password has no recovery e-mail: it can be reset in an official app only."},
    {"PASSWORD_RECOVERY_EXPIRED", 400, "The recovery code has expired: ask for a new one."},
    {"CODE_INVALID", 400, "The code is wrong."},
    {"CODE_EMPTY", 400, "The code is missing."},
    {"EMAIL_INVALID", 400, "The e-mail address is not valid."},
    {"EMAIL_HASH_EXPIRED", 400, "The code has expired: ask for a new one."},
    {"EMAIL_VERIFY_EXPIRED", 400, "The code has expired: ask for a new one."},
    {"ACCESS_TOKEN_INVALID", 400, "The bot token is not valid."},
    {"ACCESS_TOKEN_EXPIRED", 400, "The bot token was revoked: ask @BotFather for the new one."},
    {"API_ID_INVALID", 400, "The combination of api_id and api_hash is not valid."},
    {"CONNECTION_API_ID_INVALID", 400, "This api_id is not valid."},
    {"API_ID_PUBLISHED_FLOOD", 429,
     "This api_id is public knowledge and may not be used. Get your own."},
    {"SEND_CODE_UNAVAILABLE", 429, "Every way to send the code was used up. Try again later."},
    {"UPDATE_APP_TO_LOGIN", 403, "Telegram asks for a newer app to log in with."},
    {"AUTH_RESTART", 503, "Telegram asks to begin this login again: send_code."},
    {"AUTH_TOKEN_EXPIRED", 400, "The QR code has expired: begin again."},
    {"AUTH_TOKEN_ALREADY_ACCEPTED", 400, "The QR code was used before: begin again."},
    {"FRESH_RESET_AUTHORISATION_FORBIDDEN", 403,
     "A session may end others only once it is a day old."},
    {"FIRSTNAME_INVALID", 400, "The first name is not valid."},
    {"LASTNAME_INVALID", 400, "The last name is not valid."},
    /* Peers and messages that are not there. */
    {"PEER_ID_INVALID", 404, "There is no such chat or user, or this account cannot see it."},
    {"CHAT_ID_INVALID", 404, "There is no such chat."},
    {"CHANNEL_INVALID", 404,
     "There is no such channel or supergroup, or this account cannot see it."},
    {"CHANNEL_ID_INVALID", 404, "There is no such channel or supergroup."},
    {"USER_ID_INVALID", 404, "There is no such user, or this account has not met them."},
    {"USERNAME_NOT_OCCUPIED", 404, "Nobody has this username."},
    {"USERNAME_INVALID", 400, "This is not a valid username."},
    {"PHONE_NOT_OCCUPIED", 404, "No account uses this phone number."},
    {"MESSAGE_ID_INVALID", 404, "There is no such message."},
    {"MSG_ID_INVALID", 404, "There is no such message."},
    {"REPLY_MESSAGE_ID_INVALID", 404, "The message to reply to does not exist."},
    {"USER_DELETED", 404, "This account was deleted."},
    {"UNKNOWN_METHOD", 404, "Telegram does not know this method."},
    {"METHOD_INVALID", 404, "Telegram does not know this method."},
    {"INPUT_METHOD_INVALID", 404, "Telegram does not know this method in this layer."},
    /* What is not allowed. */
    {"CHANNEL_PRIVATE", 403, "The channel is private, or this account was removed from it."},
    {"CHAT_WRITE_FORBIDDEN", 403, "This account may not write in this chat."},
    {"CHAT_ADMIN_REQUIRED", 403, "This needs administrator rights in the chat."},
    {"MESSAGE_AUTHOR_REQUIRED", 403, "Only the author may edit this message."},
    {"MESSAGE_DELETE_FORBIDDEN", 403, "This account may not delete that message."},
    {"USER_PRIVACY_RESTRICTED", 403, "The user's privacy settings do not allow this."},
    {"YOUR_PRIVACY_RESTRICTED", 403, "The privacy settings of this account do not allow this."},
    {"USER_BANNED_IN_CHANNEL", 403,
     "This account is banned from sending to supergroups and channels."},
    {"USER_NOT_PARTICIPANT", 403, "This account is not a member of the chat."},
    {"USER_IS_BLOCKED", 403, "The user has blocked this account."},
    {"YOU_BLOCKED_USER", 403, "This account has blocked the user."},
    {"USER_BLOCKED", 403, "The user is blocked."},
    {"USER_RESTRICTED", 403, "Telegram limits this account for spam."},
    {"USER_KICKED", 403, "The user was removed from the chat."},
    {"CHANNEL_BANNED", 403, "The channel is banned."},
    {"CHAT_RESTRICTED", 403, "This account may not send to this chat."},
    {"CHAT_FORWARDS_RESTRICTED", 403, "Messages of this chat may not be forwarded."},
    {"CHAT_GUEST_SEND_FORBIDDEN", 403, "Join the discussion group before writing here."},
    {"PREMIUM_ACCOUNT_REQUIRED", 403, "This needs Telegram Premium."},
    {"USERPIC_PRIVACY_REQUIRED", 403, "The privacy settings of this account do not allow this."},
    {"PARTICIPANT_JOIN_MISSING", 403, "Join the chat first."},
    {"ALLOW_PAYMENT_REQUIRED", 403, "This user takes messages only for Telegram Stars."},
    {"BOT_METHOD_INVALID", 403, "A bot may not use this method: log in as a user."},
    {"USER_BOT_REQUIRED", 403, "Only a bot may use this method."},
    {"FROZEN_METHOD_INVALID", 403,
     "Telegram froze this account for breaking its rules: it may read, but not do this. Appeal in "
     "an official app."},
    {"FROZEN_PARTICIPANT_MISSING", 403,
     "Telegram froze this account for breaking its rules, and it is not a member of this chat. "
     "Appeal in an official app."},
    {"PEER_FLOOD", 429, "Telegram limits this account for writing to too many strangers."},
    /* Requests. */
    {"MESSAGE_TOO_LONG", 400, "The message is too long."},
    {"MESSAGE_EMPTY", 400, "The message is empty."},
    {"MESSAGE_NOT_MODIFIED", 400, "The message is the same as before."},
    {"MESSAGE_EDIT_TIME_EXPIRED", 400, "The message is too old to be edited."},
    {"MEDIA_CAPTION_TOO_LONG", 400, "The caption is too long."},
    {"ENTITY_BOUNDS_INVALID", 400, "An entity lies outside of the text."},
    {"INVITE_HASH_EXPIRED", 400, "The invite link has expired."},
    {"INVITE_HASH_INVALID", 400, "The invite link is not valid."},
    {"INVITE_HASH_EMPTY", 400, "The invite link is empty."},
    {"INVITE_REQUEST_SENT", 409,
     "A request to join was sent before; an administrator has to accept it."},
    {"USERS_TOO_MUCH", 400, "The chat is full."},
    {"CHANNELS_TOO_MUCH", 400, "This account is in too many channels and supergroups."},
    {"INPUT_USER_DEACTIVATED", 400, "The user was deleted."},
    {"PREMIUM_SUB_ACTIVE_UNTIL", 400, "The account has Telegram Premium already."},
    {"RANDOM_ID_DUPLICATE", 409,
     "The message of this Idempotency-Key was sent before and cannot be found any more."},
    /* Telegram's own trouble. */
    {"MSG_WAIT_FAILED", 502, "Telegram could not finish a request that this one waited for."},
    {"TIMEOUT", 504, "Telegram did not answer in time."},
    {"TIMEDOUT", 504, "Telegram did not answer in time."},
    {"WORKER_BUSY_TOO_LONG_RETRY", 503, "Telegram is overloaded. Try again."},
    {"AUTH_KEY_UNSYNCHRONIZED", 503,
     "Telegram has not yet heard of this session everywhere. Try again."},
    {"MSGID_DECREASE_RETRY", 503, "Telegram asks to try again."},
    {"MT_SEND_QUEUE_TOO_LONG", 503, "Telegram is overloaded. Try again."},
    {"CONNECTION_NOT_INITED", 502, "Telegram lost the state of the connection."},
    {"CONNECTION_LAYER_INVALID", 502, "Telegram does not speak the layer of the loaded schema."},
};

struct name_rule {
    const char *ending;
    int status;
};
static const struct name_rule rules[] = {
    {"_FORBIDDEN", 403}, {"_NOT_FOUND", 404},        {"_ADMIN_REQUIRED", 403}, {"_RESTRICTED", 403},
    {"_MIGRATE", 502},   {"_PREMIUM_REQUIRED", 403}, {"_TIMEOUT", 504},
};

/* Numbers that are a time to wait. */
static const char *const wait_endings[] = {
    "_WAIT", "_INIT_DELAY", "_TOO_FRESH", "_TOO_EARLY", "_SEND_FLOOD_MONTHLY", "_SEND_FLOOD_WEEKLY",
};

static bool ends_with(struct slice name, const char *ending)
{
    size_t len = strlen(ending);
    return name.len >= len && memcmp(name.data + name.len - len, ending, len) == 0;
}

struct slice error_base(struct slice name, int64_t *number)
{
    size_t digits = 0;
    *number = -1;
    while (digits < name.len && name.data[name.len - 1 - digits] >= '0' &&
           name.data[name.len - 1 - digits] <= '9')
        digits++;
    size_t base_len = name.len - digits;
    if (digits == 0 || base_len < 2 || name.data[base_len - 1] != '_')
        return name;
    if (!slice_to_i64(slice_of(name.data + base_len, digits), number))
        *number = -1;
    return slice_of(name.data, base_len - 1);
}

/* A wait of zero still is one: never answer "retry after nothing". Telegram's are 32-bit; what is
 * longer must not overflow where waits are added up. */
static int64_t bounded_wait_s(int64_t number, int64_t unit_s)
{
    return number > INT32_MAX / unit_s ? INT32_MAX : number > 0 ? number * unit_s : 1;
}

int64_t error_wait_s(struct slice name)
{
    static const char minutes[] = "MIN"; /* "…_ACTIVE_WAIT_5MIN": the one that is not in seconds */
    size_t tail = ends_with(name, minutes) ? sizeof minutes - 1 : 0;
    int64_t number;
    struct slice base = error_base(slice_of(name.data, name.len - tail), &number);
    int64_t unit_s = tail > 0 ? 60 : 1;
    for (size_t i = 0; number >= 0 && i < sizeof wait_endings / sizeof *wait_endings; i++)
        if (ends_with(base, wait_endings[i]))
            return bounded_wait_s(number, unit_s);
    return 0;
}

int32_t error_migrate_dc(struct slice name)
{
    int64_t number;
    struct slice base = error_base(name, &number);
    bool moves = slice_is(base, "PHONE_MIGRATE") || slice_is(base, "USER_MIGRATE") ||
                 slice_is(base, "NETWORK_MIGRATE");
    return moves && number > 0 && number <= INT32_MAX ? (int32_t)number : 0;
}

static int status_of_code(int code)
{
    switch (code) {
    case 400:
    case 401:
    case 403:
    case 404:
        return code;
    case 406: /* "not acceptable": about the request or the account, told by name */
        return 400;
    case 420: /* limits without a number of seconds */
        return 429;
    case -503:
        return 504;
    default:
        return 502;
    }
}

static const struct known_error *find_known(struct slice base)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (slice_is_nocase(base, known[i].name))
            return &known[i];
    }
    return NULL;
}

static int status_by_rule(struct slice base, int code)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (ends_with(base, rules[i].ending))
            return rules[i].status;
    }
    return status_of_code(code);
}

/* A name is a few English words: "CHAT_ABOUT_TOO_LONG" -> "chat about too long". */
static const char *sentence_of(struct arena *a, struct slice name)
{
    char *words = arena_strdup(a, name);
    for (char *at = words; at && *at; at++)
        *at = *at == '_' ? ' ' : *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
    return arena_printf(a, "Telegram refused the request: %s.", words);
}

struct call_error error_from_telegram(struct arena *a, int code, struct slice name)
{
    int64_t number;
    struct slice base = error_base(name, &number);
    struct call_error e = {
        .telegram = true, .code = arena_strdup(a, name), .wait_s = error_wait_s(name)};
    const struct known_error *k = find_known(base);
    if (e.wait_s > 0) {
        e.status = 429;
        e.detail = arena_printf(a, "Telegram asks to wait %lld second%s before trying again.",
                                (long long)e.wait_s, e.wait_s == 1 ? "" : "s");
    } else if (k) {
        e.status = k->status;
        e.detail = k->sentence;
    } else {
        e.status = status_by_rule(base, code);
        e.detail = sentence_of(a, name);
    }
    return e;
}

/* ---- which parameter it is about ---- */

/* Errors that are about one parameter, whatever route meets them. Of several names a route has at
 * most one. */
static const struct {
    const char *name; /* without its number */
    const char *fields[3];
} blames[] = {
    {"PHONE_NUMBER_INVALID", {"phone"}},
    {"PHONE_NUMBER_BANNED", {"phone"}},
    {"PHONE_NUMBER_FLOOD", {"phone"}},
    {"PHONE_PASSWORD_FLOOD", {"phone"}},
    {"PHONE_CODE_INVALID", {"code"}},
    {"PHONE_CODE_EMPTY", {"code"}},
    {"PHONE_CODE_EXPIRED", {"code"}},
    {"CODE_INVALID", {"code"}},
    {"CODE_EMPTY", {"code"}},
    {"EMAIL_HASH_EXPIRED", {"code"}},
    {"EMAIL_VERIFY_EXPIRED", {"code"}},
    {"PASSWORD_RECOVERY_EXPIRED", {"code"}},
    {"EMAIL_INVALID", {"recovery_email"}},
    {"EMAIL_NOT_ALLOWED", {"recovery_email"}},
    {"API_ID_INVALID", {"api_id"}},
    {"CONNECTION_API_ID_INVALID", {"api_id"}},
    {"API_ID_PUBLISHED_FLOOD", {"api_id"}},
    {"ACCESS_TOKEN_INVALID", {"bot_token"}},
    {"ACCESS_TOKEN_EXPIRED", {"bot_token"}},
    {"FIRSTNAME_INVALID", {"first_name"}},
    {"LASTNAME_INVALID", {"last_name"}},
    {"HASH_INVALID", {"hash"}},
    {"PEER_ID_INVALID", {"chat_id"}},
    {"CHAT_ID_INVALID", {"chat_id"}},
    {"CHANNEL_INVALID", {"chat_id"}},
    {"CHANNEL_ID_INVALID", {"chat_id"}},
    {"INVITE_HASH_EMPTY", {"group_identifier", "chat_id"}},
    {"INVITE_HASH_EXPIRED", {"group_identifier", "chat_id"}},
    {"INVITE_HASH_INVALID", {"group_identifier", "chat_id"}},
    {"MESSAGE_ID_INVALID", {"message_id"}},
    {"MSG_ID_INVALID", {"message_id"}},
    {"MESSAGE_IDS_EMPTY", {"message_ids"}},
    {"REPLY_MESSAGE_ID_INVALID", {"reply_to_message_id"}},
    {"MESSAGE_EMPTY", {"text", "new_text"}},
    {"MESSAGE_TOO_LONG", {"text", "new_text"}},
    {"MEDIA_CAPTION_TOO_LONG", {"text"}},
    {"ENTITY_BOUNDS_INVALID", {"entities"}},
    {"SCHEDULE_DATE_INVALID", {"schedule_date"}},
    {"SCHEDULE_DATE_TOO_LATE", {"schedule_date"}},
};

const char *error_field(const struct call_error *e, const struct route *r)
{
    int64_t number;
    if (e->field || !e->telegram || !r)
        return e->field;
    struct slice base = error_base(slice_str(e->code), &number);
    for (size_t i = 0; i < sizeof blames / sizeof *blames; i++)
        for (size_t k = 0; blames[i].fields[k] && slice_is(base, blames[i].name); k++)
            if (route_has_param(r, blames[i].fields[k]))
                return blames[i].fields[k];
    return NULL;
}

void error_body_write(struct buf *out, const struct call_error *e, const char *request_id)
{
    struct json_writer w;
    json_init(&w, out);
    json_object_begin(&w);
    json_field_text(&w, "detail", e->detail);
    json_field_text(&w, "error", e->code);
    if (e->field)
        json_field_text(&w, "field", e->field);
    if (e->wait_s > 0)
        json_field_int(&w, "wait_seconds", e->wait_s);
    json_field_text(&w, "request_id", request_id);
    json_object_end(&w);
}
