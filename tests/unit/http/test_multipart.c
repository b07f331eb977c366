/* SPDX-License-Identifier: MIT
 * Forms: what is told of them, however their bytes are cut; what is refused; what they cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "base/base64.h"
#include "http/multipart.h"

enum { PARTS_MAX = 8 };

/* All that is told, in a form that does not depend on where the input was cut. */
static void tell(struct buf *out, const struct multipart *m, enum multipart_event event,
                 struct slice data)
{
    const struct multipart_part *p = &m->part;
    if (event == MULTIPART_PART) {
        buf_printf(out, "[%.*s", (int)p->name.len, (const char *)p->name.data);
        if (p->has_file_name)
            buf_printf(out, "|%.*s", (int)p->file_name.len, (const char *)p->file_name.data);
        if (p->has_file_name && p->content_type.len > 0)
            buf_printf(out, "|%.*s", (int)p->content_type.len, (const char *)p->content_type.data);
        if (p->length >= 0)
            buf_printf(out, "|%lld bytes", (long long)p->length);
        buf_append_str(out, p->latin1 ? "|latin1]" : "]");
    } else if (event == MULTIPART_DATA) {
        assert_true(data.len > 0);
        buf_append(out, data.data, data.len);
    } else if (event == MULTIPART_PART_END) {
        buf_append_str(out, "/");
    } else if (event == MULTIPART_END) {
        buf_append_str(out, ".");
    } else if (event == MULTIPART_REFUSED) {
        assert_non_null(m->reason);
        buf_append_str(out, "!");
    }
}

/* Feeds the body in pieces of `step` bytes (0: of random sizes), each in memory of its own. */
static void run(struct buf *out, const char *type, struct slice body, size_t step)
{
    struct multipart m;
    buf_clear(out);
    assert_int_equal(multipart_begin(&m, slice_str(type), PARTS_MAX), MULTIPART_TYPE_OK);
    enum multipart_event event = MULTIPART_MORE;
    bool ended = false;
    for (size_t at = 0; at < body.len;) {
        size_t n = step ? step : 1 + (size_t)random() % 100;
        n = body.len - at < n ? body.len - at : n;
        uint8_t *piece = malloc(n);
        memcpy(piece, body.data + at, n);
        at += n;
        struct slice input = slice_of(piece, n), data;
        do {
            event = multipart_next(&m, &input, &data);
            if (!ended)
                tell(out, &m, event, data);
            ended = event == MULTIPART_END || event == MULTIPART_REFUSED;
        } while (event != MULTIPART_MORE && !ended);
        free(piece);
    }
    buf_append(out, "", 1);
}

static void expect(const char *type, const char *body, const char *told)
{
    struct buf out;
    buf_init(&out, 0);
    for (size_t step = 1; step <= strlen(body); step++) {
        run(&out, type, slice_str(body), step);
        if (strcmp((const char *)out.data, told) != 0)
            fail_msg("%s\nin steps of %zu told\n%s\ninstead of\n%s", body, step,
                     (const char *)out.data, told);
    }
    buf_free(&out);
}

#define TYPE      "multipart/form-data; boundary=b"
#define HEAD(of_) "Content-Disposition: form-data; " of_ "\r\n\r\n"

