/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA-256 of many blocks of 4096 bytes, each behind the same salt: what dm-verity is made of. */

#include "verity/verity-superblock.h"

typedef struct BlockHash BlockHash;

/* A BlockHash is used by one thread at a time. */
int block_hash_new(const VeritySalt *salt, BlockHash **ret);
void block_hash_free(BlockHash *hash);
DEFINE_CLEANUP(BlockHash, block_hash_free)

/* Writes the digest of each of n_blocks neighbouring blocks. */
int block_hash_run(BlockHash *hash, const uint8_t *blocks, size_t n_blocks, Sha256Digest *ret);

/* The same on any processor, slower where it has instructions for SHA-256: for the test of it, which cannot choose
 * the processor. */
int block_hash_run_portable(BlockHash *hash, const uint8_t *blocks, size_t n_blocks, Sha256Digest *ret);
