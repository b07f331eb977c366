/* SPDX-License-Identifier: MIT
 * Paging through dialogs. */
#include "telegram/dialogs.h"

static bool begins_with_pinned(const struct dialogs_cursor *c)
{
    return c->date == 0 && c->message_id == 0 && !c->past_pinned;
}

struct tl_object *request_dialogs(struct tl_builder *b, const struct dialogs_cursor *c,
                                  int32_t limit)
{
    /* What is skipped is fetched again, and a page may be shorter than asked. */
    int32_t wanted = c->skip > 0 ? DIALOGS_PAGE_MAX : limit;
    struct tl_object *o = tl_new(b, C_messages_getDialogs);
    struct tl_object *peer = peer_to_input(b, &c->peer);
    tl_set_bool(o, F_exclude_pinned, !begins_with_pinned(c));
    /* Always named: without it some dialogs of other folders come too. */
    tl_set_int(o, F_folder_id, c->folder_id);
    tl_set_int(o, F_offset_date, c->date);
    tl_set_int(o, F_offset_id, c->message_id);
    tl_set_obj(o, F_offset_peer, peer ? peer : tl_new(b, C_inputPeerEmpty));
    tl_set_int(o, F_limit, wanted < DIALOGS_PAGE_MAX ? wanted : DIALOGS_PAGE_MAX);
    tl_set_int(o, F_hash, 0);
    return o;
}

/* ---- reading ---- */

static bool is_top_of(const struct tl_object *message, const struct tl_object *dialog)
{
    struct peer_ref where = peer_of_tl(tl_obj(message, F_peer_id)),
                    peer = peer_of_tl(tl_obj(dialog, F_peer));
    return tl_int(message, F_id) == tl_int(dialog, F_top_message) && peer_same(&where, &peer);
}

/* Messages come in the order of the dialogs, nearly always: look at the next one first. */
static const struct tl_object *find_top(const struct tl_object *answer,
                                        const struct tl_object *dialog, uint32_t *hint)
{
    uint32_t n = tl_count(answer, F_messages);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = (*hint + i) % n;
        const struct tl_object *message = tl_item_obj(answer, F_messages, at);
        if (is_top_of(message, dialog)) {
            *hint = at + 1;
            return message;
        }
    }
    return NULL;
}

static const struct tl_object *raw_dialog(const struct dialogs_page *page, uint32_t index)
{
    return tl_item_obj(page->answer, F_dialogs, page->skip + index);
}

const struct tl_object *dialogs_at(const struct dialogs_page *page, uint32_t index)
{
    return index < page->n ? raw_dialog(page, index) : NULL;
}

const struct tl_object *dialogs_top(const struct dialogs_page *page, uint32_t index)
{
    return index < page->n ? page->tops[index] : NULL;
}

/* Goes on behind the last of the first `count` dialogs whose place in time is known. */
static struct dialogs_cursor cursor_behind(const struct dialogs_page *page, uint32_t count,
                                           const struct directory *directory)
{
    struct dialogs_cursor c = page->asked;
    c.seen += (int32_t)count;
    c.total = page->total;
    bool head = begins_with_pinned(&page->asked);
    for (uint32_t i = count; i > 0; i--) {
        const struct tl_object *dialog = raw_dialog(page, i - 1), *top = page->tops[i - 1];
        if (head && tl_bool(dialog, F_pinned))
            break;
        if (!top)
            continue;
        c.date = (int32_t)tl_int(top, F_date);
        c.message_id = (int32_t)tl_int(top, F_id);
        c.peer = directory_ref(directory, tl_obj(dialog, F_peer));
        c.skip = 0;
        return c;
    }
    if (!head)
        return c;
    /* Still among the pinned ones: page one again, from there on; but where that brought nothing
     * new, or no page can reach as far, on behind them. */
    c.skip += (int32_t)count;
    if (count == 0 || c.skip >= DIALOGS_PAGE_MAX) {
        c.skip = 0;
        c.past_pinned = true;
    }
    return c;
}

