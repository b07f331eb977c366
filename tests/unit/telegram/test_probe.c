/* SPDX-License-Identifier: MIT
 * What files are: against what other software says of the samples in tests/vectors/files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "telegram/probe.h"

#define FILES "tests/vectors/files/"

enum { SAMPLE_BYTES_MAX = 64 * 1024, ROW_MAX = 512 };

static struct slice read_sample(const char *name, uint8_t bytes[static SAMPLE_BYTES_MAX])
{
    char path[256];
    snprintf(path, sizeof path, FILES "%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, SAMPLE_BYTES_MAX, f);
    fclose(f);
    assert_in_range(n, 1, SAMPLE_BYTES_MAX - 1);
    return slice_of(bytes, n);
}

/* Fed in pieces of 1 to piece_max bytes; 0: whole. */
static struct media_info probe_in_pieces(struct slice file, size_t piece_max, struct rng *rng)
{
    struct probe p;
    probe_begin(&p);
    while (file.len > 0) {
        size_t n = piece_max ? 1 + (size_t)rng_below(rng, piece_max) : file.len;
        n = n < file.len ? n : file.len;
        probe_feed(&p, slice_of(file.data, n));
        file = slice_of(file.data + n, file.len - n);
    }
    probe_end(&p);
    return p.info;
}

static struct media_info probe_whole(struct slice file)
{
    return probe_in_pieces(file, 0, NULL);
}

/* ---- the table ---- */

static enum media_format format_expected(const char *name)
{
    static const struct {
        const char *end;
        enum media_format format;
    } formats[] = {
        {"sound.mp4", FORMAT_M4A}, {"voice.ogg", FORMAT_OPUS}, {"music.ogg", FORMAT_VORBIS},
        {".jpg", FORMAT_JPEG},     {".png", FORMAT_PNG},       {".gif", FORMAT_GIF},
        {".webp", FORMAT_WEBP},    {".mp4", FORMAT_MP4},       {".mov", FORMAT_MOV},
        {".m4a", FORMAT_M4A},      {".mp3", FORMAT_MP3},       {".flac", FORMAT_FLAC},
        {".wav", FORMAT_WAV},
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        size_t n = strlen(formats[i].end), len = strlen(name);
        if (len >= n && strcmp(name + len - n, formats[i].end) == 0)
            return formats[i].format;
    }
    return FORMAT_UNKNOWN;
}

/* Others count the encoder's padding in, or round to hundredths. */
static const double seconds_off_max = 0.06;

static void assert_row(char *line, struct rng *rng)
{
    static uint8_t bytes[SAMPLE_BYTES_MAX];
    char *fields[6];
    for (size_t i = 0; i < 6; i++) {
        fields[i] = strsep(&line, "\t\n");
        assert_non_null(fields[i]);
    }
    struct slice file = read_sample(fields[0], bytes);
    struct media_info info = probe_whole(file);
    double seconds = strtod(fields[3], NULL);
    print_message("%s\n", fields[0]);
    assert_int_equal(info.format, format_expected(fields[0]));
    assert_int_equal(info.width, atoi(fields[1]));
    assert_int_equal(info.height, atoi(fields[2]));
    if (fabs(info.duration - seconds) > seconds_off_max)
        fail_msg("%s: %.3f s instead of %.3f", fields[0], info.duration, seconds);
    assert_string_equal(info.title, fields[4]);
    assert_string_equal(info.performer, fields[5]);
    for (size_t most = 1; most < 5000; most = most * 7 + 1) {
        struct media_info again = probe_in_pieces(file, most, rng);
        assert_memory_equal(&again, &info, sizeof info);
    }
}

