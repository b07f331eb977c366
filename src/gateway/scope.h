/* SPDX-License-Identifier: MIT
 * What a narrowed session string (POST /auth/restrict) may do. Routes are checked once, before
 * their handler; chats where resolve_param names them; methods where POST /methods/{name} finds
 * them. What nobody has thought of is refused: a route says in the table what it reaches. */
#ifndef TGREST_GATEWAY_SCOPE_H
#define TGREST_GATEWAY_SCOPE_H

#include "gateway/call.h"
#include "telegram/peer.h"

/* Telegram's own account, which sends login codes: whoever reads them can log in anew, and unbound.
 */
enum { SERVICE_USER_ID = 777000 };

bool scope_is_narrowed(const struct session_scope *scope);
/* Unix seconds by which strings end: the machine's own, for a replica that has just started knows
 * no data centre's clock yet, and all are to agree. */
int64_t scope_now_s(const struct call *c);

/* Sets c->error where the call's route is refused: 401 for an expired string, else 403. */
void scope_check_route(struct call *c);
/* The same for a method that POST /methods/{name} is to call. */
void scope_check_method(struct call *c, const struct tl_combinator *method);
/* Each: false = refused, c->error is set (403). */
bool scope_check_peer(struct call *c, const char *field, const struct peer_ref *peer)
    __attribute__((warn_unused_result));
/* Does the query name Telegram's own account? */
bool scope_check_query(struct call *c, const struct tl_object *query)
    __attribute__((warn_unused_result));

/* For lists: is this chat (marked id) within what the session may see? */
bool scope_allows_chat(const struct session *s, int64_t marked_id);
/* Empties the texts that Telegram's own account sent, in an answer to a narrowed session. */
void scope_blank_codes(const struct call *c, struct tl_value *answer);

#endif
