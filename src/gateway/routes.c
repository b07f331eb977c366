/* SPDX-License-Identifier: MIT
 * The table of routes: what there is, what it takes, what it answers. */
#include <zlib.h>

#include "gateway/file_answer.h"
#include "gateway/handlers.h"
#include "gateway/route.h"
#include "telegram/names.h"
#include "telegram/upload_media.h"

enum {
    TEXT_CHARACTERS_MAX = 32768, /* Telegram takes 4,096 after formatting; markup comes on top */
    NAME_CHARACTERS_MAX = 64,
    PASSWORD_CHARACTERS_MAX = 1024,
    STRING_CHARACTERS_MAX = 4096 + 8, /* what fits into a header */
    HINT_CHARACTERS_MAX = 255,
    QR_WAIT_MAX_S =
        60, /* proxies give up on longer ones; the gateway's own deadline cuts it, too */
    LIMIT_MESSAGES_MAX = 1000,
    LIMIT_CHATS_MAX = 10000,
    DELETE_IDS_MAX = 1000,
    EXPIRES_IN_MAX_S = 10 * 366 * 24 * 3600, /* ten years are as good as never */
};

static const char *const import_formats[] = {"auto",   "telethon", "pyrogram", "gramjs",
                                             "mtcute", "tgrest",   NULL};
static const char *const export_formats[] = {"telethon", "pyrogram", "gramjs",
                                             "mtcute",   "tgrest",   NULL};
static const char *const parse_modes[] = {"markdown", "html", "none", NULL};

/* One entry reads better in a few lines than in ten. */
/* clang-format off */

/* ---- parameters that several routes have ---- */

#define CHAT_ID(place_, name_, text_)                                                              \
    {.name = (name_), .place = (place_), .type = PARAM_CHAT_ID, .required = true, .max = 512,      \
     .min = 1, .text = (text_), .example = "@echo"}
#define PARSE_MODE(place_)                                                                         \
    {.name = "parse_mode", .place = (place_), .type = PARAM_STRING, .choices = parse_modes,        \
     .default_text = "markdown", .text = "How the text is written: markdown (Telethon's), html or none"}
#define MESSAGE_ID(name_, required_, text_)                                                        \
    {.name = (name_), .place = PARAM_BODY, .type = PARAM_INT, .required = (required_), .min = 1,   \
     .max = INT32_MAX, .text = (text_)}
#define ENTITIES                                                                                   \
    {.name = "entities", .place = PARAM_BODY, .type = PARAM_JSON,                                  \
     .text = "Formatting of the text, in place of parse_mode; offsets count UTF-16 units"}
#define FLAG(place_, name_, default_, text_)                                                       \
    {.name = (name_), .place = (place_), .type = PARAM_BOOL, .default_text = (default_), .text = (text_)}

static const char chat_id_text[] =
    "Marked id, @username, t.me link, +phone of a contact, me, invite link, or a ref from an answer";

#define API_ID                                                                                     \
    {.name = "api_id", .place = PARAM_BODY, .type = PARAM_INT, .required = true, .min = 1,         \
     .max = INT32_MAX, .text = "Your application's id, from my.telegram.org"}
#define API_HASH                                                                                   \
    {.name = "api_hash", .place = PARAM_BODY, .type = PARAM_STRING, .required = true, .min = 1,    \
     .max = SESSION_API_HASH_MAX, .text = "Your application's hash"}
#define PASSWORD(name_, required_, text_)                                                          \
    {.name = (name_), .place = PARAM_BODY, .type = PARAM_STRING, .required = (required_),          \
     .min = 1, .max = PASSWORD_CHARACTERS_MAX, .text = (text_)}
#define HINT                                                                                       \
    {.name = "hint", .place = PARAM_BODY, .type = PARAM_STRING, .max = HINT_CHARACTERS_MAX,        \
     .text = "Shown to whoever is asked for the password"}
#define CODE(required_, text_)                                                                     \
    {.name = "code", .place = PARAM_BODY, .type = PARAM_STRING, .required = (required_), .min = 1, \
     .max = 32, .text = (text_)}

static const struct param send_code_params[] = {
    {.name = "phone", .place = PARAM_BODY, .type = PARAM_STRING, .required = true, .min = 3,
     .max = SESSION_PHONE_MAX, .text = "Phone number in international form"},
    API_ID,
    API_HASH,
    {.name = "logout_token", .place = PARAM_BODY, .type = PARAM_STRING, .min = 1, .max = 1024,
     .text = "From an earlier DELETE /auth/logout: may spare the code"},
};

