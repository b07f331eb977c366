/* SPDX-License-Identifier: MIT */
#include "mtproto/transport.h"

#include <sodium.h>
#include <zlib.h>

enum {
    HEADER_BYTES = 64,             /* of the obfuscated opening */
    FULL_OVERHEAD = 12,            /* length, sequence number, CRC */
    MESSAGE_BYTES_MIN = 16,        /* any shorter frame is an error, a quick ack or noise */
    PADDED_MESSAGE_BYTES_MIN = 20, /* there a 4-byte error may carry 15 bytes of padding */
    SEALED_HEADER_BYTES = 24,      /* what of a sealed message is not whole AES blocks */
    AES_BLOCK = 16,
    PADDING_SENT_MAX = 3,  /* every client and server copes with this little */
    ERROR_CODE_MIN = -999, /* below: a quick ack token, whose top bit is set */
    QUICK_ACK_MARK = -1,   /* some servers put it before the token */
};

#define TAG_ABRIDGED     0xefefefefu
#define TAG_INTERMEDIATE 0xeeeeeeeeu
#define TAG_PADDED       0xddddddddu
#define TOP_BIT          0x80000000u

static uint32_t kind_tag(enum transport_kind kind)
{
    switch (kind) {
    case TRANSPORT_ABRIDGED:
        return TAG_ABRIDGED;
    case TRANSPORT_INTERMEDIATE:
        return TAG_INTERMEDIATE;
    case TRANSPORT_PADDED:
        return TAG_PADDED;
    default:
        return 0;
    }
}

static enum transport_kind tag_kind(uint32_t tag)
{
    switch (tag) {
    case TAG_ABRIDGED:
        return TRANSPORT_ABRIDGED;
    case TAG_INTERMEDIATE:
        return TRANSPORT_INTERMEDIATE;
    case TAG_PADDED:
        return TRANSPORT_PADDED;
    default:
        return TRANSPORT_UNKNOWN;
    }
}

/* ---- openings ---- */

/* First words of other protocols and of the plain transports, which an obfuscated header must not
 * look like: HEAD, POST, "GET ", OPTI, a TLS record, and the two tags. */
static bool is_reserved_word(uint32_t word)
{
    static const uint32_t words[] = {0x44414548, 0x54534f50, 0x20544547,      0x4954504f,
                                     0x02010316, TAG_PADDED, TAG_INTERMEDIATE};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (word == words[i])
            return true;
    return false;
}

static void make_obfuscated_header(const struct transport *t, struct rng *rng,
                                   uint8_t header[static HEADER_BYTES])
{
    do
        rng_fill(rng, header, HEADER_BYTES);
    while (header[0] == (TAG_ABRIDGED & 0xff) || is_reserved_word(load_le32(header)) ||
           load_le32(header + 4) == 0);
    store_le32(header + 56, kind_tag(t->kind));
    header[60] = (uint8_t)t->dc;
    header[61] = (uint8_t)((uint16_t)t->dc >> 8);
}

/* What a proxy's clients have in common with it. */
struct proxy_secret {
    const uint8_t *bytes; /* TRANSPORT_SECRET_BYTES */
    struct digests *digests;
};

static struct aes_ctr *new_stream(const uint8_t header[static HEADER_BYTES],
                                  const struct proxy_secret *secret)
{
    uint8_t key[SHA256_BYTES];
    if (!secret)
        return aes_ctr_new(header + 8, header + 40);
    const struct slice parts[] = {{header + 8, sizeof key},
                                  {secret->bytes, TRANSPORT_SECRET_BYTES}};
    sha256(secret->digests, parts, 2, key);
    struct aes_ctr *stream = aes_ctr_new(key, header + 40);
    sodium_memzero(key, sizeof key);
    return stream;
}

/* Both streams are keyed by the header: the client's by it, the server's by it reversed. */
static bool start_streams(struct transport *t, const uint8_t header[static HEADER_BYTES],
                          const struct proxy_secret *secret)
{
    uint8_t reversed[HEADER_BYTES];
    for (size_t i = 0; i < HEADER_BYTES; i++)
        reversed[i] = header[HEADER_BYTES - 1 - i];
    struct aes_ctr *from_client = new_stream(header, secret);
    struct aes_ctr *from_server = new_stream(reversed, secret);
    sodium_memzero(reversed, sizeof reversed);
    t->decrypt = t->server ? from_client : from_server;
    t->encrypt = t->server ? from_server : from_client;
    t->obfuscated = true;
    return from_client && from_server;
}

