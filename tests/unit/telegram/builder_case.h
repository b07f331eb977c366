/* SPDX-License-Identifier: MIT
 * The schema once for all tests of a file; an arena and a builder for each. */
#ifndef TGREST_TEST_BUILDER_CASE_H
#define TGREST_TEST_BUILDER_CASE_H

#include "telegram/schema_case.h"

static const struct tl_schema *schema;
static struct arena arena;
static struct tl_builder builder;

/* Of each test, within a group set up by schema_setup. */
static int builder_setup(void **state)
{
    schema = *state;
    arena_init(&arena, 0);
    builder = tl_builder_of(schema, &arena);
    return 0;
}

static int builder_teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

#endif