static const struct param verify_code_params[] = {
    CODE(true, "The code that Telegram sent"),
    {.name = "first_name", .place = PARAM_BODY, .type = PARAM_STRING, .max = NAME_CHARACTERS_MAX,
     .text = "For a number without an account: sign up with this name"},
    {.name = "last_name", .place = PARAM_BODY, .type = PARAM_STRING, .max = NAME_CHARACTERS_MAX,
     .text = "Likewise"},
};

static const struct param verify_password_params[] = {
    PASSWORD("password", true, "The 2FA password"),
};

static const struct param bot_params[] = {
    {.name = "bot_token", .place = PARAM_BODY, .type = PARAM_STRING, .required = true, .min = 1,
     .max = 256, .text = "From @BotFather"},
    API_ID,
    API_HASH,
};

static const struct param qr_params[] = {API_ID, API_HASH};

static const struct param qr_wait_params[] = {
    {.name = "timeout", .place = PARAM_QUERY, .type = PARAM_INT, .max = QR_WAIT_MAX_S,
     .default_text = "20", .text = "Seconds to wait for the code to be scanned, at most"},
};

static const struct param password_put_params[] = {
    PASSWORD("current_password", false, "The 2FA password as it is, where there is one"),
    PASSWORD("new_password", false, "What it is to be"),
    HINT,
    {.name = "recovery_email", .place = PARAM_BODY, .type = PARAM_STRING, .min = 3, .max = 254,
     .text = "Where a forgotten password can be recovered: a code is sent there first"},
};

static const struct param password_delete_params[] = {
    PASSWORD("current_password", true, "The 2FA password"),
};

static const struct param confirm_email_params[] = {
    CODE(true, "The code that was sent to the recovery e-mail"),
};

static const struct param recover_params[] = {
    CODE(false, "The code that was sent to the recovery e-mail; without it, one is sent"),
    PASSWORD("new_password", false, "The 2FA password from now on; without it there is none"),
    HINT,
};

static const struct param sessions_delete_params[] = {
    {.name = "hash", .place = PARAM_BODY, .type = PARAM_STRING, .min = 1, .max = 20,
     .text = "Which one, from GET /auth/sessions; without it, all others"},
};

static const struct param import_params[] = {
    {.name = "string", .place = PARAM_BODY, .type = PARAM_STRING, .required = true, .min = 1,
     .max = STRING_CHARACTERS_MAX, .text = "The session string"},
    {.name = "format", .place = PARAM_BODY, .type = PARAM_STRING, .choices = import_formats,
     .default_text = "auto", .text = "Which program wrote it"},
    {.name = "api_id", .place = PARAM_BODY, .type = PARAM_INT, .min = 1, .max = INT32_MAX,
     .text = "Your application's id, where the string does not say it"},
    {.name = "api_hash", .place = PARAM_BODY, .type = PARAM_STRING, .min = 1,
     .max = SESSION_API_HASH_MAX, .text = "Your application's hash, likewise"},
    FLAG(PARAM_BODY, "check", "true", "Ask Telegram whether it is alive, and whose it is"),
};

static const struct param export_params[] = {
    {.name = "format", .place = PARAM_BODY, .type = PARAM_STRING, .required = true,
     .choices = export_formats, .text = "Which program is to read it"},
};

static const struct param restrict_params[] = {
    FLAG(PARAM_BODY, "read_only", "false", "Nothing may be changed with it"),
    {.name = "chats", .place = PARAM_BODY, .type = PARAM_JSON,
     .text = "List of chat_ids: no other chat may be touched with it"},
    {.name = "routes", .place = PARAM_BODY, .type = PARAM_JSON,
     .text = "List of routes as they stand here (\"POST /messages/send\"): no other may be called with it"},
    {.name = "expires_in", .place = PARAM_BODY, .type = PARAM_INT, .min = 1, .max = EXPIRES_IN_MAX_S,
     .text = "Seconds from now until it ends"},
    {.name = "expires_at", .place = PARAM_BODY, .type = PARAM_DATE, .text = "The same as a time"},
};

