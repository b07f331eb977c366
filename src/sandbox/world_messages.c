/* SPDX-License-Identifier: MIT
 * What happens to messages: sent, edited, removed, pinned, read; and who is told. */
#include <stdlib.h>

#include "sandbox/message.h"
#include "sandbox/world_parts.h"

/* ---- telling ---- */

static void collect(struct cause *cause, const struct update *u)
{
    if (cause->n == cause->cap) {
        uint32_t cap = cause->cap ? 2 * cause->cap : 8;
        struct update *bigger = arena_array(cause->arena, cap, sizeof *bigger);
        if (!bigger)
            return; /* the arena remembers that it failed: the answer fails as a whole */
        if (cause->n)
            memcpy(bigger, cause->updates, cause->n * sizeof *bigger);
        cause->updates = bigger;
        cause->cap = cap;
    }
    struct update *copy = &cause->updates[cause->n++];
    *copy = *u;
    if (u->n_ids) {
        int32_t *ids = arena_array(cause->arena, u->n_ids, sizeof *ids);
        copy->n_ids = ids ? u->n_ids : 0;
        copy->ids = ids;
        if (ids)
            memcpy(ids, u->ids, u->n_ids * sizeof *ids);
    }
}

static void push(struct world *w, struct user *to, const struct update *u)
{
    if (w->sink.push && to->account)
        w->sink.push(w->sink.ctx, w->cause ? w->cause->session : NULL, to, u);
}

void world_tell(struct world *w, struct user *to, struct update u)
{
    if (to->account && (u.pts_count || u.keep))
        update_log_add(&to->account->log, &u);
    if (w->cause && w->cause->user == to)
        collect(w->cause, &u);
    push(w, to, &u);
}

void world_tell_members(struct world *w, const struct chat *c, struct update u,
                        const struct user *except)
{
    for (uint32_t i = 0; i < c->n_members; i++) {
        struct user *to = world_user(w, c->members[i]->user_id);
        if (to && to != except && c->members[i]->state == MEMBER_JOINED)
            push(w, to, &u);
    }
}

void world_tell_channel(struct world *w, struct chat *c, struct update u)
{
    if (u.pts_count || u.keep)
        update_log_add(&c->log, &u);
    if (w->cause)
        collect(w->cause, &u);
    world_tell_members(w, c, u, NULL);
}

/* History that is laid down quietly counts, but no difference can reach back over it. */
static void skip_pts(struct update_log *log)
{
    log->pts++;
    log->lost_pts = log->pts;
}

/* ---- sending ---- */

static bool give(struct world *w, struct user *u, struct message *m, bool quiet)
{
    int32_t id = box_add(u, m);
    if (!id)
        return false;
    m->holders++;
    if (quiet && u->account)
        skip_pts(&u->account->log);
    if (!quiet)
        world_tell(w, u,
                   (struct update){.type = &world_updates[U_NEW_MESSAGE],
                                   .pts_count = 1,
                                   .date = m->date,
                                   .a = message_dialog(u, m),
                                   .b = id});
    return true;
}

static bool answer_later(struct world *w, const struct message *m)
{
    if (!grow(&w->pending, &w->pending_cap, sizeof w->pending_cap, w->n_pending,
              sizeof(*w->pending)))
        return false;
    w->pending[w->n_pending++] = (struct pending_answer){.bot = m->peer, .uid = m->id};
    return true;
}

static struct message *post_private(struct world *w, const struct draft *d)
{
    struct user *from = world_user(w, d->from), *to = world_user(w, d->peer);
    struct message *m = store_boxed(w, d);
    if (!m || !from || !to)
        return m;
    give(w, from, m, d->quiet);
    if (to != from && !d->unheard)
        give(w, to, m, d->quiet);
    if ((to->flags & USER_ECHO) && to != from && !d->unheard && !d->quiet &&
        !(d->flags & MESSAGE_SERVICE))
        answer_later(w, m);
    return m;
}

