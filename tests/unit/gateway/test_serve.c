/* SPDX-License-Identifier: MIT
 * The gateway from its HTTP port to a scripted data centre and back. */
#include "gateway/serve_fixture.h"

#include <pthread.h>
#include <signal.h>

#include "gateway/foreign.h"

/* ---- plain calls ---- */

static void alive_without_session(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){0});
    client_call(f->port, "GET", "/healthz", NULL, "", "", &a);
    assert_int_equal(a.status, 200);
    client_call(f->port, "GET", "/readyz", NULL, "", "", &a);
    assert_int_equal(a.status, 200);
    client_call(f->port, "POST", READ_PATH, NULL, "", "{}", &a);
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.body, "\"NO_SESSION\""));
}

static void first_call_is_one_connect_and_one_round_trip(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){0});
    read_call(f, &a);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"this_dc\":2"));
    assert_int_equal(METRIC(f, upstream_connects_total), 1);
    assert_int_equal(METRIC(f, upstream_round_trips_total), 1);
    assert_int_equal(atomic_load(&f->dcs[0]->inits), 1);
}

static void warm_call_is_one_round_trip(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){0});
    for (unsigned i = 1; i <= 5; i++) {
        read_call(f, &a);
        assert_int_equal(a.status, 200);
        assert_int_equal(METRIC(f, upstream_round_trips_total), i);
    }
    assert_int_equal(METRIC(f, upstream_connects_total), 1);
    assert_int_equal(atomic_load(&f->dcs[0]->inits), 1);
}

static void wrong_salt_costs_one_round_trip_more(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){0});
    atomic_store(&f->dcs[0]->fault, FAULT_BAD_SALT);
    read_call(f, &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(METRIC(f, upstream_round_trips_total), 2);
}

static void without_warm_connections_each_call_connects(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){.warm_s = OPTION_OFF});
    for (unsigned i = 1; i <= 3; i++) {
        read_call(f, &a);
        assert_int_equal(a.status, 200);
        /* Closed by the time the answer is here. */
        assert_int_equal(METRIC(f, upstream_connections_open), 0);
        assert_int_equal(METRIC(f, upstream_connects_total), i);
        assert_int_equal(METRIC(f, upstream_round_trips_total), i);
    }
}

static void idle_connections_close(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){.warm_s = 1});
    read_call(f, &a);
    assert_int_equal(a.status, 200);
    WAIT_FOR(METRIC(f, upstream_idle_closes_total) == 1);
    WAIT_FOR(METRIC(f, upstream_connections_open) == 0);
    WAIT_FOR(owners_count(f->gateway->owners) == 0);
}

static void least_recently_used_connection_makes_room(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    char other[2048];
    make_session(f, other, sizeof other);
    start_gateway(f, (struct setup){.warm_max = 1});
    read_call(f, &a);
    assert_int_equal(a.status, 200);
    client_call(f->port, "POST", READ_PATH, other, "", "{}", &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(METRIC(f, upstream_evictions_total), 1);
    assert_int_equal(METRIC(f, upstream_connections_open), 1);
}

static void bounded_connections_refuse_when_all_are_busy(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    char other[2048];
    make_session(f, other, sizeof other);
    start_gateway(f, (struct setup){.warm_max = 1});
    atomic_store(&f->dcs[0]->hold, true);
    int fd = client_connect(f->port);
    client_send(fd, "POST", READ_PATH, f->session, "", "{}");
    WAIT_FOR(atomic_load(&f->dcs[0]->holding) == 1);
    client_call(f->port, "POST", READ_PATH, other, "", "{}", &a);
    assert_int_equal(a.status, 503);
    fake_release(f->dcs[0]);
    client_receive(fd, &a);
    assert_int_equal(a.status, 200);
    close(fd);
}

/* ---- trouble ---- */

static void lost_read_is_repeated(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    static const int faults[] = {FAULT_DROP_BEFORE, FAULT_DROP_AFTER, FAULT_FORGET};
    start_gateway(f, (struct setup){0});
    for (size_t i = 0; i < 3; i++) {
        atomic_store(&f->dcs[0]->fault, faults[i]);
        read_call(f, &a);
        assert_int_equal(a.status, 200);
    }
    assert_int_equal(METRIC(f, upstream_reconnects_total), 3);
}

static void lost_write_is_executed_once(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){0});
    client_call(f->port, "POST", WRITE_PATH, f->session, "", WRITE_BODY, &a);
    assert_int_equal(a.status, 200);
    /* The session survives: the data centre answers the repeated message from memory. */
    atomic_store(&f->dcs[0]->fault, FAULT_DROP_AFTER);
    client_call(f->port, "POST", WRITE_PATH, f->session, "", WRITE_BODY, &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(atomic_load(&f->dcs[0]->executed), 2);
    /* The session is gone: nobody knows. */
    atomic_store(&f->dcs[0]->fault, FAULT_FORGET);
    client_call(f->port, "POST", WRITE_PATH, f->session, "", WRITE_BODY, &a);
    assert_int_equal(a.status, 504);
    assert_non_null(strstr(a.body, "\"OUTCOME_UNKNOWN\""));
    assert_int_equal(atomic_load(&f->dcs[0]->executed), 3);
}

