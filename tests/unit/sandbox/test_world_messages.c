/* SPDX-License-Identifier: MIT
 * Sending, editing, deleting, forwarding, pinning, reading: what each side sees. */
#include "world_harness.h"

struct trio {
    struct harness *h;
    struct user *ann, *ben, *cat;
};

static struct trio trio_new(void)
{
    struct trio t = {.h = harness_new(NULL)};
    t.ann = add_account(t.h, "9996620101", "Ann");
    t.ben = add_account(t.h, "9996620102", "Ben");
    t.cat = add_account(t.h, "9996620103", "Cat");
    return t;
}

static struct chat *supergroup(struct trio *t, const char *kind)
{
    const struct tl_object *o = call(t->h, t->ann, "channels.createChannel",
                                     "{\"title\": \"G\", \"about\": \"\", \"%s\": true}", kind);
    int64_t id = tl_int(tl_item_obj(o, F_chats, 0), F_id);
    struct chat *c = world_chat(t->h->world, peer_of_channel(id));
    assert_non_null(c);
    return c;
}

static const char *text_of(struct trio *t, struct user *u, int64_t peer, int32_t id)
{
    static char text[256];
    const struct message *m = world_message(t->h->world, u, peer, id);
    if (!m)
        return NULL;
    snprintf(text, sizeof text, "%.*s", (int)m->text_len, m->text);
    return text;
}

static void private_message_is_stored_once_and_numbered_for_each(void **state)
{
    (void)state;
    struct trio t = trio_new();
    send_text(t.h, t.ann, t.cat->id, "first"); /* so that Ann's numbers run ahead of Ben's */
    int32_t id = send_text(t.h, t.ann, t.ben->id, "  hello  ");
    assert_int_equal(id, 2);
    assert_string_equal(text_of(&t, t.ann, t.ben->id, 2), "hello");
    assert_string_equal(text_of(&t, t.ben, t.ann->id, 1), "hello");
    assert_ptr_equal(world_boxed(t.h->world, t.ann, 2), world_boxed(t.h->world, t.ben, 1));
    assert_null(world_message(t.h->world, t.ann, t.cat->id, 2)); /* another dialog */
    assert_int_equal(dialog_unread(t.h->world, t.ben, user_dialog_find(t.ben, t.ann->id)), 1);
    assert_int_equal(dialog_unread(t.h->world, t.ann, user_dialog_find(t.ann, t.ben->id)), 0);
    harness_free(t.h);
}

static void texts_to_others_are_answered_in_short_those_to_oneself_in_full(void **state)
{
    (void)state;
    struct trio t = trio_new();
    const char *text = "{\"peer\": %lld, \"message\": \"x\", \"random_id\": %d}";
    const struct tl_object *o =
        call(t.h, t.ann, "messages.sendMessage", text, (long long)t.ben->id, 1);
    assert_true(tl_is(o, C_updateShortSentMessage));
    o = call(t.h, t.ann, "messages.sendMessage", text, (long long)t.ann->id, 2);
    assert_true(tl_is(o, C_updates));
    const struct tl_object *id = tl_item_obj(o, F_updates, 0);
    assert_true(tl_is(id, C_updateMessageID));
    const struct tl_object *message = tl_obj(tl_item_obj(o, F_updates, 1), F_message);
    assert_int_equal(tl_int(message, F_id), tl_int(id, F_id));
    assert_int_equal(tl_int(tl_obj(message, F_peer_id), F_user_id), t.ann->id);
    harness_free(t.h);
}

