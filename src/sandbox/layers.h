/* SPDX-License-Identifier: MIT
 * The schemas that a sandbox serves side by side, one a layer; all connections of a layer share
 * one. */
#ifndef TGREST_SANDBOX_LAYERS_H
#define TGREST_SANDBOX_LAYERS_H

#include "tl/schema.h"

enum { LAYERS_MAX = 16 }; /* a few MB each; clients in use are of fewer ages */

struct layers {
    struct tl_schema *list[LAYERS_MAX]; /* the oldest first; owned */
    size_t n;
};

/* Parses a schema's text and binds sandbox_names. False with `error` (at least 256 bytes): it
 * cannot be read, its layer is there already, or LAYERS_MAX are. A text that names no layer counts
 * as the oldest. */
bool layers_add(struct layers *l, struct slice text, char *error, size_t error_size);
void layers_free(struct layers *l);

/* The schema of that layer; without it the nearest older one; without that the oldest. */
const struct tl_schema *layers_pick(const struct layers *l, int32_t layer);
const struct tl_schema *layers_newest(const struct layers *l);
/* As the newest layer that has it writes it; NULL where none does. */
const struct tl_combinator *layers_find(const struct layers *l, uint16_t symbol);

#endif
