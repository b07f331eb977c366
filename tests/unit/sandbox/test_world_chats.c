/* SPDX-License-Identifier: MIT
 * Groups and channels: who may do what, joining, leaving, invite links, migration. */
#include "world_harness.h"

/* An owner, an admin who may ban and delete only, a member, a stranger. */
struct cast {
    struct harness *h;
    struct user *owner, *admin, *member, *stranger;
    struct chat *group, *channel, *small;
};

static struct chat *make(struct cast *k, enum peer_kind kind, uint32_t flags)
{
    struct chat *c = world_add_chat(k->h->world, kind, slice_str("C"), slice_str(""), flags,
                                    k->owner->id, k->h->now);
    assert_non_null(c);
    assert_non_null(chat_join(c, k->owner, k->owner->id, k->h->now));
    assert_non_null(chat_join(c, k->admin, k->owner->id, k->h->now));
    assert_non_null(chat_join(c, k->member, k->owner->id, k->h->now));
    chat_member(c, k->admin->id)->admin = ADMIN_BAN | ADMIN_DELETE;
    return c;
}

static struct cast cast_new(void)
{
    struct cast k = {.h = harness_new(NULL)};
    k.owner = add_account(k.h, "9996620301", "Owner");
    k.admin = add_account(k.h, "9996620302", "Admin");
    k.member = add_account(k.h, "9996620303", "Member");
    k.stranger = add_account(k.h, "9996620304", "Stranger");
    k.group = make(&k, PEER_CHANNEL, CHAT_MEGAGROUP);
    k.channel = make(&k, PEER_CHANNEL, CHAT_BROADCAST);
    k.small = make(&k, PEER_CHAT, 0);
    return k;
}

static const char *try_call(struct cast *k, struct user *who, const char *method, const char *json)
{
    harness_run(k->h, who, method, json);
    return k->h->error ? k->h->error : "";
}

/* ---- the table of rights ---- */

enum place { GROUP, CHANNEL, SMALL };

static const struct {
    const char *method, *json; /* %lld is the chat */
    enum place place;
    const char *owner, *admin, *member, *stranger; /* errors; "" = done */
} rights[] = {
    {"messages.sendMessage", "{\"peer\": %lld, \"message\": \"x\", \"random_id\": 1}", GROUP, "",
     "", "", "CHANNEL_PRIVATE"},
    {"messages.sendMessage", "{\"peer\": %lld, \"message\": \"x\", \"random_id\": 2}", CHANNEL, "",
     "CHAT_ADMIN_REQUIRED", "CHAT_ADMIN_REQUIRED", "CHANNEL_PRIVATE"},
    {"messages.sendMessage", "{\"peer\": %lld, \"message\": \"x\", \"random_id\": 3}", SMALL, "",
     "", "", "PEER_ID_INVALID"},
    {"channels.editTitle", "{\"channel\": %lld, \"title\": \"new\"}", CHANNEL, "",
     "CHAT_ADMIN_REQUIRED", "CHAT_ADMIN_REQUIRED", "CHANNEL_PRIVATE"},
    {"channels.toggleSlowMode", "{\"channel\": %lld, \"seconds\": 10}", GROUP, "",
     "CHAT_NOT_MODIFIED", "CHAT_ADMIN_REQUIRED", "CHANNEL_PRIVATE"},
    {"messages.exportChatInvite", "{\"peer\": %lld}", GROUP, "", "CHAT_ADMIN_REQUIRED",
     "CHAT_ADMIN_REQUIRED", "CHANNEL_PRIVATE"},
    {"channels.updateUsername", "{\"channel\": %lld, \"username\": \"\"}", GROUP,
     "USERNAME_NOT_MODIFIED", "CHAT_ADMIN_REQUIRED", "CHAT_ADMIN_REQUIRED", "CHANNEL_PRIVATE"},
    {"channels.getParticipants",
     "{\"channel\": %lld, \"filter\": {\"_\": \"channelParticipantsKicked\", \"q\": \"\"}, "
     "\"offset\": 0, "
     "\"limit\": 5, \"hash\": 0}",
     GROUP, "", "", "CHAT_ADMIN_REQUIRED", "CHANNEL_PRIVATE"},
    {"channels.getParticipants",
     "{\"channel\": %lld, \"filter\": {\"_\": \"channelParticipantsRecent\"}, \"offset\": 0, "
     "\"limit\": 5, \"hash\": 0}",
     CHANNEL, "", "", "CHAT_ADMIN_REQUIRED", "CHANNEL_PRIVATE"},
    {"channels.getFullChannel", "{\"channel\": %lld}", CHANNEL, "", "", "", "CHANNEL_PRIVATE"},
    {"channels.joinChannel", "{\"channel\": %lld}", GROUP, "", "", "", "CHANNEL_PRIVATE"},
    {"channels.leaveChannel", "{\"channel\": %lld}", GROUP, "", "", "", "CHANNEL_PRIVATE"},
};

