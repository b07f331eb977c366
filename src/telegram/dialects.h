/* SPDX-License-Identifier: MIT
 * The two markup dialects behind text_parse and text_unparse. Input is valid UTF-8 within
 * TEXT_BYTES_MAX; results are not trimmed yet. */
#ifndef TGREST_TELEGRAM_DIALECTS_H
#define TGREST_TELEGRAM_DIALECTS_H

#include "telegram/text.h"

/* Room for entities: each needs two of these bytes, or three. At most TEXT_ENTITIES_MAX, and never
 * 0. */
size_t entities_bound(struct slice input, const char *bytes);
/* Makes e a link to url, or a mention where the url is tg://user?id=N. */
void entity_set_link(struct entity *e, struct slice url);
bool markdown_parse(struct slice input, struct arena *a, struct formatted_text *out,
                    struct text_error *error);
void markdown_unparse(const struct formatted_text *text, struct arena *a, struct buf *out);
bool html_parse(struct slice input, struct arena *a, struct formatted_text *out,
                struct text_error *error);
void html_unparse(const struct formatted_text *text, struct buf *out);

#endif
