/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every compressor has to do, for the unit test of each. */

#include <signal.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "foreign-program.h"
#include "format/compress.h"
#include "temporary-directory.h"

typedef struct Sample {
        uint8_t *data;
        size_t size;
} Sample;

static inline void sample_done(Sample *sample) {
        free(sample->data);
}

/* Some of it shrinks well, some not at all, and much of it is seen again further on. */
static inline Sample sample_new(size_t size) {
        Sample sample = { .data = malloc(size + 1), .size = size };
        uint32_t state = 1;

        assert_non_null(sample.data);
        for (size_t i = 0; i < size; i++) {
                state = state * 1103515245 + 12345;
                switch (i / 50000 % 4) {
                case 0:
                        sample.data[i] = (uint8_t)(state >> 16);
                        break;
                case 1:
                        sample.data[i] = "etaoin shrdlu\n\0\0"[state >> 20 & 15];
                        break;
                case 2:
                        sample.data[i] = 0;
                        break;
                default:
                        sample.data[i] = sample.data[i - 100000];
                }
        }
        return sample;
}

static inline int collect(void *userdata, const void *data, size_t size) {
        return fd_write_all(*(int *)userdata, data, size);
}

/* Compresses the sample, in pieces of at most size_max bytes, into a file. */
static inline int compress_sample(const Compressor *compressor, const CompressOptions *wish,
                                  const Sample *sample, size_t size_max, const char *path) {
        _cleanup_(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        CompressOptions options = *wish;
        void *state;

        if (!options.put) {
                options.put = collect;
                options.userdata = &fd;
        }
        int r = compressor->new (&options, &state);
        if (r < 0)
                return r;
        for (size_t offset = 0, part; r >= 0 && offset < sample->size; offset += part) {
                part = MIN(sample->size - offset, size_max);
                r = compressor->feed(state, sample->data + offset, part);
        }
        if (r >= 0)
                r = compressor->finish(state);
        compressor->free(state);
        return r;
}

/* The program of the same name unpacks it. */
static inline void check_round_trip(const Compressor *compressor, int level, size_t size) {
        _cleanup_(sample_done) Sample sample = sample_new(size);
        const CompressOptions options = { .level = level };
        char packed[32];

        (void)snprintf(packed, sizeof(packed), "packed%s", compressor->suffix);
        assert_int_equal(compress_sample(compressor, &options, &sample, SIZE_MAX, packed), 0);
        assert_int_equal(file_write(AT_FDCWD, "plain", sample.data, sample.size, 0600), 0);
        free(FOREIGN_CHECK(compressor->name, "-q", "-t", packed));
        free(FOREIGN_CHECK(compressor->name, "-q", "-d", "-k", "-f", packed));
        free(FOREIGN_CHECK("cmp", "plain", "packed"));
        assert_int_equal(unlink("packed"), 0);
}

static inline void check_round_trips(const Compressor *compressor) {
        static const size_t sizes[] = {
                0, 1, 32767, 32769, 131071, 131072, 131073, 262144, 7 * MIB + 5,
        };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++)
                check_round_trip(compressor, 0, sizes[i]);
        check_round_trip(compressor, compressor->level_min, 9 * MIB);
        check_round_trip(compressor, MIN(compressor->level_max, 19), MIB);
}

/* Neither the number of threads nor the pieces in which the input comes. */
static inline void check_same_bytes(const Compressor *compressor) {
        static const struct {
                unsigned n_threads;
                size_t piece_size;
        } cases[] = { { 1, SIZE_MAX }, { 2, 100003 }, { 3, 131072 }, { 7, 17 }, { 0, 4096 } };
        _cleanup_(sample_done) Sample sample = sample_new(9 * MIB + 1);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const CompressOptions options = { .level = 1, .n_threads = cases[i].n_threads };
                const char *path = i == 0 ? "first" : "other";

                assert_int_equal(compress_sample(compressor, &options, &sample, cases[i].piece_size, path),
                                 0);
                free(FOREIGN_CHECK("cmp", "first", path));
        }
}

static inline int refuse_after(void *userdata, const void *data, size_t size) {
        size_t *left = userdata;

        if (size > *left)
                return -ENOSPC;
        *left -= size;
        return 0;
}

/* A receiver that is full at any time ends it, and all threads with it. */
static inline void check_errors(const Compressor *compressor) {
        static const size_t rooms[] = { 0, 5, 11, 5000, 100000, 2000000 };
        _cleanup_(sample_done) Sample sample = sample_new(9 * MIB);

        for (size_t i = 0; i < ELEMENTSOF(rooms); i++) {
                size_t room = rooms[i];
                const CompressOptions options = { .level = 1, .put = refuse_after, .userdata = &room };

                assert_int_equal(compress_sample(compressor, &options, &sample, 50000, "packed"), -ENOSPC);
        }
}

/* One that is not finished leaves nothing behind. */
static inline void check_given_up(const Compressor *compressor) {
        _cleanup_(sample_done) Sample sample = sample_new(5 * MIB);
        size_t room = SIZE_MAX;
        const CompressOptions options = { .n_threads = 3, .put = refuse_after, .userdata = &room };
        void *state;

        assert_int_equal(compressor->new (&options, &state), 0);
        compressor->free(state);
        assert_int_equal(compressor->new (&options, &state), 0);
        assert_int_equal(compressor->feed(state, sample.data, sample.size), 0);
        compressor->free(state);
        compressor->free(NULL);
}

/* Whoever compresses for minutes hears of an interrupt. */
static inline void check_interrupt(const Compressor *compressor) {
        _cleanup_(sample_done) Sample sample = sample_new(MIB);
        size_t room = SIZE_MAX;
        const CompressOptions options = { .n_threads = 2, .put = refuse_after, .userdata = &room };
        void *state;

        assert_int_equal(compressor->new (&options, &state), 0);
        assert_int_equal(compressor->feed(state, sample.data, sample.size), 0);
        assert_int_equal(interrupt_catch(), 0);
        assert_int_equal(raise(SIGTERM), 0);
        assert_int_equal(compressor->finish(state), -EINTR);
        compressor->free(state);
}

static inline void check_levels(const Compressor *compressor) {
        const CompressOptions below = { .level = compressor->level_min - 2 },
                              above = { .level = compressor->level_max + 1 };
        void *state;

        assert_int_equal(compressor->new (&below, &state), -ERANGE);
        assert_int_equal(compressor->new (&above, &state), -ERANGE);
}
