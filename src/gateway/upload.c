/* SPDX-License-Identifier: MIT
 * Uploads: the file is cut into parts as it comes, and each is sent when the next has begun, so
 * that the last one is known as such: it carries the number of parts. */
#include "gateway/errors.h"
#include "gateway/gateway.h"
#include "gateway/invoke.h"
#include "gateway/parts.h"
#include "gateway/upload_limit.h"
#include "telegram/names.h"

enum {
    TL_LONG_BYTES = 254, /* from this length on, TL writes a length in four bytes */
    MOVES_MAX = 3,
};

struct upload {
    struct call *call;
    struct parts parts;
    struct part *filling; /* NULL: the next byte begins a part */
    struct arena scratch; /* a query's tree, while it is written */
    int64_t id;
    int64_t bytes;
    int64_t n_parts;   /* begun */
    int64_t parts_max; /* by what is known so far */
    unsigned moves;    /* of the account's home */
    bool limit_asked;
    bool any_saved;
    bool big;
    bool ended; /* n_parts is the whole */
};

static struct upload *upload_of(struct part *part)
{
    return LIST_OWNER(part->parts, struct upload, parts);
}

/* ---- a part's query: around its bytes, where they lie ---- */

static const struct tl_object *query_without_bytes(struct upload *u, const struct part *part)
{
    struct tl_builder b = tl_builder_of(u->call->schema, &u->scratch);
    struct tl_object *o = tl_new(&b, u->big ? C_upload_saveBigFilePart : C_upload_saveFilePart);
    if (!o)
        return NULL;
    tl_set_int(o, F_file_id, u->id);
    tl_set_int(o, F_file_part, part->number);
    if (u->big)
        tl_set_int(o, F_file_total_parts, u->ended ? u->n_parts : -1);
    tl_set_str(o, F_bytes, "");
    return o;
}

/* The length in front, the padding behind. The first byte of it all. */
static uint8_t *wrap_bytes(struct part *part, size_t *len)
{
    uint8_t *bytes = part->memory + PART_HEAD_MAX;
    size_t lead = part->len < TL_LONG_BYTES ? 1 : 4;
    uint8_t *first = bytes - lead;
    if (lead == 1)
        *first = (uint8_t)part->len;
    else
        store_le32(first, TL_LONG_BYTES | (uint32_t)part->len << 8);
    for (*len = lead + part->len; *len % 4 != 0; ++*len)
        first[*len] = 0;
    return first;
}

static bool part_query(struct part *part, struct slice *query, bool *borrowed)
{
    struct upload *u = upload_of(part);
    struct call *c = u->call;
    struct buf *head = &c->worker->query;
    arena_reset(&u->scratch);
    const struct tl_object *o = query_without_bytes(u, part);
    if (!o) {
        call_fail(c, 501, "METHOD_UNAVAILABLE", "The loaded schema lacks the upload of files.");
        return false;
    }
    if (!call_write_query(c, o, head))
        return false;
    size_t head_len = head->len - 4; /* without the empty bytes at its end */
    size_t len;
    uint8_t *first = wrap_bytes(part, &len) - head_len;
    if (first < part->memory) {
        call_fail(c, 501, "METHOD_UNAVAILABLE",
                  "The loaded schema uploads files in a way of its own.");
        return false;
    }
    memcpy(first, head->data, head_len);
    *query = slice_of(first, head_len + len);
    *borrowed = true;
    return true;
}

static bool take_answer(struct part *part, struct slice body)
{
    bool saved = body.len == 4 && load_le32(body.data) == TL_ID_BOOL_TRUE;
    struct upload *u = upload_of(part);
    u->any_saved = u->any_saved || saved;
    return saved;
}

/* An account that moved is followed as long as nothing was saved at its old home: parts are of use
 * only where they were sent to. */
static enum part_mend mend(struct part *part, struct slice error)
{
    struct upload *u = upload_of(part);
    int32_t dc = error_migrate_dc(error);
    if (dc == 0 || u->any_saved)
        return MEND_UNKNOWN;
    if (part->place != u->parts.place)
        return MEND_AGAIN; /* moved already */
    return ++u->moves <= MOVES_MAX && dc_find(&u->call->gateway->dcs, dc)
               ? parts_move_home(&u->parts, dc) ? MEND_AGAIN : MEND_FAILED
               : MEND_UNKNOWN;
}

static const struct parts_kind kind = {.query = part_query, .take = take_answer, .mend = mend};

