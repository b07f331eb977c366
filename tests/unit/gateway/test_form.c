/* SPDX-License-Identifier: MIT
 * Forms by the table of a route: values, files, and what is refused, however the body arrives. The
 * client's side is played by hand: the call waits on its coroutine for each piece. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "gateway/form.h"
#include "gateway/gateway.h"
#include "gateway/route.h"
#include "gateway/task.h"
#include "http/server.h"

static const char *const modes[] = {"markdown", "html", NULL};
static const struct param params[] = {
    {.name = "chat_id",
     .place = PARAM_BODY,
     .type = PARAM_CHAT_ID,
     .required = true,
     .min = 1,
     .max = 64},
    {.name = "text", .place = PARAM_BODY, .type = PARAM_STRING},
    {.name = "reply_to", .place = PARAM_BODY, .type = PARAM_INT, .min = 1, .max = 1000},
    {.name = "mode",
     .place = PARAM_BODY,
     .type = PARAM_STRING,
     .choices = modes,
     .default_text = "markdown"},
    {.name = "silent", .place = PARAM_BODY, .type = PARAM_BOOL, .default_text = "false"},
    {.name = "entities", .place = PARAM_BODY, .type = PARAM_JSON},
    {.name = "file", .place = PARAM_BODY, .type = PARAM_FILE, .required = true},
    {.name = "thumb", .place = PARAM_BODY, .type = PARAM_FILE},
    {.name = "more", .place = PARAM_BODY, .type = PARAM_FILE, .max = 3},
    {.name = "page", .place = PARAM_QUERY, .type = PARAM_INT, .default_text = "7"},
};
static const struct route route = {.method = "POST",
                                   .path = "/form",
                                   .params = params,
                                   .n_params = sizeof params / sizeof *params,
                                   .session = SESSION_NEED_FULL,
                                   .body = BODY_FORM};

struct bench {
    struct task task;
    struct worker worker;
    struct gateway gateway;
    struct clock_manual clock;
    struct http_request request;
    struct http_header type;
    struct slice body; /* not arrived */
    size_t step;
    struct buf told;
    int64_t left; /* form_bytes_left at the first file */
    size_t files;
};

/* Every file as [field|name|type]bytes/ */
static void read_form(struct bench *b)
{
    struct form_file *file;
    struct slice piece;
    struct form *f = form_new(&b->task.call);
    while (f && form_next_file(f, &file) && file) {
        if (b->files++ == 0)
            b->left = form_bytes_left(f);
        buf_printf(&b->told, "[%.*s|%.*s|%.*s]", (int)file->field.len,
                   (const char *)file->field.data, (int)file->name.len,
                   (const char *)file->name.data, (int)file->content_type.len,
                   (const char *)file->content_type.data);
        if (slice_is(file->name, "skipped"))
            continue;
        while (form_read(f, &piece) && piece.len > 0)
            buf_append(&b->told, piece.data, piece.len);
        buf_append_str(&b->told, "/");
    }
}

static void handle(void *arg)
{
    struct bench *b = arg;
    b->task.coro = coro_self(b->worker.coros);
    if (params_parse(&b->task.call))
        read_form(b);
    b->task.finished = true;
}

static void bench_init(struct bench *b, const char *type, struct slice body, size_t step)
{
    *b = (struct bench){.body = body, .step = step};
    clock_manual_init(&b->clock, 0);
    b->worker.gateway = &b->gateway;
    b->worker.clock = b->clock.clock;
    wheel_init(&b->worker.wheel, 0);
    b->worker.ticking = true; /* no loop turns the wheel: deadlines stand still */
    b->worker.coros = coro_pool_new((struct coro_limits){.live_max = 1});
    b->type = (struct http_header){slice_str("Content-Type"), slice_str(type)};
    b->request = (struct http_request){.headers = &b->type,
                                       .n_headers = 1,
                                       .streamed = true,
                                       .body_bytes = (int64_t)body.len,
                                       .method = slice_str("POST")};
    struct call *c = &b->task.call;
    b->task.home = b->task.owner = c->worker = &b->worker;
    arena_init(&b->task.arena, 0);
    buf_init(&b->task.stream.arriving, 0);
    buf_init(&b->task.stream.reading, 0);
    buf_init(&b->told, 0);
    c->gateway = &b->gateway;
    c->arena = &b->task.arena;
    c->route = &route;
    c->request = &b->request;
    c->deadline_ns = INT64_MAX;
}

