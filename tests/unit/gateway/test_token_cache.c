/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/clock.h"
#include "gateway/token_cache.h"

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_B "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="

static const int64_t life_ns = 10 * NS_PER_S;

struct fixture {
    struct token_keys *keys;
    struct token_keys
        *strangers; /* open nothing that keys sealed: what still opens was remembered */
    struct token_cache *cache;
    struct digests *digests;
    struct rng rng;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char error[256];
    f->keys = token_keys_parse(slice_str(KEY_A), error, sizeof error);
    f->strangers = token_keys_parse(slice_str(KEY_B), error, sizeof error);
    f->cache = token_cache_new(life_ns);
    f->digests = digests_new();
    rng_init_seed(&f->rng, 9);
    *state = f;
    return f->keys && f->strangers && f->cache && f->digests ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    token_keys_free(f->keys);
    token_keys_free(f->strangers);
    token_cache_free(f->cache);
    digests_free(f->digests);
    free(f);
    return 0;
}

static struct buf sealed(struct fixture *f, enum session_state state, struct session *s)
{
    struct buf text;
    buf_init(&text, 0);
    *s = (struct session){
        .dc = 2, .state = state, .api_id = 7, .user_id = 5000000001, .phone = "9996621001"};
    rng_fill(&f->rng, s->key.key, sizeof s->key.key);
    s->key.id = auth_key_id(f->digests, s->key.key);
    token_seal(f->keys, &f->rng, s, &text);
    return text;
}

static enum token_status open_at(struct fixture *f, const struct token_keys *keys, int64_t now_ns,
                                 struct slice text, struct session *out)
{
    bool old_key;
    return token_cache_open(f->cache, now_ns, keys, f->digests, text, out, &old_key);
}

static void test_remembers_until_unused_for_its_life(void **state)
{
    struct fixture *f = *state;
    struct session want, got;
    struct buf text = sealed(f, SESSION_AUTHORIZED, &want);
    struct slice t = buf_slice(&text);
    assert_int_equal(open_at(f, f->strangers, 0, t, &got), TOKEN_UNKNOWN_KEY);
    assert_int_equal(open_at(f, f->keys, 0, t, &got), TOKEN_OK);
    for (int64_t now_ns = 0; now_ns < 5 * life_ns; now_ns += life_ns - 1) {
        memset(&got, 0x55, sizeof got);
        assert_int_equal(open_at(f, f->strangers, now_ns, t, &got), TOKEN_OK);
        assert_memory_equal(&got.key, &want.key, sizeof want.key);
        assert_int_equal(got.user_id, want.user_id);
        assert_string_equal(got.phone, want.phone);
    }
    assert_int_equal(open_at(f, f->strangers, 6 * life_ns, t, &got), TOKEN_UNKNOWN_KEY);
    buf_free(&text);
}

static void test_a_remembered_string_must_agree_in_every_byte(void **state)
{
    struct fixture *f = *state;
    struct session want, got;
    struct buf text = sealed(f, SESSION_AUTHORIZED, &want);
    struct slice t = buf_slice(&text);
    assert_int_equal(open_at(f, f->keys, 0, t, &got), TOKEN_OK);
    for (size_t i = 0; i < text.len; i++) {
        text.data[i] ^= 1;
        assert_int_not_equal(open_at(f, f->keys, 0, t, &got), TOKEN_OK);
        text.data[i] ^= 1;
        assert_int_not_equal(open_at(f, f->keys, 0, slice_of(t.data, i), &got), TOKEN_OK);
    }
    assert_int_equal(open_at(f, f->strangers, 0, t, &got), TOKEN_OK);
    buf_free(&text);
}

static void test_logins_and_old_keys_are_not_remembered(void **state)
{
    struct fixture *f = *state;
    struct session s, got;
    char error[256];
    struct token_keys *rotated = token_keys_parse(slice_str(KEY_B "\n" KEY_A), error, sizeof error);
    struct buf login = sealed(f, SESSION_PASSWORD, &s), old = sealed(f, SESSION_AUTHORIZED, &s);
    bool old_key = false;
    assert_int_equal(open_at(f, f->keys, 0, buf_slice(&login), &got), TOKEN_OK);
    assert_int_equal(open_at(f, f->strangers, 0, buf_slice(&login), &got), TOKEN_UNKNOWN_KEY);
    for (int i = 0; i < 2; i++) {
        old_key = false;
        assert_int_equal(
            token_cache_open(f->cache, 0, rotated, f->digests, buf_slice(&old), &got, &old_key),
            TOKEN_OK);
        assert_true(old_key);
    }
    token_keys_free(rotated);
    buf_free(&login);
    buf_free(&old);
}

static void test_many_strings_take_each_others_places(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 3000 };
    static struct buf texts[MANY];
    static uint64_t ids[MANY];
    size_t kept = 0;
    struct session s;
    for (size_t i = 0; i < MANY; i++) {
        texts[i] = sealed(f, SESSION_AUTHORIZED, &s);
        ids[i] = s.key.id;
        assert_int_equal(open_at(f, f->keys, 0, buf_slice(&texts[i]), &s), TOKEN_OK);
    }
    for (size_t i = 0; i < MANY; i++) {
        if (open_at(f, f->strangers, 0, buf_slice(&texts[i]), &s) == TOKEN_OK) {
            assert_int_equal(s.key.id, ids[i]);
            kept++;
        }
        buf_free(&texts[i]);
    }
    assert_in_range(kept, 900, 1024); /* a fair hash leaves few of the slots unused */
}

static void test_without_a_cache_every_string_is_opened(void **state)
{
    struct fixture *f = *state;
    struct session want, got;
    bool old_key;
    struct buf text = sealed(f, SESSION_AUTHORIZED, &want);
    assert_int_equal(
        token_cache_open(NULL, 0, f->keys, f->digests, buf_slice(&text), &got, &old_key), TOKEN_OK);
    assert_int_equal(
        token_cache_open(NULL, 0, f->strangers, f->digests, buf_slice(&text), &got, &old_key),
        TOKEN_UNKNOWN_KEY);
    token_cache_free(NULL);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_remembers_until_unused_for_its_life, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_remembered_string_must_agree_in_every_byte, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_logins_and_old_keys_are_not_remembered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_many_strings_take_each_others_places, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_cache_every_string_is_opened, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