static void silent_connection_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){.silence_s = 1});
    client_call(f->port, "POST", WRITE_PATH, f->session, "", WRITE_BODY, &a);
    assert_int_equal(a.status, 200);
    atomic_store(&f->dcs[0]->fault, FAULT_SILENT);
    client_call(f->port, "POST", WRITE_PATH, f->session, "", WRITE_BODY, &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(atomic_load(&f->dcs[0]->executed), 2);
    assert_int_equal(atomic_load(&f->dcs[0]->connections), 2);
}

static void unknown_key_is_401(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){0});
    atomic_store(&f->dcs[0]->fault, FAULT_KEY_UNKNOWN);
    read_call(f, &a);
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.body, "\"AUTH_KEY_UNREGISTERED\""));
    /* Forgiven once, then believed. */
    assert_int_equal(atomic_load(&f->dcs[0]->connections), 2);
}

static void unreachable_is_502(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){0});
    fake_dc_stop(f->dcs[0]);
    f->dcs[0] = fake_dc_start(4, f->rsa); /* on another port */
    read_call(f, &a);
    assert_int_equal(a.status, 502);
    assert_non_null(strstr(a.body, "\"UPSTREAM_UNREACHABLE\""));
    client_call(f->port, "GET", "/readyz", NULL, "", "", &a);
    assert_int_equal(a.status, 503);
}

static void flood_wait_is_429_or_slept_out(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){0});
    fake_order_error(f->dcs[0], 1, 420, "FLOOD_WAIT_1");
    read_call(f, &a);
    assert_int_equal(a.status, 429);
    assert_non_null(strstr(a.head, "Retry-After: 1\r\n"));
    assert_non_null(strstr(a.body, "\"wait_seconds\":1"));
    fake_order_error(f->dcs[0], 1, 420, "FLOOD_WAIT_1");
    client_call(f->port, "POST", READ_PATH, f->session, "Prefer: wait=2\r\n", "{}", &a);
    assert_int_equal(a.status, 200);
    fake_order_error(f->dcs[0], 1, 420, "FLOOD_WAIT_3");
    client_call(f->port, "POST", READ_PATH, f->session, "Prefer: wait=2\r\n", "{}", &a);
    assert_int_equal(a.status, 429);
    assert_int_equal(METRIC(f, flood_waits_slept_total), 1);
}

static void login_migrates_to_its_data_centre(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){0});
    fake_order_error(f->dcs[0], 1, 303, "PHONE_MIGRATE_3");
    fake_order_error(f->dcs[1], 1, 400, "PHONE_NUMBER_INVALID");
    client_call(
        f->port, "POST", "/auth/send_code", NULL, "",
        "{\"phone\":\"+15550001\",\"api_id\":1,\"api_hash\":\"0123456789abcdef0123456789abcdef\"}",
        &a);
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body, "\"PHONE_NUMBER_INVALID\""));
    assert_int_equal(atomic_load(&f->dcs[0]->handshakes), 1);
    assert_int_equal(atomic_load(&f->dcs[1]->handshakes), 1);
    assert_int_equal(atomic_load(&f->dcs[1]->executed), 1);
    /* The connection that made the key carries the request. */
    assert_int_equal(atomic_load(&f->dcs[1]->connections), 1);
}

