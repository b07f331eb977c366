/* SPDX-License-Identifier: MIT
 * Answers as JSON, and entities both ways, by data files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "telegram/dialogs.h"
#include "telegram/schema_case.h"
#include "telegram/stored_file.h"
#include "telegram/text_cases.h"
#include "telegram/view.h"

/* A ref that can be read: "user 2 via channel 30/14". */
static void readable_ref(void *ctx, struct json_writer *w, const struct peer_ref *p)
{
    static const char *const kinds[] = {"none", "user", "chat", "channel"};
    (void)ctx;
    char text[128];
    int n = snprintf(text, sizeof text, "%s %lld%s", kinds[p->kind], (long long)p->id,
                     p->self ? " self" : "");
    if (p->has_hash)
        n += snprintf(text + n, sizeof text - (size_t)n, " hash %lld", (long long)p->access_hash);
    if (p->origin.kind)
        snprintf(text + n, sizeof text - (size_t)n, " via %s %lld/%d", kinds[p->origin.kind],
                 (long long)p->origin.id, p->origin.msg_id);
    json_string(w, slice_str(text));
}

static void readable_photo(void *ctx, struct json_writer *w, const struct tl_object *user_or_chat)
{
    struct peer_photo p = peer_photo_of(user_or_chat);
    char text[128];
    (void)ctx;
    snprintf(text, sizeof text, "photo %lld of %lld in %d", (long long)p.id, (long long)p.peer.id,
             p.dc);
    if (p.id)
        json_string(w, slice_str(text));
    else
        json_null(w);
}

static void write_messages(const struct view *v, const struct tl_object *answer)
{
    json_array_begin(v->w);
    for (uint32_t i = 0; i < messages_count(answer); i++)
        view_message(v, messages_at(answer, i));
    json_array_end(v->w);
}

static void write_dialogs(const struct view *v, const struct tl_object *answer)
{
    struct dialogs_page page;
    struct dialogs_cursor start = {0};
    assert_true(dialogs_read(answer, &start, 100, v->directory, v->arena, &page));
    json_array_begin(v->w);
    for (uint32_t i = 0; i < page.n; i++)
        (void)view_dialog(v, dialogs_at(&page, i), dialogs_top(&page, i));
    json_array_end(v->w);
}

static void write_user(const struct view *v, const struct tl_object *answer)
{
    view_user(v, tl_item_obj(answer, F_users, 0), tl_obj(answer, F_full_user));
}

static void write_chat(const struct view *v, const struct tl_object *answer)
{
    json_object_begin(v->w);
    view_chat_fields(v, tl_item_obj(answer, F_chats, 0), tl_obj(answer, F_full_chat));
    json_object_end(v->w);
}

static void write_case(const char *name, const struct view *v, const struct tl_object *answer)
{
    static const struct {
        const char *name;
        void (*write)(const struct view *v, const struct tl_object *answer);
    } views[] = {{"messages", write_messages},
                 {"dialogs", write_dialogs},
                 {"user", write_user},
                 {"chat", write_chat}};
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (strcmp(views[i].name, name) == 0) {
            views[i].write(v, answer);
            return;
        }
    fail_msg("no view %s", name);
}

static const char *string_at(struct json_object *o, const char *key)
{
    return json_object_get_string(json_object_object_get(o, key));
}

static void check_view(const struct tl_schema *s, struct json_object *row)
{
    struct arena a;
    struct buf out;
    struct json_writer w;
    arena_init(&a, 0);
    buf_init(&out, 0);
    json_init(&w, &out);
    const struct tl_object *answer = object_of(s, json_object_object_get(row, "answer"), &a);
    struct directory *d = directory_new(&a);
    directory_add(d, answer);
    struct view v = {.w = &w,
                     .arena = &a,
                     .directory = d,
                     .write_ref = readable_ref,
                     .write_photo = readable_photo,
                     .with_entities =
                         json_object_get_boolean(json_object_object_get(row, "with_entities"))};
    assert_true(text_mode_parse(slice_str(string_at(row, "mode")), &v.mode));
    write_case(string_at(row, "view"), &v, answer);
    buf_append_byte(&out, 0);
    struct json_object *got = json_tokener_parse((char *)out.data),
                       *wanted = json_object_object_get(row, "wanted");
    if (!got || !json_object_equal(got, wanted))
        fail_msg("%s\n got:    %s\n wanted: %s", string_at(row, "name"), out.data,
                 json_object_to_json_string_ext(wanted, JSON_C_TO_STRING_PLAIN));
    json_object_put(got);
    buf_free(&out);
    arena_free(&a);
}

