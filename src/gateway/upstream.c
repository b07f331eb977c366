/* SPDX-License-Identifier: MIT */
#include "gateway/upstream.h"

#include <sodium.h>
#include <stdlib.h>

#include "gateway/gateway.h"
#include "gateway/worker.h"
#include "telegram/login.h"

enum {
    DEAD_LINKS_MAX = 4, /* links without one good frame before calls fail: about a second */
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 5000,
    FOREIGN_FRAMES_MAX = 3,     /* frames that are not ours before the link is closed */
    CALLS_PER_KEY_MAX = 1024,   /* queued and in flight on one key */
    SLOW_BYTES_MIN = 64 * 1024, /* unsent: a part of a file on its way over a slow line */
    INFLATE_MAX = 16 * 1024 * 1024,
};

struct upstream {
    struct list bucket_link;
    struct list idle_link;
    struct list flush_link;
    struct upstreams *all;
    struct dc *dc;
    enum dc_use use;
    uint64_t key_id;
    struct client_session *session;
    struct link *link; /* NULL: none now */
    struct list calls; /* struct upstream_call */
    unsigned users;
    unsigned dead_links; /* in a row, without one good frame */
    unsigned foreign_frames;
    unsigned key_refusals; /* transport error -404 in a row */
    bool condemned;
    bool asked;         /* a call was queued or repeated since the last flush */
    bool broken;        /* the session wants its link closed */
    int64_t idle_ns;    /* when to close for want of users; 0 = in use */
    int64_t connect_ns; /* when to connect again; 0 = not */
    int64_t silent_ns;  /* when a link that has said nothing is given up, if calls wait; 0 = not */
    size_t unsent;      /* bytes, when it last looked as if nothing was heard */
    struct wheel_timer timer; /* the first of these three and the session's own deadline */
};

/* ---- the table ---- */

bool upstreams_init(struct upstreams *all, struct worker *w, size_t max)
{
    *all = (struct upstreams){.worker = w, .n_buckets = UPSTREAM_BUCKETS_MIN, .max = max};
    list_init(&all->idle);
    list_init(&all->flush);
    /* Chains of one or two at the bound; a table of lists never moves, so it is sized once. */
    while (all->n_buckets < max && all->n_buckets < 1 << 16)
        all->n_buckets *= 2;
    all->buckets = calloc(all->n_buckets, sizeof *all->buckets);
    for (size_t i = 0; all->buckets && i < all->n_buckets; i++)
        list_init(&all->buckets[i]);
    return all->buckets != NULL;
}

static struct list *bucket_of(const struct upstreams *all, uint64_t key_id)
{
    return &all->buckets[(key_id >> 8) & (all->n_buckets - 1)];
}

static struct upstream *find(const struct upstreams *all, const struct auth_key *key)
{
    struct list *bucket = bucket_of(all, key->id);
    for (struct list *node = bucket->next; node != bucket; node = node->next) {
        struct upstream *u = LIST_OWNER(node, struct upstream, bucket_link);
        /* A caller who knows the id but not the key cannot make one that compares partly equal: the
         * id is a digest of the key. So the comparison's time tells nothing. */
        if (u->key_id == key->id &&
            memcmp(client_session_key(u->session)->key, key->key, AUTH_KEY_BYTES) == 0)
            return u;
    }
    return NULL;
}

static struct worker *worker_of(const struct upstream *u)
{
    return u->all->worker;
}

static bool is_up(const struct upstream *u)
{
    return u->link && link_connected(u->link);
}

static int64_t session_deadline_ns(const struct upstream *u)
{
    return is_up(u) ? client_session_deadline_ns(u->session) : INT64_MAX;
}

static void rearm(struct upstream *u)
{
    int64_t deadline_ns = session_deadline_ns(u);
    if (u->idle_ns && u->idle_ns < deadline_ns)
        deadline_ns = u->idle_ns;
    if (u->connect_ns && u->connect_ns < deadline_ns)
        deadline_ns = u->connect_ns;
    if (u->silent_ns && u->silent_ns < deadline_ns)
        deadline_ns = u->silent_ns;
    if (deadline_ns == INT64_MAX)
        worker_disarm(worker_of(u), &u->timer);
    else if (!list_linked(&u->timer.link) || u->timer.deadline_ns != deadline_ns)
        worker_arm(worker_of(u), &u->timer, deadline_ns);
}

