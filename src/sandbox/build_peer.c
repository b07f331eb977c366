/* SPDX-License-Identifier: MIT
 * Users, chats and channels as TL, as their viewer sees them. */
#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/message.h"
#include "sandbox/peer_photo.h"

/* ---- the peers of an answer ---- */

void peers_add(struct request *view, struct peers *p, int64_t peer)
{
    if (peer == 0)
        return;
    for (uint32_t i = p->n; i-- > 0;)
        if (p->ids[i] == peer)
            return;
    if (p->n == p->cap) {
        uint32_t cap = p->cap ? 2 * p->cap : 16;
        int64_t *bigger = arena_array(view->arena, cap, sizeof *bigger);
        if (!bigger)
            return; /* the arena remembers that it failed: the answer fails as a whole */
        if (p->n)
            memcpy(bigger, p->ids, p->n * sizeof *bigger);
        p->ids = bigger;
        p->cap = cap;
    }
    p->ids[p->n++] = peer;
}

void peers_set(struct request *view, struct peers *p, struct tl_object *o)
{
    struct tl_vector *users = tl_set_vec(&view->b, o, F_users);
    struct tl_vector *chats = tl_set_vec(&view->b, o, F_chats);
    for (uint32_t i = 0; i < p->n; i++) { /* p grows by none of these */
        const struct user *u = world_user(view->world, p->ids[i]);
        const struct chat *c = world_chat(view->world, p->ids[i]);
        if (u)
            tl_push_obj(&view->b, users, build_user(view, u));
        if (c)
            tl_push_obj(&view->b, chats, build_chat(view, c));
    }
}

struct tl_object *build_peer(struct request *view, int64_t peer)
{
    struct tl_object *o = NULL;
    switch (peer_kind(peer)) {
    case PEER_USER:
        o = tl_new(&view->b, C_peerUser);
        tl_set_int(o, F_user_id, peer);
        break;
    case PEER_CHAT:
        o = tl_new(&view->b, C_peerChat);
        tl_set_int(o, F_chat_id, peer_bare(peer));
        break;
    case PEER_CHANNEL:
        o = tl_new(&view->b, C_peerChannel);
        tl_set_int(o, F_channel_id, peer_bare(peer));
        break;
    case PEER_NONE:
        break;
    }
    return o;
}

struct tl_object *build_notify_settings(struct request *view, int64_t peer)
{
    struct tl_object *o = tl_new(&view->b, C_peerNotifySettings);
    const struct notify_rule *rule =
        view->self->account ? account_notify(view->self->account, peer) : NULL;
    if (!rule)
        return o;
    tl_set_bool(o, F_show_previews, rule->show_previews);
    tl_set_bool(o, F_silent, rule->silent);
    tl_set_int(o, F_mute_until, rule->mute_until);
    return o;
}

/* userProfilePhoto or chatPhoto, which have the same fields; NULL where there is none. */
static struct tl_object *build_face(struct request *view, uint16_t symbol,
                                    const struct photo_list *photos)
{
    const struct file *f = photo_list_shown(photos);
    if (!f)
        return NULL;
    struct tl_object *o = tl_new(&view->b, symbol);
    tl_set_int(o, F_photo_id, f->id);
    tl_set_int(o, F_dc_id, file_dc(view, f));
    return o;
}

static struct tl_object *build_chat_photo(struct request *view, const struct chat *c)
{
    struct tl_object *o = build_face(view, C_chatPhoto, &c->photos);
    return o ? o : tl_new(&view->b, C_chatPhotoEmpty);
}

/* ---- users ---- */

struct tl_object *build_user_status(struct request *view, const struct user *u)
{
    if (u->online_until > view->now_s) {
        struct tl_object *o = tl_new(&view->b, C_userStatusOnline);
        tl_set_int(o, F_expires, u->online_until);
        return o;
    }
    if (u->online_until == 0)
        return tl_new(&view->b, C_userStatusEmpty);
    struct tl_object *o = tl_new(&view->b, C_userStatusOffline);
    tl_set_int(o, F_was_online, u->online_until);
    return o;
}

static void set_text_if_any(struct tl_object *o, uint16_t field, const char *text)
{
    if (text[0])
        tl_set_str(o, field, text);
}