static const struct param chats_params[] = {
    {.name = "limit", .place = PARAM_QUERY, .type = PARAM_INT, .max = LIMIT_CHATS_MAX,
     .default_text = "100", .text = "How many chats at most; 0 = all"},
    {.name = "offset", .place = PARAM_QUERY, .type = PARAM_STRING, .max = 512,
     .text = "next_offset of the last answer"},
    FLAG(PARAM_QUERY, "archived", "false", "The archive instead of the main list"),
};

static const struct param messages_params[] = {
    CHAT_ID(PARAM_QUERY, "chat_id", chat_id_text),
    {.name = "limit", .place = PARAM_QUERY, .type = PARAM_INT, .min = 1, .max = LIMIT_MESSAGES_MAX,
     .default_text = "100", .text = "How many messages at most"},
    {.name = "offset_id", .place = PARAM_QUERY, .type = PARAM_INT, .max = INT32_MAX, .default_text = "0",
     .text = "Only messages older than this id: next_offset of the last answer"},
    {.name = "search", .place = PARAM_QUERY, .type = PARAM_STRING, .max = 1024,
     .text = "Only messages with this text"},
    {.name = "from_date", .place = PARAM_QUERY, .type = PARAM_DATE, .text = "Not before this time"},
    {.name = "to_date", .place = PARAM_QUERY, .type = PARAM_DATE, .text = "Not after this time"},
    PARSE_MODE(PARAM_QUERY),
    FLAG(PARAM_QUERY, "with_entities", "false", "Also give the plain text and its entities"),
};

static const struct param send_params[] = {
    CHAT_ID(PARAM_BODY, "chat_id", chat_id_text),
    {.name = "text", .place = PARAM_BODY, .type = PARAM_STRING, .required = true, .min = 1,
     .max = TEXT_CHARACTERS_MAX, .text = "The message"},
    MESSAGE_ID("reply_to_message_id", false, "The message that this one answers"),
    PARSE_MODE(PARAM_BODY),
    ENTITIES,
    FLAG(PARAM_BODY, "silent", "false", "Without a notification"),
    FLAG(PARAM_BODY, "no_webpage", "false", "Without a preview of links"),
};

static const struct param send_with_file_params[] = {
    CHAT_ID(PARAM_BODY, "chat_id", chat_id_text),
    {.name = "file", .place = PARAM_BODY, .type = PARAM_FILE, .required = true, .min = 1,
     .max = ALBUM_FILES_MAX, .text = "The file; several make an album"},
    {.name = "text", .place = PARAM_BODY, .type = PARAM_STRING, .max = TEXT_CHARACTERS_MAX,
     .default_text = "", .text = "The caption"},
    MESSAGE_ID("reply_to_message_id", false, "The message that this one answers"),
    PARSE_MODE(PARAM_BODY),
    ENTITIES,
    FLAG(PARAM_BODY, "force_document", "false", "As a file, whatever it is: not as a photo, video or sound"),
    FLAG(PARAM_BODY, "voice_note", "false", "Sound as a voice message"),
    FLAG(PARAM_BODY, "video_note", "false", "A square video as a round one"),
    FLAG(PARAM_BODY, "spoiler", "false", "Covered until it is clicked"),
    FLAG(PARAM_BODY, "silent", "false", "Without a notification"),
    {.name = "schedule_date", .place = PARAM_BODY, .type = PARAM_DATE, .min = 1, .max = INT32_MAX,
     .text = "When Telegram is to send it; message_id is then that of the scheduled message"},
    {.name = "thumb", .place = PARAM_BODY, .type = PARAM_FILE,
     .text = "Preview of the file: a JPEG of at most 200 KiB, at most 320 pixels wide and high"},
};

#define FILE_HEADER(name_, text_)                                                                  \
    {.name = (name_), .place = PARAM_HEADER, .type = PARAM_STRING, .text = (text_)}
#define FILE_HEADERS                                                                               \
    FILE_HEADER(FILE_HEADER_RANGE, "A part of it: bytes=0-499, bytes=500- or bytes=-500"),          \
    FILE_HEADER(FILE_HEADER_IF_RANGE, "The part only of the file with this ETag, else the whole"),  \
    FILE_HEADER(FILE_HEADER_IF_NONE_MATCH, "304 if the file has this ETag"),                        \
    FILE_HEADER(FILE_HEADER_IF_MODIFIED_SINCE, "304 if the file is not newer")

