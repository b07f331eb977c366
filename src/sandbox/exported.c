/* SPDX-License-Identifier: MIT
 * The ring of exported authorizations. */
#include "sandbox/exported.h"

#include <sodium.h>

#include "sandbox/state.h"

struct exported *exported_add(struct sandbox *s, struct user *user, int32_t dc, int32_t now_s)
{
    struct exported *e = &s->exported[s->next_exported];
    s->next_exported = (s->next_exported + 1) % EXPORTED_MAX;
    *e = (struct exported){.user = user, .dc = dc, .expires_s = now_s + EXPORTED_LIFETIME_S};
    rng_fill(&s->protocol_rng, e->bytes, sizeof e->bytes);
    return e;
}

struct user *exported_take(struct sandbox *s, int64_t user_id, struct slice bytes, int32_t dc,
                           int32_t now_s)
{
    if (bytes.len != EXPORTED_BYTES)
        return NULL;
    for (size_t i = 0; i < EXPORTED_MAX; i++) {
        struct exported *e = &s->exported[i];
        if (!e->user || e->user->id != user_id ||
            sodium_memcmp(e->bytes, bytes.data, bytes.len) != 0)
            continue;
        struct user *user = e->expires_s >= now_s && (!dc || dc == e->dc) ? e->user : NULL;
        e->user = NULL;
        return user;
    }
    return NULL;
}
