/* SPDX-License-Identifier: MIT
 * The demo world: the same under every seed but for ids, texts and access hashes.
 * What is in it stands in world_demo_table, which `tgrest demo` prints. */
#include "sandbox/world_demo.h"

#include <stdio.h>

#include "sandbox/bots.h"
#include "sandbox/chat.h"
#include "sandbox/service.h"

const char world_demo_table[] =
    "accounts (any other 99966D#### number signs up on data centre D with code DDDDD)\n"
    "  +9996620001  @alice   Alice Arden   code 22222\n"
    "  +9996620002  @robert  Bob Brown     code 22222, owns @sandbox_news and @sandbox_club\n"
    "  +9996620003  @carol   Carol Clark   code 22222, password \"correct horse\"\n"
    "  +9996610001  @david   Dave Dixon    code 11111, on data centre 1\n"
    "  +9996630001  @erin_e  Erin Ebert    code 33333, on data centre 3\n"
    "users\n"
    "  @echo         answers with what you write\n"
    "  @sandbox_bot  a bot; its token is in the log\n"
    "chats\n"
    "  @sandbox_news  channel, one post of each kind of media, a file on data centre 3; only Bob "
    "posts\n"
    "  @sandbox_club  supergroup with a year of history, replies and pins; Alice has it pinned on "
    "top\n"
    "  @slow_lane     supergroup with slow mode, 10 s\n"
    "  Quiet Channel  private channel of Alice's\n"
    "  Picnic         basic group of Alice, Bob, Carol and Dave\n"
    "  Old Flat       basic group in Alice's archive\n"
    "  Backstage      private supergroup without Alice\n"
    "invite links\n"
    "  t.me/+PlainInviteLink0  to Backstage\n"
    "  t.me/+ExpiredInvite000  to Backstage, expired\n"
    "  t.me/+UsedUpInvite0000  to Backstage, used up\n"
    "  t.me/+JoinRequest00000  to Backstage, an admin (Bob) must approve\n";

enum { DAY_S = 86400, EXTRAS_N = 20 };

/* ---- users ---- */

static const struct {
    const char *phone, *first, *last, *username, *about;
    uint32_t flags;
    int32_t dc;
} users[DEMO_USERS_N] = {
    [DEMO_ALICE] = {"9996620001", "Alice", "Arden", "alice", "Likes long walks", 0, 2},
    [DEMO_BOB] = {"9996620002", "Bob", "Brown", "robert", "", 0, 2},
    [DEMO_CAROL] = {"9996620003", "Carol", "Clark", "carol", "", 0, 2},
    [DEMO_DAVE] = {"9996610001", "Dave", "Dixon", "david", "", 0, 1},
    [DEMO_ERIN] = {"9996630001", "Erin", "Ebert", "erin_e", "", 0, 3},
    [DEMO_ECHO] = {"", "Echo", "", "echo", "Says what you say", USER_ECHO, 2},
    [DEMO_BOT] = {"", "Sandbox Bot", "", "sandbox_bot", "A bot that keeps quiet", USER_BOT, 2},
    [DEMO_GONE] = {"", "", "", "", "", USER_DELETED, 2},
};

static bool add_users(struct demo *d)
{
    for (int i = 0; i < DEMO_USERS_N; i++) {
        struct user *u =
            world_add_user(d->world, slice_str(users[i].phone), slice_str(users[i].first),
                           slice_str(users[i].last), users[i].dc);
        if (!u || !user_set_about(u, slice_str(users[i].about)) ||
            (users[i].username[0] &&
             !world_set_username(d->world, u->id, slice_str(users[i].username))))
            return false;
        u->flags |= users[i].flags;
        u->online_until = i == DEMO_GONE ? 0 : d->now - 3600 * (i + 1);
        d->users[i] = u;
    }
    return bot_enable(d->users[DEMO_BOT], users[DEMO_BOT].dc) &&
           account_set_password(d->users[DEMO_CAROL]->account, &d->world->rng,
                                slice_str("correct horse"), "horse, but how?");
}

static bool add_contacts(const struct demo *d)
{
    static const struct {
        enum demo_user owner, contact;
        const char *name;
    } contacts[] = {
        {DEMO_ALICE, DEMO_BOB, "Bob"},    {DEMO_ALICE, DEMO_CAROL, "Carol"},
        {DEMO_ALICE, DEMO_ECHO, "Echo"},  {DEMO_BOB, DEMO_ALICE, "Alice"},
        {DEMO_CAROL, DEMO_ALICE, "Ally"},
    };
    for (size_t i = 0; i < sizeof contacts / sizeof *contacts; i++)
        if (!user_add_contact(d->users[contacts[i].owner], d->users[contacts[i].contact],
                              slice_str(contacts[i].name), slice_str("")))
            return false;
    return true;
}

/* People who only fill the club. */
static bool add_extras(struct demo *d)
{
    static const char *const first[] = {"Finn", "Gina", "Hugo", "Iris", "Jack",
                                        "Kira", "Luca", "Mona", "Nils", "Olga"};
    static const char *const last[] = {"Stone", "Woods"};
    for (int i = 0; i < EXTRAS_N; i++) {
        struct user *u = world_add_user(d->world, slice_str(""), slice_str(first[i % 10]),
                                        slice_str(last[i / 10]), 2);
        if (!u || !chat_join(d->chats[DEMO_CLUB], u, 0, d->now - 365 * DAY_S))
            return false;
        u->online_until = d->now - (int32_t)rng_below(&d->world->rng, 7 * DAY_S) - 1;
    }
    return true;
}