static void each_change_moves_pts_of_who_it_concerns(void **state)
{
    (void)state;
    struct trio t = trio_new();
    int32_t ann = t.ann->account->log.pts, ben = t.ben->account->log.pts,
            cat = t.cat->account->log.pts;
    int32_t id = send_text(t.h, t.ann, t.ben->id, "a");
    call(t.h, t.ann, "messages.editMessage", "{\"peer\": %lld, \"id\": %d, \"message\": \"b\"}",
         (long long)t.ben->id, id);
    call(t.h, t.ben, "messages.readHistory", "{\"peer\": %lld, \"max_id\": 0}",
         (long long)t.ann->id);
    const struct tl_object *o =
        call(t.h, t.ann, "messages.deleteMessages", "{\"revoke\": true, \"id\": [%d, 99]}", id);
    assert_int_equal(tl_int(o, F_pts_count), 1);
    assert_int_equal(tl_int(o, F_pts), t.ann->account->log.pts);
    assert_int_equal(t.ann->account->log.pts, ann + 4);
    assert_int_equal(t.ben->account->log.pts, ben + 4);
    assert_int_equal(t.cat->account->log.pts, cat);
    for (uint32_t i = 1; update_log_at(&t.ann->account->log, i);
         i++) { /* no gaps in what is kept */
        const struct update *before = update_log_at(&t.ann->account->log, i - 1),
                            *u = update_log_at(&t.ann->account->log, i);
        assert_int_equal(u->pts - u->pts_count, before->pts);
    }
    harness_free(t.h);
}

static void repeated_random_id_gives_the_same_message(void **state)
{
    (void)state;
    struct trio t = trio_new();
    struct chat *g = supergroup(&t, "megagroup");
    int64_t peers[] = {t.ben->id, g->peer, t.ann->id};
    for (size_t i = 0; i < 3; i++) {
        char query[200];
        snprintf(query, sizeof query, "{\"peer\": %lld, \"message\": \"once\", \"random_id\": %d}",
                 (long long)peers[i], 77 + (int)i);
        call(t.h, t.ann, "messages.sendMessage", "%s", query);
        uint32_t boxed = t.h->world->n_boxed, posts = g->n_slots;
        int32_t pts = t.ann->account->log.pts;
        const struct tl_object *o = call(t.h, t.ann, "messages.sendMessage", "%s", query);
        assert_int_equal(t.h->world->n_boxed, boxed);
        assert_int_equal(g->n_slots, posts);
        assert_int_equal(t.ann->account->log.pts, pts);
        const struct tl_object *id = tl_item_obj(o, F_updates, 0),
                               *again = tl_item_obj(o, F_updates, 1);
        assert_true(tl_is(id, C_updateMessageID));
        assert_int_equal(tl_int(id, F_random_id), 77 + (int)i);
        assert_int_equal(tl_int(again, F_pts_count), 0);
        assert_int_equal(tl_int(tl_obj(again, F_message), F_id), tl_int(id, F_id));
        assert_string_equal(text_of(&t, t.ann, peers[i], (int32_t)tl_int(id, F_id)), "once");
    }
    const struct message *m = world_boxed(t.h->world, t.ann, 1);
    assert_non_null(m);
    call(t.h, t.ann, "messages.deleteMessages", "{\"id\": [1]}");
    assert_string_equal(call_error(t.h, t.ann, "messages.sendMessage",
                                   "{\"peer\": %lld, \"message\": \"x\", \"random_id\": 77}",
                                   (long long)t.ben->id),
                        "RANDOM_ID_DUPLICATE");
    harness_free(t.h);
}

static void lengths_are_counted_in_utf16_units(void **state)
{
    (void)state;
    struct trio t = trio_new();
    char text[4200];
    memset(text, 'x', sizeof text);
    text[4096] = '\0';
    send_text(t.h, t.ann, t.ben->id, text);
    text[4096] = 'x';
    text[4097] = '\0';
    assert_string_equal(call_error(t.h, t.ann, "messages.sendMessage",
                                   "{\"peer\": %lld, \"message\": \"%s\", \"random_id\": 1}",
                                   (long long)t.ben->id, text),
                        "MESSAGE_TOO_LONG");
    memcpy(text + 4095, "\xf0\x9f\x98\x80", 5); /* one astral character more: 4095 + 2 units */
    assert_string_equal(call_error(t.h, t.ann, "messages.sendMessage",
                                   "{\"peer\": %lld, \"message\": \"%s\", \"random_id\": 1}",
                                   (long long)t.ben->id, text),
                        "MESSAGE_TOO_LONG");
    assert_string_equal(call_error(t.h, t.ann, "messages.sendMessage",
                                   "{\"peer\": %lld, \"message\": \"  \\n \", \"random_id\": 1}",
                                   (long long)t.ben->id),
                        "MESSAGE_EMPTY");
    assert_string_equal(call_error(t.h, t.ann, "messages.sendMessage",
                                   "{\"peer\": %lld, \"message\": \"x\", \"random_id\": 0}",
                                   (long long)t.ben->id),
                        "RANDOM_ID_EMPTY");
    harness_free(t.h);
}

