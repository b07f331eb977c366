/* SPDX-License-Identifier: MIT
 * Addresses of data centres from help.getConfig: asked for now and then, over a connection that a
 * call has just used. Nobody waits for it, and nothing depends on it. Not with --dc (then only what
 * was given exists), nor with --warm off (no connection outlives its call). */
#ifndef TGREST_GATEWAY_LEARN_H
#define TGREST_GATEWAY_LEARN_H

#include "gateway/dc.h"
#include "gateway/upstream.h"
#include "tl/value.h"

/* Of one worker; all zeroes: nothing is on its way. */
struct learning {
    struct upstream_call rpc;
    struct upstream *upstream; /* in use; NULL: nothing is on its way */
    struct worker *worker;
    bool over; /* answered: the connection is to be given back */
};

/* Asks over that connection if it is time to. */
void learn_if_due(struct worker *w, struct upstream *u);
/* Gives the connection back when the answer is there. Once per turn of the loop. */
void learn_settle(struct worker *w);
void learn_cancel(struct worker *w);
/* What of a config is of use: plain addresses of data centres that are known. Those of
 * CDNs and those that want an obfuscated transport are not. */
void learn_from_config(struct dc_table *t, const struct tl_object *config);

#endif
