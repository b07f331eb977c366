/* SPDX-License-Identifier: MIT
 * Markdown and html against vectors, against each other, and against noise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "telegram/text_cases.h"

/* ---- vectors ---- */

static void check_parse(enum text_mode mode, struct json_object *row, struct arena *a)
{
    struct slice source = case_text(row, "parse");
    struct formatted_text got, wanted = case_formatted(row, a);
    struct text_error error;
    entities_sort(wanted.entities, wanted.n_entities);
    if (!text_parse(mode, source, a, &got, &error))
        fail_msg("%.*s: %s at %zu", (int)source.len, (const char *)source.data, error.reason,
                 error.offset);
    assert_same_text(&got, &wanted, source);
}

static void check_unparse(enum text_mode mode, struct json_object *row, struct arena *a)
{
    struct formatted_text t = case_formatted(row, a);
    struct slice wanted = case_text(row, "unparse");
    struct buf out;
    buf_init(&out, 0);
    text_unparse(mode, &t, a, &out);
    if (!slice_eq(buf_slice(&out), wanted))
        fail_msg("got: %.*s\n wanted: %.*s", (int)out.len, (char *)out.data, (int)wanted.len,
                 (const char *)wanted.data);
    buf_free(&out);
}

static void check_fail(struct json_object *row, struct arena *a)
{
    struct formatted_text got;
    struct text_error error;
    assert_false(text_parse(TEXT_HTML, case_text(row, "fail"), a, &got, &error));
    assert_string_equal(error.reason,
                        json_object_get_string(json_object_object_get(row, "reason")));
    assert_int_equal(error.offset, json_object_get_int(json_object_object_get(row, "at")));
}

static void check_markdown(struct json_object *row, struct arena *a)
{
    (json_object_object_get(row, "parse") ? check_parse : check_unparse)(TEXT_MARKDOWN, row, a);
}

static void check_html(struct json_object *row, struct arena *a)
{
    if (json_object_object_get(row, "fail"))
        check_fail(row, a);
    else
        (json_object_object_get(row, "parse") ? check_parse : check_unparse)(TEXT_HTML, row, a);
}

static void markdown_agrees_with_telethon(void **state)
{
    (void)state;
    each_case("tests/vectors/text/markdown.jsonl", check_markdown);
}

static void html_agrees_with_the_vectors(void **state)
{
    (void)state;
    each_case("tests/vectors/text/html.jsonl", check_html);
}

/* ---- random texts, there and back ---- */

/* Pieces of text; those behind CLEAN mean something in markdown. */
static const char *const pieces[] = {"a",
                                     "b",
                                     "Z9",
                                     " ",
                                     "\n",
                                     "\u00e9",
                                     "\u4e2d\u6587",
                                     "\U0001f600",
                                     "\U0001d11e",
                                     "\U0001f468\u200d\U0001f469",
                                     "<",
                                     ">",
                                     "&",
                                     "\"",
                                     "&amp;",
                                     "*",
                                     "_",
                                     "`",
                                     "[x](y)"};
enum { CLEAN = 15, PIECES = sizeof pieces / sizeof *pieces };

/* A tree of entities over random text, in the order and shape that html can say exactly. */
struct generator {
    struct rng *rng;
    struct buf text;
    uint32_t units;
    struct entity list[64];
    size_t n;
    size_t pieces;
    bool markdown;
};

static void add_piece(struct generator *g)
{
    const char *piece = pieces[rng_below(g->rng, g->pieces)];
    buf_append_str(&g->text, piece);
    g->units += (uint32_t)utf16_length(slice_str(piece));
}

