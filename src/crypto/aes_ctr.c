/* SPDX-License-Identifier: MIT
 * AES-256-CTR as a stream that keeps its place. */
#include "crypto/crypto.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* EVP lengths are ints; whole blocks keep the stream's place simple. */
enum { CHUNK_MAX = 1 << 30 };

struct aes_ctr {
    EVP_CIPHER_CTX *ctx;
};

struct aes_ctr *aes_ctr_new(const uint8_t key[static 32], const uint8_t iv[static 16])
{
    struct aes_ctr *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->ctx = EVP_CIPHER_CTX_new();
    if (!c->ctx || EVP_EncryptInit_ex2(c->ctx, EVP_aes_256_ctr(), key, iv, NULL) != 1) {
        aes_ctr_free(c);
        return NULL;
    }
    return c;
}

void aes_ctr_xor(struct aes_ctr *c, uint8_t *data, size_t len)
{
    while (len > 0) {
        int chunk = len > CHUNK_MAX ? CHUNK_MAX : (int)len;
        int written = 0;
        /* Cannot fail for a stream cipher that was set up; going on would send plain bytes. */
        if (EVP_EncryptUpdate(c->ctx, data, &written, data, chunk) != 1 || written != chunk)
            abort();
        data += chunk;
        len -= (size_t)chunk;
    }
}

void aes_ctr_free(struct aes_ctr *c)
{
    if (!c)
        return;
    EVP_CIPHER_CTX_free(c->ctx); /* wipes the key */
    free(c);
}
