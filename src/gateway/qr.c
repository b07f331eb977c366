/* SPDX-License-Identifier: MIT
 * The code is libqrencode's. The pictures are so simple that a library for them would be more to
 * call than this is to write: one SVG path, and a PNG of one bit a pixel in one zlib stream.
 * https://www.w3.org/TR/png-3/ */
#include "gateway/qr.h"

#include <qrencode.h>
#include <zlib.h>

enum {
    QUIET = 4,      /* modules of margin, as the standard wants */
    PNG_SCALE = 8,  /* pixels a module: 300 to 400 in all */
    PNG_HEAD = 13,  /* bytes of IHDR */
    ROW_FILTER = 1, /* bytes before each row: filter 0, as it is */
};

static QRcode *encode(const char *text)
{
    return QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
}

/* The lowest bit says whether a module is dark. Outside of the code it is light. */
static bool is_dark(const QRcode *code, int x, int y)
{
    return x >= 0 && y >= 0 && x < code->width && y < code->width &&
           (code->data[y * code->width + x] & 1);
}

/* ---- SVG ---- */

bool qr_svg(const char *text, struct buf *out)
{
    QRcode *code = encode(text);
    if (!code)
        return false;
    int size = code->width + 2 * QUIET;
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
               "shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>"
               "<path d=\"",
               size, size, size, size);
    for (int y = 0; y < code->width; y++) {
        for (int x = 0; x < code->width; x++) {
            int end = x;
            while (is_dark(code, end, y))
                end++;
            if (end > x)
                buf_printf(out, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, end - x, end - x);
            x = end;
        }
    }
    buf_append_str(out, "\"/></svg>");
    QRcode_free(code);
    return true;
}

/* ---- PNG ---- */

static void append_be32(struct buf *out, uint32_t v)
{
    uint8_t bytes[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    buf_append(out, bytes, sizeof bytes);
}

static void append_chunk(struct buf *out, const char type[static 4], const uint8_t *data, size_t n)
{
    append_be32(out, (uint32_t)n);
    buf_append(out, type, 4);
    buf_append(out, data, n);
    uLong crc = crc32(0, (const Bytef *)type, 4);
    append_be32(out, (uint32_t)crc32(crc, data, (uInt)n));
}

/* Rows of one bit a pixel, white = 1. */
static void write_rows(const QRcode *code, int size, size_t row, uint8_t *rows)
{
    memset(rows, 0, row * (size_t)size);
    for (int y = 0; y < size; y++) {
        uint8_t *at = rows + row * (size_t)y + ROW_FILTER;
        for (int x = 0; x < size; x++)
            if (!is_dark(code, x / PNG_SCALE - QUIET, y / PNG_SCALE - QUIET))
                at[x / 8] |= (uint8_t)(0x80 >> x % 8);
    }
}

static bool append_png(const QRcode *code, struct buf *out)
{
    static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    int size = (code->width + 2 * QUIET) * PNG_SCALE;
    size_t row = ROW_FILTER + ((size_t)size + 7) / 8;
    uint8_t head[PNG_HEAD] = {
        0, 0, (uint8_t)(size >> 8), (uint8_t)size, 0, 0, (uint8_t)(size >> 8), (uint8_t)size,
        1, /* bit a sample */
        0, /* grey; then the only compression, filter method, and no interlace */
    };
    struct buf rows, packed;
    buf_init(&rows, 0);
    buf_init(&packed, 0);
    uLongf n = compressBound((uLong)(row * (size_t)size));
    uint8_t *raw = buf_reserve(&rows, row * (size_t)size), *to = buf_reserve(&packed, n);
    bool ok = raw && to;
    if (ok) {
        write_rows(code, size, row, raw);
        ok = compress2(to, &n, raw, (uLong)(row * (size_t)size), Z_BEST_COMPRESSION) == Z_OK;
    }
    if (ok) {
        buf_append(out, signature, sizeof signature);
        append_chunk(out, "IHDR", head, sizeof head);
        append_chunk(out, "IDAT", to, n);
        append_chunk(out, "IEND", head, 0);
    }
    buf_free(&rows);
    buf_free(&packed);
    return ok;
}

bool qr_png(const char *text, struct buf *out)
{
    QRcode *code = encode(text);
    bool ok = code && append_png(code, out);
    QRcode_free(code);
    return ok;
}
