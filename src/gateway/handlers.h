/* SPDX-License-Identifier: MIT
 * The handlers that the table of routes names. Each runs on its call's coroutine (call.h). */
#ifndef TGREST_GATEWAY_HANDLERS_H
#define TGREST_GATEWAY_HANDLERS_H

#include "gateway/call.h"

/* handle_auth.c */
void handle_send_code(struct call *c);
void handle_verify_code(struct call *c);
void handle_resend_code(struct call *c);
void handle_cancel_code(struct call *c);
void handle_bot_login(struct call *c);
void handle_logout(struct call *c);

/* handle_password.c */
void handle_verify_password(struct call *c);
void handle_password_get(struct call *c);
void handle_password_put(struct call *c);
void handle_password_delete(struct call *c);
void handle_password_confirm_email(struct call *c);
void handle_password_resend_email(struct call *c);
void handle_password_cancel_email(struct call *c);
void handle_password_recover(struct call *c);

/* handle_qr.c */
void handle_qr(struct call *c);
void handle_qr_wait(struct call *c);

/* handle_exchange.c */
/* At home, before the call goes to its session's owner: the session of the body's string. False:
 * error set. */
bool import_open(struct call *c);
void handle_import(struct call *c);
void handle_export(struct call *c);

/* handle_sessions.c */
void handle_sessions_list(struct call *c);
void handle_sessions_delete(struct call *c);

/* handle_restrict.c */
void handle_restrict(struct call *c);

/* handle_chats.c */
void handle_me(struct call *c);
void handle_chats(struct call *c);
void handle_join(struct call *c);

/* handle_history.c */
void handle_messages(struct call *c);

/* handle_messages.c */
void handle_send(struct call *c);
void handle_edit(struct call *c);
void handle_delete(struct call *c);
void handle_forward(struct call *c);

/* handle_files.c */
void handle_send_with_file(struct call *c);

/* handle_media.c */
void handle_media(struct call *c);

/* handle_photos.c */
void handle_photo(struct call *c);

/* handle_methods.c */
void handle_methods_list(struct call *c);
void handle_method_get(struct call *c);
void handle_method_call(struct call *c);

/* ops.c */
void handle_healthz(struct call *c);
void handle_readyz(struct call *c);
void handle_metrics(struct call *c);

/* openapi.c */
void handle_openapi(struct call *c);

#endif
