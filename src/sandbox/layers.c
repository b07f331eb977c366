/* SPDX-License-Identifier: MIT
 * Schemas of several layers. */
#include "sandbox/layers.h"

#include <stdio.h>

#include "sandbox/names.h"

/* How many are older. */
static size_t place_of(const struct layers *l, int layer)
{
    size_t i = 0;
    while (i < l->n && tl_schema_layer(l->list[i]) < layer)
        i++;
    return i;
}

bool layers_add(struct layers *l, struct slice text, char *error, size_t error_size)
{
    if (l->n == LAYERS_MAX) {
        snprintf(error, error_size, "more than %d schemas", LAYERS_MAX);
        return false;
    }
    struct tl_schema *schema = tl_schema_parse(text, error, error_size);
    if (!schema)
        return false;
    int layer = tl_schema_layer(schema);
    size_t at = place_of(l, layer);
    if (at < l->n && tl_schema_layer(l->list[at]) == layer) {
        snprintf(error, error_size, "a second schema of layer %d", layer);
        tl_schema_free(schema);
        return false;
    }
    tl_schema_bind(schema, &sandbox_names);
    memmove(&l->list[at + 1], &l->list[at], (l->n - at) * sizeof *l->list);
    l->list[at] = schema;
    l->n++;
    return true;
}

void layers_free(struct layers *l)
{
    for (size_t i = 0; i < l->n; i++)
        tl_schema_free(l->list[i]);
    l->n = 0;
}

const struct tl_schema *layers_pick(const struct layers *l, int32_t layer)
{
    size_t at = place_of(l, layer);
    bool exact = at < l->n && tl_schema_layer(l->list[at]) == layer;
    return l->list[exact || at == 0 ? at : at - 1];
}

const struct tl_schema *layers_newest(const struct layers *l)
{
    return l->list[l->n - 1];
}

const struct tl_combinator *layers_find(const struct layers *l, uint16_t symbol)
{
    for (size_t i = l->n; i-- > 0;) {
        const struct tl_combinator *c = tl_schema_bound(l->list[i], symbol);
        if (c)
            return c;
    }
    return NULL;
}
