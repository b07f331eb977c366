/* SPDX-License-Identifier: MIT
 * Telegram's errors as HTTP, and which methods may be sent twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/errors.h"
#include "gateway/route.h"
#include "gateway/safety.h"

struct mapped {
    int code;
    const char *name;
    int status;
    int64_t wait_s;
};

/* What callers are promised, by name. */
static void promised_statuses(void **state)
{
    (void)state;
    static const struct mapped cases[] = {
        {400, "MESSAGE_TOO_LONG", 400, 0},
        {400, "PHONE_NUMBER_INVALID", 400, 0},
        {406, "PHONE_NUMBER_INVALID", 400, 0},
        {400, "PHONE_CODE_INVALID", 400, 0},
        {400, "PASSWORD_HASH_INVALID", 400, 0},
        {400, "MESSAGE_NOT_MODIFIED", 400, 0},
        {400, "INVITE_HASH_EXPIRED", 400, 0},
        {406, "INVITE_HASH_EXPIRED", 400, 0},
        {401, "AUTH_KEY_UNREGISTERED", 401, 0},
        {401, "SESSION_REVOKED", 401, 0},
        {401, "USER_DEACTIVATED", 401, 0},
        {406, "AUTH_KEY_DUPLICATED", 401, 0},
        {403, "CHAT_WRITE_FORBIDDEN", 403, 0},
        {400, "CHAT_WRITE_FORBIDDEN", 403, 0},
        {403, "MESSAGE_AUTHOR_REQUIRED", 403, 0},
        {400, "CHAT_ADMIN_REQUIRED", 403, 0},
        {400, "CHANNEL_PRIVATE", 403, 0},
        {406, "CHANNEL_PRIVATE", 403, 0},
        {403, "USER_PRIVACY_RESTRICTED", 403, 0},
        {400, "PEER_ID_INVALID", 404, 0},
        {400, "USERNAME_NOT_OCCUPIED", 404, 0},
        {400, "MESSAGE_ID_INVALID", 404, 0},
        {420, "FLOOD_WAIT_30", 429, 30},
        {420, "FLOOD_WAIT_0", 429, 1},
        {420, "FLOOD_WAIT_9223372036854775807", 429, INT32_MAX}, /* waits are added up */
        {420, "FLOOD_PREMIUM_WAIT_5", 429, 5},
        {420, "SLOWMODE_WAIT_11", 429, 11},
        {420, "TAKEOUT_INIT_DELAY_86400", 429, 86400},
        {420, "FLOOD_TEST_PHONE_WAIT_4", 429, 4},
        {420, "2FA_CONFIRM_WAIT_604800", 429, 604800},
        {400, "PASSWORD_TOO_FRESH_3600", 429, 3600},
        {400, "SESSION_TOO_FRESH_3600", 429, 3600},
        {400, "STORY_SEND_FLOOD_WEEKLY_60", 429, 60},
        {400, "STARGIFT_TRANSFER_TOO_EARLY_9", 429, 9},
        {406, "PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_5MIN", 429, 300},
        {406, "PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_2147483647MIN", 429, INT32_MAX},
        {420, "PREMIUM_SUB_ACTIVE_UNTIL_1900000000", 400, 0}, /* a date, no wait */
        {400, "STORY_LIVE_ALREADY_5", 400, 0},                /* the story's id */
        {400, "EMAIL_UNCONFIRMED_6", 400, 0},                 /* the code's length */
        {400, "MIN", 400, 0},
        {500, "AUTH_KEY_UNSYNCHRONIZED", 503, 0},
        {500, "UNKNOWN_METHOD", 404, 0},
        {403, "ALLOW_PAYMENT_REQUIRED_10", 403, 0},
        {420, "FROZEN_METHOD_INVALID", 403, 0},
        {303, "FILE_MIGRATE_4", 502, 0},
        {500, "RPC_CALL_FAIL", 502, 0},
        {-503, "Timeout", 504, 0},
        {400, "FLOOD_WAIT_99999999999999999999", 400, 0}, /* no number that anybody can wait for */
        {400, "", 400, 0},
        {400, "_", 400, 0},
        {400, "12", 400, 0},
    };
    struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct call_error e = error_from_telegram(&a, cases[i].code, slice_str(cases[i].name));
        if (e.status != cases[i].status || e.wait_s != cases[i].wait_s)
            fail_msg("%s: %d, wait %lld", cases[i].name, e.status, (long long)e.wait_s);
        assert_string_equal(e.code, cases[i].name);
        assert_true(e.telegram);
        assert_true(strlen(e.detail) > 0);
    }
    arena_free(&a);
}

