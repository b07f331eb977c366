/* SPDX-License-Identifier: MIT
 * Starting and stopping a sandbox, its clock, and the end of each turn of its loop. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sandbox/bots.h"
#include "sandbox/control.h"
#include "sandbox/listeners.h"
#include "sandbox/methods.h"
#include "sandbox/scheduled.h"
#include "sandbox/state.h"

enum {
    SCHEMA_FILE_MAX = 16 * 1024 * 1024,
    PEM_FILE_MAX = 64 * 1024,
    SCRATCH_MAX = 64 * 1024 * 1024
};

/* ---- what handlers ask ---- */

int32_t sandbox_dc_of(const struct sandbox *s, int32_t dc)
{
    return s->dcs == 1 ? DC_ALONE : (dc > 0 ? dc - 1 : 0) % s->dcs + 1;
}

void sandbox_request_as(struct sandbox *s, struct request *r, struct user *self,
                        struct arena *arena)
{
    const struct tl_schema *schema = layers_newest(&s->layers);
    *r = (struct request){
        .sandbox = s,
        .world = s->world,
        .self = self,
        .schema = schema,
        .arena = arena,
        .b = tl_builder_of(schema, arena),
        .now_s = (int32_t)clock_unix_s(&s->clock),
    };
}

static int64_t wall_ns(void *ctx)
{
    const struct sandbox *s = ctx;
    return clock_wall_ns(&s->system) + s->clock_shift_ns +
           faults_clock_skew_s(&s->faults) * NS_PER_S;
}

static int64_t mono_ns(void *ctx)
{
    const struct sandbox *s = ctx;
    return clock_mono_ns(&s->system) + s->clock_shift_ns;
}

/* ---- the end of a turn ---- */

static void on_second(uv_timer_t *timer)
{
    (void)timer; /* the turn of the loop is what was wanted */
}

/* A clock that was moved on makes messages due as well as one that ran. */
static void run_scheduled(struct sandbox *s)
{
    enum { SECOND_MS = 1000 };
    bool waiting = world_next_scheduled(s->world) != 0;
    if (waiting)
        world_run_scheduled(s->world, (int32_t)clock_unix_s(&s->clock));
    if (waiting && !uv_is_active((uv_handle_t *)&s->second))
        uv_timer_start(&s->second, on_second, SECOND_MS, SECOND_MS);
    else if (!waiting)
        uv_timer_stop(&s->second);
}

void sandbox_flush(struct sandbox *s)
{
    if (s->world)
        run_scheduled(s);
    push_deliver(s);
    while (s->touched) {
        struct connection *c = s->touched;
        s->touched = c->next_touched;
        c->touched = false;
        connection_flush(c);
    }
    calls_release(s);
}

/* Reads are polled between the two; timers and answers from pool threads come before either. */
static void on_prepare(uv_prepare_t *handle)
{
    sandbox_flush(handle->data);
}

static void on_check(uv_check_t *handle)
{
    sandbox_flush(handle->data);
}

static void push_sink(void *ctx, const struct session *except, struct user *to,
                      const struct update *u)
{
    sandbox_push(ctx, except, to, u);
}

/* ---- starting ---- */

struct starting {
    struct sandbox *s;
    const struct sandbox_config *config;
    char *error;
    size_t error_size;
};

static bool refuse(struct starting *st, const char *what, const char *why)
{
    snprintf(st->error, st->error_size, "%s: %s", what, why);
    return false;
}

static bool read_whole(const char *path, size_t max, struct buf *out)
{
    buf_init(out, max);
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    uint8_t chunk[16 * 1024];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_append(out, chunk, n);
    bool ok = !ferror(f) && !out->failed;
    fclose(f);
    if (!ok && !errno)
        errno = EFBIG;
    return ok;
}

static bool load_schema(struct starting *st, const char *path)
{
    char error[256] = "";
    struct buf text;
    bool read = read_whole(path, SCHEMA_FILE_MAX, &text);
    if (!read)
        snprintf(error, sizeof error, "%s", strerror(errno));
    bool loaded = read && layers_add(&st->s->layers, buf_slice(&text), error, sizeof error);
    buf_free(&text);
    return loaded || refuse(st, path, error);
}

