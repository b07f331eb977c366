/* SPDX-License-Identifier: MIT
 * Messages that are sent later. */
#include "world_harness.h"
#include "sandbox/scheduled.h"

struct pair {
    struct harness *h;
    struct user *ann, *ben;
};

static struct pair pair_new(const char *schema)
{
    struct pair p = {.h = harness_new(schema)};
    p.ann = add_account(p.h, "9996620101", "Ann");
    p.ben = add_account(p.h, "9996620102", "Ben");
    return p;
}

/* Ann asks for a text to Ben in so many seconds; its id among the scheduled ones. */
static int32_t schedule(struct pair *p, const char *text, int32_t in_s, int64_t random_id)
{
    const struct tl_object *o =
        call(p->h, p->ann, "messages.sendMessage",
             "{\"peer\": %lld, \"message\": \"%s\", \"random_id\": %lld, \"schedule_date\": %d}",
             (long long)p->ben->id, text, (long long)random_id, p->h->now + in_s);
    const struct tl_object *id = tl_item_obj(o, F_updates, 0),
                           *fresh = tl_item_obj(o, F_updates, 1);
    assert_int_equal(tl_count(o, F_updates), 2);
    assert_true(tl_is(id, C_updateMessageID));
    assert_int_equal(tl_int(id, F_random_id), random_id);
    assert_true(tl_is(fresh, C_updateNewScheduledMessage));
    const struct tl_object *message = tl_obj(fresh, F_message);
    assert_true(slice_is(tl_text(message, F_message), text));
    assert_int_equal(tl_int(message, F_date), p->h->now + in_s);
    assert_true(tl_bool(message, F_from_scheduled));
    assert_int_equal(tl_int(message, F_id), tl_int(id, F_id));
    return (int32_t)tl_int(id, F_id);
}

static uint32_t waiting(struct pair *p)
{
    return tl_count(call(p->h, p->ann, "messages.getScheduledHistory",
                         "{\"peer\": %lld, \"hash\": 0}", (long long)p->ben->id),
                    F_messages);
}

static uint32_t arrived(struct pair *p)
{
    const struct dialog *d = user_dialog_find(p->ben, p->ann->id);
    return d ? d->ids.n : 0;
}

static void messages_are_sent_when_they_are_due(void **state)
{
    struct pair p = pair_new(*state);
    schedule(&p, "second", 200, 1);
    schedule(&p, "first", 100, 2);
    assert_int_equal(waiting(&p), 2);
    assert_int_equal(arrived(&p), 0);
    world_run_scheduled(p.h->world, p.h->now + 99);
    assert_int_equal(arrived(&p), 0);
    p.h->n_pushes = 0;
    world_run_scheduled(p.h->world, p.h->now + 100);
    assert_int_equal(arrived(&p), 1);
    assert_int_equal(waiting(&p), 1);
    const struct update *gone = &p.h->pushes[p.h->n_pushes - 1].update;
    assert_ptr_equal(gone->type, &world_updates[U_DELETE_SCHEDULED]);
    const struct message *m = world_message(p.h->world, p.ann, p.ben->id, (int32_t)gone->b);
    assert_memory_equal(m->text, "first", 5);
    assert_int_equal(m->date, p.h->now + 100);
    world_run_scheduled(p.h->world, p.h->now + 1000);
    assert_int_equal(arrived(&p), 2);
    assert_int_equal(world_next_scheduled(p.h->world), 0);
    harness_free(p.h);
}

