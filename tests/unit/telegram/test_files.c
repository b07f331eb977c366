/* SPDX-License-Identifier: MIT
 * Media as files: where their bytes are, what an upload is sent as, MIME types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <openssl/sha.h>
#include <stdio.h>

#include "telegram/builder_case.h"
#include "telegram/mime.h"
#include "telegram/stored_file.h"
#include "telegram/upload_media.h"

static void assert_slice(struct slice s, const char *wanted)
{
    if (!slice_is(s, wanted))
        fail_msg("'%.*s' instead of '%s'", (int)s.len, (const char *)s.data, wanted);
}

/* ---- where the bytes are ---- */

#define PHOTO                                                                                      \
    "{\"_\":\"photo\",\"id\":\"11\",\"access_hash\":\"-12\",\"file_reference\":\"AQI=\",\"date\":" \
    "1700000000,\"dc_id\":4,\"sizes\":[{\"_\":\"photoStrippedSize\",\"type\":\"i\",\"bytes\":"     \
    "\"ASgeAAECAwQ=\"},{\"_\":\"photoSize\",\"type\":\"m\",\"w\":320,\"h\":180,\"size\":9000},"    \
    "{\"_\":\"photoSizeProgressive\",\"type\":\"y\",\"w\":1280,\"h\":720,\"sizes\":[100,5000,"     \
    "77000]},{\"_\":\"photoCachedSize\",\"type\":\"s\",\"w\":90,\"h\":51,\"bytes\":\"QUJD\"},"     \
    "{\"_\":\"photoSize\",\"type\":\"x\",\"w\":800,\"h\":450,\"size\":40000}]}"
#define DOCUMENT(mime, attributes)                                                                 \
    "{\"_\":\"document\",\"id\":\"21\",\"access_hash\":\"22\",\"file_reference\":\"AwQ=\","        \
    "\"date\":1700000001,\"mime_type\":\"" mime "\",\"size\":\"5000000000\",\"dc_id\":2,"          \
    "\"thumbs\":[{\"_\":\"photoPathSize\",\"type\":\"j\",\"bytes\":\"AQ==\"},{\"_\":"              \
    "\"photoSize\",\"type\":\"m\",\"w\":320,\"h\":180,\"size\":7}],\"video_thumbs\":[{\"_\":"      \
    "\"videoSize\",\"type\":\"v\",\"w\":8,\"h\":8,\"size\":70}],\"attributes\":[" attributes "]}"
#define FILE_NAME "{\"_\":\"documentAttributeFilename\",\"file_name\":\"a.bin\"}"
#define STICKER                                                                                    \
    "{\"_\":\"documentAttributeSticker\",\"alt\":\"\",\"stickerset\":{\"_\":"                      \
    "\"inputStickerSetEmpty\"}}"

static const struct tl_object *message_with(const char *media)
{
    const char *text =
        arena_printf(&arena,
                     "{\"_\":\"message\",\"id\":1,\"peer_id\":{\"_\":\"peerUser\",\"user_id\":\"5\""
                     "},\"date\":1,\"message\":\"\",\"media\":%s}",
                     media);
    return object_of_text(schema, text, &arena);
}

static struct stored_file find(const char *media, const char *thumb)
{
    struct stored_file f;
    enum stored_file_status status =
        stored_file_of_message(&builder, message_with(media), slice_str(thumb), &f);
    assert_int_equal(status, STORED_FILE_FOUND);
    return f;
}

static enum stored_file_status look(const char *media, const char *thumb)
{
    struct stored_file f;
    return stored_file_of_message(&builder, message_with(media), slice_str(thumb), &f);
}

#define PHOTO_MEDIA "{\"_\":\"messageMediaPhoto\",\"photo\":" PHOTO "}"

