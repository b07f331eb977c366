/* SPDX-License-Identifier: MIT
 * Duration and tags of sound: Ogg (RFC 3533, 7845), FLAC (RFC 9639), WAV. */
#include "telegram/probe_parsers.h"

static size_t at_most(uint64_t n, size_t most)
{
    return n < most ? (size_t)n : most;
}

/* ---- Ogg: pages, each with the position in samples at its end ---- */

enum {
    OGG_HEAD = 27,
    OPUS_RATE = 48000, /* positions are in these, whatever the sound was */
};

static void ogg_head(struct probe *p);

/* The first page of a stream says what is in it. */
static void ogg_stream(struct probe *p, struct slice page)
{
    if (page.len >= 19 && memcmp(page.data, "OpusHead", 8) == 0) {
        p->info.format = FORMAT_OPUS;
        p->ogg.rate = OPUS_RATE;
        p->ogg.pre_skip = load_le16(page.data + 10);
    } else if (page.len >= 16 && memcmp(page.data, "\x01vorbis", 7) == 0) {
        p->info.format = FORMAT_VORBIS;
        p->ogg.rate = load_le32(page.data + 12);
    } else {
        probe_stop(p);
        return;
    }
    p->info.has_audio = true;
}

static void ogg_tags(struct probe *p, struct slice page)
{
    size_t head = p->info.format == FORMAT_OPUS ? 8 : 7; /* "OpusTags", "\x03vorbis" */
    if (page.len > head)
        probe_comments(p, slice_of(page.data + head, page.len - head));
}

static void ogg_page(struct probe *p)
{
    size_t n = p->want;
    uint64_t rest = p->ogg.left - n;
    probe_next(p, ogg_head, rest, OGG_HEAD);
    if (p->ogg.pages == 1)
        ogg_stream(p, slice_of(p->bytes, n));
    else
        ogg_tags(p, slice_of(p->bytes, n));
}

static void ogg_lacing(struct probe *p)
{
    uint64_t body = 0;
    for (size_t i = 0; i < p->want; i++)
        body += p->bytes[i];
    if (p->ogg.listens && p->ogg.pages <= 2 && body > 0) {
        p->ogg.left = body;
        probe_next(p, ogg_page, 0, at_most(body, PROBE_GATHER_MAX));
    } else {
        probe_next(p, ogg_head, body, OGG_HEAD);
    }
}

static void ogg_head(struct probe *p)
{
    uint64_t granule = load_le64(p->bytes + 6);
    uint32_t serial = load_le32(p->bytes + 14);
    uint8_t segments = p->bytes[26];
    if (memcmp(p->bytes, "OggS", 4) != 0) {
        probe_stop(p);
        return;
    }
    if (p->ogg.pages == 0)
        p->ogg.serial = serial;
    p->ogg.listens = serial == p->ogg.serial;
    if (p->ogg.listens) {
        p->ogg.pages++;
        if (granule != UINT64_MAX) /* no packet ends on that page */
            p->ogg.granule = granule;
    }
    if (segments)
        probe_next(p, ogg_lacing, 0, segments);
    else
        probe_next(p, ogg_head, 0, OGG_HEAD);
}

static void ogg_finish(struct probe *p)
{
    if (p->ogg.rate && p->ogg.granule > p->ogg.pre_skip)
        p->info.duration = (double)(p->ogg.granule - p->ogg.pre_skip) / p->ogg.rate;
}

void probe_ogg_begin(struct probe *p)
{
    p->finish = ogg_finish;
    probe_next(p, ogg_head, 0, OGG_HEAD);
}

/* ---- FLAC: blocks of metadata before the sound ---- */

enum { FLAC_STREAMINFO = 0, FLAC_COMMENTS = 4, FLAC_BLOCK_HEAD = 4 };

static void flac_head(struct probe *p);

static void flac_after(struct probe *p, uint64_t rest)
{
    if (p->flac.last)
        probe_stop(p);
    else
        probe_next(p, flac_head, rest, FLAC_BLOCK_HEAD);
}

static void flac_info(struct probe *p)
{
    uint32_t rate = load_be24(p->bytes + 10) >> 4;
    uint64_t samples = load_be64(p->bytes + 10) & 0xfffffffff;
    p->info.duration = rate ? (double)samples / rate : 0;
    flac_after(p, p->flac.left - p->want);
}

static void flac_comments(struct probe *p)
{
    probe_comments(p, slice_of(p->bytes, p->want));
    flac_after(p, p->flac.left - p->want);
}

static void flac_head(struct probe *p)
{
    uint8_t type = p->bytes[0] & 0x7f;
    uint32_t length = load_be24(p->bytes + 1);
    p->flac.last = (p->bytes[0] & 0x80) != 0;
    p->flac.left = length;
    if (type == FLAC_STREAMINFO && length >= 18)
        probe_next(p, flac_info, 0, 18);
    else if (type == FLAC_COMMENTS && length > 0)
        probe_next(p, flac_comments, 0, at_most(length, PROBE_GATHER_MAX));
    else
        flac_after(p, length);
}

void probe_flac_begin(struct probe *p)
{
    p->info.has_audio = true;
    probe_next(p, flac_head, 4, FLAC_BLOCK_HEAD);
}

/* ---- WAV: chunks ---- */

static void wav_chunk(struct probe *p);

static void wav_format(struct probe *p)
{
    p->wav.byte_rate = load_le32(p->bytes + 8);
    probe_next(p, wav_chunk, p->wav.left - p->want, 8);
}

static void wav_chunk(struct probe *p)
{
    uint32_t size = load_le32(p->bytes + 4);
    uint64_t padded = (uint64_t)size + (size & 1);
    if (memcmp(p->bytes, "fmt ", 4) == 0 && size >= 16) {
        p->wav.left = padded;
        probe_next(p, wav_format, 0, 16);
    } else if (memcmp(p->bytes, "data", 4) == 0) {
        p->wav.data_at = p->offset;
        /* A program that writes into a pipe cannot say how much it will be. */
        p->wav.left = size != 0 && size != UINT32_MAX ? size : 0;
        probe_stop(p);
    } else {
        probe_next(p, wav_chunk, padded, 8);
    }
}

static void wav_finish(struct probe *p)
{
    if (!p->wav.byte_rate || !p->wav.data_at)
        return;
    uint64_t there = p->size - p->wav.data_at;
    uint64_t bytes = p->wav.left && p->wav.left < there ? p->wav.left : there;
    p->info.duration = (double)bytes / p->wav.byte_rate;
}

void probe_wav_begin(struct probe *p)
{
    p->info.has_audio = true;
    p->finish = wav_finish;
    probe_next(p, wav_chunk, 12, 8);
}
