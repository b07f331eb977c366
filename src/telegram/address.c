/* SPDX-License-Identifier: MIT
 * What a caller writes as chat_id or group_identifier. */
#include "telegram/peer.h"

enum {
    /* Telegram's names have 5 to 32 characters; some collectible ones have 4, a few old ones fewer.
     */
    USERNAME_MIN = 2,
    USERNAME_MAX = 32,
    INVITE_HASH_MIN = 8, /* they have 16 or 22 */
    INVITE_HASH_MAX = 64,
    PHONE_DIGITS_MIN = 5,
    PHONE_DIGITS_MAX = 17,
    ADDRESS_BYTES_MAX = 1024, /* an opaque ref has some 150 */
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static struct slice after(struct slice s, size_t n)
{
    return slice_of(s.data + n, s.len - n);
}

/* Takes a prefix off, ASCII case aside. */
static bool take(struct slice *s, const char *prefix)
{
    size_t n = strlen(prefix);
    if (s->len < n || !slice_is_nocase(slice_of(s->data, n), prefix))
        return false;
    *s = after(*s, n);
    return true;
}

/* Up to the first of these bytes, or all of it. */
static struct slice until(struct slice s, const char *stops)
{
    size_t n = 0;
    while (n < s.len && !strchr(stops, s.data[n]))
        n++;
    return slice_of(s.data, n);
}

static struct slice trimmed(struct slice s)
{
    while (s.len && s.data[0] <= ' ')
        s = after(s, 1);
    while (s.len && s.data[s.len - 1] <= ' ')
        s.len--;
    return s;
}

/* ---- kinds of names ---- */

static const char *username(struct slice name, struct peer_address *out)
{
    bool fine = name.len >= USERNAME_MIN && name.len <= USERNAME_MAX && is_alpha(name.data[0]);
    for (size_t i = 0; fine && i < name.len; i++)
        fine = is_alpha(name.data[i]) || is_digit(name.data[i]) || name.data[i] == '_';
    if (!fine)
        return "is no id, username, link or phone number";
    *out = (struct peer_address){.form = ADDRESS_USERNAME, .text = name};
    return NULL;
}

static const char *invite(struct slice hash, struct peer_address *out)
{
    bool fine = hash.len >= INVITE_HASH_MIN && hash.len <= INVITE_HASH_MAX;
    for (size_t i = 0; fine && i < hash.len; i++)
        fine = is_alpha(hash.data[i]) || is_digit(hash.data[i]) || hash.data[i] == '_' ||
               hash.data[i] == '-';
    if (!fine)
        return "is no invite link";
    *out = (struct peer_address){.form = ADDRESS_INVITE, .text = hash};
    return NULL;
}

/* Digits, with the spaces, dashes, dots and brackets that people write between them. */
static bool phone_digits(struct slice s, struct arena *a, struct slice *out)
{
    uint8_t *digits = arena_alloc_raw(a, s.len);
    size_t n = 0;
    for (size_t i = 0; digits && i < s.len; i++) {
        if (is_digit(s.data[i]))
            digits[n++] = s.data[i];
        else if (s.data[i] == 0 || !strchr(" -.()", s.data[i]))
            return false;
    }
    *out = slice_of(digits, n);
    return digits && n >= PHONE_DIGITS_MIN && n <= PHONE_DIGITS_MAX;
}

/* Behind a '+': a phone number when it is all digits, an invite otherwise. */
static const char *plus(struct slice rest, struct arena *a, struct peer_address *out)
{
    struct slice digits;
    if (!phone_digits(rest, a, &digits))
        return invite(rest, out);
    *out = (struct peer_address){.form = ADDRESS_PHONE, .text = digits};
    return NULL;
}

static const char *marked(int64_t id, struct peer_address *out)
{
    *out = (struct peer_address){.form = ADDRESS_MARKED_ID};
    return peer_from_marked(id, &out->kind, &out->id) ? NULL : "is a number that no chat has";
}

/* ---- links ---- */

static const char *channel_number(struct slice digits, struct peer_address *out)
{
    int64_t id;
    if (!slice_to_i64(digits, &id) || id <= 0)
        return "is a link to no chat";
    *out = (struct peer_address){.form = ADDRESS_MARKED_ID, .kind = PEER_CHANNEL, .id = id};
    return NULL;
}

/* Behind t.me/: name, +hash, joinchat/hash, c/id, s/name, each with more behind it. */
static const char *web_path(struct slice path, struct arena *a, bool joining,
                            struct peer_address *out)
{
    while (take(&path, "/"))
        ;
    if (take(&path, "+") || take(&path, "%2B")) {
        struct slice rest = until(path, "/?#");
        return joining ? invite(rest, out) : plus(rest, a, out);
    }
    if (take(&path, "joinchat/"))
        return invite(until(path, "/?#"), out);
    if (take(&path, "c/"))
        return channel_number(until(path, "/?#"), out);
    (void)take(&path, "s/");
    (void)take(&path, "@");
    return username(until(path, "/?#"), out);
}

/* The value of a query parameter, empty if it is not there. */
static struct slice parameter(struct slice query, const char *name)
{
    while (query.len > 0) {
        struct slice pair = until(query, "&#"), rest = pair;
        if (take(&rest, name) && take(&rest, "="))
            return rest;
        query = after(query, pair.len < query.len ? pair.len + 1 : pair.len);
    }
    return (struct slice){0};
}

/* Behind tg: or tg:// */
static const char *app_link(struct slice link, struct arena *a, struct peer_address *out)
{
    struct slice action = until(link, "?/");
    struct slice query = after(link, action.len);
    while (take(&query, "/") || take(&query, "?"))
        ;
    struct slice domain = parameter(query, "domain"), digits;
    int64_t id;
    if (slice_is_nocase(action, "resolve") && domain.len > 0)
        return username(domain, out);
    if (slice_is_nocase(action, "resolve") && phone_digits(parameter(query, "phone"), a, &digits)) {
        *out = (struct peer_address){.form = ADDRESS_PHONE, .text = digits};
        return NULL;
    }
    if (slice_is_nocase(action, "join"))
        return invite(parameter(query, "invite"), out);
    if (slice_is_nocase(action, "user") && slice_to_i64(parameter(query, "id"), &id) && id > 0)
        return marked(id, out);
    if (slice_is_nocase(action, "privatepost"))
        return channel_number(parameter(query, "channel"), out);
    return "is a link to no chat";
}

/* name.t.me */
static bool subdomain(struct slice host, struct slice *name)
{
    static const char tail[] = ".t.me";
    size_t n = sizeof tail - 1;
    if (host.len <= n || !slice_is_nocase(after(host, host.len - n), tail))
        return false;
    *name = slice_of(host.data, host.len - n);
    return true;
}

static bool is_web_host(struct slice host)
{
    static const char *const hosts[] = {"t.me", "telegram.me", "telegram.dog"};
    (void)take(&host, "www.");
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (slice_is_nocase(host, hosts[i]))
            return true;
    return false;
}

/* True if text is a link of some kind; *reason then says what became of it. */
static bool link_address(struct slice text, struct arena *a, bool joining, struct peer_address *out,
                         const char **reason)
{
    struct slice rest = text, name;
    if (take(&rest, "tg://") || take(&rest, "tg:")) {
        *reason = app_link(rest, a, out);
        return true;
    }
    bool web = take(&rest, "https://") || take(&rest, "http://");
    struct slice host = until(rest, "/?#");
    if (is_web_host(host))
        *reason = web_path(after(rest, host.len), a, joining, out);
    else if (subdomain(host, &name) && !slice_is_nocase(name, "www"))
        *reason = username(name, out);
    else if (web)
        *reason = "is a link to no chat";
    else
        return false;
    return true;
}

/* ---- all together ---- */

static const char *parse(struct slice text, struct arena *a, bool joining, struct peer_address *out)
{
    const char *reason;
    int64_t id;
    text = trimmed(text);
    if (text.len == 0)
        return "is empty";
    if (text.len > ADDRESS_BYTES_MAX)
        return "is longer than 1024 bytes";
    if (slice_starts_with(text, PEER_REF_PREFIX)) {
        *out = (struct peer_address){.form = ADDRESS_REF, .text = text};
        return NULL;
    }
    if (slice_is_nocase(text, "me") || slice_is_nocase(text, "self")) {
        *out = (struct peer_address){.form = ADDRESS_SELF};
        return NULL;
    }
    if (text.data[0] == '+')
        return joining ? invite(after(text, 1), out) : plus(after(text, 1), a, out);
    if (text.data[0] == '@')
        return username(after(text, 1), out);
    if (slice_to_i64(text, &id))
        return marked(id, out);
    if (link_address(text, a, joining, out, &reason))
        return reason;
    return username(text, out);
}

const char *peer_address_parse(struct slice text, struct arena *a, struct peer_address *out)
{
    return parse(text, a, false, out);
}

const char *join_address_parse(struct slice text, struct arena *a, struct peer_address *out)
{
    return parse(text, a, true, out);
}
