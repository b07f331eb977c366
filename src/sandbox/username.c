/* SPDX-License-Identifier: MIT
 * What may be a username: 5 to 32 of a-z, 0-9 and _, a letter first, no _ at the end and no two in
 * a row. */
#include "sandbox/username.h"

enum { USERNAME_CHARS_MIN = 5, USERNAME_CHARS_MAX = 32 };

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_well_formed(struct slice name)
{
    if (name.len < USERNAME_CHARS_MIN || name.len > USERNAME_CHARS_MAX || !is_letter(name.data[0]))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '_')
            return false;
        if (c == '_' && (i + 1 == name.len || name.data[i + 1] == '_'))
            return false;
    }
    return true;
}

const char *username_error(const struct world *w, int64_t peer, struct slice name)
{
    if (!is_well_formed(name))
        return "USERNAME_INVALID";
    int64_t owner = world_resolve_username(w, name);
    return owner && owner != peer ? "USERNAME_OCCUPIED" : NULL;
}
