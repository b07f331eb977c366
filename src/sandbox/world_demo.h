/* SPDX-License-Identifier: MIT
 * The parts of the demo world. */
#ifndef TGREST_SANDBOX_WORLD_DEMO_H
#define TGREST_SANDBOX_WORLD_DEMO_H

#include "sandbox/file.h"
#include "sandbox/message.h"
#include "sandbox/world.h"

/* What is in it, for people: lines of text. */
extern const char world_demo_table[];

enum demo_user {
    DEMO_ALICE,
    DEMO_BOB,
    DEMO_CAROL,
    DEMO_DAVE,
    DEMO_ERIN,
    DEMO_ECHO,
    DEMO_BOT,
    DEMO_GONE,
    DEMO_USERS_N
};
enum demo_chat {
    DEMO_NEWS,
    DEMO_CLUB,
    DEMO_SLOW,
    DEMO_QUIET,
    DEMO_PICNIC,
    DEMO_FLAT,
    DEMO_BACKSTAGE,
    DEMO_CHATS_N
};

struct demo {
    struct world *world;
    int32_t now;
    struct user *users[DEMO_USERS_N];
    struct chat *chats[DEMO_CHATS_N];
};

enum { DEMO_FILES_DC = 2 };
/* A picture of width x height in two sizes, whose letters are given: the small one is at most a
 * half. tone: which colours. NULL without memory. */
struct file *demo_photo(struct demo *d, int32_t width, int32_t height, const char letters[static 2],
                        uint32_t tone);
/* A document as `about` describes it (texts are copied): a header of its kind, then noise. */
struct file *demo_document(struct demo *d, const struct media *about, size_t size, int32_t dc);
/* The faces of some users and chats. */
bool demo_faces(struct demo *d);

/* What was said: messages, media, pins, read state. */
bool demo_history(struct demo *d);

/* Lays down n messages of the chat's members, one every step seconds, the last one at `end`: for
 * measurements, and for a year of talk. One in ten answers an earlier one. False without memory. */
bool world_fill_chat(struct world *w, struct chat *c, uint32_t n, int32_t end, int32_t step_s);

#endif
