/* SPDX-License-Identifier: MIT
 * Every method of the world answers something that the schema knows, in each layer that is in the
 * tree, and the demo world holds what its table says. The harness writes and reads back each
 * answer. */
#include <malloc.h>

#include "sandbox/methods_world.h"
#include "world_harness.h"

#define HISTORY                                                                                    \
    "\"offset_id\": 0, \"offset_date\": 0, \"add_offset\": 0, \"limit\": 100, \"max_id\": 0, "     \
    "\"min_id\": 0, \"hash\": 0"
#define SEARCH                                                                                     \
    "\"q\": \"\", \"filter\": {\"_\": \"inputMessagesFilterEmpty\"}, \"min_date\": 0, "            \
    "\"max_date\": 0, \"offset_id\": 0, "                                                          \
    "\"add_offset\": 0, \"limit\": 100, \"max_id\": 0, \"min_id\": 0, \"hash\": 0"

/* $USER, $CHAT (bare), $GROUP, $CHANNEL (marked) are peers of the demo world; in order, as Alice.
 */
static const struct {
    const char *method, *json;
} calls[] = {
    {"users.getUsers",
     "{\"id\": [\"me\", $USER, {\"_\": \"inputUser\", \"user_id\": 5, \"access_hash\": 1}]}"},
    {"users.getFullUser", "{\"id\": $USER}"},
    {"account.updateProfile", "{\"first_name\": \"A\", \"about\": \"b\"}"},
    {"account.checkUsername", "{\"username\": \"robert\"}"},
    {"account.updateUsername", "{\"username\": \"alice_new\"}"},
    {"contacts.getContacts", "{\"hash\": 0}"},
    {"contacts.getStatuses", "{}"},
    {"contacts.importContacts", "{\"contacts\": [{\"_\": \"inputPhoneContact\", \"client_id\": 7, "
                                "\"phone\": \"+99966 1 0001\", "
                                "\"first_name\": \"D\", \"last_name\": \"\"}]}"},
    {"contacts.addContact",
     "{\"id\": $USER, \"first_name\": \"B\", \"last_name\": \"\", \"phone\": \"\"}"},
    {"contacts.deleteContacts", "{\"id\": [$USER]}"},
    {"contacts.resolveUsername", "{\"username\": \"sandbox_club\"}"},
    {"contacts.resolvePhone", "{\"phone\": \"9996620002\"}"},
    {"contacts.search", "{\"q\": \"sandbox\", \"limit\": 10}"},
    {"contacts.block", "{\"id\": $USER}"},
    {"contacts.getBlocked", "{\"offset\": 0, \"limit\": 10}"},
    {"contacts.unblock", "{\"id\": $USER}"},
    {"contacts.getTopPeers", "{\"offset\": 0, \"limit\": 10, \"hash\": 0}"},
    {"messages.getDialogs",
     "{\"offset_date\": 0, \"offset_id\": 0, \"offset_peer\": 0, \"limit\": 100, \"hash\": 0}"},
    {"messages.getPeerDialogs", "{\"peers\": [$USER, $GROUP]}"},
    {"messages.getPinnedDialogs", "{\"folder_id\": 0}"},
    {"messages.toggleDialogPin", "{\"pinned\": true, \"peer\": $USER}"},
    {"messages.reorderPinnedDialogs", "{\"folder_id\": 0, \"order\": [$USER, $GROUP]}"},
    {"messages.markDialogUnread", "{\"unread\": true, \"peer\": $USER}"},
    {"folders.editPeerFolders",
     "{\"folder_peers\": [{\"_\": \"inputFolderPeer\", \"peer\": $USER, \"folder_id\": 1}]}"},
    {"messages.getHistory", "{\"peer\": $CHANNEL, " HISTORY "}"},
    {"messages.getHistory", "{\"peer\": $GROUP, " HISTORY "}"},
    {"messages.getHistory", "{\"peer\": $USER, " HISTORY "}"},
    {"messages.search", "{\"peer\": $GROUP, " SEARCH "}"},
    {"messages.getSearchCounters",
     "{\"peer\": $CHANNEL, \"filters\": [{\"_\": \"inputMessagesFilterPhotos\"}, {\"_\": "
     "\"inputMessagesFilterUrl\"}]}"},
    {"messages.getMessages", "{\"id\": [1, 2, 9999]}"},
    {"channels.getMessages",
     "{\"channel\": $GROUP, \"id\": [1, 2, 99999, {\"_\": \"inputMessagePinned\"}]}"},
    {"messages.sendMessage",
     "{\"peer\": $GROUP, \"message\": \"see https://example.com\", \"random_id\": 1}"},
    {"messages.sendMessage", "{\"peer\": $USER, \"message\": \"hi\", \"random_id\": 2}"},
    {"messages.forwardMessages", "{\"from_peer\": $CHANNEL, \"to_peer\": \"me\", \"id\": [42, 43, "
                                 "53], \"random_id\": [3, 4, 5]}"},
    {"messages.setTyping",
     "{\"peer\": $GROUP, \"action\": {\"_\": \"sendMessageUploadPhotoAction\", \"progress\": 5}}"},
    {"messages.readHistory", "{\"peer\": $USER, \"max_id\": 0}"},
    {"channels.readHistory", "{\"channel\": $GROUP, \"max_id\": 0}"},
    {"messages.readMessageContents", "{\"id\": [1]}"},
    {"channels.readMessageContents", "{\"channel\": $GROUP, \"id\": [1]}"},
    {"messages.getMessagesViews", "{\"peer\": $CHANNEL, \"id\": [2, 3, 999], \"increment\": true}"},
    {"messages.updatePinnedMessage", "{\"peer\": \"me\", \"id\": $SAVED}"},
    {"messages.unpinAllMessages", "{\"peer\": \"me\"}"},
    {"messages.editMessage", "{\"peer\": \"me\", \"id\": $SAVED, \"message\": \"edited\"}"},
    {"messages.deleteMessages", "{\"id\": [$SAVED]}"},
    {"messages.deleteHistory", "{\"peer\": $USER, \"max_id\": 0}"},
    {"messages.getChats", "{\"id\": [$CHAT]}"},
    {"messages.getFullChat", "{\"chat_id\": $CHAT}"},
    {"messages.getCommonChats", "{\"user_id\": $USER, \"max_id\": 0, \"limit\": 10}"},
    {"messages.getOnlines", "{\"peer\": $GROUP}"},
    {"messages.editChatTitle", "{\"chat_id\": $CHAT, \"title\": \"New\"}"},
    {"messages.editChatAbout",
     "{\"peer\": {\"_\": \"inputPeerChat\", \"chat_id\": $CHAT}, \"about\": \"Now\"}"},
    {"messages.editChatAdmin", "{\"chat_id\": $CHAT, \"user_id\": $USER, \"is_admin\": true}"},
    {"messages.deleteChatUser", "{\"chat_id\": $CHAT, \"user_id\": $USER}"},
    {"messages.addChatUser", "{\"chat_id\": $CHAT, \"user_id\": $USER, \"fwd_limit\": 10}"},
    {"messages.createChat", "{\"title\": \"T\", \"users\": [$USER]}"},
    {"messages.exportChatInvite",
     "{\"peer\": {\"_\": \"inputPeerChat\", \"chat_id\": $CHAT}, \"title\": \"for all\"}"},
    {"messages.getExportedChatInvites", "{\"peer\": {\"_\": \"inputPeerChat\", \"chat_id\": "
                                        "$CHAT}, \"admin_id\": \"me\", \"limit\": 10}"},
    {"messages.migrateChat", "{\"chat_id\": $CHAT}"},
    {"messages.checkChatInvite", "{\"hash\": \"PlainInviteLink0\"}"},
    {"messages.importChatInvite", "{\"hash\": \"PlainInviteLink0\"}"},
    {"messages.checkChatInvite", "{\"hash\": \"PlainInviteLink0\"}"},
    {"channels.getChannels", "{\"id\": [$GROUP, $CHANNEL]}"},
    {"channels.getFullChannel", "{\"channel\": $GROUP}"},
    {"channels.getFullChannel", "{\"channel\": $CHANNEL}"},
    {"channels.getParticipant", "{\"channel\": $GROUP, \"participant\": \"me\"}"},
    {"channels.getParticipants",
     "{\"channel\": $GROUP, \"filter\": {\"_\": \"channelParticipantsSearch\", \"q\": \"stone\"}, "
     "\"offset\": 0, \"limit\": 200, \"hash\": 0}"},
    {"channels.getSendAs", "{\"peer\": $GROUP}"},
    {"channels.exportMessageLink", "{\"channel\": $GROUP, \"id\": 3}"},
    {"channels.getAdminedPublicChannels", "{}"},
    {"channels.createChannel", "{\"title\": \"C\", \"about\": \"a\", \"broadcast\": true}"},
    {"channels.checkUsername", "{\"channel\": $GROUP, \"username\": \"free_name\"}"},
    {"messages.searchGlobal",
     "{\"offset_rate\": 0, \"offset_peer\": 0, \"q\": \"river\", "
     "\"filter\": {\"_\": \"inputMessagesFilterEmpty\"}, \"min_date\": 0, \"max_date\": 0, "
     "\"offset_id\": 0, \"limit\": 100}"},
    {"channels.leaveChannel", "{\"channel\": $GROUP}"},
    {"channels.joinChannel", "{\"channel\": $GROUP}"},
    {"messages.getDialogFilters", "{}"},
    {"messages.getSuggestedDialogFilters", "{}"},
    {"messages.getAllDrafts", "{}"},
    {"messages.clearAllDrafts", "{}"},
    {"channels.deleteHistory", "{\"channel\": $CHANNEL, \"max_id\": 1}"},
    {"messages.sendMedia",
     "{\"peer\": $USER, \"media\": {\"_\": \"inputMediaDice\", \"emoticon\": \"🎲\"}, "
     "\"message\": \"\", \"random_id\": 77001}"},
    {"messages.saveDraft", "{\"peer\": $USER, \"message\": \"d\"}"},
    {"messages.getAllStickers", "{\"hash\": 0}"},
    {"messages.getMaskStickers", "{\"hash\": 0}"},
    {"messages.getEmojiStickers", "{\"hash\": 0}"},
    {"messages.getFavedStickers", "{\"hash\": 0}"},
    {"messages.getRecentStickers", "{\"hash\": 0}"},
    {"messages.getFeaturedStickers", "{\"hash\": 0}"},
    {"messages.getFeaturedEmojiStickers", "{\"hash\": 0}"},
    {"messages.getSavedGifs", "{\"hash\": 0}"},
    {"messages.getAvailableReactions", "{\"hash\": 0}"},
    {"messages.getRecentReactions", "{\"limit\": 5, \"hash\": 0}"},
    {"messages.getTopReactions", "{\"limit\": 5, \"hash\": 0}"},
    {"messages.getDefaultTagReactions", "{\"hash\": 0}"},
    {"messages.getAttachMenuBots", "{\"hash\": 0}"},
    {"messages.getPinnedSavedDialogs", "{}"},
    {"messages.getSavedDialogs",
     "{\"offset_date\": 0, \"offset_id\": 0, \"offset_peer\": 0, \"limit\": 10, \"hash\": 0}"},
    {"messages.getQuickReplies", "{\"hash\": 0}"},
    {"messages.getEmojiGroups", "{\"hash\": 0}"},
    {"messages.getEmojiKeywords", "{\"lang_code\": \"en\"}"},
    {"messages.getEmojiKeywordsDifference", "{\"lang_code\": \"en\", \"from_version\": 0}"},
    {"messages.getEmojiKeywordsLanguages", "{\"lang_codes\": [\"en\"]}"},
    {"messages.getDefaultHistoryTTL", "{}"},
    {"messages.getSplitRanges", "{}"},
    {"messages.getPeerSettings", "{\"peer\": $USER}"},
    {"messages.getUnreadMentions", "{\"peer\": $GROUP, \"offset_id\": 0, \"add_offset\": 0, "
                                   "\"limit\": 10, \"max_id\": 0, \"min_id\": 0}"},
    {"messages.getUnreadReactions", "{\"peer\": $GROUP, \"offset_id\": 0, \"add_offset\": 0, "
                                    "\"limit\": 10, \"max_id\": 0, \"min_id\": 0}"},
    {"messages.getScheduledHistory", "{\"peer\": $GROUP, \"hash\": 0}"},
    {"photos.getUserPhotos", "{\"user_id\": $USER, \"offset\": 0, \"max_id\": 0, \"limit\": 10}"},
    /* as Bob, who owns the club and the news */
    {"channels.editTitle", "{\"channel\": $GROUP, \"title\": \"Club\"}"},
    {"channels.updateUsername", "{\"channel\": $GROUP, \"username\": \"other_club\"}"},
    {"channels.toggleSlowMode", "{\"channel\": $GROUP, \"seconds\": 60}"},
    {"channels.toggleSignatures", "{\"channel\": $CHANNEL, \"signatures_enabled\": true}"},
    {"messages.sendMessage", "{\"peer\": $CHANNEL, \"message\": \"signed\", \"random_id\": 11}"},
    {"channels.togglePreHistoryHidden", "{\"channel\": $GROUP, \"enabled\": true}"},
    {"channels.toggleJoinRequest", "{\"channel\": $GROUP, \"enabled\": true}"},
    {"messages.toggleNoForwards", "{\"peer\": $GROUP, \"enabled\": true}"},
    {"channels.inviteToChannel", "{\"channel\": $GROUP, \"users\": [$USER]}"},
    {"channels.editAdmin", "{\"channel\": $GROUP, \"user_id\": $USER, \"admin_rights\": {\"_\": "
                           "\"chatAdminRights\", \"pin_messages\": true}, \"rank\": \"R\"}"},
    {"channels.getParticipants",
     "{\"channel\": $GROUP, \"filter\": {\"_\": \"channelParticipantsAdmins\"}, \"offset\": 0, "
     "\"limit\": 200, \"hash\": 0}"},
    {"channels.editBanned",
     "{\"channel\": $GROUP, \"participant\": $USER, \"banned_rights\": {\"_\": "
     "\"chatBannedRights\", \"send_media\": true, \"until_date\": 0}}"},
    {"channels.getParticipants",
     "{\"channel\": $GROUP, \"filter\": {\"_\": \"channelParticipantsBanned\", \"q\": \"\"}, "
     "\"offset\": 0, \"limit\": 200, \"hash\": 0}"},
    {"channels.deleteMessages", "{\"channel\": $GROUP, \"id\": [5, 6]}"},
    {"messages.editChatDefaultBannedRights",
     "{\"peer\": $GROUP, \"banned_rights\": {\"_\": \"chatBannedRights\", \"send_polls\": true, "
     "\"until_date\": 0}}"},
    {"channels.getFullChannel", "{\"channel\": $GROUP}"},
    {"messages.exportChatInvite", "{\"peer\": $GROUP, \"usage_limit\": 3}"},
    {"messages.getChatInviteImporters", "{\"peer\": $GROUP, \"requested\": true, \"offset_date\": "
                                        "0, \"offset_user\": \"me\", \"limit\": 10}"},
};

