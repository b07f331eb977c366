/* SPDX-License-Identifier: MIT
 * Fuzzes sessions, client and server, with messages that are sealed well and say anything. The
 * input is a list of steps: a byte that says what happens, a byte of length in words, and that many
 * words. Each call must end in at most one event, and both sides must keep within their bounds. */
#include <stdlib.h>

#include "mtproto/ids.h"
#include "mtproto/session_client.h"
#include "mtproto/session_server.h"
#include "tl/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CALLS_MAX = 64, SENT_MAX = 16, OUT_BYTES_MAX = 16 * 1024 * 1024, NOW_S = 1767225600 };

enum step { STEP_CALL, STEP_TO_CLIENT, STEP_TO_SERVER, STEP_TIME, STEP_LINK, STEP_CANCEL, STEPS };

struct fuzz {
    struct clock_manual clock;
    struct rng rng;
    struct digests *digests;
    struct auth_key key;
    struct client_session *client;
    struct server_session *server;
    struct transport transport;
    struct buf out;
    struct msg_id_source ids;
    uint64_t session_id;         /* as the client's last frame says */
    uint64_t asked;              /* the client's last message that wants an answer */
    uint64_t sent_ids[SENT_MAX]; /* of its last messages, containers too: a ring */
    uint32_t n_sent;
    uint32_t server_seq; /* of the messages to the server */
    uint8_t events[CALLS_MAX];
    uint8_t n_calls;
};

static void salts(void *ctx, uint64_t key_id, struct salt_schedule *out)
{
    (void)ctx;
    (void)key_id;
    *out = (struct salt_schedule){{{1, 0, INT32_MAX}}, 1};
}

static void start(struct fuzz *f)
{
    static const uint8_t key[AUTH_KEY_BYTES] = {1, 2, 3};
    *f = (struct fuzz){0};
    clock_manual_init(&f->clock, NOW_S * NS_PER_S);
    rng_init_seed(&f->rng, 1);
    f->digests = digests_new();
    auth_key_set(&f->key, f->digests, key);
    f->client = client_session_new(&(struct client_session_config){
        .key = f->key,
        .clock = &f->clock.clock,
        .rng = &f->rng,
        .digests = f->digests,
        .inflate_max = 65536,
        .ping_idle_ns = 60 * NS_PER_S,
    });
    f->server = server_session_new(&(struct server_session_config){
        .key = &f->key,
        .session_id = 1,
        .clock = &f->clock.clock,
        .rng = &f->rng,
        .digests = f->digests,
        .salts = salts,
        .inflate_max = 65536,
        .gzip_min = 64,
    });
    f->ids = (struct msg_id_source){.clock = &f->clock.clock};
    buf_init(&f->out, OUT_BYTES_MAX);
    transport_client_init(&f->transport, TRANSPORT_INTERMEDIATE, false, 2, &f->rng, &f->out);
    client_session_connected(f->client);
}

static void stop(struct fuzz *f)
{
    client_session_free(f->client);
    server_session_free(f->server);
    transport_free(&f->transport);
    buf_free(&f->out);
    digests_free(f->digests);
}

static void drain_client(struct fuzz *f)
{
    struct client_event e;
    while (client_session_next(f->client, &e)) {
        bool ends = e.type == CLIENT_RESULT || e.type == CLIENT_ERROR || e.type == CLIENT_FAILED;
        if (ends && f->events[(uintptr_t)e.tag]++ > 0)
            abort();
    }
    if (client_session_open_calls(f->client) > f->n_calls)
        abort();
}

static void note_sent(struct fuzz *f, uint64_t msg_id, uint32_t seq_no)
{
    f->sent_ids[f->n_sent++ % SENT_MAX] = msg_id;
    if (seq_no % 2)
        f->asked = msg_id;
}

/* What the client sends tells its session and its msg_ids, so that answers can hit. */
static void flush_client(struct fuzz *f)
{
    struct mt_message m;
    buf_clear(&f->out);
    client_session_flush(f->client, &f->transport, &f->out);
    if (f->out.len <= 4 ||
        !mt_open(&f->key, f->digests, false, f->out.data + 4, load_le32(f->out.data), &m))
        return;
    f->session_id = m.session_id;
    note_sent(f, m.msg_id, m.seq_no);
    /* A call of one's own may begin like a container, and be none. */
    struct tl_reader r = tl_reader_of(m.body);
    if (tl_read_u32(&r) != MT_MSG_CONTAINER)
        return;
    for (uint32_t left = tl_read_u32(&r); left > 0 && !r.error; left--) {
        uint64_t msg_id = tl_read_u64(&r);
        uint32_t seq_no = tl_read_u32(&r);
        tl_read_raw(&r, tl_read_u32(&r));
        if (!r.error)
            note_sent(f, msg_id, seq_no);
    }
}

