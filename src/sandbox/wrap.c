/* SPDX-License-Identifier: MIT
 * The wrappers around a request: invokeWithLayer, initConnection and their kin. */
#include <stdio.h>
#include <stdlib.h>

#include "sandbox/state.h"

enum { WRAPPERS_MAX = 8 };

/* Keeps what fits, cut at a character. */
static void keep_text(char out[static DEVICE_TEXT_MAX], struct slice text)
{
    size_t n = text.len < DEVICE_TEXT_MAX ? text.len : DEVICE_TEXT_MAX - 1;
    while (n > 0 && !slice_is_utf8(slice_of(text.data, n)))
        n--;
    if (n)
        memcpy(out, text.data, n);
    out[n] = 0;
}

static bool wrap_init(struct call *call, const struct tl_object *o)
{
    struct authorization *a = call->session->auth;
    int64_t api_id = tl_int(o, F_api_id);
    if (api_id <= 0) {
        fail(&call->r, 400, "API_ID_INVALID");
        return false;
    }
    if (!a->device)
        a->device = calloc(1, sizeof *a->device);
    if (!a->device) {
        fail(&call->r, 500, "INTERNAL");
        return false;
    }
    a->device->api_id = (int32_t)api_id;
    keep_text(a->device->model, tl_text(o, F_device_model));
    keep_text(a->device->system, tl_text(o, F_system_version));
    keep_text(a->device->app, tl_text(o, F_app_version));
    keep_text(a->device->language, tl_text(o, F_lang_code));
    a->inited = true;
    return true;
}

/* What it names was looked at before the request was read. */
static bool wrap_layer(struct call *call, const struct tl_object *o)
{
    if (tl_int(o, F_layer) >= 1)
        return true;
    fail(&call->r, 400, "INPUT_LAYER_INVALID");
    return false;
}

static bool wrap_after(struct call *call, const struct tl_object *o)
{
    if (call->n_waits == AFTER_IDS_MAX) {
        fail(&call->r, 400, "MSG_IDS_TOO_MANY");
        return false;
    }
    call->waits_for[call->n_waits++] = (uint64_t)tl_int(o, F_msg_id);
    return true;
}

static bool wrap_after_many(struct call *call, const struct tl_object *o)
{
    uint32_t n = tl_count(o, F_msg_ids);
    if (n > AFTER_IDS_MAX - call->n_waits) {
        fail(&call->r, 400, "MSG_IDS_TOO_MANY");
        return false;
    }
    for (uint32_t i = 0; i < n; i++)
        call->waits_for[call->n_waits++] = (uint64_t)tl_item(o, F_msg_ids, i)->i;
    return true;
}

static bool wrap_without_updates(struct call *call, const struct tl_object *o)
{
    (void)o;
    call->r.without_updates = true;
    return true;
}

static bool wrap_takeout(struct call *call, const struct tl_object *o)
{
    const struct authorization *login = key_login(call->session->auth);
    if (login->takeout_id && login->takeout_id == tl_int(o, F_takeout_id))
        return true;
    fail(&call->r, 400, "TAKEOUT_INVALID");
    return false;
}

/* The range only narrows which messages a history may show: nothing here pages by it. */
static bool wrap_range(struct call *call, const struct tl_object *o)
{
    (void)call;
    return tl_obj(o, F_query) != NULL;
}

static const struct wrapper {
    uint16_t symbol;
    bool (*apply)(struct call *call, const struct tl_object *o);
} wrappers[] = {
    {C_invokeWithLayer, wrap_layer},
    {C_initConnection, wrap_init},
    {C_invokeWithoutUpdates, wrap_without_updates},
    {C_invokeAfterMsg, wrap_after},
    {C_invokeAfterMsgs, wrap_after_many},
    {C_invokeWithTakeout, wrap_takeout},
    {C_invokeWithMessagesRange, wrap_range},
};

