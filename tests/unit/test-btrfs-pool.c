/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <zstd.h>

#include "btrfs-fixture.h"
#include "format/btrfs-pool.h"

#define N_PIECES 300

/* Sizes, and contents from what does not compress to what compresses well. */
static size_t fill(uint8_t *data, size_t i) {
        const size_t size = i % 3 == 0 ? i % 4096 + 1 : (i * 977) % BTRFS_PIECE_SIZE + 1;
        uint32_t number = (uint32_t)i;

        for (size_t k = 0; k < size; k++) {
                number = number * 1664525 + 1013904223;
                data[k] = (uint8_t)(number >> (24 + i % 8));
        }
        return size;
}

static void check_piece(const BtrfsPiece *piece, size_t i) {
        static uint8_t expected[BTRFS_PIECE_SIZE], found[BTRFS_PIECE_SIZE];
        const size_t size = fill(expected, i), whole = align_up(size, BTRFS_SECTOR_SIZE);
        uint32_t sums[BTRFS_PIECE_SIZE / BTRFS_SECTOR_SIZE];

        assert_int_equal(piece->offset, i);
        assert_int_equal(piece->size, size);
        if (piece->encoding == BTRFS_ENCODING_NONE)
                assert_memory_equal(piece->stored, expected, size);
        else {
                const size_t n = piece->is_inline
                                         ? piece->stored_size
                                         : ZSTD_findFrameCompressedSize(piece->stored, piece->stored_size);

                assert_int_equal(piece->encoding, BTRFS_ENCODING_ZSTD);
                assert_int_equal(ZSTD_decompress(found, sizeof(found), piece->stored, n), size);
                assert_memory_equal(found, expected, size);
        }
        if (piece->is_inline) {
                assert_true(piece->is_whole && piece->stored_size <= BTRFS_INLINE_SIZE_MAX);
                assert_true(piece->encoding == BTRFS_ENCODING_NONE ? piece->stored_size == size
                                                                   : piece->stored_size < size);
                return;
        }
        assert_int_equal(piece->stored_size % BTRFS_SECTOR_SIZE, 0);
        assert_true(piece->encoding == BTRFS_ENCODING_NONE ? piece->stored_size == whole
                                                           : piece->stored_size < whole);
        crc32c_blocks(piece->stored, piece->stored_size / BTRFS_SECTOR_SIZE, BTRFS_SECTOR_SIZE, sums);
        assert_memory_equal(piece->sums, sums, piece->stored_size / BTRFS_SECTOR_SIZE * sizeof(uint32_t));
        if (piece->encoding == BTRFS_ENCODING_NONE)
                for (size_t k = size; k < whole; k++)
                        assert_int_equal(piece->stored[k], 0);
}

static void run(unsigned n_threads) {
        _cleanup_(worker_pool_freep) WorkerPool *pool = NULL;
        void *job;
        size_t n_put = 0, n_taken = 0, n_inline = 0, n_plain = 0;

        assert_int_equal(btrfs_pool_new(COMPRESSION_ZSTD, 1, n_threads, &pool), 0);
        assert_int_equal(worker_pool_take(pool, true, &job), 0);
        while (n_taken < N_PIECES) {
                BtrfsPiece *empty = n_put < N_PIECES ? worker_pool_room(pool) : NULL;

                if (empty) {
                        memset(empty->data, 0xee, BTRFS_PIECE_SIZE);
                        empty->size = fill(empty->data, n_put);
                        empty->offset = n_put;
                        empty->is_whole = n_put % 3 == 0;
                        worker_pool_submit(pool);
                        n_put++;
                        continue;
                }
                assert_int_equal(worker_pool_take(pool, true, &job), 1);
                const BtrfsPiece *piece = job;
                check_piece(piece, n_taken++);
                n_inline += piece->is_inline;
                n_plain += piece->encoding == BTRFS_ENCODING_NONE;
                worker_pool_release(pool);
        }
        assert_int_equal(worker_pool_take(pool, true, &job), 0);
        assert_true(n_inline > 30 && n_plain > 30 && n_plain < N_PIECES - 30);
}

static void test_threads(void **state) {
        run(1);
        run(2);
        run(7);
        run(0);
}

/* Ends while much is under way. */
static void test_abandoned(void **state) {
        for (size_t i = 0; i < 20; i++) {
                _cleanup_(worker_pool_freep) WorkerPool *pool = NULL;
                BtrfsPiece *piece;

                assert_int_equal(btrfs_pool_new(COMPRESSION_ZLIB, 9, 3, &pool), 0);
                for (size_t k = 0; k < i && (piece = worker_pool_room(pool)); k++) {
                        piece->size = fill(piece->data, k + 1);
                        piece->is_whole = false;
                        worker_pool_submit(pool);
                }
        }
}

static void test_refused(void **state) {
        WorkerPool *pool = NULL;

        assert_int_equal(btrfs_pool_new(COMPRESSION_ZSTD, 99, 2, &pool), -EINVAL);
        assert_int_equal(btrfs_pool_new(COMPRESSION_XZ, 0, 2, &pool), -ENOTSUP);
        assert_null(pool);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_threads),
                cmocka_unit_test(test_abandoned),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