static void destroy(struct upstream *u)
{
    struct worker *w = worker_of(u);
    worker_disarm(w, &u->timer);
    if (u->link)
        link_close(u->link);
    list_remove(&u->bucket_link);
    list_remove(&u->idle_link);
    list_remove(&u->flush_link);
    client_session_free(u->session);
    owners_release(w->gateway->owners, u->key_id);
    u->all->n--;
    free(u);
}

void upstreams_free(struct upstreams *all)
{
    for (size_t i = 0; all->buckets && i < all->n_buckets; i++) {
        struct list *bucket = &all->buckets[i];
        while (!list_empty(bucket))
            destroy(LIST_OWNER(bucket->next, struct upstream, bucket_link));
    }
    free(all->buckets);
    all->buckets = NULL;
}

/* ---- what the session says ---- */

static void finish(struct upstream_call *call, enum upstream_outcome outcome)
{
    list_remove(&call->link);
    call->outcome = outcome;
    call->done(call);
}

static void fail_calls(struct upstream *u, enum upstream_outcome outcome, int32_t code,
                       const char *text)
{
    struct list all;
    list_init(&all);
    list_append_all(&all, &u->calls);
    while (!list_empty(&all)) {
        struct upstream_call *call = LIST_OWNER(all.next, struct upstream_call, link);
        call->unsure = client_session_cancel(u->session, call);
        call->code = code;
        call->text = slice_str(text);
        call->reason = text;
        finish(call, outcome);
    }
}

static enum upstream_outcome outcome_of(enum call_failure failure)
{
    switch (failure) {
    case CALL_LOST:
        return UPSTREAM_LOST;
    case CALL_TOO_LONG:
        return UPSTREAM_TOO_LONG;
    case CALL_UNREADABLE:
        return UPSTREAM_UNREADABLE;
    case CALL_REFUSED:
        break;
    }
    return UPSTREAM_REFUSED;
}

static void finish_event(const struct client_event *event, enum upstream_outcome outcome)
{
    struct upstream_call *call = event->tag;
    call->body = event->body;
    call->code = event->code;
    call->text = event->text;
    call->unsure = event->unsure;
    finish(call, outcome);
}

static void on_event(struct upstream *u, const struct client_event *event)
{
    struct worker *w = worker_of(u);
    switch (event->type) {
    case CLIENT_RESULT:
        finish_event(event, UPSTREAM_RESULT);
        break;
    case CLIENT_ERROR:
        metric_add(&w->metrics.telegram_errors_total, 1);
        finish_event(event, UPSTREAM_ERROR);
        break;
    case CLIENT_FAILED:
        finish_event(event, outcome_of(event->failure));
        break;
    case CLIENT_SALTS:
        metric_add(&w->metrics.salt_renewals_total, 1);
        u->asked = true; /* what the old salt was refused for is sent again */
        break;
    case CLIENT_CLOCK:
        dc_clock_set(u->dc, client_session_clock_offset(u->session));
        u->asked = true;
        break;
    case CLIENT_RENEWED:
        u->asked = true;
        break;
    case CLIENT_BROKEN:
        u->broken = true;
        break;
    case CLIENT_UPDATES: /* nobody asked for them: every call goes without updates */
    case CLIENT_NONE:
        break;
    }
}

static void want_flush(struct upstream *u)
{
    if (!list_linked(&u->flush_link))
        list_push(&u->all->flush, &u->flush_link);
}

static void close_link(struct upstream *u, const char *reason);

/* A word was said, by either side: with calls waiting the next must follow in time. Connections
 * that were silently dropped on the way show in no other manner. */
static void expect_word(struct upstream *u)
{
    struct worker *w = worker_of(u);
    u->silent_ns =
        list_empty(&u->calls) ? 0 : worker_now_ns(w) + w->gateway->options.silence_s * NS_PER_S;
}

