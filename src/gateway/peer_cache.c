/* SPDX-License-Identifier: MIT
 * Two direct-mapped tables: a newcomer takes the place of whoever has its slot. */
#include "gateway/peer_cache.h"

#include <stdlib.h>

#include "base/clock.h"

enum {
    ID_SLOTS = 4096,  /* with NAME_SLOTS some 400 KiB a worker */
    NAME_SLOTS = 1024,
    NAME_MAX = 32,    /* Telegram's bound on usernames */
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
    struct id_slot ids[ID_SLOTS];
    struct name_slot names[NAME_SLOTS];
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

static size_t id_slot_of(uint64_t auth_key_id, enum peer_kind kind, int64_t id)
{
    return mix(auth_key_id ^ mix((uint64_t)id * 4 + (unsigned)kind)) % ID_SLOTS;
}

void peer_cache_put(struct peer_cache *cache, uint64_t auth_key_id, const struct peer_ref *peer)
{
    if (!cache || !peer->has_hash || peer->kind == PEER_NONE || peer->kind == PEER_CHAT || peer->self)
        return;
    cache->ids[id_slot_of(auth_key_id, peer->kind, peer->id)] = (struct id_slot){auth_key_id, *peer};
}

bool peer_cache_get(const struct peer_cache *cache, uint64_t auth_key_id, enum peer_kind kind, int64_t id,
                    struct peer_ref *out)
{
    if (!cache)
        return false;
    const struct id_slot *slot = &cache->ids[id_slot_of(auth_key_id, kind, id)];
    if (slot->auth_key_id != auth_key_id || slot->peer.kind != kind || slot->peer.id != id)
        return false;
    *out = slot->peer;
    return true;
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

void peer_cache_put_name(struct peer_cache *cache, uint64_t auth_key_id, struct slice name, int64_t now_ns,
                         const struct peer_ref *peer)
{
    struct name_slot slot = {auth_key_id, now_ns + NAME_LIFE_NS, *peer, (uint8_t)name.len, {0}};
    uint64_t hash;
    if (cache && peer_usable(peer) && fold_name(name, slot.name, &hash))
        cache->names[mix(hash ^ auth_key_id) % NAME_SLOTS] = slot;
}

bool peer_cache_get_name(const struct peer_cache *cache, uint64_t auth_key_id, struct slice name,
                         int64_t now_ns, struct peer_ref *out)
{
    char folded[NAME_MAX];
    uint64_t hash;
    if (!cache || !fold_name(name, folded, &hash))
        return false;
    const struct name_slot *slot = &cache->names[mix(hash ^ auth_key_id) % NAME_SLOTS];
    if (slot->auth_key_id != auth_key_id || slot->len != name.len || now_ns >= slot->until_ns ||
        memcmp(slot->name, folded, name.len) != 0)
        return false;
    *out = slot->peer;
    return true;
}
