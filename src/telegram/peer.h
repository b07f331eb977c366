/* SPDX-License-Identifier: MIT
 * Peers: who is meant, in every form that the HTTP API takes, and as TL objects.
 * https://core.telegram.org/api/peers */
#ifndef TGREST_TELEGRAM_PEER_H
#define TGREST_TELEGRAM_PEER_H

#include "base/arena.h"
#include "telegram/names.h"
#include "tl/value.h"

enum peer_kind { PEER_NONE, PEER_USER, PEER_CHAT, PEER_CHANNEL };

/* Where a `min` user or channel was seen: the chat and the message that the server can look in. */
struct peer_origin {
    enum peer_kind kind; /* PEER_NONE = not known */
    int64_t id;
    int64_t access_hash;
    int32_t msg_id;
};

/* Enough to talk to a peer without a look-up. id is bare (positive). */
struct peer_ref {
    enum peer_kind kind;
    bool self;      /* the account itself: id may be 0 */
    bool has_hash;  /* access_hash is usable as it stands (chats need none) */
    bool broadcast; /* a channel known not to be a group; a hint for replies, never needed */
    int64_t id;
    int64_t access_hash;
    struct peer_origin origin; /* for peers that are only known `min` */
};

/* Can it be written as an InputPeer? */
bool peer_usable(const struct peer_ref *p);
bool peer_same(const struct peer_ref *a, const struct peer_ref *b);

/* ---- marked ids: users positive, basic groups -id, channels -(10^12 + id) ---- */

int64_t peer_marked_id(enum peer_kind kind, int64_t id);
/* False for 0 and for numbers that no peer can have. */
bool peer_from_marked(int64_t marked, enum peer_kind *kind, int64_t *id);

/* ---- addresses: what a caller writes as chat_id or group_identifier ---- */

enum address_form {
    ADDRESS_MARKED_ID,
    ADDRESS_USERNAME, /* text: without @ */
    ADDRESS_PHONE,    /* text: digits only */
    ADDRESS_SELF,
    ADDRESS_INVITE, /* text: the hash */
    ADDRESS_REF,    /* text: the opaque ref, to be opened by whoever sealed it */
};
struct peer_address {
    enum address_form form;
    enum peer_kind kind; /* MARKED_ID */
    int64_t id;          /* MARKED_ID, bare */
    struct slice text;   /* points into what was parsed, or the arena */
};

/* Every opaque ref begins with this (no username or number does). */
#define PEER_REF_PREFIX "tgp1."

/* chat_id: marked id, @name, name, +phone, me/self, opaque ref, and links on t.me, telegram.me,
 * telegram.dog and tg: (name, joinchat/hash, +hash, c/id, resolve?domain=, resolve?phone=,
 * join?invite=, user?id=). NULL when fine, else a sentence that says what is wrong. */
const char *peer_address_parse(struct slice text, struct arena *a, struct peer_address *out);
/* group_identifier: the same, but `+…` is an invite hash and never a phone. */
const char *join_address_parse(struct slice text, struct arena *a, struct peer_address *out);

/* ---- TL ---- */

/* Peer -> kind and id; a NULL or unknown object gives PEER_NONE. */
struct peer_ref peer_of_tl(const struct tl_object *peer);
/* Marked id of a Peer; 0 for none. */
int64_t peer_marked_of_tl(const struct tl_object *peer);
/* User, Chat objects (also forbidden, empty): with access hash unless `min`. */
struct peer_ref peer_of_object(const struct tl_object *user_or_chat);
/* NULL when the peer is not usable, or not of that kind. */
struct tl_object *peer_to_input(struct tl_builder *b, const struct peer_ref *p);
struct tl_object *peer_to_input_user(struct tl_builder *b, const struct peer_ref *p);
struct tl_object *peer_to_input_channel(struct tl_builder *b, const struct peer_ref *p);

/* ---- the payload of an opaque ref: compact, versioned; the gateway seals it ---- */

enum { PEER_PAYLOAD_MAX = 64 };
/* Bytes written. */
size_t peer_encode(const struct peer_ref *p, uint8_t out[static PEER_PAYLOAD_MAX]);
bool peer_decode(struct slice payload, struct peer_ref *out);

#endif
