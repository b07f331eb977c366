/* SPDX-License-Identifier: MIT */
#include "gateway/foreign.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>

#include "base/base64.h"
#include "tl/cursor.h"

enum {
    BYTES_MAX = 1024, /* of any of these strings, decoded: mtcute's longest has some 430 */
    DC_MAX = 5,       /* Telegram has five; a byte could say 255 */
    GRAMJS_PORT_MAX = INT16_MAX, /* it reads the port as a signed number */
    MTCUTE_VERSION = 3,
    MTCUTE_DC_VERSION = 2,
};

/* A cursor over big-endian fields; `error` as in struct tl_reader. */
static uint64_t read_be(struct tl_reader *r, size_t n)
{
    struct slice bytes = tl_read_raw(r, n);
    uint64_t v = 0;
    for (size_t i = 0; i < bytes.len; i++)
        v = v << 8 | bytes.data[i];
    return v;
}

static void write_be(struct buf *out, uint64_t v, size_t n)
{
    while (n-- > 0)
        buf_append_byte(out, (uint8_t)(v >> (8 * n)));
}

static void read_key(struct tl_reader *r, struct slice key, struct foreign_login *out)
{
    if (key.len == AUTH_KEY_BYTES)
        memcpy(out->key, key.data, AUTH_KEY_BYTES);
    else
        tl_fail(r, "no auth key");
}

static void read_binary_host(struct tl_reader *r, int family, size_t n, struct foreign_login *out)
{
    struct slice bytes = tl_read_raw(r, n);
    if (!r->error && !inet_ntop(family, bytes.data, out->host, sizeof out->host))
        tl_fail(r, "no address");
}

static void read_text_host(struct tl_reader *r, struct slice text, struct foreign_login *out)
{
    uint8_t scratch[16];
    if (text.len == 0 || text.len > FOREIGN_HOST_MAX) {
        tl_fail(r, "no address");
        return;
    }
    memcpy(out->host, text.data, text.len);
    out->host[text.len] = '\0';
    if (inet_pton(AF_INET, out->host, scratch) != 1 && inet_pton(AF_INET6, out->host, scratch) != 1)
        tl_fail(r, "no address");
}

/* Python's and Node's base64 want the padding of the standard one; mtcute and Pyrogram leave it off
 * the urlsafe one. */
static void append_padding(size_t n, struct buf *out)
{
    for (; n % 3 != 0; n++)
        buf_append_byte(out, '=');
}

/* ---- Telethon ---- */

/* A string with an IPv6 address is as long as one of GramJS with an address of this length as text,
 * which has this length where the other has the address begin: with 000e, as none does. */
enum { GRAMJS_HOST_AS_LONG = 16 - 2 };

static void telethon_read(struct tl_reader *r, struct foreign_login *out)
{
    bool v6 = tl_left(r) == 1 + 16 + 2 + AUTH_KEY_BYTES;
    out->dc = (int32_t)read_be(r, 1);
    if (v6 && r->next[0] == 0 && r->next[1] == GRAMJS_HOST_AS_LONG)
        tl_fail(r, "GramJS's");
    read_binary_host(r, v6 ? AF_INET6 : AF_INET, v6 ? 16 : 4, out);
    out->port = (uint16_t)read_be(r, 2);
    read_key(r, tl_read_raw(r, AUTH_KEY_BYTES), out);
}

static const char *telethon_write(const struct foreign_login *login, struct buf *out)
{
    uint8_t address[16];
    size_t n = 4;
    if (inet_pton(AF_INET, login->host, address) != 1) {
        n = 16;
        if (inet_pton(AF_INET6, login->host, address) != 1)
            return "its data centre is known by a name, not by an address";
    }
    write_be(out, (uint64_t)login->dc, 1);
    buf_append(out, address, n);
    write_be(out, login->port, 2);
    buf_append(out, login->key, AUTH_KEY_BYTES);
    return NULL;
}

/* ---- Pyrogram ---- */

enum {
    PYROGRAM_BYTES = 1 + 4 + 1 + AUTH_KEY_BYTES + 8 + 1,
    PYROGRAM_OLD_BYTES = 1 + 1 + AUTH_KEY_BYTES + 8 + 1,
    PYROGRAM_OLDEST_BYTES = 1 + 1 + AUTH_KEY_BYTES + 4 + 1,
};

