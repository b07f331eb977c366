/* SPDX-License-Identifier: MIT
 * Which format it is, and giving its parser the bytes it asks for. */
#include "telegram/probe_parsers.h"

static const char *const mimes[] = {
    [FORMAT_JPEG] = "image/jpeg", [FORMAT_PNG] = "image/png",    [FORMAT_GIF] = "image/gif",
    [FORMAT_WEBP] = "image/webp", [FORMAT_MP4] = "video/mp4",    [FORMAT_MOV] = "video/quicktime",
    [FORMAT_M4A] = "audio/mp4",   [FORMAT_MP3] = "audio/mpeg",   [FORMAT_OGG] = "application/ogg",
    [FORMAT_OPUS] = "audio/ogg",  [FORMAT_VORBIS] = "audio/ogg", [FORMAT_FLAC] = "audio/flac",
    [FORMAT_WAV] = "audio/x-wav",
};

bool format_is_image(enum media_format format)
{
    return format == FORMAT_JPEG || format == FORMAT_PNG || format == FORMAT_WEBP;
}

const char *format_mime(enum media_format format)
{
    return mimes[format];
}

/* ---- the first bytes ---- */

static bool is_jpeg(const uint8_t *b)
{
    return b[0] == 0xff && b[1] == 0xd8 && b[2] == 0xff;
}

static bool is_png(const uint8_t *b)
{
    return memcmp(b, "\x89PNG\r\n\x1a\n", 8) == 0;
}

static bool is_gif(const uint8_t *b)
{
    return memcmp(b, "GIF87a", 6) == 0 || memcmp(b, "GIF89a", 6) == 0;
}

static bool is_webp(const uint8_t *b)
{
    return memcmp(b, "RIFF", 4) == 0 && memcmp(b + 8, "WEBP", 4) == 0;
}

static bool is_wav(const uint8_t *b)
{
    return memcmp(b, "RIFF", 4) == 0 && memcmp(b + 8, "WAVE", 4) == 0;
}

/* HEIF and AVIF pictures have the same boxes: those are not for us. Old QuickTime files have no
 * ftyp. */
static bool is_mp4(const uint8_t *b)
{
    static const char pictures[][5] = {"heic", "heix", "heif", "mif1", "msf1", "avif", "avis"};
    if (memcmp(b + 4, "moov", 4) == 0 || memcmp(b + 4, "mdat", 4) == 0 ||
        memcmp(b + 4, "wide", 4) == 0)
        return true;
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
        if (memcmp(b + 8, pictures[i], 4) == 0)
            return false;
    return memcmp(b + 4, "ftyp", 4) == 0;
}

/* A tag, or a frame of layer III whose rates are no reserved ones. */
static bool is_mp3(const uint8_t *b)
{
    bool frame = b[0] == 0xff && (b[1] & 0xe6) == 0xe2 && (b[1] & 0x18) != 0x08;
    return memcmp(b, "ID3", 3) == 0 ||
           (frame && (b[2] & 0xf0) != 0xf0 && (b[2] & 0xf0) != 0 && (b[2] & 0x0c) != 0x0c);
}

static bool is_ogg(const uint8_t *b)
{
    return memcmp(b, "OggS", 5) == 0;
}

static bool is_flac(const uint8_t *b)
{
    return memcmp(b, "fLaC", 4) == 0;
}

static const struct {
    enum media_format format;
    bool (*fits)(const uint8_t *bytes);
    void (*begin)(struct probe *p);
} formats[] = {
    {FORMAT_JPEG, is_jpeg, probe_jpeg_begin}, {FORMAT_PNG, is_png, probe_png_begin},
    {FORMAT_GIF, is_gif, probe_gif_begin},    {FORMAT_WEBP, is_webp, probe_webp_begin},
    {FORMAT_WAV, is_wav, probe_wav_begin},    {FORMAT_MP4, is_mp4, probe_mp4_begin},
    {FORMAT_OGG, is_ogg, probe_ogg_begin},    {FORMAT_FLAC, is_flac, probe_flac_begin},
    {FORMAT_MP3, is_mp3, probe_mp3_begin},
};

/* ---- bytes to the parser ---- */

static void consume(struct probe *p, struct slice bytes)
{
    while (p->want > 0 && bytes.len > 0) {
        bool gathers = p->skip == 0;
        uint64_t most = gathers ? p->want - p->held : p->skip;
        size_t n = most < bytes.len ? (size_t)most : bytes.len;
        if (gathers) {
            memcpy(p->bytes + p->held, bytes.data, n);
            p->held += n;
        } else {
            p->skip -= n;
        }
        p->offset += n;
        bytes = slice_of(bytes.data + n, bytes.len - n);
        if (gathers && p->held == p->want) {
            p->held = 0;
            p->step(p);
        }
    }
}

/* The format's own parser sees these bytes again, from the first on. */
static void sniff(struct probe *p)
{
    uint8_t head[PROBE_SNIFF_BYTES];
    memcpy(head, p->bytes, sizeof head);
    probe_stop(p);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (!formats[i].fits(head))
            continue;
        p->info.format = formats[i].format;
        p->offset = 0;
        formats[i].begin(p);
        consume(p, slice_of(head, sizeof head));
        return;
    }
}

void probe_begin(struct probe *p)
{
    memset(p, 0, sizeof *p);
    probe_next(p, sniff, 0, PROBE_SNIFF_BYTES);
}

void probe_feed(struct probe *p, struct slice bytes)
{
    p->size += bytes.len;
    consume(p, bytes);
}

void probe_end(struct probe *p)
{
    probe_stop(p);
    if (p->finish)
        p->finish(p);
    p->finish = NULL;
}

bool probe_sniffed(const struct probe *p)
{
    return p->size >= PROBE_SNIFF_BYTES;
}

/* ---- tags ---- */

void probe_tag(char out[static PROBE_TAG_BYTES_MAX + 1], struct slice text)
{
    size_t n = 0;
    while (text.len > 0 && text.data[0] != 0) {
        size_t len = utf8_valid_prefix(text);
        size_t step = len ? len : 1;
        if (n + len > PROBE_TAG_BYTES_MAX)
            break;
        memcpy(out + n, text.data, len);
        n += len;
        text = slice_of(text.data + step, text.len - step);
    }
    out[n] = 0;
}

static void take_comment(struct probe *p, struct slice comment)
{
    static const char title[] = "TITLE=", artist[] = "ARTIST=";
    size_t n_title = sizeof title - 1, n_artist = sizeof artist - 1;
    if (comment.len > n_title && slice_is_nocase(slice_of(comment.data, n_title), title))
        probe_tag(p->info.title, slice_of(comment.data + n_title, comment.len - n_title));
    if (comment.len > n_artist && slice_is_nocase(slice_of(comment.data, n_artist), artist))
        probe_tag(p->info.performer, slice_of(comment.data + n_artist, comment.len - n_artist));
}

/* The text with its length before it, taken off the front; false when it is cut off. */
static bool take_text(struct slice *s, struct slice *text)
{
    if (s->len < 4 || load_le32(s->data) > s->len - 4)
        return false;
    *text = slice_of(s->data + 4, load_le32(s->data));
    *s = slice_of(text->data + text->len, s->len - 4 - text->len);
    return true;
}

void probe_comments(struct probe *p, struct slice comments)
{
    struct slice text; /* first the name of the encoder, then a count that we need not */
    if (!take_text(&comments, &text) || comments.len < 4)
        return;
    comments = slice_of(comments.data + 4, comments.len - 4);
    while (take_text(&comments, &text))
        take_comment(p, text);
}
