/* SPDX-License-Identifier: MIT
 * Where the data centres listen, and what help.getConfig tells of it. */
#include <stdio.h>

#include "sandbox/listeners.h"
#include "sandbox/state.h"

enum { BACKLOG = 1024 };

/* ---- addresses ---- */

bool address_parse(const char *text, struct sockaddr_storage *out)
{
    char host[64];
    int64_t port;
    const char *colon = text ? strrchr(text, ':') : NULL;
    bool bracketed = colon && text[0] == '[' && colon > text + 2 && colon[-1] == ']';
    const char *begin = bracketed ? text + 1 : text;
    size_t len = colon ? (size_t)(colon - begin) - (bracketed ? 1 : 0) : 0;
    if (!colon || len >= sizeof host || !slice_to_i64(slice_str(colon + 1), &port) || port < 0 ||
        port > 65535)
        return false;
    memcpy(host, begin, len);
    host[len] = 0;
    return uv_ip4_addr(host, (int)port, (struct sockaddr_in *)out) == 0 ||
           uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)out) == 0;
}

/* Only the port of either family. */
static in_port_t *address_port(struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET6 ? &((struct sockaddr_in6 *)a)->sin6_port
                                    : &((struct sockaddr_in *)a)->sin_port;
}

uint16_t bound_port(const uv_tcp_t *tcp)
{
    struct sockaddr_storage bound;
    int len = sizeof bound;
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&bound, &len) < 0)
        return 0;
    return ntohs(*address_port(&bound));
}

static bool is_wildcard(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET6
               ? IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)a)->sin6_addr)
               : ((const struct sockaddr_in *)a)->sin_addr.s_addr == htonl(INADDR_ANY);
}

/* ---- opening ---- */

struct opening {
    struct sandbox *s;
    char *error;
    size_t error_size;
};

static bool refuse(struct opening *o, const char *what, const char *why)
{
    snprintf(o->error, o->error_size, "%s: %s", what, why);
    return false;
}

/* The next free slot, of that data centre. */
static struct listener *add(struct sandbox *s, int32_t dc)
{
    struct listener *l = &s->listeners[s->n_listeners++];
    l->sandbox = s;
    l->dc = dc;
    l->tcp.data = l;
    return l;
}

static bool open_one(struct opening *o, struct listener *l, struct sockaddr_storage *address,
                     const char *text)
{
    uv_tcp_init(o->s->loop, &l->tcp);
    l->open = true;
    int status = uv_tcp_bind(&l->tcp, (struct sockaddr *)address, 0);
    if (status == 0)
        status = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, connection_accept);
    if (status < 0)
        return refuse(o, text, uv_strerror(status));
    l->port = bound_port(&l->tcp);
    *address_port(address) = htons(l->port);
    l->address = *address;
    return true;
}

/* The data centres take consecutive ports; with port 0, whichever are free. */
static bool open_first(struct opening *o, const char *text)
{
    struct sandbox *s = o->s;
    struct sockaddr_storage address = {0};
    if (!address_parse(text, &address))
        return refuse(o, text ? text : "listen", "not ADDR:PORT");
    uint16_t first = ntohs(*address_port(&address));
    if (first + s->dcs - 1 > 65535)
        return refuse(o, text, "not enough ports above it");
    for (int32_t i = 0; i < s->dcs; i++) {
        *address_port(&address) = htons(first ? (uint16_t)(first + i) : 0);
        if (!open_one(o, add(s, s->dcs == 1 ? DC_ALONE : i + 1), &address, text))
            return false;
    }
    return true;
}

/* The flags behind an address: false when one is unknown. */
static bool read_flags(struct listener *l, struct slice flags, bool *closed)
{
    while (flags.len) {
        const uint8_t *comma = memchr(flags.data, ',', flags.len);
        size_t n = comma ? (size_t)(comma - flags.data) : flags.len;
        struct slice flag = slice_of(flags.data, n);
        if (slice_is(flag, "media"))
            l->media_only = true;
        else if (slice_is(flag, "closed"))
            *closed = true;
        else
            return false;
        flags = slice_of(flags.data + n, flags.len - n);
        if (flags.len)
            flags = slice_of(flags.data + 1, flags.len - 1);
    }
    return true;
}

