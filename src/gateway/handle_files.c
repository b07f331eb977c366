/* SPDX-License-Identifier: MIT
 * POST /messages/send_with_file: files go to Telegram as they arrive, the message after the form
 * has ended, for any field may follow the files. */
#include "gateway/form.h"
#include "gateway/handlers.h"
#include "gateway/messages.h"
#include "gateway/text_params.h"
#include "gateway/transfer.h"
#include "gateway/upload_limit.h"
#include "telegram/mime.h"
#include "telegram/upload_media.h"

/* A file on its way to Telegram, and what it turned out to be. */
struct sent_file {
    struct probe probe;
    struct slice name;
    struct slice mime;
    const struct tl_object *file; /* InputFile, once it is there */
    int64_t bytes;
    enum media_kind kind;
};

struct sending {
    struct form *form;
    struct peer_ref peer;
    bool peer_known;
    struct sent_file *files; /* ALBUM_FILES_MAX */
    size_t n_files;
    const struct tl_object *thumb; /* InputFile, or NULL */
    int32_t home;                  /* the data centre that has the first of them */
};

/* ---- one file ---- */

/* Its first bytes, up to where one can tell how it is to be sent. */
struct file_start {
    struct buf bytes;
    bool whole; /* that was all of it */
};

static bool wants_document(const struct call *c)
{
    return call_param(c, "force_document")->i != 0;
}

/* The most that the file can become; -1: nobody knows. */
static int64_t bytes_max(const struct sending *s, const struct file_start *start)
{
    int64_t left = start->whole ? 0 : form_bytes_left(s->form);
    return left < 0 ? -1 : (int64_t)start->bytes.len + left;
}

/* Telegram takes no photo in parts of a big file, and those of a small one only when it is sure to
 * stay small: else what may become a photo is held. */
static bool must_hold(const struct call *c, const struct sending *s, const struct sent_file *f,
                      const struct file_start *start)
{
    int64_t most = bytes_max(s, start);
    bool surely_small = most >= 0 && most <= SMALL_FILE_BYTES_MAX;
    bool photo = format_is_image(f->probe.info.format) && !wants_document(c);
    return !probe_sniffed(&f->probe) ||
           (photo && !surely_small && start->bytes.len <= PHOTO_BYTES_MAX);
}

static bool read_start(struct call *c, struct sending *s, struct sent_file *f,
                       struct file_start *start)
{
    while (!start->whole && must_hold(c, s, f, start)) {
        struct slice piece;
        if (!form_read(s->form, &piece))
            return false;
        start->whole = piece.len == 0;
        probe_feed(&f->probe, piece);
        buf_append(&start->bytes, piece.data, piece.len);
    }
    if (start->bytes.failed)
        call_fail(c, 503, "OUT_OF_MEMORY", "The gateway is out of memory.");
    return !call_failed(c);
}

static bool upload_rest(struct sending *s, struct sent_file *f, struct upload *u)
{
    struct slice piece;
    do {
        if (!form_read(s->form, &piece))
            return false;
        probe_feed(&f->probe, piece);
        if (!upload_write(u, piece))
            return false;
    } while (piece.len > 0);
    return true;
}

/* Telegram goes by the name's ending when it is to make a photo of a file. */
static struct slice upload_name(struct call *c, const struct sent_file *f, struct slice given)
{
    if (!format_is_image(f->probe.info.format))
        return given.len ? given : slice_str("file");
    struct slice extension = mime_extension(slice_str(format_mime(f->probe.info.format)));
    return slice_str(
        arena_printf(c->arena, "photo.%.*s", (int)extension.len, (const char *)extension.data));
}

static const struct tl_object *end_upload(struct call *c, struct sending *s, struct upload *u,
                                          struct slice name)
{
    const struct tl_object *file = upload_end(u, name);
    if (s->home == 0)
        s->home = c->session.dc;
    return file;
}

static bool upload_file(struct call *c, struct sending *s, struct sent_file *f,
                        struct file_start *start, struct slice given_name)
{
    struct upload *u = upload_begin(c, bytes_max(s, start));
    bool sent = u && upload_write(u, buf_slice(&start->bytes));
    buf_free(&start->bytes);
    if (sent && (start->whole || upload_rest(s, f, u))) {
        f->bytes = upload_bytes(u);
        f->file = end_upload(c, s, u, upload_name(c, f, given_name));
    }
    upload_free(u);
    return f->file != NULL;
}

/* By its bytes where they tell, then as the client says, then by its name. */
static struct slice mime_of(const struct form_file *part, const struct media_info *info,
                            struct slice magic)
{
    const char *told = format_mime(info->format);
    struct slice mime = told ? slice_str(told) : mime_essence(part->content_type);
    if (mime.len == 0 || slice_is_nocase(mime, MIME_OCTETS))
        mime = mime_of_name(part->name);
    if (mime.len == 0)
        mime = magic;
    return mime.len ? mime : slice_str(MIME_OCTETS);
}

