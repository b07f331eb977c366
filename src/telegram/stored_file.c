/* SPDX-License-Identifier: MIT
 * Photos, documents and their sizes as files. */
#include "telegram/stored_file.h"

#include "telegram/media_attributes.h"

/* ---- which of a photo's or document's sizes ---- */

static bool size_usable(const struct tl_object *size)
{
    return tl_is(size, C_photoSize) || tl_is(size, C_photoSizeProgressive) ||
           tl_is(size, C_photoCachedSize) || tl_is(size, C_photoStrippedSize) ||
           tl_is(size, C_videoSize);
}

/* Previews in the message itself are 0: any size that must be fetched is larger. */
static int64_t size_bytes(const struct tl_object *size)
{
    uint32_t steps = tl_count(size, F_sizes);
    if (steps) /* a progressive JPEG: the last step is the whole */
        return tl_item(size, F_sizes, steps - 1)->i;
    return tl_int(size, F_size);
}

static const struct tl_object *largest_size(const struct tl_object *photo)
{
    const struct tl_object *best = NULL;
    int64_t most = -1;
    for (uint32_t i = 0; i < tl_count(photo, F_sizes); i++) {
        const struct tl_object *size = tl_item_obj(photo, F_sizes, i);
        int64_t area = tl_int(size, F_w) * tl_int(size, F_h);
        if (size_usable(size) && area > most) {
            best = size;
            most = area;
        }
    }
    return best;
}

static const struct tl_object *size_by_type(const struct tl_object *of, uint16_t f,
                                            struct slice type)
{
    for (uint32_t i = 0; i < tl_count(of, f); i++) {
        const struct tl_object *size = tl_item_obj(of, f, i);
        if (size_usable(size) && slice_eq(tl_text(size, F_type), type))
            return size;
    }
    return NULL;
}

static const struct tl_object *size_by_index(const struct tl_object *of, uint16_t f,
                                             struct slice text)
{
    int64_t index, n = tl_count(of, f);
    if (!slice_to_i64(text, &index) || index < -n || index >= n)
        return NULL;
    const struct tl_object *size = tl_item_obj(of, f, (uint32_t)(index < 0 ? index + n : index));
    return size_usable(size) ? size : NULL;
}

static const struct tl_object *pick_size(const struct tl_object *of, uint16_t f, struct slice thumb)
{
    const struct tl_object *size = size_by_type(of, f, thumb);
    return size ? size : size_by_index(of, f, thumb);
}

/* ---- where it is ---- */

static struct tl_object *location_of(struct tl_builder *b, uint16_t ctor,
                                     const struct tl_object *file, struct slice size_type)
{
    struct tl_object *o = tl_new(b, ctor);
    tl_set_int(o, F_id, tl_int(file, F_id));
    tl_set_int(o, F_access_hash, tl_int(file, F_access_hash));
    tl_set_text(o, F_file_reference, tl_text(file, F_file_reference));
    tl_set_text(o, F_thumb_size, size_type);
    return o;
}

static void describe(const struct tl_object *file, struct stored_file *out)
{
    *out = (struct stored_file){
        .id = tl_int(file, F_id),
        .dc = (int32_t)tl_int(file, F_dc_id),
        .date = tl_int(file, F_date),
    };
}

/* Fills in what is of that size of the photo or document. */
static enum stored_file_status use_size(struct tl_builder *b, uint16_t location_ctor,
                                        const struct tl_object *file, const struct tl_object *size,
                                        struct stored_file *out)
{
    if (!size)
        return STORED_FILE_NO_THUMB;
    out->size_type = tl_text(size, F_type);
    if (tl_is(size, C_photoCachedSize))
        out->bytes = tl_text(size, F_bytes);
    else if (tl_is(size, C_photoStrippedSize))
        out->bytes = stripped_photo_to_jpeg(tl_text(size, F_bytes), b->arena);
    else
        out->location = location_of(b, location_ctor, file, out->size_type);
    out->size = out->location ? size_bytes(size) : (int64_t)out->bytes.len;
    return out->location || out->bytes.len ? STORED_FILE_FOUND : STORED_FILE_NO_THUMB;
}

