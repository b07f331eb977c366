/* SPDX-License-Identifier: MIT */
#include "gateway/form.h"

#include "gateway/route.h"
#include "http/multipart.h"
#include "http/server.h"

enum { EXTENSION_MAX = 16 /* bytes of ".tar.gz" and the like that a cut name keeps */ };

struct form {
    struct call *call;
    struct multipart parser;
    struct slice input; /* arrived, not parsed */
    struct slice held;  /* of the file: parsed, not read */
    int64_t arrived;
    bool in_file;
    bool ended;
    uint8_t seen[CALL_PARAMS_MAX]; /* how often fields were given, by their place in the table */
};

/* ---- events ---- */

/* The next thing that the body tells; waits for the client. False: error set. */
static bool next_event(struct form *f, enum multipart_event *event, struct slice *data)
{
    struct call *c = f->call;
    while ((*event = multipart_next(&f->parser, &f->input, data)) == MULTIPART_MORE) {
        if (!call_body_read(c, &f->input))
            return false;
        f->arrived += (int64_t)f->input.len;
        if (f->input.len == 0) {
            call_fail(c, 400, "MALFORMED_FORM", "The form ends without its last boundary");
            return false;
        }
    }
    if (*event == MULTIPART_REFUSED)
        call_fail(c, 400, "MALFORMED_FORM", "%s", f->parser.reason);
    return *event != MULTIPART_REFUSED;
}

struct form *form_new(struct call *c)
{
    struct form *f = arena_alloc(c->arena, sizeof *f);
    if (!f)
        return NULL;
    f->call = c;
    struct slice type = http_header_get(c->request, "Content-Type");
    switch (multipart_begin(&f->parser, type, FORM_PARTS_MAX)) {
    case MULTIPART_TYPE_OK:
        return f;
    case MULTIPART_TYPE_NO_BOUNDARY:
        call_fail(c, 400, "MALFORMED_FORM", "The Content-Type of the form names no valid boundary");
        break;
    case MULTIPART_TYPE_OTHER:
        call_fail(c, 415, "UNSUPPORTED_MEDIA_TYPE", "The body must be a multipart/form-data form");
        break;
    }
    return NULL;
}

/* ---- text fields ---- */

/* The part's, to be named in errors. */
static const char *field_name(const struct form *f)
{
    return arena_strdup(f->call->arena, f->parser.part.name);
}

/* The rest of the part; NULL: past it. */
static bool read_text(struct form *f, struct buf *text)
{
    struct slice data;
    enum multipart_event event;
    size_t total = 0;
    while (next_event(f, &event, &data) && event == MULTIPART_DATA) {
        total += data.len;
        if (total > FORM_FIELD_BYTES_MAX) {
            const char *name = field_name(f);
            call_fail_field(f->call, name, "%s is longer than %d bytes", name,
                            FORM_FIELD_BYTES_MAX);
            return false;
        }
        if (text)
            buf_append(text, data.data, data.len);
    }
    return !call_failed(f->call);
}

/* The place of the part's field in the table, or n_params. */
static size_t find_param(const struct form *f)
{
    const struct route *r = f->call->route;
    for (size_t i = 0; i < r->n_params; i++)
        if (r->params[i].place == PARAM_BODY && slice_is(f->parser.part.name, r->params[i].name))
            return i;
    return r->n_params;
}

static bool read_field(struct form *f, size_t index)
{
    struct call *c = f->call;
    struct buf text;
    buf_init(&text, FORM_FIELD_BYTES_MAX);
    bool ok = read_text(f, &text) && !text.failed &&
              param_from_text(c, &c->route->params[index], true,
                              arena_copy(c->arena, buf_slice(&text)), &c->params[index]);
    if (text.failed)
        call_fail(c, 503, "OUT_OF_MEMORY", "Out of memory; try again");
    buf_free(&text);
    return ok;
}

/* Files may come several times, where the table says how often. */
static bool refuse_repeated(struct form *f, size_t most)
{
    const char *name = field_name(f);
    if (most == 1)
        call_fail_field(f->call, name, "%s is given twice", name);
    else
        call_fail_field(f->call, name, "%s is given more than %zu times", name, most);
    return false;
}

static size_t count_max(const struct param *p)
{
    return p->type == PARAM_FILE && p->max > 1 ? (size_t)p->max : 1;
}

static bool refuse_file(struct form *f)
{
    const char *name = field_name(f);
    call_fail_field(f->call, name, "%s takes no file", name);
    return false;
}

/* ---- files ---- */

static struct slice without_folders(struct slice name)
{
    for (size_t i = name.len; i > 0; i--)
        if (name.data[i - 1] == '/' || name.data[i - 1] == '\\')
            return slice_of(name.data + i, name.len - i);
    return name;
}

