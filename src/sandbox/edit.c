/* SPDX-License-Identifier: MIT
 * Changing what was sent: edit, delete, clear, pin. */
#include <stdlib.h>

#include "sandbox/chat.h"
#include "sandbox/input.h"
#include "sandbox/media.h"
#include "sandbox/methods_world.h"
#include "sandbox/send.h"

enum { DELETE_MAX = 100, CLEAR_CHUNK = 1000 };

/* ---- edit ---- */

/* NULL when self may edit m now, else the error. */
static const char *edit_refusal(struct request *r, const struct message *m, int *code)
{
    const struct chat *c = world_chat(r->world, m->peer);
    const struct forward *f = m->extra ? m->extra->forward : NULL;
    uint32_t rights = c ? chat_admin_rights(c, r->self->id) : 0;
    bool post = m->flags & MESSAGE_POST;
    *code = 403;
    if (post && !(rights & (ADMIN_EDIT | ADMIN_POST)))
        return "CHAT_ADMIN_REQUIRED";
    bool author = post || message_is_out(r->self, m) ||
                  (c && m->from == c->peer && (rights & ADMIN_ANONYMOUS));
    if (!author || f || (m->extra && m->extra->action))
        return "MESSAGE_AUTHOR_REQUIRED";
    if (c && !chat_has(c, r->self->id))
        return "CHAT_WRITE_FORBIDDEN";
    *code = 400;
    bool free_of_time = message_dialog(r->self, m) == r->self->id ||
                        (c && (rights & (post ? ADMIN_EDIT : ADMIN_PIN)));
    if (!free_of_time && r->now_s - m->date > EDIT_WINDOW_S)
        return "MESSAGE_EDIT_TIME_EXPIRED";
    return NULL;
}

static bool same_entities(const struct message_extra *a, const struct message_extra *b)
{
    uint32_t n = a ? a->n_entities : 0;
    if (n != (b ? b->n_entities : 0))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const struct entity *x = &a->entities[i], *y = &b->entities[i];
        if (x->kind != y->kind || x->offset != y->offset || x->length != y->length ||
            x->id != y->id || strcmp(x->text ? x->text : "", y->text ? y->text : "") != 0)
            return false;
    }
    return true;
}

/* The new extra keeps all of the old one but the entities, and the media where it has its own. */
static void inherit_extra(struct message_extra *now, struct message_extra *old)
{
    if (!old)
        return;
    struct message_extra both = *old;
    both.entities = now->entities;
    both.n_entities = now->n_entities;
    now->entities = old->entities;
    now->n_entities = old->n_entities;
    struct message_extra rest = {.entities = old->entities, .n_entities = old->n_entities};
    if (now->media) { /* the old one goes with the rest */
        rest.media = both.media;
        both.media = now->media;
    }
    *now = both;
    *old = rest;
}

#define KIND(k) (1u << MEDIA_##k)
enum {
    REPLACEABLE = KIND(PHOTO) | KIND(VIDEO) | KIND(ANIMATION) | KIND(DOCUMENT) | KIND(AUDIO),
};
#undef KIND

static bool is_replaceable(const struct media *m)
{
    return REPLACEABLE & (1u << m->kind);
}

/* The query's media in place of what m has; NULL when fine, else the error. */
static const char *read_new_media(struct request *r, const struct message *m,
                                  const struct tl_object *input, struct message_extra *e)
{
    const struct media *old = m->extra ? m->extra->media : NULL;
    if (old && !is_replaceable(old))
        return "MEDIA_PREV_INVALID";
    const char *error = media_read(r, input, e);
    if (error)
        return error;
    if (!is_replaceable(e->media))
        return "MEDIA_NEW_INVALID";
    bool mixed = m->extra && m->extra->grouped_id && album_kind(e->media) != album_kind(old);
    return mixed ? "MEDIA_GROUPED_INVALID" : NULL;
}

