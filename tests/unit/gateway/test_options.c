/* SPDX-License-Identifier: MIT
 * Options and data centres. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/dc.h"

static const char *const *environment; /* name, value, …, NULL: what fake_getenv finds */

static char *fake_getenv(const char *name)
{
    for (size_t i = 0; environment && environment[i]; i += 2) {
        if (strcmp(environment[i], name) == 0)
            return (char *)(uintptr_t)environment[i + 1];
    }
    return NULL;
}

static bool parse(struct options *o, const char *const *env, int argc, const char **argv,
                  char *error)
{
    environment = env;
    options_defaults(o);
    return options_parse(gateway_options, gateway_options_count, o, argc, (char **)(uintptr_t)argv,
                         fake_getenv, error);
}

static void release(struct options *o)
{
    options_release(gateway_options, gateway_options_count, o);
}

static void command_line_wins_over_environment(void **state)
{
    (void)state;
    struct options o;
    char error[OPTION_ERROR_BYTES];
    const char *env[] = {"TGREST_LISTEN", "a:1,b:2", "TGREST_WARM", "off", "TGREST_TIMEOUT", "7",
                         "TGREST_KEY",    "k",       NULL};
    const char *argv[] = {"serve",       "--listen",     "c:3",  "--listen=d:4",
                          "--timeout=9", "--log-format", "json", "--test-dc"};
    assert_true(parse(&o, env, 8, argv, error));
    assert_int_equal(o.listen.n, 2);
    assert_string_equal(o.listen.items[0], "c:3");
    assert_string_equal(o.listen.items[1], "d:4");
    assert_int_equal(o.warm_s, OPTION_OFF);
    assert_int_equal(o.timeout_s, 9);
    assert_string_equal(o.key_text, "k");
    assert_int_equal(o.log_format, LOG_JSON);
    assert_true(o.test_dc);
    release(&o);
}

static void secrets_do_not_stay_in_argv(void **state)
{
    (void)state;
    struct options o;
    char error[OPTION_ERROR_BYTES];
    char apart[] = "socks5://me:hunter2@a:1";
    char joined[] = "--proxy=socks5://me:hunter3@a:1";
    const char *argv[] = {"serve", "--proxy", apart, joined};
    assert_true(parse(&o, NULL, 4, argv, error));
    assert_string_equal(o.proxy, "socks5://me:hunter3@a:1");
    for (size_t i = 0; i < sizeof apart; i++)
        assert_int_equal(apart[i], 0);
    for (size_t i = strlen("--proxy="); i < sizeof joined; i++)
        assert_int_equal(joined[i], 0);
    release(&o);
    const char *env[] = {"TGREST_PROXY", "http://a:1", NULL};
    assert_true(parse(&o, env, 1, argv, error));
    assert_string_equal(o.proxy, "http://a:1");
    release(&o);
}

static void environment_list_is_split_at_commas(void **state)
{
    (void)state;
    struct options o;
    char error[OPTION_ERROR_BYTES];
    const char *env[] = {"TGREST_DC", "1=h:1,2=h:2,", NULL};
    const char *argv[] = {"serve"};
    assert_true(parse(&o, env, 1, argv, error));
    assert_int_equal(o.dcs.n, 2);
    assert_string_equal(o.dcs.items[1], "2=h:2");
    release(&o);
}

static void bad_options_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *argv[3];
        int argc;
        const char *says;
    } cases[] = {
        {{"serve", "--nope"}, 2, "'--nope'"},
        {{"serve", "stray"}, 2, "argument 1 is no option"},
        {{"serve", "--timeout", "0"}, 3, "--timeout"},
        {{"serve", "--timeout", "1x"}, 3, "--timeout"},
        {{"serve", "--timeout", "99999999999999999999"}, 3, "--timeout"},
        {{"serve", "--warm", "never"}, 3, "off"},
        {{"serve", "--log-level", "loud"}, 3, "--log-level"},
        {{"serve", "--log-format=xml"}, 2, "--log-format"},
        {{"serve", "--listen"}, 2, "ADDR:PORT"},
        {{"serve", "--test-dc=maybe"}, 2, "--test-dc"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options o;
        char error[OPTION_ERROR_BYTES] = "";
        const char *argv[3] = {cases[i].argv[0], cases[i].argv[1], cases[i].argv[2]};
        assert_false(parse(&o, NULL, cases[i].argc, argv, error));
        assert_non_null(strstr(error, cases[i].says));
        release(&o);
    }
}

