/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way of an output into its file: bytes in, compressed or as they are, and the SHA-256 of what reaches the file. Bytes
 * are written and hashed by a thread of the Stream while the next ones come; nothing is read back, and no more than a few
 * MiB are kept beside what the compressor needs. */

#include "base/hash.h"
#include "base/progress.h"
#include "format/compress.h"

typedef struct StreamOptions {
        int fd; /* written from its position on, which is the end of the file; it stays the caller's */
        const Compressor *compressor; /* NULL: the bytes are written as they are */
        int level;                    /* of the compressor, 0: its default */
        unsigned n_threads;           /* 0: one per processor; the bytes do not depend on it */
} StreamOptions;

typedef struct StreamResult {
        uint64_t size; /* of what was written */
        Sha256Digest digest;
} StreamResult;

typedef struct Stream Stream;

/* -ERANGE for a level that the compressor does not have. */
int stream_new(const StreamOptions *options, Stream **ret);
/* Gives up what is not finished; the file is left as it is. */
void stream_free(Stream *stream);
DEFINE_CLEANUP(Stream, stream_free)

/* Appends bytes. The file may come to know of them later, and so may the caller of an error, at latest from
 * stream_finish(). A stream that failed answers with the same error from then on. */
int stream_write(Stream *stream, const void *data, size_t size);

/* Appends zeros: as a hole, where they are not compressed and the file can have one. */
int stream_write_zeros(Stream *stream, uint64_t size);

/* Appends a range of a regular file, its holes as zeros. progress may be NULL. -ENODATA if the file ends early, -EINTR
 * after interrupt_check(). */
int stream_write_file(Stream *stream, int fd, uint64_t offset, uint64_t size, Progress *progress);

/* Waits until everything is written. Nothing may be written afterwards. */
int stream_finish(Stream *stream, StreamResult *ret);