static void entities_move_with_the_trimmed_text(void **state)
{
    (void)state;
    struct trio t = trio_new();
    const struct tl_object *o =
        call(t.h, t.ann, "messages.sendMessage",
             "{\"peer\": %lld, \"message\": \"  \xf0\x9f\x98\x80 bold @robert  \", \"random_id\": "
             "5, \"entities\": ["
             "{\"_\": \"messageEntityBold\", \"offset\": 5, \"length\": 4},"
             "{\"_\": \"messageEntityItalic\", \"offset\": 0, \"length\": 19}]}",
             (long long)t.ben->id);
    assert_int_equal(tl_count(o, F_entities), 3);
    const struct tl_object *italic = tl_item_obj(o, F_entities, 0),
                           *bold = tl_item_obj(o, F_entities, 1),
                           *mention = tl_item_obj(o, F_entities, 2);
    assert_true(tl_is(italic, C_messageEntityItalic));
    assert_int_equal(tl_int(italic, F_offset), 0);
    assert_int_equal(tl_int(italic, F_length), 15);
    assert_true(tl_is(bold, C_messageEntityBold));
    assert_int_equal(tl_int(bold, F_offset), 3);
    assert_true(tl_is(mention, C_messageEntityMention));
    assert_int_equal(tl_int(mention, F_offset), 8);
    assert_int_equal(tl_int(mention, F_length), 7);
    assert_string_equal(
        call_error(t.h, t.ann, "messages.sendMessage",
                   "{\"peer\": %lld, \"message\": \"abc\", \"random_id\": 6, \"entities\": ["
                   "{\"_\": \"messageEntityBold\", \"offset\": 1, \"length\": 3}]}",
                   (long long)t.ben->id),
        "ENTITY_BOUNDS_INVALID");
    harness_free(t.h);
}

static void replies_and_quotes_must_fit(void **state)
{
    (void)state;
    struct trio t = trio_new();
    struct chat *g = supergroup(&t, "megagroup");
    int32_t id = send_text(t.h, t.ann, g->peer, "tea and tea again");
    const char *query = "{\"peer\": %lld, \"message\": \"r\", \"random_id\": %d, \"reply_to\": "
                        "{\"_\": \"inputReplyToMessage\", "
                        "\"reply_to_msg_id\": %d, \"quote_text\": \"%s\", \"quote_offset\": 7}}";
    char json[512];
    snprintf(json, sizeof json, query, (long long)g->peer, 41, id, "tea");
    const struct tl_object *o = call(t.h, t.ann, "messages.sendMessage", "%s", json);
    const struct tl_object *reply =
        tl_obj(tl_obj(tl_item_obj(o, F_updates, 1), F_message), F_reply_to);
    assert_int_equal(tl_int(reply, F_reply_to_msg_id), id);
    assert_int_equal(tl_int(reply, F_quote_offset), 8); /* the nearer of the two */
    snprintf(json, sizeof json, query, (long long)g->peer, 42, id, "coffee");
    assert_string_equal(call_error(t.h, t.ann, "messages.sendMessage", "%s", json),
                        "QUOTE_TEXT_INVALID");
    snprintf(json, sizeof json, query, (long long)g->peer, 43, 999, "tea");
    assert_string_equal(call_error(t.h, t.ann, "messages.sendMessage", "%s", json),
                        "REPLY_MESSAGE_ID_INVALID");
    harness_free(t.h);
}