struct names {
    const char *name;
    long long value;
};

static void expand(const char *json, const struct names *names, char out[static 2048])
{
    size_t n = 0;
    while (*json && n < 2000) {
        const struct names *hit = NULL;
        for (const struct names *x = names; x->name && !hit; x++)
            hit = strncmp(json, x->name, strlen(x->name)) == 0 ? x : NULL;
        if (hit) {
            n += (size_t)snprintf(out + n, 24, "%lld", hit->value);
            json += strlen(hit->name);
        } else {
            out[n++] = *json++;
        }
    }
    out[n] = '\0';
}

static struct chat *chat_titled(struct harness *h, const char *title)
{
    for (size_t i = 0; i < h->world->chats.slots; i++) {
        struct chat *c = h->world->chats.values[i];
        if (c && strcmp(c->title, title) == 0)
            return c;
    }
    fail_msg("no chat %s", title);
    return NULL;
}

static struct harness *demo_harness(const char *schema)
{
    struct harness *h = harness_new(schema);
    assert_true(world_load_demo(h->world, h->now));
    return h;
}

static void run_all(const char *schema)
{
    struct harness *h = demo_harness(schema);
    struct user *alice = world_user_by_phone(h->world, slice_str("+9996620001"));
    struct user *bob = world_user_by_phone(h->world, slice_str("9996620002"));
    struct names names[] = {
        {"$USER", bob->id},
        {"$SAVED", user_dialog_find(alice, alice->id)->ids.ids[0]},
        {"$GROUP", world_resolve_username(h->world, slice_str("sandbox_club"))},
        {"$CHANNEL", world_resolve_username(h->world, slice_str("@Sandbox_News"))},
        {"$CHAT", peer_bare(chat_titled(h, "Picnic")->peer)},
        {NULL, 0},
    };
    bool tried[COMBINATORS_N] = {false};
    struct user *self = alice;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        char json[2048];
        if (strcmp(calls[i].method, "channels.editTitle") == 0) {
            self = bob;
            names[0].value = world_user_by_phone(h->world, slice_str("9996610001"))->id;
        }
        expand(calls[i].json, names, json);
        call_value(h, self, calls[i].method, "%s", json);
        tried[tl_schema_by_name(h->schema, slice_str(calls[i].method))->symbol] = true;
    }
    /* these are tried elsewhere, or refuse in every state of the demo world */
    static const uint16_t elsewhere[] = {
        C_messages_getScheduledMessages,
        C_messages_sendScheduledMessages,
        C_messages_deleteScheduledMessages,
        C_channels_deleteChannel,
        C_photos_uploadProfilePhoto,
        C_photos_updateProfilePhoto,
        C_photos_deletePhotos,
        C_messages_editChatPhoto,
        C_channels_editPhoto,
        C_messages_editExportedChatInvite,
        C_messages_hideChatJoinRequest,
        C_upload_saveFilePart,
        C_upload_saveBigFilePart,
        C_upload_getFile,
        C_upload_getFileHashes,
        C_messages_uploadMedia,
        C_messages_sendMultiMedia,
    };
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        tried[elsewhere[i]] = true;
    const struct method_table *const tables[] = {WORLD_METHOD_TABLES};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (size_t i = 0; i < tables[t]->n; i++)
            if (!tried[tables[t]->methods[i].symbol])
                fail_msg("%s was not tried",
                         sandbox_names.combinators[tables[t]->methods[i].symbol]);
    /* every update that was pushed can be told to everybody it went to */
    for (uint32_t i = 0; i < h->n_pushes; i++) {
        struct push *p = &h->pushes[i];
        arena_reset(&h->arena);
        struct request view = {.world = h->world,
                               .self = p->to,
                               .schema = h->schema,
                               .arena = &h->arena,
                               .b = tl_builder_of(h->schema, &h->arena),
                               .now_s = h->now};
        struct peers peers = {0};
        p->update.ids = NULL;
        p->update.n_ids = 0;
        struct tl_object *o = p->update.type->build(&view, &p->update, &peers);
        struct buf out;
        buf_init(&out, 0);
        const char *error = NULL;
        if (o && !tl_write_object(h->schema, &out, o, &h->arena, &error))
            fail_msg("update %s: %s", p->update.type->name, error);
        buf_free(&out);
    }
    assert_true(h->n_pushes > 50);
    harness_free(h);
}

