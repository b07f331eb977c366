/* SPDX-License-Identifier: MIT
 * updates.*: where an account's and a channel's sequences stand, and what was missed of them. */
#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/input.h"
#include "sandbox/login.h"
#include "sandbox/methods.h"

enum {
    DIFFERENCE_MAX = 100,   /* updates in one answer; the rest in the next slice */
    CHANNEL_TIMEOUT_S = 30, /* when to ask again for a channel that is being watched */
    TOO_LONG_MESSAGES = 30, /* the newest ones that go with channelDifferenceTooLong */
};

/* What a client lacks of one sequence, sorted into the vectors of its answer. */
struct gathered {
    struct tl_vector *messages;
    struct tl_vector *updates;
    struct peers peers;
    uint32_t n;
    int32_t pts; /* of the last one taken */
    bool more;
};

static void take(struct request *r, struct gathered *g, const struct update *u)
{
    const struct tl_object *o = u->type->build(r, u, &g->peers);
    if (u->pts)
        g->pts = u->pts;
    if (!o)
        return;
    g->n++;
    if (u->type->place == UPDATE_NEW_MESSAGE)
        tl_push_obj(&r->b, g->messages, tl_obj(o, F_message));
    else
        tl_push_obj(&r->b, g->updates, o);
}

/* The updates with a pts above that one, `max` of them. */
static struct gathered gather(struct request *r, const struct update_log *log, int32_t pts,
                              uint32_t max)
{
    struct gathered g = {tl_new_vec(&r->b), tl_new_vec(&r->b), {0}, 0, pts, false};
    for (uint32_t i = 0; i < log->n && !g.more; i++) {
        const struct update *u = update_log_at(log, i);
        if (!u->pts || u->pts <= pts)
            continue;
        g.more = g.n == max;
        if (!g.more)
            take(r, &g, u);
    }
    return g;
}

/* What is kept without a pts is found by its date, to the second: one that a client saw in the
 * second that it asks from comes again, and says again how things stand now. */
static void gather_dated(struct request *r, struct gathered *g, const struct update_log *log,
                         int32_t date)
{
    for (uint32_t i = 0; i < log->n; i++) {
        const struct update *u = update_log_at(log, i);
        if (!u->pts && u->date >= date)
            take(r, g, u);
    }
}

/* Channels have sequences of their own: of those that moved since, the client hears only that, and
 * asks for each. */
static void gather_channels(struct request *r, struct gathered *g, int32_t date)
{
    for (size_t i = 0; i < r->self->n_dialogs; i++) {
        const struct dialog *d = r->self->dialog_list[i];
        const struct chat *c =
            peer_kind(d->peer) == PEER_CHANNEL ? world_chat(r->world, d->peer) : NULL;
        if (!c || !c->log.date || c->log.date < date || !chat_has(c, r->self->id))
            continue;
        struct tl_object *o = tl_new(&r->b, C_updateChannelTooLong);
        tl_set_int(o, F_channel_id, peer_bare(c->peer));
        tl_set_int(o, F_pts, c->log.pts);
        tl_push_obj(&r->b, g->updates, o);
        peers_add(r, &g->peers, c->peer);
        g->n++;
    }
}

static void put_vector(struct request *r, struct tl_object *o, uint16_t field,
                       const struct tl_vector *from)
{
    struct tl_vector *to = tl_set_vec(&r->b, o, field);
    for (uint32_t i = 0; from && i < from->n; i++)
        tl_push_obj(&r->b, to, from->items[i].object);
}

/* ---- the account ---- */

static int32_t unread_sum(struct request *r)
{
    int64_t sum = 0;
    for (size_t i = 0; i < r->self->n_dialogs; i++)
        sum += dialog_unread(r->world, r->self, r->self->dialog_list[i]);
    return sum > INT32_MAX ? INT32_MAX : (int32_t)sum;
}

struct tl_object *build_state(struct request *view, int32_t pts, int32_t date)
{
    struct tl_object *o = tl_new(&view->b, C_updates_state);
    tl_set_int(o, F_pts, pts);
    tl_set_int(o, F_qts, 0);
    tl_set_int(o, F_date, date);
    tl_set_int(o, F_seq, STATE_SEQ);
    tl_set_int(o, F_unread_count, unread_sum(view));
    return o;
}

static struct tl_value get_state(struct request *r)
{
    return tl_value_obj(build_state(r, account_pts(r->self), r->now_s));
}

static uint32_t slice_max(struct request *r)
{
    int64_t limit = tl_int(r->query, F_pts_limit);
    return limit > 0 && limit < DIFFERENCE_MAX ? (uint32_t)limit : DIFFERENCE_MAX;
}

/* More was missed than was kept, or than the client wants to hear of. */
static bool too_long(struct request *r, const struct update_log *log, int64_t pts)
{
    int64_t total = tl_int(r->query, F_pts_total_limit);
    return pts < log->lost_pts || (total > 0 && log->pts - pts > total);
}