static void they_are_sent_at_once_or_taken_back_on_demand(void **state)
{
    struct pair p = pair_new(*state);
    int32_t sent = schedule(&p, "a", 100, 1), taken = schedule(&p, "b", 100, 2);
    const struct tl_object *o =
        call(p.h, p.ann, "messages.getScheduledMessages", "{\"peer\": %lld, \"id\": [%d, 99]}",
             (long long)p.ben->id, taken);
    assert_int_equal(tl_count(o, F_messages), 1);
    o = call(p.h, p.ann, "messages.sendScheduledMessages", "{\"peer\": %lld, \"id\": [%d]}",
             (long long)p.ben->id, sent);
    assert_true(tl_is(tl_item_obj(o, F_updates, 0), C_updateNewMessage));
    const struct tl_object *gone = tl_item_obj(o, F_updates, 1);
    assert_true(tl_is(gone, C_updateDeleteScheduledMessages));
    assert_int_equal(tl_item(gone, F_messages, 0)->i, sent);
    assert_int_equal(tl_item(gone, F_sent_messages, 0)->i,
                     tl_int(tl_obj(tl_item_obj(o, F_updates, 0), F_message), F_id));
    assert_int_equal(arrived(&p), 1);
    static const char take_back[] = "{\"peer\": %lld, \"id\": [%d]}";
    o = call(p.h, p.ann, "messages.deleteScheduledMessages", take_back, (long long)p.ben->id,
             taken);
    assert_int_equal(tl_count(tl_item_obj(o, F_updates, 0), F_sent_messages), 0);
    assert_string_equal(call_error(p.h, p.ann, "messages.deleteScheduledMessages", take_back,
                                   (long long)p.ben->id, taken),
                        "MESSAGE_ID_INVALID");
    assert_int_equal(arrived(&p), 1);
    assert_int_equal(waiting(&p), 0);
    harness_free(p.h);
}

static void a_repeated_random_id_is_kept_once(void **state)
{
    struct pair p = pair_new(*state);
    int32_t id = schedule(&p, "a", 100, 7);
    assert_int_equal(schedule(&p, "a", 100, 7), id);
    assert_int_equal(waiting(&p), 1);
    world_run_scheduled(p.h->world, p.h->now + 100);
    assert_string_equal(
        call_error(p.h, p.ann, "messages.sendMessage",
                   "{\"peer\": %lld, \"message\": \"a\", \"random_id\": 7, \"schedule_date\": %d}",
                   (long long)p.ben->id, p.h->now + 200),
        "RANDOM_ID_DUPLICATE");
    harness_free(p.h);
}

static void dates_are_bounded(void **state)
{
    (void)state;
    struct pair p = pair_new(NULL);
    static const char query[] =
        "{\"peer\": %lld, \"message\": \"a\", \"random_id\": %d, \"schedule_date\": %d}";
    assert_string_equal(call_error(p.h, p.ann, "messages.sendMessage", query, (long long)p.ben->id,
                                   1, p.h->now + 367 * 86400),
                        "SCHEDULE_DATE_TOO_LATE");
    call(p.h, p.ann, "messages.sendMessage", query, (long long)p.ben->id, 2, p.h->now + 5);
    assert_int_equal(arrived(&p), 1); /* as good as now */
    for (int i = 0; i < 100; i++)
        schedule(&p, "a", 1000 + i, 100 + i);
    assert_string_equal(call_error(p.h, p.ann, "messages.sendMessage", query, (long long)p.ben->id,
                                   3, p.h->now + 100),
                        "SCHEDULE_TOO_MUCH");
    harness_free(p.h);
}

static void who_was_thrown_out_sends_nothing(void **state)
{
    (void)state;
    struct pair p = pair_new(NULL);
    const struct tl_object *o = call(p.h, p.ben, "channels.createChannel",
                                     "{\"title\": \"G\", \"about\": \"\", \"megagroup\": true}");
    struct chat *c =
        world_chat(p.h->world, peer_of_channel(tl_int(tl_item_obj(o, F_chats, 0), F_id)));
    assert_non_null(chat_join(c, p.ann, p.ben->id, p.h->now));
    call(p.h, p.ann, "messages.sendMessage",
         "{\"peer\": %lld, \"message\": \"a\", \"random_id\": 1, \"schedule_date\": %d}",
         (long long)c->peer, p.h->now + 100);
    uint32_t before = c->live.n;
    chat_part(c, p.ann, MEMBER_KICKED, p.h->now);
    world_run_scheduled(p.h->world, p.h->now + 100);
    assert_int_equal(c->live.n, before);
    assert_int_equal(world_next_scheduled(p.h->world), 0);
    harness_free(p.h);
}

int main(void)
{
    static char older_layer[] = "schema/layers/api-216.tl";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_sent_when_they_are_due),
        cmocka_unit_test_prestate(messages_are_sent_when_they_are_due, older_layer),
        cmocka_unit_test(they_are_sent_at_once_or_taken_back_on_demand),
        cmocka_unit_test_prestate(they_are_sent_at_once_or_taken_back_on_demand, older_layer),
        cmocka_unit_test(a_repeated_random_id_is_kept_once),
        cmocka_unit_test(dates_are_bounded),
        cmocka_unit_test(who_was_thrown_out_sends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
