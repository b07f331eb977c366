/* SPDX-License-Identifier: MIT
 * Requests as they are sent, and the short answers to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

#include "telegram/builder_case.h"
#include "telegram/login.h"
#include "telegram/messages.h"

static const struct peer_ref user = {
    .kind = PEER_USER, .has_hash = true, .id = 5, .access_hash = 50};
static const struct peer_ref chat = {.kind = PEER_CHAT, .id = 20};
static const struct peer_ref channel = {
    .kind = PEER_CHANNEL, .has_hash = true, .id = 30, .access_hash = -300};
static const struct peer_ref unknown = {.kind = PEER_USER, .id = 6};

static void assert_request(const struct tl_object *request, const char *wanted)
{
    assert_string_equal(request_json(schema, request, &arena), wanted);
}

static const struct tl_object *answer(const char *text)
{
    return object_of_text(schema, text, &arena);
}

#define USER_PEER    "{\"_\":\"inputPeerUser\",\"user_id\":\"5\",\"access_hash\":\"50\"}"
#define CHANNEL_PEER "{\"_\":\"inputPeerChannel\",\"channel_id\":\"30\",\"access_hash\":\"-300\"}"
#define CHANNEL      "{\"_\":\"inputChannel\",\"channel_id\":\"30\",\"access_hash\":\"-300\"}"

/* ---- messages ---- */

static void sending(void **state)
{
    (void)state;
    const struct formatted_text text = {.text = slice_str("hi")};
    const struct send_options plain = {.text = &text, .random_id = -9};
    const struct send_options reply = {
        .text = &text, .random_id = 9, .reply_to_msg_id = 7, .silent = true, .no_webpage = true};
    assert_request(request_send(&builder, &user, &plain),
                   "{\"_\":\"messages.sendMessage\",\"peer\":" USER_PEER
                   ",\"message\":\"hi\",\"random_id\":\"-9\"}");
    assert_request(
        request_send(&builder, &channel, &reply),
        "{\"_\":\"messages.sendMessage\",\"no_webpage\":true,\"silent\":true,\"peer\":" CHANNEL_PEER
        ",\"reply_to\":{\"_\":\"inputReplyToMessage\",\"reply_to_msg_id\":7},\"message\":\"hi\","
        "\"random_id\":\"9\"}");
    assert_null(request_send(&builder, &unknown, &plain));
    assert_request(request_edit(&builder, &chat, 3, &text, false, NULL),
                   "{\"_\":\"messages.editMessage\",\"peer\":{\"_\":\"inputPeerChat\",\"chat_id\":"
                   "\"20\"},\"id\":3,\"message\":\"hi\"}");
    assert_false(builder.failed);
}

static void deleting_and_fetching(void **state)
{
    (void)state;
    const int32_t ids[] = {1, 2};
    assert_request(request_delete(&builder, &user, ids, 2, true),
                   "{\"_\":\"messages.deleteMessages\",\"revoke\":true,\"id\":[1,2]}");
    assert_request(request_delete(&builder, &chat, ids, 1, false),
                   "{\"_\":\"messages.deleteMessages\",\"id\":[1]}");
    assert_request(request_delete(&builder, &channel, ids, 2, true),
                   "{\"_\":\"channels.deleteMessages\",\"channel\":" CHANNEL ",\"id\":[1,2]}");
    assert_request(request_messages(&builder, &user, ids, 1),
                   "{\"_\":\"messages.getMessages\",\"id\":[{\"_\":\"inputMessageID\",\"id\":1}]}");
    assert_request(request_messages(&builder, &channel, ids, 1),
                   "{\"_\":\"channels.getMessages\",\"channel\":" CHANNEL
                   ",\"id\":[{\"_\":\"inputMessageID\",\"id\":1}]}");
    const struct peer_ref lost = {.kind = PEER_CHANNEL, .id = 31};
    assert_null(request_delete(&builder, &lost, ids, 2, true));
}

static void forwarding(void **state)
{
    (void)state;
    const int32_t id = 3;
    const int64_t random_id = 1LL << 62;
    assert_request(request_forward(&builder, &channel, &user, &id, &random_id, 1),
                   "{\"_\":\"messages.forwardMessages\",\"from_peer\":" CHANNEL_PEER
                   ",\"id\":[3],\"random_id\":[\"4611686018427387904\"],\"to_peer\":" USER_PEER
                   "}");
    assert_null(request_forward(&builder, &unknown, &user, &id, &random_id, 1));
    assert_null(request_forward(&builder, &user, &unknown, &id, &random_id, 1));
}

