/* SPDX-License-Identifier: MIT
 * The account at other data centres: files that live there, a home that moves, keys that end. */
#include "gateway/handler_fixture.h"

#include <signal.h>

#include "gateway/file_dc.h"
#include "gateway/transfer.h"
#include "telegram/names.h"

enum { FILE_BYTES = 3 * FILE_PART + 17 };

struct other_test {
    struct fixture *f;
    struct file_dc home, away; /* at data centres 2 and 3 */
    struct session session;
    int32_t said_dc; /* where the message says that the file is */
};

/* One download, as a call of its own: several may be on their way. */
struct download_run {
    struct other_test *t;
    struct handler_run *run;
    struct call_error error;
    struct session session; /* as it stood at the end */
    bool changed;
    size_t n_got;
    bool right;
};

static void begin(struct other_test *t, void **state, struct setup setup)
{
    *t = (struct other_test){.f = *state, .said_dc = 2};
    file_dc_attach(t->f->dcs[0], &t->home, 0);
    file_dc_attach(t->f->dcs[1], &t->away, FILE_BYTES);
    atomic_store(&t->home.migrate_to, 3);
    atomic_store(&t->away.needs_import, true);
    start_gateway(t->f, setup);
    t->session = new_session(t->f);
}

static void end(struct other_test *t)
{
    stop_gateway(t->f);
    file_dc_detach(t->f->dcs[0], &t->home);
    file_dc_detach(t->f->dcs[1], &t->away);
}

static const struct tl_object *location(struct call *c)
{
    struct tl_builder b = tl_builder_of(c->schema, c->arena);
    struct tl_object *o =
        tl_new_ctor(&b, tl_schema_by_name(c->schema, slice_str("inputPhotoFileLocation")));
    for (size_t i = 0; i < o->ctor->n_fields; i++)
        o->fields[i] = i < 2 ? (struct tl_value){.kind = TL_LONG, .i = 1}
                             : (struct tl_value){.kind = i == 2 ? TL_BYTES : TL_STRING,
                                                 .bytes = (const uint8_t *)""};
    return o;
}

static void download_all(struct call *c)
{
    struct download_run *r = run_of(c)->arg;
    struct file_place place = {.dc = r->t->said_dc, .location = location(c), .size = FILE_BYTES};
    struct download *d = download_begin(c, &place, NULL, NULL, 0, INT64_MAX);
    struct slice bytes = {0};
    r->right = d != NULL;
    while (d && download_read(d, &bytes) && bytes.len > 0) {
        r->right = r->right && r->n_got + bytes.len <= FILE_BYTES &&
                   memcmp(bytes.data, r->t->away.content + r->n_got, bytes.len) == 0;
        r->n_got += bytes.len;
    }
    download_free(d);
}

static void start_download(struct other_test *t, struct download_run *r, const struct session *s)
{
    *r = (struct download_run){.t = t};
    r->run = handler_start(t->f, s, download_all, r);
}

static void finish_download(struct download_run *r)
{
    handler_wait(r->run);
    r->error = r->run->task.call.error;
    r->session = r->run->task.call.session;
    r->changed = r->run->task.session_changed;
    assert_int_equal(r->error.status, 0);
    assert_true(r->right);
    assert_int_equal(r->n_got, FILE_BYTES);
    handler_free(r->run);
}

static void download(struct other_test *t, struct download_run *r, const struct session *s)
{
    start_download(t, r, s);
    finish_download(r);
}

/* ---- files elsewhere ---- */

static void a_key_is_made_once_and_travels_in_the_session(void **state)
{
    struct other_test t;
    struct download_run r;
    struct http_answer a;
    begin(&t, state, (struct setup){0});
    download(&t, &r, &t.session);
    assert_true(r.changed);
    assert_int_equal(r.session.extra_keys[0].dc, 3);
    assert_int_equal(r.session.dc, 2);
    assert_int_equal(atomic_load(&t.f->dcs[1]->handshakes), 1);
    assert_int_equal(atomic_load(&t.home.exported), 1);
    struct session with_key = r.session;

    /* Another process: nothing but the session is known. */
    stop_gateway(t.f);
    start_gateway(t.f, (struct setup){0});
    download(&t, &r, &with_key);
    assert_false(r.changed);
    assert_int_equal(atomic_load(&t.f->dcs[1]->handshakes), 1);
    assert_int_equal(atomic_load(&t.home.exported), 1);

    /* And it is a string like any other. */
    char session[4096];
    seal_session(&with_key, session, sizeof session);
    client_call(t.f->port, "POST", READ_PATH, session, "", "{}", &a);
    assert_int_equal(a.status, 200);
    end(&t);
}

