/* SPDX-License-Identifier: MIT */
#include "vectors.h"

#include "crypto/crypto.h"

/* FIPS 180 and RFC 4231, given in one part and split in two. */
static const struct {
    const char *text;
    const char *sha1;
    const char *sha256;
} cases[] = {
    {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void assert_hex(const uint8_t *got, size_t len, const char *expected)
{
    char text[2 * 64 + 1];
    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", got[i]);
    assert_string_equal(text, expected);
}

static void test_sha_of_published_texts(void **state)
{
    struct digests *d = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice all = slice_str(cases[i].text);
        for (size_t cut = 0; cut <= all.len; cut++) {
            const struct slice parts[] = {{all.data, cut}, {all.data + cut, all.len - cut}};
            uint8_t out[SHA256_BYTES];
            sha1(d, parts, 2, out);
            assert_hex(out, SHA1_BYTES, cases[i].sha1);
            sha256(d, parts, 2, out);
            assert_hex(out, SHA256_BYTES, cases[i].sha256);
        }
    }
}

static void test_no_parts_is_the_empty_text(void **state)
{
    uint8_t out[SHA256_BYTES];
    sha256(*state, NULL, 0, out);
    assert_hex(out, SHA256_BYTES, cases[0].sha256);
}

static void test_hmac_of_rfc_4231(void **state)
{
    struct digests *d = *state;
    uint8_t out[SHA256_BYTES];
    uint8_t long_key[131];
    struct slice text = slice_str("what do ya want for nothing?");
    hmac_sha256(d, slice_str("Jefe"), &text, 1, out);
    assert_hex(out, SHA256_BYTES,
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");

    memset(long_key, 0xaa, sizeof long_key);
    const struct slice parts[] = {slice_str("Test Using Larger Than Block-Size Key"),
                                  slice_str(" - Hash Key First")};
    hmac_sha256(d, slice_of(long_key, sizeof long_key), parts, 2, out);
    assert_hex(out, SHA256_BYTES,
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_hmac_with_an_empty_key_keeps_nothing_of_the_last_key(void **state)
{
    struct digests *d = *state;
    uint8_t out[SHA256_BYTES];
    struct slice text = slice_str("x");
    hmac_sha256(d, slice_str("another key"), &text, 1, out);
    hmac_sha256(d, (struct slice){0}, NULL, 0, out);
    assert_hex(out, SHA256_BYTES,
               "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static int setup(void **state)
{
    *state = digests_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    digests_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha_of_published_texts),
        cmocka_unit_test(test_no_parts_is_the_empty_text),
        cmocka_unit_test(test_hmac_of_rfc_4231),
        cmocka_unit_test(test_hmac_with_an_empty_key_keeps_nothing_of_the_last_key),
    };
    return cmocka_run_group_tests_name("digest", tests, setup, teardown);
}
