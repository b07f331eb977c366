/* SPDX-License-Identifier: MIT
 * Groups and channels of the world: members, rights, invite links. */
#ifndef TGREST_SANDBOX_CHAT_H
#define TGREST_SANDBOX_CHAT_H

#include "sandbox/world.h"

/* All rights that an owner has. */
#define ADMIN_ALL                                                                                  \
    (ADMIN_CHANGE_INFO | ADMIN_POST | ADMIN_EDIT | ADMIN_DELETE | ADMIN_BAN | ADMIN_INVITE |       \
     ADMIN_PIN | ADMIN_ADD_ADMINS | ADMIN_CALL | ADMIN_OTHER | ADMIN_TOPICS)

/* Without members or messages; kind PEER_CHAT or PEER_CHANNEL. NULL without memory. */
struct chat *world_add_chat(struct world *w, enum peer_kind kind, struct slice title,
                            struct slice about, uint32_t flags, int64_t creator_id, int32_t now);
bool chat_set_title(struct chat *c, struct slice title);
bool chat_set_about(struct chat *c, struct slice about);

/* In any state; NULL if the user never was there. */
struct member *chat_member(const struct chat *c, int64_t user_id);
bool chat_has(const struct chat *c, int64_t user_id);
/* Makes u a member (again), with a dialog; its history is read. No message, no update. */
struct member *chat_join(struct chat *c, struct user *u, int64_t inviter_id, int32_t now);
/* Ends a membership (or notes a ban of a stranger); the dialog of a channel is hidden. */
struct member *chat_part(struct chat *c, struct user *u, enum member_state state, int32_t now);
bool member_set_rank(struct member *m, struct slice rank);

/* admin_right bits of that user; 0 for who is no admin (or no member). */
uint32_t chat_admin_rights(const struct chat *c, int64_t user_id);
bool chat_is_admin(const struct chat *c, int64_t user_id);
/* banned_right bits that hold for that user now: own restrictions and the chat's defaults; none for
 * admins. */
uint32_t chat_banned_rights(const struct chat *c, int64_t user_id, int32_t now);
/* May read: a member, or anybody where there is a username, unless banned. */
bool chat_visible_to(const struct chat *c, int64_t user_id, int32_t now);
/* May do what admins with that right do; in groups also whom the default rights let (0: only
 * admins). */
bool chat_allows(const struct chat *c, int64_t user_id, enum admin_right right, uint32_t banned_bit,
                 int32_t now);

/* A new link with a hash of its own; NULL without memory. */
struct invite *world_add_invite(struct world *w, struct chat *c, int64_t admin_id, int32_t now);
/* The same with a given hash, which must be new. */
struct invite *world_add_invite_as(struct world *w, struct chat *c, int64_t admin_id,
                                   struct slice hash, int32_t now);
/* Accepts the bare hash. NULL when there never was one. */
struct invite *world_invite(const struct world *w, struct slice hash);
/* The permanent link of that admin, made when there is none. */
struct invite *chat_permanent_invite(struct world *w, struct chat *c, int64_t admin_id,
                                     int32_t now);
bool invite_expired(const struct invite *i, int32_t now);

bool chat_request_find(const struct chat *c, int64_t user_id, uint32_t *index);
bool chat_request_add(struct chat *c, int64_t user_id, int32_t now);
void chat_request_remove(struct chat *c, int64_t user_id);

#endif
