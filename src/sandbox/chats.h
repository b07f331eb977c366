/* SPDX-License-Identifier: MIT
 * What the methods about groups and those about channels share. */
#ifndef TGREST_SANDBOX_CHATS_H
#define TGREST_SANDBOX_CHATS_H

#include "sandbox/build.h"

/* messages.chats with the chats among them. */
struct tl_value chats_answer(struct request *r, const struct peers *p);
/* messages.invitedUsers with what was collected and who could not be added; ends the cause. */
struct tl_value invited_answer(struct request *r, struct cause *cause, const int64_t *missing,
                               uint32_t n_missing);
/* NULL for a good title. */
const char *title_error(struct slice title);
/* After the rights were checked: the new title, its service message, the answer. */
struct tl_value change_title(struct request *r, struct chat *c, struct slice title);

#endif
