/* SPDX-License-Identifier: MIT
 * Rows of tests/vectors/text/ *.jsonl and random formatted text. */
#ifndef TGREST_TEST_TEXT_CASES_H
#define TGREST_TEST_TEXT_CASES_H

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "telegram/text.h"

static const char *const type_names[ENTITY_TYPE_COUNT] = {
    "unknown",       "mention",      "hashtag",
    "cashtag",       "bot_command",  "url",
    "email",         "phone_number", "bank_card",
    "bold",          "italic",       "underline",
    "strikethrough", "spoiler",      "code",
    "pre",           "blockquote",   "expandable_blockquote",
    "text_link",     "text_mention", "custom_emoji",
};

static inline enum entity_type type_named(const char *name)
{
    for (size_t i = 0; i < ENTITY_TYPE_COUNT; i++)
        if (strcmp(name, type_names[i]) == 0)
            return (enum entity_type)i;
    fail_msg("no entity type %s", name);
    return ENTITY_UNKNOWN;
}

static inline struct slice case_text(struct json_object *row, const char *key)
{
    struct json_object *text = json_object_object_get(row, key);
    return text ? slice_of(json_object_get_string(text), (size_t)json_object_get_string_len(text))
                : (struct slice){0};
}

static inline struct entity case_entity(struct json_object *row)
{
    struct json_object *value = json_object_array_get_idx(row, 3);
    struct entity e = {
        .type = type_named(json_object_get_string(json_object_array_get_idx(row, 0))),
        .offset = (uint32_t)json_object_get_int(json_object_array_get_idx(row, 1)),
        .length = (uint32_t)json_object_get_int(json_object_array_get_idx(row, 2)),
    };
    if (json_object_is_type(value, json_type_int))
        e.id = json_object_get_int64(value);
    else if (value)
        e.value =
            slice_of(json_object_get_string(value), (size_t)json_object_get_string_len(value));
    return e;
}

static inline struct formatted_text case_formatted(struct json_object *row, struct arena *a)
{
    struct json_object *rows = json_object_object_get(row, "entities");
    struct formatted_text t = {.text = case_text(row, "text"),
                               .n_entities = json_object_array_length(rows)};
    t.entities = arena_array(a, t.n_entities, sizeof *t.entities);
    for (size_t i = 0; i < t.n_entities; i++)
        t.entities[i] = case_entity(json_object_array_get_idx(rows, i));
    return t;
}

static inline void describe(const struct formatted_text *t, struct buf *out)
{
    buf_printf(out, "\"%.*s\"", (int)t->text.len, (const char *)t->text.data);
    for (size_t i = 0; i < t->n_entities; i++)
        buf_printf(out, " %s[%u+%u]%.*s#%lld", type_names[t->entities[i].type],
                   t->entities[i].offset, t->entities[i].length, (int)t->entities[i].value.len,
                   (const char *)t->entities[i].value.data, (long long)t->entities[i].id);
    buf_append_byte(out, 0);
}

/* Same text, same entities? Says both and the source when not. */
static inline void assert_same_text(const struct formatted_text *got,
                                    const struct formatted_text *wanted, struct slice source)
{
    struct buf a, b;
    buf_init(&a, 0);
    buf_init(&b, 0);
    describe(got, &a);
    describe(wanted, &b);
    if (strcmp((char *)a.data, (char *)b.data) != 0)
        fail_msg("of: %.*s\n got:    %s\n wanted: %s", (int)source.len, (const char *)source.data,
                 a.data, b.data);
    buf_free(&a);
    buf_free(&b);
}

/* Calls check(row) for each line of a file; there must be some. */
static inline void each_case(const char *path,
                             void (*check)(struct json_object *row, struct arena *a))
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    static char line[1 << 16];
    struct arena a;
    arena_init(&a, 0);
    size_t n = 0;
    for (; fgets(line, sizeof line, f); n++) {
        struct json_object *row = json_tokener_parse(line);
        assert_non_null(row);
        check(row, &a);
        json_object_put(row);
        arena_reset(&a);
    }
    arena_free(&a);
    fclose(f);
    assert_true(n > 0);
}

static inline uint64_t test_seed(void)
{
    const char *given = getenv("TGREST_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 0x5eed;
    print_message("TGREST_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

#endif
