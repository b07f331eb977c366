/* SPDX-License-Identifier: MIT
 * Test vectors: text files of records, parted by blank lines, of lines `name = value`; # starts a
 * comment. */
#ifndef TGREST_TESTS_VECTORS_H
#define TGREST_TESTS_VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { VECTOR_FIELDS_MAX = 64 };

struct vectors {
    FILE *file;
    char *line;
    size_t line_cap;
    size_t n;
    char *names[VECTOR_FIELDS_MAX];
    char *texts[VECTOR_FIELDS_MAX];
    uint8_t *bytes[VECTOR_FIELDS_MAX]; /* of the texts that were asked for as hex */
};

/* A missing file fails the test. */
static inline void vectors_open(struct vectors *v, const char *path)
{
    *v = (struct vectors){.file = fopen(path, "r")};
    if (!v->file)
        fail_msg("cannot open %s (tests run from the repository root)", path);
}

static inline void vectors_forget_record(struct vectors *v)
{
    for (size_t i = 0; i < v->n; i++) {
        free(v->names[i]);
        free(v->texts[i]);
        free(v->bytes[i]);
        v->bytes[i] = NULL;
    }
    v->n = 0;
}

static inline void vectors_close(struct vectors *v)
{
    vectors_forget_record(v);
    free(v->line);
    fclose(v->file);
}

/* The next record; false at the end. */
static inline bool vectors_next(struct vectors *v)
{
    ssize_t len;
    vectors_forget_record(v);
    while ((len = getline(&v->line, &v->line_cap, v->file)) >= 0) {
        if (v->line[0] == '#')
            continue;
        if (len > 0 && v->line[len - 1] == '\n')
            v->line[len - 1] = '\0';
        char *equals = strstr(v->line, " =");
        if (!equals && v->n > 0)
            return true;
        if (!equals)
            continue;
        assert_true(v->n < VECTOR_FIELDS_MAX);
        v->names[v->n] = strndup(v->line, (size_t)(equals - v->line));
        v->texts[v->n] = strdup(equals[2] ? equals + 3 : "");
        v->n++;
    }
    return v->n > 0;
}

static inline size_t vectors_index(const struct vectors *v, const char *name)
{
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->names[i], name) == 0)
            return i;
    fail_msg("the record has no %s", name);
    return 0;
}

/* The value as it stands; good until the next record. */
static inline const char *vectors_text(const struct vectors *v, const char *name)
{
    return v->texts[vectors_index(v, name)];
}

/* The value read as hex; good until the next record. */
static inline struct slice vectors_hex(struct vectors *v, const char *name)
{
    size_t at = vectors_index(v, name);
    size_t len = strlen(v->texts[at]) / 2;
    if (!v->bytes[at]) {
        v->bytes[at] = malloc(len + 1);
        for (size_t i = 0; i < len; i++) {
            unsigned byte = 0;
            if (sscanf(v->texts[at] + 2 * i, "%2x", &byte) != 1)
                fail_msg("%s is not hex", name);
            v->bytes[at][i] = (uint8_t)byte;
        }
    }
    return slice_of(v->bytes[at], len);
}

static inline void assert_bytes(struct slice got, struct slice expected)
{
    assert_int_equal(got.len, expected.len);
    if (got.len)
        assert_memory_equal(got.data, expected.data, got.len);
}

/* Randomised tests: the seed is printed, and TGREST_TEST_SEED sets it. */
static inline uint64_t test_seed(void)
{
    const char *text = getenv("TGREST_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : 20240209;
    print_message("TGREST_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

#endif
