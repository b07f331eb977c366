/* SPDX-License-Identifier: MIT
 * Calls method handlers directly, without connections: queries as JSON, peers in them as marked ids
 * or "me". Every answer is written with the schema it was built for and read back, so a handler
 * that leaves a required field out fails the test that calls it. */
#ifndef TGREST_TEST_WORLD_HARNESS_H
#define TGREST_TEST_WORLD_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/message.h"
#include "sandbox/methods.h"
#include "sandbox/world_demo.h"
#include "tl/json.h"

#include "vectors.h" /* last: cmocka makes macros of fail and others */

enum { HARNESS_NOW = 1800000000, PUSHES_KEPT = 4096 };

struct push {
    struct user *to;
    struct update update; /* ids are gone */
};

struct harness {
    struct tl_schema *schema;
    const struct method *methods[COMBINATORS_N];
    struct world *world;
    struct arena arena; /* of the last call */
    struct user *caller;
    int32_t now;
    const char *error;
    int error_code;
    struct push pushes[PUSHES_KEPT];
    uint32_t n_pushes;
};

/* The layer that TGREST_TEST_LAYER_FILE names, else the embedded one. */
static inline struct tl_schema *harness_schema(const char *file)
{
    char error[256] = "";
    struct slice text = tl_embedded_api();
    char *loaded = NULL;
    if (file) {
        FILE *f = fopen(file, "rb");
        assert_non_null(f);
        enum { SCHEMA_MAX = 4 * 1024 * 1024 };
        loaded = malloc(SCHEMA_MAX);
        text = slice_of(loaded, fread(loaded, 1, SCHEMA_MAX, f));
        fclose(f);
    }
    struct tl_schema *s = tl_schema_parse(text, error, sizeof error);
    free(loaded);
    if (!s)
        fail_msg("schema: %s", error);
    tl_schema_bind(s, &sandbox_names);
    return s;
}

static inline void harness_push(void *ctx, const struct session *except, struct user *to,
                                const struct update *u)
{
    (void)except;
    struct harness *h = ctx;
    if (h->n_pushes < PUSHES_KEPT)
        h->pushes[h->n_pushes++] = (struct push){to, *u};
}

static inline struct harness *harness_new(const char *schema_file)
{
    struct harness *h = calloc(1, sizeof *h);
    uint16_t twice;
    h->schema = harness_schema(schema_file);
    assert_true(methods_by_symbol(h->methods, &twice));
    h->world = world_new(1);
    assert_non_null(h->world);
    h->world->sink = (struct world_sink){harness_push, h};
    h->now = HARNESS_NOW;
    arena_init(&h->arena, 0);
    return h;
}

static inline void harness_free(struct harness *h)
{
    arena_free(&h->arena);
    world_free(h->world);
    tl_schema_free(h->schema);
    free(h);
}

/* ---- peers in JSON ---- */

static inline struct tl_object *harness_new_object(struct harness *h, const char *name)
{
    struct tl_builder b = tl_builder_of(h->schema, &h->arena);
    const struct tl_combinator *c = tl_schema_by_name(h->schema, slice_str(name));
    assert_non_null(c);
    return tl_new_ctor(&b, c);
}

static inline struct tl_object *harness_peer(void *ctx, const struct tl_class *wanted,
                                             struct json_object *json)
{
    struct harness *h = ctx;
    if (json_object_is_type(json, json_type_string))
        return harness_new_object(h, strcmp(wanted->name, "InputUser") == 0 ? "inputUserSelf"
                                                                            : "inputPeerSelf");
    int64_t peer = json_object_get_int64(json);
    if (strcmp(wanted->name, "InputMessage") == 0) {
        struct tl_object *o = harness_new_object(h, "inputMessageID");
        tl_set_int(o, F_id, peer);
        return o;
    }
    struct tl_object *o =
        harness_new_object(h, strcmp(wanted->name, "InputUser") == 0      ? "inputUser"
                              : strcmp(wanted->name, "InputChannel") == 0 ? "inputChannel"
                              : peer == 0                                 ? "inputPeerEmpty"
                              : peer_kind(peer) == PEER_USER              ? "inputPeerUser"
                              : peer_kind(peer) == PEER_CHAT              ? "inputPeerChat"
                                                                          : "inputPeerChannel");
    tl_set_int(o, F_user_id, peer_bare(peer));
    tl_set_int(o, F_chat_id, peer_bare(peer));
    tl_set_int(o, F_channel_id, peer_bare(peer));
    tl_set_int(o, F_access_hash, world_access_hash(h->world, h->caller->id, peer));
    if (strcmp(wanted->name, "InputDialogPeer") != 0)
        return o;
    struct tl_object *dialog = harness_new_object(h, "inputDialogPeer");
    tl_set_obj(dialog, F_peer, o);
    return dialog;
}

/* ---- calls ---- */

