/* SPDX-License-Identifier: MIT */
#include "gateway/foreign.h"

#include <sodium.h>

#include "base/base64.h"

enum {
    TELETHON_V4_BYTES = 1 + 4 + 2 + AUTH_KEY_BYTES,
    TELETHON_V6_BYTES = 1 + 16 + 2 + AUTH_KEY_BYTES,
    TELETHON_TEXT_MAX = (TELETHON_V6_BYTES + 2) / 3 * 4,
    CREDENTIALS_HEAD = 8 + 1, /* api_id, length of api_hash */
    CREDENTIALS_MAX = CREDENTIALS_HEAD + SESSION_API_HASH_MAX,
    DC_MAX = 5, /* Telegram has five; a byte could say 255 */
};

/* Public, in the older project's source: it hides the credentials from nobody. */
static const uint8_t mask[32] = {
    0xbf, 0x52, 0xaf, 0x2b, 0x80, 0x06, 0xaa, 0x15, 0x90, 0x52, 0x6f, 0x4b, 0xf3, 0xb0, 0xe1, 0xec,
    0xfc, 0xcf, 0x2a, 0x5d, 0x84, 0x41, 0xe4, 0x00, 0xdc, 0x9d, 0x07, 0xd8, 0x89, 0xcf, 0x31, 0x4a,
};

bool telethon_string_open(struct slice text, struct session *out)
{
    uint8_t bytes[BASE64_DECODED_MAX(TELETHON_TEXT_MAX + 4)];
    size_t n = 0;
    if (text.len < 2 || text.data[0] != '1' || text.len - 1 > TELETHON_TEXT_MAX ||
        !base64_decode(slice_of(text.data + 1, text.len - 1), bytes, &n))
        return false;
    bool ok =
        (n == TELETHON_V4_BYTES || n == TELETHON_V6_BYTES) && bytes[0] >= 1 && bytes[0] <= DC_MAX;
    if (ok) {
        out->dc = bytes[0];
        memcpy(out->key.key, bytes + n - AUTH_KEY_BYTES, AUTH_KEY_BYTES);
    }
    sodium_memzero(bytes, sizeof bytes);
    return ok;
}

static void apply_mask(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] ^= mask[i % sizeof mask];
}

static uint64_t load_be64(const uint8_t *p)
{
    return __builtin_bswap64(load_le64(p));
}

static bool credentials_open(struct slice text, struct session *out)
{
    uint8_t bytes[BASE64_DECODED_MAX((CREDENTIALS_MAX + 2) / 3 * 4)];
    size_t n = 0;
    if (text.len > (CREDENTIALS_MAX + 2) / 3 * 4 || !base64_decode(text, bytes, &n) ||
        n < CREDENTIALS_HEAD)
        return false;
    apply_mask(bytes, n);
    uint64_t api_id = load_be64(bytes);
    size_t hash_len = bytes[8];
    if (api_id == 0 || api_id > INT32_MAX || hash_len != n - CREDENTIALS_HEAD ||
        hash_len > SESSION_API_HASH_MAX || memchr(bytes + CREDENTIALS_HEAD, 0, hash_len))
        return false;
    out->api_id = (int32_t)api_id;
    memcpy(out->api_hash, bytes + CREDENTIALS_HEAD, hash_len);
    out->api_hash[hash_len] = 0;
    return true;
}

bool foreign_open(struct slice text, struct session *out)
{
    const uint8_t *colon = text.len ? memchr(text.data, ':', text.len) : NULL;
    if (!colon)
        return false;
    size_t at = (size_t)(colon - text.data);
    memset(out, 0, sizeof *out);
    out->state = SESSION_AUTHORIZED;
    out->flags = SESSION_FOREIGN;
    return telethon_string_open(slice_of(text.data, at), out) &&
           credentials_open(slice_of(colon + 1, text.len - at - 1), out);
}

/* Python's base64 wants its padding. */
static void append_urlsafe_padded(struct slice bytes, struct buf *out)
{
    base64url_encode(bytes, out);
    for (size_t n = bytes.len; n % 3 != 0; n++)
        buf_append_byte(out, '=');
}

void foreign_write(const struct session *s, const uint8_t ipv4[static 4], uint16_t port,
                   struct buf *out)
{
    uint8_t bytes[TELETHON_V4_BYTES];
    bytes[0] = (uint8_t)s->dc;
    memcpy(bytes + 1, ipv4, 4);
    bytes[5] = (uint8_t)(port >> 8);
    bytes[6] = (uint8_t)port;
    memcpy(bytes + 7, s->key.key, AUTH_KEY_BYTES);
    buf_append_byte(out, '1');
    append_urlsafe_padded(slice_of(bytes, sizeof bytes), out);
    sodium_memzero(bytes, sizeof bytes);

    uint8_t credentials[CREDENTIALS_MAX];
    size_t hash_len = strlen(s->api_hash);
    store_le64(credentials, __builtin_bswap64((uint64_t)(uint32_t)s->api_id));
    credentials[8] = (uint8_t)hash_len;
    memcpy(credentials + CREDENTIALS_HEAD, s->api_hash, hash_len);
    apply_mask(credentials, CREDENTIALS_HEAD + hash_len);
    buf_append_byte(out, ':');
    append_urlsafe_padded(slice_of(credentials, CREDENTIALS_HEAD + hash_len), out);
    sodium_memzero(credentials, sizeof credentials);
}
