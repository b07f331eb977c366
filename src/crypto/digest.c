/* SPDX-License-Identifier: MIT
 * Digests: algorithms fetched once, contexts reused. A one-shot call looks its algorithm up each
 * time, which triples the cost of the short inputs of key derivation. */
#include "crypto/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

/* A context of its own for each algorithm: one that changes its algorithm allocates anew. */
struct digests {
    EVP_MD *sha1;
    EVP_MD *sha256;
    EVP_MD_CTX *sha1_ctx;
    EVP_MD_CTX *sha256_ctx;
    EVP_MAC *hmac;
    EVP_MAC_CTX *hmac_sha256;
};

static bool hmac_init(struct digests *d)
{
    char name[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    d->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    d->hmac_sha256 = d->hmac ? EVP_MAC_CTX_new(d->hmac) : NULL;
    return d->hmac_sha256 && EVP_MAC_CTX_set_params(d->hmac_sha256, params) == 1;
}

struct digests *digests_new(void)
{
    struct digests *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    d->sha1_ctx = EVP_MD_CTX_new();
    d->sha256_ctx = EVP_MD_CTX_new();
    if (!d->sha1 || !d->sha256 || !d->sha1_ctx || !d->sha256_ctx || !hmac_init(d)) {
        digests_free(d);
        return NULL;
    }
    return d;
}

void digests_free(struct digests *d)
{
    if (!d)
        return;
    EVP_MAC_CTX_free(d->hmac_sha256);
    EVP_MAC_free(d->hmac);
    EVP_MD_CTX_free(d->sha256_ctx);
    EVP_MD_CTX_free(d->sha1_ctx);
    EVP_MD_free(d->sha256);
    EVP_MD_free(d->sha1);
    free(d);
}

/* A digest only fails without memory. Going on would derive keys from leftover bytes, so it ends
 * here. */
static void require(int ok)
{
    if (ok != 1)
        abort();
}

static void digest(EVP_MD_CTX *ctx, const EVP_MD *md, const struct slice *parts, size_t n,
                   uint8_t *out)
{
    require(EVP_DigestInit_ex2(ctx, md, NULL));
    for (size_t i = 0; i < n; i++)
        require(EVP_DigestUpdate(ctx, parts[i].data, parts[i].len));
    require(EVP_DigestFinal_ex(ctx, out, NULL));
}

void sha1(struct digests *d, const struct slice *parts, size_t n, uint8_t out[static SHA1_BYTES])
{
    digest(d->sha1_ctx, d->sha1, parts, n, out);
}

void sha256(struct digests *d, const struct slice *parts, size_t n,
            uint8_t out[static SHA256_BYTES])
{
    digest(d->sha256_ctx, d->sha256, parts, n, out);
}

void hmac_sha256(struct digests *d, struct slice key, const struct slice *parts, size_t n,
                 uint8_t out[static SHA256_BYTES])
{
    static const uint8_t empty[1];
    size_t written = 0;
    /* A NULL key means "the last one again" to EVP_MAC_init, never "an empty one". */
    require(EVP_MAC_init(d->hmac_sha256, key.len ? key.data : empty, key.len, NULL));
    for (size_t i = 0; i < n; i++)
        require(EVP_MAC_update(d->hmac_sha256, parts[i].data, parts[i].len));
    require(EVP_MAC_final(d->hmac_sha256, out, &written, SHA256_BYTES));
}
