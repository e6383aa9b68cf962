/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "verity-fixture.h"
#include "verity/verity-pass.h"

enum { N_BLOCKS = 1000, N_CHUNKS = 8 };

static const size_t size = (size_t)N_BLOCKS * VERITY_BLOCK_SIZE;

/* Any number of threads writes the same, and finds the same to be there. */
static void test_writes_and_compares(void **state) {
        static const unsigned n_threads[] = { 1, 2, 3, 7, 64, 0 };
        _cleanup_(freep) uint8_t *bytes = make_bytes(size);
        _cleanup_(fd_closep) int fd = data_file(bytes, size, 100);
        uint8_t expected[N_CHUNKS * VERITY_BLOCK_SIZE] = {}, found[sizeof(expected) + 1];

        for (size_t i = 0; i < N_BLOCKS; i++) {
                const Sha256Digest digest = simple_digest(&test_salt, bytes + i * VERITY_BLOCK_SIZE);

                memcpy(expected + i * SHA256_SIZE, &digest, SHA256_SIZE);
        }
        for (size_t i = 0; i < ELEMENTSOF(n_threads); i++) {
                _cleanup_(fd_closep) int to_fd = memory_file();
                VerityPass pass = {
                        .salt = &test_salt,
                        .from = { .fd = fd, .offset = 100, .n_blocks = N_BLOCKS },
                        .to_fd = to_fd,
                        .to_offset = 512,
                        .n_threads = n_threads[i],
                };
                uint64_t block;

                assert_int_equal(verity_pass_run(&pass, NULL), 0);
                assert_int_equal(lseek(to_fd, 0, SEEK_END), 512 + sizeof(expected));
                assert_int_equal(fd_pread_all(to_fd, found, sizeof(expected), 512), 0);
                assert_memory_equal(found, expected, sizeof(expected));

                pass.compare = true;
                assert_int_equal(verity_pass_run(&pass, &block), 0);
        }
}

/* However many differ, and whoever finds them: the first one is named. */
static void test_first_difference(void **state) {
        static const size_t blocks[] = { 999, 998, 500, 129, 128, 127, 1, 0 };
        _cleanup_(freep) uint8_t *bytes = make_bytes(size);
        _cleanup_(fd_closep) int fd = data_file(bytes, size, 0), to_fd = memory_file();
        VerityPass pass = {
                .salt = &test_salt,
                .from = { .fd = fd, .n_blocks = N_BLOCKS },
                .to_fd = to_fd,
        };
        uint64_t block;

        assert_int_equal(verity_pass_run(&pass, NULL), 0);
        pass.compare = true;
        assert_int_equal(fd_pwrite_all(to_fd, "x", 1, N_BLOCKS * SHA256_SIZE + 5), 0);
        assert_int_equal(verity_pass_run(&pass, &block), 1);
        assert_int_equal(block, N_BLOCKS);
        for (size_t i = 0; i < ELEMENTSOF(blocks); i++)
                for (pass.n_threads = 1; pass.n_threads <= 5; pass.n_threads++) {
                        const uint8_t byte = bytes[blocks[i] * VERITY_BLOCK_SIZE + 77] ^ 1;

                        assert_int_equal(fd_pwrite_all(fd, &byte, 1, blocks[i] * VERITY_BLOCK_SIZE + 77), 0);
                        assert_int_equal(verity_pass_run(&pass, &block), 1);
                        assert_int_equal(block, blocks[i]);
                }
}

static void test_errors(void **state) {
        _cleanup_(freep) uint8_t *bytes = make_bytes(size);
        _cleanup_(fd_closep) int fd = data_file(bytes, size, 0), to_fd = memory_file();
        _cleanup_(fd_closep) int full_fd = open("/dev/full", O_RDWR | O_CLOEXEC);
        _cleanup_(fd_closep) int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        VerityPass pass = {
                .salt = &test_salt,
                .from = { .fd = fd, .n_blocks = N_BLOCKS },
                .n_threads = 3,
        };
        uint64_t block;

        pass.to_fd = full_fd;
        assert_int_equal(verity_pass_run(&pass, NULL), -ENOSPC);
        /* Digests that end early. */
        pass.to_fd = to_fd;
        assert_int_equal(verity_pass_run(&pass, NULL), 0);
        assert_int_equal(ftruncate(to_fd, 2 * VERITY_BLOCK_SIZE + 1), 0);
        pass.compare = true;
        assert_int_equal(verity_pass_run(&pass, &block), -ENODATA);
        pass.from = (BlockRange){ .fd = null_fd, .n_blocks = N_BLOCKS };
        assert_int_equal(verity_pass_run(&pass, &block), -ENODATA);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_writes_and_compares),
                cmocka_unit_test(test_first_difference),
                cmocka_unit_test(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