static void history_requests(void **state)
{
    (void)state;
    const struct history_query plain = {.limit = 1000, .to_date = 500, .from_date = 100};
    const struct history_query older = {.limit = 10, .offset_id = 77, .to_date = 500};
    const struct history_query search = {
        .limit = 10, .search = slice_str("x"), .from_date = 100, .to_date = 500};
    assert_request(request_history(&builder, &user, &plain),
                   "{\"_\":\"messages.getHistory\",\"peer\":" USER_PEER
                   ",\"offset_id\":0,\"offset_date\":501,\"add_offset\":0,"
                   "\"limit\":100,\"max_id\":0,\"min_id\":0,\"hash\":\"0\"}");
    assert_request(request_history(&builder, &user, &older),
                   "{\"_\":\"messages.getHistory\",\"peer\":" USER_PEER
                   ",\"offset_id\":77,\"offset_date\":0,\"add_offset\":0,"
                   "\"limit\":10,\"max_id\":0,\"min_id\":0,\"hash\":\"0\"}");
    assert_request(request_history(&builder, &user, &search),
                   "{\"_\":\"messages.search\",\"peer\":" USER_PEER
                   ",\"q\":\"x\",\"filter\":{\"_\":\"inputMessagesFilterEmpty\"},"
                   "\"min_date\":99,\"max_date\":501,\"offset_id\":0,\"add_offset\":0,\"limit\":10,"
                   "\"max_id\":0,\"min_id\":0,"
                   "\"hash\":\"0\"}");
}

/* Any 64-bit number may come as a date: what the server's 32 bits cannot say stays at their ends.
 */
static void history_requests_of_far_dates(void **state)
{
    (void)state;
    static const struct {
        int64_t from, to;
        int32_t min, max;
    } cases[] = {
        {INT64_MAX, INT64_MAX, INT32_MAX, INT32_MAX},
        {INT64_MIN, INT64_MIN, 0, 1},
        {INT32_MAX, INT32_MAX, INT32_MAX - 1, INT32_MAX},
        {1, -1, 0, 1},
        {0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct history_query q = {.limit = 1, .from_date = cases[i].from, .to_date = cases[i].to};
        const struct tl_object *o = request_history(&builder, &user, &q);
        assert_int_equal(tl_int(o, F_offset_date), cases[i].max);
        q.search = slice_str("x");
        o = request_history(&builder, &user, &q);
        assert_int_equal(tl_int(o, F_min_date), cases[i].min);
        assert_int_equal(tl_int(o, F_max_date), cases[i].max);
    }
}

static void messages_know_their_chat(void **state)
{
    (void)state;
    const struct tl_object *m = answer(
        "{\"_\":\"message\",\"id\":1,\"peer_id\":{\"_\":\"peerUser\",\"user_id\":5},\"date\":1,"
        "\"message\":\"\"}");
    const struct peer_ref self = {.kind = PEER_USER, .self = true};
    assert_true(message_is_in(m, &user, 1));
    assert_false(message_is_in(m, &chat, 1));
    assert_false(message_is_in(m, &channel, 1));
    assert_false(message_is_in(m, &self, 1));
    assert_false(message_is_in(m, &self, 0));
    assert_true(message_is_in(m, &self, 5));
    assert_false(message_is_in(NULL, &user, 1));
    assert_false(message_is_in(answer("{\"_\":\"messageEmpty\",\"id\":1}"), &user, 1));
}

/* ---- Updates ---- */

#define NEW_MESSAGE(kind, id, date)                                                                \
    "{\"_\":\"" kind "\",\"message\":{\"_\":\"message\",\"id\":" id                                \
    ",\"peer_id\":{\"_\":\"peerUser\",\"user_id\":5},"                                             \
    "\"date\":" date ",\"message\":\"\",\"edit_date\":900},\"pts\":1,\"pts_count\":1}"
#define UPDATES(list)                                                                              \
    "{\"_\":\"updates\",\"updates\":[" list "],\"users\":[],\"chats\":[],\"date\":800,\"seq\":0}"

static void sent_messages_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t id;
        int64_t date;
    } rows[] = {
        {"{\"_\":\"updateShortSentMessage\",\"out\":true,\"id\":4,\"pts\":1,\"pts_count\":1,"
         "\"date\":700}",
         4, 700},
        {UPDATES("{\"_\":\"updateMessageID\",\"id\":4,\"random_id\":\"10\"},{\"_\":"
                 "\"updateMessageID\",\"id\":5,\"random_id\":\"-11\"}," NEW_MESSAGE(
                     "updateNewMessage", "4", "600") "," NEW_MESSAGE("updateNewChannelMessage", "5",
                                                                     "601")),
         5, 601},
        {UPDATES("{\"_\":\"updateMessageID\",\"id\":5,\"random_id\":\"-11\"}"), 5, 800},
        {UPDATES("{\"_\":\"updateMessageID\",\"id\":5,\"random_id\":\"11\"}," NEW_MESSAGE(
             "updateNewMessage", "5", "600")),
         0, 0},
        {UPDATES(""), 0, 0},
        {"{\"_\":\"updatesTooLong\"}", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sent_message sent;
        assert_int_equal(updates_find_sent(answer(rows[i].text), -11, &sent), rows[i].id != 0);
        assert_int_equal(sent.id, rows[i].id);
        assert_int_equal(sent.date, rows[i].date);
    }
    struct sent_message sent;
    assert_false(updates_find_sent(NULL, 1, &sent));
}

