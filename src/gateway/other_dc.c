/* SPDX-License-Identifier: MIT */
#include "gateway/other_dc.h"

#include <sodium.h>
#include <stdlib.h>

#include "gateway/gateway.h"
#include "gateway/invoke.h"
#include "gateway/new_key.h"
#include "gateway/task.h"
#include "telegram/login.h"
#include "telegram/names.h"

enum {
    REMEMBERED_MAX = 512, /* of one worker; some 350 bytes each */
    IMPORTS_MAX = 2,      /* an answer that was lost leaves it open whether the token was spent */
};

/* A key that is known, or that somebody is making. */
struct remembered {
    struct list link;
    struct list waiters; /* struct waiter */
    uint64_t home_key;   /* id */
    struct session_extra_key extra;
    bool making;
};

struct waiter {
    struct list link;
    struct task *task;
};

struct other_keys {
    struct list all; /* the least recently used first */
    size_t n;
};

/* ---- what is remembered ---- */

struct other_keys *other_keys_new(void)
{
    struct other_keys *k = calloc(1, sizeof *k);
    if (k)
        list_init(&k->all);
    return k;
}

static void forget(struct other_keys *k, struct remembered *r)
{
    list_remove(&r->link);
    k->n--;
    sodium_memzero(r, sizeof *r);
    free(r);
}

void other_keys_free(struct other_keys *k)
{
    if (!k)
        return;
    while (!list_empty(&k->all))
        forget(k, LIST_OWNER(k->all.next, struct remembered, link));
    free(k);
}

static struct remembered *recall(struct other_keys *k, uint64_t home_key, int32_t dc)
{
    for (struct list *node = k->all.prev; node != &k->all; node = node->prev) {
        struct remembered *r = LIST_OWNER(node, struct remembered, link);
        if (r->home_key == home_key && r->extra.dc == dc) {
            list_remove(&r->link);
            list_push(&k->all, &r->link);
            return r;
        }
    }
    return NULL;
}

static void forget_oldest(struct other_keys *k)
{
    for (struct list *node = k->all.next; node != &k->all; node = node->next) {
        struct remembered *r = LIST_OWNER(node, struct remembered, link);
        if (!r->making) {
            forget(k, r);
            return;
        }
    }
}

static struct remembered *remember(struct other_keys *k, uint64_t home_key, int32_t dc)
{
    if (k->n >= REMEMBERED_MAX)
        forget_oldest(k);
    struct remembered *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->home_key = home_key;
    r->extra.dc = dc;
    list_init(&r->waiters);
    list_push(&k->all, &r->link);
    k->n++;
    return r;
}

/* ---- what the session has ---- */

static struct session_extra_key *extra_of(struct session *s, int32_t dc)
{
    for (size_t i = 0; i < SESSION_EXTRA_KEYS_MAX; i++)
        if (s->extra_keys[i].dc == dc)
            return &s->extra_keys[i];
    return NULL;
}

static void drop_extra(struct session *s, int32_t dc)
{
    struct session_extra_key *extra = extra_of(s, dc);
    if (!extra)
        return;
    struct session_extra_key *last = &s->extra_keys[SESSION_EXTRA_KEYS_MAX - 1];
    memmove(extra, extra + 1, (size_t)(last - extra) * sizeof *extra);
    sodium_memzero(last, sizeof *last);
}

/* The most recently used stands first. */
static void put_extra(struct session *s, const struct session_extra_key *key)
{
    struct session_extra_key first = *key;
    drop_extra(s, key->dc);
    memmove(s->extra_keys + 1, s->extra_keys, (SESSION_EXTRA_KEYS_MAX - 1) * sizeof *s->extra_keys);
    s->extra_keys[0] = first;
    sodium_memzero(&first, sizeof first);
}

/* The session as it is over there. */
static void session_at(const struct session *s, const struct session_extra_key *extra,
                       struct session *at)
{
    *at = *s;
    at->dc = extra->dc;
    at->key = extra->key;
    at->salts = (struct salt_schedule){0};
}

static struct upstream *open_upstream(struct call *c, const struct session_extra_key *extra)
{
    struct session at;
    session_at(&c->session, extra, &at);
    struct upstream *u = task_upstream_of(task_of(c), &at, DC_FILES);
    sodium_memzero(&at, sizeof at);
    return u;
}

/* ---- making ---- */

static bool import_once(struct call *c, struct upstream *u, int32_t dc)
{
    struct tl_value value;
    struct tl_object *query = tl_new(&c->b, C_auth_exportAuthorization);
    tl_set_int(query, F_dc_id, dc);
    struct upstream *home = task_upstream(task_of(c));
    /* Not call_invoke: a home that moves is what brings us here, too. */
    if (!home || !call_invoke_at(c, home, query, &value))
        return false;
    const struct tl_object *exported = value.kind == TL_OBJECT ? value.object : NULL;
    query = tl_new(&c->b, C_auth_importAuthorization);
    tl_set_int(query, F_id, tl_int(exported, F_id));
    tl_set_text(query, F_bytes, tl_text(exported, F_bytes));
    if (!call_invoke_at(c, u, query, &value))
        return false;
    if (value.kind == TL_OBJECT && authorization_read(value.object).kind == AUTHORIZATION_DONE)
        return true;
    call_fail(c, 502, "UNEXPECTED_ANSWER",
              "Telegram did not take the account over to data centre %d.", (int)dc);
    return false;
}

