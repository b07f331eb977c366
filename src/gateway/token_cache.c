/* SPDX-License-Identifier: MIT
 * A direct-mapped table: a newcomer takes the place of whoever has its slot. Only the whole string
 * is proof of a session, so the whole string is kept and compared. */
#include "gateway/token_cache.h"

#include <sodium.h>
#include <stdlib.h>

enum {
    SLOT_BITS = 10,
    SLOTS = 1 << SLOT_BITS, /* about 4 KiB each, touched only when used */
    TEXT_MAX = 2048,        /* with salts some 750 characters, and 350 for each further key */
};

struct slot {
    int64_t until_ns;
    size_t len; /* 0 = free */
    uint8_t text[TEXT_MAX];
    struct session session;
};

struct token_cache {
    int64_t life_ns;
    size_t hand; /* the next slot to be looked at for what is past its time */
    struct slot slots[SLOTS];
};

struct token_cache *token_cache_new(int64_t life_ns)
{
    struct token_cache *cache = calloc(1, sizeof *cache);
    if (cache)
        cache->life_ns = life_ns;
    return cache;
}

void token_cache_free(struct token_cache *cache)
{
    if (cache)
        sodium_memzero(cache, sizeof *cache);
    free(cache);
}

/* The end of a string is the end of its authentication tag: as good as random. */
static struct slot *slot_of(struct token_cache *cache, struct slice text)
{
    uint64_t v = load_le64(text.data + text.len - sizeof v);
    v *= 0x9e3779b97f4a7c15; /* Fibonacci hashing: base64 leaves some bits of each byte the same */
    return &cache->slots[v >> (64 - SLOT_BITS)];
}

/* In a time that does not tell how many bytes agree; by words, for strings are long. */
static bool same_text(const struct slot *s, struct slice text)
{
    if (s->len != text.len)
        return false;
    uint64_t differ = 0;
    size_t i = 0;
    for (; i + 8 <= text.len; i += 8)
        differ |= load_le64(s->text + i) ^ load_le64(text.data + i);
    for (; i < text.len; i++)
        differ |= (uint64_t)(s->text[i] ^ text.data[i]);
    return differ == 0;
}

static void sweep_one(struct token_cache *cache, int64_t now_ns)
{
    struct slot *s = &cache->slots[cache->hand++ % SLOTS];
    if (s->len > 0 && now_ns >= s->until_ns)
        sodium_memzero(s, sizeof *s);
}

/* A login goes by too fast to gain from it; a foreign string and one of an older key are sent but
 * once. */
static bool worth_keeping(const struct session *session, bool old_key)
{
    return session->state == SESSION_AUTHORIZED && !(session->flags & SESSION_FOREIGN) && !old_key;
}

enum token_status token_cache_open(struct token_cache *cache, int64_t now_ns,
                                   const struct token_keys *k, struct digests *d, struct slice text,
                                   struct session *out, bool *old_key)
{
    if (!cache || text.len < sizeof(uint64_t) || text.len > TEXT_MAX)
        return token_open(k, d, text, out, old_key);
    sweep_one(cache, now_ns);
    struct slot *s = slot_of(cache, text);
    if (now_ns < s->until_ns && same_text(s, text)) {
        *out = s->session;
        *old_key = false;
        s->until_ns = now_ns + cache->life_ns;
        return TOKEN_OK;
    }
    enum token_status status = token_open(k, d, text, out, old_key);
    if (status == TOKEN_OK && worth_keeping(out, *old_key)) {
        memcpy(s->text, text.data, text.len);
        s->len = text.len;
        s->session = *out;
        s->until_ns = now_ns + cache->life_ns;
    }
    return status;
}
