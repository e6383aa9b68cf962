/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/thread.h"
#include "format/stream.h"

#define CHUNK_SIZE ((size_t)(256 * KIB))
#define N_CHUNKS   8

/* Shorter runs of zeros than a file system's block make no hole. */
#define HOLE_SIZE_MIN 4096

static const uint8_t zero_bytes[64 * 1024];

/* A piece of the file: data, and zeros that follow it. */
typedef struct Chunk {
        uint8_t data[CHUNK_SIZE];
        size_t size;
        uint64_t n_zeros;
} Chunk;

struct Stream {
        int fd;
        const Compressor *compressor;
        void *state; /* of the compressor */
        int error;   /* the first one that the writing side met */
        uint64_t size;

        /* Chunks go round: filled by the caller, written and hashed by the thread. */
        Chunk *chunks;
        uint64_t n_filled, n_written;
        pthread_mutex_t lock; /* of the two numbers, and of what follows */
        pthread_cond_t changed;
        bool ended, given_up;
        int write_error;
        pthread_t thread;
        bool has_thread;

        /* The thread's own. */
        Sha256 *hash;
        bool makes_holes;
        bool ends_in_hole;
};

/* Whether zeros can be skipped instead of written: in a regular file, behind its end. */
static bool can_make_holes(int fd) {
        struct stat status;
        const int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || (flags & O_APPEND) != 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
                return false;
        const off_t position = lseek(fd, 0, SEEK_CUR);
        return position >= 0 && position >= status.st_size;
}

static int write_zeros(Stream *stream, uint64_t size) {
        const bool hole = stream->makes_holes && size >= HOLE_SIZE_MIN;

        if (hole && lseek(stream->fd, (off_t)size, SEEK_CUR) < 0)
                return -errno;
        stream->ends_in_hole = hole;

        while (size > 0) {
                const size_t part = (size_t)MIN(size, (uint64_t)sizeof(zero_bytes));

                int r = hole ? 0 : fd_write_all(stream->fd, zero_bytes, part);
                if (r >= 0)
                        r = sha256_add(stream->hash, zero_bytes, part);
                if (r >= 0)
                        r = interrupt_check();
                if (r < 0)
                        return r;
                size -= part;
        }
        return 0;
}

static int write_chunk(Stream *stream, const Chunk *chunk) {
        if (chunk->size > 0) {
                int r = fd_write_all(stream->fd, chunk->data, chunk->size);
                if (r < 0)
                        return r;
                stream->ends_in_hole = false;
                r = sha256_add(stream->hash, chunk->data, chunk->size);
                if (r < 0)
                        return r;
        }
        return chunk->n_zeros > 0 ? write_zeros(stream, chunk->n_zeros) : 0;
}

/* Seeking alone does not make a file longer. */
static int write_end(Stream *stream) {
        if (!stream->ends_in_hole)
                return 0;

        const off_t end = lseek(stream->fd, 0, SEEK_CUR);
        if (end < 0 || ftruncate(stream->fd, end) < 0)
                return -errno;
        return 0;
}

/* The next chunk to be written, or NULL when there will be no more. */
static const Chunk *take_chunk(Stream *stream) {
        const Chunk *chunk = NULL;

        (void)pthread_mutex_lock(&stream->lock);
        while (stream->n_written == stream->n_filled && !stream->ended)
                (void)pthread_cond_wait(&stream->changed, &stream->lock);
        if (!stream->given_up && stream->n_written < stream->n_filled)
                chunk = &stream->chunks[stream->n_written % N_CHUNKS];
        (void)pthread_mutex_unlock(&stream->lock);
        return chunk;
}

/* After an error, chunks are still taken, so that nobody waits for a free one, and thrown away. */
static void *write_chunks(void *argument) {
        Stream *stream = argument;
        const Chunk *chunk;
        int r = 0;

        while ((chunk = take_chunk(stream))) {
                if (r == 0)
                        r = write_chunk(stream, chunk);
                (void)pthread_mutex_lock(&stream->lock);
                stream->write_error = r;
                stream->n_written++;
                (void)pthread_cond_broadcast(&stream->changed);
                (void)pthread_mutex_unlock(&stream->lock);
        }
        if (r == 0 && !stream->given_up)
                stream->write_error = write_end(stream);
        return NULL;
}

