/* SPDX-License-Identifier: MIT
 * What the world_*.c files share with each other only. */
#ifndef TGREST_SANDBOX_WORLD_PARTS_H
#define TGREST_SANDBOX_WORLD_PARTS_H

#include "sandbox/world.h"

/* Owned, NUL-terminated copy; NULL without memory. */
char *text_dup(struct slice s);
/* Frees what was there; false without memory, then nothing changed. */
bool text_replace(char **text, struct slice s);

/* Room for item n of the array at *(T **)array, whose capacity (cap_bytes wide) is at cap. */
bool grow(void *array, void *cap, size_t cap_bytes, size_t n, size_t item);

/* The lowest level of message storage: no updates. */
struct draft;
/* A record that stands nowhere yet; takes over the draft's extra. NULL without memory. */
struct message *message_new(struct world *w, const struct draft *d);
struct message *store_boxed(struct world *w, const struct draft *d);
struct message *store_post(struct world *w, struct chat *c, const struct draft *d);
/* Moves the message to a record with that text and extra. */
struct message *store_replace(struct world *w, struct message *m, struct slice text,
                              struct message_extra *extra);
/* The number it got; 0 without memory. */
int32_t box_add(struct user *u, const struct message *m);
/* m may be freed by it. */
void box_remove(struct world *w, struct user *u, struct message *m, int32_t id);

/* Of the records of a user or chat that goes. */
void photo_list_free(struct photo_list *l);
void contact_free(struct contact *c);
void saved_draft_free(struct saved_draft *s);
void chat_free(struct chat *c);
void invite_free(struct invite *i);

#endif