static void seed_rng(struct rng *rng)
{
    const char *given = getenv("TGREST_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 1;
    print_message("TGREST_TEST_SEED=%llu\n", (unsigned long long)seed);
    rng_init_seed(rng, seed);
}

static void as_others_say(void **state)
{
    (void)state;
    struct rng rng;
    seed_rng(&rng);
    char line[ROW_MAX];
    size_t rows = 0;
    FILE *f = fopen(FILES "expected.tsv", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (line[0] != '#') {
            assert_row(line, &rng);
            rows++;
        }
    fclose(f);
    assert_true(rows >= 25);
}

/* ---- what the table has no column for ---- */

static void flags(void **state)
{
    (void)state;
    static uint8_t bytes[SAMPLE_BYTES_MAX];
    assert_true(probe_whole(read_sample("front.mp4", bytes)).streamable);
    assert_false(probe_whole(read_sample("end.mp4", bytes)).streamable);
    assert_true(probe_whole(read_sample("fragments.mp4", bytes)).streamable);
    assert_true(probe_whole(read_sample("animated.webp", bytes)).animated);
    assert_false(probe_whole(read_sample("lossy.webp", bytes)).animated);
    struct media_info silent = probe_whole(read_sample("silent.mp4", bytes));
    assert_true(silent.has_video);
    assert_false(silent.has_audio);
    struct media_info film = probe_whole(read_sample("end.mp4", bytes));
    assert_true(film.has_video && film.has_audio);
    assert_false(probe_whole(read_sample("tagged.m4a", bytes)).has_video);
}

/* moov behind 5 GiB of mdat: nothing of it is kept, and sizes of 64 bits are understood. */
static void beyond_four_gibibytes(void **state)
{
    (void)state;
    enum { PIECE = 1 << 20, PIECES = 5 * 1024 };
    static uint8_t bytes[SAMPLE_BYTES_MAX];
    struct slice file = read_sample("end.mp4", bytes);
    const uint8_t *moov = memmem(file.data, file.len, "moov", 4);
    assert_non_null(moov);
    size_t moov_at = (size_t)(moov - 4 - file.data);
    uint8_t mdat[16] = {0, 0, 0, 1, 'm', 'd', 'a', 't'};
    uint64_t size = (uint64_t)PIECE * PIECES + sizeof mdat;
    for (size_t i = 0; i < 8; i++)
        mdat[8 + i] = (uint8_t)(size >> (56 - 8 * i));
    uint8_t *zeroes = calloc(1, PIECE);
    struct probe p;
    probe_begin(&p);
    probe_feed(&p, slice_of(file.data, 32)); /* ftyp */
    probe_feed(&p, slice_of(mdat, sizeof mdat));
    for (size_t i = 0; i < PIECES; i++)
        probe_feed(&p, slice_of(zeroes, PIECE));
    probe_feed(&p, slice_of(file.data + moov_at, file.len - moov_at));
    probe_end(&p);
    free(zeroes);
    assert_int_equal(p.info.width, 64);
    assert_true(p.info.duration > 1.4);
    assert_false(p.info.streamable);
}

static void nothing_known(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\xff", "RIFF", "hello, this is a text of some length",
                                        "\0\0\0\x18"
                                        "ftypheic\0\0\0\0mif1heic"};
    static const size_t lengths[] = {0, 1, 4, 36, 24};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct media_info info = probe_whole(slice_of(texts[i], lengths[i]));
        assert_int_equal(info.format, FORMAT_UNKNOWN);
        assert_false(info.has_video || info.has_audio);
    }
    assert_null(format_mime(FORMAT_UNKNOWN));
    assert_string_equal(format_mime(FORMAT_MP4), "video/mp4");
}

/* Cut off anywhere, and with bytes changed: no more than what is there is said to be there. */
static void broken_files(void **state)
{
    (void)state;
    static const char *const names[] = {"end.mp4",   "tagged.m4a", "told.mp3",        "old.mp3",
                                        "voice.ogg", "music.ogg",  "progressive.jpg", "tagged.flac",
                                        "sound.wav", "clip.mov",   "animated.webp"};
    static uint8_t bytes[SAMPLE_BYTES_MAX], changed[SAMPLE_BYTES_MAX];
    struct rng rng;
    seed_rng(&rng);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct slice file = read_sample(names[i], bytes);
        for (size_t round = 0; round < 400; round++) {
            uint32_t random[4];
            rng_fill(&rng, random, sizeof random);
            memcpy(changed, file.data, file.len);
            size_t n = round % 2 ? file.len : random[0] % file.len;
            for (size_t k = 1; k < 4; k++)
                changed[random[k] % (k == 1 ? 400 % file.len : file.len)] = (uint8_t)random[0];
            struct media_info info = probe_in_pieces(slice_of(changed, n), 900, &rng);
            assert_true(info.duration >= 0 && !isinf(info.duration) && !isnan(info.duration));
            assert_true(info.width >= 0 && info.height >= 0);
            assert_true(slice_is_utf8(slice_str(info.title)));
            assert_true(slice_is_utf8(slice_str(info.performer)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_others_say),         cmocka_unit_test(flags),
        cmocka_unit_test(beyond_four_gibibytes), cmocka_unit_test(nothing_known),
        cmocka_unit_test(broken_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
