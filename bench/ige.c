/* SPDX-License-Identifier: MIT
 * AES-256-IGE of one core: what no transfer can be cheaper than. Parts of a transfer's size, in
 * place, as the gateway seals and opens them.
 *
 * usage: ige SECONDS
 * Two lines, name and MB/s of CPU time, tab-separated. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "crypto/crypto.h"

enum { PART_BYTES = 512 * 1024, PARTS_A_LOOK = 64 /* between looks at the clock */ };

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6;
}

typedef void (*cipher)(const uint8_t key[static 32], const uint8_t iv[static 32], const uint8_t *in,
                       uint8_t *out, size_t len);

static void measure(const char *name, cipher run, uint8_t *part, double seconds)
{
    static const uint8_t key[32] = {1}, iv[32] = {2};
    double begin = cpu_seconds(), spent = 0;
    size_t parts = 0;
    while (spent < seconds) {
        for (size_t i = 0; i < PARTS_A_LOOK; i++)
            run(key, iv, part, part, PART_BYTES);
        parts += PARTS_A_LOOK;
        spent = cpu_seconds() - begin;
    }
    printf("%s\t%.0f\n", name, (double)parts * PART_BYTES / 1e6 / spent);
}

int main(int argc, char **argv)
{
    uint8_t *part = calloc(1, PART_BYTES);
    double seconds = argc == 2 ? atof(argv[1]) : 0;
    if (!part || seconds <= 0) {
        fprintf(stderr, "usage: ige SECONDS\n");
        return 2;
    }
    measure("encrypt", aes_ige_encrypt, part, seconds);
    measure("decrypt", aes_ige_decrypt, part, seconds);
    free(part);
    return 0;
}
