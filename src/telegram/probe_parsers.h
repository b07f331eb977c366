/* SPDX-License-Identifier: MIT
 * Between the probe and its parsers, one a family of formats. */
#ifndef TGREST_TELEGRAM_PROBE_PARSERS_H
#define TGREST_TELEGRAM_PROBE_PARSERS_H

#include "telegram/probe.h"

/* Each begins with the file's first byte: sets p->step and what it wants. */
void probe_jpeg_begin(struct probe *p);
void probe_png_begin(struct probe *p);
void probe_gif_begin(struct probe *p);
void probe_webp_begin(struct probe *p);
void probe_mp4_begin(struct probe *p);
void probe_mp3_begin(struct probe *p);
void probe_ogg_begin(struct probe *p);
void probe_flac_begin(struct probe *p);
void probe_wav_begin(struct probe *p);

/* Next: `step` with `want` (1 to PROBE_GATHER_MAX) bytes that come after `skip` others. */
static inline void probe_next(struct probe *p, void (*step)(struct probe *p), uint64_t skip,
                              size_t want)
{
    p->step = step;
    p->skip = skip;
    p->want = want;
}

static inline void probe_stop(struct probe *p)
{
    p->want = 0;
}

/* Vorbis comments ("TITLE=…"), of which FLAC, Opus and Vorbis make use; cut off anywhere. */
void probe_comments(struct probe *p, struct slice comments);
/* Keeps a tag's text, cut to PROBE_TAG_BYTES_MAX at a character; bad UTF-8 is dropped. */
void probe_tag(char out[static PROBE_TAG_BYTES_MAX + 1], struct slice text);

static inline uint32_t load_be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t load_be24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | load_be16(p + 1);
}

static inline uint32_t load_be32(const uint8_t *p)
{
    return load_be16(p) << 16 | load_be16(p + 2);
}

static inline uint64_t load_be64(const uint8_t *p)
{
    return (uint64_t)load_be32(p) << 32 | load_be32(p + 4);
}

static inline uint32_t load_le16(const uint8_t *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static inline uint32_t load_le24(const uint8_t *p)
{
    return (uint32_t)p[2] << 16 | load_le16(p);
}

#endif
