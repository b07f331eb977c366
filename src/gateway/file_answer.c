/* SPDX-License-Identifier: MIT */
#include "gateway/file_answer.h"

#include "gateway/content_disposition.h"
#include "gateway/range.h"

/* ---- what the client has, and what it wants ---- */

static struct slice header(const struct call *c, const char *name)
{
    return call_param(c, name)->text;
}

/* RFC 9110 13.2.2: the date counts only where no tag was sent. */
static bool client_has_it(const struct call *c, const struct file_answer *f)
{
    int64_t date;
    if (call_param(c, FILE_HEADER_IF_NONE_MATCH)->present)
        return etag_listed(header(c, FILE_HEADER_IF_NONE_MATCH), f->etag);
    return f->modified > 0 && http_date_parse(header(c, FILE_HEADER_IF_MODIFIED_SINCE), &date) &&
           f->modified <= date;
}

static enum range_status wanted_range(const struct call *c, const struct file_answer *f,
                                      struct byte_range *out)
{
    struct slice range = header(c, FILE_HEADER_RANGE);
    bool other_file = call_param(c, FILE_HEADER_IF_RANGE)->present &&
                      !if_range_holds(header(c, FILE_HEADER_IF_RANGE), f->etag, f->modified);
    /* Ranges are defined for GET alone. */
    if (c->head_only || other_file)
        range = (struct slice){0};
    return range_parse(range, f->place.size, out);
}

/* ---- headers ---- */

static void add_text(struct call *c, const char *name, const char *value)
{
    call_header_add(c, name, slice_str(value));
}

static void add_validators(struct call *c, const struct file_answer *f)
{
    char date[HTTP_DATE_SIZE];
    call_header_add(c, "ETag", f->etag);
    if (f->modified > 0) {
        http_date_write(f->modified, date);
        add_text(c, "Last-Modified", date);
    }
    add_text(c, "Cache-Control", f->caching);
    add_text(c, "Vary", "X-Session-String");
}

static void add_content(struct call *c, const struct file_answer *f)
{
    struct buf disposition;
    buf_init(&disposition, 0);
    content_disposition_write(&disposition, mime_is_inline(f->mime), f->name);
    call_header_add(c, "Content-Disposition", buf_slice(&disposition));
    buf_free(&disposition);
    add_text(c, "X-Content-Type-Options", "nosniff");
    add_text(c, "Accept-Ranges", "bytes");
    c->content_type = arena_strdup(c->arena, f->mime);
}

static void fail_range(struct call *c, const struct file_answer *f)
{
    add_text(c, "Content-Range", arena_printf(c->arena, "bytes */%lld", (long long)f->place.size));
    call_fail(c, 416, "RANGE_NOT_SATISFIABLE", "The file has %lld bytes", (long long)f->place.size);
    c->error.field = FILE_HEADER_RANGE;
}

static bool begin(struct call *c, const struct file_answer *f, enum range_status status,
                  struct byte_range r)
{
    add_validators(c, f);
    add_content(c, f);
    if (status == RANGE_PART)
        add_text(c, "Content-Range",
                 arena_printf(c->arena, "bytes %lld-%lld/%lld", (long long)r.from,
                              (long long)r.to - 1, (long long)f->place.size));
    return call_stream_begin(c, status == RANGE_PART ? 206 : 200, r.to - r.from);
}

/* ---- bytes ---- */

static void send_download(struct call *c, const struct file_answer *f, enum range_status status,
                          struct byte_range r)
{
    struct slice bytes;
    struct download *d = download_begin(c, &f->place, f->renew, f->arg, r.from, r.to);
    if (!d)
        return;
    if (begin(c, f, status, r)) {
        while (download_read(d, &bytes) && bytes.len > 0 && call_stream_write(c, bytes))
            ;
    }
    download_free(d);
}

bool file_answer_unchanged(struct call *c, const struct file_answer *f)
{
    if (!client_has_it(c, f))
        return false;
    add_validators(c, f);
    c->content_type =
        NULL; /* a cache would take it for the stored one's, and here it may be a guess */
    c->status = 304;
    return true;
}

void file_answer_send(struct call *c, const struct file_answer *f)
{
    struct byte_range r;
    if (file_answer_unchanged(c, f))
        return;
    enum range_status status = wanted_range(c, f, &r);
    if (status == RANGE_UNSATISFIABLE) {
        fail_range(c, f);
    } else if (c->head_only) {
        (void)begin(c, f, status, r);
    } else if (f->place.location) {
        send_download(c, f, status, r);
    } else if (begin(c, f, status, r)) {
        struct slice part = slice_of(f->bytes.data + r.from, (size_t)(r.to - r.from));
        if (!call_stream_write(c, part))
            return; /* nobody is left to be told */
    }
}
