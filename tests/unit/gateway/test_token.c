/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/foreign.h"
#include "gateway/token.h"

struct fixture {
    struct token_keys *keys;
    struct token_keys *other;
    struct digests *digests;
    struct rng rng;
};

static struct token_keys *keys_of(const char *text)
{
    char error[256];
    return token_keys_parse(slice_str(text), error, sizeof error);
}

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_B "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->keys = keys_of("# current\n" KEY_A "\n");
    f->other = keys_of(KEY_B);
    f->digests = digests_new();
    rng_init_seed(&f->rng, 5);
    *state = f;
    return f->keys && f->other && f->digests ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    token_keys_free(f->keys);
    token_keys_free(f->other);
    digests_free(f->digests);
    free(f);
    return 0;
}

static void seal_note(const struct token_keys *keys, struct buf *out)
{
    struct rng rng;
    rng_init_seed(&rng, 6);
    token_seal_bytes(keys, &rng, "note", slice_str("payload"), out);
    assert_false(out->failed);
}

static bool opens_note(const struct token_keys *keys, struct slice sealed)
{
    uint8_t out[TOKEN_SMALL_MAX];
    size_t n;
    return token_open_bytes(keys, "note", sealed, out, &n) && slice_is(slice_of(out, n), "payload");
}

static struct session sample(struct fixture *f)
{
    struct session s = {.dc = 2, .flags = SESSION_TEST_DC, .state = SESSION_PASSWORD};
    s.api_id = 12345;
    s.user_id = 5000000001;
    rng_fill(&f->rng, s.key.key, sizeof s.key.key);
    s.key.id = auth_key_id(f->digests, s.key.key);
    snprintf(s.api_hash, sizeof s.api_hash, "0123456789abcdef0123456789abcdef");
    snprintf(s.phone, sizeof s.phone, "+9996621234");
    snprintf(s.phone_code_hash, sizeof s.phone_code_hash, "a1b2c3d4e5f6a7b8c9");
    for (s.salts.n = 0; s.salts.n < 6; s.salts.n++)
        s.salts.spans[s.salts.n] = (struct salt_span){
            rng_u64(&f->rng), 1700000000 + (int64_t)s.salts.n * 1800, 1700003600};
    return s;
}

static struct buf seal(struct fixture *f, const struct token_keys *k, const struct session *s)
{
    struct buf b;
    buf_init(&b, 0);
    token_seal(k, &f->rng, s, &b);
    assert_false(b.failed);
    return b;
}

static void test_round_trip_and_size(void **state)
{
    struct fixture *f = *state;
    struct session s = sample(f), back;
    struct buf b = seal(f, f->keys, &s);
    assert_true(slice_starts_with(buf_slice(&b), "tgr1."));
    assert_in_range(b.len, 500, 660);
    bool old_key = true;
    assert_int_equal(token_open(f->keys, f->digests, buf_slice(&b), &back, &old_key), TOKEN_OK);
    assert_false(old_key);
    assert_int_equal(back.dc, s.dc);
    assert_int_equal(back.flags, s.flags);
    assert_int_equal(back.state, s.state);
    assert_memory_equal(back.key.key, s.key.key, sizeof s.key.key);
    assert_true(back.key.id == s.key.id);
    assert_int_equal(back.api_id, s.api_id);
    assert_string_equal(back.api_hash, s.api_hash);
    assert_string_equal(back.phone, s.phone);
    assert_string_equal(back.phone_code_hash, s.phone_code_hash);
    assert_true(back.user_id == s.user_id);
    assert_int_equal(back.salts.n, 6);
    assert_true(back.salts.spans[5].salt == s.salts.spans[5].salt);
    assert_true(back.salts.spans[5].valid_since == s.salts.spans[5].valid_since);
    buf_free(&b);
}