static void pyrogram_read(struct tl_reader *r, struct foreign_login *out)
{
    size_t n = tl_left(r);
    if (n != PYROGRAM_BYTES && n != PYROGRAM_OLD_BYTES && n != PYROGRAM_OLDEST_BYTES)
        tl_fail(r, "no such length");
    out->dc = (int32_t)read_be(r, 1);
    uint64_t api_id = n == PYROGRAM_BYTES ? read_be(r, 4) : 0;
    uint64_t test = read_be(r, 1);
    read_key(r, tl_read_raw(r, AUTH_KEY_BYTES), out);
    uint64_t user_id = read_be(r, n == PYROGRAM_OLDEST_BYTES ? 4 : 8);
    uint64_t is_bot = read_be(r, 1);
    if (api_id > INT32_MAX || user_id > INT64_MAX || test > 1 || is_bot > 1)
        tl_fail(r, "out of range");
    out->api_id = (int32_t)api_id;
    out->user_id = (int64_t)user_id;
    out->says_network = true;
    out->test = test != 0;
    out->is_bot = is_bot != 0;
}

static const char *pyrogram_write(const struct foreign_login *login, struct buf *out)
{
    write_be(out, (uint64_t)login->dc, 1);
    write_be(out, (uint32_t)login->api_id, 4);
    write_be(out, login->test, 1);
    buf_append(out, login->key, AUTH_KEY_BYTES);
    write_be(out, (uint64_t)login->user_id, 8);
    write_be(out, login->is_bot, 1);
    return NULL;
}

/* ---- GramJS ---- */

static void gramjs_read(struct tl_reader *r, struct foreign_login *out)
{
    out->dc = (int32_t)read_be(r, 1);
    size_t n = (size_t)read_be(r, 2);
    read_text_host(r, tl_read_raw(r, n), out);
    out->port = (uint16_t)read_be(r, 2);
    read_key(r, tl_read_raw(r, AUTH_KEY_BYTES), out);
}

static const char *gramjs_write(const struct foreign_login *login, struct buf *out)
{
    size_t n = strlen(login->host);
    if (login->port > GRAMJS_PORT_MAX)
        return "GramJS cannot read ports above 32767, and its data centre listens on one";
    write_be(out, (uint64_t)login->dc, 1);
    write_be(out, n, 2);
    buf_append(out, login->host, n);
    write_be(out, login->port, 2);
    buf_append(out, login->key, AUTH_KEY_BYTES);
    return NULL;
}

/* ---- mtcute ---- */

enum { MTCUTE_SELF = 1, MTCUTE_TEST_OLD = 2, MTCUTE_MEDIA_DC = 4 };
enum { MTCUTE_DC_IPV6 = 1, MTCUTE_DC_TEST = 4 };

static void mtcute_read_dc(struct tl_reader *r, struct slice bytes, struct foreign_login *out)
{
    struct tl_reader dc = tl_reader_of(bytes);
    struct slice head = tl_read_raw(&dc, 3);
    if (head.len != 3 || (head.data[0] != 1 && head.data[0] != MTCUTE_DC_VERSION)) {
        tl_fail(r, "no data centre");
        return;
    }
    out->dc = head.data[1];
    out->test = head.data[0] == MTCUTE_DC_VERSION && (head.data[2] & MTCUTE_DC_TEST);
    read_text_host(&dc, tl_read_bytes(&dc), out);
    int32_t port = tl_read_i32(&dc);
    if (dc.error || port < 1 || port > UINT16_MAX)
        tl_fail(r, "no data centre");
    out->port = (uint16_t)port;
}

static void mtcute_read(struct tl_reader *r, struct foreign_login *out)
{
    if (read_be(r, 1) != MTCUTE_VERSION)
        tl_fail(r, "another version");
    uint32_t flags = tl_read_u32(r);
    mtcute_read_dc(r, tl_read_bytes(r), out);
    if (flags & MTCUTE_MEDIA_DC)
        (void)tl_read_bytes(r);
    if (flags & MTCUTE_SELF) {
        out->user_id = tl_read_i64(r);
        out->is_bot = tl_read_u32(r) == TL_ID_BOOL_TRUE;
    }
    read_key(r, tl_read_bytes(r), out);
    if (out->user_id < 0)
        tl_fail(r, "out of range");
    out->says_network = true;
    out->test = out->test || (flags & MTCUTE_TEST_OLD);
}

