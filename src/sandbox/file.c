/* SPDX-License-Identifier: MIT
 * The table of files, and the memory that they take. */
#include "sandbox/file.h"

#include <stdlib.h>

#include "sandbox/message.h"
#include "sandbox/state.h"

void files_init(struct files *f, struct rng *rng)
{
    *f = (struct files){.store.bytes_max = FILE_MEMORY_DEFAULT};
    rng_fill(rng, f->secret, sizeof f->secret);
    f->store.secret = rng_u64(rng);
}

/* ---- memory ---- */

static void file_free(struct files *files, struct file *f)
{
    id_map_remove(&files->by_id, f->id);
    *(f->older ? &f->older->newer : &files->oldest) = f->newer;
    *(f->newer ? &f->newer->older : &files->newest) = f->older;
    media_free(f->media);
    content_drop(&files->store, f->content);
    for (uint32_t i = 0; i < f->n_sizes; i++)
        content_drop(&files->store, f->sizes[i].content);
    free(f);
}

void files_free(struct files *f)
{
    while (f->oldest)
        file_free(f, f->oldest);
    while (f->first_upload)
        upload_forget(f, f->first_upload);
    id_map_free(&f->by_id);
    id_map_free(&f->uploads);
    id_map_free(&f->store.chunks);
}

static bool has_room(const struct file_store *s, size_t n)
{
    return n <= s->bytes_max && s->bytes <= s->bytes_max - n;
}

bool files_make_room(struct files *f, size_t n, int32_t now_s)
{
    uploads_expire(f, now_s);
    for (struct file *file = f->oldest, *newer; file && !has_room(&f->store, n); file = newer) {
        newer = file->newer;
        if (file->refs == 0)
            file_free(f, file);
    }
    return has_room(&f->store, n);
}

struct chunk *files_hold_chunk(struct files *f, struct slice bytes, int32_t now_s)
{
    struct chunk *c = chunk_hold(&f->store, bytes);
    return c || !files_make_room(f, bytes.len, now_s) ? c : chunk_hold(&f->store, bytes);
}

/* ---- photos and documents ---- */

struct file *file_new(struct world *w, struct media *media, struct content *content, int32_t dc,
                      int32_t now_s)
{
    struct files *files = &w->files;
    struct file *f = media ? calloc(1, sizeof *f) : NULL;
    if (f)
        *f = (struct file){.id = (int64_t)(rng_u64(&w->rng) >> 1 | 1),
                           .dc = dc,
                           .date = now_s,
                           .photo = media->kind == MEDIA_PHOTO,
                           .media = media,
                           .content = content};
    if (!f || !id_map_put(&files->by_id, f->id, f)) {
        media_free(media);
        content_drop(&files->store, content);
        free(f);
        return NULL;
    }
    f->older = files->newest;
    *(f->older ? &f->older->newer : &files->oldest) = f;
    files->newest = f;
    return f;
}

void file_add_size(struct file *f, char type, int32_t width, int32_t height,
                   struct content *content)
{
    f->sizes[f->n_sizes++] = (struct file_size){{type, 0}, width, height, content};
}

struct file *file_find(const struct files *f, int64_t id)
{
    return id_map_get(&f->by_id, id);
}

struct media *file_show(struct file *f)
{
    struct media *m = media_copy(f->media);
    if (m)
        m->file = file_hold(f);
    return m;
}

const struct content *file_size_content(const struct file *f, struct slice type)
{
    if (type.len == 0)
        return f->content;
    for (uint32_t i = 0; i < f->n_sizes; i++)
        if (slice_is(type, f->sizes[i].type))
            return f->sizes[i].content;
    return NULL;
}

/* ---- data centres ---- */

int32_t file_dc(const struct request *view, const struct file *f)
{
    return view->sandbox ? sandbox_dc_of(view->sandbox, f->dc) : f->dc;
}

int32_t request_dc(const struct request *r)
{
    return r->auth ? r->auth->dc : r->self->account->home_dc;
}
