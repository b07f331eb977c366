/* SPDX-License-Identifier: MIT
 * Where messages are: slots of channels, the shared store of boxed ones, boxes, id lists. */
#include <stdlib.h>

#include "sandbox/message.h"
#include "sandbox/world_parts.h"

/* ---- ascending ids ---- */

uint32_t id_list_lower(const struct id_list *l, int32_t id)
{
    uint32_t low = 0, high = l->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (l->ids[mid] < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool id_list_add(struct id_list *l, int32_t id)
{
    uint32_t at = l->n && l->ids[l->n - 1] >= id ? id_list_lower(l, id) : l->n;
    if (at < l->n && l->ids[at] == id)
        return true;
    if (!grow(&l->ids, &l->cap, sizeof l->cap, l->n, sizeof(*l->ids)))
        return false;
    memmove(l->ids + at + 1, l->ids + at, (l->n - at) * sizeof(*l->ids));
    l->ids[at] = id;
    l->n++;
    return true;
}

bool id_list_remove(struct id_list *l, int32_t id)
{
    uint32_t at = id_list_lower(l, id);
    if (at == l->n || l->ids[at] != id)
        return false;
    memmove(l->ids + at, l->ids + at + 1, (l->n - at - 1) * sizeof(*l->ids));
    l->n--;
    return true;
}

/* ---- boxes ---- */

/* Boxes are filled in the order of uids, so the number of a message is found by halving. */
static int32_t box_find(const struct user *u, uint32_t uid)
{
    uint32_t low = 0, high = u->box_n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if ((u->box[mid] & BOX_UID) < uid)
            low = mid + 1;
        else
            high = mid;
    }
    return low < u->box_n && (u->box[low] & BOX_UID) == uid ? (int32_t)(low + 1) : 0;
}

int32_t box_add(struct user *u, const struct message *m)
{
    struct dialog *d = user_dialog(u, message_dialog(u, m));
    if (!d || !grow(&u->box, &u->box_cap, sizeof u->box_cap, u->box_n, sizeof(*u->box)))
        return 0;
    int32_t id = (int32_t)(u->box_n + 1);
    if (!id_list_add(&d->ids, id))
        return 0;
    u->box[u->box_n++] = (uint32_t)m->id;
    d->hidden = false;
    return id;
}

void box_remove(struct world *w, struct user *u, struct message *m, int32_t id)
{
    struct dialog *d = user_dialog_find(u, message_dialog(u, m));
    if (d)
        id_list_remove(&d->ids, id);
    u->box[id - 1] |= BOX_DELETED;
    if (m->holders > 0)
        m->holders--;
    if (m->holders == 0) {
        w->boxed[m->id - 1] = NULL;
        message_free(w, m);
    }
}

struct message *world_boxed(const struct world *w, const struct user *u, int32_t id)
{
    if (id < 1 || (uint32_t)id > u->box_n || (u->box[id - 1] & BOX_DELETED))
        return NULL;
    return w->boxed[(u->box[id - 1] & BOX_UID) - 1];
}

struct message *chat_message(const struct chat *c, int32_t id)
{
    return id >= 1 && (uint32_t)id <= c->n_slots ? c->slots[id - 1] : NULL;
}

struct message *world_message(const struct world *w, const struct user *u, int64_t peer, int32_t id)
{
    if (peer_kind(peer) == PEER_CHANNEL) {
        const struct chat *c = world_chat(w, peer);
        const struct member *member = c ? id_map_get(&c->member_of, u->id) : NULL;
        return c && !(member && id < member->first_visible) ? chat_message(c, id) : NULL;
    }
    struct message *m = world_boxed(w, u, id);
    return m && message_dialog(u, m) == peer ? m : NULL;
}

int32_t message_id_for(const struct user *u, const struct message *m)
{
    if (peer_kind(m->peer) == PEER_CHANNEL)
        return m->id;
    int32_t id = box_find(u, (uint32_t)m->id);
    return id && !(u->box[id - 1] & BOX_DELETED) ? id : 0;
}

int32_t storage_id_for(const struct world *w, const struct user *u, const struct message *m,
                       int32_t storage)
{
    if (storage <= 0)
        return 0;
    if (peer_kind(m->peer) == PEER_CHANNEL) {
        const struct chat *c = world_chat(w, m->peer);
        return c && chat_message(c, storage) ? storage : 0;
    }
    int32_t id = box_find(u, (uint32_t)storage);
    return id && world_boxed(w, u, id) ? id : 0;
}

int64_t message_dialog(const struct user *u, const struct message *m)
{
    if (peer_kind(m->peer) != PEER_USER)
        return m->peer;
    return m->from == u->id ? m->peer : m->from;
}

bool message_is_out(const struct user *u, const struct message *m)
{
    return m->from == u->id;
}

bool message_is_pinned(const struct user *u, const struct message *m, int32_t id)
{
    if (peer_kind(m->peer) == PEER_CHANNEL)
        return m->flags & MESSAGE_PINNED;
    return id >= 1 && (uint32_t)id <= u->box_n && (u->box[id - 1] & BOX_PINNED);
}

/* ---- records ---- */

struct message *message_new(struct world *w, const struct draft *d)
{
    struct message *m = malloc(sizeof *m + d->text.len);
    if (!m)
        return NULL;
    *m = (struct message){
        .from = d->from,
        .peer = d->peer,
        .extra = d->extra,
        .date = d->date,
        .reply_to = d->reply_to,
        .flags = d->flags,
        .text_len = (uint32_t)d->text.len,
    };
    if (d->text.len)
        memcpy(m->text, d->text.data, d->text.len);
    w->message_bytes += sizeof *m + d->text.len;
    return m;
}

void message_free(struct world *w, struct message *m)
{
    if (!m)
        return;
    w->message_bytes -= sizeof *m + m->text_len;
    message_extra_free(m->extra);
    free(m);
}

struct message *store_boxed(struct world *w, const struct draft *d)
{
    if (w->n_boxed >= BOX_UID ||
        !grow(&w->boxed, &w->boxed_cap, sizeof w->boxed_cap, w->n_boxed, sizeof(*w->boxed)))
        return NULL;
    struct message *m = message_new(w, d);
    if (!m)
        return NULL;
    w->boxed[w->n_boxed++] = m;
    m->id = (int32_t)w->n_boxed;
    return m;
}

struct message *store_post(struct world *w, struct chat *c, const struct draft *d)
{
    if (c->n_slots >= INT32_MAX ||
        !grow(&c->slots, &c->slots_cap, sizeof c->slots_cap, c->n_slots, sizeof(*c->slots)) ||
        !id_list_add(&c->live, (int32_t)c->n_slots + 1))
        return NULL;
    struct message *m = message_new(w, d);
    if (!m) {
        c->live.n--;
        return NULL;
    }
    c->slots[c->n_slots++] = m;
    m->id = (int32_t)c->n_slots;
    return m;
}

struct message *store_replace(struct world *w, struct message *m, struct slice text,
                              struct message_extra *extra)
{
    struct draft d = {.text = text, .extra = extra};
    struct message *fresh = message_new(w, &d);
    if (!fresh)
        return NULL;
    uint32_t text_len = fresh->text_len;
    memcpy(fresh, m, offsetof(struct message, text)); /* not the padding: text begins inside it */
    fresh->text_len = text_len;
    fresh->extra = extra;
    if (m->extra == extra)
        m->extra = NULL;
    if (peer_kind(m->peer) == PEER_CHANNEL)
        world_chat(w, m->peer)->slots[m->id - 1] = fresh;
    else
        w->boxed[m->id - 1] = fresh;
    message_free(w, m);
    return fresh;
}

/* ---- dialogs ---- */

struct dialog *user_dialog_find(const struct user *u, int64_t peer)
{
    return id_map_get(&u->dialogs, peer);
}

struct dialog *user_dialog(struct user *u, int64_t peer)
{
    struct dialog *d = user_dialog_find(u, peer);
    if (d)
        return d;
    if (!grow(&u->dialog_list, &u->dialogs_cap, sizeof u->dialogs_cap, u->n_dialogs,
              sizeof(*u->dialog_list)))
        return NULL;
    d = calloc(1, sizeof *d);
    if (!d || !id_map_put(&u->dialogs, peer, d)) {
        free(d);
        return NULL;
    }
    d->peer = peer;
    d->hidden = true;
    u->dialog_list[u->n_dialogs++] = d;
    return d;
}

const struct id_list *dialog_ids(const struct world *w, const struct user *u,
                                 const struct dialog *d, uint32_t *first)
{
    *first = 0;
    if (peer_kind(d->peer) != PEER_CHANNEL)
        return &d->ids;
    const struct chat *c = world_chat(w, d->peer);
    return chat_ids(c, u, first);
}

const struct id_list *chat_ids(const struct chat *c, const struct user *u, uint32_t *first)
{
    const struct member *m = id_map_get(&c->member_of, u->id);
    *first = m && m->first_visible ? id_list_lower(&c->live, m->first_visible) : 0;
    return &c->live;
}

struct message *dialog_top(const struct world *w, const struct user *u, const struct dialog *d,
                           int32_t *id)
{
    uint32_t first;
    const struct id_list *l = dialog_ids(w, u, d, &first);
    *id = l->n > first ? l->ids[l->n - 1] : 0;
    return *id ? world_message(w, u, d->peer, *id) : NULL;
}

/* More unread messages than this are counted without looking at who wrote each of them. */
enum { UNREAD_LOOK_MAX = 10000 };

int32_t dialog_unread(const struct world *w, const struct user *u, const struct dialog *d)
{
    uint32_t first;
    const struct id_list *l = dialog_ids(w, u, d, &first);
    uint32_t from = id_list_lower(l, d->read_inbox_max + 1);
    if (from < first)
        from = first;
    if (l->n - from > UNREAD_LOOK_MAX)
        return (int32_t)(l->n - from);
    int32_t unread = 0;
    for (uint32_t i = from; i < l->n; i++) {
        const struct message *m = world_message(w, u, d->peer, l->ids[i]);
        if (m && !message_is_out(u, m))
            unread++;
    }
    return unread;
}
