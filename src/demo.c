/* SPDX-License-Identifier: MIT
 * tgrest demo: the sandbox on a thread of its own, the gateway pointed at it, and what to type. */
#include "demo.h"

#include <stdlib.h>
#include <uv.h>

#include "gateway/gateway.h"
#include "gateway/token.h"
#include "sandbox/sandbox.h"
#include "sandbox/world_demo.h"

enum { DEMO_DCS = 3, PEM_MAX = 4096, ERROR_BYTES = 256 };

struct demo_options {
    struct options gateway; /* first: the gateway's table of options is used as it stands */
    char *sandbox;
};

/* The sandbox's thread owns the sandbox; main sees `ready` and what is above it, then `stop`. */
struct sandbox_thread {
    const struct demo_options *options;
    char error[ERROR_BYTES]; /* empty = it runs */
    char pem[PEM_MAX];
    uint16_t ports[DEMO_DCS];
    uv_sem_t ready;
    uv_async_t stop;
    uv_thread_t thread;
    struct sandbox *sandbox;
};

static void on_stop(uv_async_t *async)
{
    struct sandbox_thread *t = async->data;
    sandbox_stop(t->sandbox);
    uv_close((uv_handle_t *)async, NULL);
}

static void describe_sandbox(struct sandbox_thread *t)
{
    struct buf pem;
    buf_init(&pem, PEM_MAX - 1);
    sandbox_public_pem(t->sandbox, &pem);
    snprintf(t->pem, sizeof t->pem, "%.*s", (int)pem.len, (const char *)pem.data);
    buf_free(&pem);
    for (int i = 0; i < DEMO_DCS; i++)
        t->ports[i] = sandbox_port(t->sandbox, i + 1);
}

static void sandbox_thread_main(void *arg)
{
    struct sandbox_thread *t = arg;
    uv_loop_t loop;
    uv_loop_init(&loop);
    uv_async_init(&loop, &t->stop, on_stop);
    t->stop.data = t;
    const char *schema = t->options->gateway.schema;
    struct sandbox_config config = {
        .listen = t->options->sandbox ? t->options->sandbox : "127.0.0.1:10443",
        .dcs = DEMO_DCS,
        .schemas = &schema,
        .n_schemas = schema ? 1 : 0,
        .log = {.fd = 2,
                .level = t->options->gateway.log_level,
                .format = t->options->gateway.log_format},
    };
    t->sandbox = sandbox_start(&loop, &config, t->error, sizeof t->error);
    if (t->sandbox)
        describe_sandbox(t);
    else
        uv_close((uv_handle_t *)&t->stop, NULL);
    uv_sem_post(&t->ready);
    uv_run(&loop, UV_RUN_DEFAULT);
    if (t->sandbox)
        sandbox_free(t->sandbox);
    uv_loop_close(&loop);
}

static bool start_sandbox(struct sandbox_thread *t, const struct demo_options *options)
{
    *t = (struct sandbox_thread){.options = options};
    uv_sem_init(&t->ready, 0);
    if (uv_thread_create(&t->thread, sandbox_thread_main, t)) {
        snprintf(t->error, sizeof t->error, "a thread cannot be started");
        return false;
    }
    uv_sem_wait(&t->ready);
    if (t->sandbox)
        return true;
    uv_thread_join(&t->thread);
    return false;
}

static void stop_sandbox(struct sandbox_thread *t)
{
    uv_async_send(&t->stop);
    uv_thread_join(&t->thread);
    uv_sem_destroy(&t->ready);
}

/* The sandbox's data centres and key, and a sealing key for this run: the demo leaves no file
 * behind. */
static bool point_gateway(struct options *o, const struct sandbox_thread *t)
{
    const char *colon = t->options->sandbox ? strrchr(t->options->sandbox, ':') : NULL;
    int host_len = colon ? (int)(colon - t->options->sandbox) : 9;
    const char *host = colon ? t->options->sandbox : "127.0.0.1";
    struct buf key;
    buf_init(&key, 0);
    token_key_generate(&key);
    bool ok = !key.failed;
    for (int i = 0; ok && i < DEMO_DCS && o->dcs.n < OPTION_LIST_MAX; i++) {
        char text[320];
        snprintf(text, sizeof text, "%d=%.*s:%u", i + 1, host_len, host, t->ports[i]);
        o->dcs.items[o->dcs.n] = strdup(text);
        ok = o->dcs.items[o->dcs.n++] != NULL;
    }
    o->dc_key_pem = strdup(t->pem);
    if (!o->key_text && !o->key_file)
        o->key_text = strndup((const char *)key.data, key.len);
    buf_wipe_free(&key);
    return ok && o->dc_key_pem && (o->key_text || o->key_file);
}

