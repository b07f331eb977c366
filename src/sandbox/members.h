/* SPDX-License-Identifier: MIT
 * Members of groups and channels as TL. */
#ifndef TGREST_SANDBOX_MEMBERS_H
#define TGREST_SANDBOX_MEMBERS_H

#include "sandbox/build.h"

enum { RECENT_REQUESTERS_MAX = 3 }; /* shown beside the number of pending join requests */

/* ChatParticipants of a basic group. */
struct tl_object *build_chat_participants(struct request *view, struct peers *p,
                                          const struct chat *c);
/* ChannelParticipant of one member. */
struct tl_object *build_channel_participant(struct request *view, struct peers *p,
                                            const struct member *m);
struct tl_object *build_invite(struct request *view, const struct invite *i);

#endif
