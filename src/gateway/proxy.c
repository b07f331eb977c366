/* SPDX-License-Identifier: MIT */
#include "gateway/proxy.h"

#include <arpa/inet.h>
#include <sodium.h>

#include "base/base64.h"
#include "gateway/route.h"

enum {
    SOCKS_VERSION = 5,
    SOCKS_NO_AUTH = 0,
    SOCKS_PASSWORD = 2,
    SOCKS_CONNECT = 1,
    SOCKS_IPV4 = 1,
    SOCKS_NAME = 3,
    SOCKS_IPV6 = 4,
    HTTP_ANSWER_MAX = 8192, /* status line and headers */
    SECRET_PREFIX_PADDED = 0xdd,
    SECRET_PREFIX_TLS = 0xee,
    SECRET_TEXT_MAX = 512, /* those for TLS hold a host name */
};

/* ---- the option ---- */

static bool refuse(char *error, const char *why)
{
    snprintf(error, OPTION_ERROR_BYTES, "--proxy: %s", why);
    return false;
}

static bool take_part(struct slice text, char out[static PROXY_NAME_MAX + 1])
{
    struct arena a;
    struct slice plain;
    arena_init(&a, 0);
    bool ok = percent_decode(&a, text, false, &plain) && plain.len <= PROXY_NAME_MAX &&
              (plain.len == 0 || !memchr(plain.data, 0, plain.len));
    if (ok && plain.len > 0)
        memcpy(out, plain.data, plain.len);
    arena_wipe(&a);
    arena_free(&a);
    return ok;
}

static bool take_credentials(struct slice text, struct proxy *p)
{
    const uint8_t *colon = memchr(text.data, ':', text.len);
    size_t user_len = colon ? (size_t)(colon - text.data) : text.len;
    size_t rest = colon ? user_len + 1 : user_len;
    return user_len > 0 && take_part(slice_of(text.data, user_len), p->user) &&
           take_part(slice_of(text.data + rest, text.len - rest), p->password);
}

static bool take_secret(const char *hex, struct proxy *p, char *error)
{
    uint8_t bytes[SECRET_TEXT_MAX / 2];
    size_t n = 0;
    const char *end = NULL;
    if (sodium_hex2bin(bytes, sizeof bytes, hex, strlen(hex), NULL, &n, &end) != 0 || *end)
        n = 0;
    if (n > 1 && bytes[0] == SECRET_PREFIX_TLS && n != TRANSPORT_SECRET_BYTES)
        return refuse(error,
                      "secrets that begin with ee (imitated TLS) are not supported; those of "
                      "32 hexadecimal digits, or dd and 32, are");
    p->padded = n == TRANSPORT_SECRET_BYTES + 1 && bytes[0] == SECRET_PREFIX_PADDED;
    if (n != TRANSPORT_SECRET_BYTES && !p->padded)
        return refuse(error, "the secret must be 32 hexadecimal digits, or dd and 32");
    memcpy(p->secret, bytes + p->padded, TRANSPORT_SECRET_BYTES);
    sodium_memzero(bytes, sizeof bytes);
    return true;
}

static bool take_scheme(const char **text, struct proxy *p)
{
    static const struct {
        const char *name;
        enum proxy_kind kind;
    } schemes[] = {
        {"socks5://", PROXY_SOCKS5}, {"http://", PROXY_HTTP}, {"mtproxy://", PROXY_MTPROTO}};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t len = strlen(schemes[i].name);
        if (strncmp(*text, schemes[i].name, len) != 0)
            continue;
        p->kind = schemes[i].kind;
        *text += len;
        return true;
    }
    return false;
}

