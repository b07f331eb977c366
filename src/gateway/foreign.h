/* SPDX-License-Identifier: MIT
 * Session strings of other programs, both ways. */
#ifndef TGREST_GATEWAY_FOREIGN_H
#define TGREST_GATEWAY_FOREIGN_H

#include "gateway/session.h"

enum foreign_format {
    FOREIGN_TELETHON, /* '1', urlsafe base64 of dc, IPv4 or IPv6, port, key */
    FOREIGN_PYROGRAM, /* unpadded urlsafe base64 of dc, api_id, test, key, user_id, is_bot;
                         Kurigram's too. Two older forms without api_id are read as well */
    FOREIGN_GRAMJS,   /* '1', base64 of dc, address as text with its length, port, key */
    FOREIGN_MTCUTE,   /* version 3: urlsafe base64 of TL fields */
    FOREIGN_FORMATS_N,
};
/* "telethon", …: NULL past the last. */
const char *foreign_format_name(enum foreign_format format);

enum { FOREIGN_HOST_MAX = 45 /* an IPv6 address as text */ };

/* What such a string says: 0 or empty where its format does not. */
struct foreign_login {
    int32_t dc;
    bool says_network; /* `test` is meant */
    bool test;
    uint8_t key[AUTH_KEY_BYTES];
    int32_t api_id;
    int64_t user_id;
    bool is_bot;
    char host[FOREIGN_HOST_MAX + 1]; /* an IPv4 or IPv6 address */
    uint16_t port;
};

/* On false *out is all zeroes. */
bool foreign_read(enum foreign_format format, struct slice text, struct foreign_login *out)
    __attribute__((warn_unused_result));
/* Appends the string. NULL, or a sentence that says why this login has none in that format. */
const char *foreign_write(enum foreign_format format, const struct foreign_login *login,
                          struct buf *out) __attribute__((warn_unused_result));

/* The token of the older project, a gateway on Telethon: a Telethon session string, ':', and the
 * obscured api credentials: urlsafe base64 of XOR(a fixed mask; api_id in 8 bytes big-endian,
 * length of api_hash in 1, api_hash). Fills dc, key (not its id), api_id, api_hash, state, flags.
 * False when it is none. */
bool older_token_read(struct slice text, struct session *out) __attribute__((warn_unused_result));
/* Appends the session as such a token, for the data centre at that address. As foreign_write. */
const char *older_token_write(const struct session *s, const char *host, uint16_t port,
                              struct buf *out) __attribute__((warn_unused_result));

/* What a session says for a string of its own; the account is not asked. Wipe it after use. */
struct foreign_login foreign_login_of(const struct session *s, const char *host, uint16_t port);

#endif
