/* SPDX-License-Identifier: MIT
 * Formatted text as callers write it: first byte the mode, the rest the text; what parses is
 * written again in every mode. */
#include "telegram/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct buf out;
    struct formatted_text text;
    struct text_error error;
    if (size == 0)
        return 0;
    arena_init(&a, 0);
    buf_init(&out, 0);
    enum text_mode mode = (enum text_mode)(data[0] % (TEXT_NONE + 1));
    if (text_parse(mode, slice_of(data + 1, size - 1), &a, &text, &error)) {
        for (int to = TEXT_MARKDOWN; to <= TEXT_NONE; to++) {
            text_unparse((enum text_mode)to, &text, &a, &out);
            if (!slice_is_utf8(buf_slice(&out)))
                __builtin_trap();
            buf_clear(&out);
        }
    } else if (error.offset > size || !error.reason) {
        __builtin_trap();
    }
    buf_free(&out);
    arena_free(&a);
    return 0;
}
