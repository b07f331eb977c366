/* SPDX-License-Identifier: MIT
 * Transfers against a scripted data centre: the window, waits, lost links, ranges, limits. */
#include "gateway/handler_fixture.h"

#include <signal.h>
#include <sys/resource.h>

#include "gateway/file_dc.h"
#include "gateway/transfer.h"
#include "gateway/upload_limit.h"
#include "telegram/names.h"

struct transfer_test {
    struct fixture *f;
    struct file_dc files;
    struct session session;

    /* upload */
    const uint8_t *bytes;
    size_t len;
    size_t piece;      /* given to upload_write at once */
    int64_t bytes_max; /* as upload_begin is told */
    char ctor[32];     /* of what upload_end gave */
    int64_t parts;

    /* download */
    int64_t from, to, size;
    uint8_t *got;
    size_t n_got;
    unsigned renewed;

    bool has_deadline;
    struct call_error error;
    char error_code[64];
};

static uint64_t seed;

static void begin(struct transfer_test *t, void **state, size_t size, struct setup setup)
{
    *t = (struct transfer_test){.f = *state, .bytes_max = -1, .piece = 100 * 1000, .size = -1};
    file_dc_attach(t->f->dcs[0], &t->files, size);
    start_gateway(t->f, setup);
    t->session = new_session(t->f);
    t->bytes = t->files.content;
    t->len = size;
    t->to = INT64_MAX;
}

/* Also the proof that nothing is left on its way: a gateway that still used a connection would not
 * end, and memory is counted. */
static void end(struct transfer_test *t)
{
    if (t->f->gateway)
        stop_gateway(t->f);
    file_dc_detach(t->f->dcs[0], &t->files);
    free(t->got);
}

static void note_error(struct transfer_test *t, struct handler_run *run)
{
    t->error = run->task.call.error;
    snprintf(t->error_code, sizeof t->error_code, "%s", t->error.code ? t->error.code : "");
}

static void run(struct transfer_test *t, void (*handle)(struct call *))
{
    struct handler_run *run = handler_start(t->f, &t->session, handle, t);
    handler_wait(run);
    note_error(t, run);
    handler_free(run);
}

/* ---- uploads ---- */

static void upload_all(struct call *c)
{
    struct transfer_test *t = run_of(c)->arg;
    struct upload *u = upload_begin(c, t->bytes_max);
    bool ok = u != NULL;
    for (size_t at = 0; ok && at < t->len; at += t->piece) {
        size_t left = t->len - at;
        ok = upload_write(u, slice_of(t->bytes + at, left < t->piece ? left : t->piece));
    }
    const struct tl_object *file = ok ? upload_end(u, slice_str("name.bin")) : NULL;
    if (file) {
        snprintf(t->ctor, sizeof t->ctor, "%s", file->ctor->name);
        t->parts = tl_int(file, F_parts);
    }
    upload_free(u);
}

static void assert_uploaded(const struct transfer_test *t)
{
    assert_string_equal(t->error_code, "");
    assert_false(atomic_load(&t->files.broken_rule));
    int64_t parts = ((int64_t)t->len + FILE_PART - 1) / FILE_PART;
    assert_int_equal(t->parts, parts);
    assert_memory_equal(t->files.uploaded, t->bytes, t->len);
    for (int64_t i = 0; i < parts; i++)
        assert_int_equal(t->files.part_len[i],
                         i + 1 < parts ? FILE_PART : t->len - (size_t)i * FILE_PART);
}

static void small_files_go_as_small_parts(void **state)
{
    static const size_t sizes[] = {1, 253, 254, 255, FILE_PART, FILE_PART + 1, 3 * FILE_PART + 5};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct transfer_test t;
        begin(&t, state, sizes[i], (struct setup){0});
        t.bytes_max = (int64_t)sizes[i] + 300;
        run(&t, upload_all);
        assert_uploaded(&t);
        assert_string_equal(t.ctor, "inputFile");
        assert_int_equal(atomic_load(&t.files.small), t.parts);
        end(&t);
    }
}

