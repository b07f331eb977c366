/* SPDX-License-Identifier: MIT
 * The whole sandbox on a loop, met by our own client over real sockets. */
#include "fixture.h"

#include <sodium.h>

/* ---- tests ---- */

static void a_key_a_login_and_its_end(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    assert_false(client_call(c, get_config(c)).failed);
    struct reply refused = client_call(c, get_state(c));
    assert_int_equal(refused.code, 401);
    assert_string_equal(refused.text, "AUTH_KEY_UNREGISTERED");
    log_in(f, c, "9996621000");
    assert_false(client_call(c, get_state(c)).failed);
    struct reply out = client_call(c, tl_new(&c->b, C_auth_logOut));
    assert_int_equal(tl_text(out.value.object, F_future_auth_token).len, FUTURE_TOKEN_BYTES);
    assert_int_equal(client_call(c, get_state(c)).code, 401);
    client_free(c);
}

static void a_log_out_token_spares_the_code_once(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    log_in(f, c, "9996621000");
    struct reply out = client_call(c, tl_new(&c->b, C_auth_logOut));
    struct slice token = tl_text(out.value.object, F_future_auth_token);
    for (int round = 0; round < 2; round++) {
        struct tl_object *settings =
            tl_new_ctor(&c->b, tl_schema_by_name(c->schema, slice_str("codeSettings")));
        tl_push_text(&c->b, tl_set_vec(&c->b, settings, F_logout_tokens), token);
        struct tl_object *o = tl_new(&c->b, C_auth_sendCode);
        tl_set_str(o, F_phone_number, "9996621000");
        tl_set_int(o, F_api_id, 1);
        tl_set_str(o, F_api_hash, "0123456789abcdef0123456789abcdef");
        tl_set_obj(o, F_settings, settings);
        struct reply sent = client_call(c, o);
        assert_true(
            tl_is(sent.value.object, round == 0 ? C_auth_sentCodeSuccess : C_auth_sentCode));
    }
    client_free(c);
}

static void only_the_fifth_wrong_code_ends_it(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    struct reply sent = send_code(c, "9996621001");
    struct slice hash = tl_text(sent.value.object, F_phone_code_hash);
    for (int i = 0; i < CODE_TRIES_MAX; i++)
        assert_string_equal(sign_in(c, "9996621001", hash, "00000").text, "PHONE_CODE_INVALID");
    assert_string_equal(sign_in(c, "9996621001", hash, "22222").text, "PHONE_CODE_EXPIRED");
    client_free(c);
}

/* The inner message of auth.bindTempAuthKey: MTProto 1.0 under the permanent key. */
static struct slice bind_message(struct fixture *f, struct client *c, const struct auth_key *perm,
                                 uint64_t nonce, int32_t expires_at, uint64_t msg_id)
{
    const struct authorization *temp = id_map_get(&f->s->keys, (int64_t)c->key.key.id);
    struct buf plain, sealed;
    uint8_t random[16], msg_key[MSG_KEY_BYTES], key[32], iv[32];
    buf_init(&plain, 0);
    buf_init(&sealed, 0);
    rng_fill(&c->rng, random, sizeof random);
    buf_append(&plain, random, sizeof random);
    tl_write_u64(&plain, msg_id);
    tl_write_u32(&plain, 0);
    tl_write_u32(&plain, 40);
    tl_write_u32(&plain, 0x75a3f765u);
    tl_write_u64(&plain, nonce);
    tl_write_u64(&plain, c->key.key.id);
    tl_write_u64(&plain, perm->id);
    tl_write_u64(&plain, temp->sessions->id);
    tl_write_i32(&plain, expires_at);
    kdf1_msg_key(c->digests, buf_slice(&plain), msg_key);
    kdf1_aes(c->digests, perm->key, false, msg_key, key, iv);
    memset(buf_extend(&plain, 8), 0, 8);
    aes_ige_encrypt(key, iv, plain.data, plain.data, plain.len);
    tl_write_u64(&sealed, perm->id);
    buf_append(&sealed, msg_key, sizeof msg_key);
    buf_append(&sealed, plain.data, plain.len);
    struct slice copy = arena_copy(&c->arena, buf_slice(&sealed));
    buf_free(&plain);
    buf_free(&sealed);
    return copy;
}

