/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where a dm-verity hash tree has what: format 1 with SHA-256 and blocks of 4096 bytes for data and hashes, as the
 * kernel's documentation describes it (admin-guide/device-mapper/verity) and veritysetup(8) writes it by default. The
 * first block of the hash area is the superblock's; behind it come the levels of the tree, the top one first. A hash
 * block holds the digests of 128 blocks of the level below; unused room is zero. */

#include "base/hash.h"
#include "base/macro.h"

#define VERITY_BLOCK_SIZE        4096
#define VERITY_DIGESTS_PER_BLOCK (VERITY_BLOCK_SIZE / SHA256_SIZE)

/* Each level is 128 times smaller than the one below it, and the lowest has less than 2^(63 - 12 - 7 + 1) blocks. */
#define VERITY_LEVELS_MAX 8

typedef struct VerityLevel {
        uint64_t offset; /* in bytes from the start of the hash area */
        uint64_t n_blocks;
} VerityLevel;

typedef struct VerityLayout {
        uint64_t n_data_blocks;
        VerityLevel levels
                [VERITY_LEVELS_MAX]; /* the first one has the digests of the data, the last one is one block */
        size_t n_levels;             /* 0: there is one data block, whose digest is the root hash */
        uint64_t size;               /* of the hash area, in bytes */
} VerityLayout;

/* -EINVAL when there are no data blocks, -EFBIG when no file could hold them. */
int verity_layout_init(uint64_t n_data_blocks, VerityLayout *ret);
