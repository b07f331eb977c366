/* SPDX-License-Identifier: MIT
 * Files: what goes up comes down, the rules of parts and ranges, references, memory. */
#include "files_harness.h"
#include "sandbox/peer_photo.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

struct pair {
    struct harness *h;
    struct user *ann, *ben;
    uint8_t *noise;
    struct rng rng;
};
enum { NOISE_BYTES = 12 * MIB };

static struct pair pair_new_in(const char *schema)
{
    struct pair p = {.h = harness_new(schema), .noise = malloc(NOISE_BYTES)};
    p.ann = add_account(p.h, "9996620101", "Ann");
    p.ben = add_account(p.h, "9996620102", "Ben");
    rng_init_seed(&p.rng, test_seed());
    assert_non_null(p.noise);
    rng_fill(&p.rng, p.noise, NOISE_BYTES);
    return p;
}

static struct pair pair_new(void)
{
    return pair_new_in(NULL);
}

static void pair_free(struct pair *p)
{
    free(p->noise);
    harness_free(p->h);
}

/* Ann sends Ben a document of the first `size` bytes of noise. */
static struct named_file document(struct pair *p, int64_t file_id, size_t size)
{
    int32_t parts = upload_small(p->h, p->ann, file_id, slice_of(p->noise, size), 512 * KIB);
    const struct tl_object *media =
        send_file(p->h, p->ann, p->ben->id, file_id, parts, "a.txt", DOCUMENT);
    if (!media)
        fail_msg("not sent: %s", p->h->error);
    return name_file(media);
}

static void assert_range(struct pair *p, const struct named_file *f, int64_t offset, int32_t limit,
                         size_t size)
{
    const struct tl_object *o = get_file(p->h, p->ann, f, offset, limit, true);
    if (!o)
        fail_msg("offset %lld limit %d: %s", (long long)offset, limit, p->h->error);
    struct slice bytes = tl_text(o, F_bytes);
    size_t from = (size_t)offset < size ? (size_t)offset : size;
    size_t len = size - from < (size_t)limit ? size - from : (size_t)limit;
    assert_int_equal(bytes.len, len);
    assert_memory_equal(bytes.data, p->noise + from, len);
}

/* ---- there and back ---- */

static void what_goes_up_comes_down(void **state)
{
    (void)state;
    struct pair p = pair_new();
    static const size_t sizes[] = {1,       1023,       512 * KIB,       512 * KIB + 1,
                                   MIB - 1, MIB + 4096, 3 * MIB + 12345, 10 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct named_file f = document(&p, (int64_t)i + 1, sizes[i]);
        for (int64_t offset = 0; offset <= (int64_t)sizes[i]; offset += MIB)
            assert_range(&p, &f, offset, MIB, sizes[i]);
        for (int k = 0; k < 50; k++) { /* anywhere inside one block of 1 MiB */
            int64_t offset = (int64_t)rng_below(&p.rng, sizes[i] / KIB + 5) * KIB;
            int64_t most = (MIB - offset % MIB) / KIB;
            assert_range(&p, &f, offset, (int32_t)(1 + rng_below(&p.rng, (uint64_t)most)) * KIB,
                         sizes[i]);
        }
    }
    pair_free(&p);
}

static void parts_come_in_any_order_and_twice(void **state)
{
    (void)state;
    struct pair p = pair_new();
    enum { PARTS = 9, PART_BYTES = 32 * KIB };
    size_t size = PARTS * PART_BYTES - 100;
    for (int round = 0; round < 50; round++) {
        int32_t order[PARTS];
        for (int32_t i = 0; i < PARTS; i++) {
            int32_t k = (int32_t)rng_below(&p.rng, (uint64_t)i + 1);
            order[i] = order[k];
            order[k] = i;
        }
        for (int i = 0; i < PARTS; i++) {
            struct slice part = part_of(slice_of(p.noise, size), PART_BYTES, order[i]);
            for (uint64_t twice = rng_below(&p.rng, 2) + 1; twice > 0; twice--)
                if (save_part(p.h, p.ann, 100 + round, order[i], part))
                    fail_msg("part %d: %s", order[i], p.h->error);
        }
        const struct tl_object *media =
            send_file(p.h, p.ann, p.ben->id, 100 + round, PARTS, "a", DOCUMENT);
        assert_non_null(media);
        struct named_file f = name_file(media);
        assert_range(&p, &f, 0, MIB, size);
    }
    pair_free(&p);
}

