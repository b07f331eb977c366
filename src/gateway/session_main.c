/* SPDX-License-Identifier: MIT
 * The subcommands that handle session strings and their keys on the command line. A string comes on
 * standard input only: argv can be read by everybody on the machine. */
#include "gateway/session_main.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_writer.h"
#include "gateway/dc.h"
#include "gateway/foreign.h"
#include "gateway/token.h"

enum { STRING_BYTES_MAX = 8192 };

static const char default_key_file[] = "tgrest.key";

struct session_options {
    char *key_file;
    char *key_text;
    bool secrets;
    bool help;
};

static const struct option_spec specs[] = {
    {"--key-file", "FILE", "TGREST_KEY_FILE", OPTION_TEXT,
     offsetof(struct session_options, key_file), 0, 0, "the gateway's sealing keys (tgrest.key)"},
    {NULL, NULL, "TGREST_KEY", OPTION_TEXT, offsetof(struct session_options, key_text), 0, 0,
     "the keys themselves, in place of a file"},
    {"--secrets", NULL, NULL, OPTION_FLAG, offsetof(struct session_options, secrets), 0, 0,
     "show the auth key and the api hash too; export needs it"},
    {"--help", NULL, NULL, OPTION_FLAG, offsetof(struct session_options, help), 0, 0, "this text"},
};
enum { N_SPECS = sizeof specs / sizeof *specs };

static void usage(FILE *out)
{
    fputs("usage: tgrest session inspect|export|import [options] < string\n\n"
          "Reads one session string from standard input.\n"
          "  inspect   say what is in it, as JSON\n"
          "  export    write it as a Telethon string with ':' and the api credentials behind it;\n"
          "            two programs that use one key at a time get it killed by Telegram\n"
          "  import    seal such a text as a string of this gateway\n\n",
          out);
    options_usage(specs, N_SPECS, out);
}

/* One line of standard input without its end, into text. False past the bound. */
static bool read_string(struct buf *text)
{
    for (;;) {
        uint8_t *at = buf_reserve(text, 1024);
        if (!at)
            return false;
        ssize_t n = read(STDIN_FILENO, at, 1024);
        if (n < 0)
            return false;
        if (n == 0)
            break;
        text->len += (size_t)n;
    }
    while (text->len && strchr(" \t\r\n", text->data[text->len - 1]))
        text->len--;
    return text->len > 0;
}

/* ---- inspect ---- */

/* "+99******34": enough to recognise, too little to call. */
static void write_phone(struct json_writer *w, const char *phone)
{
    char masked[SESSION_PHONE_MAX + 1];
    size_t n = strlen(phone);
    for (size_t i = 0; i <= n; i++)
        masked[i] = i < 3 || i + 2 >= n ? phone[i] : '*';
    json_field_text(w, "phone", masked);
}

static void write_secrets(struct json_writer *w, const struct session *s)
{
    char hex[2 * AUTH_KEY_BYTES + 1];
    sodium_bin2hex(hex, sizeof hex, s->key.key, AUTH_KEY_BYTES);
    json_field_text(w, "auth_key", hex);
    json_field_text(w, "api_hash", s->api_hash);
    if (*s->phone_code_hash)
        json_field_text(w, "phone_code_hash", s->phone_code_hash);
    sodium_memzero(hex, sizeof hex);
}

static void inspect(const struct session *s, bool old_key, bool secrets, struct buf *out)
{
    static const char *const states[] = {[SESSION_NEW] = "new",
                                         [SESSION_CODE_SENT] = "verify_code",
                                         [SESSION_SIGN_UP] = "sign_up",
                                         [SESSION_PASSWORD] = "verify_password",
                                         [SESSION_AUTHORIZED] = "authorized",
                                         [SESSION_QR] = "qr_wait"};
    struct json_writer w;
    char key_id[17];
    json_init(&w, out);
    json_object_begin(&w);
    json_field_text(&w, "format", s->flags & SESSION_FOREIGN ? "telethon" : "tgrest");
    json_field_text(&w, "state", states[s->state]);
    json_field_int(&w, "dc", s->dc);
    json_field_bool(&w, "test_dc", (s->flags & SESSION_TEST_DC) != 0);
    snprintf(key_id, sizeof key_id, "%016llx", (unsigned long long)s->key.id);
    json_field_text(&w, "auth_key_id", key_id);
    json_field_int(&w, "api_id", s->api_id);
    if (s->user_id)
        json_field_int(&w, "user_id", s->user_id);
    if (*s->phone)
        write_phone(&w, s->phone);
    json_field_int(&w, "salts", (int64_t)s->salts.n);
    if (s->salts.n)
        json_field_time(&w, "salts_valid_until", s->salts.spans[s->salts.n - 1].valid_until);
    json_field_bool(&w, "sealed_with_old_key", old_key);
    if (secrets)
        write_secrets(&w, s);
    json_object_end(&w);
    buf_append_byte(out, '\n');
}

/* ---- export ---- */

/* Telethon's string names an address: Telegram's own of that data centre. */
static bool export_session(const struct session *s, struct buf *out, char *error)
{
    struct options o;
    struct dc_table dcs;
    options_defaults(&o);
    o.test_dc = (s->flags & SESSION_TEST_DC) != 0;
    if (s->state != SESSION_AUTHORIZED) {
        snprintf(error, OPTION_ERROR_BYTES, "its login is not finished");
        return false;
    }
    if (!dc_table_init(&dcs, &o, error))
        return false;
    const struct dc *dc = dc_find(&dcs, s->dc);
    const char *reason =
        dc ? older_token_write(s, dc->addresses[0].host, (uint16_t)dc->addresses[0].port, out)
           : "its data centre is not known";
    if (reason)
        snprintf(error, OPTION_ERROR_BYTES, "%s", reason);
    else
        buf_append_byte(out, '\n');
    dc_table_free(&dcs);
    return reason == NULL;
}