static const char *mtcute_write(const struct foreign_login *login, struct buf *out)
{
    struct buf dc;
    buf_init(&dc, 0);
    write_be(&dc, MTCUTE_DC_VERSION, 1);
    write_be(&dc, (uint64_t)login->dc, 1);
    write_be(&dc,
             (strchr(login->host, ':') ? MTCUTE_DC_IPV6 : 0U) | (login->test ? MTCUTE_DC_TEST : 0U),
             1);
    tl_write_bytes(&dc, slice_str(login->host));
    tl_write_i32(&dc, login->port);
    write_be(out, MTCUTE_VERSION, 1);
    tl_write_u32(out, login->user_id ? MTCUTE_SELF : 0);
    tl_write_bytes(out, buf_slice(&dc));
    if (login->user_id) {
        tl_write_i64(out, login->user_id);
        tl_write_u32(out, login->is_bot ? TL_ID_BOOL_TRUE : TL_ID_BOOL_FALSE);
    }
    tl_write_bytes(out, slice_of(login->key, AUTH_KEY_BYTES));
    out->failed = out->failed || dc.failed;
    buf_free(&dc);
    return NULL;
}

/* ---- all of them ---- */

static const struct format {
    const char *name;
    const char *prefix; /* before the base64 */
    bool urlsafe;
    bool padded;
    void (*read)(struct tl_reader *r, struct foreign_login *out);
    const char *(*write)(const struct foreign_login *login, struct buf *out);
} formats[FOREIGN_FORMATS_N] = {
    [FOREIGN_TELETHON] = {"telethon", "1", true, true, telethon_read, telethon_write},
    [FOREIGN_PYROGRAM] = {"pyrogram", "", true, false, pyrogram_read, pyrogram_write},
    [FOREIGN_GRAMJS] = {"gramjs", "1", false, true, gramjs_read, gramjs_write},
    [FOREIGN_MTCUTE] = {"mtcute", "", true, false, mtcute_read, mtcute_write},
};

const char *foreign_format_name(enum foreign_format format)
{
    return format < FOREIGN_FORMATS_N ? formats[format].name : NULL;
}

bool foreign_read(enum foreign_format format, struct slice text, struct foreign_login *out)
{
    const struct format *f = &formats[format];
    uint8_t bytes[BYTES_MAX];
    size_t n = 0, skip = strlen(f->prefix);
    memset(out, 0, sizeof *out);
    if (!slice_starts_with(text, f->prefix) || BASE64_DECODED_MAX(text.len) > BYTES_MAX ||
        !base64_decode(slice_of(text.data + skip, text.len - skip), bytes, &n))
        return false;
    struct tl_reader r = tl_reader_of(slice_of(bytes, n));
    f->read(&r, out);
    bool ok = !r.error && tl_left(&r) == 0 && out->dc >= 1 && out->dc <= DC_MAX &&
              !sodium_is_zero(out->key, sizeof out->key);
    sodium_memzero(bytes, sizeof bytes);
    if (!ok)
        sodium_memzero(out, sizeof *out);
    return ok;
}

const char *foreign_write(enum foreign_format format, const struct foreign_login *login,
                          struct buf *out)
{
    const struct format *f = &formats[format];
    struct buf bytes;
    buf_init(&bytes, 0);
    const char *reason = f->write(login, &bytes);
    if (!reason) {
        buf_append_str(out, f->prefix);
        if (f->urlsafe)
            base64url_encode(buf_slice(&bytes), out);
        else
            base64_encode(buf_slice(&bytes), out);
        if (f->urlsafe && f->padded)
            append_padding(bytes.len, out);
        out->failed = out->failed || bytes.failed;
    }
    buf_wipe_free(&bytes);
    return reason;
}

