/* SPDX-License-Identifier: MIT
 * The list of dialogs: pages, pins, folders, marks.
 * Order: pinned ones first (page one only), then by date of the newest message, id, peer; newest
 * first. */
#include <stdlib.h>

#include "sandbox/build.h"
#include "sandbox/chat.h"
#include "sandbox/input.h"
#include "sandbox/methods_world.h"

enum { FOLDER_MAX = 1, PEER_DIALOGS_MAX = 100 };

/* A dialog with what orders it. */
struct row {
    struct dialog *dialog;
    int32_t date;
    int32_t top;
};

static struct row row_of(const struct request *r, struct dialog *d)
{
    int32_t id;
    const struct message *m = dialog_top(r->world, r->self, d, &id);
    return (struct row){d, m ? m->date : d->date, id};
}

/* Negative when a stands before b in the list. */
static int by_order(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->dialog->pinned_rank != y->dialog->pinned_rank)
        return x->dialog->pinned_rank > y->dialog->pinned_rank ? -1 : 1;
    if (x->date != y->date)
        return x->date > y->date ? -1 : 1;
    if (x->top != y->top)
        return x->top > y->top ? -1 : 1;
    return x->dialog->peer > y->dialog->peer ? -1 : x->dialog->peer < y->dialog->peer;
}

static bool is_listed(const struct request *r, const struct dialog *d)
{
    const struct chat *c = world_chat(r->world, d->peer);
    if (d->hidden || (c && (c->flags & CHAT_DEACTIVATED) && c->migrated_to))
        return false;
    return !c || peer_kind(d->peer) == PEER_CHAT || chat_has(c, r->self->id);
}

/* All listed dialogs of a folder (-1: of all), in order. */
static struct row *list_rows(const struct request *r, int32_t folder, uint32_t *n)
{
    *n = 0;
    struct row *rows = arena_array(r->arena, r->self->n_dialogs, sizeof *rows);
    for (size_t i = 0; rows && i < r->self->n_dialogs; i++) {
        struct dialog *d = r->self->dialog_list[i];
        if (is_listed(r, d) && (folder < 0 || d->folder == folder))
            rows[(*n)++] = row_of(r, d);
    }
    if (*n)
        qsort(rows, *n, sizeof *rows, by_order);
    return rows;
}

/* ---- getDialogs ---- */

struct dialog_page {
    uint32_t begin;
    uint32_t end;
};

/* Whether the row stands after the offset (date, id, peer) of the query. */
static bool is_after(const struct row *row, int32_t date, int32_t id, int64_t peer)
{
    if (date && row->date != date)
        return row->date < date;
    if (id && row->top != id)
        return row->top < id;
    return peer && row->dialog->peer < peer;
}

/* The peer that the offset names, 0 for none; a channel that self left meanwhile still orders. */
static int64_t offset_peer(struct request *r)
{
    const struct tl_object *o = tl_obj(r->query, F_offset_peer);
    return !o || tl_is(o, C_inputPeerEmpty) ? 0 : input_peer_any(r, o);
}

static uint32_t count_pinned(const struct row *rows, uint32_t n)
{
    uint32_t pinned = 0;
    while (pinned < n && rows[pinned].dialog->pinned_rank > 0)
        pinned++;
    return pinned;
}

static struct dialog_page page_of_dialogs(struct request *r, const struct row *rows, uint32_t n,
                                          int64_t peer)
{
    int32_t date = (int32_t)tl_int(r->query, F_offset_date),
            id = (int32_t)tl_int(r->query, F_offset_id);
    int64_t limit = tl_int(r->query, F_limit);
    limit = limit <= 0 || limit > PAGE_MAX ? PAGE_MAX : limit;
    uint32_t pinned = count_pinned(rows, n);
    bool first_page = !date && !id && !peer;
    struct dialog_page p = {.begin =
                                first_page && !tl_bool(r->query, F_exclude_pinned) ? 0 : pinned};
    while (!first_page && p.begin < n && !is_after(&rows[p.begin], date, id, peer))
        p.begin++;
    /* pinned ones come on top of the limit's dialogs */
    uint32_t end = p.begin + (uint32_t)limit + (p.begin == 0 ? pinned : 0);
    p.end = end < n ? end : n;
    return p;
}

static uint64_t rows_hash(const struct row *rows, struct dialog_page p)
{
    struct id_hash h = {0};
    for (uint32_t i = p.begin; i < p.end; i++) {
        id_hash_add(&h, rows[i].dialog->pinned_rank > 0);
        id_hash_add(&h, peer_bare(rows[i].dialog->peer));
        id_hash_add(&h, rows[i].top);
    }
    return h.acc;
}