static void views_are_what_the_file_says(void **state)
{
    struct json_object *rows = json_object_from_file("tests/vectors/telegram/views.json");
    assert_non_null(rows);
    for (size_t i = 0; i < json_object_array_length(rows); i++)
        check_view(*state, json_object_array_get_idx(rows, i));
    json_object_put(rows);
}

/* ---- media ---- */

static void media_types_are_what_the_table_says(void **state)
{
    FILE *f = fopen("tests/vectors/telegram/media.tsv", "r");
    assert_non_null(f);
    static char line[2048];
    struct arena a;
    arena_init(&a, 0);
    size_t n = 0;
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        if (line[0] == '#')
            continue;
        const char *json = strtok(line, "\t");
        if (strcmp(json, "D") == 0) /* a document with these attributes */
            json = arena_printf(&a,
                                "{\"_\":\"messageMediaDocument\",\"document\":{\"_\":\"document\","
                                "\"id\":\"1\",\"access_hash\":\"2\","
                                "\"file_reference\":\"\",\"date\":1,\"mime_type\":\"x/"
                                "y\",\"size\":1,\"dc_id\":2,\"attributes\":%s}}",
                                strtok(NULL, "\t"));
        const char *wanted = strtok(NULL, "\t");
        const char *got = media_type_of(object_of_text(*state, json, &a));
        if (strcmp(got ? got : "-", wanted) != 0)
            fail_msg("%s: got %s, wanted %s", json, got ? got : "-", wanted);
        arena_reset(&a);
        n++;
    }
    assert_true(n > 20);
    assert_null(media_type_of(NULL));
    arena_free(&a);
    fclose(f);
}

static void actions_have_names(void **state)
{
    static const char *const rows[][2] = {
        {"{\"_\":\"messageActionPinMessage\"}", "pin_message"},
        {"{\"_\":\"messageActionChatJoinedByLink\",\"inviter_id\":1}", "chat_joined_by_link"},
        {"{\"_\":\"messageActionSetMessagesTTL\",\"period\":1}", "set_messages_ttl"},
        {"{\"_\":\"messageActionChatMigrateTo\",\"channel_id\":1}", "chat_migrate_to"},
    };
    struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(action_type_of(object_of_text(*state, rows[i][0], &a), &a), rows[i][1]);
    assert_null(action_type_of(NULL, &a));
    arena_free(&a);
}

/* ---- entities: JSON and TL, there and back ---- */

static void entities_survive_json_and_tl(void **state)
{
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    struct arena a;
    arena_init(&a, 0);
    for (int round = 0; round < 2000; round++) {
        struct entity list[8];
        struct formatted_text t = {slice_str("x\U0001f600 yz\U0001d11e abcdefghijklmno \u4e2d!"),
                                   list, rng_below(&rng, 9)};
        uint32_t units = (uint32_t)utf16_length(t.text);
        for (size_t i = 0; i < t.n_entities; i++) {
            enum entity_type type = ENTITY_MENTION + (enum entity_type)rng_below(
                                                         &rng, ENTITY_TYPE_COUNT - ENTITY_MENTION);
            uint32_t from = (uint32_t)rng_below(&rng, units);
            list[i] = (struct entity){.type = type,
                                      .offset = from,
                                      .length = 1 + (uint32_t)rng_below(&rng, units - from)};
            if (type == ENTITY_TEXT_LINK || type == ENTITY_PRE)
                list[i].value = slice_str("v\"\\\u00e9");
            if (type == ENTITY_TEXT_MENTION || type == ENTITY_CUSTOM_EMOJI)
                list[i].id = 1 + (int64_t)rng_below(&rng, 1LL << 52);
        }
        entities_sort(list, t.n_entities);
        struct buf out;
        struct json_writer w;
        buf_init(&out, 0);
        json_init(&w, &out);
        entities_to_json(list, t.n_entities, &w);
        buf_append_byte(&out, 0);
        struct json_object *json = json_tokener_parse((char *)out.data);
        struct formatted_text back;
        struct tl_json_error error = {0};
        if (!entities_from_json(json, t.text, &a, &back, &error))
            fail_msg("%s %s: %s", out.data, error.path, error.reason);
        assert_same_text(&back, &t, buf_slice(&out));
        json_object_put(json);
        buf_free(&out);
        (void)state;
        arena_reset(&a);
    }
    arena_free(&a);
}