/* May be the end of u, when nobody uses it and its link breaks: callers do not look at it again. */
static void pump(struct upstream *u)
{
    struct client_event event;
    while (client_session_next(u->session, &event))
        on_event(u, &event);
    if (u->broken) {
        u->broken = false;
        close_link(u, "the data centre broke the protocol");
        return;
    }
    if (is_up(u) && client_session_wants_flush(u->session))
        want_flush(u);
    if (list_empty(&u->calls))
        u->silent_ns = 0;
    rearm(u);
}

/* ---- the link ---- */

static void on_link_connected(void *ctx)
{
    struct upstream *u = ctx;
    client_session_connected(u->session);
    want_flush(u);
    pump(u);
}

static void on_link_frame(void *ctx, uint8_t *frame, size_t len)
{
    struct upstream *u = ctx;
    if (!client_session_input(u->session, frame, len)) {
        if (++u->foreign_frames >= FOREIGN_FRAMES_MAX)
            close_link(u, "the data centre sends frames of another key");
        return;
    }
    u->foreign_frames = 0;
    u->dead_links = 0;
    u->key_refusals = 0;
    atomic_store_explicit(&u->dc->reached_ns, worker_now_ns(worker_of(u)), memory_order_relaxed);
    expect_word(u);
    pump(u);
}

static int64_t backoff_ns(const struct upstream *u)
{
    int64_t ms = u->dead_links <= 1 ? 0 : BACKOFF_FIRST_MS;
    for (unsigned i = 2; i < u->dead_links && ms < BACKOFF_MAX_MS; i++)
        ms *= 3;
    return (ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS) * NS_PER_MS;
}

/* With calls waiting a new link is due, at once the first time. Without, the next call opens one.
 */
static void on_link_lost(void *ctx, const char *reason)
{
    struct upstream *u = ctx;
    struct worker *w = worker_of(u);
    u->link = NULL;
    u->foreign_frames = 0;
    u->silent_ns = 0;
    u->dead_links++;
    client_session_disconnected(u->session);
    pump(u);
    if (u->dead_links >= DEAD_LINKS_MAX)
        fail_calls(u, UPSTREAM_UNREACHABLE, 0, reason);
    if (list_empty(&u->calls) && u->users == 0) {
        destroy(u);
        return;
    }
    u->connect_ns = 0;
    if (!list_empty(&u->calls)) {
        metric_add(&w->metrics.upstream_reconnects_total, 1);
        u->connect_ns = worker_now_ns(w) + backoff_ns(u);
    }
    rearm(u);
}

static void close_link(struct upstream *u, const char *reason)
{
    if (!u->link)
        return;
    link_give_up(u->link);
    on_link_lost(u, reason);
}

/* -404 may also mean a damaged request: once is forgiven. */
static void on_link_refused(void *ctx, int32_t code)
{
    struct upstream *u = ctx;
    if (code == TRANSPORT_ERROR_AUTH_KEY && ++u->key_refusals > 1) {
        fail_calls(u, UPSTREAM_ERROR, 401, "AUTH_KEY_UNREGISTERED");
        upstream_condemn(u);
    } else if (code == TRANSPORT_ERROR_FLOOD) {
        fail_calls(u, UPSTREAM_ERROR, 420, "TRANSPORT_FLOOD");
    } else if (code != TRANSPORT_ERROR_AUTH_KEY) {
        fail_calls(u, UPSTREAM_UNREACHABLE, 0, "the data centre refuses the connection");
    }
    close_link(u, "the data centre refused the connection");
}

static void on_link_writable(void *ctx)
{
    struct upstream *u = ctx;
    if (is_up(u) && client_session_wants_flush(u->session))
        want_flush(u);
}

static const struct link_owner link_owner = {
    .connected = on_link_connected,
    .frame = on_link_frame,
    .refused = on_link_refused,
    .lost = on_link_lost,
    .writable = on_link_writable,
};

static void connect_now(struct upstream *u)
{
    u->connect_ns = 0;
    u->link = link_open(worker_of(u), u->dc, u->use, &link_owner, u);
    if (!u->link && ++u->dead_links >= DEAD_LINKS_MAX)
        fail_calls(u, UPSTREAM_UNREACHABLE, 0, "no connection can be opened");
    else if (!u->link)
        u->connect_ns = worker_now_ns(worker_of(u)) + backoff_ns(u);
    rearm(u);
}