static void test_what_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *told;
    } cases[] = {
        {"--b\r\n" HEAD("name=\"a\"") "1\r\n--b\r\n" HEAD("name=b") "\r\n--b--\r\n", "[a]1/[b]/."},
        {"--b--", "."},
        {"\r\n--b--\r\n", "."},
        {"pre\r\n-- amble\r\n--b \t\r\n" HEAD("name=a") "1\r\n--b--\r\nepi\r\n--b\r\nlogue",
         "[a]1/."},
        {"--bc\r\n--b\r\n" HEAD("name=a") "\r\n--b--", "[a]/."},
        /* what looks like a boundary */
        {"--b\r\n" HEAD("name=a") "\r\n-\r\n--\r\n--c\r\n--bc\r\r\n--b\nx--b--\r\n--b--",
         "[a]\r\n-\r\n--\r\n--c\r\n--bc\r\r\n--b\nx--b--/."},
        {"--b\r\n" HEAD("name=a") "--b\r\n\r\n\r\n--b--", "[a]--b\r\n\r\n/."},
        {"--b\r\n" HEAD("name=a") "\r\n--b--", "[a]/."},
        /* heads */
        {"--b\r\ncontent-TYPE:text/plain\r\nX: "
         "y\r\nCONTENT-disposition:FORM-DATA;NAME=a\r\n\r\n\r\n--b--",
         "[a]/."},
        {"--b\r\nContent-Disposition: form-data;\r\n "
         "name=\"a\";\r\n\tfilename=\"f\"\r\n\r\n\r\n--b--",
         "[a|f]/."},
        {"--b\r\nContent-Transfer-Encoding: base64\r\n" HEAD("name=a") "YQ==\r\n--b--",
         "[a]YQ==/."},
        {"--b\r\n" HEAD("name=a; filename=\"\"") "\r\n--b--", "[a|]/."},
        {"--b\r\n" HEAD("filename=\"f;name=x\" ; ;name = a ;") "\r\n--b--", "[a|f;name=x]/."},
        /* escapes */
        {"--b\r\n" HEAD("name=\"%22%0D%0a%41%%2\"") "\r\n--b--", "[\"\r\n%41%%2]/."},
        {"--b\r\n" HEAD("name=a; filename=\"\\\"q\\\\ C:\\dir\\f\"") "\r\n--b--",
         "[a|\"q\\ C:\\dir\\f]/."},
        {"--b\r\n" HEAD("name=a; filename=f; filename*=UTF-8''na%c3%afve%20%22x") "\r\n--b--",
         "[a|na\303\257ve \"x]/."},
        {"--b\r\n" HEAD("filename*=utf-8'en'x; name=a; filename=f") "\r\n--b--", "[a|x]/."},
        {"--b\r\n" HEAD("name=a; filename*=iso-8859-1''%e4") "\r\n--b--", "[a|\303\244]/."},
        {"--b\r\n" HEAD("name=a; filename=f; filename*=UTF-8''%ff") "\r\n--b--", "[a|f]/."},
        {"--b\r\n" HEAD("name=a; filename=f; filename*=UTF-8''%f") "\r\n--b--", "[a|f]/."},
        {"--b\r\n" HEAD("name=a; filename=f; filename*=koi8-r''x") "\r\n--b--", "[a|f]/."},
        {"--b\r\n" HEAD("name=\"\303\244\"; filename=\"\320\226\"") "\r\n--b--",
         "[\303\244|\320\226]/."},
        {"--b\r\n" HEAD("name=a; filename=\"\344\"") "\r\n--b--", "[a|\303\244|latin1]/."},
        {"--b\r\nContent-length:  9 \r\n" HEAD("name=a") "1\r\n--b--", "[a|9 bytes]1/."},
        {"--b\r\nContent-Length: -1\r\n" HEAD("name=a") "1\r\n--b--", "[a]1/."},
        {"--b\r\nContent-Length: 9223372036854775808\r\n" HEAD("name=a") "1\r\n--b--", "[a]1/."},
        {"--b\r\nX: y\rz\r\n" HEAD("name=a"), "!"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(TYPE, cases[i].body, cases[i].told);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *told;
    } cases[] = {
        {"--b\n", ""}, /* no boundary: one of another end of line */
        {"--b x\r\n", "!"},
        {"--b\rx", "!"},
        {"--b-x", "!"},
        {"--b\r\n" HEAD("name=a") "\r\n--b-x", "[a]/!"},
        {"--b\r\n" HEAD("name=a") "1", "[a]1"},
        {"--b\r\n" HEAD("name=a") "1\r\n--b", "[a]1"},
        {"--b\r\n\r\n", "!"},
        {"--b\r\nContent-Type: text/plain\r\n\r\n", "!"},
        {"--b\r\n" HEAD("x=a"), "!"},
        {"--b\r\n" HEAD("name=\"a"), "!"},
        {"--b\r\n" HEAD("name=\"a\"b"), "!"},
        {"--b\r\n" HEAD("name"), "!"},
        {"--b\r\nContent-Disposition: attachment; name=a\r\n\r\n", "!"},
        {"--b\r\nContent-Disposition\r\n\r\n", "!"},
        {"--b\r\n: x\r\n" HEAD("name=a"), "!"},
        {"--b\r\n folded: x\r\n" HEAD("name=a"), "!"},
        {"--b\r\nX: y\n\r\n" HEAD("name=a"), "!"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(TYPE, cases[i].body, cases[i].told);
}

static void test_content_types(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum multipart_type type;
    } cases[] = {
        {"multipart/form-data; boundary=b", MULTIPART_TYPE_OK},
        {"Multipart/Form-Data;charset=utf-8;BOUNDARY=\"a b'()+_,-./:=?\"", MULTIPART_TYPE_OK},
        {"multipart/form-data; "
         "boundary=0123456789012345678901234567890123456789012345678901234567890123456789",
         MULTIPART_TYPE_OK},
        {"multipart/form-data; "
         "boundary=01234567890123456789012345678901234567890123456789012345678901234567890",
         MULTIPART_TYPE_NO_BOUNDARY},
        {"multipart/form-data", MULTIPART_TYPE_NO_BOUNDARY},
        {"multipart/form-data; boundary=", MULTIPART_TYPE_NO_BOUNDARY},
        {"multipart/form-data; boundary=\"a ", MULTIPART_TYPE_NO_BOUNDARY},
        {"multipart/form-data; boundary=\"a \"", MULTIPART_TYPE_NO_BOUNDARY},
        {"multipart/form-data; boundary=a\xff", MULTIPART_TYPE_NO_BOUNDARY},
        {"multipart/form-data; x; boundary=a", MULTIPART_TYPE_NO_BOUNDARY},
        {"multipart/mixed; boundary=b", MULTIPART_TYPE_OTHER},
        {"application/json", MULTIPART_TYPE_OTHER},
        {"", MULTIPART_TYPE_OTHER},
    };
    struct multipart m;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(multipart_begin(&m, slice_str(cases[i].text), 1), cases[i].type);
    assert_int_equal(multipart_begin(&m, (struct slice){0}, 1), MULTIPART_TYPE_OTHER);
}

/* ---- what clients send, and what another parser makes of it ---- */

static struct slice member(struct json_object *row, const char *name)
{
    struct json_object *value = json_object_object_get(row, name);
    return slice_of(json_object_get_string(value), (size_t)json_object_get_string_len(value));
}

static struct buf decoded_member(struct json_object *row, const char *name)
{
    struct slice text = member(row, name);
    struct buf b;
    size_t len;
    buf_init(&b, 0);
    assert_true(base64_decode(text, buf_reserve(&b, BASE64_DECODED_MAX(text.len)), &len));
    assert_non_null(buf_extend(&b, len));
    return b;
}

/* In the form of tell; a type is told of files only, for some clients name one for texts. */
static void tell_wanted(struct buf *out, struct json_object *parts)
{
    for (size_t i = 0; i < json_object_array_length(parts); i++) {
        struct json_object *part = json_object_array_get_idx(parts, i);
        struct slice name = member(part, "name"), file = member(part, "file");
        struct slice type = member(part, "type");
        struct buf data = decoded_member(part, "data");
        buf_printf(out, "[%.*s", (int)name.len, (const char *)name.data);
        if (json_object_object_get(part, "file"))
            buf_printf(out, "|%.*s|%.*s", (int)file.len, (const char *)file.data, (int)type.len,
                       (const char *)type.data);
        buf_append_str(out, "]");
        buf_append(out, data.data, data.len);
        buf_append_str(out, "/");
        buf_free(&data);
    }
    buf_append(out, ".", 2);
}

static void check_vector(struct json_object *row)
{
    static const size_t steps[] = {SIZE_MAX, 1, 2, 7, 0};
    struct buf body = decoded_member(row, "body"), out, wanted;
    buf_init(&out, 0);
    buf_init(&wanted, 0);
    tell_wanted(&wanted, json_object_object_get(row, "parts"));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        run(&out, (const char *)member(row, "type").data, buf_slice(&body), steps[i]);
        if (!slice_eq(buf_slice(&out), buf_slice(&wanted)))
            fail_msg("%s, in steps of %zu", (const char *)member(row, "by").data, steps[i]);
    }
    buf_free(&body);
    buf_free(&out);
    buf_free(&wanted);
}

