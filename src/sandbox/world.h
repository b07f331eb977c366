/* SPDX-License-Identifier: MIT
 * The sandbox's state: users, chats, messages, dialogs. What changes in it is told as updates
 * (update.h).
 *
 * Ids are marked ids: users positive, basic groups -id, channels and supergroups -(10^12 + id).
 * Messages of private chats and basic groups live once in the world, and each participant's message
 * box gives them an id of its own; channels and supergroups number their own messages. Everything
 * is plain memory used by one thread. Functions that allocate return NULL or false without memory.
 * Strings inside are owned by the struct that holds them, NUL-terminated, never NULL. */
#ifndef TGREST_SANDBOX_WORLD_H
#define TGREST_SANDBOX_WORLD_H

#include "base/random.h"
#include "sandbox/account.h"
#include "sandbox/file.h"
#include "sandbox/map.h"

/* ---- peers ---- */

enum peer_kind { PEER_NONE, PEER_USER, PEER_CHAT, PEER_CHANNEL };

#define PEER_CHANNEL_MARK 1000000000000LL

enum peer_kind peer_kind(int64_t peer);
/* The id as TL has it: positive. */
int64_t peer_bare(int64_t peer);
int64_t peer_of_chat(int64_t bare);
int64_t peer_of_channel(int64_t bare);

/* Ids of Telegram's own. */
enum { USER_SERVICE = 777000 };

/* ---- limits, as Telegram's config states them ---- */

enum {
    MESSAGE_UNITS_MAX = 4096, /* UTF-16 units of a text */
    CAPTION_UNITS_MAX = 1024,
    ENTITIES_MAX = 100, /* more are dropped */
    NAME_UNITS_MAX = 64,
    TITLE_UNITS_MAX = 128,
    ABOUT_UNITS_MAX = 255, /* of a chat; 70 of a user */
    USER_ABOUT_UNITS_MAX = 70,
    CHAT_MEMBERS_MAX = 200, /* basic group */
    PINNED_DIALOGS_MAX = 5, /* without Premium */
    PAGE_MAX = 100,         /* history, search, dialogs, participants (200) */
    PARTICIPANTS_PAGE_MAX = 200,
    EDIT_WINDOW_S = 172800, /* config.edit_time_limit */
    RANDOM_IDS_KEPT = 4096, /* per account: how far back a repeated random_id is recognised */
    USERS_MAX = 1000000,    /* accounts that sign-ups may create */
};

/* ---- messages ---- */

/* Ascending ids. */
struct id_list {
    int32_t *ids;
    uint32_t n;
    uint32_t cap;
};
/* Index of the first id >= id (n if none). */
uint32_t id_list_lower(const struct id_list *l, int32_t id);
bool id_list_add(struct id_list *l, int32_t id); /* anywhere; cheap at the end */
bool id_list_remove(struct id_list *l, int32_t id);

enum message_flags {
    MESSAGE_POST = 1, /* of a broadcast channel */
    MESSAGE_SERVICE = 2,
    MESSAGE_PINNED = 4,
    MESSAGE_SILENT = 8,
    MESSAGE_NO_WEBPAGE = 16,
    MESSAGE_NOFORWARDS = 32,
    MESSAGE_EDIT_HIDE = 64,
    MESSAGE_FROM_SCHEDULED = 128,
};

struct message_extra; /* entities, media, forward header, quote, action: message.h */

struct message {
    int64_t from;                /* who sent it: a user, or the channel itself for posts */
    int64_t peer;                /* where it was sent: user (the receiver), basic group, channel */
    struct message_extra *extra; /* NULL for most; owned */
    int32_t id;                  /* channels: the id. Boxed messages: their uid in the world */
    int32_t date;
    int32_t edit_date;
    int32_t reply_to; /* same numbering as id; 0 = none */
    int32_t views;    /* posts */
    uint16_t flags;
    uint16_t holders;  /* boxes that have it */
    uint32_t text_len; /* bytes of UTF-8 */
    char text[];
};

/* Pictures of a user or chat, held; the one that is shown is the last. */
struct photo_list {
    struct file **files;
    uint32_t n;
    uint32_t cap;
};

/* ---- users ---- */

enum user_flags {
    USER_BOT = 1,
    USER_VERIFIED = 2,
    USER_DELETED = 4,
    USER_SUPPORT = 8,
    USER_PREMIUM = 16,
    USER_ECHO = 32,       /* answers every private message with its text */
    USER_NO_INVITES = 64, /* privacy: cannot be added to groups */
    USER_ACCOUNT = 128,   /* can log in: has a phone */
};

/* What self was writing there when he left. */
struct saved_draft {
    char *text;
    struct message_extra *extra; /* its entities */
    int32_t date;
    int32_t reply_to; /* self's number of the message; 0 = none */
    bool no_webpage;
};

