/* SPDX-License-Identifier: MIT
 * The commands of the control port, in one table. */
#include <sodium.h>

#include "base/base64.h"
#include "sandbox/bots.h"
#include "sandbox/control.h"
#include "sandbox/password.h"
#include "sandbox/standing.h"
#include "sandbox/state.h"

enum {
    WORDS_MAX = 4,
    MINT_MAX = 4096, /* keys of one command: half of what an answer may hold */
};

struct command_line {
    struct slice word[WORDS_MAX];
    size_t n;
};

struct command {
    const char *name;
    const char *arguments;
    const char *text;
    size_t n_arguments; /* at least */
    /* NULL when it is done, else why it is not. */
    const char *(*run)(struct sandbox *s, const struct command_line *line, struct buf *out);
};

/* ---- when the clock goes back ---- */

static void end_sessions(struct sandbox *s)
{
    for (struct authorization *a = s->authorizations; a; a = a->next)
        while (a->sessions)
            session_end(s, a->sessions);
}

/* Within a session msg_ids only grow, on either side: a server whose clock went back could not tell
 * its clients what time it is, nor take what they then send. Like one that was started anew it
 * forgets its sessions, not the keys; clients learn the time from code 17 and go on in a new
 * session. */
static void clock_moved(struct sandbox *s, int64_t before_s)
{
    if (faults_clock_skew_s(&s->faults) < before_s)
        end_sessions(s);
}

/* ---- faults ---- */

static const char *fault_add(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    struct fault rule;
    const char *why = NULL;
    if (!fault_parse(line->word[1], &rule, &why))
        return why;
    int64_t skew_s = faults_clock_skew_s(&s->faults);
    uint32_t id = faults_add(&s->faults, &rule);
    if (!id)
        return "too many rules";
    clock_moved(s, skew_s);
    buf_printf(out, "%u\n", id);
    return NULL;
}

static const char *fault_remove(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    int64_t id;
    (void)out;
    if (!slice_to_i64(line->word[1], &id) || id < 1 || id > UINT32_MAX)
        return "not an id";
    int64_t skew_s = faults_clock_skew_s(&s->faults);
    if (!faults_remove(&s->faults, (uint32_t)id))
        return "no such rule";
    clock_moved(s, skew_s);
    return NULL;
}

static const char *fault_clear(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    (void)line;
    (void)out;
    int64_t skew_s = faults_clock_skew_s(&s->faults);
    s->faults.n = 0;
    clock_moved(s, skew_s);
    return NULL;
}

static const char *fault_list(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    (void)line;
    for (size_t i = 0; i < s->faults.n; i++) {
        const struct fault *f = &s->faults.list[i];
        buf_printf(out, "%u hits=%llu %s\n", f->id, (unsigned long long)f->hits, f->rule);
    }
    return NULL;
}

/* ---- moving the clock ---- */

static const char *clock_advance(struct sandbox *s, const struct command_line *line,
                                 struct buf *out)
{
    int64_t seconds;
    if (!slice_to_i64(line->word[1], &seconds) || seconds < 0 || seconds > INT32_MAX)
        return "not a number of seconds";
    s->clock_shift_ns += seconds * NS_PER_S;
    buf_printf(out, "%lld\n", (long long)clock_unix_s(&s->clock));
    return NULL;
}

/* ---- logins ---- */

static const char *list_codes(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    const struct id_map *m = &s->codes.by_hash;
    for (size_t i = 0; i < m->slots; i++) {
        const struct login_code *c = m->values[i];
        if (c && code_live(c, (int32_t)clock_unix_s(&s->clock)) &&
            (line->n < 2 || slice_is(line->word[1], c->phone)))
            buf_printf(out, "%s %s\n", c->phone, c->code);
    }
    return NULL;
}

static void print_email_code(const struct sandbox *s, const struct user *u,
                             const struct email_code *c, struct buf *out)
{
    if (email_code_live(c, (int32_t)clock_unix_s(&s->clock)))
        buf_printf(out, "%s %s %s\n", u->phone, c->email, c->code);
}

