/* SPDX-License-Identifier: MIT
 *
 * tgr1.BASE64URL( key id (4) | nonce (24) | XChaCha20-Poly1305( version (1) | fields ) )
 *
 * A field is tag (1), length (2, little endian), value. Tags from FIELD_OPTIONAL on may be skipped
 * by a program that does not know them; an unknown one below makes the string unsupported, so that
 * a later restriction (scope, expiry) is never ignored by an older replica. */
#include "gateway/token.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "gateway/foreign.h"

enum {
    KEY_BYTES = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    KEY_ID_BYTES = 4,
    HEAD_BYTES = KEY_ID_BYTES + NONCE_BYTES,
    KEYS_MAX = 16, /* one that seals and a few that are being rotated out */
    KEY_FILE_BYTES_MAX = 16 * 1024,
    KEY_PATH_MAX = 4096,       /* PATH_MAX */
    TOKEN_TEXT_MAX = 4 * 1024, /* behind the prefix: what proxies take in a header */
    TOKEN_BYTES_MAX = BASE64_DECODED_MAX(TOKEN_TEXT_MAX),
    SMALL_BYTES_MAX = HEAD_BYTES + TOKEN_SMALL_MAX + TAG_BYTES,
    SMALL_TEXT_MAX = (SMALL_BYTES_MAX + 2) / 3 * 4,
    SALTS_SEALED_MAX = 6, /* some three hours of calls without an extra round trip */
    SALT_BYTES = 8 + 4 + 4,
    EXTRA_KEY_BYTES = 2 + AUTH_KEY_BYTES,
    PAYLOAD_VERSION = 1,
};

enum field_tag {
    FIELD_DC = 1,
    FIELD_FLAGS,
    FIELD_STATE,
    FIELD_AUTH_KEY,
    FIELD_API_ID,
    FIELD_API_HASH,     /* as text */
    FIELD_API_HASH_HEX, /* 32 lower-case hex digits as 16 bytes */
    FIELD_PHONE,
    FIELD_PHONE_CODE_HASH,
    FIELD_READ_ONLY,
    FIELD_EXPIRES,
    FIELD_CHATS,
    FIELD_ROUTES,
    FIELD_OPTIONAL = 128,
    FIELD_USER_ID = 128,
    FIELD_SALTS,
    FIELD_QR_TOKEN,
    FIELD_EXTRA_KEY, /* once for each: data centre (2, little endian), key */
};

static const char prefix[] = "tgr1.";
enum { PREFIX_BYTES = sizeof prefix - 1 };

struct token_key {
    uint8_t key[KEY_BYTES];
    uint8_t id[KEY_ID_BYTES];
};

struct token_keys {
    size_t n;
    struct token_key keys[KEYS_MAX];
};

/* ---- keys ---- */

static bool add_key(struct token_keys *k, struct slice line)
{
    uint8_t bytes[BASE64_DECODED_MAX(64)];
    size_t len = 0;
    if (k->n == KEYS_MAX || line.len > 64 || !base64_decode(line, bytes, &len) || len != KEY_BYTES)
        return false;
    struct token_key *key = &k->keys[k->n++];
    memcpy(key->key, bytes, KEY_BYTES);
    crypto_generichash(key->id, KEY_ID_BYTES, key->key, KEY_BYTES, (const uint8_t *)"tgrest key id",
                       13);
    sodium_memzero(bytes, sizeof bytes);
    return true;
}

static struct slice trim(struct slice s)
{
    while (s.len && (s.data[0] == ' ' || s.data[0] == '\t'))
        s = slice_of(s.data + 1, s.len - 1);
    while (s.len && strchr(" \t\r", s.data[s.len - 1]))
        s.len--;
    return s;
}

