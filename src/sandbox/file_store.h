/* SPDX-License-Identifier: MIT
 * The bytes of files. They are kept in the parts in which they came, and equal parts once: a large
 * file of a repeating pattern takes the memory of the pattern. */
#ifndef TGREST_SANDBOX_FILE_STORE_H
#define TGREST_SANDBOX_FILE_STORE_H

#include "base/arena.h"
#include "sandbox/map.h"

enum {
    PART_BYTES_MAX = 512 * 1024,
    PART_BYTES_UNIT = 1024,
};

/* Bytes that files share, counted by who holds them. */
struct chunk {
    uint64_t fingerprint;
    struct chunk *next; /* with the same fingerprint */
    uint32_t refs;
    uint32_t len;
    uint8_t bytes[];
};

struct file_store {
    struct id_map chunks; /* fingerprint -> struct chunk */
    uint64_t secret;      /* of the fingerprints */
    size_t bytes;         /* held by all chunks */
    size_t bytes_max;
};

/* The chunk with these bytes, one holder more. NULL without memory, or past bytes_max. */
struct chunk *chunk_hold(struct file_store *s, struct slice bytes);
void chunk_drop(struct file_store *s, struct chunk *c);

/* What is in a file; never changes. */
struct content {
    int64_t size;
    uint32_t refs;
    uint32_t part_bytes; /* of each part but the last */
    uint32_t n_parts;
    struct chunk *parts[];
};

/* Holds the chunks too. One holder. NULL without memory. */
struct content *content_new(struct chunk *const *parts, uint32_t n_parts);
/* Of any bytes, cut into parts: what the demo world is made of. */
struct content *content_of(struct file_store *s, struct slice bytes);
void content_drop(struct file_store *s, struct content *c);
/* Up to len bytes from offset on (fewer at the end, none past it): lent by the content where one
 * part has them all, else copied. */
struct slice content_read(const struct content *c, int64_t offset, size_t len, struct arena *a);

#endif