static void write_obfuscated_opening(struct transport *t, const struct proxy_secret *secret,
                                     struct rng *rng, struct buf *out)
{
    uint8_t header[HEADER_BYTES];
    uint8_t sent[HEADER_BYTES];
    make_obfuscated_header(t, rng, header);
    if (!start_streams(t, header, secret)) {
        out->failed = true;
        return;
    }
    memcpy(sent, header, HEADER_BYTES);
    aes_ctr_xor(t->encrypt, sent, HEADER_BYTES);
    memcpy(sent, header, 56); /* only the tag and the data centre travel encrypted */
    buf_append(out, sent, HEADER_BYTES);
    sodium_memzero(header, sizeof header);
}

void transport_client_init(struct transport *t, enum transport_kind kind, bool obfuscated,
                           int16_t dc, struct rng *rng, struct buf *out)
{
    *t = (struct transport){.kind = kind, .dc = dc, .started = true};
    uint32_t tag = kind_tag(kind);
    if (kind == TRANSPORT_FULL)
        return;
    if (obfuscated)
        write_obfuscated_opening(t, NULL, rng, out);
    else
        buf_append(out, &tag, kind == TRANSPORT_ABRIDGED ? 1 : sizeof tag);
}

void transport_client_init_proxy(struct transport *t, enum transport_kind kind, int16_t dc,
                                 const uint8_t secret[static TRANSPORT_SECRET_BYTES],
                                 struct digests *digests, struct rng *rng, struct buf *out)
{
    const struct proxy_secret s = {secret, digests};
    *t = (struct transport){.kind = kind, .dc = dc, .started = true};
    write_obfuscated_opening(t, &s, rng, out);
}

void transport_server_init(struct transport *t)
{
    *t = (struct transport){.server = true};
}

void transport_free(struct transport *t)
{
    aes_ctr_free(t->decrypt);
    aes_ctr_free(t->encrypt);
    *t = (struct transport){.server = t->server};
}

/* The bytes of the opening that were taken; 0: more are needed, or *reason says why it is none. */
static size_t read_obfuscated_opening(struct transport *t, uint8_t *in, size_t len,
                                      const char **reason)
{
    if (len < HEADER_BYTES)
        return 0;
    if (!start_streams(t, in, NULL)) {
        *reason = "no memory";
        return 0;
    }
    aes_ctr_xor(t->decrypt, in, HEADER_BYTES);
    t->kind = tag_kind(load_le32(in + 56));
    t->dc = (int16_t)(in[60] | in[61] << 8);
    if (t->kind == TRANSPORT_UNKNOWN)
        *reason = "unknown protocol tag";
    return HEADER_BYTES;
}

static size_t read_opening(struct transport *t, uint8_t *in, size_t len, const char **reason)
{
    if (len >= 1 && in[0] == (TAG_ABRIDGED & 0xff)) {
        t->kind = TRANSPORT_ABRIDGED;
        t->started = true;
        return 1;
    }
    if (len < 4)
        return 0;
    uint32_t word = load_le32(in);
    size_t taken = 0;
    if (tag_kind(word) != TRANSPORT_UNKNOWN) {
        t->kind = tag_kind(word);
        taken = 4;
    } else if (is_reserved_word(word)) {
        *reason = "another protocol";
    } else if (len >= 8 && load_le32(in + 4) == 0) {
        t->kind = TRANSPORT_FULL; /* no opening: its first sequence number tells */
    } else {
        taken = read_obfuscated_opening(t, in, len, reason);
    }
    t->started = t->kind != TRANSPORT_UNKNOWN;
    return taken;
}

/* ---- frames in ---- */

/* Where the payload lies in the input, once the whole frame is there. */
struct frame {
    size_t start;
    size_t len;
    size_t end; /* 0: incomplete */
    bool top_bit;
};

static struct transport_event event_of(enum transport_event_type type)
{
    return (struct transport_event){.type = type};
}

static struct transport_event broken(const char *reason)
{
    return (struct transport_event){.type = TRANSPORT_BROKEN, .reason = reason};
}

static struct transport_event coded(enum transport_event_type type, uint32_t code)
{
    return (struct transport_event){.type = type, .code = (int32_t)code};
}

static bool is_error_code(int32_t code)
{
    return code < QUICK_ACK_MARK && code >= ERROR_CODE_MIN;
}

/* Of a payload from that side. */
static size_t frame_max(bool from_server)
{
    return from_server ? TRANSPORT_ANSWER_MAX : TRANSPORT_FRAME_MAX;
}

/* Each cut_* finds the frame at the front of in; an event of another type than TRANSPORT_FRAME says
 * what there is instead. */
