/* SPDX-License-Identifier: MIT
 * PNG, as small as it gets: one IDAT, no filters. https://www.w3.org/TR/png-3/ */
#include "sandbox/png.h"

#include <zlib.h>

enum { PIXEL_BYTES = 3, SQUARES = 12 };

static void append_be32(struct buf *out, uint32_t v)
{
    uint8_t bytes[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    buf_append(out, bytes, sizeof bytes);
}

static void append_chunk(struct buf *out, const char type[static 4], struct slice data)
{
    append_be32(out, (uint32_t)data.len);
    size_t from = out->len;
    buf_append(out, type, 4);
    buf_append(out, data.data, data.len);
    if (!out->failed)
        append_be32(out, (uint32_t)crc32(0, out->data + from, (uInt)(out->len - from)));
}

static void append_header(struct buf *out, uint32_t width, uint32_t height)
{
    struct buf header;
    buf_init(&header, 0);
    append_be32(&header, width);
    append_be32(&header, height);
    buf_append(&header, "\x08\x02\0\0\0", 5); /* 8 bits, RGB, deflate, no filters, not interlaced */
    append_chunk(out, "IHDR", buf_slice(&header));
    buf_free(&header);
}

static void append_rows(struct buf *rows, uint32_t width, uint32_t height, uint32_t tone)
{
    uint32_t side = width / SQUARES + 1;
    for (uint32_t y = 0; y < height; y++) {
        uint8_t *row = buf_extend(rows, 1 + (size_t)width * PIXEL_BYTES);
        if (!row)
            return;
        *row++ = 0; /* no filter */
        for (uint32_t x = 0; x < width; x++, row += PIXEL_BYTES) {
            uint32_t square = x / side + y / side * SQUARES;
            row[0] = (uint8_t)(square * 37 + tone * 91);
            row[1] = (uint8_t)(square * 11 + tone * 53);
            row[2] = (uint8_t)(200 - square * 5 + tone * 17);
        }
    }
}

void png_write(struct buf *out, uint32_t width, uint32_t height, uint32_t tone)
{
    struct buf rows, packed;
    buf_init(&rows, 0);
    buf_init(&packed, 0);
    append_rows(&rows, width, height, tone);
    uLongf len = compressBound(rows.len);
    uint8_t *at = rows.failed ? NULL : buf_extend(&packed, len);
    bool ok = at && compress2(at, &len, rows.data, rows.len, Z_BEST_SPEED) == Z_OK;
    buf_append(out, "\x89PNG\r\n\x1a\n", 8);
    append_header(out, width, height);
    append_chunk(out, "IDAT", slice_of(packed.data, ok ? len : 0));
    append_chunk(out, "IEND", slice_of("", 0));
    out->failed = out->failed || !ok;
    buf_free(&rows);
    buf_free(&packed);
}