struct token_keys *token_keys_parse(struct slice text, char *error, size_t error_size)
{
    struct token_keys *k = calloc(1, sizeof *k);
    if (!k) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    unsigned line_number = 0;
    for (size_t at = 0; at < text.len;) {
        const uint8_t *newline = memchr(text.data + at, '\n', text.len - at);
        size_t end = newline ? (size_t)(newline - text.data) : text.len;
        struct slice line = trim(slice_of(text.data + at, end - at));
        at = end + 1;
        line_number++;
        if (line.len == 0 || line.data[0] == '#')
            continue;
        if (!add_key(k, line)) {
            snprintf(
                error, error_size,
                "line %u of the key is not the base64 of 32 bytes (or there are over %d keys); "
                "`tgrest keygen` makes a good one",
                line_number, KEYS_MAX);
            token_keys_free(k);
            return NULL;
        }
    }
    if (k->n > 0)
        return k;
    snprintf(error, error_size, "there is no key in it; `tgrest keygen` makes one");
    token_keys_free(k);
    return NULL;
}

static bool write_fresh_key(int fd)
{
    struct buf text;
    buf_init(&text, 0);
    token_key_generate(&text);
    bool ok = write(fd, text.data, text.len) == (ssize_t)text.len && fsync(fd) == 0;
    buf_wipe_free(&text);
    return ok;
}

bool token_key_create(const char *path, char *error, size_t error_size)
{
    /* Whole under another name first: of two that start at once one makes the file and the other
     * reads it, never a part of it. */
    char draft[KEY_PATH_MAX];
    int n = snprintf(draft, sizeof draft, "%s.XXXXXX", path);
    errno = ENAMETOOLONG;
    int fd = n > 0 && (size_t)n < sizeof draft ? mkostemp(draft, O_CLOEXEC) : -1;
    bool ok = fd >= 0 && write_fresh_key(fd) && link(draft, path) == 0;
    int reason = errno;
    if (fd >= 0) {
        unlink(draft);
        close(fd);
    }
    if (!ok)
        snprintf(error, error_size, "cannot create %s: %s", path, strerror(reason));
    errno = reason;
    return ok;
}

void token_key_generate(struct buf *out)
{
    uint8_t key[KEY_BYTES];
    randombytes_buf(key, sizeof key);
    base64_encode(slice_of(key, sizeof key), out);
    buf_append_byte(out, '\n');
    sodium_memzero(key, sizeof key);
}

static struct token_keys *parse_file(int fd, const char *path, char *error, size_t error_size)
{
    uint8_t text[KEY_FILE_BYTES_MAX];
    ssize_t n = read(fd, text, sizeof text);
    struct token_keys *k = NULL;
    char reason[256];
    if (n < 0)
        snprintf(error, error_size, "cannot read %s: %s", path, strerror(errno));
    else if (!(k = token_keys_parse(slice_of(text, (size_t)n), reason, sizeof reason)))
        snprintf(error, error_size, "%s: %s", path, reason);
    sodium_memzero(text, sizeof text);
    return k;
}

