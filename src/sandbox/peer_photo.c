/* SPDX-License-Identifier: MIT
 * The pictures of users and chats. */
#include "sandbox/peer_photo.h"

#include <stdlib.h>

#include "sandbox/world_parts.h"

struct file *photo_list_shown(const struct photo_list *l)
{
    return l->n ? l->files[l->n - 1] : NULL;
}

bool photo_list_remove(struct photo_list *l, const struct file *f)
{
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->files[i] != f)
            continue;
        file_drop(l->files[i]);
        memmove(&l->files[i], &l->files[i + 1], (l->n - i - 1) * sizeof(*l->files));
        l->n--;
        return true;
    }
    return false;
}

bool photo_list_add(struct photo_list *l, struct file *f)
{
    if (l->n == PHOTOS_KEPT)
        photo_list_remove(l, l->files[0]);
    if (!grow(&l->files, &l->cap, sizeof l->cap, l->n, sizeof(*l->files)))
        return false;
    l->files[l->n++] = file_hold(f);
    return true;
}

void photo_list_free(struct photo_list *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        file_drop(l->files[i]);
    free(l->files);
}

struct file *peer_photo_find(const struct world *w, int64_t peer, int64_t photo_id)
{
    const struct user *u = world_user(w, peer);
    const struct chat *c = world_chat(w, peer);
    const struct photo_list *l = u ? &u->photos : c ? &c->photos : NULL;
    for (uint32_t i = 0; l && i < l->n; i++)
        if (l->files[i]->id == photo_id)
            return l->files[i];
    return NULL;
}