/* The largest string still fits into what proxies take in a header. */
static void test_scope_survives(void **state)
{
    struct fixture *f = *state;
    struct session s = sample(f), back;
    s.state = SESSION_AUTHORIZED;
    s.scope = (struct session_scope){.read_only = true, .expires_at = 1800000000};
    for (s.scope.n_chats = 0; s.scope.n_chats < SESSION_CHATS_MAX; s.scope.n_chats++)
        s.scope.chats[s.scope.n_chats] = -1000000000000 - (int64_t)s.scope.n_chats;
    for (s.scope.n_routes = 0; s.scope.n_routes < SESSION_ROUTES_MAX; s.scope.n_routes++)
        s.scope.routes[s.scope.n_routes] = (uint32_t)rng_u64(&f->rng);
    for (int32_t i = 0; i < SESSION_EXTRA_KEYS_MAX; i++) {
        s.extra_keys[i].dc = i + 3;
        rng_fill(&f->rng, s.extra_keys[i].key.key, AUTH_KEY_BYTES);
    }
    memset(s.api_hash, 'x', SESSION_API_HASH_MAX);
    memset(s.phone, '9', SESSION_PHONE_MAX);
    memset(s.phone_code_hash, 'y', SESSION_PHONE_CODE_HASH_MAX);
    s.qr_token = UINT64_MAX;
    struct buf b = seal(f, f->keys, &s);
    assert_in_range(b.len, 2000, 4096);
    assert_int_equal(token_open(f->keys, f->digests, buf_slice(&b), &back, NULL), TOKEN_OK);
    assert_memory_equal(&back.scope, &s.scope, sizeof s.scope);
    assert_true(back.qr_token == s.qr_token);
    assert_string_equal(back.phone_code_hash, s.phone_code_hash);
    buf_free(&b);
}

static void test_keys_of_other_data_centres_survive(void **state)
{
    struct fixture *f = *state;
    struct session s = sample(f), back;
    struct buf without = seal(f, f->keys, &s);
    for (int32_t i = 0; i < SESSION_EXTRA_KEYS_MAX; i++) {
        struct session_extra_key *extra = &s.extra_keys[i];
        extra->dc = i == 0 ? 258 : i + 3;
        rng_fill(&f->rng, extra->key.key, AUTH_KEY_BYTES);
        extra->key.id = auth_key_id(f->digests, extra->key.key);
    }
    struct buf b = seal(f, f->keys, &s);
    assert_in_range(b.len, without.len + 3 * 344, without.len + 3 * 350);
    assert_int_equal(token_open(f->keys, f->digests, buf_slice(&b), &back, NULL), TOKEN_OK);
    assert_memory_equal(back.extra_keys, s.extra_keys, sizeof s.extra_keys);
    assert_int_equal(token_open(f->keys, f->digests, buf_slice(&without), &back, NULL), TOKEN_OK);
    assert_int_equal(back.extra_keys[0].dc, 0);
    buf_free(&b);
    buf_free(&without);
}

static void test_odd_api_hash_survives(void **state)
{
    struct fixture *f = *state;
    struct session s = sample(f), back;
    const char *hashes[] = {"", "0123456789ABCDEF0123456789abcdef", "not hex", "abc"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(s.api_hash, sizeof s.api_hash, "%s", hashes[i]);
        struct buf b = seal(f, f->keys, &s);
        assert_int_equal(token_open(f->keys, f->digests, buf_slice(&b), &back, NULL), TOKEN_OK);
        assert_string_equal(back.api_hash, hashes[i]);
        buf_free(&b);
    }
}

static void test_every_change_is_refused(void **state)
{
    struct fixture *f = *state;
    struct session s = sample(f), back;
    struct session zero = {0};
    struct buf b = seal(f, f->keys, &s);
    for (size_t i = 0; i < b.len; i++) {
        b.data[i] ^= 1;
        assert_int_not_equal(token_open(f->keys, f->digests, buf_slice(&b), &back, NULL), TOKEN_OK);
        assert_memory_equal(&back, &zero, sizeof zero);
        b.data[i] ^= 1;
        struct slice cut = {b.data, i};
        assert_int_not_equal(token_open(f->keys, f->digests, cut, &back, NULL), TOKEN_OK);
    }
    buf_append_str(&b, "AAAA");
    assert_int_equal(token_open(f->keys, f->digests, buf_slice(&b), &back, NULL), TOKEN_FORGED);
    buf_free(&b);
}

