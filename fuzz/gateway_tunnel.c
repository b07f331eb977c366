/* SPDX-License-Identifier: MIT
 * Any bytes as what a proxy says: whole and byte by byte the dialogue must end the same way. */
#include <stdlib.h>

#include "gateway/proxy.h"

/* choice: 1 an HTTP proxy, 2 without credentials, 4 to an IPv6 address. */
static enum tunnel_status talk(uint8_t choice, struct slice said, size_t piece, struct buf *words)
{
    struct proxy proxy = {
        .kind = choice & 1 ? PROXY_HTTP : PROXY_SOCKS5, .user = "me", .password = "key"};
    struct dc_address target = {.host = "1.2.3.4", .port = 443};
    struct tunnel t;
    struct buf in;
    enum tunnel_status status = TUNNEL_MORE;
    if (choice & 2)
        proxy.user[0] = proxy.password[0] = 0;
    if (choice & 4)
        target = (struct dc_address){.host = "2001:db8::1", .port = 443};
    buf_init(&in, 0);
    tunnel_begin(&t, &proxy, &target, words);
    for (size_t at = 0; at < said.len && status == TUNNEL_MORE; at += piece) {
        size_t left = said.len - at;
        buf_append(&in, said.data + at, left < piece ? left : piece);
        status = tunnel_input(&t, &in, words);
    }
    if (status == TUNNEL_FAILED && !t.reason)
        abort();
    buf_free(&in);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct slice said = slice_of(data + 1, size - 1);
    struct buf whole, bytewise;
    buf_init(&whole, 0);
    buf_init(&bytewise, 0);
    enum tunnel_status status = talk(data[0], said, said.len ? said.len : 1, &whole);
    if (talk(data[0], said, 1, &bytewise) != status ||
        (status != TUNNEL_FAILED && !slice_eq(buf_slice(&whole), buf_slice(&bytewise))))
        abort();
    buf_free(&whole);
    buf_free(&bytewise);
    return 0;
}
