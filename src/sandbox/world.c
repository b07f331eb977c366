/* SPDX-License-Identifier: MIT
 * The world as a whole: users, names, access hashes. */
#include "sandbox/world.h"

#include <sodium.h>
#include <stdlib.h>

#include "sandbox/message.h"
#include "sandbox/scheduled.h"
#include "sandbox/world_parts.h"

enum peer_kind peer_kind(int64_t peer)
{
    if (peer > 0)
        return PEER_USER;
    if (peer == 0)
        return PEER_NONE;
    return peer > -PEER_CHANNEL_MARK ? PEER_CHAT : PEER_CHANNEL;
}

int64_t peer_bare(int64_t peer)
{
    switch (peer_kind(peer)) {
    case PEER_CHAT:
        return -peer;
    case PEER_CHANNEL:
        return -peer - PEER_CHANNEL_MARK;
    default:
        return peer;
    }
}

/* Ids from outside may be anything: those that no peer has give 0, which resolves to nothing. */
int64_t peer_of_chat(int64_t bare)
{
    return bare > 0 && bare < PEER_CHANNEL_MARK ? -bare : 0;
}

int64_t peer_of_channel(int64_t bare)
{
    return bare > 0 && bare < PEER_CHANNEL_MARK ? -PEER_CHANNEL_MARK - bare : 0;
}

char *text_dup(struct slice s)
{
    char *copy = malloc(s.len + 1);
    if (!copy)
        return NULL;
    if (s.len)
        memcpy(copy, s.data, s.len);
    copy[s.len] = '\0';
    return copy;
}

bool text_replace(char **text, struct slice s)
{
    char *copy = text_dup(s);
    if (!copy)
        return false;
    free(*text);
    *text = copy;
    return true;
}

bool grow(void *array, void *cap, size_t cap_bytes, size_t n, size_t item)
{
    size_t have = 0;
    memcpy(&have, cap, cap_bytes);
    if (n < have)
        return true;
    size_t want = have < 4 ? 4 : have + have / 2;
    if (want > SIZE_MAX / item || (cap_bytes < sizeof have && want > UINT32_MAX))
        return false;
    void *old;
    memcpy(&old, array, sizeof old);
    void *bigger = realloc(old, want * item);
    if (!bigger)
        return false;
    memcpy(array, &bigger, sizeof bigger);
    memcpy(cap, &want, cap_bytes);
    return true;
}

/* ---- life ---- */

enum { ID_BASE = 1000000001, ID_SPREAD = 1000000000 };

struct world *world_new(uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    rng_init_seed(&w->rng, seed);
    rng_fill(&w->rng, w->hash_secret, sizeof w->hash_secret);
    files_init(&w->files, &w->rng);
    w->invite_hashes.exact = true;
    w->next_user_id = ID_BASE;
    w->next_chat_id = ID_BASE / 10;
    w->next_channel_id = ID_BASE + ID_SPREAD / 2;
    int64_t first = w->next_user_id;
    w->next_user_id = USER_SERVICE;
    struct user *service =
        world_add_user(w, slice_str(""), slice_str("Telegram"), slice_str(""), 1);
    w->next_user_id = first;
    if (!service) {
        world_free(w);
        return NULL;
    }
    service->flags |= USER_VERIFIED | USER_SUPPORT;
    return w;
}

static void user_free(struct user *u)
{
    free(u->first_name);
    free(u->last_name);
    free(u->phone);
    free(u->username);
    free(u->about);
    free(u->box);
    for (size_t i = 0; i < u->n_dialogs; i++) {
        free(u->dialog_list[i]->ids.ids);
        saved_draft_free(u->dialog_list[i]->saved);
        free(u->dialog_list[i]);
    }
    free(u->dialog_list);
    id_map_free(&u->dialogs);
    for (size_t i = 0; i < u->contacts.slots; i++)
        contact_free(u->contacts.values[i]);
    id_map_free(&u->contacts);
    id_map_free(&u->blocked);
    id_map_free(&u->sent);
    free(u->sent_ring);
    id_map_free(&u->last_post);
    account_free(u->account);
    photo_list_free(&u->photos);
    free(u);
}

void world_free(struct world *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->n_users; i++)
        user_free(w->user_list[i]);
    free(w->user_list);
    id_map_free(&w->users);
    for (size_t i = 0; i < w->chats.slots; i++)
        chat_free(w->chats.values[i]);
    id_map_free(&w->chats);
    name_map_free(&w->phones);
    name_map_free(&w->usernames);
    name_map_free(&w->invite_hashes);
    for (size_t i = 0; i < w->n_invites; i++)
        invite_free(w->invite_list[i]);
    free(w->invite_list);
    for (uint32_t i = 0; i < w->n_boxed; i++)
        message_free(w, w->boxed[i]);
    free(w->boxed);
    free(w->pending);
    scheduled_free_all(w);
    files_free(&w->files);
    free(w);
}

