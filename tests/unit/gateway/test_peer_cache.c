/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "gateway/peer_cache.h"

static struct peer_ref user(int64_t id)
{
    return (struct peer_ref){.kind = PEER_USER, .has_hash = true, .id = id, .access_hash = id * 7};
}

static void put_user(struct peer_cache *cache, uint64_t account, int64_t id)
{
    struct peer_ref in = user(id);
    peer_cache_put(cache, account, &in);
}

static void test_what_is_put_is_found_by_its_account_only(void **state)
{
    (void)state;
    struct peer_cache *cache = peer_cache_new();
    struct peer_ref in = user(5), out;
    peer_cache_put(cache, 1, &in);
    assert_true(peer_cache_get(cache, 1, PEER_USER, 5, &out));
    assert_int_equal(out.access_hash, 35);
    assert_false(peer_cache_get(cache, 2, PEER_USER, 5, &out));
    assert_false(peer_cache_get(cache, 1, PEER_CHANNEL, 5, &out));
    assert_false(peer_cache_get(cache, 1, PEER_USER, 6, &out));
    in.access_hash = 99;
    peer_cache_put(cache, 1, &in);
    assert_true(peer_cache_get(cache, 1, PEER_USER, 5, &out));
    assert_int_equal(out.access_hash, 99);
    in.has_hash = false; /* useless without: does not replace a good one */
    peer_cache_put(cache, 1, &in);
    assert_true(peer_cache_get(cache, 1, PEER_USER, 5, &out));
    assert_true(out.has_hash);
    peer_cache_free(cache);
}

/* A page of chats of each of many accounts: nobody's peers may drive another's out while there is
 * room. */
static void test_a_tenth_full_it_forgets_nothing(void **state)
{
    (void)state;
    enum { ACCOUNTS = 100, PEERS = 16 };
    struct peer_cache *cache = peer_cache_new();
    struct peer_ref out;
    for (int round = 0; round < 2; round++) {
        for (uint64_t account = 1; account <= ACCOUNTS; account++)
            for (int64_t id = 1; id <= PEERS; id++)
                put_user(cache, account << 32, id);
        for (uint64_t account = 1; account <= ACCOUNTS; account++)
            for (int64_t id = 1; id <= PEERS; id++)
                assert_true(peer_cache_get(cache, account << 32, PEER_USER, id, &out) &&
                            out.access_hash == id * 7);
    }
    peer_cache_free(cache);
}

static void test_overfull_it_keeps_the_newest_and_gives_no_wrong_peer(void **state)
{
    (void)state;
    enum { MANY = 200000, LATEST = 1000 };
    struct peer_cache *cache = peer_cache_new();
    struct peer_ref out;
    size_t kept = 0;
    for (int64_t id = 1; id <= MANY; id++)
        put_user(cache, 3, id);
    for (int64_t id = 1; id <= MANY; id++) {
        bool there = peer_cache_get(cache, 3, PEER_USER, id, &out);
        kept += there;
        assert_true(!there || (out.id == id && out.access_hash == id * 7));
        assert_true(there || id <= MANY - LATEST);
    }
    assert_in_range(kept, 16000, 16384);
    peer_cache_free(cache);
}

static void test_names_fold_case_and_expire(void **state)
{
    (void)state;
    struct peer_cache *cache = peer_cache_new();
    struct peer_ref in = user(5), out;
    int64_t now_ns = 1000 * NS_PER_S;
    peer_cache_put_name(cache, 1, slice_str("Echo"), now_ns, &in);
    assert_true(peer_cache_get_name(cache, 1, slice_str("eCHO"), now_ns, &out));
    assert_int_equal(out.id, 5);
    assert_false(peer_cache_get_name(cache, 2, slice_str("echo"), now_ns, &out));
    assert_false(peer_cache_get_name(cache, 1, slice_str("echo1"), now_ns, &out));
    assert_true(peer_cache_get_name(cache, 1, slice_str("echo"), now_ns + 299 * NS_PER_S, &out));
    assert_false(peer_cache_get_name(cache, 1, slice_str("echo"), now_ns + 300 * NS_PER_S, &out));
    peer_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_put_is_found_by_its_account_only),
        cmocka_unit_test(test_a_tenth_full_it_forgets_nothing),
        cmocka_unit_test(test_overfull_it_keeps_the_newest_and_gives_no_wrong_peer),
        cmocka_unit_test(test_names_fold_case_and_expire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
