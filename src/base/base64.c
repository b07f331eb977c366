/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char urlsafe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { BAD = 0x80 };

/* Value of a character in either alphabet; 0 stands for "none" but for 'A', so values are + 1. */
static const uint8_t values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['-'] = 63,
    ['/'] = 64, ['_'] = 64,
};

/* 0 to 63, or BAD in the high bit: errors of four characters are told by one OR. */
static uint32_t value_of(uint8_t c)
{
    return (uint32_t)(uint8_t)(values[c] - 1);
}

/* The last two or three characters; bits that no byte takes must be zero. */
static bool decode_tail(const uint8_t *in, size_t n, uint8_t *out, size_t *written)
{
    uint32_t a = value_of(in[0]), b = value_of(in[1]), c = n == 3 ? value_of(in[2]) : 0;
    if ((a | b | c) & BAD)
        return false;
    uint32_t v = a << 18 | b << 12 | c << 6;
    out[0] = (uint8_t)(v >> 16);
    if (n == 3)
        out[1] = (uint8_t)(v >> 8);
    *written += n - 1;
    return (v & (n == 3 ? 0xff : 0xffff)) == 0;
}

bool base64_decode(struct slice text, uint8_t *out, size_t *out_len)
{
    size_t n = text.len;
    size_t padding = 0;
    while (padding < 2 && n > 0 && text.data[n - 1] == '=') {
        n--;
        padding++;
    }
    if (n % 4 == 1 || (padding && text.len % 4 != 0))
        return false;
    uint32_t errors = 0;
    size_t written = 0;
    for (size_t i = 0; i + 4 <= n; i += 4) {
        uint32_t a = value_of(text.data[i]), b = value_of(text.data[i + 1]);
        uint32_t c = value_of(text.data[i + 2]), d = value_of(text.data[i + 3]);
        errors |= a | b | c | d;
        uint32_t v = a << 18 | b << 12 | c << 6 | d;
        out[written++] = (uint8_t)(v >> 16);
        out[written++] = (uint8_t)(v >> 8);
        out[written++] = (uint8_t)v;
    }
    if (errors & BAD)
        return false;
    if (n % 4 && !decode_tail(text.data + n / 4 * 4, n % 4, out + written, &written))
        return false;
    *out_len = written;
    return true;
}

static void encode(struct slice bytes, const char *alphabet, bool pad, struct buf *out)
{
    size_t whole = bytes.len / 3, rest = bytes.len % 3;
    uint8_t *at = buf_extend(out, 4 * whole + (rest == 0 ? 0 : pad ? 4 : rest + 1));
    const uint8_t *in = bytes.data;
    for (size_t i = 0; at && i < whole; i++, in += 3, at += 4) {
        uint32_t v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        for (size_t k = 0; k < 4; k++)
            at[k] = (uint8_t)alphabet[v >> (18 - 6 * k) & 63];
    }
    if (!at || rest == 0)
        return;
    uint32_t v = (uint32_t)in[0] << 16 | (rest == 2 ? (uint32_t)in[1] << 8 : 0);
    for (size_t k = 0; k < rest + 1; k++)
        at[k] = (uint8_t)alphabet[v >> (18 - 6 * k) & 63];
    for (size_t k = rest + 1; pad && k < 4; k++)
        at[k] = '=';
}

void base64url_encode(struct slice bytes, struct buf *out)
{
    encode(bytes, urlsafe, false, out);
}

void base64_encode(struct slice bytes, struct buf *out)
{
    encode(bytes, standard, true, out);
}
