/* SPDX-License-Identifier: MIT
 * The schema names of logging in beyond the code: part of names.h. */
#ifndef TGREST_SANDBOX_NAMES_LOGIN_H
#define TGREST_SANDBOX_NAMES_LOGIN_H

/* Methods, then constructors. */
#define LOGIN_COMBINATORS(X)                                                                       \
    X(auth_importBotAuthorization)                                                                 \
    X(auth_exportLoginToken)                                                                       \
    X(auth_importLoginToken)                                                                       \
    X(auth_acceptLoginToken)                                                                       \
    X(auth_requestPasswordRecovery)                                                                \
    X(auth_recoverPassword)                                                                        \
    X(auth_checkRecoveryPassword)                                                                  \
    X(account_confirmPasswordEmail)                                                                \
    X(account_resendPasswordEmail)                                                                 \
    X(account_cancelPasswordEmail)                                                                 \
    X(account_resetPassword)                                                                       \
    X(account_declinePasswordReset)                                                                \
    X(account_changeAuthorizationSettings)                                                         \
    X(auth_codeTypeCall)                                                                           \
    X(auth_sentCodeTypeCall)                                                                       \
    X(auth_loginToken)                                                                             \
    X(auth_loginTokenMigrateTo)                                                                    \
    X(auth_loginTokenSuccess)                                                                      \
    X(auth_passwordRecovery)                                                                       \
    X(account_resetPasswordOk)                                                                     \
    X(account_resetPasswordRequestedWait)                                                          \
    X(help_termsOfService)                                                                         \
    X(dataJSON)                                                                                    \
    X(updateLoginToken)

#define LOGIN_FIELDS(X)                                                                            \
    X(bot_auth_token)                                                                              \
    X(bot_chat_history)                                                                            \
    X(except_ids)                                                                                  \
    X(token)                                                                                       \
    X(code)                                                                                        \
    X(email_pattern)                                                                               \
    X(email_unconfirmed_pattern)                                                                   \
    X(pending_reset_date)                                                                          \
    X(confirmed)                                                                                   \
    X(encrypted_requests_disabled)                                                                 \
    X(call_requests_disabled)                                                                      \
    X(password_pending)                                                                            \
    X(terms_of_service)                                                                            \
    X(data)

#endif
