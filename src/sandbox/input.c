/* SPDX-License-Identifier: MIT
 * Peers that requests name, and the shape of answers that are made of updates. */
#include "sandbox/input.h"

#include "sandbox/build.h"
#include "sandbox/chat.h"

static bool refuse(struct request *r, int code, const char *text)
{
    fail(r, code, text);
    return false;
}

static bool hash_fits(const struct request *r, int64_t peer, int64_t hash)
{
    return hash == world_access_hash(r->world, r->self->id, peer);
}

/* inputPeerUserFromMessage and its kin: the message must be one that self can see, and name that
 * peer. */
static bool named_by_message(struct request *r, const struct tl_object *o, int64_t peer)
{
    int64_t dialog = input_peer(r, tl_obj(o, F_peer));
    if (!dialog)
        return false;
    const struct message *m =
        world_message(r->world, r->self, dialog, (int32_t)tl_int(o, F_msg_id));
    if (!m)
        return refuse(r, 400, "MSG_ID_INVALID");
    const struct forward *f = m->extra ? m->extra->forward : NULL;
    const struct action *a = m->extra ? m->extra->action : NULL;
    bool named = m->from == peer || (f && f->from == peer) || (a && a->peer == peer);
    for (uint32_t i = 0; a && i < a->n_users; i++)
        named = named || a->users[i] == peer;
    for (uint32_t i = 0; m->extra && i < m->extra->n_entities; i++)
        named = named || (m->extra->entities[i].kind == ENTITY_MENTION_NAME &&
                          m->extra->entities[i].id == peer);
    return named || refuse(r, 400, "PEER_ID_INVALID");
}

static struct user *checked_user(struct request *r, const struct tl_object *o, bool from_message,
                                 const char *error)
{
    int64_t id = tl_int(o, F_user_id);
    struct user *u = world_user(r->world, id);
    if (from_message)
        return named_by_message(r, o, id) ? u : NULL;
    if (u && (u == r->self || hash_fits(r, id, tl_int(o, F_access_hash))))
        return u;
    fail(r, 400, error);
    return NULL;
}

struct user *input_user(struct request *r, const struct tl_object *o)
{
    if (tl_is(o, C_inputUserSelf))
        return r->self;
    if (tl_is(o, C_inputUser) || tl_is(o, C_inputUserFromMessage))
        return checked_user(r, o, tl_is(o, C_inputUserFromMessage), "USER_ID_INVALID");
    fail(r, 400, "USER_ID_INVALID");
    return NULL;
}

static struct chat *checked_channel(struct request *r, const struct tl_object *o, bool from_message)
{
    int64_t peer = peer_of_channel(tl_int(o, F_channel_id));
    struct chat *c = world_chat(r->world, peer);
    if (from_message)
        return named_by_message(r, o, peer) ? c : NULL;
    if (c && hash_fits(r, peer, tl_int(o, F_access_hash)))
        return c;
    fail(r, 400, "CHANNEL_INVALID");
    return NULL;
}

struct chat *input_channel_any(struct request *r, const struct tl_object *o)
{
    if (tl_is(o, C_inputChannel) || tl_is(o, C_inputChannelFromMessage))
        return checked_channel(r, o, tl_is(o, C_inputChannelFromMessage));
    fail(r, 400, "CHANNEL_INVALID");
    return NULL;
}

static bool may_see(struct request *r, const struct chat *c)
{
    return chat_visible_to(c, r->self->id, r->now_s) || refuse(r, 406, "CHANNEL_PRIVATE");
}

struct chat *input_channel(struct request *r, const struct tl_object *o)
{
    struct chat *c = input_channel_any(r, o);
    return c && may_see(r, c) ? c : NULL;
}

struct chat *input_chat_id(struct request *r, int64_t chat_id)
{
    struct chat *c = world_chat(r->world, peer_of_chat(chat_id));
    if (c && chat_member(c, r->self->id))
        return c;
    fail(r, 400, "CHAT_ID_INVALID");
    return NULL;
}

