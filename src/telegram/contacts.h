/* SPDX-License-Identifier: MIT
 * Finding and joining peers: requests and what their answers say. */
#ifndef TGREST_TELEGRAM_CONTACTS_H
#define TGREST_TELEGRAM_CONTACTS_H

#include "telegram/directory.h"

struct tl_object *request_resolve_username(struct tl_builder *b, struct slice username);
struct tl_object *request_resolve_phone(struct tl_builder *b, struct slice phone);
/* getFullChannel, getFullChat or getFullUser. */
struct tl_object *request_full(struct tl_builder *b, const struct peer_ref *peer);
struct tl_object *request_import_invite(struct tl_builder *b, struct slice hash);
struct tl_object *request_check_invite(struct tl_builder *b, struct slice hash);
/* channels.joinChannel */
struct tl_object *request_join(struct tl_builder *b, const struct peer_ref *channel);

/* chatInvite…: the chat when we are in it (chatInviteAlready) or may look (peek), else NULL. */
const struct tl_object *invite_chat(const struct tl_object *answer);
/* What messages.importChatInvite and channels.joinChannel answer, in any layer: the Updates in it;
 * NULL where the answer asks for something else. */
const struct tl_object *join_updates(const struct tl_object *answer);

#endif