struct token_keys *token_keys_load(const char *path, char *error, size_t error_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        if (!token_key_create(path, error, error_size) && errno != EEXIST)
            return NULL;
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0) {
        snprintf(error, error_size, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    struct stat info;
    struct token_keys *k = NULL;
    if (fstat(fd, &info) == 0 && (info.st_mode & (S_IRWXG | S_IRWXO) & ~(mode_t)S_IRGRP))
        snprintf(error, error_size, "%s can be read by everybody: chmod 600 it", path);
    else
        k = parse_file(fd, path, error, error_size);
    close(fd);
    return k;
}

void token_keys_free(struct token_keys *k)
{
    if (!k)
        return;
    sodium_memzero(k, sizeof *k);
    free(k);
}

static const struct token_key *find_key(const struct token_keys *k, const uint8_t *id)
{
    for (size_t i = 0; i < k->n; i++)
        if (memcmp(k->keys[i].id, id, KEY_ID_BYTES) == 0)
            return &k->keys[i];
    return NULL;
}

/* ---- payload: writing ---- */

struct payload {
    uint8_t bytes[TOKEN_BYTES_MAX];
    size_t len;
};

static void put(struct payload *p, enum field_tag tag, const void *value, size_t n)
{
    /* Cannot overflow: every field is bounded by struct session. */
    p->bytes[p->len++] = (uint8_t)tag;
    p->bytes[p->len++] = (uint8_t)n;
    p->bytes[p->len++] = (uint8_t)(n >> 8);
    memcpy(p->bytes + p->len, value, n);
    p->len += n;
}

static void put_number(struct payload *p, enum field_tag tag, uint64_t v)
{
    uint8_t bytes[8];
    store_le64(bytes, v);
    size_t n = 8;
    while (n > 0 && bytes[n - 1] == 0)
        n--;
    put(p, tag, bytes, n);
}

static void put_text(struct payload *p, enum field_tag tag, const char *text)
{
    if (*text)
        put(p, tag, text, strlen(text));
}

static void put_api_hash(struct payload *p, const char *text)
{
    uint8_t raw[16];
    size_t n = 0;
    bool lower = strspn(text, "0123456789abcdef") == 32 && text[32] == 0;
    if (lower && sodium_hex2bin(raw, sizeof raw, text, 32, NULL, &n, NULL) == 0 && n == sizeof raw)
        put(p, FIELD_API_HASH_HEX, raw, sizeof raw);
    else
        put_text(p, FIELD_API_HASH, text);
}

static uint32_t clamp_u32(int64_t v)
{
    return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void put_salts(struct payload *p, const struct salt_schedule *salts)
{
    uint8_t bytes[SALTS_SEALED_MAX * SALT_BYTES];
    size_t n = salts->n < SALTS_SEALED_MAX ? salts->n : SALTS_SEALED_MAX;
    for (size_t i = 0; i < n; i++) {
        store_le64(bytes + i * SALT_BYTES, salts->spans[i].salt);
        store_le32(bytes + i * SALT_BYTES + 8, clamp_u32(salts->spans[i].valid_since));
        store_le32(bytes + i * SALT_BYTES + 12, clamp_u32(salts->spans[i].valid_until));
    }
    if (n > 0)
        put(p, FIELD_SALTS, bytes, n * SALT_BYTES);
}

static void put_scope(struct payload *p, const struct session_scope *scope)
{
    uint8_t bytes[SESSION_CHATS_MAX * 8];
    if (scope->read_only)
        put_number(p, FIELD_READ_ONLY, 1);
    if (scope->expires_at)
        put_number(p, FIELD_EXPIRES, (uint64_t)scope->expires_at);
    for (size_t i = 0; i < scope->n_chats; i++)
        store_le64(bytes + i * 8, (uint64_t)scope->chats[i]);
    if (scope->n_chats)
        put(p, FIELD_CHATS, bytes, scope->n_chats * 8);
    for (size_t i = 0; i < scope->n_routes; i++)
        store_le32(bytes + i * 4, scope->routes[i]);
    if (scope->n_routes)
        put(p, FIELD_ROUTES, bytes, scope->n_routes * 4);
}

static void put_extra_keys(struct payload *p, const struct session *s)
{
    uint8_t bytes[EXTRA_KEY_BYTES];
    for (size_t i = 0; i < SESSION_EXTRA_KEYS_MAX; i++) {
        const struct session_extra_key *extra = &s->extra_keys[i];
        if (extra->dc == 0)
            continue;
        bytes[0] = (uint8_t)extra->dc;
        bytes[1] = (uint8_t)(extra->dc >> 8);
        memcpy(bytes + 2, extra->key.key, AUTH_KEY_BYTES);
        put(p, FIELD_EXTRA_KEY, bytes, sizeof bytes);
    }
    sodium_memzero(bytes, sizeof bytes);
}

static void payload_write(struct payload *p, const struct session *s)
{
    p->len = 0;
    p->bytes[p->len++] = PAYLOAD_VERSION;
    put_number(p, FIELD_DC, (uint32_t)s->dc);
    put_number(p, FIELD_FLAGS, s->flags & ~(uint32_t)SESSION_FOREIGN);
    put_number(p, FIELD_STATE, s->state);
    put(p, FIELD_AUTH_KEY, s->key.key, AUTH_KEY_BYTES);
    put_number(p, FIELD_API_ID, (uint32_t)s->api_id);
    put_api_hash(p, s->api_hash);
    put_text(p, FIELD_PHONE, s->phone);
    put_text(p, FIELD_PHONE_CODE_HASH, s->phone_code_hash);
    put_scope(p, &s->scope);
    put_number(p, FIELD_USER_ID, (uint64_t)s->user_id);
    put_salts(p, &s->salts);
    if (s->qr_token)
        put_number(p, FIELD_QR_TOKEN, s->qr_token);
    put_extra_keys(p, s);
}

/* What a sealed text is bound to beside its key: its purpose, or for session strings the key's id.
 */
static struct slice bound_data(const struct token_key *key, const char *purpose)
{
    return purpose ? slice_str(purpose) : slice_of(key->id, KEY_ID_BYTES);
}

/* Appends head and sealed payload in base64; `sealed` is room for HEAD_BYTES + payload + TAG_BYTES.
 */
static void seal(const struct token_keys *k, struct rng *rng, const char *purpose,
                 struct slice payload, uint8_t *sealed, struct buf *out)
{
    const struct token_key *key = k->keys;
    struct slice bound = bound_data(key, purpose);
    unsigned long long n = 0;
    memcpy(sealed, key->id, KEY_ID_BYTES);
    rng_fill(rng, sealed + KEY_ID_BYTES, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + HEAD_BYTES, &n, payload.data, payload.len,
                                               bound.data, bound.len, NULL, sealed + KEY_ID_BYTES,
                                               key->key);
    base64url_encode(slice_of(sealed, HEAD_BYTES + (size_t)n), out);
}

/* Opens what seal wrote, decoded, into `out` (room for sealed.len - HEAD_BYTES - TAG_BYTES). */
static enum token_status unseal(const struct token_keys *k, const char *purpose,
                                struct slice sealed, uint8_t *out, size_t *out_len, bool *old_key)
{
    if (sealed.len < HEAD_BYTES + TAG_BYTES)
        return TOKEN_FORGED;
    const struct token_key *key = find_key(k, sealed.data);
    if (!key)
        return TOKEN_UNKNOWN_KEY;
    struct slice bound = bound_data(key, purpose);
    unsigned long long n = 0;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, &n, NULL, sealed.data + HEAD_BYTES,
                                                   sealed.len - HEAD_BYTES, bound.data, bound.len,
                                                   sealed.data + KEY_ID_BYTES, key->key) != 0)
        return TOKEN_FORGED;
    *out_len = (size_t)n;
    *old_key = key != k->keys;
    return TOKEN_OK;
}

