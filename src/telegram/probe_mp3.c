/* SPDX-License-Identifier: MIT
 * MP3: tags (ID3v2.2 to 2.4), then frames; the first says how long it is, or at which rate. */
#include "telegram/probe_parsers.h"

enum {
    ID3_HEAD = 10,
    MP3_FRAME_HEAD = 4,
    MP3_FRAME_LOOK = 64, /* the Xing or VBRI head stands within */
};

static void mp3_frame(struct probe *p);
static void id3_frame(struct probe *p);

/* Seven bits a byte. */
static uint32_t load_synchsafe(const uint8_t *b)
{
    return (uint32_t)(b[0] & 0x7f) << 21 | (uint32_t)(b[1] & 0x7f) << 14 |
           (uint32_t)(b[2] & 0x7f) << 7 | (b[3] & 0x7f);
}

/* ---- text of tags ---- */

static void append_utf8(char *out, size_t *n, uint32_t c)
{
    if (*n + 4 > PROBE_TAG_BYTES_MAX)
        return;
    if (c < 0x80) {
        out[(*n)++] = (char)c;
    } else if (c < 0x800) {
        out[(*n)++] = (char)(0xc0 | c >> 6);
        out[(*n)++] = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        out[(*n)++] = (char)(0xe0 | c >> 12);
        out[(*n)++] = (char)(0x80 | (c >> 6 & 0x3f));
        out[(*n)++] = (char)(0x80 | (c & 0x3f));
    } else {
        out[(*n)++] = (char)(0xf0 | c >> 18);
        out[(*n)++] = (char)(0x80 | (c >> 12 & 0x3f));
        out[(*n)++] = (char)(0x80 | (c >> 6 & 0x3f));
        out[(*n)++] = (char)(0x80 | (c & 0x3f));
    }
}

static size_t from_utf16(char *out, struct slice text, bool big_endian)
{
    size_t n = 0;
    uint32_t high = 0;
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        uint32_t c = big_endian ? load_be16(text.data + i) : load_le16(text.data + i);
        if (c == 0)
            break;
        if ((c & 0xfc00) == 0xd800) {
            high = c;
        } else if ((c & 0xfc00) == 0xdc00) {
            if (high)
                append_utf8(out, &n, 0x10000 + ((high & 0x3ff) << 10) + (c & 0x3ff));
            high = 0;
        } else {
            append_utf8(out, &n, c);
        }
    }
    return n;
}

static size_t from_latin1(char *out, struct slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len && text.data[i] != 0; i++)
        append_utf8(out, &n, text.data[i]);
    return n;
}

/* A frame's body: one byte that names the encoding, then the text. */
static void id3_text(char out[static PROBE_TAG_BYTES_MAX + 1], struct slice body)
{
    char utf8[PROBE_TAG_BYTES_MAX];
    if (body.len < 1)
        return;
    struct slice text = slice_of(body.data + 1, body.len - 1);
    bool has_mark = text.len >= 2 && load_be16(text.data) >= 0xfeff;
    switch (body.data[0]) {
    case 0:
        probe_tag(out, slice_of(utf8, from_latin1(utf8, text)));
        break;
    case 1:
        if (has_mark)
            probe_tag(out, slice_of(utf8, from_utf16(utf8, slice_of(text.data + 2, text.len - 2),
                                                     text.data[0] == 0xfe)));
        break;
    case 2:
        probe_tag(out, slice_of(utf8, from_utf16(utf8, text, true)));
        break;
    case 3:
        probe_tag(out, text);
        break;
    default:
        break;
    }
}

/* ---- the tag ---- */

static size_t id3_frame_head(const struct probe *p)
{
    return p->mp3.version == 2 ? 6 : 10;
}

/* The next frame of the tag, or the sound when there is none. */
static void id3_next(struct probe *p, uint64_t skip)
{
    p->mp3.tag_left -= skip;
    if (p->mp3.tag_left <= id3_frame_head(p)) {
        probe_next(p, mp3_frame, skip + p->mp3.tag_left, MP3_FRAME_LOOK);
        return;
    }
    probe_next(p, id3_frame, skip, id3_frame_head(p));
}

static void id3_title(struct probe *p)
{
    id3_text(p->info.title, slice_of(p->bytes, p->want));
    p->mp3.tag_left -= p->want;
    id3_next(p, p->mp3.frame_left - p->want);
}

static void id3_performer(struct probe *p)
{
    id3_text(p->info.performer, slice_of(p->bytes, p->want));
    p->mp3.tag_left -= p->want;
    id3_next(p, p->mp3.frame_left - p->want);
}

