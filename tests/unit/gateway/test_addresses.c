/* SPDX-License-Identifier: MIT
 * Addresses of data centres: in which order they are tried, how they race, how they are learned. */
#include "gateway/serve_fixture.h"

#include <signal.h>

#include "gateway/dial.h"

/* ---- the table ---- */

static struct dc_table *new_table(const char *const *dcs)
{
    static struct dc_table table;
    struct options o;
    char error[OPTION_ERROR_BYTES];
    options_defaults(&o);
    for (size_t i = 0; dcs[i]; i++)
        add(&o.dcs, dcs[i]);
    if (!dc_table_init(&table, &o, error))
        fail_msg("%s", error);
    options_release(gateway_options, gateway_options_count, &o);
    return &table;
}

static const char *const three[] = {"2=a:1", "2=b:1", "2=c:1", NULL};

/* "abc": the hosts, in order. */
static void assert_order_for(struct dc_table *t, enum dc_use use, int64_t now_s, const char *hosts)
{
    struct dc_candidates c;
    char found[DC_ADDRESSES_MAX + 1] = "";
    dc_candidates(t, dc_find(t, 2), use, now_s * NS_PER_S, &c);
    for (size_t i = 0; i < c.n; i++)
        found[i] = c.addresses[i].host[0];
    assert_string_equal(found, hosts);
}

static void assert_order(struct dc_table *t, int64_t now_s, const char *hosts)
{
    assert_order_for(t, DC_CALLS, now_s, hosts);
}

static struct dc_address host(const char *name)
{
    struct dc_address a = {.port = 1};
    snprintf(a.host, sizeof a.host, "%s", name);
    return a;
}

static void tried(struct dc_table *t, const char *name, bool worked, int64_t now_s)
{
    struct dc_address a = host(name);
    dc_address_tried(t, dc_find(t, 2), &a, worked, now_s * NS_PER_S);
}

static void what_failed_rests_longer_each_time(void **state)
{
    (void)state;
    struct dc_table *t = new_table(three);
    assert_order(t, 100, "abc");
    tried(t, "a", false, 100);
    assert_order(t, 100, "bca");
    assert_order(t, 101, "abc");
    tried(t, "a", false, 101);
    assert_order(t, 103, "bca");
    assert_order(t, 104, "abc");
    for (int i = 0; i < 20; i++)
        tried(t, "a", false, 200);
    assert_order(t, 259, "bca");
    assert_order(t, 260, "abc"); /* a minute at most */
    tried(t, "b", false, 260);
    tried(t, "c", false, 260);
    tried(t, "a", false, 260);
    assert_order(t, 260, "abc"); /* nothing better is left */
    dc_table_free(t);
}

static void what_worked_comes_first(void **state)
{
    (void)state;
    struct dc_table *t = new_table(three);
    tried(t, "c", false, 100);
    tried(t, "c", true, 100);
    assert_order(t, 100, "cab");
    tried(t, "c", false, 100);
    assert_order(t, 100, "abc");
    dc_table_free(t);
}

static void learned_addresses_stand_beside_the_fixed_ones(void **state)
{
    (void)state;
    struct dc_table *t = new_table(three);
    struct dc_address some[] = {host("d"), host("b"), host("e"), host("d")};
    struct dc_address others[] = {host("e"), host("f")};
    dc_learn(t, 2, some, 4);
    assert_order(t, 100, "abcde");
    tried(t, "e", true, 100);
    tried(t, "d", false, 100);
    assert_order(t, 100, "eabcd");
    dc_learn(t, 2, others, 2);
    assert_order(t, 100, "efabc"); /* what is known of e stays known, d is gone */
    dc_learn(t, 2, some, 1);
    assert_order(t, 100, "abcd");
    dc_learn(t, 9, some, 1); /* no such data centre */
    struct dc_address many[40];
    for (size_t i = 0; i < 40; i++) {
        char name[2] = {(char)('A' + i), 0};
        many[i] = host(name);
    }
    dc_learn(t, 2, many, 40);
    assert_order(t, 100, "abcABCDEFGHI");
    dc_table_free(t);
}

static void media_only_addresses_are_for_files(void **state)
{
    (void)state;
    struct dc_table *t = new_table(three);
    struct dc_address some[] = {host("m"), host("d"), host("n")};
    some[0].media = some[2].media = true;
    dc_learn(t, 2, some, 3);
    assert_order(t, 100, "abcd");
    assert_order_for(t, DC_FILES, 100, "mnabcd");
    tried(t, "n", true, 100);
    tried(t, "a", false, 100);
    assert_order(t, 100, "bcda");
    assert_order_for(t, DC_FILES, 100, "nmbcda");
    tried(t, "n", false, 100);
    tried(t, "m", false, 100);
    assert_order_for(t, DC_FILES, 100, "bcdnma");
    dc_table_free(t);
}