static const struct wrapper *wrapper_of(const struct tl_object *o)
{
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
        if (o->ctor->symbol == wrappers[i].symbol)
            return &wrappers[i];
    return NULL;
}

/* An unknown first id is told apart from bytes that do not fit the method. */
static void refuse_bytes(struct call *call, const struct tl_schema *schema, struct slice body)
{
    uint32_t id = body.len >= 4 ? load_le32(body.data) : 0;
    if (tl_schema_by_id(schema, id))
        fail(&call->r, 400, "INPUT_FETCH_FAIL");
    else
        fail(&call->r, 400, arena_printf(&call->arena, "INPUT_METHOD_INVALID_%u", id));
}

/* Wrappers that may stand around invokeWithLayer: their length before the query. */
static const struct {
    uint16_t symbol;
    uint32_t bytes;
} outer_wrappers[] = {
    {C_invokeWithoutUpdates, 4},
    {C_invokeAfterMsg, 12},
    {C_invokeWithTakeout, 12},
};

static uint32_t outer_wrapper_bytes(const struct tl_schema *schema, uint32_t id)
{
    for (size_t i = 0; i < sizeof outer_wrappers / sizeof *outer_wrappers; i++) {
        const struct tl_combinator *c = tl_schema_bound(schema, outer_wrappers[i].symbol);
        if (c && c->id == id)
            return outer_wrappers[i].bytes;
    }
    return 0;
}

int32_t call_layer(const struct tl_schema *schema, struct slice body)
{
    const struct tl_combinator *with_layer = tl_schema_bound(schema, C_invokeWithLayer);
    for (int depth = 0; with_layer && depth < WRAPPERS_MAX && body.len >= 8; depth++) {
        uint32_t id = load_le32(body.data);
        if (id == with_layer->id)
            return (int32_t)load_le32(body.data + 4);
        uint32_t skip = outer_wrapper_bytes(schema, id);
        if (!skip || skip > body.len)
            return 0;
        body = slice_of(body.data + skip, body.len - skip);
    }
    return 0;
}

/* The key speaks that layer from now on: what is inside is to be read in it. */
static void speak_layer(struct call *call, int32_t layer)
{
    struct sandbox *s = call->r.sandbox;
    struct authorization *a = call->session->auth;
    if (layer < 1 || layer == a->layer)
        return;
    a->layer = layer;
    a->schema = layers_pick(&s->layers, layer);
    if (a->perm) { /* what is bound to it later speaks it too */
        a->perm->layer = layer;
        a->perm->schema = a->schema;
    }
    int served = tl_schema_layer(a->schema);
    if (served && served != layer)
        log_event(&s->log, LOG_WARN, "other_layer", log_int("client", layer),
                  log_int("schema", served));
}

bool call_unwrap(struct call *call, struct slice body)
{
    speak_layer(call, call_layer(call->session->auth->schema, body));
    const struct tl_schema *schema = call->session->auth->schema;
    struct tl_reader reader = tl_reader_of(body);
    struct tl_object *o = tl_read_object(schema, &reader, &call->arena, (struct tl_limits){0});
    if (!o) {
        log_event(&call->r.sandbox->log, LOG_INFO, "request_not_read",
                  log_str("reason", reader.error));
        refuse_bytes(call, schema, body);
        return false;
    }
    const struct tl_object *query = o;
    for (int depth = 0;; depth++) {
        const struct wrapper *w = query ? wrapper_of(query) : NULL;
        if (!w)
            break;
        if (depth == WRAPPERS_MAX || !w->apply(call, query)) {
            if (!call->r.error_code)
                fail(&call->r, 400, "INPUT_REQUEST_INVALID");
            return false;
        }
        query = tl_obj(query, F_query);
    }
    if (!query || !query->ctor->is_method) {
        fail(&call->r, 400, "INPUT_REQUEST_INVALID");
        return false;
    }
    call->r.query = query;
    call->ctor = query->ctor;
    return true;
}
