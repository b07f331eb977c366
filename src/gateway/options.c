/* SPDX-License-Identifier: MIT */
#include "gateway/options.h"

#include <sodium.h>
#include <stdlib.h>

#define AT(member) offsetof(struct options, member)

const struct option_spec gateway_options[] = {
    {"--listen", "ADDR:PORT", "TGREST_LISTEN", OPTION_LIST, AT(listen), 0, 0,
     "where to serve HTTP; port 0 takes a free one; repeatable (127.0.0.1:8000)"},
    {"--dc", "N=HOST:PORT", "TGREST_DC", OPTION_LIST, AT(dcs), 0, 0,
     "address of data centre N, in place of the built-in table; repeatable"},
    {"--dc-key", "FILE", "TGREST_DC_KEY", OPTION_LIST, AT(dc_keys), 0, 0,
     "PEM file of a data centre's RSA key, in place of the built-in ones; repeatable"},
    {NULL, NULL, "TGREST_DC_KEY_PEM", OPTION_TEXT, AT(dc_key_pem), 0, 0,
     "such keys as PEM text, in place of files"},
    {"--test-dc", NULL, "TGREST_TEST_DC", OPTION_FLAG, AT(test_dc), 0, 0,
     "use Telegram's test data centres"},
    {"--proxy", "URL", "TGREST_PROXY", OPTION_SECRET, AT(proxy), 0, 0,
     "way to Telegram: socks5://[USER:PASSWORD@]HOST:PORT, http://… (CONNECT) or "
     "mtproxy://HOST:PORT/SECRET"},
    {"--schema", "FILE", "TGREST_SCHEMA", OPTION_TEXT, AT(schema), 0, 0,
     "TL schema in place of the embedded one"},
    {"--key-file", "FILE", "TGREST_KEY_FILE", OPTION_TEXT, AT(key_file), 0, 0,
     "keys that seal sessions; made on the first start (tgrest.key)"},
    {NULL, NULL, "TGREST_KEY", OPTION_TEXT, AT(key_text), 0, 0,
     "the sealing keys themselves, in place of a file"},
    {"--workers", "N", "TGREST_WORKERS", OPTION_INT, AT(workers), 0, 256,
     "threads; 0 is one per core (0)"},
    {"--warm", "SECONDS|off", "TGREST_WARM", OPTION_SECONDS_OR_OFF, AT(warm_s), 1, 86400,
     "how long an unused connection to Telegram is kept; off closes it before the answer (300)"},
    {"--warm-max", "N", "TGREST_WARM_MAX", OPTION_INT, AT(warm_max), 1, 1000000,
     "connections to Telegram at once (20000)"},
    {"--timeout", "SECONDS", "TGREST_TIMEOUT", OPTION_INT, AT(timeout_s), 1, 3600,
     "time a call may take, waits that the client asked for not counted (30)"},
    {"--silence", "SECONDS", "TGREST_SILENCE", OPTION_INT, AT(silence_s), 1, 3600,
     "while calls wait, time without a word from Telegram before its connection is made anew (10)"},
    {"--max-connections", "N", "TGREST_MAX_CONNECTIONS", OPTION_INT, AT(connections_max), 1,
     1000000, "HTTP connections at once (20000)"},
    {"--max-calls", "N", "TGREST_MAX_CALLS", OPTION_INT, AT(calls_max), 1, 1000000,
     "calls at once (10000)"},
    {"--max-body", "BYTES", "TGREST_MAX_BODY", OPTION_INT, AT(body_bytes_max), 1024, 1 << 30,
     "size of a request's body (1048576)"},
    {"--log-level", "LEVEL", "TGREST_LOG_LEVEL", OPTION_LOG_LEVEL, AT(log_level), 0, 0,
     "debug, info, warn, error or off (info)"},
    {"--log-format", "FORMAT", "TGREST_LOG_FORMAT", OPTION_LOG_FORMAT, AT(log_format), 0, 0,
     "text or json (text)"},
};
const size_t gateway_options_count = sizeof gateway_options / sizeof *gateway_options;

void options_defaults(struct options *o)
{
    *o = (struct options){
        .warm_s = 300,
        .warm_max = 20000,
        .timeout_s = 30,
        .silence_s = 10,
        .connections_max = 20000,
        .calls_max = 10000,
        .body_bytes_max = 1 << 20,
        .log_level = LOG_INFO,
        .log_format = LOG_TEXT,
    };
}

