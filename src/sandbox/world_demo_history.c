/* SPDX-License-Identifier: MIT
 * What was said in the demo world. */
#include <stdlib.h>

#include "sandbox/chat.h"
#include "sandbox/message.h"
#include "sandbox/world_demo.h"
#include "sandbox/world_parts.h"

enum { DAY_S = 86400, CLUB_MESSAGES = 4000, SENTENCE_BYTES = 160, CLUB_UNREAD = 7 };

/* ---- sentences ---- */

static const char *const words[] = {
    "the",    "garden", "river",   "we",     "met",    "under",
    "old",    "bridge", "with",    "tea",    "and",    "bread",
    "while",  "rain",   "fell",    "on",     "quiet",  "roofs",
    "later",  "she",    "asked",   "about",  "trains", "that",
    "never",  "come",   "before",  "noon",   "maybe",  "tomorrow",
    "naïve",  "café",   "привет",  "мир",    "😀",      "👩‍👩‍👧",
    "coffee", "museum", "tickets", "letter",
};

/* A line of 3 to 14 words; how many bytes. */
static size_t sentence(struct rng *rng, char out[static SENTENCE_BYTES])
{
    size_t n = 0, count = 3 + rng_below(rng, 12);
    for (size_t i = 0; i < count; i++) {
        const char *word = words[rng_below(rng, sizeof words / sizeof *words)];
        size_t len = strlen(word);
        if (n + len + 2 > SENTENCE_BYTES)
            break;
        if (n)
            out[n++] = ' ';
        memcpy(out + n, word, len);
        n += len;
    }
    out[n++] = '.';
    return n;
}

bool world_fill_chat(struct world *w, struct chat *c, uint32_t n, int32_t end, int32_t step_s)
{
    char text[SENTENCE_BYTES];
    bool broadcast = c->flags & CHAT_BROADCAST;
    for (uint32_t i = 0; i < n; i++) {
        struct draft d = {.from = c->members[rng_below(&w->rng, c->n_members)]->user_id,
                          .peer = c->peer,
                          .quiet = true,
                          .date = end - (int32_t)(n - 1 - i) * step_s};
        if (broadcast) {
            d.from = c->peer;
            d.flags = MESSAGE_POST;
        } else if (c->n_slots > 10 && rng_below(&w->rng, 10) == 0) {
            d.reply_to = (int32_t)(1 + rng_below(&w->rng, c->n_slots));
        }
        d.text = slice_of(text, sentence(&w->rng, text));
        struct message *m = world_post(w, &d);
        if (!m)
            return false;
        if (broadcast)
            m->views = (int32_t)rng_below(&w->rng, 5000) + 1;
    }
    return true;
}

/* ---- single messages ---- */

static struct message *say(struct demo *d, int64_t from, int64_t peer, const char *text,
                           int32_t age_s)
{
    return world_post(d->world, &(struct draft){.from = from,
                                                .peer = peer,
                                                .text = slice_str(text),
                                                .date = d->now - age_s,
                                                .quiet = true});
}