/* Before a character's first byte, at most n. */
static size_t cut_at_character(struct slice text, size_t n)
{
    while (n > 0 && n < text.len && (text.data[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static struct slice extension_of(struct slice name)
{
    for (size_t n = 1; n <= EXTENSION_MAX && n < name.len; n++)
        if (name.data[name.len - n] == '.')
            return slice_of(name.data + name.len - n, n);
    return (struct slice){0};
}

static struct slice file_name(struct arena *a, struct slice given)
{
    struct slice name = without_folders(given);
    struct slice extension = {0};
    if (name.len > FORM_FILE_NAME_MAX) {
        extension = extension_of(name);
        name.len = cut_at_character(name, FORM_FILE_NAME_MAX - extension.len);
    }
    uint8_t *text = arena_alloc_raw(a, name.len + extension.len + 1);
    if (!text || slice_is(name, ".") || slice_is(name, ".."))
        return (struct slice){0};
    for (size_t i = 0; i < name.len; i++)
        text[i] = name.data[i] < ' ' || name.data[i] == 0x7f ? '_' : name.data[i];
    if (extension.len > 0)
        memcpy(text + name.len, extension.data, extension.len);
    return slice_of(text, name.len + extension.len);
}

/* *file stays NULL where a browser's user has chosen none. */
static bool begin_file(struct form *f, size_t index, struct form_file **file)
{
    struct call *c = f->call;
    const struct multipart_part *part = &f->parser.part;
    bool unnamed = part->has_file_name && part->file_name.len == 0;
    struct form_file *begun = arena_alloc(c->arena, sizeof *begun);
    if (!begun)
        return false;
    begun->field = slice_str(c->route->params[index].name);
    begun->name = file_name(c->arena, part->file_name);
    begun->content_type = arena_copy(c->arena, part->content_type);
    begun->length = part->length;
    enum multipart_event event;
    if (!next_event(f, &event, &f->held))
        return false;
    f->in_file = event == MULTIPART_DATA;
    if (!f->in_file)
        f->held = (struct slice){0};
    if (unnamed && !f->in_file)
        return true;
    c->params[index].present = true;
    f->seen[index]++;
    *file = begun;
    return true;
}

/* One part; *file is set if it is a file. */
static bool begin_part(struct form *f, struct form_file **file)
{
    const struct route *r = f->call->route;
    size_t index = find_param(f);
    bool known = index < r->n_params;
    if (known && f->seen[index] >= count_max(&r->params[index]))
        return refuse_repeated(f, count_max(&r->params[index]));
    if (known && r->params[index].type == PARAM_FILE)
        return begin_file(f, index, file);
    if (f->parser.part.has_file_name)
        return refuse_file(f);
    if (!known)
        return read_text(f, NULL);
    f->seen[index]++;
    return read_field(f, index);
}

/* ---- the end ---- */

/* So that the connection can be used again. */
static bool read_epilogue(struct form *f)
{
    struct call *c = f->call;
    size_t total = f->input.len;
    for (struct slice piece; total <= FORM_EPILOGUE_MAX; total += piece.len) {
        if (!call_body_read(c, &piece))
            return false;
        if (piece.len == 0)
            return true;
    }
    call_fail(c, 413, "BODY_TOO_LARGE", "The form is followed by more than %d bytes",
              FORM_EPILOGUE_MAX);
    return false;
}

static bool end_form(struct form *f)
{
    struct call *c = f->call;
    f->ended = true;
    for (size_t i = 0; i < c->route->n_params; i++) {
        const struct param *p = &c->route->params[i];
        if (p->place == PARAM_BODY && !f->seen[i] &&
            !param_from_text(c, p, false, (struct slice){0}, &c->params[i]))
            return false;
    }
    return read_epilogue(f);
}

/* ---- all of it ---- */

bool form_next_file(struct form *f, struct form_file **file)
{
    struct slice rest;
    *file = NULL;
    do {
        if (!form_read(f, &rest))
            return false;
    } while (rest.len > 0);
    while (!*file && !f->ended) {
        enum multipart_event event;
        if (!next_event(f, &event, &rest))
            return false;
        if (event == MULTIPART_END ? !end_form(f) : event == MULTIPART_PART && !begin_part(f, file))
            return false;
    }
    return true;
}

bool form_read(struct form *f, struct slice *piece)
{
    enum multipart_event event;
    *piece = f->held;
    f->held = (struct slice){0};
    if (piece->len > 0 || !f->in_file)
        return true;
    if (!next_event(f, &event, piece))
        return false;
    f->in_file = event == MULTIPART_DATA;
    if (!f->in_file)
        *piece = (struct slice){0};
    return true;
}

int64_t form_files_bytes(const struct form *f)
{
    int64_t whole = f->call->request->body_bytes;
    if (whole < 0)
        return -1;
    return whole > FORM_SLACK ? whole - FORM_SLACK : 0;
}

int64_t form_bytes_left(const struct form *f)
{
    int64_t whole = f->call->request->body_bytes;
    if (whole < 0)
        return -1;
    int64_t parsed = f->arrived - (int64_t)f->input.len - (int64_t)f->held.len;
    return f->in_file && whole > parsed ? whole - parsed : 0;
}