bool proxy_parse(const char *url, struct proxy *p, char *error)
{
    char text[DC_HOST_MAX + 16];
    *p = (struct proxy){0};
    if (!url)
        return true;
    if (!take_scheme(&url, p))
        return refuse(error, "begins with socks5://, http:// or mtproxy://");
    const char *at = strrchr(url, '@');
    if (at && (p->kind == PROXY_MTPROTO || !take_credentials(slice_of(url, (size_t)(at - url)), p)))
        return refuse(error, "the user's name or password cannot be read");
    const char *host = at ? at + 1 : url;
    size_t len = strcspn(host, "/");
    const char *path = host[len] == '/' ? host + len + 1 : "";
    if (len >= sizeof text)
        return refuse(error, "the host's name is too long");
    memcpy(text, host, len);
    text[len] = '\0';
    if (!dc_address_parse(text, &p->address))
        return refuse(error, "host and port are missing");
    if (p->kind == PROXY_MTPROTO)
        return take_secret(path, p, error);
    return *path == '\0' || refuse(error, "nothing may follow the port");
}

/* ---- SOCKS5 ---- */

enum socks_step { SOCKS_METHOD, SOCKS_AUTH, SOCKS_REPLY };

static void socks_greet(const struct proxy *p, struct buf *out)
{
    const uint8_t greeting[] = {SOCKS_VERSION, 1, p->user[0] ? SOCKS_PASSWORD : SOCKS_NO_AUTH};
    buf_append(out, greeting, sizeof greeting);
}

static void append_counted(struct buf *out, const char *text)
{
    buf_append_byte(out, (uint8_t)strlen(text));
    buf_append_str(out, text);
}

static void socks_authenticate(const struct proxy *p, struct buf *out)
{
    buf_append_byte(out, 1); /* the version of this sub-negotiation */
    append_counted(out, p->user);
    append_counted(out, p->password);
}

static void socks_request(const struct dc_address *target, struct buf *out)
{
    uint8_t ip[16];
    const uint8_t head[] = {SOCKS_VERSION, SOCKS_CONNECT, 0};
    buf_append(out, head, sizeof head);
    if (inet_pton(AF_INET, target->host, ip) == 1) {
        buf_append_byte(out, SOCKS_IPV4);
        buf_append(out, ip, 4);
    } else if (inet_pton(AF_INET6, target->host, ip) == 1) {
        buf_append_byte(out, SOCKS_IPV6);
        buf_append(out, ip, 16);
    } else {
        buf_append_byte(out, SOCKS_NAME);
        append_counted(out, target->host);
    }
    buf_append_byte(out, (uint8_t)(target->port >> 8));
    buf_append_byte(out, (uint8_t)target->port);
}

static enum tunnel_status fail(struct tunnel *t, const char *reason)
{
    t->reason = reason;
    return TUNNEL_FAILED;
}

static enum tunnel_status socks_refused(struct tunnel *t, uint8_t code)
{
    static const char *const reasons[] = {
        [1] = "the proxy failed",
        [2] = "the proxy does not allow it",
        [3] = "the proxy cannot reach the data centre's network",
        [4] = "the proxy cannot reach the data centre",
        [5] = "the data centre refused the proxy",
        [6] = "the proxy waited too long for the data centre",
        [7] = "the proxy does not know the command",
        [8] = "the proxy does not know that kind of address",
    };
    return fail(t, code < sizeof reasons / sizeof *reasons ? reasons[code] : reasons[1]);
}

static enum tunnel_status socks_method(struct tunnel *t, struct buf *in, struct buf *out)
{
    if (in->len < 2)
        return TUNNEL_MORE;
    uint8_t method = in->data[1];
    if (in->data[0] != SOCKS_VERSION)
        return fail(t, "the proxy does not speak SOCKS5");
    buf_drop_front(in, 2);
    if (method == SOCKS_NO_AUTH) {
        socks_request(t->target, out);
        t->step = SOCKS_REPLY;
    } else if (method == SOCKS_PASSWORD && t->proxy->user[0]) {
        socks_authenticate(t->proxy, out);
        t->step = SOCKS_AUTH;
    } else {
        return fail(t, "the proxy wants a user's name and password");
    }
    return TUNNEL_MORE;
}

static enum tunnel_status socks_authenticated(struct tunnel *t, struct buf *in, struct buf *out)
{
    if (in->len < 2)
        return TUNNEL_MORE;
    if (in->data[1] != 0)
        return fail(t, "the proxy refuses the user's name or password");
    buf_drop_front(in, 2);
    socks_request(t->target, out);
    t->step = SOCKS_REPLY;
    return TUNNEL_MORE;
}

