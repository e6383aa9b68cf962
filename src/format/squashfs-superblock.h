/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The superblock of a squashfs that somebody made, read as strictly as the kernel does ("Squashfs Binary Format" 4.0,
 * "Superblock"): it has no check sum, so sizes and places are what there is to check. */

#include "base/macro.h"
#include "base/reason.h"

#define SQUASHFS_SUPERBLOCK_SIZE 96

typedef struct SquashfsSuperblock {
        const char *compressor; /* "zstd" */
        uint32_t block_size;    /* bytes */
        uint32_t n_inodes;
        uint64_t size; /* of all of it, in bytes; what is behind it is padding */
} SquashfsSuperblock;

/* Reads it at the offset of the file, where there is room for so many bytes. -EBADMSG with a reason when it is none, or not
 * in order, or there is more of it than room. */
int squashfs_superblock_read(int fd, uint64_t offset, uint64_t room, SquashfsSuperblock *ret, Reason *reason);
