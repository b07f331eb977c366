/* SPDX-License-Identifier: MIT
 * Command line and environment, read by one table of options that also prints the help. */
#ifndef TGREST_GATEWAY_OPTIONS_H
#define TGREST_GATEWAY_OPTIONS_H

#include <stdio.h>

#include "base/log.h"

enum {
    OPTION_LIST_MAX = 32, /* values of one repeatable option */
    OPTION_ERROR_BYTES = 256,
    OPTION_OFF = -1, /* what OPTION_SECONDS_OR_OFF gives for "off" */
};

/* Values of a repeatable option, owned. */
struct option_list {
    char *items[OPTION_LIST_MAX];
    size_t n;
};

enum option_kind {
    OPTION_FLAG,           /* bool */
    OPTION_TEXT,           /* char *, owned */
    OPTION_SECRET,         /* the same; what stood of it in argv is overwritten */
    OPTION_LIST,           /* struct option_list; in the environment separated by commas */
    OPTION_INT,            /* int64_t, within min and max */
    OPTION_SECONDS_OR_OFF, /* int64_t or OPTION_OFF */
    OPTION_LOG_LEVEL,      /* enum log_level */
    OPTION_LOG_FORMAT,     /* enum log_format */
};

struct option_spec {
    const char
        *name; /* "--listen"; NULL: only from the environment (secrets never stand in argv) */
    const char *value; /* "ADDR:PORT", for the help; NULL for flags */
    const char *env;   /* "TGREST_LISTEN" */
    enum option_kind kind;
    size_t offset;    /* of the member in the target struct */
    int64_t min, max; /* OPTION_INT, OPTION_SECONDS_OR_OFF */
    const char *help;
};

/* Fills `target` (its defaults already set) from the environment, then from argv[1..], which wins:
 * an option list given there replaces the environment's. "--name value" and "--name=value". False
 * with `error` filled in (OPTION_ERROR_BYTES). `getenv_fn` is getenv outside of tests. */
bool options_parse(const struct option_spec *specs, size_t n, void *target, int argc, char **argv,
                   char *(*getenv_fn)(const char *name), char *error);
void options_usage(const struct option_spec *specs, size_t n, FILE *out);
/* Frees (and wipes) texts and lists. */
void options_release(const struct option_spec *specs, size_t n, void *target);

/* What the gateway itself is told. */
struct options {
    struct option_list listen;
    struct option_list dcs;     /* N=HOST:PORT */
    struct option_list dc_keys; /* PEM files */
    char *dc_key_pem;           /* such keys as text, from the environment; wins over the files */
    bool test_dc;
    char *proxy;      /* URL; NULL = none */
    char *schema;     /* file; NULL = the embedded one */
    char *key_file;   /* sealing keys; NULL = tgrest.key */
    char *key_text;   /* the keys themselves, from the environment; wins over the file */
    int64_t workers;  /* 0 = one per core */
    int64_t warm_s;   /* OPTION_OFF = close after each answer */
    int64_t warm_max; /* upstream connections at once, whole process */
    int64_t timeout_s;
    int64_t silence_s;       /* of Telegram, while calls wait: then the connection is made anew */
    int64_t connections_max; /* HTTP, whole process */
    int64_t calls_max;       /* calls at once, whole process */
    int64_t body_bytes_max;
    enum log_level log_level;
    enum log_format log_format;
};

extern const struct option_spec gateway_options[];
extern const size_t gateway_options_count;
void options_defaults(struct options *o);

#endif
