/* SPDX-License-Identifier: MIT
 * InputMedia with files: uploaded ones, and those that Telegram has already. */
#ifndef TGREST_SANDBOX_MEDIA_FILE_H
#define TGREST_SANDBOX_MEDIA_FILE_H

#include "sandbox/file.h"
#include "sandbox/handler.h"
#include "sandbox/message.h"

/* Each fills the zeroed *m from an InputMedia of its kind. NULL when fine, else the error; what was
 * made is m's either way. */
const char *read_uploaded_photo(struct request *r, const struct tl_object *o, struct media *m);
const char *read_uploaded_document(struct request *r, const struct tl_object *o, struct media *m);
const char *read_known_photo(struct request *r, const struct tl_object *o, struct media *m);
const char *read_known_document(struct request *r, const struct tl_object *o, struct media *m);

/* The photo that an InputFile makes; NULL and *error otherwise. */
struct file *photo_from_upload(struct request *r, const struct tl_object *input,
                               const char **error);
/* A photo whose only size is this image, which the call takes over; NULL and *error when it is
 * none that Telegram takes. */
struct file *photo_from_content(struct world *w, struct content *content, int32_t dc, int32_t now_s,
                                const char **error);

#endif