static void edited_messages_are_found(void **state)
{
    (void)state;
    struct sent_message edited;
    const struct tl_object *updates = answer(UPDATES(NEW_MESSAGE(
        "updateNewMessage", "4", "600") "," NEW_MESSAGE("updateEditMessage", "5", "601")));
    assert_true(updates_find_edited(updates, 5, &edited));
    assert_int_equal(edited.date, 900);
    assert_false(updates_find_edited(updates, 4, &edited));
    const struct tl_object *one = answer("{\"_\":\"updateShort\",\"update\":" NEW_MESSAGE(
        "updateEditChannelMessage", "6", "602") ",\"date\":1}");
    assert_true(updates_find_edited(one, 6, &edited));
}

static void joined_chats_are_found(void **state)
{
    (void)state;
    static const char updates[] = "{\"_\":\"updates\",\"updates\":[],\"users\":[],\"chats\":[{\"_"
                                  "\":\"chatForbidden\",\"id\":1,\"title\":\"no\"},"
                                  "{\"_\":\"chat\",\"id\":2,\"title\":\"yes\",\"photo\":{\"_\":"
                                  "\"chatPhotoEmpty\"},\"participants_count\":1,\"date\":1,"
                                  "\"version\":1}],\"date\":1,\"seq\":0}";
    const struct tl_object *bare = answer(updates);
    assert_int_equal(tl_int(updates_first_chat(join_updates(bare)), F_id), 2);
    const struct tl_object *wrapped = answer(arena_printf(
        &arena, "{\"_\":\"messages.chatInviteJoinResultOk\",\"updates\":%s}", updates));
    assert_int_equal(tl_int(updates_first_chat(join_updates(wrapped)), F_id), 2);
    struct directory *d = directory_new(&arena);
    directory_add(d, wrapped);
    assert_non_null(directory_find(d, PEER_CHAT, 2));
    assert_null(join_updates(answer("{\"_\":\"messages.chatInviteJoinResultWebView\",\"bot_id\":1,"
                                    "\"query_id\":\"1\",\"users\":[]}")));
    assert_null(updates_first_chat(NULL));
}

static void invites(void **state)
{
    (void)state;
    assert_request(request_import_invite(&builder, slice_str("AbC")),
                   "{\"_\":\"messages.importChatInvite\",\"hash\":\"AbC\"}");
    assert_request(request_check_invite(&builder, slice_str("AbC")),
                   "{\"_\":\"messages.checkChatInvite\",\"hash\":\"AbC\"}");
    assert_request(request_join(&builder, &channel),
                   "{\"_\":\"channels.joinChannel\",\"channel\":" CHANNEL "}");
    assert_null(request_join(&builder, &chat));
    const struct tl_object *already = answer("{\"_\":\"chatInviteAlready\",\"chat\":{\"_\":"
                                             "\"chatForbidden\",\"id\":9,\"title\":\"t\"}}");
    assert_int_equal(tl_int(invite_chat(already), F_id), 9);
    assert_null(invite_chat(answer(
        "{\"_\":\"chatInvite\",\"title\":\"t\",\"photo\":{\"_\":\"photoEmpty\",\"id\":\"0\"},"
        "\"participants_count\":1,\"color\":0}")));
}

