/* SPDX-License-Identifier: MIT
 * Parts of files on a session that serves small calls too: order, memory, how much goes at once. */
#include "link.h"

enum { PART_BYTES = 512 * 1024, PARTS = 5 };

struct bulk {
    uint8_t bytes[PARTS][PART_BYTES];
    uint32_t order[TAGS_MAX]; /* tags, as the server saw them */
    size_t n_seen;
    unsigned damaged;
};

static struct bulk bulk;

static int setup(void **state)
{
    static struct pair p; /* too large for a small stack */
    memset(&bulk, 0, sizeof bulk);
    pair_init(&p, 1);
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    pair_free(*state);
    return 0;
}

/* The tag's part, whose bytes stay here. */
static struct slice part_query_of(size_t tag)
{
    uint8_t *bytes = bulk.bytes[tag - 1];
    memset(bytes, (int)tag, PART_BYTES);
    store_le32(bytes, QUERY_ID);
    store_le32(bytes + 4, (uint32_t)tag);
    return slice_of(bytes, PART_BYTES);
}

static void note_order(struct pair *p, uint64_t msg_id, struct slice body)
{
    uint32_t tag = query_tag(body);
    if (bulk.n_seen < TAGS_MAX)
        bulk.order[bulk.n_seen++] = tag;
    if (body.len >= PART_BYTES) {
        const uint8_t *part = body.data + body.len - PART_BYTES;
        bulk.damaged += memcmp(part, bulk.bytes[tag - 1], PART_BYTES) != 0;
    }
    pair_answer(p, msg_id, tag);
}

/* A session that has said hello: what follows needs no further round trips. */
static void begin(struct pair *p)
{
    p->handle = note_order;
    pair_start(p);
    pair_connect(p);
    pair_call(p, 10, CALL_ONCE);
    pair_run(p);
    assert_int_equal(p->results[10], 1);
    bulk.n_seen = 0;
}

static void queue_parts(struct pair *p)
{
    for (size_t tag = 1; tag <= PARTS; tag++)
        assert_true(client_session_call_borrowed(p->client, part_query_of(tag), CALL_REPEATABLE,
                                                 tag_of(tag)));
}

static void test_small_calls_go_before_parts(void **state)
{
    struct pair *p = *state;
    begin(p);
    queue_parts(p);
    pair_call(p, 11, CALL_ONCE);
    pair_call(p, 12, CALL_ONCE);
    pair_run(p);
    static const uint32_t order[] = {11, 12, 1, 2, 3, 4, 5};
    assert_int_equal(bulk.n_seen, 7);
    assert_memory_equal(bulk.order, order, sizeof order);
    assert_int_equal(bulk.damaged, 0);
    for (size_t tag = 1; tag <= PARTS; tag++)
        assert_int_equal(p->results[tag], 1);
}

static void test_parts_do_not_go_all_at_once(void **state)
{
    struct pair *p = *state;
    begin(p);
    queue_parts(p);
    unsigned flushes = 0;
    while (client_session_wants_flush(p->client)) {
        size_t before = p->up.len;
        client_session_flush(p->client, &p->ct, &p->up);
        assert_in_range(p->up.len - before, 1, FLUSH_BYTES + PART_BYTES + 4096);
        buf_clear(&p->up); /* into a socket */
        flushes++;
    }
    assert_int_equal(flushes, PARTS);
}

static void test_parts_survive_a_lost_link_where_they_lie(void **state)
{
    struct pair *p = *state;
    begin(p);
    queue_parts(p);
    client_session_flush(p->client, &p->ct, &p->up);
    client_session_flush(p->client, &p->ct, &p->up);
    pair_cut(p);
    pair_connect(p);
    pair_run(p);
    assert_int_equal(bulk.damaged, 0);
    for (size_t tag = 1; tag <= PARTS; tag++)
        assert_int_equal(p->results[tag], 1);
}

static void test_a_cancelled_part_is_not_looked_at_again(void **state)
{
    struct pair *p = *state;
    begin(p);
    uint8_t *bytes = malloc(PART_BYTES);
    struct slice query = part_query_of(1);
    memcpy(bytes, query.data, query.len);
    assert_true(client_session_call_borrowed(p->client, slice_of(bytes, PART_BYTES),
                                             CALL_REPEATABLE, tag_of(1)));
    client_session_cancel(p->client, tag_of(1));
    free(bytes); /* a sanitizer would tell of any use from here on */
    pair_call(p, 11, CALL_ONCE);
    pair_run(p);
    assert_int_equal(bulk.n_seen, 1);
    assert_int_equal(p->results[11], 1);
    assert_int_equal(client_session_open_calls(p->client), 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_small_calls_go_before_parts),
        CASE(test_parts_do_not_go_all_at_once),
        CASE(test_parts_survive_a_lost_link_where_they_lie),
        CASE(test_a_cancelled_part_is_not_looked_at_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
