/* SPDX-License-Identifier: MIT
 * The files of the demo world. Their bytes are the same under every seed. */
#include <stdlib.h>

#include "sandbox/peer_photo.h"
#include "sandbox/png.h"
#include "sandbox/world_demo.h"

/* ---- pictures ---- */

static struct content *picture(struct demo *d, int32_t width, int32_t height, uint32_t tone)
{
    struct buf png;
    buf_init(&png, 0);
    png_write(&png, (uint32_t)width, (uint32_t)height, tone);
    struct content *c = png.failed ? NULL : content_of(&d->world->files.store, buf_slice(&png));
    buf_free(&png);
    return c;
}

struct file *demo_photo(struct demo *d, int32_t width, int32_t height, const char letters[static 2],
                        uint32_t tone)
{
    enum { SMALLER = 4 };
    struct media *m = calloc(1, sizeof *m);
    if (m)
        m->kind = MEDIA_PHOTO;
    struct file *f = file_new(d->world, m, NULL, DEMO_FILES_DC, d->now);
    for (int i = 0; f && i < 2; i++) {
        int32_t w = i ? width : width / SMALLER, h = i ? height : height / SMALLER;
        struct content *c = picture(d, w, h, tone);
        if (!c)
            return NULL;
        file_add_size(f, letters[i], w, h, c);
    }
    return f;
}

bool demo_faces(struct demo *d)
{
    enum { FACE_PX = 640 };
    struct photo_list *const faces[] = {
        &d->users[DEMO_ALICE]->photos, &d->users[DEMO_BOB]->photos,  &d->users[DEMO_ECHO]->photos,
        &d->chats[DEMO_NEWS]->photos,  &d->chats[DEMO_CLUB]->photos, &d->chats[DEMO_PICNIC]->photos,
    };
    for (uint32_t i = 0; i < sizeof faces / sizeof *faces; i++) {
        struct file *f = demo_photo(d, FACE_PX, FACE_PX, "ac", i + 1);
        if (!f || !photo_list_add(faces[i], f))
            return false;
    }
    return true;
}

/* ---- documents ---- */

/* What tells files of that MIME type from others. */
static const struct {
    const char *mime;
    struct slice magic;
} magics[] = {
#define MAGIC(mime, bytes)                                                                         \
    {                                                                                              \
        mime,                                                                                      \
        {                                                                                          \
            (const uint8_t *)(bytes), sizeof(bytes) - 1                                            \
        }                                                                                          \
    }
    MAGIC("video/mp4", "\0\0\0\x14"
                       "ftypisom\0\0\0\0isom"),
    MAGIC("audio/ogg", "OggS\0\x02"),
    MAGIC("audio/mpeg", "ID3\x04\0\0\0\0\0\0"),
    /* 512 x 512, extended format */
    MAGIC("image/webp", "RIFF\xf8\x47\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x01\0\xff\x01\0"),
    MAGIC("application/pdf", "%PDF-1.4\n"),
#undef MAGIC
};

/* Noise that repeats with the size of a part: of a large file only the first part is its own. */
static void fill_noise(struct buf *out, size_t size)
{
    struct rng rng;
    rng_init_seed(&rng, 1);
    uint8_t *at = buf_extend(out, size);
    size_t own = size < PART_BYTES_MAX ? size : PART_BYTES_MAX;
    if (!at)
        return;
    rng_fill(&rng, at, own);
    for (size_t i = own; i < size; i++)
        at[i] = at[i - own];
}

struct file *demo_document(struct demo *d, const struct media *about, size_t size, int32_t dc)
{
    struct buf bytes;
    buf_init(&bytes, 0);
    fill_noise(&bytes, size);
    for (size_t i = 0; !bytes.failed && i < sizeof magics / sizeof *magics; i++)
        if (strcmp(about->detail, magics[i].mime) == 0 && magics[i].magic.len <= size)
            memcpy(bytes.data, magics[i].magic.data, magics[i].magic.len);
    struct content *c = bytes.failed ? NULL : content_of(&d->world->files.store, buf_slice(&bytes));
    buf_free(&bytes);
    return c ? file_new(d->world, media_copy(about), c, dc, d->now) : NULL;
}