/* DC=ADDR:PORT[,media][,closed] */
static bool open_further(struct opening *o, const char *text)
{
    static const char shape[] = "not DC=ADDR:PORT[,media][,closed]";
    char where[80];
    const char *equals = strchr(text, '=');
    const char *comma = strchr(text, ',');
    const char *end = comma ? comma : text + strlen(text);
    int64_t dc;
    bool closed = false;
    struct sockaddr_storage address = {0};
    if (!equals || equals > end || (size_t)(end - equals) > sizeof where ||
        !slice_to_i64(slice_of(text, (size_t)(equals - text)), &dc))
        return refuse(o, text, shape);
    if (dc < 1 || dc > SANDBOX_DCS_MAX || (o->s->dcs > 1 && dc > o->s->dcs))
        return refuse(o, text, "no such data centre");
    snprintf(where, sizeof where, "%.*s", (int)(end - equals - 1), equals + 1);
    struct listener *l = add(o->s, o->s->dcs == 1 ? DC_ALONE : (int32_t)dc);
    if (!address_parse(where, &address) ||
        !read_flags(l, slice_str(comma ? comma + 1 : ""), &closed))
        return refuse(o, text, shape);
    if (!closed)
        return open_one(o, l, &address, text);
    l->address = address;
    l->port = ntohs(*address_port(&address));
    return l->port || refuse(o, text, "what is closed needs a port");
}

bool listeners_open(struct sandbox *s, const struct sandbox_config *config, char *error,
                    size_t error_size)
{
    struct opening o = {s, error, error_size};
    if (!open_first(&o, config->listen))
        return false;
    for (size_t i = 0; i < config->n_further; i++)
        if (!open_further(&o, config->further[i]))
            return false;
    return true;
}

void listeners_close(struct sandbox *s)
{
    for (size_t i = 0; i < s->n_listeners; i++)
        if (s->listeners[i].open)
            uv_close((uv_handle_t *)&s->listeners[i].tcp, NULL);
}

/* ---- telling of them ---- */

uint16_t sandbox_port(const struct sandbox *s, int32_t dc)
{
    if (dc < 1 || dc > SANDBOX_DCS_MAX || (s->dcs > 1 && dc > s->dcs))
        return 0;
    return s->listeners[s->dcs == 1 ? 0 : dc - 1].port;
}

bool listener_text(const struct listener *l, char *out, size_t size)
{
    return uv_ip_name((const struct sockaddr *)&l->address, out, size) == 0;
}

size_t sandbox_further(const struct sandbox *s, size_t index, char *out, size_t size)
{
    size_t n = s->n_listeners - (size_t)s->dcs;
    if (index >= n)
        return n;
    const struct listener *l = &s->listeners[(size_t)s->dcs + index];
    char ip[48] = "";
    bool ipv6 = l->address.ss_family == AF_INET6;
    listener_text(l, ip, sizeof ip);
    snprintf(out, size, "data centre %d also on %s%s%s:%u%s%s", l->dc, ipv6 ? "[" : "", ip,
             ipv6 ? "]" : "", l->port, l->media_only ? ", media" : "", l->open ? "" : ", closed");
    return n;
}

/* The address by which this connection's client reaches the sandbox. */
static bool own_address(const struct request *r, struct sockaddr_storage *out)
{
    const struct connection *c = r->session ? r->session->connection : NULL;
    int len = sizeof *out;
    return c && uv_tcp_getsockname(&c->tcp, (struct sockaddr *)out, &len) == 0;
}

static void push_option(struct request *r, struct tl_vector *vec, int32_t id,
                        const struct listener *l)
{
    struct listener told = *l;
    if (is_wildcard(&told.address))
        own_address(r, &told.address);
    char *ip = arena_alloc(r->arena, 48);
    if (!ip || !listener_text(&told, ip, 48))
        return;
    struct tl_object *o = tl_new(&r->b, C_dcOption);
    tl_set_int(o, F_id, id);
    tl_set_bool(o, F_ipv6, told.address.ss_family == AF_INET6);
    tl_set_bool(o, F_media_only, l->media_only);
    tl_set_str(o, F_ip_address, ip);
    tl_set_int(o, F_port, l->port);
    tl_push_obj(&r->b, vec, o);
}

/* A single data centre answers under every number, so a client may start at any. */
void build_dc_options(struct request *r, struct tl_object *config)
{
    const struct sandbox *s = r->sandbox;
    struct tl_vector *vec = tl_set_vec(&r->b, config, F_dc_options);
    for (int32_t id = 1; id <= (s->dcs == 1 ? SANDBOX_DCS_MAX : s->dcs); id++)
        for (size_t i = 0; i < s->n_listeners; i++)
            if (s->dcs == 1 || s->listeners[i].dc == id)
                push_option(r, vec, id, &s->listeners[i]);
}
