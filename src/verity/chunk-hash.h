/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The digests of a chunk: of as many blocks as one block of the hash tree has digests. Chunks do not depend on each
 * other, so that each thread takes its own. */

#include "verity/verity-superblock.h"

#define CHUNK_SIZE ((uint64_t)VERITY_DIGESTS_PER_BLOCK * VERITY_BLOCK_SIZE)

/* Blocks in a file. */
typedef struct BlockRange {
        int fd;          /* not owned; its position is moved if it is that of a regular file */
        uint64_t offset; /* in bytes; any */
        uint64_t n_blocks;
} BlockRange;

typedef struct ChunkHash ChunkHash;

/* A ChunkHash is used by one thread at a time, while nobody changes the files whose blocks it hashes: it remembers where they have
 * holes. */
int chunk_hash_new(const VeritySalt *salt, ChunkHash **ret);
void chunk_hash_free(ChunkHash *hash);
DEFINE_CLEANUP(ChunkHash, chunk_hash_free)

/* Reads the blocks of the chunk with that number, of which the last may have fewer than the others, and writes a hash
 * block, with zeros where there are no digests. What is a hole of the file is not read. -ENODATA when the file ends
 * within the chunk, if it is not a regular one; -EINTR after interrupt_check(). */
int chunk_hash_run(ChunkHash *hash, const BlockRange *range, uint64_t chunk,
                   Sha256Digest ret[static VERITY_DIGESTS_PER_BLOCK]);