static bool load_schemas(struct starting *st)
{
    char error[256] = "";
    for (size_t i = 0; i < st->config->n_schemas; i++)
        if (!load_schema(st, st->config->schemas[i]))
            return false;
    return st->config->n_schemas ||
           layers_add(&st->s->layers, tl_embedded_api(), error, sizeof error) ||
           refuse(st, "schema", error);
}

struct rsa_key *sandbox_rsa_key_new(void)
{
    enum { HEX_DIGITS = 16, TRIES_MAX = 32 }; /* of sixteen keys one has a short fingerprint */
    struct rsa_key *key = rsa_key_generate();
    for (int i = 1; key && i < TRIES_MAX; i++) {
        if (rsa_key_fingerprint(key) >> 4 * (HEX_DIGITS - 1))
            break;
        rsa_key_free(key);
        key = rsa_key_generate();
    }
    return key;
}

static bool load_rsa(struct starting *st)
{
    struct sandbox *s = st->s;
    const char *path = st->config->rsa_key_file;
    if (!path) {
        s->rsa = sandbox_rsa_key_new();
        return s->rsa || refuse(st, "RSA key", "cannot be made");
    }
    struct buf pem;
    bool read = read_whole(path, PEM_FILE_MAX, &pem);
    if (read)
        s->rsa = rsa_key_parse(buf_slice(&pem), NULL);
    const char *why = read ? "not a 2048-bit RSA private key in PEM" : strerror(errno);
    buf_wipe_free(&pem);
    return s->rsa && rsa_key_is_private(s->rsa) ? true : refuse(st, path, why);
}

void sandbox_public_pem(const struct sandbox *s, struct buf *out)
{
    rsa_key_write_public_pem(s->rsa, out);
}

/* Whole or not at all: a reader that waits for the file never sees half of it. */
static bool write_public(struct starting *st)
{
    const char *path = st->config->rsa_public_out;
    if (!path)
        return true;
    struct buf pem, temporary;
    buf_init(&pem, PEM_FILE_MAX);
    buf_init(&temporary, PEM_FILE_MAX);
    sandbox_public_pem(st->s, &pem);
    buf_printf(&temporary, "%s.%ld%c", path, (long)getpid(), 0);
    FILE *f = temporary.failed ? NULL : fopen((char *)temporary.data, "wb");
    bool ok = f && fwrite(pem.data, 1, pem.len, f) == pem.len;
    if (f && fclose(f) != 0)
        ok = false;
    ok = ok && rename((char *)temporary.data, path) == 0;
    buf_free(&pem);
    buf_free(&temporary);
    return ok || refuse(st, path, strerror(errno));
}

static bool load_faults(struct starting *st)
{
    for (size_t i = 0; i < st->config->n_faults; i++) {
        struct fault rule;
        const char *why = NULL;
        if (!fault_parse(slice_str(st->config->faults[i]), &rule, &why))
            return refuse(st, st->config->faults[i], why);
        if (!faults_add(&st->s->faults, &rule))
            return refuse(st, st->config->faults[i], "too many rules");
    }
    return true;
}

/* As their owner would know them. */
static void log_bots(const struct sandbox *s)
{
    char token[BOT_TOKEN_CHARS_MAX + 1];
    for (size_t i = 0; i < s->world->n_users; i++) {
        const struct user *u = s->world->user_list[i];
        if (!(u->flags & USER_BOT) || !u->account)
            continue;
        bot_token(s->world, u, token);
        log_event(&s->log, LOG_INFO, "bot", log_str("username", u->username),
                  log_str("token", token));
    }
}

static bool load_world(struct starting *st)
{
    struct sandbox *s = st->s;
    uint16_t twice = 0;
    if (!methods_by_symbol(s->methods, &twice))
        return refuse(st, sandbox_names.combinators[twice], "is in two tables of methods");
    s->world = world_new(s->seed);
    if (!s->world)
        return refuse(st, "world", "no memory");
    if (st->config->file_memory)
        s->world->files.store.bytes_max = st->config->file_memory;
    s->world->sink.push = push_sink;
    s->world->sink.ctx = s;
    if (!st->config->empty_world && !world_load_demo(s->world, (int32_t)clock_unix_s(&s->clock)))
        return refuse(st, "demo world", "cannot be made");
    log_bots(s);
    return true;
}

