/* SPDX-License-Identifier: MIT */
#include "gateway/init_connection.h"

#include "tl/cursor.h"

/* What the account's list of devices shows. */
static const struct {
    const char *field;
    const char *value;
} device[] = {
    {"device_model", "tgrest"}, {"system_version", "Linux"}, {"app_version", "1.0"},
    {"system_lang_code", "en"}, {"lang_pack", ""},           {"lang_code", "en"},
};

static const char *device_text(const char *field)
{
    for (size_t i = 0; i < sizeof device / sizeof *device; i++) {
        if (strcmp(device[i].field, field) == 0)
            return device[i].value;
    }
    return "";
}

/* The combinator up to its query, which follows; optional fields stay out (flags 0). */
static void write_wrapper(struct buf *out, const struct tl_schema *s, const char *name, int32_t number)
{
    const struct tl_combinator *c = tl_schema_by_name(s, slice_str(name));
    if (!c) {
        out->failed = true;
        return;
    }
    tl_write_u32(out, c->id);
    for (size_t i = 0; i < c->n_fields; i++) {
        const struct tl_field *f = &c->fields[i];
        if (f->flags_field >= 0)
            continue;
        if (f->type.kind == TL_FLAGS)
            tl_write_u32(out, 0);
        else if (f->type.kind == TL_INT) /* layer; api_id */
            tl_write_i32(out, number);
        else if (f->type.kind == TL_STRING)
            tl_write_bytes(out, slice_str(device_text(f->name)));
    }
}

void init_connection_write(struct buf *out, const struct tl_schema *s, int32_t api_id)
{
    write_wrapper(out, s, "invokeWithLayer", tl_schema_layer(s));
    write_wrapper(out, s, "initConnection", api_id);
    without_updates_write(out, s);
}

void without_updates_write(struct buf *out, const struct tl_schema *s)
{
    write_wrapper(out, s, "invokeWithoutUpdates", 0);
}
