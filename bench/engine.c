/* SPDX-License-Identifier: MIT
 * The MTProto engine alone, against a data centre: client session, transport and libuv, no HTTP.
 *
 * usage: engine HOST PORT KEY.pem SECONDS < hex of a logged-in auth key
 * One line of tab-separated values a measurement: name, in flight, per second, CPU µs of this
 * process each, bytes of an answer, errors. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <uv.h>

#include "mtproto/handshake.h"
#include "mtproto/session_client.h"
#include "telegram/login.h"
#include "telegram/messages.h"

enum {
    READ_BYTES = 64 * 1024, /* as the gateway reads */
    PEM_MAX = 16 * 1024,
    HISTORY_MESSAGES = 35, /* about 3.4 KB of TL */
    WARM_UP_CALLS = 200,
    DC = 2,
};

struct engine;

/* What the bytes of the connection are for. */
struct user {
    void (*connected)(struct engine *e);
    void (*frame)(struct engine *e, uint8_t *frame, size_t len);
    void (*read_end)(struct engine *e); /* all that was read is handed over */
};

struct tally {
    uint64_t done;
    uint64_t errors;
    size_t answer_bytes;
    int64_t begin_ns;
    int64_t begin_cpu_us;
};

struct engine {
    uv_loop_t loop;
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct sockaddr_in address;
    struct transport transport;
    struct buf in;
    struct buf out;
    const struct user *user;
    uint8_t *read_buffer;

    struct clock clock;
    struct rng rng;
    struct digests *digests;
    struct tl_schema *schema;
    struct rsa_key *rsa;
    struct arena arena;
    struct auth_key key;

    struct handshake_client *handshake;
    struct dh_good_prime good_prime;

    struct client_session *session;
    const struct tl_combinator *method; /* what the answers belong to */
    struct slice query;
    uint64_t calls_left; /* still to be queued */

    int64_t seconds;
    int64_t end_ns; /* INT64_MAX: no end but calls_left */
    struct tally tally;
};

static _Noreturn void die(const char *why)
{
    fprintf(stderr, "engine: %s\n", why);
    exit(EXIT_FAILURE);
}

/* ---- measuring ---- */

static int64_t cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

static void tally_begin(struct engine *e)
{
    e->tally = (struct tally){.begin_ns = clock_mono_ns(&e->clock), .begin_cpu_us = cpu_us()};
    e->end_ns = e->tally.begin_ns + e->seconds * NS_PER_S;
}

static bool time_is_up(const struct engine *e)
{
    return clock_mono_ns(&e->clock) >= e->end_ns;
}

static void tally_print(const struct engine *e, const char *name, unsigned in_flight)
{
    const struct tally *t = &e->tally;
    double seconds = (double)(clock_mono_ns(&e->clock) - t->begin_ns) / 1e9;
    double n = t->done ? (double)t->done : 1;
    printf("%s\t%u\t%.1f\t%.2f\t%zu\t%llu\n", name, in_flight, (double)t->done / seconds,
           (double)(cpu_us() - t->begin_cpu_us) / n, t->answer_bytes,
           (unsigned long long)t->errors);
    fflush(stdout);
}

/* ---- the connection ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct engine *e = handle->data;
    (void)suggested;
    *out = uv_buf_init((char *)e->read_buffer, READ_BYTES);
}

/* The out buffer is small beside a socket's: what does not fit at once is a broken set-up. */
static void send_out(struct engine *e)
{
    uv_buf_t chunk = uv_buf_init((char *)e->out.data, (unsigned)e->out.len);
    if (e->out.failed ||
        (e->out.len && uv_try_write((uv_stream_t *)&e->tcp, &chunk, 1) != (int)e->out.len))
        die("cannot write");
    buf_clear(&e->out);
}

