/* SPDX-License-Identifier: MIT
 * From chat_id in any of its forms to a peer that can be talked to. */
#ifndef TGREST_GATEWAY_RESOLVE_H
#define TGREST_GATEWAY_RESOLVE_H

#include "gateway/call.h"
#include "telegram/directory.h"

/* The peer that the CHAT_ID parameter `name` means, if the session may touch it. May ask Telegram
 * (suspends). False: c->error is set, naming the field. */
bool resolve_param(struct call *c, const char *name, struct peer_ref *out)
    __attribute__((warn_unused_result));
/* The same for a value that stands elsewhere, whatever the session's scope; `field` names it in
 * errors. */
bool resolve_value(struct call *c, const char *field, const struct param_value *value,
                   struct peer_ref *out) __attribute__((warn_unused_result));
bool resolve_address(struct call *c, const char *field, const struct peer_address *address,
                     struct peer_ref *out) __attribute__((warn_unused_result));
/* Username to peer, with the Chat or User object it was answered with (NULL when it came from the
 * cache and `object` is NULL). */
bool resolve_username(struct call *c, const char *field, struct slice username,
                      struct peer_ref *out, const struct tl_object **object)
    __attribute__((warn_unused_result));

/* The sealed ref of a peer as JSON: fits struct view's write_ref; ctx is the call. */
void write_peer_ref(void *ctx, struct json_writer *w, const struct peer_ref *peer);
/* Remembers everybody whom an answer names. */
void resolve_remember(struct call *c, const struct tl_object *answer);
/* The peer in the words that call_random_id wants: the same for every form of chat_id. */
struct slice resolve_canonical(struct call *c, const struct peer_ref *peer);

#endif