static const char *list_email_codes(struct sandbox *s, const struct command_line *line,
                                    struct buf *out)
{
    for (size_t i = 0; i < s->world->n_users; i++) {
        const struct user *u = s->world->user_list[i];
        const struct password_mail *mail = u->account ? u->account->mail : NULL;
        if (!mail || (line->n > 1 && !slice_is(line->word[1], u->phone)))
            continue;
        print_email_code(s, u, &mail->confirmation, out);
        print_email_code(s, u, &mail->recovery, out);
    }
    return NULL;
}

static struct user *phone_user(struct sandbox *s, const struct command_line *line)
{
    return world_user_by_phone(s->world, line->word[1]);
}

static const char *revoke_logins(struct sandbox *s, const struct command_line *line,
                                 struct buf *out)
{
    const struct user *user = phone_user(s, line);
    unsigned n = 0;
    if (!user)
        return "no such phone";
    for (; user->account->logins; n++)
        login_end(s, user->account->logins, true);
    buf_printf(out, "%u\n", n);
    return NULL;
}

/* The account of that phone; a number that is new signs up. NULL for what is no phone number. */
static struct user *phone_account(struct sandbox *s, struct slice text)
{
    char phone[PHONE_DIGITS_MAX + 1];
    if (!phone_normal(text, phone))
        return NULL;
    struct slice digits = slice_str(phone);
    struct user *user = world_user_by_phone(s->world, digits);
    int32_t dc = phone_test_dc(phone);
    return user ? user
                : world_add_user(s->world, digits, digits, slice_str(""),
                                 sandbox_dc_of(s, dc ? dc : 1));
}

static const char *set_account(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    struct user *user = phone_account(s, line->word[1]);
    (void)out;
    if (!user)
        return "not a phone number";
    return standing_set(s, user, line->word[2]) ? NULL : "no such state; see help";
}

static const char *move_account(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    int64_t dc;
    struct user *user = phone_user(s, line);
    (void)out;
    if (!user)
        return "no such phone";
    if (!slice_to_i64(line->word[2], &dc) || dc < 1 || dc > s->dcs || s->dcs == 1)
        return "no such data centre";
    user->account->home_dc = (int32_t)dc;
    return NULL;
}

static void drop_sessions_of(struct authorization *a)
{
    for (struct session *session = a->sessions; session; session = session->next_of_auth)
        if (session->connection)
            connection_close(session->connection, false);
}

static const char *drop(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    const struct user *user = phone_user(s, line);
    (void)out;
    if (!user)
        return "no such phone";
    for (struct authorization *a = user->account->logins; a; a = a->next_login) {
        drop_sessions_of(a);
        for (struct authorization *temp = a->temps; temp; temp = temp->next_temp)
            drop_sessions_of(temp);
    }
    return NULL;
}

static const char *drop_all(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    (void)line;
    (void)out;
    while (s->connections)
        connection_close(s->connections, false);
    return NULL;
}

static bool mint_one(struct sandbox *s, struct user *user, struct buf *out)
{
    uint8_t bytes[AUTH_KEY_BYTES];
    char hex[2 * AUTH_KEY_BYTES + 1];
    struct auth_key key;
    rng_fill(&s->protocol_rng, bytes, sizeof bytes);
    auth_key_set(&key, s->digests, bytes);
    struct authorization *a =
        key_add(s, &key, rng_u64(&s->protocol_rng), sandbox_dc_of(s, user->account->home_dc), 0);
    if (a) {
        login_begin(s, a, user);
        buf_printf(out, "%s\n", sodium_bin2hex(hex, sizeof hex, bytes, sizeof bytes));
    }
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(hex, sizeof hex);
    sodium_memzero(&key, sizeof key);
    return a != NULL;
}

