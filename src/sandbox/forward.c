/* SPDX-License-Identifier: MIT
 * messages.forwardMessages. */
#include <stdlib.h>

#include "sandbox/chat.h"
#include "sandbox/input.h"
#include "sandbox/scheduled.h"
#include "sandbox/send.h"
#include "sandbox/sent.h"
#include "sandbox/world_parts.h"

enum { FORWARD_MAX = 100 };

static bool may_forward(struct request *r, int64_t from)
{
    const struct chat *c = world_chat(r->world, from);
    if (c && (c->flags & CHAT_NOFORWARDS))
        return fail(r, 406, "CHAT_FORWARDS_RESTRICTED"), false;
    return true;
}

/* Whom the new message names as the origin: who wrote it first, however often it was passed on. */
static struct forward *origin_of(struct request *r, const struct message *m, int64_t to,
                                 int64_t from_peer, int32_t id)
{
    struct forward *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    const struct forward *old = m->extra ? m->extra->forward : NULL;
    f->from = old ? old->from : m->from;
    f->date = old ? old->date : m->date;
    f->channel_post = old ? old->channel_post : (m->flags & MESSAGE_POST) ? m->id : 0;
    const char *author = old ? old->post_author : m->extra ? m->extra->post_author : NULL;
    f->post_author = author ? text_dup(slice_str(author)) : NULL;
    f->from_name = old && old->from_name ? text_dup(slice_str(old->from_name)) : NULL;
    if (to == r->self->id) {
        f->saved_peer = from_peer;
        f->saved_id = id;
    }
    return f;
}

/* What was one album is one again: its number there, and here. */
struct album {
    int64_t was;
    int64_t is;
};

static int64_t group_of(struct request *r, const struct message *m, struct album *album)
{
    int64_t group = m->extra ? m->extra->grouped_id : 0;
    if (group && group != album->was)
        *album = (struct album){group, (int64_t)(rng_u64(&r->world->rng) >> 1 | 1)};
    return group ? album->is : 0;
}

static bool forward_one(struct request *r, const struct message *m, int64_t to, int64_t from_peer,
                        int32_t id, int64_t random_id, struct album *album, struct sent_id *sent)
{
    struct draft d;
    draft_begin(r, &d, to);
    d.text = slice_of(m->text, m->text_len);
    d.extra = message_extra_copy(m->extra);
    if (!d.extra)
        return false;
    d.extra->grouped_id = group_of(r, m, album);
    if (!tl_bool(r->query, F_drop_author))
        d.extra->forward = origin_of(r, m, to, from_peer, id);
    if (!draft_sign(r, &d)) {
        message_extra_free(d.extra);
        return false;
    }
    return send_draft(r, &d, random_id, sent);
}

/* The messages that are there, in the query's order; 0 and refused when one cannot be forwarded. */
static uint32_t collect(struct request *r, int64_t from, int32_t *ids, int64_t *randoms)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < tl_count(r->query, F_id); i++) {
        int32_t id = (int32_t)tl_item(r->query, F_id, i)->i;
        const struct message *m = world_message(r->world, r->self, from, id);
        if (!m)
            continue;
        if ((m->flags & MESSAGE_NOFORWARDS) || (m->extra && m->extra->action)) {
            bool service = m->extra && m->extra->action;
            fail(r, service ? 400 : 406,
                 service ? "MESSAGE_ID_INVALID" : "CHAT_FORWARDS_RESTRICTED");
            return 0;
        }
        ids[n] = id;
        randoms[n++] = tl_item(r->query, F_random_id, i)->i;
    }
    if (n == 0)
        fail(r, 400, "MESSAGE_ID_INVALID");
    return n;
}

static struct tl_value run_forward(struct request *r, int64_t from, int64_t to)
{
    int32_t ids[FORWARD_MAX];
    int64_t randoms[FORWARD_MAX];
    struct sent_id sent[FORWARD_MAX];
    uint32_t n = collect(r, from, ids, randoms), known;
    if (!n)
        return refused();
    if (sent_find_all(r->self, randoms, n, sent, &known))
        return sent_before(r, sent, n);
    if (known)
        return fail(r, 500, "RANDOM_ID_DUPLICATE");
    const struct chat *c = world_chat(r->world, to);
    if (n > 1 && c && c->slow_mode_s && !chat_is_admin(c, r->self->id))
        return fail(r, 400, "SLOWMODE_MULTI_MSGS_DISABLED");
    struct album album = {0};
    struct cause cause;
    cause_begin(r, &cause);
    for (uint32_t i = 0; i < n; i++) {
        const struct message *m = world_message(r->world, r->self, from, ids[i]);
        if (!m || !forward_one(r, m, to, from, ids[i], randoms[i], &album, &sent[i])) {
            cause_end(r);
            return fail(r, 500, "INTERNAL_SERVER_ERROR");
        }
    }
    return sent_answer(r, &cause, sent, n);
}

struct tl_value forward_messages(struct request *r)
{
    uint32_t n = tl_count(r->query, F_id);
    if (n == 0)
        return fail(r, 400, "MESSAGE_IDS_EMPTY");
    if (n > FORWARD_MAX)
        return fail(r, 400, "MESSAGE_ID_INVALID");
    if (tl_count(r->query, F_random_id) != n)
        return fail(r, 400, "RANDOM_ID_INVALID");
    int64_t from = input_peer(r, tl_obj(r->query, F_from_peer));
    int64_t to = from ? input_peer(r, tl_obj(r->query, F_to_peer)) : 0;
    if (!to || !may_forward(r, from) || !may_write(r, to, BANNED_PLAIN) || !schedule_allowed(r, to))
        return refused();
    return run_forward(r, from, to);
}