struct tl_object *build_user(struct request *view, const struct user *u)
{
    struct user *self = view->self;
    const struct contact *contact = id_map_get(&self->contacts, u->id);
    bool is_self = u == self;
    struct tl_object *o = tl_new(&view->b, C_user);
    tl_set_int(o, F_id, u->id);
    tl_set_int(o, F_access_hash, world_access_hash(view->world, self->id, u->id));
    tl_set_bool(o, F_self, is_self);
    tl_set_bool(o, F_contact, contact != NULL);
    tl_set_bool(o, F_mutual_contact, contact && id_map_get(&u->contacts, self->id));
    tl_set_bool(o, F_deleted, u->flags & USER_DELETED);
    tl_set_bool(o, F_bot, u->flags & USER_BOT);
    tl_set_bool(o, F_verified, u->flags & USER_VERIFIED);
    tl_set_bool(o, F_support, u->flags & USER_SUPPORT);
    tl_set_bool(o, F_premium, u->flags & USER_PREMIUM);
    if (u->flags & USER_DELETED)
        return o;
    tl_set_str(o, F_first_name, contact ? contact->first_name : u->first_name);
    set_text_if_any(o, F_last_name, contact ? contact->last_name : u->last_name);
    set_text_if_any(o, F_username, u->username);
    tl_set_obj(o, F_photo, build_face(view, C_userProfilePhoto, &u->photos));
    if (is_self || contact)
        set_text_if_any(o, F_phone, u->phone);
    if (u->flags & USER_BOT) {
        tl_set_bool(o, F_bot_chat_history, true); /* hears all that is said in groups */
        tl_set_int(o, F_bot_info_version, 1);
    } else {
        tl_set_obj(o, F_status, build_user_status(view, u));
    }
    return o;
}

/* ---- rights ---- */

struct right {
    uint32_t bit;
    uint16_t field;
};

static const struct right admin_rights[] = {
    {ADMIN_CHANGE_INFO, F_change_info},
    {ADMIN_POST, F_post_messages},
    {ADMIN_EDIT, F_edit_messages},
    {ADMIN_DELETE, F_delete_messages},
    {ADMIN_BAN, F_ban_users},
    {ADMIN_INVITE, F_invite_users},
    {ADMIN_PIN, F_pin_messages},
    {ADMIN_ADD_ADMINS, F_add_admins},
    {ADMIN_ANONYMOUS, F_anonymous},
    {ADMIN_CALL, F_manage_call},
    {ADMIN_OTHER, F_other},
    {ADMIN_TOPICS, F_manage_topics},
};

static const struct right banned_rights[] = {
    {BANNED_VIEW, F_view_messages},   {BANNED_SEND, F_send_messages},
    {BANNED_MEDIA, F_send_media},     {BANNED_STICKERS, F_send_stickers},
    {BANNED_GIFS, F_send_gifs},       {BANNED_GAMES, F_send_games},
    {BANNED_INLINE, F_send_inline},   {BANNED_LINKS, F_embed_links},
    {BANNED_POLLS, F_send_polls},     {BANNED_CHANGE_INFO, F_change_info},
    {BANNED_INVITE, F_invite_users},  {BANNED_PIN, F_pin_messages},
    {BANNED_TOPICS, F_manage_topics}, {BANNED_PLAIN, F_send_plain},
};

enum {
    ADMIN_RIGHTS_N = sizeof admin_rights / sizeof *admin_rights,
    BANNED_RIGHTS_N = sizeof banned_rights / sizeof *banned_rights
};

static uint32_t read_rights(const struct right *rights, size_t n, const struct tl_object *o)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < n; i++)
        bits |= tl_bool(o, rights[i].field) ? rights[i].bit : 0;
    return bits;
}

struct tl_object *build_admin_rights(struct request *view, uint32_t bits)
{
    struct tl_object *o = tl_new(&view->b, C_chatAdminRights);
    for (size_t i = 0; i < ADMIN_RIGHTS_N; i++)
        tl_set_bool(o, admin_rights[i].field, bits & admin_rights[i].bit);
    return o;
}

uint32_t read_admin_rights(const struct tl_object *o)
{
    return read_rights(admin_rights, ADMIN_RIGHTS_N, o);
}

struct tl_object *build_banned_rights(struct request *view, uint32_t bits, int32_t until)
{
    struct tl_object *o = tl_new(&view->b, C_chatBannedRights);
    for (size_t i = 0; i < BANNED_RIGHTS_N; i++)
        tl_set_bool(o, banned_rights[i].field, bits & banned_rights[i].bit);
    tl_set_int(o, F_until_date, until);
    return o;
}

uint32_t read_banned_rights(const struct tl_object *o)
{
    return read_rights(banned_rights, BANNED_RIGHTS_N, o);
}

/* ---- chats ---- */