uint16_t sandbox_control_port(const struct sandbox *s)
{
    return s->control ? control_port(s->control) : 0;
}

static bool open_control(struct starting *st)
{
    struct sockaddr_storage address = {0};
    if (!st->config->control)
        return true;
    if (!address_parse(st->config->control, &address))
        return refuse(st, st->config->control, "not ADDR:PORT");
    int status = control_start(st->s, (struct sockaddr *)&address, &st->s->control);
    return status == 0 || refuse(st, st->config->control, uv_strerror(status));
}

static void seed_all(struct sandbox *s, const struct sandbox_config *config)
{
    struct rng system;
    rng_init_system(&system);
    s->seed = config->seeded ? config->seed : rng_u64(&system);
    rng_init_seed(&s->rng, s->seed);
    if (config->seeded)
        rng_init_seed(&s->protocol_rng, s->seed + 1);
    else
        rng_init_system(&s->protocol_rng);
    rng_fill(&s->protocol_rng, s->salt_secret, sizeof s->salt_secret);
}

static bool prepare(struct starting *st)
{
    struct sandbox *s = st->s;
    s->digests = digests_new();
    s->read_buffer = malloc(READ_BYTES);
    if (!s->digests || !s->read_buffer)
        return refuse(st, "sandbox", "no memory");
    return load_schemas(st) && load_rsa(st) && load_faults(st) && load_world(st) &&
           listeners_open(s, st->config, st->error, st->error_size) && open_control(st) &&
           write_public(st);
}

struct sandbox *sandbox_start(struct uv_loop_s *loop, const struct sandbox_config *config,
                              char *error, size_t error_size)
{
    struct sandbox *s = calloc(1, sizeof *s);
    struct starting st = {s, config, error, error_size};
    if (!s || config->dcs < 1 || config->dcs > SANDBOX_DCS_MAX) {
        refuse(&st, "sandbox", s ? "1 to 5 data centres" : "no memory");
        free(s);
        return NULL;
    }
    s->loop = loop;
    s->log = config->log;
    s->dcs = config->dcs;
    s->system = clock_system();
    s->clock = (struct clock){wall_ns, mono_ns, s};
    arena_init(&s->scratch, SCRATCH_MAX);
    buf_init(&s->scratch_buf, SCRATCH_MAX);
    seed_all(s, config);
    uv_prepare_init(loop, &s->prepare);
    uv_check_init(loop, &s->check);
    uv_timer_init(loop, &s->second);
    s->prepare.data = s;
    s->check.data = s;
    uv_prepare_start(&s->prepare, on_prepare);
    uv_check_start(&s->check, on_check);
    if (prepare(&st))
        return s;
    sandbox_stop(s);
    uv_run(loop, UV_RUN_DEFAULT); /* nothing but our own closing handles can be on it yet */
    sandbox_free(s);
    return NULL;
}

/* ---- stopping ---- */

void sandbox_stop(struct sandbox *s)
{
    if (s->stopping)
        return;
    sandbox_flush(s);
    s->stopping = true;
    listeners_close(s);
    if (s->control)
        control_stop(s->control);
    while (s->connections)
        connection_close(s->connections, false);
    calls_stop(s);
    uv_close((uv_handle_t *)&s->prepare, NULL);
    uv_close((uv_handle_t *)&s->check, NULL);
    uv_close((uv_handle_t *)&s->second, NULL);
}

void sandbox_free(struct sandbox *s)
{
    if (!s)
        return;
    calls_free(s);
    keys_free(s);
    codes_free(s);
    control_free(s->control);
    world_free(s->world);
    layers_free(&s->layers);
    rsa_key_free(s->rsa);
    digests_free(s->digests);
    arena_free(&s->scratch);
    buf_free(&s->scratch_buf);
    free(s->read_buffer);
    free(s);
}
