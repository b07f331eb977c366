/* SPDX-License-Identifier: MIT
 * Files as the API names them: photos and documents with their ids, sizes and references; and the
 * parts of files that are on their way up. */
#ifndef TGREST_SANDBOX_FILE_H
#define TGREST_SANDBOX_FILE_H

#include "base/random.h"
#include "sandbox/file_store.h"

struct media;
struct request;
struct tl_object;
struct world;

enum {
    FILE_PARTS_MAX = 4000, /* as help.getAppConfig states them */
    FILE_PARTS_PREMIUM_MAX = 8000,
    SMALL_FILE_BYTES_MAX = 10 * 1024 * 1024, /* larger ones go by saveBigFilePart */
    PHOTO_BYTES_MAX = 10 * 1024 * 1024,
    FILE_SIZES_MAX = 4,
    FILE_REFERENCE_BYTES = 24,
    FILE_REFERENCE_SLOT_S = 1800, /* a reference is good for one to two of these */
    UPLOADS_MAX = 10000,
    UPLOAD_LIFETIME_S = 3600, /* since its last part came */
};

/* A picture of a file: what a photo is made of, a document's thumb. */
struct file_size {
    char type[2]; /* "x" */
    int32_t width;
    int32_t height;
    struct content *content;
};

/* One photo or document. It stays as long as something shows it, and then until its memory is
 * wanted. */
struct file {
    int64_t id;
    int32_t dc; /* where its owner lives */
    int32_t date;
    bool photo;
    uint32_t refs;           /* messages and peers that show it */
    struct media *media;     /* what a message says of it; its own `file` is not set */
    struct content *content; /* of a document; NULL for photos */
    struct file_size sizes[FILE_SIZES_MAX]; /* the largest last */
    uint32_t n_sizes;
    struct file *older;
    struct file *newer;
};

/* A file whose parts come in, in any order. */
struct upload {
    int64_t user;
    int64_t file_id;
    int32_t dc;
    int32_t touched_s;
    bool big;
    bool streamed;        /* began without a total */
    int32_t total;        /* of a big one, once known; 0 = not yet */
    struct chunk **parts; /* NULL: has not come */
    uint32_t n_slots;     /* the highest part that came, and one */
    uint32_t cap;
    uint32_t n_came;
    uint32_t part_bytes; /* of all parts but one */
    int32_t short_part;  /* the shorter one, which must be the last; -1 = not yet */
    struct upload *older;
    struct upload *newer;
    struct upload *same; /* with the same hash of its names */
};

struct files {
    struct file_store store;
    struct id_map by_id;
    struct file *oldest;
    struct file *newest;
    struct id_map uploads;       /* hash of user, data centre, file_id -> struct upload */
    struct upload *first_upload; /* the longest untouched */
    struct upload *last_upload;
    size_t n_uploads;
    uint8_t secret[32];  /* file references are keyed digests */
    uint32_t generation; /* of references: all older ones have expired */
};

/* Until --file-memory says otherwise. */
#define FILE_MEMORY_DEFAULT ((size_t)1024 * 1024 * 1024)

void files_init(struct files *f, struct rng *rng);
/* After all who hold files are gone. */
void files_free(struct files *f);
/* Frees the memory of files that nobody shows any more, and of uploads that are over, the oldest
 * first, until n more bytes fit. False when they cannot. */
bool files_make_room(struct files *f, size_t n, int32_t now_s);
/* chunk_hold, with room made for it. */
struct chunk *files_hold_chunk(struct files *f, struct slice bytes, int32_t now_s);

/* ---- photos and documents ---- */

/* A document of that content, or a photo (NULL: file_add_size says what is in it). Takes over media
 * and content, also when it fails: NULL without memory. */
struct file *file_new(struct world *w, struct media *media, struct content *content, int32_t dc,
                      int32_t now_s);
/* Takes over content. */
void file_add_size(struct file *f, char type, int32_t width, int32_t height,
                   struct content *content);
struct file *file_find(const struct files *f, int64_t id);
/* What a message that shows it says: a copy that holds the file. NULL without memory. */
struct media *file_show(struct file *f);
static inline struct file *file_hold(struct file *f)
{
    if (f)
        f->refs++;
    return f;
}
static inline void file_drop(struct file *f)
{
    if (f)
        f->refs--;
}
/* Where it is for the client: with a single data centre, there. */
int32_t file_dc(const struct request *view, const struct file *f);
/* The content of the size of that type; NULL if there is none. */
const struct content *file_size_content(const struct file *f, struct slice type);

/* ---- references ---- */

void file_reference(const struct request *view, const struct file *f,
                    uint8_t out[static FILE_REFERENCE_BYTES]);
/* NULL when it is good, else the error. */
const char *file_reference_error(const struct request *r, const struct file *f,
                                 struct slice reference);
/* The file that an inputPhoto, inputDocument or their locations name by id, hash and reference.
 * NULL and *error otherwise. */
struct file *input_file_named(const struct request *r, const struct tl_object *o, bool photo,
                              const char **error);

/* ---- uploads ---- */

/* The data centre that the request came to. */
int32_t request_dc(const struct request *r);
/* The content of an InputFile whose parts are all there, one holder; NULL and *error otherwise. */
struct content *upload_take(struct request *r, const struct tl_object *input, const char **error);
/* Whether it came without a size known from the start (photos must not). */
bool upload_was_streamed(const struct request *r, const struct tl_object *input);
void upload_forget(struct files *f, struct upload *u);
/* Forgets those that nothing came for in UPLOAD_LIFETIME_S. */
void uploads_expire(struct files *f, int32_t now_s);

#endif