struct dialog {
    int64_t peer;
    struct id_list ids; /* boxed messages only: the owner's ids in this dialog */
    int32_t read_inbox_max;
    int32_t read_outbox_max;
    int32_t pinned_rank; /* 0 = not pinned; higher is nearer the top */
    int32_t folder;      /* 1 = archive */
    int32_t date;        /* orders an empty dialog: when it was joined or created */
    bool hidden;         /* deleted or left: not listed until a message comes */
    bool unread_mark;
    struct saved_draft *saved; /* owned; NULL = none */
};

#define BOX_DELETED (1u << 31) /* by this account */
#define BOX_PINNED  (1u << 30) /* for this account */
#define BOX_UID     (BOX_PINNED - 1)

struct user {
    int64_t id;
    char *first_name;
    char *last_name;
    char *phone;    /* digits, "" without */
    char *username; /* "" without */
    char *about;
    uint32_t flags;
    struct photo_list photos;
    struct account *account; /* NULL for users nobody can log in as; owned */
    int32_t online_until;    /* unix seconds; 0 = never seen */

    /* message box: box[id - 1] is the uid of message id, with BOX_… bits */
    uint32_t *box;
    uint32_t box_n;
    uint32_t box_cap;

    struct id_map dialogs; /* peer -> struct dialog, owned */
    struct dialog **dialog_list;
    size_t n_dialogs;
    size_t dialogs_cap;

    struct id_map contacts; /* user id -> struct contact, owned */
    struct id_map blocked;  /* peer -> (void *)(intptr_t)unix seconds */
    struct id_map sent;     /* random_id -> (void *)(index in sent_ring + 1) */
    struct sent_id *sent_ring;
    uint32_t sent_next; /* the oldest, once the ring is full */
    uint32_t sent_n;
    uint32_t sent_cap;
    int32_t last_scheduled;  /* number of the last message that was to be sent later */
    struct id_map last_post; /* channel peer -> (void *)(intptr_t)unix seconds: slow mode */
};

struct contact {
    int64_t user_id;
    char *first_name; /* as the owner of the list calls them */
    char *last_name;
    char *phone;
};

struct sent_id {
    int64_t random_id;
    int64_t peer;
    int32_t id;     /* the sender's own id */
    bool scheduled; /* it waits: the id is that of the scheduled message */
};

/* ---- chats ---- */

enum chat_flags {
    CHAT_BROADCAST = 1,
    CHAT_MEGAGROUP = 2,
    CHAT_SIGNATURES = 4,
    CHAT_NOFORWARDS = 8,
    CHAT_JOIN_REQUEST = 16, /* joining by username needs approval */
    CHAT_VERIFIED = 32,
    CHAT_HISTORY_HIDDEN = 64, /* newcomers do not see what was before them */
    CHAT_DEACTIVATED = 128,   /* basic group that was migrated */
    CHAT_PARTICIPANTS_HIDDEN = 256,
};

/* Bits as in chatAdminRights and chatBannedRights. */
enum admin_right {
    ADMIN_CHANGE_INFO = 1 << 0,
    ADMIN_POST = 1 << 1,
    ADMIN_EDIT = 1 << 2,
    ADMIN_DELETE = 1 << 3,
    ADMIN_BAN = 1 << 4,
    ADMIN_INVITE = 1 << 5,
    ADMIN_PIN = 1 << 7,
    ADMIN_ADD_ADMINS = 1 << 9,
    ADMIN_ANONYMOUS = 1 << 10,
    ADMIN_CALL = 1 << 11,
    ADMIN_OTHER = 1 << 12,
    ADMIN_TOPICS = 1 << 13,
};
enum banned_right {
    BANNED_VIEW = 1 << 0,
    BANNED_SEND = 1 << 1,
    BANNED_MEDIA = 1 << 2,
    BANNED_STICKERS = 1 << 3,
    BANNED_GIFS = 1 << 4,
    BANNED_GAMES = 1 << 5,
    BANNED_INLINE = 1 << 6,
    BANNED_LINKS = 1 << 7,
    BANNED_POLLS = 1 << 8,
    BANNED_CHANGE_INFO = 1 << 10,
    BANNED_INVITE = 1 << 15,
    BANNED_PIN = 1 << 17,
    BANNED_TOPICS = 1 << 18,
    BANNED_PLAIN = 1 << 25,
};

enum member_state { MEMBER_LEFT, MEMBER_JOINED, MEMBER_KICKED };

struct member {
    int64_t user_id;
    int64_t inviter_id;
    int64_t promoted_by;
    enum member_state state;
    bool creator;
    bool via_request;
    uint32_t admin;       /* admin_right bits; 0 = not an admin (unless creator) */
    uint32_t banned;      /* banned_right bits */
    int32_t banned_until; /* 0 = for ever */
    int32_t date;
    int32_t first_visible; /* message ids below are hidden (CHAT_HISTORY_HIDDEN) */
    char *rank;
};

struct invite {
    char *hash;
    char *title;
    int64_t admin_id;
    int64_t peer;
    int32_t date;
    int32_t expires;     /* 0 = never */
    int32_t usage_limit; /* 0 = none */
    int32_t usage;
    int32_t requested;
    bool request_needed;
    bool revoked;
    bool permanent;
};

