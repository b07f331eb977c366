/* SPDX-License-Identifier: MIT */
#include "random_tree.h"

#define COMBINATORS(X) X(messages_sendMessage) X(inputPeerSelf) X(resPQ) X(nothing_like_this)
#define FIELDS(X)      X(peer) X(random_id) X(flags) X(no_such_field)

#define C_ENUM(name) C_##name,
#define F_ENUM(name) F_##name,
#define TEXT(name)   #name,
enum { COMBINATORS(C_ENUM) C_COUNT };
enum { FIELDS(F_ENUM) F_COUNT };
static const char *const combinator_names[] = {COMBINATORS(TEXT)};
static const char *const field_names[] = {FIELDS(TEXT)};
static const struct tl_names names = {combinator_names, C_COUNT, field_names, F_COUNT, NULL, 0};

static size_t count_methods(const struct tl_schema *s)
{
    size_t n = 0;
    for (size_t i = 0; i < tl_schema_count(s); i++)
        n += tl_schema_at(s, i)->is_method;
    return n;
}

static void test_embedded_schemas(void **state)
{
    (void)state;
    struct tl_schema *api = schema_of(tl_embedded_api());
    struct tl_schema *mtproto = schema_of(tl_embedded_mtproto());
    assert_int_equal(tl_schema_layer(api), 228);
    assert_int_equal(count_methods(api), 807);
    assert_int_equal(tl_schema_by_id(api, 0xda9b0d0d)->n_fields, 2);     /* invokeWithLayer */
    assert_int_equal(tl_schema_by_id(mtproto, 0x83c95aec)->n_fields, 6); /* p_q_inner_data */
    /* Two messages, two namespaces. */
    assert_int_equal(tl_schema_by_name(mtproto, slice_str("message"))->id, 0x5bb8e511);
    assert_true(tl_schema_by_name(api, slice_str("message"))->n_fields > 30);
    assert_null(tl_schema_by_id(mtproto, 0xda9b0d0d));
    tl_schema_free(api);
    tl_schema_free(mtproto);
}

static void test_every_combinator_is_found_by_id_and_name(void **state)
{
    (void)state;
    struct tl_schema *s = schema_of(tl_embedded_api());
    for (size_t i = 0; i < tl_schema_count(s); i++) {
        const struct tl_combinator *c = tl_schema_at(s, i);
        assert_ptr_equal(tl_schema_by_id(s, c->id), c);
        assert_ptr_equal(tl_schema_by_name(s, slice_str(c->name)), c);
    }
    assert_null(tl_schema_by_id(s, 0xdeadbeef));
    assert_null(tl_schema_by_name(s, slice_str("messages.sendmessage")));
    assert_null(tl_schema_at(s, tl_schema_count(s)));
    tl_schema_free(s);
}

static size_t count_hand_set_ids(const struct tl_schema *s)
{
    size_t n = 0;
    for (size_t i = 0; i < tl_schema_count(s); i++)
        n += tl_schema_at(s, i)->id_differs;
    return n;
}

static void test_ids_are_the_crc_of_their_line(void **state)
{
    (void)state;
    struct tl_schema *api = schema_of(tl_embedded_api());
    struct tl_schema *mtproto = schema_of(tl_embedded_mtproto());
    struct slice text = file_bytes("schema/layers/api-216.tl");
    struct tl_schema *layer_216 = schema_of(text);
    assert_int_equal(count_hand_set_ids(api), 0);
    assert_int_equal(count_hand_set_ids(mtproto), 0);
    assert_int_equal(tl_schema_layer(layer_216), 216);
    assert_int_equal(count_hand_set_ids(layer_216), 3);
    assert_true(tl_schema_by_name(layer_216, slice_str("ipPortSecret"))->id_differs);
    assert_true(tl_schema_by_name(layer_216, slice_str("accessPointRule"))->id_differs);
    assert_true(tl_schema_by_name(layer_216, slice_str("help.configSimple"))->id_differs);
    tl_schema_free(api);
    tl_schema_free(mtproto);
    tl_schema_free(layer_216);
    free((void *)(uintptr_t)text.data);
}

static void test_a_missing_id_is_computed(void **state)
{
    (void)state;
    struct tl_schema *s = schema_of(slice_str(
        "boolTrue = Bool;\nerror code:int text:string = Error;\n"
        "user flags:# a:flags.0?true = User;\nmistyped#00000001 code:long text:string = Wrong;\n"));
    assert_int_equal(tl_schema_by_name(s, slice_str("boolTrue"))->id, 0x997275b5);
    assert_int_equal(tl_schema_by_name(s, slice_str("error"))->id, 0xc4b9f9bb);
    tl_schema_free(s);
}