static const struct tl_object *input_user(void *ctx, const struct entity *e)
{
    struct peer_ref p = {
        .kind = PEER_USER, .has_hash = true, .id = e->id ? e->id : 99, .access_hash = 5};
    return e->id == 404 ? NULL : peer_to_input_user(ctx, &p);
}

static void entities_become_objects(void **state)
{
    struct arena a;
    arena_init(&a, 0);
    struct tl_builder b = tl_builder_of(*state, &a);
    struct entity list[] = {
        {.type = ENTITY_BOLD, .offset = 0, .length = 1},
        {.type = ENTITY_PRE, .offset = 1, .length = 1},
        {.type = ENTITY_TEXT_LINK, .offset = 2, .length = 1, .value = slice_str("http://x")},
        {.type = ENTITY_TEXT_LINK, .offset = 3, .length = 1, .value = slice_str("@name")},
        {.type = ENTITY_TEXT_MENTION, .offset = 4, .length = 1, .id = 7},
        {.type = ENTITY_TEXT_MENTION, .offset = 5, .length = 1, .id = 404},
        {.type = ENTITY_CUSTOM_EMOJI, .offset = 6, .length = 1, .id = 8},
        {.type = ENTITY_EXPANDABLE_BLOCKQUOTE, .offset = 7, .length = 1},
    };
    struct formatted_text text = {slice_str("abcdefgh"), list, sizeof list / sizeof *list};
    const struct mention_resolver resolver = {input_user, &b};
    struct tl_object *request = tl_new(&b, C_messages_sendMessage);
    tl_set_obj(request, F_peer, tl_new(&b, C_inputPeerSelf));
    tl_set_str(request, F_message, "abcdefgh");
    tl_set_int(request, F_random_id, 1);
    entities_to_tl(&b, request, F_entities, &text, &resolver);
    assert_string_equal(
        request_json(*state, request, &a),
        "{\"_\":\"messages.sendMessage\",\"peer\":{\"_\":\"inputPeerSelf\"},\"message\":"
        "\"abcdefgh\",\"random_id\":\"1\",\"entities\":["
        "{\"_\":\"messageEntityBold\",\"offset\":0,\"length\":1},"
        "{\"_\":\"messageEntityPre\",\"offset\":1,\"length\":1,\"language\":\"\"},"
        "{\"_\":\"messageEntityTextUrl\",\"offset\":2,\"length\":1,\"url\":\"http://x\"},"
        "{\"_\":\"inputMessageEntityMentionName\",\"offset\":3,\"length\":1,\"user_id\":{\"_\":"
        "\"inputUser\",\"user_id\":\"99\","
        "\"access_hash\":\"5\"}},"
        "{\"_\":\"inputMessageEntityMentionName\",\"offset\":4,\"length\":1,\"user_id\":{\"_\":"
        "\"inputUser\",\"user_id\":\"7\","
        "\"access_hash\":\"5\"}},"
        "{\"_\":\"messageEntityCustomEmoji\",\"offset\":6,\"length\":1,\"document_id\":\"8\"},"
        "{\"_\":\"messageEntityBlockquote\",\"collapsed\":true,\"offset\":7,\"length\":1}]}");
    struct formatted_text back = {.text = text.text};
    entities_from_tl(request, F_entities, &a, &back);
    assert_int_equal(back.n_entities, 7);
    assert_int_equal(back.entities[6].type, ENTITY_EXPANDABLE_BLOCKQUOTE);
    arena_free(&a);
}

