/* SPDX-License-Identifier: MIT
 * Boxes of mp4 and QuickTime files (ISO/IEC 14496-12): moov says all there is to know, and may
 * stand before or behind gigabytes of mdat, which pass by unread. */
#include "telegram/probe_parsers.h"

#define BOX(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

enum {
    BOX_HEAD = 8,
    TRACK_HEAD_MAX = 96, /* tkhd with 64-bit times */
    TAG_HEAD = 8,        /* of an iTunes tag's data: type, locale */
};

static void next_box(struct probe *p);

static uint32_t parent_type(const struct probe *p)
{
    return p->mp4.depth ? p->mp4.stack[p->mp4.depth - 1].type : 0;
}

/* ---- what is in the boxes that count: bytes[0..want) is the body, or its beginning ---- */

/* Timescale and duration of mvhd and mdhd; times are 64 bits wide in version 1. */
static void movie_head(struct probe *p, const uint8_t *b, size_t n)
{
    bool wide = b[0] == 1;
    if (n < (wide ? 32u : 20u))
        return;
    uint64_t duration = wide ? load_be64(b + 24) : load_be32(b + 16);
    p->mp4.timescale = load_be32(b + (wide ? 20 : 12));
    bool known = p->mp4.timescale && duration != (wide ? UINT64_MAX : UINT32_MAX);
    p->info.duration = known ? (double)duration / p->mp4.timescale : 0;
}

/* mehd: the duration of a file in fragments, of which mvhd knows nothing. */
static void fragments_head(struct probe *p, const uint8_t *b, size_t n)
{
    bool wide = b[0] == 1;
    if (n < (wide ? 12u : 8u) || !p->mp4.timescale || p->info.duration > 0)
        return;
    uint64_t duration = wide ? load_be64(b + 4) : load_be32(b + 4);
    p->info.duration = (double)duration / p->mp4.timescale;
}

/* tkhd: size in 16.16, and a matrix that may turn it by 90 degrees. */
static void track_head(struct probe *p, const uint8_t *b, size_t n)
{
    size_t matrix = b[0] == 1 ? 52 : 40;
    if (n < matrix + 44)
        return;
    int32_t width = (int32_t)load_be16(b + matrix + 36);
    int32_t height = (int32_t)load_be16(b + matrix + 40);
    bool turned = load_be32(b + matrix) == 0 && load_be32(b + matrix + 16) == 0;
    p->mp4.width = turned ? height : width;
    p->mp4.height = turned ? width : height;
}

/* hdlr of a track: the first track with pictures gives the size. */
static void track_handler(struct probe *p, const uint8_t *b, size_t n)
{
    if (n < 12 || parent_type(p) != BOX('m', 'd', 'i', 'a'))
        return;
    p->info.has_audio |= memcmp(b + 8, "soun", 4) == 0;
    if (memcmp(b + 8, "vide", 4) != 0 || p->info.has_video)
        return;
    p->info.has_video = true;
    p->info.width = p->mp4.width;
    p->info.height = p->mp4.height;
}

static void brand(struct probe *p, const uint8_t *b, size_t n)
{
    if (n >= 4 && memcmp(b, "qt  ", 4) == 0)
        p->info.format = FORMAT_MOV;
    if (n >= 4 && (memcmp(b, "M4A ", 4) == 0 || memcmp(b, "M4B ", 4) == 0))
        p->info.format = FORMAT_M4A;
}

static void tag(struct probe *p, const uint8_t *b, size_t n)
{
    uint32_t type = parent_type(p);
    if (n <= TAG_HEAD)
        return;
    struct slice text = slice_of(b + TAG_HEAD, n - TAG_HEAD);
    if (type == BOX(0xa9, 'n', 'a', 'm'))
        probe_tag(p->info.title, text);
    if (type == BOX(0xa9, 'A', 'R', 'T'))
        probe_tag(p->info.performer, text);
}

static const struct {
    uint32_t type;
    size_t want;
    void (*read)(struct probe *p, const uint8_t *body, size_t n);
} leaves[] = {
    {BOX('f', 't', 'y', 'p'), 4, brand},
    {BOX('m', 'v', 'h', 'd'), 32, movie_head},
    {BOX('m', 'e', 'h', 'd'), 12, fragments_head},
    {BOX('t', 'k', 'h', 'd'), TRACK_HEAD_MAX, track_head},
    {BOX('h', 'd', 'l', 'r'), 12, track_handler},
    {BOX('d', 'a', 't', 'a'), TAG_HEAD + PROBE_TAG_BYTES_MAX, tag},
};

