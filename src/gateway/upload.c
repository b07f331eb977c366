/* SPDX-License-Identifier: MIT
 * Uploads: the file is cut into parts as it comes, and each is sent when the next has begun, so
 * that the last one is known as such: it carries the number of parts.
 *
 * Telegram takes parts at any data centre, but they are of use only at the account's home, and
 * where that is it tells to requests that work nowhere else. So one goes in front of the first
 * part, and until it is answered no part is let go: if the account has moved, all are sent again
 * there. */
#include "gateway/errors.h"
#include "gateway/gateway.h"
#include "gateway/invoke.h"
#include "gateway/parts.h"
#include "gateway/upload_limit.h"
#include "telegram/login.h"
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
    struct upstream_call home_call;
    int32_t moved_to; /* what it told: another data centre; 0 = none */
    bool asking_home;
    bool dropped; /* of a part that was saved the bytes are gone: it cannot be sent elsewhere */
    bool limit_asked;
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
    (void)part;
    return body.len == 4 && load_le32(body.data) == TL_ID_BOOL_TRUE;
}

/* ---- the account's home ---- */

static void on_home_told(struct upstream_call *rpc)
{
    struct upload *u = LIST_OWNER(rpc, struct upload, home_call);
    u->asking_home = false;
    u->moved_to = rpc->outcome == UPSTREAM_ERROR ? error_migrate_dc(rpc->text) : 0;
    task_ready(task_of(u->call));
}

/* What else it may be refused for the parts will meet themselves. */
static bool ask_home(struct upload *u)
{
    struct call *c = u->call;
    struct buf *query = &c->worker->query;
    struct tl_builder b = tl_builder_of(c->schema, &u->scratch);
    const struct tl_object *self = request_self(&b);
    if (!self)
        return true;
    if (!call_write_query(c, self, query))
        return false;
    u->home_call = (struct upstream_call){.done = on_home_told};
    u->asking_home = true;
    if (!upstream_call_start(u->parts.upstream, buf_slice(query), CALL_REPEATABLE, &u->home_call))
        u->asking_home = false;
    return true;
}

static void stop_asking_home(struct upload *u)
{
    if (u->asking_home)
        upstream_call_cancel(&u->home_call);
    u->asking_home = false;
    u->moved_to = 0;
}

/* All parts are due over there; those that are gone are not there to be sent. */
static bool follow_home(struct upload *u, int32_t dc)
{
    stop_asking_home(u);
    if (!parts_move_home(&u->parts, dc))
        return false;
    if (u->dropped) {
        upload_fail_moved(u->call);
        return false;
    }
    for (size_t i = 0; i < PARTS_MAX; i++)
        if (u->parts.items[i].state == PART_DONE)
            u->parts.items[i].state = PART_DUE;
    return true;
}

static bool settle(struct upload *u)
{
    return (u->moved_to == 0 || follow_home(u, u->moved_to)) && parts_settle(&u->parts);
}

static enum part_mend mend(struct part *part, struct slice error)
{
    struct upload *u = upload_of(part);
    int32_t dc = error_migrate_dc(error);
    if (dc != 0 && part->place != u->parts.place)
        return MEND_AGAIN; /* moved already */
    if (dc == 0 || ++u->moves > MOVES_MAX)
        return MEND_UNKNOWN;
    return follow_home(u, dc) ? MEND_AGAIN : MEND_FAILED;
}

static const struct parts_kind kind = {.query = part_query, .take = take_answer, .mend = mend};

/* ---- the window ---- */

/* Lets go what was saved. How many are held still. */
static size_t parts_held(struct upload *u)
{
    size_t n = 0;
    for (size_t i = 0; i < PARTS_MAX; i++) {
        struct part *part = &u->parts.items[i];
        if (part->state == PART_DONE && !u->asking_home && u->moved_to == 0) {
            part->state = PART_FREE;
            u->dropped = true;
        }
        n += part->state != PART_FREE && part->state != PART_FILLING;
    }
    return n;
}

/* Waits until at most that many parts are on their way. */
static bool wait_for_parts(struct upload *u, size_t n_max)
{
    while (settle(u)) {
        if (parts_held(u) <= n_max)
            return true;
        if (!task_wait(task_of(u->call)))
            return false;
    }
    return false;
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
        if (ask_home(u))
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
    return settle(u);
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

void upload_fail_moved(struct call *c)
{
    call_fail(
        c, 503, "ACCOUNT_MOVED",
        "The account moved to another data centre while the file was on its way. Send it again "
        "with the new session string.");
}

int64_t upload_bytes(const struct upload *u)
{
    return u->bytes;
}

void upload_free(struct upload *u)
{
    if (!u)
        return;
    stop_asking_home(u);
    parts_end(&u->parts);
    arena_free(&u->scratch);
}
