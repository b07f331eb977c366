/* SPDX-License-Identifier: MIT
 * Session strings that were opened lately: opening one takes longer than anything else that the
 * gateway does for a small call. One per worker; bounded; any entry may be gone at any time. */
#ifndef TGREST_GATEWAY_TOKEN_CACHE_H
#define TGREST_GATEWAY_TOKEN_CACHE_H

#include "gateway/token.h"

struct token_cache;

/* An entry is good for life_ns after its last use: as long as a warm connection holds the same key.
 * NULL without memory. */
struct token_cache *token_cache_new(int64_t life_ns);
void token_cache_free(struct token_cache *cache); /* wipes */

/* As token_open (old_key is not NULL), and remembers what an authorized session's string said.
 * now_ns is monotonic. Accepts cache == NULL. */
enum token_status token_cache_open(struct token_cache *cache, int64_t now_ns,
                                   const struct token_keys *k, struct digests *d, struct slice text,
                                   struct session *out, bool *old_key)
    __attribute__((warn_unused_result));

#endif