static void a_stream_ends_with_its_total(void **state)
{
    (void)state;
    struct pair p = pair_new();
    enum { PART = 512 * KIB };
    static const struct {
        size_t last;         /* bytes of the last part */
        int32_t part, total; /* that carry it */
    } ends[] = {{7, 2, 3}, {PART, 2, 3}, {0, 2, 3}, {0, 2, 2}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        int64_t id = 200 + (int64_t)i;
        for (int32_t k = 0; k < 2; k++)
            assert_null(save_big(p.h, p.ann, id, k, -1, slice_of(p.noise + k * PART, PART)));
        static const char format[] =
            "{\"_\": \"inputMediaUploadedDocument\", \"mime_type\": \"\", \"attributes\": [], "
            "\"file\": {\"_\": \"inputFileBig\", \"id\": %lld, \"parts\": %d, \"name\": \"a\"}}";
        char media[512], query[1024];
        snprintf(media, sizeof media, format, (long long)id, ends[i].total);
        snprintf(query, sizeof query,
                 "{\"peer\": %lld, \"message\": \"\", \"random_id\": %d, \"media\": %s}",
                 (long long)p.ben->id, 900 + (int)i, media);
        assert_non_null(call_error(p.h, p.ann, "messages.sendMedia", "%s", query));
        assert_null(save_big(p.h, p.ann, id, ends[i].part, ends[i].total,
                             slice_of(p.noise + 2 * PART, ends[i].last)));
        const struct tl_object *o = call(p.h, p.ann, "messages.sendMedia", "%s", query);
        const struct tl_object *message = tl_obj(tl_item_obj(o, F_updates, 1), F_message);
        struct named_file f = name_file(tl_obj(message, F_media));
        assert_range(&p, &f, 0, MIB, 2 * PART + ends[i].last);
        assert_range(&p, &f, MIB, MIB, 2 * PART + ends[i].last);
    }
    pair_free(&p);
}

/* ---- refused parts ---- */

