/* SPDX-License-Identifier: MIT
 * `tgrest sandbox`: its options and its life as a process. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "sandbox/layers.h"
#include "sandbox/sandbox.h"

struct settings {
    struct sandbox_config config;
    const char *faults[SANDBOX_FAULTS_MAX];
    const char *schemas[LAYERS_MAX];
    const char *further[SANDBOX_FURTHER_MAX];
    bool help;
};

struct option {
    const char *name;     /* without -- */
    const char *variable; /* of the environment */
    const char *argument; /* NULL: takes none */
    const char *text;
    /* False when the value is not one. */
    bool (*apply)(struct settings *s, const char *value);
};

static bool set_listen(struct settings *s, const char *value)
{
    s->config.listen = value;
    return true;
}

static bool set_control(struct settings *s, const char *value)
{
    s->config.control = value;
    return true;
}

static bool set_dcs(struct settings *s, const char *value)
{
    int64_t n;
    if (!slice_to_i64(slice_str(value), &n) || n < 1 || n > SANDBOX_DCS_MAX)
        return false;
    s->config.dcs = (int32_t)n;
    return true;
}

static bool set_rsa_key(struct settings *s, const char *value)
{
    s->config.rsa_key_file = value;
    return true;
}

static bool set_rsa_out(struct settings *s, const char *value)
{
    s->config.rsa_public_out = value;
    return true;
}

static bool add_schema(struct settings *s, const char *value)
{
    if (s->config.n_schemas == LAYERS_MAX)
        return false;
    s->schemas[s->config.n_schemas++] = value;
    return true;
}

static bool set_seed(struct settings *s, const char *value)
{
    int64_t seed;
    if (!slice_to_i64(slice_str(value), &seed) || seed < 0)
        return false;
    s->config.seeded = true;
    s->config.seed = (uint64_t)seed;
    return true;
}

static bool add_fault(struct settings *s, const char *value)
{
    if (s->config.n_faults == SANDBOX_FAULTS_MAX)
        return false;
    s->faults[s->config.n_faults++] = value;
    return true;
}

static bool set_file_memory(struct settings *s, const char *value)
{
    enum { MIB = 1024 * 1024, MEMORY_MIB_MAX = 1024 * 1024 };
    int64_t n;
    if (!slice_to_i64(slice_str(value), &n) || n < 1 || n > MEMORY_MIB_MAX)
        return false;
    s->config.file_memory = (size_t)n * MIB;
    return true;
}

static bool add_further(struct settings *s, const char *value)
{
    if (s->config.n_further == SANDBOX_FURTHER_MAX)
        return false;
    s->further[s->config.n_further++] = value;
    return true;
}

static bool set_empty(struct settings *s, const char *value)
{
    s->config.empty_world = !value || strcmp(value, "0") != 0;
    return true;
}

static bool set_log_level(struct settings *s, const char *value)
{
    return log_level_parse(value, &s->config.log.level);
}

static bool set_log_format(struct settings *s, const char *value)
{
    s->config.log.format = strcmp(value, "json") == 0 ? LOG_JSON : LOG_TEXT;
    return strcmp(value, "json") == 0 || strcmp(value, "text") == 0;
}

static bool set_help(struct settings *s, const char *value)
{
    (void)value;
    s->help = true;
    return true;
}