static void only_the_last_streamed_part_says_how_many_there_are(void **state)
{
    static const size_t sizes[] = {
        1, 200, FILE_PART - 1, FILE_PART, FILE_PART + 1, 4 * FILE_PART, 21 * FILE_PART + 77};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct transfer_test t;
        begin(&t, state, sizes[i], (struct setup){0});
        run(&t, upload_all);
        assert_uploaded(&t);
        assert_string_equal(t.ctor, "inputFileBig");
        assert_int_equal(atomic_load(&t.files.big), t.parts);
        assert_int_equal(atomic_load(&t.files.total), t.parts);
        end(&t);
    }
}

static void nothing_is_no_file(void **state)
{
    struct transfer_test t;
    begin(&t, state, 0, (struct setup){0});
    run(&t, upload_all);
    assert_string_equal(t.error_code, "FILE_EMPTY");
    end(&t);
}

static void eight_parts_are_on_their_way_and_small_calls_pass_them(void **state)
{
    struct transfer_test t;
    struct http_answer a;
    begin(&t, state, 20 * FILE_PART, (struct setup){0});
    struct fake_dc *dc = t.f->dcs[0];
    t.piece = t.len;
    atomic_store(&dc->hold, true);
    struct handler_run *run = handler_start(t.f, &t.session, upload_all, &t);
    WAIT_FOR(atomic_load(&dc->holding) == TRANSFER_PARTS_IN_FLIGHT);
    /* Whatever more the upload would send was queued before this call. */
    atomic_store(&dc->hold, false);
    char session[2048];
    seal_session(&t.session, session, sizeof session);
    client_call(t.f->port, "POST", READ_PATH, session, "", "{}", &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(atomic_load(&t.files.big), TRANSFER_PARTS_IN_FLIGHT);
    fake_release(dc);
    handler_wait(run);
    note_error(&t, run);
    handler_free(run);
    assert_uploaded(&t);
    assert_int_equal(atomic_load(&dc->connections), 1);
    end(&t);
}

static void waits_are_slept_out_without_being_asked_for(void **state)
{
    static const char *const names[] = {"FLOOD_WAIT_1", "FLOOD_PREMIUM_WAIT_1"};
    for (size_t i = 0; i < 2; i++) {
        struct transfer_test t;
        begin(&t, state, 10 * FILE_PART + 1, (struct setup){0});
        fake_order_error(t.f->dcs[0], 3, 420, names[i]);
        run(&t, upload_all);
        assert_uploaded(&t);
        assert_int_equal(METRIC(t.f, flood_waits_slept_total) > 0, true);
        end(&t);
    }
}

static void long_waits_end_the_transfer(void **state)
{
    struct transfer_test t;
    begin(&t, state, FILE_PART, (struct setup){0});
    fake_order_error(t.f->dcs[0], 2, 420, "FLOOD_WAIT_121"); /* of the home, of a part */
    run(&t, upload_all);
    assert_int_equal(t.error.status, 429);
    assert_int_equal(t.error.wait_s, 121);
    end(&t);
}

static void busy_servers_are_asked_again(void **state)
{
    struct transfer_test t;
    begin(&t, state, 2 * FILE_PART, (struct setup){0});
    fake_order_error(t.f->dcs[0], 3, 500, "RPC_CALL_FAIL");
    run(&t, upload_all);
    assert_uploaded(&t);
    end(&t);
}

static void other_errors_end_the_transfer(void **state)
{
    struct transfer_test t;
    begin(&t, state, 9 * FILE_PART, (struct setup){0});
    fake_order_error(t.f->dcs[0], 2, 400, "FILE_PART_SIZE_INVALID");
    run(&t, upload_all);
    assert_int_equal(t.error.status, 400);
    assert_string_equal(t.error_code, "FILE_PART_SIZE_INVALID");
    end(&t);
}

static void lost_links_lose_no_part(void **state)
{
    static const int faults[] = {FAULT_DROP_BEFORE, FAULT_DROP_AFTER, FAULT_FORGET, FAULT_BAD_SALT};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct transfer_test t;
        begin(&t, state, 24 * FILE_PART + 3, (struct setup){0});
        struct fake_dc *dc = t.f->dcs[0];
        struct handler_run *run = handler_start(t.f, &t.session, upload_all, &t);
        for (int hit = 1; hit <= 3; hit++) {
            WAIT_FOR(atomic_load(&t.files.big) >= 5 * hit || handler_has_ended(run));
            atomic_store(&dc->fault, faults[i]);
        }
        handler_wait(run);
        note_error(&t, run);
        handler_free(run);
        assert_uploaded(&t);
        atomic_store(&dc->fault, FAULT_NONE);
        end(&t);
    }
}

