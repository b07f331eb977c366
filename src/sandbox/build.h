/* SPDX-License-Identifier: MIT
 * From the world to TL, as view->self sees it, in view->schema, built with &view->b. */
#ifndef TGREST_SANDBOX_BUILD_H
#define TGREST_SANDBOX_BUILD_H

#include "sandbox/handler.h"
#include "sandbox/world.h"

/* The users and chats that an answer or a push names: builders note them, and peers_users and
 * peers_chats give the vectors that go with it. A zeroed struct is empty; memory is view->arena's.
 */
struct peers {
    int64_t *ids; /* marked, no doubles */
    uint32_t n;
    uint32_t cap;
};

/* 0 is ignored. */
void peers_add(struct request *view, struct peers *p, int64_t peer);
/* Fill the fields `users` and `chats` of o with everything noted. */
void peers_set(struct request *view, struct peers *p, struct tl_object *o);

struct tl_object *build_peer(struct request *view, int64_t peer);
/* photoEmpty for NULL. */
struct tl_object *build_photo(struct request *view, const struct file *f);
struct tl_object *build_user(struct request *view, const struct user *u);
struct tl_object *build_user_status(struct request *view, const struct user *u);
struct tl_object *build_chat(struct request *view, const struct chat *c);
/* What self has set for that peer (or kind: account.h); empty without. */
struct tl_object *build_notify_settings(struct request *view, int64_t peer);
/* Rights both ways: bits of enum admin_right / banned_right. */
struct tl_object *build_admin_rights(struct request *view, uint32_t bits);
struct tl_object *build_banned_rights(struct request *view, uint32_t bits, int32_t until);
uint32_t read_admin_rights(const struct tl_object *o);
uint32_t read_banned_rights(const struct tl_object *o);
struct tl_object *build_dialog(struct request *view, struct peers *p, const struct dialog *d);
/* m as the viewer has it; id is the viewer's own number of it. */
struct tl_object *build_message(struct request *view, struct peers *p, const struct message *m,
                                int32_t id);

/* updates#… with the Updates in `updates`, and the users and chats noted so far; date now, seq 0:
 * in no order but that of pts. */
struct tl_object *build_updates(struct request *view, struct peers *p, struct tl_vector *updates);

/* seq as every state tells it. It never moves, since pushes are sent without one: what is kept has
 * a pts or is found by its date. */
enum { STATE_SEQ = 1 };
/* updates.state of view->self at that pts and date. */
struct tl_object *build_state(struct request *view, int32_t pts, int32_t date);

#endif
