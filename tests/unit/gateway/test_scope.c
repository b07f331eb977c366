/* SPDX-License-Identifier: MIT
 * What the table of routes says to narrowed strings, and which methods read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "gateway/route.h"
#include "gateway/safety.h"

/* Codes stand in strings: two routes of one code would be allowed together, and a code that changes
 * would lock strings out. */
static void route_codes_are_unique_and_stay(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_count(); i++) {
        char name[160];
        const struct route *r = route_at(i);
        snprintf(name, sizeof name, "%s %s", r->method, r->path);
        assert_ptr_equal(route_by_name(slice_str(name)), r);
        for (size_t k = 0; k < i; k++)
            if (route_code(route_at(k)) == route_code(r))
                fail_msg("%s and %s %s", name, route_at(k)->method, route_at(k)->path);
    }
    const struct route *send = route_by_name(slice_str("POST /messages/send"));
    assert_non_null(send);
    assert_int_equal(route_code(send), 0x954d52c0); /* CRC-32 of "POST/messages/send" */
}

static void only_whole_names_are_routes(void **state)
{
    (void)state;
    static const char *const none[] = {
        "",
        "POST",
        "POST ",
        "POST/messages/send",
        "POST /messages/send ",
        " GET /me",
        "/me",
        "PUT /me",
        "get /me",
        "GET /messages/media/5",
        "GET  /me",
        "GET /me/",
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_null(route_by_name(slice_str(none[i])));
}

/* A GET that a read-only string may not call, or a change that it may, is a slip of the table. */
static void routes_do_what_their_methods_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_count(); i++) {
        const struct route *r = route_at(i);
        bool get = strcmp(r->method, "GET") == 0;
        if (r->session != SESSION_NEED_FULL)
            continue;
        if (get ? r->scope == SCOPE_WRITE : r->scope == SCOPE_READ)
            fail_msg("%s %s", r->method, r->path);
        if (r->scope == SCOPE_ACCOUNT && r->reach != REACH_ACCOUNT)
            fail_msg("%s %s reaches chats only?", r->method, r->path);
        if (strncmp(r->path, "/auth/", 6) == 0 && r->scope != SCOPE_NARROW &&
            r->scope != SCOPE_ACCOUNT)
            fail_msg("%s %s is about the account", r->method, r->path);
    }
}

/* By name, over the whole schema: nothing that sends, sets, or deletes passes for a read. */
static void no_method_that_writes_is_a_read(void **state)
{
    (void)state;
    static const char *const words[] = {
        "send",   "set",   "delete",  "save",  "update", "edit",   "create",  "toggle", "reset",
        "invite", "join",  "leave",   "block", "accept", "import", "export",  "upload", "forward",
        "report", "start", "request", "read",  "pin",    "buy",    "confirm", "change", "clear",
    };
    char error[256];
    size_t reads = 0;
    struct tl_schema *s = tl_schema_parse(tl_embedded_api(), error, sizeof error);
    assert_non_null(s);
    for (size_t i = 0; i < tl_schema_count(s); i++) {
        const struct tl_combinator *m = tl_schema_at(s, i);
        if (!m->is_method || !method_is_read(m))
            continue;
        const char *dot = strrchr(m->name, '.');
        const char *local = dot ? dot + 1 : m->name;
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            if (strncmp(local, words[k], strlen(words[k])) == 0)
                fail_msg("%s", m->name);
        reads++;
    }
    assert_in_range(reads, 200, 500);
    tl_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(route_codes_are_unique_and_stay),
        cmocka_unit_test(only_whole_names_are_routes),
        cmocka_unit_test(routes_do_what_their_methods_say),
        cmocka_unit_test(no_method_that_writes_is_a_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