static struct tl_object *build_group(struct request *view, const struct chat *c)
{
    const struct member *m = chat_member(c, view->self->id);
    if (!m || m->state == MEMBER_KICKED) {
        struct tl_object *o = tl_new(&view->b, C_chatForbidden);
        tl_set_int(o, F_id, peer_bare(c->peer));
        tl_set_str(o, F_title, c->title);
        return o;
    }
    struct tl_object *o = tl_new(&view->b, C_chat);
    tl_set_bool(o, F_creator, m->creator);
    tl_set_bool(o, F_left, m->state != MEMBER_JOINED);
    tl_set_bool(o, F_deactivated, c->flags & CHAT_DEACTIVATED);
    tl_set_bool(o, F_noforwards, c->flags & CHAT_NOFORWARDS);
    tl_set_int(o, F_id, peer_bare(c->peer));
    tl_set_str(o, F_title, c->title);
    tl_set_obj(o, F_photo, build_chat_photo(view, c));
    tl_set_int(o, F_participants_count, c->n_joined);
    tl_set_int(o, F_date, c->date);
    tl_set_int(o, F_version, c->version);
    if (c->migrated_to) {
        struct tl_object *to = tl_new(&view->b, C_inputChannel);
        tl_set_int(to, F_channel_id, peer_bare(c->migrated_to));
        tl_set_int(to, F_access_hash,
                   world_access_hash(view->world, view->self->id, c->migrated_to));
        tl_set_obj(o, F_migrated_to, to);
    }
    uint32_t rights = chat_admin_rights(c, view->self->id);
    if (rights)
        tl_set_obj(o, F_admin_rights, build_admin_rights(view, rights));
    tl_set_obj(o, F_default_banned_rights, build_banned_rights(view, c->default_banned, INT32_MAX));
    return o;
}

static struct tl_object *build_forbidden_channel(struct request *view, const struct chat *c)
{
    struct tl_object *o = tl_new(&view->b, C_channelForbidden);
    tl_set_bool(o, F_broadcast, c->flags & CHAT_BROADCAST);
    tl_set_bool(o, F_megagroup, c->flags & CHAT_MEGAGROUP);
    tl_set_int(o, F_id, peer_bare(c->peer));
    tl_set_int(o, F_access_hash, world_access_hash(view->world, view->self->id, c->peer));
    tl_set_str(o, F_title, c->title);
    const struct member *m = chat_member(c, view->self->id);
    if (m && m->state == MEMBER_KICKED && m->banned_until)
        tl_set_int(o, F_until_date, m->banned_until);
    return o;
}

static void set_channel_flags(struct tl_object *o, const struct chat *c, const struct member *m)
{
    tl_set_bool(o, F_creator, m && m->creator);
    tl_set_bool(o, F_left, !m || m->state != MEMBER_JOINED);
    tl_set_bool(o, F_broadcast, c->flags & CHAT_BROADCAST);
    tl_set_bool(o, F_megagroup, c->flags & CHAT_MEGAGROUP);
    tl_set_bool(o, F_verified, c->flags & CHAT_VERIFIED);
    tl_set_bool(o, F_signatures, c->flags & CHAT_SIGNATURES);
    tl_set_bool(o, F_noforwards, c->flags & CHAT_NOFORWARDS);
    tl_set_bool(o, F_join_request, c->flags & CHAT_JOIN_REQUEST);
    tl_set_bool(o, F_slowmode_enabled, c->slow_mode_s > 0);
    tl_set_bool(o, F_has_link, c->linked != 0);
}

static struct tl_object *build_channel(struct request *view, const struct chat *c)
{
    int64_t self = view->self->id;
    if (!chat_visible_to(c, self, view->now_s))
        return build_forbidden_channel(view, c);
    const struct member *m = chat_member(c, self);
    struct tl_object *o = tl_new(&view->b, C_channel);
    set_channel_flags(o, c, m);
    tl_set_int(o, F_id, peer_bare(c->peer));
    tl_set_int(o, F_access_hash, world_access_hash(view->world, self, c->peer));
    tl_set_str(o, F_title, c->title);
    set_text_if_any(o, F_username, c->username);
    tl_set_obj(o, F_photo, build_chat_photo(view, c));
    tl_set_int(o, F_date, m && m->state == MEMBER_JOINED ? m->date : c->date);
    uint32_t rights = chat_admin_rights(c, self);
    if (rights)
        tl_set_obj(o, F_admin_rights, build_admin_rights(view, rights));
    if (m && m->banned && (m->banned_until == 0 || m->banned_until > view->now_s))
        tl_set_obj(
            o, F_banned_rights,
            build_banned_rights(view, m->banned, m->banned_until ? m->banned_until : INT32_MAX));
    if (c->flags & CHAT_MEGAGROUP)
        tl_set_obj(o, F_default_banned_rights,
                   build_banned_rights(view, c->default_banned, INT32_MAX));
    tl_set_int(o, F_participants_count, c->n_joined);
    return o;
}

struct tl_object *build_chat(struct request *view, const struct chat *c)
{
    return peer_kind(c->peer) == PEER_CHAT ? build_group(view, c) : build_channel(view, c);
}
