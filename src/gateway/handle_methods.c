/* SPDX-License-Identifier: MIT
 * /methods: every method of the schema, with JSON parameters and a JSON answer. */
#include <json-c/json.h>
#include <stdio.h>

#include "gateway/handlers.h"
#include "gateway/resolve.h"
#include "gateway/route.h"
#include "gateway/scope.h"
#include "telegram/peer.h"
#include "tl/json.h"

/* ---- what the schema says ---- */

static void write_id(struct json_writer *w, uint32_t id)
{
    char text[9];
    snprintf(text, sizeof text, "%08x", id);
    json_field_text(w, "id", text);
}

static void write_param(struct call *c, struct json_writer *w, const struct tl_field *field)
{
    struct buf type;
    buf_init(&type, 0);
    tl_type_text(c->schema, &field->type, &type);
    json_object_begin(w);
    json_field_text(w, "name", field->name);
    json_field_string(w, "type", buf_slice(&type));
    json_field_bool(w, "required", field->flags_field < 0);
    json_object_end(w);
    buf_free(&type);
}

static void write_params(struct call *c, struct json_writer *w, const struct tl_combinator *method)
{
    json_key(w, "params");
    json_array_begin(w);
    /* The flags are computed from what is given. */
    for (uint16_t i = 0; i < method->n_fields; i++)
        if (method->fields[i].type.kind != TL_FLAGS)
            write_param(c, w, &method->fields[i]);
    json_array_end(w);
}

/* Wrappers (invokeWithLayer…) take another query: the gateway writes those itself. */
static bool is_wrapper(const struct tl_combinator *method)
{
    for (uint16_t i = 0; i < method->n_fields; i++) {
        const struct tl_type *type = &method->fields[i].type;
        if (type->kind == TL_OBJECT && !type->bare && type->class_index < 0)
            return true;
    }
    return false;
}

void handle_methods_list(struct call *c)
{
    struct json_writer *w = call_answer(c, 200);
    struct slice search = call_param(c, "search")->text;
    json_object_begin(w);
    json_field_int(w, "layer", tl_schema_layer(c->schema));
    json_key(w, "methods");
    json_array_begin(w);
    for (size_t i = 0; i < tl_schema_count(c->schema); i++) {
        const struct tl_combinator *m = tl_schema_at(c->schema, i);
        if (m->is_method && !is_wrapper(m) &&
            (search.len == 0 || memmem(m->name, strlen(m->name), search.data, search.len)))
            json_string(w, slice_str(m->name));
    }
    json_array_end(w);
    json_object_end(w);
}

static const struct tl_combinator *find_method(struct call *c)
{
    struct slice name = call_param(c, "name")->text;
    const struct tl_combinator *method = tl_schema_by_name(c->schema, name);
    if (method && method->is_method && !is_wrapper(method))
        return method;
    call_fail(c, 404, "METHOD_NOT_FOUND",
              "There is no method %.*s in layer %d: GET /methods lists them",
              (int)(name.len < 100 ? name.len : 100), (const char *)name.data,
              tl_schema_layer(c->schema));
    c->error.field = "name";
    return NULL;
}

void handle_method_get(struct call *c)
{
    const struct tl_combinator *method = find_method(c);
    if (!method)
        return;
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "name", method->name);
    write_id(w, method->id);
    json_field_int(w, "layer", tl_schema_layer(c->schema));
    write_params(c, w, method);
    json_field_text(w, "returns", method->result_text);
    json_object_end(w);
}

/* ---- calling ---- */

enum input_class { INPUT_OTHER, INPUT_PEER, INPUT_USER, INPUT_CHANNEL };

static enum input_class input_class_of(const struct tl_class *wanted)
{
    static const char *const names[] = {
        [INPUT_PEER] = "InputPeer", [INPUT_USER] = "InputUser", [INPUT_CHANNEL] = "InputChannel"};
    for (int i = INPUT_PEER; i <= INPUT_CHANNEL; i++)
        if (strcmp(wanted->name, names[i]) == 0)
            return (enum input_class)i;
    return INPUT_OTHER;
}

/* Where the schema wants an InputPeer, InputUser or InputChannel, any chat_id will do. */
static struct tl_object *peer_from_json(void *ctx, const struct tl_class *wanted,
                                        struct json_object *json)
{
    struct call *c = ctx;
    enum input_class class = input_class_of(wanted);
    struct param_value value = {.present = true};
    if (class == INPUT_OTHER)
        return NULL;
    if (json_object_is_type(json, json_type_string))
        value.text =
            slice_of(json_object_get_string(json), (size_t)json_object_get_string_len(json));
    else if (json_object_is_type(json, json_type_int))
        value = (struct param_value){
            .present = true, .is_number = true, .i = json_object_get_int64(json)};
    else
        return NULL;
    struct peer_ref peer;
    if (!resolve_value(c, "chat_id", &value, &peer))
        return NULL;
    switch (class) {
    case INPUT_USER:
        return peer_to_input_user(&c->b, &peer);
    case INPUT_CHANNEL:
        return peer_to_input_channel(&c->b, &peer);
    default:
        return peer_to_input(&c->b, &peer);
    }
}