/* Every error that Telegram is known to answer gets a status that says whose fault it is. */
static void whole_table_is_mapped(void **state)
{
    (void)state;
    char line[256];
    int seen = 0;
    FILE *f = fopen("schema/errors.tsv", "r");
    struct arena a;
    arena_init(&a, 0);
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char name[128];
        char filled[128];
        int code;
        if (sscanf(line, "%127s %d", name, &code) != 2)
            continue;
        char *hole = strstr(name, "%d");
        if (hole)
            snprintf(filled, sizeof filled, "%.*s%d%s", (int)(hole - name), name, 17, hole + 2);
        struct call_error e = error_from_telegram(&a, code, slice_str(hole ? filled : name));
        bool client = e.status == 400 || e.status == 401 || e.status == 403 || e.status == 404 ||
                      e.status == 409 || e.status == 429;
        bool server = e.status == 502 || e.status == 503 || e.status == 504;
        if (!client && !server)
            fail_msg("%s %d: %d", name, code, e.status);
        if (server && code >= 400 && code < 500 && !strstr(name, "MIGRATE") &&
            !strstr(name, "MSG_WAIT") && !strstr(name, "CONNECTION_") && !strstr(name, "TIMEOUT"))
            fail_msg("%s %d: %d blames Telegram", name, code, e.status);
        arena_reset(&a);
        seen++;
    }
    fclose(f);
    arena_free(&a);
    assert_true(seen > 800);
}

static void names_lose_their_numbers(void **state)
{
    (void)state;
    int64_t number;
    assert_true(slice_is(error_base(slice_str("FLOOD_WAIT_30"), &number), "FLOOD_WAIT"));
    assert_int_equal(number, 30);
    assert_true(
        slice_is(error_base(slice_str("CHAT_ADMIN_REQUIRED"), &number), "CHAT_ADMIN_REQUIRED"));
    assert_int_equal(number, -1);
    assert_true(
        slice_is(error_base(slice_str("MD5_CHECKSUM_INVALID"), &number), "MD5_CHECKSUM_INVALID"));
    assert_true(slice_is(error_base(slice_str("X9"), &number), "X9"));
    assert_int_equal(error_migrate_dc(slice_str("PHONE_MIGRATE_4")), 4);
    assert_int_equal(error_migrate_dc(slice_str("USER_MIGRATE_2")), 2);
    assert_int_equal(error_migrate_dc(slice_str("FILE_MIGRATE_2")), 0);
    assert_int_equal(error_migrate_dc(slice_str("PHONE_MIGRATE_0")), 0);
    assert_int_equal(error_migrate_dc(slice_str("PHONE_MIGRATE")), 0);
}

static void error_bodies_are_json(void **state)
{
    (void)state;
    struct buf out;
    struct call_error e = {.status = 429,
                           .code = "FLOOD_WAIT_3",
                           .detail = "a \"b\"",
                           .field = "chat_id",
                           .wait_s = 3};
    buf_init(&out, 0);
    error_body_write(&out, &e, "r1");
    buf_append_byte(&out, 0);
    assert_string_equal(
        (char *)out.data,
        "{\"detail\":\"a \\\"b\\\"\",\"error\":\"FLOOD_WAIT_3\",\"field\":\"chat_id\","
        "\"wait_seconds\":3,\"request_id\":\"r1\"}");
    buf_free(&out);
}

