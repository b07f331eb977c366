/* SPDX-License-Identifier: MIT
 * What a client that was away asks for: its account's difference, which names the channels that
 * moved, and each channel's own. */
#include "world_harness.h"

struct away {
    struct harness *h;
    struct user *ann;     /* writes */
    struct user *bob;     /* was away */
    struct chat *channel; /* of both */
};

static int setup(void **state)
{
    static struct away t;
    t.h = harness_new(NULL);
    t.ann = add_account(t.h, "79990000001", "Ann");
    t.bob = add_account(t.h, "79990000002", "Bob");
    t.channel = world_add_chat(t.h->world, PEER_CHANNEL, slice_str("Group"), slice_str(""),
                               CHAT_MEGAGROUP, t.ann->id, t.h->now);
    assert_non_null(chat_join(t.channel, t.ann, t.ann->id, t.h->now));
    assert_non_null(chat_join(t.channel, t.bob, t.ann->id, t.h->now));
    t.h->now += 10;
    *state = &t;
    return 0;
}

static int teardown(void **state)
{
    harness_free(((struct away *)*state)->h);
    return 0;
}

static const struct tl_object *difference(struct away *t, int32_t pts, int32_t date,
                                          const char *limits)
{
    return call(t->h, t->bob, "updates.getDifference", "{\"pts\": %d, \"date\": %d, \"qts\": 0%s}",
                pts, date, limits);
}

static const struct tl_object *channel_difference(struct away *t, int32_t pts, int32_t limit)
{
    return call(t->h, t->bob, "updates.getChannelDifference",
                "{\"channel\": %lld, \"filter\": {\"_\": \"channelMessagesFilterEmpty\"}, "
                "\"pts\": %d, \"limit\": %d}",
                (long long)t->channel->peer, pts, limit);
}

static uint32_t count_of(const struct tl_object *o, uint16_t symbol)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < tl_count(o, F_other_updates); i++)
        n += tl_is(tl_item_obj(o, F_other_updates, i), symbol);
    return n;
}

static void a_channel_that_moved_is_named(void **state)
{
    struct away *t = *state;
    int32_t left_at = t->h->now;
    int32_t pts = t->bob->account->log.pts;
    assert_true(tl_is(difference(t, pts, left_at, ""), C_updates_differenceEmpty));
    t->h->now += 5;
    send_text(t->h, t->ann, t->channel->peer, "missed");
    const struct tl_object *o = difference(t, pts, left_at, "");
    assert_true(tl_is(o, C_updates_difference));
    assert_int_equal(tl_count(o, F_new_messages), 0);
    assert_int_equal(tl_count(o, F_other_updates), 1);
    const struct tl_object *u = tl_item_obj(o, F_other_updates, 0);
    assert_true(tl_is(u, C_updateChannelTooLong));
    assert_int_equal(tl_int(u, F_channel_id), peer_bare(t->channel->peer));
    assert_int_equal(tl_int(u, F_pts), t->channel->log.pts);
    assert_int_equal(tl_int(tl_item_obj(o, F_chats, 0), F_id), peer_bare(t->channel->peer));
    /* Heard once: from the state that came with it on there is no news. */
    int32_t told = (int32_t)tl_int(tl_obj(o, F_state), F_date);
    assert_true(tl_is(difference(t, pts, told + 1, ""), C_updates_differenceEmpty));
}

static void a_channel_that_was_left_is_not(void **state)
{
    struct away *t = *state;
    assert_non_null(chat_part(t->channel, t->bob, MEMBER_LEFT, t->h->now));
    int32_t left_at = t->h->now;
    t->h->now += 5;
    send_text(t->h, t->ann, t->channel->peer, "among us");
    assert_int_equal(
        count_of(difference(t, t->bob->account->log.pts, left_at, ""), C_updateChannelTooLong), 0);
}

