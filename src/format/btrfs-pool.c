/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/crc32c.h"
#include "format/btrfs-pool.h"
#include "format/btrfs.h"

static int piece_init(void *job) {
        BtrfsPiece *piece = job;

        piece->data = malloc(BTRFS_PIECE_SIZE);
        piece->compressed = malloc(BTRFS_PIECE_SIZE);
        return piece->data && piece->compressed ? 0 : -ENOMEM;
}

static void piece_done(void *job) {
        BtrfsPiece *piece = job;

        free(piece->data);
        free(piece->compressed);
}

typedef struct Choice {
        Compression compression;
        int level;
} Choice;

static int worker_new(const void *userdata, void **ret) {
        const Choice *choice = userdata;
        BtrfsCompressor *compressor;

        const int r = btrfs_compressor_new(choice->compression, choice->level, &compressor);
        if (r < 0)
                return r;
        *ret = compressor;
        return 0;
}

static void worker_free(void *worker) {
        btrfs_compressor_free(worker);
}

/* What is small is worth a place among the items of its inode: as it is, or compressed if that is shorter. */
static int try_inline(BtrfsCompressor *compressor, BtrfsPiece *piece) {
        size_t size;

        const int r = btrfs_compress(compressor, piece->data, piece->size, piece->compressed,
                                     MIN(piece->size - 1, (size_t)BTRFS_INLINE_SIZE_MAX), &size);
        if (r < 0)
                return r;
        if (r > 0) {
                piece->encoding = btrfs_compressor_encoding(compressor);
                piece->stored = piece->compressed;
                piece->stored_size = size;
        }
        piece->is_inline = r > 0 || piece->size <= BTRFS_INLINE_SIZE_MAX;
        return 0;
}

/* Compressed data is stored as such if that saves a sector. */
static int try_sectors(BtrfsCompressor *compressor, BtrfsPiece *piece) {
        const size_t plain_size = align_up(piece->size, BTRFS_SECTOR_SIZE);
        size_t size;

        const int r = btrfs_compress(compressor, piece->data, piece->size, piece->compressed,
                                     plain_size - BTRFS_SECTOR_SIZE, &size);
        if (r <= 0)
                return r;
        piece->encoding = btrfs_compressor_encoding(compressor);
        piece->stored = piece->compressed;
        piece->stored_size = align_up(size, BTRFS_SECTOR_SIZE);
        memset(piece->compressed + size, 0, piece->stored_size - size);
        return 0;
}

static int store(void *worker, void *job) {
        BtrfsCompressor *compressor = worker;
        BtrfsPiece *piece = job;

        piece->stored = piece->data;
        piece->stored_size = piece->size;
        piece->encoding = BTRFS_ENCODING_NONE;
        piece->is_inline = false;
        const int r = piece->is_whole ? try_inline(compressor, piece) : try_sectors(compressor, piece);
        if (r < 0 || piece->is_inline)
                return r;

        if (piece->encoding == BTRFS_ENCODING_NONE) {
                piece->stored_size = align_up(piece->size, BTRFS_SECTOR_SIZE);
                memset(piece->data + piece->size, 0, piece->stored_size - piece->size);
        }
        crc32c_blocks(piece->stored, piece->stored_size / BTRFS_SECTOR_SIZE, BTRFS_SECTOR_SIZE, piece->sums);
        return 0;
}

int btrfs_pool_new(Compression compression, int level, unsigned n_threads, WorkerPool **ret) {
        static const WorkerKind kind = {
                .job_size = sizeof(BtrfsPiece),
                .job_init = piece_init,
                .job_done = piece_done,
                .worker_new = worker_new,
                .worker_free = worker_free,
                .run = store,
        };

        return worker_pool_new(&kind, &(const Choice){ compression, level }, n_threads, ret);
}
