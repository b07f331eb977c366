/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/coro.h"

enum { MANY = 200 };

struct trace {
    struct coro_pool *pool;
    struct coro *self;
    char text[64];
    int resumes_wanted;
    int result;
    uintptr_t stack_address;
};

static void note(struct trace *t, char c)
{
    size_t n = strlen(t->text);
    t->text[n] = c;
}

static void two_steps(void *arg)
{
    struct trace *t = arg;
    t->self = coro_self(t->pool);
    note(t, 'a');
    coro_suspend(t->pool);
    note(t, 'b');
    coro_suspend(t->pool);
    note(t, 'c');
}

static void test_steps_interleave_with_the_caller(void **state)
{
    (void)state;
    struct coro_pool *pool = coro_pool_new((struct coro_limits){0, 4, 4});
    struct trace t = {.pool = pool};
    assert_null(coro_self(pool));
    assert_true(coro_start(pool, two_steps, &t));
    note(&t, '1');
    assert_int_equal(coro_live(pool), 1);
    coro_resume(t.self);
    note(&t, '2');
    coro_resume(t.self);
    note(&t, '3');
    assert_string_equal(t.text, "a1b2c3");
    assert_int_equal(coro_live(pool), 0);
    assert_null(coro_self(pool));
    coro_pool_free(pool);
}

static int sum_with_suspends(struct trace *t, int depth)
{
    volatile char frame[200];
    memset((char *)(uintptr_t)frame, depth, sizeof frame);
    if (depth == 0)
        return 0;
    coro_suspend(t->pool);
    int below = sum_with_suspends(t, depth - 1);
    return below + (frame[0] == frame[sizeof frame - 1] ? depth : -1000);
}

static void recurse(void *arg)
{
    struct trace *t = arg;
    t->self = coro_self(t->pool);
    t->result = sum_with_suspends(t, t->resumes_wanted);
}

static void test_many_keep_their_own_frames(void **state)
{
    (void)state;
    struct coro_pool *pool = coro_pool_new((struct coro_limits){0, MANY, 8});
    static struct trace traces[MANY];
    for (int i = 0; i < MANY; i++) {
        traces[i] = (struct trace){.pool = pool, .resumes_wanted = i % 20 + 1, .result = -1};
        assert_true(coro_start(pool, recurse, &traces[i]));
    }
    assert_int_equal(coro_live(pool), MANY);
    for (int round = 0; round < 20; round++)
        for (int i = 0; i < MANY; i++)
            if (traces[i].result < 0)
                coro_resume(traces[i].self);
    for (int i = 0; i < MANY; i++) {
        int n = traces[i].resumes_wanted;
        assert_int_equal(traces[i].result, n * (n + 1) / 2);
    }
    assert_int_equal(coro_live(pool), 0);
    coro_pool_free(pool);
}

static void test_live_bound_refuses(void **state)
{
    (void)state;
    struct coro_pool *pool = coro_pool_new((struct coro_limits){0, 1, 1});
    struct trace a = {.pool = pool};
    struct trace b = {.pool = pool};
    assert_true(coro_start(pool, two_steps, &a));
    assert_false(coro_start(pool, two_steps, &b));
    assert_string_equal(b.text, "");
    coro_resume(a.self);
    coro_resume(a.self);
    assert_true(coro_start(pool, two_steps, &b));
    coro_resume(b.self);
    coro_resume(b.self);
    coro_pool_free(pool);
}

static void deep(void *arg)
{
    struct trace *t = arg;
    volatile char frame[32 * 1024];
    memset((char *)(uintptr_t)frame, 1, sizeof frame);
    t->result = frame[100];
}

static void note_stack(void *arg)
{
    struct trace *t = arg;
    t->stack_address = (uintptr_t)__builtin_frame_address(0);
}

static void test_deep_pages_are_given_back(void **state)
{
    (void)state;
    struct coro_pool *pool = coro_pool_new((struct coro_limits){64 * 1024, 1, 1});
    struct trace t = {.pool = pool};
    for (int i = 0; i < 32; i++)
        assert_true(coro_start(pool, deep, &t));
    assert_true(coro_start(pool, note_stack, &t));
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t below = (t.stack_address - 5 * page) & ~(page - 1);
    unsigned char resident = 1;
    assert_int_equal(mincore((void *)below, page, &resident), 0);
    assert_int_equal(resident & 1, 0);
    coro_pool_free(pool);
}

static void overflow(void *arg)
{
    volatile char *low = arg;
    volatile char frame[4096];
    frame[0] = 1;
    /* Never true: keeps the compiler from seeing that the recursion has no end. */
    if (low == frame)
        return;
    overflow((void *)(uintptr_t)frame);
    frame[1] = 2;
}

static void test_overflow_hits_the_guard_page(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct coro_pool *pool = coro_pool_new((struct coro_limits){0, 1, 1});
        signal(SIGSEGV, SIG_DFL);
        close(STDERR_FILENO);
        coro_start(pool, overflow, NULL);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_interleave_with_the_caller),
        cmocka_unit_test(test_many_keep_their_own_frames),
        cmocka_unit_test(test_live_bound_refuses),
        cmocka_unit_test(test_deep_pages_are_given_back),
        cmocka_unit_test(test_overflow_hits_the_guard_page),
    };
    return cmocka_run_group_tests_name("coro", tests, NULL, NULL);
}
