/* SPDX-License-Identifier: MIT
 * Auth keys: making, finding, ending; their salts; who is logged in on them. */
#include <sodium.h>
#include <stdlib.h>

#include "sandbox/state.h"

struct authorization *key_add(struct sandbox *s, const struct auth_key *key, uint64_t first_salt,
                              int32_t dc, int32_t expires_in_s)
{
    if (s->n_keys >= AUTH_KEYS_MAX)
        return NULL;
    struct authorization *a = calloc(1, sizeof *a);
    if (!a || !id_map_put(&s->keys, (int64_t)key->id, a)) {
        free(a);
        return NULL;
    }
    a->key = *key;
    a->first_salt = first_salt;
    a->dc = dc;
    a->created_s = (int32_t)clock_unix_s(&s->clock);
    a->expires_s = expires_in_s > 0 ? a->created_s + expires_in_s : 0;
    a->schema = layers_newest(&s->layers);
    a->hash = (int64_t)(rng_u64(&s->rng) >> 1) + 1;
    a->next = s->authorizations;
    s->authorizations = a;
    s->n_keys++;
    return a;
}

struct authorization *key_find(struct sandbox *s, uint64_t id, int32_t dc)
{
    struct authorization *a = id_map_get(&s->keys, (int64_t)id);
    if (!a || a->dc != dc)
        return NULL;
    if (a->expires_s && clock_unix_s(&s->clock) >= a->expires_s) {
        key_destroy(s, a);
        return NULL;
    }
    return a;
}

void key_bind(struct authorization *temp, struct authorization *perm)
{
    key_unbind(temp);
    temp->perm = perm;
    temp->next_temp = perm->temps;
    perm->temps = temp;
    temp->inited = false; /* initConnection is to be said anew, the layer is not */
    if (!temp->layer) {
        temp->layer = perm->layer;
        temp->schema = perm->schema;
    }
}

void key_unbind(struct authorization *temp)
{
    if (!temp->perm)
        return;
    for (struct authorization **link = &temp->perm->temps; *link; link = &(*link)->next_temp) {
        if (*link == temp) {
            *link = temp->next_temp;
            break;
        }
    }
    temp->perm = NULL;
    temp->next_temp = NULL;
}

void key_destroy(struct sandbox *s, struct authorization *a)
{
    if (a->destroyed)
        return;
    login_end(s, a, false);
    key_unbind(a);
    while (a->temps)
        key_unbind(a->temps);
    while (a->sessions)
        session_end(s, a->sessions);
    id_map_remove(&s->keys, (int64_t)a->key.id);
    sodium_memzero(a->key.key, sizeof a->key.key);
    a->destroyed = true;
    s->n_keys--;
}

void keys_free(struct sandbox *s)
{
    for (struct authorization *a = s->authorizations, *next; a; a = next) {
        next = a->next;
        while (a->sessions)
            session_end(s, a->sessions);
        if (a->srp)
            sodium_memzero(a->srp, sizeof *a->srp);
        free(a->srp);
        free(a->device);
        sodium_memzero(a, sizeof *a);
        free(a);
    }
    s->authorizations = NULL;
    id_map_free(&s->keys);
}

/* ---- salts ---- */

/* The salt of one span of time: a keyed hash, so nothing is stored. Never 0: some clients start at
 * 0 and must be told of their first one. */
static uint64_t derived_salt(struct sandbox *s, uint64_t key_id, int64_t span)
{
    int64_t message[2] = {(int64_t)key_id, span};
    struct slice part = slice_of(message, sizeof message);
    uint8_t mac[SHA256_BYTES];
    hmac_sha256(s->digests, slice_of(s->salt_secret, sizeof s->salt_secret), &part, 1, mac);
    uint64_t salt = load_le64(mac);
    return salt ? salt : 1;
}

static void salt_put(struct salt_schedule *out, uint64_t salt, int64_t since)
{
    if (out->n < SALTS_MAX)
        out->spans[out->n++] = (struct salt_span){salt, since, since + 2 * SALT_SPAN_S};
}

void key_salts(void *ctx, uint64_t key_id, struct salt_schedule *out)
{
    struct sandbox *s = ctx;
    const struct authorization *a = id_map_get(&s->keys, (int64_t)key_id);
    int64_t now = clock_unix_s(&s->clock);
    int64_t span = now / SALT_SPAN_S;
    out->n = 0;
    salt_put(out, derived_salt(s, key_id, span), span * SALT_SPAN_S);
    if (a && now < a->created_s + 2 * SALT_SPAN_S)
        salt_put(out, a->first_salt, a->created_s);
    salt_put(out, derived_salt(s, key_id, span - 1), (span - 1) * SALT_SPAN_S);
    for (int64_t later = 1; out->n < SALTS_MAX; later++)
        salt_put(out, derived_salt(s, key_id, span + later), (span + later) * SALT_SPAN_S);
}

/* ---- logins ---- */

void login_begin(struct sandbox *s, struct authorization *a, struct user *user)
{
    login_end(s, a, false);
    a->state = KEY_LIVE;
    a->user = user;
    a->unconfirmed = user->account->logins != NULL;
    a->no_encrypted_requests = false;
    a->no_call_requests = false;
    a->login_s = (int32_t)clock_unix_s(&s->clock);
    a->active_s = a->login_s;
    a->next_login = user->account->logins;
    user->account->logins = a;
}

/* What waits was meant for the user who is no longer there. */
static void stop_updates(struct authorization *a)
{
    for (struct session *session = a->sessions; session; session = session->next_of_auth) {
        session->wants_updates = false;
        session_queue_clear(session);
    }
}

void login_end(struct sandbox *s, struct authorization *a, bool revoked)
{
    (void)s;
    a->password_user = NULL;
    if (!a->user)
        return;
    for (struct authorization **link = &a->user->account->logins; *link;
         link = &(*link)->next_login) {
        if (*link == a) {
            *link = a->next_login;
            break;
        }
    }
    a->next_login = NULL;
    a->user = NULL;
    if (revoked)
        a->state = KEY_REVOKED;
    stop_updates(a);
    for (struct authorization *temp = a->temps; temp; temp = temp->next_temp)
        stop_updates(temp);
}

void key_duplicated(struct sandbox *s, struct authorization *a)
{
    struct authorization *login = key_login(a);
    login_end(s, login, false);
    login->state = KEY_DUPLICATED;
    a->state = KEY_DUPLICATED;
    s->stats.duplicated++;
    log_event(&s->log, LOG_WARN, "auth_key_duplicated", log_int("dc", a->dc));
}
