/* SPDX-License-Identifier: MIT
 * Updates of logins and accounts; those of the world are in message.h. */
#ifndef TGREST_SANDBOX_UPDATE_TYPES_H
#define TGREST_SANDBOX_UPDATE_TYPES_H

#include "sandbox/update.h"

/* a = hash of the authorization */
extern const struct update_type update_new_authorization;
/* a = marked peer, or NOTIFY_USERS … */
extern const struct update_type update_notify_settings;

#endif
