/* SPDX-License-Identifier: MIT
 * A document's attributes. */
#ifndef TGREST_TELEGRAM_MEDIA_ATTRIBUTES_H
#define TGREST_TELEGRAM_MEDIA_ATTRIBUTES_H

#include "telegram/names.h"
#include "tl/value.h"

/* The document's first attribute of that kind, or NULL. */
static inline const struct tl_object *document_attribute(const struct tl_object *document,
                                                         uint16_t ctor)
{
    for (uint32_t i = 0; i < tl_count(document, F_attributes); i++)
        if (tl_is(tl_item_obj(document, F_attributes, i), ctor))
            return tl_item_obj(document, F_attributes, i);
    return NULL;
}

#endif