static void rights_are_what_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
        struct cast k = cast_new();
        struct chat *c = rights[i].place == GROUP     ? k.group
                         : rights[i].place == CHANNEL ? k.channel
                                                      : k.small;
        struct user *who[] = {k.owner, k.admin, k.member, k.stranger};
        const char *want[] = {rights[i].owner, rights[i].admin, rights[i].member,
                              rights[i].stranger};
        char json[300];
        _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wformat-nonliteral\"")
            snprintf(json, sizeof json, rights[i].json, (long long)c->peer);
        _Pragma("GCC diagnostic pop") for (int w = 0; w < 4; w++)
        {
            const char *got = try_call(&k, who[w], rights[i].method, json);
            if (strcmp(got, want[w]) != 0)
                fail_msg("%s as %s: '%s', not '%s'", rights[i].method, who[w]->first_name, got,
                         want[w]);
        }
        harness_free(k.h);
    }
}

static void restrictions_bind_members_only(void **state)
{
    (void)state;
    struct cast k = cast_new();
    call(k.h, k.owner, "channels.editBanned",
         "{\"channel\": %lld, \"participant\": %lld, \"banned_rights\": {\"_\": "
         "\"chatBannedRights\", \"send_messages\": true, \"until_date\": %d}}",
         (long long)k.group->peer, (long long)k.member->id, k.h->now + 100);
    const char *query = "{\"peer\": %lld, \"message\": \"x\", \"random_id\": %d}";
    assert_string_equal(
        call_error(k.h, k.member, "messages.sendMessage", query, (long long)k.group->peer, 1),
        "USER_BANNED_IN_CHANNEL");
    k.h->now += 101; /* it ends */
    call(k.h, k.member, "messages.sendMessage", query, (long long)k.group->peer, 2);
    call(k.h, k.owner, "messages.editChatDefaultBannedRights",
         "{\"peer\": %lld, \"banned_rights\": {\"_\": \"chatBannedRights\", \"send_plain\": true, "
         "\"until_date\": 0}}",
         (long long)k.group->peer);
    assert_string_equal(
        call_error(k.h, k.member, "messages.sendMessage", query, (long long)k.group->peer, 3),
        "CHAT_SEND_PLAIN_FORBIDDEN");
    call(k.h, k.admin, "messages.sendMessage", query, (long long)k.group->peer, 4);
    harness_free(k.h);
}