bool dialogs_read(const struct tl_object *answer, const struct dialogs_cursor *asked, int32_t limit,
                  const struct directory *directory, struct arena *a, struct dialogs_page *out)
{
    *out = (struct dialogs_page){.answer = answer, .asked = *asked};
    bool whole = tl_is(answer, C_messages_dialogs);
    if (!whole && !tl_is(answer, C_messages_dialogsSlice))
        return false;
    uint32_t n = tl_count(answer, F_dialogs), skip = (uint32_t)asked->skip;
    out->skip = skip < n ? skip : n;
    out->n = n - out->skip;
    out->tops = arena_array(a, out->n, sizeof *out->tops);
    if (!out->tops)
        return false;
    uint32_t hint = out->skip;
    for (uint32_t i = 0; i < out->n; i++)
        out->tops[i] = find_top(answer, raw_dialog(out, i), &hint);
    /* Later pages leave the pinned ones out, of their count too. */
    bool first = begins_with_pinned(asked);
    out->total = !first ? asked->total : (int32_t)(whole ? n : tl_int(answer, F_count));
    out->next = cursor_behind(out, out->n, directory);
    /* A short page is the end only where the count agrees; one that leads nowhere is the end too.
     */
    bool stuck = !first && out->next.date == asked->date &&
                 out->next.message_id == asked->message_id &&
                 out->next.past_pinned == asked->past_pinned;
    bool counted = out->next.seen >= out->total && (int32_t)out->n < limit;
    out->last = whole || n == 0 || counted || stuck;
    return true;
}

struct dialogs_cursor dialogs_cursor_after(const struct dialogs_page *page, uint32_t index,
                                           const struct directory *directory)
{
    return cursor_behind(page, index + 1 < page->n ? index + 1 : page->n, directory);
}

/* ---- payload: version, folder, date, message, seen, total, skip, past_pinned (0 or 1), peer ----
 */

enum { CURSOR_VERSION = 1, CURSOR_HEAD = 1 + 6 * 4 + 1 };
_Static_assert(CURSOR_HEAD + PEER_PAYLOAD_MAX <= DIALOGS_CURSOR_MAX, "a cursor fits its buffer");

size_t dialogs_cursor_encode(const struct dialogs_cursor *c, uint8_t out[static DIALOGS_CURSOR_MAX])
{
    const int32_t numbers[] = {c->folder_id, c->date, c->message_id, c->seen, c->total, c->skip};
    out[0] = CURSOR_VERSION;
    for (size_t i = 0; i < 6; i++)
        store_le32(out + 1 + 4 * i, (uint32_t)numbers[i]);
    out[CURSOR_HEAD - 1] = c->past_pinned;
    return c->peer.kind == PEER_NONE ? CURSOR_HEAD
                                     : CURSOR_HEAD + peer_encode(&c->peer, out + CURSOR_HEAD);
}

bool dialogs_cursor_decode(struct slice payload, struct dialogs_cursor *out)
{
    *out = (struct dialogs_cursor){0};
    if (payload.len < CURSOR_HEAD || payload.data[0] != CURSOR_VERSION ||
        payload.data[CURSOR_HEAD - 1] > 1)
        return false;
    struct dialogs_cursor c = {0};
    int32_t *const numbers[] = {&c.folder_id, &c.date, &c.message_id, &c.seen, &c.total, &c.skip};
    for (size_t i = 0; i < 6; i++)
        *numbers[i] = (int32_t)load_le32(payload.data + 1 + 4 * i);
    c.past_pinned = payload.data[CURSOR_HEAD - 1];
    struct slice peer = slice_of(payload.data + CURSOR_HEAD, payload.len - CURSOR_HEAD);
    if (c.skip < 0 || c.skip > DIALOGS_PAGE_MAX || (peer.len > 0 && !peer_decode(peer, &c.peer)))
        return false;
    *out = c;
    return true;
}