static const struct param media_params[] = {
    {.name = "message_id", .place = PARAM_PATH, .type = PARAM_INT, .required = true, .min = 1,
     .max = INT32_MAX, .text = "The message", .example = "42"},
    CHAT_ID(PARAM_QUERY, "chat_id", chat_id_text),
    {.name = "thumb", .place = PARAM_QUERY, .type = PARAM_STRING, .max = 16,
     .text = "A preview instead: the letter of a size (s, m, x, y, w, i) or its index, from the end if negative"},
    FILE_HEADERS,
};

static const struct param photo_params[] = {
    {.name = "ref", .place = PARAM_PATH, .type = PARAM_STRING, .required = true, .min = 1, .max = 512,
     .text = "As a photo_url has it", .example = "AAAA"},
    FLAG(PARAM_QUERY, "big", "true", "640 pixels wide instead of 160"),
    FILE_HEADERS,
};

static const struct param edit_params[] = {
    CHAT_ID(PARAM_BODY, "chat_id", chat_id_text),
    MESSAGE_ID("message_id", true, "The message to change"),
    {.name = "new_text", .place = PARAM_BODY, .type = PARAM_STRING, .required = true, .min = 1,
     .max = TEXT_CHARACTERS_MAX, .text = "What it is to say"},
    PARSE_MODE(PARAM_BODY),
    ENTITIES,
    FLAG(PARAM_BODY, "no_webpage", "false", "Without a preview of links"),
};

static const struct param delete_params[] = {
    CHAT_ID(PARAM_BODY, "chat_id", chat_id_text),
    {.name = "message_ids", .place = PARAM_BODY, .type = PARAM_IDS, .required = true, .min = 1,
     .max = DELETE_IDS_MAX, .text = "The messages to delete"},
    FLAG(PARAM_BODY, "revoke", "true", "For everybody, not for this account only"),
};

static const struct param forward_params[] = {
    CHAT_ID(PARAM_BODY, "from_chat_id", "Where the message is"),
    CHAT_ID(PARAM_BODY, "to_chat_id", "Where it goes"),
    MESSAGE_ID("message_id", true, "The message"),
};

static const struct param join_params[] = {
    {.name = "group_identifier", .place = PARAM_BODY, .type = PARAM_STRING, .required = true, .min = 1,
     .max = 512, .text = "@name, name, t.me/name, t.me/+hash, t.me/joinchat/hash or +hash"},
};

static const struct param methods_params[] = {
    {.name = "search", .place = PARAM_QUERY, .type = PARAM_STRING, .max = 100,
     .text = "Only methods whose name has this in it"},
};

static const struct param method_params[] = {
    {.name = "name", .place = PARAM_PATH, .type = PARAM_STRING, .required = true, .min = 1, .max = 128,
     .text = "A method of the schema: messages.getHistory", .example = "users.getUsers"},
};

