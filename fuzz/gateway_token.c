/* SPDX-License-Identifier: MIT
 * Session strings and sealed texts: whatever a client sends as X-Session-String; and what is inside
 * the seal, which is read and written again the same. */
#include <stdlib.h>
#include <string.h>

#include "gateway/session_payload.h"
#include "gateway/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct token_keys *keys_once(void)
{
    static struct token_keys *keys;
    char error[256];
    if (!keys)
        keys = token_keys_parse(slice_str("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), error,
                                sizeof error);
    return keys;
}

static void check_payload(struct slice bytes)
{
    struct session s = {0}, again = {0};
    uint8_t first[SESSION_PAYLOAD_MAX], second[SESSION_PAYLOAD_MAX];
    if (!session_payload_read(bytes, &s))
        return;
    size_t n = session_payload_write(&s, first);
    if (!session_payload_read(slice_of(first, n), &again) ||
        session_payload_write(&again, second) != n || memcmp(first, second, n) != 0)
        abort();
}

static void check_sealed(struct slice bytes)
{
    struct rng rng;
    struct buf text;
    uint8_t out[TOKEN_SMALL_MAX];
    size_t n;
    if (bytes.len > TOKEN_SMALL_MAX)
        return;
    rng_init_seed(&rng, 1);
    buf_init(&text, 0);
    token_seal_bytes(keys_once(), &rng, "peer", bytes, &text);
    if (!token_open_bytes(keys_once(), "peer", buf_slice(&text), out, &n) ||
        !slice_eq(slice_of(out, n), bytes) ||
        token_open_bytes(keys_once(), "dialogs", buf_slice(&text), out, &n))
        abort();
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct digests *digests;
    struct session s;
    bool old_key;
    uint8_t out[TOKEN_SMALL_MAX];
    size_t n;
    char error[256];
    if (!digests)
        digests = digests_new();
    (void)!token_open(keys_once(), digests, slice_of(data, size), &s, &old_key);
    (void)!token_open_bytes(keys_once(), "peer", slice_of(data, size), out, &n);
    check_payload(slice_of(data, size));
    check_sealed(slice_of(data, size));
    token_keys_free(token_keys_parse(slice_of(data, size), error, sizeof error));
    return 0;
}