static struct slice name_of(struct call *c, const struct form_file *part, struct slice mime)
{
    struct slice extension = mime_extension(mime);
    if (part->name.len)
        return part->name;
    return slice_str(arena_printf(c->arena, "file%s%.*s", extension.len ? "." : "",
                                  (int)extension.len, (const char *)extension.data));
}

/* The chat, if it is known by now: a wrong one is told before gigabytes were sent. */
static bool find_peer(struct call *c, struct sending *s)
{
    if (!s->peer_known && call_param(c, "chat_id")->present)
        s->peer_known = resolve_param(c, "chat_id", &s->peer);
    return !call_failed(c);
}

/* What is announced is judged before it is asked for: a form as if its file were the only one. */
static bool fits(struct call *c, int64_t bytes)
{
    return bytes < 0 || upload_fits(c, bytes);
}

static bool take_file(struct call *c, struct sending *s, const struct form_file *part)
{
    struct sent_file *f = &s->files[s->n_files++];
    struct file_start start = {0};
    buf_init(&start.bytes, 0);
    probe_begin(&f->probe);
    bool taken = find_peer(c, s) && fits(c, part->length) && read_start(c, s, f, &start);
    struct slice magic = mime_of_bytes(buf_slice(&start.bytes));
    if (taken && start.bytes.len == 0) {
        call_fail_field(c, "file", "file is empty");
        taken = false;
    }
    taken = taken && upload_file(c, s, f, &start, part->name);
    buf_free(&start.bytes);
    probe_end(&f->probe);
    f->mime = mime_of(part, &f->probe.info, magic);
    f->name = name_of(c, part, f->mime);
    return taken;
}

static bool take_thumb(struct call *c, struct sending *s)
{
    struct buf bytes;
    struct slice piece;
    struct probe probe;
    buf_init(&bytes, 0);
    probe_begin(&probe);
    do {
        if (!form_read(s->form, &piece))
            break;
        probe_feed(&probe, piece);
        buf_append(&bytes, piece.data, piece.len);
    } while (piece.len > 0 && bytes.len <= THUMB_BYTES_MAX);
    bool jpeg = probe.info.format == FORMAT_JPEG && bytes.len <= THUMB_BYTES_MAX;
    if (!call_failed(c) && !jpeg)
        call_fail_field(c, "thumb", "thumb must be a JPEG of at most %d bytes", THUMB_BYTES_MAX);
    struct upload *u = call_failed(c) ? NULL : upload_begin(c, (int64_t)bytes.len);
    if (u && upload_write(u, buf_slice(&bytes)))
        s->thumb = end_upload(c, s, u, slice_str("thumb.jpg"));
    upload_free(u);
    buf_free(&bytes);
    return s->thumb != NULL;
}

static bool take_files(struct call *c, struct sending *s)
{
    struct form_file *part;
    for (;;) {
        if (!form_next_file(s->form, &part))
            return false;
        if (!part)
            return true;
        bool taken = slice_is(part->field, "thumb") ? take_thumb(c, s) : take_file(c, s, part);
        if (!taken)
            return false;
    }
}

/* ---- what they are sent as ---- */

static void refuse_flag(struct call *c, const char *field, const char *what)
{
    call_fail_field(c, field, "%s: the file is no %s that Telegram could take as one", field, what);
}

static bool choose_kinds(struct call *c, struct sending *s)
{
    struct media_wish wish = {
        .document = wants_document(c),
        .voice = call_param(c, "voice_note")->i != 0,
        .video_note = call_param(c, "video_note")->i != 0,
    };
    for (size_t i = 0; i < s->n_files; i++) {
        struct sent_file *f = &s->files[i];
        f->kind = media_kind_of(&f->probe.info, f->bytes, &wish);
        if (wish.voice && f->kind != MEDIA_VOICE)
            refuse_flag(c, "voice_note", "sound");
        if (wish.video_note && f->kind != MEDIA_VIDEO_NOTE)
            refuse_flag(c, "video_note", "video");
        if (s->n_files > 1 && !media_kinds_mix(s->files[0].kind, f->kind))
            call_fail_field(c, "file",
                            "Files of these kinds make no album: photos and videos do, sound does, "
                            "and anything does with force_document");
    }
    if (s->thumb && s->n_files > 1)
        call_fail_field(c, "thumb", "thumb is for one file, not for an album");
    return !call_failed(c);
}

static const struct tl_object *input_media(struct call *c, const struct sending *s,
                                           const struct sent_file *f)
{
    struct upload_media media = {
        .kind = f->kind,
        .info = &f->probe.info,
        .file = f->file,
        .thumb = s->thumb,
        .name = f->name,
        .mime = f->mime,
        .spoiler = call_param(c, "spoiler")->i != 0,
    };
    return upload_media_to_input(&c->b, &media);
}

