/* SPDX-License-Identifier: MIT
 * Peers that were resolved lately, by account: spares the look-up (dialog pages, resolveUsername)
 * while this process lives. One per worker; bounded; any entry may be gone at any time. */
#ifndef TGREST_GATEWAY_PEER_CACHE_H
#define TGREST_GATEWAY_PEER_CACHE_H

#include "telegram/peer.h"

struct peer_cache;

struct peer_cache *peer_cache_new(void); /* NULL without memory */
void peer_cache_free(struct peer_cache *cache);

/* By marked id. All functions accept cache == NULL. */
void peer_cache_put(struct peer_cache *cache, uint64_t auth_key_id, const struct peer_ref *peer);
bool peer_cache_get(const struct peer_cache *cache, uint64_t auth_key_id, enum peer_kind kind,
                    int64_t id, struct peer_ref *out);
/* By username (case aside): names change hands, so these are good for some minutes only. */
void peer_cache_put_name(struct peer_cache *cache, uint64_t auth_key_id, struct slice name,
                         int64_t now_ns, const struct peer_ref *peer);
bool peer_cache_get_name(const struct peer_cache *cache, uint64_t auth_key_id, struct slice name,
                         int64_t now_ns, struct peer_ref *out);

#endif
