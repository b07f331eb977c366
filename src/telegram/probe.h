/* SPDX-License-Identifier: MIT
 * What a file is and how long, wide and high, from its bytes as they pass: sans-IO, a few KiB of
 * memory whatever the file's size, wherever in the file the facts stand. */
#ifndef TGREST_TELEGRAM_PROBE_H
#define TGREST_TELEGRAM_PROBE_H

#include "base/bytes.h"

enum media_format {
    FORMAT_UNKNOWN,
    FORMAT_JPEG,
    FORMAT_PNG,
    FORMAT_GIF,
    FORMAT_WEBP,
    FORMAT_MP4, /* and what else has its boxes: m4v, 3gp */
    FORMAT_MOV,
    FORMAT_M4A,
    FORMAT_MP3,
    FORMAT_OGG, /* neither Opus nor Vorbis inside */
    FORMAT_OPUS,
    FORMAT_VORBIS,
    FORMAT_FLAC,
    FORMAT_WAV,
};

enum {
    PROBE_SNIFF_BYTES = 16,    /* the format is known after as many */
    PROBE_GATHER_MAX = 1024,   /* the most that one step of a parser looks at */
    PROBE_DEPTH_MAX = 12,      /* nested mp4 boxes: moov/udta/meta/ilst/©nam/data are six */
    PROBE_TAG_BYTES_MAX = 256, /* of a title or performer */
};

/* Zero is "not known" everywhere. */
struct media_info {
    enum media_format format;
    int32_t width; /* as shown: turned where the file says so */
    int32_t height;
    double duration; /* seconds */
    bool animated;   /* WebP with several frames */
    bool has_video;
    bool has_audio;
    bool streamable;                     /* mp4: moov stands before mdat */
    char title[PROBE_TAG_BYTES_MAX + 1]; /* UTF-8 */
    char performer[PROBE_TAG_BYTES_MAX + 1];
};

struct mp4_box {
    uint64_t end; /* offset in the file */
    uint32_t type;
};

/* The state of one probe; its members are the parsers' business. */
struct probe {
    struct media_info info;
    uint64_t offset; /* of the next byte that comes */
    uint64_t size;   /* bytes fed */
    uint64_t skip;   /* bytes to let pass before gathering */
    size_t want;     /* bytes to gather for the next step; 0 = all is known */
    size_t held;     /* bytes gathered */
    uint8_t bytes[PROBE_GATHER_MAX];
    void (*step)(struct probe *p);   /* looks at bytes[0..want) and says what it wants next */
    void (*finish)(struct probe *p); /* at the file's end; NULL = nothing left to say */
    union {
        struct {
            struct mp4_box stack[PROBE_DEPTH_MAX];
            size_t depth;
            uint64_t body; /* of the box whose head was read */
            uint32_t type; /* likewise */
            int32_t width; /* of the track being read */
            int32_t height;
            uint32_t timescale;
            bool saw_data;
        } mp4;
        struct {
            uint64_t audio_at;   /* offset of the first frame */
            uint64_t tag_left;   /* ID3: bytes of the tag still to come */
            uint32_t frame_left; /* likewise of its frame */
            uint32_t bitrate;    /* bits a second, where that is constant */
            uint8_t version;     /* ID3v2.x */
        } mp3;
        struct {
            uint32_t pages;
            uint32_t rate;
            uint32_t serial;
            uint64_t pre_skip; /* samples */
            uint64_t granule;  /* the last one of the stream */
            uint64_t left;     /* bytes of the page's body */
            bool listens;      /* the page is of the stream that counts */
        } ogg;
        struct {
            uint32_t byte_rate;
            uint64_t data_at; /* offset of the samples */
            uint64_t left;    /* bytes of the chunk */
        } wav;
        struct {
            bool last;
            uint32_t left; /* bytes of the block still to come */
        } flac;
    };
};

void probe_begin(struct probe *p);
void probe_feed(struct probe *p, struct slice bytes);
/* No more bytes come: what info says now is final. */
void probe_end(struct probe *p);
/* PROBE_SNIFF_BYTES were fed: info.format will change only from one kind of mp4 or Ogg to another.
 */
bool probe_sniffed(const struct probe *p);
/* A still picture of a format that Telegram takes as a photo (by its first bytes alone). */
bool format_is_image(enum media_format format);
/* "image/jpeg"; NULL for FORMAT_UNKNOWN. */
const char *format_mime(enum media_format format);

#endif