static inline void harness_check_answer(struct harness *h, const struct tl_combinator *method,
                                        const struct tl_value *v)
{
    struct buf out;
    buf_init(&out, 0);
    const char *error = NULL;
    if (!tl_write_value(h->schema, &out, &method->result, v, &h->arena, &error))
        fail_msg("%s answers what the schema does not know: %s", method->name, error ? error : "?");
    struct tl_reader reader = tl_reader_of(buf_slice(&out));
    struct tl_value back;
    if (!tl_read_value(h->schema, &reader, &method->result, &h->arena, (struct tl_limits){0},
                       &back))
        fail_msg("%s: its answer does not read back: %s", method->name,
                 reader.error ? reader.error : "?");
    assert_int_equal(tl_left(&reader), 0);
    buf_free(&out);
}

/* Runs a query that lives in h->arena. */
static inline struct tl_value harness_handle(struct harness *h, struct user *self,
                                             const struct tl_object *query)
{
    const struct tl_combinator *c = query->ctor;
    struct request r = {.world = h->world,
                        .self = self,
                        .schema = h->schema,
                        .query = query,
                        .arena = &h->arena,
                        .b = tl_builder_of(h->schema, &h->arena),
                        .now_s = h->now};
    struct tl_value v = h->methods[c->symbol]->handle(&r);
    assert_null(h->world->cause);
    h->error = r.error_text;
    h->error_code = r.error_code;
    if (!h->error) {
        assert_false(r.b.failed);
        assert_int_not_equal(v.kind, TL_ABSENT);
        harness_check_answer(h, c, &v);
    }
    return v;
}

static inline struct tl_value harness_run(struct harness *h, struct user *self, const char *method,
                                          const char *json)
{
    arena_reset(&h->arena);
    h->caller = self;
    h->error = NULL;
    const struct tl_combinator *c = tl_schema_by_name(h->schema, slice_str(method));
    if (!c || !h->methods[c->symbol])
        fail_msg("no method %s", method);
    struct json_object *tree = json_tokener_parse(json);
    if (!tree)
        fail_msg("bad JSON: %s", json);
    struct tl_json_error error = {0};
    struct tl_json_hook hook = {harness_peer, h};
    struct tl_object *query =
        tl_from_json(h->schema, c, tree, &h->arena, (struct tl_limits){0}, &hook, &error);
    json_object_put(tree);
    if (!query)
        fail_msg("%s: %s %s in %s", method, error.path, error.reason, json);
    return harness_handle(h, self, query);
}

static inline struct tl_value harness_must(struct harness *h, struct user *self, const char *method,
                                           const char *format, va_list args)
{
    char json[8192];
    vsnprintf(json, sizeof json, format, args);
    struct tl_value v = harness_run(h, self, method, json);
    if (h->error)
        fail_msg("%s refused: %d %s, for %s", method, h->error_code, h->error, json);
    return v;
}

/* The answer, an object, which lives until the next call; the test fails when the method refuses.
 */
__attribute__((format(printf, 4, 5))) static inline const struct tl_object *
call(struct harness *h, struct user *self, const char *method, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct tl_value v = harness_must(h, self, method, format, args);
    va_end(args);
    return v.kind == TL_OBJECT ? v.object : NULL;
}

/* The same for answers that are no objects: vectors, Bool. */
__attribute__((format(printf, 4, 5))) static inline struct tl_value
call_value(struct harness *h, struct user *self, const char *method, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct tl_value v = harness_must(h, self, method, format, args);
    va_end(args);
    return v;
}

/* The error; the test fails when the method answers. */
__attribute__((format(printf, 4, 5))) static inline const char *
call_error(struct harness *h, struct user *self, const char *method, const char *format, ...)
{
    char json[8192];
    va_list args;
    va_start(args, format);
    vsnprintf(json, sizeof json, format, args);
    va_end(args);
    harness_run(h, self, method, json);
    if (!h->error)
        fail_msg("%s did not refuse %s", method, json);
    return h->error;
}

/* ---- worlds ---- */

static inline struct user *add_account(struct harness *h, const char *phone, const char *name)
{
    struct user *u = world_add_user(h->world, slice_str(phone), slice_str(name), slice_str(""), 2);
    assert_non_null(u);
    return u;
}

/* Sends and gives the sender's number of the message. */
static inline int32_t send_text(struct harness *h, struct user *from, int64_t peer,
                                const char *text)
{
    static int64_t random_id = 1000;
    const struct tl_object *o = call(h, from, "messages.sendMessage",
                                     "{\"peer\": %lld, \"message\": \"%s\", \"random_id\": %lld}",
                                     (long long)peer, text, (long long)++random_id);
    if (tl_is(o, C_updateShortSentMessage))
        return (int32_t)tl_int(o, F_id);
    return (int32_t)tl_int(tl_item_obj(o, F_updates, 0), F_id);
}

#endif
