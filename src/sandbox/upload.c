/* SPDX-License-Identifier: MIT
 * upload.saveFilePart, upload.saveBigFilePart, and the files that their parts make.
 * https://core.telegram.org/api/files#uploading-files */
#include <openssl/evp.h>
#include <stdlib.h>

#include "sandbox/file.h"
#include "sandbox/input.h"
#include "sandbox/methods_world.h"
#include "sandbox/state.h"
#include "sandbox/world_parts.h"

/* ---- which upload ---- */

/* Parts live on the data centre that got them, and belong to who sent them. */
static int64_t upload_key(int64_t user, int32_t dc, int64_t file_id)
{
    return file_id ^ user ^ (int64_t)((uint64_t)dc << 56);
}

static struct upload *upload_find(const struct request *r, int64_t file_id)
{
    int32_t dc = request_dc(r);
    struct upload *u = id_map_get(&r->world->files.uploads, upload_key(r->self->id, dc, file_id));
    while (u && (u->user != r->self->id || u->dc != dc || u->file_id != file_id))
        u = u->same;
    return u && r->now_s - u->touched_s <= UPLOAD_LIFETIME_S ? u : NULL;
}

static void unlink_age(struct files *f, struct upload *u)
{
    *(u->older ? &u->older->newer : &f->first_upload) = u->newer;
    *(u->newer ? &u->newer->older : &f->last_upload) = u->older;
}

static void link_age(struct files *f, struct upload *u)
{
    u->older = f->last_upload;
    u->newer = NULL;
    *(u->older ? &u->older->newer : &f->first_upload) = u;
    f->last_upload = u;
}

static void unlink_key(struct files *f, const struct upload *u)
{
    int64_t key = upload_key(u->user, u->dc, u->file_id);
    struct upload *first = id_map_get(&f->uploads, key);
    if (first == u && u->same)
        id_map_put(&f->uploads, key, u->same);
    else if (first == u)
        id_map_remove(&f->uploads, key);
    for (struct upload *before = first; before && before != u; before = before->same) {
        if (before->same == u) {
            before->same = u->same;
            break;
        }
    }
}

void upload_forget(struct files *f, struct upload *u)
{
    unlink_age(f, u);
    unlink_key(f, u);
    for (uint32_t i = 0; i < u->n_slots; i++)
        chunk_drop(&f->store, u->parts[i]);
    free(u->parts);
    free(u);
    f->n_uploads--;
}

void uploads_expire(struct files *f, int32_t now_s)
{
    while (f->first_upload && now_s - f->first_upload->touched_s > UPLOAD_LIFETIME_S)
        upload_forget(f, f->first_upload);
}

static struct upload *upload_begin(const struct request *r, int64_t file_id, bool big)
{
    struct files *f = &r->world->files;
    uploads_expire(f, r->now_s);
    if (f->n_uploads >= UPLOADS_MAX)
        upload_forget(f, f->first_upload);
    struct upload *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    *u = (struct upload){.user = r->self->id,
                         .file_id = file_id,
                         .dc = request_dc(r),
                         .big = big,
                         .touched_s = r->now_s,
                         .short_part = -1};
    int64_t key = upload_key(u->user, u->dc, file_id);
    u->same = id_map_get(&f->uploads, key);
    if (!id_map_put(&f->uploads, key, u)) {
        free(u);
        return NULL;
    }
    link_age(f, u);
    f->n_uploads++;
    return u;
}

/* ---- one part ---- */

static bool is_part_size(uint32_t len)
{
    return len > 0 && len % PART_BYTES_UNIT == 0 && PART_BYTES_MAX % len == 0;
}

/* All parts have one size, and only the last may be shorter. A short one may come before the others
 * do: then it is told by what follows. */