/* Lets the body arrive in pieces of `step` bytes, and the handler run to its end. */
static void bench_run(struct bench *b, const char *type, struct slice body, size_t step)
{
    bench_init(b, type, body, step);
    struct task_stream *s = &b->task.stream;
    assert_true(coro_start(b->worker.coros, handle, b));
    while (!b->task.finished) {
        size_t n = b->body.len < b->step ? b->body.len : b->step;
        assert_false(s->ended);
        buf_append(&s->arriving, b->body.data, n);
        b->body = slice_of(b->body.data + n, b->body.len - n);
        s->ended = n == 0;
        coro_resume(b->task.coro);
    }
    buf_append(&b->told, "", 1);
}

static void bench_free(struct bench *b)
{
    json_object_put(b->task.call.json_body);
    if (b->worker.tokener)
        json_tokener_free(b->worker.tokener);
    coro_pool_free(b->worker.coros);
    arena_free(&b->task.arena);
    buf_free(&b->task.stream.arriving);
    buf_free(&b->task.stream.reading);
    buf_free(&b->told);
}

#define TYPE        "multipart/form-data; boundary=b"
#define PART(name_) "--b\r\nContent-Disposition: form-data; name=\"" name_ "\"\r\n\r\n"
#define FILE_PART(name_, file_)                                                                    \
    "--b\r\nContent-Disposition: form-data; name=\"" name_ "\"; filename=\"" file_                 \
    "\"\r\nContent-Type: a/b\r\n\r\n"
#define END    "--b--\r\n"
#define CHAT   PART("chat_id") "me\r\n"
#define FILE_X FILE_PART("file", "x") "data\r\n"
#define MORE   FILE_PART("more", "x") "data\r\n"

static void test_fields_in_any_order(void **state)
{
    (void)state;
    static const char body[] =
        FILE_PART("file", "C:\\d/\303\244.jpg") "first\r\n" PART("text") "\r\nhi\r\n\r\n" PART(
            "mod"
            "e") "html\r\n" FILE_PART("thumb",
                                      "skipped") "second\r\n" PART("entities") "[{\"a\": 1}] "
                                                                               "\r\n" PART(
                                                                                   "repl"
                                                                                   "y_"
                                                                                   "to") "12\r"
                                                                                         "\n" PART(
                                                                                             "futur"
                                                                                             "e") "?\r\n" CHAT
                                                                                             PART(
                                                                                                 "s"
                                                                                                 "i"
                                                                                                 "l"
                                                                                                 "e"
                                                                                                 "n"
                                                                                                 "t") "1\r\n" END
                                                                                                      "epilogue";
    for (size_t step = 1; step < sizeof body; step++) {
        struct bench b;
        bench_run(&b, TYPE, slice_str(body), step);
        const struct call *c = &b.task.call;
        if (call_failed(c))
            fail_msg("in steps of %zu: %s", step, c->error.detail);
        assert_string_equal(b.told.data, "[file|\303\244.jpg|a/b]first/[thumb|skipped|a/b]");
        assert_true(slice_is(call_param(c, "chat_id")->text, "me"));
        assert_true(slice_is(call_param(c, "text")->text, "\r\nhi\r\n"));
        assert_true(slice_is(call_param(c, "mode")->text, "html"));
        assert_int_equal(call_param(c, "reply_to")->i, 12);
        assert_int_equal(call_param(c, "silent")->i, 1);
        assert_int_equal(call_param(c, "page")->i, 7);
        assert_true(call_param(c, "file")->present && call_param(c, "thumb")->present);
        assert_int_equal(json_object_array_length(call_param(c, "entities")->json), 1);
        assert_true(b.left >= (int64_t)strlen("first") && b.left < (int64_t)sizeof body);
        bench_free(&b);
    }
}

