/* SPDX-License-Identifier: MIT */
#include "mtproto/service.h"

#include <stdlib.h>

#include "mtproto/ids.h"
#include "mtproto/outbox.h"

enum { MSG_IDS_CAP_MIN = 32 };

uint32_t body_id(struct slice body)
{
    return body.len < 4 ? 0 : load_le32(body.data);
}

static struct incoming read_item(struct tl_reader *r)
{
    struct incoming m = {.msg_id = tl_read_u64(r), .seq_no = tl_read_u32(r)};
    uint32_t len = tl_read_u32(r);
    if (len % 4 != 0)
        tl_fail(r, "length of a message in a container");
    m.body = tl_read_raw(r, len);
    return m;
}

bool inbox_open(struct inbox *in, uint64_t msg_id, uint32_t seq_no, struct slice body)
{
    if (body_id(body) != MT_MSG_CONTAINER) {
        *in = (struct inbox){.left = 1, .single = {msg_id, seq_no, body}};
        return true;
    }
    struct tl_reader r = tl_reader_of(body);
    tl_read_u32(&r);
    uint32_t n = tl_read_count(&r, CONTAINER_ITEM_BYTES);
    *in = (struct inbox){.r = r, .left = n, .container = true};
    if (n > CONTAINER_MESSAGES_MAX)
        tl_fail(&r, "messages in a container");
    for (uint32_t i = 0; i < n && !r.error; i++)
        if (body_id(read_item(&r).body) == MT_MSG_CONTAINER)
            tl_fail(&r, "container in a container");
    if (r.error)
        in->left = 0;
    return !r.error;
}

bool inbox_next(struct inbox *in, struct incoming *m)
{
    if (in->left == 0)
        return false;
    in->left--;
    *m = in->container ? read_item(&in->r) : in->single;
    return true;
}

void service_write_ids(struct buf *b, uint32_t ctor, const uint64_t *ids, size_t n)
{
    tl_write_u32(b, ctor);
    tl_write_u32(b, TL_ID_VECTOR);
    tl_write_u32(b, (uint32_t)n);
    buf_append(b, ids, n * sizeof *ids);
}

uint32_t service_read_ids(struct tl_reader *r)
{
    if (tl_read_u32(r) != TL_ID_VECTOR)
        tl_fail(r, "vector expected");
    uint32_t n = tl_read_count(r, sizeof(uint64_t));
    if (n > SERVICE_IDS_MAX)
        tl_fail(r, "too many msg_ids");
    return r->error ? 0 : n;
}

void msg_ids_add(struct msg_ids *l, uint64_t id)
{
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : MSG_IDS_CAP_MIN;
        uint64_t *ids = cap > SERVICE_IDS_MAX ? NULL : realloc(l->ids, cap * sizeof *ids);
        if (!ids)
            return;
        l->ids = ids;
        l->cap = cap;
    }
    l->ids[l->n++] = id;
}

void msg_ids_free(struct msg_ids *l)
{
    free(l->ids);
    *l = (struct msg_ids){0};
}
