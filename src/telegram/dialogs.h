/* SPDX-License-Identifier: MIT
 * Paging through dialogs. https://core.telegram.org/api/offsets
 * Pages go by date, id and peer of the last top message; pinned dialogs stand on page one only. */
#ifndef TGREST_TELEGRAM_DIALOGS_H
#define TGREST_TELEGRAM_DIALOGS_H

#include "telegram/directory.h"

enum {
    DIALOGS_PAGE_MAX = 100, /* what Telegram gives at once */
    DIALOGS_FOLDER_MAIN = 0,
    DIALOGS_FOLDER_ARCHIVE = 1,
};

/* Where the next page begins; all zero but for the folder for page one. */
struct dialogs_cursor {
    int32_t folder_id;
    int32_t date;
    int32_t message_id;
    struct peer_ref peer;
    int32_t seen;  /* dialogs on the pages before */
    int32_t total; /* as page one said */
    int32_t skip; /* of the pinned ones at the head of page one, which a smaller page left off at */
    bool past_pinned; /* page one without its pinned ones */
};

/* The opaque `offset`. The access hash in it is the caller's to seal, so these are plain payload
 * bytes. */
enum { DIALOGS_CURSOR_MAX = 96 };
size_t dialogs_cursor_encode(const struct dialogs_cursor *c,
                             uint8_t out[static DIALOGS_CURSOR_MAX]);
bool dialogs_cursor_decode(struct slice payload, struct dialogs_cursor *out);

/* The page may hold more than `limit` dialogs: take what is wanted and go on with
 * dialogs_cursor_after. */
struct tl_object *request_dialogs(struct tl_builder *b, const struct dialogs_cursor *c,
                                  int32_t limit);

/* One page of messages.dialogs / dialogsSlice, with top messages by peer. */
struct dialogs_page {
    const struct tl_object *answer;
    uint32_t skip; /* dialogs at its head that an earlier page gave */
    uint32_t n;    /* dialogs behind those */
    int32_t total; /* over all pages, as Telegram counts */
    bool last;     /* no page after this one */
    struct dialogs_cursor asked;
    struct dialogs_cursor next;
    const struct tl_object **tops; /* by dialog */
};
/* False when it is no dialogs answer. `asked` is the limit that was sent; `directory` must have the
 * answer. */
bool dialogs_read(const struct tl_object *answer, const struct dialogs_cursor *asked, int32_t limit,
                  const struct directory *directory, struct arena *a, struct dialogs_page *out);
const struct tl_object *dialogs_at(const struct dialogs_page *page, uint32_t index);
/* Its top message, or NULL. */
const struct tl_object *dialogs_top(const struct dialogs_page *page, uint32_t index);
/* The cursor that goes on after dialog `index`, for a caller who takes less than the page. */
struct dialogs_cursor dialogs_cursor_after(const struct dialogs_page *page, uint32_t index,
                                           const struct directory *directory);

#endif
