/* SPDX-License-Identifier: MIT
 * Open addressing with linear probing; removal moves the rest of its run up, so there are no
 * tombstones. */
#include "sandbox/map.h"

#include <stdlib.h>

enum { SLOTS_MIN = 8 };

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ (x >> 33);
}

/* The slot that holds key, or the free one where it would go. */
static size_t id_slot(const struct id_map *m, int64_t key)
{
    size_t i = (size_t)mix((uint64_t)key) & (m->slots - 1);
    while (m->values[i] && m->keys[i] != key)
        i = (i + 1) & (m->slots - 1);
    return i;
}

static bool id_map_resize(struct id_map *m, size_t slots)
{
    struct id_map bigger = {calloc(slots, sizeof(int64_t)), calloc(slots, sizeof(void *)), m->n,
                            slots};
    if (!bigger.keys || !bigger.values) {
        id_map_free(&bigger);
        return false;
    }
    for (size_t i = 0; i < m->slots; i++) {
        if (!m->values[i])
            continue;
        size_t to = id_slot(&bigger, m->keys[i]);
        bigger.keys[to] = m->keys[i];
        bigger.values[to] = m->values[i];
    }
    id_map_free(m);
    *m = bigger;
    return true;
}

void *id_map_get(const struct id_map *m, int64_t key)
{
    return m->n ? m->values[id_slot(m, key)] : NULL;
}

bool id_map_put(struct id_map *m, int64_t key, void *value)
{
    if (4 * (m->n + 1) > 3 * m->slots && !id_map_resize(m, m->slots ? 2 * m->slots : SLOTS_MIN))
        return false;
    size_t i = id_slot(m, key);
    if (!m->values[i])
        m->n++;
    m->keys[i] = key;
    m->values[i] = value;
    return true;
}

void *id_map_remove(struct id_map *m, int64_t key)
{
    if (!m->n)
        return NULL;
    size_t hole = id_slot(m, key);
    void *value = m->values[hole];
    if (!value)
        return NULL;
    size_t mask = m->slots - 1;
    for (size_t i = (hole + 1) & mask; m->values[i]; i = (i + 1) & mask) {
        size_t home = (size_t)mix((uint64_t)m->keys[i]) & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->keys[hole] = m->keys[i];
            m->values[hole] = m->values[i];
            hole = i;
        }
    }
    m->values[hole] = NULL;
    m->n--;
    return value;
}

void id_map_free(struct id_map *m)
{
    free(m->keys);
    free(m->values);
    *m = (struct id_map){0};
}

/* ---- names: chained entries in a table of buckets ---- */

struct name_entry {
    struct name_entry *next;
    uint64_t hash;
    int64_t value;
    size_t len;
    char name[];
};

static uint8_t fold(const struct name_map *m, uint8_t c)
{
    return !m->exact && c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static uint64_t name_hash(const struct name_map *m, struct slice name)
{
    uint64_t h = 0xcbf29ce484222325ULL; /* FNV-1a, then mixed: the low bits choose the bucket */
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ fold(m, name.data[i])) * 0x100000001b3ULL;
    return mix(h);
}

static bool name_matches(const struct name_map *m, const struct name_entry *e, uint64_t hash,
                         struct slice name)
{
    if (e->hash != hash || e->len != name.len)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (fold(m, (uint8_t)e->name[i]) != fold(m, name.data[i]))
            return false;
    return true;
}

/* The link that points at the entry, or at the NULL where it would go. n_slots must not be 0. */
static struct name_entry **name_link(const struct name_map *m, uint64_t hash, struct slice name)
{
    struct name_entry **link = &m->slots[(size_t)hash & (m->n_slots - 1)];
    while (*link && !name_matches(m, *link, hash, name))
        link = &(*link)->next;
    return link;
}

static bool name_map_resize(struct name_map *m, size_t n_slots)
{
    struct name_entry **slots = calloc(n_slots, sizeof(*slots));
    if (!slots)
        return false;
    for (size_t i = 0; i < m->n_slots; i++) {
        for (struct name_entry *e = m->slots[i], *next; e; e = next) {
            next = e->next;
            struct name_entry **bucket = &slots[(size_t)e->hash & (n_slots - 1)];
            e->next = *bucket;
            *bucket = e;
        }
    }
    free(m->slots);
    m->slots = slots;
    m->n_slots = n_slots;
    return true;
}

int64_t name_map_get(const struct name_map *m, struct slice name)
{
    if (!m->n)
        return 0;
    struct name_entry *e = *name_link(m, name_hash(m, name), name);
    return e ? e->value : 0;
}

bool name_map_put(struct name_map *m, struct slice name, int64_t value)
{
    if (m->n >= m->n_slots && !name_map_resize(m, m->n_slots ? 2 * m->n_slots : SLOTS_MIN))
        return false;
    uint64_t hash = name_hash(m, name);
    struct name_entry **link = name_link(m, hash, name);
    if (*link) {
        (*link)->value = value;
        return true;
    }
    struct name_entry *e = malloc(sizeof(*e) + name.len);
    if (!e)
        return false;
    *e = (struct name_entry){.hash = hash, .value = value, .len = name.len};
    if (name.len)
        memcpy(e->name, name.data, name.len);
    *link = e;
    m->n++;
    return true;
}

void name_map_remove(struct name_map *m, struct slice name)
{
    if (!m->n)
        return;
    struct name_entry **link = name_link(m, name_hash(m, name), name);
    struct name_entry *e = *link;
    if (!e)
        return;
    *link = e->next;
    free(e);
    m->n--;
}

void name_map_free(struct name_map *m)
{
    for (size_t i = 0; i < m->n_slots; i++) {
        for (struct name_entry *e = m->slots[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    }
    free(m->slots);
    *m = (struct name_map){.exact = m->exact};
}
