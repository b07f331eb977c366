/* SPDX-License-Identifier: MIT */
#include "tl/value.h"

#include <zlib.h>

enum {
    INFLATE_GUESS_RATIO = 4, /* usual for Telegram's answers: mostly one pass and one copy */
    INFLATE_OUTPUT_MIN = 1024,
    WINDOW_BITS_ANY = 15 + 32, /* zlib or gzip header, whichever comes */
};

/* Inflates all of z's input into out (grown as needed, bounded by out->max). */
static bool inflate_all(z_stream *z, size_t guess, struct buf *out)
{
    for (;;) {
        size_t left = out->max - out->len;
        size_t room = guess < left ? guess : left;
        uint8_t *at = room ? buf_reserve(out, room) : NULL;
        uint8_t over;
        z->next_out = at ? at : &over;
        z->avail_out = at ? (uInt)room : 1;
        int status = inflate(z, Z_NO_FLUSH);
        if (at)
            out->len += room - z->avail_out;
        else if (z->avail_out == 0)
            return false; /* a byte more than the bound, or no memory */
        if (status == Z_STREAM_END)
            return true;
        if (status != Z_OK || (z->avail_in == 0 && z->avail_out > 0))
            return false;
    }
}

bool tl_inflate(struct slice packed, size_t output_max, struct arena *a, struct slice *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.data, .avail_in = (uInt)packed.len};
    if (packed.len == 0 || packed.len > UINT32_MAX || inflateInit2(&z, WINDOW_BITS_ANY) != Z_OK)
        return false;
    struct buf plain;
    buf_init(&plain, output_max);
    plain.max = output_max; /* 0 is a bound here, not a default */
    size_t guess = packed.len * INFLATE_GUESS_RATIO;
    bool good = inflate_all(&z, guess > INFLATE_OUTPUT_MIN ? guess : INFLATE_OUTPUT_MIN, &plain);
    inflateEnd(&z);
    if (good)
        *out = arena_copy(a, buf_slice(&plain));
    good = good && !a->failed;
    buf_free(&plain);
    return good;
}