/* What the message says: the same as the request, or not. */
struct bind_case {
    uint64_t nonce;
    uint64_t msg_id_off;
};

/* The client's clock moves by this hand only, so that the request's msg_id is known beforehand. */
static struct reply bind_key(struct fixture *f, struct client *c, struct clock_manual *clock,
                             const struct auth_key *perm, struct bind_case said)
{
    clock_manual_advance(clock, NS_PER_MS);
    struct msg_id_source ids = {.clock = &clock->clock};
    msg_id_next(&ids,
                MSG_ID_CLIENT); /* of what goes before it in the container: acknowledgements */
    uint64_t msg_id = msg_id_next(&ids, MSG_ID_CLIENT) + said.msg_id_off;
    int32_t expires_at = (int32_t)clock_unix_s(&c->clock) + 3600;
    struct tl_object *o = tl_new(&c->b, C_auth_bindTempAuthKey);
    tl_set_int(o, F_perm_auth_key_id, (int64_t)perm->id);
    tl_set_int(o, F_nonce, 7);
    tl_set_int(o, F_expires_at, expires_at);
    tl_set_text(o, F_encrypted_message, bind_message(f, c, perm, said.nonce, expires_at, msg_id));
    return client_call(c, o);
}

static void a_temporary_key_acts_for_the_permanent_one(void **state)
{
    struct fixture *f = *state;
    struct client *perm = client_new(f->s, &f->loop, 0);
    log_in(f, perm, "9996621002");
    struct client *temp = client_new(f->s, &f->loop, 3600);
    struct clock_manual clock;
    clock_manual_init(&clock, clock_wall_ns(&temp->clock));
    clock.mono_ns = clock_mono_ns(&temp->clock);
    temp->clock = clock.clock;
    client_session_free(temp->session);
    client_make_session(temp);
    assert_string_equal(client_call(temp, get_state(temp)).text, "AUTH_KEY_PERM_EMPTY");
    const struct auth_key *key = &perm->key.key;
    assert_string_equal(bind_key(f, temp, &clock, key, (struct bind_case){8, 0}).text,
                        "ENCRYPTED_MESSAGE_INVALID");
    assert_string_equal(bind_key(f, temp, &clock, key, (struct bind_case){7, 4}).text,
                        "ENCRYPTED_MESSAGE_INVALID");
    assert_false(bind_key(f, temp, &clock, key, (struct bind_case){7, 0}).failed);
    client_session_renew(temp->session);
    assert_false(client_call(temp, get_state(temp)).failed);
    client_free(temp);
    client_free(perm);
}

static void a_bound_key_knows_the_layer_but_not_the_client(void **state)
{
    struct fixture *f = *state;
    struct client *perm = client_new(f->s, &f->loop, 0);
    log_in(f, perm, "9996621004");
    struct client *temp = client_new(f->s, &f->loop, 3600);
    const struct authorization *known = key_find(f->s, perm->key.key.id, DC_ALONE);
    struct authorization *bound = key_find(f->s, temp->key.key.id, DC_ALONE);
    assert_true(known->layer > 0);
    assert_int_equal(bound->layer, 0);
    key_bind(bound, key_find(f->s, perm->key.key.id, DC_ALONE));
    assert_int_equal(bound->layer, known->layer);
    assert_ptr_equal(bound->schema, known->schema);
    assert_false(bound->inited);
    client_free(temp);
    client_free(perm);
}

static void requests_wait_for_the_one_they_name(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    log_in(f, c, "9996621003");
    add_fault(f, "method=updates.getState,do=delay:50");
    struct reply slow, after;
    client_send(c, get_state(c), &slow);
    while (!f->s->running)
        uv_run(&f->loop, UV_RUN_ONCE);
    uint64_t slow_id = f->s->running->msg_id;
    struct tl_object *o = tl_new(&c->b, C_invokeAfterMsg);
    tl_set_int(o, F_msg_id, (int64_t)slow_id);
    tl_set_obj(o, F_query, get_config(c));
    client_send(c, o, &after);
    turn_until(c->loop, &after.done);
    assert_true(slow.done);
    assert_false(after.failed);
    client_free(c);
}