static enum entity_type random_type(struct generator *g)
{
    static const enum entity_type html[] = {
        ENTITY_BOLD,
        ENTITY_ITALIC,
        ENTITY_UNDERLINE,
        ENTITY_STRIKETHROUGH,
        ENTITY_SPOILER,
        ENTITY_BLOCKQUOTE,
        ENTITY_EXPANDABLE_BLOCKQUOTE,
        ENTITY_TEXT_LINK,
        ENTITY_TEXT_MENTION,
        ENTITY_CUSTOM_EMOJI,
        ENTITY_CODE,
        ENTITY_PRE,
    };
    static const enum entity_type markdown[] = {
        ENTITY_BOLD,         ENTITY_ITALIC, ENTITY_STRIKETHROUGH, ENTITY_TEXT_LINK,
        ENTITY_TEXT_MENTION, ENTITY_CODE,   ENTITY_PRE,
    };
    return g->markdown ? markdown[rng_below(g->rng, sizeof markdown / sizeof *markdown)]
                       : html[rng_below(g->rng, sizeof html / sizeof *html)];
}

static bool holds_entities(const struct generator *g, enum entity_type type)
{
    bool link = type == ENTITY_TEXT_LINK || type == ENTITY_TEXT_MENTION;
    return type != ENTITY_CODE && type != ENTITY_PRE && !(g->markdown && link);
}

static void fill_value(struct generator *g, struct entity *e)
{
    static const char *const urls[] = {"http://example.com/?a=b&c=\"<'>", "tg://resolve?domain=x",
                                       "@name"};
    if (e->type == ENTITY_TEXT_LINK)
        e->value = slice_str(urls[rng_below(g->rng, 3)]);
    if (e->type == ENTITY_PRE && !g->markdown && rng_below(g->rng, 2))
        e->value = slice_str("c++\"<&");
    if (e->type == ENTITY_TEXT_MENTION || e->type == ENTITY_CUSTOM_EMOJI)
        e->id = (int64_t)rng_below(g->rng, INT64_MAX - 1) + 1;
}

/* `used`: types already around us, which markdown cannot nest in themselves. */
static void grow(struct generator *g, unsigned depth, uint32_t used)
{
    size_t steps = 1 + rng_below(g->rng, 4);
    for (size_t i = 0; i < steps; i++) {
        enum entity_type type = random_type(g);
        bool nested = depth < 6 && g->n < 60 && rng_below(g->rng, 2) && !(used >> type & 1);
        if (!nested) {
            add_piece(g);
            continue;
        }
        size_t index = g->n++;
        g->list[index] = (struct entity){.type = type, .offset = g->units};
        fill_value(g, &g->list[index]);
        if (holds_entities(g, type))
            grow(g, depth + 1, used | 1u << type);
        else
            add_piece(g);
        g->list[index].length = g->units - g->list[index].offset;
    }
}

static struct formatted_text generate(struct generator *g)
{
    buf_clear(&g->text);
    g->units = 0;
    g->n = 0;
    buf_append_str(&g->text, "x");
    g->units = 1;
    grow(g, 0, 0);
    buf_append_str(&g->text, "y");
    struct formatted_text t = {buf_slice(&g->text), g->list, g->n};
    entities_sort(t.entities, t.n_entities);
    return t;
}

static void round_trip(enum text_mode mode, size_t n_pieces, unsigned rounds)
{
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    struct generator g = {.rng = &rng, .pieces = n_pieces, .markdown = mode == TEXT_MARKDOWN};
    struct arena a;
    struct buf written;
    arena_init(&a, 0);
    buf_init(&g.text, 0);
    buf_init(&written, 0);
    for (unsigned i = 0; i < rounds; i++) {
        struct formatted_text t = generate(&g), back;
        struct text_error error;
        text_unparse(mode, &t, &a, &written);
        if (!text_parse(mode, buf_slice(&written), &a, &back, &error))
            fail_msg("%.*s: %s", (int)written.len, (char *)written.data, error.reason);
        assert_same_text(&back, &t, buf_slice(&written));
        buf_clear(&written);
        arena_reset(&a);
    }
    buf_free(&written);
    buf_free(&g.text);
    arena_free(&a);
}