static void only_the_author_edits_and_only_for_two_days(void **state)
{
    (void)state;
    struct trio t = trio_new();
    int32_t id = send_text(t.h, t.ann, t.ben->id, "a");
    const char *query = "{\"peer\": %lld, \"id\": %d, \"message\": \"%s\"}";
    assert_string_equal(
        call_error(t.h, t.ann, "messages.editMessage", query, (long long)t.ben->id, id, "a"),
        "MESSAGE_NOT_MODIFIED");
    assert_string_equal(
        call_error(t.h, t.ann, "messages.editMessage", query, (long long)t.ben->id, 50, "b"),
        "MESSAGE_ID_INVALID");
    assert_string_equal(
        call_error(t.h, t.ann, "messages.editMessage", query, (long long)t.cat->id, id, "b"),
        "MESSAGE_ID_INVALID");
    assert_string_equal(
        call_error(t.h, t.ben, "messages.editMessage", query, (long long)t.ann->id, 1, "b"),
        "MESSAGE_AUTHOR_REQUIRED");
    assert_int_equal(t.h->error_code, 403);
    call(t.h, t.ann, "messages.editMessage", query, (long long)t.ben->id, id, "b");
    assert_string_equal(text_of(&t, t.ben, t.ann->id, 1), "b");
    t.h->now += EDIT_WINDOW_S + 1;
    assert_string_equal(
        call_error(t.h, t.ann, "messages.editMessage", query, (long long)t.ben->id, id, "c"),
        "MESSAGE_EDIT_TIME_EXPIRED");
    harness_free(t.h);
}

static void deleting_for_oneself_leaves_the_others(void **state)
{
    (void)state;
    struct trio t = trio_new();
    const struct tl_object *o =
        call(t.h, t.ann, "messages.createChat", "{\"title\": \"T\", \"users\": [%lld, %lld]}",
             (long long)t.ben->id, (long long)t.cat->id);
    int64_t group = peer_of_chat(tl_int(tl_item_obj(tl_obj(o, F_updates), F_chats, 0), F_id));
    int32_t id = send_text(t.h, t.ann, group, "all hear");
    int32_t bens = (int32_t)t.ben->box_n, cats = (int32_t)t.cat->box_n;
    call(t.h, t.ben, "messages.deleteMessages", "{\"id\": [%d]}", bens);
    assert_null(world_boxed(t.h->world, t.ben, bens));
    assert_non_null(world_boxed(t.h->world, t.ann, id));
    assert_string_equal(
        call_error(t.h, t.cat, "messages.deleteMessages", "{\"revoke\": true, \"id\": [%d]}", cats),
        "MESSAGE_DELETE_FORBIDDEN");
    call(t.h, t.ann, "messages.deleteMessages", "{\"revoke\": true, \"id\": [%d]}", id);
    assert_null(world_boxed(t.h->world, t.cat, cats));
    assert_null(
        t.h->world->boxed[t.h->world->n_boxed - 1]); /* nobody holds it: the record is gone */
    harness_free(t.h);
}

static void channel_messages_are_deleted_by_who_may(void **state)
{
    (void)state;
    struct trio t = trio_new();
    struct chat *g = supergroup(&t, "megagroup");
    call(t.h, t.ann, "channels.inviteToChannel", "{\"channel\": %lld, \"users\": [%lld]}",
         (long long)g->peer, (long long)t.ben->id);
    int32_t anns = send_text(t.h, t.ann, g->peer, "a"), bens = send_text(t.h, t.ben, g->peer, "b");
    const char *query = "{\"channel\": %lld, \"id\": [%d]}";
    assert_string_equal(
        call_error(t.h, t.ben, "channels.deleteMessages", query, (long long)g->peer, anns),
        "MESSAGE_DELETE_FORBIDDEN");
    const struct tl_object *o =
        call(t.h, t.ben, "channels.deleteMessages", query, (long long)g->peer, bens);
    assert_int_equal(tl_int(o, F_pts_count), 1);
    o = call(t.h, t.ben, "channels.deleteMessages", query, (long long)g->peer, bens);
    assert_int_equal(tl_int(o, F_pts_count), 0); /* gone already: silent */
    call(t.h, t.ann, "channels.deleteMessages", query, (long long)g->peer, anns);
    assert_null(chat_message(g, anns));
    harness_free(t.h);
}