/* The text stays where the query has none. */
static const char *read_edit(struct request *r, const struct message *m, struct draft *d)
{
    const struct tl_object *media = tl_obj(r->query, F_media);
    bool captioned =
        media || (m->extra && m->extra->media && m->extra->media->kind != MEDIA_WEBPAGE);
    const char *error = NULL;
    if (tl_has(r->query, F_message)) {
        error = captioned ? draft_caption(r, d, r->query) : draft_text(r, d);
    } else {
        d->text = slice_of(m->text, m->text_len);
        d->extra = message_extra_copy(m->extra);
        if (!d->extra)
            return "INTERNAL_SERVER_ERROR";
        media_free(d->extra->media);
        d->extra->media = NULL;
    }
    if (!error && media)
        return read_new_media(r, m, media, d->extra);
    if (!error && slice_eq(d->text, slice_of(m->text, m->text_len)) &&
        same_entities(m->extra, d->extra))
        error = "MESSAGE_NOT_MODIFIED";
    return error;
}

static struct tl_value edit_message(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer)
        return refused();
    struct message *m = world_message(r->world, r->self, peer, (int32_t)tl_int(r->query, F_id));
    if (!m)
        return fail(r, 400, "MESSAGE_ID_INVALID");
    int code;
    const char *error = edit_refusal(r, m, &code);
    if (error)
        return fail(r, code, error);
    struct draft d = {0};
    error = read_edit(r, m, &d);
    if (error) {
        message_extra_free(d.extra);
        return fail(r, 400, error);
    }
    inherit_extra(d.extra, m->extra);
    struct cause cause;
    cause_begin(r, &cause);
    if (!world_edit(r->world, m, d.text, d.extra, r->now_s)) {
        cause_end(r);
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    }
    return cause_answer(r, &cause);
}

/* ---- delete ---- */

/* The query's ids, cut at what one request may name. */
static uint32_t query_ids(struct request *r, int32_t ids[static DELETE_MAX])
{
    uint32_t n = tl_count(r->query, F_id);
    n = n > DELETE_MAX ? DELETE_MAX : n;
    for (uint32_t i = 0; i < n; i++)
        ids[i] = (int32_t)tl_item(r->query, F_id, i)->i;
    return n;
}

/* In a basic group one takes back one's own messages, and admins anybody's; in private chats both
 * sides do. */
static bool may_revoke(struct request *r, const struct message *m)
{
    const struct chat *c = world_chat(r->world, m->peer);
    return !c || message_is_out(r->self, m) || (chat_admin_rights(c, r->self->id) & ADMIN_DELETE);
}

static struct tl_value delete_messages(struct request *r)
{
    int32_t ids[DELETE_MAX];
    uint32_t n = query_ids(r, ids);
    bool revoke = tl_bool(r->query, F_revoke);
    for (uint32_t i = 0; i < n && revoke; i++) {
        const struct message *m = world_boxed(r->world, r->self, ids[i]);
        if (m && !may_revoke(r, m))
            return fail(r, 403, "MESSAGE_DELETE_FORBIDDEN");
    }
    struct cause cause;
    cause_begin(r, &cause);
    world_delete_boxed(r->world, r->self, ids, n, revoke, r->now_s);
    return cause_affected(r, &cause);
}

static struct tl_value affected_channel(struct request *r, const struct chat *c, uint32_t n)
{
    struct tl_object *o = tl_new(&r->b, C_messages_affectedMessages);
    tl_set_int(o, F_pts, c->log.pts);
    tl_set_int(o, F_pts_count, n);
    return tl_value_obj(o);
}

static bool is_creation(const struct message *m)
{
    return m && m->extra && m->extra->action && m->extra->action->kind == ACTION_CHANNEL_CREATE;
}

