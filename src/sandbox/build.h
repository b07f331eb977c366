/* SPDX-License-Identifier: MIT
 * From the world to TL, as one viewer sees it in the schema of one connection. */
#ifndef TGREST_SANDBOX_BUILD_H
#define TGREST_SANDBOX_BUILD_H

#include "sandbox/world.h"
#include "tl/value.h"

/* One answer or push being built. Messages, dialogs and updates note the peers they name; at the end
 * build_users and build_chats give the vectors that go with them. */
struct build {
    struct tl_builder *b;
    struct world *world;
    struct user *viewer;
    int32_t now;
    int64_t *peers; /* in the builder's arena, no doubles */
    uint32_t n_peers;
    uint32_t peers_cap;
};

struct build build_of(struct tl_builder *b, struct world *w, struct user *viewer, int32_t now);

/* Notes a peer (marked id; 0 is ignored) for build_users / build_chats. */
void build_mention(struct build *x, int64_t peer);
struct tl_vector *build_users(struct build *x);
struct tl_vector *build_chats(struct build *x);

struct tl_object *build_peer(struct build *x, int64_t peer);
struct tl_object *build_user(struct build *x, const struct user *u);
struct tl_object *build_user_status(struct build *x, const struct user *u);
struct tl_object *build_chat(struct build *x, const struct chat *c);
struct tl_object *build_notify_settings(struct build *x);
struct tl_object *build_dialog(struct build *x, const struct dialog *d);
/* m as the viewer has it; id is the viewer's own number of it. */
struct tl_object *build_message(struct build *x, const struct message *m, int32_t id);

/* The Update of an event, and the peers it names; NULL when there is nothing left to say (the message
 * is gone). */
struct tl_object *build_update(struct build *x, const struct event *e);
/* The Message of a EVENT_NEW_MESSAGE (getDifference lists those apart); NULL when it is gone. */
struct tl_object *build_event_message(struct build *x, const struct event *e);
/* updates#… with these updates, and the users and chats noted so far. seq 0. */
struct tl_object *build_updates(struct build *x, struct tl_vector *updates);

#endif