static void a_dropped_request_is_executed_once(void **state)
{
    struct fixture *f = *state;
    static const char *const rules[] = {
        "method=updates.getState,do=drop_before,count=1",
        "method=updates.getState,do=drop_after,count=1",
        "method=updates.getState,do=reset,count=1",
    };
    for (size_t i = 0; i < 3; i++) {
        struct client *c = client_new(f->s, &f->loop, 0);
        log_in(f, c, "9996621004");
        uint64_t before = f->s->stats.executed[C_updates_getState];
        add_fault(f, rules[i]);
        struct reply reply;
        client_send(c, get_state(c), &reply);
        turn_until(c->loop, &c->closed);
        while (c->connected)
            uv_run(c->loop, UV_RUN_ONCE);
        client_dial(c, sandbox_port(f->s, 2));
        turn_until(c->loop, &reply.done);
        assert_false(reply.failed);
        assert_int_equal(f->s->stats.executed[C_updates_getState], before + 1);
        client_free(c);
    }
}

static void a_transport_error_is_sent_and_the_link_cut(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    log_in(f, c, "9996621005");
    add_fault(f, "method=updates.getState,do=transport_error:404,count=1");
    struct reply reply;
    client_send(c, get_state(c), &reply);
    turn_until(c->loop, &c->closed);
    assert_int_equal(c->transport_error, -404);
    client_free(c);
}

static void two_connections_at_once_kill_the_key(void **state)
{
    struct fixture *f = *state;
    struct client *one = client_new(f->s, &f->loop, 0);
    log_in(f, one, "9996621006");
    struct client *two = client_twin(f->s, one);
    assert_false(client_call(one, get_state(one)).failed); /* in turn is no crime */
    assert_false(client_call(two, get_state(two)).failed);
    assert_false(client_call(one, get_state(one)).failed);
    add_fault(f, "method=updates.getState,do=delay:50");
    struct reply a, b;
    client_send(one, get_state(one), &a);
    client_send(two, get_state(two), &b);
    turn_until(one->loop, &a.done);
    turn_until(two->loop, &b.done);
    assert_true(a.code == 406 || b.code == 406);
    assert_string_equal(client_call(one, get_config(one)).text, "AUTH_KEY_DUPLICATED");
    assert_int_equal(f->s->stats.duplicated, 1);
    client_free(one);
    client_free(two);
}

static void a_closed_connection_is_no_second_place(void **state)
{
    struct fixture *f = *state;
    struct client *one = client_new(f->s, &f->loop, 0);
    log_in(f, one, "9996621007");
    struct client *two = client_twin(f->s, one);
    add_fault(f, "method=updates.getState,do=delay:200,count=1");
    struct reply a;
    client_send(one, get_state(one), &a);
    while (!f->s->running)
        uv_run(&f->loop, UV_RUN_ONCE);
    client_hang_up(one);
    assert_false(client_call(two, get_state(two)).failed);
    assert_int_equal(f->s->stats.duplicated, 0);
    client_free(one);
    client_free(two);
}

static void another_session_hears_of_a_login(void **state)
{
    struct fixture *f = *state;
    struct client *one = client_new(f->s, &f->loop, 0);
    log_in(f, one, "9996621008");
    assert_false(client_call(one, get_state(one)).failed);
    unsigned before = one->updates;
    struct client *two = client_new(f->s, &f->loop, 0);
    log_in(f, two, "9996621008");
    bool heard = false;
    for (int i = 0; i < 1000 && !heard; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        heard = one->updates > before;
    }
    assert_true(heard);
    client_free(one);
    client_free(two);
}

