/* SPDX-License-Identifier: MIT
 * Session strings of other programs. */
#ifndef TGREST_GATEWAY_FOREIGN_H
#define TGREST_GATEWAY_FOREIGN_H

#include "gateway/session.h"

/* The older project's token: a Telethon session string, ':', and the obscured api credentials
 * (API.md). Fills dc, key (not its id), api_id, api_hash, state, flags. False when it is none. */
bool foreign_open(struct slice text, struct session *out) __attribute__((warn_unused_result));
/* The Telethon string alone: '1' and urlsafe base64 of dc, address, port, key. */
bool telethon_string_open(struct slice text, struct session *out)
    __attribute__((warn_unused_result));
/* Appends the session as the older project's token, for the data centre at that IPv4 address. */
void foreign_write(const struct session *s, const uint8_t ipv4[static 4], uint16_t port,
                   struct buf *out);

#endif
