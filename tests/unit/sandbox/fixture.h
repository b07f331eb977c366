/* SPDX-License-Identifier: MIT
 * A sandbox without a demo world on a loop, and the requests that tests of it share. */
#ifndef TGREST_TESTS_SANDBOX_FIXTURE_H
#define TGREST_TESTS_SANDBOX_FIXTURE_H

#include <json-c/json.h>

#include "base/base64.h"
#include "client.h"
#include "sandbox/control.h"
#include "tl/json.h"

struct fixture {
    uv_loop_t loop;
    struct sandbox *s;
};

/* With what the config says, on free ports, seeded, without a demo world. */
static inline int set_up_with(void **state, struct sandbox_config config)
{
    struct fixture *f = calloc(1, sizeof *f);
    char error[256] = "";
    uv_loop_init(&f->loop);
    config.listen = "127.0.0.1:0";
    config.seeded = true;
    config.seed = 1;
    config.empty_world = true;
    config.log = (struct log){.fd = 2, .level = LOG_ERROR};
    f->s = sandbox_start(&f->loop, &config, error, sizeof error);
    if (!f->s)
        print_error("%s\n", error);
    *state = f;
    return f->s ? 0 : -1;
}

static inline int set_up_dcs(void **state, int32_t dcs)
{
    return set_up_with(state, (struct sandbox_config){.dcs = dcs});
}

static inline int set_up(void **state)
{
    return set_up_dcs(state, 1);
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    sandbox_stop(f->s);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    sandbox_free(f->s);
    int status = uv_loop_close(&f->loop);
    free(f);
    return status;
}

/* ---- requests ---- */

/* The method with its fields as JSON. */
static inline struct tl_object *query(struct client *c, const char *method, const char *json)
{
    const struct tl_combinator *ctor = tl_schema_by_name(c->schema, slice_str(method));
    struct json_object *tree = json_tokener_parse(json);
    struct tl_json_error error = {0};
    struct tl_object *o =
        tl_from_json(c->schema, ctor, tree, &c->arena, (struct tl_limits){0}, NULL, &error);
    json_object_put(tree);
    if (!o)
        fail_msg("%s: %s %s in %s", method, error.path, error.reason, json);
    return o;
}

/* Calls the method with its fields as JSON. */
__attribute__((format(printf, 3, 4))) static inline struct reply
ask(struct client *c, const char *method, const char *format, ...)
{
    char json[8192];
    va_list args;
    va_start(args, format);
    vsnprintf(json, sizeof json, format, args);
    va_end(args);
    return client_call(c, query(c, method, json));
}

static inline void assert_refused(struct reply r, int code, const char *text)
{
    assert_string_equal(r.text, text);
    assert_int_equal(r.code, code);
}

static inline void assert_answered(struct reply r)
{
    if (r.failed)
        fail_msg("refused: %d %s", r.code, r.text);
}

/* As base64, in the client's memory. */
static inline const char *base64(struct client *c, struct slice bytes)
{
    struct buf out;
    buf_init(&out, 0);
    base64url_encode(bytes, &out);
    const char *text = arena_printf(&c->arena, "%.*s", (int)out.len, (const char *)out.data);
    buf_free(&out);
    return text;
}

/* Runs a line of the control port; what it answers without the last line lives until the next one.
 */
__attribute__((format(printf, 2, 3))) static inline const char *control(struct fixture *f,
                                                                        const char *format, ...)
{
    static char answer[8192];
    char line[1024];
    struct buf out;
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    buf_init(&out, 0);
    control_run(f->s, slice_str(line), &out);
    if (out.len < 3 || memcmp(out.data + out.len - 3, "ok\n", 3) != 0)
        fail_msg("%s: %.*s", line, (int)out.len, (const char *)out.data);
    assert_true(out.len < sizeof answer);
    size_t len = out.len - 3;
    memcpy(answer, out.data, len);
    answer[len && answer[len - 1] == '\n' ? len - 1 : len] = 0;
    buf_free(&out);
    return answer;
}

static inline struct tl_object *get_config(struct client *c)
{
    return tl_new(&c->b, C_help_getConfig);
}

static inline struct tl_object *get_state(struct client *c)
{
    return tl_new(&c->b, C_updates_getState);
}

static inline struct reply send_code(struct client *c, const char *phone)
{
    struct tl_object *o = tl_new(&c->b, C_auth_sendCode);
    tl_set_str(o, F_phone_number, phone);
    tl_set_int(o, F_api_id, 1);
    tl_set_str(o, F_api_hash, "0123456789abcdef0123456789abcdef");
    tl_set_obj(o, F_settings,
               tl_new_ctor(&c->b, tl_schema_by_name(c->schema, slice_str("codeSettings"))));
    return client_call(c, o);
}

static inline struct reply sign_in(struct client *c, const char *phone, struct slice hash,
                                   const char *code)
{
    struct tl_object *o = tl_new(&c->b, C_auth_signIn);
    tl_set_str(o, F_phone_number, phone);
    tl_set_text(o, F_phone_code_hash, hash);
    tl_set_str(o, F_phone_code, code);
    return client_call(c, o);
}

/* A user of that phone in the world, and the client logged in as him. */
static inline struct user *log_in(struct fixture *f, struct client *c, const char *phone)
{
    struct user *user = world_user_by_phone(f->s->world, slice_str(phone));
    if (!user)
        user = world_add_user(f->s->world, slice_str(phone), slice_str("Test"), slice_str(""), 2);
    struct reply sent = send_code(c, phone);
    assert_false(sent.failed);
    struct reply in = sign_in(c, phone, tl_text(sent.value.object, F_phone_code_hash), "22222");
    assert_false(in.failed);
    assert_true(tl_is(in.value.object, C_auth_authorization));
    return user;
}

static inline void add_fault(struct fixture *f, const char *rule)
{
    control(f, "fault_add %s", rule);
}

#endif
