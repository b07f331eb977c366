/* SPDX-License-Identifier: MIT */
#include "gateway/dc.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "gateway/file.h"

enum {
    DC_KEY_FILE_MAX = 64 * 1024,
    DC_DEFAULT = 2,
    DC_TEST_ADD = 10000,
    REST_FIRST_S = 1, /* of an address that failed; three times as long each time */
    REST_MAX_S = 60,
    LEARN_EVERY_S = 3600,
};

struct builtin {
    int32_t id;
    const char *host;
};

/* https://core.telegram.org/api/datacenter, as current clients carry them. */
static const struct builtin production[] = {
    {1, "149.154.175.53"},        {1, "2001:b28:f23d:f001::a"}, {2, "149.154.167.51"},
    {2, "2001:67c:4e8:f002::a"},  {3, "149.154.175.100"},       {3, "2001:b28:f23d:f003::a"},
    {4, "149.154.167.91"},        {4, "2001:67c:4e8:f004::a"},  {5, "91.108.56.130"},
    {5, "2001:b28:f23f:f005::a"},
};
static const struct builtin test[] = {
    {1, "149.154.175.10"},       {1, "2001:b28:f23d:f001::e"}, {2, "149.154.167.40"},
    {2, "2001:67c:4e8:f002::e"}, {3, "149.154.175.117"},       {3, "2001:b28:f23d:f003::e"},
};
enum { DC_PORT = 443 };

static const char production_key[] =
    "-----BEGIN RSA PUBLIC KEY-----\n"
    "MIIBCgKCAQEA6LszBcC1LGzyr992NzE0ieY+BSaOW622Aa9Bd4ZHLl+TuFQ4lo4g\n"
    "5nKaMBwK/BIb9xUfg0Q29/2mgIR6Zr9krM7HjuIcCzFvDtr+L0GQjae9H0pRB2OO\n"
    "62cECs5HKhT5DZ98K33vmWiLowc621dQuwKWSQKjWf50XYFw42h21P2KXUGyp2y/\n"
    "+aEyZ+uVgLLQbRA1dEjSDZ2iGRy12Mk5gpYc397aYp438fsJoHIgJ2lgMv5h7WY9\n"
    "t6N/byY9Nw9p21Og3AoXSL2q/2IJ1WRUhebgAdGVMlV1fkuOQoEzR7EdpqtQD9Cs\n"
    "5+bfo3Nhmcyvk5ftB0WkJ9z6bNZ7yxrP8wIDAQAB\n"
    "-----END RSA PUBLIC KEY-----\n";
static const char test_key[] = "-----BEGIN RSA PUBLIC KEY-----\n"
                               "MIIBCgKCAQEAyMEdY1aR+sCR3ZSJrtztKTKqigvO/vBfqACJLZtS7QMgCGXJ6XIR\n"
                               "yy7mx66W0/sOFa7/1mAZtEoIokDP3ShoqF4fVNb6XeqgQfaUHd8wJpDWHcR2OFwv\n"
                               "plUUI1PLTktZ9uW2WE23b+ixNwJjJGwBDJPQEQFBE+vfmH0JP503wr5INS1poWg/\n"
                               "j25sIWeYPHYeOrFp/eXaqhISP6G+q2IeTaWTXpwZj4LzXq5YOpk4bYEQ6mvRq7D1\n"
                               "aHWfYmlEGepfaYR8Q0YqvvhYtMte3ITnuSJs171+GDqpdKcSwHnd6FudwGO4pcCO\n"
                               "j4WcDuXc2CTHgH8gFTNhp/Y8/SpDOhvn9QIDAQAB\n"
                               "-----END RSA PUBLIC KEY-----\n";

static bool parse_port(const char *text, int *port)
{
    int64_t value;
    if (!slice_to_i64(slice_str(text), &value) || value < 1 || value > 65535)
        return false;
    *port = (int)value;
    return true;
}

bool dc_address_parse(const char *text, struct dc_address *address)
{
    const char *colon = strrchr(text, ':');
    if (!colon || !parse_port(colon + 1, &address->port))
        return false;
    const char *host = text;
    size_t len = (size_t)(colon - host);
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    } else if (memchr(host, ':', len)) {
        return false;
    }
    if (len == 0 || len > DC_HOST_MAX)
        return false;
    memcpy(address->host, host, len);
    address->host[len] = '\0';
    address->media = false;
    return true;
}

