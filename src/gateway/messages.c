/* SPDX-License-Identifier: MIT */
#include "gateway/messages.h"

#include "gateway/scope.h"

void message_answer_sent(struct call *c, const struct sent_message *sent)
{
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_int(w, "message_id", sent->id);
    json_field_time(w, "date", sent->date);
    json_object_end(w);
}

void message_fail_unnamed(struct call *c)
{
    call_fail(c, 502, "UNEXPECTED_ANSWER", "Telegram took the message but did not say its id");
}

bool messages_find_existing(struct call *c, const struct peer_ref *peer, const int32_t *ids,
                            size_t n, int32_t *out, size_t *n_out)
{
    *n_out = 0;
    const struct tl_object *answer = call_invoke(c, request_messages(&c->b, peer, ids, n));
    if (!answer)
        return false;
    for (uint32_t i = 0; i < messages_count(answer) && *n_out < n; i++) {
        const struct tl_object *message = messages_at(answer, i);
        if (message && message_is_in(message, peer, c->session.user_id))
            out[(*n_out)++] = message_id_of(message);
    }
    return true;
}

bool message_check_in(struct call *c, const struct peer_ref *peer, const char *field, int32_t id)
{
    int32_t found;
    size_t n;
    if (!scope_is_narrowed(&c->session.scope) || id == 0)
        return true;
    if (!messages_find_existing(c, peer, &id, 1, &found, &n))
        return false;
    if (n == 1)
        return true;
    call_fail(c, 404, "MESSAGE_ID_INVALID", "There is no such message in this chat");
    c->error.field = field;
    return false;
}

const struct tl_object *message_fetch(struct call *c, const struct peer_ref *peer, int32_t id)
{
    const struct tl_object *answer = call_invoke(c, request_messages(&c->b, peer, &id, 1));
    if (!answer)
        return NULL;
    const struct tl_object *message = messages_at(answer, 0);
    if (message && message_is_in(message, peer, c->session.user_id))
        return message;
    call_fail(c, 404, "MESSAGE_ID_INVALID", "There is no such message in this chat");
    c->error.field = "message_id";
    return NULL;
}
