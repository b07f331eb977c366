/* SPDX-License-Identifier: MIT
 * Downloads: parts of one size are asked for ahead of the reader, who gets them in order. */
#include "gateway/errors.h"
#include "gateway/gateway.h"
#include "gateway/invoke.h"
#include "gateway/other_dc.h"
#include "gateway/parts.h"
#include "telegram/names.h"

enum {
    PART_BYTES_MIN = 4096, /* Telegram's rule: powers of two from here on lie within one MiB */
    RENEWALS_MAX = 3,      /* of the file reference, without a part in between */
    MOVES_MAX = 3,         /* to another data centre, or to another key there; the same */
};

struct download {
    struct call *call;
    struct parts parts;
    struct file_place place;
    file_place_renew renew;
    void *arg;
    unsigned renewals;
    unsigned moves;
    struct arena scratch; /* a query's or an answer's tree, used up at once */
    int64_t from, to;     /* bytes; to = INT64_MAX: to the end, wherever it is */
    int64_t part_bytes;
    int64_t asked; /* numbers of parts: the next to ask for, … */
    int64_t read;  /* … to be read, … */
    int64_t end;   /* … and the first that is not wanted */
    bool reading;  /* the reader has the bytes of the part before `read` */
};

static struct download *download_of(struct part *part)
{
    return LIST_OWNER(part->parts, struct download, parts);
}

/* ---- one part ---- */

static bool part_query(struct part *part, struct slice *query, bool *borrowed)
{
    struct download *d = download_of(part);
    struct call *c = d->call;
    arena_reset(&d->scratch);
    struct tl_builder b = tl_builder_of(c->schema, &d->scratch);
    struct tl_object *o = tl_new(&b, C_upload_getFile);
    if (!o) {
        call_fail(c, 501, "METHOD_UNAVAILABLE", "The loaded schema lacks the download of files.");
        return false;
    }
    tl_set_obj(o, F_location, d->place.location);
    tl_set_int(o, F_offset, part->number * d->part_bytes);
    tl_set_int(o, F_limit, d->part_bytes);
    *borrowed = false;
    if (!call_write_query(c, o, &c->worker->query))
        return false;
    *query = buf_slice(&c->worker->query);
    return true;
}

static bool take_answer(struct part *part, struct slice body)
{
    struct download *d = download_of(part);
    struct tl_reader r = tl_reader_of(body);
    arena_reset(&d->scratch);
    const struct tl_object *file =
        tl_read_object(d->call->schema, &r, &d->scratch, (struct tl_limits){0});
    struct slice bytes = tl_text(file, F_bytes);
    if (!tl_is(file, C_upload_file) || bytes.len > (size_t)d->part_bytes)
        return false;
    if (bytes.len > 0)
        memcpy(part->memory + PART_HEAD_MAX, bytes.data, bytes.len);
    part->len = bytes.len;
    d->renewals = 0;
    d->moves = 0;
    return true;
}

static enum part_mend renew_place(struct part *part)
{
    struct download *d = download_of(part);
    if (part->place != d->parts.place)
        return MEND_AGAIN; /* another part's refusal has brought a new one meanwhile */
    if (!d->renew || ++d->renewals > RENEWALS_MAX)
        return MEND_UNKNOWN;
    if (!d->renew(d->call, d->arg, &d->place))
        return MEND_FAILED;
    d->parts.place++;
    return MEND_AGAIN;
}

static bool at_home(const struct download *d)
{
    return d->place.dc == 0 || d->place.dc == d->call->session.dc;
}

/* To where the place is said to be. False: error set. */
static bool connect_to_place(struct download *d)
{
    struct upstream *u = at_home(d) ? parts_home(&d->parts) : call_other_dc(d->call, d->place.dc);
    if (u)
        parts_move(&d->parts, u);
    return u != NULL;
}

static enum part_mend move(struct part *part, int32_t dc)
{
    struct download *d = download_of(part);
    if (part->place != d->parts.place)
        return MEND_AGAIN; /* moved already */
    if (++d->moves > MOVES_MAX)
        return MEND_UNKNOWN;
    d->place.dc = dc;
    return connect_to_place(d) ? MEND_AGAIN : MEND_FAILED;
}

/* Over there the account can be brought again. */
static enum part_mend replace_key(struct part *part)
{
    struct download *d = download_of(part);
    if (at_home(d))
        return MEND_UNKNOWN;
    if (part->place == d->parts.place)
        call_other_dc_forget(d->call, d->place.dc);
    return move(part, d->place.dc);
}

/* The account has another home now; the file is where it was, or FILE_MIGRATE says where. */
static enum part_mend follow_account(struct part *part, int32_t dc)
{
    struct download *d = download_of(part);
    if (part->place != d->parts.place)
        return MEND_AGAIN;
    if (++d->moves > MOVES_MAX || !dc_find(&d->call->gateway->dcs, dc))
        return MEND_UNKNOWN;
    return parts_move_home(&d->parts, dc) && connect_to_place(d) ? MEND_AGAIN : MEND_FAILED;
}

