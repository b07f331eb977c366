/* SPDX-License-Identifier: MIT */
#include "gateway/prefer.h"

#include "http/multipart_head.h"

/* Of a list; commas within quotes are the element's. */
static struct slice take_element(struct slice *list)
{
    bool quoted = false;
    size_t n = 0;
    for (; n < list->len && (quoted || list->data[n] != ','); n++)
        quoted ^= list->data[n] == '"';
    struct slice element = slice_of(list->data, n);
    n += n < list->len;
    *list = slice_of(list->data + n, list->len - n);
    return element;
}

/* What follows a semicolon belongs to the preference, and is none itself. */
static bool read_wait(struct slice element, int64_t *seconds)
{
    struct header_parameter p;
    return header_parameter_next(&element, &p) && slice_is_nocase(p.name, "wait") &&
           slice_to_i64(p.value, seconds) && *seconds >= 0;
}

int64_t prefer_wait_s(const struct http_request *request)
{
    int64_t seconds;
    for (size_t i = 0; i < request->n_headers; i++) {
        struct slice list = request->headers[i].value;
        if (!slice_is_nocase(request->headers[i].name, "prefer"))
            continue;
        while (list.len > 0)
            if (read_wait(take_element(&list), &seconds))
                return seconds;
    }
    return PREFER_NO_WAIT;
}
