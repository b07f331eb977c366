/* SPDX-License-Identifier: MIT
 * What search looks for: words in texts, kinds of media. */
#ifndef TGREST_SANDBOX_MATCH_H
#define TGREST_SANDBOX_MATCH_H

#include "base/arena.h"
#include "sandbox/message.h"
#include "tl/value.h"

/* Words of a query, case folded; each must begin some word of the text. */
enum { WORDS_MAX = 16 };
struct words {
    struct slice word[WORDS_MAX];
    uint32_t n;
};
void words_read(struct words *w, struct slice query, struct arena *a);
bool words_match(const struct words *w, struct slice text);

/* A MessagesFilter. */
struct media_filter {
    bool any; /* lets everything through */
    bool pinned;
    bool url;
    bool none;      /* a kind of message that the sandbox has none of */
    uint32_t kinds; /* bits 1 << enum media_kind */
};
/* False for a filter that is not one of messages.search. */
bool filter_read(const struct tl_object *o, struct media_filter *f);
bool filter_matches(const struct media_filter *f, const struct message *m, bool pinned);

#endif
