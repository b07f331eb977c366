/* SPDX-License-Identifier: MIT
 * Any bytes as a form: whole and in pieces it must tell the same, lose no byte, and end. */
#include <stdlib.h>

#include "http/multipart.h"

enum { PARTS_MAX = 8 };

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_part(const struct multipart *m)
{
    const struct multipart_part *p = &m->part;
    check(slice_is_utf8(p->name) && slice_is_utf8(p->file_name));
    check(p->has_file_name || p->file_name.len == 0);
    check(m->parts <= PARTS_MAX && m->head_len <= MULTIPART_HEAD_MAX);
    check(p->content_type.len == 0 || !memchr(p->content_type.data, '\n', p->content_type.len));
}

/* What was told, in a form that does not depend on where pieces were cut. */
static void tell(struct buf *log, const struct multipart *m, enum multipart_event event,
                 struct slice data)
{
    const struct multipart_part *p = &m->part;
    if (event == MULTIPART_PART) {
        check_part(m);
        buf_printf(log, "[%zu %zu %d]", p->name.len, p->file_name.len, p->latin1);
        buf_append(log, p->name.data, p->name.len);
        buf_append(log, p->file_name.data, p->file_name.len);
        buf_append(log, p->content_type.data, p->content_type.len);
    } else if (event == MULTIPART_DATA) {
        check(data.len > 0);
        buf_append(log, data.data, data.len);
    } else {
        check(event != MULTIPART_REFUSED || m->reason != NULL);
        buf_printf(log, "<%d>", event);
    }
}

/* The last thing told before the bytes were used up. */
static enum multipart_event run(struct slice type, struct slice body, size_t step, struct buf *log)
{
    struct multipart m;
    enum multipart_event event = MULTIPART_MORE, last = MULTIPART_MORE;
    if (multipart_begin(&m, type, PARTS_MAX) != MULTIPART_TYPE_OK)
        return MULTIPART_REFUSED;
    for (size_t at = 0; at < body.len && last < MULTIPART_END; at += step) {
        struct slice input = slice_of(body.data + at, body.len - at < step ? body.len - at : step);
        struct slice data;
        while ((event = multipart_next(&m, &input, &data)) != MULTIPART_MORE) {
            tell(log, &m, event, data);
            last = event;
            if (last >= MULTIPART_END)
                break;
        }
        check(last >= MULTIPART_END || input.len == 0);
    }
    return last;
}

/* The input as one part's data, unless it holds the boundary: not a byte may be lost. */
static void check_data(struct slice bytes, size_t step)
{
    static const char type[] = "multipart/form-data; boundary=\"--x\"";
    static const char head[] = "----x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
    struct buf body, log, expected;
    if (memmem(bytes.data, bytes.len, "----x", 5))
        return;
    buf_init(&body, 0);
    buf_init(&log, 0);
    buf_init(&expected, 0);
    buf_append_str(&body, head);
    buf_append(&body, bytes.data, bytes.len);
    buf_append_str(&body, "\r\n----x--");
    buf_append_str(&expected, "[1 0 0]a");
    buf_append(&expected, bytes.data, bytes.len);
    buf_printf(&expected, "<%d><%d>", MULTIPART_PART_END, MULTIPART_END);
    check(run(slice_str(type), buf_slice(&body), step, &log) == MULTIPART_END);
    check(slice_eq(buf_slice(&log), buf_slice(&expected)));
    buf_free(&body);
    buf_free(&log);
    buf_free(&expected);
}

/* The first line is the Content-Type. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *lf = size ? memchr(data, '\n', size) : NULL;
    size_t line = lf ? (size_t)(lf - data) : 0;
    struct slice type = slice_of(data, line);
    struct slice body = lf ? slice_of(lf + 1, size - line - 1) : slice_of(data, size);
    size_t step = size ? 1 + data[size / 2] % 7 : 1;
    struct buf whole, pieces;
    buf_init(&whole, 0);
    buf_init(&pieces, 0);
    check(run(type, body, size + 1, &whole) == run(type, body, step, &pieces));
    check(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    check_data(body, step);
    buf_free(&whole);
    buf_free(&pieces);
    return 0;
}
