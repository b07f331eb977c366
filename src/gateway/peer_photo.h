/* SPDX-License-Identifier: MIT
 * Paths of photos of users and chats: /photos/{ref}. */
#ifndef TGREST_GATEWAY_PEER_PHOTO_H
#define TGREST_GATEWAY_PEER_PHOTO_H

#include "gateway/call.h"
#include "telegram/view.h"

/* The path that serves the photo, as JSON, or null where there is none: fits struct view's
 * write_photo; ctx is the call. */
void write_photo_path(void *ctx, struct json_writer *w, const struct tl_object *user_or_chat);

#endif