static void forwards_name_who_wrote_first(void **state)
{
    (void)state;
    struct trio t = trio_new();
    int32_t id = send_text(t.h, t.ann, t.ben->id, "pass it on");
    t.h->now += 50;
    call(t.h, t.ben, "messages.forwardMessages",
         "{\"from_peer\": %lld, \"to_peer\": %lld, \"id\": [1], \"random_id\": [9]}",
         (long long)t.ann->id, (long long)t.cat->id);
    t.h->now += 50;
    const struct tl_object *o = call(
        t.h, t.cat, "messages.forwardMessages",
        "{\"from_peer\": %lld, \"to_peer\": \"me\", \"id\": [1, 1000], \"random_id\": [10, 11]}",
        (long long)t.ben->id);
    assert_int_equal(tl_count(o, F_updates), 2); /* the missing one is left out */
    const struct tl_object *fwd =
        tl_obj(tl_obj(tl_item_obj(o, F_updates, 1), F_message), F_fwd_from);
    assert_int_equal(tl_int(tl_obj(fwd, F_from_id), F_user_id), t.ann->id);
    assert_int_equal(tl_int(fwd, F_date), HARNESS_NOW);
    assert_int_equal(tl_int(tl_obj(fwd, F_saved_from_peer), F_user_id), t.ben->id);
    uint32_t boxed = t.h->world->n_boxed;
    call(t.h, t.cat, "messages.forwardMessages",
         "{\"from_peer\": %lld, \"to_peer\": \"me\", \"id\": [1], \"random_id\": [10]}",
         (long long)t.ben->id);
    assert_int_equal(t.h->world->n_boxed, boxed); /* the same random_id again */
    assert_string_equal(
        call_error(t.h, t.ann, "messages.forwardMessages",
                   "{\"from_peer\": %lld, \"to_peer\": \"me\", \"id\": [%d], \"random_id\": []}",
                   (long long)t.ben->id, id),
        "RANDOM_ID_INVALID");
    o = call(t.h, t.ann, "messages.forwardMessages",
             "{\"from_peer\": %lld, \"to_peer\": \"me\", \"drop_author\": true, \"id\": [%d], "
             "\"random_id\": [12]}",
             (long long)t.ben->id, id);
    assert_false(tl_has(tl_obj(tl_item_obj(o, F_updates, 1), F_message), F_fwd_from));
    harness_free(t.h);
}

static void reading_tells_the_writer(void **state)
{
    (void)state;
    struct trio t = trio_new();
    for (int i = 0; i < 5; i++)
        send_text(t.h, t.ann, t.ben->id, "x");
    t.h->n_pushes = 0;
    call(t.h, t.ben, "messages.readHistory", "{\"peer\": %lld, \"max_id\": 3}",
         (long long)t.ann->id);
    assert_int_equal(user_dialog_find(t.ann, t.ben->id)->read_outbox_max, 3);
    assert_int_equal(dialog_unread(t.h->world, t.ben, user_dialog_find(t.ben, t.ann->id)), 2);
    bool told = false;
    for (uint32_t i = 0; i < t.h->n_pushes; i++)
        told = told || (t.h->pushes[i].to == t.ann &&
                        t.h->pushes[i].update.type == &world_updates[U_READ_OUTBOX] &&
                        t.h->pushes[i].update.b == 3);
    assert_true(told);
    harness_free(t.h);
}

