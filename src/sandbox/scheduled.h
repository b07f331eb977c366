/* SPDX-License-Identifier: MIT
 * Messages that are to be sent later. https://core.telegram.org/api/scheduled-messages */
#ifndef TGREST_SANDBOX_SCHEDULED_H
#define TGREST_SANDBOX_SCHEDULED_H

#include "sandbox/handler.h"
#include "sandbox/message.h"

enum {
    SCHEDULE_SOON_S = 10, /* what is due this soon Telegram sends at once */
    SCHEDULE_LATEST_S = 366 * 86400,
    SCHEDULED_PER_CHAT_MAX = 100, /* Telegram's bound */
};

/* One that waits. Its message stands in no box: its date is when it is due, its id 0. */
struct scheduled {
    struct user *user;
    int32_t id; /* of its own numbering, the user's */
    int64_t author;
    struct message *message;
    struct scheduled *next; /* of the world, the next due one */
};

/* Whether the query wants it later. */
bool is_for_later(const struct request *r);
/* False (and refused) when the query's date is one that no message is kept for. */
bool schedule_allowed(struct request *r, int64_t peer);
/* Keeps what would have been posted, and tells self's other sessions; the draft's extra is taken
 * over. 0 without memory, else its id. */
int32_t schedule_draft(struct request *r, struct draft *d);
/* NULL when it was sent or taken back. */
const struct scheduled *scheduled_find(const struct world *w, const struct user *u, int32_t id);
/* Sends what is due, and tells whoever asked for it. */
void world_run_scheduled(struct world *w, int32_t now);
/* When the next one is due; 0 if there is none. */
int32_t world_next_scheduled(const struct world *w);
void scheduled_free_all(struct world *w);

#endif