static void test_forms_of_clients(void **state)
{
    (void)state;
    char *line = NULL;
    size_t size = 0, rows = 0;
    FILE *f = fopen("tests/vectors/http/multipart.jsonl", "r");
    assert_non_null(f);
    for (; getline(&line, &size, f) > 0; rows++) {
        struct json_object *row = json_tokener_parse(line);
        assert_non_null(row);
        check_vector(row);
        json_object_put(row);
    }
    free(line);
    fclose(f);
    assert_int_equal(rows, 192);
}

/* ---- bounds ---- */

static void test_bounds(void **state)
{
    (void)state;
    struct buf body, out, told;
    buf_init(&body, 0);
    buf_init(&out, 0);
    buf_init(&told, 0);
    for (int i = 0; i <= PARTS_MAX; i++) {
        buf_append_str(&body, "--b\r\n" HEAD("name=a") "\r\n");
        buf_append_str(&told, i < PARTS_MAX ? "[a]/" : "!");
    }
    buf_append(&told, "", 1);
    run(&out, TYPE, buf_slice(&body), 7);
    assert_string_equal(out.data, told.data);
    /* a head that fits to the byte, and one byte more; all of it turned into two bytes */
    for (int over = 0; over < 2; over++) {
        static const char before[] = "Content-Disposition: form-data; name=a; filename=";
        size_t room = MULTIPART_HEAD_MAX - strlen(before) - 4 + (size_t)over;
        buf_clear(&body);
        buf_printf(&body, "--b\r\n%s", before);
        memset(buf_extend(&body, room), 0xe4, room);
        buf_append_str(&body, "\r\n\r\n\r\n--b--");
        run(&out, TYPE, buf_slice(&body), 1000);
        assert_int_equal(out.len, over ? 2 : 3 + 2 * room + strlen("|latin1]/.") + 1);
    }
    buf_clear(&body);
    buf_append_str(&body, "--b\r\n");
    for (int i = 0; i <= MULTIPART_HEADERS_MAX; i++)
        buf_append_str(&body, "a:b\r\n");
    buf_append_str(&body, "\r\n");
    run(&out, TYPE, buf_slice(&body), 7);
    assert_string_equal(out.data, "!");
    buf_free(&body);
    buf_free(&out);
    buf_free(&told);
}

