/* SPDX-License-Identifier: MIT
 * Drafts: one a dialog, seen on all devices of the account. */
#ifndef TGREST_SANDBOX_DRAFTS_H
#define TGREST_SANDBOX_DRAFTS_H

#include "sandbox/build.h"

/* draftMessage, or draftMessageEmpty where the dialog (NULL: none) has none. */
struct tl_object *build_saved_draft(struct request *view, const struct dialog *d);
/* For U_DRAFT. */
struct tl_object *build_draft_update(struct request *view, const struct update *u, struct peers *p);
/* Self's draft there is gone; self hears of it. Nothing where there is none. */
void draft_clear(struct request *r, int64_t peer);

#endif
