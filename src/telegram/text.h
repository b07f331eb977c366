/* SPDX-License-Identifier: MIT
 * Formatted text: plain UTF-8 and entities over it, and its three written forms.
 * https://core.telegram.org/api/entities */
#ifndef TGREST_TELEGRAM_TEXT_H
#define TGREST_TELEGRAM_TEXT_H

#include "base/arena.h"
#include "tl/json.h"

enum entity_type {
    ENTITY_UNKNOWN,
    ENTITY_MENTION,
    ENTITY_HASHTAG,
    ENTITY_CASHTAG,
    ENTITY_BOT_COMMAND,
    ENTITY_URL,
    ENTITY_EMAIL,
    ENTITY_PHONE_NUMBER,
    ENTITY_BANK_CARD,
    ENTITY_BOLD,
    ENTITY_ITALIC,
    ENTITY_UNDERLINE,
    ENTITY_STRIKETHROUGH,
    ENTITY_SPOILER,
    ENTITY_CODE,
    ENTITY_PRE,
    ENTITY_BLOCKQUOTE,
    ENTITY_EXPANDABLE_BLOCKQUOTE,
    ENTITY_TEXT_LINK,
    ENTITY_TEXT_MENTION,
    ENTITY_CUSTOM_EMOJI,
    ENTITY_TYPE_COUNT
};

/* offset and length count UTF-16 code units of the text. */
struct entity {
    enum entity_type type;
    uint32_t offset;
    uint32_t length;
    struct slice value; /* TEXT_LINK: url; PRE: language, empty if none */
    int64_t id;         /* TEXT_MENTION: user id; CUSTOM_EMOJI: document id */
};

struct formatted_text {
    struct slice text;
    struct entity *entities; /* by offset, then the longer first */
    size_t n_entities;
};

enum text_mode { TEXT_MARKDOWN, TEXT_HTML, TEXT_NONE };

/* Bounds. Telegram takes 4,096 characters (16 KiB of UTF-8 at most) and heeds 100 entities of a
 * message; the rest is room for markup, and keeps the work for a hostile text at a few
 * milliseconds. */
enum {
    TEXT_BYTES_MAX = 64 * 1024,
    TEXT_ENTITIES_MAX = 256,
    TEXT_NESTING_MAX = 64,
};

/* "markdown", "html", "none"; also "md" and the empty string for markdown. */
bool text_mode_parse(struct slice name, enum text_mode *out);

struct text_error {
    size_t offset;      /* byte of the input where it went wrong */
    const char *reason; /* a sentence without the position; static or in the arena */
};

/* Reads text written in `mode` into *out (arena memory, or slices of the input). Both ends are
 * trimmed as Telegram does. Markdown never fails but for the bounds and for bytes that are not
 * UTF-8; html also for tags that do not fit. */
bool text_parse(enum text_mode mode, struct slice input, struct arena *a,
                struct formatted_text *out, struct text_error *error);
/* Writes text in `mode`. Markdown drops what its dialect cannot say. Entities that point outside
 * the text are cut or dropped; overlapping ones are split where html needs it. */
void text_unparse(enum text_mode mode, const struct formatted_text *text, struct arena *a,
                  struct buf *out);

/* Cuts white space (all of Unicode's) off both ends and moves entities along; drops those that end
 * up empty, and sorts the rest. `text` becomes a slice of the old one. */
void text_trim(struct formatted_text *text);
/* By offset, the longer first, then by type. */
void entities_sort(struct entity *entities, size_t n);

/* ---- entities as JSON (the Bot API's objects: type, offset, length, url, user, language,
 * custom_emoji_id) ---- */

void entities_to_json(const struct entity *entities, size_t n, struct json_writer *w);
/* From a JSON array over `text` (as given, not trimmed yet), then trimmed like parsed text. Also
 * takes the schema's own type names (messageEntityBold) and user_id for user. error->path begins at
 * "entities". */
bool entities_from_json(struct json_object *json, struct slice text, struct arena *a,
                        struct formatted_text *out, struct tl_json_error *error);

/* ---- entities as MessageEntity objects ---- */

/* Entities of a message as Telegram sends them; kinds that we do not know become ENTITY_UNKNOWN. */
void entities_from_tl(const struct tl_object *owner, uint16_t f_symbol, struct arena *a,
                      struct formatted_text *out);
/* Who a mention means, as an InputUser: for TEXT_MENTION by id, and for a TEXT_LINK that markdown
 * wrote as [x](@name) by its url. NULL leaves a mention out, and a link a link. */
struct mention_resolver {
    const struct tl_object *(*input_user)(void *ctx, const struct entity *e);
    void *ctx;
};
/* Does this entity need the resolver? */
bool entity_is_mention(const struct entity *e);
/* Pushes what a client may send into the request's field (absent when there is nothing). resolver
 * may be NULL. Kinds that the server finds by itself (urls, hashtags…) are sent too: it ignores or
 * keeps them. */
void entities_to_tl(struct tl_builder *b, struct tl_object *request, uint16_t f_symbol,
                    const struct formatted_text *text, const struct mention_resolver *resolver);

#endif
