/* SPDX-License-Identifier: MIT
 * Messages that are to be sent later: kept, listed, sent when they are due. */
#include "sandbox/scheduled.h"

#include <stdlib.h>

#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/input.h"
#include "sandbox/methods_world.h"
#include "sandbox/world_parts.h"

enum { IDS_MAX = 100 };

bool is_for_later(const struct request *r)
{
    return tl_int(r->query, F_schedule_date) > (int64_t)r->now_s + SCHEDULE_SOON_S;
}

static bool is_in(const struct scheduled *s, const struct user *u, int64_t peer)
{
    return s->user == u && s->message->peer == peer;
}

bool schedule_allowed(struct request *r, int64_t peer)
{
    uint32_t n = 0;
    if (!is_for_later(r))
        return true;
    if (tl_int(r->query, F_schedule_date) > (int64_t)r->now_s + SCHEDULE_LATEST_S) {
        fail(r, 400, "SCHEDULE_DATE_TOO_LATE");
        return false;
    }
    for (const struct scheduled *s = r->world->scheduled; s; s = s->next)
        n += is_in(s, r->self, peer);
    if (n < SCHEDULED_PER_CHAT_MAX)
        return true;
    fail(r, 400, "SCHEDULE_TOO_MUCH");
    return false;
}

const struct scheduled *scheduled_find(const struct world *w, const struct user *u, int32_t id)
{
    const struct scheduled *s = w->scheduled;
    while (s && (s->user != u || s->id != id))
        s = s->next;
    return s;
}

int32_t schedule_draft(struct request *r, struct draft *d)
{
    struct scheduled *s = calloc(1, sizeof *s);
    d->date = (int32_t)tl_int(r->query, F_schedule_date);
    d->flags |= MESSAGE_FROM_SCHEDULED;
    struct message *m = s ? message_new(r->world, d) : NULL;
    if (!m) {
        free(s);
        message_extra_free(d->extra);
        return 0;
    }
    *s = (struct scheduled){
        .user = r->self, .id = ++r->self->last_scheduled, .author = d->author, .message = m};
    struct scheduled **at = &r->world->scheduled;
    while (*at && (*at)->message->date <= m->date) /* those of one moment in their order */
        at = &(*at)->next;
    s->next = *at;
    *at = s;
    world_tell(r->world, r->self,
               (struct update){.type = &world_updates[U_NEW_SCHEDULED],
                               .date = r->now_s,
                               .a = message_dialog(r->self, m),
                               .b = s->id});
    return s->id;
}

/* ---- sending ---- */

static struct scheduled *take(struct world *w, const struct scheduled *which)
{
    struct scheduled **at = &w->scheduled;
    while (*at != which)
        at = &(*at)->next;
    struct scheduled *s = *at;
    *at = s->next;
    return s;
}

static void drop(struct world *w, struct scheduled *s)
{
    message_free(w, s->message);
    free(s);
}

/* sent_id: the message it has become; 0 = it was taken back. */
static void tell_gone(struct world *w, const struct scheduled *s, int32_t sent_id, int32_t now)
{
    world_tell(w, s->user,
               (struct update){.type = &world_updates[U_DELETE_SCHEDULED],
                               .date = now,
                               .a = message_dialog(s->user, s->message),
                               .b = sent_id,
                               .ids = &s->id,
                               .n_ids = 1});
}

/* Who was thrown out in the meantime sends nothing. */
static void send_now(struct world *w, const struct scheduled *which, int32_t now)
{
    struct scheduled *s = take(w, which);
    struct message *m = s->message;
    const struct chat *c = world_chat(w, m->peer);
    struct draft d = {.from = m->from,
                      .author = s->author,
                      .peer = m->peer,
                      .text = slice_of(m->text, m->text_len),
                      .date = now,
                      .reply_to = m->reply_to,
                      .flags = m->flags,
                      .extra = m->extra};
    const struct message *sent = NULL;
    if (!c || chat_has(c, s->user->id)) {
        m->extra = NULL;
        sent = world_post(w, &d);
    }
    tell_gone(w, s, sent ? message_id_for(s->user, sent) : 0, now);
    drop(w, s);
}

void world_run_scheduled(struct world *w, int32_t now)
{
    while (w->scheduled && w->scheduled->message->date <= now)
        send_now(w, w->scheduled, now);
}

int32_t world_next_scheduled(const struct world *w)
{
    return w->scheduled ? w->scheduled->message->date : 0;
}

void scheduled_free_all(struct world *w)
{
    while (w->scheduled)
        drop(w, take(w, w->scheduled));
}

/* ---- methods ---- */

static bool is_named(const struct request *r, const struct scheduled *s)
{
    for (uint32_t i = 0; i < tl_count(r->query, F_id); i++)
        if (tl_item(r->query, F_id, i)->i == s->id)
            return true;
    return false;
}

/* Those of the peer that `all` or the query's ids name, the last due one first. */
static struct tl_value answer(struct request *r, bool all)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer)
        return refused();
    const struct scheduled *found[SCHEDULED_PER_CHAT_MAX];
    uint32_t n = 0;
    for (const struct scheduled *s = r->world->scheduled; s && n < SCHEDULED_PER_CHAT_MAX;
         s = s->next)
        if (is_in(s, r->self, peer) && (all || is_named(r, s)))
            found[n++] = s;
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, C_messages_messages);
    tl_set_vec(&r->b, o, F_topics);
    struct tl_vector *messages = tl_set_vec(&r->b, o, F_messages);
    while (n-- > 0)
        tl_push_obj(&r->b, messages, build_message(r, &peers, found[n]->message, found[n]->id));
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

static struct tl_value get_history(struct request *r)
{
    return answer(r, true);
}

static struct tl_value get_messages(struct request *r)
{
    return answer(r, false);
}

/* Ends those of the peer that the query names: sent at once, or taken back. */
static struct tl_value end_named(struct request *r, bool send)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer)
        return refused();
    if (tl_count(r->query, F_id) > IDS_MAX)
        return fail(r, 400, "MESSAGE_ID_INVALID");
    struct cause cause;
    uint32_t n = 0;
    cause_begin(r, &cause);
    for (uint32_t i = 0; i < tl_count(r->query, F_id); i++) {
        const struct scheduled *s =
            scheduled_find(r->world, r->self, (int32_t)tl_item(r->query, F_id, i)->i);
        if (!s || !is_in(s, r->self, peer))
            continue;
        n++;
        if (send) {
            send_now(r->world, s, r->now_s);
            continue;
        }
        struct scheduled *gone = take(r->world, s);
        tell_gone(r->world, gone, 0, r->now_s);
        drop(r->world, gone);
    }
    if (n)
        return cause_answer(r, &cause);
    cause_end(r);
    return fail(r, 400, "MESSAGE_ID_INVALID");
}

static struct tl_value send_named(struct request *r)
{
    return end_named(r, true);
}

static struct tl_value delete_named(struct request *r)
{
    return end_named(r, false);
}

static const struct method methods[] = {
    {C_messages_getScheduledHistory, 0, get_history},
    {C_messages_getScheduledMessages, 0, get_messages},
    {C_messages_sendScheduledMessages, 0, send_named},
    {C_messages_deleteScheduledMessages, 0, delete_named},
};
const struct method_table scheduled_methods = {methods, sizeof methods / sizeof *methods};
