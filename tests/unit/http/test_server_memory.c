/* SPDX-License-Identifier: MIT
 * A server without memory: calloc is the test's own here, and fails when it is told to. */
#include "harness.h"

#include <dlfcn.h>

static bool out_of_memory;
static size_t failures;

void *calloc(size_t n, size_t size)
{
    static void *(*next)(size_t n, size_t size);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "calloc");
    failures += out_of_memory;
    return out_of_memory ? NULL : next(n, size);
}

static void test_clients_are_served_once_there_is_memory_again(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    struct world w;
    struct client clients[2];
    int port;
    world_init(&w, &limits);
    assert_int_equal(http_server_listen(w.server, "127.0.0.1:0", false, &port), 0);
    for (size_t i = 0; i < 2; i++)
        client_tcp(&clients[i], &w, port);
    out_of_memory = true;
    while (failures < 2) /* once when it came, and once more */
        uv_run(&w.loop, UV_RUN_ONCE);
    out_of_memory = false;
    for (size_t i = 0; i < 2; i++) {
        client_send(&clients[i], GET_NOW);
        expect_echo(&w, &clients[i], "GET /now ", "");
    }
    for (size_t i = 0; i < 2; i++)
        client_free(&clients[i], &w);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients_are_served_once_there_is_memory_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
