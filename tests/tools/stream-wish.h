/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the arguments and the environment of a test tool say about a Stream. */

#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "format/stream.h"

/* "zstd" or "zstd:19"; NULL is no compression. N_THREADS of the environment is the number of threads. */
static inline int stream_wish_parse(char *text, StreamOptions *ret) {
        const char *threads = getenv("N_THREADS");
        char *level = text ? strchr(text, ':') : NULL;
        uint64_t n_threads = 0, number = 0;
        StreamOptions options = {};

        if (level)
                *level++ = '\0';
        if ((level && parse_uint64(level, &number) < 0) || (threads && parse_uint64(threads, &n_threads) < 0))
                return -EINVAL;
        options.compressor = text ? compressor_find(text) : NULL;
        if (text && !options.compressor)
                return -EINVAL;
        options.level = (int)number;
        options.n_threads = (unsigned)n_threads;
        *ret = options;
        return 0;
}
