/* SPDX-License-Identifier: MIT
 * Requests that send, change and fetch messages. */
#include "telegram/request_parts.h"

struct tl_object *request_to_peer(struct tl_builder *b, uint16_t method, uint16_t f_peer,
                                  const struct peer_ref *peer)
{
    struct tl_object *input = peer_to_input(b, peer);
    if (!input)
        return NULL;
    struct tl_object *o = tl_new(b, method);
    tl_set_obj(o, f_peer, input);
    return o;
}

static struct slice never_null(struct slice s)
{
    return s.data ? s : slice_str("");
}

static void set_reply(struct tl_builder *b, struct tl_object *request, int32_t message_id)
{
    if (message_id == 0)
        return;
    if (!tl_schema_bound(b->schema, C_inputReplyToMessage)) {
        tl_set_int(request, F_reply_to_msg_id, message_id); /* layers before 158 */
        return;
    }
    struct tl_object *reply = tl_new(b, C_inputReplyToMessage);
    tl_set_int(reply, F_reply_to_msg_id, message_id);
    tl_set_obj(request, F_reply_to, reply);
}

void request_set_text(struct tl_builder *b, struct tl_object *request, const struct send_options *o)
{
    tl_set_text(request, F_message, never_null(o->text->text));
    entities_to_tl(b, request, F_entities, o->text, o->mentions);
}

void request_set_delivery(struct tl_builder *b, struct tl_object *request,
                          const struct send_options *o)
{
    tl_set_bool(request, F_silent, o->silent);
    if (o->schedule_date)
        tl_set_int(request, F_schedule_date, o->schedule_date);
    set_reply(b, request, o->reply_to_msg_id);
}

struct tl_object *request_send(struct tl_builder *b, const struct peer_ref *peer,
                               const struct send_options *o)
{
    struct tl_object *request = request_to_peer(b, C_messages_sendMessage, F_peer, peer);
    if (!request)
        return NULL;
    request_set_text(b, request, o);
    tl_set_int(request, F_random_id, o->random_id);
    tl_set_bool(request, F_no_webpage, o->no_webpage);
    request_set_delivery(b, request, o);
    return request;
}

struct tl_object *request_edit(struct tl_builder *b, const struct peer_ref *peer,
                               int32_t message_id, const struct formatted_text *text,
                               bool no_webpage, const struct mention_resolver *mentions)
{
    struct tl_object *request = request_to_peer(b, C_messages_editMessage, F_peer, peer);
    if (!request)
        return NULL;
    tl_set_int(request, F_id, message_id);
    tl_set_text(request, F_message, never_null(text->text));
    tl_set_bool(request, F_no_webpage, no_webpage);
    entities_to_tl(b, request, F_entities, text, mentions);
    return request;
}

/* The channels.* method with its channel, or the account-wide one. */
static struct tl_object *by_place(struct tl_builder *b, const struct peer_ref *peer,
                                  uint16_t in_channel, uint16_t elsewhere)
{
    if (peer->kind != PEER_CHANNEL)
        return tl_new(b, elsewhere);
    struct tl_object *channel = peer_to_input_channel(b, peer);
    if (!channel)
        return NULL;
    struct tl_object *o = tl_new(b, in_channel);
    tl_set_obj(o, F_channel, channel);
    return o;
}

struct tl_object *request_delete(struct tl_builder *b, const struct peer_ref *peer,
                                 const int32_t *ids, size_t n, bool revoke)
{
    struct tl_object *request =
        by_place(b, peer, C_channels_deleteMessages, C_messages_deleteMessages);
    struct tl_vector *vec = tl_set_vec(b, request, F_id);
    tl_set_bool(request, F_revoke,
                revoke); /* channels have no such flag: there it is always for all */
    for (size_t i = 0; i < n; i++)
        tl_push_int(b, vec, ids[i]);
    return request;
}

struct tl_object *request_messages(struct tl_builder *b, const struct peer_ref *peer,
                                   const int32_t *ids, size_t n)
{
    struct tl_object *request = by_place(b, peer, C_channels_getMessages, C_messages_getMessages);
    struct tl_vector *vec = tl_set_vec(b, request, F_id);
    for (size_t i = 0; i < n; i++) {
        struct tl_object *id = tl_new(b, C_inputMessageID);
        tl_set_int(id, F_id, ids[i]);
        tl_push_obj(b, vec, id);
    }
    return request;
}

struct tl_object *request_forward(struct tl_builder *b, const struct peer_ref *from,
                                  const struct peer_ref *to, const int32_t *ids,
                                  const int64_t *random_ids, size_t n)
{
    struct tl_object *target = peer_to_input(b, to);
    struct tl_object *request =
        target ? request_to_peer(b, C_messages_forwardMessages, F_from_peer, from) : NULL;
    if (!request)
        return NULL;
    tl_set_obj(request, F_to_peer, target);
    struct tl_vector *id_vec = tl_set_vec(b, request, F_id);
    struct tl_vector *random_vec = tl_set_vec(b, request, F_random_id);
    for (size_t i = 0; i < n; i++) {
        tl_push_int(b, id_vec, ids[i]);
        tl_push_int(b, random_vec, random_ids[i]);
    }
    return request;
}

/* ---- answers that hold messages ---- */

uint32_t messages_count(const struct tl_object *answer)
{
    return tl_count(answer, F_messages);
}

const struct tl_object *messages_at(const struct tl_object *answer, uint32_t index)
{
    const struct tl_object *message = tl_item_obj(answer, F_messages, index);
    return tl_is(message, C_message) || tl_is(message, C_messageService) ? message : NULL;
}

bool message_is_in(const struct tl_object *message, const struct peer_ref *peer, int64_t self_id)
{
    struct peer_ref where = peer_of_tl(tl_obj(message, F_peer_id));
    int64_t id = peer->self ? self_id : peer->id;
    return where.kind != PEER_NONE && where.kind == peer->kind && where.id == id;
}

int32_t message_id_of(const struct tl_object *message)
{
    return (int32_t)tl_int(message, F_id);
}