static void all_methods_answer_in_the_embedded_layer(void **state)
{
    (void)state;
    run_all(NULL);
}

static void all_methods_answer_in_layer_216(void **state)
{
    (void)state;
    run_all("schema/layers/api-216.tl");
}

static void the_demo_world_is_what_its_table_says(void **state)
{
    (void)state;
    struct harness *h = demo_harness(NULL);
    struct user *alice = world_user_by_phone(h->world, slice_str("9996620001"));
    static const struct {
        const char *hash, *error;
    } links[] = {{"ExpiredInvite000", "INVITE_HASH_EXPIRED"},
                 {"UsedUpInvite0000", "INVITE_HASH_EXPIRED"},
                 {"JoinRequest00000", "INVITE_REQUEST_SENT"}};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        assert_string_equal(
            call_error(h, alice, "messages.importChatInvite", "{\"hash\": \"%s\"}", links[i].hash),
            links[i].error);
    struct user *carol = world_user_by_phone(h->world, slice_str("9996620003"));
    assert_true(carol->account->two_factor.set);
    assert_int_equal(world_user_by_phone(h->world, slice_str("9996630001"))->account->home_dc, 3);
    const struct chat *club = chat_titled(h, "Sandbox Club");
    assert_true(club->live.n > 4000);
    int32_t year = chat_message(club, (int32_t)club->n_slots)->date - chat_message(club, 1)->date;
    assert_true(year > 360 * 86400 && year < 370 * 86400);
    assert_int_equal(dialog_unread(h->world, alice, user_dialog_find(alice, club->peer)), 7);
    assert_string_equal(call_error(h, alice, "messages.sendMessage",
                                   "{\"peer\": %lld, \"message\": \"x\", \"random_id\": 1}",
                                   (long long)chat_titled(h, "Sandbox News")->peer),
                        "CHAT_ADMIN_REQUIRED");
    struct user *bob = world_user_by_phone(h->world, slice_str("9996620002"));
    for (int32_t pin = 3500; pin; pin = pin == 3500  ? 900
                                        : pin == 900 ? 12
                                                     : 0) { /* newest first */
        const struct tl_object *o =
            call(h, alice, "channels.getFullChannel", "{\"channel\": %lld}", (long long)club->peer);
        assert_int_equal(tl_int(tl_obj(o, F_full_chat), F_pinned_msg_id), pin);
        call(h, bob, "channels.deleteMessages", "{\"channel\": %lld, \"id\": [%d]}",
             (long long)club->peer, pin);
    }
    for (const char *line = world_demo_table; (line = strchr(line, '@'));
         line++) { /* each name resolves */
        size_t n = strspn(line + 1, "abcdefghijklmnopqrstuvwxyz_");
        assert_int_not_equal(world_resolve_username(h->world, slice_of(line + 1, n)), 0);
    }
    harness_free(h);
}

