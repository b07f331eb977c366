/* SPDX-License-Identifier: MIT
 * The files of a scripted data centre: what was uploaded, by parts, and one file to download. It
 * holds Telegram's rules on sizes and offsets against every request. */
#ifndef TGREST_TESTS_GATEWAY_FILE_DC_H
#define TGREST_TESTS_GATEWAY_FILE_DC_H

#include "gateway/fake_dc.h"

enum { FILE_PART = 512 * 1024, FILE_PARTS = 64 };

struct file_dc {
    uint8_t *content; /* of the file to download */
    size_t size;
    uint8_t *uploaded; /* FILE_PARTS parts */
    size_t part_len[FILE_PARTS];
    _Atomic int64_t total; /* as the last part said; -1 before */
    _Atomic int big;       /* parts of large files */
    _Atomic int small;
    _Atomic int served;        /* parts asked for */
    _Atomic int expired_from;  /* parts served until the file reference expires; -1 = never */
    _Atomic int64_t reference; /* the good one; 0: all are */
    _Atomic bool broken_rule;
    _Atomic int parts_premium; /* help.getAppConfig's */
    _Atomic bool premium;
    _Atomic int config_asked;

    _Atomic int migrate_to;      /* files are at that data centre; 0: here */
    _Atomic int user_migrate;    /* the account moved there; 0: it is at home */
    _Atomic bool needs_import;   /* this is not the account's home */
    _Atomic uint64_t authorized; /* the key that the account was brought to */
    _Atomic int exported;
    _Atomic int imported;
};

static inline const struct tl_value *file_field(const struct tl_object *o, const char *name)
{
    int index = tl_field_by_name(o->ctor, slice_str(name));
    assert_true(index >= 0);
    return &o->fields[index];
}

static inline bool file_save(struct file_dc *f, const struct tl_object *q, bool big,
                             struct buf *out, int *error, const char **text)
{
    const struct tl_value *bytes = file_field(q, "bytes");
    int64_t number = file_field(q, "file_part")->i;
    int64_t total = big ? file_field(q, "file_total_parts")->i : -1;
    atomic_fetch_add(big ? &f->big : &f->small, 1);
    if (bytes->len == 0 || bytes->len > FILE_PART || number < 0 || number >= FILE_PARTS) {
        atomic_store(&f->broken_rule, true);
        *error = 400;
        *text = "FILE_PART_INVALID";
        return true;
    }
    if (bytes->len != FILE_PART && big && total != number + 1)
        atomic_store(&f->broken_rule, true);
    memcpy(f->uploaded + number * FILE_PART, bytes->bytes, bytes->len);
    f->part_len[number] = bytes->len;
    if (total >= 0)
        atomic_store(&f->total, total);
    tl_write_u32(out, TL_ID_BOOL_TRUE);
    return true;
}

static inline bool file_get(struct file_dc *f, const struct tl_schema *s, const struct tl_object *q,
                            struct buf *out, int *error, const char **text)
{
    int dc = atomic_load(&f->migrate_to);
    if (dc != 0) {
        *error = 303;
        *text = dc == 2 ? "FILE_MIGRATE_2" : "FILE_MIGRATE_3";
        return true;
    }
    int64_t offset = file_field(q, "offset")->i;
    int64_t limit = file_field(q, "limit")->i;
    const struct tl_object *location = file_field(q, "location")->object;
    int64_t good = atomic_load(&f->reference);
    int served = atomic_fetch_add(&f->served, 1);
    if (limit < 4096 || limit > 1024 * 1024 || (1024 * 1024) % limit != 0 || offset % 4096 != 0 ||
        offset / (1024 * 1024) != (offset + limit - 1) / (1024 * 1024))
        atomic_store(&f->broken_rule, true);
    if (atomic_load(&f->expired_from) >= 0 && served == atomic_load(&f->expired_from))
        atomic_store(&f->reference, good = 2);
    if (good != 0 && file_field(location, "access_hash")->i != good) {
        *error = 400;
        *text = "FILE_REFERENCE_EXPIRED";
        return true;
    }
    size_t from = (size_t)offset < f->size ? (size_t)offset : f->size;
    size_t len = f->size - from < (size_t)limit ? f->size - from : (size_t)limit;
    tl_write_u32(out, tl_schema_by_name(s, slice_str("upload.file"))->id);
    tl_write_u32(out, tl_schema_by_name(s, slice_str("storage.fileUnknown"))->id);
    tl_write_i32(out, 0);
    tl_write_bytes(out, slice_of(f->content + from, len));
    return true;
}

static inline void file_config_number(const struct tl_schema *s, struct buf *out, const char *key,
                                      double number)
{
    tl_write_u32(out, tl_schema_by_name(s, slice_str("jsonObjectValue"))->id);
    tl_write_bytes(out, slice_str(key));
    tl_write_u32(out, tl_schema_by_name(s, slice_str("jsonNumber"))->id);
    tl_write_double(out, number);
}

static inline bool file_config(struct file_dc *f, const struct tl_schema *s, struct buf *out)
{
    atomic_fetch_add(&f->config_asked, 1);
    tl_write_u32(out, tl_schema_by_name(s, slice_str("help.appConfig"))->id);
    tl_write_i32(out, 1);
    tl_write_u32(out, tl_schema_by_name(s, slice_str("jsonObject"))->id);
    tl_write_u32(out, TL_ID_VECTOR);
    tl_write_i32(out, 2);
    file_config_number(s, out, "upload_max_fileparts_default", 4000);
    file_config_number(s, out, "upload_max_fileparts_premium", atomic_load(&f->parts_premium));
    return true;
}