static void push_row(struct request *r, struct peers *peers, struct tl_vector *dialogs,
                     struct tl_vector *messages, const struct row *row)
{
    tl_push_obj(&r->b, dialogs, build_dialog(r, peers, row->dialog));
    const struct message *m =
        row->top ? world_message(r->world, r->self, row->dialog->peer, row->top) : NULL;
    if (m)
        tl_push_obj(&r->b, messages, build_message(r, peers, m, row->top));
}

/* Fills dialogs, messages, chats and users of o. */
static void set_rows(struct request *r, struct tl_object *o, const struct row *rows,
                     struct dialog_page p)
{
    struct peers peers = {0};
    struct tl_vector *dialogs = tl_set_vec(&r->b, o, F_dialogs);
    struct tl_vector *messages = tl_set_vec(&r->b, o, F_messages);
    for (uint32_t i = p.begin; i < p.end; i++)
        push_row(r, &peers, dialogs, messages, &rows[i]);
    peers_set(r, &peers, o);
}

static struct tl_value get_dialogs(struct request *r)
{
    int32_t folder = (int32_t)tl_int(r->query, F_folder_id);
    if (folder < 0 || folder > FOLDER_MAX)
        return fail(r, 400, "FOLDER_ID_INVALID");
    int64_t peer = offset_peer(r);
    if (r->error_text)
        return fail(r, 400, "OFFSET_PEER_ID_INVALID");
    uint32_t n;
    /* Without folder_id Telegram lists the main list and the archive together. */
    const struct row *rows = list_rows(r, tl_has(r->query, F_folder_id) ? folder : -1, &n);
    struct dialog_page p = page_of_dialogs(r, rows, n, peer);
    uint64_t hash = (uint64_t)tl_int(r->query, F_hash);
    if (hash && hash == rows_hash(rows, p)) {
        struct tl_object *same = tl_new(&r->b, C_messages_dialogsNotModified);
        tl_set_int(same, F_count, n);
        return tl_value_obj(same);
    }
    bool whole = p.end - p.begin == n;
    struct tl_object *o = tl_new(&r->b, whole ? C_messages_dialogs : C_messages_dialogsSlice);
    tl_set_int(o, F_count, n);
    set_rows(r, o, rows, p);
    return tl_value_obj(o);
}

/* ---- single ones ---- */

static struct tl_value peer_dialogs(struct request *r, const struct row *rows, uint32_t n)
{
    struct tl_object *o = tl_new(&r->b, C_messages_peerDialogs);
    set_rows(r, o, rows, (struct dialog_page){0, n});
    tl_set_obj(o, F_state, build_state(r, account_pts(r->self), r->now_s));
    return tl_value_obj(o);
}

/* A peer that self has no dialog with is answered with an empty one, as Telegram does. */
static struct tl_value get_peer_dialogs(struct request *r)
{
    uint32_t n = tl_count(r->query, F_peers);
    if (n > PEER_DIALOGS_MAX)
        return fail(r, 400, "PEER_ID_INVALID");
    struct row *rows = arena_array(r->arena, n, sizeof *rows);
    for (uint32_t i = 0; rows && i < n; i++) {
        int64_t peer = input_dialog_peer(r, tl_item_obj(r->query, F_peers, i));
        struct dialog *d = peer ? user_dialog(r->self, peer) : NULL;
        if (!d)
            return refused();
        rows[i] = row_of(r, d);
    }
    return peer_dialogs(r, rows, n);
}

static struct tl_value get_pinned_dialogs(struct request *r)
{
    uint32_t n;
    const struct row *rows = list_rows(r, (int32_t)tl_int(r->query, F_folder_id), &n);
    return peer_dialogs(r, rows, count_pinned(rows, n));
}

/* ---- pins, folders, marks ---- */

static struct dialog *query_dialog(struct request *r)
{
    int64_t peer = input_dialog_peer(r, tl_obj(r->query, F_peer));
    struct dialog *d = peer ? user_dialog_find(r->self, peer) : NULL;
    if (peer && (!d || !is_listed(r, d))) {
        fail(r, 400, "PEER_HISTORY_EMPTY");
        return NULL;
    }
    return d;
}

