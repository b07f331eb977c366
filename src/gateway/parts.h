/* SPDX-License-Identifier: MIT
 * The parts of a transfer that are on their way: a window of them, each a request of its own. What
 * they carry and what their answers mean is the transfer's (upload.c, download.c); when they are
 * sent, sent again and given up is decided here. On the call's coroutine. */
#ifndef TGREST_GATEWAY_PARTS_H
#define TGREST_GATEWAY_PARTS_H

#include "gateway/task.h"
#include "gateway/transfer.h"

enum {
    PARTS_MAX =
        TRANSFER_PARTS_IN_FLIGHT + 1, /* uploads fill one while the others are on their way */
    PART_HEAD_MAX = 64,               /* of a query, in front of a part's bytes */
    PART_MEMORY = PART_HEAD_MAX + TRANSFER_PART_BYTES + 4, /* TL pads to words */
    PART_ERROR_MAX = 64, /* Telegram's longest name has 43 characters */
    /* Between two parts that arrive. Transfers wait out more than other calls do: they would lose
     * what was sent. But no longer than Prefer: wait=N allows. */
    TRANSFER_WAIT_MAX_S = 120,
};

enum part_state {
    PART_FREE,
    PART_FILLING, /* the transfer's own business */
    PART_DUE,     /* to be sent when nothing stands against it */
    PART_SENT,
    PART_REFUSED, /* rpc.outcome says how; for UPSTREAM_ERROR code and error */
    PART_DONE,    /* answered; the transfer frees it */
};

struct part {
    struct upstream_call rpc;
    struct parts *parts;
    enum part_state state;
    unsigned tries; /* refused ones, but for waits */
    unsigned place; /* parts->place when it was sent */
    int64_t number; /* in the file */
    char error[PART_ERROR_MAX + 1];
    uint8_t *memory; /* PART_MEMORY bytes; NULL until part_memory */
    size_t len;      /* of the part's bytes in it, from PART_HEAD_MAX on */
};

enum part_mend { MEND_UNKNOWN, MEND_AGAIN, MEND_FAILED };

struct parts_kind {
    /* The part's query, and whether it lies in the part's memory (else it is copied). False: error
     * set. */
    bool (*query)(struct part *p, struct slice *query, bool *borrowed);
    /* An answer: takes what it wants of it; no suspending here. False: no answer at all. */
    bool (*take)(struct part *p, struct slice body);
    /* An error that is the kind's own. May suspend. NULL: there are none. */
    enum part_mend (*mend)(struct part *p, struct slice error);
};

struct parts {
    struct call *call;
    struct upstream *upstream;
    const struct parts_kind *kind;
    struct part items[PARTS_MAX];
    unsigned place;    /* counts moves: to another connection, to another file reference */
    int64_t waited_ns; /* since the last part that was done */
    int64_t pause_ns;  /* nothing is sent before; monotonic */
    struct wheel_timer pause;
};

/* Nothing is on its way, and no connection is there before parts_move. */
void parts_init(struct parts *p, struct call *c, const struct parts_kind *kind);
/* The session's own connection, as a use of its own. NULL: error set. */
struct upstream *parts_home(struct parts *p);
/* Ends what is on its way. */
void parts_end(struct parts *p);
/* One in that state; NULL if there is none. */
struct part *parts_find(struct parts *p, enum part_state state);
/* Memory for a part's bytes. NULL: error set. */
uint8_t *part_memory(struct part *part);
/* Decides about what was refused and sends what is due. Waits only to mend. False: error set. */
bool parts_settle(struct parts *p) __attribute__((warn_unused_result));
/* The same, and then waits until something may have changed. */
bool parts_wait(struct parts *p) __attribute__((warn_unused_result));
/* Forgets a part that is on its way. */
void part_drop(struct part *part);
/* USER_MIGRATE: moves the session's home, and goes on from there. False: error set. */
bool parts_move_home(struct parts *p, int32_t dc);
/* From now on this connection carries them: what is on its way is sent again there. Takes over the
 * caller's use of it. */
void parts_move(struct parts *p, struct upstream *u);

#endif
