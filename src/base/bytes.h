/* SPDX-License-Identifier: MIT
 * Slices (borrowed bytes) and buffers (owned, growing, bounded bytes). */
#ifndef TGREST_BASE_BYTES_H
#define TGREST_BASE_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes owned by somebody else; never NUL-terminated by promise. data may be NULL when len is 0. */
struct slice {
    const uint8_t *data;
    size_t len;
};

static inline struct slice slice_of(const void *data, size_t len)
{
    return (struct slice){data, len};
}

static inline struct slice slice_str(const char *text)
{
    return (struct slice){(const uint8_t *)text, text ? strlen(text) : 0};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
    return slice_eq(a, slice_str(text));
}

bool slice_starts_with(struct slice a, const char *prefix);
/* ASCII case-insensitive equality. */
bool slice_is_nocase(struct slice a, const char *text);
/* Decimal, optional sign, no spaces, nothing after it; false also on overflow. */
bool slice_to_i64(struct slice a, int64_t *out);
/* Valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool slice_is_utf8(struct slice a);
/* The length (1 to 4) of the UTF-8 sequence that a starts with; 0 if it is empty or not valid. */
size_t utf8_valid_prefix(struct slice a);
/* UTF-16 code units of UTF-8 text. */
size_t utf16_length(struct slice text);
/* Bytes of UTF-8 text before the UTF-16 unit `unit`; a unit inside a surrogate pair counts as after
 * it. */
size_t utf16_to_byte(struct slice text, size_t unit);

/* Owned bytes that grow up to max. A failed growth (over max, no memory) sets `failed`, drops that
 * append whole, and every later append is dropped too: check once, at the end. */
struct buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max;
    bool failed;
    bool secret; /* bytes are wiped wherever they are let go: cleared, dropped, outgrown, freed */
};

/* An empty buffer; allocates nothing until the first append. max 0 means BUF_MAX_DEFAULT. */
enum { BUF_MAX_DEFAULT = 64 * 1024 * 1024 };
void buf_init(struct buf *b, size_t max);
void buf_init_secret(struct buf *b, size_t max);
void buf_free(struct buf *b);
/* As buf_free, after wiping what it held (for keys, passwords, tokens). */
void buf_wipe_free(struct buf *b);
/* Room for n more bytes at b->data + b->len; len does not change. NULL (and failed) if there is
 * none. */
uint8_t *buf_reserve(struct buf *b, size_t n);
/* n more bytes, uninitialised, counted in len. NULL if there is no room. */
uint8_t *buf_extend(struct buf *b, size_t n);
void buf_append(struct buf *b, const void *data, size_t n);
void buf_append_str(struct buf *b, const char *text);
void buf_append_byte(struct buf *b, uint8_t byte);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first n bytes (n <= len), moving the rest down. */
void buf_drop_front(struct buf *b, size_t n);
/* len = 0, failed = false, memory kept. */
void buf_clear(struct buf *b);
/* As buf_clear, and gives memory back when more than keep bytes are held. */
void buf_shrink(struct buf *b, size_t keep);

static inline struct slice buf_slice(const struct buf *b)
{
    return (struct slice){b->data, b->len};
}

/* Little-endian loads and stores on unaligned memory. */
static inline uint32_t load_le32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t load_le64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void store_le32(void *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void store_le64(void *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "loads above assume a little-endian CPU");

#endif