static struct message *post_group(struct world *w, struct chat *c, const struct draft *d)
{
    struct message *m = store_boxed(w, d);
    for (uint32_t i = 0; m && i < c->n_members; i++) {
        struct user *to = world_user(w, c->members[i]->user_id);
        /* who was just removed still sees that it happened */
        bool last_word = d->extra && d->extra->action &&
                         d->extra->action->kind == ACTION_DELETE_USER &&
                         d->extra->action->peer == c->members[i]->user_id;
        if (to && (c->members[i]->state == MEMBER_JOINED || last_word))
            give(w, to, m, d->quiet);
    }
    return m;
}

/* What one writes oneself in the chat's name is not news: the author has read up to it, unless
 * something before it is still unread. */
static void read_by_author(struct world *w, const struct draft *d, const struct message *m)
{
    struct user *author = world_user(w, d->author);
    struct dialog *dialog = author ? user_dialog_find(author, d->peer) : NULL;
    if (dialog && m->from == d->peer && dialog_unread(w, author, dialog) == 1)
        dialog->read_inbox_max = m->id;
}

static struct message *post_channel(struct world *w, struct chat *c, const struct draft *d)
{
    struct message *m = store_post(w, c, d);
    if (!m)
        return NULL;
    if (m->flags & MESSAGE_POST)
        m->views = 1;
    read_by_author(w, d, m);
    if (d->quiet) {
        skip_pts(&c->log);
        return m;
    }
    world_tell_channel(w, c,
                       (struct update){.type = &world_updates[U_NEW_MESSAGE],
                                       .pts_count = 1,
                                       .date = m->date,
                                       .a = c->peer,
                                       .b = m->id});
    return m;
}

struct message *world_post(struct world *w, const struct draft *d)
{
    struct message *m = NULL;
    struct chat *c = world_chat(w, d->peer);
    if (peer_kind(d->peer) == PEER_USER)
        m = post_private(w, d);
    else if (c)
        m = peer_kind(d->peer) == PEER_CHAT ? post_group(w, c, d) : post_channel(w, c, d);
    if (!m)
        message_extra_free(d->extra);
    return m;
}

struct message *world_service_message(struct world *w, struct user *to, struct slice text,
                                      int32_t now)
{
    return world_post(
        w, &(struct draft){.from = USER_SERVICE, .peer = to->id, .text = text, .date = now});
}

void world_run_pending(struct world *w, int32_t now)
{
    size_t n = w->n_pending;
    struct pending_answer *work = w->pending;
    w->pending = NULL; /* an answer may cause answers: those come next time */
    w->n_pending = w->pending_cap = 0;
    for (size_t i = 0; i < n; i++) {
        struct message *m = w->boxed[work[i].uid - 1];
        struct user *bot = world_user(w, work[i].bot);
        if (!m || !bot)
            continue;
        struct dialog *d = user_dialog(bot, m->from);
        if (d)
            world_read(w, bot, d, message_id_for(bot, m), now);
        struct message_extra *extra = m->extra ? message_extra_copy(m->extra) : NULL;
        world_post(w, &(struct draft){.from = bot->id,
                                      .peer = m->from,
                                      .text = slice_of(m->text, m->text_len),
                                      .date = now,
                                      .extra = extra});
    }
    free(work);
}

/* ---- everybody who has a boxed message ---- */

/* Calls each(ctx, user, user's number) for all who have m. */
static void each_holder(struct world *w, const struct message *m,
                        void (*each)(void *ctx, struct user *u, int32_t id), void *ctx)
{
    const struct chat *c = world_chat(w, m->peer);
    int64_t pair[2] = {m->from, m->peer};
    uint32_t n = c ? c->n_members : 2;
    for (uint32_t i = 0; i < n; i++) {
        struct user *u = world_user(w, c ? c->members[i]->user_id : pair[i]);
        int32_t id = u && !(!c && i == 1 && pair[0] == pair[1]) ? message_id_for(u, m) : 0;
        if (id)
            each(ctx, u, id);
    }
}

struct telling {
    struct world *world;
    const struct message *message;
    struct user *only_for;
    enum update_kind kind;
    int32_t now;
    bool pinned;
};

static void tell_edit(void *ctx, struct user *u, int32_t id)
{
    struct telling *t = ctx;
    world_tell(t->world, u,
               (struct update){.type = &world_updates[U_EDIT_MESSAGE],
                               .pts_count = 1,
                               .date = t->now,
                               .a = message_dialog(u, t->message),
                               .b = id});
}

