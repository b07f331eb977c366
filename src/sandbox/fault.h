/* SPDX-License-Identifier: MIT
 * Faults by rule: which requests are to go wrong, and how. */
/* clang-format off */
/* RULE   = part *("," part)
 * part   = "method=" GLOB | "phone=" DIGITS | "user=" ID | "dc=" N    which requests: all must match
 *        | "after=" N | "count=" N | "p=" 0..1                        skip N, then at most N, by chance
 *        | "do=" ACTION                                               required
 * ACTION = "flood_wait:" S | "error:" CODE ":" TEXT | "migrate:" DC | "delay:" MS
 *        | "drop_before" | "drop_after" | "reset" | "lose_session" | "bad_salt"
 *        | "transport_error:" N | "garbage" | "clock_skew:" S */
/* clang-format on */
#ifndef TGREST_SANDBOX_FAULT_H
#define TGREST_SANDBOX_FAULT_H

#include "base/bytes.h"
#include "base/random.h"

enum fault_action {
    FAULT_NONE,
    FAULT_ERROR,        /* code, text */
    FAULT_FLOOD_WAIT,   /* number: seconds */
    FAULT_MIGRATE,      /* number: data centre */
    FAULT_DELAY,        /* number: ms before it is executed */
    FAULT_DROP_BEFORE,  /* close, not executed */
    FAULT_DROP_AFTER,   /* executed, then closed without the answer; the session keeps it */
    FAULT_RESET,        /* as DROP_BEFORE, with RST */
    FAULT_LOSE_SESSION, /* executed, closed, and the session forgotten with the answer */
    FAULT_BAD_SALT,     /* executed; the session's next message is refused with bad_server_salt */
    FAULT_TRANSPORT_ERROR, /* number: 404 is sent as -404; not executed, closed */
    FAULT_GARBAGE,         /* a frame of random bytes, then as usual */
    FAULT_CLOCK_SKEW,      /* number: seconds that the clock is ahead while the rule stands */
};

enum { FAULT_TEXT_MAX = 64, FAULT_RULE_MAX = 256, FAULTS_MAX = 64 };

struct fault {
    uint32_t id;
    enum fault_action action;
    int32_t code;
    int64_t number;
    char text[FAULT_TEXT_MAX];   /* of the error */
    char method[FAULT_TEXT_MAX]; /* glob; "" = any */
    char phone[FAULT_TEXT_MAX];  /* digits; "" = any */
    int64_t user;                /* 0 = any */
    int32_t dc;                  /* 0 = any */
    uint64_t after;              /* matches still to be skipped */
    int64_t count;               /* times still to strike; -1 = no bound */
    double probability;
    uint64_t hits;
    char rule[FAULT_RULE_MAX]; /* as it was written */
};

struct faults {
    struct fault list[FAULTS_MAX];
    size_t n;
    uint32_t next_id;
};

/* What a rule is compared with. */
struct fault_target {
    const char *method;
    struct slice phone; /* of the user, or of the request before login */
    int64_t user;
    int32_t dc;
};

/* False with `error` (static text) when the rule is not one. */
bool fault_parse(struct slice rule, struct fault *out, const char **error);
/* Adds a parsed rule, giving it an id: 0 when FAULTS_MAX are there. */
uint32_t faults_add(struct faults *f, const struct fault *rule);
bool faults_remove(struct faults *f, uint32_t id);
/* The first rule that strikes this request (its count goes down); NULL if none does. Good until the
 * list changes. */
const struct fault *faults_match(struct faults *f, struct rng *rng,
                                 const struct fault_target *target);
/* Sum of all clock skews that stand, in seconds. */
int64_t faults_clock_skew_s(const struct faults *f);
/* '*' any run, '?' any one; the rest literally. */
bool glob_match(const char *pattern, const char *text);

#endif