static void the_banned_are_out_until_forgiven(void **state)
{
    (void)state;
    struct cast k = cast_new();
    assert_true(world_set_username(k.h->world, k.group->peer, slice_str("our_group")));
    const char *ban = "{\"channel\": %lld, \"participant\": %lld, \"banned_rights\": {\"_\": "
                      "\"chatBannedRights\", %s \"until_date\": 0}}";
    call(k.h, k.admin, "channels.editBanned", ban, (long long)k.group->peer,
         (long long)k.member->id, "\"view_messages\": true,");
    assert_false(chat_has(k.group, k.member->id));
    assert_int_equal(k.group->n_joined, 2);
    assert_string_equal(call_error(k.h, k.member, "channels.joinChannel", "{\"channel\": %lld}",
                                   (long long)k.group->peer),
                        "USER_BANNED_IN_CHANNEL");
    assert_string_equal(
        call_error(k.h, k.member, "messages.getHistory",
                   "{\"peer\": %lld, \"offset_id\": 0, \"offset_date\": 0, \"add_offset\": 0, "
                   "\"limit\": 1, \"max_id\": 0, \"min_id\": 0, \"hash\": 0}",
                   (long long)k.group->peer),
        "CHANNEL_PRIVATE");
    assert_string_equal(call_error(k.h, k.admin, "channels.editBanned", ban,
                                   (long long)k.group->peer, (long long)k.owner->id, ""),
                        "USER_ADMIN_INVALID");
    call(k.h, k.admin, "channels.editBanned", ban, (long long)k.group->peer,
         (long long)k.member->id, "");
    call(k.h, k.member, "channels.joinChannel", "{\"channel\": %lld}", (long long)k.group->peer);
    assert_int_equal(k.group->n_joined, 3);
    harness_free(k.h);
}

static void admins_give_only_what_they_have(void **state)
{
    (void)state;
    struct cast k = cast_new();
    const char *query = "{\"channel\": %lld, \"user_id\": %lld, \"rank\": \"\", \"admin_rights\": "
                        "{\"_\": \"chatAdminRights\", %s}}";
    assert_string_equal(call_error(k.h, k.admin, "channels.editAdmin", query,
                                   (long long)k.group->peer, (long long)k.member->id,
                                   "\"ban_users\": true"),
                        "CHAT_ADMIN_REQUIRED");
    call(k.h, k.owner, "channels.editAdmin", query, (long long)k.group->peer,
         (long long)k.admin->id, "\"ban_users\": true, \"add_admins\": true");
    assert_string_equal(call_error(k.h, k.admin, "channels.editAdmin", query,
                                   (long long)k.group->peer, (long long)k.member->id,
                                   "\"pin_messages\": true"),
                        "RIGHT_FORBIDDEN");
    call(k.h, k.admin, "channels.editAdmin", query, (long long)k.group->peer,
         (long long)k.member->id, "\"ban_users\": true");
    assert_int_equal(chat_admin_rights(k.group, k.member->id), ADMIN_BAN);
    assert_string_equal(call_error(k.h, k.admin, "channels.editAdmin", query,
                                   (long long)k.group->peer, (long long)k.owner->id,
                                   "\"ban_users\": true"),
                        "USER_CREATOR");
    harness_free(k.h);
}

static void slow_mode_counts_seconds(void **state)
{
    (void)state;
    struct cast k = cast_new();
    call(k.h, k.owner, "channels.toggleSlowMode", "{\"channel\": %lld, \"seconds\": 30}",
         (long long)k.group->peer);
    send_text(k.h, k.member, k.group->peer, "one");
    k.h->now += 12;
    assert_string_equal(call_error(k.h, k.member, "messages.sendMessage",
                                   "{\"peer\": %lld, \"message\": \"two\", \"random_id\": 5}",
                                   (long long)k.group->peer),
                        "SLOWMODE_WAIT_18");
    assert_int_equal(k.h->error_code, 420);
    send_text(k.h, k.owner, k.group->peer, "admins do not wait");
    send_text(k.h, k.owner, k.group->peer, "at all");
    k.h->now += 18;
    send_text(k.h, k.member, k.group->peer, "two");
    harness_free(k.h);
}

/* ---- invite links ---- */