/* With nothing to connect with a part is refused while it is being sent. */
static void parts_outlast_a_time_without_descriptors(void **state)
{
    struct transfer_test t;
    struct rlimit usual, none;
    begin(&t, state, 12 * FILE_PART, (struct setup){.timeout_s = 8});
    struct fake_dc *dc = t.f->dcs[0];
    atomic_store(&dc->hold, true);
    struct handler_run *run = handler_start(t.f, &t.session, upload_all, &t);
    WAIT_FOR(atomic_load(&dc->holding) == TRANSFER_PARTS_IN_FLIGHT);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none = (struct rlimit){.rlim_max = usual.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    atomic_store(&dc->fault, FAULT_DROP_BEFORE); /* of the parts that follow */
    fake_release(dc);
    /* Four lose the link, all that come then meet none. */
    WAIT_FOR(METRIC(t.f, upstream_connect_failures_total) > 4 || handler_has_ended(run));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    handler_wait(run);
    note_error(&t, run);
    handler_free(run);
    assert_uploaded(&t);
    end(&t);
}

static void a_client_that_leaves_ends_it(void **state)
{
    struct transfer_test t;
    begin(&t, state, 20 * FILE_PART, (struct setup){0});
    struct fake_dc *dc = t.f->dcs[0];
    atomic_store(&dc->hold, true);
    struct handler_run *run = handler_start(t.f, &t.session, upload_all, &t);
    WAIT_FOR(atomic_load(&dc->holding) == TRANSFER_PARTS_IN_FLIGHT);
    handler_leave(run);
    handler_wait(run);
    note_error(&t, run);
    handler_free(run);
    assert_string_equal(t.error_code, "CLIENT_GONE");
    fake_release(dc);
    end(&t);
}

static void progress_moves_the_deadline_and_silence_does_not(void **state)
{
    struct transfer_test t;
    begin(&t, state, 3 * FILE_PART, (struct setup){.timeout_s = 1});
    struct fake_dc *dc = t.f->dcs[0];
    fake_order_error(dc, 1, 420, "FLOOD_WAIT_2"); /* longer than the whole call may last */
    run(&t, upload_all);
    assert_uploaded(&t);
    atomic_store(&dc->hold, true);
    run(&t, upload_all);
    assert_string_equal(t.error_code, "TIMEOUT");
    fake_release(dc);
    end(&t);
}

/* As a stream that waits for its client while a pause is allowed for. */
static void wait_for_client(struct call *c)
{
    struct transfer_test *t = run_of(c)->arg;
    struct task *task = task_of(c);
    task_progress(task, NS_PER_S);
    worker_disarm(task->owner, &task->deadline);
    task_progress(task, 0);
    t->has_deadline = list_linked(&task->deadline.link);
}

static void a_deadline_that_was_put_off_comes_back(void **state)
{
    struct transfer_test t;
    begin(&t, state, 0, (struct setup){0});
    run(&t, wait_for_client);
    assert_true(t.has_deadline);
    end(&t);
}

static void ask_whether_it_fits(struct call *c)
{
    struct transfer_test *t = run_of(c)->arg;
    assert_true(upload_fits(c, t->bytes_max) == (c->error.status == 0));
}

static void assert_limit(struct transfer_test *t, int64_t parts)
{
    t->bytes_max = parts * FILE_PART;
    run(t, ask_whether_it_fits);
    assert_string_equal(t->error_code, "");
    t->bytes_max++;
    run(t, ask_whether_it_fits);
    assert_int_equal(t->error.status, 413);
    assert_string_equal(t->error_code, "FILE_TOO_LARGE");
}

static void what_fits_is_the_account_s(void **state)
{
    struct transfer_test t;
    begin(&t, state, 1, (struct setup){0});
    t.bytes_max = 4000LL * FILE_PART;
    run(&t, ask_whether_it_fits);
    assert_int_equal(atomic_load(&t.f->dcs[0]->connections), 0);
    assert_limit(&t, 4000);
    atomic_store(&t.files.premium, true);
    assert_limit(&t, 8000);
    assert_int_equal(atomic_load(&t.files.config_asked), 1);
    end(&t);
}

/* ---- downloads ---- */

/* Any location with a number in it will do: here access_hash is the file reference. */
static const struct tl_object *location(struct call *c, int64_t reference)
{
    struct tl_builder b = tl_builder_of(c->schema, c->arena);
    struct tl_object *o =
        tl_new_ctor(&b, tl_schema_by_name(c->schema, slice_str("inputDocumentFileLocation")));
    const char *const empty[] = {"file_reference", "thumb_size"};
    for (size_t i = 0; i < 2; i++) {
        int at = tl_field_by_name(o->ctor, slice_str(empty[i]));
        o->fields[at] = (struct tl_value){.kind = i ? TL_STRING : TL_BYTES, .bytes = (uint8_t *)""};
    }
    tl_set_int(o, F_id, 1);
    tl_set_int(o, F_access_hash, reference);
    return o;
}

static bool renew(struct call *c, void *arg, struct file_place *place)
{
    struct transfer_test *t = arg;
    t->renewed++;
    place->location = location(c, atomic_load(&t->files.reference));
    return call_sleep(c, 1); /* it may suspend */
}

static void download_all(struct call *c)
{
    struct transfer_test *t = run_of(c)->arg;
    struct file_place place = {.dc = 2, .location = location(c, 1), .size = t->size};
    struct download *d = download_begin(c, &place, renew, t, t->from, t->to);
    struct slice bytes = {0};
    t->got = realloc(t->got, t->files.size + FILE_PART);
    t->n_got = 0;
    while (d && download_read(d, &bytes) && bytes.len > 0) {
        memcpy(t->got + t->n_got, bytes.data, bytes.len);
        t->n_got += bytes.len;
    }
    download_free(d);
}

static void assert_downloaded(const struct transfer_test *t)
{
    size_t size = t->files.size;
    size_t from = (size_t)t->from < size ? (size_t)t->from : size;
    size_t to = t->to < (int64_t)size ? (size_t)t->to : size;
    assert_string_equal(t->error_code, "");
    assert_false(atomic_load(&t->files.broken_rule));
    assert_int_equal(t->n_got, to > from ? to - from : 0);
    assert_memory_equal(t->got, t->files.content + from, t->n_got);
}

static void whole_files_come_whole(void **state)
{
    static const size_t sizes[] = {
        0, 1, 4095, 4096, FILE_PART, FILE_PART + 1, 8 * FILE_PART, 19 * FILE_PART + 4097};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct transfer_test t;
        begin(&t, state, sizes[i], (struct setup){0});
        run(&t, download_all);
        assert_downloaded(&t);
        t.size = t.to = (int64_t)sizes[i];
        run(&t, download_all);
        assert_downloaded(&t);
        end(&t);
    }
}