static void pins_are_shown_and_found(void **state)
{
    (void)state;
    struct trio t = trio_new();
    int32_t id = send_text(t.h, t.ann, t.ben->id, "pin me");
    call(t.h, t.ben, "messages.updatePinnedMessage",
         "{\"peer\": %lld, \"id\": 1, \"silent\": true}", (long long)t.ann->id);
    assert_string_equal(call_error(t.h, t.ben, "messages.updatePinnedMessage",
                                   "{\"peer\": %lld, \"id\": 1}", (long long)t.ann->id),
                        "CHAT_NOT_MODIFIED");
    const struct tl_object *o =
        call(t.h, t.ann, "messages.search",
             "{\"peer\": %lld, \"q\": \"\", \"filter\": {\"_\": \"inputMessagesFilterPinned\"}, "
             "\"min_date\": 0, \"max_date\": 0, \"offset_id\": 0, "
             "\"add_offset\": 0, \"limit\": 10, \"max_id\": 0, \"min_id\": 0, \"hash\": 0}",
             (long long)t.ben->id);
    assert_int_equal(tl_count(o, F_messages), 1);
    assert_int_equal(tl_int(tl_item_obj(o, F_messages, 0), F_id), id);
    assert_true(tl_bool(tl_item_obj(o, F_messages, 0), F_pinned));
    call(t.h, t.ann, "messages.unpinAllMessages", "{\"peer\": %lld}", (long long)t.ben->id);
    assert_false(message_is_pinned(t.ben, world_boxed(t.h->world, t.ben, 1), 1));
    harness_free(t.h);
}

static void echo_answers_after_the_request(void **state)
{
    (void)state;
    struct trio t = trio_new();
    t.cat->flags |= USER_ECHO;
    send_text(t.h, t.ann, t.cat->id, "anybody here?");
    assert_int_equal(t.ann->box_n, 1);
    world_run_pending(t.h->world, t.h->now);
    assert_int_equal(t.ann->box_n, 2);
    assert_string_equal(text_of(&t, t.ann, t.cat->id, 2), "anybody here?");
    assert_int_equal(user_dialog_find(t.ann, t.cat->id)->read_outbox_max, 1);
    harness_free(t.h);
}

static void wrong_hashes_and_foreign_chats_are_refused(void **state)
{
    (void)state;
    struct trio t = trio_new();
    struct chat *g = supergroup(&t, "megagroup");
    const char *query =
        "{\"peer\": {\"_\": \"%s\", \"%s\": %lld%s}, \"message\": \"x\", \"random_id\": 3}";
    assert_string_equal(call_error(t.h, t.ann, "messages.sendMessage", query, "inputPeerUser",
                                   "user_id", (long long)t.ben->id, ", \"access_hash\": 7"),
                        "PEER_ID_INVALID");
    assert_string_equal(call_error(t.h, t.ann, "messages.sendMessage", query, "inputPeerChannel",
                                   "channel_id", (long long)peer_bare(g->peer),
                                   ", \"access_hash\": 7"),
                        "CHANNEL_INVALID");
    assert_string_equal(call_error(t.h, t.ann, "messages.sendMessage", query, "inputPeerChat",
                                   "chat_id", 12345LL, ""),
                        "PEER_ID_INVALID");
    assert_string_equal(call_error(t.h, t.ben, "messages.sendMessage",
                                   "{\"peer\": %lld, \"message\": \"x\", \"random_id\": 4}",
                                   (long long)g->peer),
                        "CHANNEL_PRIVATE");
    assert_int_not_equal(world_access_hash(t.h->world, t.ann->id, t.cat->id),
                         world_access_hash(t.h->world, t.ben->id, t.cat->id));
    harness_free(t.h);
}

static void blocking_keeps_messages_away(void **state)
{
    (void)state;
    struct trio t = trio_new();
    call_value(t.h, t.ben, "contacts.block", "{\"id\": %lld}", (long long)t.ann->id);
    send_text(t.h, t.ann, t.ben->id, "unheard");
    assert_int_equal(t.ben->box_n, 0);
    assert_string_equal(call_error(t.h, t.ben, "messages.sendMessage",
                                   "{\"peer\": %lld, \"message\": \"x\", \"random_id\": 4}",
                                   (long long)t.ann->id),
                        "YOU_BLOCKED_USER");
    call_value(t.h, t.ben, "contacts.unblock", "{\"id\": %lld}", (long long)t.ann->id);
    send_text(t.h, t.ann, t.ben->id, "heard");
    assert_int_equal(t.ben->box_n, 1);
    harness_free(t.h);
}

