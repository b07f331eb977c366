/* SPDX-License-Identifier: MIT */
#include "vectors.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "crypto/crypto.h"

static struct buf read_file(const char *path)
{
    struct buf b;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    buf_init(&b, 0);
    size_t n = fread(buf_reserve(&b, 8192), 1, 8192, f);
    b.len = n;
    fclose(f);
    return b;
}

static struct rsa_key *test_key(void)
{
    struct buf pem = read_file("tests/vectors/crypto/rsa_test_key.pem");
    struct rsa_key *k = rsa_key_parse(buf_slice(&pem), NULL);
    buf_free(&pem);
    assert_non_null(k);
    return k;
}

static struct rsa_key *public_half(const struct rsa_key *k)
{
    struct buf pem;
    buf_init(&pem, 0);
    rsa_key_write_public_pem(k, &pem);
    assert_false(pem.failed);
    struct rsa_key *public = rsa_key_parse(buf_slice(&pem), NULL);
    buf_free(&pem);
    assert_non_null(public);
    return public;
}

/* All of Telegram's keys out of one text, one after the other, with the fingerprints that are
 * published. */
static void test_fingerprints_of_telegram_keys(void **state)
{
    (void)state;
    struct vectors v;
    struct buf all;
    uint64_t expected[16];
    size_t n = 0;
    buf_init(&all, 0);
    vectors_open(&v, "tests/vectors/crypto/rsa_telegram_keys.txt");
    for (; vectors_next(&v); n++) {
        expected[n] = load_le64(vectors_hex(&v, "fingerprint").data);
        for (const char *c = vectors_text(&v, "pem"); *c; c++)
            buf_append_byte(&all, *c == '|' ? '\n' : (uint8_t)*c);
        buf_append_str(&all, "\nwords between keys\n");
    }
    vectors_close(&v);
    assert_int_equal(n, 10);
    assert_true(expected[0] == 0xd09d1d85de64fd85 && expected[1] == 0xb25898df208d2603);

    struct slice rest = buf_slice(&all);
    for (size_t i = 0; i < n; i++) {
        struct rsa_key *k = rsa_key_parse(rest, &rest);
        assert_non_null(k);
        assert_false(rsa_key_is_private(k));
        assert_true(rsa_key_fingerprint(k) == expected[i]);
        rsa_key_free(k);
    }
    assert_null(rsa_key_parse(rest, &rest));
    assert_int_equal(rest.len, 0);
    buf_free(&all);
}

static void test_written_keys_are_read_back(void **state)
{
    (void)state;
    struct rsa_key *made = rsa_key_generate();
    struct buf pem;
    assert_non_null(made);
    assert_true(rsa_key_is_private(made));
    buf_init(&pem, 0);
    rsa_key_write_public_pem(made, &pem);
    assert_true(slice_starts_with(buf_slice(&pem), "-----BEGIN RSA PUBLIC KEY-----\n"));
    struct rsa_key *public = rsa_key_parse(buf_slice(&pem), NULL);
    assert_non_null(public);
    assert_false(rsa_key_is_private(public));
    assert_true(rsa_key_fingerprint(public) == rsa_key_fingerprint(made));

    buf_clear(&pem);
    rsa_key_write_private_pem(made, &pem);
    assert_true(slice_starts_with(buf_slice(&pem), "-----BEGIN RSA PRIVATE KEY-----\n"));
    struct rsa_key *private = rsa_key_parse(buf_slice(&pem), NULL);
    assert_non_null(private);
    assert_true(rsa_key_is_private(private));
    assert_true(rsa_key_fingerprint(private) == rsa_key_fingerprint(made));

    buf_clear(&pem);
    rsa_key_write_private_pem(public, &pem); /* has none */
    assert_true(pem.failed);
    buf_wipe_free(&pem);
    rsa_key_free(made);
    rsa_key_free(public);
    rsa_key_free(private);
    rsa_key_free(NULL);
}

static struct slice memory_of(BIO *bio)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    return slice_of(text, (size_t)len);
}