static enum part_mend mend(struct part *part, struct slice error)
{
    const struct download *d = download_of(part);
    int64_t number;
    if (slice_starts_with(error, "FILE_REFERENCE_"))
        return renew_place(part);
    if (slice_is(error_base(error, &number), "FILE_MIGRATE") && number > 0 && number <= INT16_MAX)
        return move(part, (int32_t)number);
    if (error_migrate_dc(error) > 0 && at_home(d))
        return follow_account(part, error_migrate_dc(error));
    /* The key of a former home may be taken for one that still is at home there. */
    bool useless = error_migrate_dc(error) > 0 || error_is_dead_key(error);
    return useless ? replace_key(part) : MEND_UNKNOWN;
}

static const struct parts_kind kind = {.query = part_query, .take = take_answer, .mend = mend};

/* ---- the window ---- */

static bool ask_ahead(struct download *d)
{
    int64_t ahead = d->read + TRANSFER_PARTS_IN_FLIGHT;
    for (; d->asked < d->end && d->asked < ahead; d->asked++) {
        struct part *part = parts_find(&d->parts, PART_FREE);
        if (!part)
            break;
        if (!part_memory(part))
            return false;
        part->number = d->asked;
        part->state = PART_DUE;
    }
    return parts_settle(&d->parts);
}

static struct part *part_numbered(struct download *d, int64_t number)
{
    for (size_t i = 0; i < PARTS_MAX; i++) {
        struct part *part = &d->parts.items[i];
        if (part->state != PART_FREE && part->number == number)
            return part;
    }
    return NULL;
}

/* The part that is to be read next, arrived. NULL: error set. */
static struct part *next_part(struct download *d)
{
    if (!ask_ahead(d))
        return NULL;
    struct part *part = part_numbered(d, d->read);
    while (part && part->state != PART_DONE) {
        if (!parts_wait(&d->parts))
            return NULL;
    }
    return part;
}

/* The file ends in this part: what was asked for behind it is not there. */
static bool end_with(struct download *d, const struct part *last)
{
    int64_t file_end = last->number * d->part_bytes + (int64_t)last->len;
    for (size_t i = 0; i < PARTS_MAX; i++) {
        if (d->parts.items[i].number > last->number)
            part_drop(&d->parts.items[i]);
    }
    d->end = last->number + 1;
    d->asked = d->end;
    if (d->place.size >= 0 && file_end < d->to)
        call_fail(d->call, 502, "UPSTREAM_BROKEN", "The file is shorter than Telegram said.");
    return !call_failed(d->call);
}

static struct slice wanted_bytes(const struct download *d, const struct part *part)
{
    int64_t begin = part->number * d->part_bytes;
    int64_t end = begin + (int64_t)part->len;
    int64_t from = d->from > begin ? d->from : begin;
    int64_t to = d->to < end ? d->to : end;
    if (from >= to)
        return (struct slice){0};
    return slice_of(part->memory + PART_HEAD_MAX + (from - begin), (size_t)(to - from));
}

/* ---- the contract ---- */

/* The smallest parts that give a short range in one piece; the largest for all others. */
static int64_t choose_part_bytes(int64_t from, int64_t to)
{
    int64_t bytes = PART_BYTES_MIN;
    while (bytes < TRANSFER_PART_BYTES && from / bytes != (to - 1) / bytes)
        bytes *= 2;
    return bytes;
}

static void set_range(struct download *d, int64_t from, int64_t to)
{
    if (d->place.size >= 0 && to > d->place.size)
        to = d->place.size;
    d->from = from;
    d->to = to;
    d->part_bytes = choose_part_bytes(from, to);
    d->read = d->asked = from / d->part_bytes;
    d->end = from < to ? (to - 1) / d->part_bytes + 1 : d->read;
}

struct download *download_begin(struct call *c, const struct file_place *place,
                                file_place_renew renew, void *arg, int64_t from, int64_t to)
{
    struct download *d = call_failed(c) ? NULL : arena_alloc(c->arena, sizeof *d);
    if (!d) {
        call_fail(c, 503, "OUT_OF_MEMORY", "The gateway is out of memory.");
        return NULL;
    }
    *d = (struct download){.call = c, .place = *place, .renew = renew, .arg = arg};
    arena_init(&d->scratch, 0);
    set_range(d, from, to);
    parts_init(&d->parts, c, &kind);
    if (d->read < d->end && (!connect_to_place(d) || !next_part(d))) {
        download_free(d);
        return NULL;
    }
    return d;
}

bool download_read(struct download *d, struct slice *bytes)
{
    *bytes = (struct slice){0};
    if (d->reading)
        part_drop(part_numbered(d, d->read++));
    d->reading = false;
    if (d->read >= d->end)
        return !call_failed(d->call);
    struct part *part = next_part(d);
    if (!part || ((int64_t)part->len < d->part_bytes && !end_with(d, part)))
        return false;
    d->reading = true;
    *bytes = wanted_bytes(d, part);
    return true;
}

void download_free(struct download *d)
{
    if (!d)
        return;
    parts_end(&d->parts);
    arena_free(&d->scratch);
}