bool dc_parse(const char *text, int32_t *id, struct dc_address *address)
{
    const char *equals = strchr(text, '=');
    int64_t number;
    if (!equals || !slice_to_i64(slice_of(text, (size_t)(equals - text)), &number) || number < 1 ||
        number > DC_ID_MAX || !dc_address_parse(equals + 1, address))
        return false;
    *id = (int32_t)number;
    return true;
}

static bool add_address(struct dc_table *t, int32_t id, const struct dc_address *address)
{
    struct dc *dc = dc_find(t, id);
    if (!dc) {
        if (t->n == DC_MAX)
            return false;
        dc = &t->dcs[t->n++];
        dc->id = id;
    }
    if (dc->n_fixed == DC_GIVEN_MAX)
        return false;
    dc->addresses[dc->n_fixed++] = *address;
    dc->n_addresses = dc->n_fixed;
    return true;
}

static void add_builtin(struct dc_table *t, const struct builtin *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct dc_address address = {.port = DC_PORT};
        memcpy(address.host, list[i].host, strlen(list[i].host) + 1);
        add_address(t, list[i].id, &address);
    }
}

static bool add_given(struct dc_table *t, const struct option_list *given, char *error)
{
    for (size_t i = 0; i < given->n; i++) {
        struct dc_address address = {0};
        int32_t id;
        if (!dc_parse(given->items[i], &id, &address)) {
            snprintf(error, OPTION_ERROR_BYTES, "--dc wants N=HOST:PORT, not '%.100s'",
                     given->items[i]);
            return false;
        }
        if (!add_address(t, id, &address)) {
            snprintf(error, OPTION_ERROR_BYTES,
                     "too many data centres, or addresses of one: '%.100s'", given->items[i]);
            return false;
        }
    }
    return true;
}

static bool add_keys(struct dc_table *t, struct slice pem)
{
    size_t before = t->n_keys;
    while (t->n_keys < DC_KEYS_MAX) {
        struct slice rest = {0};
        struct rsa_key *key = rsa_key_parse(pem, &rest);
        if (!key)
            break;
        t->keys[t->n_keys++] = key;
        pem = rest;
    }
    return t->n_keys > before;
}

static bool add_key_files(struct dc_table *t, const struct option_list *files, char *error)
{
    for (size_t i = 0; i < files->n; i++) {
        struct buf pem;
        buf_init(&pem, DC_KEY_FILE_MAX);
        int status = file_read(files->items[i], &pem);
        bool ok = status == 0 && add_keys(t, buf_slice(&pem));
        buf_free(&pem);
        if (!ok) {
            snprintf(error, OPTION_ERROR_BYTES, "--dc-key %.150s: %s", files->items[i],
                     status ? strerror(-status) : "no RSA key of 2048 bits in PEM");
            return false;
        }
    }
    return true;
}

bool dc_table_init(struct dc_table *t, const struct options *o, char *error)
{
    *t = (struct dc_table){.test = o->test_dc, .learns = o->dcs.n == 0};
    if (uv_mutex_init(&t->lock)) {
        snprintf(error, OPTION_ERROR_BYTES, "out of memory");
        return false;
    }
    bool ok = o->dcs.n > 0 ? add_given(t, &o->dcs, error) : true;
    if (o->dcs.n == 0 && o->test_dc)
        add_builtin(t, test, sizeof test / sizeof *test);
    else if (o->dcs.n == 0)
        add_builtin(t, production, sizeof production / sizeof *production);
    const char *pem = o->dc_key_pem ? o->dc_key_pem : o->test_dc ? test_key : production_key;
    if (ok && !o->dc_key_pem && o->dc_keys.n > 0)
        ok = add_key_files(t, &o->dc_keys, error);
    else if (ok && !add_keys(t, slice_str(pem))) {
        snprintf(error, OPTION_ERROR_BYTES, "the data centre's RSA key cannot be read");
        ok = false;
    }
    if (!ok)
        dc_table_free(t);
    return ok;
}

void dc_table_free(struct dc_table *t)
{
    if (t->n == 0 && t->n_keys == 0)
        return; /* never made, or freed before */
    while (t->n_keys > 0)
        rsa_key_free(t->keys[--t->n_keys]);
    t->n = 0;
    uv_mutex_destroy(&t->lock);
}

/* ---- addresses ---- */

