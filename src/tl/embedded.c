/* SPDX-License-Identifier: MIT
 * The schema texts, put into the binary as they are. Paths are relative to the repository's root,
 * where make runs the compiler. */
#include "tl/schema.h"

__asm__(".pushsection .rodata\n"
        "tl_embedded_api_begin:\n"
        ".incbin \"schema/api.tl\"\n"
        "tl_embedded_api_end:\n"
        "tl_embedded_mtproto_begin:\n"
        ".incbin \"schema/mtproto.tl\"\n"
        "tl_embedded_mtproto_end:\n"
        ".popsection\n");

#define EMBEDDED extern const uint8_t __attribute__((visibility("hidden")))
EMBEDDED tl_embedded_api_begin[];
EMBEDDED tl_embedded_api_end[];
EMBEDDED tl_embedded_mtproto_begin[];
EMBEDDED tl_embedded_mtproto_end[];

struct slice tl_embedded_api(void)
{
    return slice_of(tl_embedded_api_begin, (size_t)(tl_embedded_api_end - tl_embedded_api_begin));
}

struct slice tl_embedded_mtproto(void)
{
    return slice_of(tl_embedded_mtproto_begin,
                    (size_t)(tl_embedded_mtproto_end - tl_embedded_mtproto_begin));
}
