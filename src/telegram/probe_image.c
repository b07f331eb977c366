/* SPDX-License-Identifier: MIT
 * Width and height of pictures: JPEG (ITU T.81), PNG (RFC 2083), GIF89a, WebP (RFC 9649). */
#include "telegram/probe_parsers.h"

/* ---- JPEG: markers up to the first frame header ---- */

static void jpeg_marker(struct probe *p);

static void jpeg_frame(struct probe *p)
{
    p->info.height = (int32_t)load_be16(p->bytes + 1);
    p->info.width = (int32_t)load_be16(p->bytes + 3);
    probe_stop(p);
}

static bool is_frame_header(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

static bool has_no_length(uint8_t marker)
{
    return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

/* The last `keep` of the four bytes belong to what comes. */
static void jpeg_again(struct probe *p, size_t keep)
{
    memmove(p->bytes, p->bytes + 4 - keep, keep);
    p->held = keep;
    probe_next(p, jpeg_marker, 0, 4);
}

static void jpeg_marker(struct probe *p)
{
    uint8_t marker = p->bytes[1];
    uint32_t length = load_be16(p->bytes + 2);
    if (p->bytes[0] != 0xff)
        probe_stop(p);
    else if (marker == 0xff) /* fill bytes */
        jpeg_again(p, 3);
    else if (has_no_length(marker))
        jpeg_again(p, 2);
    else if (is_frame_header(marker))
        probe_next(p, jpeg_frame, 0, 5);
    else if (length < 2 || marker == 0xd9 || marker == 0xda) /* no frame before the end, the scan */
        probe_stop(p);
    else
        probe_next(p, jpeg_marker, length - 2, 4);
}

void probe_jpeg_begin(struct probe *p)
{
    probe_next(p, jpeg_marker, 2, 4);
}

/* ---- those with a fixed place ---- */

static int32_t size_or_zero(uint32_t n)
{
    return n <= INT32_MAX ? (int32_t)n : 0;
}

static void png_header(struct probe *p)
{
    p->info.width = size_or_zero(load_be32(p->bytes));
    p->info.height = size_or_zero(load_be32(p->bytes + 4));
    probe_stop(p);
}

void probe_png_begin(struct probe *p)
{
    probe_next(p, png_header, 16, 8);
}

static void gif_header(struct probe *p)
{
    p->info.width = (int32_t)load_le16(p->bytes);
    p->info.height = (int32_t)load_le16(p->bytes + 2);
    probe_stop(p);
}

void probe_gif_begin(struct probe *p)
{
    probe_next(p, gif_header, 6, 4);
}

/* The first chunk: lossy, lossless, or the head of what has more in it. */
static void webp_chunk(struct probe *p)
{
    const uint8_t *body = p->bytes + 8;
    struct media_info *info = &p->info;
    probe_stop(p);
    if (memcmp(p->bytes, "VP8 ", 4) == 0 && memcmp(body + 3, "\x9d\x01\x2a", 3) == 0) {
        info->width = (int32_t)(load_le16(body + 6) & 0x3fff);
        info->height = (int32_t)(load_le16(body + 8) & 0x3fff);
    } else if (memcmp(p->bytes, "VP8L", 4) == 0 && body[0] == 0x2f) {
        uint32_t sizes = load_le32(body + 1);
        info->width = (int32_t)(sizes & 0x3fff) + 1;
        info->height = (int32_t)(sizes >> 14 & 0x3fff) + 1;
    } else if (memcmp(p->bytes, "VP8X", 4) == 0) {
        info->animated = (body[0] & 0x02) != 0;
        info->width = (int32_t)load_le24(body + 4) + 1;
        info->height = (int32_t)load_le24(body + 7) + 1;
    }
}

void probe_webp_begin(struct probe *p)
{
    probe_next(p, webp_chunk, 12, 18);
}
