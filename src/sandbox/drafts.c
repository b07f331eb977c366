/* SPDX-License-Identifier: MIT
 * messages.saveDraft and its kin. */
#include "sandbox/drafts.h"

#include <stdlib.h>

#include "sandbox/build_parts.h"
#include "sandbox/entities.h"
#include "sandbox/input.h"
#include "sandbox/methods_world.h"
#include "sandbox/world_parts.h"

void saved_draft_free(struct saved_draft *s)
{
    if (!s)
        return;
    free(s->text);
    message_extra_free(s->extra);
    free(s);
}

struct tl_object *build_saved_draft(struct request *view, const struct dialog *d)
{
    const struct saved_draft *s = d ? d->saved : NULL;
    if (!s)
        return tl_new(&view->b, C_draftMessageEmpty);
    struct tl_object *o = tl_new(&view->b, C_draftMessage);
    tl_set_str(o, F_message, s->text);
    tl_set_int(o, F_date, s->date);
    tl_set_bool(o, F_no_webpage, s->no_webpage);
    build_entities(view, o, F_entities, s->extra);
    if (s->reply_to) {
        struct tl_object *reply = tl_new(&view->b, C_inputReplyToMessage);
        tl_set_int(reply, F_reply_to_msg_id, s->reply_to);
        tl_set_obj(o, F_reply_to, reply);
    }
    return o;
}

struct tl_object *build_draft_update(struct request *view, const struct update *u, struct peers *p)
{
    struct tl_object *o = tl_new(&view->b, C_updateDraftMessage);
    tl_set_obj(o, F_peer, build_peer(view, u->a));
    tl_set_obj(o, F_draft, build_saved_draft(view, user_dialog_find(view->self, u->a)));
    peers_add(view, p, u->a);
    return o;
}

static struct update draft_update(const struct request *r, int64_t peer)
{
    return (struct update){
        .type = &world_updates[U_DRAFT], .date = r->now_s, .keep = true, .a = peer};
}

void draft_clear(struct request *r, int64_t peer)
{
    struct dialog *d = user_dialog_find(r->self, peer);
    if (!d || !d->saved)
        return;
    saved_draft_free(d->saved);
    d->saved = NULL;
    world_tell(r->world, r->self, draft_update(r, peer));
}

/* NULL when fine, else the error; what was read is the caller's either way. */
static const char *read_draft(struct request *r, struct saved_draft *s)
{
    struct slice text = tl_text(r->query, F_message);
    if (!slice_is_utf8(text))
        return "MESSAGE_EMPTY";
    if (utf16_length(text) > MESSAGE_UNITS_MAX)
        return "MESSAGE_TOO_LONG";
    s->date = r->now_s;
    s->no_webpage = tl_bool(r->query, F_no_webpage);
    s->reply_to = (int32_t)tl_int(tl_obj(r->query, F_reply_to), F_reply_to_msg_id);
    s->text = text_dup(text);
    s->extra = message_extra_new();
    if (!s->text || !s->extra)
        return "INTERNAL_SERVER_ERROR";
    return entities_read(r, r->query, F_entities, text, 0, s->extra);
}

static struct tl_value save_draft(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer)
        return refused();
    struct cause cause;
    if (tl_text(r->query, F_message).len == 0 && !tl_has(r->query, F_reply_to)) {
        cause_begin(r, &cause);
        draft_clear(r, peer);
        cause_end(r);
        return answer_true();
    }
    struct dialog *d = user_dialog(r->self, peer);
    struct saved_draft *s = calloc(1, sizeof *s);
    const char *error = d && s ? read_draft(r, s) : "INTERNAL_SERVER_ERROR";
    if (error) {
        saved_draft_free(s);
        return fail(r, 400, error);
    }
    saved_draft_free(d->saved);
    d->saved = s;
    cause_begin(r, &cause);
    world_tell(r->world, r->self, draft_update(r, peer));
    cause_end(r);
    return answer_true();
}

static struct tl_value get_all_drafts(struct request *r)
{
    struct peers peers = {0};
    struct tl_vector *updates = tl_new_vec(&r->b);
    for (size_t i = 0; i < r->self->n_dialogs; i++) {
        const struct dialog *d = r->self->dialog_list[i];
        if (!d->saved)
            continue;
        struct update u = draft_update(r, d->peer);
        tl_push_obj(&r->b, updates, build_draft_update(r, &u, &peers));
    }
    return tl_value_obj(build_updates(r, &peers, updates));
}

static struct tl_value clear_all_drafts(struct request *r)
{
    struct cause cause;
    cause_begin(r, &cause);
    for (size_t i = 0; i < r->self->n_dialogs; i++)
        draft_clear(r, r->self->dialog_list[i]->peer);
    cause_end(r);
    return answer_true();
}

static const struct method methods[] = {
    {C_messages_saveDraft, 0, save_draft},
    {C_messages_getAllDrafts, 0, get_all_drafts},
    {C_messages_clearAllDrafts, 0, clear_all_drafts},
};
const struct method_table drafts_methods = {methods, sizeof methods / sizeof *methods};