/* ---- users ---- */

struct user *world_user(const struct world *w, int64_t id)
{
    return id > 0 ? id_map_get(&w->users, id) : NULL;
}

struct chat *world_chat(const struct world *w, int64_t peer)
{
    return peer < 0 ? id_map_get(&w->chats, peer) : NULL;
}

enum { PHONE_DIGITS_MAX = 20 };

/* The digits of a phone number; how many there are (0: none, or too many). */
static size_t phone_digits(struct slice phone, char digits[static PHONE_DIGITS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < phone.len; i++) {
        if (phone.data[i] < '0' || phone.data[i] > '9')
            continue;
        if (n == PHONE_DIGITS_MAX)
            return 0;
        digits[n++] = (char)phone.data[i];
    }
    return n;
}

struct user *world_user_by_phone(const struct world *w, struct slice phone)
{
    char digits[PHONE_DIGITS_MAX];
    size_t n = phone_digits(phone, digits);
    return n ? world_user(w, name_map_get(&w->phones, slice_of(digits, n))) : NULL;
}

static struct user *user_new(int64_t id, struct slice phone, struct slice first, struct slice last)
{
    struct user *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->id = id;
    bool ok = text_replace(&u->first_name, first) && text_replace(&u->last_name, last) &&
              text_replace(&u->phone, phone) && text_replace(&u->username, slice_str("")) &&
              text_replace(&u->about, slice_str(""));
    if (!ok) {
        user_free(u);
        return NULL;
    }
    return u;
}

struct user *world_add_user(struct world *w, struct slice phone, struct slice first_name,
                            struct slice last_name, int32_t home_dc)
{
    char digits[PHONE_DIGITS_MAX];
    struct slice number = slice_of(digits, phone_digits(phone, digits));
    if (w->n_users >= USERS_MAX || (number.len && name_map_get(&w->phones, number)))
        return NULL;
    struct user *u = user_new(w->next_user_id, number, first_name, last_name);
    if (!u)
        return NULL;
    bool ok = grow(&w->user_list, &w->users_cap, sizeof w->users_cap, w->n_users,
                   sizeof(*w->user_list)) &&
              id_map_put(&w->users, u->id, u);
    if (!ok) {
        user_free(u);
        return NULL;
    }
    w->user_list[w->n_users++] = u;
    if (number.len) {
        u->flags |= USER_ACCOUNT;
        u->account = account_new(u, home_dc);
        if (!u->account || !name_map_put(&w->phones, number, u->id))
            return NULL; /* out of memory: the user stays, without a way to log in */
    }
    w->next_user_id += 1 + (int64_t)rng_below(&w->rng, 1000); /* gaps, as real ids have */
    return u;
}

void world_delete_account(struct world *w, struct user *u)
{
    world_set_username(w, u->id, slice_str(""));
    name_map_remove(&w->phones, slice_str(u->phone));
    u->flags |= USER_DELETED;
}

bool user_set_name(struct user *u, struct slice first_name, struct slice last_name)
{
    return text_replace(&u->first_name, first_name) && text_replace(&u->last_name, last_name);
}

bool user_set_about(struct user *u, struct slice about)
{
    return text_replace(&u->about, about);
}

/* ---- names and hashes ---- */

int64_t world_resolve_username(const struct world *w, struct slice username)
{
    if (username.len && username.data[0] == '@')
        username = slice_of(username.data + 1, username.len - 1);
    return name_map_get(&w->usernames, username);
}

bool world_set_username(struct world *w, int64_t peer, struct slice username)
{
    struct user *u = world_user(w, peer);
    struct chat *c = world_chat(w, peer);
    if (!u && !c)
        return false;
    char **have = u ? &u->username : &c->username;
    int64_t owner = username.len ? name_map_get(&w->usernames, username) : 0;
    if (owner && owner != peer)
        return false;
    struct slice old = slice_str(*have);
    if (old.len)
        name_map_remove(&w->usernames, old);
    if (username.len && !name_map_put(&w->usernames, username, peer))
        return false;
    return text_replace(have, username);
}

int64_t world_access_hash(const struct world *w, int64_t viewer_id, int64_t peer)
{
    int64_t pair[2] = {viewer_id, peer};
    int64_t hash = 0;
    _Static_assert(sizeof w->hash_secret == crypto_shorthash_KEYBYTES, "SipHash takes 16 bytes");
    _Static_assert(sizeof hash == crypto_shorthash_BYTES, "SipHash gives 8 bytes");
    crypto_shorthash((unsigned char *)&hash, (const unsigned char *)pair, sizeof pair,
                     w->hash_secret);
    return hash ? hash : 1;
}
