/* SPDX-License-Identifier: MIT */
#include "tl/cursor.h"

enum {
    TL_SHORT_MAX = 253,     /* longest length that fits the one-byte form */
    TL_LONG_MARK = 254,     /* first byte of the three-byte form; 255 is reserved */
    TL_BYTES_MAX = 0xffffff /* three bytes of length */
};

struct tl_reader tl_reader_of(struct slice bytes)
{
    /* A pointer of its own for "no bytes": arithmetic on NULL is undefined. */
    static const uint8_t nothing[1];
    const uint8_t *data = bytes.len ? bytes.data : nothing;
    return (struct tl_reader){.next = data, .end = data + bytes.len};
}

void tl_fail(struct tl_reader *r, const char *error)
{
    if (!r->error)
        r->error = error;
    r->next = r->end;
}

size_t tl_left(const struct tl_reader *r)
{
    return (size_t)(r->end - r->next);
}

/* The next n bytes, consumed; NULL when fewer are left. */
static const uint8_t *take(struct tl_reader *r, size_t n)
{
    if (n > tl_left(r)) {
        tl_fail(r, "unexpected end of data");
        return NULL;
    }
    const uint8_t *at = r->next;
    r->next += n;
    return at;
}

uint32_t tl_peek_u32(const struct tl_reader *r)
{
    return tl_left(r) >= 4 ? load_le32(r->next) : 0;
}

uint32_t tl_read_u32(struct tl_reader *r)
{
    const uint8_t *at = take(r, 4);
    return at ? load_le32(at) : 0;
}

int32_t tl_read_i32(struct tl_reader *r)
{
    return (int32_t)tl_read_u32(r);
}

uint64_t tl_read_u64(struct tl_reader *r)
{
    const uint8_t *at = take(r, 8);
    return at ? load_le64(at) : 0;
}

int64_t tl_read_i64(struct tl_reader *r)
{
    return (int64_t)tl_read_u64(r);
}

double tl_read_double(struct tl_reader *r)
{
    uint64_t bits = tl_read_u64(r);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct slice tl_read_raw(struct tl_reader *r, size_t n)
{
    const uint8_t *at = take(r, n);
    return at ? slice_of(at, n) : slice_of(NULL, 0);
}

struct slice tl_read_bytes(struct tl_reader *r)
{
    const uint8_t *head = take(r, 1);
    if (!head)
        return slice_of(NULL, 0);
    size_t len = head[0];
    size_t head_len = 1;
    if (len == TL_LONG_MARK) {
        const uint8_t *rest = take(r, 3);
        if (!rest)
            return slice_of(NULL, 0);
        len = (size_t)rest[0] | (size_t)rest[1] << 8 | (size_t)rest[2] << 16;
        head_len = 4;
    } else if (len > TL_LONG_MARK) {
        tl_fail(r, "reserved length of a string");
        return slice_of(NULL, 0);
    }
    size_t padding = (4 - (head_len + len) % 4) % 4;
    const uint8_t *data = take(r, len + padding);
    return data ? slice_of(data, len) : slice_of(NULL, 0);
}

uint32_t tl_read_count(struct tl_reader *r, size_t item_bytes_min)
{
    uint32_t count = tl_read_u32(r);
    if (item_bytes_min > 0 && count > tl_left(r) / item_bytes_min) {
        tl_fail(r, "more items announced than the data holds");
        return 0;
    }
    return count;
}

void tl_write_u32(struct buf *b, uint32_t v)
{
    uint8_t *at = buf_extend(b, 4);
    if (at)
        store_le32(at, v);
}

void tl_write_i32(struct buf *b, int32_t v)
{
    tl_write_u32(b, (uint32_t)v);
}

void tl_write_u64(struct buf *b, uint64_t v)
{
    uint8_t *at = buf_extend(b, 8);
    if (at)
        store_le64(at, v);
}

void tl_write_i64(struct buf *b, int64_t v)
{
    tl_write_u64(b, (uint64_t)v);
}

void tl_write_double(struct buf *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    tl_write_u64(b, bits);
}

void tl_write_bytes(struct buf *b, struct slice s)
{
    if (s.len > TL_BYTES_MAX) {
        b->failed = true;
        return;
    }
    size_t head_len = s.len <= TL_SHORT_MAX ? 1 : 4;
    size_t padding = (4 - (head_len + s.len) % 4) % 4;
    uint8_t *at = buf_extend(b, head_len + s.len + padding);
    if (!at)
        return;
    if (head_len == 1)
        at[0] = (uint8_t)s.len;
    else
        store_le32(at, TL_LONG_MARK | (uint32_t)s.len << 8);
    if (s.len)
        memcpy(at + head_len, s.data, s.len);
    memset(at + head_len + s.len, 0, padding);
}