static const char *mint(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    int64_t n;
    if (!slice_to_i64(line->word[2], &n) || n < 1 || n > MINT_MAX)
        return "not a number from 1 to 4096";
    struct user *user = phone_account(s, line->word[1]);
    if (!user)
        return "not a phone number";
    for (int64_t i = 0; i < n; i++)
        if (!mint_one(s, user, out))
            return "too many keys";
    return NULL;
}

/* What follows token= in a tg://login link, or the whole of it. */
static struct slice link_token(struct slice link)
{
    static const char prefix[] = "tg://login?token=";
    size_t n = sizeof prefix - 1;
    return link.len > n && memcmp(link.data, prefix, n) == 0 ? slice_of(link.data + n, link.len - n)
                                                             : link;
}

static const char *accept_login(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    struct slice text = link_token(line->word[1]);
    uint8_t bytes[BASE64_DECODED_MAX(2 * LOGIN_TOKEN_BYTES)];
    size_t n;
    (void)out;
    if (text.len > 2 * LOGIN_TOKEN_BYTES || !base64_decode(text, bytes, &n))
        return "not a token in base64";
    struct user *user = phone_account(s, line->word[2]);
    if (!user)
        return "not a phone number";
    return login_token_accept(s, slice_of(bytes, n), user, (int32_t)clock_unix_s(&s->clock));
}

/* ---- bots ---- */

/* The bot of that username; NULL when there is none, or it is somebody else's. */
static struct user *named_bot(struct sandbox *s, struct slice username)
{
    struct user *u = world_user(s->world, world_resolve_username(s->world, username));
    return u && (u->flags & USER_BOT) && u->account ? u : NULL;
}

static void print_token(const struct sandbox *s, const struct user *u, struct buf *out)
{
    char token[BOT_TOKEN_CHARS_MAX + 1];
    bot_token(s->world, u, token);
    buf_printf(out, "%s\n", token);
    sodium_memzero(token, sizeof token);
}

static const char *bot(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    const char *why = NULL;
    const struct user *u = named_bot(s, line->word[1]);
    if (!u)
        u = bot_add(s->world, line->word[1], sandbox_dc_of(s, DC_ALONE), &why);
    if (u)
        print_token(s, u, out);
    return why;
}

static const char *new_bot_token(struct sandbox *s, const struct command_line *line,
                                 struct buf *out)
{
    struct user *u = named_bot(s, line->word[1]);
    if (!u)
        return "no such bot";
    bot_revoke(u);
    while (u->account->logins)
        login_end(s, u->account->logins, true);
    print_token(s, u, out);
    return NULL;
}

/* ---- files ---- */

static const char *premium(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    struct user *user = phone_user(s, line);
    bool on = slice_is(line->word[2], "on");
    (void)out;
    if (!user)
        return "no such phone";
    if (!on && !slice_is(line->word[2], "off"))
        return "neither on nor off";
    user->flags = on ? user->flags | USER_PREMIUM : user->flags & ~(uint32_t)USER_PREMIUM;
    return NULL;
}

static const char *expire_references(struct sandbox *s, const struct command_line *line,
                                     struct buf *out)
{
    (void)line;
    (void)out;
    s->world->files.generation++;
    return NULL;
}

/* ---- counters ---- */

static const char *stats(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    const struct stats *c = &s->stats;
    const struct {
        const char *name;
        uint64_t value;
    } counters[] = {
        {"connections", c->connections},
        {"connections_open", s->n_connections},
        {"handshakes", c->handshakes},
        {"frames_in", c->frames_in},
        {"plain_in", c->plain_in},
        {"requests", c->requests},
        {"pushes", c->pushes},
        {"duplicated", c->duplicated},
        {"keys", s->n_keys},
        {"files", s->world->files.by_id.n},
        {"file_bytes", s->world->files.store.bytes},
        {"uploads", s->world->files.n_uploads},
    };
    if (line->n < 2)
        for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
            buf_printf(out, "%s %llu\n", counters[i].name, (unsigned long long)counters[i].value);
    for (size_t i = 0; i < COMBINATORS_N; i++) {
        const struct tl_combinator *method = layers_find(&s->layers, (uint16_t)i);
        if (method && (c->executed[i] || c->failed[i]) &&
            (line->n < 2 || slice_is(line->word[1], method->name)))
            buf_printf(out, "%s executed=%llu failed=%llu\n", method->name,
                       (unsigned long long)c->executed[i], (unsigned long long)c->failed[i]);
    }
    return NULL;
}