static void test_binding(void **state)
{
    (void)state;
    struct tl_schema *s = schema_of(tl_embedded_api());
    tl_schema_bind(s, &names);
    const struct tl_combinator *send = tl_schema_bound(s, C_messages_sendMessage);
    assert_string_equal(send->name, "messages.sendMessage");
    assert_int_equal(send->symbol, C_messages_sendMessage);
    assert_null(tl_schema_bound(s, C_nothing_like_this));
    assert_null(tl_schema_bound(s, C_resPQ));
    assert_null(tl_schema_bound(s, TL_NO_SYMBOL));
    int peer = tl_field_by_symbol(send, F_peer);
    assert_int_equal(peer, tl_field_by_name(send, slice_str("peer")));
    assert_string_equal(send->fields[peer].name, "peer");
    assert_int_equal(tl_field_by_symbol(send, F_no_such_field), -1);
    assert_int_equal(tl_field_by_symbol(send, TL_NO_SYMBOL), -1);
    assert_int_equal(send->fields[tl_field_by_name(send, slice_str("message"))].symbol,
                     TL_NO_SYMBOL);
    tl_schema_free(s);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every name of a field, once. */
static size_t all_field_names(const struct tl_schema *s, const char **out, size_t max)
{
    size_t n = 0, distinct = 0;
    for (size_t i = 0; i < tl_schema_count(s); i++) {
        const struct tl_combinator *c = tl_schema_at(s, i);
        for (size_t k = 0; k < c->n_fields && n < max; k++)
            out[n++] = c->fields[k].name;
    }
    assert_true(n < max);
    qsort(out, n, sizeof *out, compare_names);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(out[i], out[i - 1]) != 0)
            out[distinct++] = out[i];
    return distinct;
}

static void test_fields_by_symbol_with_every_name_bound(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    static const char *every[MANY];
    static int want[MANY];
    struct tl_schema *s = schema_of(tl_embedded_api());
    size_t n = all_field_names(s, every, MANY);
    assert_true(n > 500 && n < TL_NO_SYMBOL);
    tl_schema_bind(s, &(struct tl_names){combinator_names, C_COUNT, every, n, NULL, 0});
    for (size_t i = 0; i < tl_schema_count(s); i++) {
        const struct tl_combinator *c = tl_schema_at(s, i);
        for (size_t k = 0; k < n; k++)
            want[k] = -1;
        for (int k = c->n_fields - 1; k >= 0; k--)
            want[c->fields[k].symbol] = k;
        for (size_t k = 0; k < n; k++)
            if (tl_field_by_symbol(c, (uint16_t)k) != want[k])
                fail_msg("%s.%s", c->name, every[k]);
    }
    tl_schema_free(s);
}

static void assert_type(const struct tl_schema *s, const struct tl_type *t, const char *expected)
{
    struct buf text;
    buf_init(&text, 0);
    tl_type_text(s, t, &text);
    assert_bytes(buf_slice(&text), slice_str(expected));
    buf_free(&text);
}

static void test_types_of_every_form(void **state)
{
    (void)state;
    struct tl_schema *s = schema_of(slice_str(
        "// a comment\n/// LAYER 7\nint ? = Int;\nvector#1cb5c415 {t:Type} # [ t ] = Vector t;\n"
        "item a:int = Item;\nother\n  b:long\n  = Item; sole x:# y:x.31?Vector<%Sole> = Sole;\n"
        "all f:# a:f.0?true f2:# b:f2.3?Vector<Item> c:vector<item> d:%Sole e:Vector int "
        "g:Vector<Vector<double>> h:Bool i:Object j:%Vector<string> = All;\n"
        "---functions---\nget {X:Type} q:!X = X;\nlist n:int = Vector<Item>;\n---types---\nlast = "
        "Last;\n"));
    const struct tl_combinator *all = tl_schema_by_name(s, slice_str("all"));
    static const char *const types[] = {"#",
                                        "true",
                                        "#",
                                        "Vector<Item>",
                                        "vector<item>",
                                        "sole",
                                        "Vector<int>",
                                        "Vector<Vector<double>>",
                                        "Bool",
                                        "Object",
                                        "vector<string>"};
    assert_int_equal(tl_schema_layer(s), 7);
    assert_int_equal(all->n_fields, sizeof types / sizeof *types);
    for (size_t i = 0; i < all->n_fields; i++)
        assert_type(s, &all->fields[i].type, types[i]);
    assert_int_equal(all->fields[1].flags_field, 0);
    assert_int_equal(all->fields[3].flags_field, 2);
    assert_int_equal(all->fields[3].flags_bit, 3);
    assert_int_equal(tl_schema_by_name(s, slice_str("sole"))->fields[1].flags_bit, 31);
    const struct tl_combinator *get = tl_schema_by_name(s, slice_str("get"));
    assert_true(get->is_method);
    assert_type(s, &get->fields[0].type, "Object");
    assert_type(s, &get->result, "Object");
    assert_type(s, &tl_schema_by_name(s, slice_str("list"))->result, "Vector<Item>");
    assert_false(tl_schema_by_name(s, slice_str("last"))->is_method);
    const struct tl_class *item =
        tl_schema_class(s, tl_schema_by_name(s, slice_str("item"))->result.class_index);
    assert_int_equal(item->n_ctors, 2);
    assert_string_equal(item->ctors[1]->name, "other");
    tl_schema_free(s);
}