/* ---- the window ---- */

/* Waits until at most that many parts are on their way. */
static bool wait_for_parts(struct upload *u, size_t n_max)
{
    for (;;) {
        size_t n = 0;
        for (size_t i = 0; i < PARTS_MAX; i++) {
            struct part *part = &u->parts.items[i];
            if (part->state == PART_DONE)
                part->state = PART_FREE;
            n += part->state != PART_FREE && part->state != PART_FILLING;
        }
        if (n <= n_max)
            return true;
        if (!parts_wait(&u->parts))
            return false;
    }
}

/* Telegram's limit is asked for only when it may matter: most files are far below. */
static bool fits(struct upload *u, int64_t n_parts)
{
    struct call *c = u->call;
    if (n_parts > u->parts_max && !u->limit_asked) {
        u->limit_asked = true;
        u->parts_max = upload_parts_max(c, n_parts);
    }
    if (n_parts > u->parts_max)
        upload_refuse(c, u->parts_max);
    return !call_failed(c);
}

/* The part that was filled goes. */
static bool end_part(struct upload *u)
{
    if (!wait_for_parts(u, TRANSFER_PARTS_IN_FLIGHT - 1))
        return false;
    u->filling->state = PART_DUE;
    u->filling = NULL;
    return true;
}

static bool begin_part(struct upload *u)
{
    struct part *part = parts_find(&u->parts, PART_FREE);
    if (!fits(u, u->n_parts + 1) || !part_memory(part))
        return false;
    part->state = PART_FILLING;
    part->number = u->n_parts++;
    part->tries = 0;
    part->len = 0;
    u->filling = part;
    return true;
}

/* ---- the contract ---- */

struct upload *upload_begin(struct call *c, int64_t bytes_max)
{
    struct upload *u = call_failed(c) ? NULL : arena_alloc(c->arena, sizeof *u);
    if (!u) {
        call_fail(c, 503, "OUT_OF_MEMORY", "The gateway is out of memory.");
        return NULL;
    }
    u->call = c;
    u->id = (int64_t)rng_u64(call_rng(c));
    u->big = bytes_max < 0 || bytes_max > SMALL_FILE_BYTES_MAX;
    u->parts_max = UPLOAD_PARTS_MAX_DEFAULT;
    arena_init(&u->scratch, 0);
    parts_init(&u->parts, c, &kind);
    struct upstream *home = parts_home(&u->parts);
    if (home) {
        parts_move(&u->parts, home);
        return u;
    }
    upload_free(u);
    return NULL;
}

bool upload_write(struct upload *u, struct slice bytes)
{
    while (bytes.len > 0) {
        if (u->filling && u->filling->len == TRANSFER_PART_BYTES && !end_part(u))
            return false;
        if (!u->filling && !begin_part(u))
            return false;
        struct part *part = u->filling;
        size_t room = TRANSFER_PART_BYTES - part->len;
        size_t n = bytes.len < room ? bytes.len : room;
        memcpy(part->memory + PART_HEAD_MAX + part->len, bytes.data, n);
        part->len += n;
        u->bytes += (int64_t)n;
        bytes = slice_of(bytes.data + n, bytes.len - n);
    }
    return parts_settle(&u->parts);
}

static const struct tl_object *input_file(struct upload *u, struct slice name)
{
    struct call *c = u->call;
    struct tl_object *file = tl_new(&c->b, u->big ? C_inputFileBig : C_inputFile);
    if (!file) {
        call_fail(c, 501, "METHOD_UNAVAILABLE", "The loaded schema lacks the upload of files.");
        return NULL;
    }
    tl_set_int(file, F_id, u->id);
    tl_set_int(file, F_parts, u->n_parts);
    tl_set_text(file, F_name, arena_copy(c->arena, name));
    tl_set_str(file, F_md5_checksum,
               ""); /* not checked then; the transport has checks of its own */
    return file;
}

const struct tl_object *upload_end(struct upload *u, struct slice name)
{
    if (u->bytes == 0) {
        call_fail(u->call, 400, "FILE_EMPTY", "The file is empty.");
        return NULL;
    }
    u->ended = true;
    if (!end_part(u) || !wait_for_parts(u, 0))
        return NULL;
    return input_file(u, name);
}

int64_t upload_bytes(const struct upload *u)
{
    return u->bytes;
}

void upload_free(struct upload *u)
{
    if (!u)
        return;
    parts_end(&u->parts);
    arena_free(&u->scratch);
}
