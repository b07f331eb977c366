/* SPDX-License-Identifier: MIT
 * Messages: requests that send, change and read them, and what their answers say. */
#ifndef TGREST_TELEGRAM_MESSAGES_H
#define TGREST_TELEGRAM_MESSAGES_H

#include "telegram/directory.h"
#include "telegram/text.h"

/* ---- requests; all give NULL (and b->failed) when the schema lacks something needed ---- */

struct send_options {
    const struct formatted_text *text;
    int32_t reply_to_msg_id; /* 0 = none */
    int64_t random_id;       /* not 0 */
    int64_t schedule_date;   /* unix seconds; 0 = now */
    bool silent;
    bool no_webpage;
    const struct mention_resolver *mentions;
};
struct tl_object *request_send(struct tl_builder *b, const struct peer_ref *peer,
                               const struct send_options *o);
struct tl_object *request_edit(struct tl_builder *b, const struct peer_ref *peer,
                               int32_t message_id, const struct formatted_text *text,
                               bool no_webpage, const struct mention_resolver *mentions);

enum { MESSAGE_IDS_MAX = 100 }; /* what Telegram takes in one request */
/* channels.* for a channel; the account-wide methods otherwise, whose answers must be checked
 * against the peer with message_is_in before anything is deleted. */
struct tl_object *request_delete(struct tl_builder *b, const struct peer_ref *peer,
                                 const int32_t *ids, size_t n, bool revoke);
struct tl_object *request_messages(struct tl_builder *b, const struct peer_ref *peer,
                                   const int32_t *ids, size_t n);
struct tl_object *request_forward(struct tl_builder *b, const struct peer_ref *from,
                                  const struct peer_ref *to, const int32_t *ids,
                                  const int64_t *random_ids, size_t n);

/* ---- reading history ---- */

enum { HISTORY_PAGE_MAX = 100 };
struct history_query {
    int32_t offset_id; /* only older ones; 0 = from the newest */
    int32_t limit;
    struct slice search; /* empty = all */
    int64_t from_date;   /* unix seconds, inclusive; 0 = no bound */
    int64_t to_date;     /* inclusive; 0 = no bound */
};
/* messages.search where there is a text, else messages.getHistory; begins at the right place for
 * to_date. Dates are filtered by history_read too, for the server's bounds differ between the two.
 */
struct tl_object *request_history(struct tl_builder *b, const struct peer_ref *peer,
                                  const struct history_query *q);

struct history_page {
    const struct tl_object *
        *messages; /* newest first, those inside the dates; service messages too */
    uint32_t n;
    int32_t total;          /* as Telegram counts, without the dates */
    bool last;              /* nothing older is wanted or there */
    int32_t next_offset_id; /* for the next request; 0 when last */
};
/* False when it is no messages answer. */
bool history_read(const struct tl_object *answer, const struct history_query *asked,
                  struct arena *a, struct history_page *out);

/* messages.messages / messagesSlice / channelMessages: item by index; messageEmpty gives NULL. */
uint32_t messages_count(const struct tl_object *answer);
const struct tl_object *messages_at(const struct tl_object *answer, uint32_t index);
/* Is this message (not messageEmpty) in that peer's chat? self_id is the account's user id (for
 * chats with oneself); 0 if not known. */
bool message_is_in(const struct tl_object *message, const struct peer_ref *peer, int64_t self_id);
int32_t message_id_of(const struct tl_object *message);

/* ---- reading what a sending method answered (Updates, or an invite's result with Updates inside)
 * ---- */

struct sent_message {
    int32_t id;
    int64_t date;                    /* unix seconds */
    const struct tl_object *message; /* NULL where the answer only names the id */
};
/* The message that was sent with this random_id. False if the answer does not tell. */
bool updates_find_sent(const struct tl_object *updates, int64_t random_id,
                       struct sent_message *out);
/* The message that was edited. */
bool updates_find_edited(const struct tl_object *updates, int32_t message_id,
                         struct sent_message *out);
/* The first chat in the answer (what was joined), or NULL. */
const struct tl_object *updates_first_chat(const struct tl_object *updates);

#endif
