/* SPDX-License-Identifier: MIT
 * Login codes: what they are, whose they are, and how long they are good. */
#include "sandbox/login_code.h"

#include <stdio.h>
#include <stdlib.h>

#include "sandbox/state.h"

#define TEST_PHONE_PREFIX "99966"
enum { TEST_PHONE_DIGITS = 10, HASH_KEY_DIGITS = 16 };

bool phone_normal(struct slice text, char out[static PHONE_DIGITS_MAX + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c >= '0' && c <= '9') {
            if (n == PHONE_DIGITS_MAX)
                return false;
            out[n++] = (char)c;
        } else if (!strchr("+ -()", c) || c == 0) {
            return false;
        }
    }
    out[n] = 0;
    return n >= PHONE_DIGITS_MIN;
}

int32_t phone_test_dc(const char *phone)
{
    size_t prefix = sizeof TEST_PHONE_PREFIX - 1;
    if (strlen(phone) != TEST_PHONE_DIGITS || strncmp(phone, TEST_PHONE_PREFIX, prefix) != 0)
        return 0;
    char dc = phone[prefix];
    return dc >= '1' && dc <= '3' ? dc - '0' : 0;
}

/* Of the seed, the phone and how many it got before: what others do meanwhile does not change it.
 */
static void fill_code(struct sandbox *s, struct login_code *c)
{
    int32_t dc = phone_test_dc(c->phone);
    if (dc) {
        memset(c->code, '0' + dc, CODE_DIGITS);
        c->code[CODE_DIGITS] = 0;
        return;
    }
    struct slice phone = slice_str(c->phone);
    int64_t nth = name_map_get(&s->codes.sent, phone) + 1;
    name_map_put(&s->codes.sent, phone, nth);
    uint8_t seed[SHA256_BYTES];
    struct slice parts[] = {phone, slice_of(&nth, sizeof nth)};
    hmac_sha256(s->digests, slice_of(&s->seed, sizeof s->seed), parts, 2, seed);
    snprintf(c->code, sizeof c->code, "%05u", load_le32(seed) % 100000);
}

/* The number that the first 16 hex digits say; 0 when they are none. */
static uint64_t hash_key(struct slice hash)
{
    uint64_t key = 0;
    if (hash.len != CODE_HASH_DIGITS)
        return 0;
    for (size_t i = 0; i < HASH_KEY_DIGITS; i++) {
        uint8_t c = hash.data[i];
        bool letter = c >= 'a' && c <= 'f';
        if (!letter && !(c >= '0' && c <= '9'))
            return 0;
        key = key << 4 | (uint64_t)(letter ? c - 'a' + 10 : c - '0');
    }
    return key;
}

static void sweep(struct sandbox *s, int32_t now_s)
{
    struct id_map *m = &s->codes.by_hash;
    for (size_t i = 0; i < m->slots; i++) {
        struct login_code *c = m->values[i];
        if (c && c->expires_s < now_s) {
            code_drop(s, c);
            i = (size_t)-1; /* removing moves neighbours: look again from the front */
        }
    }
}

struct login_code *code_new(struct sandbox *s, const struct authorization *auth, const char *phone,
                            int32_t now_s)
{
    if (s->codes.by_hash.n >= LOGIN_CODES_MAX)
        sweep(s, now_s);
    struct login_code *c = s->codes.by_hash.n < LOGIN_CODES_MAX ? calloc(1, sizeof *c) : NULL;
    if (!c)
        return NULL;
    uint64_t key = rng_u64(&s->protocol_rng);
    snprintf(c->hash, sizeof c->hash, "%016llx%02x", (unsigned long long)key,
             rng_u32(&s->protocol_rng) & 0xff);
    snprintf(c->phone, sizeof c->phone, "%s", phone);
    c->auth = auth;
    if (!id_map_put(&s->codes.by_hash, (int64_t)key, c)) {
        free(c);
        return NULL;
    }
    code_renew(s, c, now_s);
    return c;
}

void code_renew(struct sandbox *s, struct login_code *c, int32_t now_s)
{
    fill_code(s, c);
    c->expires_s = now_s + CODE_LIFETIME_S;
    c->tries = 0;
}

struct login_code *code_find(struct sandbox *s, const struct authorization *auth, const char *phone,
                             struct slice hash)
{
    struct login_code *c = id_map_get(&s->codes.by_hash, (int64_t)hash_key(hash));
    return c && c->auth == auth && strcmp(c->phone, phone) == 0 && slice_is(hash, c->hash) ? c
                                                                                           : NULL;
}

bool code_live(const struct login_code *c, int32_t now_s)
{
    return now_s <= c->expires_s && c->tries < CODE_TRIES_MAX;
}

void code_drop(struct sandbox *s, struct login_code *c)
{
    id_map_remove(&s->codes.by_hash, (int64_t)hash_key(slice_str(c->hash)));
    free(c);
}

void codes_free(struct sandbox *s)
{
    struct id_map *m = &s->codes.by_hash;
    for (size_t i = 0; i < m->slots; i++)
        free(m->values[i]);
    id_map_free(m);
    name_map_free(&s->codes.sent);
}