static void test_rotation(void **state)
{
    struct fixture *f = *state;
    struct token_keys *rotated = keys_of(KEY_B "\n" KEY_A);
    struct session s = sample(f), back;
    struct buf b = seal(f, f->keys, &s);
    bool old_key = false;
    assert_int_equal(token_open(rotated, f->digests, buf_slice(&b), &back, &old_key), TOKEN_OK);
    assert_true(old_key);
    assert_int_equal(token_open(f->other, f->digests, buf_slice(&b), &back, NULL),
                     TOKEN_UNKNOWN_KEY);
    buf_free(&b);
    b = seal(f, rotated, &s);
    assert_int_equal(token_open(f->other, f->digests, buf_slice(&b), &back, NULL), TOKEN_OK);
    buf_free(&b);
    token_keys_free(rotated);
}

static void test_key_files(void **state)
{
    (void)state;
    char error[256];
    assert_null(keys_of(""));
    assert_null(keys_of("# nothing\n\n"));
    assert_null(keys_of("tooshort\n"));
    assert_null(keys_of(KEY_A "x\n"));

    char path[] = "build/key-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    struct token_keys *made = token_keys_load(path, error, sizeof error);
    assert_non_null(made);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    struct token_keys *again = token_keys_load(path, error, sizeof error);
    struct buf sealed;
    buf_init(&sealed, 0);
    seal_note(made, &sealed);
    assert_true(opens_note(again, buf_slice(&sealed)));
    buf_free(&sealed);
    assert_int_equal(chmod(path, 0644), 0);
    assert_null(token_keys_load(path, error, sizeof error));
    assert_non_null(strstr(error, "chmod 600"));
    unlink(path);
    token_keys_free(made);
    token_keys_free(again);
}

/* A replica's part: says what it seals with. */
static bool load_and_tell(const char *file, int to)
{
    char error[256];
    struct buf sealed;
    buf_init(&sealed, 0);
    struct token_keys *keys = token_keys_load(file, error, sizeof error);
    if (!keys)
        return false;
    seal_note(keys, &sealed);
    buf_append_byte(&sealed, '\n');
    return write(to, sealed.data, sealed.len) == (ssize_t)sealed.len;
}

static void expect_sealed(const char *file, int from, size_t n)
{
    char error[256], text[4096];
    struct token_keys *keys = token_keys_load(file, error, sizeof error);
    assert_non_null(keys);
    ssize_t len = read(from, text, sizeof text - 1);
    assert_true(len > 0);
    text[len] = '\0';
    size_t lines = 0;
    for (char *rest = text, *line; (line = strtok_r(rest, "\n", &rest)) != NULL; lines++)
        assert_true(opens_note(keys, slice_str(line)));
    assert_int_equal(lines, n);
    token_keys_free(keys);
}

/* Replicas that share a directory start at once: one key is made, and all seal with it. */
static void test_a_key_file_is_made_whole(void **state)
{
    (void)state;
    enum { ROUNDS = 50, REPLICAS = 4 };
    char path[] = "build/key-XXXXXX";
    assert_true(mkdtemp(path) != NULL);
    char file[sizeof path + 4];
    snprintf(file, sizeof file, "%s/key", path);
    int told[2];
    assert_int_equal(pipe(told), 0);
    for (int round = 0; round < ROUNDS; round++) {
        pid_t children[REPLICAS];
        for (size_t i = 0; i < REPLICAS; i++) {
            children[i] = fork();
            assert_true(children[i] >= 0);
            if (children[i] == 0)
                _exit(load_and_tell(file, told[1]) ? 0 : 1);
        }
        for (size_t i = 0; i < REPLICAS; i++) {
            int status;
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_int_equal(status, 0);
        }
        expect_sealed(file, told[0], REPLICAS);
        assert_int_equal(unlink(file), 0);
    }
    close(told[0]);
    close(told[1]);
    assert_int_equal(rmdir(path), 0); /* nothing else is left behind */
}