static struct tl_value delete_posts(struct request *r)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c)
        return refused();
    int32_t ids[DELETE_MAX];
    uint32_t n = query_ids(r, ids);
    bool any = chat_admin_rights(c, r->self->id) & ADMIN_DELETE;
    for (uint32_t i = 0; i < n; i++) {
        const struct message *m = chat_message(c, ids[i]);
        if (!m)
            continue;
        if (is_creation(m) || (!any && !message_is_out(r->self, m)))
            return fail(r, 403, "MESSAGE_DELETE_FORBIDDEN");
    }
    struct cause cause;
    cause_begin(r, &cause);
    n = world_delete_posts(r->world, c, ids, n, r->now_s);
    cause_end(r);
    return affected_channel(r, c, n);
}

/* How much of a history one call clears; what is left is the answer's offset. */
static uint32_t clear_chunk(struct request *r, const struct dialog *d, int32_t max_id,
                            int32_t ids[static CLEAR_CHUNK])
{
    uint32_t first, n = 0;
    const struct id_list *l = dialog_ids(r->world, r->self, d, &first);
    for (uint32_t i = l->n; i-- > first && n < CLEAR_CHUNK;)
        if (max_id <= 0 || l->ids[i] <= max_id)
            ids[n++] = l->ids[i];
    return n;
}

static struct tl_value delete_history(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer)
        return refused();
    if (peer_kind(peer) == PEER_CHANNEL)
        return fail(r, 400, "PEER_ID_INVALID"); /* channels.deleteHistory is for those */
    struct cause cause;
    cause_begin(r, &cause);
    struct dialog *d = user_dialog_find(r->self, peer);
    int32_t *ids = arena_array(r->arena, CLEAR_CHUNK, sizeof *ids);
    bool revoke = tl_bool(r->query, F_revoke) && peer_kind(peer) == PEER_USER;
    uint32_t n = d && ids ? clear_chunk(r, d, (int32_t)tl_int(r->query, F_max_id), ids) : 0;
    world_delete_boxed(r->world, r->self, ids, n, revoke, r->now_s);
    if (d && d->ids.n == 0 && !tl_bool(r->query, F_just_clear))
        d->hidden = true;
    struct tl_value affected = cause_affected(r, &cause);
    struct tl_object *o = tl_new(&r->b, C_messages_affectedHistory);
    tl_set_int(o, F_pts, tl_int(affected.object, F_pts));
    tl_set_int(o, F_pts_count, tl_int(affected.object, F_pts_count));
    tl_set_int(o, F_offset, n == CLEAR_CHUNK ? (int64_t)d->ids.n : 0);
    return tl_value_obj(o);
}

/* All up to max_id (0: to the end) but the creation, a chunk at a time. */
static void clear_channel(struct request *r, struct chat *c, int32_t max_id)
{
    int32_t ids[DELETE_MAX];
    uint32_t n;
    do {
        n = 0;
        for (uint32_t i = 0; i < c->live.n && n < DELETE_MAX; i++)
            if ((max_id <= 0 || c->live.ids[i] <= max_id) &&
                !is_creation(chat_message(c, c->live.ids[i])))
                ids[n++] = c->live.ids[i];
    } while (n && world_delete_posts(r->world, c, ids, n, r->now_s));
}

/* For self alone what is there is hidden from him; it stays where it is. */
static struct tl_value hide_channel(struct request *r, struct chat *c, int32_t max_id)
{
    struct member *m = chat_member(c, r->self->id);
    int32_t last = (int32_t)c->n_slots;
    if (!m || m->state != MEMBER_JOINED)
        return fail(r, 400, "USER_NOT_PARTICIPANT");
    max_id = max_id <= 0 || max_id > last ? last : max_id;
    m->first_visible = max_id + 1 > m->first_visible ? max_id + 1 : m->first_visible;
    struct cause cause;
    cause_begin(r, &cause);
    world_tell(r->world, r->self,
               (struct update){.type = &world_updates[U_AVAILABLE],
                               .date = r->now_s,
                               .keep = true,
                               .a = c->peer,
                               .b = m->first_visible - 1});
    return cause_answer(r, &cause);
}