static const char *check_size(struct upload *u, uint32_t part, uint32_t len)
{
    bool must_be_whole = u->big && (u->total == 0 || part + 1 < (uint32_t)u->total);
    if (must_be_whole && !is_part_size(len))
        return "FILE_PART_SIZE_INVALID";
    if (u->n_came == 0) {
        u->part_bytes = len;
        return NULL;
    }
    int32_t short_part = u->short_part;
    uint32_t part_bytes = len > u->part_bytes ? len : u->part_bytes;
    if (len < u->part_bytes)
        short_part = (int32_t)part;
    else if (len > u->part_bytes)
        short_part = u->n_came == 1 ? (int32_t)u->n_slots - 1 : 0;
    bool another = u->short_part >= 0 && short_part != u->short_part;
    uint32_t n_slots = part + 1 > u->n_slots ? part + 1 : u->n_slots;
    if (another || (short_part >= 0 && (uint32_t)short_part + 1 < n_slots))
        return "FILE_PART_SIZE_CHANGED";
    if (!is_part_size(part_bytes))
        return "FILE_PART_SIZE_INVALID";
    u->part_bytes = part_bytes;
    u->short_part = short_part;
    return NULL;
}

static bool reserve_slots(struct upload *u, uint32_t part)
{
    while (u->n_slots <= part) {
        if (!grow(&u->parts, &u->cap, sizeof u->cap, u->n_slots, sizeof(*u->parts)))
            return false;
        u->parts[u->n_slots++] = NULL;
    }
    return true;
}

static struct tl_value keep_part(struct request *r, struct upload *u, uint32_t part)
{
    struct files *f = &r->world->files;
    struct slice bytes = tl_text(r->query, F_bytes);
    struct chunk *old = part < u->n_slots ? u->parts[part] : NULL;
    const char *error = old ? old->len == bytes.len ? NULL : "FILE_PART_SIZE_CHANGED"
                            : check_size(u, part, (uint32_t)bytes.len);
    if (error)
        return fail(r, 400, error);
    struct chunk *c = files_hold_chunk(f, bytes, r->now_s);
    if (!c) { /* Telegram has no such bound */
        if (r->sandbox)
            log_event(&r->sandbox->log, LOG_WARN, "file_memory_full",
                      log_int("bytes", (int64_t)f->store.bytes),
                      log_str("option", "--file-memory"));
        return fail(r, 500, "FILE_MEMORY_FULL");
    }
    if (!reserve_slots(u, part)) {
        chunk_drop(&f->store, c);
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    }
    chunk_drop(&f->store, old);
    u->parts[part] = c;
    u->n_came += !old;
    return tl_value_bool(true);
}

static const char *part_error(const struct request *r, int64_t part, bool may_be_empty)
{
    size_t len = tl_text(r->query, F_bytes).len;
    int64_t most = r->self->flags & USER_PREMIUM ? FILE_PARTS_PREMIUM_MAX : FILE_PARTS_MAX;
    if (part < 0 || part >= most)
        return "FILE_PART_INVALID";
    if (len == 0 && !may_be_empty)
        return "FILE_PART_EMPTY";
    return len > PART_BYTES_MAX ? "FILE_PART_TOO_BIG" : NULL;
}

/* The upload goes on, or begins; one of the other kind with that id is over. NULL without memory.
 */
static struct upload *upload_touch(struct request *r, bool big)
{
    struct files *f = &r->world->files;
    int64_t file_id = tl_int(r->query, F_file_id);
    struct upload *u = upload_find(r, file_id);
    if (u && u->big != big) {
        upload_forget(f, u);
        u = NULL;
    }
    if (!u)
        u = upload_begin(r, file_id, big);
    if (!u)
        return NULL;
    unlink_age(f, u);
    link_age(f, u);
    u->touched_s = r->now_s;
    return u;
}

static struct tl_value save_part(struct request *r)
{
    int64_t part = tl_int(r->query, F_file_part);
    const char *error = part_error(r, part, false);
    if (error)
        return fail(r, 400, error);
    struct upload *u = upload_touch(r, false);
    return u ? keep_part(r, u, (uint32_t)part) : fail(r, 500, "INTERNAL_SERVER_ERROR");
}

/* A stream says how many parts it has with its last one, which is empty (and may be numbered past
 * them) where the others happened to hold all. */
