/* SPDX-License-Identifier: MIT */
#include "http/multipart_head.h"

/* ---- parameters ---- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct slice trim(struct slice s)
{
    while (s.len > 0 && is_blank(s.data[0]))
        s = slice_of(s.data + 1, s.len - 1);
    while (s.len > 0 && is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

/* Takes the bytes before any of `ends` off the front. */
static struct slice take_until(struct slice *rest, const char *ends)
{
    size_t n = 0;
    while (n < rest->len && (rest->data[n] == 0 || !strchr(ends, rest->data[n])))
        n++;
    struct slice taken = slice_of(rest->data, n);
    *rest = slice_of(rest->data + n, rest->len - n);
    return taken;
}

/* Does a quoted string's value go on at s[i], a backslash? Only a quote or another backslash is
 * escaped by one: browsers send a name's backslashes as they are. */
static bool is_escape(struct slice s, size_t i)
{
    return s.data[i] == '\\' && i + 1 < s.len && (s.data[i + 1] == '"' || s.data[i + 1] == '\\');
}

/* `rest` begins with a quote; the closing one is taken, too. */
static bool take_quoted(struct slice *rest, struct slice *value)
{
    for (size_t i = 1; i < rest->len; i++) {
        if (rest->data[i] == '"') {
            *value = slice_of(rest->data + 1, i - 1);
            *rest = slice_of(rest->data + i + 1, rest->len - i - 1);
            return true;
        }
        i += is_escape(*rest, i);
    }
    return false;
}

struct slice header_first_word(struct slice *rest)
{
    return trim(take_until(rest, ";"));
}

bool header_parameter_next(struct slice *rest, struct header_parameter *p)
{
    *p = (struct header_parameter){0};
    struct slice at = *rest, value;
    while (at.len > 0 && (is_blank(at.data[0]) || at.data[0] == ';'))
        at = slice_of(at.data + 1, at.len - 1);
    if (at.len == 0) {
        *rest = at;
        return false;
    }
    struct slice name = trim(take_until(&at, "=;\""));
    if (name.len == 0 || at.len == 0 || at.data[0] != '=')
        return false;
    at = trim(slice_of(at.data + 1, at.len - 1));
    bool quoted = at.len > 0 && at.data[0] == '"';
    if (quoted && !take_quoted(&at, &value))
        return false;
    if (!quoted)
        value = trim(take_until(&at, ";\""));
    at = trim(at);
    if (at.len > 0 && at.data[0] != ';')
        return false;
    *rest = at;
    *p = (struct header_parameter){name, value, quoted};
    return true;
}

