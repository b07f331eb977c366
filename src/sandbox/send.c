/* SPDX-License-Identifier: MIT
 * messages.sendMessage, messages.sendMedia. */
#include "sandbox/send.h"

#include <stdlib.h>

#include "sandbox/build.h"
#include "sandbox/build_parts.h"
#include "sandbox/chat.h"
#include "sandbox/drafts.h"
#include "sandbox/entities.h"
#include "sandbox/input.h"
#include "sandbox/magic.h"
#include "sandbox/media.h"
#include "sandbox/methods_world.h"
#include "sandbox/scheduled.h"
#include "sandbox/sent.h"
#include "sandbox/world_parts.h"

/* ---- who may write where ---- */

static const char *private_refusal(struct request *r, const struct user *to, int *code)
{
    struct magic_error magic;
    if (magic_parse(slice_str(to->username), &magic)) {
        *code = magic.code;
        return arena_printf(r->arena, "%s", magic.text);
    }
    *code = 400;
    if (to->flags & USER_DELETED)
        return "INPUT_USER_DEACTIVATED";
    if (id_map_get(&r->self->blocked, to->id))
        return "YOU_BLOCKED_USER";
    if ((r->self->flags & USER_BOT) && (to->flags & USER_BOT))
        return "USER_IS_BOT";
    if ((r->self->flags & USER_BOT) && id_map_get(&to->blocked, r->self->id)) {
        *code = 403;
        return "USER_IS_BLOCKED";
    }
    return NULL;
}

static int32_t slow_mode_left(const struct request *r, const struct chat *c)
{
    if (!c->slow_mode_s || chat_is_admin(c, r->self->id))
        return 0;
    int32_t last = (int32_t)(intptr_t)id_map_get(&r->self->last_post, c->peer);
    return last ? last + c->slow_mode_s - r->now_s : 0;
}

static const char *chat_refusal(struct request *r, const struct chat *c, uint32_t content,
                                int *code)
{
    *code = 403;
    if (c->flags & CHAT_DEACTIVATED) {
        *code = 400;
        return "CHAT_ID_INVALID";
    }
    if (!chat_has(c, r->self->id))
        return "CHAT_WRITE_FORBIDDEN";
    if (c->flags & CHAT_BROADCAST)
        return chat_admin_rights(c, r->self->id) & ADMIN_POST ? NULL : "CHAT_ADMIN_REQUIRED";
    const struct member *m = chat_member(c, r->self->id);
    bool restricted =
        m->banned && (!m->banned_until || m->banned_until > r->now_s) && !m->admin && !m->creator;
    if (restricted && (m->banned & (BANNED_SEND | content))) {
        *code = 400;
        return "USER_BANNED_IN_CHANNEL";
    }
    uint32_t banned = chat_banned_rights(c, r->self->id, r->now_s);
    if (banned & BANNED_SEND)
        return "CHAT_WRITE_FORBIDDEN";
    if (banned & content)
        return content == BANNED_PLAIN ? "CHAT_SEND_PLAIN_FORBIDDEN" : "CHAT_SEND_MEDIA_FORBIDDEN";
    int32_t left = slow_mode_left(r, c);
    if (left <= 0)
        return NULL;
    *code = 420;
    return arena_printf(r->arena, "SLOWMODE_WAIT_%d", left);
}

bool may_write(struct request *r, int64_t peer, uint32_t content)
{
    int code = 400;
    const struct chat *c = world_chat(r->world, peer);
    const struct user *u = world_user(r->world, peer);
    const char *error = c   ? chat_refusal(r, c, content, &code)
                        : u ? private_refusal(r, u, &code)
                            : "PEER_ID_INVALID";
    if (error)
        fail(r, code, error);
    return !error;
}

/* ---- what is sent ---- */

void draft_begin(struct request *r, struct draft *d, int64_t peer)
{
    *d = (struct draft){.from = r->self->id, .peer = peer, .date = r->now_s};
    if (tl_bool(r->query, F_silent))
        d->flags |= MESSAGE_SILENT;
    if (tl_bool(r->query, F_noforwards))
        d->flags |= MESSAGE_NOFORWARDS;
    const struct chat *c = world_chat(r->world, peer);
    const struct user *to = world_user(r->world, peer);
    d->unheard = to && id_map_get(&to->blocked, r->self->id);
    if (!c)
        return;
    d->author = r->self->id;
    if (c->flags & CHAT_BROADCAST) {
        d->from = c->peer;
        d->flags |= MESSAGE_POST;
    } else if (chat_admin_rights(c, r->self->id) & ADMIN_ANONYMOUS) {
        d->from = c->peer;
    }
}

static struct message_extra *draft_extra(struct draft *d)
{
    if (!d->extra)
        d->extra = message_extra_new();
    return d->extra;
}

bool draft_sign(struct request *r, struct draft *d)
{
    const struct chat *c = world_chat(r->world, d->peer);
    if (!c || !(c->flags & CHAT_SIGNATURES) || !(d->flags & MESSAGE_POST) || !draft_extra(d))
        return true;
    d->extra->post_author = text_dup(slice_str(r->self->first_name));
    return d->extra->post_author != NULL;
}