static void ranges_are_cut_to_the_byte(void **state)
{
    struct transfer_test t;
    struct rng rng;
    begin(&t, state, 3 * FILE_PART + 12345, (struct setup){0});
    rng_init_seed(&rng, seed);
    t.size = (int64_t)t.files.size;
    for (int i = 0; i < 60; i++) {
        uint64_t span = i % 2 ? t.files.size : 9000;
        t.from = (int64_t)(rng_u64(&rng) % (t.files.size + 100));
        t.to = t.from + (int64_t)(rng_u64(&rng) % span);
        run(&t, download_all);
        assert_downloaded(&t);
    }
    end(&t);
}

static void short_ranges_ask_for_little(void **state)
{
    struct transfer_test t;
    begin(&t, state, 20 * FILE_PART, (struct setup){0});
    t.size = (int64_t)t.files.size;
    t.from = 5 * FILE_PART + 10;
    t.to = t.from + 1000;
    run(&t, download_all);
    assert_downloaded(&t);
    assert_int_equal(atomic_load(&t.files.served), 1);
    end(&t);
}

static void a_file_that_ends_early_is_an_error(void **state)
{
    struct transfer_test t;
    begin(&t, state, FILE_PART + 5, (struct setup){0});
    t.size = t.to = FILE_PART + 6;
    run(&t, download_all);
    assert_int_equal(t.error.status, 502);
    end(&t);
}