static void end_thread(Stream *stream, bool give_up) {
        if (!stream->has_thread)
                return;
        (void)pthread_mutex_lock(&stream->lock);
        stream->ended = true;
        stream->given_up = give_up;
        (void)pthread_cond_broadcast(&stream->changed);
        (void)pthread_mutex_unlock(&stream->lock);
        (void)pthread_join(stream->thread, NULL);
        stream->has_thread = false;
}

void stream_free(Stream *stream) {
        if (!stream)
                return;
        if (stream->compressor)
                stream->compressor->free(stream->state);
        end_thread(stream, true);
        sha256_free(stream->hash);
        free(stream->chunks);
        (void)pthread_cond_destroy(&stream->changed);
        (void)pthread_mutex_destroy(&stream->lock);
        free(stream);
}

static Chunk *current_chunk(Stream *stream) {
        return &stream->chunks[stream->n_filled % N_CHUNKS];
}

/* Hands the current chunk to the thread, and waits until the next one is free. */
static int pass_chunk(Stream *stream) {
        (void)pthread_mutex_lock(&stream->lock);
        stream->n_filled++;
        (void)pthread_cond_broadcast(&stream->changed);
        while (stream->n_filled - stream->n_written >= N_CHUNKS)
                (void)pthread_cond_wait(&stream->changed, &stream->lock);
        const int r = stream->write_error;
        (void)pthread_mutex_unlock(&stream->lock);
        if (r < 0)
                return r;

        Chunk *chunk = current_chunk(stream);
        chunk->size = 0;
        chunk->n_zeros = 0;
        return 0;
}

/* Room for data in the current chunk, which the caller fills and counts. */
static int chunk_room(Stream *stream, Chunk **ret) {
        Chunk *chunk = current_chunk(stream);

        if (chunk->n_zeros > 0 || chunk->size == CHUNK_SIZE) {
                const int r = pass_chunk(stream);
                if (r < 0)
                        return r;
                chunk = current_chunk(stream);
        }
        *ret = chunk;
        return 0;
}

/* Takes what is to be in the file, from the compressor or as it is. */
static int put(void *userdata, const void *data, size_t size) {
        Stream *stream = userdata;
        const uint8_t *bytes = data;

        stream->size += size;
        while (size > 0) {
                Chunk *chunk;

                const int r = chunk_room(stream, &chunk);
                if (r < 0)
                        return r;
                const size_t part = MIN(size, CHUNK_SIZE - chunk->size);
                memcpy(chunk->data + chunk->size, bytes, part);
                chunk->size += part;
                bytes += part;
                size -= part;
        }
        return 0;
}

/* Notes the first error. */
static int stream_result(Stream *stream, int r) {
        if (r < 0 && stream->error == 0)
                stream->error = r;
        return stream->error;
}

int stream_new(const StreamOptions *options, Stream **ret) {
        _cleanup_(stream_freep) Stream *stream = NULL;

        assert(options && ret);

        stream = calloc(1, sizeof(Stream));
        if (!stream)
                return -ENOMEM;
        (void)pthread_mutex_init(&stream->lock, NULL);
        (void)pthread_cond_init(&stream->changed, NULL);
        stream->fd = options->fd;
        stream->makes_holes = can_make_holes(options->fd);
        stream->chunks = calloc(N_CHUNKS, sizeof(Chunk));
        if (!stream->chunks)
                return -ENOMEM;
        int r = sha256_new(&stream->hash);
        if (r < 0)
                return r;
        r = thread_start(&stream->thread, write_chunks, stream);
        if (r < 0)
                return r;
        stream->has_thread = true;

        if (options->compressor) {
                const CompressOptions compress_options = {
                        .level = options->level,
                        .n_threads = options->n_threads,
                        .put = put,
                        .userdata = stream,
                };

                r = options->compressor->new (&compress_options, &stream->state);
                if (r < 0)
                        return r;
                stream->compressor = options->compressor;
        }

        *ret = TAKE_PTR(stream);
        return 0;
}