/* ---- chats ---- */

#define IN(who) (1u << DEMO_##who)
static const struct {
    enum peer_kind kind;
    const char *title, *about, *username;
    uint32_t flags;
    enum demo_user owner;
    unsigned members; /* besides the owner */
    int32_t slow_s;
    int32_t age_days;
} chats[DEMO_CHATS_N] = {
    [DEMO_NEWS] = {PEER_CHANNEL, "Sandbox News", "News from nowhere", "sandbox_news",
                   CHAT_BROADCAST | CHAT_VERIFIED, DEMO_BOB, IN(ALICE) | IN(CAROL) | IN(DAVE), 0,
                   90},
    [DEMO_CLUB] = {PEER_CHANNEL, "Sandbox Club", "A year of talk", "sandbox_club", CHAT_MEGAGROUP,
                   DEMO_BOB, IN(ALICE) | IN(CAROL) | IN(BOT), 0, 365},
    [DEMO_SLOW] = {PEER_CHANNEL, "Slow Lane", "One message in ten seconds", "slow_lane",
                   CHAT_MEGAGROUP, DEMO_BOB, IN(ALICE) | IN(DAVE), 10, 30},
    [DEMO_QUIET] = {PEER_CHANNEL, "Quiet Channel", "", "", CHAT_BROADCAST | CHAT_SIGNATURES,
                    DEMO_ALICE, IN(BOB), 0, 60},
    [DEMO_PICNIC] = {PEER_CHAT, "Picnic", "", "", 0, DEMO_ALICE, IN(BOB) | IN(CAROL) | IN(DAVE), 0,
                     20},
    [DEMO_FLAT] = {PEER_CHAT, "Old Flat", "", "", 0, DEMO_CAROL, IN(ALICE), 0, 300},
    [DEMO_BACKSTAGE] = {PEER_CHANNEL, "Backstage", "By invitation", "", CHAT_MEGAGROUP, DEMO_BOB,
                        IN(CAROL), 0, 45},
};

static bool add_chat(struct demo *d, int i)
{
    int32_t born = d->now - chats[i].age_days * DAY_S;
    struct user *owner = d->users[chats[i].owner];
    struct chat *c = world_add_chat(d->world, chats[i].kind, slice_str(chats[i].title),
                                    slice_str(chats[i].about), chats[i].flags, owner->id, born);
    if (!c || !chat_join(c, owner, owner->id, born))
        return false;
    d->chats[i] = c;
    c->slow_mode_s = chats[i].slow_s;
    int64_t first[DEMO_USERS_N];
    uint32_t n = 0;
    for (int u = 0; u < DEMO_USERS_N; u++) {
        if (!(chats[i].members & (1u << u)))
            continue;
        if (!chat_join(c, d->users[u], owner->id, born))
            return false;
        first[n++] = d->users[u]->id;
    }
    bool group = chats[i].kind == PEER_CHAT;
    struct action_draft made = {.kind = group ? ACTION_CHAT_CREATE : ACTION_CHANNEL_CREATE,
                                .title = c->title,
                                .users = first,
                                .n_users = group ? n : 0};
    return say_action(d->world, c, owner->id, &made, born, true) &&
           (!chats[i].username[0] ||
            world_set_username(d->world, c->peer, slice_str(chats[i].username)));
}

static bool add_invites(const struct demo *d)
{
    static const struct {
        const char *hash;
        int32_t age_s, expires_in_s, usage_limit, usage;
        bool request_needed;
    } invites[] = {
        {"PlainInviteLink0", DAY_S, 0, 0, 0, false},
        {"ExpiredInvite000", 2 * DAY_S, -DAY_S, 0, 0, false},
        {"UsedUpInvite0000", DAY_S, 0, 1, 1, false},
        {"JoinRequest00000", DAY_S, 0, 0, 0, true},
    };
    struct chat *c = d->chats[DEMO_BACKSTAGE];
    for (size_t i = 0; i < sizeof invites / sizeof *invites; i++) {
        struct invite *link =
            world_add_invite_as(d->world, c, d->users[DEMO_BOB]->id, slice_str(invites[i].hash),
                                d->now - invites[i].age_s);
        if (!link)
            return false;
        link->expires = invites[i].expires_in_s ? d->now + invites[i].expires_in_s : 0;
        link->usage_limit = invites[i].usage_limit;
        link->usage = invites[i].usage;
        link->request_needed = invites[i].request_needed;
    }
    return true;
}

bool world_load_demo(struct world *w, int32_t now)
{
    struct demo d = {.world = w, .now = now};
    bool ok = add_users(&d) && add_contacts(&d);
    for (int i = 0; ok && i < DEMO_CHATS_N; i++)
        ok = add_chat(&d, i);
    return ok && add_extras(&d) && add_invites(&d) && demo_faces(&d) && demo_history(&d);
}