int64_t input_peer_any(struct request *r, const struct tl_object *o)
{
    if (tl_is(o, C_inputPeerSelf))
        return r->self->id;
    if (tl_is(o, C_inputPeerUser) || tl_is(o, C_inputPeerUserFromMessage)) {
        const struct user *u =
            checked_user(r, o, tl_is(o, C_inputPeerUserFromMessage), "PEER_ID_INVALID");
        return u ? u->id : 0;
    }
    if (tl_is(o, C_inputPeerChat)) {
        const struct chat *c = world_chat(r->world, peer_of_chat(tl_int(o, F_chat_id)));
        if (c && chat_member(c, r->self->id))
            return c->peer;
    }
    if (tl_is(o, C_inputPeerChannel) || tl_is(o, C_inputPeerChannelFromMessage)) {
        const struct chat *c = checked_channel(r, o, tl_is(o, C_inputPeerChannelFromMessage));
        return c ? c->peer : 0;
    }
    fail(r, 400, "PEER_ID_INVALID");
    return 0;
}

int64_t input_peer(struct request *r, const struct tl_object *o)
{
    int64_t peer = input_peer_any(r, o);
    if (peer_kind(peer) != PEER_CHANNEL)
        return peer;
    return may_see(r, world_chat(r->world, peer)) ? peer : 0;
}

struct chat *input_chat_peer(struct request *r, const struct tl_object *o)
{
    int64_t peer = input_peer(r, o);
    if (!peer)
        return NULL;
    struct chat *c = world_chat(r->world, peer);
    if (!c)
        fail(r, 400, "PEER_ID_INVALID");
    return c;
}

int64_t input_dialog_peer(struct request *r, const struct tl_object *o)
{
    if (tl_is(o, C_inputDialogPeer))
        return input_peer(r, tl_obj(o, F_peer));
    fail(r, 400, "PEER_ID_INVALID");
    return 0;
}

bool require_right(struct request *r, const struct chat *c, unsigned right, uint32_t banned_bit)
{
    if (chat_allows(c, r->self->id, (enum admin_right)right, banned_bit, r->now_s))
        return true;
    if (!chat_has(c, r->self->id))
        return refuse(r, 403, "CHAT_WRITE_FORBIDDEN");
    return refuse(r, 400, "CHAT_ADMIN_REQUIRED");
}

/* ---- answers ---- */

void cause_begin(struct request *r, struct cause *cause)
{
    *cause = (struct cause){.session = r->session, .user = r->self, .arena = r->arena};
    r->world->cause = cause;
}

void cause_end(struct request *r)
{
    r->world->cause = NULL;
}

struct tl_value cause_answer(struct request *r, struct cause *cause)
{
    cause_end(r);
    struct peers peers = {0};
    struct tl_vector *updates = tl_new_vec(&r->b);
    for (uint32_t i = 0; i < cause->n; i++)
        tl_push_obj(&r->b, updates, cause->updates[i].type->build(r, &cause->updates[i], &peers));
    return tl_value_obj(build_updates(r, &peers, updates));
}

struct tl_value cause_affected(struct request *r, struct cause *cause)
{
    cause_end(r);
    int32_t pts = account_pts(r->self), count = 0;
    for (uint32_t i = 0; i < cause->n; i++) {
        if (cause->updates[i].pts_count == 0)
            continue;
        count += cause->updates[i].pts_count;
        pts = cause->updates[i].pts;
    }
    struct tl_object *o = tl_new(&r->b, C_messages_affectedMessages);
    tl_set_int(o, F_pts, pts);
    tl_set_int(o, F_pts_count, count);
    return tl_value_obj(o);
}

struct tl_value answer_true(void)
{
    return tl_value_bool(true);
}

void id_hash_add(struct id_hash *h, int64_t id)
{
    h->acc ^= h->acc >> 21;
    h->acc ^= h->acc << 35;
    h->acc ^= h->acc >> 4;
    h->acc += (uint64_t)id;
}

int32_t account_pts(const struct user *u)
{
    return u->account ? u->account->log.pts : 1;
}
