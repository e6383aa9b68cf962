/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The .xz file format: one stream of blocks with a CRC64 each, as xz(1) writes with threads. */

#include <lzma.h>

#include "base/interrupt.h"
#include "base/thread.h"
#include "format/compress.h"

#define OUTPUT_SIZE (64 * KIB)
#define THREADS_MAX 1024

/* The part of the machine's memory that all threads together may take. */
#define MEMORY_PART 4

/* So often the library comes back while it waits for its threads: a block of level 9 takes them minutes. */
#define WAIT_MS 200

typedef struct Xz {
        CompressOptions options;
        lzma_stream stream;
        uint8_t buffer[OUTPUT_SIZE]; /* for what comes out */
} Xz;

static void xz_free(void *state) {
        Xz *xz = state;

        if (!xz)
                return;
        lzma_end(&xz->stream);
        free(xz);
}

static inline void xz_freep(Xz **xz) {
        xz_free(*xz);
}

static int xz_error(lzma_ret result) {
        switch (result) {
        case LZMA_OK:
        case LZMA_STREAM_END:
                return 0;
        case LZMA_MEM_ERROR:
                return -ENOMEM;
        case LZMA_OPTIONS_ERROR:
        case LZMA_UNSUPPORTED_CHECK:
                return -EOPNOTSUPP;
        default:
                return -EIO;
        }
}

/* A thread takes 100 MiB at level 6 and 1.3 GiB at level 9. */
static void limit_threads(lzma_mt *settings) {
        const uint64_t memory = lzma_physmem();

        while (memory > 0 && settings->threads > 1 &&
               lzma_stream_encoder_mt_memusage(settings) > memory / MEMORY_PART)
                settings->threads--;
}

static int xz_new(const CompressOptions *options, void **ret) {
        _cleanup_(xz_freep) Xz *xz = NULL;
        const int level = compressor_level(&compressor_xz, options->level);

        if (level < 0)
                return level;
        xz = calloc(1, sizeof(Xz));
        if (!xz)
                return -ENOMEM;
        xz->options = *options;
        xz->stream = (lzma_stream)LZMA_STREAM_INIT;

        /* A block size of 0 is what follows from the level, three times the dictionary. */
        lzma_mt settings = {
                .threads = MIN(thread_count(options->n_threads), (unsigned)THREADS_MAX),
                .preset = (uint32_t)level,
                .check = LZMA_CHECK_CRC64,
                .timeout = WAIT_MS,
        };
        limit_threads(&settings);
        const int r = xz_error(lzma_stream_encoder_mt(&xz->stream, &settings));
        if (r < 0)
                return r;

        *ret = TAKE_PTR(xz);
        return 0;
}

/* Gives the input to the library until all of it is taken, or at the end until all is out. */
static int xz_compress(Xz *xz, const void *data, size_t size, lzma_action action) {
        lzma_stream *stream = &xz->stream;
        lzma_ret result;

        stream->next_in = data;
        stream->avail_in = size;
        do {
                int r = interrupt_check();
                if (r < 0)
                        return r;
                stream->next_out = xz->buffer;
                stream->avail_out = sizeof(xz->buffer);
                result = lzma_code(stream, action);
                r = xz_error(result);
                if (r < 0)
                        return r;
                if (stream->avail_out == sizeof(xz->buffer))
                        continue;
                r = xz->options.put(xz->options.userdata, xz->buffer, sizeof(xz->buffer) - stream->avail_out);
                if (r < 0)
                        return r;
        } while (action == LZMA_FINISH ? result != LZMA_STREAM_END : stream->avail_in > 0);
        return 0;
}

static int xz_feed(void *state, const void *data, size_t size) {
        return size > 0 ? xz_compress(state, data, size, LZMA_RUN) : 0;
}

static int xz_finish(void *state) {
        return xz_compress(state, NULL, 0, LZMA_FINISH);
}

/* The default is that of xz(1). Higher levels have larger dictionaries only, which take the more memory, also of whoever
 * unpacks, the less they gain. */
const Compressor compressor_xz = {
        .name = "xz",
        .suffix = ".xz",
        .level_min = 1,
        .level_max = 9,
        .level_default = 6,
        .new = xz_new,
        .feed = xz_feed,
        .finish = xz_finish,
        .free = xz_free,
};
