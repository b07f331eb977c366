/* SPDX-License-Identifier: MIT
 * Accounts in trouble, keys that have ended, accounts that move. */
#include "fixture.h"

#include "sandbox/chat.h"
#include "sandbox/standing.h"

static const char *phone = "9996621300";

static struct reply say(struct client *c, const char *text)
{
    return ask(c, "messages.sendMessage",
               "{\"peer\":{\"_\":\"inputPeerSelf\"},\"message\":\"%s\",\"random_id\":%llu}", text,
               (unsigned long long)rng_u64(&c->rng) >> 1);
}

static void keys_end_in_every_way(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name, *error;
        int code;
    } cases[] = {
        {"revoked", "SESSION_REVOKED", 401},
        {"expired", "SESSION_EXPIRED", 401},
        {"unregistered", "AUTH_KEY_UNREGISTERED", 401},
        {"duplicated", "AUTH_KEY_DUPLICATED", 406},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client *c = client_new(f->s, &f->loop, 0);
        log_in(f, c, phone);
        control(f, "account %s %s", phone, cases[i].name);
        assert_refused(client_call(c, get_state(c)), cases[i].code, cases[i].error);
        if (strcmp(cases[i].name, "duplicated") != 0)
            log_in(f, c, phone); /* the key itself is good */
        client_free(c);
    }
}

static void a_banned_account_neither_works_nor_logs_in(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    struct client *other = client_new(f->s, &f->loop, 0);
    log_in(f, c, phone);
    struct slice hash = tl_text(send_code(other, phone).value.object, F_phone_code_hash);
    control(f, "account %s banned", phone);
    assert_refused(client_call(c, get_state(c)), 401, "USER_DEACTIVATED_BAN");
    assert_answered(client_call(c, get_config(c)));
    assert_refused(sign_in(other, phone, hash, "22222"), 400, "PHONE_NUMBER_BANNED");
    assert_refused(send_code(other, phone), 400, "PHONE_NUMBER_BANNED");
    control(f, "account %s good", phone);
    assert_answered(client_call(c, get_state(c)));
    control(f, "account %s phone_flood", phone);
    assert_refused(send_code(other, phone), 400, "PHONE_NUMBER_FLOOD");
    control(f, "account %s password_flood", phone);
    assert_refused(send_code(other, phone), 406, "PHONE_PASSWORD_FLOOD");
    assert_answered(client_call(c, get_state(c)));
    control(f, "account 9996621399 banned"); /* a number nobody has */
    assert_refused(send_code(other, "9996621399"), 400, "PHONE_NUMBER_BANNED");
    client_free(c);
    client_free(other);
}

static void a_deleted_account_leaves_its_number(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    struct client *heir = client_new(f->s, &f->loop, 0);
    const struct user *user = log_in(f, c, phone);
    control(f, "account %s deactivated", phone);
    assert_refused(client_call(c, get_state(c)), 401, "USER_DEACTIVATED");
    struct slice hash = tl_text(send_code(heir, phone).value.object, F_phone_code_hash);
    struct reply in = sign_in(heir, phone, hash, "22222");
    assert_true(tl_is(in.value.object, C_auth_authorizationSignUpRequired));
    in = ask(heir, "auth.signUp",
             "{\"phone_number\":\"%s\",\"phone_code_hash\":\"%.*s\",\"first_name\":\"New\","
             "\"last_name\":\"\"}",
             phone, (int)hash.len, (const char *)hash.data);
    assert_answered(in);
    assert_int_not_equal(tl_int(tl_obj(in.value.object, F_user), F_id), user->id);
    log_in(f, c, phone); /* the old key may log in to the new account */
    client_free(c);
    client_free(heir);
}

/* Whether the app's configuration tells since when the account is frozen. */
static bool knows_of_freeze(struct client *c)
{
    struct reply r = ask(c, "help.getAppConfig", "{\"hash\":0}");
    assert_answered(r);
    const struct tl_object *json = tl_obj(r.value.object, F_config);
    for (uint32_t i = 0; i < tl_count(json, F_value); i++)
        if (slice_is(tl_text(tl_item_obj(json, F_value, i), F_key), "freeze_since_date"))
            return true;
    return false;
}

static void a_frozen_account_reads_what_is_its_own(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    struct user *user = log_in(f, c, phone);
    struct world *w = f->s->world;
    struct user *owner =
        world_add_user(w, slice_str("9996621301"), slice_str("Bob"), slice_str(""), 2);
    const struct chat *channel = world_add_chat(w, PEER_CHANNEL, slice_str("News"), slice_str(""),
                                                CHAT_BROADCAST, owner->id, 1);
    assert_non_null(channel);
    assert_true(world_set_username(w, channel->peer, slice_str("some_news")));
    long long id = peer_bare(channel->peer);
    long long hash = world_access_hash(w, user->id, channel->peer);
    assert_false(knows_of_freeze(c));
    assert_answered(say(c, "before"));
    control(f, "account %s frozen", phone);
    assert_true(knows_of_freeze(c));
    assert_refused(say(c, "now"), 420, "FROZEN_METHOD_INVALID");
    assert_refused(
        ask(c, "channels.joinChannel",
            "{\"channel\":{\"_\":\"inputChannel\",\"channel_id\":%lld,\"access_hash\":%lld}}", id,
            hash),
        420, "FROZEN_METHOD_INVALID");
    assert_answered(client_call(c, get_state(c)));
    static const char *const history =
        "{\"peer\":%s,\"offset_id\":0,\"offset_date\":0,\"add_offset\":0,\"limit\":1,\"max_id\":0,"
        "\"min_id\":0,\"hash\":0}";
    const char *peer = arena_printf(&c->arena,
                                    "{\"_\":\"inputPeerChannel\",\"channel_id\":%lld,"
                                    "\"access_hash\":%lld}",
                                    id, hash);
    assert_answered(
        client_call(c, query(c, "messages.getHistory",
                             arena_printf(&c->arena, history, "{\"_\":\"inputPeerSelf\"}"))));
    assert_refused(
        client_call(c, query(c, "messages.getHistory", arena_printf(&c->arena, history, peer))),
        400, "FROZEN_PARTICIPANT_MISSING");
    assert_refused(ask(c, "messages.getPeerDialogs",
                       "{\"peers\":[{\"_\":\"inputDialogPeer\",\"peer\":%s}]}", peer),
                   400, "FROZEN_PARTICIPANT_MISSING");
    assert_refused(
        ask(c, "channels.getMessages",
            "{\"channel\":{\"_\":\"inputChannel\",\"channel_id\":%lld,\"access_hash\":%lld},"
            "\"id\":[{\"_\":\"inputMessageID\",\"id\":1}]}",
            id, hash),
        400, "FROZEN_PARTICIPANT_MISSING");
    control(f, "account %s good", phone);
    assert_answered(say(c, "again"));
    client_free(c);
}

