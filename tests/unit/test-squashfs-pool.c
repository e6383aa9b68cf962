/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqfs/error.h>

#include "squashfs-fixture.h"

/* Blocks of different sizes take different times; each is told by its first bytes. */
static void submit(WorkerPool *pool, uint64_t number) {
        SquashfsBlock *block = worker_pool_room(pool);

        assert_non_null(block);
        block->size = 8 + (number * 7919) % (SQUASHFS_BLOCK_SIZE - 8);
        block->index = number;
        memset(block->data, (int)(number % 251), block->size);
        memcpy(block->data, &number, sizeof(number));
        worker_pool_submit(pool);
}

static void take(WorkerPool *pool, uint64_t number) {
        void *job;

        assert_int_equal(worker_pool_take(pool, true, &job), 1);
        const SquashfsBlock *block = job;
        assert_int_equal(block->index, number);
        assert_memory_equal(block->data, &number, sizeof(number));
        assert_true(block->packed_size < block->size);
        if (block->size > 100)
                assert_true(block->packed_size > 0);
        worker_pool_release(pool);
}

static WorkerPool *make_pool(Compression compression, unsigned n_threads) {
        _cleanup_(squashfs_compressor_freep) struct sqfs_compressor_t *compressor = NULL;
        WorkerPool *pool = NULL;

        assert_int_equal(squashfs_compressor_new(compression, 1, &compressor, NULL), 0);
        assert_int_equal(squashfs_pool_new(compressor, n_threads, &pool), 0);
        return pool; /* which has copies */
}

static void test_order(void **state) {
        for (unsigned n_threads = 0; n_threads <= 5; n_threads++) {
                _cleanup_(worker_pool_freep) WorkerPool *pool = make_pool(COMPRESSION_ZSTD, n_threads);
                uint64_t n_submitted = 0, n_taken = 0;
                void *job;

                for (; n_submitted < 400; submit(pool, n_submitted++)) {
                        if (!worker_pool_room(pool))
                                take(pool, n_taken++);
                }
                assert_true(n_taken > 0);
                while (n_taken < n_submitted)
                        take(pool, n_taken++);
                assert_int_equal(worker_pool_take(pool, true, &job), 0);
        }
}

static void test_free_at_work(void **state) {
        for (unsigned n_threads = 1; n_threads <= 4; n_threads++) {
                _cleanup_(worker_pool_freep) WorkerPool *pool = make_pool(COMPRESSION_ZLIB, n_threads);

                for (uint64_t i = 0; worker_pool_room(pool); i++)
                        submit(pool, i);
        }
}

/* What does not become smaller is said to be stored as it is. */
static void test_noise(void **state) {
        _cleanup_(worker_pool_freep) WorkerPool *pool = make_pool(COMPRESSION_LZ4, 1);
        _cleanup_(freep) uint8_t *noise = make_noise(SQUASHFS_BLOCK_SIZE, 3);
        SquashfsBlock *block = worker_pool_room(pool);

        memcpy(block->data, noise, SQUASHFS_BLOCK_SIZE);
        block->size = SQUASHFS_BLOCK_SIZE;
        worker_pool_submit(pool);
        void *job;
        assert_int_equal(worker_pool_take(pool, true, &job), 1);
        assert_ptr_equal(job, block);
        assert_int_equal(block->packed_size, 0);
        worker_pool_release(pool);
}

static sqfs_s32 fail_block(sqfs_compressor_t *compressor, const sqfs_u8 *in, sqfs_u32 size, sqfs_u8 *out,
                           sqfs_u32 out_size) {
        return SQFS_ERROR_COMPRESSOR;
}

static void keep(sqfs_object_t *object) {
}

static sqfs_object_t *share(const sqfs_object_t *object) {
        return (sqfs_object_t *)object;
}

static void test_error(void **state) {
        sqfs_compressor_t failing = { .base = { .destroy = keep, .copy = share }, .do_block = fail_block };
        _cleanup_(worker_pool_freep) WorkerPool *pool = NULL;
        void *job = NULL;

        assert_int_equal(squashfs_pool_new(&failing, 2, &pool), 0);
        submit(pool, 5);
        assert_int_equal(worker_pool_take(pool, true, &job), -EIO);
        assert_null(job);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_free_at_work),
                cmocka_unit_test(test_noise),
                cmocka_unit_test(test_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
