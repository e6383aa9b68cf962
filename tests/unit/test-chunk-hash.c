/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/syscall.h>
#include <unistd.h>

#include "verity-fixture.h"
#include "verity/chunk-hash.h"

enum { N_BLOCKS = 300, CHUNK_BLOCKS = VERITY_DIGESTS_PER_BLOCK };

static unsigned n_seeks;

/* What the program calls instead of that of the C library. */
off_t lseek(int fd, off_t offset, int whence) {
        n_seeks++;
        return syscall(SYS_lseek, fd, offset, whence);
}

static void check_chunks(const BlockRange *range, const uint8_t *bytes) {
        _cleanup_(chunk_hash_freep) ChunkHash *hash = NULL;
        Sha256Digest digests[CHUNK_BLOCKS];

        assert_int_equal(chunk_hash_new(&test_salt, &hash), 0);
        for (uint64_t chunk = 0; chunk * CHUNK_BLOCKS < range->n_blocks; chunk++) {
                memset(digests, 0xee, sizeof(digests));
                assert_int_equal(chunk_hash_run(hash, range, chunk, digests), 0);
                for (size_t i = 0; i < CHUNK_BLOCKS; i++) {
                        const uint64_t block = chunk * CHUNK_BLOCKS + i;
                        Sha256Digest expected = {};

                        if (block < range->n_blocks)
                                expected = simple_digest(&test_salt, bytes + block * VERITY_BLOCK_SIZE);
                        assert_digest_equal(&digests[i], &expected);
                }
        }
}

/* Whole chunks and the beginning of one; at offsets that are those of no block too. */
static void test_data(void **state) {
        static const uint64_t offsets[] = { 0, 1, 512, VERITY_BLOCK_SIZE, 1000001 };
        const size_t size = N_BLOCKS * VERITY_BLOCK_SIZE;
        _cleanup_(freep) uint8_t *bytes = make_bytes(size);

        for (size_t i = 0; i < ELEMENTSOF(offsets); i++) {
                _cleanup_(fd_closep) int fd = data_file(bytes, size, offsets[i]);
                const uint64_t n_blocks = i == 0 ? N_BLOCKS : i * CHUNK_BLOCKS / 2;

                check_chunks(&(BlockRange){ .fd = fd, .offset = offsets[i], .n_blocks = n_blocks }, bytes);
        }
}

/* Holes of one block and of many, at both ends of a chunk and over it, and beside data that begins or ends within a block. */
static void test_holes(void **state) {
        static const struct {
                size_t offset, size;
        } pieces[] = {
                { 0, 1 },
                { 3 * 4096, 4096 },
                { 5 * 4096 + 4095, 2 },
                { 40 * 4096, 9 * 4096 },
                { 127 * 4096, 4096 },
                { 129 * 4096, 1 },
                { 290 * 4096 - 1, 4097 },
        };
        static const uint64_t offsets[] = { 0, 512, 8192 };
        const size_t size = N_BLOCKS * VERITY_BLOCK_SIZE;
        _cleanup_(freep) uint8_t *full = make_bytes(size);

        for (size_t i = 0; i < ELEMENTSOF(offsets); i++) {
                _cleanup_(fd_closep) int fd = memory_file();
                _cleanup_(freep) uint8_t *bytes = calloc(1, size);

                assert_non_null(bytes);
                assert_int_equal(ftruncate(fd, (off_t)(offsets[i] + size)), 0);
                for (size_t j = 0; j < ELEMENTSOF(pieces); j++) {
                        memcpy(bytes + pieces[j].offset, full + pieces[j].offset, pieces[j].size);
                        assert_int_equal(fd_pwrite_all(fd, bytes + pieces[j].offset, pieces[j].size,
                                                       offsets[i] + pieces[j].offset),
                                         0);
                }
                check_chunks(&(BlockRange){ .fd = fd, .offset = offsets[i], .n_blocks = N_BLOCKS }, bytes);
        }
}

/* To find the end of data takes time, so that nobody asks for it again. */
static void test_seeks(void **state) {
        const size_t size = 4 * (size_t)CHUNK_SIZE;
        _cleanup_(freep) uint8_t *bytes = make_bytes(size);
        _cleanup_(fd_closep) int full_fd = data_file(bytes, size, 0), empty_fd = memory_file();
        _cleanup_(freep) uint8_t *zeros = calloc(1, size);

        n_seeks = 0;
        check_chunks(&(BlockRange){ .fd = full_fd, .n_blocks = 4 * CHUNK_BLOCKS }, bytes);
        assert_int_equal(n_seeks, 2);
        assert_non_null(zeros);
        assert_int_equal(ftruncate(empty_fd, (off_t)size), 0);
        n_seeks = 0;
        check_chunks(&(BlockRange){ .fd = empty_fd, .n_blocks = 4 * CHUNK_BLOCKS }, zeros);
        assert_int_equal(n_seeks, 1);
}

/* What is no regular file ends where it is read. */
static void test_errors(void **state) {
        _cleanup_(chunk_hash_freep) ChunkHash *hash = NULL;
        _cleanup_(fd_closep) int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        _cleanup_(fd_closep) int closed = -EBADF;
        Sha256Digest digests[CHUNK_BLOCKS];

        assert_int_equal(chunk_hash_new(&test_salt, &hash), 0);
        assert_int_equal(chunk_hash_run(hash, &(BlockRange){ .fd = null_fd, .n_blocks = 1 }, 0, digests),
                         -ENODATA);
        assert_int_equal(chunk_hash_run(hash, &(BlockRange){ .fd = closed, .n_blocks = 1 }, 0, digests),
                         -EBADF);
        chunk_hash_free(NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_data),
                cmocka_unit_test(test_holes),
                cmocka_unit_test(test_seeks),
                cmocka_unit_test(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