static enum tunnel_status socks_reply(struct tunnel *t, struct buf *in)
{
    size_t len = 4 + 2; /* and the address in between */
    if (in->len < 5)
        return in->len >= 2 && in->data[1] != 0 ? socks_refused(t, in->data[1]) : TUNNEL_MORE;
    if (in->data[0] != SOCKS_VERSION)
        return fail(t, "the proxy does not speak SOCKS5");
    if (in->data[1] != 0)
        return socks_refused(t, in->data[1]);
    if (in->data[3] == SOCKS_IPV4)
        len += 4;
    else if (in->data[3] == SOCKS_IPV6)
        len += 16;
    else
        len += 1 + (size_t)in->data[4];
    if (in->len < len)
        return TUNNEL_MORE;
    buf_drop_front(in, len);
    return TUNNEL_OPEN;
}

static enum tunnel_status socks_input(struct tunnel *t, struct buf *in, struct buf *out)
{
    enum tunnel_status status;
    unsigned step;
    do {
        step = t->step;
        status = step == SOCKS_METHOD ? socks_method(t, in, out)
                 : step == SOCKS_AUTH ? socks_authenticated(t, in, out)
                                      : socks_reply(t, in);
    } while (status == TUNNEL_MORE && t->step != step);
    return status;
}

/* ---- HTTP CONNECT ---- */

static void http_connect(const struct proxy *p, const struct dc_address *target, struct buf *out)
{
    bool ipv6 = strchr(target->host, ':') != NULL;
    char authority[DC_HOST_MAX + 16];
    snprintf(authority, sizeof authority, "%s%s%s:%d", ipv6 ? "[" : "", target->host,
             ipv6 ? "]" : "", target->port);
    buf_printf(out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", authority, authority);
    if (p->user[0]) {
        struct buf pair;
        buf_init(&pair, 0);
        buf_printf(&pair, "%s:%s", p->user, p->password);
        buf_append_str(out, "Proxy-Authorization: Basic ");
        base64_encode(buf_slice(&pair), out);
        buf_append_str(out, "\r\n");
        buf_wipe_free(&pair);
    }
    buf_append_str(out, "\r\n");
}

static enum tunnel_status http_input(struct tunnel *t, struct buf *in)
{
    static const char version[] = "HTTP/1.";
    static const size_t status_at = sizeof "HTTP/1.1 " - 1;
    size_t len = in->len < HTTP_ANSWER_MAX ? in->len : HTTP_ANSWER_MAX;
    const uint8_t *end = memmem(in->data, len, "\r\n\r\n", 4);
    if (memcmp(in->data, version, len < sizeof version - 1 ? len : sizeof version - 1) != 0)
        return fail(t, "the proxy does not speak HTTP"); /* and may well say no more */
    if (!end)
        return len == HTTP_ANSWER_MAX ? fail(t, "the proxy's answer is too long") : TUNNEL_MORE;
    if ((size_t)(end - in->data) < status_at + 3)
        return fail(t, "the proxy does not speak HTTP");
    const uint8_t *status = in->data + status_at;
    if (memcmp(status, "407", 3) == 0)
        return fail(t, t->proxy->user[0] ? "the proxy refuses the user's name or password"
                                         : "the proxy wants a user's name and password");
    if (status[0] != '2')
        return fail(t, "the proxy cannot reach the data centre");
    buf_drop_front(in, (size_t)(end - in->data) + 4);
    return TUNNEL_OPEN;
}

/* ---- both ---- */

bool proxy_is_tunnel(const struct proxy *p)
{
    return p->kind == PROXY_SOCKS5 || p->kind == PROXY_HTTP;
}

void tunnel_begin(struct tunnel *t, const struct proxy *p, const struct dc_address *target,
                  struct buf *out)
{
    *t = (struct tunnel){.proxy = p, .target = target};
    if (p->kind == PROXY_SOCKS5)
        socks_greet(p, out);
    else
        http_connect(p, target, out);
}

enum tunnel_status tunnel_input(struct tunnel *t, struct buf *in, struct buf *out)
{
    return t->proxy->kind == PROXY_SOCKS5 ? socks_input(t, in, out) : http_input(t, in);
}