static void parts_are_refused_by_telegrams_rules(void **state)
{
    (void)state;
    struct pair p = pair_new();
    static const struct {
        const char *error;
        int32_t part, total; /* total 0: saveFilePart */
        int32_t len;
        int32_t first_part, first_total, first_len; /* what came before; len 0: nothing */
    } cases[] = {
        {"FILE_PART_EMPTY", 0, 0, 0, 0, 0, 0},
        {"FILE_PART_TOO_BIG", 0, 0, 512 * KIB + 1, 0, 0, 0},
        {"FILE_PART_INVALID", -1, 0, KIB, 0, 0, 0},
        {"FILE_PART_INVALID", 4000, 0, KIB, 0, 0, 0},
        {"FILE_PART_SIZE_CHANGED", 1, 0, 8 * KIB, 0, 0, 4 * KIB},
        {"FILE_PART_SIZE_CHANGED", 0, 0, 4 * KIB, 1, 0, 8 * KIB},
        {"FILE_PART_SIZE_CHANGED", 0, 0, 4 * KIB, 0, 0, 8 * KIB},
        {"FILE_PART_SIZE_INVALID", 1, 0, 1000, 0, 0, 1000},
        {"FILE_PART_SIZE_INVALID", 1, 0, 3 * KIB, 0, 0, 3 * KIB},
        {"FILE_PARTS_INVALID", 0, -2, KIB, 0, 0, 0},
        {"FILE_PARTS_INVALID", 0, 4001, KIB, 0, 0, 0},
        {"FILE_PARTS_INVALID", 1, 30, KIB, 0, 20, KIB},
        {"FILE_PARTS_INVALID", 1, 2, KIB, 5, -1, KIB},
        {"FILE_PART_INVALID", 20, 20, KIB, 0, 0, 0},
        {"FILE_PART_SIZE_INVALID", 3, 20, 1000, 0, 0, 0},
        {"FILE_PART_SIZE_INVALID", 3, -1, 1000, 0, 0, 0},
        {"FILE_PART_EMPTY", 3, -1, 0, 0, 0, 0},
        {"FILE_PART_EMPTY", 3, 20, 0, 0, 0, 0},
        {"FILE_PART_EMPTY", 0, 1, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t id = 300 + (int64_t)i;
        if (cases[i].first_len) {
            struct slice first = slice_of(p.noise, (size_t)cases[i].first_len);
            assert_null(
                cases[i].first_total
                    ? save_big(p.h, p.ann, id, cases[i].first_part, cases[i].first_total, first)
                    : save_part(p.h, p.ann, id, cases[i].first_part, first));
        }
        struct slice bytes = slice_of(p.noise, (size_t)cases[i].len);
        const char *error = cases[i].total
                                ? save_big(p.h, p.ann, id, cases[i].part, cases[i].total, bytes)
                                : save_part(p.h, p.ann, id, cases[i].part, bytes);
        if (!error || strcmp(error, cases[i].error) != 0)
            fail_msg("case %zu: %s, not %s", i, error ? error : "taken", cases[i].error);
    }
    p.ann->flags |= USER_PREMIUM; /* twice as many */
    assert_null(save_part(p.h, p.ann, 1, 4000, slice_of(p.noise, KIB)));
    assert_null(save_big(p.h, p.ann, 2, 7999, 8000, slice_of(p.noise, KIB)));
    pair_free(&p);
}

static void files_that_are_not_whole_are_refused(void **state)
{
    (void)state;
    struct pair p = pair_new();
    struct slice whole = slice_of(p.noise, 3 * KIB);
    assert_null(send_file(p.h, p.ann, p.ben->id, 1, 1, "a", DOCUMENT)); /* never came */
    assert_string_equal(p.h->error, "FILE_PART_0_MISSING");
    assert_null(save_part(p.h, p.ann, 2, 0, part_of(whole, KIB, 0)));
    assert_null(save_part(p.h, p.ann, 2, 2, part_of(whole, KIB, 2)));
    assert_null(send_file(p.h, p.ann, p.ben->id, 2, 3, "a", DOCUMENT));
    assert_string_equal(p.h->error, "FILE_PART_1_MISSING");
    assert_null(save_part(p.h, p.ann, 2, 1, part_of(whole, KIB, 1)));
    assert_null(send_file(p.h, p.ann, p.ben->id, 2, 2, "a", DOCUMENT));
    assert_string_equal(p.h->error, "FILE_PARTS_INVALID");
    assert_null(send_file(p.h, p.ann, p.ben->id, 2, 0, "a", DOCUMENT));
    assert_string_equal(p.h->error, "FILE_PARTS_INVALID");
    assert_null(send_file(p.h, p.ben, p.ann->id, 2, 3, "a", DOCUMENT)); /* Ann's, not Ben's */
    assert_string_equal(p.h->error, "FILE_PART_0_MISSING");
    assert_non_null(send_file(p.h, p.ann, p.ben->id, 2, 3, "a", DOCUMENT));
    p.h->now += UPLOAD_LIFETIME_S + 1;
    assert_null(send_file(p.h, p.ann, p.ben->id, 2, 3, "a", DOCUMENT));
    assert_string_equal(p.h->error, "FILE_PART_0_MISSING");
    int32_t parts = upload_small(p.h, p.ann, 3, slice_of(p.noise, 10 * MIB + 1), 512 * KIB);
    assert_null(send_file(p.h, p.ann, p.ben->id, 3, parts, "a", DOCUMENT)); /* is a big file */
    assert_string_equal(p.h->error, "FILE_PARTS_INVALID");
    pair_free(&p);
}

static void the_md5_of_a_small_file_is_checked(void **state)
{
    (void)state;
    struct pair p = pair_new();
    static const struct {
        const char *md5, *error;
    } cases[] = {{"900150983cd24fb0d6963f7d28e17f72", NULL}, /* RFC 1321: of "abc" */
                 {"900150983CD24FB0D6963F7D28E17F72", NULL},
                 {"900150983cd24fb0d6963f7d28e17f73", "MD5_CHECKSUM_INVALID"},
                 {"9001", "MD5_CHECKSUM_INVALID"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(save_part(p.h, p.ann, 1, 0, slice_str("abc")));
        char query[1024];
        snprintf(query, sizeof query,
                 "{\"peer\": \"me\", \"message\": \"\", \"random_id\": %d, \"media\": {\"_\": "
                 "\"inputMediaUploadedDocument\", \"mime_type\": \"\", \"attributes\": [], "
                 "\"file\": {\"_\": \"inputFile\", \"id\": 1, \"parts\": 1, \"name\": \"a\", "
                 "\"md5_checksum\": \"%s\"}}}",
                 (int)i + 1, cases[i].md5);
        harness_run(p.h, p.ann, "messages.sendMedia", query);
        if (cases[i].error)
            assert_string_equal(p.h->error, cases[i].error);
        else
            assert_null(p.h->error);
    }
    pair_free(&p);
}

/* ---- refused ranges, references ---- */

static void ranges_are_refused_by_telegrams_rules(void **state)
{
    (void)state;
    struct pair p = pair_new();
    struct named_file f = document(&p, 1, 2 * MIB);
    static const struct {
        int64_t offset;
        int32_t limit;
        bool precise;
        const char *error;
    } cases[] = {
        {0, 4096, false, NULL},
        {0, MIB, false, NULL},
        {4096, 4096, false, NULL},
        {1024, 1024, true, NULL},
        {1024, MIB - 1024, true, NULL},
        {3 * MIB, MIB, false, NULL}, /* past the end */
        {1024, 4096, false, "OFFSET_INVALID"},
        {-4096, 4096, false, "OFFSET_INVALID"},
        {100, 1024, true, "OFFSET_INVALID"},
        {0, 1024, false, "LIMIT_INVALID"},
        {0, 0, false, "LIMIT_INVALID"},
        {0, -4096, false, "LIMIT_INVALID"},
        {0, 3 * 4096, false, "LIMIT_INVALID"}, /* 1 MiB is no multiple */
        {0, 3 * 4096, true, NULL},
        {0, 2 * MIB, false, "LIMIT_INVALID"},
        {0, MIB + 1024, true, "LIMIT_INVALID"},
        {512 * KIB, MIB, false, "LIMIT_INVALID"}, /* reaches into the next MiB */
        {1024, MIB, true, "LIMIT_INVALID"},
        {0, 1000, true, "LIMIT_INVALID"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        get_file(p.h, p.ann, &f, cases[i].offset, cases[i].limit, cases[i].precise);
        const char *error = p.h->error;
        if (!error != !cases[i].error || (error && strcmp(error, cases[i].error) != 0))
            fail_msg("case %zu: %s", i, error ? error : "taken");
    }
    pair_free(&p);
}

static const char *get_error(struct pair *p, struct user *u, const struct named_file *f)
{
    get_file(p->h, u, f, 0, 4096, false);
    return p->h->error ? p->h->error : "";
}

static void references_end_and_are_ones_own(void **state)
{
    (void)state;
    struct pair p = pair_new();
    struct named_file f = document(&p, 1, 100), bad = f;
    assert_string_equal(get_error(&p, p.ann, &f), "");
    bad.reference_len = 0;
    assert_string_equal(get_error(&p, p.ann, &bad), "FILE_REFERENCE_EMPTY");
    bad = f;
    bad.reference[20] ^= 1;
    assert_string_equal(get_error(&p, p.ann, &bad), "FILE_REFERENCE_INVALID");
    bad = f;
    bad.reference[0] ^= 1; /* a later slot than it was given in */
    assert_string_equal(get_error(&p, p.ann, &bad), "FILE_REFERENCE_INVALID");
    bad = f;
    bad.access_hash ^= 1;
    assert_string_equal(get_error(&p, p.ann, &bad), "FILE_ID_INVALID");
    bad = f;
    bad.id ^= 1;
    assert_string_equal(get_error(&p, p.ann, &bad), "FILE_ID_INVALID");
    bad = f;
    bad.size[0] = 'm';
    assert_string_equal(get_error(&p, p.ann, &bad), "LOCATION_INVALID");
    assert_string_equal(get_error(&p, p.ben, &f), "FILE_ID_INVALID"); /* Ann's hash */
    p.h->now += FILE_REFERENCE_SLOT_S;
    assert_string_equal(get_error(&p, p.ann, &f), "");
    p.h->now += FILE_REFERENCE_SLOT_S;
    assert_string_equal(get_error(&p, p.ann, &f), "FILE_REFERENCE_EXPIRED");
    /* looking at the message again gives another one */
    for (int i = 0; i < 2; i++) {
        const struct tl_object *o = call(p.h, p.ann, "messages.getMessages", "{\"id\": [1]}");
        f = name_file(tl_obj(tl_item_obj(o, F_messages, 0), F_media));
        assert_string_equal(get_error(&p, p.ann, &f), "");
        p.h->world->files.generation++; /* expire_references */
        assert_string_equal(get_error(&p, p.ann, &f), "FILE_REFERENCE_EXPIRED");
    }
    pair_free(&p);
}

/* ---- memory ---- */

static void equal_parts_are_held_once(void **state)
{
    (void)state;
    struct pair p = pair_new();
    size_t before = p.h->world->files.store.bytes;
    for (int32_t i = 0; i < 4000; i++) /* 2,000 MiB of the same 512 KiB */
        assert_null(save_big(p.h, p.ann, 1, i, 4000, slice_of(p.noise, 512 * KIB)));
    assert_int_equal(p.h->world->files.store.bytes, before + 512 * KIB);
    pair_free(&p);
}

static void files_that_nobody_shows_make_room(void **state)
{
    (void)state;
    struct pair p = pair_new();
    struct file_store *store = &p.h->world->files.store;
    store->bytes_max = store->bytes + 2 * MIB;
    struct named_file first = document(&p, 1, MIB);
    p.h->now += UPLOAD_LIFETIME_S + 1; /* its parts are no upload any more */
    assert_null(save_part(p.h, p.ann, 2, 0, slice_of(p.noise + MIB, 512 * KIB)));
    assert_null(save_part(p.h, p.ann, 2, 1, slice_of(p.noise + 3 * MIB / 2, 512 * KIB)));
    assert_string_equal(save_part(p.h, p.ann, 2, 2, slice_of(p.noise + 2 * MIB, 512 * KIB)),
                        "FILE_MEMORY_FULL");
    call(p.h, p.ann, "messages.deleteMessages", "{\"id\": [1], \"revoke\": true}");
    assert_null(save_part(p.h, p.ann, 2, 2, slice_of(p.noise + 2 * MIB, 512 * KIB)));
    get_file(p.h, p.ann, &first, 0, 4096, false);
    assert_string_equal(p.h->error, "FILE_ID_INVALID");
    assert_true(store->bytes <= store->bytes_max);
    pair_free(&p);
}

/* ---- albums ---- */

static struct named_file uploaded(struct pair *p, int64_t file_id, const char *attribute)
{
    assert_null(save_part(p->h, p->ann, file_id, 0, slice_of(p->noise + file_id, KIB)));
    const struct tl_object *o =
        call(p->h, p->ann, "messages.uploadMedia",
             "{\"peer\": %lld, \"media\": {\"_\": \"inputMediaUploadedDocument\", \"mime_type\": "
             "\"video/mp4\", \"attributes\": [%s], \"file\": {\"_\": \"inputFile\", \"id\": %lld, "
             "\"parts\": 1, \"name\": \"a\", \"md5_checksum\": \"\"}}}",
             (long long)p->ben->id, attribute, (long long)file_id);
    return name_file(o);
}

#define VIDEO                                                                                      \
    "{\"_\": \"documentAttributeVideo\", \"duration\": 1.5, \"w\": 10, \"h\": 20, "                \
    "\"supports_streaming\": true}"
#define SONG  "{\"_\": \"documentAttributeAudio\", \"duration\": 3, \"title\": \"t\"}"
#define VOICE "{\"_\": \"documentAttributeAudio\", \"duration\": 3, \"voice\": true}"

static struct tl_value send_album(struct pair *p, const struct named_file *files, uint32_t n,
                                  int64_t random_id)
{
    struct tl_object *q = begin_query(p->h, p->ann, C_messages_sendMultiMedia);
    struct tl_builder b = tl_builder_of(p->h->schema, &p->h->arena);
    struct tl_object *peer = tl_new(&b, C_inputPeerUser);
    tl_set_int(peer, F_user_id, p->ben->id);
    tl_set_int(peer, F_access_hash, world_access_hash(p->h->world, p->ann->id, p->ben->id));
    tl_set_obj(q, F_peer, peer);
    struct tl_vector *items = tl_set_vec(&b, q, F_multi_media);
    for (uint32_t i = 0; i < n; i++) {
        struct tl_object *id = tl_new(&b, C_inputDocument);
        tl_set_int(id, F_id, files[i].id);
        tl_set_int(id, F_access_hash, files[i].access_hash);
        tl_set_text(id, F_file_reference, slice_of(files[i].reference, files[i].reference_len));
        struct tl_object *media = tl_new(&b, C_inputMediaDocument);
        tl_set_obj(media, F_id, id);
        struct tl_object *item = tl_new(&b, C_inputSingleMedia);
        tl_set_obj(item, F_media, media);
        tl_set_int(item, F_random_id, random_id + i);
        tl_set_str(item, F_message, i == 0 ? "an album" : "");
        tl_push_obj(&b, items, item);
    }
    return harness_handle(p->h, p->ann, q);
}

static void albums_are_groups_of_messages(void **state)
{
    struct pair p = pair_new_in(*state);
    struct named_file files[11];
    for (int i = 0; i < 11; i++)
        files[i] = uploaded(&p, i + 1, i < 4 ? VIDEO : i < 6 ? SONG : i < 8 ? VOICE : "");
    struct tl_value first = send_album(&p, files, 4, 1);
    assert_null(p.h->error);
    assert_int_equal(tl_count(first.object, F_updates), 8);
    int64_t group = 0;
    for (uint32_t i = 0; i < 4; i++) {
        const struct tl_object *m = tl_obj(tl_item_obj(first.object, F_updates, 4 + i), F_message);
        assert_int_equal(tl_text(m, F_message).len, i == 0 ? 8 : 0);
        assert_true(tl_int(m, F_grouped_id) != 0);
        assert_true(i == 0 || tl_int(m, F_grouped_id) == group);
        group = tl_int(m, F_grouped_id);
        assert_int_equal(tl_int(tl_obj(tl_obj(m, F_media), F_document), F_id), files[i].id);
    }
    const struct tl_object *o =
        call(p.h, p.ann, "messages.forwardMessages",
             "{\"from_peer\": %lld, \"to_peer\": \"me\", \"id\": [1, 2, 3], "
             "\"random_id\": [71, 72, 73]}",
             (long long)p.ben->id);
    int64_t forwarded = 0;
    for (uint32_t i = 0; i < 3; i++) { /* an album again, another one */
        const struct tl_object *m = tl_obj(tl_item_obj(o, F_updates, 3 + i), F_message);
        assert_true(i == 0 || tl_int(m, F_grouped_id) == forwarded);
        forwarded = tl_int(m, F_grouped_id);
        assert_true(forwarded != 0 && forwarded != group);
    }
    uint32_t boxed = p.h->world->n_boxed;
    struct tl_value again = send_album(&p, files, 4, 1); /* the same random_ids */
    assert_null(p.h->error);
    assert_int_equal(tl_count(again.object, F_updates), 8);
    assert_int_equal(p.h->world->n_boxed, boxed);
    static const struct {
        uint32_t from, n;
        const char *error;
    } refused[] = {{0, 0, "MEDIA_EMPTY"},
                   {0, 11, "MULTI_MEDIA_TOO_LONG"},
                   {3, 2, "MEDIA_GROUPED_INVALID"},
                   {6, 2, "GROUPED_MEDIA_INVALID"}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        send_album(&p, files + refused[i].from, refused[i].n, 100 + 20 * (int64_t)i);
        assert_string_equal(p.h->error, refused[i].error);
        assert_int_equal(p.h->world->n_boxed, boxed);
    }
    p.h->world->files.generation++;
    send_album(&p, files + 8, 2, 500);
    assert_string_equal(p.h->error, "FILE_REFERENCE_0_EXPIRED");
    pair_free(&p);
}

/* ---- editing ---- */

static const char *edit_error(struct pair *p, int32_t id, const char *media)
{
    char query[1024];
    snprintf(query, sizeof query, "{\"peer\": %lld, \"id\": %d, \"media\": %s}",
             (long long)p->ben->id, id, media);
    harness_run(p->h, p->ann, "messages.editMessage", query);
    return p->h->error ? p->h->error : "";
}

#define NEW_FILE(attribute)                                                                        \
    "{\"_\": \"inputMediaUploadedDocument\", \"mime_type\": \"\", \"attributes\": [" attribute     \
    "], "                                                                                          \
    "\"file\": {\"_\": \"inputFile\", \"id\": 7, \"parts\": 1, \"name\": \"b\", "                  \
    "\"md5_checksum\": "                                                                           \
    "\"\"}}"

static void media_of_a_message_is_replaced(void **state)
{
    (void)state;
    struct pair p = pair_new();
    struct named_file old = document(&p, 1, 100);
    assert_null(save_part(p.h, p.ann, 7, 0, slice_of(p.noise + 100, 50)));
    assert_string_equal(edit_error(&p, 1, NEW_FILE("")), "");
    const struct message *m = world_message(p.h->world, p.ann, p.ben->id, 1);
    assert_int_equal(m->text_len, 1); /* the caption stays */
    assert_int_equal(m->extra->media->file->content->size, 50);
    assert_int_equal(file_find(&p.h->world->files, old.id)->refs, 0);
    call(p.h, p.ann, "messages.editMessage", "{\"peer\": %lld, \"id\": 1, \"message\": \"\"}",
         (long long)p.ben->id);
    m = world_message(p.h->world, p.ann, p.ben->id, 1);
    assert_int_equal(m->text_len, 0);
    assert_int_equal(m->extra->media->file->content->size, 50);
    assert_string_equal(edit_error(&p, 1, "{\"_\": \"inputMediaDice\", \"emoticon\": \"🎲\"}"),
                        "MEDIA_NEW_INVALID");
    assert_string_equal(edit_error(&p, 1, NEW_FILE(VOICE)), "MEDIA_NEW_INVALID");
    send_text(p.h, p.ann, p.ben->id, "words"); /* may get a file too */
    assert_string_equal(edit_error(&p, 2, NEW_FILE("")), "");
    call(p.h, p.ann, "messages.sendMedia",
         "{\"peer\": %lld, \"message\": \"\", \"random_id\": 9, \"media\": {\"_\": "
         "\"inputMediaDice\", \"emoticon\": \"🎲\"}}",
         (long long)p.ben->id);
    assert_string_equal(edit_error(&p, 3, NEW_FILE("")), "MEDIA_PREV_INVALID");
    pair_free(&p);
}

int main(void)
{
    static char older_layer[] = "schema/layers/api-216.tl";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_up_comes_down),
        cmocka_unit_test(parts_come_in_any_order_and_twice),
        cmocka_unit_test(a_stream_ends_with_its_total),
        cmocka_unit_test(parts_are_refused_by_telegrams_rules),
        cmocka_unit_test(files_that_are_not_whole_are_refused),
        cmocka_unit_test(the_md5_of_a_small_file_is_checked),
        cmocka_unit_test(ranges_are_refused_by_telegrams_rules),
        cmocka_unit_test(references_end_and_are_ones_own),
        cmocka_unit_test(equal_parts_are_held_once),
        cmocka_unit_test(files_that_nobody_shows_make_room),
        cmocka_unit_test(albums_are_groups_of_messages),
        cmocka_unit_test(media_of_a_message_is_replaced),
        cmocka_unit_test_prestate(albums_are_groups_of_messages, older_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
