/* SPDX-License-Identifier: MIT
 * One side of a link played by the test: what the session under test sent is listed message by
 * message, and any message can be sent to it. */
#ifndef TGREST_TESTS_MTPROTO_SCRIPT_H
#define TGREST_TESTS_MTPROTO_SCRIPT_H

#include <zlib.h>

#include "link.h"
#include "mtproto/service.h"

enum { HEARD_MAX = 1200 };

struct heard {
    uint64_t msg_id;
    uint64_t container_id; /* 0 = none */
    uint64_t salt;
    uint64_t session_id;
    uint32_t seq_no;
    struct buf body;
};

struct script {
    struct pair p;
    struct heard heard[HEARD_MAX];
    size_t n_heard;
    uint64_t session_id;
    struct msg_id_source ids; /* of the side that the test plays */
};

static inline void hear(struct script *s, bool from_server, uint8_t *frame, size_t len)
{
    struct mt_message m;
    struct inbox in;
    struct incoming one;
    assert_true(mt_open(&s->p.key, s->p.digests, from_server, frame, len, &m));
    assert_true(inbox_open(&in, m.msg_id, m.seq_no, m.body));
    s->session_id = m.session_id;
    while (inbox_next(&in, &one)) {
        assert_true(s->n_heard < HEARD_MAX);
        struct heard *h = &s->heard[s->n_heard++];
        *h = (struct heard){.msg_id = one.msg_id,
                            .container_id = in.container ? m.msg_id : 0,
                            .salt = m.salt,
                            .session_id = m.session_id,
                            .seq_no = one.seq_no};
        buf_init(&h->body, 0);
        buf_append(&h->body, one.body.data, one.body.len);
    }
}

static inline void forget_heard(struct script *s)
{
    while (s->n_heard > 0)
        buf_free(&s->heard[--s->n_heard].body);
}

/* The first message heard with that constructor, behind any prefix of a call; NULL if none. */
static inline const struct heard *heard_id(const struct script *s, uint32_t id)
{
    for (size_t i = 0; i < s->n_heard; i++)
        if (body_id(buf_slice(&s->heard[i].body)) == id)
            return &s->heard[i];
    return NULL;
}

static inline const struct heard *heard_call(const struct script *s, uint32_t tag)
{
    for (size_t i = 0; i < s->n_heard; i++)
        if (query_tag(buf_slice(&s->heard[i].body)) == tag)
            return &s->heard[i];
    return NULL;
}

static inline struct buf gzip_of(struct slice plain)
{
    struct buf packed, b;
    z_stream z = {.next_in = (Bytef *)(uintptr_t)plain.data, .avail_in = (uInt)plain.len};
    buf_init(&packed, 0);
    buf_init(&b, 0);
    z.next_out = buf_extend(&packed, plain.len + 100);
    z.avail_out = (uInt)plain.len + 100;
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    tl_write_u32(&b, MT_GZIP_PACKED);
    tl_write_bytes(&b, slice_of(packed.data, z.total_out));
    deflateEnd(&z);
    buf_free(&packed);
    return b;
}

/* Little-endian words of a body: W(0x7abe77ec, 1, 0) */
#define WORDS(...)                                                                                 \
    slice_of((const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}))
#define LOW(id)  ((uint32_t)(id))
#define HIGH(id) ((uint32_t)((uint64_t)(id) >> 32))
#define LONG(id) LOW(id), HIGH(id)

#endif