static void deadline_answers_504(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){.timeout_s = 1});
    atomic_store(&f->dcs[0]->hold, true);
    read_call(f, &a);
    assert_int_equal(a.status, 504);
    assert_non_null(strstr(a.body, "\"TIMEOUT\""));
    client_call(f->port, "POST", WRITE_PATH, f->session, "", WRITE_BODY, &a);
    assert_int_equal(a.status, 504);
    assert_non_null(strstr(a.body, "\"OUTCOME_UNKNOWN\""));
    assert_int_equal(METRIC(f, calls_open), 0);
}

static void gone_client_ends_its_call(void **state)
{
    struct fixture *f = *state;
    start_gateway(f, (struct setup){.workers = 2});
    atomic_store(&f->dcs[0]->hold, true);
    for (int i = 1; i <= 8; i++) {
        int fd = client_connect(f->port);
        client_send(fd, "POST", READ_PATH, f->session, "", "{}");
        WAIT_FOR(atomic_load(&f->dcs[0]->holding) == i);
        close(fd);
    }
    WAIT_FOR(METRIC(f, calls_open) == 0);
    fake_release(f->dcs[0]);
}

/* ---- idempotency ---- */

static int64_t sent_random_id(const struct fixture *f, const char *session, const char *header,
                              const char *chat_id)
{
    struct http_answer a;
    char body[128];
    snprintf(body, sizeof body, "{\"chat_id\":\"%s\",\"text\":\"hello\"}", chat_id);
    client_call(f->port, "POST", "/messages/send", session, header, body, &a);
    if (a.status != 200)
        fail_msg("%d %s", a.status, a.body);
    return atomic_exchange(&f->dcs[0]->random_id, 0);
}

static void idempotency_key_decides_the_random_id(void **state)
{
    struct fixture *f = *state;
    char other[2048];
    static const char one[] = "Content-Type: application/json\r\nIdempotency-Key: one\r\n";
    static const char two[] = "Content-Type: application/json\r\nIdempotency-Key: two\r\n";
    static const char none[] = "Content-Type: application/json\r\n";
    make_session(f, other, sizeof other);
    start_gateway(f, (struct setup){0});
    int64_t first = sent_random_id(f, f->session, one, "me");
    assert_true(first != 0);
    assert_true(sent_random_id(f, f->session, one, "me") == first);
    assert_true(sent_random_id(f, f->session, two, "me") != first);
    assert_true(sent_random_id(f, other, one, "me") != first);
    int64_t unkeyed = sent_random_id(f, f->session, none, "me");
    assert_true(unkeyed != 0 && unkeyed != first);
    assert_true(sent_random_id(f, f->session, none, "me") != unkeyed);
    /* Another process with the same session: the same id. */
    stop_gateway(f);
    start_gateway(f, (struct setup){0});
    assert_true(sent_random_id(f, f->session, one, "me") == first);
}

/* ---- workers ---- */

struct caller {
    pthread_t thread;
    const struct fixture *f;
    int n;
    _Atomic int ok;
};

static void *call_many(void *arg)
{
    struct caller *c = arg;
    struct http_answer a;
    for (int i = 0; i < c->n; i++) {
        read_call(c->f, &a);
        c->ok += a.status == 200;
    }
    return NULL;
}

static void one_session_has_one_connection_over_all_workers(void **state)
{
    struct fixture *f = *state;
    enum { CALLERS = 8, CALLS = 40 };
    struct caller callers[CALLERS] = {0};
    start_gateway(f, (struct setup){.workers = 4});
    for (int i = 0; i < CALLERS; i++) {
        callers[i].f = f;
        callers[i].n = CALLS;
        pthread_create(&callers[i].thread, NULL, call_many, &callers[i]);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].ok, CALLS);
    }
    assert_int_equal(atomic_load(&f->dcs[0]->connections), 1);
    assert_true(METRIC(f, calls_handed_over_total) > 0);
    assert_int_equal(atomic_load(&f->dcs[0]->duplicated), 0);
}

/* A second connection beside one that still has a request open would get the key killed: not even a
 * session that is to be closed may have two. */
