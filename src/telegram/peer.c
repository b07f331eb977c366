/* SPDX-License-Identifier: MIT
 * Peers as numbers, as TL objects, and as the payload of an opaque ref. */
#include "telegram/peer.h"

/* https://core.telegram.org/api/bots/ids: users reach 2^40 - 1, basic groups -999999999999,
 * channels, supergroups and monoforums -4000000000000. */
#define CHANNEL_MARK   1000000000000LL
#define USER_ID_MAX    ((1LL << 40) - 1)
#define CHAT_ID_MAX    999999999999LL
#define CHANNEL_ID_MAX 3000000000000LL

int64_t peer_marked_id(enum peer_kind kind, int64_t id)
{
    switch (kind) {
    case PEER_USER:
        return id;
    case PEER_CHAT:
        return -id;
    case PEER_CHANNEL:
        return -CHANNEL_MARK - id;
    default:
        return 0;
    }
}

bool peer_from_marked(int64_t marked, enum peer_kind *kind, int64_t *id)
{
    if (marked > 0) {
        *kind = PEER_USER;
        *id = marked;
        return marked <= USER_ID_MAX;
    }
    if (marked >= -CHAT_ID_MAX) {
        *kind = PEER_CHAT;
        *id = -marked;
        return marked != 0;
    }
    if (marked < -CHANNEL_MARK - CHANNEL_ID_MAX)
        return false;
    *kind = PEER_CHANNEL;
    *id = -CHANNEL_MARK - marked;
    return *id > 0;
}

bool peer_usable(const struct peer_ref *p)
{
    if (p->kind == PEER_NONE)
        return false;
    return p->self || p->kind == PEER_CHAT || p->has_hash || p->origin.kind != PEER_NONE;
}

bool peer_same(const struct peer_ref *a, const struct peer_ref *b)
{
    return a->kind == b->kind && (a->id == b->id || (a->self && b->self));
}

/* ---- from TL ---- */

struct peer_ref peer_of_tl(const struct tl_object *peer)
{
    if (tl_is(peer, C_peerUser))
        return (struct peer_ref){.kind = PEER_USER, .id = tl_int(peer, F_user_id)};
    if (tl_is(peer, C_peerChat))
        return (struct peer_ref){.kind = PEER_CHAT, .id = tl_int(peer, F_chat_id)};
    if (tl_is(peer, C_peerChannel))
        return (struct peer_ref){.kind = PEER_CHANNEL, .id = tl_int(peer, F_channel_id)};
    return (struct peer_ref){0};
}

int64_t peer_marked_of_tl(const struct tl_object *peer)
{
    struct peer_ref p = peer_of_tl(peer);
    return peer_marked_id(p.kind, p.id);
}