void token_seal(const struct token_keys *k, struct rng *rng, const struct session *s,
                struct buf *out)
{
    struct payload p;
    uint8_t sealed[HEAD_BYTES + TOKEN_BYTES_MAX + TAG_BYTES];
    payload_write(&p, s);
    buf_append(out, prefix, PREFIX_BYTES);
    seal(k, rng, NULL, slice_of(p.bytes, p.len), sealed, out);
    sodium_memzero(&p, sizeof p);
}

/* ---- payload: reading ---- */

static bool get_number(struct slice v, uint64_t max, uint64_t *out)
{
    uint8_t bytes[8] = {0};
    if (v.len > sizeof bytes)
        return false;
    memcpy(bytes, v.data, v.len);
    *out = load_le64(bytes);
    return *out <= max;
}

static bool get_text(struct slice v, char *out, size_t max)
{
    if (v.len > max || memchr(v.data, 0, v.len))
        return false;
    memcpy(out, v.data, v.len);
    out[v.len] = 0;
    return true;
}

/* More of them than are kept here were written by another version: the first ones count. */
static bool get_extra_key(struct slice v, struct session *s)
{
    if (v.len != EXTRA_KEY_BYTES)
        return false;
    for (size_t i = 0; i < SESSION_EXTRA_KEYS_MAX; i++) {
        struct session_extra_key *extra = &s->extra_keys[i];
        if (extra->dc != 0)
            continue;
        extra->dc = v.data[0] | v.data[1] << 8;
        memcpy(extra->key.key, v.data + 2, AUTH_KEY_BYTES);
        break;
    }
    return true;
}

