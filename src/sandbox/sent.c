/* SPDX-License-Identifier: MIT
 * The random_ids of an account's last messages: a repeated one is answered with what it made. */
#include "sandbox/sent.h"

#include "sandbox/world_parts.h"

const struct sent_id *sent_find(const struct user *u, int64_t random_id)
{
    size_t at = (size_t)(uintptr_t)id_map_get(&u->sent, random_id);
    return at ? &u->sent_ring[at - 1] : NULL;
}

bool sent_find_all(const struct user *u, const int64_t *random_ids, uint32_t n,
                   struct sent_id *sent, uint32_t *known)
{
    *known = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct sent_id *before = sent_find(u, random_ids[i]);
        if (before)
            sent[(*known)++] = *before;
    }
    return *known == n;
}

void sent_add(struct user *u, const struct sent_id *sent)
{
    uint32_t at = u->sent_next;
    if (u->sent_n < RANDOM_IDS_KEPT) {
        if (!grow(&u->sent_ring, &u->sent_cap, sizeof u->sent_cap, u->sent_n,
                  sizeof(*u->sent_ring)))
            return; /* forgotten: a repetition would be sent twice, as after RANDOM_IDS_KEPT others
                     */
        at = u->sent_n++;
    } else {
        id_map_remove(&u->sent, u->sent_ring[at].random_id);
        u->sent_next = (at + 1) % RANDOM_IDS_KEPT;
    }
    u->sent_ring[at] = *sent;
    id_map_put(&u->sent, sent->random_id, (void *)(uintptr_t)(at + 1));
}