/* ---- the subcommand ---- */

enum action { ACTION_INSPECT, ACTION_EXPORT, ACTION_IMPORT, ACTION_NONE };

static enum action parse_action(const char *word)
{
    static const char *const words[] = {"inspect", "export", "import"};
    for (int i = ACTION_INSPECT; i < ACTION_NONE; i++)
        if (word && strcmp(word, words[i]) == 0)
            return (enum action)i;
    return ACTION_NONE;
}

static const char *status_text(enum token_status status)
{
    static const char *const texts[] = {
        [TOKEN_OK] = "",
        [TOKEN_MALFORMED] =
            "this is no session string of tgrest, nor one of Telethon with api credentials",
        [TOKEN_FORGED] = "this session string was cut or altered",
        [TOKEN_UNKNOWN_KEY] = "this session string was sealed with another key file",
        [TOKEN_UNSUPPORTED] = "this session string comes from a newer tgrest",
    };
    return texts[status];
}

static bool act(enum action action, const struct session_options *o, const struct token_keys *keys,
                struct slice text, struct buf *out, char *error)
{
    struct session s;
    bool old_key, ok = true;
    struct digests *digests = digests_new();
    enum token_status status =
        digests ? token_open(keys, digests, text, &s, &old_key) : TOKEN_MALFORMED;
    digests_free(digests);
    if (status != TOKEN_OK) {
        snprintf(error, OPTION_ERROR_BYTES, "%s", status_text(status));
        return false;
    }
    if (action == ACTION_INSPECT) {
        inspect(&s, old_key, o->secrets, out);
    } else if (action == ACTION_EXPORT) {
        ok = export_session(&s, out, error);
    } else {
        struct rng rng;
        rng_init_system(&rng);
        token_seal(keys, &rng, &s, out);
        buf_append_byte(out, '\n');
    }
    sodium_memzero(&s, sizeof s);
    return ok;
}

static struct token_keys *load_keys(const struct session_options *o, char *error)
{
    const char *path = o->key_file ? o->key_file : default_key_file;
    if (o->key_text)
        return token_keys_parse(slice_str(o->key_text), error, OPTION_ERROR_BYTES);
    /* Unlike `serve` this makes no key: with a fresh one nothing could be opened. */
    if (access(path, R_OK) != 0) {
        snprintf(error, OPTION_ERROR_BYTES, "cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    return token_keys_load(path, error, OPTION_ERROR_BYTES);
}

static bool run(enum action action, const struct session_options *o, char *error)
{
    struct buf text, out;
    buf_init(&text, STRING_BYTES_MAX);
    buf_init(&out, 0);
    struct token_keys *keys = NULL;
    bool ok = false;
    if (action == ACTION_EXPORT && !o->secrets)
        snprintf(error, OPTION_ERROR_BYTES,
                 "an exported string is the account itself: say --secrets");
    else if (!read_string(&text))
        snprintf(error, OPTION_ERROR_BYTES, "give one session string on standard input");
    else if ((keys = load_keys(o, error)))
        ok = act(action, o, keys, buf_slice(&text), &out, error);
    if (ok)
        fwrite(out.data, 1, out.len, stdout);
    token_keys_free(keys);
    buf_wipe_free(&text);
    buf_wipe_free(&out);
    return ok;
}

int session_main(int argc, char **argv)
{
    struct session_options o = {0};
    char error[OPTION_ERROR_BYTES] = "";
    enum action action = parse_action(argc > 1 ? argv[1] : NULL);
    bool only_help = argc > 1 && strcmp(argv[1], "--help") == 0;
    int skip = action == ACTION_NONE ? 0 : 1;
    bool ok = options_parse(specs, N_SPECS, &o, argc - skip, argv + skip, getenv, error);
    if (only_help || (ok && o.help)) {
        usage(stdout);
        ok = true;
    } else if (action == ACTION_NONE) {
        usage(stderr);
        ok = false;
    } else {
        ok = ok && run(action, &o, error);
        if (!ok)
            fprintf(stderr, "tgrest session: %s\n", error);
    }
    options_release(specs, N_SPECS, &o);
    return ok ? 0 : 1;
}

int keygen_main(int argc, char **argv)
{
    char error[OPTION_ERROR_BYTES] = "";
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        bool help = strcmp(argv[1], "--help") == 0;
        fputs("usage: tgrest keygen [FILE]\n\n"
              "Makes a sealing key: into FILE (mode 0600, never over one that is there), or to "
              "standard\n"
              "output. To rotate, put the new line above the old one: the first seals, all open.\n",
              help ? stdout : stderr);
        return help ? 0 : 2;
    }
    if (argc == 2) {
        bool ok = token_key_create(argv[1], error, sizeof error);
        fprintf(stderr, ok ? "wrote %s\n" : "tgrest keygen: %s\n", ok ? argv[1] : error);
        return ok ? 0 : 1;
    }
    struct buf key;
    buf_init(&key, 0);
    token_key_generate(&key);
    fwrite(key.data, 1, key.len, stdout);
    buf_wipe_free(&key);
    return 0;
}