static void slices_lose_nothing_that_goes_by_dates(void **state)
{
    struct away *t = *state;
    int32_t pts = t->bob->account->log.pts;
    int32_t date = t->h->now;
    t->h->now += 5;
    send_text(t->h, t->bob, t->ann->id, "from another device");
    call_value(t->h, t->bob, "messages.markDialogUnread", "{\"peer\": %lld, \"unread\": true}",
               (long long)t->ann->id);
    send_text(t->h, t->ann, t->channel->peer, "in the channel");
    for (int i = 0; i < 4; i++)
        send_text(t->h, t->ann, t->bob->id, "missed");
    uint32_t messages = 0, marks = 0, channels = 0;
    for (int slices = 0;; slices++) {
        const struct tl_object *o = difference(t, pts, date, ", \"pts_limit\": 2");
        messages += tl_count(o, F_new_messages);
        marks += count_of(o, C_updateDialogUnreadMark);
        channels += count_of(o, C_updateChannelTooLong);
        if (tl_is(o, C_updates_difference)) {
            assert_true(slices >= 2);
            break;
        }
        assert_true(tl_is(o, C_updates_differenceSlice));
        pts = (int32_t)tl_int(tl_obj(o, F_intermediate_state), F_pts);
        date = (int32_t)tl_int(tl_obj(o, F_intermediate_state), F_date);
    }
    assert_int_equal(messages, 5);
    assert_int_equal(marks, 1);
    assert_int_equal(channels, 1);
}

static void a_channel_difference_comes_in_parts(void **state)
{
    struct away *t = *state;
    int32_t pts = t->channel->log.pts;
    assert_true(tl_is(channel_difference(t, pts, 100), C_updates_channelDifferenceEmpty));
    int32_t ids[5];
    for (int i = 0; i < 5; i++)
        ids[i] = send_text(t->h, t->ann, t->channel->peer, "post");
    call(t->h, t->ann, "channels.deleteMessages", "{\"channel\": %lld, \"id\": [%d]}",
         (long long)t->channel->peer, ids[1]);
    const struct tl_object *o = channel_difference(t, pts, 3);
    assert_true(tl_is(o, C_updates_channelDifference));
    assert_false(tl_bool(o, F_final));
    assert_int_equal(tl_count(o, F_new_messages), 3); /* the deleted one is passed over */
    o = channel_difference(t, (int32_t)tl_int(o, F_pts), 3);
    assert_true(tl_bool(o, F_final));
    assert_true(tl_int(o, F_timeout) > 0);
    assert_int_equal(tl_count(o, F_new_messages), 1);
    assert_int_equal(count_of(o, C_updateDeleteChannelMessages), 1);
    assert_int_equal(tl_int(o, F_pts), t->channel->log.pts);
    assert_string_equal(call_error(t->h, t->bob, "updates.getChannelDifference",
                                   "{\"channel\": %lld, \"filter\": {\"_\": "
                                   "\"channelMessagesFilterEmpty\"}, \"pts\": %d, \"limit\": 10}",
                                   (long long)t->channel->peer, t->channel->log.pts + 1),
                        "PERSISTENT_TIMESTAMP_INVALID");
}

static void a_channel_difference_that_is_too_long_starts_anew(void **state)
{
    struct away *t = *state;
    int32_t pts = t->channel->log.pts;
    for (int i = 0; i <= UPDATE_LOG_MAX; i++)
        send_text(t->h, t->ann, t->channel->peer, "post");
    const struct tl_object *o = channel_difference(t, pts, 100);
    assert_true(tl_is(o, C_updates_channelDifferenceTooLong));
    assert_true(tl_bool(o, F_final));
    assert_true(tl_count(o, F_messages) > 0);
    const struct tl_object *dialog = tl_obj(o, F_dialog);
    assert_int_equal(tl_int(dialog, F_pts), t->channel->log.pts);
    assert_int_equal(tl_int(dialog, F_top_message), tl_int(tl_item_obj(o, F_messages, 0), F_id));
    assert_true(tl_is(channel_difference(t, (int32_t)tl_int(dialog, F_pts), 100),
                      C_updates_channelDifferenceEmpty));
}