/* UTF-16 offset of the occurrence of quote nearest to `wanted`; -1 where the text has none. */
static int32_t find_quote(struct slice text, struct slice quote, int32_t wanted)
{
    int32_t best = -1;
    for (size_t at = 0; at + quote.len <= text.len; at++) {
        if (memcmp(text.data + at, quote.data, quote.len) != 0)
            continue;
        int32_t offset = (int32_t)utf16_length(slice_of(text.data, at));
        if (best < 0 || abs(offset - wanted) < abs(best - wanted))
            best = offset;
    }
    return best;
}

static const char *set_quote(const struct tl_object *reply, const struct message *m,
                             struct draft *d)
{
    struct slice quote = tl_text(reply, F_quote_text);
    if (quote.len == 0)
        return NULL;
    int32_t at =
        find_quote(slice_of(m->text, m->text_len), quote, (int32_t)tl_int(reply, F_quote_offset));
    if (at < 0)
        return "QUOTE_TEXT_INVALID";
    if (!draft_extra(d))
        return "INTERNAL_SERVER_ERROR";
    d->extra->quote = text_dup(quote);
    d->extra->quote_offset = at;
    return NULL;
}

const char *draft_reply(struct request *r, struct draft *d)
{
    const struct tl_object *reply = tl_obj(r->query, F_reply_to);
    int32_t id = (int32_t)tl_int(reply, F_reply_to_msg_id);
    if (!reply || !tl_is(reply, C_inputReplyToMessage) || !id)
        return NULL;
    const struct tl_object *where = tl_obj(reply, F_reply_to_peer_id);
    if (where && input_peer(r, where) != d->peer)
        return "REPLY_TO_INVALID";
    const struct message *m = world_message(r->world, r->self, d->peer, id);
    if (!m)
        return "REPLY_MESSAGE_ID_INVALID";
    d->reply_to = m->id;
    return set_quote(reply, m, d);
}

const char *draft_text(struct request *r, struct draft *d)
{
    struct slice text = tl_text(r->query, F_message);
    if (!slice_is_utf8(text))
        return "MESSAGE_EMPTY";
    uint32_t shift = world_text_trim(&text);
    if (text.len == 0)
        return "MESSAGE_EMPTY";
    if (utf16_length(text) > MESSAGE_UNITS_MAX)
        return "MESSAGE_TOO_LONG";
    d->text = text;
    if (!draft_extra(d))
        return "INTERNAL_SERVER_ERROR";
    return entities_read(r, r->query, F_entities, text, shift, d->extra);
}

const char *draft_caption(struct request *r, struct draft *d, const struct tl_object *from)
{
    struct slice text = tl_text(from, F_message);
    if (!slice_is_utf8(text))
        return "MESSAGE_EMPTY";
    uint32_t shift = world_text_trim(&text);
    if (utf16_length(text) > CAPTION_UNITS_MAX)
        return "MEDIA_CAPTION_TOO_LONG";
    d->text = text;
    if (!draft_extra(d))
        return "INTERNAL_SERVER_ERROR";
    return text.len ? entities_read(r, from, F_entities, text, shift, d->extra) : NULL;
}

/* Most messages have nothing beside their text: those keep no record of it. */
static void drop_empty_extra(struct draft *d)
{
    static const struct message_extra nothing;
    if (d->extra && memcmp(d->extra, &nothing, sizeof nothing) == 0) {
        message_extra_free(d->extra);
        d->extra = NULL;
    }
}

/* ---- answers ---- */

bool send_draft(struct request *r, struct draft *d, int64_t random_id, struct sent_id *sent)
{
    *sent = (struct sent_id){.random_id = random_id, .peer = d->peer, .scheduled = is_for_later(r)};
    drop_empty_extra(d);
    if (sent->scheduled) {
        sent->id = schedule_draft(r, d);
    } else {
        const struct message *m = world_post(r->world, d);
        sent->id = m ? message_id_for(r->self, m) : 0;
        const struct chat *c = world_chat(r->world, d->peer);
        if (m && c && c->slow_mode_s)
            id_map_put(&r->self->last_post, c->peer, (void *)(intptr_t)r->now_s);
    }
    if (sent->id)
        sent_add(r->self, sent);
    return sent->id != 0;
}

struct tl_value sent_answer(struct request *r, struct cause *cause, const struct sent_id *sent,
                            uint32_t n)
{
    cause_end(r);
    struct peers peers = {0};
    struct tl_vector *updates = tl_new_vec(&r->b);
    for (uint32_t i = 0; i < n; i++) {
        struct update u = {.a = sent[i].id, .b = sent[i].random_id};
        tl_push_obj(&r->b, updates, world_updates[U_MESSAGE_ID].build(r, &u, &peers));
    }
    for (uint32_t i = 0; i < cause->n; i++)
        tl_push_obj(&r->b, updates, cause->updates[i].type->build(r, &cause->updates[i], &peers));
    return tl_value_obj(build_updates(r, &peers, updates));
}

