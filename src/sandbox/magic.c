/* SPDX-License-Identifier: MIT
 * Usernames that are an error. */
#include "sandbox/magic.h"

#include <stdio.h>

enum { CODE_DIGITS_N = 3, CODE_MIN = 300, CODE_MAX = 599 };

/* What a name begins with, and what of the error stands for it. */
static const struct {
    const char *prefix;
    const char *text;
    bool number; /* only a number follows */
} magics[] = {
    {"flood_wait_", "FLOOD_WAIT_", true},
    {"slowmode_", "SLOWMODE_WAIT_", true},
    {"error_", "", false},
};

static uint8_t upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

/* What is left of name behind the prefix, in any case; false when it does not begin so. */
static bool behind(struct slice name, const char *prefix, struct slice *rest)
{
    size_t n = strlen(prefix);
    if (name.len <= n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (upper(name.data[i]) != upper((uint8_t)prefix[i]))
            return false;
    *rest = slice_of(name.data + n, name.len - n);
    return true;
}

static size_t digits_at_end(struct slice s)
{
    size_t n = 0;
    while (n < s.len && s.data[s.len - 1 - n] >= '0' && s.data[s.len - 1 - n] <= '9')
        n++;
    return n;
}

static bool ends_in(struct slice s, const char *end)
{
    size_t n = strlen(end);
    return s.len >= n && memcmp(s.data + s.len - n, end, n) == 0;
}

static int usual_code(struct slice text)
{
    size_t digits = digits_at_end(text);
    struct slice head = slice_of(text.data, text.len - digits);
    return digits && ends_in(head, "_WAIT_")      ? 420
           : digits && ends_in(head, "_MIGRATE_") ? 303
                                                  : 400;
}

/* Takes CODE_ off the front; 0 when there is none. */
static int take_code(struct slice *rest)
{
    int64_t code;
    if (rest->len < CODE_DIGITS_N + 2 || rest->data[CODE_DIGITS_N] != '_' ||
        !slice_to_i64(slice_of(rest->data, CODE_DIGITS_N), &code) || code < CODE_MIN ||
        code > CODE_MAX)
        return 0;
    *rest = slice_of(rest->data + CODE_DIGITS_N + 1, rest->len - CODE_DIGITS_N - 1);
    return (int)code;
}

bool magic_parse(struct slice username, struct magic_error *out)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        struct slice rest;
        if (!behind(username, magics[i].prefix, &rest))
            continue;
        int code = magics[i].number ? 0 : take_code(&rest);
        int n = snprintf(out->text, sizeof out->text, "%s%.*s", magics[i].text, (int)rest.len,
                         (const char *)rest.data);
        if (n < 0 || (size_t)n >= sizeof out->text ||
            (magics[i].number && digits_at_end(rest) != rest.len))
            return false;
        for (char *c = out->text; *c; c++)
            *c = (char)upper((uint8_t)*c);
        out->code = code ? code : usual_code(slice_str(out->text));
        return true;
    }
    return false;
}

struct user *magic_user(struct world *w, struct slice username)
{
    struct magic_error error;
    if (username.len && username.data[0] == '@')
        username = slice_of(username.data + 1, username.len - 1);
    if (!magic_parse(username, &error))
        return NULL;
    struct user *u = world_user(w, world_resolve_username(w, username));
    if (u)
        return u;
    u = world_add_user(w, slice_str(""), slice_str(error.text), slice_str(""), 1);
    return u && world_set_username(w, u->id, username) ? u : NULL;
}
