/* SPDX-License-Identifier: MIT
 * Logging in: requests and what their answers say. */
#include "telegram/login.h"

/* ---- requests ---- */

struct tl_object *request_send_code(struct tl_builder *b, const char *phone, int32_t api_id,
                                    const char *api_hash, const struct slice *logout_tokens,
                                    size_t n_logout_tokens)
{
    struct tl_object *settings = tl_new(b, C_codeSettings);
    struct tl_vector *tokens = n_logout_tokens ? tl_set_vec(b, settings, F_logout_tokens) : NULL;
    for (size_t i = 0; i < n_logout_tokens && i < LOGOUT_TOKENS_MAX; i++)
        tl_push_text(b, tokens, logout_tokens[i]);
    struct tl_object *o = tl_new(b, C_auth_sendCode);
    tl_set_str(o, F_phone_number, phone);
    tl_set_int(o, F_api_id, api_id);
    tl_set_str(o, F_api_hash, api_hash);
    tl_set_obj(o, F_settings, settings);
    return o;
}

static struct tl_object *with_code_hash(struct tl_builder *b, uint16_t method, const char *phone,
                                        const char *hash)
{
    struct tl_object *o = tl_new(b, method);
    tl_set_str(o, F_phone_number, phone);
    tl_set_str(o, F_phone_code_hash, hash);
    return o;
}

struct tl_object *request_sign_in(struct tl_builder *b, const char *phone, const char *code_hash,
                                  const char *code)
{
    struct tl_object *o = with_code_hash(b, C_auth_signIn, phone, code_hash);
    tl_set_str(o, F_phone_code, code);
    return o;
}

struct tl_object *request_sign_up(struct tl_builder *b, const char *phone, const char *code_hash,
                                  const char *first_name, const char *last_name)
{
    struct tl_object *o = with_code_hash(b, C_auth_signUp, phone, code_hash);
    tl_set_str(o, F_first_name, first_name);
    tl_set_str(o, F_last_name, last_name ? last_name : "");
    return o;
}

struct tl_object *request_get_password(struct tl_builder *b)
{
    return tl_new(b, C_account_getPassword);
}

struct tl_object *password_proof(struct tl_builder *b, int64_t srp_id,
                                 const uint8_t a_public[static DH_BYTES],
                                 const uint8_t m1[static SHA256_BYTES])
{
    struct tl_object *proof = tl_new(b, C_inputCheckPasswordSRP);
    tl_set_int(proof, F_srp_id, srp_id);
    tl_set_text(proof, F_A, slice_of(a_public, DH_BYTES));
    tl_set_text(proof, F_M1, slice_of(m1, SHA256_BYTES));
    return proof;
}

struct tl_object *request_check_password(struct tl_builder *b, const struct tl_object *proof)
{
    struct tl_object *o = tl_new(b, C_auth_checkPassword);
    tl_set_obj(o, F_password, proof);
    return o;
}

struct tl_object *request_log_out(struct tl_builder *b)
{
    return tl_new(b, C_auth_logOut);
}

struct tl_object *request_resend_code(struct tl_builder *b, const char *phone,
                                      const char *code_hash)
{
    return with_code_hash(b, C_auth_resendCode, phone, code_hash);
}

struct tl_object *request_cancel_code(struct tl_builder *b, const char *phone,
                                      const char *code_hash)
{
    return with_code_hash(b, C_auth_cancelCode, phone, code_hash);
}

struct tl_object *request_bot_login(struct tl_builder *b, int32_t api_id, const char *api_hash,
                                    const char *bot_token)
{
    struct tl_object *o = tl_new(b, C_auth_importBotAuthorization);
    tl_set_int(o, F_flags, 0);
    tl_set_int(o, F_api_id, api_id);
    tl_set_str(o, F_api_hash, api_hash);
    tl_set_str(o, F_bot_auth_token, bot_token);
    return o;
}

struct tl_object *request_export_login_token(struct tl_builder *b, int32_t api_id,
                                             const char *api_hash)
{
    struct tl_object *o = tl_new(b, C_auth_exportLoginToken);
    tl_set_int(o, F_api_id, api_id);
    tl_set_str(o, F_api_hash, api_hash);
    tl_set_vec(b, o, F_except_ids);
    return o;
}

struct tl_object *request_import_login_token(struct tl_builder *b, struct slice token)
{
    struct tl_object *o = tl_new(b, C_auth_importLoginToken);
    tl_set_text(o, F_token, token);
    return o;
}

struct tl_object *request_self(struct tl_builder *b)
{
    struct tl_object *o = tl_new(b, C_users_getUsers);
    tl_push_obj(b, tl_set_vec(b, o, F_id), tl_new(b, C_inputUserSelf));
    return o;
}

/* ---- answers ---- */

