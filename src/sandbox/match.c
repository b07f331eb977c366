/* SPDX-License-Identifier: MIT
 * Words in texts, without case; kinds of media. */
#include "sandbox/match.h"

#include "sandbox/names.h"

/* ---- case folding of the alphabets that have case and two bytes at most ---- */

/* The folded character at *at, which moves past it. Longer characters are given as they are. */
static uint32_t next_folded(struct slice s, size_t *at)
{
    uint8_t c = s.data[(*at)++];
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32u : c;
    if ((c & 0xe0) != 0xc0 || *at >= s.len)
        return 0x110000u + c; /* part of a longer character: compared byte by byte */
    uint32_t u = (c & 0x1fu) << 6 | (s.data[(*at)++] & 0x3fu);
    bool latin = u >= 0xc0 && u <= 0xde && u != 0xd7, greek = u >= 0x391 && u <= 0x3a9;
    bool cyrillic = u >= 0x410 && u <= 0x42f;
    if (latin || greek || cyrillic)
        return u + 32;
    return u >= 0x400 && u <= 0x40f ? u + 80 : u;
}

static bool is_word_char(uint32_t u)
{
    return u >= 0x80 || (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') || u == '_';
}

void words_read(struct words *w, struct slice query, struct arena *a)
{
    *w = (struct words){0};
    query = arena_copy(a, query);
    size_t at = 0;
    while (at < query.len && w->n < WORDS_MAX) {
        size_t from = at, to = at;
        while (to < query.len && is_word_char(next_folded(query, &at)))
            to = at;
        if (to > from)
            w->word[w->n++] = slice_of(query.data + from, to - from);
    }
}

static bool begins_with(struct slice text, size_t at, struct slice word)
{
    size_t i = 0;
    while (i < word.len) {
        if (at >= text.len || next_folded(text, &at) != next_folded(word, &i))
            return false;
    }
    return true;
}

static bool has_word(struct slice text, struct slice word)
{
    bool inside = false;
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        bool now = is_word_char(next_folded(text, &at));
        if (now && !inside && begins_with(text, from, word))
            return true;
        inside = now;
    }
    return false;
}

bool words_match(const struct words *w, struct slice text)
{
    for (uint32_t i = 0; i < w->n; i++)
        if (!has_word(text, w->word[i]))
            return false;
    return true;
}

/* ---- filters ---- */

#define KIND(k) (1u << MEDIA_##k)

static const struct {
    uint16_t symbol;
    struct media_filter filter;
} filters[] = {
    {C_inputMessagesFilterEmpty, {.any = true}},
    {C_inputMessagesFilterPhotos, {.kinds = KIND(PHOTO)}},
    {C_inputMessagesFilterVideo, {.kinds = KIND(VIDEO)}},
    {C_inputMessagesFilterPhotoVideo, {.kinds = KIND(PHOTO) | KIND(VIDEO)}},
    {C_inputMessagesFilterDocument, {.kinds = KIND(DOCUMENT)}},
    {C_inputMessagesFilterUrl, {.url = true, .kinds = KIND(WEBPAGE)}},
    {C_inputMessagesFilterGif, {.kinds = KIND(ANIMATION)}},
    {C_inputMessagesFilterVoice, {.kinds = KIND(VOICE)}},
    {C_inputMessagesFilterMusic, {.kinds = KIND(AUDIO)}},
    {C_inputMessagesFilterRoundVideo, {.kinds = KIND(VIDEO_NOTE)}},
    {C_inputMessagesFilterRoundVoice, {.kinds = KIND(VIDEO_NOTE) | KIND(VOICE)}},
    {C_inputMessagesFilterGeo, {.kinds = KIND(GEO) | KIND(VENUE)}},
    {C_inputMessagesFilterContacts, {.kinds = KIND(CONTACT)}},
    {C_inputMessagesFilterPinned, {.pinned = true}},
    {C_inputMessagesFilterChatPhotos, {.none = true}},
    {C_inputMessagesFilterPhoneCalls, {.none = true}},
    {C_inputMessagesFilterMyMentions, {.none = true}},
};

bool filter_read(const struct tl_object *o, struct media_filter *f)
{
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        if (tl_is(o, filters[i].symbol)) {
            *f = filters[i].filter;
            return true;
        }
    }
    return false;
}

static bool has_url(const struct message *m)
{
    for (uint32_t i = 0; m->extra && i < m->extra->n_entities; i++) {
        enum entity_kind kind = m->extra->entities[i].kind;
        if (kind == ENTITY_URL || kind == ENTITY_TEXT_URL)
            return true;
    }
    return false;
}

bool filter_matches(const struct media_filter *f, const struct message *m, bool pinned)
{
    if (f->any)
        return true;
    if (f->none)
        return false;
    if (f->pinned)
        return pinned;
    const struct media *media = m->extra ? m->extra->media : NULL;
    return (media && (f->kinds & (1u << media->kind))) || (f->url && has_url(m));
}