static const char *stats_reset(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    (void)line;
    (void)out;
    s->stats = (struct stats){0};
    return NULL;
}

static const char *help(struct sandbox *s, const struct command_line *line, struct buf *out);

static const struct command commands[] = {
    {"fault_add", "RULE", "add a rule; answers its id", 1, fault_add},
    {"fault_remove", "ID", "remove a rule", 1, fault_remove},
    {"fault_clear", "", "remove all rules", 0, fault_clear},
    {"fault_list", "", "ids, hits, rules", 0, fault_list},
    {"clock_advance", "SECONDS", "move the clock on; answers unix seconds", 1, clock_advance},
    {"codes", "[PHONE]", "login codes on their way: phone, code", 0, list_codes},
    {"email_codes", "[PHONE]", "codes sent to recovery addresses: phone, e-mail, code", 0,
     list_email_codes},
    {"revoke", "PHONE", "end all logins of an account (SESSION_REVOKED)", 1, revoke_logins},
    {"account", "PHONE STATE",
     "the account, made if new, becomes good, frozen, banned, phone_flood, password_flood or "
     "deactivated; its keys become revoked, expired, unregistered or duplicated",
     2, set_account},
    {"move", "PHONE DC", "the account moves to another data centre (USER_MIGRATE)", 2,
     move_account},
    {"mint", "PHONE N", "N keys that are logged in to an account, made if new: lines of hex", 2,
     mint},
    {"accept_login", "TOKEN PHONE",
     "the account, made if new, scans a QR code: base64 or the whole tg://login link", 2,
     accept_login},
    {"bot", "USERNAME", "the token of a bot, made if new; the name ends in bot", 1, bot},
    {"bot_revoke", "USERNAME", "another token; logins end, the old one is expired", 1,
     new_bot_token},
    {"drop", "PHONE", "close the account's connections", 1, drop},
    {"drop_all", "", "close all connections", 0, drop_all},
    {"premium", "PHONE on|off", "Telegram Premium: files of 8,000 parts", 2, premium},
    {"expire_references", "", "file references given so far have expired", 0, expire_references},
    {"stats", "[METHOD]", "counters, then calls by method", 0, stats},
    {"stats_reset", "", "all counters to 0", 0, stats_reset},
    {"help", "", "this list", 0, help},
};

static const char *help(struct sandbox *s, const struct command_line *line, struct buf *out)
{
    (void)s;
    (void)line;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        buf_printf(out, "%s %s: %s\n", commands[i].name, commands[i].arguments, commands[i].text);
    return NULL;
}

static struct command_line split_words(struct slice text)
{
    struct command_line line = {0};
    size_t i = 0;
    while (i < text.len && line.n < WORDS_MAX) {
        while (i < text.len && text.data[i] == ' ')
            i++;
        size_t begin = i;
        while (i < text.len && text.data[i] != ' ')
            i++;
        if (i > begin)
            line.word[line.n++] = slice_of(text.data + begin, i - begin);
    }
    return line;
}

void control_run(struct sandbox *s, struct slice text, struct buf *out)
{
    struct command_line line = split_words(text);
    const char *why = "unknown command; try help";
    for (size_t i = 0; line.n && i < sizeof commands / sizeof *commands; i++) {
        if (!slice_is(line.word[0], commands[i].name))
            continue;
        why = line.n - 1 < commands[i].n_arguments ? "arguments are missing"
                                                   : commands[i].run(s, &line, out);
        break;
    }
    if (why)
        buf_printf(out, "error %s\n", why);
    else
        buf_append_str(out, "ok\n");
}
