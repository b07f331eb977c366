/* SPDX-License-Identifier: MIT
 * Fuzzes bytes to tree. The first byte chooses the schema (bit 0: MTProto); the rest is one object.
 * What is read must be writable, and reading what was written must give the same bytes again. */
#include <stdlib.h>

#include "base/json_writer.h"
#include "tl/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024 };

struct fuzz {
    struct tl_schema *schemas[2];
    struct arena arena;
};

static void start(struct fuzz *f)
{
    char error[256];
    if (f->schemas[0])
        return;
    f->schemas[0] = tl_schema_parse(tl_embedded_api(), error, sizeof error);
    f->schemas[1] = tl_schema_parse(tl_embedded_mtproto(), error, sizeof error);
    arena_init(&f->arena, ARENA_BYTES_MAX);
    if (!f->schemas[0] || !f->schemas[1])
        abort();
}

static struct tl_object *read_all(const struct tl_schema *s, struct slice bytes, struct arena *a)
{
    struct tl_reader r = tl_reader_of(bytes);
    struct tl_object *o = tl_read_object(s, &r, a, (struct tl_limits){0});
    if ((o == NULL) != (r.error != NULL))
        abort();
    return o;
}

static void write_again(const struct tl_schema *s, const struct tl_object *o, struct arena *a)
{
    struct buf first, second, text;
    struct json_writer w;
    struct tl_value value = tl_value_obj(o);
    buf_init(&first, 0);
    buf_init(&second, 0);
    buf_init(&text, 0);
    if (!tl_write_object(s, &first, o, a, NULL))
        abort();
    struct tl_object *back = read_all(s, buf_slice(&first), a);
    if (!back || !tl_write_object(s, &second, back, a, NULL) ||
        !slice_eq(buf_slice(&first), buf_slice(&second)))
        abort();
    json_init(&w, &text);
    tl_to_json(s, &value, &w);
    buf_free(&first);
    buf_free(&second);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f; /* libFuzzer gives no context */
    start(&f);
    if (size == 0)
        return 0;
    const struct tl_schema *s = f.schemas[data[0] & 1];
    struct tl_object *o = read_all(s, slice_of(data + 1, size - 1), &f.arena);
    if (o)
        write_again(s, o, &f.arena);
    arena_reset(&f.arena);
    return 0;
}
