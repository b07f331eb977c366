/* SPDX-License-Identifier: MIT
 * Laws of paging: the pages of a list, one after the other, are the list: no gap, no repetition,
 * whatever is added meanwhile. Against a plain model of what the documentation says. */
#include "base/random.h"
#include "world_harness.h"

enum { ROUNDS = 60 };

static struct chat *new_group(struct harness *h, struct user *owner)
{
    struct chat *c = world_add_chat(h->world, PEER_CHANNEL, slice_str("G"), slice_str(""),
                                    CHAT_MEGAGROUP, owner->id, h->now);
    assert_non_null(c);
    assert_non_null(chat_join(c, owner, owner->id, h->now));
    return c;
}

/* n messages with some holes. */
static void fill(struct harness *h, struct rng *rng, struct chat *c, uint32_t n)
{
    assert_true(world_fill_chat(h->world, c, n, h->now - 10, 7));
    for (uint32_t i = 0; i < n / 5; i++) {
        int32_t id = (int32_t)(1 + rng_below(rng, c->n_slots));
        world_delete_posts(h->world, c, &id, 1, h->now);
    }
}

struct window {
    int32_t offset_id, offset_date, add_offset, limit, max_id, min_id;
};

static const struct tl_object *history(struct harness *h, struct user *u, int64_t peer,
                                       struct window w)
{
    return call(h, u, "messages.getHistory",
                "{\"peer\": %lld, \"offset_id\": %d, \"offset_date\": %d, \"add_offset\": %d, "
                "\"limit\": %d, \"max_id\": %d, "
                "\"min_id\": %d, \"hash\": 0}",
                (long long)peer, w.offset_id, w.offset_date, w.add_offset, w.limit, w.max_id,
                w.min_id);
}

/* Straight from the words: list newest first, what max_id and min_id leave; start at the first that
 * is older than the offset; move by add_offset; take limit places, of which only existing ones
 * count. */
static uint32_t expected(const struct chat *c, struct window w, int32_t *out)
{
    static int32_t list[4096];
    uint32_t n = 0, found = 0;
    for (uint32_t i = c->live.n; i-- > 0;) {
        int32_t id = c->live.ids[i];
        if ((w.max_id && id >= w.max_id) || (w.min_id && id <= w.min_id))
            continue;
        list[n++] = id;
    }
    int64_t start = 0;
    while (start < n &&
           ((w.offset_id && list[start] >= w.offset_id) ||
            (!w.offset_id && w.offset_date && chat_message(c, list[start])->date >= w.offset_date)))
        start++;
    start += w.add_offset;
    for (int64_t i = start; i < start + w.limit; i++)
        if (i >= 0 && i < n)
            out[found++] = list[i];
    return found;
}

static void windows_are_what_the_words_say(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    struct user *u = add_account(h, "9996620201", "U");
    struct chat *c = new_group(h, u);
    fill(h, &rng, c, 300);
    for (int i = 0; i < ROUNDS * 20; i++) {
        struct window w = {.limit = (int32_t)rng_below(&rng, 60)};
        if (rng_below(&rng, 3))
            w.offset_id = (int32_t)rng_below(&rng, 330);
        else if (rng_below(&rng, 2))
            w.offset_date = h->now - (int32_t)rng_below(&rng, 2400);
        if (rng_below(&rng, 2))
            w.add_offset = (int32_t)rng_below(&rng, 120) - 60;
        if (rng_below(&rng, 4) == 0)
            w.max_id = (int32_t)rng_below(&rng, 330);
        if (rng_below(&rng, 4) == 0)
            w.min_id = (int32_t)rng_below(&rng, 330);
        int32_t want[64];
        uint32_t n = expected(c, w, want);
        const struct tl_object *o = history(h, u, c->peer, w);
        assert_int_equal(tl_count(o, F_messages), n);
        assert_int_equal(tl_int(o, F_count), c->live.n);
        for (uint32_t k = 0; k < n; k++)
            assert_int_equal(tl_int(tl_item_obj(o, F_messages, k), F_id), want[k]);
    }
    harness_free(h);
}

static void history_pages_join_without_gap_under_insertion(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    struct user *u = add_account(h, "9996620201", "U");
    for (int round = 0; round < ROUNDS; round++) {
        struct chat *c = new_group(h, u);
        fill(h, &rng, c, 20 + (uint32_t)rng_below(&rng, 200));
        uint32_t total = c->live.n, seen = 0;
        int32_t *want = malloc(total * sizeof *want);
        memcpy(want, c->live.ids, total * sizeof *want);
        int32_t last = 0, limit = (int32_t)rng_below(&rng, 30) + 1;
        for (;;) {
            const struct tl_object *o =
                history(h, u, c->peer, (struct window){.offset_id = last, .limit = limit});
            uint32_t n = tl_count(o, F_messages);
            if (n == 0)
                break;
            for (uint32_t k = 0; k < n; k++, seen++) {
                last = (int32_t)tl_int(tl_item_obj(o, F_messages, k), F_id);
                assert_true(seen < total);
                assert_int_equal(last, want[total - 1 - seen]);
            }
            if (rng_below(&rng, 2))
                send_text(h, u, c->peer, "meanwhile");
        }
        assert_int_equal(seen, total);
        free(want);
    }
    harness_free(h);
}

