/* SPDX-License-Identifier: MIT
 * Names against the embedded schema; addresses, peers and directories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "telegram/directory.h"
#include "telegram/schema_case.h"

static void every_name_is_in_the_schema(void **state)
{
    const struct tl_schema *s = *state;
    for (uint16_t i = 0; i < TELEGRAM_COMBINATOR_COUNT; i++)
        if (!tl_schema_bound(s, i))
            fail_msg("no combinator %s", telegram_names.combinators[i]);
    bool found[TELEGRAM_FIELD_COUNT] = {false};
    for (size_t i = 0; i < tl_schema_count(s); i++) {
        const struct tl_combinator *c = tl_schema_at(s, i);
        for (uint16_t f = 0; f < c->n_fields; f++)
            if (c->fields[f].symbol != TL_NO_SYMBOL)
                found[c->fields[f].symbol] = true;
    }
    for (size_t f = 0; f < TELEGRAM_FIELD_COUNT; f++)
        if (!found[f])
            fail_msg("no field %s", telegram_names.fields[f]);
}

/* ---- addresses ---- */

static const char *meaning(const char *bad, const struct peer_address *p, struct arena *a)
{
    static const char *const forms[] = {[ADDRESS_USERNAME] = "name",
                                        [ADDRESS_PHONE] = "phone",
                                        [ADDRESS_INVITE] = "invite",
                                        [ADDRESS_REF] = "ref"};
    if (bad)
        return "bad";
    if (p->form == ADDRESS_SELF)
        return "self";
    if (p->form == ADDRESS_MARKED_ID)
        return arena_printf(a, "id %lld", (long long)peer_marked_id(p->kind, p->id));
    return arena_printf(a, "%s %.*s", forms[p->form], (int)p->text.len, (const char *)p->text.data);
}

static void addresses_mean_what_the_table_says(void **state)
{
    (void)state;
    FILE *f = fopen("tests/vectors/telegram/addresses.tsv", "r");
    assert_non_null(f);
    char line[512];
    size_t n = 0;
    struct arena a;
    arena_init(&a, 0);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        if (line[0] == '#')
            continue;
        char *text = strtok(line, "\t"), *chat = strtok(NULL, "\t"), *join = strtok(NULL, "\t");
        struct peer_address p;
        const char *got = meaning(peer_address_parse(slice_str(text), &a, &p), &p, &a);
        if (strcmp(got, chat) != 0)
            fail_msg("chat_id %s: got %s, wanted %s", text, got, chat);
        got = meaning(join_address_parse(slice_str(text), &a, &p), &p, &a);
        if (strcmp(got, join ? join : chat) != 0)
            fail_msg("group_identifier %s: got %s, wanted %s", text, got, join ? join : chat);
        arena_reset(&a);
        n++;
    }
    assert_true(n > 60);
    arena_free(&a);
    fclose(f);
}