static void wipe_text(char **text)
{
    if (*text)
        sodium_memzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

static void list_clear(struct option_list *list)
{
    while (list->n > 0)
        free(list->items[--list->n]);
}

static bool list_add(struct option_list *list, struct slice value)
{
    if (list->n == OPTION_LIST_MAX)
        return false;
    char *copy = strndup((const char *)value.data, value.len);
    if (!copy)
        return false;
    list->items[list->n++] = copy;
    return true;
}

static bool list_add_all(struct option_list *list, struct slice text)
{
    while (text.len > 0) {
        const uint8_t *comma = memchr(text.data, ',', text.len);
        size_t len = comma ? (size_t)(comma - text.data) : text.len;
        if (len > 0 && !list_add(list, slice_of(text.data, len)))
            return false;
        size_t used = comma ? len + 1 : len;
        text = slice_of(text.data + used, text.len - used);
    }
    return true;
}

static bool set_flag(bool *flag, struct slice value)
{
    *flag = slice_is(value, "1") || slice_is_nocase(value, "true") || slice_is_nocase(value, "on");
    return *flag || slice_is(value, "0") || slice_is_nocase(value, "false") ||
           slice_is_nocase(value, "off");
}

static bool set_int(const struct option_spec *spec, int64_t *out, struct slice value)
{
    if (spec->kind == OPTION_SECONDS_OR_OFF && slice_is(value, "off")) {
        *out = OPTION_OFF;
        return true;
    }
    int64_t number;
    if (!slice_to_i64(value, &number) || number < spec->min || number > spec->max)
        return false;
    *out = number;
    return true;
}

static bool set_format(enum log_format *format, struct slice value)
{
    *format = slice_is(value, "json") ? LOG_JSON : LOG_TEXT;
    return *format == LOG_JSON || slice_is(value, "text");
}

/* `value` is NUL-terminated. */
static bool set_value(const struct option_spec *spec, void *target, const char *value,
                      bool from_env)
{
    void *member = (char *)target + spec->offset;
    struct slice text = slice_str(value);
    switch (spec->kind) {
    case OPTION_FLAG:
        return set_flag(member, text);
    case OPTION_TEXT:
    case OPTION_SECRET:
        wipe_text(member);
        *(char **)member = strdup(value);
        return *(char **)member != NULL;
    case OPTION_LIST:
        return from_env ? list_add_all(member, text) : list_add(member, text);
    case OPTION_INT:
    case OPTION_SECONDS_OR_OFF:
        return set_int(spec, member, text);
    case OPTION_LOG_LEVEL:
        return log_level_parse(value, member);
    case OPTION_LOG_FORMAT:
        return set_format(member, text);
    }
    return false;
}

static bool refuse_value(const struct option_spec *spec, const char *value, char *error)
{
    const char *name = spec->name ? spec->name : spec->env;
    if (spec->kind == OPTION_INT || spec->kind == OPTION_SECONDS_OR_OFF)
        snprintf(error, OPTION_ERROR_BYTES, "%s wants %s%lld to %lld, not '%s'", name,
                 spec->kind == OPTION_INT ? "" : "off or ", (long long)spec->min,
                 (long long)spec->max, value);
    else if (!spec->name)
        snprintf(error, OPTION_ERROR_BYTES, "%s is not valid", name);
    else
        snprintf(error, OPTION_ERROR_BYTES, "%s does not take '%s'", name, value);
    return false;
}

static bool read_environment(const struct option_spec *specs, size_t n, void *target,
                             char *(*getenv_fn)(const char *), char *error)
{
    for (size_t i = 0; i < n; i++) {
        const char *value = specs[i].env ? getenv_fn(specs[i].env) : NULL;
        if (value && *value && !set_value(&specs[i], target, value, true))
            return refuse_value(&specs[i], value, error);
    }
    return true;
}

static const struct option_spec *find_option(const struct option_spec *specs, size_t n,
                                             struct slice name)
{
    for (size_t i = 0; i < n; i++) {
        if (specs[i].name && slice_is(name, specs[i].name))
            return &specs[i];
    }
    return NULL;
}

/* The first mention on the command line drops what the environment said. */
static void replace_list(const struct option_spec *spec, size_t index, uint64_t *seen, void *target)
{
    uint64_t bit = UINT64_C(1) << index;
    if (spec->kind == OPTION_LIST && !(*seen & bit))
        list_clear((struct option_list *)(void *)((char *)target + spec->offset));
    *seen |= bit;
}

bool options_parse(const struct option_spec *specs, size_t n, void *target, int argc, char **argv,
                   char *(*getenv_fn)(const char *name), char *error)
{
    uint64_t seen = 0; /* tables are far shorter than 64 */
    if (!read_environment(specs, n, target, getenv_fn, error))
        return false;
    for (int i = 1; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        size_t name_len = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        const struct option_spec *spec = find_option(specs, n, slice_of(argv[i], name_len));
        if (!spec) {
            /* What is no option may be a secret that was pasted in the wrong place. */
            if (argv[i][0] == '-')
                snprintf(error, OPTION_ERROR_BYTES, "unknown option '%.*s'", (int)name_len,
                         argv[i]);
            else
                snprintf(error, OPTION_ERROR_BYTES, "argument %d is no option; see --help", i);
            return false;
        }
        const char *value = equals ? equals + 1 : "1";
        if (!equals && spec->kind != OPTION_FLAG) {
            if (i + 1 == argc) {
                snprintf(error, OPTION_ERROR_BYTES, "%s wants a value: %s", spec->name,
                         spec->value);
                return false;
            }
            value = argv[++i];
        }
        replace_list(spec, (size_t)(spec - specs), &seen, target);
        if (!set_value(spec, target, value, false))
            return refuse_value(spec, value, error);
        if (spec->kind == OPTION_SECRET) /* anybody on the machine can read it there */
            sodium_memzero((char *)(uintptr_t)value, strlen(value));
    }
    return true;
}

void options_usage(const struct option_spec *specs, size_t n, FILE *out)
{
    for (size_t i = 0; i < n; i++) {
        char left[48];
        snprintf(left, sizeof left, "%s%s%s", specs[i].name ? specs[i].name : "(environment only)",
                 specs[i].value ? " " : "", specs[i].value ? specs[i].value : "");
        fprintf(out, "  %-26s %s", left, specs[i].help);
        if (specs[i].env)
            fprintf(out, " [%s]", specs[i].env);
        fputc('\n', out);
    }
}

void options_release(const struct option_spec *specs, size_t n, void *target)
{
    for (size_t i = 0; i < n; i++) {
        void *member = (char *)target + specs[i].offset;
        if (specs[i].kind == OPTION_TEXT || specs[i].kind == OPTION_SECRET)
            wipe_text(member);
        if (specs[i].kind == OPTION_LIST)
            list_clear(member);
    }
}