/* What that one caused then, as it is now; type NULL when it is gone. */
static struct update caused_before(const struct request *r, const struct sent_id *sent)
{
    const struct chat *c =
        peer_kind(sent->peer) == PEER_CHANNEL ? world_chat(r->world, sent->peer) : NULL;
    struct update u = {.a = sent->peer, .b = sent->id};
    if (sent->scheduled && scheduled_find(r->world, r->self, sent->id)) {
        u.type = &world_updates[U_NEW_SCHEDULED];
    } else if (!sent->scheduled && world_message(r->world, r->self, sent->peer, sent->id)) {
        u.type = &world_updates[U_NEW_MESSAGE];
        u.pts = c ? c->log.pts : account_pts(r->self);
    }
    return u;
}

struct tl_value sent_before(struct request *r, const struct sent_id *sent, uint32_t n)
{
    struct cause cause = {.arena = r->arena};
    struct update *again = arena_array(r->arena, n, sizeof *again);
    for (uint32_t i = 0; again && i < n; i++) {
        again[i] = caused_before(r, &sent[i]);
        if (!again[i].type)
            return fail(r, 500, "RANDOM_ID_DUPLICATE");
    }
    cause.updates = again;
    cause.n = again ? n : 0;
    return sent_answer(r, &cause, sent, n);
}

/* Private texts are answered in short, as Telegram does it; not those to oneself, of which clients
 * that were addressed as inputPeerSelf could not tell the chat. */
static struct tl_value short_answer(struct request *r, struct cause *cause, const struct message *m,
                                    const struct sent_id *sent)
{
    cause_end(r);
    struct tl_object *o = tl_new(&r->b, C_updateShortSentMessage);
    tl_set_bool(o, F_out, true);
    tl_set_int(o, F_id, sent->id);
    tl_set_int(o, F_pts, cause->n ? cause->updates[0].pts : account_pts(r->self));
    tl_set_int(o, F_pts_count, cause->n ? cause->updates[0].pts_count : 0);
    tl_set_int(o, F_date, m->date);
    build_entities(r, o, F_entities, m->extra);
    return tl_value_obj(o);
}

static const char *fill_text(struct request *r, struct draft *d)
{
    if (tl_bool(r->query, F_no_webpage))
        d->flags |= MESSAGE_NO_WEBPAGE;
    return draft_text(r, d);
}

static const char *fill_media(struct request *r, struct draft *d)
{
    struct message_extra *e = draft_extra(d);
    const char *error = e ? media_read(r, tl_obj(r->query, F_media), e) : "INTERNAL_SERVER_ERROR";
    return error ? error : draft_caption(r, d, r->query);
}

/* Sends what `fill` puts into the draft (NULL, or the error); content is the right that it takes.
 */
static struct tl_value send_new(struct request *r, uint32_t content,
                                const char *(*fill)(struct request *r, struct draft *d))
{
    int64_t random_id = tl_int(r->query, F_random_id);
    if (!random_id)
        return fail(r, 400, "RANDOM_ID_EMPTY");
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer)
        return refused();
    const struct sent_id *before = sent_find(r->self, random_id);
    if (before)
        return sent_before(r, before, 1);
    if (!may_write(r, peer, content) || !schedule_allowed(r, peer))
        return refused();
    struct draft d;
    draft_begin(r, &d, peer);
    const char *error = fill(r, &d);
    if (!error)
        error = draft_reply(r, &d);
    if (error || !draft_sign(r, &d)) {
        message_extra_free(d.extra);
        return fail(r, error ? 400 : 500, error ? error : "INTERNAL_SERVER_ERROR");
    }
    struct cause cause;
    struct sent_id sent;
    cause_begin(r, &cause);
    if (!send_draft(r, &d, random_id, &sent)) {
        cause_end(r);
        return fail(r, 500, "INTERNAL_SERVER_ERROR");
    }
    if (tl_bool(r->query, F_clear_draft))
        draft_clear(r, peer);
    const struct message *m =
        sent.scheduled ? NULL : world_message(r->world, r->self, peer, sent.id);
    if (m && content == BANNED_PLAIN && peer_kind(peer) == PEER_USER && peer != r->self->id &&
        !m->reply_to)
        return short_answer(r, &cause, m, &sent);
    return sent_answer(r, &cause, &sent, 1);
}

static struct tl_value send_message(struct request *r)
{
    return send_new(r, BANNED_PLAIN, fill_text);
}

static struct tl_value send_media(struct request *r)
{
    return send_new(r, BANNED_MEDIA, fill_media);
}

static const struct method methods[] = {
    {C_messages_sendMessage, 0, send_message},
    {C_messages_sendMedia, 0, send_media},
    {C_messages_forwardMessages, 0, forward_messages},
};
const struct method_table send_methods = {methods, sizeof methods / sizeof *methods};
