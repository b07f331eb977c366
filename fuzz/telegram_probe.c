/* SPDX-License-Identifier: MIT
 * Files of every format: the first byte says in which pieces they come, which changes nothing. */
#include "telegram/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct media_info probe_in_pieces(struct slice file, size_t piece)
{
    struct probe p;
    probe_begin(&p);
    while (file.len > 0) {
        size_t n = piece < file.len ? piece : file.len;
        probe_feed(&p, slice_of(file.data, n));
        file = slice_of(file.data + n, file.len - n);
    }
    probe_end(&p);
    return p.info;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct slice file = slice_of(data + 1, size - 1);
    struct media_info whole = probe_in_pieces(file, file.len);
    struct media_info pieces = probe_in_pieces(file, 1 + (size_t)data[0]);
    if (memcmp(&whole, &pieces, sizeof whole) != 0 || !slice_is_utf8(slice_str(whole.title)) ||
        !slice_is_utf8(slice_str(whole.performer)) || whole.width < 0 || whole.height < 0)
        __builtin_trap();
    return 0;
}
