/* SPDX-License-Identifier: MIT
 * The pictures of users and chats. */
#ifndef TGREST_SANDBOX_PEER_PHOTO_H
#define TGREST_SANDBOX_PEER_PHOTO_H

#include "sandbox/file.h"
#include "sandbox/world.h"

enum { PHOTOS_KEPT = 100 }; /* of one user or chat; the oldest goes */

/* What is shown; NULL without. */
struct file *photo_list_shown(const struct photo_list *l);
/* Shows f (which is held from now on) in place of what was there. False without memory. */
bool photo_list_add(struct photo_list *l, struct file *f);
bool photo_list_remove(struct photo_list *l, const struct file *f);
/* NULL if that peer never showed it. */
struct file *peer_photo_find(const struct world *w, int64_t peer, int64_t photo_id);

#endif
