/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The gzip file format (RFC 1952), one member without name and time. The input is cut into blocks, which threads deflate
 * (RFC 1951) at the same time: each block knows the end of the one before it as its dictionary, so that hardly anything
 * is lost, and ends at a byte, so that the results can be joined. */

#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/worker-pool.h"
#include "format/compress.h"

#define BLOCK_SIZE      ((size_t)(128 * KIB))
#define DICTIONARY_SIZE ((size_t)(32 * KIB))
/* What cannot be made smaller is stored, with five bytes for every 16 KiB or so, and the end of the block. */
#define OUTPUT_SIZE (BLOCK_SIZE + BLOCK_SIZE / 64 + 64)

typedef struct Block {
        uint8_t dictionary[DICTIONARY_SIZE];
        uint8_t input[BLOCK_SIZE];
        size_t dictionary_size, size;
        bool last;

        /* What a worker makes of it. */
        uint32_t crc;
        size_t output_size;
        uint8_t output[OUTPUT_SIZE];
} Block;

typedef struct Gzip {
        CompressOptions options;
        int level;
        uint32_t crc;
        uint64_t size;
        WorkerPool *pool;
        Block *block; /* the pool's, being filled */
} Gzip;

static int worker_new(const void *userdata, void **ret) {
        z_stream *stream = calloc(1, sizeof(z_stream));

        if (!stream)
                return -ENOMEM;
        const int result =
                deflateInit2(stream, *(const int *)userdata, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
        if (result != Z_OK) {
                free(stream);
                return result == Z_MEM_ERROR ? -ENOMEM : -EIO;
        }
        *ret = stream;
        return 0;
}

static void worker_free(void *worker) {
        (void)deflateEnd(worker);
        free(worker);
}

/* A worker's stream is used again and again. */
static int deflate_block(void *worker, void *job) {
        z_stream *stream = worker;
        Block *block = job;

        if (deflateReset(stream) != Z_OK)
                return -EIO;
        if (block->dictionary_size > 0 &&
            deflateSetDictionary(stream, block->dictionary, (uInt)block->dictionary_size) != Z_OK)
                return -EIO;
        stream->next_in = block->input;
        stream->avail_in = (uInt)block->size;
        stream->next_out = block->output;
        stream->avail_out = (uInt)sizeof(block->output);

        const int result = deflate(stream, block->last ? Z_FINISH : Z_SYNC_FLUSH);
        if (result != (block->last ? Z_STREAM_END : Z_OK) || stream->avail_in > 0 || stream->avail_out == 0)
                return -EIO;
        block->output_size = sizeof(block->output) - stream->avail_out;
        block->crc = (uint32_t)crc32(0, block->input, (uInt)block->size);
        return 0;
}

static const WorkerKind kind = {
        .job_size = sizeof(Block),
        .worker_new = worker_new,
        .worker_free = worker_free,
        .run = deflate_block,
};

static void gzip_free(void *state) {
        Gzip *gzip = state;

        if (!gzip)
                return;
        worker_pool_free(gzip->pool);
        free(gzip);
}

static inline void gzip_freep(Gzip **gzip) {
        gzip_free(*gzip);
}

static int put_header(const Gzip *gzip) {
        static const uint8_t best = 2, fastest = 4, from_unix = 3;
        const uint8_t header[] = {
                0x1f,      0x8b, Z_DEFLATED,
                0,         0,    0,
                0,         0,    gzip->level == 9 ? best : gzip->level == 1 ? fastest : 0,
                from_unix,
        };

        return gzip->options.put(gzip->options.userdata, header, sizeof(header));
}

static int gzip_new(const CompressOptions *options, void **ret) {
        _cleanup_(gzip_freep) Gzip *gzip = NULL;
        const int level = compressor_level(&compressor_gzip, options->level);

        if (level < 0)
                return level;
        gzip = calloc(1, sizeof(Gzip));
        if (!gzip)
                return -ENOMEM;
        gzip->options = *options;
        gzip->level = level;
        int r = worker_pool_new(&kind, &level, options->n_threads, &gzip->pool);
        if (r < 0)
                return r;
        gzip->block = worker_pool_room(gzip->pool);
        r = put_header(gzip);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(gzip);
        return 0;
}

/* Puts the oldest block that is under way. 0 when there is none, or, without a wish to wait, none that is done. */
static int put_block(Gzip *gzip, bool wait) {
        void *job;

        int r = worker_pool_take(gzip->pool, wait, &job);
        if (r <= 0)
                return r;
        const Block *block = job;
        r = gzip->options.put(gzip->options.userdata, block->output, block->output_size);
        if (r < 0)
                return r;
        gzip->crc = (uint32_t)crc32_combine(gzip->crc, block->crc, (z_off_t)block->size);
        gzip->size += block->size;
        worker_pool_release(gzip->pool);
        return 1;
}

/* Hands the block that is full to the workers, and begins the next one. */
static int next_block(Gzip *gzip) {
        const Block *last = gzip->block;
        int r;

        worker_pool_submit(gzip->pool);
        do
                r = put_block(gzip, !worker_pool_room(gzip->pool));
        while (r > 0);
        if (r < 0)
                return r;

        /* Though it may be released by now, it keeps its input until it is filled again. */
        Block *block = gzip->block = worker_pool_room(gzip->pool);
        memcpy(block->dictionary, last->input + BLOCK_SIZE - DICTIONARY_SIZE, DICTIONARY_SIZE);
        block->dictionary_size = DICTIONARY_SIZE;
        block->size = 0;
        block->last = false;
        return 0;
}

static int gzip_feed(void *state, const void *data, size_t size) {
        Gzip *gzip = state;
        const uint8_t *bytes = data;

        while (size > 0) {
                /* A full block stays until more comes: the last one must know that it is the last. */
                if (gzip->block->size == BLOCK_SIZE) {
                        const int r = next_block(gzip);
                        if (r < 0)
                                return r;
                }
                Block *block = gzip->block;
                const size_t part = MIN(size, BLOCK_SIZE - block->size);

                memcpy(block->input + block->size, bytes, part);
                block->size += part;
                bytes += part;
                size -= part;
        }
        return 0;
}

static int gzip_finish(void *state) {
        Gzip *gzip = state;
        uint8_t trailer[8];
        int r;

        gzip->block->last = true;
        worker_pool_submit(gzip->pool);
        do
                r = put_block(gzip, true);
        while (r > 0);
        if (r < 0)
                return r;
        for (size_t i = 0; i < 4; i++) {
                trailer[i] = (uint8_t)(gzip->crc >> 8 * i);
                trailer[4 + i] = (uint8_t)(gzip->size >> 8 * i);
        }
        return gzip->options.put(gzip->options.userdata, trailer, sizeof(trailer));
}

/* The default is that of gzip(1): level 9 takes more than three times the processor time for half a percent. */
const Compressor compressor_gzip = {
        .name = "gzip",
        .suffix = ".gz",
        .level_min = 1,
        .level_max = 9,
        .level_default = 6,
        .new = gzip_new,
        .feed = gzip_feed,
        .finish = gzip_finish,
        .free = gzip_free,
};