static void session_that_is_to_be_closed_gets_no_second_connection(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){0});
    atomic_store(&f->dcs[0]->hold, true);
    int busy = client_connect(f->port);
    client_send(busy, "POST", READ_PATH, f->session, "", "{}");
    WAIT_FOR(atomic_load(&f->dcs[0]->holding) == 1);
    atomic_store(&f->dcs[0]->hold, false);
    snprintf(f->dcs[0]->error_text, sizeof f->dcs[0]->error_text, "SESSION_REVOKED");
    atomic_store(&f->dcs[0]->error_code, 401);
    atomic_store(&f->dcs[0]->error_times, 1);
    read_call(f, &a);
    assert_int_equal(a.status, 401);
    read_call(f, &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(atomic_load(&f->dcs[0]->connections), 1);
    assert_int_equal(atomic_load(&f->dcs[0]->duplicated), 0);
    fake_release(f->dcs[0]);
    client_receive(busy, &a);
    assert_int_equal(a.status, 200);
    close(busy);
    WAIT_FOR(METRIC(f, upstream_connections_open) == 0);
}

/* What is dead is not worth a new string, though a foreign session is owed one. */
static void logging_out_gives_no_session_back(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    struct session s = {
        .dc = 2, .key = fake_dc_add_key(f->dcs[0]), .api_id = 1, .api_hash = "hash"};
    struct buf text;
    buf_init(&text, 0);
    assert_null(older_token_write(&s, "127.0.0.1", 443, &text));
    buf_append_byte(&text, 0);
    start_gateway(f, (struct setup){0});
    client_call(f->port, "POST", READ_PATH, (const char *)text.data, "", "{}", &a);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.head, "X-Session-String: tgr1."));
    client_call(f->port, "DELETE", "/auth/logout", (const char *)text.data, "", "", &a);
    assert_int_equal(a.status, 200);
    assert_null(strstr(a.head, "X-Session-String"));
    buf_free(&text);
}

/* ---- the end ---- */

static void drain_lets_calls_finish(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    enum { CALLS = 6 };
    int fds[CALLS];
    start_gateway(f, (struct setup){.workers = 2});
    atomic_store(&f->dcs[0]->hold, true);
    for (int i = 0; i < CALLS; i++) {
        fds[i] = client_connect(f->port);
        client_send(fds[i], "POST", READ_PATH, f->session, "", "{}");
        WAIT_FOR(atomic_load(&f->dcs[0]->holding) == i + 1);
    }
    gateway_drain(f->gateway);
    WAIT_FOR(client_connect(f->port) == -1); /* all workers know */
    fake_release(f->dcs[0]);
    for (int i = 0; i < CALLS; i++) {
        client_receive(fds[i], &a);
        assert_int_equal(a.status, 200);
        assert_non_null(strstr(a.head, "Connection: close\r\n"));
        close(fds[i]);
    }
    gateway_join(f->gateway);
    f->gateway = NULL;
    assert_int_equal(client_connect(f->port), -1);
}

