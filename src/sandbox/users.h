/* SPDX-License-Identifier: MIT
 * What the methods about users share. */
#ifndef TGREST_SANDBOX_USERS_H
#define TGREST_SANDBOX_USERS_H

#include "sandbox/handler.h"
#include "sandbox/message.h"

/* Tells that self has changed (U_USER_NAME, U_USER) to all accounts that know self by name:
 * contacts' owners and whoever has a dialog; and to self. */
void tell_acquaintances(struct request *r, enum update_kind kind);

#endif