static struct tl_value delete_channel_history(struct request *r)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    int32_t max_id = (int32_t)tl_int(r->query, F_max_id);
    if (!c)
        return refused();
    if (!tl_bool(r->query, F_for_everyone))
        return hide_channel(r, c, max_id);
    if (!(chat_admin_rights(c, r->self->id) & ADMIN_DELETE))
        return fail(r, 400, "CHAT_ADMIN_REQUIRED");
    struct cause cause;
    cause_begin(r, &cause);
    clear_channel(r, c, max_id);
    return cause_answer(r, &cause);
}

/* ---- pin ---- */

static bool may_pin(struct request *r, int64_t peer)
{
    const struct chat *c = world_chat(r->world, peer);
    if (!c)
        return true;
    return require_right(r, c, (c->flags & CHAT_BROADCAST) ? ADMIN_EDIT : ADMIN_PIN, BANNED_PIN);
}

static void say_pinned(struct request *r, const struct message *m)
{
    struct draft d;
    draft_begin(r, &d, message_dialog(r->self, m));
    d.flags |= MESSAGE_SERVICE;
    d.reply_to = m->id;
    d.extra = message_extra_new();
    if (d.extra)
        d.extra->action = calloc(1, sizeof(*d.extra->action));
    if (!d.extra || !d.extra->action) {
        message_extra_free(d.extra);
        return;
    }
    d.extra->action->kind = ACTION_PIN;
    world_post(r->world, &d);
}

static struct tl_value update_pinned(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer || !may_pin(r, peer))
        return refused();
    int32_t id = (int32_t)tl_int(r->query, F_id);
    struct message *m = world_message(r->world, r->self, peer, id);
    if (!m || (m->extra && m->extra->action))
        return fail(r, 400, "MESSAGE_ID_INVALID");
    bool pin = !tl_bool(r->query, F_unpin), one_side = tl_bool(r->query, F_pm_oneside);
    if (message_is_pinned(r->self, m, id) == pin)
        return fail(r, 400, "CHAT_NOT_MODIFIED");
    struct cause cause;
    cause_begin(r, &cause);
    world_set_pinned(r->world, m, pin, one_side && peer_kind(peer) == PEER_USER ? r->self : NULL,
                     r->now_s);
    if (pin && !one_side && !tl_bool(r->query, F_silent))
        say_pinned(r, m);
    return cause_answer(r, &cause);
}

static struct tl_value unpin_all(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer || !may_pin(r, peer))
        return refused();
    const struct dialog *d = user_dialog(r->self, peer);
    struct cause cause;
    cause_begin(r, &cause);
    uint32_t first = 0, n = 0;
    const struct id_list *l = d ? dialog_ids(r->world, r->self, d, &first) : NULL;
    for (uint32_t i = first; l && i < l->n; i++) {
        struct message *m = world_message(r->world, r->self, peer, l->ids[i]);
        if (!m || !message_is_pinned(r->self, m, l->ids[i]))
            continue;
        world_set_pinned(r->world, m, false, NULL, r->now_s);
        n++;
    }
    cause_end(r);
    const struct chat *c = peer_kind(peer) == PEER_CHANNEL ? world_chat(r->world, peer) : NULL;
    struct tl_object *o = tl_new(&r->b, C_messages_affectedHistory);
    tl_set_int(o, F_pts, c ? c->log.pts : account_pts(r->self));
    tl_set_int(o, F_pts_count, n);
    tl_set_int(o, F_offset, 0);
    return tl_value_obj(o);
}

static const struct method methods[] = {
    {C_messages_editMessage, 0, edit_message},
    {C_messages_deleteMessages, 0, delete_messages},
    {C_channels_deleteMessages, 0, delete_posts},
    {C_messages_deleteHistory, 0, delete_history},
    {C_channels_deleteHistory, 0, delete_channel_history},
    {C_messages_updatePinnedMessage, 0, update_pinned},
    {C_messages_unpinAllMessages, 0, unpin_all},
};
const struct method_table edit_methods = {methods, sizeof methods / sizeof *methods};