static size_t take_frames(struct engine *e, uint8_t *bytes, size_t len)
{
    size_t used = 0;
    while (!uv_is_closing((uv_handle_t *)&e->tcp)) {
        size_t consumed = 0;
        struct transport_event event =
            transport_read(&e->transport, bytes + used, len - used, &consumed);
        used += consumed;
        if (event.type == TRANSPORT_NEED_MORE)
            return used;
        if (event.type == TRANSPORT_FRAME)
            e->user->frame(e, event.payload, event.len);
        else if (event.type != TRANSPORT_QUICK_ACK)
            die("the data centre refuses the connection");
    }
    return len;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct engine *e = stream->data;
    if (n < 0)
        die("the data centre closed the connection");
    if (e->in.len == 0) {
        size_t used = take_frames(e, (uint8_t *)b->base, (size_t)n);
        buf_append(&e->in, b->base + used, (size_t)n - used);
    } else {
        buf_append(&e->in, b->base, (size_t)n);
        buf_drop_front(&e->in, take_frames(e, e->in.data, e->in.len));
    }
    e->user->read_end(e);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct engine *e = request->data;
    if (status < 0 || uv_read_start((uv_stream_t *)&e->tcp, on_alloc, on_read) < 0)
        die("cannot connect");
    uv_tcp_nodelay(&e->tcp, 1);
    transport_client_init(&e->transport, TRANSPORT_INTERMEDIATE, false, 0, &e->rng, &e->out);
    e->user->connected(e);
    send_out(e);
}

static void link_open(struct engine *e, const struct user *user)
{
    e->user = user;
    e->tcp.data = e;
    e->connect.data = e;
    buf_clear(&e->in);
    buf_clear(&e->out);
    uv_tcp_init(&e->loop, &e->tcp);
    if (uv_tcp_connect(&e->connect, &e->tcp, (const struct sockaddr *)&e->address, on_connect) < 0)
        die("cannot connect");
}

static void link_close(struct engine *e, uv_close_cb closed)
{
    transport_free(&e->transport);
    uv_close((uv_handle_t *)&e->tcp, closed);
}

/* ---- key exchanges: one after the other, each on a connection of its own ---- */

static void exchange_next(uv_handle_t *handle);

static void exchange_step(struct engine *e, enum handshake_status status, struct buf *message)
{
    while (status == HANDSHAKE_WORK) {
        handshake_client_work(e->handshake);
        status = handshake_client_continue(e->handshake, message);
    }
    if (status == HANDSHAKE_SEND) {
        size_t mark = transport_frame_begin(&e->transport, &e->out);
        buf_append(&e->out, message->data, message->len);
        transport_frame_end(&e->transport, &e->out, mark, false, NULL);
        buf_clear(message);
        return;
    }
    if (status == HANDSHAKE_DONE)
        e->tally.done++;
    else
        e->tally.errors++;
    link_close(e, exchange_next);
}

static void exchange_connected(struct engine *e)
{
    struct buf message;
    buf_init(&message, 0);
    exchange_step(e, handshake_client_start(e->handshake, &message), &message);
    buf_free(&message);
}

static void exchange_frame(struct engine *e, uint8_t *frame, size_t len)
{
    struct buf message;
    buf_init(&message, 0);
    exchange_step(e, handshake_client_input(e->handshake, slice_of(frame, len), &message),
                  &message);
    buf_free(&message);
}

static void exchange_read_end(struct engine *e)
{
    if (!uv_is_closing((uv_handle_t *)&e->tcp))
        send_out(e);
}

static const struct user exchange = {exchange_connected, exchange_frame, exchange_read_end};

static void exchange_next(uv_handle_t *handle)
{
    struct engine *e = handle->data;
    handshake_client_free(e->handshake);
    e->handshake = NULL;
    if (time_is_up(e))
        return;
    e->handshake = handshake_client_new(&(struct handshake_client_config){
        .keys = &e->rsa,
        .n_keys = 1,
        .dc = DC,
        .clock = &e->clock,
        .rng = &e->rng,
        .digests = e->digests,
        .good_prime = &e->good_prime,
    });
    link_open(e, &exchange);
}

static void measure_exchanges(struct engine *e)
{
    tally_begin(e);
    e->tcp.data = e;
    exchange_next((uv_handle_t *)&e->tcp);
    uv_run(&e->loop, UV_RUN_DEFAULT);
    tally_print(e, "key_exchange", 1);
}

