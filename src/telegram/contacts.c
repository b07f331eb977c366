/* SPDX-License-Identifier: MIT
 * Requests that find and join peers. */
#include "telegram/contacts.h"

struct tl_object *request_resolve_username(struct tl_builder *b, struct slice username)
{
    struct tl_object *o = tl_new(b, C_contacts_resolveUsername);
    tl_set_text(o, F_username, username);
    return o;
}

struct tl_object *request_resolve_phone(struct tl_builder *b, struct slice phone)
{
    struct tl_object *o = tl_new(b, C_contacts_resolvePhone);
    tl_set_text(o, F_phone, phone);
    return o;
}

struct tl_object *request_full(struct tl_builder *b, const struct peer_ref *peer)
{
    struct tl_object *o;
    if (!peer_usable(peer))
        return NULL;
    switch (peer->kind) {
    case PEER_USER:
        o = tl_new(b, C_users_getFullUser);
        tl_set_obj(o, F_id, peer_to_input_user(b, peer));
        return o;
    case PEER_CHAT:
        o = tl_new(b, C_messages_getFullChat);
        tl_set_int(o, F_chat_id, peer->id);
        return o;
    default:
        o = tl_new(b, C_channels_getFullChannel);
        tl_set_obj(o, F_channel, peer_to_input_channel(b, peer));
        return o;
    }
}

static struct tl_object *by_hash(struct tl_builder *b, uint16_t method, struct slice hash)
{
    struct tl_object *o = tl_new(b, method);
    tl_set_text(o, F_hash, hash);
    return o;
}

struct tl_object *request_import_invite(struct tl_builder *b, struct slice hash)
{
    return by_hash(b, C_messages_importChatInvite, hash);
}

struct tl_object *request_check_invite(struct tl_builder *b, struct slice hash)
{
    return by_hash(b, C_messages_checkChatInvite, hash);
}

struct tl_object *request_join(struct tl_builder *b, const struct peer_ref *channel)
{
    struct tl_object *input = peer_to_input_channel(b, channel);
    if (!input)
        return NULL;
    struct tl_object *o = tl_new(b, C_channels_joinChannel);
    tl_set_obj(o, F_channel, input);
    return o;
}

const struct tl_object *invite_chat(const struct tl_object *answer)
{
    return tl_is(answer, C_chatInviteAlready) || tl_is(answer, C_chatInvitePeek)
               ? tl_obj(answer, F_chat)
               : NULL;
}

const struct tl_object *join_updates(const struct tl_object *answer)
{
    if (tl_is(answer, C_messages_chatInviteJoinResultOk))
        return tl_obj(answer, F_updates);
    if (tl_is(answer, C_messages_chatInviteJoinResultWebView))
        return NULL;
    return answer;
}