/* A part of a file may take longer to leave than the other side may be silent: bytes that still go
 * are a sign of life too. */
static bool is_still_sending(struct upstream *u)
{
    size_t before = u->unsent;
    u->unsent = u->link ? link_unsent(u->link) : 0;
    return u->unsent != before && (u->unsent >= SLOW_BYTES_MIN || before >= SLOW_BYTES_MIN);
}

static void on_silence(struct upstream *u)
{
    if (!is_still_sending(u)) {
        close_link(u, "the data centre fell silent");
        return;
    }
    expect_word(u);
    rearm(u);
}

static void on_timer(struct wheel_timer *timer)
{
    struct upstream *u = LIST_OWNER(timer, struct upstream, timer);
    struct worker *w = worker_of(u);
    int64_t now_ns = worker_now_ns(w);
    if (u->idle_ns && now_ns >= u->idle_ns) {
        metric_add(&w->metrics.upstream_idle_closes_total, 1);
        destroy(u);
    } else if (u->connect_ns && now_ns >= u->connect_ns) {
        connect_now(u);
    } else if (u->silent_ns && now_ns >= u->silent_ns) {
        on_silence(u);
    } else if (now_ns >= session_deadline_ns(u)) {
        client_session_tick(u->session);
        pump(u);
    } else {
        rearm(u);
    }
}

/* ---- users ---- */

static bool make_room(struct upstreams *all)
{
    if (all->n < all->max)
        return true;
    if (list_empty(&all->idle))
        return false;
    metric_add(&all->worker->metrics.upstream_evictions_total, 1);
    destroy(LIST_OWNER(all->idle.next, struct upstream, idle_link));
    return true;
}

static struct client_session *new_session(struct upstreams *all, const struct session *s,
                                          struct dc *dc)
{
    struct worker *w = all->worker;
    /* What the account's list of devices shows. */
    const struct client_identity who = {
        .api_id = s->api_id,
        .device_model = "tgrest",
        .system_version = "Linux",
        .app_version = "1.0",
        .system_lang_code = "en",
        .lang_code = "en",
    };
    struct buf prefix;
    buf_init(&prefix, 0);
    bool written = init_prefix_write(w->gateway->schema, &who, true, &prefix);
    struct client_session_config config = {
        .key = s->key,
        .salts = s->salts,
        .clock_offset_ns = atomic_load_explicit(&dc->clock_offset_ns, memory_order_relaxed),
        .clock = &w->clock,
        .rng = &w->rng,
        .digests = w->digests,
        .init_prefix = buf_slice(&prefix),
        .call_prefix = buf_slice(&w->gateway->call_prefix),
        .calls_max = CALLS_PER_KEY_MAX,
        .inflate_max = INFLATE_MAX,
        .ping_idle_ns = 0, /* idle connections close rather than ping */
    };
    struct client_session *session = written ? client_session_new(&config) : NULL;
    sodium_memzero(&config.key, sizeof config.key);
    buf_free(&prefix);
    return session;
}

static struct upstream *create(struct upstreams *all, const struct session *s, struct dc *dc)
{
    struct worker *w = all->worker;
    struct upstream *u = calloc(1, sizeof *u);
    struct client_session *session = u ? new_session(all, s, dc) : NULL;
    if (!session || owners_claim(w->gateway->owners, s->key.id, w->index) < 0) {
        if (session)
            client_session_free(session);
        free(u);
        return NULL;
    }
    u->all = all;
    u->dc = dc;
    u->key_id = s->key.id;
    u->session = session;
    u->users = 1;
    u->timer.fire = on_timer;
    list_init(&u->calls);
    list_push(bucket_of(all, u->key_id), &u->bucket_link);
    all->n++;
    return u;
}

/* A key that was for files becomes a home's: its link may lead to where files only are wanted. */
static void widen(struct upstream *u, enum dc_use use)
{
    if (u->use == use || use == DC_FILES)
        return;
    u->use = use;
    close_link(u, "it was for files only");
}