/* ---- the race ---- */

/* One that does not answer a SYN: its queue is full. */
struct silent_port {
    int fds[4]; /* the listener, and who waits in its queue */
    int port;
};

static struct silent_port silent_port(void)
{
    struct silent_port s;
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (size_t i = 0; i < 4; i++)
        s.fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (i ? SOCK_NONBLOCK : 0), 0);
    assert_int_equal(bind(s.fds[0], (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s.fds[0], 0), 0);
    assert_int_equal(getsockname(s.fds[0], (struct sockaddr *)&a, &len), 0);
    for (size_t i = 1; i < 4; i++)
        connect(s.fds[i], (const struct sockaddr *)&a, sizeof a);
    s.port = ntohs(a.sin_port);
    return s;
}

static void close_silent_port(const struct silent_port *s)
{
    for (size_t i = 0; i < 4; i++)
        close(s->fds[i]);
}

struct addresses {
    char text[3][64];
};

static struct setup setup_of(struct addresses *a, const int *ports, size_t n)
{
    struct setup setup = {0};
    for (size_t i = 0; i < n; i++) {
        snprintf(a->text[i], sizeof a->text[i], "2=127.0.0.1:%d", ports[i]);
        setup.dcs[i] = a->text[i];
    }
    return setup;
}

static int64_t timed_call(struct fixture *f, int status)
{
    struct http_answer a;
    uint64_t before = uv_hrtime();
    read_call(f, &a);
    assert_int_equal(a.status, status);
    return (int64_t)(uv_hrtime() - before);
}

static int first_port(struct fixture *f)
{
    struct dc_candidates c;
    dc_candidates(&f->gateway->dcs, &f->gateway->dcs.dcs[0], DC_CALLS, (int64_t)uv_hrtime(), &c);
    return c.addresses[0].port;
}

static void a_dead_address_is_passed_over_at_once(void **state)
{
    struct fixture *f = *state;
    struct addresses a;
    int ports[] = {dead_port(), dead_port(), f->dcs[0]->port};
    start_gateway(f, setup_of(&a, ports, 3));
    timed_call(f, 200);
    assert_int_equal(first_port(f), f->dcs[0]->port);
    assert_int_equal(METRIC(f, upstream_connect_failures_total), 0);
    assert_int_equal(METRIC(f, upstream_connects_total), 1);
}

static void a_silent_address_is_raced(void **state)
{
    struct fixture *f = *state;
    struct addresses a;
    struct silent_port silent = silent_port();
    int ports[] = {silent.port, f->dcs[0]->port};
    start_gateway(f, setup_of(&a, ports, 2));
    int64_t took_ns = timed_call(f, 200);
    assert_true(took_ns >= DIAL_RACE_MS * NS_PER_MS);
    assert_true(took_ns < DIAL_TIMEOUT_MS * NS_PER_MS);
    assert_int_equal(METRIC(f, upstream_connects_total), 1);
    close_silent_port(&silent);
}

/* It takes connections, and says nothing: as something on the way may do. */
static int mute_listener(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void an_address_that_says_nothing_is_followed_by_the_next(void **state)
{
    struct fixture *f = *state;
    struct addresses a;
    int ports[] = {0, f->dcs[0]->port};
    int fd = mute_listener(&ports[0]);
    struct setup setup = setup_of(&a, ports, 2);
    setup.silence_s = 1;
    start_gateway(f, setup);
    assert_int_equal(first_port(f), ports[0]);
    timed_call(f, 200);
    assert_int_equal(METRIC(f, upstream_connects_total), 2);
    assert_int_equal(first_port(f), ports[1]);
    close(fd);
}

static void names_are_resolved(void **state)
{
    struct fixture *f = *state;
    char text[64];
    snprintf(text, sizeof text, "2=localhost:%d", f->dcs[0]->port);
    start_gateway(f, (struct setup){.dcs = {"2=no-such-host.invalid:1", text}});
    timed_call(f, 200);
}

static void without_any_address_it_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct addresses a;
    int ports[] = {dead_port(), dead_port()};
    start_gateway(f, setup_of(&a, ports, 2));
    timed_call(f, 502);
    assert_true(METRIC(f, upstream_connect_failures_total) > 0);
}

/* ---- learning ---- */