/* A slice leaves the client's date where it was: what goes by dates comes with the last one. */
static struct tl_value difference_answer(struct request *r, struct gathered *g, int32_t pts,
                                         int32_t date)
{
    if (g->n == 0 && !g->more) {
        struct tl_object *o = tl_new(&r->b, C_updates_differenceEmpty);
        tl_set_int(o, F_date, r->now_s);
        tl_set_int(o, F_seq, STATE_SEQ);
        return tl_value_obj(o);
    }
    struct tl_object *o = tl_new(&r->b, g->more ? C_updates_differenceSlice : C_updates_difference);
    put_vector(r, o, F_new_messages, g->messages);
    tl_set_vec(&r->b, o, F_new_encrypted_messages);
    put_vector(r, o, F_other_updates, g->updates);
    peers_set(r, &g->peers, o);
    if (g->more)
        tl_set_obj(o, F_intermediate_state, build_state(r, g->pts, date));
    else
        tl_set_obj(o, F_state, build_state(r, pts, r->now_s));
    return tl_value_obj(o);
}

static struct tl_value get_difference(struct request *r)
{
    const struct update_log *log = &r->self->account->log;
    int64_t pts = tl_int(r->query, F_pts);
    if (pts < 1)
        return fail(r, 400, "PERSISTENT_TIMESTAMP_EMPTY");
    if (pts > log->pts)
        return fail(r, 400, "PERSISTENT_TIMESTAMP_INVALID");
    if (too_long(r, log, pts)) {
        struct tl_object *o = tl_new(&r->b, C_updates_differenceTooLong);
        tl_set_int(o, F_pts, log->pts);
        return tl_value_obj(o);
    }
    int32_t date = (int32_t)tl_int(r->query, F_date);
    struct gathered g = gather(r, log, (int32_t)pts, slice_max(r));
    if (!g.more) {
        gather_dated(r, &g, log, date);
        gather_channels(r, &g, date);
    }
    return difference_answer(r, &g, log->pts, date);
}

/* ---- a channel ---- */

static struct tl_value channel_too_long(struct request *r, struct chat *c)
{
    struct peers peers = {0};
    struct tl_object *o = tl_new(&r->b, C_updates_channelDifferenceTooLong);
    tl_set_bool(o, F_final, true);
    tl_set_int(o, F_timeout, CHANNEL_TIMEOUT_S);
    struct dialog *d = user_dialog(r->self, c->peer);
    if (!d)
        return fail(r, 500, "INTERNAL");
    tl_set_obj(o, F_dialog, build_dialog(r, &peers, d));
    struct tl_vector *messages = tl_set_vec(&r->b, o, F_messages);
    uint32_t first = 0;
    const struct id_list *ids = chat_ids(c, r->self, &first);
    for (uint32_t i = ids->n, n = 0; i > first && n < TOO_LONG_MESSAGES; i--, n++) {
        const struct message *m = world_message(r->world, r->self, c->peer, ids->ids[i - 1]);
        if (m)
            tl_push_obj(&r->b, messages, build_message(r, &peers, m, ids->ids[i - 1]));
    }
    peers_set(r, &peers, o);
    return tl_value_obj(o);
}

static struct tl_value channel_empty(struct request *r, int32_t pts)
{
    struct tl_object *o = tl_new(&r->b, C_updates_channelDifferenceEmpty);
    tl_set_bool(o, F_final, true);
    tl_set_int(o, F_pts, pts);
    tl_set_int(o, F_timeout, CHANNEL_TIMEOUT_S);
    return tl_value_obj(o);
}

static struct tl_value get_channel_difference(struct request *r)
{
    struct chat *c = input_channel(r, tl_obj(r->query, F_channel));
    if (!c)
        return refused();
    int64_t pts = tl_int(r->query, F_pts);
    int64_t limit = tl_int(r->query, F_limit);
    if (pts < 1)
        return fail(r, 400, "PERSISTENT_TIMESTAMP_EMPTY");
    if (pts > c->log.pts)
        return fail(r, 400, "PERSISTENT_TIMESTAMP_INVALID");
    if (pts < c->log.lost_pts)
        return channel_too_long(r, c);
    struct gathered g =
        gather(r, &c->log, (int32_t)pts,
               limit > 0 && limit < DIFFERENCE_MAX ? (uint32_t)limit : DIFFERENCE_MAX);
    if (g.n == 0 && !g.more)
        return channel_empty(r, c->log.pts);
    struct tl_object *o = tl_new(&r->b, C_updates_channelDifference);
    tl_set_bool(o, F_final, !g.more);
    tl_set_int(o, F_pts, g.more ? g.pts : c->log.pts);
    tl_set_int(o, F_timeout, CHANNEL_TIMEOUT_S);
    put_vector(r, o, F_new_messages, g.messages);
    put_vector(r, o, F_other_updates, g.updates);
    peers_add(r, &g.peers, c->peer);
    peers_set(r, &g.peers, o);
    return tl_value_obj(o);
}

static const struct method methods[] = {
    {C_updates_getState, 0, get_state},
    {C_updates_getDifference, 0, get_difference},
    {C_updates_getChannelDifference, 0, get_channel_difference},
};

const struct method_table difference_methods = {methods, sizeof methods / sizeof *methods};