static const struct option options[] = {
    {"listen", "TGREST_SANDBOX_LISTEN", "ADDR:PORT",
     "where the first data centre listens, the others on the ports after it; port 0: free ones "
     "(127.0.0.1:10443)",
     set_listen},
    {"listen-also", "TGREST_SANDBOX_LISTEN_ALSO", "WHERE",
     "a further address of a data centre, may be repeated: DC=ADDR:PORT[,media][,closed]; media: "
     "for files only; closed: told of in help.getConfig, but nothing listens there",
     add_further},
    {"dcs", "TGREST_SANDBOX_DCS", "N",
     "data centres, 1 to 5, numbered from 1; a single one is number 2 and answers to any (1)",
     set_dcs},
    {"rsa-key", "TGREST_SANDBOX_RSA_KEY", "FILE", "private RSA key, 2048 bits, PEM (a new one)",
     set_rsa_key},
    {"rsa-public-out", "TGREST_SANDBOX_RSA_PUBLIC_OUT", "FILE",
     "write the public key there, as PKCS#1 PEM, which every client library loads", set_rsa_out},
    {"schema", "TGREST_SANDBOX_SCHEMA", "FILE",
     "TL schema of the clients' layer, may be repeated: each connection is served the layer that "
     "it "
     "names, else the nearest older one (the embedded one alone)",
     add_schema},
    {"seed", "TGREST_SANDBOX_SEED", "N", "the same world, ids and codes again (random)", set_seed},
    {"fault", "TGREST_SANDBOX_FAULT", "RULE", "make requests fail, may be repeated; see below",
     add_fault},
    {"control", "TGREST_SANDBOX_CONTROL", "ADDR:PORT",
     "a port that takes commands, one a line; say help there (none)", set_control},
    {"file-memory", "TGREST_SANDBOX_FILE_MEMORY", "MIB",
     "memory for the bytes of files; equal parts of 512 KiB are held once, and past the bound "
     "those "
     "go first that no message shows (1024)",
     set_file_memory},
    {"empty", "TGREST_SANDBOX_EMPTY", NULL, "no demo users and chats", set_empty},
    {"log-level", "TGREST_SANDBOX_LOG_LEVEL", "LEVEL",
     "debug, info, warn, error or off; login codes are info (info)", set_log_level},
    {"log-format", "TGREST_SANDBOX_LOG_FORMAT", "FORMAT", "text or json (text)", set_log_format},
    {"help", NULL, NULL, "this text", set_help},
};
enum { OPTIONS_N = sizeof options / sizeof *options };

static const char *const rules_text =
    "\n"
    "Log in with any phone number: the code is in the log, and a new number signs up. 99966D####\n"
    "lives at data centre D (1 to 3) and its code is DDDDD.\n"
    "\n"
    "RULE = part[,part…]\n"
    "  method=GLOB phone=DIGITS user=ID dc=N   which requests: all that are given must match\n"
    "  after=N count=N p=0..1                  skip N, strike at most N times, by chance\n"
    "  do=error:CODE:TEXT | flood_wait:S | migrate:DC      answer with that error\n"
    "  do=delay:MS                                         execute it later\n"
    "  do=drop_before | reset | transport_error:404        close the connection instead\n"
    "  do=drop_after | lose_session                        execute it, then close (and forget)\n"
    "  do=bad_salt | garbage                               disturb the session, execute it\n"
    "  do=clock_skew:S                                     run S seconds ahead; a clock that is\n"
    "                      set back forgets all sessions, as a server that was started anew does\n"
    "Examples of rules:\n"
    "  method=messages.sendMessage,do=flood_wait:30,count=2\n"
    "  method=upload.*,after=3,count=1,do=reset            a transfer loses its link\n"
    "  method=upload.getFile,p=0.2,do=delay:500            slow parts\n"
    "  method=upload.*,count=1,do=error:420:FLOOD_PREMIUM_WAIT_5\n"
    "  method=upload.getFile,count=1,do=error:400:FILE_REFERENCE_EXPIRED\n"
    "  method=auth.sendCode,count=1,do=error:303:NETWORK_MIGRATE_2\n"
    "\n"
    "Magic usernames need no rule: whoever writes to them is refused.\n"
    "  @flood_wait_S   FLOOD_WAIT_S            @slowmode_S   SLOWMODE_WAIT_S\n"
    "  @error_[CODE_]NAME   NAME in capitals, e.g. @error_peer_flood, @error_403_user_is_blocked;\n"
    "                       the code is 400, or 420 for _WAIT_S and 303 for _MIGRATE_N\n"
    "\n"
    "The control port plays what is outside: bots and their tokens, phones that scan QR codes,\n"
    "mailboxes, accounts that are banned, frozen or moved. Say help there.\n";

static void print_help(void)
{
    printf(
        "usage: tgrest sandbox [options]\n\n"
        "A small Telegram data centre in memory: real MTProto, no account, no internet.\n"
        "Once all ports listen and the key file is written, `sandbox on ADDR:PORT` is the last of\n"
        "the lines about ports on standard error.\n\n");
    for (size_t i = 0; i < OPTIONS_N; i++) {
        const struct option *o = &options[i];
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->argument ? " " : "",
                 o->argument ? o->argument : "");
        printf("  %-24s %s%s%s%s\n", left, o->text, o->variable ? "  [" : "",
               o->variable ? o->variable : "", o->variable ? "]" : "");
    }
    fputs(rules_text, stdout);
}