static void html_says_everything_exactly(void **state)
{
    (void)state;
    round_trip(TEXT_HTML, PIECES, 5000);
}

static void markdown_says_its_part_exactly(void **state)
{
    (void)state;
    round_trip(TEXT_MARKDOWN, CLEAN, 5000);
}

/* ---- overlaps: html covers the same units with the same kinds, in more pieces ---- */

static void overlaps_keep_their_cover(void **state)
{
    (void)state;
    enum { UNITS = 24, TYPES = 5 };
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    struct arena a;
    arena_init(&a, 0);
    for (int round = 0; round < 3000; round++) {
        struct entity list[6];
        uint8_t wanted[UNITS] = {0}, got[UNITS] = {0};
        for (size_t i = 0; i < 6; i++) {
            uint32_t from = (uint32_t)rng_below(&rng, UNITS);
            uint32_t length = 1 + (uint32_t)rng_below(&rng, UNITS - from);
            uint32_t type = (uint32_t)rng_below(&rng, TYPES);
            list[i] = (struct entity){.type = ENTITY_BOLD + type, .offset = from, .length = length};
            for (uint32_t u = from; u < from + length; u++)
                wanted[u] |= (uint8_t)(1u << type);
        }
        entities_sort(list, 6);
        struct formatted_text t = {slice_str("abcdefghijklmnopqrstuvwx"), list, 6}, back;
        struct text_error error;
        struct buf html;
        buf_init(&html, 0);
        text_unparse(TEXT_HTML, &t, &a, &html);
        assert_true(text_parse(TEXT_HTML, buf_slice(&html), &a, &back, &error));
        for (size_t i = 0; i < back.n_entities; i++)
            for (uint32_t u = 0; u < back.entities[i].length; u++)
                got[back.entities[i].offset + u] |=
                    (uint8_t)(1u << (back.entities[i].type - ENTITY_BOLD));
        assert_true(slice_eq(back.text, t.text));
        assert_memory_equal(got, wanted, UNITS);
        buf_free(&html);
        arena_reset(&a);
    }
    arena_free(&a);
}

/* ---- noise ---- */

static void check_bounds(const struct formatted_text *t)
{
    size_t units = utf16_length(t->text);
    assert_true(slice_is_utf8(t->text));
    for (size_t i = 0; i < t->n_entities; i++) {
        assert_true(t->entities[i].length > 0);
        assert_true((size_t)t->entities[i].offset + t->entities[i].length <= units);
    }
}

static void noise_stays_in_bounds(void **state)
{
    (void)state;
    static const char *const bits[] = {"<",    ">",        "</",       "b",      "a",
                                       "pre",  "code",     "tg-emoji", " href=", "\"",
                                       "'",    "=",        "&",        "#",      "x",
                                       ";",    "lt",       "**",       "`",      "[",
                                       "](",   ")",        " ",        "\u00a0", "\U0001f600",
                                       "\xff", "\xf0\x9f", "span",     "class",  "emoji-id=1",
                                       "/",    "\t",       "1114112"};
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    struct arena a;
    struct buf in, out;
    arena_init(&a, 0);
    buf_init(&in, 0);
    buf_init(&out, 0);
    for (int round = 0; round < 20000; round++) {
        for (uint64_t n = rng_below(&rng, 24); n > 0; n--)
            buf_append_str(&in, bits[rng_below(&rng, sizeof bits / sizeof *bits)]);
        for (int mode = TEXT_MARKDOWN; mode <= TEXT_NONE; mode++) {
            struct formatted_text t;
            struct text_error error;
            if (text_parse((enum text_mode)mode, buf_slice(&in), &a, &t, &error)) {
                check_bounds(&t);
                text_unparse((enum text_mode)rng_below(&rng, 3), &t, &a, &out);
                assert_true(slice_is_utf8(buf_slice(&out)));
            } else {
                assert_non_null(error.reason);
                assert_true(error.offset <= in.len);
            }
            buf_clear(&out);
        }
        buf_clear(&in);
        arena_reset(&a);
    }
    buf_free(&out);
    buf_free(&in);
    arena_free(&a);
}