static void request_that_arrives_while_draining_is_refused(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    static const char head[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n";
    start_gateway(f, (struct setup){0});
    atomic_store(&f->dcs[0]->hold, true);
    int busy = client_connect(f->port);
    client_send(busy, "POST", READ_PATH, f->session, "", "{}");
    WAIT_FOR(atomic_load(&f->dcs[0]->holding) == 1);
    int half = client_connect(f->port);
    assert_int_equal(send(half, head, sizeof head - 1, 0), sizeof head - 1);
    WAIT_FOR(METRIC(f, http_bytes_in_total) >= sizeof head - 1 &&
             METRIC(f, http_connections_open) == 2);
    gateway_drain(f->gateway);
    WAIT_FOR(client_connect(f->port) == -1);
    assert_int_equal(send(half, "\r\n", 2, 0), 2);
    client_receive(half, &a);
    assert_int_equal(a.status, 503);
    assert_non_null(strstr(a.body, "\"DRAINING\""));
    assert_non_null(strstr(a.head, "Connection: close\r\n"));
    assert_non_null(strstr(a.head, "Retry-After: "));
    fake_release(f->dcs[0]);
    client_receive(busy, &a);
    assert_int_equal(a.status, 200);
    close(half);
    close(busy);
    gateway_join(f->gateway);
    f->gateway = NULL;
}

/* ---- what every answer carries ---- */

static void sane_request_ids_come_back(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    start_gateway(f, (struct setup){0});
    client_call(f->port, "GET", "/nowhere", NULL, "X-Request-Id: abc-1_2.3\r\n", "", &a);
    assert_int_equal(a.status, 404);
    assert_non_null(strstr(a.head, "X-Request-Id: abc-1_2.3\r\n"));
    assert_non_null(strstr(a.body, "\"request_id\":\"abc-1_2.3\""));
    client_call(f->port, "GET", "/healthz", NULL, "X-Request-Id: a b\r\n", "", &a);
    assert_null(strstr(a.head, "a b"));
    assert_non_null(strstr(a.head, "X-Request-Id: "));
}

static void changed_session_strings_are_refused(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    char cut[2048];
    start_gateway(f, (struct setup){0});
    snprintf(cut, sizeof cut, "%.*s", (int)strlen(f->session) - 4, f->session);
    client_call(f->port, "POST", READ_PATH, cut, "", "{}", &a);
    assert_int_equal(a.status, 401);
    client_call(f->port, "POST", READ_PATH, "tgr1.nonsense", "", "{}", &a);
    assert_int_equal(a.status, 401);
    assert_int_equal(atomic_load(&f->dcs[0]->connections), 0);
}

static void metrics_sum_all_workers(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    enum { CALLS = 12 };
    char line[128];
    start_gateway(f, (struct setup){.workers = 3});
    for (int i = 0; i < CALLS; i++) {
        client_call(f->port, "GET", "/healthz", NULL, "", "", &a);
        assert_int_equal(a.status, 200);
    }
    uint64_t counted = 0;
    for (size_t w = 0; w < f->gateway->n_workers; w++) {
        for (size_t r = 0; r < routes_count(); r++) {
            if (strcmp(route_at(r)->path, "/healthz") == 0)
                counted += metric_get(&f->gateway->workers[w].metrics.routes[r].count);
        }
    }
    assert_int_equal(counted, CALLS);
    client_call(f->port, "GET", "/metrics", NULL, "", "", &a);
    assert_int_equal(a.status, 200);
    snprintf(line, sizeof line,
             "\ntgrest_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} %d\n",
             CALLS);
    assert_non_null(strstr(a.body, line));
    snprintf(line, sizeof line,
             "\ntgrest_request_duration_seconds_bucket{method=\"GET\",route=\"/"
             "healthz\",le=\"+Inf\"} %d\n",
             CALLS);
    assert_non_null(strstr(a.body, line));
    assert_non_null(strstr(a.body, "# TYPE tgrest_request_duration_seconds histogram\n"));
    assert_non_null(strstr(a.body, "\ntgrest_resident_memory_bytes "));
}

int main(void)
{
#define SERVE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SERVE(alive_without_session),
        SERVE(first_call_is_one_connect_and_one_round_trip),
        SERVE(warm_call_is_one_round_trip),
        SERVE(wrong_salt_costs_one_round_trip_more),
        SERVE(without_warm_connections_each_call_connects),
        SERVE(idle_connections_close),
        SERVE(least_recently_used_connection_makes_room),
        SERVE(bounded_connections_refuse_when_all_are_busy),
        SERVE(lost_read_is_repeated),
        SERVE(lost_write_is_executed_once),
        SERVE(silent_connection_is_made_anew),
        SERVE(unknown_key_is_401),
        SERVE(unreachable_is_502),
        SERVE(flood_wait_is_429_or_slept_out),
        SERVE(login_migrates_to_its_data_centre),
        SERVE(deadline_answers_504),
        SERVE(gone_client_ends_its_call),
        SERVE(idempotency_key_decides_the_random_id),
        SERVE(one_session_has_one_connection_over_all_workers),
        SERVE(session_that_is_to_be_closed_gets_no_second_connection),
        SERVE(logging_out_gives_no_session_back),
        SERVE(drain_lets_calls_finish),
        SERVE(request_that_arrives_while_draining_is_refused),
        SERVE(sane_request_ids_come_back),
        SERVE(changed_session_strings_are_refused),
        SERVE(metrics_sum_all_workers),
    };
    signal(SIGPIPE, SIG_IGN); /* as gateway_prepare_process does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