static bool import_authorization(struct call *c, struct upstream *u, int32_t dc)
{
    for (int try = 1;; try++) {
        if (import_once(c, u, dc))
            return true;
        bool lost =
            !c->error.telegram && c->error.code && strcmp(c->error.code, "OUTCOME_UNKNOWN") == 0;
        if (!lost || try == IMPORTS_MAX || task_aborted(task_of(c)))
            return false;
        call_error_clear(c);
    }
}

static struct upstream *make_upstream(struct call *c, int32_t dc, struct session_extra_key *extra)
{
    struct session at = c->session;
    struct upstream *u = call_new_upstream(c, dc, &at);
    if (u && !import_authorization(c, u, dc)) {
        upstream_condemn(u);
        upstream_release(u, false);
        u = NULL;
    }
    if (u)
        *extra = (struct session_extra_key){dc, at.key};
    sodium_memzero(&at, sizeof at);
    return u;
}

static void wake_waiters(struct remembered *r)
{
    for (struct list *node; (node = list_pop(&r->waiters)) != NULL;)
        task_ready(LIST_OWNER(node, struct waiter, link)->task);
}

/* Another call of the session is making the key: waits for it. False: error set. */
static bool wait_for_maker(struct call *c, struct remembered *r)
{
    struct waiter waiter = {.task = task_of(c)};
    list_push(&r->waiters, &waiter.link);
    bool ok = task_wait(waiter.task);
    list_remove(&waiter.link);
    return ok;
}

static struct upstream *make_remembered(struct call *c, struct remembered *r)
{
    struct other_keys *keys = c->worker->other_keys;
    r->making = true;
    struct upstream *u = make_upstream(c, r->extra.dc, &r->extra);
    r->making = false;
    wake_waiters(r);
    if (u) {
        put_extra(&c->session, &r->extra);
        call_session_changed(c);
    } else {
        forget(keys, r);
    }
    return u;
}

static struct upstream *remembered_upstream(struct call *c, int32_t dc)
{
    struct other_keys *keys = c->worker->other_keys;
    uint64_t home_key = c->session.key.id;
    struct remembered *r;
    while ((r = recall(keys, home_key, dc)) && r->making) {
        if (!wait_for_maker(c, r))
            return NULL;
    }
    if (r) {
        put_extra(&c->session, &r->extra);
        call_session_changed(c);
        return open_upstream(c, &r->extra);
    }
    r = remember(keys, home_key, dc);
    if (r)
        return make_remembered(c, r);
    call_fail(c, 503, "OUT_OF_MEMORY", "The gateway is out of memory.");
    return NULL;
}

struct upstream *call_other_dc(struct call *c, int32_t dc)
{
    if (task_aborted(task_of(c)))
        return NULL;
    struct session_extra_key *extra = extra_of(&c->session, dc);
    if (!extra)
        return remembered_upstream(c, dc);
    put_extra(&c->session, extra);
    return open_upstream(c, &c->session.extra_keys[0]);
}

void call_other_dc_forget(struct call *c, int32_t dc)
{
    struct remembered *r = recall(c->worker->other_keys, c->session.key.id, dc);
    if (r && !r->making)
        forget(c->worker->other_keys, r);
    if (extra_of(&c->session, dc))
        call_session_changed(c);
    drop_extra(&c->session, dc);
}

/* ---- moving, leaving ---- */

bool call_move_home(struct call *c, int32_t dc)
{
    struct task *t = task_of(c);
    struct session *s = &c->session;
    struct upstream *u = call_other_dc(c, dc);
    if (!u)
        return false;
    struct session_extra_key old = {s->dc, s->key};
    task_release_upstream(t, true);
    s->key = extra_of(s, dc)->key;
    s->dc = dc;
    drop_extra(s, dc);
    put_extra(s, &old);
    sodium_memzero(&old, sizeof old);
    call_session_changed(c);
    upstream_release(u, true); /* taken up again at once, as a home's */
    if (!task_upstream(t))
        return false;
    if (task_claim(t, s->key.id))
        return true;
    call_fail(c, 503, "OVERLOADED", "The session has moved to another data centre. Try again.");
    return false;
}

void call_other_dcs_leave(struct call *c)
{
    while (c->session.extra_keys[0].dc != 0) {
        struct session_extra_key *extra = &c->session.extra_keys[0];
        struct upstream *u = call_failed(c) ? NULL : open_upstream(c, extra);
        if (u) {
            call_destroy_key_at(c, u);
            upstream_condemn(u);
            upstream_release(u, false);
        }
        if (!task_aborted(task_of(c)))
            call_error_clear(c);
        call_other_dc_forget(c, extra->dc);
    }
}
