/* SPDX-License-Identifier: MIT
 * The addresses of data centres: listened at, and told of in help.getConfig. */
#include "fixture.h"

#include "sandbox/listeners.h"

static const char *const further[] = {"2=127.0.0.2:0", "1=127.0.0.1:0,media",
                                      "2=[::1]:9,media,closed"};

static int set_up_further(void **state)
{
    return set_up_with(state,
                       (struct sandbox_config){.dcs = 2, .further = further, .n_further = 3});
}

/* The options of one data centre as text, in the order told. */
static const char *options_of(struct client *c, const struct tl_object *config, int64_t dc)
{
    const char *text = "";
    for (uint32_t i = 0; i < tl_count(config, F_dc_options); i++) {
        const struct tl_object *o = tl_item_obj(config, F_dc_options, i);
        struct slice ip = tl_text(o, F_ip_address);
        if (tl_int(o, F_id) == dc)
            text = arena_printf(&c->arena, "%s %.*s:%lld%s%s", text, (int)ip.len,
                                (const char *)ip.data, (long long)tl_int(o, F_port),
                                tl_bool(o, F_ipv6) ? " ipv6" : "",
                                tl_bool(o, F_media_only) ? " media" : "");
    }
    return text;
}

static void every_address_is_told_and_answers(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    struct reply r = client_call(c, get_config(c));
    assert_answered(r);
    const struct listener *second = &f->s->listeners[2];
    const struct listener *media = &f->s->listeners[3];
    assert_string_equal(options_of(c, r.value.object, 1),
                        arena_printf(&c->arena, " 127.0.0.1:%d 127.0.0.1:%d media",
                                     sandbox_port(f->s, 1), media->port));
    assert_string_equal(options_of(c, r.value.object, 2),
                        arena_printf(&c->arena, " 127.0.0.1:%d 127.0.0.2:%d ::1:9 ipv6 media",
                                     sandbox_port(f->s, 2), second->port));
    client_hang_up(c);
    while (c->connected)
        uv_run(c->loop, UV_RUN_ONCE);
    client_dial_at(c, "127.0.0.2", second->port);
    assert_answered(client_call(c, get_config(c)));
    client_free(c);
}

static void further_addresses_are_announced(void **state)
{
    struct fixture *f = *state;
    char line[128];
    assert_int_equal(sandbox_further(f->s, 2, line, sizeof line), 3);
    assert_string_equal(line, "data centre 2 also on [::1]:9, media, closed");
    assert_int_equal(sandbox_further(f->s, 1, line, sizeof line), 3);
    char media[128];
    snprintf(media, sizeof media, "data centre 1 also on 127.0.0.1:%d, media",
             f->s->listeners[3].port);
    assert_string_equal(line, media);
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *where, *why;
    } cases[] = {
        {"127.0.0.1:0", "not DC=ADDR:PORT[,media][,closed]"},
        {"2=127.0.0.1", "not DC=ADDR:PORT[,media][,closed]"},
        {"2=127.0.0.1:0,slow", "not DC=ADDR:PORT[,media][,closed]"},
        {"x=127.0.0.1:0", "not DC=ADDR:PORT[,media][,closed]"},
        {",=", "not DC=ADDR:PORT[,media][,closed]"},
        {"3=127.0.0.1:0", "no such data centre"},
        {"0=127.0.0.1:0", "no such data centre"},
        {"2=127.0.0.1:0,closed", "what is closed needs a port"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uv_loop_t loop;
        char error[256] = "", wanted[256];
        uv_loop_init(&loop);
        struct sandbox_config config = {.listen = "127.0.0.1:0",
                                        .dcs = 2,
                                        .further = &cases[i].where,
                                        .n_further = 1,
                                        .empty_world = true,
                                        .log = {.fd = 2, .level = LOG_ERROR}};
        assert_null(sandbox_start(&loop, &config, error, sizeof error));
        snprintf(wanted, sizeof wanted, "%s: %s", cases[i].where, cases[i].why);
        assert_string_equal(error, wanted);
        assert_int_equal(uv_loop_close(&loop), 0);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_address_is_told_and_answers, set_up_further,
                                        tear_down),
        cmocka_unit_test_setup_teardown(further_addresses_are_announced, set_up_further, tear_down),
        cmocka_unit_test(what_is_no_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
