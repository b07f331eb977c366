/* SPDX-License-Identifier: MIT
 * Strings of other programs, against those that the programs themselves wrote
 * (tests/vectors/gateway/make_strings.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "gateway/foreign.h"

static const struct written {
    const char *column;
    enum foreign_format format;
    bool has_address, has_api_id, has_self, has_network;
    bool ours; /* what we write is the same to the letter */
} columns[] = {
    {"telethon", FOREIGN_TELETHON, true, false, false, false, true},
    {"pyrogram", FOREIGN_PYROGRAM, false, true, true, true, true},
    {"pyrogram_356", FOREIGN_PYROGRAM, false, false, true, true, false},
    {"pyrogram_351", FOREIGN_PYROGRAM, false, false, true, true, false},
    {"gramjs", FOREIGN_GRAMJS, true, false, false, false, true},
    {"mtcute", FOREIGN_MTCUTE, true, false, true, true, true},
    {"mtcute_media", FOREIGN_MTCUTE, true, false, false, true, false},
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

static struct json_object *field(struct json_object *row, const char *name)
{
    return json_object_object_get(row, name);
}

static struct foreign_login login_of(struct json_object *row)
{
    struct foreign_login l = {
        .dc = json_object_get_int(field(row, "dc")),
        .says_network = true,
        .test = json_object_get_boolean(field(row, "test")),
        .api_id = json_object_get_int(field(row, "api_id")),
        .user_id = json_object_get_int64(field(row, "user_id")),
        .is_bot = json_object_get_boolean(field(row, "is_bot")),
        .port = (uint16_t)json_object_get_int(field(row, "port")),
    };
    size_t n = 0;
    const char *hex = json_object_get_string(field(row, "key"));
    snprintf(l.host, sizeof l.host, "%s", json_object_get_string(field(row, "host")));
    assert_int_equal(sodium_hex2bin(l.key, sizeof l.key, hex, strlen(hex), NULL, &n, NULL), 0);
    assert_int_equal(n, sizeof l.key);
    return l;
}

static void check_read(const struct written *w, const struct foreign_login *want, const char *text)
{
    struct foreign_login got;
    if (!foreign_read(w->format, slice_str(text), &got))
        fail_msg("%s cannot be read", w->column);
    assert_int_equal(got.dc, want->dc);
    assert_memory_equal(got.key, want->key, sizeof got.key);
    assert_int_equal(got.api_id, w->has_api_id ? want->api_id : 0);
    assert_true(got.user_id == (w->has_self ? want->user_id : 0));
    assert_int_equal(got.is_bot, w->has_self && want->is_bot);
    assert_int_equal(got.says_network, w->has_network);
    assert_int_equal(got.test, w->has_network && want->test);
    assert_string_equal(got.host, w->has_address ? want->host : "");
    assert_int_equal(got.port, w->has_address ? want->port : 0);
}

static void check_written(const struct written *w, const struct foreign_login *login,
                          const char *text)
{
    struct buf b;
    buf_init(&b, 0);
    assert_null(foreign_write(w->format, login, &b));
    if (!slice_is(buf_slice(&b), text))
        fail_msg("%s: wrote %.*s", w->column, (int)b.len, (const char *)b.data);
    buf_free(&b);
}

static void each_row(void (*check)(const struct written *w, const struct foreign_login *login,
                                   const char *text))
{
    struct json_object *rows = json_object_from_file("tests/vectors/gateway/strings.json");
    size_t seen = 0;
    assert_non_null(rows);
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        struct foreign_login login = login_of(row);
        for (size_t k = 0; k < N_COLUMNS; k++) {
            const char *text = json_object_get_string(field(row, columns[k].column));
            if (text)
                check(&columns[k], &login, text);
            seen += text != NULL;
        }
    }
    assert_true(seen > 20);
    json_object_put(rows);
}

static void what_they_wrote_is_read(void **state)
{
    (void)state;
    each_row(check_read);
}

static void check_ours(const struct written *w, const struct foreign_login *login, const char *text)
{
    if (w->ours)
        check_written(w, login, text);
}

static void what_we_write_is_theirs_to_the_letter(void **state)
{
    (void)state;
    each_row(check_ours);
}

/* Each is read in its own format and in no other, so that "auto" cannot mistake them. */
static void check_alone(const struct written *w, const struct foreign_login *login,
                        const char *text)
{
    (void)login;
    for (int f = 0; f < FOREIGN_FORMATS_N; f++) {
        struct foreign_login got;
        if (foreign_read((enum foreign_format)f, slice_str(text), &got) !=
            ((enum foreign_format)f == w->format))
            fail_msg("%s as %s", w->column, foreign_format_name((enum foreign_format)f));
    }
}

static void formats_are_told_apart(void **state)
{
    (void)state;
    each_row(check_alone);
}

/* Cut anywhere, and with any character changed: refused or another login, never out of bounds (the
 * sanitizers watch). */
static void check_damage(const struct written *w, const struct foreign_login *login,
                         const char *text)
{
    struct foreign_login got, zero = {0};
    char damaged[1024];
    size_t n = strlen(text);
    (void)login;
    for (size_t cut = 0; cut < n; cut++) {
        /* Pyrogram's older forms are told by their length alone. */
        bool older = w->format == FOREIGN_PYROGRAM && (cut == 351 || cut == 356);
        if (!older && foreign_read(w->format, slice_of(text, cut), &got) && cut + 2 < n)
            fail_msg("%s cut to %zu of %zu", w->column, cut, n);
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(damaged, text, n);
        damaged[i] = damaged[i] == 'A' ? '/' : 'A';
        if (!foreign_read(w->format, slice_of(damaged, n), &got))
            assert_memory_equal(&got, &zero, sizeof zero);
    }
}

static void damage_is_refused(void **state)
{
    (void)state;
    each_row(check_damage);
}

static void what_has_no_string(void **state)
{
    (void)state;
    struct foreign_login l = {.dc = 2, .key = {1}, .host = "127.0.0.1", .port = 40000};
    struct buf b;
    buf_init(&b, 0);
    assert_non_null(strstr(foreign_write(FOREIGN_GRAMJS, &l, &b), "32767"));
    l.port = 32767;
    assert_null(foreign_write(FOREIGN_GRAMJS, &l, &b));
    snprintf(l.host, sizeof l.host, "dc.example");
    assert_non_null(foreign_write(FOREIGN_TELETHON, &l, &b));
    buf_free(&b);
    /* A key of zeroes is none, though Telethon writes such strings for fresh sessions. */
    char zeroes[354];
    memset(zeroes, 'A', sizeof zeroes);
    zeroes[0] = '1';
    zeroes[353] = '\0';
    zeroes[2] = 'g';
    assert_false(foreign_read(FOREIGN_TELETHON, slice_str(zeroes), &l));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_they_wrote_is_read),
        cmocka_unit_test(what_we_write_is_theirs_to_the_letter),
        cmocka_unit_test(formats_are_told_apart),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(what_has_no_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