static bool get_salts(struct slice v, struct salt_schedule *salts)
{
    if (v.len % SALT_BYTES || v.len / SALT_BYTES > SALTS_MAX)
        return false;
    salts->n = v.len / SALT_BYTES;
    for (size_t i = 0; i < salts->n; i++) {
        const uint8_t *at = v.data + i * SALT_BYTES;
        salts->spans[i] = (struct salt_span){load_le64(at), load_le32(at + 8), load_le32(at + 12)};
    }
    return true;
}

static bool get_chats(struct slice v, struct session_scope *scope)
{
    if (v.len == 0 || v.len % 8 || v.len / 8 > SESSION_CHATS_MAX)
        return false;
    scope->n_chats = v.len / 8;
    for (size_t i = 0; i < scope->n_chats; i++)
        scope->chats[i] = (int64_t)load_le64(v.data + i * 8);
    return true;
}

static bool get_routes(struct slice v, struct session_scope *scope)
{
    if (v.len == 0 || v.len % 4 || v.len / 4 > SESSION_ROUTES_MAX)
        return false;
    scope->n_routes = v.len / 4;
    for (size_t i = 0; i < scope->n_routes; i++)
        scope->routes[i] = load_le32(v.data + i * 4);
    return true;
}

static bool take_scope_field(struct session_scope *scope, uint8_t tag, struct slice v)
{
    uint64_t n = 0;
    bool ok;
    switch (tag) {
    case FIELD_READ_ONLY:
        ok = get_number(v, 1, &n);
        scope->read_only = n != 0;
        return ok;
    case FIELD_EXPIRES:
        ok = get_number(v, INT64_MAX, &n);
        scope->expires_at = (int64_t)n;
        return ok;
    case FIELD_CHATS:
        return get_chats(v, scope);
    default:
        return get_routes(v, scope);
    }
}

static enum token_status take_field(struct session *s, uint8_t tag, struct slice v)
{
    uint64_t n = 0;
    bool ok = true;
    switch (tag) {
    case FIELD_DC:
        ok = get_number(v, INT16_MAX, &n);
        s->dc = (int32_t)n;
        break;
    case FIELD_FLAGS:
        ok = get_number(v, UINT32_MAX, &n);
        s->flags = (uint32_t)n;
        break;
    case FIELD_STATE:
        ok = get_number(v, SESSION_STATE_MAX, &n);
        s->state = (enum session_state)n;
        break;
    case FIELD_AUTH_KEY:
        ok = v.len == AUTH_KEY_BYTES;
        if (ok)
            memcpy(s->key.key, v.data, AUTH_KEY_BYTES);
        break;
    case FIELD_API_ID:
        ok = get_number(v, UINT32_MAX, &n);
        s->api_id = (int32_t)(uint32_t)n;
        break;
    case FIELD_API_HASH:
        ok = get_text(v, s->api_hash, SESSION_API_HASH_MAX);
        break;
    case FIELD_API_HASH_HEX:
        ok = v.len == 16 && sodium_bin2hex(s->api_hash, sizeof s->api_hash, v.data, v.len);
        break;
    case FIELD_PHONE:
        ok = get_text(v, s->phone, SESSION_PHONE_MAX);
        break;
    case FIELD_PHONE_CODE_HASH:
        ok = get_text(v, s->phone_code_hash, SESSION_PHONE_CODE_HASH_MAX);
        break;
    case FIELD_READ_ONLY:
    case FIELD_EXPIRES:
    case FIELD_CHATS:
    case FIELD_ROUTES:
        ok = take_scope_field(&s->scope, tag, v);
        break;
    case FIELD_USER_ID:
        ok = get_number(v, INT64_MAX, &n);
        s->user_id = (int64_t)n;
        break;
    case FIELD_QR_TOKEN:
        ok = get_number(v, UINT64_MAX, &n);
        s->qr_token = n;
        break;
    case FIELD_SALTS:
        ok = get_salts(v, &s->salts);
        break;
    case FIELD_EXTRA_KEY:
        ok = get_extra_key(v, s);
        break;
    default:
        return tag >= FIELD_OPTIONAL ? TOKEN_OK : TOKEN_UNSUPPORTED;
    }
    return ok ? TOKEN_OK : TOKEN_UNSUPPORTED;
}