struct foreign_login foreign_login_of(const struct session *s, const char *host, uint16_t port)
{
    struct foreign_login login = {
        .dc = s->dc,
        .says_network = true,
        .test = (s->flags & SESSION_TEST_DC) != 0,
        .api_id = s->api_id,
        .user_id = s->user_id,
        .port = port,
    };
    memcpy(login.key, s->key.key, AUTH_KEY_BYTES);
    snprintf(login.host, sizeof login.host, "%s", host);
    return login;
}

/* ---- the older project's token ---- */

enum {
    CREDENTIALS_HEAD = 8 + 1, /* api_id, length of api_hash */
    CREDENTIALS_MAX = CREDENTIALS_HEAD + SESSION_API_HASH_MAX,
};

/* Public, in the older project's source: it hides the credentials from nobody. */
static const uint8_t mask[32] = {
    0xbf, 0x52, 0xaf, 0x2b, 0x80, 0x06, 0xaa, 0x15, 0x90, 0x52, 0x6f, 0x4b, 0xf3, 0xb0, 0xe1, 0xec,
    0xfc, 0xcf, 0x2a, 0x5d, 0x84, 0x41, 0xe4, 0x00, 0xdc, 0x9d, 0x07, 0xd8, 0x89, 0xcf, 0x31, 0x4a,
};

static void apply_mask(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] ^= mask[i % sizeof mask];
}

static bool read_credentials(struct slice text, struct session *out)
{
    uint8_t bytes[BASE64_DECODED_MAX((CREDENTIALS_MAX + 2) / 3 * 4)];
    size_t n = 0;
    if (text.len > (CREDENTIALS_MAX + 2) / 3 * 4 || !base64_decode(text, bytes, &n) ||
        n < CREDENTIALS_HEAD)
        return false;
    apply_mask(bytes, n);
    struct tl_reader r = tl_reader_of(slice_of(bytes, n));
    uint64_t api_id = read_be(&r, 8);
    size_t hash_len = (size_t)read_be(&r, 1);
    if (api_id == 0 || api_id > INT32_MAX || hash_len != n - CREDENTIALS_HEAD ||
        hash_len > SESSION_API_HASH_MAX || memchr(bytes + CREDENTIALS_HEAD, 0, hash_len))
        return false;
    out->api_id = (int32_t)api_id;
    memcpy(out->api_hash, bytes + CREDENTIALS_HEAD, hash_len);
    out->api_hash[hash_len] = 0;
    return true;
}

bool older_token_read(struct slice text, struct session *out)
{
    const uint8_t *colon = text.len ? memchr(text.data, ':', text.len) : NULL;
    struct foreign_login login;
    memset(out, 0, sizeof *out);
    if (!colon)
        return false;
    size_t at = (size_t)(colon - text.data);
    if (!foreign_read(FOREIGN_TELETHON, slice_of(text.data, at), &login))
        return false;
    out->state = SESSION_AUTHORIZED;
    out->flags = SESSION_FOREIGN;
    out->dc = login.dc;
    memcpy(out->key.key, login.key, AUTH_KEY_BYTES);
    sodium_memzero(&login, sizeof login);
    return read_credentials(slice_of(colon + 1, text.len - at - 1), out);
}

static void write_credentials(const struct session *s, struct buf *out)
{
    struct buf bytes;
    buf_init(&bytes, 0);
    size_t hash_len = strlen(s->api_hash);
    write_be(&bytes, (uint32_t)s->api_id, 8);
    write_be(&bytes, hash_len, 1);
    buf_append(&bytes, s->api_hash, hash_len);
    if (!bytes.failed)
        apply_mask(bytes.data, bytes.len);
    base64url_encode(buf_slice(&bytes), out);
    append_padding(bytes.len, out);
    buf_wipe_free(&bytes);
}

const char *older_token_write(const struct session *s, const char *host, uint16_t port,
                              struct buf *out)
{
    struct foreign_login login = foreign_login_of(s, host, port);
    const char *reason = foreign_write(FOREIGN_TELETHON, &login, out);
    sodium_memzero(&login, sizeof login);
    if (reason)
        return reason;
    buf_append_byte(out, ':');
    write_credentials(s, out);
    return NULL;
}