static struct transport_event cut_full(struct transport *t, const uint8_t *in, size_t len,
                                       struct frame *f)
{
    if (len < 4)
        return event_of(TRANSPORT_NEED_MORE);
    uint32_t size = load_le32(in);
    if (!t->server && is_error_code((int32_t)size)) {
        f->end = 4;
        return coded(TRANSPORT_ERROR, size);
    }
    if (size < FULL_OVERHEAD || size > frame_max(!t->server) + FULL_OVERHEAD)
        return broken("frame length");
    if (len < size)
        return event_of(TRANSPORT_NEED_MORE);
    if (load_le32(in + 4) != t->seq_in)
        return broken("frame sequence number");
    if (crc32(0, in, (uInt)size - 4) != load_le32(in + size - 4))
        return broken("frame checksum");
    t->seq_in++;
    *f = (struct frame){.start = 8, .len = size - FULL_OVERHEAD, .end = size};
    return event_of(TRANSPORT_FRAME);
}

static struct transport_event cut_abridged(struct transport *t, const uint8_t *in, size_t len,
                                           struct frame *f)
{
    if (len < 1)
        return event_of(TRANSPORT_NEED_MORE);
    bool top_bit = (in[0] & 0x80) != 0;
    if (top_bit && !t->server) {
        if (len < 4)
            return event_of(TRANSPORT_NEED_MORE);
        f->end = 4;
        return coded(TRANSPORT_QUICK_ACK, __builtin_bswap32(load_le32(in)));
    }
    size_t words = in[0] & 0x7f;
    size_t start = 1;
    if (words == 0x7f) {
        if (len < 4)
            return event_of(TRANSPORT_NEED_MORE);
        words = load_le32(in) >> 8;
        start = 4;
    }
    if (words * 4 > frame_max(!t->server))
        return broken("frame length");
    if (len < start + words * 4)
        return event_of(TRANSPORT_NEED_MORE);
    *f = (struct frame){start, words * 4, start + words * 4, top_bit};
    return event_of(TRANSPORT_FRAME);
}

static struct transport_event cut_intermediate(struct transport *t, const uint8_t *in, size_t len,
                                               struct frame *f)
{
    if (len < 4)
        return event_of(TRANSPORT_NEED_MORE);
    uint32_t word = load_le32(in);
    bool top_bit = (word & TOP_BIT) != 0;
    if (top_bit && !t->server) {
        f->end = 4;
        return coded(TRANSPORT_QUICK_ACK, word);
    }
    size_t size = word & ~TOP_BIT;
    if (size > frame_max(!t->server))
        return broken("frame length");
    if (len - 4 < size)
        return event_of(TRANSPORT_NEED_MORE);
    *f = (struct frame){4, size, 4 + size, top_bit};
    return event_of(TRANSPORT_FRAME);
}

static struct transport_event cut_frame(struct transport *t, const uint8_t *in, size_t len,
                                        struct frame *f)
{
    switch (t->kind) {
    case TRANSPORT_FULL:
        return cut_full(t, in, len, f);
    case TRANSPORT_ABRIDGED:
        return cut_abridged(t, in, len, f);
    default:
        return cut_intermediate(t, in, len, f);
    }
}

/* What a frame too short for a message says; NEED_MORE = nothing that matters. */
static struct transport_event read_short(const struct transport *t, const uint8_t *p, size_t len)
{
    if (t->server || len < 4)
        return event_of(TRANSPORT_NEED_MORE);
    int32_t code = (int32_t)load_le32(p);
    if (code == QUICK_ACK_MARK && len >= 8)
        return coded(TRANSPORT_QUICK_ACK, load_le32(p + 4));
    if (code < ERROR_CODE_MIN)
        return coded(TRANSPORT_QUICK_ACK, (uint32_t)code);
    bool padded = t->kind == TRANSPORT_PADDED;
    if (is_error_code(code) && (len == 4 || padded))
        return coded(TRANSPORT_ERROR, (uint32_t)code);
    return event_of(TRANSPORT_NEED_MORE);
}

/* Sealed messages say their length only inside, so the transport's padding goes here; plain ones
 * carry their own length and tolerate it. */
static size_t without_padding(const struct transport *t, const uint8_t *p, size_t len)
{
    if (t->kind != TRANSPORT_PADDED || len < SEALED_HEADER_BYTES || load_le64(p) == 0)
        return len;
    return len - (len - SEALED_HEADER_BYTES) % AES_BLOCK;
}

/* Skips what is to be ignored; *at moves behind the frame that the event is about. */
static struct transport_event next_event(struct transport *t, uint8_t *in, size_t len, size_t *at)
{
    size_t message_min = t->kind == TRANSPORT_PADDED ? PADDED_MESSAGE_BYTES_MIN : MESSAGE_BYTES_MIN;
    for (;;) {
        struct frame f = {0};
        struct transport_event e = cut_frame(t, in + *at, len - *at, &f);
        uint8_t *payload = in + *at + f.start;
        *at += f.end;
        if (e.type != TRANSPORT_FRAME)
            return e;
        if (f.len >= message_min) {
            e.payload = payload;
            e.len = without_padding(t, payload, f.len);
            e.quick_ack_wanted = f.top_bit;
            return e;
        }
        e = read_short(t, payload, f.len);
        if (e.type != TRANSPORT_NEED_MORE)
            return e;
    }
}

