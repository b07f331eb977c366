/* SPDX-License-Identifier: MIT
 * What the handlers of messages have in common. */
#ifndef TGREST_GATEWAY_MESSAGES_H
#define TGREST_GATEWAY_MESSAGES_H

#include "gateway/call.h"
#include "telegram/messages.h"

/* {success, message_id, date} */
void message_answer_sent(struct call *c, const struct sent_message *sent);
/* Telegram took it, but its answer does not name the message. */
void message_fail_unnamed(struct call *c);

/* Those of ids that are messages of this chat, into out (n long). Ids outside channels are
 * account-wide, so without this look a wrong chat_id would delete in another chat. False: error
 * set. */
bool messages_find_existing(struct call *c, const struct peer_ref *peer, const int32_t *ids,
                            size_t n, int32_t *out, size_t *n_out)
    __attribute__((warn_unused_result));
/* For a narrowed string, is the message (0 = none) in this chat? A message id of another one would
 * reach past its chats, or to a login code. False: error set. */
bool message_check_in(struct call *c, const struct peer_ref *peer, const char *field, int32_t id)
    __attribute__((warn_unused_result));
/* The message of that chat; NULL: error set, 404 where there is none. */
const struct tl_object *message_fetch(struct call *c, const struct peer_ref *peer, int32_t id);

#endif