static void links_end_as_they_say(void **state)
{
    (void)state;
    struct cast k = cast_new();
    struct user *second = add_account(k.h, "9996620305", "Second");
    const char *export = "{\"peer\": %lld%s}";
    const char *import = "{\"hash\": \"%s\"}";
    char limit[64];
    snprintf(limit, sizeof limit, ", \"usage_limit\": 1, \"expire_date\": %d", k.h->now + 100);
    call(k.h, k.owner, "messages.exportChatInvite", export, (long long)k.group->peer, limit);
    const char *hash = k.group->invites[k.group->n_invites - 1]->hash;
    const struct tl_object *o = call(k.h, k.stranger, "messages.checkChatInvite", import, hash);
    assert_true(tl_is(o, C_chatInvite));
    assert_int_equal(tl_int(o, F_participants_count), 3);
    call(k.h, k.stranger, "messages.importChatInvite", import, hash);
    assert_true(chat_has(k.group, k.stranger->id));
    assert_string_equal(call_error(k.h, k.stranger, "messages.importChatInvite", import, hash),
                        "USER_ALREADY_PARTICIPANT");
    o = call(k.h, k.stranger, "messages.checkChatInvite", import, hash);
    assert_true(tl_is(o, C_chatInviteAlready));
    assert_string_equal(call_error(k.h, second, "messages.importChatInvite", import, hash),
                        "INVITE_HASH_EXPIRED");
    assert_string_equal(call_error(k.h, second, "messages.checkChatInvite", import, hash),
                        "INVITE_HASH_EXPIRED");
    assert_string_equal(call_error(k.h, second, "messages.importChatInvite", import, "nothing"),
                        "INVITE_HASH_INVALID");
    assert_string_equal(call_error(k.h, second, "messages.importChatInvite", import, ""),
                        "INVITE_HASH_EMPTY");
    call(k.h, k.owner, "messages.exportChatInvite", export, (long long)k.group->peer,
         ", \"usage_limit\": 5");
    hash = k.group->invites[k.group->n_invites - 1]->hash;
    call(k.h, k.owner, "messages.editExportedChatInvite",
         "{\"peer\": %lld, \"link\": \"https://t.me/+%s\", \"revoked\": true}",
         (long long)k.group->peer, hash);
    assert_string_equal(call_error(k.h, second, "messages.importChatInvite", import, hash),
                        "INVITE_HASH_EXPIRED");
    assert_string_equal(call_error(k.h, k.owner, "messages.exportChatInvite", export,
                                   (long long)k.group->peer, ", \"expire_date\": 5"),
                        "EXPIRE_DATE_INVALID");
    harness_free(k.h);
}

static void requests_wait_for_an_admin(void **state)
{
    (void)state;
    struct cast k = cast_new();
    call(k.h, k.owner, "messages.exportChatInvite", "{\"peer\": %lld, \"request_needed\": true}",
         (long long)k.group->peer);
    const char *hash = k.group->invites[k.group->n_invites - 1]->hash;
    for (int i = 0; i < 2; i++)
        assert_string_equal(
            call_error(k.h, k.stranger, "messages.importChatInvite", "{\"hash\": \"%s\"}", hash),
            "INVITE_REQUEST_SENT");
    assert_int_equal(k.group->n_requests, 1);
    const struct tl_object *o = call(k.h, k.owner, "messages.getChatInviteImporters",
                                     "{\"peer\": %lld, \"requested\": true, \"offset_date\": 0, "
                                     "\"offset_user\": \"me\", \"limit\": 10}",
                                     (long long)k.group->peer);
    assert_int_equal(tl_int(o, F_count), 1);
    const char *decide = "{\"peer\": %lld, \"user_id\": %lld%s}";
    assert_string_equal(call_error(k.h, k.member, "messages.hideChatJoinRequest", decide,
                                   (long long)k.group->peer, (long long)k.stranger->id, ""),
                        "CHAT_ADMIN_REQUIRED");
    call(k.h, k.owner, "messages.hideChatJoinRequest", decide, (long long)k.group->peer,
         (long long)k.stranger->id, ", \"approved\": true");
    assert_true(chat_has(k.group, k.stranger->id));
    const struct message *m = chat_message(k.group, (int32_t)k.group->n_slots);
    assert_int_equal(m->extra->action->kind, ACTION_JOINED_BY_REQUEST);
    assert_string_equal(call_error(k.h, k.owner, "messages.hideChatJoinRequest", decide,
                                   (long long)k.group->peer, (long long)k.member->id, ""),
                        "USER_ALREADY_PARTICIPANT");
    harness_free(k.h);
}