/* What other software writes: SPKI and PKCS#8 are read; encrypted, short and other keys are not. */
static void test_forms_of_keys(void **state)
{
    (void)state;
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    EVP_PKEY *small = EVP_RSA_gen(1024);
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    const struct {
        EVP_PKEY *key;
        int form; /* 0: SPKI, 1: PKCS#8, 2: encrypted PKCS#8, 3: encrypted traditional */
        bool good;
    } cases[] = {
        {rsa, 0, true},    {rsa, 1, true},    {rsa, 2, false}, {rsa, 3, false},
        {small, 0, false}, {small, 1, false}, {ec, 0, false},  {ec, 1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BIO *bio = BIO_new(BIO_s_mem());
        unsigned char password[] = "x";
        const EVP_CIPHER *cipher = cases[i].form >= 2 ? EVP_aes_128_cbc() : NULL;
        if (cases[i].form == 0)
            PEM_write_bio_PUBKEY(bio, cases[i].key);
        else if (cases[i].form == 3)
            PEM_write_bio_PrivateKey_traditional(bio, cases[i].key, cipher, password, 1, NULL,
                                                 NULL);
        else
            PEM_write_bio_PKCS8PrivateKey(bio, cases[i].key, cipher, (char *)password, 1, NULL,
                                          NULL);
        struct slice text = memory_of(bio);
        assert_true(text.len > 100);
        struct rsa_key *k = rsa_key_parse(text, NULL);
        assert_int_equal(k != NULL, cases[i].good);
        if (k)
            assert_int_equal(rsa_key_is_private(k), cases[i].form == 1);
        rsa_key_free(k);
        BIO_free(bio);
    }
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(small);
    EVP_PKEY_free(ec);
}

static void test_texts_that_are_no_key(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "hello",
        "-----BEGIN RSA PUBLIC KEY-----",
        "-----BEGIN RSA PUBLIC KEY-----\n-----END RSA PUBLIC KEY-----",
        "-----BEGIN RSA PUBLIC KEY-----\n!!!!\n-----END RSA PUBLIC KEY-----\n",
        "-----BEGIN RSA PUBLIC KEY-----\nMAYCAQECAQE=\n-----END RSA PUBLIC KEY-----\n",
        "-----END RSA PUBLIC KEY----------BEGIN RSA PUBLIC KEY-----",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct slice rest = slice_str("untouched");
        assert_null(rsa_key_parse(slice_str(texts[i]), &rest));
        assert_int_equal(rest.len <= strlen(texts[i]), 1);
    }
    /* Any cut of a good text. */
    struct buf pem = read_file("tests/vectors/crypto/rsa_test_key.pem");
    for (size_t cut = 0; cut + 8 < pem.len; cut += 7)
        assert_null(rsa_key_parse(slice_of(pem.data, cut), NULL));
    buf_free(&pem);
}

static void test_pad_round_trip(void **state)
{
    (void)state;
    struct rng rng;
    struct rsa_key *private = test_key();
    struct rsa_key *public = public_half(private);
    uint8_t data[145];
    uint8_t cipher[RSA_BYTES];
    uint8_t out[256];
    uint8_t hash[SHA1_BYTES];
    rng_init_seed(&rng, test_seed());
    /* A block is above the modulus in a quarter or more of the draws, so a missing second try
     * shows. */
    for (size_t len = 1; len <= 144; len++) {
        rng_fill(&rng, data, len);
        assert_true(rsa_pad_encrypt(public, &rng, slice_of(data, len), cipher));
        assert_int_equal(rsa_unpad(private, cipher, out, hash), RSA_PADDING_PAD);
        assert_memory_equal(out, data, len);
    }
    assert_false(rsa_pad_encrypt(public, &rng, slice_of(data, 145), cipher));
    assert_int_equal(rsa_unpad(public, cipher, out, hash), RSA_PADDING_NONE);
    rsa_key_free(private);
    rsa_key_free(public);
}

/* Telegram's keys decrypt nothing here, but every modulus must be able to take a block. */
static void test_pad_tries_again_above_the_modulus(void **state)
{
    (void)state;
    struct rng rng;
    struct rsa_key *k = NULL;
    uint8_t cipher[RSA_BYTES];
    struct vectors v;
    struct buf pem;
    rng_init_seed(&rng, test_seed());
    buf_init(&pem, 0);
    vectors_open(&v, "tests/vectors/crypto/rsa_telegram_keys.txt");
    while (vectors_next(&v)) {
        buf_clear(&pem);
        for (const char *c = vectors_text(&v, "pem"); *c; c++)
            buf_append_byte(&pem, *c == '|' ? '\n' : (uint8_t)*c);
        k = rsa_key_parse(buf_slice(&pem), NULL);
        for (int i = 0; i < 50; i++)
            assert_true(rsa_pad_encrypt(k, &rng, slice_str("data"), cipher));
        rsa_key_free(k);
    }
    vectors_close(&v);
    buf_free(&pem);
}