static void expired_references_are_made_anew(void **state)
{
    struct transfer_test t;
    begin(&t, state, 20 * FILE_PART, (struct setup){0});
    atomic_store(&t.files.expired_from, 9);
    run(&t, download_all);
    assert_downloaded(&t);
    assert_int_equal(t.renewed, 1);
    end(&t);
}

static void references_that_stay_bad_end_it(void **state)
{
    struct transfer_test t;
    begin(&t, state, FILE_PART, (struct setup){0});
    fake_order_error(t.f->dcs[0], 100, 400, "FILE_REFERENCE_INVALID");
    run(&t, download_all);
    assert_string_equal(t.error_code, "FILE_REFERENCE_INVALID");
    assert_int_equal(t.renewed, 3);
    end(&t);
}

static void downloads_survive_lost_links_and_waits(void **state)
{
    static const int faults[] = {FAULT_DROP_BEFORE, FAULT_DROP_AFTER, FAULT_FORGET};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct transfer_test t;
        begin(&t, state, 30 * FILE_PART + 3, (struct setup){0});
        struct fake_dc *dc = t.f->dcs[0];
        fake_order_error(dc, 2, 420, "FLOOD_PREMIUM_WAIT_1");
        struct handler_run *run = handler_start(t.f, &t.session, download_all, &t);
        for (int hit = 1; hit <= 3; hit++) {
            WAIT_FOR(atomic_load(&t.files.served) >= 7 * hit || handler_has_ended(run));
            atomic_store(&dc->fault, faults[i]);
        }
        handler_wait(run);
        note_error(&t, run);
        handler_free(run);
        assert_downloaded(&t);
        atomic_store(&dc->fault, FAULT_NONE);
        end(&t);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    const char *given = getenv("TGREST_TEST_SEED");
    seed = given ? strtoull(given, NULL, 10) : (uint64_t)uv_hrtime();
    printf("TGREST_TEST_SEED=%llu\n", (unsigned long long)seed);
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(small_files_go_as_small_parts),
        T(only_the_last_streamed_part_says_how_many_there_are),
        T(nothing_is_no_file),
        T(eight_parts_are_on_their_way_and_small_calls_pass_them),
        T(waits_are_slept_out_without_being_asked_for),
        T(long_waits_end_the_transfer),
        T(busy_servers_are_asked_again),
        T(other_errors_end_the_transfer),
        T(lost_links_lose_no_part),
        T(parts_outlast_a_time_without_descriptors),
        T(a_client_that_leaves_ends_it),
        T(progress_moves_the_deadline_and_silence_does_not),
        T(a_deadline_that_was_put_off_comes_back),
        T(what_fits_is_the_account_s),
        T(whole_files_come_whole),
        T(ranges_are_cut_to_the_byte),
        T(short_ranges_ask_for_little),
        T(a_file_that_ends_early_is_an_error),
        T(expired_references_are_made_anew),
        T(references_that_stay_bad_end_it),
        T(downloads_survive_lost_links_and_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