/* ---- data centres ---- */

static void an_account_that_moved_is_followed(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new_at(f->s, &f->loop, 2, 0);
    struct client *there = client_new_at(f->s, &f->loop, 1, 0);
    const struct user *user = log_in(f, c, phone);
    control(f, "move %s 1", phone);
    assert_refused(client_call(c, get_state(c)), 303, "USER_MIGRATE_1");
    assert_refused(say(c, "hello"), 303, "USER_MIGRATE_1");
    assert_refused(ask(c, "account.getPassword", "{}"), 303, "USER_MIGRATE_1");
    assert_refused(send_code(c, phone), 303, "PHONE_MIGRATE_1");
    assert_answered(client_call(c, get_config(c)));
    assert_refused(ask(c, "auth.exportAuthorization", "{\"dc_id\":2}"), 400, "DC_ID_INVALID");
    struct reply exported = ask(c, "auth.exportAuthorization", "{\"dc_id\":1}");
    assert_answered(exported);
    const char *bytes = base64(c, tl_text(exported.value.object, F_bytes));
    assert_refused(ask(there, "auth.importAuthorization", "{\"id\":1,\"bytes\":\"%s\"}", bytes),
                   400, "AUTH_BYTES_INVALID");
    assert_answered(ask(there, "auth.importAuthorization", "{\"id\":%lld,\"bytes\":\"%s\"}",
                        (long long)user->id, bytes));
    assert_answered(say(there, "hello"));
    struct reply listed = ask(there, "account.getAuthorizations", "{}");
    bool current = false;
    for (uint32_t i = 0; i < tl_count(listed.value.object, F_authorizations); i++)
        current |= tl_bool(tl_item_obj(listed.value.object, F_authorizations, i), F_current);
    assert_true(current);
    client_free(c);
    client_free(there);
}

static void any_step_may_be_sent_to_another_data_centre(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new_at(f->s, &f->loop, 2, 0);
    add_fault(f, "method=auth.sendCode,do=error:303:NETWORK_MIGRATE_1,count=1");
    add_fault(f, "method=help.getConfig,do=migrate:1,count=1");
    add_fault(f, "method=auth.signIn,do=migrate:1,count=1");
    assert_refused(send_code(c, phone), 303, "NETWORK_MIGRATE_1");
    assert_refused(client_call(c, get_config(c)), 303, "NETWORK_MIGRATE_1");
    struct slice hash = tl_text(send_code(c, phone).value.object, F_phone_code_hash);
    assert_refused(sign_in(c, phone, hash, "22222"), 303, "PHONE_MIGRATE_1");
    assert_answered(sign_in(c, phone, hash, "22222"));
    client_free(c);
}

static void a_bot_is_sent_to_its_data_centre(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new_at(f->s, &f->loop, 1, 0);
    const char *token = arena_printf(&c->arena, "%s", control(f, "bot helper_bot"));
    assert_refused(
        ask(c, "auth.importBotAuthorization",
            "{\"flags\":0,\"api_id\":1,\"api_hash\":\"0123456789abcdef0123456789abcdef\","
            "\"bot_auth_token\":\"%s\"}",
            token),
        303, "USER_MIGRATE_2");
    client_free(c);
}

static void what_no_account_can_be_is_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line, *answer;
    } cases[] = {
        {"account x frozen", "error not a phone number\n"},
        {"account 9996621300 happy", "error no such state; see help\n"},
        {"account 9996621300", "error arguments are missing\n"},
        {"move 9996621300 1", "ok\n"},
        {"move 9996621300 3", "error no such data centre\n"},
        {"move 123 1", "error no such phone\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;
        buf_init(&out, 0);
        control_run(f->s, slice_str(cases[i].line), &out);
        buf_append_byte(&out, 0);
        assert_string_equal((char *)out.data, cases[i].answer);
        buf_free(&out);
    }
}

static int set_up_two(void **state)
{
    return set_up_dcs(state, 2);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
#define WITH_SANDBOX(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define WITH_TWO(test)     cmocka_unit_test_setup_teardown(test, set_up_two, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SANDBOX(keys_end_in_every_way),
        WITH_SANDBOX(a_banned_account_neither_works_nor_logs_in),
        WITH_SANDBOX(a_deleted_account_leaves_its_number),
        WITH_SANDBOX(a_frozen_account_reads_what_is_its_own),
        WITH_TWO(an_account_that_moved_is_followed),
        WITH_TWO(any_step_may_be_sent_to_another_data_centre),
        WITH_TWO(a_bot_is_sent_to_its_data_centre),
        WITH_TWO(what_no_account_can_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