static void test_defaults(void **state)
{
    (void)state;
    static const char body[] = CHAT PART("text") "\r\n" PART("reply_to") "\r\n" FILE_X END;
    struct bench b;
    bench_run(&b, TYPE, slice_str(body), sizeof body);
    const struct call *c = &b.task.call;
    assert_false(call_failed(c));
    assert_true(slice_is(call_param(c, "mode")->text, "markdown"));
    assert_true(call_param(c, "silent")->present && !call_param(c, "silent")->i);
    assert_false(call_param(c, "text")->present);
    assert_false(call_param(c, "reply_to")->present);
    assert_false(call_param(c, "entities")->present);
    assert_false(call_param(c, "thumb")->present);
    assert_int_equal(b.files, 1);
    bench_free(&b);
}

static void test_file_parts(void **state)
{
    (void)state;
    static const struct {
        const char *part;
        const char *told;
    } cases[] = {
        {FILE_PART("file", "x") "\r\n", "[file|x|a/b]/"},
        {PART("file") "data\r\n", "[file||]data/"},
        {FILE_PART("file", "") "data\r\n", "[file||a/b]data/"},
        {FILE_PART("thumb", "") "\r\n" FILE_X, "[file|x|a/b]data/"}, /* none was chosen */
        {FILE_PART("file", "a\x01"
                           "b%0A.c") "data\r\n",
         "[file|a_b_.c|a/b]data/"},
        {FILE_PART("file", "../..") "data\r\n", "[file||a/b]data/"},
        {FILE_PART("file", "/etc/") "data\r\n", "[file||a/b]data/"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        struct buf body;
        buf_init(&body, 0);
        buf_printf(&body, "%s%s%s", CHAT, cases[i].part, END);
        bench_run(&b, TYPE, buf_slice(&body), 3);
        assert_false(call_failed(&b.task.call));
        assert_string_equal(b.told.data, cases[i].told);
        buf_free(&body);
        bench_free(&b);
    }
}

/* Cut between two characters, and the end of a name tells what it is. */
static void test_long_file_names(void **state)
{
    (void)state;
    struct bench b;
    struct buf body, name;
    buf_init(&body, 0);
    buf_init(&name, 0);
    for (int i = 0; i < 200; i++)
        buf_append_str(&name, "\303\244");
    buf_append_str(&name, ".tar");
    buf_printf(
        &body,
        "%s--b\r\nContent-Disposition: form-data; name=file; filename=\"%.*s\"\r\n\r\n\r\n%s", CHAT,
        (int)name.len, (const char *)name.data, END);
    bench_run(&b, TYPE, buf_slice(&body), 1000);
    assert_false(call_failed(&b.task.call));
    struct slice told = slice_of(b.told.data + 6, b.told.len - strlen("[file||]/") - 1);
    assert_int_equal(told.len, 254);
    assert_true(slice_is_utf8(told));
    assert_memory_equal(told.data + told.len - 4, ".tar", 4);
    buf_free(&body);
    buf_free(&name);
    bench_free(&b);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void expect_error(const struct bench *b, int status, const char *code, const char *field)
{
    const struct call_error *e = &b->task.call.error;
    if (e->status != status || !same_text(e->code, code) || !same_text(e->field, field))
        fail_msg("%d %s %s: %s instead of %d %s %s", e->status, e->code ? e->code : "",
                 e->field ? e->field : "", e->detail ? e->detail : "", status, code ? code : "",
                 field ? field : "");
}

static void test_refusals_name_the_field(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *body;
        int status;
        const char *code;
        const char *field;
    } cases[] = {
        {"application/json", "{}", 415, "UNSUPPORTED_MEDIA_TYPE", NULL},
        {"multipart/form-data", "", 400, "MALFORMED_FORM", NULL},
        {TYPE, "", 400, "MALFORMED_FORM", NULL},
        {TYPE, CHAT FILE_X, 400, "MALFORMED_FORM", NULL},
        {TYPE, CHAT FILE_X "--b-", 400, "MALFORMED_FORM", NULL},
        {TYPE, "--b\r\n\r\n", 400, "MALFORMED_FORM", NULL},
        {TYPE, FILE_X END, 400, "INVALID_PARAMETER", "chat_id"},
        {TYPE, CHAT END, 400, "INVALID_PARAMETER", "file"},
        {TYPE, CHAT FILE_PART("file", "") "\r\n" END, 400, "INVALID_PARAMETER", "file"},
        {TYPE, CHAT FILE_X FILE_X END, 400, "INVALID_PARAMETER", "file"},
        {TYPE, CHAT FILE_X MORE MORE MORE END, 0, NULL, NULL},
        {TYPE, CHAT FILE_X MORE MORE MORE MORE END, 400, "INVALID_PARAMETER", "more"},
        {TYPE, CHAT CHAT FILE_X END, 400, "INVALID_PARAMETER", "chat_id"},
        {TYPE, PART("chat_id") "\r\n" FILE_X END, 400, "INVALID_PARAMETER", "chat_id"},
        {TYPE, PART("reply_to") "x\r\n" END, 400, "INVALID_PARAMETER", "reply_to"},
        {TYPE, PART("reply_to") "1001\r\n" END, 400, "INVALID_PARAMETER", "reply_to"},
        {TYPE, PART("mode") "tex\r\n" END, 400, "INVALID_PARAMETER", "mode"},
        {TYPE, PART("text") "\xff\r\n" END, 400, "INVALID_PARAMETER", "text"},
        {TYPE, PART("entities") "[\r\n" END, 400, "INVALID_PARAMETER", "entities"},
        {TYPE, PART("entities") "['a']\r\n" END, 400, "INVALID_PARAMETER", "entities"},
        {TYPE, FILE_PART("text", "x") "data\r\n" END, 400, "INVALID_PARAMETER", "text"},
        {TYPE, FILE_PART("other", "x") "data\r\n" END, 400, "INVALID_PARAMETER", "other"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t step = 1; step < 100; step += 33) {
            struct bench b;
            bench_run(&b, cases[i].type, slice_str(cases[i].body), step);
            expect_error(&b, cases[i].status, cases[i].code, cases[i].field);
            bench_free(&b);
        }
    }
}

static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        size_t filler;
        int status; /* 0: well */
        const char *code;
        const char *field;
    } cases[] = {
        {CHAT FILE_X PART("entities") "[", FORM_FIELD_BYTES_MAX - 1, 400, "INVALID_PARAMETER",
         "entities"},
        {PART("text"), FORM_FIELD_BYTES_MAX + 1, 400, "INVALID_PARAMETER", "text"},
        {PART("other"), FORM_FIELD_BYTES_MAX + 1, 400, "INVALID_PARAMETER", "other"},
        {CHAT FILE_X END, 2 * FORM_EPILOGUE_MAX, 413, "BODY_TOO_LARGE", NULL},
        {CHAT FILE_X END, 1000, 0, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        struct buf body;
        buf_init(&body, 0);
        buf_append_str(&body, cases[i].before);
        memset(buf_extend(&body, cases[i].filler), ' ', cases[i].filler);
        buf_append_str(&body, "\r\n" END);
        bench_run(&b, TYPE, buf_slice(&body), 4096);
        expect_error(&b, cases[i].status, cases[i].code, cases[i].field);
        buf_free(&body);
        bench_free(&b);
    }
}

static void test_a_client_that_leaves(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, TYPE, slice_str(""), 1);
    buf_append_str(&b.task.stream.arriving, CHAT FILE_PART("file", "x") "da");
    assert_true(coro_start(b.worker.coros, handle, &b));
    assert_false(b.task.finished);
    b.task.abort = ABORT_GONE;
    coro_resume(b.task.coro);
    assert_true(b.task.finished);
    assert_int_equal(b.task.call.error.status, 499);
    assert_int_equal(b.files, 1);
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_in_any_order),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_file_parts),
        cmocka_unit_test(test_long_file_names),
        cmocka_unit_test(test_refusals_name_the_field),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_a_client_that_leaves),
    };
    return cmocka_run_group_tests_name("gateway_form", tests, NULL, NULL);
}