/* To be pasted line by line, or as a whole, into bash. */
static const char walk[] =
    "The gateway is on http://127.0.0.1:%1$d; beside it runs a Telegram data centre of our own, "
    "with these\n"
    "%2$s\n"
    "Try it, one line after the other, in another terminal:\n"
    "\n"
    "  TG=http://127.0.0.1:%1$d; S=\n"
    "  tg() { curl -s -H 'Content-Type: application/json' -H \"X-Session-String: $S\" \"$@\"; "
    "echo; }\n"
    "  step() { R=$(tg \"$@\"); echo \"$R\"; S=$(echo \"$R\" | sed -n "
    "'s/.*\"session_string\":\"\\([^\"]*\\)\".*/\\1/p'); }\n"
    "  step $TG/auth/send_code -d "
    "'{\"phone\":\"+9996620003\",\"api_id\":1,\"api_hash\":\"0123456789abcdef0123456789abcdef\"}'\n"
    "  step $TG/auth/verify_code -d '{\"code\":\"22222\"}'\n"
    "  step $TG/auth/verify_password -d '{\"password\":\"correct horse\"}'\n"
    "  tg $TG/me\n"
    "  tg \"$TG/chats?limit=3\"\n"
    "  M=$(tg $TG/messages/send -d '{\"chat_id\":\"@echo\",\"text\":\"Hello, **world**\"}' | sed "
    "'s/.*\"message_id\":\\([0-9]*\\).*/\\1/')\n"
    "  tg \"$TG/messages?chat_id=@echo&limit=2\"\n"
    "  tg $TG/messages/edit -d '{\"chat_id\":\"@echo\",\"message_id\":'$M',\"new_text\":\"Hello, "
    "__world__\"}'\n"
    "  tg $TG/messages/forward -d "
    "'{\"from_chat_id\":\"@echo\",\"to_chat_id\":\"me\",\"message_id\":'$M'}'\n"
    "  tg -X DELETE $TG/messages/delete -d '{\"chat_id\":\"@echo\",\"message_ids\":['$M']}'\n"
    "  F=$(echo '{\"a\":\"file\"}' | curl -s -H \"X-Session-String: $S\" -F chat_id=me "
    "-F 'file=@-;filename=note.json' $TG/messages/send_with_file | sed "
    "'s/.*\"message_id\":\\([0-9]*\\).*/\\1/')\n"
    "  tg \"$TG/messages/media/$F?chat_id=me\"\n"
    "  tg $TG/groups/join -d '{\"group_identifier\":\"@slow_lane\"}'\n"
    "  tg $TG/methods/users.getUsers -d '{\"id\":[\"me\",\"@echo\"]}'\n"
    "  tg -X DELETE $TG/auth/logout\n"
    "\n"
    "Ctrl-C stops both.\n";

static int run(struct demo_options *options)
{
    char error[OPTION_ERROR_BYTES];
    struct sandbox_thread sandbox;
    if (!start_sandbox(&sandbox, options)) {
        fprintf(stderr, "tgrest demo: %s\n", sandbox.error);
        return EXIT_FAILURE;
    }
    snprintf(error, sizeof error, "out of memory");
    struct gateway *g = NULL;
    if (point_gateway(&options->gateway, &sandbox))
        g = gateway_start(&options->gateway, error);
    if (g) {
        fprintf(stderr, "sandbox on 127.0.0.1:%u\n", sandbox.ports[0]);
        printf(walk, gateway_port(g), world_demo_table);
        fflush(stdout);
        gateway_run(g);
    } else {
        fprintf(stderr, "tgrest demo: %s\n", error);
    }
    stop_sandbox(&sandbox);
    return g ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The gateway's options that make sense here, and the sandbox's address. */
static size_t demo_options_table(struct option_spec *specs)
{
    static const char *const kept[] = {"--listen", "--schema",  "--key-file",  "--workers",
                                       "--warm",   "--timeout", "--log-level", "--log-format"};
    size_t n = 0;
    for (size_t i = 0; i < gateway_options_count; i++) {
        for (size_t k = 0; k < sizeof kept / sizeof *kept; k++) {
            if (gateway_options[i].name && strcmp(gateway_options[i].name, kept[k]) == 0)
                specs[n++] = gateway_options[i];
        }
    }
    specs[n++] = (struct option_spec){
        .name = "--sandbox",
        .value = "ADDR:PORT",
        .env = "TGREST_SANDBOX",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct demo_options, sandbox),
        .help = "where the sandbox listens, its data centres on the ports that follow "
                "(127.0.0.1:10443)",
    };
    return n;
}

int demo_main(int argc, char **argv)
{
    enum { SPECS_MAX = 16 };
    char error[OPTION_ERROR_BYTES];
    struct option_spec specs[SPECS_MAX];
    struct demo_options options = {0};
    size_t n = demo_options_table(specs);
    options_defaults(&options.gateway);
    options.gateway.log_level = LOG_WARN; /* the screen belongs to the curl lines */
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("usage: tgrest demo [options]\n\n");
        options_usage(specs, n, stdout);
        return EXIT_SUCCESS;
    }
    int status = 2;
    if (options_parse(specs, n, &options, argc, argv, getenv, error)) {
        gateway_prepare_process();
        status = run(&options);
    } else {
        fprintf(stderr, "tgrest demo: %s\n", error);
    }
    options_release(specs, n, &options);
    return status;
}