/* ---- what dialogs carry along ---- */

static const struct tl_object *dialog_with(struct away *t, int64_t peer)
{
    const struct tl_object *o =
        call(t->h, t->bob, "messages.getPeerDialogs", "{\"peers\": [%lld]}", (long long)peer);
    return tl_item_obj(o, F_dialogs, 0);
}

static void drafts_are_kept_shown_and_cleared(void **state)
{
    struct away *t = *state;
    int32_t pts = t->bob->account->log.pts;
    long long ann = (long long)t->ann->id;
    call_value(t->h, t->bob, "messages.saveDraft",
               "{\"peer\": %lld, \"message\": \"half a thought\", \"entities\": [{\"_\": "
               "\"messageEntityBold\", \"offset\": 0, \"length\": 4}]}",
               ann);
    const struct tl_object *draft = tl_obj(dialog_with(t, t->ann->id), F_draft);
    assert_true(slice_is(tl_text(draft, F_message), "half a thought"));
    assert_int_equal(tl_count(draft, F_entities), 1);
    const struct tl_object *all = call(t->h, t->bob, "messages.getAllDrafts", "{}");
    assert_int_equal(tl_count(all, F_updates), 1);
    assert_int_equal(count_of(difference(t, pts, t->h->now, ""), C_updateDraftMessage), 1);
    const struct tl_object *sent = call(
        t->h, t->bob, "messages.sendMessage",
        "{\"peer\": %lld, \"message\": \"a whole one\", \"random_id\": 9, \"clear_draft\": true}",
        ann);
    assert_int_equal(tl_int(sent, F_pts), t->bob->account->log.pts);
    assert_null(tl_obj(dialog_with(t, t->ann->id), F_draft));
    call_value(t->h, t->bob, "messages.saveDraft", "{\"peer\": %lld, \"message\": \"again\"}", ann);
    call_value(t->h, t->bob, "messages.clearAllDrafts", "{}");
    assert_int_equal(tl_count(call(t->h, t->bob, "messages.getAllDrafts", "{}"), F_updates), 0);
}

static void dialogs_show_what_is_muted(void **state)
{
    struct away *t = *state;
    struct notify_rule rule = {.peer = t->channel->peer, .silent = true, .mute_until = INT32_MAX};
    assert_true(account_set_notify(t->bob->account, &rule));
    const struct tl_object *o = tl_obj(dialog_with(t, t->channel->peer), F_notify_settings);
    assert_true(tl_bool(o, F_silent));
    assert_int_equal(tl_int(o, F_mute_until), INT32_MAX);
    o = tl_obj(dialog_with(t, t->ann->id), F_notify_settings);
    assert_false(tl_has(o, F_mute_until));
}

static void every_state_tells_the_same_seq(void **state)
{
    struct away *t = *state;
    assert_int_equal(tl_int(call(t->h, t->bob, "updates.getState", "{}"), F_seq), STATE_SEQ);
    const struct tl_object *o =
        call(t->h, t->bob, "messages.getPinnedDialogs", "{\"folder_id\": 0}");
    assert_int_equal(tl_int(tl_obj(o, F_state), F_seq), STATE_SEQ);
    assert_int_equal(tl_int(difference(t, 1, t->h->now, ""), F_seq), STATE_SEQ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_channel_that_moved_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_channel_that_was_left_is_not, setup, teardown),
        cmocka_unit_test_setup_teardown(slices_lose_nothing_that_goes_by_dates, setup, teardown),
        cmocka_unit_test_setup_teardown(a_channel_difference_comes_in_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_channel_difference_that_is_too_long_starts_anew, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(drafts_are_kept_shown_and_cleared, setup, teardown),
        cmocka_unit_test_setup_teardown(dialogs_show_what_is_muted, setup, teardown),
        cmocka_unit_test_setup_teardown(every_state_tells_the_same_seq, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
