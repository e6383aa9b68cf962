/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Data and salts for the tests of hash trees, and a tree computed the simple way: in memory, block by block, with
 * nothing but sha256(). */

#include <string.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "base/hash.h"
#include "verity/verity-superblock.h"

static const VeritySalt test_salt = { .bytes = "A salt of thirty-two bytes, says", .size = 32 };

static inline int memory_file(void) {
        const int fd = memfd_create("verity", MFD_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

/* Bytes that differ from block to block. */
static inline uint8_t *make_bytes(size_t size) {
        uint8_t *bytes = malloc(MAX(size, (size_t)1));
        uint32_t state = 1;

        assert_non_null(bytes);
        for (size_t i = 0; i < size; i++) {
                state = state * 1664525 + 1013904223;
                bytes[i] = (uint8_t)(state >> 24);
        }
        return bytes;
}

static inline int data_file(const uint8_t *bytes, size_t size, uint64_t offset) {
        const int fd = memory_file();

        assert_int_equal(fd_pwrite_all(fd, bytes, size, offset), 0);
        return fd;
}

static inline Sha256Digest simple_digest(const VeritySalt *salt, const uint8_t *block) {
        uint8_t bytes[VERITY_SALT_SIZE_MAX + VERITY_BLOCK_SIZE];
        Sha256Digest digest;

        memcpy(bytes, salt->bytes, salt->size);
        memcpy(bytes + salt->size, block, VERITY_BLOCK_SIZE);
        assert_int_equal(sha256(bytes, salt->size + VERITY_BLOCK_SIZE, &digest), 0);
        return digest;
}

/* The levels as they lie in the hash area, the top one first, and their size; NULL when there are none. */
static inline uint8_t *simple_tree(const VeritySalt *salt, const uint8_t *data, size_t n_blocks,
                                   size_t *ret_size, Sha256Digest *ret_root_hash) {
        uint8_t *tree = NULL;
        size_t size = 0;

        for (const uint8_t *from = data; n_blocks > 1; from = tree) {
                const size_t level_size =
                        divide_round_up(n_blocks, VERITY_DIGESTS_PER_BLOCK) * VERITY_BLOCK_SIZE;
                uint8_t *grown = calloc(1, level_size + size);

                assert_non_null(grown);
                for (size_t i = 0; i < n_blocks; i++) {
                        const Sha256Digest digest = simple_digest(salt, from + i * VERITY_BLOCK_SIZE);

                        memcpy(grown + i * SHA256_SIZE, &digest, SHA256_SIZE);
                }
                if (size > 0)
                        memcpy(grown + level_size, tree, size);
                free(tree);
                tree = grown;
                size += level_size;
                n_blocks = level_size / VERITY_BLOCK_SIZE;
        }
        *ret_root_hash = simple_digest(salt, tree ? tree : data);
        *ret_size = size;
        return tree;
}

static inline void assert_digest_equal(const Sha256Digest *a, const Sha256Digest *b) {
        assert_memory_equal(a->bytes, b->bytes, SHA256_SIZE);
}
