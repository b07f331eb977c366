/* SPDX-License-Identifier: MIT
 * users.*, and the parts of account.* that are about one's own profile. */
#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/input.h"
#include "sandbox/methods_world.h"
#include "sandbox/peer_photo.h"
#include "sandbox/username.h"
#include "sandbox/users.h"

/* Users that do not resolve are answered as userEmpty, as Telegram does. */
static struct tl_value get_users(struct request *r)
{
    struct tl_vector *users = tl_new_vec(&r->b);
    for (uint32_t i = 0; i < tl_count(r->query, F_id); i++) {
        const struct tl_object *input = tl_item_obj(r->query, F_id, i);
        const struct user *u = input_user(r, input);
        if (u) {
            tl_push_obj(&r->b, users, build_user(r, u));
            continue;
        }
        r->error_code = 0;
        r->error_text = NULL;
        struct tl_object *empty = tl_new(&r->b, C_userEmpty);
        tl_set_int(empty, F_id, tl_int(input, F_user_id));
        tl_push_obj(&r->b, users, empty);
    }
    return tl_value_vec(users);
}

static uint32_t common_chats(const struct user *a, const struct user *b, const struct world *w)
{
    uint32_t n = 0;
    for (size_t i = 0; i < a->n_dialogs; i++) {
        const struct chat *c = world_chat(w, a->dialog_list[i]->peer);
        if (c && !(c->flags & (CHAT_BROADCAST | CHAT_DEACTIVATED)) && chat_has(c, a->id) &&
            chat_has(c, b->id))
            n++;
    }
    return n;
}

static struct tl_object *build_peer_settings(struct request *r, const struct user *u)
{
    struct tl_object *o = tl_new(&r->b, C_peerSettings);
    bool stranger = u != r->self && !(u->flags & (USER_BOT | USER_SUPPORT)) &&
                    !id_map_get(&r->self->contacts, u->id);
    tl_set_bool(o, F_add_contact, stranger);
    tl_set_bool(o, F_block_contact, stranger && !id_map_get(&r->self->blocked, u->id));
    return o;
}

static int32_t newest_pin(struct request *r, int64_t peer)
{
    const struct dialog *d = user_dialog_find(r->self, peer);
    uint32_t first = 0;
    const struct id_list *l = d ? dialog_ids(r->world, r->self, d, &first) : NULL;
    for (uint32_t i = l ? l->n : 0; i-- > first;) {
        const struct message *m = world_message(r->world, r->self, peer, l->ids[i]);
        if (m && message_is_pinned(r->self, m, l->ids[i]))
            return l->ids[i];
    }
    return 0;
}

static struct tl_object *build_user_full(struct request *r, const struct user *u)
{
    struct tl_object *o = tl_new(&r->b, C_userFull);
    tl_set_int(o, F_id, u->id);
    if (u->about[0])
        tl_set_str(o, F_about, u->about);
    if (u->photos.n)
        tl_set_obj(o, F_profile_photo, build_photo(r, photo_list_shown(&u->photos)));
    tl_set_obj(o, F_settings, build_peer_settings(r, u));
    tl_set_obj(o, F_notify_settings, build_notify_settings(r, u->id));
    tl_set_bool(o, F_blocked, id_map_get(&r->self->blocked, u->id) != NULL);
    tl_set_bool(o, F_can_pin_message, true);
    tl_set_int(o, F_common_chats_count, u == r->self ? 0 : common_chats(r->self, u, r->world));
    int32_t pin = newest_pin(r, u->id);
    if (pin)
        tl_set_int(o, F_pinned_msg_id, pin);
    if (u->flags & USER_BOT) {
        struct tl_object *info = tl_new(&r->b, C_botInfo);
        tl_set_int(info, F_user_id, u->id);
        tl_set_str(info, F_description, u->about);
        tl_set_obj(o, F_bot_info, info);
    }
    const struct dialog *d = user_dialog_find(r->self, u->id);
    if (d && d->folder)
        tl_set_int(o, F_folder_id, d->folder);
    return o;
}

static struct tl_value get_full_user(struct request *r)
{
    const struct user *u = input_user(r, tl_obj(r->query, F_id));
    if (!u)
        return refused();
    struct peers peers = {0};
    peers_add(r, &peers, u->id);
    struct tl_object *o = tl_new(&r->b, C_users_userFull);
    tl_set_obj(o, F_full_user, build_user_full(r, u));
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

/* ---- one's own profile ---- */

void tell_acquaintances(struct request *r, enum update_kind kind)
{
    struct update u = {
        .type = &world_updates[kind], .date = r->now_s, .keep = true, .a = r->self->id};
    for (size_t i = 0; i < r->world->n_users; i++) {
        struct user *to = r->world->user_list[i];
        if (to == r->self || user_dialog_find(to, r->self->id) ||
            id_map_get(&to->contacts, r->self->id))
            world_tell(r->world, to, u);
    }
}

static struct tl_value self_answer(struct request *r)
{
    struct cause cause;
    cause_begin(r, &cause);
    tell_acquaintances(r, U_USER_NAME);
    cause_end(r);
    return tl_value_obj(build_user(r, r->self));
}

static struct tl_value update_profile(struct request *r)
{
    struct user *u = r->self;
    struct slice first =
        tl_has(r->query, F_first_name) ? tl_text(r->query, F_first_name) : slice_str(u->first_name);
    struct slice last =
        tl_has(r->query, F_last_name) ? tl_text(r->query, F_last_name) : slice_str(u->last_name);
    struct slice about =
        tl_has(r->query, F_about) ? tl_text(r->query, F_about) : slice_str(u->about);
    if (first.len == 0 || utf16_length(first) > NAME_UNITS_MAX)
        return fail(r, 400, "FIRSTNAME_INVALID");
    if (utf16_length(last) > NAME_UNITS_MAX)
        return fail(r, 400, "LASTNAME_INVALID");
    if (utf16_length(about) > USER_ABOUT_UNITS_MAX)
        return fail(r, 400, "ABOUT_TOO_LONG");
    /* the texts may be the user's own: copies first */
    first = arena_copy(r->arena, first);
    last = arena_copy(r->arena, last);
    about = arena_copy(r->arena, about);
    if (!user_set_name(u, first, last) || !user_set_about(u, about))
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    return self_answer(r);
}

static struct tl_value check_username(struct request *r)
{
    const char *error = username_error(r->world, r->self->id, tl_text(r->query, F_username));
    if (error && strcmp(error, "USERNAME_OCCUPIED") != 0)
        return fail(r, 400, error);
    return tl_value_bool(!error);
}

static struct tl_value update_username(struct request *r)
{
    struct slice name = tl_text(r->query, F_username);
    if (slice_is(name, r->self->username))
        return fail(r, 400, "USERNAME_NOT_MODIFIED");
    const char *error = name.len ? username_error(r->world, r->self->id, name) : NULL;
    if (error)
        return fail(r, 400, error);
    if (!world_set_username(r->world, r->self->id, name))
        return fail(r, 400, "USERNAME_OCCUPIED");
    return self_answer(r);
}

static const struct method methods[] = {
    {C_users_getUsers, 0, get_users},
    {C_users_getFullUser, 0, get_full_user},
    {C_account_updateProfile, 0, update_profile},
    {C_account_checkUsername, 0, check_username},
    {C_account_updateUsername, 0, update_username},
};
const struct method_table users_methods = {methods, sizeof methods / sizeof *methods};
