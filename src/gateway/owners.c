/* SPDX-License-Identifier: MIT
 * Open addressing with linear probing, in shards that have a mutex each. Auth key ids are SHA-1
 * output: they need no further hashing. */
#include "gateway/owners.h"

#include <stdlib.h>
#include <uv.h>

enum { N_SHARDS = 64, SLOTS_INITIAL = 16 };

struct slot {
    uint64_t key_id;
    uint32_t claims; /* 0 = free */
    int32_t worker;
};

struct shard {
    uv_mutex_t lock;
    struct slot *slots;
    size_t n_slots; /* a power of two, or 0 */
    size_t used;
};

struct owners {
    struct shard shards[N_SHARDS];
};

struct owners *owners_new(void)
{
    struct owners *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    for (size_t i = 0; i < N_SHARDS; i++) {
        if (uv_mutex_init(&o->shards[i].lock) == 0)
            continue;
        while (i-- > 0)
            uv_mutex_destroy(&o->shards[i].lock);
        free(o);
        return NULL;
    }
    return o;
}

void owners_free(struct owners *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < N_SHARDS; i++) {
        uv_mutex_destroy(&o->shards[i].lock);
        free(o->shards[i].slots);
    }
    free(o);
}

static struct shard *shard_of(struct owners *o, uint64_t key_id)
{
    return &o->shards[key_id % N_SHARDS];
}

static size_t home_of(const struct shard *s, uint64_t key_id)
{
    return (size_t)(key_id / N_SHARDS) & (s->n_slots - 1);
}

/* The key's slot, or the free one where it would go. There is always a free one. */
static struct slot *find(const struct shard *s, uint64_t key_id)
{
    size_t i = home_of(s, key_id);
    while (s->slots[i].claims && s->slots[i].key_id != key_id)
        i = (i + 1) & (s->n_slots - 1);
    return &s->slots[i];
}

static bool grow(struct shard *s)
{
    struct shard bigger = {.n_slots = s->n_slots ? s->n_slots * 2 : SLOTS_INITIAL};
    bigger.slots = calloc(bigger.n_slots, sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < s->n_slots; i++) {
        if (s->slots[i].claims)
            *find(&bigger, s->slots[i].key_id) = s->slots[i];
    }
    free(s->slots);
    s->slots = bigger.slots;
    s->n_slots = bigger.n_slots;
    return true;
}

int owners_claim(struct owners *o, uint64_t auth_key_id, int worker)
{
    struct shard *s = shard_of(o, auth_key_id);
    int owner = -1;
    uv_mutex_lock(&s->lock);
    if (s->used * 2 < s->n_slots || grow(s)) {
        struct slot *slot = find(s, auth_key_id);
        if (!slot->claims) {
            *slot = (struct slot){.key_id = auth_key_id, .worker = worker};
            s->used++;
        }
        slot->claims++;
        owner = slot->worker;
    }
    uv_mutex_unlock(&s->lock);
    return owner;
}

/* Closes the gap so that every key stays reachable from its home slot. */
static void erase(struct shard *s, size_t gap)
{
    size_t mask = s->n_slots - 1;
    for (size_t i = (gap + 1) & mask; s->slots[i].claims; i = (i + 1) & mask) {
        size_t home = home_of(s, s->slots[i].key_id);
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            s->slots[gap] = s->slots[i];
            gap = i;
        }
    }
    s->slots[gap] = (struct slot){0};
    s->used--;
}

void owners_release(struct owners *o, uint64_t auth_key_id)
{
    struct shard *s = shard_of(o, auth_key_id);
    uv_mutex_lock(&s->lock);
    if (s->n_slots) {
        struct slot *slot = find(s, auth_key_id);
        if (slot->claims && --slot->claims == 0)
            erase(s, (size_t)(slot - s->slots));
    }
    uv_mutex_unlock(&s->lock);
}

size_t owners_count(struct owners *o)
{
    size_t n = 0;
    for (size_t i = 0; i < N_SHARDS; i++) {
        uv_mutex_lock(&o->shards[i].lock);
        n += o->shards[i].used;
        uv_mutex_unlock(&o->shards[i].lock);
    }
    return n;
}
