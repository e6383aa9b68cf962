/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What whole outputs are compressed with: bytes in, a compressed file out, on all processors. The result depends on the
 * input and the level, and neither on the number of threads nor on the pieces in which the input came. */

#include "base/macro.h"

typedef struct CompressOptions {
        int level;          /* 0: the compressor's default */
        unsigned n_threads; /* 0: one per processor */

        /* Takes the compressed bytes, in order, in the thread that feeds. A negative code ends the compression with it. */
        int (*put)(void *userdata, const void *data, size_t size);
        void *userdata;
} CompressOptions;

typedef struct Compressor {
        const char *name;   /* "xz" */
        const char *suffix; /* of file names: ".xz" */
        int level_min, level_max, level_default;

        /* Begins a compression; its memory is bounded by the level and the number of threads, which is lowered where they
         * would take much of the machine's. */
        int (*new)(const CompressOptions *options, void **ret);
        int (*feed)(void *state, const void *data, size_t size);
        /* Puts all that is left. Neither this nor feed may be called once either has failed. */
        int (*finish)(void *state);
        void (*free)(void *state);
} Compressor;

extern const Compressor compressor_xz, compressor_zstd, compressor_gzip;

/* NULL-terminated; a name that is not in it is answered with NULL. */
extern const Compressor *const compressors[];
const Compressor *compressor_find(const char *name);

/* The level that is meant by the wished one: 0 is the default. -ERANGE for one that the compressor does not have. */
int compressor_level(const Compressor *compressor, int wished);
