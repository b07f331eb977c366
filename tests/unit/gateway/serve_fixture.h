/* SPDX-License-Identifier: MIT
 * A gateway between a blocking HTTP client and two scripted data centres. */
#ifndef TGREST_TESTS_GATEWAY_SERVE_FIXTURE_H
#define TGREST_TESTS_GATEWAY_SERVE_FIXTURE_H

#include "gateway/fake_dc.h"
#include "gateway/http_client.h"

#include "gateway/gateway.h"
#include "gateway/worker.h"

static const char sealing_key[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
#define READ_PATH  "/methods/help.getNearestDc"
#define WRITE_PATH "/methods/account.updateStatus"
#define WRITE_BODY "{\"offline\":true}"

struct fixture {
    struct rsa_key *rsa;
    struct fake_dc *dcs[2]; /* 2 and 3 */
    struct gateway *gateway;
    int port;
    char session[2048];
};

static inline void add(struct option_list *list, const char *text)
{
    list->items[list->n++] = strdup(text);
}

struct setup {
    int64_t workers;
    int64_t warm_s;
    int64_t timeout_s;
    int64_t warm_max;
    int64_t silence_s;
    const char *dcs[4]; /* in place of the two */
    const char *proxy;
};

static inline void start_gateway(struct fixture *f, struct setup setup)
{
    struct options o;
    char text[128];
    char error[OPTION_ERROR_BYTES];
    struct buf pem;
    options_defaults(&o);
    buf_init(&pem, 0);
    add(&o.listen, "127.0.0.1:0");
    for (size_t i = 0; setup.dcs[i]; i++)
        add(&o.dcs, setup.dcs[i]);
    for (size_t i = 0; i < 2 && !setup.dcs[0]; i++) {
        snprintf(text, sizeof text, "%d=127.0.0.1:%d", (int)f->dcs[i]->id, f->dcs[i]->port);
        add(&o.dcs, text);
    }
    rsa_key_write_public_pem(f->rsa, &pem);
    o.dc_key_pem = strndup((const char *)pem.data, pem.len);
    buf_free(&pem);
    o.key_text = strdup(sealing_key);
    o.proxy = setup.proxy ? strdup(setup.proxy) : NULL;
    o.workers = setup.workers ? setup.workers : 1;
    o.warm_s = setup.warm_s ? setup.warm_s : 60;
    o.timeout_s = setup.timeout_s ? setup.timeout_s : 20;
    o.warm_max = setup.warm_max ? setup.warm_max : 100;
    o.silence_s = setup.silence_s ? setup.silence_s : 20;
    o.log_level = LOG_OFF;
    f->gateway = gateway_start(&o, error);
    if (!f->gateway)
        fail_msg("%s", error);
    f->port = gateway_port(f->gateway);
}

static inline void stop_gateway(struct fixture *f)
{
    gateway_drain(f->gateway);
    gateway_join(f->gateway);
    f->gateway = NULL;
}

/* A logged-in session of a key that data centre 2 knows. */
static inline struct session new_session(struct fixture *f)
{
    struct session s = {
        .dc = 2,
        .state = SESSION_AUTHORIZED,
        .key = fake_dc_add_key(f->dcs[0]),
        .api_id = 1,
        .api_hash = "0123456789abcdef0123456789abcdef",
    };
    int64_t now_s = clock_unix_s(&f->dcs[0]->clock);
    s.salts = (struct salt_schedule){.n = 1};
    s.salts.spans[0] = (struct salt_span){FAKE_SALT, now_s - 60, now_s + 7 * 86400};
    return s;
}

static inline void seal_session(const struct session *s, char *out, size_t size)
{
    char error[OPTION_ERROR_BYTES];
    struct rng rng;
    struct buf text;
    struct token_keys *keys = token_keys_parse(slice_str(sealing_key), error, sizeof error);
    assert_non_null(keys);
    rng_init_system(&rng);
    buf_init(&text, 0);
    token_seal(keys, &rng, s, &text);
    snprintf(out, size, "%.*s", (int)text.len, (const char *)text.data);
    buf_free(&text);
    token_keys_free(keys);
}

static inline void make_session(struct fixture *f, char *out, size_t size)
{
    struct session s = new_session(f);
    seal_session(&s, out, size);
}

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->rsa = rsa_key_generate();
    f->dcs[0] = fake_dc_start(2, f->rsa);
    f->dcs[1] = fake_dc_start(3, f->rsa);
    make_session(f, f->session, sizeof f->session);
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->gateway)
        stop_gateway(f);
    fake_dc_stop(f->dcs[0]);
    fake_dc_stop(f->dcs[1]);
    rsa_key_free(f->rsa);
    free(f);
    return 0;
}

static inline uint64_t metric_sum(const struct fixture *f, size_t offset)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < f->gateway->n_workers; i++)
        sum += metric_get(
            (const metric *)(const void *)((const char *)&f->gateway->workers[i].metrics + offset));
    return sum;
}
#define METRIC(f, name) metric_sum((f), offsetof(struct metrics, name))

static inline void read_call(const struct fixture *f, struct http_answer *a)
{
    client_call(f->port, "POST", READ_PATH, f->session, "", "{}", a);
}

/* Waits for something that another thread does, with a bound. */
#define WAIT_FOR(condition)                                                                        \
    for (int tries_ = 0; !(condition); tries_++) {                                                 \
        assert_true(tries_ < 240000);                                                              \
        usleep(500);                                                                               \
    }

/* A port of the loopback interface on which nobody listens. It stays bound, lest the kernel give it
 * to somebody who does. */
static inline int dead_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    return ntohs(a.sin_port);
}

#endif
