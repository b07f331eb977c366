/* SPDX-License-Identifier: MIT
 * upload.getFile, upload.getFileHashes. https://core.telegram.org/api/files#downloading-files */
#include <sodium.h>

#include "sandbox/file.h"
#include "sandbox/image.h"
#include "sandbox/input.h"
#include "sandbox/methods_world.h"
#include "sandbox/peer_photo.h"

enum {
    BLOCK_BYTES = 1024 * 1024, /* no answer reaches from one of these into the next */
    UNIT_BYTES = 4096,
    PRECISE_UNIT_BYTES = 1024,
    HASHED_BYTES = 128 * 1024, /* of each FileHash */
};

/* ---- which file ---- */

static bool refuse(struct request *r, int code, const char *error)
{
    fail(r, code, error);
    return false;
}

static bool is_here(struct request *r, const struct file *f)
{
    int32_t dc = file_dc(r, f);
    return dc == request_dc(r) || refuse(r, 303, arena_printf(r->arena, "FILE_MIGRATE_%d", dc));
}

/* The picture of a user or a chat: visible to whoever sees the peer, without a reference. */
static const struct content *peer_photo_content(struct request *r, const struct tl_object *location,
                                                struct file **file)
{
    int64_t peer = input_peer(r, tl_obj(location, F_peer));
    if (!peer)
        return NULL;
    *file = peer_photo_find(r->world, peer, tl_int(location, F_photo_id));
    if (!*file)
        return refuse(r, 400, "LOCATION_INVALID"), NULL;
    const struct file_size *sizes = (*file)->sizes;
    return sizes[tl_bool(location, F_big) ? (*file)->n_sizes - 1 : 0].content;
}

/* NULL and refused where there is none. */
static const struct content *locate(struct request *r, struct file **file)
{
    const struct tl_object *location = tl_obj(r->query, F_location);
    const char *error = NULL;
    const struct content *content = NULL;
    bool photo = tl_is(location, C_inputPhotoFileLocation);
    if (tl_is(location, C_inputPeerPhotoFileLocation)) {
        content = peer_photo_content(r, location, file);
    } else if (photo || tl_is(location, C_inputDocumentFileLocation)) {
        struct file *f = file_find(&r->world->files, tl_int(location, F_id));
        if (f && !is_here(r, f)) /* its own data centre judges the reference */
            return NULL;
        *file = input_file_named(r, location, photo, &error);
        content = *file ? file_size_content(*file, tl_text(location, F_thumb_size)) : NULL;
    }
    if (content)
        return is_here(r, *file) ? content : NULL;
    if (!r->error_code)
        fail(r, 400, error ? error : "LOCATION_INVALID");
    return NULL;
}

/* ---- how much of it ---- */

static const char *range_error(int64_t offset, int64_t limit, bool precise)
{
    int64_t unit = precise ? PRECISE_UNIT_BYTES : UNIT_BYTES;
    if (offset < 0 || offset % unit != 0)
        return "OFFSET_INVALID";
    if (limit <= 0 || limit > BLOCK_BYTES || limit % unit != 0)
        return "LIMIT_INVALID";
    if (!precise && BLOCK_BYTES % limit != 0)
        return "LIMIT_INVALID";
    if (offset / BLOCK_BYTES != (offset + limit - 1) / BLOCK_BYTES)
        return "LIMIT_INVALID";
    return NULL;
}

static struct tl_value get_file(struct request *r)
{
    int64_t offset = tl_int(r->query, F_offset), limit = tl_int(r->query, F_limit);
    struct file *file = NULL;
    const struct content *content = locate(r, &file);
    if (!content)
        return refused();
    const char *error = range_error(offset, limit, tl_bool(r->query, F_precise));
    if (error)
        return fail(r, 400, error);
    struct slice head = content_read(content, 0, IMAGE_HEAD_BYTES, r->arena);
    struct tl_object *o = tl_new(&r->b, C_upload_file);
    tl_set_obj(o, F_type, tl_new(&r->b, storage_type(head)));
    tl_set_int(o, F_mtime, file->date);
    tl_set_text(o, F_bytes, content_read(content, offset, (size_t)limit, r->arena));
    return tl_value_obj(o);
}

static struct tl_value get_hashes(struct request *r)
{
    int64_t offset = tl_int(r->query, F_offset);
    struct file *file = NULL;
    const struct content *content = locate(r, &file);
    if (!content)
        return refused();
    if (offset < 0)
        return fail(r, 400, "OFFSET_INVALID");
    struct tl_vector *hashes = tl_new_vec(&r->b);
    int64_t at = offset - offset % BLOCK_BYTES, end = at + BLOCK_BYTES;
    for (; at < end && at < content->size; at += HASHED_BYTES) {
        struct slice bytes = content_read(content, at, HASHED_BYTES, r->arena);
        uint8_t *digest = arena_alloc(r->arena, crypto_hash_sha256_BYTES);
        if (!digest)
            return fail(r, 500, "INTERNAL_SERVER_ERROR");
        crypto_hash_sha256(digest, bytes.data, bytes.len);
        struct tl_object *o = tl_new(&r->b, C_fileHash);
        tl_set_int(o, F_offset, at);
        tl_set_int(o, F_limit, (int64_t)bytes.len);
        tl_set_text(o, F_hash, slice_of(digest, crypto_hash_sha256_BYTES));
        tl_push_obj(&r->b, hashes, o);
    }
    return tl_value_vec(hashes);
}

static const struct method methods[] = {
    {C_upload_getFile, METHOD_UPLOAD, get_file},
    {C_upload_getFileHashes, METHOD_UPLOAD, get_hashes},
};
const struct method_table download_methods = {methods, sizeof methods / sizeof *methods};