/* ---- any bytes, any cuts ---- */

static void test_random_data_in_random_pieces(void **state)
{
    (void)state;
    static const char *const bits[] = {"\r", "\n",     "\r\n", "-",        "--",
                                       "b",  "\r\n--", "--bo", "\r\n--bo", "x"};
    const char *given = getenv("TGREST_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    print_message("TGREST_TEST_SEED=%u\n", seed);
    srandom(seed);
    struct buf body, out, told;
    buf_init(&body, 0);
    buf_init(&out, 0);
    buf_init(&told, 0);
    for (int round = 0; round < 2000; round++) {
        buf_clear(&body);
        buf_clear(&told);
        for (long parts = random() % 4; parts >= 0; parts--) {
            buf_append_str(&body, "--bound\r\n" HEAD("name=a"));
            buf_append_str(&told, "[a]");
            for (long n = random() % 50; n > 0; n--) {
                const char *bit = bits[(size_t)random() % (sizeof bits / sizeof *bits)];
                buf_append_str(&body, bit);
                buf_append_str(&told, bit);
            }
            buf_append_str(&body, "\r\n");
            buf_append_str(&told, "/");
        }
        buf_append_str(&body, "--bound--\r\n");
        buf_append(&told, ".", 2);
        run(&out, "multipart/form-data; boundary=bound", buf_slice(&body), 0);
        assert_true(slice_eq(buf_slice(&out), buf_slice(&told)));
    }
    buf_free(&body);
    buf_free(&out);
    buf_free(&told);
}

/* ---- cost ---- */

/* Turns of the parser over that many bytes, which repeat `bit` and hold no boundary. */
static size_t turns_for(const char *bit, size_t total, size_t piece)
{
    static const char type[] =
        "multipart/form-data; boundary=------------------------d74496d66958873e";
    struct buf body;
    buf_init(&body, 2 * total);
    while (body.len < total)
        buf_append_str(&body, bit);
    struct multipart m;
    struct slice input = slice_str("--------------------------d74496d66958873e\r\n" HEAD("name=a")),
                 data;
    assert_int_equal(multipart_begin(&m, slice_str(type), 1), MULTIPART_TYPE_OK);
    assert_int_equal(multipart_next(&m, &input, &data), MULTIPART_PART);
    size_t told = 0, turns = 0;
    for (size_t at = 0; at < body.len; at += piece) {
        input = slice_of(body.data + at, body.len - at < piece ? body.len - at : piece);
        for (turns++; multipart_next(&m, &input, &data) == MULTIPART_DATA; turns++)
            told += data.len;
    }
    assert_true(told + MULTIPART_DELIMITER_MAX > body.len);
    buf_free(&body);
    return turns;
}

/* Data goes on in as large pieces as it came, whatever it looks like: what might have become a
 * boundary at a piece's end costs a few turns more, and nothing the square of what is sent. */
static void test_hostile_data_costs_no_more_than_a_constant(void **state)
{
    (void)state;
    enum { TOTAL = 4 * 1024 * 1024, PIECE = 64 * 1024, TURNS_PER_PIECE = 3 };
    static const char *const bits[] = {
        "the quick brown fox jumps over the lazy dog",
        "\r",
        "\r\n",
        "-",
        "\r\n--------------------------d74496d66958873",
        "\r\n--------------------------d74496d66958873ex",
        "3e",
        "\r\n--------------------------d74496d6\r958873e",
    };
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        /* One that turns out to be none ends a piece, too. */
        size_t delimiters = strstr(bits[i], "d74496d66958873e") ? TOTAL / strlen(bits[i]) + 1 : 0;
        size_t pieces = TOTAL / PIECE + 1 + delimiters;
        assert_in_range(turns_for(bits[i], TOTAL, PIECE), 1, TURNS_PER_PIECE * pieces);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_told),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_content_types),
        cmocka_unit_test(test_forms_of_clients),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_random_data_in_random_pieces),
        cmocka_unit_test(test_hostile_data_costs_no_more_than_a_constant),
    };
    return cmocka_run_group_tests_name("http_multipart", tests, NULL, NULL);
}
