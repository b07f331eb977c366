/* SPDX-License-Identifier: MIT
 * Ranges, conditions and names in headers of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "gateway/content_disposition.h"
#include "gateway/range.h"

static void ranges(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int64_t size;
        enum range_status status;
        int64_t from, to;
    } rows[] = {
        {"", 10, RANGE_WHOLE, 0, 10},
        {"bytes=0-3", 10, RANGE_PART, 0, 4},
        {"bytes=0-0", 10, RANGE_PART, 0, 1},
        {"BYTES=2-", 10, RANGE_PART, 2, 10},
        {"bytes= 2-4 ", 10, RANGE_PART, 2, 5},
        {"bytes=9-99", 10, RANGE_PART, 9, 10},
        {"bytes=9-99999999999999999999999", 10, RANGE_PART, 9, 10},
        {"bytes=-3", 10, RANGE_PART, 7, 10},
        {"bytes=-30", 10, RANGE_PART, 0, 10},
        {"bytes=10-", 10, RANGE_UNSATISFIABLE, 0, 10},
        {"bytes=99999999999999999999999-", 10, RANGE_UNSATISFIABLE, 0, 10},
        {"bytes=-0", 10, RANGE_UNSATISFIABLE, 0, 10},
        {"bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-1", 0, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=5000000000-5000000001", 5000000002, RANGE_PART, 5000000000, 5000000002},
        {"bytes=4-3", 10, RANGE_WHOLE, 0, 10},
        {"bytes=0-1,4-5", 10, RANGE_WHOLE, 0, 10},
        {"bytes=", 10, RANGE_WHOLE, 0, 10},
        {"bytes=-", 10, RANGE_WHOLE, 0, 10},
        {"bytes=a-b", 10, RANGE_WHOLE, 0, 10},
        {"bytes=+1-2", 10, RANGE_WHOLE, 0, 10},
        {"bytes=1-+2", 10, RANGE_WHOLE, 0, 10},
        {"bytes=--2", 10, RANGE_WHOLE, 0, 10},
        {"bytes 0-3", 10, RANGE_WHOLE, 0, 10},
        {"items=0-3", 10, RANGE_WHOLE, 0, 10},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct byte_range r;
        enum range_status status = range_parse(slice_str(rows[i].header), rows[i].size, &r);
        if (status != rows[i].status || r.from != rows[i].from || r.to != rows[i].to)
            fail_msg("%s of %lld: %d, %lld to %lld", rows[i].header, (long long)rows[i].size,
                     status, (long long)r.from, (long long)r.to);
    }
}

static void tags(void **state)
{
    (void)state;
    struct slice tag = slice_str("\"a-1\"");
    static const char *const listed[] = {"\"a-1\"", "*", " \"b\" , \"a-1\"", "W/\"a-1\"",
                                         "\"b\",W/\"a-1\",\"c\""};
    static const char *const other[] = {"", "\"a\"", "a-1", "\"a-1", "\"b\",\"c\"", ",,", "W/*"};
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++)
        assert_true(etag_listed(slice_str(listed[i]), tag));
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        assert_false(etag_listed(slice_str(other[i]), tag));
    assert_true(if_range_holds(tag, tag, 0));
    assert_false(if_range_holds(slice_str("W/\"a-1\""), tag, 0));
    assert_true(if_range_holds(slice_str("Sun, 06 Nov 1994 08:49:37 GMT"), tag, 784111777));
    assert_false(if_range_holds(slice_str("Sun, 06 Nov 1994 08:49:37 GMT"), tag, 784111778));
    assert_false(if_range_holds(slice_str("yesterday"), tag, 784111777));
}

static void dates(void **state)
{
    (void)state;
    char text[HTTP_DATE_SIZE];
    int64_t back = 0;
    http_date_write(784111777, text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_true(http_date_parse(slice_str(text), &back));
    assert_int_equal(back, 784111777);
    assert_false(http_date_parse(slice_str("Sun, 06 Nov 1994 08:49:37 EST"), &back));
    static const char *const forms[] = {
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    };
    for (size_t i = 0; i < 2; i++) {
        back = 0;
        assert_true(http_date_parse(slice_str(forms[i]), &back));
        assert_int_equal(back, 784111777);
    }
    assert_true(http_date_parse(slice_str("Wednesday, 09-Nov-94 08:49:37 GMT"), &back));
    assert_false(http_date_parse(slice_str("Wednesday, 09-Nov-94 08:49:37 GMT "), &back));
    assert_false(http_date_parse(slice_str("Sun Nov  6 08:49:37"), &back));
    assert_false(http_date_parse(slice_str(""), &back));
}

static void assert_disposition(bool is_inline, struct slice name, const char *wanted)
{
    struct buf out;
    buf_init(&out, 0);
    content_disposition_write(&out, is_inline, name);
    buf_append_byte(&out, 0);
    assert_string_equal((const char *)out.data, wanted);
    buf_free(&out);
}

static void dispositions(void **state)
{
    (void)state;
    assert_disposition(true, slice_str(""), "inline");
    assert_disposition(true, slice_str("a b.jpg"), "inline; filename=\"a b.jpg\"");
    assert_disposition(false, slice_str("na\xc3\xafve.txt"),
                       "attachment; filename=\"na_ve.txt\"; filename*=UTF-8''na%C3%AFve.txt");
    assert_disposition(false, slice_str("50% \"off\"\r\nX: y"),
                       "attachment; filename=\"50_ _off___X: y\"; "
                       "filename*=UTF-8''50%25%20%22off%22__X%3A%20y");
    assert_disposition(false, slice_str("../../etc/passwd"),
                       "attachment; filename=\".._.._etc_passwd\"");
    assert_disposition(false,
                       slice_of("a\0\xff"
                                "b",
                                4),
                       "attachment; filename=\"a__b\"; filename*=UTF-8''a__b");
    char longer[300];
    memset(longer, 'x', sizeof longer);
    memcpy(longer + 254, "\xc3\xa9", 2);
    struct buf out;
    buf_init(&out, 0);
    content_disposition_write(&out, true, slice_of(longer, sizeof longer));
    assert_int_equal(out.len, sizeof "inline; filename=\"\"" - 1 + 254);
    buf_free(&out);
    static const char *const shown[] = {"image/png", "video/mp4"};
    static const char *const saved[] = {"image/svg+xml",   "image/SVG+xml", "text/html",
                                        "application/pdf", "audio/ogg",     ""};
    for (size_t i = 0; i < 2; i++)
        assert_true(mime_is_inline(slice_str(shown[i])));
    for (size_t i = 0; i < 6; i++)
        assert_false(mime_is_inline(slice_str(saved[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges),
        cmocka_unit_test(tags),
        cmocka_unit_test(dates),
        cmocka_unit_test(dispositions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