struct message *world_edit(struct world *w, struct message *m, struct slice text,
                           struct message_extra *extra, int32_t date)
{
    m = store_replace(w, m, text, extra);
    if (!m)
        return NULL;
    m->edit_date = date;
    struct chat *c = world_chat(w, m->peer);
    if (c && peer_kind(m->peer) == PEER_CHANNEL) {
        world_tell_channel(w, c,
                           (struct update){.type = &world_updates[U_EDIT_MESSAGE],
                                           .pts_count = 1,
                                           .date = date,
                                           .a = c->peer,
                                           .b = m->id});
        return m;
    }
    struct telling t = {.world = w, .message = m, .now = date};
    each_holder(w, m, tell_edit, &t);
    return m;
}

/* ---- pins ---- */

void chat_set_pinned(struct chat *c, struct message *m, bool pinned)
{
    if (pinned && id_list_add(&c->pinned, m->id))
        m->flags |= MESSAGE_PINNED;
    if (!pinned && id_list_remove(&c->pinned, m->id))
        m->flags &= (uint16_t)~MESSAGE_PINNED;
}

int32_t chat_newest_pin(const struct chat *c, const struct user *u)
{
    const struct member *member = id_map_get(&c->member_of, u->id);
    int32_t id = c->pinned.n ? c->pinned.ids[c->pinned.n - 1] : 0;
    return member && id < member->first_visible ? 0 : id;
}

static void set_box_pin(void *ctx, struct user *u, int32_t id)
{
    struct telling *t = ctx;
    if (t->only_for && t->only_for != u)
        return;
    uint32_t *entry = &u->box[id - 1];
    *entry = t->pinned ? *entry | BOX_PINNED : *entry & ~BOX_PINNED;
    world_tell(t->world, u,
               (struct update){.type = &world_updates[U_PINNED],
                               .pts_count = 1,
                               .date = t->now,
                               .a = message_dialog(u, t->message),
                               .b = t->pinned,
                               .ids = &id,
                               .n_ids = 1});
}

void world_set_pinned(struct world *w, struct message *m, bool pinned, struct user *only_for,
                      int32_t now)
{
    struct chat *c = world_chat(w, m->peer);
    if (c && peer_kind(m->peer) == PEER_CHANNEL) {
        chat_set_pinned(c, m, pinned);
        world_tell_channel(w, c,
                           (struct update){.type = &world_updates[U_PINNED],
                                           .pts_count = 1,
                                           .date = now,
                                           .a = c->peer,
                                           .b = pinned,
                                           .ids = &m->id,
                                           .n_ids = 1});
        return;
    }
    struct telling t = {
        .world = w, .message = m, .only_for = only_for, .now = now, .pinned = pinned};
    each_holder(w, m, set_box_pin, &t);
}

/* ---- removing ---- */

struct removal {
    struct user *user;
    int32_t id;
};
struct removals {
    struct removal *items;
    uint32_t n;
    uint32_t cap;
};

static void note_removal(void *ctx, struct user *u, int32_t id)
{
    struct removals *r = ctx;
    if (grow(&r->items, &r->cap, sizeof r->cap, r->n, sizeof(*r->items)))
        r->items[r->n++] = (struct removal){u, id};
}

