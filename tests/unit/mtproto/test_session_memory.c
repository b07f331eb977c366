/* SPDX-License-Identifier: MIT
 * What sessions allocate: nothing for a warm call, little when idle. Allocations are counted by
 * standing in front of glibc's, which the sanitizers do themselves: there the figures are skipped.
 */
#include "link.h"

#include <malloc.h>
#include <openssl/crypto.h>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTING 1
#else
#define COUNTING 0
#endif

static struct {
    size_t calls;
    size_t live_bytes;
} heap;

#if COUNTING

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

static void *count(void *p)
{
    heap.calls++;
    heap.live_bytes += p ? malloc_usable_size(p) : 0;
    return p;
}

void *malloc(size_t n)
{
    return count(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
    return count(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
    heap.live_bytes -= p ? malloc_usable_size(p) : 0;
    return count(__libc_realloc(p, n));
}

void free(void *p)
{
    heap.live_bytes -= p ? malloc_usable_size(p) : 0;
    __libc_free(p);
}

/* OpenSSL 3.0 allocates a context with each digest; that is not ours to count. */
static void *openssl_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return __libc_malloc(n);
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return __libc_realloc(p, n);
}

static void openssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    __libc_free(p);
}

static void leave_out_openssl(void)
{
    CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
}

#else

static void leave_out_openssl(void)
{
}

#endif

static struct pair p;

static void exchange(size_t calls)
{
    for (size_t tag = 1; tag <= calls; tag++)
        assert_true(client_session_call(p.client, slice_of("\xe5\xb1\x1a\x05\x01\x00\x00\x00", 8),
                                        CALL_ONCE, tag_of(tag)));
    pair_run(&p);
}

static void test_warm_calls_allocate_nothing(void **state)
{
    (void)state;
    pair_init(&p, 3);
    pair_start(&p);
    pair_connect(&p);
    for (int i = 0; i < 40; i++) /* past the first growth of everything */
        exchange(64);
    size_t before = heap.calls;
    for (int i = 0; i < 10; i++)
        exchange(64);
    size_t allocations = heap.calls - before;
    print_message("allocations in 640 warm calls, both sides: %zu\n", allocations);
    assert_int_equal(allocations, 0);
    assert_int_equal(p.results[1], 50);
    pair_free(&p);
}

static void test_idle_sessions_give_back(void **state)
{
    (void)state;
    pair_init(&p, 4);
    p.client_config.init_prefix = slice_of((const uint8_t[200]){0}, 200);
    size_t empty = heap.live_bytes;
    pair_start(&p);
    size_t fresh = heap.live_bytes - empty;
    pair_connect(&p);
    buf_reserve(&p.up, 200000); /* the wire is not the session's */
    buf_reserve(&p.down, 200000);
    for (int i = 0; i < 10; i++)
        exchange(64);
    for (int i = 0; i < 3; i++) {
        pair_advance(&p, 11);
        client_session_tick(p.client);
        pair_run(&p);
    }
    server_session_free(p.server);
    p.server = NULL;
    buf_free(&p.up);
    buf_free(&p.down);
    size_t idle = heap.live_bytes - empty;
    print_message("client session: fresh %zu bytes, idle after use %zu\n", fresh, idle);
    if (COUNTING) {
        assert_in_range(fresh, 500, 1400); /* 200 of them are the prefix of the test */
        assert_int_equal(idle, fresh);
    }
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_warm_calls_allocate_nothing),
        cmocka_unit_test(test_idle_sessions_give_back),
    };
    leave_out_openssl();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
