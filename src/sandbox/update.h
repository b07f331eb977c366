/* SPDX-License-Identifier: MIT
 * Updates: facts that happened to an account or a channel, kept as facts, and turned into TL for
 * each receiver in its own layer, when it is sent or asks for the difference. */
#ifndef TGREST_SANDBOX_UPDATE_H
#define TGREST_SANDBOX_UPDATE_H

#include "base/bytes.h"
#include "tl/value.h"

struct request;
struct update;
struct peers; /* users and chats that an answer mentions: world.h */
struct sandbox;
struct session; /* one MTProto session of an authorization: session.h */
struct user;

/* What getDifference does with an update of that type. */
enum update_place {
    UPDATE_OTHER,       /* other_updates */
    UPDATE_NEW_MESSAGE, /* its message goes to new_messages */
    UPDATE_TRANSIENT,   /* typing, statuses: pushed, never kept */
};

struct update_type {
    const char *name;
    enum update_place place;
    /* The Update (for UPDATE_NEW_MESSAGE: updateNewMessage / updateNewChannelMessage with its
     * message), as the user view->self sees it now, in view->schema, built with &view->b; adds the
     * users and chats that it mentions to peers. NULL when there is nothing left to say (the
     * message is gone) or the layer lacks it. view->query and view->auth may be NULL. */
    struct tl_object *(*build)(struct request *view, const struct update *u, struct peers *peers);
};

/* A plain value: copy it freely (ids are copied by update_log_add and by pushing). What the numbers
 * mean is the type's business. */
struct update {
    const struct update_type *type;
    int32_t pts;       /* after it; 0 = has none */
    int32_t pts_count; /* 0 = not counted and not kept in the log unless keep is set */
    int32_t date;
    int64_t a, b, c; /* peer, message id, … */
    const int32_t *ids;
    uint32_t n_ids;
    bool keep; /* kept for getDifference though it has no pts (e.g. a dialog was pinned) */
};

/* A copy with its own malloc'ed ids, to be freed with free(). False without memory: then to->ids is
 * NULL. */
bool update_copy(struct update *to, const struct update *from);

/* The last updates of one account (or one channel), oldest dropped first. */
enum { UPDATE_LOG_MAX = 10000 };
struct update_log {
    struct update *ring; /* owned, with its ids */
    uint32_t n;
    uint32_t cap;
    uint32_t first;
    int32_t pts;      /* 1 at first, as Telegram's */
    int32_t lost_pts; /* differences from below it are too long */
    int32_t date;     /* of the newest that moved pts; 0 = none yet */
};
void update_log_init(struct update_log *log);
void update_log_free(struct update_log *log);
/* log->pts += u->pts_count, u->pts = log->pts, and keeps a copy (where pts_count or keep say so).
 */
void update_log_add(struct update_log *log, struct update *u);
/* The i-th kept update, oldest first; NULL past the end. */
const struct update *update_log_at(const struct update_log *log, uint32_t i);

/* Queues u for all live sessions of that user which want updates, except one (r->session of the
 * acting request, whose answer says it already; NULL for none). Nothing is kept: for channel
 * updates, call update_log_add on the channel's log once, then this for each member. Updates queued
 * for one session before the request ends go out as one `updates`. Free when nobody listens. */
void sandbox_push(struct sandbox *s, const struct session *except, struct user *to,
                  const struct update *u);
#endif