struct transport_event transport_read(struct transport *t, uint8_t *in, size_t len,
                                      size_t *consumed)
{
    size_t at = 0;
    *consumed = 0;
    if (!t->started) {
        const char *reason = NULL;
        at = read_opening(t, in, len, &reason);
        if (reason)
            return broken(reason);
        if (!t->started)
            return event_of(TRANSPORT_NEED_MORE);
        t->decrypted = at;
    }
    if (t->obfuscated && t->decrypted < len) {
        aes_ctr_xor(t->decrypt, in + t->decrypted, len - t->decrypted);
        t->decrypted = len;
    }
    struct transport_event e = next_event(t, in, len, &at);
    if (t->obfuscated)
        t->decrypted -= at;
    *consumed = at;
    return e;
}

/* ---- frames out ---- */

/* Bytes in front of the payload; abridged has its long form reserved. */
static size_t prefix_bytes(enum transport_kind kind)
{
    return kind == TRANSPORT_FULL ? 8 : 4;
}

size_t transport_frame_begin(struct transport *t, struct buf *out)
{
    size_t mark = out->len;
    buf_extend(out, prefix_bytes(t->kind));
    return mark;
}

static void end_full(struct transport *t, struct buf *out, size_t mark, size_t len)
{
    uint8_t *frame = out->data + mark;
    uint32_t size = (uint32_t)len + FULL_OVERHEAD;
    store_le32(frame, size);
    store_le32(frame + 4, t->seq_out);
    uint32_t crc = (uint32_t)crc32(0, frame, size - 4);
    buf_append(out, &crc, sizeof crc);
    if (!out->failed)
        t->seq_out++;
}

static void end_abridged(struct buf *out, size_t mark, size_t len, bool quick_ack)
{
    uint8_t *frame = out->data + mark;
    size_t words = len / 4;
    uint8_t top_bit = quick_ack ? 0x80 : 0;
    if (words >= 0x7f) {
        store_le32(frame, (uint32_t)words << 8 | 0x7f | top_bit);
        return;
    }
    frame[0] = (uint8_t)words | top_bit;
    memmove(frame + 1, frame + 4, len);
    out->len -= 3;
}

static void end_intermediate(const struct transport *t, struct buf *out, size_t mark, size_t len,
                             bool quick_ack, struct rng *rng)
{
    if (t->kind == TRANSPORT_PADDED && rng) {
        uint32_t noise = rng_u32(rng);
        size_t padding = (noise >> 24) % (PADDING_SENT_MAX + 1);
        buf_append(out, &noise, padding);
        len += padding;
    }
    if (!out->failed)
        store_le32(out->data + mark, (uint32_t)len | (quick_ack ? TOP_BIT : 0));
}

static void obfuscate_from(struct transport *t, struct buf *out, size_t mark)
{
    if (t->obfuscated && !out->failed)
        aes_ctr_xor(t->encrypt, out->data + mark, out->len - mark);
}

void transport_frame_end(struct transport *t, struct buf *out, size_t mark, bool quick_ack,
                         struct rng *rng)
{
    size_t prefix = prefix_bytes(t->kind);
    if (!out->failed && out->len - mark - prefix > frame_max(t->server))
        out->failed = true;
    if (!out->failed) {
        size_t len = out->len - mark - prefix;
        if (t->kind == TRANSPORT_FULL)
            end_full(t, out, mark, len);
        else if (t->kind == TRANSPORT_ABRIDGED)
            end_abridged(out, mark, len, quick_ack);
        else
            end_intermediate(t, out, mark, len, quick_ack, rng);
    }
    if (out->failed && out->len > mark)
        out->len = mark;
    obfuscate_from(t, out, mark);
}

static void write_short(struct transport *t, struct buf *out, uint32_t value)
{
    size_t mark = transport_frame_begin(t, out);
    buf_append(out, &value, sizeof value);
    transport_frame_end(t, out, mark, false, NULL); /* without padding */
}

void transport_write_quick_ack(struct transport *t, struct buf *out, uint32_t token)
{
    uint32_t word = token | TOP_BIT;
    size_t mark = out->len;
    switch (t->kind) {
    case TRANSPORT_ABRIDGED:
        word = __builtin_bswap32(word);
        /* fall through */
    case TRANSPORT_INTERMEDIATE:
        buf_append(out, &word, sizeof word);
        obfuscate_from(t, out, mark);
        break;
    case TRANSPORT_PADDED:
        write_short(t, out, word);
        break;
    default:
        break; /* full has none */
    }
}

void transport_write_error(struct transport *t, struct buf *out, int32_t code)
{
    if (t->kind != TRANSPORT_UNKNOWN)
        write_short(t, out, (uint32_t)code);
}
