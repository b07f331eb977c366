/* SPDX-License-Identifier: MIT
 * What a message's media is as a file, and where its bytes are.
 * https://core.telegram.org/api/files */
#ifndef TGREST_TELEGRAM_STORED_FILE_H
#define TGREST_TELEGRAM_STORED_FILE_H

#include "telegram/peer.h"

/* Lives in the message's tree and the builder's arena. */
struct stored_file {
    int64_t id; /* of the photo or document */
    int32_t dc;
    int64_t size;                     /* bytes */
    int64_t date;                     /* unix seconds; 0 if not told */
    const struct tl_object *location; /* InputFileLocation; NULL where `bytes` are all there is */
    struct slice bytes;               /* a preview that came with the message */
    struct slice mime;                /* as its sender said it: not to be trusted */
    struct slice name;                /* likewise; empty if it has none */
    struct slice size_type;           /* of a photo or preview: "x"; empty: the document itself */
};

enum stored_file_status {
    STORED_FILE_FOUND,
    STORED_FILE_NONE,     /* no photo or document, or one that expired */
    STORED_FILE_NO_THUMB, /* not in the size that was asked for */
};

/* The document or photo of a message: its own, of its web page (the document before the picture) or
 * game, or the new photo of a chat. thumb: empty for the document itself and for a photo's largest
 * size; else the type of a size ("s", "m", "x", "i"…), or its index (from the end if negative). */
enum stored_file_status stored_file_of_message(struct tl_builder *b,
                                               const struct tl_object *message, struct slice thumb,
                                               struct stored_file *out);

/* The photo of a user or chat as those objects tell it. */
struct peer_photo {
    struct peer_ref peer;
    int64_t id; /* 0: none */
    int32_t dc;
};
struct peer_photo peer_photo_of(const struct tl_object *user_or_chat);
/* InputFileLocation of it; NULL when the peer is not usable. */
struct tl_object *peer_photo_location(struct tl_builder *b, const struct peer_photo *p, bool big);

enum { PEER_PHOTO_PAYLOAD_MAX = PEER_PAYLOAD_MAX + 12 };
/* The payload of an opaque ref, as peer_encode's. */
size_t peer_photo_encode(const struct peer_photo *p, uint8_t out[static PEER_PHOTO_PAYLOAD_MAX]);
bool peer_photo_decode(struct slice payload, struct peer_photo *out);

/* A photoStrippedSize's bytes as the JPEG that they stand for; empty if they are none. */
struct slice stripped_photo_to_jpeg(struct slice stripped, struct arena *a);

#endif