/* ---- calls: as many in flight as wanted; each answer makes room for the next call ---- */

static void call_queue(struct engine *e)
{
    if (e->calls_left == 0 || time_is_up(e))
        return;
    e->calls_left--;
    if (!client_session_call(e->session, e->query, CALL_REPEATABLE, e))
        die("the session takes no call");
}

static void call_answered(struct engine *e, struct slice body)
{
    struct tl_reader r = tl_reader_of(body);
    struct tl_value answer;
    if (!tl_read_value(e->schema, &r, &e->method->result, &e->arena, (struct tl_limits){0},
                       &answer))
        e->tally.errors++;
    e->tally.answer_bytes = body.len;
    arena_reset(&e->arena);
}

static void session_frame(struct engine *e, uint8_t *frame, size_t len)
{
    struct client_event event;
    if (!client_session_input(e->session, frame, len))
        die("a frame of another key");
    while (client_session_next(e->session, &event)) {
        if (event.type == CLIENT_BROKEN)
            die("the data centre broke the protocol");
        if (event.type != CLIENT_RESULT && event.type != CLIENT_ERROR &&
            event.type != CLIENT_FAILED)
            continue;
        if (event.type == CLIENT_RESULT)
            call_answered(e, event.body);
        else
            e->tally.errors++;
        e->tally.done++;
        call_queue(e);
    }
}

static void session_flush(struct engine *e)
{
    client_session_flush(e->session, &e->transport, &e->out);
    send_out(e);
    if (client_session_open_calls(e->session) == 0)
        uv_stop(&e->loop);
}

static void session_connected(struct engine *e)
{
    client_session_connected(e->session);
    session_flush(e);
}

static const struct user calls = {session_connected, session_frame, session_flush};

static void run_calls(struct engine *e, unsigned in_flight)
{
    for (unsigned i = 0; i < in_flight; i++)
        call_queue(e);
    session_flush(e);
    if (client_session_open_calls(e->session) > 0)
        uv_run(&e->loop, UV_RUN_DEFAULT);
}

static void set_query(struct engine *e, const struct tl_object *query, struct buf *bytes)
{
    const char *error = NULL;
    buf_clear(bytes);
    if (!query || !tl_write_object(e->schema, bytes, query, &e->arena, &error))
        die(error ? error : "the schema lacks a method");
    e->method = query->ctor;
    e->query = buf_slice(bytes);
}

static void run_exactly(struct engine *e, uint64_t n)
{
    e->end_ns = INT64_MAX;
    e->calls_left = n;
    run_calls(e, 1);
}

static void measure_calls(struct engine *e, const char *name)
{
    static const unsigned in_flight[] = {1, 16, 64};
    for (size_t i = 0; i < sizeof in_flight / sizeof *in_flight; i++) {
        run_exactly(e, WARM_UP_CALLS);
        tally_begin(e);
        e->calls_left = UINT64_MAX;
        run_calls(e, in_flight[i]);
        tally_print(e, name, in_flight[i]);
    }
}

static struct tl_object *get_self(struct engine *e)
{
    struct tl_builder b = tl_builder_of(e->schema, &e->arena);
    struct tl_object *query = tl_new(&b, C_users_getUsers);
    tl_push_obj(&b, tl_set_vec(&b, query, F_id), tl_new(&b, C_inputUserSelf));
    return query;
}

static const struct peer_ref myself = {.kind = PEER_USER, .self = true};

static void fill_history(struct engine *e, struct buf *query)
{
    struct formatted_text text = {.text =
                                      slice_str("A message, about as long as people write them.")};
    for (unsigned i = 0; i < HISTORY_MESSAGES; i++) {
        struct tl_builder b = tl_builder_of(e->schema, &e->arena);
        set_query(
            e, request_send(&b, &myself, &(struct send_options){.text = &text, .random_id = i + 1}),
            query);
        run_exactly(e, 1);
    }
}

