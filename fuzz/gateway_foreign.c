/* SPDX-License-Identifier: MIT
 * Session strings of other programs: what is read is written and read again the same. */
#include <stdlib.h>
#include <string.h>

#include "gateway/foreign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(enum foreign_format format, const struct foreign_login *login)
{
    struct foreign_login again;
    struct buf text;
    buf_init(&text, 0);
    /* GramJS has no large ports; Pyrogram's string has no place for an address. */
    if (!foreign_write(format, login, &text) &&
        (!foreign_read(format, buf_slice(&text), &again) || again.dc != login->dc ||
         memcmp(again.key, login->key, sizeof again.key) != 0 || again.user_id != login->user_id))
        abort();
    buf_free(&text);
}

static void check_older(const struct session *session)
{
    struct session again;
    struct buf text;
    buf_init(&text, 0);
    if (older_token_write(session, "149.154.167.51", 443, &text) ||
        !older_token_read(buf_slice(&text), &again) || again.dc != session->dc ||
        memcmp(again.key.key, session->key.key, sizeof again.key.key) != 0 ||
        again.api_id != session->api_id || strcmp(again.api_hash, session->api_hash) != 0)
        abort();
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct foreign_login login;
    struct session session;
    for (int f = 0; f < FOREIGN_FORMATS_N; f++)
        if (foreign_read((enum foreign_format)f, slice_of(data, size), &login))
            check_again((enum foreign_format)f, &login);
    if (older_token_read(slice_of(data, size), &session))
        check_older(&session);
    return 0;
}
