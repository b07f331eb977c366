/* SPDX-License-Identifier: MIT
 * The account at data centres other than its home: a key of its own there, and the authorization
 * brought over from home. (core.telegram.org/api/datacenter)
 *
 * The keys travel in the session string. They are remembered here too, for clients that drop a new
 * string: bounded, and gone at any moment at the price of a key exchange. */
#ifndef TGREST_GATEWAY_OTHER_DC_H
#define TGREST_GATEWAY_OTHER_DC_H

#include "gateway/call.h"

struct upstream;
struct other_keys; /* of one worker */

struct other_keys *other_keys_new(void);
void other_keys_free(struct other_keys *k); /* wipes */

/* The account's connection at that data centre, in use by the caller until upstream_release. Makes
 * a key and brings the authorization over where there is none yet: then the session has changed.
 * NULL: error set. */
struct upstream *call_other_dc(struct call *c, int32_t dc);
/* The data centre does not know the key: forgets it, so that the next call_other_dc makes one. */
void call_other_dc_forget(struct call *c, int32_t dc);
/* USER_MIGRATE: makes that data centre the session's home. The old home becomes another data centre
 * that the account has a key of. False: error set. */
bool call_move_home(struct call *c, int32_t dc) __attribute__((warn_unused_result));
/* destroy_auth_key for each, as well as it goes: no error is set. The session has none then. */
void call_other_dcs_leave(struct call *c);

#endif