static const struct {
    const char *text;
    size_t size;        /* of the file; pictures have their own */
    int32_t dc;         /* 0: where all the others are */
    struct media media; /* texts are copied */
} posts[] = {
    {"A photo", .media = {.kind = MEDIA_PHOTO}},
    {"A video", .size = 5242880,
     .media = {.kind = MEDIA_VIDEO,
               .flags = MEDIA_STREAMABLE,
               .width = 1920,
               .height = 1080,
               .duration = 34,
               .file_name = "walk.mp4",
               .detail = "video/mp4"}},
    {"", .size = 824320,
     .media = {.kind = MEDIA_VIDEO_NOTE,
               .width = 384,
               .height = 384,
               .duration = 12,
               .detail = "video/mp4"}},
    {"An animation", .size = 262144,
     .media = {.kind = MEDIA_ANIMATION,
               .flags = MEDIA_NO_SOUND,
               .width = 480,
               .height = 270,
               .duration = 3,
               .file_name = "wave.mp4",
               .detail = "video/mp4"}},
    {"", .size = 40960, .media = {.kind = MEDIA_VOICE, .duration = 9, .detail = "audio/ogg"}},
    {"", .size = 3145728,
     .media = {.kind = MEDIA_AUDIO,
               .duration = 187,
               .name = "Low Tide",
               .detail = "audio/mpeg",
               .extra = "The Piers"}},
    {"", .size = 18432,
     .media = {.kind = MEDIA_STICKER,
               .width = 512,
               .height = 512,
               .file_name = "sticker.webp",
               .detail = "image/webp",
               .extra = "👋"}},
    {"A document", .size = 12345,
     .media = {.kind = MEDIA_DOCUMENT, .file_name = "minutes.pdf", .detail = "application/pdf"}},
    {"A document from far away", .size = 1500000, .dc = 3,
     .media = {.kind = MEDIA_DOCUMENT, .file_name = "atlas.pdf", .detail = "application/pdf"}},
    {"", .media = {.kind = MEDIA_CONTACT, .name = "Bob", .extra = "Brown", .detail = "9996620002"}},
    {"", .media = {.kind = MEDIA_GEO, .lat = 48.2082, .lon = 16.3738}},
    {"", .media = {.kind = MEDIA_VENUE,
                   .lat = 48.2082,
                   .lon = 16.3738,
                   .name = "Café Central",
                   .detail = "Herrengasse 14"}},
    {"", .media = {.kind = MEDIA_POLL, .name = "Tea or coffee?"}},
    {"", .media = {.kind = MEDIA_DICE, .value = 4, .detail = "🎲"}},
    {"https://example.com/news", .media = {.kind = MEDIA_WEBPAGE,
                                           .name = "Example",
                                           .detail = "https://example.com/news",
                                           .extra = "An example of a page"}},
};

/* As pages name one for their previews. */
static bool add_picture(struct demo *d, struct media *page)
{
    enum { PREVIEW_WIDTH = 600, PREVIEW_HEIGHT = 315 };
    struct file *f = demo_photo(d, PREVIEW_WIDTH, PREVIEW_HEIGHT, "mx", (uint32_t)MEDIA_WEBPAGE);
    if (f)
        page->file = file_hold(f);
    return f != NULL;
}

/* Without bytes of its own, that is. */
static struct media *media_without_file(struct demo *d, const struct media *about)
{
    struct media *m = media_copy(about);
    if (!m)
        return NULL;
    m->id = m->kind == MEDIA_CONTACT ? d->users[DEMO_BOB]->id
                                     : (int64_t)(rng_u64(&d->world->rng) >> 1 | 1);
    if (m->kind == MEDIA_POLL && (m->options = calloc(2, sizeof(char *)))) {
        m->options[m->n_options++] = text_dup(slice_str("Tea"));
        m->options[m->n_options++] = text_dup(slice_str("Coffee"));
    }
    if (m->kind == MEDIA_WEBPAGE && !add_picture(d, m)) {
        media_free(m);
        return NULL;
    }
    return m;
}

static struct message_extra *extra_of(struct demo *d, size_t post)
{
    enum { PHOTO_WIDTH = 800, PHOTO_HEIGHT = 533 };
    struct message_extra *e = message_extra_new();
    const struct media *about = &posts[post].media;
    int32_t dc = posts[post].dc ? posts[post].dc : DEMO_FILES_DC;
    struct file *f = about->kind == MEDIA_PHOTO
                         ? demo_photo(d, PHOTO_WIDTH, PHOTO_HEIGHT, "mx", (uint32_t)post)
                     : posts[post].size ? demo_document(d, about, posts[post].size, dc)
                                        : NULL;
    bool has_file = about->kind == MEDIA_PHOTO || posts[post].size;
    if (e && (f || !has_file))
        e->media = f ? file_show(f) : media_without_file(d, about);
    if (e && e->media)
        return e;
    message_extra_free(e);
    return NULL;
}

