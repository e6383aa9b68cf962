/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The device from its start to its end, as chunks of one use each (logical and physical addresses are the same), and what
 * is taken in them. Nothing is ever given back, and the last chunk is the only one that can still be taken from. */

#include "format/btrfs-disk.h"

/* The first chunk is here, and every chunk starts at a multiple of it. */
#define BTRFS_CHUNK_GRAIN MIB
/* As the kernel makes them: balancing moves a chunk as a whole. */
#define BTRFS_CHUNK_SIZE_MAX GIB

typedef struct BtrfsRun {
        uint64_t start, size;
} BtrfsRun;

typedef struct BtrfsChunk {
        uint64_t type; /* BTRFS_BLOCK_GROUP_DATA … */
        uint64_t start, size, used;
        uint64_t position;        /* where the next run may start */
        size_t first_run, n_runs; /* what is taken; runs that touch are one */
} BtrfsChunk;

typedef struct BtrfsSpace {
        BtrfsChunk *chunks;
        size_t n_chunks;
        BtrfsRun *runs; /* of all chunks, ascending */
        size_t n_runs;
} BtrfsSpace;

void btrfs_space_done(BtrfsSpace *space);
int btrfs_space_copy(const BtrfsSpace *space, BtrfsSpace *ret);

/* Opens a chunk of its own behind all that is there, whatever the last one is. */
int btrfs_space_open(BtrfsSpace *space, uint64_t type);

/* Takes between size_min and size_max bytes in one piece, keeping clear of the copies of the super block; opens a chunk
 * where the last one is of another type or has no such room. Both are multiples of the sector size. */
int btrfs_space_take(BtrfsSpace *space, uint64_t type, uint64_t size_min, uint64_t size_max,
                     uint64_t *ret_start, uint64_t *ret_size);

/* Cuts the last chunk to what is taken and so much more. */
void btrfs_space_close(BtrfsSpace *space, uint64_t slack);

/* The first address behind all chunks. */
uint64_t btrfs_space_end(const BtrfsSpace *space);

/* The sum of what is taken, and of what the chunks span. */
uint64_t btrfs_space_used(const BtrfsSpace *space);
uint64_t btrfs_space_allocated(const BtrfsSpace *space);