static int by_user_and_id(const void *a, const void *b)
{
    const struct removal *x = a, *y = b;
    if (x->user != y->user)
        return x->user->id < y->user->id ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Removes and tells each user once. How many of `of`'s were removed. */
static uint32_t run_removals(struct world *w, struct removals *r, const struct user *of,
                             int32_t now)
{
    uint32_t own = 0;
    int32_t *ids = r->n ? malloc(r->n * sizeof *ids) : NULL;
    if (!ids)
        return 0;
    qsort(r->items, r->n, sizeof(*r->items), by_user_and_id);
    for (uint32_t i = 0; i < r->n;) {
        struct user *u = r->items[i].user;
        uint32_t n = 0;
        for (; i < r->n && r->items[i].user == u; i++) {
            struct message *m = world_boxed(w, u, r->items[i].id);
            if (!m)
                continue; /* the same id given twice */
            box_remove(w, u, m, r->items[i].id);
            ids[n++] = r->items[i].id;
        }
        own += u == of ? n : 0;
        if (n)
            world_tell(w, u,
                       (struct update){.type = &world_updates[U_DELETE],
                                       .pts_count = (int32_t)n,
                                       .date = now,
                                       .ids = ids,
                                       .n_ids = n});
    }
    free(ids);
    return own;
}

uint32_t world_delete_boxed(struct world *w, struct user *u, const int32_t *ids, uint32_t n,
                            bool revoke, int32_t now)
{
    struct removals r = {0};
    for (uint32_t i = 0; i < n; i++) {
        struct message *m = world_boxed(w, u, ids[i]);
        if (!m)
            continue;
        if (revoke)
            each_holder(w, m, note_removal, &r);
        else
            note_removal(&r, u, ids[i]);
    }
    uint32_t own = run_removals(w, &r, u, now);
    free(r.items);
    return own;
}

uint32_t world_delete_posts(struct world *w, struct chat *c, const int32_t *ids, uint32_t n,
                            int32_t now)
{
    int32_t *gone = malloc((n ? n : 1) * sizeof *gone);
    uint32_t n_gone = 0;
    for (uint32_t i = 0; gone && i < n; i++) {
        struct message *m = chat_message(c, ids[i]);
        if (!m)
            continue;
        c->slots[ids[i] - 1] = NULL;
        id_list_remove(&c->live, ids[i]);
        id_list_remove(&c->pinned, ids[i]);
        message_free(w, m);
        gone[n_gone++] = ids[i];
    }
    if (n_gone)
        world_tell_channel(w, c,
                           (struct update){.type = &world_updates[U_DELETE],
                                           .pts_count = (int32_t)n_gone,
                                           .date = now,
                                           .a = c->peer,
                                           .ids = gone,
                                           .n_ids = n_gone});
    free(gone);
    return n_gone;
}

/* ---- reading ---- */

/* The sender of m learns that it was read. */
static void tell_read(struct world *w, const struct user *reader, const struct message *m,
                      int32_t now)
{
    struct user *sender = world_user(w, m->from);
    if (!sender || sender == reader)
        return;
    struct dialog *d = user_dialog_find(sender, message_dialog(sender, m));
    int32_t id = message_id_for(sender, m);
    if (!d || id <= d->read_outbox_max)
        return;
    d->read_outbox_max = id;
    bool counted = peer_kind(d->peer) != PEER_CHANNEL;
    world_tell(w, sender,
               (struct update){.type = &world_updates[U_READ_OUTBOX],
                               .pts_count = counted,
                               .date = now,
                               .a = d->peer,
                               .b = id});
}

/* Newest first, so that each sender is told once, of the newest; further back than this nobody is.
 */
enum { READ_TELL_MAX = 1000 };

int32_t world_read(struct world *w, struct user *u, struct dialog *d, int32_t max_id, int32_t now)
{
    uint32_t first;
    const struct id_list *l = dialog_ids(w, u, d, &first);
    int32_t top = l->n > first ? l->ids[l->n - 1] : 0;
    if (max_id <= 0 || max_id > top)
        max_id = top;
    if (max_id <= d->read_inbox_max)
        return 0;
    int32_t unread = dialog_unread(w, u, d), old = d->read_inbox_max;
    d->read_inbox_max = max_id;
    d->unread_mark = false;
    int32_t still = dialog_unread(w, u, d);
    bool counted = peer_kind(d->peer) != PEER_CHANNEL;
    world_tell(w, u,
               (struct update){.type = &world_updates[U_READ_INBOX],
                               .pts_count = counted,
                               .keep = true,
                               .date = now,
                               .a = d->peer,
                               .b = max_id,
                               .c = still});
    uint32_t looked = 0;
    for (uint32_t i = id_list_lower(l, max_id + 1);
         i-- > first && l->ids[i] > old && looked++ < READ_TELL_MAX;) {
        const struct message *m = world_message(w, u, d->peer, l->ids[i]);
        if (m)
            tell_read(w, u, m, now);
    }
    return unread - still;
}
