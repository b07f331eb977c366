/* SPDX-License-Identifier: MIT
 * Two tables in sets of a few slots, where a newcomer takes the place of the oldest: with one slot
 * each, two peers in use could drive each other out for ever, a look-up at every call. */
#include "gateway/peer_cache.h"

#include <stdlib.h>

#include "base/clock.h"

enum {
    WAYS = 4,
    ID_SETS = 4096, /* 16,384 peers and 4,096 names: some 2 MiB a worker, touched as it fills */
    NAME_SETS = 1024,
    NAME_MAX = 32, /* Telegram's bound on usernames */
};
#define NAME_LIFE_NS (300 * NS_PER_S)

struct id_slot {
    uint64_t auth_key_id;
    struct peer_ref peer; /* kind PEER_NONE = free */
};

struct name_slot {
    uint64_t auth_key_id;
    int64_t until_ns;
    struct peer_ref peer;
    uint8_t len;
    char name[NAME_MAX]; /* lower case */
};

struct peer_cache {
    struct id_slot ids[ID_SETS][WAYS]; /* of each set the newest first */
    struct name_slot names[NAME_SETS][WAYS];
};

/* Finalizer of MurmurHash3: spreads ids, which are dense, over the slots. */
static uint64_t mix(uint64_t v)
{
    v ^= v >> 33;
    v *= 0xff51afd7ed558ccdULL;
    v ^= v >> 33;
    v *= 0xc4ceb9fe1a85ec53ULL;
    return v ^ v >> 33;
}

struct peer_cache *peer_cache_new(void)
{
    return calloc(1, sizeof(struct peer_cache));
}

void peer_cache_free(struct peer_cache *cache)
{
    free(cache);
}

static size_t id_set_of(uint64_t auth_key_id, enum peer_kind kind, int64_t id)
{
    return mix(auth_key_id ^ mix((uint64_t)id * 4 + (unsigned)kind)) % ID_SETS;
}

static bool is_of(const struct id_slot *slot, uint64_t auth_key_id, enum peer_kind kind, int64_t id)
{
    return slot->auth_key_id == auth_key_id && slot->peer.kind == kind && slot->peer.id == id;
}

void peer_cache_put(struct peer_cache *cache, uint64_t auth_key_id, const struct peer_ref *peer)
{
    if (!cache || !peer->has_hash || peer->kind == PEER_NONE || peer->kind == PEER_CHAT ||
        peer->self)
        return;
    struct id_slot *set = cache->ids[id_set_of(auth_key_id, peer->kind, peer->id)];
    size_t at = 0;
    while (at < WAYS - 1 && !is_of(&set[at], auth_key_id, peer->kind, peer->id))
        at++;
    memmove(set + 1, set, at * sizeof *set);
    set[0] = (struct id_slot){auth_key_id, *peer};
}

bool peer_cache_get(const struct peer_cache *cache, uint64_t auth_key_id, enum peer_kind kind,
                    int64_t id, struct peer_ref *out)
{
    if (!cache)
        return false;
    const struct id_slot *set = cache->ids[id_set_of(auth_key_id, kind, id)];
    for (size_t i = 0; i < WAYS; i++) {
        if (is_of(&set[i], auth_key_id, kind, id)) {
            *out = set[i].peer;
            return true;
        }
    }
    return false;
}

/* Lower-case copy; false when it cannot be a username. */
static bool fold_name(struct slice name, char out[static NAME_MAX], uint64_t *hash)
{
    if (name.len == 0 || name.len > NAME_MAX)
        return false;
    *hash = name.len;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        *hash = mix(*hash ^ (uint8_t)out[i]);
    }
    return true;
}

static bool is_named(const struct name_slot *slot, uint64_t auth_key_id, const char *folded,
                     size_t len)
{
    return slot->auth_key_id == auth_key_id && slot->len == len &&
           memcmp(slot->name, folded, len) == 0;
}

void peer_cache_put_name(struct peer_cache *cache, uint64_t auth_key_id, struct slice name,
                         int64_t now_ns, const struct peer_ref *peer)
{
    struct name_slot slot = {auth_key_id, now_ns + NAME_LIFE_NS, *peer, (uint8_t)name.len, {0}};
    uint64_t hash;
    if (!cache || !peer_usable(peer) || !fold_name(name, slot.name, &hash))
        return;
    struct name_slot *set = cache->names[mix(hash ^ auth_key_id) % NAME_SETS];
    size_t at = 0;
    while (at < WAYS - 1 && !is_named(&set[at], auth_key_id, slot.name, name.len))
        at++;
    memmove(set + 1, set, at * sizeof *set);
    set[0] = slot;
}

bool peer_cache_get_name(const struct peer_cache *cache, uint64_t auth_key_id, struct slice name,
                         int64_t now_ns, struct peer_ref *out)
{
    char folded[NAME_MAX];
    uint64_t hash;
    if (!cache || !fold_name(name, folded, &hash))
        return false;
    const struct name_slot *set = cache->names[mix(hash ^ auth_key_id) % NAME_SETS];
    for (size_t i = 0; i < WAYS; i++) {
        if (is_named(&set[i], auth_key_id, folded, name.len) && now_ns < set[i].until_ns) {
            *out = set[i].peer;
            return true;
        }
    }
    return false;
}