static void looking_up(void **state)
{
    (void)state;
    assert_request(request_resolve_username(&builder, slice_str("durov")),
                   "{\"_\":\"contacts.resolveUsername\",\"username\":\"durov\"}");
    assert_request(request_resolve_phone(&builder, slice_str("79991234567")),
                   "{\"_\":\"contacts.resolvePhone\",\"phone\":\"79991234567\"}");
    assert_request(request_full(&builder, &user),
                   "{\"_\":\"users.getFullUser\",\"id\":{\"_\":\"inputUser\",\"user_id\":\"5\","
                   "\"access_hash\":\"50\"}}");
    assert_request(request_full(&builder, &chat),
                   "{\"_\":\"messages.getFullChat\",\"chat_id\":\"20\"}");
    assert_request(request_full(&builder, &channel),
                   "{\"_\":\"channels.getFullChannel\",\"channel\":" CHANNEL "}");
    assert_null(request_full(&builder, &unknown));
}

/* ---- login ---- */

static void login_requests(void **state)
{
    (void)state;
    const struct slice tokens[] = {slice_str("abc")};
    assert_request(request_send_code(&builder, "+1", 7, "h", tokens, 1),
                   "{\"_\":\"auth.sendCode\",\"phone_number\":\"+1\",\"api_id\":7,\"api_hash\":"
                   "\"h\",\"settings\":"
                   "{\"_\":\"codeSettings\",\"logout_tokens\":[\"YWJj\"]}}");
    assert_request(request_send_code(&builder, "+1", 7, "h", NULL, 0),
                   "{\"_\":\"auth.sendCode\",\"phone_number\":\"+1\",\"api_id\":7,\"api_hash\":"
                   "\"h\",\"settings\":"
                   "{\"_\":\"codeSettings\"}}");
    assert_request(request_sign_in(&builder, "+1", "ch", "22222"),
                   "{\"_\":\"auth.signIn\",\"phone_number\":\"+1\",\"phone_code_hash\":\"ch\","
                   "\"phone_code\":\"22222\"}");
    assert_request(request_sign_up(&builder, "+1", "ch", "Ann", NULL),
                   "{\"_\":\"auth.signUp\",\"phone_number\":\"+1\",\"phone_code_hash\":\"ch\","
                   "\"first_name\":\"Ann\",\"last_name\":\"\"}");
    assert_request(request_get_password(&builder), "{\"_\":\"account.getPassword\"}");
    assert_request(request_log_out(&builder), "{\"_\":\"auth.logOut\"}");
    uint8_t a[DH_BYTES] = {1}, m1[SHA256_BYTES] = {2};
    const struct tl_object *check =
        request_check_password(&builder, password_proof(&builder, -3, a, m1));
    const struct tl_object *proof = tl_obj(check, F_password);
    assert_int_equal(tl_int(proof, F_srp_id), -3);
    assert_int_equal(tl_text(proof, F_A).len, DH_BYTES);
    assert_int_equal(tl_text(proof, F_M1).len, SHA256_BYTES);
    (void)request_json(schema, check, &arena);
}

#define SENT_CODE(type, more)                                                                      \
    "{\"_\":\"auth.sentCode\",\"type\":" type ",\"phone_code_hash\":\"ch\"" more "}"

static void sent_codes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *type;
        enum sent_code_kind kind;
        int32_t length, timeout;
    } rows[] = {
        {SENT_CODE("{\"_\":\"auth.sentCodeTypeApp\",\"length\":5}", ",\"timeout\":60"), "app",
         SENT_CODE_SENT, 5, 60},
        {SENT_CODE("{\"_\":\"auth.sentCodeTypeSms\",\"length\":6}", ""), "sms", SENT_CODE_SENT, 6,
         0},
        {SENT_CODE("{\"_\":\"auth.sentCodeTypeFlashCall\",\"pattern\":\"7*\"}", ""), "flash_call",
         SENT_CODE_SENT, 0, 0},
        {SENT_CODE("{\"_\":\"auth.sentCodeTypeSetUpEmailRequired\"}", ""), "set_up_email_required",
         SENT_CODE_EMAIL_REQUIRED, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sent_code got = sent_code_read(answer(rows[i].text));
        assert_int_equal(got.kind, rows[i].kind);
        assert_string_equal(got.type, rows[i].type);
        assert_int_equal(got.length, rows[i].length);
        assert_int_equal(got.timeout, rows[i].timeout);
        assert_true(slice_is(got.phone_code_hash, "ch"));
    }
    struct sent_code done = sent_code_read(
        answer("{\"_\":\"auth.sentCodeSuccess\",\"authorization\":{\"_\":\"auth.authorization\","
               "\"user\":{\"_\":\"user\",\"id\":5}}}"));
    assert_int_equal(done.kind, SENT_CODE_SIGNED_IN);
    struct authorization_answer who = authorization_read(done.authorization);
    assert_int_equal(who.kind, AUTHORIZATION_DONE);
    assert_int_equal(who.user_id, 5);
    assert_int_equal(sent_code_read(NULL).kind, SENT_CODE_UNKNOWN);
    assert_int_equal(
        authorization_read(answer("{\"_\":\"auth.authorizationSignUpRequired\"}")).kind,
        AUTHORIZATION_SIGN_UP);
    assert_int_equal(authorization_read(NULL).kind, AUTHORIZATION_UNKNOWN);
    assert_true(slice_is(
        logged_out_token(answer("{\"_\":\"auth.loggedOut\",\"future_auth_token\":\"YWJj\"}")),
        "abc"));
}