static uint32_t id3_frame_size(const struct probe *p)
{
    const uint8_t *b = p->bytes;
    if (p->mp3.version == 2)
        return load_be24(b + 3);
    return p->mp3.version == 3 ? load_be32(b + 4) : load_synchsafe(b + 4);
}

static void id3_frame(struct probe *p)
{
    static const struct {
        const char *name;
        void (*read)(struct probe *p);
    } frames[] = {
        {"TIT2", id3_title}, {"TT2", id3_title}, {"TPE1", id3_performer}, {"TP1", id3_performer}};
    size_t name_len = p->mp3.version == 2 ? 3 : 4;
    struct slice name = slice_of(p->bytes, name_len);
    uint32_t size = id3_frame_size(p);
    p->mp3.tag_left -= p->want;
    if (p->bytes[0] == 0 || size == 0 || size > p->mp3.tag_left) { /* padding, or nonsense */
        probe_next(p, mp3_frame, p->mp3.tag_left, MP3_FRAME_LOOK);
        return;
    }
    p->mp3.frame_left = size;
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        if (!slice_is(name, frames[i].name))
            continue;
        probe_next(p, frames[i].read, 0, size < PROBE_GATHER_MAX ? size : PROBE_GATHER_MAX);
        return;
    }
    id3_next(p, size);
}

/* ---- the sound ---- */

/* Kilobits a second of layer III, by version: 1, then 2 and 2.5. */
static const uint16_t bitrates[2][16] = {
    {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0},
    {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},
};
static const uint32_t sample_rates[3] = {44100, 48000, 32000};

/* How many frames there are, where the first one is there to say so; else 0. */
static uint32_t frames_told(const uint8_t *b, bool old, bool mono)
{
    const uint8_t *xing = b + MP3_FRAME_HEAD + (old ? (mono ? 9 : 17) : (mono ? 17 : 32));
    const uint8_t *vbri = b + MP3_FRAME_HEAD + 32;
    bool is_xing = memcmp(xing, "Xing", 4) == 0 || memcmp(xing, "Info", 4) == 0;
    if (is_xing && (xing[7] & 1))
        return load_be32(xing + 8);
    return memcmp(vbri, "VBRI", 4) == 0 ? load_be32(vbri + 14) : 0;
}

static void mp3_frame(struct probe *p)
{
    const uint8_t *b = p->bytes;
    unsigned version = b[1] >> 3 & 3; /* 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5 */
    unsigned rate_index = b[2] >> 2 & 3;
    probe_stop(p);
    if (b[0] != 0xff || (b[1] & 0xe6) != 0xe2 || version == 1 || rate_index == 3)
        return;
    uint32_t rate = sample_rates[rate_index] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    uint32_t frame_samples = version == 3 ? 1152 : 576;
    uint32_t frames = frames_told(b, version != 3, b[3] >> 6 == 3);
    p->mp3.audio_at = p->offset - MP3_FRAME_LOOK;
    if (frames)
        p->info.duration = (double)frames * frame_samples / rate;
    else
        p->mp3.bitrate = 1000u * bitrates[version != 3][b[2] >> 4];
}

/* A constant rate: the size says how long it is. */
static void mp3_finish(struct probe *p)
{
    if (p->mp3.bitrate)
        p->info.duration = (double)(p->size - p->mp3.audio_at) * 8 / p->mp3.bitrate;
}

static void mp3_head(struct probe *p)
{
    enum { UNSYNCHRONISED_OR_EXTENDED = 0xc0 };
    uint8_t flags = p->bytes[5];
    if (memcmp(p->bytes, "ID3", 3) != 0) {
        p->held = ID3_HEAD; /* no tag: these are the first bytes of a frame */
        probe_next(p, mp3_frame, 0, MP3_FRAME_LOOK);
        return;
    }
    p->mp3.version = p->bytes[3];
    p->mp3.tag_left = load_synchsafe(p->bytes + 6);
    bool plain =
        p->mp3.version >= 2 && p->mp3.version <= 4 && (flags & UNSYNCHRONISED_OR_EXTENDED) == 0;
    if (plain)
        id3_next(p, 0);
    else
        probe_next(p, mp3_frame, p->mp3.tag_left, MP3_FRAME_LOOK);
}

void probe_mp3_begin(struct probe *p)
{
    p->info.has_audio = true;
    p->finish = mp3_finish;
    probe_next(p, mp3_head, 0, ID3_HEAD);
}
