/* SPDX-License-Identifier: MIT
 * Fuzzes what comes in over a transport. The first byte chooses the side (bit 0: client) and the
 * client's kind (bits 1, 2); the second the size of the pieces in which the rest arrives. However
 * it is cut, the same frames must come out, and none longer than the bound. */
#include <stdlib.h>

#include "mtproto/transport.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A sum over the events, which the order of the pieces must not change. */
struct outcome {
    uint64_t sum;
    bool broken;
};

static void init(struct transport *t, uint8_t choice)
{
    static const enum transport_kind kinds[] = {TRANSPORT_FULL, TRANSPORT_ABRIDGED,
                                                TRANSPORT_INTERMEDIATE, TRANSPORT_PADDED};
    struct rng rng;
    struct buf opening;
    if ((choice & 1) == 0) {
        transport_server_init(t);
        return;
    }
    rng_init_seed(&rng, 1);
    buf_init(&opening, 0);
    transport_client_init(t, kinds[choice >> 1 & 3], (choice & 8) != 0, 2, &rng, &opening);
    buf_free(&opening);
}

static void note(struct outcome *o, const struct transport_event *e)
{
    uint64_t word = (uint64_t)e->type << 32 ^ (uint32_t)e->code ^ e->len;
    for (size_t i = 0; e->type == TRANSPORT_FRAME && i < e->len; i++)
        word = word * 31 + e->payload[i];
    o->sum = o->sum * 1000003 + word;
    o->broken = e->type == TRANSPORT_BROKEN;
    if (e->len > TRANSPORT_ANSWER_MAX)
        abort();
}

static struct outcome run(const uint8_t *data, size_t size, uint8_t choice, size_t piece)
{
    struct outcome o = {0};
    struct transport t;
    struct buf in;
    init(&t, choice);
    buf_init(&in, 0);
    while (size > 0 && !o.broken) {
        size_t step = piece < size ? piece : size;
        buf_append(&in, data, step);
        data += step;
        size -= step;
        for (;;) {
            size_t consumed = 0;
            struct transport_event e = transport_read(&t, in.data, in.len, &consumed);
            if (consumed > in.len)
                abort();
            if (e.type != TRANSPORT_NEED_MORE)
                note(&o, &e);
            buf_drop_front(&in, consumed);
            if (e.type == TRANSPORT_NEED_MORE || o.broken)
                break;
        }
    }
    buf_free(&in);
    transport_free(&t);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct outcome whole = run(data + 2, size - 2, data[0], size);
    struct outcome pieces = run(data + 2, size - 2, data[0], (size_t)data[1] + 1);
    if (whole.sum != pieces.sum || whole.broken != pieces.broken)
        abort();
    return 0;
}
