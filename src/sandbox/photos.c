/* SPDX-License-Identifier: MIT
 * photos.*, messages.editChatPhoto, channels.editPhoto: the pictures of users and chats. */
#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/input.h"
#include "sandbox/media_file.h"
#include "sandbox/methods_world.h"
#include "sandbox/peer_photo.h"
#include "sandbox/service.h"
#include "sandbox/users.h"

enum { FACE_PX_MIN = 160 };

/* A new picture from an InputFile; NULL and refused when it is none. */
static struct file *read_face(struct request *r, const struct tl_object *input)
{
    const char *error = "PHOTO_FILE_MISSING";
    struct file *f = input ? photo_from_upload(r, input, &error) : NULL;
    const struct file_size *size = f ? &f->sizes[f->n_sizes - 1] : NULL;
    if (f && size->width >= FACE_PX_MIN && size->height >= FACE_PX_MIN)
        return f;
    fail(r, 400, f ? "PHOTO_CROP_SIZE_SMALL" : error);
    return NULL;
}

/* ---- of users ---- */

static struct tl_value photo_answer(struct request *r, const struct file *f)
{
    struct tl_object *o = tl_new(&r->b, C_photos_photo);
    tl_set_obj(o, F_photo, build_photo(r, f));
    tl_push_obj(&r->b, tl_set_vec(&r->b, o, F_users), build_user(r, r->self));
    return tl_value_obj(o);
}

/* Everybody is told, in the answer too; gives that answer. */
static struct tl_value face_changed(struct request *r, const struct file *f)
{
    struct cause cause;
    cause_begin(r, &cause);
    tell_acquaintances(r, U_USER);
    cause_end(r);
    return photo_answer(r, f);
}

static struct tl_value upload_face(struct request *r)
{
    struct file *f = read_face(r, tl_obj(r->query, F_file));
    if (!f)
        return refused();
    if (!photo_list_add(&r->self->photos, f))
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    return face_changed(r, f);
}

/* One of those that self had is shown again; inputPhotoEmpty takes away the one that is shown. */
static struct tl_value update_face(struct request *r)
{
    const struct tl_object *id = tl_obj(r->query, F_id);
    struct photo_list *l = &r->self->photos;
    const char *error = NULL;
    struct file *f = NULL;
    if (tl_is(id, C_inputPhotoEmpty)) {
        photo_list_remove(l, photo_list_shown(l));
        return face_changed(r, NULL);
    }
    f = input_file_named(r, id, true, &error);
    if (!f || !peer_photo_find(r->world, r->self->id, f->id))
        return fail(r, 400,
                    f || strcmp(error, "FILE_ID_INVALID") == 0 ? "PHOTO_ID_INVALID" : error);
    file_hold(f); /* over the move */
    photo_list_remove(l, f);
    photo_list_add(l, f);
    file_drop(f);
    return face_changed(r, f);
}

static struct tl_value delete_faces(struct request *r)
{
    struct tl_vector *gone = tl_new_vec(&r->b);
    struct cause cause;
    cause_begin(r, &cause);
    for (uint32_t i = 0; i < tl_count(r->query, F_id); i++) {
        const char *error;
        const struct file *f = input_file_named(r, tl_item_obj(r->query, F_id, i), true, &error);
        if (f && photo_list_remove(&r->self->photos, f))
            tl_push_int(&r->b, gone, f->id);
    }
    if (gone && gone->n)
        tell_acquaintances(r, U_USER);
    cause_end(r);
    return tl_value_vec(gone);
}

/* Newest first. max_id: that one only (offset -1), as clients look for one that they know. */
static struct tl_value user_photos(struct request *r)
{
    const struct user *u = input_user(r, tl_obj(r->query, F_user_id));
    if (!u)
        return refused();
    int64_t offset = tl_int(r->query, F_offset), limit = tl_int(r->query, F_limit),
            max_id = tl_int(r->query, F_max_id);
    const struct photo_list *l = &u->photos;
    int64_t from = offset > 0 ? offset : 0, left = limit > 0 && limit < PAGE_MAX ? limit : PAGE_MAX;
    struct tl_object *o =
        tl_new(&r->b, from == 0 && left >= l->n ? C_photos_photos : C_photos_photosSlice);
    tl_set_int(o, F_count, l->n);
    struct tl_vector *photos = tl_set_vec(&r->b, o, F_photos);
    for (int64_t i = from; i < l->n && left > 0; i++) {
        const struct file *f = l->files[l->n - 1 - i];
        if (max_id && f->id != max_id)
            continue;
        tl_push_obj(&r->b, photos, build_photo(r, f));
        left--;
    }
    tl_push_obj(&r->b, tl_set_vec(&r->b, o, F_users), build_user(r, u));
    return tl_value_obj(o);
}

/* ---- of chats ---- */

/* The picture that an InputChatPhoto means; NULL without error: none. */
static struct file *read_chat_photo(struct request *r, const struct tl_object *input)
{
    const char *error = "PHOTO_INVALID";
    if (tl_is(input, C_inputChatPhotoEmpty))
        return NULL;
    if (tl_is(input, C_inputChatUploadedPhoto))
        return read_face(r, tl_obj(input, F_file));
    struct file *f = tl_is(input, C_inputChatPhoto)
                         ? input_file_named(r, tl_obj(input, F_id), true, &error)
                         : NULL;
    if (!f)
        fail(r, 400, strcmp(error, "FILE_ID_INVALID") == 0 ? "PHOTO_INVALID" : error);
    return f;
}

static struct tl_value change_photo(struct request *r, struct chat *c)
{
    struct file *f = read_chat_photo(r, tl_obj(r->query, F_photo));
    if (r->error_code)
        return refused();
    if (!f && c->photos.n == 0)
        return fail(r, 400, "CHAT_NOT_MODIFIED");
    while (!f && c->photos.n) /* an older one does not come back */
        photo_list_remove(&c->photos, photo_list_shown(&c->photos));
    if (f && !photo_list_add(&c->photos, f))
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    struct cause cause;
    cause_begin(r, &cause);
    struct action_draft a = {.kind = f ? ACTION_EDIT_PHOTO : ACTION_DELETE_PHOTO, .photo = f};
    say_action(r->world, c, r->self->id, &a, r->now_s, false);
    return cause_answer(r, &cause);
}

static struct tl_value edit_chat_photo(struct request *r)
{
    struct chat *c = input_chat_id(r, tl_int(r->query, F_chat_id));
    if (!c || !require_right(r, c, ADMIN_CHANGE_INFO, BANNED_CHANGE_INFO))
        return refused();
    return change_photo(r, c);
}

static struct tl_value edit_channel_photo(struct request *r)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c || !require_right(r, c, ADMIN_CHANGE_INFO, BANNED_CHANGE_INFO))
        return refused();
    return change_photo(r, c);
}

static const struct method methods[] = {
    {C_photos_uploadProfilePhoto, 0, upload_face},  {C_photos_updateProfilePhoto, 0, update_face},
    {C_photos_deletePhotos, 0, delete_faces},       {C_photos_getUserPhotos, 0, user_photos},
    {C_messages_editChatPhoto, 0, edit_chat_photo}, {C_channels_editPhoto, 0, edit_channel_photo},
};
const struct method_table photos_methods = {methods, sizeof methods / sizeof *methods};
