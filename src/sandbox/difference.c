/* SPDX-License-Identifier: MIT
 * updates.*: where an account's and a channel's sequences stand, and what was missed of them. */
#include "sandbox/input.h"
#include "sandbox/login.h"
#include "sandbox/methods.h"

enum {
    DIFFERENCE_MAX = 100,   /* updates in one answer; the rest in the next slice */
    CHANNEL_TIMEOUT_S = 30, /* when to ask again for a channel that is being watched */
    TOO_LONG_MESSAGES = 30, /* the newest ones that go with channelDifferenceTooLong */
};

/* What an account lacks, sorted into the vectors of its answer. */
struct gathered {
    struct tl_vector *messages;
    struct tl_vector *updates;
    struct peers peers;
    uint32_t n;
    int32_t pts; /* of the last one taken */
    bool more;
};

static struct gathered gather(struct request *r, const struct update_log *log, int32_t pts,
                              int32_t date, uint32_t max)
{
    struct gathered g = {tl_new_vec(&r->b), tl_new_vec(&r->b), {0}, 0, pts, false};
    for (uint32_t i = 0; i < log->n; i++) {
        const struct update *u = update_log_at(log, i);
        if (u->pts ? u->pts <= pts : u->date < date)
            continue;
        if (g.n == max) {
            g.more = true;
            break;
        }
        const struct tl_object *o = u->type->build(r, u, &g.peers);
        if (u->pts)
            g.pts = u->pts;
        if (!o)
            continue;
        g.n++;
        if (u->type->place == UPDATE_NEW_MESSAGE)
            tl_push_obj(&r->b, g.messages, tl_obj(o, F_message));
        else
            tl_push_obj(&r->b, g.updates, o);
    }
    return g;
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

/* seq never moves: every update that is kept has a pts or is found by its date. */
static struct tl_object *state_object(struct request *r, int32_t pts)
{
    struct tl_object *o = tl_new(&r->b, C_updates_state);
    tl_set_int(o, F_pts, pts);
    tl_set_int(o, F_qts, 0);
    tl_set_int(o, F_date, r->now_s);
    tl_set_int(o, F_seq, 1);
    tl_set_int(o, F_unread_count, unread_sum(r));
    return o;
}

static struct tl_value get_state(struct request *r)
{
    return tl_value_obj(state_object(r, r->self->account->log.pts));
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
    struct gathered g =
        gather(r, log, (int32_t)pts, (int32_t)tl_int(r->query, F_date), slice_max(r));
    if (g.n == 0 && !g.more) {
        struct tl_object *o = tl_new(&r->b, C_updates_differenceEmpty);
        tl_set_int(o, F_date, r->now_s);
        tl_set_int(o, F_seq, 1);
        return tl_value_obj(o);
    }
    struct tl_object *o = tl_new(&r->b, g.more ? C_updates_differenceSlice : C_updates_difference);
    put_vector(r, o, F_new_messages, g.messages);
    tl_set_vec(&r->b, o, F_new_encrypted_messages);
    put_vector(r, o, F_other_updates, g.updates);
    peers_set(r, &g.peers, o);
    tl_set_obj(o, g.more ? F_intermediate_state : F_state,
               state_object(r, g.more ? g.pts : log->pts));
    return tl_value_obj(o);
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
        gather(r, &c->log, (int32_t)pts, r->now_s,
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