static uint64_t test_seed(void)
{
    const char *given = getenv("TGREST_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 0x9ee2;
    print_message("TGREST_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

static void noise_is_no_crash(void **state)
{
    (void)state;
    static const char *const bits[] = {
        "t.me",    "/", "+",  "@",         "https://", "tg:",        "//",     "resolve",  "?",
        "domain=", "&", "c/", "joinchat/", "-100",     "1234567890", "abcdef", " ",        "\xff",
        "\0x",     "#", "=",  "s/",        ".t.me",    "phone=",     "(",      "user?id=", "tgp1."};
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    struct arena a;
    struct buf in;
    arena_init(&a, 0);
    buf_init(&in, 0);
    for (int i = 0; i < 50000; i++) {
        for (uint64_t n = rng_below(&rng, 8); n > 0; n--)
            buf_append_str(&in, bits[rng_below(&rng, sizeof bits / sizeof *bits)]);
        uint8_t raw[PEER_PAYLOAD_MAX];
        struct peer_address p;
        struct peer_ref ref;
        size_t n = rng_below(&rng, sizeof raw);
        rng_fill(&rng, raw, n);
        raw[0] = (uint8_t)(n ? 1 : raw[0]);
        /* An exact copy on the heap: a read past its end is seen. */
        uint8_t *copy = malloc(in.len ? in.len : 1);
        if (in.len)
            memcpy(copy, in.data, in.len);
        const char *bad = peer_address_parse(slice_of(copy, in.len), &a, &p);
        assert_true(bad || p.form <= ADDRESS_REF);
        (void)join_address_parse(slice_of(copy, in.len), &a, &p);
        free(copy);
        (void)peer_decode(slice_of(raw, n), &ref);
        buf_clear(&in);
        arena_reset(&a);
    }
    buf_free(&in);
    arena_free(&a);
}

/* ---- refs ---- */

static bool same_ref(const struct peer_ref *a, const struct peer_ref *b)
{
    return a->kind == b->kind && a->self == b->self && a->has_hash == b->has_hash &&
           a->broadcast == b->broadcast && a->id == b->id && a->access_hash == b->access_hash &&
           a->origin.kind == b->origin.kind && a->origin.id == b->origin.id &&
           a->origin.access_hash == b->origin.access_hash && a->origin.msg_id == b->origin.msg_id;
}

static void payloads_come_back(void **state)
{
    (void)state;
    const struct peer_ref refs[] = {
        {.kind = PEER_CHAT, .id = 5},
        {.kind = PEER_USER,
         .self = true,
         .has_hash = true,
         .id = (1LL << 40) - 1,
         .access_hash = INT64_MIN},
        {.kind = PEER_CHANNEL,
         .has_hash = true,
         .broadcast = true,
         .id = 1234567890,
         .access_hash = -1},
        {.kind = PEER_USER, .id = 7, .origin = {PEER_CHANNEL, 99, INT64_MAX, 123456}},
        {.kind = PEER_CHANNEL, .id = 8, .origin = {PEER_CHAT, 98, 0, 1}},
    };
    for (size_t i = 0; i < sizeof refs / sizeof *refs; i++) {
        uint8_t payload[PEER_PAYLOAD_MAX];
        struct peer_ref back;
        size_t n = peer_encode(&refs[i], payload);
        assert_true(peer_decode(slice_of(payload, n), &back));
        assert_true(same_ref(&refs[i], &back));
        for (size_t cut = 0; cut < n; cut++)
            assert_false(peer_decode(slice_of(payload, cut), &back));
        payload[0]++;
        assert_false(peer_decode(slice_of(payload, n), &back));
    }
}

#define SEEN(ctor, origin, msg_id, id)                                                             \
    "{\"_\":\"" ctor "\",\"peer\":{\"_\":\"" origin "},\"msg_id\":" msg_id "," id "}"

static void inputs_say_how_a_peer_is_known(void **state)
{
    const struct tl_schema *s = *state;
    static const struct {
        struct peer_ref ref;
        const char *input;
        const char *narrow; /* as InputUser or InputChannel; NULL: there is none */
    } rows[] = {
        {{.kind = PEER_USER, .self = true},
         "{\"_\":\"inputPeerSelf\"}",
         "{\"_\":\"inputUserSelf\"}"},
        {{.kind = PEER_CHAT, .id = 5}, "{\"_\":\"inputPeerChat\",\"chat_id\":\"5\"}", NULL},
        {{.kind = PEER_USER, .has_hash = true, .id = 6, .access_hash = -6},
         "{\"_\":\"inputPeerUser\",\"user_id\":\"6\",\"access_hash\":\"-6\"}",
         "{\"_\":\"inputUser\",\"user_id\":\"6\",\"access_hash\":\"-6\"}"},
        {{.kind = PEER_CHANNEL, .has_hash = true, .id = 7, .access_hash = 1LL << 62},
         "{\"_\":\"inputPeerChannel\",\"channel_id\":\"7\",\"access_hash\":"
         "\"4611686018427387904\"}",
         "{\"_\":\"inputChannel\",\"channel_id\":\"7\",\"access_hash\":\"4611686018427387904\"}"},
        {{.kind = PEER_USER, .id = 8, .origin = {PEER_CHANNEL, 99, -3, 12}},
         SEEN("inputPeerUserFromMessage",
              "inputPeerChannel\",\"channel_id\":\"99\",\"access_hash\":\"-3\"", "12",
              "\"user_id\":\"8\""),
         SEEN("inputUserFromMessage",
              "inputPeerChannel\",\"channel_id\":\"99\",\"access_hash\":\"-3\"", "12",
              "\"user_id\":\"8\"")},
        {{.kind = PEER_CHANNEL, .id = 9, .origin = {PEER_CHAT, 98, 0, 13}},
         SEEN("inputPeerChannelFromMessage", "inputPeerChat\",\"chat_id\":\"98\"", "13",
              "\"channel_id\":\"9\""),
         SEEN("inputChannelFromMessage", "inputPeerChat\",\"chat_id\":\"98\"", "13",
              "\"channel_id\":\"9\"")},
        {{.kind = PEER_USER, .id = 10, .origin = {PEER_USER, 97, 4, 14}},
         SEEN("inputPeerUserFromMessage",
              "inputPeerUser\",\"user_id\":\"97\",\"access_hash\":\"4\"", "14",
              "\"user_id\":\"10\""),
         SEEN("inputUserFromMessage", "inputPeerUser\",\"user_id\":\"97\",\"access_hash\":\"4\"",
              "14", "\"user_id\":\"10\"")},
    };
    struct arena a;
    arena_init(&a, 0);
    struct tl_builder b = tl_builder_of(s, &a);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct peer_ref *ref = &rows[i].ref;
        assert_string_equal(request_json(s, peer_to_input(&b, ref), &a), rows[i].input);
        const struct tl_object *user = peer_to_input_user(&b, ref);
        const struct tl_object *channel = peer_to_input_channel(&b, ref);
        assert_int_equal(user != NULL, ref->kind == PEER_USER);
        assert_int_equal(channel != NULL, ref->kind == PEER_CHANNEL);
        if (rows[i].narrow)
            assert_string_equal(request_json(s, user ? user : channel, &a), rows[i].narrow);
    }
    const struct peer_ref unusable = {.kind = PEER_USER, .id = 11};
    assert_null(peer_to_input(&b, &unusable));
    assert_false(b.failed);
    arena_free(&a);
}

/* ---- directories ---- */

static const char answer_text[] =
    "{\"_\":\"messages.dialogs\",\"dialogs\":[],\"messages\":[],"
    "\"chats\":["
    "{\"_\":\"chat\",\"id\":20,\"title\":\"Group\",\"photo\":{\"_\":\"chatPhotoEmpty\"},"
    "\"participants_count\":3,\"date\":1,"
    "\"version\":1},"
    "{\"_\":\"channel\",\"id\":30,\"access_hash\":\"-300\",\"title\":\"Super\",\"megagroup\":true,"
    "\"usernames\":[{\"_\":\"username\","
    "\"username\":\"old\"},{\"_\":\"username\",\"active\":true,\"username\":\"SuperName\"}],"
    "\"photo\":{\"_\":\"chatPhotoEmpty\"},\"date\":1},"
    "{\"_\":\"channelForbidden\",\"id\":31,\"access_hash\":\"-310\",\"title\":\"Gone\","
    "\"broadcast\":true}],"
    "\"users\":["
    "{\"_\":\"user\",\"id\":1,\"self\":true,\"access_hash\":\"100\",\"first_name\":\"Ann\",\"last_"
    "name\":\"Lee\",\"username\":\"ann\"},"
    "{\"_\":\"user\",\"id\":2,\"min\":true,\"access_hash\":\"200\",\"first_name\":\"Min\"},"
    "{\"_\":\"user\",\"id\":3,\"deleted\":true,\"access_hash\":\"0\"},{\"_\":\"userEmpty\",\"id\":"
    "4}]}";

static void assert_name(const struct tl_object *o, struct arena *a, const char *name,
                        const char *type)
{
    assert_non_null(o);
    assert_true(slice_is(peer_name(o, a), name));
    assert_string_equal(peer_chat_type(o), type);
}

static void a_directory_knows_who_is_who(void **state)
{
    const struct tl_schema *s = *state;
    struct arena a;
    arena_init(&a, 0);
    struct directory *d = directory_new(&a);
    assert_null(directory_find(d, PEER_USER, 1));
    directory_add(d, object_of_text(s, answer_text, &a));
    assert_name(directory_find(d, PEER_USER, 1), &a, "Ann Lee", "private");
    assert_name(directory_find(d, PEER_USER, 2), &a, "Min", "private");
    assert_name(directory_find(d, PEER_USER, 3), &a, "Deleted Account", "private");
    assert_name(directory_find(d, PEER_CHAT, 20), &a, "Group", "group");
    assert_name(directory_find(d, PEER_CHANNEL, 30), &a, "Super", "supergroup");
    assert_name(directory_find(d, PEER_CHANNEL, 31), &a, "Gone", "channel");
    assert_null(directory_find(d, PEER_CHAT, 30));
    assert_true(slice_is(peer_username(directory_find(d, PEER_CHANNEL, 30)), "SuperName"));
    assert_ptr_equal(directory_find(d, PEER_USER, 1), directory_self(d));
    arena_free(&a);
}

static void a_full_user_is_not_lost_to_a_min_one(void **state)
{
    const struct tl_schema *s = *state;
    struct arena a;
    arena_init(&a, 0);
    struct directory *d = directory_new(&a);
    static const char full[] =
        "{\"_\":\"contacts.resolvedPeer\",\"peer\":{\"_\":\"peerUser\",\"user_id\":2},\"chats\":[],"
        "\"users\":[{\"_\":\"user\",\"id\":2,\"access_hash\":\"222\",\"first_name\":\"Full\"}]}";
    directory_add(d, object_of_text(s, full, &a));
    directory_add(d, object_of_text(s, answer_text, &a));
    assert_true(peer_of_object(directory_find(d, PEER_USER, 2)).access_hash == 222);
    struct directory *other = directory_new(&a);
    directory_add(other, object_of_text(s, answer_text, &a));
    assert_false(peer_of_object(directory_find(other, PEER_USER, 2)).has_hash);
    directory_add(other, object_of_text(s, full, &a));
    assert_true(peer_of_object(directory_find(other, PEER_USER, 2)).has_hash);
    arena_free(&a);
}

static void a_min_user_is_reached_through_the_message(void **state)
{
    const struct tl_schema *s = *state;
    struct arena a;
    arena_init(&a, 0);
    struct directory *d = directory_new(&a);
    directory_add(d, object_of_text(s, answer_text, &a));
    static const char text[] =
        "{\"_\":\"message\",\"id\":77,\"from_id\":{\"_\":\"peerUser\",\"user_id\":2},\"peer_id\":"
        "{\"_\":\"peerChannel\",\"channel_id\":30},\"date\":5,\"message\":\"x\"}";
    const struct tl_object *message = object_of_text(s, text, &a);
    struct peer_ref p = directory_ref_in(d, tl_obj(message, F_from_id), message);
    struct tl_builder b = tl_builder_of(s, &a);
    assert_string_equal(request_json(s, peer_to_input(&b, &p), &a),
                        "{\"_\":\"inputPeerUserFromMessage\",\"peer\":{\"_\":\"inputPeerChannel\","
                        "\"channel_id\":\"30\","
                        "\"access_hash\":\"-300\"},\"msg_id\":77,\"user_id\":\"2\"}");
    arena_free(&a);
}

static void a_directory_grows(void **state)
{
    const struct tl_schema *s = *state;
    struct arena a;
    arena_init(&a, 0);
    struct tl_builder b = tl_builder_of(s, &a);
    struct directory *d = directory_new(&a);
    struct tl_vector *users = tl_new_vec(&b), *chats = tl_new_vec(&b);
    for (int64_t id = 1; id <= 3000; id++) {
        struct tl_object *user = tl_new(&b, C_user), *chat = tl_new(&b, C_chatEmpty);
        tl_set_int(user, F_id, id * 1000003);
        tl_push_obj(&b, users, user);
        tl_set_int(chat, F_id, id);
        tl_push_obj(&b, chats, chat);
    }
    directory_add_vector(d, users);
    directory_add_vector(d, chats);
    for (int64_t id = 1; id <= 3000; id++) {
        assert_ptr_equal(directory_find(d, PEER_USER, id * 1000003), users->items[id - 1].object);
        assert_ptr_equal(directory_find(d, PEER_CHAT, id), chats->items[id - 1].object);
    }
    assert_null(directory_find(d, PEER_CHANNEL, 1));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_in_the_schema),
        cmocka_unit_test(addresses_mean_what_the_table_says),
        cmocka_unit_test(noise_is_no_crash),
        cmocka_unit_test(payloads_come_back),
        cmocka_unit_test(inputs_say_how_a_peer_is_known),
        cmocka_unit_test(a_directory_knows_who_is_who),
        cmocka_unit_test(a_full_user_is_not_lost_to_a_min_one),
        cmocka_unit_test(a_min_user_is_reached_through_the_message),
        cmocka_unit_test(a_directory_grows),
    };
    return cmocka_run_group_tests_name("telegram peers", tests, schema_setup, schema_teardown);
}
