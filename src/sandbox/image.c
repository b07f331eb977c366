/* SPDX-License-Identifier: MIT
 * Kinds of files by their magic bytes, sizes of images by their headers. */
#include "sandbox/image.h"

static const struct {
    uint16_t symbol;
    uint8_t at;
    const char *magic;
    uint8_t len;
} kinds[] = {
    {C_storage_fileJpeg, 0, "\xff\xd8\xff", 3}, {C_storage_filePng, 0, "\x89PNG\r\n\x1a\n", 8},
    {C_storage_fileGif, 0, "GIF8", 4},          {C_storage_fileWebp, 8, "WEBP", 4},
    {C_storage_filePdf, 0, "%PDF-", 5},         {C_storage_fileMp3, 0, "ID3", 3},
    {C_storage_fileMp3, 0, "\xff\xfb", 2},      {C_storage_fileMov, 4, "ftypqt", 6},
    {C_storage_fileMp4, 4, "ftyp", 4},
};

uint16_t storage_type(struct slice head)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (head.len >= (size_t)kinds[i].at + kinds[i].len &&
            memcmp(head.data + kinds[i].at, kinds[i].magic, kinds[i].len) == 0)
            return kinds[i].symbol;
    return C_storage_fileUnknown;
}

static int32_t be16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

/* Negative where no image is that large. */
static int32_t be32(const uint8_t *p)
{
    return (int32_t)((uint32_t)be16(p) << 16 | (uint32_t)be16(p + 2));
}

static int32_t le16(const uint8_t *p)
{
    return p[1] << 8 | p[0];
}

static int32_t le24(const uint8_t *p)
{
    return p[2] << 16 | p[1] << 8 | p[0];
}

/* Walks the segments up to the frame's header. */
static bool jpeg_size(struct slice s, int32_t *width, int32_t *height)
{
    for (size_t at = 2; at + 9 <= s.len && s.data[at] == 0xff;) {
        uint8_t marker = s.data[at + 1];
        bool frame =
            marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (frame) {
            *height = be16(s.data + at + 5);
            *width = be16(s.data + at + 7);
            return true;
        }
        at += marker == 0xff ? 1 : 2 + (size_t)be16(s.data + at + 2);
    }
    return false;
}

/* https://developers.google.com/speed/webp/docs/riff_container */
static bool webp_size(struct slice s, int32_t *width, int32_t *height)
{
    if (s.len < 30)
        return false;
    const uint8_t *chunk = s.data + 12, *body = s.data + 20;
    if (memcmp(chunk, "VP8X", 4) == 0) {
        *width = le24(body + 4) + 1;
        *height = le24(body + 7) + 1;
    } else if (memcmp(chunk, "VP8L", 4) == 0 && body[0] == 0x2f) {
        uint32_t bits = load_le32(body + 1);
        *width = (int32_t)(bits & 0x3fff) + 1;
        *height = (int32_t)(bits >> 14 & 0x3fff) + 1;
    } else if (memcmp(chunk, "VP8 ", 4) == 0 && memcmp(body + 3, "\x9d\x01\x2a", 3) == 0) {
        *width = le16(body + 6) & 0x3fff;
        *height = le16(body + 8) & 0x3fff;
    } else {
        return false;
    }
    return true;
}

bool image_size(struct slice head, int32_t *width, int32_t *height)
{
    switch (storage_type(head)) {
    case C_storage_fileJpeg:
        return jpeg_size(head, width, height);
    case C_storage_filePng:
        if (head.len < 24 || memcmp(head.data + 12, "IHDR", 4) != 0)
            return false;
        *width = be32(head.data + 16);
        *height = be32(head.data + 20);
        return true;
    case C_storage_fileGif:
        if (head.len < 10)
            return false;
        *width = le16(head.data + 6);
        *height = le16(head.data + 8);
        return true;
    case C_storage_fileWebp:
        return webp_size(head, width, height);
    default:
        return false;
    }
}