static void search_pages_join_to_the_matches(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    struct user *u = add_account(h, "9996620201", "U"), *v = add_account(h, "9996620202", "V");
    struct chat *c = new_group(h, u);
    assert_non_null(chat_join(c, v, 0, h->now));
    fill(h, &rng, c, 400);
    uint32_t want = 0, seen = 0;
    for (uint32_t i = 0; i < c->live.n; i++) {
        const struct message *m = chat_message(c, c->live.ids[i]);
        char text[256];
        snprintf(text, sizeof text, " %.*s", (int)m->text_len, m->text);
        want += m->from == v->id && strstr(text, " garden") && m->date > h->now - 2000 &&
                m->date < h->now - 100;
    }
    assert_true(want > 3);
    for (int32_t last = 0;;) {
        const struct tl_object *o =
            call(h, u, "messages.search",
                 "{\"peer\": %lld, \"q\": \"GARD\", \"from_id\": %lld, \"filter\": {\"_\": "
                 "\"inputMessagesFilterEmpty\"}, \"min_date\": %d, "
                 "\"max_date\": %d, \"offset_id\": %d, \"add_offset\": 0, \"limit\": 3, "
                 "\"max_id\": 0, \"min_id\": 0, \"hash\": 0}",
                 (long long)c->peer, (long long)v->id, h->now - 2000, h->now - 100, last);
        assert_int_equal(tl_int(o, F_count), want);
        if (tl_count(o, F_messages) == 0)
            break;
        for (uint32_t k = 0; k < tl_count(o, F_messages); k++, seen++) {
            int32_t id = (int32_t)tl_int(tl_item_obj(o, F_messages, k), F_id);
            assert_true(last == 0 || id < last);
            last = id;
        }
    }
    assert_int_equal(seen, want);
    harness_free(h);
}

/* ---- dialogs ---- */

struct seen {
    int64_t peers[512];
    uint32_t n;
};

static bool see(struct seen *s, int64_t peer)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->peers[i] == peer)
            return false;
    s->peers[s->n++] = peer;
    return true;
}

static int64_t peer_of(const struct tl_object *peer)
{
    if (tl_is(peer, C_peerUser))
        return tl_int(peer, F_user_id);
    return tl_is(peer, C_peerChat) ? peer_of_chat(tl_int(peer, F_chat_id))
                                   : peer_of_channel(tl_int(peer, F_channel_id));
}

/* The offset of the next page: the last dialog of this one, and the date of its message. */
static bool next_offset(const struct tl_object *o, int32_t *date, int32_t *id, int64_t *peer)
{
    uint32_t n = tl_count(o, F_dialogs);
    if (n == 0)
        return false;
    const struct tl_object *d = tl_item_obj(o, F_dialogs, n - 1);
    *peer = peer_of(tl_obj(d, F_peer));
    *id = (int32_t)tl_int(d, F_top_message);
    for (uint32_t i = 0; i < tl_count(o, F_messages); i++) {
        const struct tl_object *m = tl_item_obj(o, F_messages, i);
        if (tl_int(m, F_id) == *id && peer_of(tl_obj(m, F_peer_id)) == *peer)
            *date = (int32_t)tl_int(m, F_date);
    }
    return true;
}

static const struct tl_object *dialogs(struct harness *h, struct user *u, const char *more,
                                       int32_t date, int32_t id, int64_t peer, int32_t limit)
{
    return call(h, u, "messages.getDialogs",
                "{%s \"offset_date\": %d, \"offset_id\": %d, \"offset_peer\": %lld, \"limit\": %d, "
                "\"hash\": 0}",
                more, date, id, (long long)peer, limit);
}

static void dialog_pages_join_to_the_list(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    struct user *u = add_account(h, "9996620201", "U");
    for (int i = 0; i < 120; i++) { /* many with the same date */
        struct user *other =
            world_add_user(h->world, slice_str(""), slice_str("X"), slice_str(""), 2);
        world_post(h->world, &(struct draft){.from = other->id,
                                             .peer = u->id,
                                             .text = slice_str("t"),
                                             .date = h->now - (int32_t)rng_below(&rng, 20),
                                             .quiet = true});
        if (i % 3 == 0)
            fill(h, &rng, new_group(h, u), 1 + (uint32_t)rng_below(&rng, 4));
        if (i % 40 == 0)
            call_value(h, u, "messages.toggleDialogPin", "{\"pinned\": true, \"peer\": %lld}",
                       (long long)other->id);
        if (i % 11 == 0)
            user_dialog_find(u, other->id)->folder = 1;
    }
    static const struct {
        const char *query;
        uint32_t pinned, left_out;
    } scopes[] = {{"", 3, 0},
                  {"\"folder_id\": 0,", 2, 0},
                  {"\"folder_id\": 1,", 1, 0},
                  {"\"exclude_pinned\": true,", 0, 3}};
    for (size_t s = 0; s < sizeof scopes / sizeof *scopes; s++) {
        for (int32_t limit = 1; limit <= 60; limit += 7) {
            struct seen seen = {.n = 0};
            int32_t date = 0, id = 0;
            int64_t peer = 0;
            uint32_t count = 0, pinned = 0;
            for (bool first = true;; first = false) {
                const struct tl_object *o = dialogs(h, u, scopes[s].query, date, id, peer, limit);
                count = (uint32_t)tl_int(o, F_count);
                for (uint32_t i = 0; i < tl_count(o, F_dialogs); i++) {
                    const struct tl_object *d = tl_item_obj(o, F_dialogs, i);
                    assert_true(see(&seen, peer_of(tl_obj(d, F_peer))));
                    pinned += tl_bool(d, F_pinned);
                    assert_true(first || !tl_bool(d, F_pinned));
                }
                if (!next_offset(o, &date, &id, &peer))
                    break;
            }
            assert_int_equal(pinned, scopes[s].pinned);
            assert_int_equal(seen.n + scopes[s].left_out, count);
        }
    }
    harness_free(h);
}