static struct tl_value save_big_part(struct request *r)
{
    int64_t part = tl_int(r->query, F_file_part), total = tl_int(r->query, F_file_total_parts);
    int64_t most = r->self->flags & USER_PREMIUM ? FILE_PARTS_PREMIUM_MAX : FILE_PARTS_MAX;
    bool empty = tl_text(r->query, F_bytes).len == 0;
    bool past_end = empty && total > 0 && part == total;
    const char *error = part_error(r, past_end ? part - 1 : part, empty && part + 1 >= total);
    if (!error && (total < -1 || total == 0 || total > most))
        error = "FILE_PARTS_INVALID";
    if (!error && total > 0 && part >= total && !past_end)
        error = "FILE_PART_INVALID";
    if (!error && empty && (total < 0 || part == 0))
        error = "FILE_PART_EMPTY";
    struct upload *u = error ? NULL : upload_touch(r, true);
    if (u && total > 0 && ((u->total > 0 && u->total != total) || u->n_slots > total))
        error = "FILE_PARTS_INVALID";
    if (error)
        return fail(r, 400, error);
    if (!u)
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    u->streamed = u->streamed || total < 0;
    u->total = total > 0 ? (int32_t)total : u->total;
    return past_end ? tl_value_bool(true) : keep_part(r, u, (uint32_t)part);
}

/* ---- the whole file ---- */

static bool md5_matches(const struct content *c, struct slice hex)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1] = "";
    unsigned len = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL);
    for (uint32_t i = 0; ok && i < c->n_parts; i++)
        ok = EVP_DigestUpdate(ctx, c->parts[i]->bytes, c->parts[i]->len);
    ok = ok && EVP_DigestFinal_ex(ctx, digest, &len);
    EVP_MD_CTX_free(ctx);
    for (unsigned i = 0; ok && i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return ok && slice_is_nocase(hex, text);
}

static const char *missing_part(struct request *r, const struct upload *u, int64_t parts)
{
    for (uint32_t i = 0; i < parts; i++)
        if (!u || i >= u->n_slots || !u->parts[i])
            return arena_printf(r->arena, "FILE_PART_%u_MISSING", i);
    return NULL;
}

/* What the parts lack to be the file that was named; NULL if nothing. */
static const char *whole_error(struct request *r, const struct upload *u, int64_t parts, bool big)
{
    if (parts < 1 || parts > FILE_PARTS_PREMIUM_MAX)
        return "FILE_PARTS_INVALID";
    const char *missing = missing_part(r, u, parts);
    if (missing)
        return missing;
    bool other_total = u->n_slots != parts || (u->total > 0 && u->total != parts);
    if (u->big != big || other_total || (u->streamed && u->total == 0))
        return "FILE_PARTS_INVALID";
    if (!big && (int64_t)u->part_bytes * (parts - 1) > SMALL_FILE_BYTES_MAX)
        return "FILE_PARTS_INVALID";
    return NULL;
}

struct content *upload_take(struct request *r, const struct tl_object *input, const char **error)
{
    bool big = tl_is(input, C_inputFileBig);
    *error = "INPUT_FILE_INVALID";
    if (!big && !tl_is(input, C_inputFile))
        return NULL;
    struct upload *u = upload_find(r, tl_int(input, F_id));
    int64_t parts = tl_int(input, F_parts);
    *error = whole_error(r, u, parts, big);
    if (*error)
        return NULL;
    struct content *c = content_new(u->parts, (uint32_t)parts);
    struct slice md5 = tl_text(input, F_md5_checksum);
    if (!c)
        *error = "INTERNAL_SERVER_ERROR";
    else if (!big && c->size > SMALL_FILE_BYTES_MAX)
        *error = "FILE_PARTS_INVALID";
    else if (!big && md5.len && !md5_matches(c, md5))
        *error = "MD5_CHECKSUM_INVALID";
    if (!*error)
        return c;
    content_drop(&r->world->files.store, c);
    return NULL;
}

bool upload_was_streamed(const struct request *r, const struct tl_object *input)
{
    const struct upload *u = upload_find(r, tl_int(input, F_id));
    return u && u->streamed;
}

static const struct method methods[] = {
    {C_upload_saveFilePart, METHOD_UPLOAD, save_part},
    {C_upload_saveBigFilePart, METHOD_UPLOAD, save_big_part},
};
const struct method_table upload_methods = {methods, sizeof methods / sizeof *methods};