static void clients_that_drop_the_new_string_pay_once(void **state)
{
    struct other_test t;
    struct download_run r;
    begin(&t, state, (struct setup){0});
    t.said_dc = 3; /* no FILE_MIGRATE is needed */
    for (int i = 0; i < 3; i++) {
        download(&t, &r, &t.session);
        assert_true(r.changed);
        assert_int_equal(r.session.extra_keys[0].dc, 3);
    }
    assert_int_equal(atomic_load(&t.f->dcs[1]->handshakes), 1);
    assert_int_equal(atomic_load(&t.home.exported), 1);
    assert_int_equal(atomic_load(&t.home.served), 0);
    end(&t);
}

/* The data centre's only live address becomes one for files. */
static void leave_media_only(struct other_test *t)
{
    struct dc_table *dcs = &t->f->gateway->dcs;
    struct dc *away = dc_find(dcs, 3);
    struct dc_address media = away->addresses[0];
    media.media = true;
    uv_mutex_lock(&dcs->lock);
    away->addresses[0].port = dead_port();
    uv_mutex_unlock(&dcs->lock);
    dc_learn(dcs, 3, &media, 1);
}

static void media_only_addresses_serve_files_and_nothing_else(void **state)
{
    struct other_test t;
    struct download_run r;
    struct http_answer a;
    char session[4096];
    begin(&t, state, (struct setup){0});
    download(&t, &r, &t.session);
    struct session at_home = r.session, moved = r.session;
    stop_gateway(t.f);
    start_gateway(t.f, (struct setup){0});
    leave_media_only(&t);
    download(&t, &r, &at_home);
    assert_false(r.changed);

    /* The same key as a home's: the warm connection does not do for calls. */
    moved.dc = 3;
    moved.key = at_home.extra_keys[0].key;
    seal_session(&moved, session, sizeof session);
    client_call(t.f->port, "POST", READ_PATH, session, "", "{}", &a);
    assert_int_equal(a.status, 502);
    end(&t);
}

static void calls_at_the_same_time_make_one_key(void **state)
{
    struct other_test t;
    struct download_run r[4];
    begin(&t, state, (struct setup){0});
    for (size_t i = 0; i < 4; i++)
        start_download(&t, &r[i], &t.session);
    for (size_t i = 0; i < 4; i++)
        finish_download(&r[i]);
    assert_int_equal(atomic_load(&t.f->dcs[1]->handshakes), 1);
    assert_int_equal(atomic_load(&t.away.imported), 1);
    for (size_t i = 0; i < 4; i++)
        assert_true(r[i].session.extra_keys[0].key.id == r[0].session.extra_keys[0].key.id);
    end(&t);
}

static void a_key_that_ended_is_replaced(void **state)
{
    struct other_test t;
    struct download_run r;
    begin(&t, state, (struct setup){0});
    download(&t, &r, &t.session);
    struct session s = r.session;
    atomic_store(&t.away.authorized, 0);
    download(&t, &r, &s);
    assert_true(r.changed);
    assert_int_equal(r.session.extra_keys[0].dc, 3);
    assert_int_equal(r.session.extra_keys[1].dc, 0);
    assert_true(r.session.extra_keys[0].key.id != s.extra_keys[0].key.id);
    assert_int_equal(atomic_load(&t.f->dcs[1]->handshakes), 2);
    end(&t);
}

static void without_warm_connections_it_works_the_same(void **state)
{
    struct other_test t;
    struct download_run r;
    begin(&t, state, (struct setup){.warm_s = OPTION_OFF});
    download(&t, &r, &t.session);
    struct session s = r.session;
    download(&t, &r, &s);
    assert_int_equal(atomic_load(&t.f->dcs[1]->handshakes), 1);
    assert_int_equal(METRIC(t.f, upstream_connections_open), 0);
    end(&t);
}

static void files_sent_round_in_circles_end(void **state)
{
    struct other_test t;
    struct download_run r;
    begin(&t, state, (struct setup){0});
    atomic_store(&t.away.migrate_to, 2);
    start_download(&t, &r, &t.session);
    handler_wait(r.run);
    assert_int_equal(r.run->task.call.error.status, 502);
    handler_free(r.run);
    end(&t);
}

/* ---- a home that moves ---- */

/* The value of the header, in `out`. */
static void session_header(const struct http_answer *a, char *out, size_t size)
{
    const char *at = strstr(a->head, "X-Session-String: ");
    assert_non_null(at);
    at += strlen("X-Session-String: ");
    snprintf(out, size, "%.*s", (int)strcspn(at, "\r"), at);
}

static void an_account_that_moved_is_followed(void **state)
{
    struct other_test t;
    struct http_answer a;
    char old[4096], moved[4096];
    begin(&t, state, (struct setup){0});
    atomic_store(&t.home.user_migrate, 3);
    seal_session(&t.session, old, sizeof old);
    client_call(t.f->port, "POST", READ_PATH, old, "", "{}", &a);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"this_dc\":3"));
    session_header(&a, moved, sizeof moved);

    client_call(t.f->port, "POST", READ_PATH, moved, "", "{}", &a);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"this_dc\":3"));
    assert_null(strstr(a.head, "X-Session-String"));
    /* The old string goes on to work, and costs no further key. */
    client_call(t.f->port, "POST", WRITE_PATH, old, "", WRITE_BODY, &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(atomic_load(&t.f->dcs[1]->handshakes), 1);
    assert_int_equal(atomic_load(&t.home.exported), 1);
    end(&t);
}

