/* SPDX-License-Identifier: MIT
 * Dialogs and history, page by page, against a model of the server: nothing twice, nothing left
 * out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/random.h"
#include "telegram/dialogs.h"
#include "telegram/messages.h"
#include "telegram/schema_case.h"

static uint64_t test_seed(void)
{
    const char *given = getenv("TGREST_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 0xd1a10;
    print_message("TGREST_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/* ---- a server's dialogs ---- */

enum { CHATS_MAX = 300 };
struct chat_model {
    int64_t id;
    int32_t date; /* of the top message; many share one */
    bool pinned;
    bool no_top;
};
struct server {
    struct tl_builder *b;
    struct chat_model chats[CHATS_MAX]; /* pinned ones first, then by date and id falling */
    size_t n;
    size_t short_by; /* pages come that much shorter than asked, but never empty */
};

static int newer_first(const void *left, const void *right)
{
    const struct chat_model *a = left, *b = right;
    if (a->pinned != b->pinned)
        return a->pinned ? -1 : 1;
    if (a->date != b->date)
        return a->date > b->date ? -1 : 1;
    return a->id > b->id ? -1 : 1;
}

static void fill(struct server *s, struct rng *rng)
{
    s->n = 1 + rng_below(rng, CHATS_MAX);
    size_t pinned = rng_below(rng, 3) ? rng_below(rng, 6) : rng_below(rng, 90);
    for (size_t i = 0; i < s->n; i++)
        s->chats[i] = (struct chat_model){.id = 1000 + (int64_t)i,
                                          .date = 1000 + (int32_t)rng_below(rng, 50),
                                          .pinned = i < pinned};
    qsort(s->chats, s->n, sizeof *s->chats, newer_first);
    s->short_by = rng_below(rng, 3);
}

static const struct tl_object *peer_object(struct tl_builder *b, int64_t id)
{
    struct tl_object *o = tl_new(b, C_peerChat);
    tl_set_int(o, F_chat_id, id);
    return o;
}

static void serve_one(struct server *s, const struct chat_model *chat, struct tl_vector *dialogs,
                      struct tl_vector *messages)
{
    struct tl_object *dialog = tl_new(s->b, C_dialog), *message = tl_new(s->b, C_message);
    tl_set_obj(dialog, F_peer, peer_object(s->b, chat->id));
    tl_set_int(dialog, F_top_message, chat->id);
    tl_set_bool(dialog, F_pinned, chat->pinned);
    tl_set_obj(message, F_peer_id, peer_object(s->b, chat->id));
    tl_set_int(message, F_id, chat->id);
    tl_set_int(message, F_date, chat->date);
    tl_push_obj(s->b, dialogs, dialog);
    tl_push_obj(s->b, messages, message);
}

static const struct tl_object *serve_dialogs(struct server *s, const struct tl_object *request)
{
    struct tl_object *answer = tl_new(s->b, C_messages_dialogsSlice);
    struct tl_vector *dialogs = tl_set_vec(s->b, answer, F_dialogs),
                     *messages = tl_set_vec(s->b, answer, F_messages);
    int64_t date = tl_int(request, F_offset_date), id = tl_int(request, F_offset_id), given = 0;
    int64_t limit = tl_int(request, F_limit) - (int64_t)s->short_by;
    bool exclude = tl_bool(request, F_exclude_pinned);
    for (size_t i = 0; i < s->n && given < (limit > 0 ? limit : 1); i++) {
        const struct chat_model *chat = &s->chats[i];
        bool older = !date || chat->date < date || (chat->date == date && chat->id < id);
        if (chat->pinned ? exclude : !older)
            continue;
        serve_one(s, chat, dialogs, messages);
        given++;
    }
    tl_set_int(answer, F_count, (int64_t)s->n);
    return answer;
}

static void take_page(const struct dialogs_page *page, uint32_t count, int64_t *seen, size_t *n)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(tl_int(dialogs_top(page, i), F_id),
                         tl_int(dialogs_at(page, i), F_top_message));
        seen[(*n)++] = tl_int(dialogs_at(page, i), F_top_message);
        assert_true(*n <= CHATS_MAX);
    }
}