struct upstream *upstream_get(struct upstreams *all, const struct session *s, struct dc *dc,
                              enum dc_use use, bool *full)
{
    *full = false;
    struct upstream *u = find(all, &s->key);
    /* A condemned one too, as long as others use it: a second connection of its key beside it would
     * get the key killed. */
    if (u) {
        if (u->users++ == 0) {
            list_remove(&u->idle_link);
            u->idle_ns = 0; /* the timer may fire for it still, and finds nothing to do */
        }
        widen(u, use);
        return u;
    }
    if (!make_room(all)) {
        *full = true;
        return NULL;
    }
    u = create(all, s, dc);
    if (u)
        u->use = use;
    return u;
}

struct upstream *upstream_adopt(struct upstreams *all, const struct session *s, struct dc *dc,
                                struct link *link)
{
    if (!make_room(all))
        return NULL;
    struct upstream *u = create(all, s, dc);
    if (!u)
        return NULL;
    u->link = link;
    link_set_owner(link, &link_owner, u);
    client_session_connected(u->session);
    return u;
}

void upstream_share(struct upstream *u)
{
    u->users++;
}

void upstream_release(struct upstream *u, bool keep)
{
    struct worker *w = worker_of(u);
    if (--u->users > 0)
        return;
    if (!keep || u->condemned || !is_up(u)) {
        destroy(u);
        return;
    }
    list_push(&u->all->idle, &u->idle_link);
    u->idle_ns = worker_now_ns(w) + w->gateway->options.warm_s * NS_PER_S;
    /* A warm call is released with the timer armed for an earlier use: leave it, it rearms itself.
     */
    if (!list_linked(&u->timer.link) || u->timer.deadline_ns > u->idle_ns)
        rearm(u);
}

void upstream_condemn(struct upstream *u)
{
    u->condemned = true;
}

/* ---- calls ---- */

static bool note_call(struct upstream *u, struct upstream_call *call, bool queued)
{
    if (!queued)
        return false;
    call->upstream = u;
    call->outcome = UPSTREAM_PENDING;
    list_push(&u->calls, &call->link);
    u->asked = true;
    metric_add(&worker_of(u)->metrics.upstream_requests_total, 1);
    if (is_up(u))
        want_flush(u);
    else if (!u->link && !u->connect_ns)
        connect_now(u);
    return true;
}

bool upstream_call_start(struct upstream *u, struct slice query, enum call_safety safety,
                         struct upstream_call *call)
{
    return note_call(u, call, client_session_call(u->session, query, safety, call));
}

bool upstream_call_start_borrowed(struct upstream *u, struct slice query, enum call_safety safety,
                                  struct upstream_call *call)
{
    return note_call(u, call, client_session_call_borrowed(u->session, query, safety, call));
}

void upstream_call_cancel(struct upstream_call *call)
{
    if (call->outcome != UPSTREAM_PENDING)
        return;
    list_remove(&call->link);
    client_session_cancel(call->upstream->session, call);
}

const struct salt_schedule *upstream_salts(const struct upstream *u)
{
    return client_session_salts(u->session);
}

/* What does not fit now goes when the link is writable again. */
static size_t write_frames(struct upstream *u)
{
    size_t total = 0;
    size_t written;
    do {
        struct buf *out = link_write_begin(u->link);
        client_session_flush(u->session, link_transport(u->link), out);
        written = link_write_end(u->link);
        total += written;
    } while (written > 0 && !link_full(u->link) && client_session_wants_flush(u->session));
    return total;
}

static void flush(struct upstream *u)
{
    struct worker *w = worker_of(u);
    if (!is_up(u) || link_full(u->link))
        return;
    if (write_frames(u) > 0 && u->asked && !list_empty(&u->calls)) {
        metric_add(&w->metrics.upstream_round_trips_total, 1);
        if (!u->silent_ns)
            expect_word(u);
    }
    u->asked = false;
    pump(u);
}

void upstreams_flush(struct upstreams *all)
{
    if (list_empty(&all->flush))
        return;
    struct list batch;
    list_init(&batch);
    list_append_all(&batch, &all->flush);
    for (struct list *node; (node = list_pop(&batch)) != NULL;)
        flush(LIST_OWNER(node, struct upstream, flush_link));
}