#define PASSWORD(algo, more)                                                                       \
    "{\"_\":\"account.password\"" more algo ",\"new_algo\":{\"_\":\"passwordKdfAlgoUnknown\"},"    \
    "\"new_secure_algo\":{\"_\":\"securePasswordKdfAlgoUnknown\"},\"secure_random\":\"\"}"
#define ALGO(p)                                                                                    \
    ",\"current_algo\":{\"_\":"                                                                    \
    "\"passwordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow\",\"salt1\":\"YQ==\","    \
    "\"salt2\":\"Yg==\",\"g\":3,\"p\":\"" p "\"}"
#define HAS ",\"has_password\":true,\"hint\":\"pet\",\"srp_id\":\"77\",\"srp_B\":\"AgM=\""

static void passwords(void **state)
{
    (void)state;
    struct password_state p;
    assert_true(password_read(answer(PASSWORD("", "")), &p));
    assert_false(p.has_password);
    assert_true(password_read(answer(PASSWORD(ALGO("BAU="), HAS)), &p));
    assert_true(p.has_password && p.srp_id == 77 && p.algo.g == 3);
    assert_true(slice_is(p.algo.salt1, "a") && slice_is(p.algo.salt2, "b"));
    /* Short numbers are right-aligned. */
    assert_true(p.srp_b[0] == 0 && p.srp_b[DH_BYTES - 2] == 2 && p.srp_b[DH_BYTES - 1] == 3);
    assert_true(p.algo.prime[DH_BYTES - 2] == 4 && p.algo.prime[DH_BYTES - 1] == 5);
    assert_false(password_read(answer(PASSWORD(ALGO(""), HAS)), &p));
    assert_false(password_read(
        answer(PASSWORD(",\"current_algo\":{\"_\":\"passwordKdfAlgoUnknown\"}", HAS)), &p));
    assert_false(password_read(NULL, &p));
}

/* ---- the frame of a connection's first request ---- */

static void the_prefix_frames_a_query(void **state)
{
    (void)state;
    const struct client_identity who = {.api_id = 17349,
                                        .device_model = "gateway",
                                        .system_version = "1",
                                        .app_version = "2",
                                        .system_lang_code = "en",
                                        .lang_code = "de"};
    struct buf bytes;
    buf_init(&bytes, 0);
    assert_true(init_prefix_write(schema, &who, true, &bytes));
    assert_true(tl_write_object(schema, &bytes, tl_new(&builder, C_help_getConfig), &arena, NULL));
    struct tl_reader r = tl_reader_of(buf_slice(&bytes));
    const struct tl_object *o = tl_read_object(schema, &r, &arena, (struct tl_limits){0});
    assert_non_null(o);
    assert_int_equal(tl_left(&r), 0);
    char wanted[512];
    snprintf(wanted, sizeof wanted,
             "{\"_\":\"invokeWithLayer\",\"layer\":%d,\"query\":{\"_\":\"initConnection\",\"api_"
             "id\":17349,\"device_model\":\"gateway\","
             "\"system_version\":\"1\",\"app_version\":\"2\",\"system_lang_code\":\"en\",\"lang_"
             "pack\":\"\",\"lang_code\":\"de\","
             "\"query\":{\"_\":\"invokeWithoutUpdates\",\"query\":{\"_\":\"help.getConfig\"}}}}",
             tl_schema_layer(schema));
    assert_request(o, wanted);
    buf_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sending, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(deleting_and_fetching, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(forwarding, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(history_requests, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(history_requests_of_far_dates, builder_setup,
                                        builder_teardown),
        cmocka_unit_test_setup_teardown(messages_know_their_chat, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(sent_messages_are_found, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(edited_messages_are_found, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(joined_chats_are_found, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(invites, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(looking_up, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(login_requests, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(sent_codes, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(passwords, builder_setup, builder_teardown),
        cmocka_unit_test_setup_teardown(the_prefix_frames_a_query, builder_setup, builder_teardown),
    };
    return cmocka_run_group_tests_name("telegram requests", tests, schema_setup, schema_teardown);
}
