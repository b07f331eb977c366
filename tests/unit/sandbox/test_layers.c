/* SPDX-License-Identifier: MIT
 * Which schema a client is served, and where its layer is read. */
#include "client.h"

#include <stdio.h>

#include "sandbox/layers.h"

static bool add(struct layers *l, int layer, char *error)
{
    char text[128];
    snprintf(text, sizeof text,
             "// LAYER %d\nboolFalse#bc799737 = Bool;\nboolTrue#997275b5 = Bool;\n", layer);
    return layers_add(l, slice_str(text), error, 256);
}

static void the_nearest_older_layer_serves(void **state)
{
    (void)state;
    struct layers l = {.n = 0};
    char error[256] = "";
    static const int layers[] = {216, 228, 204};
    static const struct {
        int32_t named, served;
    } cases[] = {{204, 204}, {216, 216},       {228, 228}, {217, 216}, {227, 216},
                 {229, 228}, {INT32_MAX, 228}, {203, 204}, {1, 204}};
    for (size_t i = 0; i < 3; i++)
        assert_true(add(&l, layers[i], error));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(tl_schema_layer(layers_pick(&l, cases[i].named)), cases[i].served);
    assert_int_equal(tl_schema_layer(layers_newest(&l)), 228);
    assert_false(add(&l, 216, error));
    assert_string_equal(error, "a second schema of layer 216");
    layers_free(&l);
}

static void there_is_an_end_to_layers(void **state)
{
    (void)state;
    struct layers l = {.n = 0};
    char error[256] = "";
    for (int i = LAYERS_MAX; i > 0; i--)
        assert_true(add(&l, i, error));
    assert_false(add(&l, LAYERS_MAX + 1, error));
    assert_non_null(strstr(error, "more than"));
    for (int i = 1; i <= LAYERS_MAX; i++)
        assert_int_equal(tl_schema_layer(layers_pick(&l, i)), i);
    layers_free(&l);
}

static void the_layer_is_read_through_what_stands_around_it(void **state)
{
    (void)state;
    struct layers l = {.n = 0};
    char error[256] = "";
    assert_true(layers_add(&l, tl_embedded_api(), error, sizeof error));
    const struct tl_schema *schema = layers_newest(&l);
    struct buf b;
    buf_init(&b, 0);
    tl_write_u32(&b, 0xbf9459b7); /* invokeWithoutUpdates */
    tl_write_u32(&b, 0xcb9f372d); /* invokeAfterMsg */
    tl_write_i64(&b, 5);
    tl_write_u32(&b, 0xda9b0d0d); /* invokeWithLayer */
    tl_write_i32(&b, 216);
    assert_int_equal(call_layer(schema, buf_slice(&b)), 216);
    assert_int_equal(call_layer(schema, slice_of(b.data + 4, b.len - 4)), 216);
    assert_int_equal(call_layer(schema, slice_of(b.data + 16, b.len - 16)), 216);
    for (size_t len = 0; len < b.len; len++) /* cut short it names none */
        assert_int_equal(call_layer(schema, slice_of(b.data, len)), 0);
    buf_clear(&b);
    tl_write_u32(&b, 0xc4f9186b); /* help.getConfig */
    tl_write_u32(&b, 0xda9b0d0d);
    tl_write_i32(&b, 216);
    assert_int_equal(call_layer(schema, buf_slice(&b)), 0);
    buf_free(&b);
    layers_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_older_layer_serves),
        cmocka_unit_test(there_is_an_end_to_layers),
        cmocka_unit_test(the_layer_is_read_through_what_stands_around_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
