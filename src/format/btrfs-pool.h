/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pieces of files, compressed and summed up by several threads. */

#include "base/tree.h"
#include "base/worker-pool.h"
#include "format/btrfs-compress.h"
#include "format/btrfs-disk.h"

typedef struct BtrfsPiece {
        const TreeNode *node;
        uint64_t offset; /* in the file */
        size_t size;     /* at most BTRFS_PIECE_SIZE */
        bool is_whole;   /* the whole file, and no more than a sector: it can become inline */
        uint8_t *data;   /* of the whole piece size; what is behind the end of the file need not be set */

        /* What is to be stored. Unless it is inline, these are whole sectors, with their sums. */
        const uint8_t *stored;
        size_t stored_size;
        bool is_inline;
        uint8_t encoding;
        uint32_t sums[BTRFS_PIECE_SIZE / BTRFS_SECTOR_SIZE];

        uint8_t *compressed; /* the workers' */
} BtrfsPiece;

/* A pool whose jobs are BtrfsPieces. n_threads 0: one for each processor. Errors as of btrfs_compressor_new(). */
int btrfs_pool_new(Compression compression, int level, unsigned n_threads, WorkerPool **ret);