static const struct option *find_option(struct slice name)
{
    for (size_t i = 0; i < OPTIONS_N; i++)
        if (slice_is(name, options[i].name))
            return &options[i];
    return NULL;
}

static bool read_environment(struct settings *s)
{
    for (size_t i = 0; i < OPTIONS_N; i++) {
        const char *value = options[i].variable ? getenv(options[i].variable) : NULL;
        if (value && *value && !options[i].apply(s, value)) {
            fprintf(stderr, "tgrest sandbox: %s: bad value\n", options[i].variable);
            return false;
        }
    }
    return true;
}

/* What the command line gives for an option that may be repeated replaces what the environment
 * gave. */
static void forget_environment(struct settings *s, const struct option *o)
{
    if (o->apply == add_fault)
        s->config.n_faults = 0;
    if (o->apply == add_schema)
        s->config.n_schemas = 0;
    if (o->apply == add_further)
        s->config.n_further = 0;
}

/* --name VALUE and --name=VALUE. */
static bool read_arguments(struct settings *s, int argc, char **argv)
{
    bool given[OPTIONS_N] = {false};
    for (int i = 1; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        size_t len = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        const struct option *o = len > 2 && strncmp(argv[i], "--", 2) == 0
                                     ? find_option(slice_of(argv[i] + 2, len - 2))
                                     : NULL;
        const char *value = equals ? equals + 1 : NULL;
        if (o && o->argument && !value && i + 1 < argc)
            value = argv[++i];
        if (o && !given[o - options]) {
            given[o - options] = true;
            forget_environment(s, o);
        }
        if (!o || (o->argument && !value) || (!o->argument && equals) || !o->apply(s, value)) {
            fprintf(stderr, "tgrest sandbox: %s: %s; see --help\n", argv[i],
                    o ? "bad or missing value" : "no such option");
            return false;
        }
    }
    return true;
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    struct sandbox **s = handle->data;
    if (*s)
        sandbox_stop(*s);
    *s = NULL;
}

/* The address as it was given, with the port that was bound. */
static void announce(const char *what, const char *listen, uint16_t port)
{
    const char *colon = strrchr(listen, ':');
    fprintf(stderr, "%s on %.*s:%u\n", what, (int)(colon - listen), listen, port);
}

/* Whoever starts a sandbox waits for the line that comes last. */
static void announce_all(const struct sandbox *s, const struct sandbox_config *config)
{
    char what[128];
    for (int32_t dc = 2; dc <= config->dcs; dc++) {
        snprintf(what, sizeof what, "data centre %d", dc);
        announce(what, config->listen, sandbox_port(s, dc));
    }
    for (size_t i = 0; i < sandbox_further(s, i, what, sizeof what); i++)
        fprintf(stderr, "%s\n", what);
    if (config->control)
        announce("control", config->control, sandbox_control_port(s));
    announce("sandbox", config->listen, sandbox_port(s, 1));
    fflush(stderr);
}

static int run(struct settings *settings)
{
    uv_loop_t loop;
    uv_signal_t signals[2];
    static const int numbers[] = {SIGINT, SIGTERM};
    char error[512] = "";
    if (uv_loop_init(&loop) < 0)
        return EXIT_FAILURE;
    signal(SIGPIPE, SIG_IGN);
    struct sandbox *s = sandbox_start(&loop, &settings->config, error, sizeof error);
    struct sandbox *to_stop = s;
    if (!s) {
        fprintf(stderr, "tgrest sandbox: %s\n", error);
        uv_loop_close(&loop);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&loop, &signals[i]);
        signals[i].data = &to_stop;
        uv_signal_start(&signals[i], on_signal, numbers[i]);
        uv_unref((uv_handle_t *)&signals[i]);
    }
    announce_all(s, &settings->config);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&signals[i], NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    sandbox_free(s);
    uv_loop_close(&loop);
    return EXIT_SUCCESS;
}

int sandbox_main(int argc, char **argv)
{
    struct settings settings = {
        .config =
            {
                .listen = "127.0.0.1:10443",
                .dcs = 1,
                .log = {.fd = 2, .level = LOG_INFO, .format = LOG_TEXT},
            },
    };
    settings.config.faults = settings.faults;
    settings.config.schemas = settings.schemas;
    settings.config.further = settings.further;
    if (!read_environment(&settings) || !read_arguments(&settings, argc, argv))
        return 2;
    if (settings.help) {
        print_help();
        return EXIT_SUCCESS;
    }
    return run(&settings);
}
