/* SPDX-License-Identifier: MIT */
#include "http/multipart.h"

#include "http/multipart_head.h"

enum state {
    IN_BYTES,        /* of the preamble or of a part: looking for the delimiter */
    AFTER_DELIMITER, /* is it one? The next byte tells */
    AFTER_DASH,      /* of the two that end the last boundary's line */
    IN_PADDING,      /* blanks between a boundary and its line's end (RFC 2046 5.1.1) */
    AFTER_CR,
    IN_HEAD,
    IN_EPILOGUE,
    REFUSED
};

/* ---- beginning ---- */

static bool is_boundary(struct slice s)
{
    static const char others[] = "'()+_,-./:=? ";
    if (s.len == 0 || s.len > MULTIPART_BOUNDARY_MAX || s.data[s.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i], letter = c | 0x20;
        bool alphanumeric = (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9');
        if (!alphanumeric && (c == 0 || !strchr(others, c)))
            return false;
    }
    return true;
}

static enum multipart_type find_boundary(struct slice type, struct slice *boundary)
{
    struct header_parameter p;
    if (!slice_is_nocase(header_first_word(&type), "multipart/form-data"))
        return MULTIPART_TYPE_OTHER;
    while (header_parameter_next(&type, &p) && !slice_is_nocase(p.name, "boundary"))
        p.value.len = 0;
    *boundary = p.value;
    return is_boundary(p.value) ? MULTIPART_TYPE_OK : MULTIPART_TYPE_NO_BOUNDARY;
}

enum multipart_type multipart_begin(struct multipart *m, struct slice content_type,
                                    size_t parts_max)
{
    struct slice boundary;
    enum multipart_type type = find_boundary(content_type, &boundary);
    if (type != MULTIPART_TYPE_OK)
        return type;
    *m = (struct multipart){.state = IN_BYTES, .parts_max = parts_max};
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary.data, boundary.len);
    m->delimiter_len = 4 + boundary.len;
    m->matched = 2; /* the first boundary may stand at the front, without a line's end before it */
    return MULTIPART_TYPE_OK;
}

/* ---- pieces ---- */

static struct slice take(struct slice *input, size_t n)
{
    struct slice taken = slice_of(input->data, n);
    *input = slice_of(input->data + n, input->len - n);
    return taken;
}

static enum multipart_event refuse(struct multipart *m, const char *reason)
{
    m->reason = reason;
    m->state = REFUSED;
    return MULTIPART_REFUSED;
}

/* How many bytes at the end of the input begin a delimiter. A boundary has no CR in it, so only the
 * last CR can be the beginning, and bytes that do not go on as a delimiter have none in them. */
static size_t begun_at_end(const struct multipart *m, struct slice input)
{
    size_t most = m->delimiter_len - 1;
    struct slice tail = input.len > most ? slice_of(input.data + input.len - most, most) : input;
    const uint8_t *cr = memrchr(tail.data, '\r', tail.len);
    size_t n = cr ? (size_t)(tail.data + tail.len - cr) : 0;
    return n > 0 && memcmp(cr, m->delimiter, n) == 0 ? n : 0;
}

/* Goes on with a delimiter that an earlier input ended with. Gives back what turned out to be
 * none. */
static struct slice match_on(struct multipart *m, struct slice *input)
{
    size_t n = m->delimiter_len - m->matched;
    if (n > input->len)
        n = input->len;
    if (memcmp(input->data, m->delimiter + m->matched, n) != 0) {
        struct slice bytes = slice_of(m->delimiter, m->matched);
        m->matched = 0;
        return bytes;
    }
    take(input, n);
    m->matched += n;
    return (struct slice){0};
}

/* The bytes before the next delimiter, or before what may become one. */
static struct slice take_bytes(struct multipart *m, struct slice *input)
{
    if (m->matched > 0)
        return match_on(m, input);
    const uint8_t *at = memmem(input->data, input->len, m->delimiter, m->delimiter_len);
    m->matched = at ? m->delimiter_len : begun_at_end(m, *input);
    struct slice bytes = take(input, at ? (size_t)(at - input->data) : input->len - m->matched);
    take(input, m->matched);
    return bytes;
}