/* The peer that a body names, as it names it. */
static struct slice peer_text(struct call *c)
{
    static const char *const names[] = {"peer", "to_peer"};
    struct json_object *peer = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !peer; i++)
        (void)json_object_object_get_ex(c->json_body, names[i], &peer);
    return slice_str(peer ? json_object_to_json_string_ext(peer, JSON_C_TO_STRING_PLAIN) : "");
}

/* As many random ids as the method takes: one, or one for each item of `id` (forwardMessages). */
static struct json_object *make_random_ids(struct call *c, const struct tl_combinator *method,
                                           const struct tl_type *type)
{
    struct slice what = peer_text(c);
    if (type->kind == TL_LONG)
        return json_object_new_int64(call_random_id(c, method->name, what, 0));
    struct json_object *ids = NULL;
    if (type->kind != TL_VECTOR || type->item->kind != TL_LONG ||
        !json_object_object_get_ex(c->json_body, "id", &ids) ||
        !json_object_is_type(ids, json_type_array))
        return NULL;
    size_t n = json_object_array_length(ids);
    struct json_object *made = json_object_new_array();
    for (size_t i = 0; i < n; i++)
        json_object_array_add(
            made, json_object_new_int64(call_random_id(c, method->name, what, (uint32_t)i)));
    return made;
}

/* A random_id that was left out is made here, by Idempotency-Key where there is one. */
static void fill_random_id(struct call *c, const struct tl_combinator *method)
{
    int index = tl_field_by_symbol(method, F_random_id);
    if (index < 0 || method->fields[index].flags_field >= 0 ||
        json_object_object_get_ex(c->json_body, "random_id", NULL))
        return;
    struct json_object *made = make_random_ids(c, method, &method->fields[index].type);
    if (made)
        json_object_object_add(c->json_body, "random_id", made);
}

/* messages.sendMultiMedia has one in each of its items. */
static void fill_item_random_ids(struct call *c, const struct tl_combinator *method)
{
    struct json_object *items = NULL;
    struct slice what = peer_text(c);
    if (!json_object_object_get_ex(c->json_body, "multi_media", &items) ||
        !json_object_is_type(items, json_type_array))
        return;
    for (size_t i = 0; i < json_object_array_length(items); i++) {
        struct json_object *item = json_object_array_get_idx(items, i);
        if (!json_object_is_type(item, json_type_object) ||
            json_object_object_get_ex(item, "random_id", NULL))
            continue;
        int64_t id = call_random_id(c, method->name, what, (uint32_t)i);
        json_object_object_add(item, "random_id", json_object_new_int64(id));
    }
}

static struct tl_object *read_query(struct call *c, const struct tl_combinator *method)
{
    struct tl_json_hook hook = {peer_from_json, c};
    struct tl_json_error error = {0};
    if (!c->json_body)
        c->json_body = json_object_new_object();
    fill_random_id(c, method);
    fill_item_random_ids(c, method);
    struct tl_object *query = tl_from_json(c->schema, method, c->json_body, c->arena,
                                           (struct tl_limits){0}, &hook, &error);
    if (query || call_failed(c)) {
        /* A chat_id that did not resolve: name the place in the body, not the hook's own word. */
        if (call_failed(c) && error.path && c->error.field)
            c->error.field = error.path;
        return query;
    }
    call_fail_field(c, error.path && *error.path ? error.path : NULL, "%s%s%s",
                    error.path ? error.path : "", error.path && *error.path ? ": " : "",
                    error.reason);
    return NULL;
}

void handle_method_call(struct call *c)
{
    const struct tl_combinator *method = find_method(c);
    if (method)
        scope_check_method(c, method);
    if (call_failed(c))
        return;
    struct tl_object *query = read_query(c, method);
    struct tl_value answer;
    if (!query || call_failed(c) || !scope_check_query(c, query) ||
        !call_invoke_value(c, query, &answer))
        return;
    scope_blank_codes(c, &answer);
    if (answer.kind == TL_OBJECT)
        resolve_remember(c, answer.object);
    tl_to_json(c->schema, &answer, call_answer(c, 200));
}
