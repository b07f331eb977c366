/* SPDX-License-Identifier: MIT */
#include "gateway/answers.h"

__asm__(".pushsection .rodata\n"
        "gateway_answers_begin:\n"
        ".incbin \"schema/answers.json\"\n"
        "gateway_answers_end:\n"
        ".popsection\n");

extern const uint8_t __attribute__((visibility("hidden"))) gateway_answers_begin[];
extern const uint8_t __attribute__((visibility("hidden"))) gateway_answers_end[];

struct slice answers_embedded(void)
{
    return slice_of(gateway_answers_begin, (size_t)(gateway_answers_end - gateway_answers_begin));
}