/* A delimiter is followed by "--" or by its line's end; else it was a longer line of the data. */
static enum multipart_event end_delimiter(struct multipart *m, struct slice *input,
                                          struct slice *data)
{
    uint8_t next = input->data[0];
    bool told = m->in_part;
    if (next == '-' || next == '\r' || next == ' ' || next == '\t') {
        m->state = next == '-' ? AFTER_DASH : IN_PADDING;
        if (next == '-')
            take(input, 1);
        m->in_part = false;
        return told ? MULTIPART_PART_END : MULTIPART_MORE;
    }
    m->state = IN_BYTES;
    m->matched = 0;
    *data = slice_of(m->delimiter, m->delimiter_len);
    return told ? MULTIPART_DATA : MULTIPART_MORE;
}

/* ---- heads ---- */

static enum multipart_event begin_head(struct multipart *m)
{
    if (m->parts == m->parts_max)
        return refuse(m, "The form has too many parts.");
    m->parts++;
    m->state = IN_HEAD;
    m->head_len = m->line_start = 0;
    return MULTIPART_MORE;
}

static enum multipart_event take_head(struct multipart *m, struct slice *input)
{
    const uint8_t *lf = memchr(input->data, '\n', input->len);
    struct slice bytes = take(input, lf ? (size_t)(lf - input->data) + 1 : input->len);
    if (bytes.len > sizeof m->head - m->head_len)
        return refuse(m, "A part's headers have too many bytes.");
    memcpy(m->head + m->head_len, bytes.data, bytes.len);
    m->head_len += bytes.len;
    if (!lf)
        return MULTIPART_MORE;
    size_t line = m->head_len - m->line_start;
    if (line < 2 || m->head[m->head_len - 2] != '\r')
        return refuse(m, "A part's header is not ended by CR LF.");
    m->line_start = m->head_len;
    if (line > 2)
        return MULTIPART_MORE;
    const char *reason = multipart_read_head(m);
    if (reason)
        return refuse(m, reason);
    m->state = IN_BYTES;
    m->in_part = true;
    m->matched = 0;
    return MULTIPART_PART;
}

/* ---- all of it ---- */

static enum multipart_event take_byte(struct multipart *m, struct slice *input)
{
    uint8_t byte = take(input, 1).data[0];
    if (m->state == AFTER_DASH && byte == '-')
        m->state = IN_EPILOGUE;
    else if (m->state == AFTER_CR && byte == '\n')
        return begin_head(m);
    else if (m->state == IN_PADDING && byte == '\r')
        m->state = AFTER_CR;
    else if (m->state != IN_PADDING || (byte != ' ' && byte != '\t'))
        return refuse(m, "A boundary is not followed by the end of its line.");
    return MULTIPART_MORE;
}

static enum multipart_event step(struct multipart *m, struct slice *input, struct slice *data)
{
    switch ((enum state)m->state) {
    case IN_BYTES:
        *data = take_bytes(m, input);
        if (m->matched == m->delimiter_len)
            m->state = AFTER_DELIMITER;
        return m->in_part && data->len > 0 ? MULTIPART_DATA : MULTIPART_MORE;
    case AFTER_DELIMITER:
        return end_delimiter(m, input, data);
    case AFTER_DASH:
    case IN_PADDING:
    case AFTER_CR:
        return take_byte(m, input);
    case IN_HEAD:
        return take_head(m, input);
    case IN_EPILOGUE:
    case REFUSED:
        break;
    }
    return MULTIPART_MORE;
}

enum multipart_event multipart_next(struct multipart *m, struct slice *input, struct slice *data)
{
    enum multipart_event event = MULTIPART_MORE;
    while (event == MULTIPART_MORE && input->len > 0 && m->state < IN_EPILOGUE)
        event = step(m, input, data);
    if (event != MULTIPART_MORE || m->state < IN_EPILOGUE)
        return event;
    take(input, input->len);
    return m->state == REFUSED ? MULTIPART_REFUSED : MULTIPART_END;
}