/* Reads all dialogs with pages of `limit`, taking at most `take` of each. */
static void walk(struct server *s, int32_t limit, uint32_t take)
{
    int64_t seen[CHATS_MAX + 1];
    size_t n = 0;
    struct dialogs_cursor cursor = {0};
    for (unsigned pages = 0;; pages++) {
        assert_true(pages < 3 * CHATS_MAX);
        uint8_t payload[DIALOGS_CURSOR_MAX];
        struct dialogs_cursor opened;
        assert_true(dialogs_cursor_decode(
            slice_of(payload, dialogs_cursor_encode(&cursor, payload)), &opened));
        const struct tl_object *answer = serve_dialogs(s, request_dialogs(s->b, &opened, limit));
        struct dialogs_page page;
        assert_true(dialogs_read(answer, &opened, limit, NULL, s->b->arena, &page));
        uint32_t taken = page.n < take ? page.n : take;
        take_page(&page, taken, seen, &n);
        assert_int_equal(page.total, s->n);
        if (taken == page.n && page.last)
            break;
        cursor = taken == page.n ? page.next : dialogs_cursor_after(&page, taken - 1, NULL);
    }
    assert_int_equal(n, s->n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(seen[i], s->chats[i].id);
}

static void dialogs_come_once_each(void **state)
{
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    struct arena a;
    arena_init(&a, 0);
    for (int round = 0; round < 60; round++) {
        struct tl_builder b = tl_builder_of(*state, &a);
        struct server s = {.b = &b};
        fill(&s, &rng);
        int32_t limit = 1 + (int32_t)rng_below(&rng, 100);
        walk(&s, limit, 1 + (uint32_t)rng_below(&rng, (uint64_t)limit));
        walk(&s, 100, 100);
        assert_false(b.failed);
        arena_reset(&a);
    }
    arena_free(&a);
}

static void whole_answers_end_at_once(void **state)
{
    struct arena a;
    arena_init(&a, 0);
    static const char text[] =
        "{\"_\":\"messages.dialogs\",\"dialogs\":[],\"messages\":[],\"chats\":[],\"users\":[]}";
    struct dialogs_cursor start = {0};
    struct dialogs_page page;
    assert_true(dialogs_read(object_of_text(*state, text, &a), &start, 100, NULL, &a, &page));
    assert_true(page.last && page.n == 0 && page.total == 0);
    static const char other[] = "{\"_\":\"messages.dialogsNotModified\",\"count\":3}";
    assert_false(dialogs_read(object_of_text(*state, other, &a), &start, 100, NULL, &a, &page));
    arena_free(&a);
}

static void forged_cursors_are_refused(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    for (int i = 0; i < 20000; i++) {
        uint8_t raw[DIALOGS_CURSOR_MAX];
        size_t n = rng_below(&rng, sizeof raw);
        rng_fill(&rng, raw, n);
        if (n)
            raw[0] = 1;
        struct dialogs_cursor c;
        if (dialogs_cursor_decode(slice_of(raw, n), &c))
            assert_true(c.skip >= 0 && c.skip <= DIALOGS_PAGE_MAX);
    }
}

/* ---- a chat's history ---- */

struct chat_history {
    struct tl_builder *b;
    int32_t n;        /* messages 1…n; number i is of date 1000 + i / 3; every seventh is gone */
    bool with_offset; /* the server tells offset_id_offset */
};

static bool exists(int32_t id)
{
    return id % 7 != 0;
}

static int64_t date_of(int32_t id)
{
    return 1000 + id / 3;
}

static bool matches(const struct tl_object *request, int32_t id)
{
    int64_t offset_id = tl_int(request, F_offset_id), offset_date = tl_int(request, F_offset_date);
    int64_t min = tl_int(request, F_min_date), max = tl_int(request, F_max_date);
    if (!exists(id) || (offset_id && id >= offset_id))
        return false;
    if (!offset_id && offset_date && date_of(id) >= offset_date)
        return false;
    return (!min || date_of(id) > min) && (!max || date_of(id) < max);
}

static const struct tl_object *serve_history(struct chat_history *h,
                                             const struct tl_object *request)
{
    struct tl_object *answer = tl_new(h->b, C_messages_messagesSlice);
    struct tl_vector *messages = tl_set_vec(h->b, answer, F_messages);
    int64_t count = 0, before = 0, given = 0;
    for (int32_t id = h->n; id > 0; id--) {
        count += exists(id);
        before += exists(id) && !matches(request, id) && given == 0;
        if (!matches(request, id) || given == tl_int(request, F_limit))
            continue;
        struct tl_object *m = tl_new(h->b, C_message);
        tl_set_int(m, F_id, id);
        tl_set_int(m, F_date, date_of(id));
        tl_set_obj(m, F_peer_id, peer_object(h->b, 5));
        tl_push_obj(h->b, messages, m);
        given++;
    }
    tl_set_int(answer, F_count, count);
    if (h->with_offset)
        tl_set_int(answer, F_offset_id_offset, before);
    return answer;
}

static bool wanted(const struct history_query *q, int32_t id)
{
    return exists(id) && (!q->from_date || date_of(id) >= q->from_date) &&
           (!q->to_date || date_of(id) <= q->to_date);
}

static void read_back(struct chat_history *h, struct history_query q)
{
    const struct peer_ref peer = {.kind = PEER_CHAT, .id = 5};
    int32_t expected = h->n;
    unsigned pages = 0;
    for (bool more = true; more; pages++) {
        struct history_page page;
        assert_true(pages < 200);
        const struct tl_object *answer = serve_history(h, request_history(h->b, &peer, &q));
        assert_true(history_read(answer, &q, h->b->arena, &page));
        for (uint32_t i = 0; i < page.n; i++) {
            while (expected > 0 && !wanted(&q, expected))
                expected--;
            assert_int_equal(message_id_of(page.messages[i]), expected--);
        }
        q.offset_id = page.next_offset_id;
        more = !page.last;
    }
    while (expected > 0 && !wanted(&q, expected))
        expected--;
    assert_int_equal(expected, 0);
    /* Dates bound the work: nothing far outside them is fetched. */
    assert_true(pages <= (unsigned)(h->n / q.limit) + 2);
}

static void history_comes_once_each_inside_the_dates(void **state)
{
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    struct arena a;
    arena_init(&a, 0);
    for (int round = 0; round < 200; round++) {
        struct tl_builder b = tl_builder_of(*state, &a);
        struct chat_history h = {&b, (int32_t)rng_below(&rng, 400), rng_below(&rng, 2)};
        struct history_query q = {.limit = 1 + (int32_t)rng_below(&rng, 100)};
        if (h.n / q.limit > 150)
            q.limit = 10;
        if (rng_below(&rng, 2))
            q.from_date = 1000 + (int64_t)rng_below(&rng, 150);
        if (rng_below(&rng, 2))
            q.to_date = 1000 + (int64_t)rng_below(&rng, 150);
        if (rng_below(&rng, 2))
            q.search = slice_str("x");
        read_back(&h, q);
        assert_false(b.failed);
        arena_reset(&a);
    }
    arena_free(&a);
}

static void a_known_end_costs_no_extra_page(void **state)
{
    struct arena a;
    arena_init(&a, 0);
    struct tl_builder b = tl_builder_of(*state, &a);
    struct chat_history h = {&b, 40, true};
    struct history_query q = {.limit = 100};
    struct history_page page;
    const struct peer_ref peer = {.kind = PEER_CHAT, .id = 5};
    assert_true(history_read(serve_history(&h, request_history(&b, &peer, &q)), &q, &a, &page));
    assert_true(page.last);
    assert_int_equal(page.n, 35);
    assert_int_equal(page.total, 35);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogs_come_once_each),
        cmocka_unit_test(whole_answers_end_at_once),
        cmocka_unit_test(forged_cursors_are_refused),
        cmocka_unit_test(history_comes_once_each_inside_the_dates),
        cmocka_unit_test(a_known_end_costs_no_extra_page),
    };
    return cmocka_run_group_tests_name("telegram paging", tests, schema_setup, schema_teardown);
}
