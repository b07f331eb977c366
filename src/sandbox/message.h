/* SPDX-License-Identifier: MIT
 * What few messages have beside their text, and the ways messages are made, found, changed and
 * removed. */
#ifndef TGREST_SANDBOX_MESSAGE_H
#define TGREST_SANDBOX_MESSAGE_H

#include "sandbox/world.h"

/* Texts and arrays here are malloc'ed and owned by the struct; NULL = none. */

enum entity_kind {
    ENTITY_MENTION,
    ENTITY_HASHTAG,
    ENTITY_BOT_COMMAND,
    ENTITY_URL,
    ENTITY_EMAIL,
    ENTITY_PHONE,
    ENTITY_CASHTAG,
    ENTITY_BANK_CARD,
    ENTITY_BOLD,
    ENTITY_ITALIC,
    ENTITY_CODE,
    ENTITY_PRE,
    ENTITY_TEXT_URL,
    ENTITY_MENTION_NAME,
    ENTITY_UNDERLINE,
    ENTITY_STRIKE,
    ENTITY_BLOCKQUOTE,
    ENTITY_SPOILER,
    ENTITY_CUSTOM_EMOJI,
    ENTITY_KINDS
};
struct entity {
    enum entity_kind kind;
    int32_t offset; /* UTF-16 units */
    int32_t length;
    int64_t id; /* user (mention name), document (custom emoji), 1 = collapsed (blockquote) */
    char *text; /* url, language */
};

enum media_kind {
    MEDIA_PHOTO,
    MEDIA_DOCUMENT,
    MEDIA_VIDEO,
    MEDIA_VIDEO_NOTE,
    MEDIA_ANIMATION,
    MEDIA_VOICE,
    MEDIA_AUDIO,
    MEDIA_STICKER,
    MEDIA_CONTACT,
    MEDIA_GEO,
    MEDIA_VENUE,
    MEDIA_POLL,
    MEDIA_DICE,
    MEDIA_WEBPAGE,
};
enum media_flags {
    MEDIA_SPOILER = 1,
    MEDIA_STREAMABLE = 2, /* video: supports_streaming */
    MEDIA_NO_SOUND = 4,
};
enum { WAVEFORM_BYTES_MAX = 63 }; /* 100 peaks of 5 bits, as Telegram keeps them */
struct media {
    enum media_kind kind;
    uint32_t flags;
    struct file *file; /* of photos, documents and web pages with a picture: held */
    int64_t id;        /* poll, web page, user (contact) */
    int32_t width;     /* of what is no photo */
    int32_t height;
    double duration; /* s */
    int32_t value;   /* dice */
    double lat;
    double lon;
    char *file_name;
    char *name;     /* title (audio, venue, web page), first name, question */
    char *detail;   /* mime type, address, phone, url, emoticon */
    char *extra;    /* performer, last name, description */
    char **options; /* poll answers */
    uint32_t n_options;
    uint8_t waveform[WAVEFORM_BYTES_MAX]; /* voice */
    uint8_t waveform_len;
};

/* Deep copy, which holds the file too; NULL without memory. */
struct media *media_copy(const struct media *from);
/* Accepts NULL. */
void media_free(struct media *m);

struct forward {
    int64_t from; /* peer; 0: only from_name */
    char *from_name;
    char *post_author;
    int32_t date;
    int32_t channel_post;
    int64_t saved_peer; /* where it came from, in Saved Messages only */
    int32_t saved_id;
};

enum action_kind {
    ACTION_CHAT_CREATE,
    ACTION_ADD_USERS,
    ACTION_DELETE_USER,
    ACTION_JOINED_BY_LINK,
    ACTION_JOINED_BY_REQUEST,
    ACTION_EDIT_TITLE,
    ACTION_EDIT_PHOTO,
    ACTION_DELETE_PHOTO,
    ACTION_CHANNEL_CREATE,
    ACTION_MIGRATE_TO,
    ACTION_MIGRATED_FROM,
    ACTION_PIN,
    ACTION_CONTACT_SIGN_UP,
    ACTION_HISTORY_CLEAR,
    ACTION_KINDS
};
struct action {
    enum action_kind kind;
    char *title;
    struct file *photo; /* held; NULL = none */
    int64_t peer;       /* inviter, migrated chat, the one who was removed */
    int64_t *users;
    uint32_t n_users;
};

struct message_extra {
    struct entity *entities;
    uint32_t n_entities;
    struct media *media;
    struct forward *forward;
    struct action *action;
    char *quote; /* of reply_to */
    int32_t quote_offset;
    char *post_author;
    int32_t forwards;
    int64_t via_bot;
    int64_t grouped_id; /* of the album; 0 = none */
};

struct message_extra *message_extra_new(void);
/* Deep copy without the quote, action and forward header (what a forward carries); NULL without
 * memory. */
struct message_extra *message_extra_copy(const struct message_extra *e);
void message_extra_free(struct message_extra *e);

/* ---- making ---- */

struct draft {
    int64_t from;
    int64_t author; /* who wrote it where `from` is the chat itself; 0 = nobody knows */
    int64_t peer;
    struct slice text;
    int32_t date;
    int32_t reply_to;            /* storage numbering: id in a channel, uid elsewhere */
    uint16_t flags;              /* enum message_flags */
    struct message_extra *extra; /* ownership goes to the message, or is freed on failure */
    bool quiet;                  /* history being laid down: no updates, no log */
    bool unheard; /* the receiver has blocked the sender: only the sender's box gets it */
};