static void test_broken_schemas_say_where(void **state)
{
    (void)state;
    const struct {
        const char *text;
        const char *error;
    } cases[] = {
        {"a = A;\nb = B", "line 2: no ';'"},
        {"a = A;\n\nb x:int;\n", "line 3: no '='"},
        {"a#xyz = A;", "line 1: not an id"},
        {"a#123456789 = A;", "line 1: not an id"},
        {"a = A;\na = A;", "line 2: a name declared twice"},
        {"a#1 = A;\nb#1 = A;", "line 2: an id declared twice"},
        {"a x:Nothing = A;", "line 1: an unknown type: Nothing"},
        {"a x:%B = A; b = B; c = B;", "line 1: an unknown type: B"},
        {"a x:flags.0?int = A;", "line 1: a condition on no # field"},
        {"a flags:# x:flags.32?int = A;", "line 1: not a condition"},
        {"a flags:# x:flags?int = A;", "line 1: not a condition"},
        {"a f:# g:f.0?# = A;", "line 1: a # under a condition"},
        {"a x:Vector<# = A;", "line 1: a missing '>'"},
        {"a x:Vector<#> = A;", "line 1: a vector of #"},
        {"a x:Vector = A;", "line 1: "},
        {"a x = A;", "line 1: not a field"},
        {"a {X = A;", "line 1: not a type parameter"},
        {"= A;", "line 1: no name"},
        {"a = A B;", "line 1: an unknown type: A"},
        {"a x:Vector<Vector<Vector<Vector<Vector<Vector<Vector<Vector<Vector<Vector<int>>>>>>>>>> "
         "= A;",
         "line 1: a type nested too deep"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char error[256] = "";
        assert_null(tl_schema_parse(slice_str(cases[i].text), error, sizeof error));
        if (strncmp(error, cases[i].error, strlen(cases[i].error)) != 0)
            fail_msg("%s: %s", cases[i].text, error);
    }
}

/* Mutated schema text is a schema or an error, never a crash. */
static void test_mutated_schemas(void **state)
{
    (void)state;
    struct slice whole = tl_embedded_mtproto();
    uint8_t *text = malloc(whole.len);
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    for (int round = 0; round < 2000; round++) {
        memcpy(text, whole.data, whole.len);
        for (uint64_t n = 1 + rng_below(&rng, 3); n > 0; n--)
            text[rng_below(&rng, whole.len)] =
                (uint8_t) " ;=#<>{}%!?.:0aZ/-\n["[rng_below(&rng, 20)];
        char error[256];
        size_t len = rng_below(&rng, 2) ? whole.len : rng_below(&rng, whole.len);
        tl_schema_free(tl_schema_parse(slice_of(text, len), error, sizeof error));
    }
    free(text);
}

/* name, tab, code of each error; sorted, so that a look-up may search by halves. */
static void test_table_of_errors(void **state)
{
    (void)state;
    FILE *file = fopen("schema/errors.tsv", "r");
    char name[128], last[128] = "";
    int code, n = 0;
    assert_non_null(file);
    for (; fscanf(file, "%127[^\t]\t%d\n", name, &code) == 2; n++) {
        assert_true(strcmp(last, name) < 0);
        assert_true((code >= 300 && code <= 500) || code == -503);
        memcpy(last, name, sizeof last);
    }
    assert_true(feof(file));
    assert_int_equal(n, 824);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embedded_schemas),
        cmocka_unit_test(test_every_combinator_is_found_by_id_and_name),
        cmocka_unit_test(test_ids_are_the_crc_of_their_line),
        cmocka_unit_test(test_a_missing_id_is_computed),
        cmocka_unit_test(test_binding),
        cmocka_unit_test(test_fields_by_symbol_with_every_name_bound),
        cmocka_unit_test(test_types_of_every_form),
        cmocka_unit_test(test_broken_schemas_say_where),
        cmocka_unit_test(test_mutated_schemas),
        cmocka_unit_test(test_table_of_errors),
    };
    return cmocka_run_group_tests_name("tl schema", tests, NULL, NULL);
}