/* What is sealed was written by us: a payload that does not parse comes from another version. */
static enum token_status payload_read(struct slice p, struct session *s)
{
    if (p.len == 0 || p.data[0] != PAYLOAD_VERSION)
        return TOKEN_UNSUPPORTED;
    bool has_key = false;
    for (size_t at = 1; at < p.len;) {
        if (p.len - at < 3)
            return TOKEN_UNSUPPORTED;
        size_t n = p.data[at + 1] | (size_t)p.data[at + 2] << 8;
        if (p.len - at - 3 < n)
            return TOKEN_UNSUPPORTED;
        has_key = has_key || p.data[at] == FIELD_AUTH_KEY;
        enum token_status status = take_field(s, p.data[at], slice_of(p.data + at + 3, n));
        if (status != TOKEN_OK)
            return status;
        at += 3 + n;
    }
    return has_key && s->dc > 0 ? TOKEN_OK : TOKEN_UNSUPPORTED;
}

static enum token_status open_sealed(const struct token_keys *k, struct slice text,
                                     struct session *out, bool *old_key)
{
    uint8_t sealed[TOKEN_BYTES_MAX];
    uint8_t plain[TOKEN_BYTES_MAX];
    size_t n = 0, plain_len = 0;
    if (text.len > TOKEN_TEXT_MAX || !base64_decode(text, sealed, &n))
        return TOKEN_FORGED;
    enum token_status status = unseal(k, NULL, slice_of(sealed, n), plain, &plain_len, old_key);
    if (status == TOKEN_OK)
        status = payload_read(slice_of(plain, plain_len), out);
    sodium_memzero(plain, plain_len);
    return status;
}

static void compute_key_ids(struct digests *d, struct session *s)
{
    s->key.id = auth_key_id(d, s->key.key);
    for (size_t i = 0; i < SESSION_EXTRA_KEYS_MAX; i++) {
        struct auth_key *key = &s->extra_keys[i].key;
        if (s->extra_keys[i].dc != 0)
            key->id = auth_key_id(d, key->key);
    }
}

enum token_status token_open(const struct token_keys *k, struct digests *d, struct slice text,
                             struct session *out, bool *old_key)
{
    bool old = false;
    enum token_status status = TOKEN_MALFORMED;
    memset(out, 0, sizeof *out);
    if (slice_starts_with(text, prefix))
        status =
            open_sealed(k, slice_of(text.data + PREFIX_BYTES, text.len - PREFIX_BYTES), out, &old);
    else if (older_token_read(text, out))
        status = TOKEN_OK;
    if (status == TOKEN_OK)
        compute_key_ids(d, out);
    else
        sodium_memzero(out, sizeof *out);
    if (old_key)
        *old_key = old;
    return status;
}

size_t token_key_id(const struct token_keys *k, char out[static TOKEN_KEY_ID_TEXT])
{
    sodium_bin2hex(out, TOKEN_KEY_ID_TEXT, k->keys[0].id, KEY_ID_BYTES);
    return k->n;
}

/* ---- short sealed texts: peer refs and cursors ---- */

void token_seal_bytes(const struct token_keys *k, struct rng *rng, const char *purpose,
                      struct slice payload, struct buf *out)
{
    uint8_t sealed[SMALL_BYTES_MAX];
    if (payload.len > TOKEN_SMALL_MAX)
        out->failed = true;
    else
        seal(k, rng, purpose, payload, sealed, out);
}

bool token_open_bytes(const struct token_keys *k, const char *purpose, struct slice text,
                      uint8_t out[static TOKEN_SMALL_MAX], size_t *out_len)
{
    uint8_t sealed[BASE64_DECODED_MAX(SMALL_TEXT_MAX)];
    size_t n = 0;
    bool old_key;
    return text.len <= SMALL_TEXT_MAX && base64_decode(text, sealed, &n) && n <= SMALL_BYTES_MAX &&
           unseal(k, purpose, slice_of(sealed, n), out, out_len, &old_key) == TOKEN_OK;
}
