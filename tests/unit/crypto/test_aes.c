/* SPDX-License-Identifier: MIT */
#include "vectors.h"

#include "crypto/crypto.h"

enum { BYTES_MAX = 4096 };

typedef void ige_fn(const uint8_t key[static 32], const uint8_t iv[static 32], const uint8_t *in,
                    uint8_t *out, size_t len);

static const struct {
    ige_fn *encrypt;
    ige_fn *decrypt;
} forms[] = {
    {aes_ige_encrypt, aes_ige_decrypt},
    {aes_ige_encrypt_portable, aes_ige_decrypt_portable},
};

static void check_both_forms(struct slice key, struct slice iv, struct slice plain,
                             struct slice cipher)
{
    uint8_t out[BYTES_MAX];
    for (size_t f = 0; f < 2; f++) {
        forms[f].encrypt(key.data, iv.data, plain.data, out, plain.len);
        assert_bytes(slice_of(out, plain.len), cipher);
        forms[f].decrypt(key.data, iv.data, out, out, cipher.len); /* in place */
        assert_bytes(slice_of(out, cipher.len), plain);
    }
}

static void test_ige_of_the_documentation(void **state)
{
    (void)state;
    struct vectors v;
    uint8_t with_hash[336];
    vectors_open(&v, "tests/vectors/crypto/auth_key_example.txt");
    assert_true(vectors_next(&v));
    struct slice key = vectors_hex(&v, "tmp_aes_key");
    struct slice iv = vectors_hex(&v, "tmp_aes_iv");
    check_both_forms(key, iv, vectors_hex(&v, "answer_with_hash"),
                     vectors_hex(&v, "encrypted_answer"));

    struct slice data = vectors_hex(&v, "client_DH_inner_data");
    struct slice padding = vectors_hex(&v, "client_padding");
    struct digests *d = digests_new();
    sha1(d, &data, 1, with_hash);
    digests_free(d);
    memcpy(with_hash + SHA1_BYTES, data.data, data.len);
    memcpy(with_hash + SHA1_BYTES + data.len, padding.data, padding.len);
    check_both_forms(key, iv, slice_of(with_hash, sizeof with_hash),
                     vectors_hex(&v, "client_encrypted_data"));
    vectors_close(&v);
}

static void test_ige_of_telethon(void **state)
{
    (void)state;
    struct vectors v;
    size_t n = 0;
    vectors_open(&v, "tests/vectors/crypto/aes_ige.txt");
    for (; vectors_next(&v); n++)
        check_both_forms(vectors_hex(&v, "key"), vectors_hex(&v, "iv"), vectors_hex(&v, "plain"),
                         vectors_hex(&v, "cipher"));
    vectors_close(&v);
    assert_int_equal(n, 7);
}

/* Both forms agree on random input of every length, in place and at odd addresses. */
static void test_ige_forms_agree(void **state)
{
    (void)state;
    struct rng rng;
    uint8_t key[32];
    uint8_t iv[32];
    uint8_t in[1 + 1024];
    uint8_t a[1 + 1024];
    uint8_t b[1024];
    rng_init_seed(&rng, test_seed());
    for (size_t len = 0; len <= 1024; len += 16) {
        rng_fill(&rng, key, sizeof key);
        rng_fill(&rng, iv, sizeof iv);
        rng_fill(&rng, in, sizeof in);
        for (int decrypt = 0; decrypt < 2; decrypt++) {
            memcpy(a + 1, in + 1, len);
            (decrypt ? aes_ige_decrypt : aes_ige_encrypt)(key, iv, a + 1, a + 1, len);
            (decrypt ? aes_ige_decrypt_portable : aes_ige_encrypt_portable)(key, iv, in + 1, b,
                                                                            len);
            assert_bytes(slice_of(a + 1, len), slice_of(b, len));
        }
    }
}

/* SP 800-38A, F.5.5 (CTR-AES256), in every split into two calls. */
static void test_ctr_of_sp_800_38a(void **state)
{
    (void)state;
    static const uint8_t key[] = {0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe, 0x2b, 0x73, 0xae,
                                  0xf0, 0x85, 0x7d, 0x77, 0x81, 0x1f, 0x35, 0x2c, 0x07, 0x3b, 0x61,
                                  0x08, 0xd7, 0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4};
    static const uint8_t iv[] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,
                                 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff};
    static const uint8_t plain[] = {0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96,
                                    0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a,
                                    0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03, 0xac, 0x9c,
                                    0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51};
    static const uint8_t cipher[] = {0x60, 0x1e, 0xc3, 0x13, 0x77, 0x57, 0x89, 0xa5,
                                     0xb7, 0xa7, 0xf5, 0x04, 0xbb, 0xf3, 0xd2, 0x28,
                                     0xf4, 0x43, 0xe3, 0xca, 0x4d, 0x62, 0xb5, 0x9a,
                                     0xca, 0x84, 0xe9, 0x90, 0xca, 0xca, 0xf5, 0xc5};
    for (size_t cut = 0; cut <= sizeof plain; cut++) {
        uint8_t data[sizeof plain];
        struct aes_ctr *c = aes_ctr_new(key, iv);
        assert_non_null(c);
        memcpy(data, plain, sizeof data);
        aes_ctr_xor(c, data, cut);
        aes_ctr_xor(c, data + cut, sizeof data - cut);
        assert_memory_equal(data, cipher, sizeof data);
        aes_ctr_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ige_of_the_documentation),
        cmocka_unit_test(test_ige_of_telethon),
        cmocka_unit_test(test_ige_forms_agree),
        cmocka_unit_test(test_ctr_of_sp_800_38a),
    };
    return cmocka_run_group_tests_name("aes", tests, NULL, NULL);
}
