/* SPDX-License-Identifier: MIT
 * Logging in, and the frame around a connection's first request.
 * https://core.telegram.org/api/auth */
#ifndef TGREST_TELEGRAM_LOGIN_H
#define TGREST_TELEGRAM_LOGIN_H

#include "crypto/crypto.h"
#include "telegram/contacts.h"

/* What a client says about itself in initConnection. */
struct client_identity {
    int32_t api_id;
    const char *device_model;
    const char *system_version;
    const char *app_version;
    const char *system_lang_code;
    const char *lang_code;
};

/* Bytes of invokeWithLayer + initConnection (+ invokeWithoutUpdates), complete up to the query that
 * follows. False when the schema lacks them or needs fields that we do not know. */
bool init_prefix_write(const struct tl_schema *s, const struct client_identity *who,
                       bool without_updates, struct buf *out);
/* Bytes of invokeWithoutUpdates alone. */
bool call_prefix_write(const struct tl_schema *s, struct buf *out);

/* ---- requests ---- */

/* Telegram takes up to 20 tokens of earlier logouts. */
enum { LOGOUT_TOKENS_MAX = 20 };
struct tl_object *request_send_code(struct tl_builder *b, const char *phone, int32_t api_id,
                                    const char *api_hash, const struct slice *logout_tokens,
                                    size_t n_logout_tokens);
struct tl_object *request_sign_in(struct tl_builder *b, const char *phone, const char *code_hash,
                                  const char *code);
struct tl_object *request_sign_up(struct tl_builder *b, const char *phone, const char *code_hash,
                                  const char *first_name, const char *last_name);
struct tl_object *request_get_password(struct tl_builder *b);
/* inputCheckPasswordSRP; A and M1 are DH_BYTES and SHA256_BYTES long, borrowed. */
struct tl_object *password_proof(struct tl_builder *b, int64_t srp_id,
                                 const uint8_t a_public[static DH_BYTES],
                                 const uint8_t m1[static SHA256_BYTES]);
struct tl_object *request_check_password(struct tl_builder *b, const struct tl_object *proof);
struct tl_object *request_log_out(struct tl_builder *b);
struct tl_object *request_resend_code(struct tl_builder *b, const char *phone,
                                      const char *code_hash);
struct tl_object *request_cancel_code(struct tl_builder *b, const char *phone,
                                      const char *code_hash);
struct tl_object *request_bot_login(struct tl_builder *b, int32_t api_id, const char *api_hash,
                                    const char *bot_token);
/* https://core.telegram.org/api/qr-login */
struct tl_object *request_export_login_token(struct tl_builder *b, int32_t api_id,
                                             const char *api_hash);
struct tl_object *request_import_login_token(struct tl_builder *b, struct slice token);
/* users.getUsers of the account itself. */
struct tl_object *request_self(struct tl_builder *b);

/* ---- answers ---- */

enum sent_code_kind {
    SENT_CODE_SENT,
    SENT_CODE_SIGNED_IN,      /* authorization: no code needed */
    SENT_CODE_EMAIL_REQUIRED, /* a login email must be set up first: in an official app */
    SENT_CODE_PAYMENT_REQUIRED,
    SENT_CODE_UNKNOWN,
};
struct sent_code {
    enum sent_code_kind kind;
    struct slice phone_code_hash;
    const char *type; /* "app", "sms", "call", "flash_call", "missed_call", "email", "fragment",
                         "firebase", "sms_word", "sms_phrase", "set_up_email_required", or "other"
                         for what we do not know; static */
    int32_t length;   /* digits of the code; 0 = not told */
    int32_t timeout;  /* seconds until it may be asked again; 0 = not told */
    const struct tl_object *authorization; /* SIGNED_IN */
};
struct sent_code sent_code_read(const struct tl_object *answer);

enum authorization_kind { AUTHORIZATION_DONE, AUTHORIZATION_SIGN_UP, AUTHORIZATION_UNKNOWN };
struct authorization_answer {
    enum authorization_kind kind;
    const struct tl_object *user; /* DONE */
    int64_t user_id;
};
struct authorization_answer authorization_read(const struct tl_object *answer);

enum login_token_kind {
    LOGIN_TOKEN_SHOWN, /* to be scanned: token, expires */
    LOGIN_TOKEN_MOVED, /* scanned by an account of another data centre: dc, token to import there */
    LOGIN_TOKEN_DONE,  /* authorization */
    LOGIN_TOKEN_UNKNOWN,
};
struct login_token {
    enum login_token_kind kind;
    struct slice token;
    int64_t expires; /* unix seconds */
    int32_t dc;
    const struct tl_object *authorization;
};
struct login_token login_token_read(const struct tl_object *answer);

/* Of the answer to request_self: the User object, NULL if there is none. */
const struct tl_object *self_object(const struct tl_value *users);
/* Its id; 0 if there is none. */
int64_t self_read(const struct tl_value *users);

struct password_state {
    bool has_password;
    int64_t srp_id;
    struct srp_algo algo;
    uint8_t srp_b[DH_BYTES];
};
/* PasswordKdfAlgo; false where it is one that we do not know. */
bool srp_algo_read(const struct tl_object *algo, struct srp_algo *out);
/* False where the server uses an algorithm that we do not know, or its numbers have a wrong
 * size. */
bool password_read(const struct tl_object *answer, struct password_state *out);

/* auth.loggedOut: the token that spares a code at the next login; empty if none. */
struct slice logged_out_token(const struct tl_object *answer);

#endif