static void write_option(const struct tl_schema *s, struct buf *out, int32_t flags, int32_t id,
                         const char *ip, int32_t port)
{
    tl_write_u32(out, tl_schema_by_name(s, slice_str("dcOption"))->id);
    tl_write_i32(out, flags);
    tl_write_i32(out, id);
    tl_write_bytes(out, slice_str(ip));
    tl_write_i32(out, port);
}

static void write_options(const struct tl_schema *s, struct buf *out)
{
    tl_write_u32(out, TL_ID_VECTOR);
    tl_write_i32(out, 7);
    write_option(s, out, 0, 2, "10.0.0.1", 443);
    write_option(s, out, 1, 2, "2001::1", 5222);
    write_option(s, out, 2, 2, "10.0.0.2", 443);   /* media only */
    write_option(s, out, 4, 2, "10.0.0.3", 443);   /* obfuscated only */
    write_option(s, out, 8, 2, "10.0.0.4", 443);   /* a CDN's */
    write_option(s, out, 16, 77, "10.0.0.5", 443); /* unknown */
    write_option(s, out, 0, 2, "not an address", 443);
}

/* help.getConfig: what of it matters, and zeroes. */
static bool config_method(void *ctx, const struct tl_object *q, struct buf *out, int *error,
                          const char **text)
{
    const struct fake_dc *dc = ctx;
    (void)error;
    (void)text;
    if (strcmp(q->ctor->name, "help.getConfig") != 0)
        return false;
    const struct tl_combinator *c = tl_schema_by_name(dc->schema, slice_str("config"));
    tl_write_u32(out, c->id);
    for (size_t i = 0; i < c->n_fields; i++) {
        const struct tl_field *field = &c->fields[i];
        if (field->flags_field >= 0)
            continue;
        if (strcmp(field->name, "dc_options") == 0)
            write_options(dc->schema, out);
        else if (field->type.kind == TL_BOOL)
            tl_write_u32(out, TL_ID_BOOL_FALSE);
        else if (field->type.kind == TL_STRING)
            tl_write_bytes(out, slice_str(""));
        else
            tl_write_i32(out, 0);
    }
    return true;
}

static size_t count_addresses(struct fixture *f, struct dc_candidates *c)
{
    dc_candidates(&f->gateway->dcs, &f->gateway->dcs.dcs[0], DC_CALLS, (int64_t)uv_hrtime(), c);
    return c->n;
}

static void addresses_are_learned_beside_a_call(void **state)
{
    struct fixture *f = *state;
    struct dc_candidates c;
    f->dcs[0]->method = config_method;
    f->dcs[0]->method_ctx = f->dcs[0];
    start_gateway(f, (struct setup){0});
    timed_call(f, 200);
    assert_int_equal(count_addresses(f, &c), 1); /* with --dc nothing is learned */
    f->gateway->dcs.learns = true;
    timed_call(f, 200);
    WAIT_FOR(count_addresses(f, &c) > 1);
    assert_int_equal(c.n, 3);
    assert_string_equal(c.addresses[1].host, "10.0.0.1");
    assert_string_equal(c.addresses[2].host, "2001::1");
    assert_int_equal(c.addresses[2].port, 5222);
    dc_candidates(&f->gateway->dcs, &f->gateway->dcs.dcs[0], DC_FILES, (int64_t)uv_hrtime(), &c);
    assert_int_equal(c.n, 4);
    assert_string_equal(c.addresses[0].host, "10.0.0.2");
    int asked = atomic_load(&f->dcs[0]->executed);
    timed_call(f, 200);
    assert_int_equal(atomic_load(&f->dcs[0]->executed), asked + 1); /* not again so soon */
}

static void a_process_that_ends_does_not_wait_for_it(void **state)
{
    struct fixture *f = *state;
    f->dcs[0]->method = config_method;
    f->dcs[0]->method_ctx = f->dcs[0];
    start_gateway(f, (struct setup){0});
    timed_call(f, 200);
    f->gateway->dcs.learns = true;
    int executed = atomic_load(&f->dcs[0]->executed);
    timed_call(f, 200);
    WAIT_FOR(atomic_load(&f->dcs[0]->executed) >= executed + 1);
    stop_gateway(f);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* as the program does */
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_failed_rests_longer_each_time),
        cmocka_unit_test(what_worked_comes_first),
        cmocka_unit_test(learned_addresses_stand_beside_the_fixed_ones),
        cmocka_unit_test(media_only_addresses_are_for_files),
        T(a_dead_address_is_passed_over_at_once),
        T(a_silent_address_is_raced),
        T(an_address_that_says_nothing_is_followed_by_the_next),
        T(names_are_resolved),
        T(without_any_address_it_is_an_error),
        T(addresses_are_learned_beside_a_call),
        T(a_process_that_ends_does_not_wait_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