static void newcomers_do_not_see_what_was_hidden(void **state)
{
    (void)state;
    struct cast k = cast_new();
    send_text(k.h, k.owner, k.group->peer, "before");
    call(k.h, k.owner, "channels.togglePreHistoryHidden", "{\"channel\": %lld, \"enabled\": true}",
         (long long)k.group->peer);
    call(k.h, k.owner, "channels.inviteToChannel", "{\"channel\": %lld, \"users\": [%lld]}",
         (long long)k.group->peer, (long long)k.stranger->id);
    const struct tl_object *o =
        call(k.h, k.stranger, "messages.getHistory",
             "{\"peer\": %lld, \"offset_id\": 0, \"offset_date\": 0, \"add_offset\": 0, \"limit\": "
             "10, \"max_id\": 0, \"min_id\": 0, \"hash\": 0}",
             (long long)k.group->peer);
    assert_int_equal(tl_count(o, F_messages), 1); /* that they were added */
    o = call(k.h, k.stranger, "channels.getMessages", "{\"channel\": %lld, \"id\": [1]}",
             (long long)k.group->peer);
    assert_true(tl_is(tl_item_obj(o, F_messages, 0), C_messageEmpty));
    harness_free(k.h);
}

static void privacy_keeps_out_of_groups(void **state)
{
    (void)state;
    struct cast k = cast_new();
    k.stranger->flags |= USER_NO_INVITES;
    const struct tl_object *o =
        call(k.h, k.owner, "messages.addChatUser",
             "{\"chat_id\": %lld, \"user_id\": %lld, \"fwd_limit\": 0}",
             (long long)peer_bare(k.small->peer), (long long)k.stranger->id);
    assert_int_equal(tl_count(o, F_missing_invitees), 1);
    assert_false(chat_has(k.small, k.stranger->id));
    harness_free(k.h);
}

static void leaving_a_basic_group_keeps_its_history(void **state)
{
    (void)state;
    struct cast k = cast_new();
    send_text(k.h, k.owner, k.small->peer, "hello");
    call(k.h, k.owner, "messages.deleteChatUser", "{\"chat_id\": %lld, \"user_id\": %lld}",
         (long long)peer_bare(k.small->peer), (long long)k.member->id);
    assert_string_equal(call_error(k.h, k.member, "messages.sendMessage",
                                   "{\"peer\": %lld, \"message\": \"x\", \"random_id\": 8}",
                                   (long long)k.small->peer),
                        "CHAT_WRITE_FORBIDDEN");
    const struct tl_object *o =
        call(k.h, k.member, "messages.getHistory",
             "{\"peer\": %lld, \"offset_id\": 0, \"offset_date\": 0, \"add_offset\": 0, \"limit\": "
             "10, \"max_id\": 0, \"min_id\": 0, \"hash\": 0}",
             (long long)k.small->peer);
    assert_int_equal(tl_count(o, F_messages), 2); /* the greeting, and the removal itself */
    uint32_t had = k.member->box_n;
    send_text(k.h, k.owner, k.small->peer, "are they gone?");
    assert_int_equal(k.member->box_n, had);
    harness_free(k.h);
}