static void photos(void **state)
{
    (void)state;
    struct stored_file f = find(PHOTO_MEDIA, "");
    assert_int_equal(f.id, 11);
    assert_int_equal(f.dc, 4);
    assert_int_equal(f.size, 77000); /* the whole of a progressive one */
    assert_int_equal(f.date, 1700000000);
    assert_slice(f.mime, "image/jpeg");
    assert_slice(f.size_type, "y");
    assert_string_equal(request_json(schema, f.location, &arena),
                        "{\"_\":\"inputPhotoFileLocation\",\"id\":\"11\",\"access_hash\":\"-12\","
                        "\"file_reference\":\"AQI=\",\"thumb_size\":\"y\"}");
    assert_int_equal(find(PHOTO_MEDIA, "x").size, 40000);
    assert_slice(find(PHOTO_MEDIA, "1").size_type, "m");
    assert_slice(find(PHOTO_MEDIA, "-1").size_type, "x");
    struct stored_file cached = find(PHOTO_MEDIA, "s");
    assert_null(cached.location);
    assert_slice(cached.bytes, "ABC");
    assert_int_equal(cached.size, 3);
    assert_int_equal(find(PHOTO_MEDIA, "i").bytes.len, 623 + 5 + 2);
    static const char *const absent[] = {"z", "5", "-6", "xx", "99999999999999999999"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_int_equal(look(PHOTO_MEDIA, absent[i]), STORED_FILE_NO_THUMB);
}

static void documents(void **state)
{
    (void)state;
    static const char media[] =
        "{\"_\":\"messageMediaDocument\",\"document\":" DOCUMENT("text/html", FILE_NAME) "}";
    static const char sticker[] =
        "{\"_\":\"messageMediaDocument\",\"document\":" DOCUMENT("image/webp", STICKER) "}";
    struct stored_file f = find(media, "");
    assert_int_equal(f.size, 5000000000);
    assert_slice(f.name, "a.bin");
    assert_slice(f.mime, "text/html");
    assert_slice(f.size_type, "");
    assert_string_equal(request_json(schema, f.location, &arena),
                        "{\"_\":\"inputDocumentFileLocation\",\"id\":\"21\",\"access_hash\":\"22\","
                        "\"file_reference\":\"AwQ=\",\"thumb_size\":\"\"}");
    struct stored_file thumb = find(media, "m");
    assert_int_equal(thumb.size, 7);
    assert_slice(thumb.mime, "image/jpeg");
    assert_slice(thumb.name, "");
    assert_slice(find(sticker, "m").mime, "image/webp");
    assert_slice(find(media, "v").mime, "video/mp4");
    assert_int_equal(look(media, "j"), STORED_FILE_NO_THUMB); /* an outline, no picture */
    assert_int_equal(look(media, "0"), STORED_FILE_NO_THUMB);
}

#define PAGE "{\"_\":\"webPage\",\"id\":\"1\",\"url\":\"\",\"display_url\":\"\",\"hash\":0"

static void other_holders(void **state)
{
    (void)state;
    static const char page[] =
        "{\"_\":\"messageMediaWebPage\",\"webpage\":" PAGE ",\"photo\":" PHOTO "}}";
    static const char both[] = "{\"_\":\"messageMediaWebPage\",\"webpage\":" PAGE
                               ",\"photo\":" PHOTO ",\"document\":" DOCUMENT("a/b", FILE_NAME) "}}";
    static const char game[] =
        "{\"_\":\"messageMediaGame\",\"game\":{\"_\":\"game\",\"id\":\"1\",\"access_hash\":\"1\","
        "\"short_name\":\"\",\"title\":\"\",\"description\":\"\",\"photo\":" PHOTO "}}";
    assert_int_equal(find(page, "").id, 11);
    assert_int_equal(find(both, "").id, 21);
    assert_int_equal(find(game, "").id, 11);
    static const char *const nothing[] = {
        "{\"_\":\"messageMediaEmpty\"}", "{\"_\":\"messageMediaPhoto\",\"ttl_seconds\":3}",
        "{\"_\":\"messageMediaWebPage\",\"webpage\":" PAGE "}}",
        "{\"_\":\"messageMediaDocument\",\"document\":{\"_\":\"documentEmpty\",\"id\":\"1\"}}"};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        assert_int_equal(look(nothing[i], ""), STORED_FILE_NONE);
    struct stored_file f;
    const struct tl_object *service = object_of_text(
        schema,
        "{\"_\":\"messageService\",\"id\":1,\"peer_id\":{\"_\":\"peerChat\",\"chat_id\":\"5\"},"
        "\"date\":1,\"action\":{\"_\":\"messageActionChatEditPhoto\",\"photo\":" PHOTO "}}",
        &arena);
    assert_int_equal(stored_file_of_message(&builder, service, slice_str(""), &f),
                     STORED_FILE_FOUND);
    assert_int_equal(f.id, 11);
}

/* The digest is that of what Telethon's stripped_photo_to_jpg makes of the same bytes. */
static void stripped_photos(void **state)
{
    (void)state;
    static const char wanted[] = "76078341102e007ea41a848d7a78187eceae9682f6986454ecbc3aee25f5f432";
    uint8_t stripped[53] = {1, 40, 30}, digest[SHA256_DIGEST_LENGTH];
    char hex[2 * SHA256_DIGEST_LENGTH + 1];
    for (size_t i = 0; i < 50; i++)
        stripped[3 + i] = (uint8_t)i;
    struct slice jpeg = stripped_photo_to_jpeg(slice_of(stripped, sizeof stripped), &arena);
    SHA256(jpeg.data, jpeg.len, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(hex, wanted);
    stripped[0] = 2;
    assert_int_equal(stripped_photo_to_jpeg(slice_of(stripped, sizeof stripped), &arena).len, 0);
    assert_int_equal(stripped_photo_to_jpeg(slice_of(stripped, 2), &arena).len, 0);
}

static void photos_of_peers(void **state)
{
    (void)state;
    const struct tl_object *user = object_of_text(
        schema,
        "{\"_\":\"user\",\"id\":\"5\",\"access_hash\":\"50\",\"photo\":{\"_\":\"userProfilePhoto\","
        "\"photo_id\":\"77\",\"dc_id\":3}}",
        &arena);
    struct peer_photo p = peer_photo_of(user), back;
    assert_int_equal(p.id, 77);
    assert_int_equal(p.dc, 3);
    assert_string_equal(request_json(schema, peer_photo_location(&builder, &p, true), &arena),
                        "{\"_\":\"inputPeerPhotoFileLocation\",\"big\":true,\"peer\":{\"_\":"
                        "\"inputPeerUser\",\"user_id\":\"5\",\"access_hash\":\"50\"},\"photo_id\":"
                        "\"77\"}");
    uint8_t payload[PEER_PHOTO_PAYLOAD_MAX];
    size_t n = peer_photo_encode(&p, payload);
    assert_true(peer_photo_decode(slice_of(payload, n), &back));
    assert_true(peer_same(&p.peer, &back.peer));
    assert_int_equal(back.id, 77);
    assert_int_equal(back.dc, 3);
    assert_false(peer_photo_decode(slice_of(payload, 11), &back));
    assert_false(peer_photo_decode(slice_of(payload, 12), &back));
    const struct tl_object *bare = object_of_text(schema, "{\"_\":\"user\",\"id\":\"5\"}", &arena);
    assert_int_equal(peer_photo_of(bare).id, 0);
    assert_int_equal(peer_photo_of(NULL).id, 0);
}

/* ---- what an upload is sent as ---- */

static void kinds(void **state)
{
    (void)state;
    static const struct media_wish as_is = {0}, document = {.document = true},
                                   voice = {.voice = true}, note = {.video_note = true};
    static const struct {
        struct media_info info;
        int64_t bytes;
        const struct media_wish *wish;
        enum media_kind kind;
    } rows[] = {
        {{.format = FORMAT_JPEG, .width = 100, .height = 2000}, 1, &as_is, MEDIA_PHOTO},
        {{.format = FORMAT_JPEG, .width = 100, .height = 2001}, 1, &as_is, MEDIA_DOCUMENT},
        {{.format = FORMAT_PNG, .width = 5000, .height = 5000}, 1, &as_is, MEDIA_PHOTO},
        {{.format = FORMAT_PNG, .width = 5000, .height = 5001}, 1, &as_is, MEDIA_DOCUMENT},
        {{.format = FORMAT_PNG, .width = 1, .height = 1}, PHOTO_BYTES_MAX, &as_is, MEDIA_PHOTO},
        {{.format = FORMAT_PNG, .width = 1, .height = 1},
         PHOTO_BYTES_MAX + 1,
         &as_is,
         MEDIA_DOCUMENT},
        {{.format = FORMAT_PNG}, 1, &as_is, MEDIA_DOCUMENT},
        {{.format = FORMAT_WEBP, .width = 9, .height = 9}, 1, &as_is, MEDIA_PHOTO},
        {{.format = FORMAT_WEBP, .width = 9, .height = 9, .animated = true},
         1,
         &as_is,
         MEDIA_DOCUMENT},
        {{.format = FORMAT_JPEG, .width = 9, .height = 9}, 1, &document, MEDIA_DOCUMENT},
        {{.format = FORMAT_JPEG, .width = 9, .height = 9}, 1, &voice, MEDIA_PHOTO},
        {{.format = FORMAT_GIF, .width = 9, .height = 9}, 1, &as_is, MEDIA_ANIMATION},
        {{.format = FORMAT_MP4, .has_video = true}, 1, &as_is, MEDIA_VIDEO},
        {{.format = FORMAT_MP4, .has_video = true}, 1, &note, MEDIA_VIDEO_NOTE},
        {{.format = FORMAT_MP4, .has_video = true}, 1, &voice, MEDIA_VIDEO},
        {{.format = FORMAT_MP4}, 1, &as_is, MEDIA_DOCUMENT},
        {{.format = FORMAT_OPUS, .has_audio = true}, 1, &as_is, MEDIA_AUDIO},
        {{.format = FORMAT_OPUS, .has_audio = true}, 1, &voice, MEDIA_VOICE},
        {{.format = FORMAT_UNKNOWN}, 1, &voice, MEDIA_DOCUMENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(media_kind_of(&rows[i].info, rows[i].bytes, rows[i].wish), rows[i].kind);
    assert_true(media_kinds_mix(MEDIA_PHOTO, MEDIA_VIDEO));
    assert_true(media_kinds_mix(MEDIA_AUDIO, MEDIA_AUDIO));
    assert_false(media_kinds_mix(MEDIA_PHOTO, MEDIA_DOCUMENT));
    assert_false(media_kinds_mix(MEDIA_VOICE, MEDIA_VOICE));
}

#define FILE_JSON  "{\"_\":\"inputFileBig\",\"id\":\"9\",\"parts\":3,\"name\":\"n\"}"
#define ATTRIBUTES "\"attributes\":[{\"_\":\"documentAttributeFilename\",\"file_name\":\"n.x\"}"

static void assert_input(const struct upload_media *m, const char *wanted)
{
    assert_string_equal(request_json(schema, upload_media_to_input(&builder, m), &arena), wanted);
}

static void input_media(void **state)
{
    (void)state;
    struct media_info film = {.format = FORMAT_MP4,
                              .has_video = true,
                              .streamable = true,
                              .duration = 2.5,
                              .width = 64,
                              .height = 36};
    struct media_info song = {
        .format = FORMAT_MP3, .duration = 2.5, .title = "T", .performer = "P"};
    struct upload_media m = {.kind = MEDIA_PHOTO,
                             .info = &film,
                             .file = object_of_text(schema, FILE_JSON, &arena),
                             .name = slice_str("n.x"),
                             .mime = slice_str("a/b"),
                             .spoiler = true};
    assert_input(&m, "{\"_\":\"inputMediaUploadedPhoto\",\"spoiler\":true,\"file\":" FILE_JSON "}");
    m.spoiler = false;
    m.kind = MEDIA_VIDEO;
    m.thumb = m.file;
    assert_input(&m,
                 "{\"_\":\"inputMediaUploadedDocument\",\"nosound_video\":true,\"file\":" FILE_JSON
                 ",\"thumb\":" FILE_JSON ",\"mime_type\":\"a/b\"," ATTRIBUTES
                 ",{\"_\":\"documentAttributeVideo\",\"supports_streaming\":true,\"duration\":2.5,"
                 "\"w\":64,\"h\":36}]}");
    m.kind = MEDIA_AUDIO;
    m.info = &song;
    m.thumb = NULL;
    assert_input(&m, "{\"_\":\"inputMediaUploadedDocument\",\"file\":" FILE_JSON
                     ",\"mime_type\":\"a/b\"," ATTRIBUTES
                     ",{\"_\":\"documentAttributeAudio\",\"duration\":3,\"title\":\"T\","
                     "\"performer\":\"P\"}]}");
    m.kind = MEDIA_VOICE;
    assert_input(&m, "{\"_\":\"inputMediaUploadedDocument\",\"file\":" FILE_JSON
                     ",\"mime_type\":\"a/b\"," ATTRIBUTES
                     ",{\"_\":\"documentAttributeAudio\",\"voice\":true,\"duration\":3}]}");
    m.kind = MEDIA_DOCUMENT;
    assert_input(&m, "{\"_\":\"inputMediaUploadedDocument\",\"force_file\":true,\"file\":" FILE_JSON
                     ",\"mime_type\":\"a/b\"," ATTRIBUTES "]}");
}

static void sending_media(void **state)
{
    (void)state;
    static const struct peer_ref self = {.kind = PEER_USER, .self = true};
    static const int64_t random_ids[] = {5, 6};
    const struct formatted_text text = {.text = slice_str("hi")};
    const struct send_options o = {.text = &text,
                                   .random_id = 9,
                                   .schedule_date = 1700000000,
                                   .silent = true,
                                   .reply_to_msg_id = 4};
    const struct tl_object *photo = object_of_text(schema, PHOTO_MEDIA, &arena);
    const struct tl_object *input = uploaded_to_input(&builder, photo, true);
    const struct tl_object *both[] = {input, input};
#define INPUT                                                                                      \
    "{\"_\":\"inputMediaPhoto\",\"spoiler\":true,\"id\":{\"_\":\"inputPhoto\",\"id\":\"11\","      \
    "\"access_hash\":\"-12\",\"file_reference\":\"AQI=\"}}"
#define REPLY "\"reply_to\":{\"_\":\"inputReplyToMessage\",\"reply_to_msg_id\":4}"
    assert_string_equal(
        request_json(schema, request_send_media(&builder, &self, input, &o), &arena),
        "{\"_\":\"messages.sendMedia\",\"silent\":true,\"peer\":{\"_\":\"inputPeerSelf\"}," REPLY
        ",\"media\":" INPUT
        ",\"message\":\"hi\",\"random_id\":\"9\",\"schedule_date\":1700000000}");
    assert_string_equal(
        request_json(schema, request_upload_media(&builder, &self, input), &arena),
        "{\"_\":\"messages.uploadMedia\",\"peer\":{\"_\":\"inputPeerSelf\"},\"media\":" INPUT "}");
    assert_string_equal(
        request_json(schema, request_send_album(&builder, &self, both, random_ids, 2, &o), &arena),
        "{\"_\":\"messages.sendMultiMedia\",\"silent\":true,\"peer\":{\"_\":\"inputPeerSelf\"}"
        "," REPLY ",\"multi_media\":[{\"_\":\"inputSingleMedia\",\"media\":" INPUT
        ",\"random_id\":\"5\",\"message\":\"hi\"},{\"_\":\"inputSingleMedia\",\"media\":" INPUT
        ",\"random_id\":\"6\",\"message\":\"\"}],\"schedule_date\":1700000000}");
    assert_null(uploaded_to_input(
        &builder, object_of_text(schema, "{\"_\":\"messageMediaEmpty\"}", &arena), false));
}

/* ---- MIME types ---- */

static void mime_types(void **state)
{
    (void)state;
    assert_slice(mime_essence(slice_str("text/plain; charset=utf-8")), "text/plain");
    assert_slice(mime_essence(slice_str("Application/X-Foo+bar")), "Application/X-Foo+bar");
    static const char *const bad[] = {"",      "text",        "/plain",
                                      "text/", "a/b/c",       "text/pl\"ain",
                                      "a b/c", "a/b\r\nX: y", "\xc3\xa9/b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_slice(mime_essence(slice_str(bad[i])), "");
    assert_slice(mime_of_name(slice_str("a.b.PDF")), "application/pdf");
    assert_slice(mime_of_name(slice_str("pdf")), "");
    assert_slice(mime_of_name(slice_str("a.")), "");
    assert_slice(mime_of_bytes(slice_str("%PDF-1.7 and more")), "application/pdf");
    assert_slice(mime_of_bytes(slice_str("%PD")), "");
    assert_slice(mime_extension(slice_str("image/jpeg")), "jpg");
    assert_slice(mime_extension(slice_str("x/y")), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(photos, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(documents, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(other_holders, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(stripped_photos, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(photos_of_peers, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(kinds, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(input_media, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(sending_media, builder_setup, builder_teardown),
        cmocka_unit_test(mime_types),
    };
    return cmocka_run_group_tests(tests, schema_setup, schema_teardown);
}
