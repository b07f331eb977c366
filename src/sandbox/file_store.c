/* SPDX-License-Identifier: MIT
 * Chunks by their fingerprint, and files made of them. */
#include "sandbox/file_store.h"

#include <stdlib.h>

/* ---- chunks ---- */

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Only says where to look, so that it may be a quick one: equal bytes are told by comparing them.
 * Keyed, lest somebody makes thousands of parts that all have to be looked at. */
static uint64_t fingerprint(const struct file_store *s, struct slice bytes)
{
    enum { BLOCK_BYTES = 16 };
    const uint64_t odd = 0x9e3779b97f4a7c15u;
    uint64_t h = s->secret ^ bytes.len;
    uint8_t tail[BLOCK_BYTES] = {0};
    size_t whole = bytes.len - bytes.len % BLOCK_BYTES;
    for (size_t i = 0; i < whole; i += BLOCK_BYTES)
        h = fold(h ^ load_le64(bytes.data + i), odd ^ load_le64(bytes.data + i + 8));
    if (bytes.len > whole)
        memcpy(tail, bytes.data + whole, bytes.len - whole);
    return fold(h ^ load_le64(tail), s->secret ^ odd ^ load_le64(tail + 8));
}

static struct chunk *find(const struct file_store *s, uint64_t print, struct slice bytes)
{
    struct chunk *c = id_map_get(&s->chunks, (int64_t)print);
    while (c && !slice_eq(slice_of(c->bytes, c->len), bytes))
        c = c->next;
    return c;
}

struct chunk *chunk_hold(struct file_store *s, struct slice bytes)
{
    uint64_t print = fingerprint(s, bytes);
    struct chunk *c = find(s, print, bytes);
    if (c) {
        c->refs++;
        return c;
    }
    if (bytes.len > UINT32_MAX || bytes.len > s->bytes_max || s->bytes > s->bytes_max - bytes.len)
        return NULL;
    c = malloc(sizeof *c + bytes.len);
    if (!c)
        return NULL;
    c->next = id_map_get(&s->chunks, (int64_t)print);
    if (!id_map_put(&s->chunks, (int64_t)print, c)) {
        free(c);
        return NULL;
    }
    c->fingerprint = print;
    c->refs = 1;
    c->len = (uint32_t)bytes.len;
    if (bytes.len)
        memcpy(c->bytes, bytes.data, bytes.len);
    s->bytes += bytes.len;
    return c;
}

void chunk_drop(struct file_store *s, struct chunk *c)
{
    if (!c || --c->refs > 0)
        return;
    int64_t key = (int64_t)c->fingerprint;
    struct chunk *first = id_map_get(&s->chunks, key);
    if (first == c && c->next)
        id_map_put(&s->chunks, key, c->next);
    else if (first == c)
        id_map_remove(&s->chunks, key);
    for (struct chunk *before = first; before != c && before; before = before->next) {
        if (before->next == c) {
            before->next = c->next;
            break;
        }
    }
    s->bytes -= c->len;
    free(c);
}

/* ---- contents ---- */

struct content *content_new(struct chunk *const *parts, uint32_t n_parts)
{
    struct content *c = malloc(sizeof *c + n_parts * sizeof(struct chunk *));
    if (!c)
        return NULL;
    *c = (struct content){.refs = 1, .n_parts = n_parts, .part_bytes = n_parts ? parts[0]->len : 0};
    for (uint32_t i = 0; i < n_parts; i++) {
        c->parts[i] = parts[i];
        c->parts[i]->refs++;
        c->size += parts[i]->len;
    }
    return c;
}

struct content *content_of(struct file_store *s, struct slice bytes)
{
    size_t n = (bytes.len + PART_BYTES_MAX - 1) / PART_BYTES_MAX, held = 0;
    struct chunk **parts = n < UINT32_MAX ? calloc(n ? n : 1, sizeof(struct chunk *)) : NULL;
    for (; parts && held < n; held++) {
        size_t at = held * PART_BYTES_MAX;
        size_t len = bytes.len - at < PART_BYTES_MAX ? bytes.len - at : PART_BYTES_MAX;
        parts[held] = chunk_hold(s, slice_of(bytes.data + at, len));
        if (!parts[held])
            break;
    }
    struct content *c = parts && held == n ? content_new(parts, (uint32_t)n) : NULL;
    while (held > 0)
        chunk_drop(s, parts[--held]);
    free(parts);
    return c;
}

void content_drop(struct file_store *s, struct content *c)
{
    if (!c || --c->refs > 0)
        return;
    for (uint32_t i = 0; i < c->n_parts; i++)
        chunk_drop(s, c->parts[i]);
    free(c);
}

struct slice content_read(const struct content *c, int64_t offset, size_t len, struct arena *a)
{
    if (offset < 0 || offset >= c->size)
        return slice_of("", 0);
    if ((int64_t)len > c->size - offset)
        len = (size_t)(c->size - offset);
    size_t i = (size_t)(offset / c->part_bytes), from = (size_t)(offset % c->part_bytes);
    if (c->parts[i]->len - from >= len)
        return slice_of(c->parts[i]->bytes + from, len);
    uint8_t *copy = arena_alloc_raw(a, len);
    if (!copy)
        return slice_of("", 0);
    for (size_t done = 0; done < len; i++, from = 0) {
        size_t some = c->parts[i]->len - from;
        some = some < len - done ? some : len - done;
        memcpy(copy + done, c->parts[i]->bytes + from, some);
        done += some;
    }
    return slice_of(copy, len);
}
