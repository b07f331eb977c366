/* SPDX-License-Identifier: MIT
 * What requests that send messages have in common. */
#ifndef TGREST_TELEGRAM_REQUEST_PARTS_H
#define TGREST_TELEGRAM_REQUEST_PARTS_H

#include "telegram/messages.h"

/* A method with an InputPeer in one field; NULL when that peer cannot be written. */
struct tl_object *request_to_peer(struct tl_builder *b, uint16_t method, uint16_t f_peer,
                                  const struct peer_ref *peer);
/* `message` and `entities`. */
void request_set_text(struct tl_builder *b, struct tl_object *request,
                      const struct send_options *o);
/* The message answered, silence, and when. */
void request_set_delivery(struct tl_builder *b, struct tl_object *request,
                          const struct send_options *o);

#endif
