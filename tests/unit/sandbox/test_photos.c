/* SPDX-License-Identifier: MIT
 * Photos: which bytes are taken for one, and the pictures of users and chats. */
#include "files_harness.h"
#include "sandbox/image.h"
#include "sandbox/peer_photo.h"
#include "sandbox/png.h"

static struct buf png_of(uint32_t width, uint32_t height)
{
    struct buf png;
    buf_init(&png, 0);
    png_write(&png, width, height, 3);
    assert_false(png.failed);
    return png;
}

static struct buf file_bytes(const char *name)
{
    char path[256];
    struct buf bytes;
    buf_init(&bytes, 0);
    snprintf(path, sizeof path, "tests/vectors/files/%s", name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    uint8_t chunk[4096];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_append(&bytes, chunk, n);
    fclose(f);
    return bytes;
}

/* ---- what is a picture ---- */

static void pictures_of_other_programs_have_their_size(void **state)
{
    (void)state;
    FILE *table = fopen("tests/vectors/files/expected.tsv", "r");
    char line[256], name[64];
    int width, height, pictures = 0;
    assert_non_null(table);
    while (fgets(line, sizeof line, table)) {
        if (sscanf(line, "%63s\t%d\t%d", name, &width, &height) != 3 || name[0] == '#')
            continue;
        struct buf bytes = file_bytes(name);
        const char *extension = strrchr(name, '.');
        bool picture = strstr(".png.gif.jpg.webp", extension) != NULL;
        int32_t w = 0, h = 0;
        if (image_size(buf_slice(&bytes), &w, &h) != picture)
            fail_msg("%s", name);
        if (picture && (w != width || h != height))
            fail_msg("%s: %d x %d", name, w, h);
        pictures += picture;
        for (size_t n = 0; n < bytes.len && n < 600; n++) { /* cut anywhere: no more than it has */
            uint8_t *cut = malloc(n ? n : 1);
            memcpy(cut, bytes.data, n);
            image_size(slice_of(cut, n), &w, &h);
            storage_type(slice_of(cut, n));
            free(cut);
        }
        buf_free(&bytes);
    }
    fclose(table);
    assert_true(pictures >= 8);
}

static void our_own_pictures_are_pngs(void **state)
{
    (void)state;
    struct buf png = png_of(300, 17);
    int32_t w, h;
    assert_int_equal(storage_type(buf_slice(&png)), C_storage_filePng);
    assert_true(image_size(buf_slice(&png), &w, &h));
    assert_int_equal(w, 300);
    assert_int_equal(h, 17);
    buf_free(&png);
}

struct person {
    struct harness *h;
    struct user *ann;
};

static struct person person_new(const char *schema)
{
    struct person p = {.h = harness_new(schema)};
    p.ann = add_account(p.h, "9996620101", "Ann");
    return p;
}

static void photos_are_refused_by_telegrams_rules(void **state)
{
    (void)state;
    struct person p = person_new(NULL);
    static const struct {
        uint32_t width, height; /* 0: no picture at all */
        const char *name, *error;
    } cases[] = {
        {100, 100, "a.png", NULL},
        {100, 100, "a", NULL},
        {100, 100, "a.JPEG", NULL},
        {100, 100, "a.txt", "PHOTO_EXT_INVALID"},
        {0, 0, "a.png", "IMAGE_PROCESS_FAILED"},
        {2100, 100, "a.png", "PHOTO_INVALID_DIMENSIONS"},
        {2000, 100, "a.png", NULL},
        {1, 21, "a.png", "PHOTO_INVALID_DIMENSIONS"},
        {9990, 600, "a.png", "PHOTO_INVALID_DIMENSIONS"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf bytes;
        buf_init(&bytes, 0);
        if (cases[i].width)
            png_write(&bytes, cases[i].width, cases[i].height, 1);
        else
            buf_append_str(&bytes, "no picture");
        int32_t parts = upload_small(p.h, p.ann, 1 + (int64_t)i, buf_slice(&bytes), 512 * 1024);
        const struct tl_object *media =
            send_file(p.h, p.ann, p.ann->id, 1 + (int64_t)i, parts, cases[i].name, PHOTO);
        if (cases[i].error) {
            assert_null(media);
            assert_string_equal(p.h->error, cases[i].error);
        } else {
            assert_non_null(media);
            const struct tl_object *size = tl_item_obj(tl_obj(media, F_photo), F_sizes, 0);
            assert_int_equal(tl_int(size, F_w), cases[i].width);
            assert_int_equal(tl_int(size, F_size), bytes.len);
            struct named_file f = name_file(media);
            const struct tl_object *o = get_file(p.h, p.ann, &f, 0, 1024 * 1024, false);
            assert_non_null(o);
            assert_true(tl_is(tl_obj(o, F_type), C_storage_filePng));
            assert_true(slice_eq(tl_text(o, F_bytes), buf_slice(&bytes)));
        }
        buf_free(&bytes);
    }
    /* a stream is looked at by nobody before it ends */
    static const uint8_t any[1024];
    assert_null(save_big(p.h, p.ann, 77, 0, -1, slice_of(any, sizeof any)));
    assert_null(send_file(p.h, p.ann, p.ann->id, 77, 1, "a.png", PHOTO));
    assert_string_equal(p.h->error, "PHOTO_SAVE_FILE_INVALID");
    harness_free(p.h);
}

/* ---- faces ---- */

static void upload_png(struct person *p, int64_t file_id, uint32_t side)
{
    struct buf png = png_of(side, side);
    upload_small(p->h, p->ann, file_id, buf_slice(&png), 512 * 1024);
    buf_free(&png);
}

#define INPUT_FILE                                                                                 \
    "{\"_\": \"inputFile\", \"id\": %d, \"parts\": 1, \"name\": \"a.png\", "                       \
    "\"md5_checksum\": \"\"}"

static int64_t shown(struct person *p)
{
    struct tl_value v = call_value(p->h, p->ann, "users.getUsers", "{\"id\": [\"me\"]}");
    return tl_int(tl_obj(v.vector->items[0].object, F_photo), F_photo_id);
}

static void users_change_their_faces(void **state)
{
    struct person p = person_new(*state);
    assert_int_equal(shown(&p), 0);
    assert_string_equal(call_error(p.h, p.ann, "photos.uploadProfilePhoto", "{}"),
                        "PHOTO_FILE_MISSING");
    upload_png(&p, 1, 159);
    assert_string_equal(
        call_error(p.h, p.ann, "photos.uploadProfilePhoto", "{\"file\": " INPUT_FILE "}", 1),
        "PHOTO_CROP_SIZE_SMALL");
    int64_t ids[3] = {0};
    for (int i = 0; i < 3; i++) {
        upload_png(&p, 2 + i, 200 + (uint32_t)i);
        const struct tl_object *o =
            call(p.h, p.ann, "photos.uploadProfilePhoto", "{\"file\": " INPUT_FILE "}", 2 + i);
        ids[i] = tl_int(tl_obj(o, F_photo), F_id);
        assert_int_equal(shown(&p), ids[i]);
    }
    const struct tl_object *o =
        call(p.h, p.ann, "photos.getUserPhotos",
             "{\"user_id\": \"me\", \"offset\": 1, \"max_id\": 0, \"limit\": 1}");
    assert_true(tl_is(o, C_photos_photosSlice));
    assert_int_equal(tl_int(o, F_count), 3);
    assert_int_equal(tl_count(o, F_photos), 1);
    assert_int_equal(tl_int(tl_item_obj(o, F_photos, 0), F_id), ids[1]);
    call(p.h, p.ann, "photos.updateProfilePhoto", "{\"id\": {\"_\": \"inputPhotoEmpty\"}}");
    assert_int_equal(shown(&p), ids[1]);
    struct tl_object *query = begin_query(p.h, p.ann, C_photos_deletePhotos);
    struct tl_builder b = tl_builder_of(p.h->schema, &p.h->arena);
    struct request view = {.world = p.h->world, .self = p.ann, .now_s = p.h->now};
    uint8_t reference[FILE_REFERENCE_BYTES];
    file_reference(&view, file_find(&p.h->world->files, ids[1]), reference);
    struct tl_object *id = tl_new(&b, C_inputPhoto);
    tl_set_int(id, F_id, ids[1]);
    tl_set_int(id, F_access_hash, world_access_hash(p.h->world, p.ann->id, ids[1]));
    tl_set_text(id, F_file_reference, slice_of(reference, sizeof reference));
    tl_push_obj(&b, tl_set_vec(&b, query, F_id), id);
    struct tl_value gone = harness_handle(p.h, p.ann, query);
    assert_int_equal(gone.vector->n, 1);
    assert_int_equal(gone.vector->items[0].i, ids[1]);
    assert_int_equal(shown(&p), ids[0]);
    harness_free(p.h);
}

static void chats_change_their_faces_and_say_so(void **state)
{
    struct person p = person_new(*state);
    const struct tl_object *o = call(p.h, p.ann, "channels.createChannel",
                                     "{\"title\": \"G\", \"about\": \"\", \"megagroup\": true}");
    long long channel = peer_of_channel(tl_int(tl_item_obj(o, F_chats, 0), F_id));
    o = call(p.h, p.ann, "messages.createChat", "{\"title\": \"C\", \"users\": []}");
    long long chat = tl_int(tl_item_obj(tl_obj(o, F_updates), F_chats, 0), F_id);
    for (int group = 0; group < 2; group++) {
        const char *method = group ? "messages.editChatPhoto" : "channels.editPhoto";
        const char *which = group ? "chat_id" : "channel";
        long long id = group ? chat : channel;
        upload_png(&p, 10 + group, 200);
        o = call(
            p.h, p.ann, method,
            "{\"%s\": %lld, \"photo\": {\"_\": \"inputChatUploadedPhoto\", \"file\": " INPUT_FILE
            "}}",
            which, id, 10 + group);
        const struct tl_object *photo = tl_obj(tl_item_obj(o, F_chats, 0), F_photo);
        assert_true(tl_is(photo, C_chatPhoto));
        const struct tl_object *message = NULL;
        for (uint32_t i = 0; i < tl_count(o, F_updates) && !message; i++)
            message = tl_obj(tl_item_obj(o, F_updates, i), F_message);
        const struct tl_object *action = tl_obj(message, F_action);
        assert_true(tl_is(action, C_messageActionChatEditPhoto));
        assert_int_equal(tl_int(tl_obj(action, F_photo), F_id), tl_int(photo, F_photo_id));
        static const char none[] = "{\"%s\": %lld, \"photo\": {\"_\": \"inputChatPhotoEmpty\"}}";
        o = call(p.h, p.ann, method, none, which, id);
        assert_true(tl_is(tl_obj(tl_item_obj(o, F_chats, 0), F_photo), C_chatPhotoEmpty));
        assert_string_equal(call_error(p.h, p.ann, method, none, which, id), "CHAT_NOT_MODIFIED");
    }
    harness_free(p.h);
}

int main(void)
{
    static char older_layer[] = "schema/layers/api-216.tl";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_of_other_programs_have_their_size),
        cmocka_unit_test(our_own_pictures_are_pngs),
        cmocka_unit_test(photos_are_refused_by_telegrams_rules),
        cmocka_unit_test(users_change_their_faces),
        cmocka_unit_test_prestate(users_change_their_faces, older_layer),
        cmocka_unit_test(chats_change_their_faces_and_say_so),
        cmocka_unit_test_prestate(chats_change_their_faces_and_say_so, older_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
