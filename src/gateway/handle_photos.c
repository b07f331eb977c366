/* SPDX-License-Identifier: MIT
 * GET /photos/{ref}: photos of users and chats, by the paths that other answers give. */
#include "gateway/file_answer.h"
#include "gateway/handlers.h"
#include "gateway/peer_photo.h"
#include "gateway/scope.h"
#include "gateway/token.h"
#include "telegram/probe.h"
#include "telegram/stored_file.h"

/* Telegram does not tell the size of such a photo before it is read, but scales it to 640 by 640
 * pixels: some 100 KiB, so that one part is enough. */
enum { PEER_PHOTO_BYTES_MAX = TRANSFER_PART_BYTES };

static const char ref_purpose[] = "photo";

void write_photo_path(void *ctx, struct json_writer *w, const struct tl_object *user_or_chat)
{
    struct call *c = ctx;
    struct peer_photo photo = peer_photo_of(user_or_chat);
    if (photo.id == 0 || !peer_usable(&photo.peer)) {
        json_null(w);
        return;
    }
    uint8_t payload[PEER_PHOTO_PAYLOAD_MAX];
    size_t n = peer_photo_encode(&photo, payload);
    struct buf path;
    buf_init(&path, 0);
    buf_append_str(&path, "/photos/");
    token_seal_bytes(call_token_keys(c), call_rng(c), ref_purpose, slice_of(payload, n), &path);
    json_string(w, buf_slice(&path));
    buf_free(&path);
}

static bool open_ref(struct call *c, struct peer_photo *out)
{
    uint8_t payload[TOKEN_SMALL_MAX];
    size_t n = 0;
    if (token_open_bytes(call_token_keys(c), ref_purpose, call_param(c, "ref")->text, payload,
                         &n) &&
        peer_photo_decode(slice_of(payload, n), out))
        return scope_check_peer(c, "ref", &out->peer);
    call_fail(c, 404, "PHOTO_NOT_FOUND",
              "This is no photo_url of this gateway (or of one with the same key file)");
    c->error.field = "ref";
    return false;
}

/* What Telegram says of a photo that was changed or removed. */
static void translate_gone(struct call *c)
{
    static const char *const names[] = {"LOCATION_INVALID", "FILE_ID_INVALID", "PHOTO_ID_INVALID",
                                        "PHOTO_INVALID", "LOCATION_NOT_AVAILABLE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!call_error_is(c, names[i]))
            continue;
        call_error_clear(c);
        call_fail(c, 404, "PHOTO_NOT_FOUND", "There is no such photo any more");
    }
}

/* The whole photo, which must be there before its size can be told. */
static bool read_photo(struct call *c, const struct file_place *place, struct buf *out)
{
    struct slice bytes = {0};
    struct download *d = download_begin(c, place, NULL, NULL, 0, PEER_PHOTO_BYTES_MAX);
    bool read = d != NULL;
    do {
        read = read && download_read(d, &bytes);
        buf_append(out, bytes.data, bytes.len);
    } while (read && bytes.len > 0 && !out->failed);
    download_free(d);
    if (read && (out->failed || out->len == PEER_PHOTO_BYTES_MAX))
        call_fail(c, 502, "ANSWER_TOO_LARGE", "The photo is not smaller than %d bytes",
                  PEER_PHOTO_BYTES_MAX);
    translate_gone(c);
    return !call_failed(c);
}

static struct slice mime_of(struct slice photo)
{
    struct probe probe;
    probe_begin(&probe);
    probe_feed(&probe, photo);
    bool known = format_is_image(probe.info.format);
    return slice_str(format_mime(known ? probe.info.format : FORMAT_JPEG));
}

void handle_photo(struct call *c)
{
    struct peer_photo photo;
    bool big = call_param(c, "big")->i != 0;
    if (!open_ref(c, &photo))
        return;
    struct file_answer answer = {
        .etag = slice_str(arena_printf(c->arena, "\"%llx-%s\"", (unsigned long long)photo.id,
                                       big ? "big" : "small")),
        .mime = slice_str("image/jpeg"),
        .caching = "private, max-age=86400, immutable", /* another photo has another path */
    };
    if (file_answer_unchanged(c, &answer))
        return;
    struct file_place place = {
        .dc = photo.dc, .location = peer_photo_location(&c->b, &photo, big), .size = -1};
    struct buf bytes;
    buf_init(&bytes, PEER_PHOTO_BYTES_MAX);
    if (read_photo(c, &place, &bytes)) {
        answer.bytes = buf_slice(&bytes);
        answer.mime = mime_of(buf_slice(&bytes));
        answer.place.size = (int64_t)bytes.len;
        file_answer_send(c, &answer);
    }
    buf_free(&bytes);
}
