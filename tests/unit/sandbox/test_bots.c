/* SPDX-License-Identifier: MIT
 * Bots: their tokens, their logins, what they may call. */
#include "fixture.h"

#include "sandbox/bots.h"

static struct reply import(struct client *c, const char *token)
{
    return ask(c, "auth.importBotAuthorization",
               "{\"flags\":0,\"api_id\":1,\"api_hash\":\"0123456789abcdef0123456789abcdef\","
               "\"bot_auth_token\":\"%s\"}",
               token);
}

static char *token_of(struct fixture *f, struct client *c, const char *name)
{
    return arena_printf(&c->arena, "%s", control(f, "bot %s", name));
}

static void a_bot_logs_in_with_its_token_alone(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    char *token = token_of(f, c, "helper_bot");
    assert_string_equal(token_of(f, c, "helper_bot"), token);
    const char *secret = strchr(token, ':') + 1;
    assert_int_equal(strlen(secret), BOT_SECRET_CHARS);
    assert_refused(import(c, ""), 400, "ACCESS_TOKEN_INVALID");
    assert_refused(import(c, "nonsense"), 400, "ACCESS_TOKEN_INVALID");
    assert_refused(import(c, arena_printf(&c->arena, "777000:%s", secret)), 400,
                   "ACCESS_TOKEN_INVALID");
    assert_refused(import(c, arena_printf(&c->arena, "%.*s", (int)strlen(token) - 1, token)), 400,
                   "ACCESS_TOKEN_INVALID");
    assert_refused(ask(c, "auth.importBotAuthorization",
                       "{\"flags\":0,\"api_id\":1,\"api_hash\":\"\",\"bot_auth_token\":\"%s\"}",
                       token),
                   400, "API_ID_INVALID");
    struct reply in = import(c, token);
    assert_answered(in);
    const struct tl_object *user = tl_obj(in.value.object, F_user);
    assert_true(tl_bool(user, F_bot) && tl_bool(user, F_self));
    assert_true(slice_is(tl_text(user, F_username), "helper_bot"));
    assert_true(tl_has(user, F_bot_info_version));
    assert_answered(client_call(c, get_state(c)));

    char *newer = arena_printf(&c->arena, "%s", control(f, "bot_revoke helper_bot"));
    assert_string_not_equal(newer, token);
    assert_refused(client_call(c, get_state(c)), 401, "SESSION_REVOKED");
    assert_refused(import(c, token), 400, "ACCESS_TOKEN_EXPIRED");
    assert_answered(import(c, newer));
    client_free(c);
}

static void a_bot_may_not_call_what_is_for_users(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    assert_answered(import(c, token_of(f, c, "helper_bot")));
    static const struct {
        const char *method, *json;
    } cases[] = {
        {"messages.getDialogs", "{\"offset_date\":0,\"offset_id\":0,\"offset_peer\":"
                                "{\"_\":\"inputPeerEmpty\"},\"limit\":1,\"hash\":0}"},
        {"messages.getHistory",
         "{\"peer\":{\"_\":\"inputPeerSelf\"},\"offset_id\":0,\"offset_date\":0,\"add_offset\":0,"
         "\"limit\":1,\"max_id\":0,\"min_id\":0,\"hash\":0}"},
        {"account.getPassword", "{}"},
        {"account.getAuthorizations", "{}"},
        {"contacts.getContacts", "{\"hash\":0}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(ask(c, cases[i].method, "%s", cases[i].json), 400, "BOT_METHOD_INVALID");
    assert_answered(ask(c, "users.getUsers", "{\"id\":[{\"_\":\"inputUserSelf\"}]}"));
    assert_true(bot_may_call("upload.getFile"));
    assert_false(bot_may_call("messages.editChatAdmin"));
    client_free(c);
}

static void a_bot_and_a_user_write_to_each_other(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    struct client *ann = client_new(f->s, &f->loop, 0);
    const struct user *user = log_in(f, ann, "9996621050");
    assert_answered(import(c, token_of(f, c, "helper_bot")));
    token_of(f, c, "other_bot");
    const struct world *w = f->s->world;
    int64_t bot = world_resolve_username(w, slice_str("helper_bot"));
    int64_t other = world_resolve_username(w, slice_str("other_bot"));
    static const char *const message =
        "{\"peer\":{\"_\":\"inputPeerUser\",\"user_id\":%lld,\"access_hash\":%lld},"
        "\"message\":\"hello\",\"random_id\":%d}";
    unsigned heard = c->updates;
    struct tl_object *o = query(ann, "messages.sendMessage",
                                arena_printf(&ann->arena, message, (long long)bot,
                                             (long long)world_access_hash(w, user->id, bot), 1));
    assert_answered(client_call(ann, o));
    while (c->updates == heard)
        uv_run(&f->loop, UV_RUN_ONCE);
    heard = ann->updates;
    o = query(c, "messages.sendMessage",
              arena_printf(&c->arena, message, (long long)user->id,
                           (long long)world_access_hash(w, bot, user->id), 2));
    assert_answered(client_call(c, o));
    while (ann->updates == heard)
        uv_run(&f->loop, UV_RUN_ONCE);
    o = query(c, "messages.sendMessage",
              arena_printf(&c->arena, message, (long long)other,
                           (long long)world_access_hash(w, bot, other), 3));
    assert_refused(client_call(c, o), 400, "USER_IS_BOT");
    client_free(c);
    client_free(ann);
}

static void a_username_of_a_bot_ends_in_bot(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line, *answer;
    } cases[] = {
        {"bot helper", "error a bot's username ends in bot\n"},
        {"bot a_bot", "ok\n"},
        {"bot 1_bot", "error USERNAME_INVALID\n"},
        {"bot_revoke nobody_bot", "error no such bot\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;
        buf_init(&out, 0);
        control_run(f->s, slice_str(cases[i].line), &out);
        buf_append_byte(&out, 0);
        size_t n = strlen(cases[i].answer);
        assert_true(out.len > n);
        assert_string_equal((char *)out.data + out.len - 1 - n, cases[i].answer);
        buf_free(&out);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
#define WITH_SANDBOX(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SANDBOX(a_bot_logs_in_with_its_token_alone),
        WITH_SANDBOX(a_bot_may_not_call_what_is_for_users),
        WITH_SANDBOX(a_bot_and_a_user_write_to_each_other),
        WITH_SANDBOX(a_username_of_a_bot_ends_in_bot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