static void test_old_padding_round_trip(void **state)
{
    (void)state;
    struct rng rng;
    struct rsa_key *private = test_key();
    struct digests *d = digests_new();
    uint8_t data[236];
    uint8_t cipher[RSA_BYTES];
    uint8_t out[256];
    uint8_t hash[SHA1_BYTES];
    rng_init_seed(&rng, test_seed());
    for (size_t len = 1; len <= 235; len += 13) {
        rng_fill(&rng, data, len);
        assert_true(rsa_old_encrypt(private, &rng, slice_of(data, len), cipher));
        assert_int_equal(rsa_unpad(private, cipher, out, hash), RSA_PADDING_OLD);
        assert_memory_equal(out, data, len);
        assert_true(rsa_old_check(d, slice_of(out, len), hash));
        assert_false(rsa_old_check(d, slice_of(out, len - 1), hash));
        out[len - 1] ^= 1;
        assert_false(rsa_old_check(d, slice_of(out, len), hash));
    }
    assert_false(rsa_old_encrypt(private, &rng, slice_of(data, 236), cipher));
    digests_free(d);
    rsa_key_free(private);
}

static void test_foreign_ciphertexts(void **state)
{
    (void)state;
    struct vectors v;
    struct rsa_key *k = test_key();
    struct digests *d = digests_new();
    size_t n = 0;
    vectors_open(&v, "tests/vectors/crypto/rsa_encrypted.txt");
    for (; vectors_next(&v); n++) {
        uint8_t out[256];
        uint8_t hash[SHA1_BYTES];
        struct slice data = vectors_hex(&v, "data");
        assert_true(rsa_key_fingerprint(k) == load_le64(vectors_hex(&v, "fingerprint").data));
        assert_int_equal(rsa_unpad(k, vectors_hex(&v, "pad").data, out, hash), RSA_PADDING_PAD);
        assert_memory_equal(out, data.data, data.len);
        assert_int_equal(rsa_unpad(k, vectors_hex(&v, "old").data, out, hash), RSA_PADDING_OLD);
        assert_memory_equal(out, data.data, data.len);
        assert_true(rsa_old_check(d, data, hash));
    }
    vectors_close(&v);
    assert_int_equal(n, 4);
    digests_free(d);
    rsa_key_free(k);
}

static void test_damaged_ciphertexts(void **state)
{
    (void)state;
    struct rng rng;
    struct rsa_key *k = test_key();
    uint8_t cipher[RSA_BYTES];
    uint8_t out[256];
    uint8_t hash[SHA1_BYTES];
    rng_init_seed(&rng, test_seed());
    assert_true(rsa_pad_encrypt(k, &rng, slice_str("some data"), cipher));
    for (size_t i = 0; i < RSA_BYTES; i += 5) {
        cipher[i] ^= (uint8_t)(1u << (i % 8));
        assert_int_not_equal(rsa_unpad(k, cipher, out, hash), RSA_PADDING_PAD);
        cipher[i] ^= (uint8_t)(1u << (i % 8));
    }
    memset(cipher, 0xff, sizeof cipher); /* above the modulus */
    assert_int_equal(rsa_unpad(k, cipher, out, hash), RSA_PADDING_NONE);
    rsa_key_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fingerprints_of_telegram_keys),
        cmocka_unit_test(test_written_keys_are_read_back),
        cmocka_unit_test(test_forms_of_keys),
        cmocka_unit_test(test_texts_that_are_no_key),
        cmocka_unit_test(test_pad_round_trip),
        cmocka_unit_test(test_pad_tries_again_above_the_modulus),
        cmocka_unit_test(test_old_padding_round_trip),
        cmocka_unit_test(test_foreign_ciphertexts),
        cmocka_unit_test(test_damaged_ciphertexts),
    };
    return cmocka_run_group_tests_name("rsa", tests, NULL, NULL);
}
