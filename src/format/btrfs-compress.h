/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The forms in which btrfs stores compressed data: a zlib stream (RFC 1950), a Zstandard frame (RFC 8878) that needs no
 * larger window than a piece, or sectors in LZO1X. */

#include "format/filesystem.h"

/* Larger pieces than this are never compressed as one. */
#define BTRFS_PIECE_SIZE (128 * KIB)

typedef struct BtrfsCompressor BtrfsCompressor;

/* Whether there is such a compression and level; if not, the reason says what there is. */
int btrfs_check_compression(Compression compression, int level, Reason *reason);

/* For use by one thread. Level 0 is btrfs' default; -EINVAL when btrfs does not know the level, -ENOTSUP when it does not
 * know the compression. */
int btrfs_compressor_new(Compression compression, int level, BtrfsCompressor **ret);
void btrfs_compressor_free(BtrfsCompressor *compressor);
DEFINE_CLEANUP(BtrfsCompressor, btrfs_compressor_free)

/* What extents have as their encoding then. */
uint8_t btrfs_compressor_encoding(const BtrfsCompressor *compressor);

/* Compresses a piece: 1 when it fits into the room, 0 when it does not. */
int btrfs_compress(BtrfsCompressor *compressor, const void *from, size_t size, void *to, size_t room,
                   size_t *ret_size);
