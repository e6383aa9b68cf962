/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "verity/block-hash.h"
#include "verity/verity-pass.h"
#include "verity/verity.h"

uint64_t verity_size(uint64_t data_size) {
        VerityLayout layout;

        if (data_size % VERITY_BLOCK_SIZE != 0 ||
            verity_layout_init(data_size / VERITY_BLOCK_SIZE, &layout) < 0)
                return 0;
        return layout.size;
}

int verity_look_for(int fd, uint64_t offset, uint64_t size, const char *what, Reason *reason) {
        struct stat status;

        if (offset > INT64_MAX || size > INT64_MAX - offset)
                return reason_set(reason, -EINVAL, "No file has %" PRIu64 " bytes at %" PRIu64, size, offset);
        if (fstat(fd, &status) < 0)
                return reason_set(reason, -errno, "Cannot look at %s: %m", what);
        /* Behind the end of a regular file all is holes; others say when they are read. */
        if (S_ISREG(status.st_mode) && (uint64_t)status.st_size < offset + size)
                return reason_set(reason, -ENODATA, "The file of %s ends at %" PRIu64 ", not at %" PRIu64,
                                  what, (uint64_t)status.st_size, offset + size);
        return 0;
}

int verity_data_layout(const VerityData *data, VerityLayout *ret, Reason *reason) {
        if (data->size % VERITY_BLOCK_SIZE != 0)
                return reason_set(reason, -EINVAL,
                                  "%" PRIu64
                                  " bytes of data are not a multiple of %d, the block size of dm-verity",
                                  data->size, VERITY_BLOCK_SIZE);
        int r = verity_look_for(data->fd, data->offset, data->size, "the data", reason);
        if (r < 0)
                return r;
        r = verity_layout_init(data->size / VERITY_BLOCK_SIZE, ret);
        return r < 0 ? reason_set(reason, r, "There is no data for dm-verity to protect") : 0;
}

static int write_superblock(const VerityLayout *layout, const VerityOptions *options,
                            const VerityPlace *place) {
        const VeritySuperblock superblock = {
                .uuid = options->uuid,
                .salt = options->salt,
                .n_data_blocks = layout->n_data_blocks,
        };
        uint8_t block[VERITY_BLOCK_SIZE];

        verity_superblock_encode(&superblock, block);
        return fd_pwrite_all(place->fd, block, sizeof(block), place->offset);
}

/* Each level is hashed as the data was, out of what has just been written. */
static int write_levels(const VerityData *data, const VerityLayout *layout, const VerityOptions *options,
                        const VerityPlace *place) {
        VerityPass pass = {
                .salt = &options->salt,
                .from = { .fd = data->fd, .offset = data->offset, .n_blocks = layout->n_data_blocks },
                .to_fd = place->fd,
                .n_threads = options->n_threads,
                .progress = options->progress,
        };

        for (size_t i = 0; i < layout->n_levels; i++) {
                pass.to_offset = place->offset + layout->levels[i].offset;
                const int r = verity_pass_run(&pass, NULL);
                if (r < 0)
                        return r;
                pass.from = (BlockRange){
                        .fd = place->fd,
                        .offset = pass.to_offset,
                        .n_blocks = layout->levels[i].n_blocks,
                };
                pass.progress = NULL;
        }
        return 0;
}

int verity_root_hash(const VerityData *data, const VerityLayout *layout, const VeritySalt *salt,
                     const VerityPlace *place, Sha256Digest *ret) {
        _cleanup_(block_hash_freep) BlockHash *hash = NULL;
        uint8_t block[VERITY_BLOCK_SIZE];

        int r = layout->n_levels > 0
                        ? fd_pread_all(place->fd, block, sizeof(block),
                                       place->offset + layout->levels[layout->n_levels - 1].offset)
                        : fd_pread_all(data->fd, block, sizeof(block), data->offset);
        if (r < 0)
                return r;
        r = block_hash_new(salt, &hash);
        return r < 0 ? r : block_hash_run(hash, block, 1, ret);
}

int verity_hash_file(const VerityData *data, const VerityOptions *options, const VerityPlace *place,
                     Sha256Digest *ret_root_hash, Reason *reason) {
        VerityLayout layout;
        Sha256Digest root_hash;

        assert(data && options && place && ret_root_hash);

        int r = verity_data_layout(data, &layout, reason);
        if (r < 0)
                return r;
        progress_expect(options->progress, PROGRESS_BYTES, data->size);
        r = write_levels(data, &layout, options, place);
        if (r >= 0)
                r = verity_root_hash(data, &layout, &options->salt, place, &root_hash);
        if (r >= 0)
                r = write_superblock(&layout, options, place);
        if (r < 0)
                return reason_set(reason, r, "Cannot compute the hash tree: %m");

        *ret_root_hash = root_hash;
        return 0;
}