static bool same_address(const struct dc_address *a, const struct dc_address *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static void add_candidates(const struct dc *dc, int64_t now_ns, bool resting, bool media,
                           struct dc_candidates *out)
{
    for (size_t i = 0; i < dc->n_addresses; i++) {
        size_t at = (dc->preferred + i) % dc->n_addresses;
        if ((dc->trials[at].rest_ns > now_ns) == resting && dc->addresses[at].media == media)
            out->addresses[out->n++] = dc->addresses[at];
    }
}

void dc_candidates(struct dc_table *t, const struct dc *dc, enum dc_use use, int64_t now_ns,
                   struct dc_candidates *out)
{
    out->n = 0;
    uv_mutex_lock(&t->lock);
    for (int resting = 0; resting <= 1; resting++) {
        if (use == DC_FILES)
            add_candidates(dc, now_ns, resting, true, out);
        add_candidates(dc, now_ns, resting, false, out);
    }
    uv_mutex_unlock(&t->lock);
}

static int64_t rest_s(unsigned failures)
{
    int64_t seconds = REST_FIRST_S;
    for (unsigned i = 1; i < failures && seconds < REST_MAX_S; i++)
        seconds *= 3;
    return seconds < REST_MAX_S ? seconds : REST_MAX_S;
}

void dc_address_tried(struct dc_table *t, struct dc *dc, const struct dc_address *address,
                      bool worked, int64_t now_ns)
{
    uv_mutex_lock(&t->lock);
    for (size_t i = 0; i < dc->n_addresses; i++) {
        struct dc_trial *trial = &dc->trials[i];
        if (!same_address(&dc->addresses[i], address))
            continue;
        if (worked) {
            *trial = (struct dc_trial){0};
            dc->preferred = i;
        } else {
            trial->failures++;
            trial->rest_ns = now_ns + rest_s(trial->failures) * NS_PER_S;
        }
    }
    uv_mutex_unlock(&t->lock);
}

bool dc_learning_due(struct dc_table *t, int64_t now_ns)
{
    if (!t->learns)
        return false;
    uv_mutex_lock(&t->lock);
    bool due = t->learned_until_ns == 0 || now_ns >= t->learned_until_ns;
    if (due)
        t->learned_until_ns = now_ns + LEARN_EVERY_S * NS_PER_S;
    uv_mutex_unlock(&t->lock);
    return due;
}

static size_t find_address(const struct dc_address *all, size_t n, const struct dc_address *one)
{
    size_t i = 0;
    while (i < n && !same_address(&all[i], one))
        i++;
    return i;
}

/* Adds what is new, with what was known of it before. */
static void learn_address(struct dc *dc, const struct dc_address *address,
                          const struct dc_address *before, const struct dc_trial *trials, size_t n)
{
    if (dc->n_addresses == DC_ADDRESSES_MAX ||
        find_address(dc->addresses, dc->n_addresses, address) < dc->n_addresses)
        return;
    size_t known = find_address(before, n, address);
    dc->trials[dc->n_addresses] = known < n ? trials[known] : (struct dc_trial){0};
    dc->addresses[dc->n_addresses++] = *address;
}

void dc_learn(struct dc_table *t, int32_t id, const struct dc_address *addresses, size_t n)
{
    struct dc *dc = dc_find(t, id);
    if (!dc)
        return;
    struct dc_address before[DC_ADDRESSES_MAX];
    struct dc_trial trials[DC_ADDRESSES_MAX];
    uv_mutex_lock(&t->lock);
    size_t n_before = dc->n_addresses;
    memcpy(before, dc->addresses, sizeof before);
    memcpy(trials, dc->trials, sizeof trials);
    dc->n_addresses = dc->n_fixed;
    for (size_t i = 0; i < n; i++)
        learn_address(dc, &addresses[i], before, trials, n_before);
    size_t preferred = find_address(dc->addresses, dc->n_addresses, &before[dc->preferred]);
    dc->preferred = preferred % dc->n_addresses;
    uv_mutex_unlock(&t->lock);
}

struct dc *dc_find(struct dc_table *t, int32_t id)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->dcs[i].id == id)
            return &t->dcs[i];
    }
    return NULL;
}

struct dc *dc_default(struct dc_table *t)
{
    struct dc *dc = dc_find(t, DC_DEFAULT);
    return dc ? dc : &t->dcs[0];
}

int32_t dc_wire_id(const struct dc_table *t, const struct dc *dc)
{
    return dc->id + (t->test ? DC_TEST_ADD : 0);
}

void dc_clock_set(struct dc *dc, int64_t offset_ns)
{
    atomic_store_explicit(&dc->clock_offset_ns, offset_ns, memory_order_relaxed);
    atomic_store_explicit(&dc->clock_known, true, memory_order_relaxed);
}
