/* SPDX-License-Identifier: MIT
 * The ring of login tokens. */
#include "sandbox/login_token.h"

#include <sodium.h>

#include "sandbox/state.h"

struct login_token *login_token_add(struct sandbox *s, struct authorization *auth, int32_t now_s)
{
    struct login_tokens *tokens = &s->login_tokens;
    struct login_token *t = &tokens->list[tokens->next];
    tokens->next = (tokens->next + 1) % LOGIN_TOKENS_MAX;
    *t = (struct login_token){.auth = auth, .expires_s = now_s + LOGIN_TOKEN_LIFETIME_S};
    rng_fill(&s->protocol_rng, t->bytes, sizeof t->bytes);
    return t;
}

struct login_token *login_token_shown(struct sandbox *s, const struct authorization *auth,
                                      int32_t now_s)
{
    for (size_t i = 0; i < LOGIN_TOKENS_MAX; i++) {
        struct login_token *t = &s->login_tokens.list[i];
        if (t->auth == auth && !t->used && now_s < t->expires_s)
            return t;
    }
    return NULL;
}

struct login_token *login_token_find(struct sandbox *s, struct slice bytes)
{
    if (bytes.len != LOGIN_TOKEN_BYTES)
        return NULL;
    for (size_t i = 0; i < LOGIN_TOKENS_MAX; i++) {
        struct login_token *t = &s->login_tokens.list[i];
        if (t->auth && sodium_memcmp(t->bytes, bytes.data, bytes.len) == 0)
            return t;
    }
    return NULL;
}

static bool is_excepted(const struct login_token *t, const struct user *user)
{
    for (uint32_t i = 0; i < t->n_except; i++)
        if (t->except_ids[i] == user->id)
            return true;
    return false;
}

const char *login_token_accept(struct sandbox *s, struct slice bytes, struct user *user,
                               int32_t now_s)
{
    struct login_token *t = login_token_find(s, bytes);
    if (!t)
        return "AUTH_TOKEN_INVALIDX";
    if (t->by)
        return "AUTH_TOKEN_ALREADY_ACCEPTED";
    if (now_s >= t->expires_s)
        return "AUTH_TOKEN_EXPIRED";
    if (is_excepted(t, user))
        return "AUTH_TOKEN_EXCEPTION";
    t->by = user;
    t->expires_s = now_s + LOGIN_TOKEN_LIFETIME_S;
    push_login_token(s, t->auth);
    return NULL;
}