/* Stores it, gives it to every box it belongs in, and tells everybody. NULL without memory. */
struct message *world_post(struct world *w, const struct draft *d);
/* New text and extra (owned by the call) for the message; it may move: the new place is the answer.
 * NULL without memory (then nothing changed). Tells everybody. hide: no "edited" mark. */
struct message *world_edit(struct world *w, struct message *m, struct slice text,
                           struct message_extra *extra, int32_t date);
void message_free(struct world *w, struct message *m);

/* ---- finding ---- */

/* By the viewer's number; NULL when it is not there (any more). */
struct message *world_boxed(const struct world *w, const struct user *u, int32_t id);
struct message *chat_message(const struct chat *c, int32_t id);
/* peer is the dialog as u sees it. NULL also when the message is in another dialog. */
struct message *world_message(const struct world *w, const struct user *u, int64_t peer,
                              int32_t id);
/* u's own number of m, 0 when u has it not. */
int32_t message_id_for(const struct user *u, const struct message *m);
/* The number of the message with that storage number (reply_to) for u in m's chat; 0 = gone. */
int32_t storage_id_for(const struct world *w, const struct user *u, const struct message *m,
                       int32_t storage);
/* The dialog of m as u sees it. */
int64_t message_dialog(const struct user *u, const struct message *m);
bool message_is_out(const struct user *u, const struct message *m);

/* ---- removing ---- */

/* Removes ids (u's own numbers, any dialog of boxed messages) from u's box, and with revoke from
 * everybody's. How many of u's were there. Tells everybody who lost some. */
uint32_t world_delete_boxed(struct world *w, struct user *u, const int32_t *ids, uint32_t n,
                            bool revoke, int32_t now);
uint32_t world_delete_posts(struct world *w, struct chat *c, const int32_t *ids, uint32_t n,
                            int32_t now);

/* Pins or unpins for everybody who has it, or, for a boxed message, for only_for alone (not NULL).
 */
void world_set_pinned(struct world *w, struct message *m, bool pinned, struct user *only_for,
                      int32_t now);
/* The flag and the list of pins of a channel; tells nobody. */
void chat_set_pinned(struct chat *c, struct message *m, bool pinned);
/* The newest pin of a channel that u sees; 0 = none. */
int32_t chat_newest_pin(const struct chat *c, const struct user *u);
/* id is u's own number of m. */
bool message_is_pinned(const struct user *u, const struct message *m, int32_t id);

/* ---- dialogs and history ---- */

/* Created when it is not there. */
struct dialog *user_dialog(struct user *u, int64_t peer);
struct dialog *user_dialog_find(const struct user *u, int64_t peer);
/* The ids that u sees in the dialog, ascending. *first is the index of the first visible one. */
const struct id_list *dialog_ids(const struct world *w, const struct user *u,
                                 const struct dialog *d, uint32_t *first);
/* The same for a channel, also for somebody without a dialog. */
const struct id_list *chat_ids(const struct chat *c, const struct user *u, uint32_t *first);
/* The newest message, NULL for an empty dialog. */
struct message *dialog_top(const struct world *w, const struct user *u, const struct dialog *d,
                           int32_t *id);
int32_t dialog_unread(const struct world *w, const struct user *u, const struct dialog *d);
/* Reads up to max_id (0: all) and tells both sides. How many were unread and are not now. */
int32_t world_read(struct world *w, struct user *u, struct dialog *d, int32_t max_id, int32_t now);

/* ---- telling ---- */

enum update_kind {
    U_NEW_MESSAGE,      /* a = dialog, b = id */
    U_EDIT_MESSAGE,     /* a = dialog, b = id */
    U_DELETE,           /* a = channel or 0, ids */
    U_READ_INBOX,       /* a = dialog, b = max id, c = still unread */
    U_READ_OUTBOX,      /* a = dialog, b = max id */
    U_PINNED,           /* a = dialog, b = pinned?, ids */
    U_MESSAGE_ID,       /* a = id, b = random_id: in answers only */
    U_TYPING,           /* a = dialog, b = who, c = C_ symbol of the action */
    U_USER_STATUS,      /* a = who */
    U_USER_NAME,        /* a = who */
    U_USER,             /* a = who: look again */
    U_CHANNEL,          /* a = channel: look again */
    U_CHAT,             /* a = basic group: look again */
    U_CHAT_MEMBERS,     /* a = basic group */
    U_DIALOG_PINNED,    /* a = dialog, b = pinned?, c = folder */
    U_DIALOG_UNREAD,    /* a = dialog, b = mark */
    U_PEER_BLOCKED,     /* a = peer, b = blocked? */
    U_FOLDER,           /* a = dialog, b = folder */
    U_PEER_SETTINGS,    /* a = peer */
    U_JOIN_REQUESTS,    /* a = chat */
    U_DRAFT,            /* a = dialog */
    U_NEW_SCHEDULED,    /* a = dialog, b = scheduled id */
    U_DELETE_SCHEDULED, /* a = dialog, ids, b = the message that it became; 0 = none */
    U_AVAILABLE,        /* a = channel, b = id up to which self sees nothing */
    U_KINDS
};
extern const struct update_type world_updates[U_KINDS];

/* An update of the user's own sequence: logged with pts_count where > 0, collected for the cause,
 * pushed. */
void world_tell(struct world *w, struct user *to, struct update u);
/* An update of a channel's sequence: logged once, told to each member. */
void world_tell_channel(struct world *w, struct chat *c, struct update u);
/* The same uncounted update to all members (NULL except: nobody is left out). */
void world_tell_members(struct world *w, const struct chat *c, struct update u,
                        const struct user *except);

#endif