static void test_foreign_sessions_of_telethon(void **state)
{
    struct fixture *f = *state;
    struct json_object *rows = json_object_from_file("tests/vectors/gateway/foreign_sessions.json");
    assert_non_null(rows);
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *token = json_object_get_string(json_object_object_get(row, "token"));
        struct session s;
        assert_int_equal(token_open(f->keys, f->digests, slice_str(token), &s, NULL), TOKEN_OK);
        assert_int_equal(s.dc, json_object_get_int(json_object_object_get(row, "dc")));
        assert_int_equal(s.api_id, json_object_get_int(json_object_object_get(row, "api_id")));
        assert_string_equal(s.api_hash,
                            json_object_get_string(json_object_object_get(row, "api_hash")));
        char hex[2 * AUTH_KEY_BYTES + 1];
        sodium_bin2hex(hex, sizeof hex, s.key.key, AUTH_KEY_BYTES);
        assert_string_equal(hex, json_object_get_string(json_object_object_get(row, "key")));
        assert_int_equal(s.state, SESSION_AUTHORIZED);
        assert_true(s.flags & SESSION_FOREIGN);
    }
    /* The third row is an IPv4 one: what we write for it is the same to the letter. */
    struct json_object *row = json_object_array_get_idx(rows, 2);
    const char *token = json_object_get_string(json_object_object_get(row, "token"));
    struct session s;
    assert_true(older_token_read(slice_str(token), &s));
    struct buf b;
    buf_init(&b, 0);
    assert_null(older_token_write(&s, "127.0.0.1", 40443, &b));
    assert_true(slice_is(buf_slice(&b), token));
    buf_free(&b);
    json_object_put(rows);
}

static void test_garbage_is_malformed(void **state)
{
    struct fixture *f = *state;
    struct session s;
    const char *bad[] = {"", "x", ":", "1:", "1AAAA:AAAA", "tgr2.AAAA", "Bearer abc", "tgr1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(token_open(f->keys, f->digests, slice_str(bad[i]), &s, NULL),
                         TOKEN_MALFORMED);
}

/* Sealed by nobody, of every length that may be at a bound; the sanitizers watch the edges. */
static void test_long_garbage_stays_in_bounds(void **state)
{
    struct fixture *f = *state;
    struct session s;
    char big[8192];
    memset(big, 'A', sizeof big);
    memcpy(big, "tgr1.", 5);
    for (size_t n = 2048; n <= sizeof big; n += n % 1024 < 16 || n % 1024 > 1008 ? 1 : 16)
        assert_int_not_equal(token_open(f->keys, f->digests, slice_of(big, n), &s, NULL), TOKEN_OK);
    assert_int_equal(token_open(f->keys, f->digests, slice_of(big, sizeof big), &s, NULL),
                     TOKEN_FORGED);
}

static void test_small_texts_open_for_their_purpose_only(void **state)
{
    struct fixture *f = *state;
    struct buf b;
    buf_init(&b, 0);
    token_seal_bytes(f->keys, &f->rng, "peer", slice_str("payload"), &b);
    uint8_t out[TOKEN_SMALL_MAX];
    size_t n = 0;
    assert_true(token_open_bytes(f->keys, "peer", buf_slice(&b), out, &n));
    assert_true(slice_is(slice_of(out, n), "payload"));
    assert_false(token_open_bytes(f->keys, "dialogs", buf_slice(&b), out, &n));
    assert_false(token_open_bytes(f->other, "peer", buf_slice(&b), out, &n));
    for (size_t i = 0; i < b.len; i++) {
        b.data[i] ^= 1;
        assert_false(token_open_bytes(f->keys, "peer", buf_slice(&b), out, &n));
        b.data[i] ^= 1;
    }
    uint8_t big[TOKEN_SMALL_MAX + 1] = {0};
    buf_clear(&b);
    token_seal_bytes(f->keys, &f->rng, "peer", slice_of(big, TOKEN_SMALL_MAX), &b);
    assert_true(token_open_bytes(f->keys, "peer", buf_slice(&b), out, &n));
    token_seal_bytes(f->keys, &f->rng, "peer", slice_of(big, sizeof big), &b);
    assert_true(b.failed);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip_and_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_scope_survives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys_of_other_data_centres_survive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_odd_api_hash_survives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_change_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rotation, set_up, tear_down),
        cmocka_unit_test(test_key_files),
        cmocka_unit_test(test_a_key_file_is_made_whole),
        cmocka_unit_test_setup_teardown(test_foreign_sessions_of_telethon, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_garbage_is_malformed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_garbage_stays_in_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_small_texts_open_for_their_purpose_only, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