#define PARAMS(list_) .params = (list_), .n_params = sizeof(list_) / sizeof *(list_)
#define NEEDS(...)                                                                                 \
    .needs = {__VA_ARGS__}, .n_needs = sizeof((uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t)

static const struct route routes[] = {
    {.method = "POST", .path = "/auth/send_code", .summary = "Begin a login: Telegram sends a code",
     PARAMS(send_code_params), .handle = handle_send_code, .session = SESSION_NEED_NONE,
     .scope = SCOPE_WRITE, .answer_schema = "LoginStep", NEEDS(C_auth_sendCode, C_codeSettings),
     .example = "{\"phone\":\"+9996620003\",\"api_id\":1,\"api_hash\":\"0123456789abcdef0123456789abcdef\"}"},
    {.method = "POST", .path = "/auth/verify_code", .summary = "Give the code",
     PARAMS(verify_code_params), .handle = handle_verify_code, .session = SESSION_NEED_LOGIN,
     .scope = SCOPE_WRITE, .answer_schema = "LoginStep", NEEDS(C_auth_signIn, C_auth_signUp),
     .example = "{\"code\":\"22222\"}"},
    {.method = "POST", .path = "/auth/verify_password", .summary = "Give the 2FA password",
     PARAMS(verify_password_params), .handle = handle_verify_password, .session = SESSION_NEED_LOGIN,
     .scope = SCOPE_WRITE, .answer_schema = "LoginStep", NEEDS(C_account_getPassword, C_auth_checkPassword),
     .example = "{\"password\":\"correct horse\"}"},
    {.method = "POST", .path = "/auth/resend_code", .summary = "Have the code sent another way",
     .handle = handle_resend_code, .session = SESSION_NEED_LOGIN, .scope = SCOPE_WRITE,
     .answer_schema = "LoginStep", NEEDS(C_auth_resendCode)},
    {.method = "POST", .path = "/auth/cancel_code", .summary = "Give up a login: its code is void",
     .handle = handle_cancel_code, .session = SESSION_NEED_LOGIN, .scope = SCOPE_WRITE,
     .answer_schema = "Done", NEEDS(C_auth_cancelCode)},
    {.method = "POST", .path = "/auth/bot", .summary = "Log in as a bot", PARAMS(bot_params),
     .handle = handle_bot_login, .session = SESSION_NEED_NONE, .scope = SCOPE_WRITE,
     .answer_schema = "LoginStep", NEEDS(C_auth_importBotAuthorization),
     .example = "{\"bot_token\":\"123456789:AAHxyz\",\"api_id\":1,\"api_hash\":\"0123456789abcdef0123456789abcdef\"}"},
    {.method = "POST", .path = "/auth/qr", .summary = "Begin a login by a QR code", PARAMS(qr_params),
     .handle = handle_qr, .session = SESSION_NEED_NONE, .scope = SCOPE_WRITE,
     .answer_schema = "LoginStep", NEEDS(C_auth_exportLoginToken, C_auth_importLoginToken),
     .example = "{\"api_id\":1,\"api_hash\":\"0123456789abcdef0123456789abcdef\"}"},
    {.method = "GET", .path = "/auth/qr/wait", .summary = "Wait until the QR code is scanned, or another is to be shown",
     PARAMS(qr_wait_params), .handle = handle_qr_wait, .session = SESSION_NEED_LOGIN,
     .scope = SCOPE_WRITE, .answer_schema = "LoginStep",
     NEEDS(C_auth_exportLoginToken, C_auth_importLoginToken)},
    {.method = "GET", .path = "/auth/password", .summary = "What is known of the 2FA password",
     .handle = handle_password_get, .session = SESSION_NEED_FULL, .scope = SCOPE_ACCOUNT,
     .answer_schema = "Password", NEEDS(C_account_getPassword)},
    {.method = "PUT", .path = "/auth/password", .summary = "Set or change the 2FA password, its hint, its recovery e-mail",
     PARAMS(password_put_params), .handle = handle_password_put, .session = SESSION_NEED_FULL,
     .scope = SCOPE_ACCOUNT, .answer_schema = "PasswordChanged",
     NEEDS(C_account_getPassword, C_account_updatePasswordSettings),
     .example = "{\"current_password\":\"correct horse\",\"new_password\":\"battery staple\",\"hint\":\"two words\",\"recovery_email\":\"me@example.org\"}"},
    {.method = "DELETE", .path = "/auth/password", .summary = "Remove the 2FA password",
     PARAMS(password_delete_params), .handle = handle_password_delete, .session = SESSION_NEED_FULL,
     .scope = SCOPE_ACCOUNT, .answer_schema = "PasswordChanged",
     NEEDS(C_account_getPassword, C_account_updatePasswordSettings),
     .example = "{\"current_password\":\"battery staple\"}"},
    {.method = "POST", .path = "/auth/password/confirm_email", .summary = "Give the code that the recovery e-mail got",
     PARAMS(confirm_email_params), .handle = handle_password_confirm_email, .session = SESSION_NEED_FULL,
     .scope = SCOPE_ACCOUNT, .answer_schema = "Done", NEEDS(C_account_confirmPasswordEmail),
     .example = "{\"code\":\"123456\"}"},
    {.method = "POST", .path = "/auth/password/resend_email", .summary = "Send the recovery e-mail another code",
     .handle = handle_password_resend_email, .session = SESSION_NEED_FULL, .scope = SCOPE_ACCOUNT,
     .answer_schema = "Done", NEEDS(C_account_resendPasswordEmail)},
    {.method = "POST", .path = "/auth/password/cancel_email", .summary = "Give up a recovery e-mail that is not confirmed",
     .handle = handle_password_cancel_email, .session = SESSION_NEED_FULL, .scope = SCOPE_ACCOUNT,
     .answer_schema = "Done", NEEDS(C_account_cancelPasswordEmail)},
    {.method = "POST", .path = "/auth/password/recover", .summary = "Recover a forgotten 2FA password by e-mail, also at login",
     PARAMS(recover_params), .handle = handle_password_recover, .session = SESSION_NEED_LOGIN,
     .scope = SCOPE_ACCOUNT, .answer_schema = "LoginStep",
     NEEDS(C_auth_requestPasswordRecovery, C_auth_recoverPassword),
     .example = "{\"code\":\"123456\",\"new_password\":\"battery staple\"}"},
    {.method = "GET", .path = "/auth/sessions", .summary = "Where the account is logged in",
     .handle = handle_sessions_list, .session = SESSION_NEED_FULL, .scope = SCOPE_ACCOUNT,
     .answer_schema = "Sessions", NEEDS(C_account_getAuthorizations)},
    {.method = "DELETE", .path = "/auth/sessions", .summary = "End one of the other sessions, or all of them",
     PARAMS(sessions_delete_params), .handle = handle_sessions_delete, .session = SESSION_NEED_FULL,
     .scope = SCOPE_ACCOUNT, .answer_schema = "Done",
     NEEDS(C_account_resetAuthorization, C_auth_resetAuthorizations),
     .example = "{\"hash\":\"1234567890123456789\"}"},
    {.method = "DELETE", .path = "/auth/logout", .summary = "Log out: the session is dead afterwards",
     .handle = handle_logout, .session = SESSION_NEED_LOGIN, .scope = SCOPE_ACCOUNT,
     .answer_schema = "LoggedOut", NEEDS(C_auth_logOut)},
    {.method = "POST", .path = "/auth/import", .summary = "Take over a session string of another program",
     PARAMS(import_params), .handle = handle_import, .session = SESSION_NEED_IMPORT,
     .scope = SCOPE_ACCOUNT, .answer_schema = "Imported", NEEDS(C_users_getUsers),
     .example = "{\"string\":\"1ApWapzMBu...\",\"format\":\"telethon\",\"api_id\":1,\"api_hash\":\"0123456789abcdef0123456789abcdef\"}"},
    {.method = "POST", .path = "/auth/export", .summary = "Write the session as another program's string",
     PARAMS(export_params), .handle = handle_export, .session = SESSION_NEED_FULL,
     .scope = SCOPE_ACCOUNT, .answer_schema = "Exported", NEEDS(C_users_getUsers),
     .example = "{\"format\":\"telethon\"}"},
    {.method = "POST", .path = "/auth/restrict", .summary = "Make a narrower session string of this one",
     PARAMS(restrict_params), .handle = handle_restrict, .session = SESSION_NEED_FULL,
     .scope = SCOPE_NARROW, .answer_schema = "Restricted", NEEDS(C_users_getUsers), .strict_body = true,
     .example = "{\"read_only\":true,\"chats\":[\"@echo\"],\"expires_in\":86400}"},
    {.method = "GET", .path = "/me", .summary = "The account", .handle = handle_me,
     .session = SESSION_NEED_FULL, .scope = SCOPE_READ, .answer_schema = "User",
     NEEDS(C_users_getFullUser)},
    {.method = "GET", .path = "/chats", .summary = "The account's chats, the latest first",
     PARAMS(chats_params), .handle = handle_chats, .session = SESSION_NEED_FULL, .scope = SCOPE_READ,
     .reach = REACH_CHATS, .answer_schema = "Chats", NEEDS(C_messages_getDialogs)},
    {.method = "GET", .path = "/messages", .summary = "Messages of a chat, the newest first",
     PARAMS(messages_params), .handle = handle_messages, .session = SESSION_NEED_FULL,
     .scope = SCOPE_READ, .reach = REACH_CHATS, .answer_schema = "Messages", NEEDS(C_messages_getHistory, C_messages_search)},
    {.method = "POST", .path = "/messages/send", .summary = "Send a message", PARAMS(send_params),
     .handle = handle_send, .session = SESSION_NEED_FULL, .scope = SCOPE_WRITE,
     .reach = REACH_CHATS, .answer_schema = "SentMessage", NEEDS(C_messages_sendMessage),
     .example = "{\"chat_id\":\"@echo\",\"text\":\"Hello, **world**\"}"},
    {.method = "POST", .path = "/messages/send_with_file", .summary = "Send files",
     PARAMS(send_with_file_params), .handle = handle_send_with_file, .session = SESSION_NEED_FULL,
     .scope = SCOPE_WRITE, .reach = REACH_CHATS, .answer_schema = "SentFiles", .body = BODY_FORM,
     NEEDS(C_messages_sendMedia, C_messages_sendMultiMedia, C_messages_uploadMedia,
           C_inputMediaUploadedPhoto, C_inputMediaUploadedDocument, C_upload_saveFilePart,
           C_upload_saveBigFilePart)},
    {.method = "GET", .path = "/messages/media/{message_id}", .summary = "The photo or file of a message",
     PARAMS(media_params), .handle = handle_media, .session = SESSION_NEED_FULL, .scope = SCOPE_READ,
     .reach = REACH_CHATS, .streams_answer = true,
     NEEDS(C_messages_getMessages, C_upload_getFile)},
    {.method = "GET", .path = "/photos/{ref}", .summary = "The photo of a user or chat: where photo_url leads",
     PARAMS(photo_params), .handle = handle_photo, .session = SESSION_NEED_FULL, .scope = SCOPE_READ,
     .reach = REACH_CHATS, .streams_answer = true,
     NEEDS(C_upload_getFile, C_inputPeerPhotoFileLocation)},
    {.method = "POST", .path = "/messages/edit", .summary = "Change a message", PARAMS(edit_params),
     .handle = handle_edit, .session = SESSION_NEED_FULL, .scope = SCOPE_WRITE,
     .reach = REACH_CHATS, .answer_schema = "SentMessage", NEEDS(C_messages_editMessage),
     .example = "{\"chat_id\":\"@echo\",\"message_id\":42,\"new_text\":\"Hello again\"}"},
    {.method = "DELETE", .path = "/messages/delete", .summary = "Delete messages",
     PARAMS(delete_params), .handle = handle_delete, .session = SESSION_NEED_FULL,
     .scope = SCOPE_WRITE, .reach = REACH_CHATS, .answer_schema = "DeletedMessages",
     NEEDS(C_messages_deleteMessages, C_channels_deleteMessages, C_messages_getMessages),
     .example = "{\"chat_id\":\"@echo\",\"message_ids\":[42,43]}"},
    {.method = "POST", .path = "/messages/forward", .summary = "Forward a message",
     PARAMS(forward_params), .handle = handle_forward, .session = SESSION_NEED_FULL,
     .scope = SCOPE_WRITE, .reach = REACH_CHATS, .answer_schema = "SentMessage", NEEDS(C_messages_forwardMessages),
     .example = "{\"from_chat_id\":\"@echo\",\"to_chat_id\":\"me\",\"message_id\":42}"},
    {.method = "POST", .path = "/groups/join", .summary = "Join a group or channel",
     PARAMS(join_params), .handle = handle_join, .session = SESSION_NEED_FULL, .scope = SCOPE_WRITE,
     .answer_schema = "Joined",
     NEEDS(C_messages_importChatInvite, C_channels_joinChannel, C_contacts_resolveUsername),
     .example = "{\"group_identifier\":\"https://t.me/+PlainInviteLink0\"}"},
    {.method = "GET", .path = "/methods", .summary = "The methods of Telegram's API",
     PARAMS(methods_params), .handle = handle_methods_list, .session = SESSION_NEED_NONE,
     .scope = SCOPE_READ, .answer_schema = "Methods"},
    {.method = "GET", .path = "/methods/{name}", .summary = "What a method takes and answers",
     PARAMS(method_params), .handle = handle_method_get, .session = SESSION_NEED_NONE,
     .scope = SCOPE_READ, .answer_schema = "Method"},
    {.method = "POST", .path = "/methods/{name}", .summary = "Call any method with JSON parameters",
     PARAMS(method_params), .handle = handle_method_call, .session = SESSION_NEED_FULL,
     .scope = SCOPE_METHOD, .answer_schema = "MethodAnswer", .free_body = true,
     .example = "{\"id\":[\"me\"]}"},
    {.method = "GET", .path = "/healthz", .summary = "Is the process alive?", .handle = handle_healthz,
     .session = SESSION_NEED_NONE, .scope = SCOPE_READ, .answer_schema = "Health"},
    {.method = "GET", .path = "/readyz", .summary = "Can it reach a data centre?",
     .handle = handle_readyz, .session = SESSION_NEED_NONE, .scope = SCOPE_READ,
     .answer_schema = "Health"},
    {.method = "GET", .path = "/metrics", .summary = "Counters in Prometheus text form",
     .handle = handle_metrics, .session = SESSION_NEED_NONE, .scope = SCOPE_READ},
    {.method = "GET", .path = "/openapi.json", .summary = "This API as OpenAPI 3.1",
     .handle = handle_openapi, .session = SESSION_NEED_NONE, .scope = SCOPE_READ,
     .answer_schema = "OpenApi"},
};

/* clang-format on */

enum { N_ROUTES = sizeof routes / sizeof *routes };

size_t routes_count(void)
{
    return N_ROUTES;
}

const struct route *route_at(size_t index)
{
    return &routes[index];
}

size_t route_index(const struct route *r)
{
    return (size_t)(r - routes);
}

uint32_t route_code(const struct route *r)
{
    uLong code = crc32(0, (const Bytef *)r->method, (uInt)strlen(r->method));
    return (uint32_t)crc32(code, (const Bytef *)r->path, (uInt)strlen(r->path));
}

const struct route *route_by_name(struct slice name)
{
    for (size_t i = 0; i < N_ROUTES; i++) {
        size_t method = strlen(routes[i].method);
        if (name.len > method && name.data[method] == ' ' &&
            slice_starts_with(name, routes[i].method) &&
            slice_is(slice_of(name.data + method + 1, name.len - method - 1), routes[i].path))
            return &routes[i];
    }
    return NULL;
}

bool route_has_param(const struct route *r, const char *name)
{
    for (size_t i = 0; i < r->n_params; i++)
        if (strcmp(r->params[i].name, name) == 0)
            return true;
    return false;
}

/* ---- matching ---- */

/* The part of s up to the next '/', taken off its front together with it. */
static struct slice take_segment(struct slice *s)
{
    const uint8_t *slash = s->len ? memchr(s->data, '/', s->len) : NULL;
    size_t n = slash ? (size_t)(slash - s->data) : s->len;
    struct slice segment = slice_of(s->data, n);
    *s = slash ? slice_of(slash + 1, s->len - n - 1) : slice_of(s->data + n, 0);
    return segment;
}

/* Does the path fit? {name} parts are stored as they stand. */
static bool path_fits(const struct route *r, struct slice path, struct slice *values,
                      size_t *n_values)
{
    struct slice pattern = slice_str(r->path);
    *n_values = 0;
    if (!memchr(pattern.data, '{', pattern.len))
        return slice_eq(path, pattern);
    while (pattern.len > 0 && path.len > 0) {
        struct slice want = take_segment(&pattern), have = take_segment(&path);
        if (want.len > 0 && want.data[0] == '{' && have.len > 0)
            values[(*n_values)++] = have;
        else if (!slice_eq(want, have))
            return false;
    }
    return pattern.len == 0 && path.len == 0;
}

static bool method_fits(const struct route *r, struct slice method)
{
    return slice_is(method, r->method) ||
           (slice_is(method, "HEAD") && strcmp(r->method, "GET") == 0);
}

static bool decode_values(struct call *c)
{
    for (size_t i = 0; i < c->n_path_values; i++)
        if (!percent_decode(c->arena, c->path_values[i], false, &c->path_values[i]))
            return false;
    return true;
}

static struct slice without_trailing_slash(struct slice path)
{
    if (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    return path;
}

bool route_streams_body(struct slice method, struct slice path)
{
    path = without_trailing_slash(path);
    for (size_t i = 0; i < N_ROUTES; i++) {
        const struct route *r = &routes[i];
        if (r->body == BODY_FORM && slice_is(method, r->method) && slice_is(path, r->path))
            return true;
    }
    return false;
}

const struct route *route_match(struct call *c, struct slice method, struct slice path, int *status,
                                const char **allow)
{
    struct slice values[4];
    size_t n_values;
    const char *allowed = "";
    path = without_trailing_slash(path);
    for (size_t i = 0; i < N_ROUTES; i++) {
        const struct route *r = &routes[i];
        if (!path_fits(r, path, values, &n_values))
            continue;
        if (method_fits(r, method)) {
            memcpy(c->path_values, values, n_values * sizeof *values);
            c->n_path_values = n_values;
            *status = decode_values(c) ? 200 : 404;
            return *status == 200 ? r : NULL;
        }
        bool get = strcmp(r->method, "GET") == 0;
        allowed = arena_printf(c->arena, "%s%s%s%s", allowed, *allowed ? ", " : "", r->method,
                               get ? ", HEAD" : "");
    }
    *status = *allowed ? 405 : 404;
    *allow = *allowed ? allowed : NULL;
    return NULL;
}