static void too_many_values_are_refused(void **state)
{
    (void)state;
    struct options o;
    char error[OPTION_ERROR_BYTES];
    char many[4 * OPTION_LIST_MAX + 8] = "";
    for (int i = 0; i <= OPTION_LIST_MAX; i++)
        strcat(many, "x,");
    const char *env[] = {"TGREST_LISTEN", many, NULL};
    const char *argv[] = {"serve"};
    assert_false(parse(&o, env, 1, argv, error));
    release(&o);
}

/* ---- data centres ---- */

static void addresses_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t id; /* 0 = refused */
        const char *host;
        int port;
    } cases[] = {
        {"2=127.0.0.1:443", 2, "127.0.0.1", 443},
        {"1=[::1]:10443", 1, "::1", 10443},
        {"5=sandbox.internal:1", 5, "sandbox.internal", 1},
        {"2=::1:443", 0, NULL, 0}, /* an IPv6 address without brackets says nothing clear */
        {"0=h:1", 0, NULL, 0},
        {"x=h:1", 0, NULL, 0},
        {"10000=h:1", 0, NULL, 0},
        {"2=h", 0, NULL, 0},
        {"2=:443", 0, NULL, 0},
        {"2=h:0", 0, NULL, 0},
        {"2=h:65536", 0, NULL, 0},
        {"2=h:", 0, NULL, 0},
        {"h:443", 0, NULL, 0},
        {"", 0, NULL, 0},
        {"=:", 0, NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dc_address address;
        int32_t id = 0;
        bool ok = dc_parse(cases[i].text, &id, &address);
        assert_int_equal(ok, cases[i].id != 0);
        if (!ok)
            continue;
        assert_int_equal(id, cases[i].id);
        assert_string_equal(address.host, cases[i].host);
        assert_int_equal(address.port, cases[i].port);
    }
}

/* Fingerprints as the servers name them in resPQ: d09d1d85de64fd85 and b25898df208d2603. */
static void built_in_tables_hold_telegrams_keys(void **state)
{
    (void)state;
    static struct dc_table table;
    struct options o;
    char error[OPTION_ERROR_BYTES];
    options_defaults(&o);
    assert_true(dc_table_init(&table, &o, error));
    assert_int_equal(table.n, 5);
    assert_int_equal(table.n_keys, 1);
    assert_true(rsa_key_fingerprint(table.keys[0]) == 0xd09d1d85de64fd85u);
    assert_int_equal(dc_default(&table)->id, 2);
    assert_int_equal(dc_wire_id(&table, dc_default(&table)), 2);
    assert_null(dc_find(&table, 6));
    dc_table_free(&table);
    o.test_dc = true;
    assert_true(dc_table_init(&table, &o, error));
    assert_int_equal(table.n, 3);
    assert_true(rsa_key_fingerprint(table.keys[0]) == 0xb25898df208d2603u);
    assert_int_equal(dc_wire_id(&table, dc_default(&table)), 10002);
    dc_table_free(&table);
}

static void given_data_centres_replace_the_built_in_ones(void **state)
{
    (void)state;
    static struct dc_table table;
    struct options o;
    char error[OPTION_ERROR_BYTES];
    options_defaults(&o);
    o.dcs.items[o.dcs.n++] = strdup("7=a:1");
    o.dcs.items[o.dcs.n++] = strdup("7=b:2");
    assert_true(dc_table_init(&table, &o, error));
    assert_int_equal(table.n, 1);
    assert_int_equal(table.dcs[0].n_addresses, 2);
    assert_int_equal(dc_default(&table)->id, 7);
    dc_table_free(&table);
    o.dcs.items[o.dcs.n++] = strdup("nonsense");
    assert_false(dc_table_init(&table, &o, error));
    assert_non_null(strstr(error, "nonsense"));
    release(&o);
}

static void key_files_that_hold_no_key_are_refused(void **state)
{
    (void)state;
    static struct dc_table table;
    struct options o;
    char error[OPTION_ERROR_BYTES];
    options_defaults(&o);
    o.dc_keys.items[o.dc_keys.n++] = strdup("schema/errors.tsv");
    assert_false(dc_table_init(&table, &o, error));
    assert_non_null(strstr(error, "no RSA key"));
    free(o.dc_keys.items[0]);
    o.dc_keys.items[0] = strdup("no/such/file.pem");
    assert_false(dc_table_init(&table, &o, error));
    assert_non_null(strstr(error, "No such file"));
    release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_line_wins_over_environment),
        cmocka_unit_test(secrets_do_not_stay_in_argv),
        cmocka_unit_test(environment_list_is_split_at_commas),
        cmocka_unit_test(bad_options_are_named),
        cmocka_unit_test(too_many_values_are_refused),
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(built_in_tables_hold_telegrams_keys),
        cmocka_unit_test(given_data_centres_replace_the_built_in_ones),
        cmocka_unit_test(key_files_that_hold_no_key_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
