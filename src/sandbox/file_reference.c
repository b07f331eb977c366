/* SPDX-License-Identifier: MIT
 * File references: proof that the file was seen a short while ago.
 * https://core.telegram.org/api/file_reference */
#include <sodium.h>

#include "sandbox/file.h"
#include "sandbox/handler.h"
#include "sandbox/world.h"

/* A reference: the slot of time it was given in, the generation, and a digest of both with the file
 * and who saw it. */
enum { SIGNED_BYTES = 8, DIGEST_BYTES = FILE_REFERENCE_BYTES - SIGNED_BYTES };

static void sign(const struct request *view, const struct file *f, uint32_t slot,
                 uint32_t generation, uint8_t out[static FILE_REFERENCE_BYTES])
{
    uint8_t named[16 + SIGNED_BYTES];
    store_le32(out, slot);
    store_le32(out + 4, generation);
    store_le64(named, (uint64_t)f->id);
    store_le64(named + 8, (uint64_t)view->self->id);
    memcpy(named + 16, out, SIGNED_BYTES);
    crypto_generichash(out + SIGNED_BYTES, DIGEST_BYTES, named, sizeof named,
                       view->world->files.secret, sizeof view->world->files.secret);
}

static uint32_t slot_of(const struct request *view)
{
    return (uint32_t)view->now_s / FILE_REFERENCE_SLOT_S;
}

void file_reference(const struct request *view, const struct file *f,
                    uint8_t out[static FILE_REFERENCE_BYTES])
{
    sign(view, f, slot_of(view), view->world->files.generation, out);
}

const char *file_reference_error(const struct request *r, const struct file *f,
                                 struct slice reference)
{
    uint8_t expected[FILE_REFERENCE_BYTES];
    if (reference.len == 0)
        return "FILE_REFERENCE_EMPTY";
    if (reference.len != FILE_REFERENCE_BYTES)
        return "FILE_REFERENCE_INVALID";
    uint32_t slot = load_le32(reference.data), generation = load_le32(reference.data + 4);
    sign(r, f, slot, generation, expected);
    if (sodium_memcmp(expected, reference.data, sizeof expected) != 0)
        return "FILE_REFERENCE_INVALID";
    bool fresh = generation == r->world->files.generation && slot + 1 >= slot_of(r);
    return fresh ? NULL : "FILE_REFERENCE_EXPIRED";
}

struct file *input_file_named(const struct request *r, const struct tl_object *o, bool photo,
                              const char **error)
{
    struct file *f = file_find(&r->world->files, tl_int(o, F_id));
    *error = "FILE_ID_INVALID";
    if (!f || f->photo != photo ||
        tl_int(o, F_access_hash) != world_access_hash(r->world, r->self->id, f->id))
        return NULL;
    *error = file_reference_error(r, f, tl_text(o, F_file_reference));
    return *error ? NULL : f;
}