static void a_migrated_group_lives_on_as_a_supergroup(void **state)
{
    (void)state;
    struct cast k = cast_new();
    assert_string_equal(call_error(k.h, k.member, "messages.migrateChat", "{\"chat_id\": %lld}",
                                   (long long)peer_bare(k.small->peer)),
                        "CHAT_ADMIN_REQUIRED");
    call(k.h, k.owner, "messages.migrateChat", "{\"chat_id\": %lld}",
         (long long)peer_bare(k.small->peer));
    struct chat *c = world_chat(k.h->world, k.small->migrated_to);
    assert_non_null(c);
    assert_int_equal(c->n_joined, 3);
    assert_string_equal(call_error(k.h, k.member, "messages.sendMessage",
                                   "{\"peer\": %lld, \"message\": \"x\", \"random_id\": 8}",
                                   (long long)k.small->peer),
                        "CHAT_ID_INVALID");
    send_text(k.h, k.member, c->peer, "here we are");
    harness_free(k.h);
}

static void usernames_are_unique_and_well_formed(void **state)
{
    (void)state;
    struct cast k = cast_new();
    const char *query = "{\"username\": \"%s\"}";
    static const char *const bad[] = {"abcd",   "1abcde", "a__bcd",
                                      "abcde_", "ab-cde", "abcdefghijabcdefghijabcdefghijabc"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_string_equal(call_error(k.h, k.owner, "account.updateUsername", query, bad[i]),
                            "USERNAME_INVALID");
    call(k.h, k.owner, "account.updateUsername", query, "Owner_1");
    assert_string_equal(call_error(k.h, k.member, "account.updateUsername", query, "oWNER_1"),
                        "USERNAME_OCCUPIED");
    const struct tl_object *o = call(k.h, k.member, "contacts.resolveUsername", query, "OWNER_1");
    assert_int_equal(tl_int(tl_obj(o, F_peer), F_user_id), k.owner->id);
    call(k.h, k.owner, "account.updateUsername", query, "other_1");
    assert_string_equal(call_error(k.h, k.member, "contacts.resolveUsername", query, "owner_1"),
                        "USERNAME_NOT_OCCUPIED");
    harness_free(k.h);
}

static void a_deleted_channel_is_gone_for_all(void **state)
{
    (void)state;
    struct cast k = cast_new();
    struct chat *c = k.group;
    char query[64];
    snprintf(query, sizeof query, "{\"channel\": %lld}", (long long)c->peer);
    world_set_username(k.h->world, c->peer, slice_str("gone_soon"));
    struct invite *link = world_add_invite(k.h->world, c, k.owner->id, k.h->now);
    assert_string_equal(try_call(&k, k.admin, "channels.deleteChannel", query),
                        "CHAT_ADMIN_REQUIRED");
    const struct tl_object *o = call(k.h, k.owner, "channels.deleteChannel", "%s", query);
    assert_true(tl_is(tl_item_obj(o, F_updates, 0), C_updateChannel));
    assert_true(tl_is(tl_item_obj(o, F_chats, 0), C_channelForbidden));
    for (int i = 0; i < 2; i++)
        assert_string_equal(try_call(&k, i ? k.owner : k.member, "channels.getFullChannel", query),
                            "CHANNEL_PRIVATE");
    assert_int_equal(world_resolve_username(k.h->world, slice_str("gone_soon")), 0);
    assert_string_equal(
        call_error(k.h, k.stranger, "messages.importChatInvite", "{\"hash\": \"%s\"}", link->hash),
        "INVITE_HASH_EXPIRED");
    harness_free(k.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_are_what_the_table_says),
        cmocka_unit_test(restrictions_bind_members_only),
        cmocka_unit_test(the_banned_are_out_until_forgiven),
        cmocka_unit_test(admins_give_only_what_they_have),
        cmocka_unit_test(slow_mode_counts_seconds),
        cmocka_unit_test(links_end_as_they_say),
        cmocka_unit_test(requests_wait_for_an_admin),
        cmocka_unit_test(newcomers_do_not_see_what_was_hidden),
        cmocka_unit_test(privacy_keeps_out_of_groups),
        cmocka_unit_test(leaving_a_basic_group_keeps_its_history),
        cmocka_unit_test(a_migrated_group_lives_on_as_a_supergroup),
        cmocka_unit_test(a_deleted_channel_is_gone_for_all),
        cmocka_unit_test(usernames_are_unique_and_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
