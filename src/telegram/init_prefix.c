/* SPDX-License-Identifier: MIT
 * The frame around a connection's first request: invokeWithLayer, initConnection,
 * invokeWithoutUpdates. */
#include "telegram/login.h"

/* What initConnection's fields are filled with; strings not named here would be a new layer's. */
static bool write_field(const struct tl_field *f, const struct client_identity *who,
                        struct buf *out)
{
    const struct {
        uint16_t symbol;
        const char *text;
    } texts[] = {
        {F_device_model, who->device_model},
        {F_system_version, who->system_version},
        {F_app_version, who->app_version},
        {F_system_lang_code, who->system_lang_code},
        {F_lang_pack, ""}, /* only official apps have one */
        {F_lang_code, who->lang_code},
    };
    if (f->type.kind == TL_FLAGS) {
        tl_write_u32(out, 0);
        return true;
    }
    if (f->flags_field >= 0)
        return true;
    if (f->symbol == F_api_id) {
        tl_write_i32(out, who->api_id);
        return true;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (f->symbol == texts[i].symbol && f->type.kind == TL_STRING) {
            tl_write_bytes(out, slice_str(texts[i].text));
            return true;
        }
    }
    return false;
}

bool init_prefix_write(const struct tl_schema *s, const struct client_identity *who,
                       bool without_updates, struct buf *out)
{
    const struct tl_combinator *layer = tl_schema_bound(s, C_invokeWithLayer);
    const struct tl_combinator *init = tl_schema_bound(s, C_initConnection);
    if (!layer || !init)
        return false;
    tl_write_u32(out, layer->id);
    tl_write_i32(out, tl_schema_layer(s));
    tl_write_u32(out, init->id);
    for (uint16_t i = 0; i < init->n_fields && init->fields[i].symbol != F_query; i++)
        if (!write_field(&init->fields[i], who, out))
            return false;
    return !without_updates || call_prefix_write(s, out);
}

bool call_prefix_write(const struct tl_schema *s, struct buf *out)
{
    const struct tl_combinator *without = tl_schema_bound(s, C_invokeWithoutUpdates);
    if (!without)
        return false;
    tl_write_u32(out, without->id);
    return !out->failed;
}