/* ---- values ---- */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of a %XX at s[i], or -1. */
static int percent_byte(struct slice s, size_t i)
{
    if (s.data[i] != '%' || s.len - i < 3)
        return -1;
    int high = hex_digit(s.data[i + 1]), low = hex_digit(s.data[i + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Of percent signs only those are escapes that the WHATWG's form encoding makes. */
static bool is_form_escape(int byte)
{
    return byte == '"' || byte == '\r' || byte == '\n';
}

/* Into m->text, whose room is twice the head's; the head's values do not overlap. */
static struct slice store(struct multipart *m, const uint8_t *bytes, size_t n)
{
    uint8_t *to = m->text + m->text_len;
    memcpy(to, bytes, n);
    m->text_len += n;
    return slice_of(to, n);
}

static struct slice store_latin1(struct multipart *m, struct slice bytes)
{
    const uint8_t *start = m->text + m->text_len;
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.data[i];
        uint8_t two[2] = {(uint8_t)(0xc0 | c >> 6), (uint8_t)(0x80 | (c & 0x3f))};
        if (c < 0x80)
            store(m, &c, 1);
        else
            store(m, two, 2);
    }
    return slice_of(start, (size_t)(m->text + m->text_len - start));
}

static struct slice store_text(struct multipart *m, struct slice bytes)
{
    if (slice_is_utf8(bytes))
        return store(m, bytes.data, bytes.len);
    m->part.latin1 = true;
    return store_latin1(m, bytes);
}

static struct slice read_value(struct multipart *m, const struct header_parameter *p)
{
    uint8_t plain[MULTIPART_HEAD_MAX];
    size_t n = 0;
    struct slice s = p->value;
    for (size_t i = 0; i < s.len; i++) {
        int byte = percent_byte(s, i);
        if (p->quoted && is_escape(s, i)) {
            plain[n++] = s.data[++i];
        } else if (is_form_escape(byte)) {
            plain[n++] = (uint8_t)byte;
            i += 2;
        } else {
            plain[n++] = s.data[i];
        }
    }
    return store_text(m, slice_of(plain, n));
}

/* RFC 8187: charset'language'percent-encoded. False: it is not, or of another charset. */
static bool read_extended(struct multipart *m, struct slice value, struct slice *out)
{
    uint8_t plain[MULTIPART_HEAD_MAX];
    size_t n = 0;
    struct slice charset = take_until(&value, "'");
    bool utf8 = slice_is_nocase(charset, "utf-8");
    if (!utf8 && !slice_is_nocase(charset, "iso-8859-1"))
        return false;
    value = slice_of(value.data + (value.len > 0), value.len - (value.len > 0));
    take_until(&value, "'");
    if (value.len == 0)
        return false;
    for (size_t i = 1; i < value.len; i++) {
        int byte = percent_byte(value, i);
        if (byte < 0 && value.data[i] == '%')
            return false;
        plain[n++] = byte < 0 ? value.data[i] : (uint8_t)byte;
        i += byte < 0 ? 0 : 2;
    }
    if (utf8 && !slice_is_utf8(slice_of(plain, n)))
        return false;
    *out = utf8 ? store(m, plain, n) : store_latin1(m, slice_of(plain, n));
    return true;
}

/* ---- headers ---- */

static const char *read_disposition(struct multipart *m, struct slice value)
{
    struct header_parameter p;
    struct slice extended = {0};
    bool has_name = false, has_extended = false;
    if (!slice_is_nocase(header_first_word(&value), "form-data"))
        return "A part's Content-Disposition is not form-data.";
    while (header_parameter_next(&value, &p)) {
        if (slice_is_nocase(p.name, "name") && !has_name) {
            has_name = true;
            m->part.name = read_value(m, &p);
        } else if (slice_is_nocase(p.name, "filename") && !m->part.has_file_name) {
            m->part.has_file_name = true;
            m->part.file_name = read_value(m, &p);
        } else if (slice_is_nocase(p.name, "filename*") && !has_extended) {
            has_extended = read_extended(m, p.value, &extended);
        }
    }
    if (value.len > 0)
        return "A part's Content-Disposition is malformed.";
    if (!has_name)
        return "A part has no name.";
    if (has_extended) {
        m->part.has_file_name = true;
        m->part.file_name = extended;
    }
    return NULL;
}

/* A folded header becomes one line, and no byte may be left that ends one. */
static bool unfold(uint8_t *head, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool line_end = head[i] == '\r' && i + 1 < len && head[i + 1] == '\n';
        if (line_end && i + 2 < len && is_blank(head[i + 2]))
            head[i] = head[i + 1] = ' ';
        else if (head[i] == 0 || (head[i] == '\r' && !line_end))
            return false;
        i += line_end;
    }
    return true;
}

/* A hint only (RFC 7578 4.8 wants it left out): one that makes no sense is none. */
static int64_t read_length(struct slice value)
{
    int64_t length;
    return slice_to_i64(value, &length) && length >= 0 ? length : -1;
}

const char *multipart_read_head(struct multipart *m)
{
    m->part = (struct multipart_part){.length = -1};
    m->text_len = 0;
    if (!unfold(m->head, m->head_len) || is_blank(m->head[0]))
        return "A part's header has a character that is not allowed.";
    struct slice rest = slice_of(m->head, m->head_len);
    bool has_disposition = false;
    for (size_t n = 0; rest.len > 2; n++) {
        struct slice value = take_until(&rest, "\r");
        struct slice name = take_until(&value, ":");
        if (value.len == 0 || name.len == 0 || n == MULTIPART_HEADERS_MAX)
            return "A part's header is malformed, or one too many.";
        value = trim(slice_of(value.data + 1, value.len - 1));
        rest = slice_of(rest.data + 2, rest.len - 2);
        if (slice_is_nocase(name, "content-type")) {
            m->part.content_type = value;
        } else if (slice_is_nocase(name, "content-length")) {
            m->part.length = read_length(value);
        } else if (slice_is_nocase(name, "content-disposition") && !has_disposition) {
            const char *reason = read_disposition(m, value);
            if (reason)
                return reason;
            has_disposition = true;
        }
    }
    return has_disposition ? NULL : "A part has no Content-Disposition.";
}