struct join_request {
    int64_t user_id;
    int32_t date;
};

struct chat {
    int64_t peer; /* marked id */
    char *title;
    char *about;
    char *username;
    uint32_t flags;
    int64_t creator_id;
    struct photo_list photos;
    int32_t date;
    int32_t version; /* of a basic group's participants */
    int32_t slow_mode_s;
    uint32_t default_banned;
    int64_t migrated_to;   /* channel peer */
    int64_t migrated_from; /* basic group peer */
    int32_t migrated_from_max_id;
    int64_t linked;

    struct member **members; /* in order of joining, also the gone ones */
    uint32_t n_members;
    uint32_t members_cap;
    uint32_t n_joined;
    struct id_map member_of; /* user id -> struct member, owned */

    struct invite **invites;
    uint32_t n_invites;
    uint32_t invites_cap;
    struct join_request *requests;
    uint32_t n_requests;
    uint32_t requests_cap;

    /* channels: slots[id - 1], NULL once deleted; live holds the ids that are there */
    struct message **slots;
    uint32_t n_slots;
    uint32_t slots_cap;
    struct id_list live;
    struct id_list pinned;
    struct update_log log; /* its pts, and its messages' updates */
};

/* ---- the world ---- */

/* Called for every update as it happens, after the logs have it: `to` is the account it is for
 * (each member, for a channel's). except is the session whose answer says it already (NULL: none).
 */
struct world_sink {
    void (*push)(void *ctx, const struct session *except, struct user *to, const struct update *u);
    void *ctx;
};

/* While one is set as world->cause, what happens is caused by a request of that session: its user's
 * updates are also collected here, for the answer. */
struct cause {
    const struct session *session;
    struct user *user;
    struct arena *arena;
    struct update *updates; /* copies, ids too, in arena */
    uint32_t n;
    uint32_t cap;
};

/* A message that a bot has yet to answer. */
struct pending_answer {
    int64_t bot;
    int32_t uid;
};

struct world {
    struct rng rng;
    uint8_t hash_secret[16]; /* access hashes are keyed hashes of (viewer, peer) */
    struct id_map users;
    struct user **user_list;
    size_t n_users;
    size_t users_cap;
    struct id_map chats; /* marked id -> struct chat, owned */
    struct name_map phones;
    struct name_map usernames;     /* -> marked id */
    struct name_map invite_hashes; /* -> index in invite_list + 1 */
    struct invite **invite_list;
    size_t n_invites;
    size_t invites_cap;
    struct message **boxed; /* boxed[uid - 1]: private and basic group messages; NULL once gone */
    uint32_t n_boxed;
    uint32_t boxed_cap;
    int64_t next_user_id;
    int64_t next_chat_id;
    int64_t next_channel_id;
    struct world_sink sink;
    struct cause *cause;            /* NULL between requests */
    struct pending_answer *pending; /* what the echo user will say */
    size_t n_pending;
    size_t pending_cap;
    struct files files;
    struct scheduled *scheduled; /* owned, by date */
    size_t message_bytes;        /* held by messages: text, records, extras */
};

/* An empty world with the service user 777000. secret and ids come from seed. */
struct world *world_new(uint64_t seed);
void world_free(struct world *w);

struct user *world_user(const struct world *w, int64_t id);
struct chat *world_chat(const struct world *w, int64_t peer);
/* Digits with or without '+' and punctuation. */
struct user *world_user_by_phone(const struct world *w, struct slice phone);
/* Marked id; 0 if free. */
int64_t world_resolve_username(const struct world *w, struct slice username);
/* phone "" for bots and service users; others get an account (account_new). NULL when the phone is
 * taken or USERS_MAX is reached. */
struct user *world_add_user(struct world *w, struct slice phone, struct slice first_name,
                            struct slice last_name, int32_t home_dc);
/* Its number and username are free again; who is logged in to it is told so. */
void world_delete_account(struct world *w, struct user *u);
bool user_set_name(struct user *u, struct slice first_name, struct slice last_name);
bool user_set_about(struct user *u, struct slice about);
/* u becomes (or is renamed as) a contact of owner. */
bool user_add_contact(struct user *owner, const struct user *u, struct slice first,
                      struct slice last);
/* "" takes it away. False when it is taken by somebody else. */
bool world_set_username(struct world *w, int64_t peer, struct slice username);
/* What the schema calls access_hash: differs for each viewer, never 0. */
int64_t world_access_hash(const struct world *w, int64_t viewer_id, int64_t peer);

/* What a request has yet to cause: bots that answer. Call after the answer of each request has been
 * queued; updates come through the sink. */
void world_run_pending(struct world *w, int32_t now);

/* A message from 777000 (login codes): NULL without memory. Its update goes through the sink. */
struct message *world_service_message(struct world *w, struct user *to, struct slice text,
                                      int32_t now);

/* Fills *w with users, chats and messages of the table in world_demo.c. */
bool world_load_demo(struct world *w, int32_t now);

#endif