static const char *code_type_name(const struct tl_object *type)
{
    static const struct {
        uint16_t ctor;
        const char *name;
    } types[] = {
        {C_auth_sentCodeTypeApp, "app"},
        {C_auth_sentCodeTypeSms, "sms"},
        {C_auth_sentCodeTypeCall, "call"},
        {C_auth_sentCodeTypeFlashCall, "flash_call"},
        {C_auth_sentCodeTypeMissedCall, "missed_call"},
        {C_auth_sentCodeTypeEmailCode, "email"},
        {C_auth_sentCodeTypeSetUpEmailRequired, "set_up_email_required"},
        {C_auth_sentCodeTypeFragmentSms, "fragment"},
        {C_auth_sentCodeTypeFirebaseSms, "firebase"},
        {C_auth_sentCodeTypeSmsWord, "sms_word"},
        {C_auth_sentCodeTypeSmsPhrase, "sms_phrase"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (tl_is(type, types[i].ctor))
            return types[i].name;
    return "other";
}

struct sent_code sent_code_read(const struct tl_object *answer)
{
    struct sent_code out = {.kind = SENT_CODE_UNKNOWN,
                            .phone_code_hash = tl_text(answer, F_phone_code_hash)};
    if (tl_is(answer, C_auth_sentCodeSuccess)) {
        out.kind = SENT_CODE_SIGNED_IN;
        out.authorization = tl_obj(answer, F_authorization);
    } else if (tl_is(answer, C_auth_sentCodePaymentRequired)) {
        out.kind = SENT_CODE_PAYMENT_REQUIRED;
    } else if (tl_is(answer, C_auth_sentCode)) {
        const struct tl_object *type = tl_obj(answer, F_type);
        bool email = tl_is(type, C_auth_sentCodeTypeSetUpEmailRequired);
        out.kind = email ? SENT_CODE_EMAIL_REQUIRED : SENT_CODE_SENT;
        out.type = code_type_name(type);
        out.length = (int32_t)tl_int(type, F_length);
        out.timeout = (int32_t)tl_int(answer, F_timeout);
    }
    return out;
}

struct authorization_answer authorization_read(const struct tl_object *answer)
{
    struct authorization_answer out = {.kind = AUTHORIZATION_UNKNOWN};
    if (tl_is(answer, C_auth_authorizationSignUpRequired))
        out.kind = AUTHORIZATION_SIGN_UP;
    if (!tl_is(answer, C_auth_authorization))
        return out;
    out.kind = AUTHORIZATION_DONE;
    out.user = tl_obj(answer, F_user);
    out.user_id = tl_int(out.user, F_id);
    return out;
}

struct login_token login_token_read(const struct tl_object *answer)
{
    struct login_token out = {.kind = LOGIN_TOKEN_UNKNOWN, .token = tl_text(answer, F_token)};
    if (tl_is(answer, C_auth_loginToken)) {
        out.kind = LOGIN_TOKEN_SHOWN;
        out.expires = tl_int(answer, F_expires);
    } else if (tl_is(answer, C_auth_loginTokenMigrateTo)) {
        out.kind = LOGIN_TOKEN_MOVED;
        out.dc = (int32_t)tl_int(answer, F_dc_id);
    } else if (tl_is(answer, C_auth_loginTokenSuccess)) {
        out.kind = LOGIN_TOKEN_DONE;
        out.authorization = tl_obj(answer, F_authorization);
    }
    return out;
}

const struct tl_object *self_object(const struct tl_value *users)
{
    if (users->kind != TL_VECTOR || users->vector->n == 0 ||
        users->vector->items[0].kind != TL_OBJECT)
        return NULL;
    const struct tl_object *user = users->vector->items[0].object;
    return tl_is(user, C_user) ? user : NULL;
}

int64_t self_read(const struct tl_value *users)
{
    return tl_int(self_object(users), F_id);
}

/* A big-endian number of at most n bytes, right-aligned. */
static bool read_number(struct slice s, uint8_t *out, size_t n)
{
    if (s.len == 0 || s.len > n)
        return false;
    memset(out, 0, n - s.len);
    memcpy(out + (n - s.len), s.data, s.len);
    return true;
}

bool srp_algo_read(const struct tl_object *algo, struct srp_algo *out)
{
    if (!tl_is(algo, C_passwordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow))
        return false;
    out->salt1 = tl_text(algo, F_salt1);
    out->salt2 = tl_text(algo, F_salt2);
    out->g = (int)tl_int(algo, F_g);
    return read_number(tl_text(algo, F_p), out->prime, DH_BYTES);
}

bool password_read(const struct tl_object *answer, struct password_state *out)
{
    *out = (struct password_state){.has_password = tl_bool(answer, F_has_password)};
    if (!tl_is(answer, C_account_password))
        return false;
    if (!out->has_password)
        return true;
    out->srp_id = tl_int(answer, F_srp_id);
    return srp_algo_read(tl_obj(answer, F_current_algo), &out->algo) &&
           read_number(tl_text(answer, F_srp_B), out->srp_b, DH_BYTES);
}

struct slice logged_out_token(const struct tl_object *answer)
{
    return tl_text(answer, F_future_auth_token);
}
