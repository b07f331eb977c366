/* SPDX-License-Identifier: MIT */
#include "vectors.h"

#include "crypto/crypto.h"

static struct slice field(struct vectors *v, const char *side, const char *name)
{
    char full[40];
    snprintf(full, sizeof full, "%s_%s", side, name);
    return vectors_hex(v, full);
}

static void check_side(struct vectors *v, struct digests *d, bool from_server)
{
    const char *side = from_server ? "server" : "client";
    const uint8_t *auth_key = vectors_hex(v, "auth_key").data;
    struct slice plain = vectors_hex(v, "plain");
    uint8_t large[SHA256_BYTES];
    uint8_t msg_key[MSG_KEY_BYTES];
    uint8_t key[32];
    uint8_t iv[32];

    kdf2_msg_key_large(d, auth_key, from_server, plain, large);
    memcpy(msg_key, large + MSG_KEY_OFFSET, sizeof msg_key);
    assert_bytes(slice_of(msg_key, sizeof msg_key), field(v, side, "msg_key"));
    kdf2_aes(d, auth_key, from_server, msg_key, key, iv);
    assert_bytes(slice_of(key, sizeof key), field(v, side, "key"));
    assert_bytes(slice_of(iv, sizeof iv), field(v, side, "iv"));

    kdf1_msg_key(d, plain, msg_key);
    assert_bytes(slice_of(msg_key, sizeof msg_key), vectors_hex(v, "msg_key1"));
    kdf1_aes(d, auth_key, from_server, msg_key, key, iv);
    assert_bytes(slice_of(key, sizeof key), field(v, side, "key1"));
    assert_bytes(slice_of(iv, sizeof iv), field(v, side, "iv1"));
}

static void test_foreign_vectors(void **state)
{
    (void)state;
    struct vectors v;
    struct digests *d = digests_new();
    size_t n = 0;
    vectors_open(&v, "tests/vectors/crypto/kdf.txt");
    for (; vectors_next(&v); n++) {
        uint8_t key[32];
        uint8_t iv[32];
        check_side(&v, d, false);
        check_side(&v, d, true);
        kdf_handshake(d, vectors_hex(&v, "new_nonce").data, vectors_hex(&v, "server_nonce").data,
                      key, iv);
        assert_bytes(slice_of(key, sizeof key), vectors_hex(&v, "handshake_key"));
        assert_bytes(slice_of(iv, sizeof iv), vectors_hex(&v, "handshake_iv"));
        assert_true(auth_key_id(d, vectors_hex(&v, "auth_key").data) ==
                    load_le64(vectors_hex(&v, "auth_key_id").data));
    }
    vectors_close(&v);
    digests_free(d);
    assert_int_equal(n, 3);
}

static void test_handshake_key_of_the_documentation(void **state)
{
    (void)state;
    struct vectors v;
    struct digests *d = digests_new();
    uint8_t key[32];
    uint8_t iv[32];
    vectors_open(&v, "tests/vectors/crypto/auth_key_example.txt");
    assert_true(vectors_next(&v));
    kdf_handshake(d, vectors_hex(&v, "new_nonce").data, vectors_hex(&v, "server_nonce").data, key,
                  iv);
    assert_bytes(slice_of(key, sizeof key), vectors_hex(&v, "tmp_aes_key"));
    assert_bytes(slice_of(iv, sizeof iv), vectors_hex(&v, "tmp_aes_iv"));
    vectors_close(&v);
    digests_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign_vectors),
        cmocka_unit_test(test_handshake_key_of_the_documentation),
    };
    return cmocka_run_group_tests_name("kdf", tests, NULL, NULL);
}
