/* SPDX-License-Identifier: MIT
 * Files over the method handlers: parts up, media sent, ranges down. */
#ifndef TGREST_TEST_FILES_HARNESS_H
#define TGREST_TEST_FILES_HARNESS_H

#include "world_harness.h"

/* What names a file: copied out of an answer, which lives until the next call only. */
struct named_file {
    uint16_t location; /* C_inputDocumentFileLocation, C_inputPhotoFileLocation */
    int64_t id;
    int64_t access_hash;
    uint8_t reference[FILE_REFERENCE_BYTES];
    size_t reference_len;
    char size[2];
};

static inline struct tl_object *begin_query(struct harness *h, struct user *self, uint16_t symbol)
{
    arena_reset(&h->arena);
    h->caller = self;
    struct tl_builder b = tl_builder_of(h->schema, &h->arena);
    return tl_new(&b, symbol);
}

static inline const char *save_part(struct harness *h, struct user *u, int64_t file_id,
                                    int32_t part, struct slice bytes)
{
    struct tl_object *q = begin_query(h, u, C_upload_saveFilePart);
    tl_set_int(q, F_file_id, file_id);
    tl_set_int(q, F_file_part, part);
    tl_set_text(q, F_bytes, bytes);
    harness_handle(h, u, q);
    return h->error;
}

static inline const char *save_big(struct harness *h, struct user *u, int64_t file_id, int32_t part,
                                   int32_t total, struct slice bytes)
{
    struct tl_object *q = begin_query(h, u, C_upload_saveBigFilePart);
    tl_set_int(q, F_file_id, file_id);
    tl_set_int(q, F_file_part, part);
    tl_set_int(q, F_file_total_parts, total);
    tl_set_text(q, F_bytes, bytes);
    harness_handle(h, u, q);
    return h->error;
}

static inline struct slice part_of(struct slice whole, uint32_t part_bytes, int32_t part)
{
    size_t from = (size_t)part * part_bytes;
    size_t left = whole.len > from ? whole.len - from : 0;
    return slice_of(whole.data + (left ? from : 0), left < part_bytes ? left : part_bytes);
}

/* All parts in order by saveFilePart; how many. */
static inline int32_t upload_small(struct harness *h, struct user *u, int64_t file_id,
                                   struct slice whole, uint32_t part_bytes)
{
    int32_t n = (int32_t)((whole.len + part_bytes - 1) / part_bytes);
    for (int32_t i = 0; i < n; i++)
        if (save_part(h, u, file_id, i, part_of(whole, part_bytes, i)))
            fail_msg("part %d: %s", i, h->error);
    return n;
}

static inline struct named_file name_file(const struct tl_object *media)
{
    const struct tl_object *o = tl_obj(media, F_photo);
    struct named_file f = {.location = o ? C_inputPhotoFileLocation : C_inputDocumentFileLocation};
    if (!o)
        o = tl_obj(media, F_document);
    assert_non_null(o);
    f.id = tl_int(o, F_id);
    f.access_hash = tl_int(o, F_access_hash);
    struct slice reference = tl_text(o, F_file_reference);
    assert_true(reference.len <= sizeof f.reference);
    memcpy(f.reference, reference.data, reference.len);
    f.reference_len = reference.len;
    uint32_t n = tl_count(o, F_sizes);
    if (n) {
        struct slice type = tl_text(tl_item_obj(o, F_sizes, n - 1), F_type);
        assert_int_equal(type.len, 1);
        f.size[0] = (char)type.data[0];
    }
    return f;
}

/* Uploads and sends; media is the JSON of an InputMedia in which $FILE stands for the file. The
 * answer's media, or NULL with h->error set. */
static inline const struct tl_object *send_file(struct harness *h, struct user *u, int64_t peer,
                                                int64_t file_id, int32_t parts, const char *name,
                                                const char *media)
{
    static int64_t random_id = 500000;
    char json[8192], file[256], whole[4096];
    snprintf(file, sizeof file,
             "{\"_\": \"inputFile\", \"id\": %lld, \"parts\": %d, \"name\": \"%s\", "
             "\"md5_checksum\": \"\"}",
             (long long)file_id, parts, name);
    const char *at = strstr(media, "$FILE");
    assert_non_null(at);
    snprintf(whole, sizeof whole, "%.*s%s%s", (int)(at - media), media, file, at + 5);
    snprintf(json, sizeof json,
             "{\"peer\": %lld, \"media\": %s, \"message\": \"c\", \"random_id\": %lld}",
             (long long)peer, whole, (long long)++random_id);
    struct tl_value v = harness_run(h, u, "messages.sendMedia", json);
    for (uint32_t i = 0; !h->error && i < tl_count(v.object, F_updates); i++) {
        const struct tl_object *m = tl_obj(tl_item_obj(v.object, F_updates, i), F_message);
        if (m)
            return tl_obj(m, F_media);
    }
    return NULL;
}

#define DOCUMENT                                                                                   \
    "{\"_\": \"inputMediaUploadedDocument\", \"file\": $FILE, \"mime_type\": \"text/plain\", "     \
    "\"attributes\": [{\"_\": \"documentAttributeFilename\", \"file_name\": \"a.txt\"}]}"
#define PHOTO "{\"_\": \"inputMediaUploadedPhoto\", \"file\": $FILE}"

/* The bytes, or NULL with h->error set. */
static inline const struct tl_object *get_file(struct harness *h, struct user *u,
                                               const struct named_file *f, int64_t offset,
                                               int32_t limit, bool precise)
{
    struct tl_object *q = begin_query(h, u, C_upload_getFile);
    struct tl_builder b = tl_builder_of(h->schema, &h->arena);
    struct tl_object *location = tl_new(&b, f->location);
    tl_set_int(location, F_id, f->id);
    tl_set_int(location, F_access_hash, f->access_hash);
    tl_set_text(location, F_file_reference, slice_of(f->reference, f->reference_len));
    tl_set_str(location, F_thumb_size, f->size);
    tl_set_obj(q, F_location, location);
    tl_set_int(q, F_offset, offset);
    tl_set_int(q, F_limit, limit);
    tl_set_bool(q, F_precise, precise);
    struct tl_value v = harness_handle(h, u, q);
    return h->error ? NULL : v.object;
}

#endif
