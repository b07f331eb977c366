/* SPDX-License-Identifier: MIT
 * Sending, editing, deleting and forwarding messages. */
#include "gateway/handlers.h"
#include "gateway/messages.h"
#include "gateway/route.h"
#include "gateway/text_params.h"

/* ---- send ---- */

void handle_send(struct call *c)
{
    struct peer_ref peer;
    struct formatted_text text;
    if (!text_param(c, "text", &text) || !resolve_param(c, "chat_id", &peer))
        return;
    struct send_options options = {
        .text = &text,
        .reply_to_msg_id = (int32_t)call_param(c, "reply_to_message_id")->i,
        .random_id = call_random_id(c, "messages.sendMessage", resolve_canonical(c, &peer), 0),
        .silent = call_param(c, "silent")->i != 0,
        .no_webpage = call_param(c, "no_webpage")->i != 0,
        .mentions = resolve_mentions(c, &text),
    };
    if (call_failed(c) ||
        !message_check_in(c, &peer, "reply_to_message_id", options.reply_to_msg_id))
        return;
    const struct tl_object *answer = call_invoke(c, request_send(&c->b, &peer, &options));
    struct sent_message sent;
    if (!answer)
        return;
    if (updates_find_sent(answer, options.random_id, &sent))
        message_answer_sent(c, &sent);
    else
        message_fail_unnamed(c);
}

/* ---- edit ---- */

void handle_edit(struct call *c)
{
    struct peer_ref peer;
    struct formatted_text text;
    int32_t id = (int32_t)call_param(c, "message_id")->i;
    if (!text_param(c, "new_text", &text) || !resolve_param(c, "chat_id", &peer) ||
        !message_check_in(c, &peer, "message_id", id))
        return;
    const struct mention_resolver *mentions = resolve_mentions(c, &text);
    if (call_failed(c))
        return;
    bool no_webpage = call_param(c, "no_webpage")->i != 0;
    const struct tl_object *answer =
        call_invoke(c, request_edit(&c->b, &peer, id, &text, no_webpage, mentions));
    struct sent_message edited;
    if (!answer)
        return;
    if (updates_find_edited(answer, id, &edited))
        message_answer_sent(c, &edited);
    else
        message_fail_unnamed(c);
}

/* ---- forward ---- */

void handle_forward(struct call *c)
{
    struct peer_ref from, to;
    if (!resolve_param(c, "from_chat_id", &from) || !resolve_param(c, "to_chat_id", &to))
        return;
    int32_t id = (int32_t)call_param(c, "message_id")->i;
    if (!message_check_in(c, &from, "message_id", id))
        return;
    struct slice peers =
        slice_str(arena_printf(c->arena, "%s>%s", (const char *)resolve_canonical(c, &from).data,
                               (const char *)resolve_canonical(c, &to).data));
    int64_t random_id = call_random_id(c, "messages.forwardMessages", peers, (uint32_t)id);
    const struct tl_object *answer =
        call_invoke(c, request_forward(&c->b, &from, &to, &id, &random_id, 1));
    struct sent_message sent;
    if (!answer)
        return;
    if (updates_find_sent(answer, random_id, &sent))
        message_answer_sent(c, &sent);
    else
        message_fail_unnamed(c);
}

/* ---- delete ---- */

static bool contains(const int32_t *ids, size_t n, int32_t id)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* Deletes at most MESSAGE_IDS_MAX; appends what is gone to `gone`. */
static bool delete_some(struct call *c, const struct peer_ref *peer, const int32_t *ids, size_t n,
                        bool revoke, int32_t *gone, size_t *n_gone)
{
    int32_t existing[MESSAGE_IDS_MAX], left[MESSAGE_IDS_MAX];
    size_t n_existing, n_left = 0;
    if (!messages_find_existing(c, peer, ids, n, existing, &n_existing))
        return false;
    if (n_existing == 0)
        return true;
    const struct tl_object *affected =
        call_invoke(c, request_delete(&c->b, peer, existing, n_existing, revoke));
    if (!affected)
        return false;
    /* Telegram says how many went; only when some did not must one look which. */
    if (tl_int(affected, F_pts_count) < (int64_t)n_existing &&
        !messages_find_existing(c, peer, existing, n_existing, left, &n_left))
        return false;
    for (size_t i = 0; i < n_existing; i++)
        if (!contains(left, n_left, existing[i]))
            gone[(*n_gone)++] = existing[i];
    return true;
}

static int32_t *read_message_ids(struct call *c, size_t *n)
{
    const struct param_value *v = call_param(c, "message_ids");
    int32_t *ids = arena_array(c->arena, v->n_ids, sizeof *ids);
    *n = 0;
    for (size_t i = 0; ids && i < v->n_ids; i++) {
        if (v->ids[i] < 1 || v->ids[i] > INT32_MAX) {
            call_fail_field(c, "message_ids", "message_ids must be from 1 to %d", INT32_MAX);
            return NULL;
        }
        if (!contains(ids, *n, (int32_t)v->ids[i]))
            ids[(*n)++] = (int32_t)v->ids[i];
    }
    return ids;
}

void handle_delete(struct call *c)
{
    struct peer_ref peer;
    size_t n, n_gone = 0;
    int32_t *ids = read_message_ids(c, &n);
    int32_t *gone = arena_array(c->arena, n, sizeof *gone);
    if (!ids || !gone || !resolve_param(c, "chat_id", &peer))
        return;
    for (size_t at = 0; at < n; at += MESSAGE_IDS_MAX) {
        size_t step = n - at < MESSAGE_IDS_MAX ? n - at : MESSAGE_IDS_MAX;
        if (!delete_some(c, &peer, ids + at, step, call_param(c, "revoke")->i != 0, gone, &n_gone))
            return;
    }
    if (n_gone == 0) {
        call_fail(c, 400, "MESSAGE_ID_INVALID",
                  "None of these messages is in this chat, or none may be deleted");
        c->error.field = "message_ids";
        return;
    }
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_key(w, "deleted_messages");
    json_array_begin(w);
    for (size_t i = 0; i < n_gone; i++)
        json_int(w, gone[i]);
    json_array_end(w);
    json_object_end(w);
}
