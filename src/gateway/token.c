/* SPDX-License-Identifier: MIT
 *
 * tgr1.BASE64URL( key id (4) | nonce (24) | XChaCha20-Poly1305( session_payload.h ) ) */
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
#include "gateway/session_payload.h"

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

/* ---- sealing ---- */

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
    uint8_t payload[SESSION_PAYLOAD_MAX];
    uint8_t sealed[HEAD_BYTES + SESSION_PAYLOAD_MAX + TAG_BYTES];
    _Static_assert(sizeof sealed <= TOKEN_TEXT_MAX / 4 * 3, "every session must fit into a string");
    size_t n = session_payload_write(s, payload);
    buf_append(out, prefix, PREFIX_BYTES);
    seal(k, rng, NULL, slice_of(payload, n), sealed, out);
    sodium_memzero(payload, sizeof payload);
}

/* ---- opening ---- */

static enum token_status open_sealed(const struct token_keys *k, struct slice text,
                                     struct session *out, bool *old_key)
{
    uint8_t sealed[TOKEN_BYTES_MAX];
    uint8_t plain[TOKEN_BYTES_MAX];
    size_t n = 0, plain_len = 0;
    if (text.len > TOKEN_TEXT_MAX || !base64_decode(text, sealed, &n))
        return TOKEN_FORGED;
    enum token_status status = unseal(k, NULL, slice_of(sealed, n), plain, &plain_len, old_key);
    /* What is sealed was written by us: a payload that cannot be read comes from another version.
     */
    if (status == TOKEN_OK && !session_payload_read(slice_of(plain, plain_len), out))
        status = TOKEN_UNSUPPORTED;
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