int stream_write(Stream *stream, const void *data, size_t size) {
        assert(stream && (data || size == 0));

        if (stream->error < 0 || size == 0)
                return stream->error;
        return stream_result(stream, stream->compressor ? stream->compressor->feed(stream->state, data, size)
                                                        : put(stream, data, size));
}

int stream_write_zeros(Stream *stream, uint64_t size) {
        assert(stream);

        if (!stream->compressor && size >= HOLE_SIZE_MIN && stream->error == 0) {
                stream->size += size;
                current_chunk(stream)->n_zeros += size;
                return 0;
        }
        while (size > 0) {
                const size_t part = (size_t)MIN(size, (uint64_t)sizeof(zero_bytes));

                int r = interrupt_check();
                if (r >= 0)
                        r = stream_write(stream, zero_bytes, part);
                if (r < 0)
                        return stream_result(stream, r);
                size -= part;
        }
        return stream->error;
}

/* Reads right into a chunk where nothing is compressed. */
static int read_uncompressed(Stream *stream, int fd, uint64_t offset, size_t size_max, size_t *ret_size) {
        Chunk *chunk;

        int r = chunk_room(stream, &chunk);
        if (r < 0)
                return r;
        const size_t part = MIN(size_max, CHUNK_SIZE - chunk->size);
        r = fd_pread_all(fd, chunk->data + chunk->size, part, offset);
        if (r < 0)
                return r;
        chunk->size += part;
        stream->size += part;
        *ret_size = part;
        return 0;
}

static int write_data(Stream *stream, int fd, uint64_t offset, uint64_t size, Progress *progress) {
        _cleanup_(freep) void *buffer = NULL;

        if (stream->compressor) {
                buffer = malloc(CHUNK_SIZE);
                if (!buffer)
                        return -ENOMEM;
        }

        while (size > 0) {
                size_t part = (size_t)MIN(size, (uint64_t)CHUNK_SIZE);

                int r = interrupt_check();
                if (r < 0)
                        return r;
                if (buffer) {
                        r = fd_pread_all(fd, buffer, part, offset);
                        if (r >= 0)
                                r = stream_write(stream, buffer, part);
                } else
                        r = read_uncompressed(stream, fd, offset, part, &part);
                if (r < 0)
                        return r;
                progress_advance(progress, part);
                offset += part;
                size -= part;
        }
        return 0;
}

static int write_file(Stream *stream, int fd, uint64_t offset, uint64_t size, Progress *progress) {
        const uint64_t end = offset + size;
        struct stat status;

        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return -EINVAL;
        if ((uint64_t)status.st_size < end)
                return -ENODATA;

        for (uint64_t position = offset, data, hole; position < end; position = hole) {
                int r = fd_find_data(fd, position, end, &data, &hole);
                if (r >= 0)
                        r = stream_write_zeros(stream, data - position);
                if (r < 0)
                        return r;
                progress_advance(progress, data - position);
                r = write_data(stream, fd, data, hole - data, progress);
                if (r < 0)
                        return r;
        }
        return 0;
}

int stream_write_file(Stream *stream, int fd, uint64_t offset, uint64_t size, Progress *progress) {
        assert(stream);

        if (stream->error < 0)
                return stream->error;
        return stream_result(stream, write_file(stream, fd, offset, size, progress));
}

int stream_finish(Stream *stream, StreamResult *ret) {
        StreamResult result = { .size = stream->size };

        assert(stream && ret && stream->has_thread);

        int r = stream->error;
        if (r >= 0 && stream->compressor)
                r = stream->compressor->finish(stream->state);
        if (r >= 0)
                r = pass_chunk(stream);
        end_thread(stream, r < 0);
        if (r >= 0)
                r = stream->write_error;
        if (r >= 0)
                r = sha256_finish(stream->hash, &result.digest);
        if (r < 0)
                return stream_result(stream, r);

        result.size = stream->size;
        *ret = result;
        return 0;
}
