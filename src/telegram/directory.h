/* SPDX-License-Identifier: MIT
 * Who is who in an answer: its `users` and `chats` vectors by id. */
#ifndef TGREST_TELEGRAM_DIRECTORY_H
#define TGREST_TELEGRAM_DIRECTORY_H

#include "telegram/peer.h"

/* Lives in an arena; points at the objects of the answers, which must stay. */
struct directory;

/* NULL without memory; every function takes a NULL directory as an empty one. */
struct directory *directory_new(struct arena *a);
/* Adds what stands in the `users` and `chats` of an answer, its single `user` or `chat`, and the
 * same of Updates inside it. A full object replaces a `min` one, never the other way. */
void directory_add(struct directory *d, const struct tl_object *answer);
/* Adds the items of a Vector<User> or Vector<Chat>. */
void directory_add_vector(struct directory *d, const struct tl_vector *vector);
/* The User or Chat object, or NULL. */
const struct tl_object *directory_find(const struct directory *d, enum peer_kind kind, int64_t id);
const struct tl_object *directory_find_peer(const struct directory *d,
                                            const struct tl_object *peer);
/* The ref of a Peer, as good as the directory knows it. */
struct peer_ref directory_ref(const struct directory *d, const struct tl_object *peer);
/* The same for a peer that stands in `message`: what is only known `min` can be reached through it.
 */
struct peer_ref directory_ref_in(const struct directory *d, const struct tl_object *peer,
                                 const struct tl_object *message);
/* The account's own User, if the answer holds it; else NULL. */
const struct tl_object *directory_self(const struct directory *d);

/* ---- what there is to say about one User or Chat object; NULL gives empty ---- */

/* "First Last", a title, "Deleted Account"; empty if unknown. May be built in the arena. */
struct slice peer_name(const struct tl_object *user_or_chat, struct arena *a);
/* The main public username, without @; empty if none. */
struct slice peer_username(const struct tl_object *user_or_chat);
/* "private", "group", "supergroup", "channel". */
const char *peer_chat_type(const struct tl_object *user_or_chat);

#endif
