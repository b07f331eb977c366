/* SPDX-License-Identifier: MIT
 * TL primitives over bytes: a sticky read cursor and append-only writes.
 * https://core.telegram.org/mtproto/serialize */
#ifndef TGREST_TL_CURSOR_H
#define TGREST_TL_CURSOR_H

#include "base/bytes.h"

enum {
    TL_ID_VECTOR = 0x1cb5c415,
    TL_ID_GZIP_PACKED = 0x3072cfa1,
};
#define TL_ID_BOOL_TRUE  0x997275b5u
#define TL_ID_BOOL_FALSE 0xbc799737u

/* The first error sticks; every later read gives zeroes or empty slices. Check `error` once, at the
 * end. */
struct tl_reader {
    const uint8_t *next;
    const uint8_t *end;
    const char *error; /* static text, NULL while all is well */
};

struct tl_reader tl_reader_of(struct slice bytes);
void tl_fail(struct tl_reader *r, const char *error);
size_t tl_left(const struct tl_reader *r);
/* The next 4 bytes without consuming them; 0 when fewer are left (not an error). */
uint32_t tl_peek_u32(const struct tl_reader *r);
uint32_t tl_read_u32(struct tl_reader *r);
int32_t tl_read_i32(struct tl_reader *r);
uint64_t tl_read_u64(struct tl_reader *r);
int64_t tl_read_i64(struct tl_reader *r);
double tl_read_double(struct tl_reader *r);
/* n bytes that stay where they are (int128, int256, nested messages). */
struct slice tl_read_raw(struct tl_reader *r, size_t n);
/* TL `bytes` / `string`: length, data, padding. The slice points into the input. */
struct slice tl_read_bytes(struct tl_reader *r);
/* A count that is followed by that many items of at least item_bytes_min bytes each: refuses more
 * than the input can hold, so that no allocation is larger than what was received. */
uint32_t tl_read_count(struct tl_reader *r, size_t item_bytes_min);

void tl_write_u32(struct buf *b, uint32_t v);
void tl_write_i32(struct buf *b, int32_t v);
void tl_write_u64(struct buf *b, uint64_t v);
void tl_write_i64(struct buf *b, int64_t v);
void tl_write_double(struct buf *b, double v);
/* TL `bytes` / `string`; at most 2^24 - 1 bytes, more fails the buf. */
void tl_write_bytes(struct buf *b, struct slice s);

#endif
