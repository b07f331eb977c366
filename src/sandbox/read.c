/* SPDX-License-Identifier: MIT
 * Read state, typing, views. */
#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/input.h"
#include "sandbox/methods_world.h"
#include "sandbox/send.h"

/* readHistory without max_id reads everything, as Telegram takes it. */
static struct tl_value read_history(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer)
        return refused();
    if (peer_kind(peer) == PEER_CHANNEL)
        return fail(r, 400, "PEER_ID_INVALID"); /* channels.readHistory is for those */
    struct cause cause;
    cause_begin(r, &cause);
    struct dialog *d = user_dialog_find(r->self, peer);
    if (d)
        world_read(r->world, r->self, d, (int32_t)tl_int(r->query, F_max_id), r->now_s);
    return cause_affected(r, &cause);
}

static struct tl_value read_channel(struct request *r)
{
    const struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c)
        return refused();
    struct dialog *d = user_dialog_find(r->self, c->peer);
    if (!d || !chat_has(c, r->self->id))
        return tl_value_bool(true);
    struct cause cause;
    cause_begin(r, &cause);
    world_read(r->world, r->self, d, (int32_t)tl_int(r->query, F_max_id), r->now_s);
    cause_end(r);
    return answer_true();
}

static struct tl_value read_contents(struct request *r)
{
    struct cause cause = {0};
    return cause_affected(r, &cause); /* no message of the sandbox has unheard contents */
}

static struct tl_value read_channel_contents(struct request *r)
{
    return input_channel(r, tl_obj(r->query, F_channel)) ? answer_true() : refused();
}

/* ---- typing ---- */

static struct tl_value set_typing(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer || !may_write(r, peer, BANNED_PLAIN))
        return refused();
    const struct tl_object *action = tl_obj(r->query, F_action);
    uint16_t symbol = action->ctor->symbol;
    /* what the world has no name for is shown as plain typing */
    struct update u = {.type = &world_updates[U_TYPING],
                       .date = r->now_s,
                       .a = peer,
                       .b = r->self->id,
                       .c = symbol == TL_NO_SYMBOL ? C_sendMessageTypingAction : symbol};
    struct cause cause;
    cause_begin(r, &cause);
    const struct chat *c = world_chat(r->world, peer);
    struct user *to = world_user(r->world, peer);
    if (c && !(c->flags & CHAT_BROADCAST))
        world_tell_members(r->world, c, u, r->self);
    if (to && to != r->self && !id_map_get(&to->blocked, r->self->id)) {
        u.a = r->self->id;
        world_tell(r->world, to, u);
    }
    cause_end(r);
    return answer_true();
}

/* ---- views ---- */

static struct tl_value get_views(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer)
        return refused();
    bool increment = tl_bool(r->query, F_increment);
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, C_messages_messageViews);
    struct tl_vector *views = tl_set_vec(&r->b, o, F_views);
    for (uint32_t i = 0; i < tl_count(r->query, F_id); i++) {
        struct message *m =
            world_message(r->world, r->self, peer, (int32_t)tl_item(r->query, F_id, i)->i);
        struct tl_object *one = tl_new(&r->b, C_messageViews);
        if (m && (m->flags & MESSAGE_POST)) {
            m->views += increment;
            tl_set_int(one, F_views, m->views);
            tl_set_int(one, F_forwards, m->extra ? m->extra->forwards : 0);
        }
        tl_push_obj(&r->b, views, one);
    }
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

static const struct method methods[] = {
    {C_messages_readHistory, 0, read_history},
    {C_channels_readHistory, 0, read_channel},
    {C_messages_readMessageContents, 0, read_contents},
    {C_channels_readMessageContents, 0, read_channel_contents},
    {C_messages_setTyping, 0, set_typing},
    {C_messages_getMessagesViews, 0, get_views},
};
const struct method_table read_methods = {methods, sizeof methods / sizeof *methods};
