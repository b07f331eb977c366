/* SPDX-License-Identifier: MIT
 *
 * version (1) | fields
 *
 * A field is tag (1), length (2, little endian), value. Tags from FIELD_OPTIONAL on may be skipped
 * by a program that does not know them; an unknown one below makes the string unsupported, so that
 * a later restriction is never ignored by an older replica. */
#include "gateway/session_payload.h"

#include <sodium.h>

enum {
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

/* ---- writing ---- */

struct payload {
    uint8_t *bytes; /* SESSION_PAYLOAD_MAX */
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

size_t session_payload_write(const struct session *s, uint8_t out[static SESSION_PAYLOAD_MAX])
{
    struct payload payload = {.bytes = out}, *p = &payload;
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
    return p->len;
}

/* ---- reading ---- */

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

static bool take_field(struct session *s, uint8_t tag, struct slice v)
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
        return tag >= FIELD_OPTIONAL;
    }
    return ok;
}

bool session_payload_read(struct slice payload, struct session *out)
{
    if (payload.len == 0 || payload.data[0] != PAYLOAD_VERSION)
        return false;
    bool has_key = false;
    for (size_t at = 1; at < payload.len;) {
        if (payload.len - at < 3)
            return false;
        const uint8_t *field = payload.data + at;
        size_t n = field[1] | (size_t)field[2] << 8;
        if (payload.len - at - 3 < n || !take_field(out, field[0], slice_of(field + 3, n)))
            return false;
        has_key = has_key || field[0] == FIELD_AUTH_KEY;
        at += 3 + n;
    }
    return has_key && out->dc > 0;
}
