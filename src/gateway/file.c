/* SPDX-License-Identifier: MIT */
#include "gateway/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int file_read(const char *path, struct buf *out)
{
    enum { CHUNK = 16 * 1024 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = 0;
    for (;;) {
        /* One byte past the bound tells a file that is too large from one that just fits. */
        size_t room = out->max - out->len < CHUNK ? out->max - out->len : CHUNK;
        uint8_t probe;
        uint8_t *to = room > 0 ? buf_reserve(out, room) : &probe;
        ssize_t n = to ? read(fd, to, room > 0 ? room : 1) : -1;
        if (n < 0 && to && errno == EINTR)
            continue;
        if (n < 0)
            status = to ? -errno : -ENOMEM;
        else if (n > 0 && room == 0)
            status = -EFBIG;
        if (n <= 0 || status)
            break;
        out->len += (size_t)n;
    }
    close(fd);
    return status;
}