/* `before`: bytes of the box that come before its children. */
static const struct {
    uint32_t type;
    uint8_t before;
} parents[] = {
    {BOX('m', 'o', 'o', 'v'), 0}, {BOX('t', 'r', 'a', 'k'), 0},  {BOX('m', 'd', 'i', 'a'), 0},
    {BOX('m', 'v', 'e', 'x'), 0}, {BOX('u', 'd', 't', 'a'), 0},  {BOX('m', 'e', 't', 'a'), 4},
    {BOX('i', 'l', 's', 't'), 0}, {BOX(0xa9, 'n', 'a', 'm'), 0}, {BOX(0xa9, 'A', 'R', 'T'), 0},
};

/* ---- walking ---- */

static void leaf_read(struct probe *p)
{
    size_t n = p->want;
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++)
        if (leaves[i].type == p->mp4.type)
            leaves[i].read(p, p->bytes, n);
    p->mp4.body -= n;
    next_box(p);
}

static bool enter_leaf(struct probe *p)
{
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
        if (leaves[i].type != p->mp4.type || p->mp4.body == 0)
            continue;
        size_t n = p->mp4.body < leaves[i].want ? (size_t)p->mp4.body : leaves[i].want;
        probe_next(p, leaf_read, 0, n);
        return true;
    }
    return false;
}

static bool enter_parent(struct probe *p)
{
    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
        if (parents[i].type != p->mp4.type || p->mp4.depth == PROBE_DEPTH_MAX ||
            p->mp4.body < parents[i].before)
            continue;
        p->mp4.stack[p->mp4.depth++] =
            (struct mp4_box){.end = p->offset + p->mp4.body, .type = p->mp4.type};
        p->mp4.body = parents[i].before;
        return true;
    }
    return false;
}

/* The box's head was read: its body has p->mp4.body bytes, the next of which comes now. */
static void enter(struct probe *p)
{
    uint64_t left = UINT64_MAX - p->offset;
    if (p->mp4.depth)
        left = p->mp4.stack[p->mp4.depth - 1].end - p->offset;
    if (p->mp4.body > left) /* larger than what it stands in */
        p->mp4.body = left;
    if (p->mp4.type == BOX('m', 'd', 'a', 't'))
        p->mp4.saw_data = true;
    if (p->mp4.type == BOX('m', 'o', 'o', 'v'))
        p->info.streamable = !p->mp4.saw_data;
    if (p->mp4.type == BOX('t', 'r', 'a', 'k'))
        p->mp4.width = p->mp4.height = 0;
    if (!enter_leaf(p)) {
        (void)enter_parent(p);
        next_box(p);
    }
}

static void long_size(struct probe *p)
{
    uint64_t size = load_be64(p->bytes);
    if (size < BOX_HEAD + 8) {
        probe_stop(p);
        return;
    }
    p->mp4.body = size - BOX_HEAD - 8;
    enter(p);
}

static void box_head(struct probe *p)
{
    uint32_t size = load_be32(p->bytes);
    p->mp4.type = load_be32(p->bytes + 4);
    if (size == 1) {
        probe_next(p, long_size, 0, 8);
        return;
    }
    if (size != 0 && size < BOX_HEAD) {
        probe_stop(p);
        return;
    }
    p->mp4.body = size == 0 ? UINT64_MAX : size - BOX_HEAD; /* 0: to the end of the file */
    enter(p);
}

/* Past what is left of the body, out of every box that ends there, to the next head. All is known
 * at the end of moov. */
static void next_box(struct probe *p)
{
    uint64_t at = p->offset + p->mp4.body;
    while (p->mp4.depth && p->mp4.stack[p->mp4.depth - 1].end - at < BOX_HEAD) {
        at = p->mp4.stack[--p->mp4.depth].end;
        if (p->mp4.stack[p->mp4.depth].type == BOX('m', 'o', 'o', 'v')) {
            probe_stop(p);
            return;
        }
    }
    probe_next(p, box_head, at - p->offset, BOX_HEAD);
}

static void finish(struct probe *p)
{
    if (p->info.format == FORMAT_MP4 && p->info.has_audio && !p->info.has_video)
        p->info.format = FORMAT_M4A;
    if (p->info.format == FORMAT_M4A)
        p->info.has_video = false; /* a cover */
}

void probe_mp4_begin(struct probe *p)
{
    p->finish = finish;
    probe_next(p, box_head, 0, BOX_HEAD);
}