static void the_same_seed_gives_the_same_world(void **state)
{
    (void)state;
    struct harness *a = demo_harness(NULL), *b = demo_harness(NULL);
    const struct chat *x = chat_titled(a, "Sandbox Club"), *y = chat_titled(b, "Sandbox Club");
    assert_int_equal(x->peer, y->peer);
    for (int32_t id = 1; id <= 4000; id += 97) {
        const struct message *m = chat_message(x, id), *n = chat_message(y, id);
        assert_int_equal(m->from, n->from);
        assert_true(slice_eq(slice_of(m->text, m->text_len), slice_of(n->text, n->text_len)));
    }
    harness_free(a);
    harness_free(b);
}

enum { MANY = 200000, MESSAGE_BYTES_MAX = 300 };

static void a_message_stays_under_its_budget_of_memory(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    struct user *u = add_account(h, "9996620401", "U");
    struct chat *c = world_add_chat(h->world, PEER_CHANNEL, slice_str("Big"), slice_str(""),
                                    CHAT_MEGAGROUP, u->id, h->now);
    assert_non_null(chat_join(c, u, u->id, h->now));
    size_t before = mallinfo2().uordblks;
    assert_true(world_fill_chat(h->world, c, MANY, h->now, 1));
    size_t bytes = (mallinfo2().uordblks - before) / MANY;
    print_message("%zu bytes a message, index and allocator included\n", bytes);
    assert_true(bytes < MESSAGE_BYTES_MAX); /* 0 under sanitizers, whose allocator counts apart */
    harness_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_methods_answer_in_the_embedded_layer),
        cmocka_unit_test(all_methods_answer_in_layer_216),
        cmocka_unit_test(the_demo_world_is_what_its_table_says),
        cmocka_unit_test(the_same_seed_gives_the_same_world),
        cmocka_unit_test(a_message_stays_under_its_budget_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