static struct tl_object *get_history(struct engine *e)
{
    struct tl_builder b = tl_builder_of(e->schema, &e->arena);
    return request_history(&b, &myself, &(struct history_query){.limit = HISTORY_MESSAGES});
}

static struct client_session *session_of(struct engine *e)
{
    static const struct client_identity who = {1, "engine", "1", "1", "en", "en"};
    struct buf first, later;
    buf_init(&first, 0);
    buf_init(&later, 0);
    if (!init_prefix_write(e->schema, &who, true, &first) || !call_prefix_write(e->schema, &later))
        die("the schema lacks initConnection");
    struct client_session *s = client_session_new(&(struct client_session_config){
        .key = e->key,
        .clock = &e->clock,
        .rng = &e->rng,
        .digests = e->digests,
        .init_prefix = buf_slice(&first),
        .call_prefix = buf_slice(&later),
    });
    buf_free(&first);
    buf_free(&later);
    return s;
}

static void measure_session(struct engine *e)
{
    struct buf query;
    buf_init(&query, 0);
    e->session = session_of(e);
    set_query(e, get_self(e), &query);
    e->end_ns = INT64_MAX;
    e->calls_left = 1;
    call_queue(e);
    link_open(e, &calls);
    uv_run(&e->loop, UV_RUN_DEFAULT);
    measure_calls(e, "users.getUsers");
    fill_history(e, &query);
    set_query(e, get_history(e), &query);
    measure_calls(e, "messages.getHistory");
    link_close(e, NULL);
    uv_run(&e->loop, UV_RUN_DEFAULT);
    client_session_free(e->session);
    buf_free(&query);
}

/* ---- set-up ---- */

static struct rsa_key *read_pem(const char *path)
{
    char text[PEM_MAX];
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        fclose(f);
    return rsa_key_parse(slice_of(text, n), NULL);
}

static bool read_key(struct engine *e)
{
    char hex[2 * AUTH_KEY_BYTES + 2];
    uint8_t bytes[AUTH_KEY_BYTES];
    size_t n = 0;
    bool ok = fgets(hex, sizeof hex, stdin) &&
              sodium_hex2bin(bytes, sizeof bytes, hex, strlen(hex), "\n", &n, NULL) == 0 &&
              n == sizeof bytes;
    if (ok)
        auth_key_set(&e->key, e->digests, bytes);
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(hex, sizeof hex);
    return ok;
}

static void prepare(struct engine *e, char **argv)
{
    char error[256] = "";
    e->clock = clock_system();
    rng_init_system(&e->rng);
    e->digests = digests_new();
    e->schema = tl_schema_parse(tl_embedded_api(), error, sizeof error);
    e->rsa = read_pem(argv[3]);
    e->seconds = atoi(argv[4]);
    e->read_buffer = malloc(READ_BYTES);
    arena_init(&e->arena, 0);
    buf_init(&e->in, 0);
    buf_init(&e->out, 0);
    if (!e->digests || !e->schema || !e->read_buffer || uv_loop_init(&e->loop) < 0)
        die(*error ? error : "no memory");
    tl_schema_bind(e->schema, &telegram_names);
    if (!e->rsa || e->seconds < 1 || uv_ip4_addr(argv[1], atoi(argv[2]), &e->address) < 0 ||
        !read_key(e))
        die("bad key, address or time");
}

static void finish(struct engine *e)
{
    uv_loop_close(&e->loop);
    sodium_memzero(&e->key, sizeof e->key);
    tl_schema_free(e->schema);
    rsa_key_free(e->rsa);
    digests_free(e->digests);
    arena_free(&e->arena);
    buf_free(&e->in);
    buf_free(&e->out);
    free(e->read_buffer);
}

int main(int argc, char **argv)
{
    static struct engine e;
    if (argc != 5)
        die("usage: engine HOST PORT KEY.pem SECONDS < hex of a logged-in auth key");
    prepare(&e, argv);
    measure_exchanges(&e);
    measure_session(&e);
    finish(&e);
    return EXIT_SUCCESS;
}
