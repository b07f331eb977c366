/* SPDX-License-Identifier: MIT
 * Accounts: making them, and their 2FA password. */
#include "sandbox/account.h"

#include "sandbox/password.h"

#include <sodium.h>
#include <stdlib.h>

enum {
    SRP_GENERATOR = 3,
    SALT1_BYTES = 40,
    SALT2_BYTES = 16,
    ACCOUNT_TTL_DAYS = 365,
    AUTHORIZATION_TTL_DAYS = 180
};

struct account *account_new(struct user *user, int32_t home_dc)
{
    struct account *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->user = user;
    a->home_dc = home_dc;
    a->ttl_days = ACCOUNT_TTL_DAYS;
    a->authorization_ttl_days = AUTHORIZATION_TTL_DAYS;
    update_log_init(&a->log);
    return a;
}

void account_free(struct account *a)
{
    if (!a)
        return;
    update_log_free(&a->log);
    free(a->notify);
    if (a->mail)
        sodium_memzero(a->mail, sizeof *a->mail);
    free(a->mail);
    sodium_memzero(a, sizeof *a);
    free(a);
}

struct srp_algo two_factor_algo(const struct two_factor *t)
{
    struct srp_algo algo = {
        .salt1 = slice_of(t->salt1, t->salt1_len),
        .salt2 = slice_of(t->salt2, t->salt2_len),
        .g = SRP_GENERATOR,
    };
    memcpy(algo.prime, dh_telegram_prime, DH_BYTES);
    return algo;
}

bool two_factor_set_hint(struct two_factor *t, struct slice hint)
{
    if (hint.len >= sizeof t->hint || !slice_is_utf8(hint))
        return false;
    if (hint.len)
        memcpy(t->hint, hint.data, hint.len);
    t->hint[hint.len] = 0;
    return true;
}

bool account_set_password(struct account *a, struct rng *rng, struct slice password,
                          const char *hint)
{
    struct two_factor t = {.set = true, .salt1_len = SALT1_BYTES, .salt2_len = SALT2_BYTES};
    rng_fill(rng, t.salt1, t.salt1_len);
    rng_fill(rng, t.salt2, t.salt2_len);
    struct srp_algo algo = two_factor_algo(&t);
    uint8_t x[SHA256_BYTES];
    bool ok = srp_password_hash(&algo, password, x) && srp_verifier(&algo, x, t.verifier) &&
              two_factor_set_hint(&t, slice_str(hint ? hint : ""));
    sodium_memzero(x, sizeof x);
    if (ok)
        a->two_factor = t;
    sodium_memzero(&t, sizeof t);
    return ok;
}

void account_add_token(struct account *a, const uint8_t token[static FUTURE_TOKEN_BYTES])
{
    memcpy(a->tokens[a->next_token], token, FUTURE_TOKEN_BYTES);
    a->next_token = (a->next_token + 1) % FUTURE_TOKENS;
}

bool account_take_token(struct account *a, struct slice token)
{
    if (token.len != FUTURE_TOKEN_BYTES || sodium_is_zero(token.data, token.len))
        return false;
    for (size_t i = 0; i < FUTURE_TOKENS; i++) {
        if (sodium_memcmp(a->tokens[i], token.data, token.len) != 0)
            continue;
        sodium_memzero(a->tokens[i], FUTURE_TOKEN_BYTES);
        return true;
    }
    return false;
}

const struct notify_rule *account_notify(const struct account *a, int64_t peer)
{
    for (uint32_t i = 0; i < a->n_notify; i++)
        if (a->notify[i].peer == peer)
            return &a->notify[i];
    return NULL;
}

bool account_set_notify(struct account *a, const struct notify_rule *rule)
{
    for (uint32_t i = 0; i < a->n_notify; i++) {
        if (a->notify[i].peer == rule->peer) {
            a->notify[i] = *rule;
            return true;
        }
    }
    if (a->n_notify == NOTIFY_RULES_MAX)
        return false;
    struct notify_rule *rules = realloc(a->notify, (a->n_notify + 1) * sizeof *rules);
    if (!rules)
        return false;
    a->notify = rules;
    rules[a->n_notify++] = *rule;
    return true;
}
