/* SPDX-License-Identifier: MIT
 * What a schema is made of; for schema*.c only. */
#ifndef TGREST_TL_SCHEMA_PRIVATE_H
#define TGREST_TL_SCHEMA_PRIVATE_H

#include "base/arena.h"
#include "tl/name_table.h"
#include "tl/schema.h"

struct id_slot {
    uint32_t id;
    uint32_t index; /* of the combinator, plus 1; 0 = free */
};

struct tl_schema {
    struct arena arena; /* everything below lives here */
    int layer;
    struct tl_combinator *combinators;
    size_t n_combinators;
    struct tl_class *classes;
    size_t n_classes;
    struct id_slot *by_id; /* open addressing */
    uint32_t by_id_mask;
    struct name_table by_name;
    struct name_table classes_by_name;
    const struct tl_combinator **bound; /* by symbol */
    size_t n_bound;
};

/* CRC32 of a combinator's line in its canonical form, which is what ids are made of. */
uint32_t tl_line_crc(struct slice line, struct buf *scratch);

#endif