static void errors_name_a_parameter_that_the_route_has(void **state)
{
    (void)state;
    static const struct {
        const char *route, *error, *field;
    } cases[] = {
        {"POST /auth/send_code", "PHONE_NUMBER_INVALID", "phone"},
        {"POST /auth/verify_code", "PHONE_CODE_EXPIRED", "code"},
        {"POST /messages/send", "MESSAGE_TOO_LONG", "text"},
        {"POST /messages/edit", "MESSAGE_TOO_LONG", "new_text"},
        {"POST /messages/send", "PEER_ID_INVALID", "chat_id"},
        {"POST /messages/forward", "PEER_ID_INVALID", NULL}, /* which of its two? */
        {"POST /groups/join", "INVITE_HASH_EXPIRED", "group_identifier"},
        {"GET /messages", "INVITE_HASH_EXPIRED", "chat_id"},
        {"GET /chats", "PHONE_CODE_INVALID", NULL},
        {"POST /messages/send", "CHAT_WRITE_FORBIDDEN", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct route *r = route_by_name(slice_str(cases[i].route));
        struct call_error e = {.status = 400, .code = cases[i].error, .telegram = true};
        assert_non_null(r);
        const char *field = error_field(&e, r);
        if (!cases[i].field)
            assert_null(field);
        else
            assert_string_equal(field, cases[i].field);
        assert_null(error_field(&e, NULL));
        e.telegram = false; /* the gateway's own errors say it themselves */
        assert_null(error_field(&e, r));
    }
    struct call_error told = {.code = "CODE_INVALID", .telegram = true, .field = "other"};
    assert_string_equal(error_field(&told, NULL), "other");
}

/* ---- safety ---- */

static void only_harmless_methods_are_repeated(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum call_safety safety;
    } cases[] = {
        {"messages.getHistory", CALL_REPEATABLE},
        {"messages.search", CALL_REPEATABLE},
        {"contacts.resolveUsername", CALL_REPEATABLE},
        {"messages.checkChatInvite", CALL_REPEATABLE},
        {"users.getUsers", CALL_REPEATABLE},
        {"messages.sendMessage", CALL_REPEATABLE},
        {"messages.sendMedia", CALL_REPEATABLE},
        {"messages.forwardMessages", CALL_REPEATABLE},
        {"upload.saveFilePart", CALL_REPEATABLE},
        {"upload.getFile", CALL_REPEATABLE},
        {"auth.checkPassword", CALL_ONCE},
        {"auth.signIn", CALL_ONCE},
        {"auth.sendCode", CALL_ONCE},
        {"auth.logOut", CALL_ONCE},
        {"messages.deleteMessages", CALL_ONCE},
        {"messages.editMessage", CALL_ONCE},
        {"channels.joinChannel", CALL_ONCE},
        {"messages.importChatInvite", CALL_ONCE},
        {"phone.requestCall", CALL_ONCE}, /* its 32-bit random_id promises nothing */
        {"messages.getBotCallbackAnswer", CALL_ONCE},
        {"messages.checkUrlAuthMatchCode", CALL_ONCE},
        {"payments.getStarsRevenueAdsAccountUrl", CALL_ONCE},
        {"payments.getStarsRevenueWithdrawalUrl", CALL_ONCE},
        {"payments.getStarGiftWithdrawalUrl", CALL_ONCE},
        {"phone.getGroupCallStreamRtmpUrl", CALL_ONCE},
        {"channels.searchPosts", CALL_ONCE},
        {"account.updateStatus", CALL_ONCE},
    };
    char error[256];
    struct tl_schema *s = tl_schema_parse(tl_embedded_api(), error, sizeof error);
    assert_non_null(s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct tl_combinator *method = tl_schema_by_name(s, slice_str(cases[i].name));
        if (!method || method_safety(method) != cases[i].safety)
            fail_msg("%s", cases[i].name);
    }
    tl_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promised_statuses),
        cmocka_unit_test(whole_table_is_mapped),
        cmocka_unit_test(names_lose_their_numbers),
        cmocka_unit_test(error_bodies_are_json),
        cmocka_unit_test(errors_name_a_parameter_that_the_route_has),
        cmocka_unit_test(only_harmless_methods_are_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