/* ---- the message ---- */

static void answer(struct call *c, const struct sent_message *sent, size_t n)
{
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_int(w, "message_id", sent[0].id);
    json_field_time(w, "date", sent[0].date);
    json_key(w, "message_ids");
    json_array_begin(w);
    for (size_t i = 0; i < n; i++)
        json_int(w, sent[i].id);
    json_array_end(w);
    json_object_end(w);
}

/* An album is made of media that Telegram has already taken one by one. */
static const struct tl_object *send_album(struct call *c, const struct sending *s,
                                          const int64_t *random_ids, const struct send_options *o)
{
    const struct tl_object *media[ALBUM_FILES_MAX];
    for (size_t i = 0; i < s->n_files; i++) {
        const struct tl_object *taken =
            call_invoke(c, request_upload_media(&c->b, &s->peer, input_media(c, s, &s->files[i])));
        if (!taken)
            return NULL;
        media[i] = uploaded_to_input(&c->b, taken, call_param(c, "spoiler")->i != 0);
        if (!media[i]) {
            call_fail(c, 502, "UNEXPECTED_ANSWER", "Telegram took a file but did not say as what");
            return NULL;
        }
    }
    return call_invoke(c, request_send_album(&c->b, &s->peer, media, random_ids, s->n_files, o));
}

/* It has bounds of its own on what a photo is, and keeps the file's parts. */
static bool refused_as_photo(const struct call *c)
{
    static const char *const names[] = {"IMAGE_PROCESS_FAILED", "PHOTO_EXT_INVALID",
                                        "PHOTO_INVALID", "PHOTO_INVALID_DIMENSIONS",
                                        "PHOTO_SAVE_FILE_INVALID"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (call_error_is(c, names[i]))
            return true;
    return false;
}

static const struct tl_object *send_one(struct call *c, const struct sending *s,
                                        const struct send_options *o)
{
    struct sent_file *f = &s->files[0];
    const struct tl_object *updates =
        call_invoke(c, request_send_media(&c->b, &s->peer, input_media(c, s, f), o));
    if (updates || f->kind != MEDIA_PHOTO || !refused_as_photo(c))
        return updates;
    call_error_clear(c);
    f->kind = MEDIA_DOCUMENT;
    return call_invoke(c, request_send_media(&c->b, &s->peer, input_media(c, s, f), o));
}

/* An account that moved after its files were uploaded: Telegram misses them, whatever it says. */
static void explain_move(struct call *c, const struct sending *s)
{
    if (c->session.dc == s->home || !c->error.telegram || c->error.status != 400)
        return;
    call_error_clear(c);
    upload_fail_moved(c);
}

static void send(struct call *c, struct sending *s, const struct send_options *o)
{
    bool album = s->n_files > 1;
    const char *method = album ? "messages.sendMultiMedia" : "messages.sendMedia";
    struct slice peer = resolve_canonical(c, &s->peer);
    struct sent_message sent[ALBUM_FILES_MAX];
    int64_t random_ids[ALBUM_FILES_MAX];
    for (size_t i = 0; i < s->n_files; i++)
        random_ids[i] = call_random_id(c, method, peer, (uint32_t)i);
    struct send_options options = *o;
    options.random_id = random_ids[0];
    const struct tl_object *updates =
        album ? send_album(c, s, random_ids, &options) : send_one(c, s, &options);
    if (!updates) {
        explain_move(c, s);
        return;
    }
    for (size_t i = 0; i < s->n_files; i++) {
        if (!updates_find_sent(updates, random_ids[i], &sent[i])) {
            message_fail_unnamed(c);
            return;
        }
    }
    answer(c, sent, s->n_files);
}

void handle_send_with_file(struct call *c)
{
    struct sending *s = arena_alloc(c->arena, sizeof *s);
    if (s)
        s->files = arena_array(c->arena, ALBUM_FILES_MAX, sizeof *s->files);
    if (!s || !s->files || !(s->form = form_new(c)) || !fits(c, form_files_bytes(s->form)) ||
        !take_files(c, s))
        return;
    struct formatted_text text;
    if (!text_param(c, "text", &text) || !find_peer(c, s) || !choose_kinds(c, s))
        return;
    struct send_options options = {
        .text = &text,
        .reply_to_msg_id = (int32_t)call_param(c, "reply_to_message_id")->i,
        .schedule_date = call_param(c, "schedule_date")->i,
        .silent = call_param(c, "silent")->i != 0,
        .mentions = resolve_mentions(c, &text),
    };
    if (!call_failed(c) &&
        message_check_in(c, &s->peer, "reply_to_message_id", options.reply_to_msg_id))
        send(c, s, &options);
}