/* ---- bounds ---- */

/* Texts that make a parser look ahead again and again, at full length: whoever is not linear here
 * never comes back (the fuzzer of text has a time limit for that, a test has none). */
static void hostile_texts_stay_in_bounds(void **state)
{
    (void)state;
    static const char *const units[] = {
        "[",       "[]",  "](",   "**a",    "`**y_**_`", "**y_**_", "_",   "<b>",
        "<b></b>", "&#1", "<a x", "<a b='", "[a](",      "~~`~~",   "***", "**_**__"};
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        struct arena a;
        struct buf in;
        arena_init(&a, 0);
        buf_init(&in, 0);
        while (in.len + strlen(units[u]) <= TEXT_BYTES_MAX)
            buf_append_str(&in, units[u]);
        for (int mode = TEXT_MARKDOWN; mode <= TEXT_HTML; mode++) {
            struct formatted_text t;
            struct text_error error;
            if (text_parse((enum text_mode)mode, buf_slice(&in), &a, &t, &error))
                check_bounds(&t);
            else
                assert_true(error.offset <= in.len);
        }
        buf_free(&in);
        arena_free(&a);
    }
}

static void too_much_is_refused(void **state)
{
    (void)state;
    struct arena a;
    struct buf in;
    struct formatted_text t;
    struct text_error error;
    arena_init(&a, 0);
    buf_init(&in, 0);
    for (int i = 0; i <= TEXT_ENTITIES_MAX; i++)
        buf_append_str(&in, "<b>x</b>`y`");
    assert_false(text_parse(TEXT_HTML, buf_slice(&in), &a, &t, &error));
    assert_string_equal(error.reason, "the text has more than 256 entities");
    assert_false(text_parse(TEXT_MARKDOWN, buf_slice(&in), &a, &t, &error));
    assert_string_equal(error.reason, "the text has more than 256 entities");
    buf_clear(&in);
    for (int i = 0; i <= TEXT_NESTING_MAX; i++)
        buf_append_str(&in, "<b>");
    assert_false(text_parse(TEXT_HTML, buf_slice(&in), &a, &t, &error));
    assert_string_equal(error.reason, "tags nest more than 64 deep");
    buf_clear(&in);
    while (in.len <= TEXT_BYTES_MAX)
        buf_append_byte(&in, 'x');
    assert_false(text_parse(TEXT_NONE, buf_slice(&in), &a, &t, &error));
    assert_false(text_parse(TEXT_NONE, slice_str("\xc3"), &a, &t, &error));
    buf_free(&in);
    arena_free(&a);
}

static void modes_have_names(void **state)
{
    (void)state;
    enum text_mode mode;
    assert_true(text_mode_parse(slice_str("Markdown"), &mode) && mode == TEXT_MARKDOWN);
    assert_true(text_mode_parse(slice_str("HTML"), &mode) && mode == TEXT_HTML);
    assert_true(text_mode_parse(slice_str("none"), &mode) && mode == TEXT_NONE);
    assert_false(text_mode_parse(slice_str("MarkdownV2"), &mode));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markdown_agrees_with_telethon),
        cmocka_unit_test(html_agrees_with_the_vectors),
        cmocka_unit_test(html_says_everything_exactly),
        cmocka_unit_test(markdown_says_its_part_exactly),
        cmocka_unit_test(overlaps_keep_their_cover),
        cmocka_unit_test(noise_stays_in_bounds),
        cmocka_unit_test(hostile_texts_stay_in_bounds),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(modes_have_names),
    };
    return cmocka_run_group_tests_name("telegram text", tests, NULL, NULL);
}
