/* SPDX-License-Identifier: MIT
 * Uploaded files as media of messages.
 * https://core.telegram.org/api/files#uploading-files */
#ifndef TGREST_TELEGRAM_UPLOAD_MEDIA_H
#define TGREST_TELEGRAM_UPLOAD_MEDIA_H

#include "telegram/messages.h"
#include "telegram/probe.h"

enum {
    PHOTO_BYTES_MAX = 10 * 1024 * 1024, /* Telegram's bounds on photos, as its Bot API tells them */
    PHOTO_SIDES_MAX = 10000,            /* width and height together */
    PHOTO_RATIO_MAX = 20,
    THUMB_BYTES_MAX = 200 * 1024,
    ALBUM_FILES_MAX = 10,
};

enum media_kind {
    MEDIA_PHOTO,
    MEDIA_ANIMATION,
    MEDIA_VIDEO,
    MEDIA_VIDEO_NOTE,
    MEDIA_AUDIO,
    MEDIA_VOICE,
    MEDIA_DOCUMENT,
};

/* What the sender wants it to be, against what it looks like. */
struct media_wish {
    bool document;
    bool voice;
    bool video_note;
};

/* The most that can be made of a file of that size. */
enum media_kind media_kind_of(const struct media_info *info, int64_t bytes,
                              const struct media_wish *wish);
/* May the two stand in one album? Photos and videos may, else only a kind with itself. */
bool media_kinds_mix(enum media_kind a, enum media_kind b);

struct upload_media {
    enum media_kind kind;
    const struct media_info *info;
    const struct tl_object *file;  /* InputFile */
    const struct tl_object *thumb; /* InputFile, or NULL */
    struct slice name;
    struct slice mime;
    bool spoiler;
};
/* InputMedia of it. */
struct tl_object *upload_media_to_input(struct tl_builder *b, const struct upload_media *m);
/* InputMedia of the MessageMedia that messages.uploadMedia answered, for albums; NULL if that has
 * neither photo nor document. */
struct tl_object *uploaded_to_input(struct tl_builder *b, const struct tl_object *message_media,
                                    bool spoiler);

/* messages.sendMedia; the text of `o` is the caption. */
struct tl_object *request_send_media(struct tl_builder *b, const struct peer_ref *peer,
                                     const struct tl_object *input_media,
                                     const struct send_options *o);
struct tl_object *request_upload_media(struct tl_builder *b, const struct peer_ref *peer,
                                       const struct tl_object *input_media);
/* messages.sendMultiMedia: n at most ALBUM_FILES_MAX; the caption stands under the first, where
 * apps show it as the album's. */
struct tl_object *request_send_album(struct tl_builder *b, const struct peer_ref *peer,
                                     const struct tl_object *const *input_media,
                                     const int64_t *random_ids, size_t n,
                                     const struct send_options *o);

#endif
