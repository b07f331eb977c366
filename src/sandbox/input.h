/* SPDX-License-Identifier: MIT
 * What requests name, checked: peers with their access hashes, and what one may do with them. All
 * of these refuse the request with Telegram's error and give NULL, 0 or false. */
#ifndef TGREST_SANDBOX_INPUT_H
#define TGREST_SANDBOX_INPUT_H

#include "sandbox/handler.h"
#include "sandbox/message.h"

/* The answer of a handler whose helper has refused already. */
static inline struct tl_value refused(void)
{
    return (struct tl_value){.kind = TL_ABSENT};
}

/* An InputPeer: marked id. A channel must be visible (CHANNEL_PRIVATE), a basic group known to
 * self. */
int64_t input_peer(struct request *r, const struct tl_object *o);
/* The same without looking whether a channel may be seen. */
int64_t input_peer_any(struct request *r, const struct tl_object *o);
struct user *input_user(struct request *r, const struct tl_object *o);
/* InputChannel; visible to self. */
struct chat *input_channel(struct request *r, const struct tl_object *o);
/* InputChannel, also one that self was thrown out of. */
struct chat *input_channel_any(struct request *r, const struct tl_object *o);
/* A basic group by the bare id of old methods (chat_id:long), of which self is or was a member. */
struct chat *input_chat_id(struct request *r, int64_t chat_id);
/* InputPeer that must be a group or a channel of which self is a member (CHAT_ID_INVALID, …). */
struct chat *input_chat_peer(struct request *r, const struct tl_object *o);
/* InputDialogPeer: marked id. */
int64_t input_dialog_peer(struct request *r, const struct tl_object *o);

/* false and CHAT_ADMIN_REQUIRED (or CHAT_WRITE_FORBIDDEN for who is no member) where chat_allows
 * is. */
bool require_right(struct request *r, const struct chat *c, unsigned right, uint32_t banned_bit);

/* ---- answers ---- */

/* Starts collecting what self is told for the answer. The cause must outlive the handler's work. */
void cause_begin(struct request *r, struct cause *cause);
/* Ends it. */
void cause_end(struct request *r);
/* updates#… with what was collected; ends it. */
struct tl_value cause_answer(struct request *r, struct cause *cause);
/* messages.affectedMessages with the pts that the collected updates brought (all of them together).
 */
struct tl_value cause_affected(struct request *r, struct cause *cause);

/* boolTrue, and the value of an object (absent for NULL). */
struct tl_value answer_true(void);

/* Telegram's hash of ids for *NotModified answers. https://core.telegram.org/api/offsets */
struct id_hash {
    uint64_t acc;
};
void id_hash_add(struct id_hash *h, int64_t id);

/* pts of self's account. */
int32_t account_pts(const struct user *u);

#endif
