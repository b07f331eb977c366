/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { BUF_CAP_MIN = 256 };

bool slice_starts_with(struct slice a, const char *prefix)
{
    size_t n = strlen(prefix);
    return a.len >= n && memcmp(a.data, prefix, n) == 0;
}

bool slice_is_nocase(struct slice a, const char *text)
{
    return a.len == strlen(text) && strncasecmp((const char *)a.data, text, a.len) == 0;
}

bool slice_to_i64(struct slice a, int64_t *out)
{
    size_t i = 0;
    bool negative = a.len > 0 && a.data[0] == '-';
    if (a.len > 0 && (a.data[0] == '-' || a.data[0] == '+'))
        i = 1;
    if (i == a.len)
        return false;
    int64_t value = 0; /* kept negative: INT64_MIN has no positive twin */
    for (; i < a.len; i++) {
        if (a.data[i] < '0' || a.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, a.data[i] - '0', &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *out = negative ? value : -value;
    return true;
}

/* Length of the valid sequence at p, 0 if there is none. */
static size_t utf8_sequence(const uint8_t *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] >= 0xa0;
    bool too_high = p[0] == 0xf4 && p[1] >= 0x90;
    return overlong || surrogate || too_high ? 0 : n;
}

bool slice_is_utf8(struct slice a)
{
    for (size_t i = 0; i < a.len;) {
        size_t n = utf8_sequence(a.data + i, a.len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t utf8_valid_prefix(struct slice a)
{
    return a.len == 0 ? 0 : utf8_sequence(a.data, a.len);
}

/* UTF-16 units that a byte of UTF-8 begins: 2 for astral characters, 0 inside a character. */
static unsigned units_of(uint8_t byte)
{
    return (unsigned)((byte & 0xc0) != 0x80) + (unsigned)(byte >= 0xf0);
}

size_t utf16_length(struct slice text)
{
    size_t units = 0;
    for (size_t i = 0; i < text.len; i++)
        units += units_of(text.data[i]);
    return units;
}

size_t utf16_to_byte(struct slice text, size_t unit)
{
    size_t at = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned units = units_of(text.data[i]);
        if (units && at >= unit)
            return i;
        at += units;
    }
    return text.len;
}

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max ? max : BUF_MAX_DEFAULT};
}

void buf_init_secret(struct buf *b, size_t max)
{
    buf_init(b, max);
    b->secret = true;
}

static void wipe(struct buf *b, size_t from, size_t n)
{
    if (b->secret && n > 0)
        sodium_memzero(b->data + from, n);
}

void buf_free(struct buf *b)
{
    wipe(b, 0, b->cap);
    free(b->data);
    *b = (struct buf){.max = b->max, .secret = b->secret};
}

void buf_wipe_free(struct buf *b)
{
    if (b->data)
        sodium_memzero(b->data, b->cap);
    buf_free(b);
}

static bool buf_grow(struct buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : BUF_CAP_MIN;
    while (cap < need)
        cap *= 2;
    uint8_t *data = b->secret ? malloc(cap) : realloc(b->data, cap);
    if (!data)
        return false;
    if (b->secret && b->data) {
        memcpy(data, b->data, b->len);
        wipe(b, 0, b->cap);
        free(b->data);
    }
    b->data = data;
    b->cap = cap;
    return true;
}

/* Apart, and not for inlining: appends are many and short, and nearly all find room. */
static __attribute__((noinline)) bool make_room(struct buf *b, size_t n)
{
    bool ok = !b->failed && n <= b->max && b->len <= b->max - n;
    if (ok && (b->cap - b->len < n || !b->data))
        ok = buf_grow(b, b->len + n);
    b->failed = !ok;
    return ok;
}

static inline bool has_room(struct buf *b, size_t n)
{
    bool fits = !b->failed && b->data && n <= b->cap - b->len && b->len + n <= b->max;
    return fits || make_room(b, n);
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
    return has_room(b, n) ? b->data + b->len : NULL;
}

uint8_t *buf_extend(struct buf *b, size_t n)
{
    if (!has_room(b, n))
        return NULL;
    b->len += n;
    return b->data + b->len - n;
}

void buf_append(struct buf *b, const void *data, size_t n)
{
    if (n == 0 || !has_room(b, n))
        return;
    memcpy(b->data + b->len, data, n);
    b->len += n;
}

void buf_append_str(struct buf *b, const char *text)
{
    buf_append(b, text, strlen(text));
}

void buf_append_byte(struct buf *b, uint8_t byte)
{
    if (has_room(b, 1))
        b->data[b->len++] = byte;
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    /* One byte more than is kept: vsnprintf wants room for its NUL. */
    uint8_t *at = n < 0 ? NULL : buf_reserve(b, (size_t)n + 1);
    if (at) {
        vsnprintf((char *)at, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    } else {
        b->failed = true;
    }
    va_end(again);
}

void buf_drop_front(struct buf *b, size_t n)
{
    b->len -= n;
    if (n > 0 && b->len > 0)
        memmove(b->data, b->data + n, b->len);
    wipe(b, b->len, n);
}

void buf_clear(struct buf *b)
{
    wipe(b, 0, b->len);
    b->len = 0;
    b->failed = false;
}

void buf_shrink(struct buf *b, size_t keep)
{
    buf_clear(b);
    if (b->cap > keep)
        buf_free(b);
}