static enum stored_file_status of_photo(struct tl_builder *b, const struct tl_object *photo,
                                        struct slice thumb, struct stored_file *out)
{
    const struct tl_object *size =
        thumb.len ? pick_size(photo, F_sizes, thumb) : largest_size(photo);
    describe(photo, out);
    out->mime = slice_str("image/jpeg");
    return use_size(b, C_inputPhotoFileLocation, photo, size, out);
}

static enum stored_file_status of_document(struct tl_builder *b, const struct tl_object *document,
                                           struct slice thumb, struct stored_file *out)
{
    describe(document, out);
    if (thumb.len) {
        const struct tl_object *size = pick_size(document, F_thumbs, thumb);
        bool sticker = document_attribute(document, C_documentAttributeSticker) != NULL;
        out->mime = slice_str(sticker ? "image/webp" : "image/jpeg");
        if (!size && (size = size_by_type(document, F_video_thumbs, thumb)))
            out->mime = slice_str("video/mp4");
        return use_size(b, C_inputDocumentFileLocation, document, size, out);
    }
    out->size = tl_int(document, F_size);
    out->mime = tl_text(document, F_mime_type);
    out->name = tl_text(document_attribute(document, C_documentAttributeFilename), F_file_name);
    out->location = location_of(b, C_inputDocumentFileLocation, document, slice_str(""));
    return STORED_FILE_FOUND;
}

/* What holds the `photo` or `document` of a message. */
static const struct tl_object *holder_of(const struct tl_object *message)
{
    const struct tl_object *media = tl_obj(message, F_media);
    const struct tl_object *action = tl_obj(message, F_action);
    if (tl_is(media, C_messageMediaWebPage))
        return tl_obj(media, F_webpage);
    if (tl_is(media, C_messageMediaGame))
        return tl_obj(media, F_game);
    return tl_is(action, C_messageActionChatEditPhoto) ? action : media;
}

enum stored_file_status stored_file_of_message(struct tl_builder *b,
                                               const struct tl_object *message, struct slice thumb,
                                               struct stored_file *out)
{
    const struct tl_object *holder = holder_of(message);
    const struct tl_object *document = tl_obj(holder, F_document);
    const struct tl_object *photo = tl_obj(holder, F_photo);
    *out = (struct stored_file){0};
    if (tl_is(document, C_document))
        return of_document(b, document, thumb, out);
    return tl_is(photo, C_photo) ? of_photo(b, photo, thumb, out) : STORED_FILE_NONE;
}

/* ---- photos of users and chats ---- */

struct peer_photo peer_photo_of(const struct tl_object *user_or_chat)
{
    const struct tl_object *photo = tl_obj(user_or_chat, F_photo);
    if (!tl_is(photo, C_userProfilePhoto) && !tl_is(photo, C_chatPhoto))
        return (struct peer_photo){0};
    return (struct peer_photo){
        .peer = peer_of_object(user_or_chat),
        .id = tl_int(photo, F_photo_id),
        .dc = (int32_t)tl_int(photo, F_dc_id),
    };
}

struct tl_object *peer_photo_location(struct tl_builder *b, const struct peer_photo *p, bool big)
{
    struct tl_object *peer = peer_to_input(b, &p->peer);
    if (!peer)
        return NULL;
    struct tl_object *o = tl_new(b, C_inputPeerPhotoFileLocation);
    tl_set_bool(o, F_big, big);
    tl_set_obj(o, F_peer, peer);
    tl_set_int(o, F_photo_id, p->id);
    return o;
}

size_t peer_photo_encode(const struct peer_photo *p, uint8_t out[static PEER_PHOTO_PAYLOAD_MAX])
{
    store_le64(out, (uint64_t)p->id);
    store_le32(out + 8, (uint32_t)p->dc);
    return 12 + peer_encode(&p->peer, out + 12);
}

bool peer_photo_decode(struct slice payload, struct peer_photo *out)
{
    *out = (struct peer_photo){0};
    if (payload.len < 12)
        return false;
    out->id = (int64_t)load_le64(payload.data);
    out->dc = (int32_t)load_le32(payload.data + 8);
    return peer_decode(slice_of(payload.data + 12, payload.len - 12), &out->peer);
}