static bool news(struct demo *d)
{
    struct chat *c = d->chats[DEMO_NEWS];
    enum { POSTS_N = sizeof posts / sizeof *posts, TEXTS_N = 40 };
    if (!world_fill_chat(d->world, c, TEXTS_N, d->now - 20 * DAY_S, DAY_S))
        return false;
    for (int i = 0; i < POSTS_N; i++) {
        struct draft draft = {.from = c->peer,
                              .peer = c->peer,
                              .text = slice_str(posts[i].text),
                              .flags = MESSAGE_POST,
                              .date = d->now - (POSTS_N - i) * DAY_S,
                              .quiet = true,
                              .extra = extra_of(d, (size_t)i)};
        if (!draft.extra || !world_post(d->world, &draft))
            return false;
    }
    return world_fill_chat(d->world, c, 3, d->now - 3600, 600);
}

/* ---- chats ---- */

static bool club(struct demo *d)
{
    struct chat *c = d->chats[DEMO_CLUB];
    if (!world_fill_chat(d->world, c, CLUB_MESSAGES, d->now - 300, 364 * DAY_S / CLUB_MESSAGES))
        return false;
    static const int32_t pinned[] = {12, 900, 3500};
    for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++)
        chat_set_pinned(c, chat_message(c, pinned[i]), true);
    return true;
}

static bool small_chats(struct demo *d)
{
    int64_t alice = d->users[DEMO_ALICE]->id, bob = d->users[DEMO_BOB]->id,
            carol = d->users[DEMO_CAROL]->id;
    int64_t picnic = d->chats[DEMO_PICNIC]->peer, flat = d->chats[DEMO_FLAT]->peer,
            slow = d->chats[DEMO_SLOW]->peer;
    const struct {
        int64_t from, peer;
        const char *text;
        int32_t age_s;
    } said[] = {
        {carol, flat, "The keys are under the mat.", 290 * DAY_S},
        {alice, flat, "Thank you!", 289 * DAY_S},
        {bob, slow, "Take your time here.", 29 * DAY_S},
        {alice, picnic, "Saturday at noon, by the river?", 3 * DAY_S},
        {bob, picnic, "I bring bread.", 3 * DAY_S - 600},
        {carol, picnic, "And I the tea 🍵", 2 * DAY_S},
        {alice, bob, "Did you find my umbrella?", 5 * 3600},
        {bob, alice, "Yes, it is at the club.", 4 * 3600},
        {bob, alice, "I can bring it on Saturday.", 4 * 3600 - 60},
        {bob, alice, "Or do you need it before?", 4 * 3600 - 120},
        {alice, alice, "Remember: umbrella.", 3 * 3600},
        {carol, alice, "See you on Saturday.", 2 * 3600},
        {d->users[DEMO_ECHO]->id, alice, "Write to me, and I answer.", 3600},
        {bob, d->chats[DEMO_BACKSTAGE]->peer, "Nobody hears us here.", 40 * DAY_S},
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (!say(d, said[i].from, said[i].peer, said[i].text, said[i].age_s))
            return false;
    return world_fill_chat(d->world, d->chats[DEMO_QUIET], 5, d->now - 6 * 3600, DAY_S);
}

/* All is read but what is left unread for Alice on purpose. */
static void set_read_state(struct demo *d)
{
    for (size_t i = 0; i < d->world->n_users; i++) {
        struct user *u = d->world->user_list[i];
        for (size_t k = 0; k < u->n_dialogs; k++) {
            struct dialog *dialog = u->dialog_list[k];
            int32_t top;
            dialog_top(d->world, u, dialog, &top);
            dialog->read_inbox_max = dialog->read_outbox_max = top;
        }
    }
    struct user *alice = d->users[DEMO_ALICE];
    struct dialog *bob = user_dialog_find(alice, d->users[DEMO_BOB]->id);
    if (bob && bob->ids.n > 3)
        bob->read_inbox_max = bob->ids.ids[bob->ids.n - 4]; /* three unread */
    struct dialog *club = user_dialog_find(alice, d->chats[DEMO_CLUB]->peer);
    if (club) {
        while (dialog_unread(d->world, alice, club) < CLUB_UNREAD) /* her own ones do not count */
            club->read_inbox_max--;
        club->pinned_rank = 1;
    }
    struct dialog *flat = user_dialog_find(alice, d->chats[DEMO_FLAT]->peer);
    if (flat)
        flat->folder = 1;
}

bool demo_history(struct demo *d)
{
    bool ok = club(d) && news(d) && small_chats(d);
    set_read_state(d);
    return ok;
}
