/* SPDX-License-Identifier: MIT
 * What sending, forwarding and editing share. */
#ifndef TGREST_SANDBOX_SEND_H
#define TGREST_SANDBOX_SEND_H

#include "sandbox/handler.h"
#include "sandbox/message.h"

/* Whether self may write content (a banned_right bit) there; refuses the request otherwise. */
bool may_write(struct request *r, int64_t peer, uint32_t content);
/* From self, or as the channel; flags of the query. */
void draft_begin(struct request *r, struct draft *d, int64_t peer);
/* The author's name under a post, where the channel signs; false without memory. */
bool draft_sign(struct request *r, struct draft *d);
/* The query's message and entities, trimmed and checked; NULL when fine, else the error. */
const char *draft_text(struct request *r, struct draft *d);
/* The same for the text under media, which may be empty; from is the query or one of an album. */
const char *draft_caption(struct request *r, struct draft *d, const struct tl_object *from);
/* What the query answers to; NULL when fine, else the error. */
const char *draft_reply(struct request *r, struct draft *d);
/* Posts it, or keeps it for when the query wants it sent, and remembers its random_id. False
 * without memory. */
bool send_draft(struct request *r, struct draft *d, int64_t random_id, struct sent_id *sent);
/* updateMessageID for each, then what was collected; ends the cause. */
struct tl_value sent_answer(struct request *r, struct cause *cause, const struct sent_id *sent,
                            uint32_t n);
/* The same for messages that were sent before: pts_count 0. RANDOM_ID_DUPLICATE if one is gone. */
struct tl_value sent_before(struct request *r, const struct sent_id *sent, uint32_t n);
struct tl_value forward_messages(struct request *r);

#endif