static uint32_t history_length(struct trio *t, struct user *u, int64_t peer)
{
    return tl_count(
        call(t->h, u, "messages.getHistory",
             "{\"peer\": %lld, \"offset_id\": 0, \"offset_date\": 0, \"add_offset\": 0, "
             "\"limit\": 100, \"max_id\": 0, \"min_id\": 0, \"hash\": 0}",
             (long long)peer),
        F_messages);
}

static void a_channels_history_is_cleared_for_one_or_for_all(void **state)
{
    (void)state;
    struct trio t = trio_new();
    struct chat *c = supergroup(&t, "megagroup");
    assert_non_null(chat_join(c, t.ben, t.ann->id, t.h->now));
    for (int i = 0; i < 3; i++)
        send_text(t.h, t.ann, c->peer, "text");
    uint32_t all = history_length(&t, t.ann, c->peer);
    const char *query = "{\"channel\": %lld, \"max_id\": 0%s}";
    const struct tl_object *o =
        call(t.h, t.ben, "channels.deleteHistory", query, (long long)c->peer, "");
    assert_true(tl_is(tl_item_obj(o, F_updates, 0), C_updateChannelAvailableMessages));
    assert_int_equal(history_length(&t, t.ben, c->peer), 0);
    assert_int_equal(history_length(&t, t.ann, c->peer), all);
    send_text(t.h, t.ann, c->peer, "after");
    assert_int_equal(history_length(&t, t.ben, c->peer), 1);
    const char *everyone = ", \"for_everyone\": true";
    assert_string_equal(
        call_error(t.h, t.ben, "channels.deleteHistory", query, (long long)c->peer, everyone),
        "CHAT_ADMIN_REQUIRED");
    call(t.h, t.ann, "channels.deleteHistory", query, (long long)c->peer, everyone);
    assert_int_equal(history_length(&t, t.ann, c->peer), 1); /* that it was created */
    assert_int_equal(history_length(&t, t.ben, c->peer), 0);
    harness_free(t.h);
}

static const struct tl_object *sent_media(struct trio *t, const char *media)
{
    static int64_t random_id = 500;
    const struct tl_object *o =
        call(t->h, t->ann, "messages.sendMedia",
             "{\"peer\": %lld, \"media\": %s, \"message\": \"\", \"random_id\": %lld}",
             (long long)t->ben->id, media, (long long)++random_id);
    int32_t id = (int32_t)tl_int(tl_item_obj(o, F_updates, 0), F_id);
    o = call(
        t->h, t->ben, "messages.getHistory",
        "{\"peer\": %lld, \"offset_id\": 0, \"offset_date\": 0, \"add_offset\": 0, \"limit\": 1, "
        "\"max_id\": 0, \"min_id\": 0, \"hash\": 0}",
        (long long)t->ann->id);
    assert_int_equal(
        id, tl_int(tl_item_obj(o, F_messages, 0), F_id)); /* boxes in step: only these two */
    return tl_obj(tl_item_obj(o, F_messages, 0), F_media);
}

#define TEXT(text) "{\"_\": \"textWithEntities\", \"text\": \"" text "\", \"entities\": []}"
#define POLL(question, answers)                                                                    \
    "{\"_\": \"inputMediaPoll\", \"poll\": {\"_\": \"poll\", \"id\": 0, \"hash\": 0, "             \
    "\"question\": " TEXT(question) ", \"answers\": [" answers "]}}"

