/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sqfs/compressor.h>

#include "format/squashfs.h"

static int block_init(void *job) {
        SquashfsBlock *block = job;

        block->data = malloc(SQUASHFS_BLOCK_SIZE);
        block->packed = malloc(SQUASHFS_BLOCK_SIZE);
        return block->data && block->packed ? 0 : -ENOMEM;
}

static void block_done(void *job) {
        SquashfsBlock *block = job;

        free(block->data);
        free(block->packed);
}

static int worker_new(const void *userdata, void **ret) {
        *ret = sqfs_copy(userdata);
        return *ret ? 0 : -ENOMEM;
}

static void worker_free(void *worker) {
        sqfs_destroy(worker);
}

static int compress_block(void *worker, void *job) {
        sqfs_compressor_t *compressor = worker;
        SquashfsBlock *block = job;
        const sqfs_u32 size = (sqfs_u32)block->size;

        assert(size > 0 && size <= SQUASHFS_BLOCK_SIZE);

        const sqfs_s32 n = compressor->do_block(compressor, block->data, size, block->packed, size);
        block->packed_size = n > 0 ? (size_t)n : 0;
        return n < 0 ? squashfs_error(n) : 0;
}

int squashfs_pool_new(const struct sqfs_compressor_t *compressor, unsigned n_threads, WorkerPool **ret) {
        static const WorkerKind kind = {
                .job_size = sizeof(SquashfsBlock),
                .job_init = block_init,
                .job_done = block_done,
                .worker_new = worker_new,
                .worker_free = worker_free,
                .run = compress_block,
        };

        return worker_pool_new(&kind, compressor, n_threads, ret);
}