static enum peer_kind kind_of_object(const struct tl_object *o)
{
    static const struct {
        uint16_t ctor;
        enum peer_kind kind;
    } kinds[] = {
        {C_user, PEER_USER},
        {C_userEmpty, PEER_USER},
        {C_chat, PEER_CHAT},
        {C_chatEmpty, PEER_CHAT},
        {C_chatForbidden, PEER_CHAT},
        {C_channel, PEER_CHANNEL},
        {C_channelForbidden, PEER_CHANNEL},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (tl_is(o, kinds[i].ctor))
            return kinds[i].kind;
    return PEER_NONE;
}

struct peer_ref peer_of_object(const struct tl_object *user_or_chat)
{
    enum peer_kind kind = kind_of_object(user_or_chat);
    if (kind == PEER_NONE)
        return (struct peer_ref){0};
    /* A min object's hash is good for fetching photos only. */
    bool has_hash = tl_has(user_or_chat, F_access_hash) && !tl_bool(user_or_chat, F_min);
    return (struct peer_ref){
        .kind = kind,
        .self = kind == PEER_USER && tl_bool(user_or_chat, F_self),
        .has_hash = has_hash,
        .broadcast = tl_bool(user_or_chat, F_broadcast),
        .id = tl_int(user_or_chat, F_id),
        .access_hash = has_hash ? tl_int(user_or_chat, F_access_hash) : 0,
    };
}

/* ---- to TL ---- */

static struct tl_object *hashed(struct tl_builder *b, uint16_t ctor, uint16_t f_id,
                                const struct peer_ref *p)
{
    struct tl_object *o = tl_new(b, ctor);
    tl_set_int(o, f_id, p->id);
    tl_set_int(o, F_access_hash, p->access_hash);
    return o;
}

static struct tl_object *chat_input(struct tl_builder *b, int64_t id)
{
    struct tl_object *o = tl_new(b, C_inputPeerChat);
    tl_set_int(o, F_chat_id, id);
    return o;
}

static struct tl_object *seen(struct tl_builder *b, uint16_t ctor, uint16_t f_id,
                              const struct peer_ref *p)
{
    struct peer_ref chat = {.kind = p->origin.kind,
                            .has_hash = true,
                            .id = p->origin.id,
                            .access_hash = p->origin.access_hash};
    struct tl_object *o = tl_new(b, ctor);
    tl_set_obj(o, F_peer, peer_to_input(b, &chat));
    tl_set_int(o, F_msg_id, p->origin.msg_id);
    tl_set_int(o, f_id, p->id);
    return o;
}

struct tl_object *peer_to_input(struct tl_builder *b, const struct peer_ref *p)
{
    if (!peer_usable(p))
        return NULL;
    if (p->self)
        return tl_new(b, C_inputPeerSelf);
    if (p->kind == PEER_CHAT)
        return chat_input(b, p->id);
    if (p->kind == PEER_USER)
        return p->has_hash ? hashed(b, C_inputPeerUser, F_user_id, p)
                           : seen(b, C_inputPeerUserFromMessage, F_user_id, p);
    return p->has_hash ? hashed(b, C_inputPeerChannel, F_channel_id, p)
                       : seen(b, C_inputPeerChannelFromMessage, F_channel_id, p);
}

struct tl_object *peer_to_input_user(struct tl_builder *b, const struct peer_ref *p)
{
    if (!peer_usable(p) || p->kind != PEER_USER)
        return NULL;
    if (p->self)
        return tl_new(b, C_inputUserSelf);
    return p->has_hash ? hashed(b, C_inputUser, F_user_id, p)
                       : seen(b, C_inputUserFromMessage, F_user_id, p);
}

struct tl_object *peer_to_input_channel(struct tl_builder *b, const struct peer_ref *p)
{
    if (!peer_usable(p) || p->kind != PEER_CHANNEL)
        return NULL;
    return p->has_hash ? hashed(b, C_inputChannel, F_channel_id, p)
                       : seen(b, C_inputChannelFromMessage, F_channel_id, p);
}

/* ---- payload ----
 * version (1) | bits: kind (2), self, has_hash, broadcast, origin kind (2) | id (8) | access_hash
 * (8, if has_hash) | origin id (8), origin hash (8), origin message (4), if there is an origin;
 * little-endian. */

enum { PAYLOAD_VERSION = 1, BIT_SELF = 4, BIT_HASH = 8, BIT_BROADCAST = 16, ORIGIN_SHIFT = 5 };

static size_t put(uint8_t *out, size_t at, int64_t v)
{
    store_le64(out + at, (uint64_t)v);
    return at + 8;
}

size_t peer_encode(const struct peer_ref *p, uint8_t out[static PEER_PAYLOAD_MAX])
{
    out[0] = PAYLOAD_VERSION;
    out[1] =
        (uint8_t)((unsigned)p->kind | (p->self ? BIT_SELF : 0u) | (p->has_hash ? BIT_HASH : 0u) |
                  (p->broadcast ? BIT_BROADCAST : 0u) | (unsigned)p->origin.kind << ORIGIN_SHIFT);
    size_t n = put(out, 2, p->id);
    if (p->has_hash)
        n = put(out, n, p->access_hash);
    if (p->origin.kind != PEER_NONE) {
        n = put(out, n, p->origin.id);
        n = put(out, n, p->origin.access_hash);
        store_le32(out + n, (uint32_t)p->origin.msg_id);
        n += 4;
    }
    return n;
}

/* Takes 8 bytes off the front; 0 and *short_input where there are fewer. */
static int64_t next(struct slice *s, bool *short_input)
{
    if (s->len < 8) {
        *short_input = true;
        return 0;
    }
    int64_t v = (int64_t)load_le64(s->data);
    *s = slice_of(s->data + 8, s->len - 8);
    return v;
}

bool peer_decode(struct slice payload, struct peer_ref *out)
{
    *out = (struct peer_ref){0};
    if (payload.len < 2 || payload.data[0] != PAYLOAD_VERSION)
        return false;
    unsigned bits = payload.data[1];
    struct slice rest = slice_of(payload.data + 2, payload.len - 2);
    bool bad = bits >> (ORIGIN_SHIFT + 2) != 0;
    struct peer_ref p = {.kind = (enum peer_kind)(bits & 3),
                         .self = bits & BIT_SELF,
                         .has_hash = bits & BIT_HASH,
                         .broadcast = bits & BIT_BROADCAST};
    p.id = next(&rest, &bad);
    if (p.has_hash)
        p.access_hash = next(&rest, &bad);
    p.origin.kind = (enum peer_kind)(bits >> ORIGIN_SHIFT & 3);
    if (p.origin.kind != PEER_NONE) {
        p.origin.id = next(&rest, &bad);
        p.origin.access_hash = next(&rest, &bad);
        if (rest.len == 4)
            p.origin.msg_id = (int32_t)load_le32(rest.data);
        bad |= rest.len != 4;
        rest.len = 0;
    }
    if (bad || rest.len != 0 || p.kind == PEER_NONE)
        return false;
    *out = p;
    return true;
}