static void bad_entities_are_told_where(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"{}", "entities", "must be an array of at most 256 objects"},
        {"[1]", "entities[0]", "must be an object"},
        {"[{\"type\":\"bold\",\"offset\":0,\"length\":1},{\"type\":\"fat\"}]", "entities[1].type",
         "is no type of entity"},
        {"[{\"type\":\"unknown\",\"offset\":0,\"length\":1}]", "entities[0].type",
         "is no type of entity"},
        {"[{\"offset\":0}]", "entities[0].type", "must be a string"},
        {"[{\"type\":\"bold\",\"offset\":\"0\",\"length\":1}]", "entities[0].offset",
         "must be a whole number"},
        {"[{\"type\":\"bold\",\"offset\":-1,\"length\":1}]", "entities[0].offset",
         "is outside the text"},
        {"[{\"type\":\"bold\",\"offset\":4,\"length\":1}]", "entities[0].offset",
         "is outside the text"},
        {"[{\"type\":\"bold\",\"offset\":0,\"length\":0}]", "entities[0].length",
         "is less than 1 or reaches past the end of the text"},
        {"[{\"type\":\"bold\",\"offset\":1,\"length\":9223372036854775807}]", "entities[0].length",
         "is less than 1 or reaches past the end of the text"},
        {"[{\"type\":\"text_link\",\"offset\":0,\"length\":1}]", "entities[0].url",
         "must be a string"},
        {"[{\"type\":\"text_link\",\"offset\":0,\"length\":1,\"url\":\"\"}]", "entities[0].url",
         "is empty"},
        {"[{\"type\":\"text_mention\",\"offset\":0,\"length\":1}]", "entities[0].user.id",
         "must be a user's id"},
        {"[{\"type\":\"custom_emoji\",\"offset\":0,\"length\":1,\"custom_emoji_id\":\"x\"}]",
         "entities[0].custom_emoji_id", "must be an emoji's id"},
    };
    struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json_object *json = json_tokener_parse(rows[i][0]);
        struct formatted_text t;
        struct tl_json_error error;
        assert_false(entities_from_json(json, slice_str("a\U0001f600b"), &a, &t, &error));
        assert_string_equal(error.path, rows[i][1]);
        assert_string_equal(error.reason, rows[i][2]);
        json_object_put(json);
    }
    arena_free(&a);
}

static void the_schemas_names_are_taken_too(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 0);
    struct json_object *json =
        json_tokener_parse("[{\"_\":\"MessageEntityStrike\",\"offset\":2,\"length\":1},{\"type\":"
                           "\"messageEntityMentionName\",\"offset\":3,\"length\":1,"
                           "\"user_id\":\"77\"},{\"_\":\"MessageEntityBlockquote\",\"offset\":4,"
                           "\"length\":2,\"collapsed\":true}]");
    struct formatted_text t;
    struct tl_json_error error;
    assert_true(entities_from_json(json, slice_str("  abcd "), &a, &t, &error));
    assert_true(slice_is(t.text, "abcd"));
    assert_int_equal(t.n_entities, 3);
    assert_true(t.entities[0].type == ENTITY_STRIKETHROUGH && t.entities[0].offset == 0);
    assert_true(t.entities[1].type == ENTITY_TEXT_MENTION && t.entities[1].id == 77);
    assert_true(t.entities[2].type == ENTITY_EXPANDABLE_BLOCKQUOTE && t.entities[2].length == 2);
    json_object_put(json);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_are_what_the_file_says),
        cmocka_unit_test(media_types_are_what_the_table_says),
        cmocka_unit_test(actions_have_names),
        cmocka_unit_test(entities_survive_json_and_tl),
        cmocka_unit_test(entities_become_objects),
        cmocka_unit_test(bad_entities_are_told_where),
        cmocka_unit_test(the_schemas_names_are_taken_too),
    };
    return cmocka_run_group_tests_name("telegram views", tests, schema_setup, schema_teardown);
}