static void participants_pages_join_to_the_list(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    struct user *u = add_account(h, "9996620201", "U");
    struct chat *c = new_group(h, u);
    for (int i = 0; i < 57; i++)
        chat_join(c, world_add_user(h->world, slice_str(""), slice_str("M"), slice_str(""), 2), 0,
                  h->now);
    struct seen seen = {.n = 0};
    for (int offset = 0;; offset += 10) {
        const struct tl_object *o =
            call(h, u, "channels.getParticipants",
                 "{\"channel\": %lld, \"filter\": {\"_\": \"channelParticipantsRecent\"}, "
                 "\"offset\": %d, \"limit\": 10, \"hash\": 0}",
                 (long long)c->peer, offset);
        assert_int_equal(tl_int(o, F_count), 58);
        for (uint32_t i = 0; i < tl_count(o, F_participants); i++)
            assert_true(see(&seen, tl_int(tl_item_obj(o, F_participants, i), F_user_id)));
        if (tl_count(o, F_participants) == 0)
            break;
    }
    assert_int_equal(seen.n, 58);
    harness_free(h);
}

/* Of all chats at once, one message a page and five at a time: every match once, newest first. */
static void global_search_pages_join_to_the_matches(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    struct user *ann = add_account(h, "9996620201", "Ann"),
                *ben = add_account(h, "9996620202", "Ben");
    struct chat *groups[3];
    for (int i = 0; i < 3; i++)
        groups[i] = new_group(h, ann);
    enum { SENT = 40 };
    for (int i = 0; i < SENT; i++) {
        h->now += i % 3; /* several of one second */
        send_text(h, ann, i % 4 == 3 ? ben->id : groups[i % 4]->peer, i % 2 ? "needle" : "straw");
    }
    for (int limit = 1; limit <= 5; limit += 4) {
        long long rate = 0, peer = 0;
        int32_t id = 0, found = 0, last_date = INT32_MAX;
        for (;;) {
            const struct tl_object *o =
                call(h, ann, "messages.searchGlobal",
                     "{\"q\": \"needle\", \"filter\": {\"_\": \"inputMessagesFilterEmpty\"}, "
                     "\"min_date\": 0, \"max_date\": 0, \"offset_rate\": %lld, \"offset_peer\": "
                     "%lld, \"offset_id\": %d, \"limit\": %d}",
                     rate, peer, id, limit);
            for (uint32_t i = 0; i < tl_count(o, F_messages); i++) {
                const struct tl_object *m = tl_item_obj(o, F_messages, i),
                                       *in = tl_obj(m, F_peer_id);
                assert_true(tl_int(m, F_date) <= last_date);
                last_date = (int32_t)tl_int(m, F_date);
                id = (int32_t)tl_int(m, F_id);
                peer = tl_is(in, C_peerUser) ? tl_int(in, F_user_id)
                                             : peer_of_channel(tl_int(in, F_channel_id));
                found++;
            }
            rate = tl_int(o, F_next_rate);
            if (!rate)
                break;
            assert_int_equal(rate, last_date);
        }
        assert_int_equal(found, SENT / 2);
    }
    const struct tl_object *o =
        call(h, ann, "messages.searchGlobal",
             "{\"users_only\": true, \"q\": \"needle\", \"filter\": {\"_\": "
             "\"inputMessagesFilterEmpty\"}, \"min_date\": 0, \"max_date\": 0, \"offset_rate\": 0, "
             "\"offset_peer\": 0, \"offset_id\": 0, \"limit\": 100}");
    assert_int_equal(tl_count(o, F_messages), SENT / 4);
    harness_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_what_the_words_say),
        cmocka_unit_test(history_pages_join_without_gap_under_insertion),
        cmocka_unit_test(search_pages_join_to_the_matches),
        cmocka_unit_test(global_search_pages_join_to_the_matches),
        cmocka_unit_test(dialog_pages_join_to_the_list),
        cmocka_unit_test(participants_pages_join_to_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
