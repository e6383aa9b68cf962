/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The superblock of a dm-verity hash area, as veritysetup(8) writes and reads it; the kernel does not look at it.
 * What it says is not covered by the root hash: a wrong salt or number of blocks only makes all else not fit. */

#include "base/reason.h"
#include "base/uuid.h"
#include "verity/verity-layout.h"

#define VERITY_SALT_SIZE_MAX 256

typedef struct VeritySalt {
        uint8_t bytes[VERITY_SALT_SIZE_MAX];
        size_t size; /* veritysetup(8) takes 32 bytes; 0 is none */
} VeritySalt;

typedef struct VeritySuperblock {
        Uuid uuid; /* of the tree; the root hash does not depend on it */
        VeritySalt salt;
        uint64_t n_data_blocks;
} VeritySuperblock;

/* Fills the first block of a hash area. */
void verity_superblock_encode(const VeritySuperblock *superblock, uint8_t ret[static VERITY_BLOCK_SIZE]);

/* Takes exactly what verity_superblock_encode() makes; whatever the bytes are. Anything else is -EBADMSG with a
 * reason: also bytes that are not zero where nothing is. */
int verity_superblock_decode(const uint8_t block[static VERITY_BLOCK_SIZE], VeritySuperblock *ret,
                             Reason *reason);
