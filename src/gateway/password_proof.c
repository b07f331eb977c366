/* SPDX-License-Identifier: MIT */
#include "gateway/password_proof.h"

#include <sodium.h>

enum {
    TRIES = 2, /* SRP parameters are good for one proof and a short time */
};

static bool fail_memory(struct call *c)
{
    call_fail(c, 503, "OUT_OF_MEMORY", "The gateway is out of memory.");
    return false;
}

static bool fail_algorithm(struct call *c)
{
    call_fail(c, 502, "UNEXPECTED_ANSWER",
              "Telegram checks this password in a way that is not known here");
    return false;
}

static bool fail_parameters(struct call *c)
{
    call_fail(c, 502, "BAD_SRP_PARAMETERS", "Telegram's password parameters failed their checks");
    return false;
}

/* ---- proving ---- */

/* What the thread pool works on. */
struct proof {
    struct password_state password;
    struct slice text;
    struct rng rng;
    struct dh_good_prime good;
    enum dh_check result;
    uint8_t a[DH_BYTES];
    uint8_t m1[SHA256_BYTES];
};

static void compute_proof(void *arg)
{
    struct proof *p = arg;
    uint8_t x[SHA256_BYTES];
    p->result = DH_OUT_OF_RANGE;
    if (srp_password_hash(&p->password.algo, p->text, x))
        p->result = srp_client_proof(&p->password.algo, x, p->password.srp_b, &p->rng, &p->good,
                                     p->a, p->m1);
    sodium_memzero(x, sizeof x);
}

/* The InputCheckPasswordSRP, its bytes in the arena. NULL: error set. */
static struct tl_object *prove(struct call *c, struct proof *p)
{
    /* The pool thread must not share the worker's generator or its memory of the prime. */
    rng_init_system(&p->rng);
    p->good = *call_good_prime(c);
    if (!call_work(c, compute_proof, p))
        return NULL;
    if (p->result != DH_OK) {
        fail_parameters(c);
        return NULL;
    }
    *call_good_prime(c) = p->good;
    return password_proof(&c->b, p->password.srp_id, p->a, p->m1);
}

static bool prove_and_invoke(struct call *c, const char *field, struct proof *p,
                             proved_request build, void *arg, struct tl_value *out)
{
    const struct tl_object *account = call_invoke(c, request_get_password(&c->b));
    struct tl_object *check = NULL;
    if (!account)
        return false;
    if (!password_read(account, &p->password))
        return fail_algorithm(c);
    if (p->password.has_password && p->text.len == 0)
        call_fail_field(c, field, "This account has a 2FA password: give it as %s", field);
    else if (p->password.has_password)
        check = prove(c, p);
    struct tl_object *query = call_failed(c) ? NULL : build(c, check, account, arg);
    if (call_failed(c) || !call_invoke_value(c, query, out))
        return false;
    return true;
}

bool invoke_proved(struct call *c, const char *field, struct slice password, proved_request build,
                   void *arg, struct tl_value *out)
{
    struct proof *p = arena_alloc(c->arena, sizeof *p);
    if (!p)
        return fail_memory(c);
    bool done = false;
    for (int try = 1; !done; try++) {
        p->text = password;
        done = prove_and_invoke(c, field, p, build, arg, out);
        bool stale = !done && (call_error_is(c, "SRP_ID_INVALID") ||
                               call_error_is(c, "SRP_PASSWORD_CHANGED") ||
                               call_error_is(c, "AUTH_KEY_UNSYNCHRONIZED"));
        if (!stale || try == TRIES)
            break;
        call_error_clear(c);
    }
    sodium_memzero(p, sizeof *p);
    if (!done && call_error_is(c, "PASSWORD_HASH_INVALID"))
        c->error.field = field;
    return done;
}

/* ---- new passwords ---- */

struct making {
    struct srp_algo algo;
    struct slice text;
    struct dh_good_prime good;
    enum dh_check result;
    bool made;
    uint8_t verifier[DH_BYTES];
};

/* A server that could choose a weak prime could compute the password's hash from the verifier. */
static void compute_verifier(void *arg)
{
    struct making *m = arg;
    uint8_t x[SHA256_BYTES];
    m->result = dh_check_params(m->algo.prime, m->algo.g, &m->good);
    if (m->result != DH_OK)
        return;
    m->made = srp_password_hash(&m->algo, m->text, x) && srp_verifier(&m->algo, x, m->verifier);
    sodium_memzero(x, sizeof x);
}

static struct making *begin_making(struct call *c, const struct tl_object *account)
{
    struct making *m = arena_alloc(c->arena, sizeof *m);
    if (!m)
        fail_memory(c);
    else if (!srp_algo_read(tl_obj(account, F_new_algo), &m->algo))
        fail_algorithm(c);
    return call_failed(c) ? NULL : m;
}

/* Half of salt1 is the server's, half the client's. */
static bool add_salt(struct call *c, struct srp_algo *algo)
{
    size_t n = algo->salt1.len;
    uint8_t *salt = arena_alloc_raw(c->arena, n + PASSWORD_SALT_BYTES);
    if (!salt)
        return fail_memory(c);
    if (n > 0)
        memcpy(salt, algo->salt1.data, n);
    rng_fill(call_rng(c), salt + n, PASSWORD_SALT_BYTES);
    algo->salt1 = slice_of(salt, n + PASSWORD_SALT_BYTES);
    return true;
}

bool password_make(struct call *c, const struct tl_object *account, struct slice password,
                   struct password_settings *out)
{
    struct making *m = begin_making(c, account);
    if (!m || !add_salt(c, &m->algo))
        return false;
    m->text = password;
    m->good = *call_good_prime(c);
    if (!call_work(c, compute_verifier, m))
        return false;
    if (!m->made)
        return fail_parameters(c);
    *call_good_prime(c) = m->good;
    out->set_password = true;
    out->algo = &m->algo;
    out->verifier = m->verifier;
    return true;
}

bool password_make_none(struct call *c, const struct tl_object *account,
                        struct password_settings *out)
{
    struct making *m = begin_making(c, account);
    if (!m)
        return false;
    out->set_password = out->remove = true;
    out->algo = &m->algo;
    return true;
}
