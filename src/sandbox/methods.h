/* SPDX-License-Identifier: MIT
 * The tables of methods about logins, accounts, help and updates, and the sum of all tables. */
#ifndef TGREST_SANDBOX_METHODS_H
#define TGREST_SANDBOX_METHODS_H

#include "sandbox/handler.h"

extern const struct method_table login_methods;
extern const struct method_table bots_methods;
extern const struct method_table qr_login_methods;
extern const struct method_table authorizations_methods;
extern const struct method_table bind_methods;
extern const struct method_table password_methods;
extern const struct method_table password_email_methods;
extern const struct method_table settings_methods;
extern const struct method_table help_methods;
extern const struct method_table langpack_methods;
extern const struct method_table difference_methods;

/* Fills out (all NULL before) from every table. False when two tables have the same method: *twice.
 */
bool methods_by_symbol(const struct method *out[static COMBINATORS_N], uint16_t *twice);

#endif