static void tell_self(struct request *r, enum update_kind kind, int64_t a, int64_t b, int64_t c)
{
    struct cause cause;
    cause_begin(r, &cause);
    world_tell(
        r->world, r->self,
        (struct update){
            .type = &world_updates[kind], .date = r->now_s, .keep = true, .a = a, .b = b, .c = c});
    cause_end(r);
}

static int32_t highest_rank(const struct user *u, int32_t folder, uint32_t *n)
{
    int32_t highest = 0;
    *n = 0;
    for (size_t i = 0; i < u->n_dialogs; i++) {
        const struct dialog *d = u->dialog_list[i];
        if (d->folder != folder || d->pinned_rank == 0)
            continue;
        (*n)++;
        highest = d->pinned_rank > highest ? d->pinned_rank : highest;
    }
    return highest;
}

static struct tl_value toggle_pin(struct request *r)
{
    struct dialog *d = query_dialog(r);
    if (!d)
        return refused();
    bool pin = tl_bool(r->query, F_pinned);
    uint32_t pinned;
    int32_t highest = highest_rank(r->self, d->folder, &pinned);
    if (pin && d->pinned_rank == 0 && pinned >= PINNED_DIALOGS_MAX)
        return fail(r, 400, "PINNED_DIALOGS_TOO_MUCH");
    d->pinned_rank = pin ? highest + 1 : 0;
    tell_self(r, U_DIALOG_PINNED, d->peer, pin, d->folder);
    return answer_true();
}

static struct tl_value reorder_pinned(struct request *r)
{
    uint32_t n = tl_count(r->query, F_order);
    if (n > PINNED_DIALOGS_MAX)
        return fail(r, 400, "PINNED_DIALOGS_TOO_MUCH");
    int32_t folder = (int32_t)tl_int(r->query, F_folder_id);
    struct dialog *order[PINNED_DIALOGS_MAX];
    for (uint32_t i = 0; i < n; i++) {
        int64_t peer = input_dialog_peer(r, tl_item_obj(r->query, F_order, i));
        order[i] = peer ? user_dialog_find(r->self, peer) : NULL;
        if (!order[i])
            return peer ? fail(r, 400, "PEER_HISTORY_EMPTY") : refused();
    }
    for (size_t i = 0; i < r->self->n_dialogs && tl_bool(r->query, F_force); i++)
        if (r->self->dialog_list[i]->folder == folder)
            r->self->dialog_list[i]->pinned_rank = 0;
    for (uint32_t i = 0; i < n; i++)
        order[i]->pinned_rank = (int32_t)(n - i);
    return answer_true();
}

static struct tl_value mark_unread(struct request *r)
{
    struct dialog *d = query_dialog(r);
    if (!d)
        return refused();
    d->unread_mark = tl_bool(r->query, F_unread);
    tell_self(r, U_DIALOG_UNREAD, d->peer, d->unread_mark, 0);
    return answer_true();
}

static struct tl_value edit_peer_folders(struct request *r)
{
    struct cause cause;
    cause_begin(r, &cause);
    for (uint32_t i = 0; i < tl_count(r->query, F_folder_peers); i++) {
        const struct tl_object *one = tl_item_obj(r->query, F_folder_peers, i);
        int64_t peer = input_peer(r, tl_obj(one, F_peer));
        int32_t folder = (int32_t)tl_int(one, F_folder_id);
        struct dialog *d = peer ? user_dialog_find(r->self, peer) : NULL;
        if (!d || folder < 0 || folder > FOLDER_MAX) {
            cause_end(r);
            return peer ? fail(r, 400, "FOLDER_ID_INVALID") : refused();
        }
        d->folder = folder;
        d->pinned_rank = 0;
        world_tell(r->world, r->self,
                   (struct update){.type = &world_updates[U_FOLDER],
                                   .date = r->now_s,
                                   .pts_count = 1,
                                   .a = peer,
                                   .b = folder});
    }
    return cause_answer(r, &cause);
}

static const struct method methods[] = {
    {C_messages_getDialogs, 0, get_dialogs},
    {C_messages_getPeerDialogs, 0, get_peer_dialogs},
    {C_messages_getPinnedDialogs, 0, get_pinned_dialogs},
    {C_messages_toggleDialogPin, 0, toggle_pin},
    {C_messages_reorderPinnedDialogs, 0, reorder_pinned},
    {C_messages_markDialogUnread, 0, mark_unread},
    {C_folders_editPeerFolders, 0, edit_peer_folders},
};
const struct method_table dialogs_methods = {methods, sizeof methods / sizeof *methods};