/* Words 0xfeedNNNN in the input stand for ids that the fuzzer cannot guess: 1 the client's last
 * question, 2 the last message made here, 0x10 to 0x1f what the client sent, the latest first. */
static void write_body(const struct fuzz *f, struct slice words, struct buf *out)
{
    for (size_t i = 0; i + 4 <= words.len; i += 4) {
        uint32_t word = load_le32(words.data + i);
        if (word == 0xfeed0001)
            buf_append(out, &f->asked, 8);
        else if (word == 0xfeed0002)
            buf_append(out, &f->ids.last, 8);
        else if (word >> 4 == 0xfeed001)
            buf_append(out, &f->sent_ids[(f->n_sent - 1 - (word & 15)) % SENT_MAX], 8);
        else
            buf_append(out, &word, 4);
    }
}

static void to_client(struct fuzz *f, uint8_t choice, struct slice words)
{
    struct buf frame;
    buf_init(&frame, 0);
    size_t mark = mt_seal_begin(&frame);
    write_body(f, words, &frame);
    uint64_t msg_id = msg_id_next(&f->ids, MSG_ID_SERVER_ANSWER);
    mt_seal_end(&f->key, f->digests, true, &f->rng, &frame, mark, 1, f->session_id, msg_id,
                choice & 1);
    if (client_session_input(f->client, frame.data, frame.len))
        drain_client(f);
    buf_free(&frame);
}

/* choice: 1 for content, 2 the id of the message before, 4 no answer yet, 8 a wrong seq_no; the
 * highest ones a wrong salt. */
static void to_server(struct fuzz *f, uint8_t choice, struct slice words)
{
    struct server_event e;
    struct buf body;
    buf_init(&body, 0);
    write_body(f, words, &body);
    struct mt_message m = {
        .salt = choice >= 14 ? 2 : 1,
        .session_id = 1,
        .msg_id = (choice & 2) ? f->ids.last & ~3ull : msg_id_next(&f->ids, MSG_ID_CLIENT),
        .seq_no = (choice & 8) ? choice : f->server_seq + (choice & 1),
        .body = buf_slice(&body),
    };
    if (m.seq_no % 2)
        f->server_seq += 2;
    server_session_input(f->server, &m);
    while (server_session_next(f->server, &e))
        if (e.type == SERVER_REQUEST && (choice & 4) == 0)
            server_session_answer(f->server, e.msg_id, e.body);
    buf_clear(&f->out);
    server_session_flush(f->server, &f->transport, &f->out);
    buf_free(&body);
}

static void take_step(struct fuzz *f, uint8_t what, struct slice words)
{
    uint8_t choice = what >> 4;
    switch ((what & 15) % STEPS) {
    case STEP_CALL:
        if (f->n_calls < CALLS_MAX &&
            client_session_call(f->client, words, (enum call_safety)(choice & 1),
                                (void *)(uintptr_t)f->n_calls))
            f->n_calls++;
        break;
    case STEP_TO_CLIENT:
        flush_client(f);
        to_client(f, choice, words);
        break;
    case STEP_TO_SERVER:
        to_server(f, choice, words);
        break;
    case STEP_TIME:
        clock_manual_advance(&f->clock, (1 + choice) * 8 * NS_PER_S);
        client_session_tick(f->client);
        break;
    case STEP_LINK:
        client_session_disconnected(f->client);
        if (choice & 1)
            client_session_renew(f->client);
        client_session_connected(f->client);
        server_session_attach(f->server);
        break;
    default:
        client_session_cancel(f->client, (void *)(uintptr_t)choice);
        break;
    }
    drain_client(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f;
    start(&f);
    while (size >= 2) {
        uint8_t what = data[0];
        size_t len = (size_t)data[1] * 4;
        data += 2;
        size -= 2;
        if (len > size)
            len = size / 4 * 4;
        take_step(&f, what, slice_of(data, len));
        data += len;
        size -= len;
    }
    flush_client(&f);
    drain_client(&f);
    stop(&f);
    return 0;
}
