/* SPDX-License-Identifier: MIT
 * Session strings and sealed texts: whatever a client sends as X-Session-String. */
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
    token_keys_free(token_keys_parse(slice_of(data, size), error, sizeof error));
    return 0;
}