static void media_without_files_arrive(void **state)
{
    (void)state;
    struct trio t = trio_new();
    const struct tl_object *o = sent_media(
        &t, "{\"_\": \"inputMediaContact\", \"phone_number\": \"9996620103\", \"first_name\": "
            "\"Kitty\", \"last_name\": \"\", \"vcard\": \"\"}");
    assert_true(tl_is(o, C_messageMediaContact));
    assert_int_equal(tl_int(o, F_user_id), t.cat->id);
    assert_true(slice_is(tl_text(o, F_first_name), "Kitty"));
    o = sent_media(
        &t, "{\"_\": \"inputMediaVenue\", \"geo_point\": {\"_\": \"inputGeoPoint\", \"lat\": "
            "48.5, \"long\": -9.25}, \"title\": \"Here\", \"address\": \"There\", "
            "\"provider\": \"\", \"venue_id\": \"\", \"venue_type\": \"\"}");
    assert_true(tl_is(o, C_messageMediaVenue));
    assert_true(tl_double(tl_obj(o, F_geo), F_lat) == 48.5);
    assert_true(tl_double(tl_obj(o, F_geo), F_long) == -9.25);
    o = sent_media(
        &t, POLL("Tea?", "{\"_\": \"inputPollAnswer\", \"text\": " TEXT(
                             "Yes") "}, {\"_\": \"inputPollAnswer\", \"text\": " TEXT("No") "}"));
    assert_true(tl_is(o, C_messageMediaPoll));
    const struct tl_object *second = tl_item_obj(tl_obj(o, F_poll), F_answers, 1);
    assert_true(slice_is(tl_text(tl_obj(second, F_text), F_text), "No"));
    bool thrown[7] = {false};
    for (int i = 0; i < 200; i++) {
        o = sent_media(&t, "{\"_\": \"inputMediaDice\", \"emoticon\": \"\U0001F3B2\"}");
        assert_true(tl_is(o, C_messageMediaDice));
        assert_in_range(tl_int(o, F_value), 1, 6);
        thrown[tl_int(o, F_value)] = true;
    }
    for (int i = 1; i <= 6; i++)
        assert_true(thrown[i]);
    static const struct {
        const char *media, *error;
    } refused[] = {
        {"{\"_\": \"inputMediaGeoPoint\", \"geo_point\": {\"_\": \"inputGeoPoint\", \"lat\": 91, "
         "\"long\": 0}}",
         "GEO_POINT_INVALID"},
        {"{\"_\": \"inputMediaDice\", \"emoticon\": \"x\"}", "EMOTICON_INVALID"},
        {"{\"_\": \"inputMediaEmpty\"}", "MEDIA_INVALID"},
        {POLL("", "{\"_\": \"inputPollAnswer\", \"text\": " TEXT("a") "}"),
         "POLL_QUESTION_INVALID"},
        {POLL("q", "{\"_\": \"inputPollAnswer\", \"text\": " TEXT("a") "}"),
         "POLL_ANSWERS_INVALID"},
        {POLL("q", "{\"_\": \"inputPollAnswer\", \"text\": " TEXT(
                       "a") "}, {\"_\": \"inputPollAnswer\", \"text\": " TEXT("") "}"),
         "POLL_ANSWER_INVALID"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_string_equal(call_error(t.h, t.ann, "messages.sendMedia",
                                       "{\"peer\": %lld, \"media\": %s, \"message\": \"\", "
                                       "\"random_id\": %d}",
                                       (long long)t.ben->id, refused[i].media, (int)i + 1),
                            refused[i].error);
    harness_free(t.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_message_is_stored_once_and_numbered_for_each),
        cmocka_unit_test(texts_to_others_are_answered_in_short_those_to_oneself_in_full),
        cmocka_unit_test(each_change_moves_pts_of_who_it_concerns),
        cmocka_unit_test(repeated_random_id_gives_the_same_message),
        cmocka_unit_test(lengths_are_counted_in_utf16_units),
        cmocka_unit_test(entities_move_with_the_trimmed_text),
        cmocka_unit_test(replies_and_quotes_must_fit),
        cmocka_unit_test(only_the_author_edits_and_only_for_two_days),
        cmocka_unit_test(deleting_for_oneself_leaves_the_others),
        cmocka_unit_test(channel_messages_are_deleted_by_who_may),
        cmocka_unit_test(forwards_name_who_wrote_first),
        cmocka_unit_test(reading_tells_the_writer),
        cmocka_unit_test(pins_are_shown_and_found),
        cmocka_unit_test(echo_answers_after_the_request),
        cmocka_unit_test(wrong_hashes_and_foreign_chats_are_refused),
        cmocka_unit_test(blocking_keeps_messages_away),
        cmocka_unit_test(media_without_files_arrive),
        cmocka_unit_test(a_channels_history_is_cleared_for_one_or_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
