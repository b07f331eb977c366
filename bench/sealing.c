/* SPDX-License-Identifier: MIT
 * AES-256-IGE and SHA-256 of one core, without which no byte is sealed or opened: what no transfer
 * can be cheaper than. Parts of a transfer's size, in place, as the gateway works on them.
 *
 * usage: sealing SECONDS
 * Three lines, name and MB/s of CPU time, tab-separated. */
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

struct work {
    struct digests *digests;
    uint8_t part[PART_BYTES];
};

static const uint8_t key[32] = {1}, iv[32] = {2};

static void encrypt(struct work *w)
{
    aes_ige_encrypt(key, iv, w->part, w->part, PART_BYTES);
}

static void decrypt(struct work *w)
{
    aes_ige_decrypt(key, iv, w->part, w->part, PART_BYTES);
}

static void digest(struct work *w)
{
    struct slice part = slice_of(w->part, PART_BYTES);
    sha256(w->digests, &part, 1, w->part);
}

static void measure(const char *name, void (*run)(struct work *w), struct work *w, double seconds)
{
    double begin = cpu_seconds(), spent = 0;
    size_t parts = 0;
    while (spent < seconds) {
        for (size_t i = 0; i < PARTS_A_LOOK; i++)
            run(w);
        parts += PARTS_A_LOOK;
        spent = cpu_seconds() - begin;
    }
    printf("%s\t%.0f\n", name, (double)parts * PART_BYTES / 1e6 / spent);
}

int main(int argc, char **argv)
{
    struct work *w = calloc(1, sizeof *w);
    double seconds = argc == 2 ? atof(argv[1]) : 0;
    if (!w || !(w->digests = digests_new()) || seconds <= 0) {
        fprintf(stderr, "usage: sealing SECONDS\n");
        return 2;
    }
    measure("encrypt", encrypt, w, seconds);
    measure("decrypt", decrypt, w, seconds);
    measure("digest", digest, w, seconds);
    digests_free(w->digests);
    free(w);
    return 0;
}