static void updates_wait_for_the_next_connection(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    struct user *user = log_in(f, c, "9996621011");
    assert_false(client_call(c, get_state(c)).failed);
    unsigned before = c->updates;
    client_hang_up(c);
    while (c->connected || user->account->logins->sessions->connection)
        uv_run(c->loop, UV_RUN_ONCE);
    int32_t now = (int32_t)clock_unix_s(&f->s->clock);
    assert_non_null(world_service_message(f->s->world, user, slice_str("missed"), now));
    client_dial(c, sandbox_port(f->s, 2));
    assert_false(client_call(c, get_state(c)).failed);
    for (int i = 0; i < 1000 && c->updates == before; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(c->updates, before + 1);
    client_free(c);
}

static void a_minted_key_is_logged_in(void **state)
{
    struct fixture *f = *state;
    struct client *c = client_new(f->s, &f->loop, 0);
    struct buf out;
    uint8_t key[AUTH_KEY_BYTES];
    size_t n = 0;
    const char *end;
    buf_init(&out, 0);
    control_run(f->s, slice_str("mint 9996621009 2"), &out);
    buf_append_byte(&out, 0);
    assert_int_equal(out.len, 2 * (2 * AUTH_KEY_BYTES + 1) + sizeof "ok\n");
    assert_string_equal((char *)out.data + out.len - sizeof "ok\n", "ok\n");
    assert_int_equal(sodium_hex2bin(key, sizeof key, (char *)out.data, out.len, NULL, &n, &end), 0);
    assert_int_equal(n, sizeof key);
    assert_int_equal(*end, '\n');
    auth_key_set(&c->key.key, c->digests, key);
    client_session_free(c->session);
    client_make_session(c);
    assert_false(client_call(c, get_state(c)).failed);
    const struct user *user = world_user_by_phone(f->s->world, slice_str("9996621009"));
    assert_non_null(user);
    const struct authorization *newest = user->account->logins;
    assert_true(newest->key.id == c->key.key.id || newest->next_login->key.id == c->key.key.id);
    buf_free(&out);
    client_free(c);
}

static void the_control_port_answers_every_line(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line;
        const char *answer;
    } cases[] = {
        {"fault_add do=garbage,count=1", "1\nok\n"},
        {"fault_list", "1 hits=0 do=garbage,count=1\nok\n"},
        {"fault_remove 1", "ok\n"},
        {"fault_remove 1", "error no such rule\n"},
        {"fault_add nonsense", "error unknown or malformed part; see tgrest sandbox --help\n"},
        {"fault_add", "error arguments are missing\n"},
        {"clock_advance -1", "error not a number of seconds\n"},
        {"codes 123", "ok\n"},
        {"revoke 123", "error no such phone\n"},
        {"drop 123", "error no such phone\n"},
        {"mint 9996621000 0", "error not a number from 1 to 4096\n"},
        {"mint x 1", "error not a phone number\n"},
        {"", "error unknown command; try help\n"},
        {"what", "error unknown command; try help\n"},
        {"stats_reset", "ok\n"},
        {"stats messages.sendMessage", "ok\n"},
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

static void a_new_key_has_a_fingerprint_of_full_length(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) { /* two of five runs would meet one that has not */
        struct rsa_key *key = sandbox_rsa_key_new();
        assert_non_null(key);
        assert_true(rsa_key_fingerprint(key) >= UINT64_C(1) << 60);
        rsa_key_free(key);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
#define WITH_SANDBOX(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SANDBOX(a_key_a_login_and_its_end),
        WITH_SANDBOX(a_log_out_token_spares_the_code_once),
        WITH_SANDBOX(only_the_fifth_wrong_code_ends_it),
        WITH_SANDBOX(a_temporary_key_acts_for_the_permanent_one),
        WITH_SANDBOX(a_bound_key_knows_the_layer_but_not_the_client),
        WITH_SANDBOX(requests_wait_for_the_one_they_name),
        WITH_SANDBOX(a_dropped_request_is_executed_once),
        WITH_SANDBOX(a_transport_error_is_sent_and_the_link_cut),
        WITH_SANDBOX(two_connections_at_once_kill_the_key),
        WITH_SANDBOX(a_closed_connection_is_no_second_place),
        WITH_SANDBOX(another_session_hears_of_a_login),
        WITH_SANDBOX(a_minted_key_is_logged_in),
        WITH_SANDBOX(updates_wait_for_the_next_connection),
        WITH_SANDBOX(the_control_port_answers_every_line),
        cmocka_unit_test(a_new_key_has_a_fingerprint_of_full_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