static void an_account_that_cannot_be_followed_is_an_error(void **state)
{
    struct other_test t;
    struct http_answer a;
    char session[4096];
    begin(&t, state, (struct setup){0});
    seal_session(&t.session, session, sizeof session);
    fake_order_error(t.f->dcs[0], 1, 303, "USER_MIGRATE_9");
    client_call(t.f->port, "POST", READ_PATH, session, "", "{}", &a);
    assert_int_equal(a.status, 502);
    assert_non_null(strstr(a.body, "UNKNOWN_DATA_CENTRE"));
    fake_order_error(t.f->dcs[0], 2, 303, "USER_MIGRATE_3"); /* the export too */
    client_call(t.f->port, "POST", READ_PATH, session, "", "{}", &a);
    assert_int_equal(a.status, 502);
    client_call(t.f->port, "POST", READ_PATH, session, "", "{}", &a);
    assert_int_equal(a.status, 200);
    end(&t);
}

static void upload_some(struct call *c)
{
    struct other_test *t = run_of(c)->arg;
    struct upload *u = upload_begin(c, -1);
    bool ok = u && upload_write(u, slice_of(t->away.content, FILE_BYTES));
    if (ok)
        upload_end(u, slice_str("x"));
    upload_free(u);
}

static void an_upload_follows_before_anything_is_saved(void **state)
{
    struct other_test t;
    begin(&t, state, (struct setup){0});
    atomic_store(&t.home.user_migrate, 3);
    struct handler_run *run = handler_start(t.f, &t.session, upload_some, &t);
    handler_wait(run);
    assert_int_equal(run->task.call.error.status, 0);
    assert_int_equal(run->task.call.session.dc, 3);
    assert_memory_equal(t.away.uploaded, t.away.content, FILE_BYTES);
    handler_free(run);
    end(&t);
}

/* The account moves when the first parts are there, and gone here. */
static void upload_while_it_moves(struct call *c)
{
    struct other_test *t = run_of(c)->arg;
    enum { PARTS = 4 * TRANSFER_PARTS_IN_FLIGHT };
    uint8_t *part = calloc(1, TRANSFER_PART_BYTES);
    struct upload *u = upload_begin(c, -1);
    bool ok = u != NULL;
    for (int i = 0; ok && i < PARTS; i++) {
        if (i == PARTS / 2)
            atomic_store(&t->home.user_migrate, 3);
        ok = upload_write(u, slice_of(part, TRANSFER_PART_BYTES));
    }
    assert_false(ok && upload_end(u, slice_str("x")));
    upload_free(u);
    free(part);
}

static void parts_that_are_gone_cannot_follow(void **state)
{
    struct other_test t;
    begin(&t, state, (struct setup){0});
    struct handler_run *run = handler_start(t.f, &t.session, upload_while_it_moves, &t);
    handler_wait(run);
    assert_int_equal(run->task.call.error.status, 503);
    assert_string_equal(run->task.call.error.code, "ACCOUNT_MOVED");
    assert_int_equal(run->task.call.session.dc, 3);
    handler_free(run);
    end(&t);
}

static void a_download_follows_too(void **state)
{
    struct other_test t;
    struct download_run r;
    begin(&t, state, (struct setup){0});
    atomic_store(&t.home.user_migrate, 3);
    t.said_dc = 0; /* at home, wherever that is */
    download(&t, &r, &t.session);
    assert_int_equal(r.session.dc, 3);
    assert_int_equal(r.session.extra_keys[0].dc, 2);
    end(&t);
}

/* ---- the end of them ---- */

static void logging_out_ends_every_key(void **state)
{
    struct other_test t;
    struct download_run r;
    struct http_answer a;
    char session[4096];
    begin(&t, state, (struct setup){0});
    download(&t, &r, &t.session);
    seal_session(&r.session, session, sizeof session);
    client_call(t.f->port, "DELETE", "/auth/logout", session, "", "", &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(atomic_load(&t.f->dcs[0]->destroyed), 1);
    assert_int_equal(atomic_load(&t.f->dcs[1]->destroyed), 1);
    end(&t);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* as the program does */
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_key_is_made_once_and_travels_in_the_session),
        T(clients_that_drop_the_new_string_pay_once),
        T(media_only_addresses_serve_files_and_nothing_else),
        T(calls_at_the_same_time_make_one_key),
        T(a_key_that_ended_is_replaced),
        T(without_warm_connections_it_works_the_same),
        T(files_sent_round_in_circles_end),
        T(an_account_that_moved_is_followed),
        T(an_account_that_cannot_be_followed_is_an_error),
        T(an_upload_follows_before_anything_is_saved),
        T(parts_that_are_gone_cannot_follow),
        T(a_download_follows_too),
        T(logging_out_ends_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