static inline void file_write_user(struct file_dc *f, const struct tl_schema *s, struct buf *out)
{
    struct arena a;
    const char *why = NULL;
    arena_init(&a, 0);
    struct tl_builder b = tl_builder_of(s, &a);
    struct tl_object *user = tl_new_ctor(&b, tl_schema_by_name(s, slice_str("user")));
    int premium = tl_field_by_name(user->ctor, slice_str("premium"));
    int id = tl_field_by_name(user->ctor, slice_str("id"));
    user->fields[id] = (struct tl_value){.kind = TL_LONG, .i = 7};
    if (atomic_load(&f->premium))
        user->fields[premium] = (struct tl_value){.kind = TL_TRUE, .i = 1};
    assert_true(tl_write_object(s, out, user, &a, &why));
    arena_free(&a);
}

static inline bool file_users(struct file_dc *f, const struct tl_schema *s, struct buf *out)
{
    tl_write_u32(out, TL_ID_VECTOR);
    tl_write_i32(out, 1);
    file_write_user(f, s, out);
    return true;
}

static inline bool file_export(struct file_dc *f, const struct tl_schema *s, struct buf *out)
{
    atomic_fetch_add(&f->exported, 1);
    tl_write_u32(out, tl_schema_by_name(s, slice_str("auth.exportedAuthorization"))->id);
    tl_write_i64(out, 7);
    tl_write_bytes(out, slice_str("bring me over"));
    return true;
}

static inline bool file_import(struct fake_dc *dc, const struct tl_object *q, struct buf *out,
                               int *error, const char **text)
{
    const struct tl_value *bytes = file_field(q, "bytes");
    if (file_field(q, "id")->i != 7 ||
        !slice_is(slice_of(bytes->bytes, bytes->len), "bring me over")) {
        *error = 400;
        *text = "AUTH_BYTES_INVALID";
        return true;
    }
    atomic_fetch_add(&dc->files->imported, 1);
    atomic_store(&dc->files->authorized, dc->asking_key);
    tl_write_u32(out, tl_schema_by_name(dc->schema, slice_str("auth.authorization"))->id);
    tl_write_i32(out, 0);
    file_write_user(dc->files, dc->schema, out);
    return true;
}

/* What the account has to do before anything else. */
static inline const char *file_refusal(struct fake_dc *dc, const char *method)
{
    struct file_dc *f = dc->files;
    if (atomic_load(&f->user_migrate) == 3 && strcmp(method, "auth.exportAuthorization") != 0)
        return "USER_MIGRATE_3";
    if (atomic_load(&f->needs_import) && atomic_load(&f->authorized) != dc->asking_key &&
        strcmp(method, "auth.importAuthorization") != 0)
        return "AUTH_KEY_UNREGISTERED";
    return NULL;
}

static inline bool file_serve(struct fake_dc *dc, const struct tl_object *q, struct buf *out,
                              int *error, const char **text)
{
    struct file_dc *f = dc->files;
    if (!f)
        return false;
    if ((*text = file_refusal(dc, q->ctor->name))) {
        *error = strcmp(*text, "AUTH_KEY_UNREGISTERED") == 0 ? 401 : 303;
        return true;
    }
    if (strcmp(q->ctor->name, "auth.exportAuthorization") == 0)
        return file_export(f, dc->schema, out);
    if (strcmp(q->ctor->name, "auth.importAuthorization") == 0)
        return file_import(dc, q, out, error, text);
    if (strcmp(q->ctor->name, "upload.saveFilePart") == 0)
        return file_save(f, q, false, out, error, text);
    if (strcmp(q->ctor->name, "upload.saveBigFilePart") == 0)
        return file_save(f, q, true, out, error, text);
    if (strcmp(q->ctor->name, "upload.getFile") == 0)
        return file_get(f, dc->schema, q, out, error, text);
    if (strcmp(q->ctor->name, "help.getAppConfig") == 0)
        return file_config(f, dc->schema, out);
    if (strcmp(q->ctor->name, "users.getUsers") == 0)
        return file_users(f, dc->schema, out);
    return false;
}

/* Requests of a transfer that has ended may still come when its files are gone. */
static inline bool file_method(void *ctx, const struct tl_object *q, struct buf *out, int *error,
                               const char **text)
{
    struct fake_dc *dc = ctx;
    uv_mutex_lock(&dc->lock);
    bool known = file_serve(dc, q, out, error, text);
    uv_mutex_unlock(&dc->lock);
    return known;
}

/* Before the first request. */
static inline void file_dc_attach(struct fake_dc *dc, struct file_dc *f, size_t size)
{
    struct rng rng;
    rng_init_system(&rng);
    *f = (struct file_dc){.size = size, .total = -1, .expired_from = -1, .parts_premium = 8000};
    f->content = malloc(size + 1);
    f->uploaded = calloc(FILE_PARTS, FILE_PART);
    rng_fill(&rng, f->content, size);
    uv_mutex_lock(&dc->lock);
    dc->files = f;
    dc->method = file_method;
    dc->method_ctx = dc;
    uv_mutex_unlock(&dc->lock);
}

static inline void file_dc_detach(struct fake_dc *dc, struct file_dc *f)
{
    uv_mutex_lock(&dc->lock);
    dc->files = NULL;
    uv_mutex_unlock(&dc->lock);
    free(f->content);
    free(f->uploaded);
}

#endif
