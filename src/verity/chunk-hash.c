/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "verity/block-hash.h"
#include "verity/chunk-hash.h"

/* What is read at once stays in the processor's cache until it is hashed. */
#define PIECE_BLOCKS 32

/* What is known of a file: up to data it has a hole, from there to hole data. */
typedef struct Extent {
        int fd;
        uint64_t begin, data, hole; /* nothing is known at first: they are equal */
} Extent;

struct ChunkHash {
        BlockHash *blocks;
        Extent extent;     /* the last that was asked for */
        Sha256Digest zero; /* the digest of a block of zeros */
        uint8_t piece[PIECE_BLOCKS * VERITY_BLOCK_SIZE];
};

void chunk_hash_free(ChunkHash *hash) {
        if (!hash)
                return;
        block_hash_free(hash->blocks);
        free(hash);
}

int chunk_hash_new(const VeritySalt *salt, ChunkHash **ret) {
        _cleanup_(chunk_hash_freep) ChunkHash *hash = calloc(1, sizeof(ChunkHash));

        assert(ret);

        if (!hash)
                return -ENOMEM;
        int r = block_hash_new(salt, &hash->blocks);
        if (r < 0)
                return r;
        r = block_hash_run(hash->blocks, hash->piece, 1, &hash->zero);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(hash);
        return 0;
}

static int hash_data(ChunkHash *hash, int fd, uint64_t offset, size_t n_blocks, Sha256Digest *ret) {
        for (size_t done = 0, n; done < n_blocks; done += n) {
                n = MIN(n_blocks - done, (size_t)PIECE_BLOCKS);

                int r = fd_pread_all(fd, hash->piece, n * VERITY_BLOCK_SIZE,
                                     offset + done * VERITY_BLOCK_SIZE);
                if (r >= 0)
                        r = block_hash_run(hash->blocks, hash->piece, n, ret + done);
                if (r >= 0)
                        r = interrupt_check();
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Devices may answer anything when they are asked for holes, and files be changed meanwhile. */
static int ask_for_extent(const BlockRange *range, uint64_t position, Extent *ret) {
        const uint64_t end = range->offset + range->n_blocks * VERITY_BLOCK_SIZE;
        uint64_t data, hole;

        const int r = fd_find_data(range->fd, position, end, &data, &hole);
        if (r < 0)
                return r;
        const bool sane = data >= position && (data == end || hole > data);
        *ret = (Extent){ range->fd, position, sane ? data : position, sane && data < end ? hole : end };
        return 0;
}

/* Extents are asked for as a whole, and not anew for each chunk: in memory (tmpfs) the end of one is searched for page by
 * page. */
static int find_data(ChunkHash *hash, const BlockRange *range, uint64_t position, uint64_t end,
                     uint64_t *ret_data, uint64_t *ret_hole) {
        Extent *extent = &hash->extent;

        if (extent->fd != range->fd || position < extent->begin || position >= extent->hole) {
                const int r = ask_for_extent(range, position, extent);
                if (r < 0)
                        return r;
        }
        *ret_data = MIN(MAX(extent->data, position), end);
        *ret_hole = MIN(extent->hole, end);
        return 0;
}

int chunk_hash_run(ChunkHash *hash, const BlockRange *range, uint64_t chunk,
                   Sha256Digest ret[static VERITY_DIGESTS_PER_BLOCK]) {
        const uint64_t first = chunk * VERITY_DIGESTS_PER_BLOCK, begin = range->offset + chunk * CHUNK_SIZE;

        assert(first < range->n_blocks);

        const size_t n_blocks = (size_t)MIN(range->n_blocks - first, (uint64_t)VERITY_DIGESTS_PER_BLOCK);
        const uint64_t end = begin + n_blocks * VERITY_BLOCK_SIZE;

        for (size_t i = 0; i < n_blocks;) {
                uint64_t data, hole;

                int r = find_data(hash, range, begin + i * VERITY_BLOCK_SIZE, end, &data, &hole);
                if (r < 0)
                        return r;
                /* A block of which a part is a hole is data. */
                const size_t data_block = (size_t)((data - begin) / VERITY_BLOCK_SIZE);
                const size_t hole_block = (size_t)divide_round_up(hole - begin, VERITY_BLOCK_SIZE);
                for (; i < data_block; i++)
                        ret[i] = hash->zero;
                r = hash_data(hash, range->fd, begin + i * VERITY_BLOCK_SIZE, hole_block - i, ret + i);
                if (r < 0)
                        return r;
                i = hole_block;
        }

        memset(ret + n_blocks, 0, (VERITY_DIGESTS_PER_BLOCK - n_blocks) * sizeof(Sha256Digest));
        return interrupt_check();
}
