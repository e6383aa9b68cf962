/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "verity/verity-check.h"
#include "verity/verity-pass.h"

int verity_superblock_read(const VerityArea *area, VeritySuperblock *ret, Reason *reason) {
        uint8_t block[VERITY_BLOCK_SIZE];
        VeritySuperblock superblock;
        VerityLayout layout;

        assert(area && ret);

        if (area->size < sizeof(block))
                return reason_set(reason, -EBADMSG,
                                  "%" PRIu64 " bytes are too few for a superblock of dm-verity", area->size);
        int r = verity_look_for(area->fd, area->offset, area->size, "the hash tree", reason);
        if (r < 0)
                return r;
        r = fd_pread_all(area->fd, block, sizeof(block), area->offset);
        if (r < 0)
                return reason_set(reason, r, "Cannot read the superblock of dm-verity: %m");
        r = verity_superblock_decode(block, &superblock, reason);
        if (r < 0)
                return r;
        r = verity_layout_init(superblock.n_data_blocks, &layout);
        if (r < 0)
                return r;
        if (layout.size > area->size)
                return reason_set(reason, -EBADMSG,
                                  "The hash tree of %" PRIu64 " data blocks has %" PRIu64
                                  " bytes, and there is room for %" PRIu64,
                                  superblock.n_data_blocks, layout.size, area->size);

        *ret = superblock;
        return 0;
}

/* Compares blocks with their digests, which are in that level: the blocks of the level below, or the data. */
static int check_level(const VerityCheck *check, const VeritySalt *salt, const VerityLayout *layout,
                       size_t digests_level, uint64_t *ret_block) {
        const bool data = digests_level == 0;
        const VerityPass pass = {
                .salt = salt,
                .from = {
                        .fd = data ? check->data.fd : check->area.fd,
                        .offset = data ? check->data.offset
                                       : check->area.offset + layout->levels[digests_level - 1].offset,
                        .n_blocks = data ? layout->n_data_blocks : layout->levels[digests_level - 1].n_blocks,
                },
                .to_fd = check->area.fd,
                .to_offset = check->area.offset + layout->levels[digests_level].offset,
                .compare = true,
                .n_threads = check->n_threads,
                .progress = data ? check->progress : NULL,
        };

        return verity_pass_run(&pass, ret_block);
}

/* What differs when the blocks of a level, or of the data, do not have their digests: one of them, or the room behind
 * the digests, which is in the last block of the level above. */
static VerityFault fault_of(const VerityLayout *layout, size_t digests_level, uint64_t block) {
        const bool data = digests_level == 0;
        const uint64_t n_blocks = data ? layout->n_data_blocks : layout->levels[digests_level - 1].n_blocks;

        if (block == n_blocks)
                return (VerityFault){
                        .kind = VERITY_FAULT_TREE,
                        .level = digests_level,
                        .block = layout->levels[digests_level].n_blocks - 1,
                };
        if (data)
                return (VerityFault){ .kind = VERITY_FAULT_DATA, .block = block };
        return (VerityFault){ .kind = VERITY_FAULT_TREE, .level = digests_level - 1, .block = block };
}

static int check_tree(const VerityCheck *check, const VeritySalt *salt, const VerityLayout *layout,
                      VerityFault *ret) {
        const VerityPlace place = { .fd = check->area.fd, .offset = check->area.offset };
        Sha256Digest root_hash;
        uint64_t block;

        int r = verity_root_hash(&check->data, layout, salt, &place, &root_hash);
        if (r < 0)
                return r;
        if (memcmp(&root_hash, &check->root_hash, sizeof(root_hash)) != 0) {
                *ret = layout->n_levels == 0 ? (VerityFault){ .kind = VERITY_FAULT_DATA }
                                             : (VerityFault){
                                                       .kind = VERITY_FAULT_TREE,
                                                       .level = layout->n_levels - 1,
                                               };
                return 1;
        }
        for (size_t level = layout->n_levels; level-- > 0;) {
                r = check_level(check, salt, layout, level, &block);
                if (r > 0)
                        *ret = fault_of(layout, level, block);
                if (r != 0)
                        return r;
        }
        *ret = (VerityFault){};
        return 0;
}

int verity_check(const VerityCheck *check, VerityFault *ret, Reason *reason) {
        VeritySuperblock superblock;
        VerityLayout layout;

        assert(check && ret);

        int r = verity_superblock_read(&check->area, &superblock, reason);
        if (r < 0)
                return r;
        VerityData data = check->data;
        data.size = superblock.n_data_blocks * VERITY_BLOCK_SIZE;
        if (data.size > check->data.size)
                return reason_set(reason, -EBADMSG,
                                  "The hash tree is for %" PRIu64 " bytes of data, and there are %" PRIu64,
                                  data.size, check->data.size);
        r = verity_data_layout(&data, &layout, reason);
        if (r < 0)
                return r;

        progress_expect(check->progress, PROGRESS_BYTES, data.size);
        r = check_tree(check, &superblock.salt, &layout, ret);
        return r < 0 ? reason_set(reason, r, "Cannot check the hash tree: %m") : r;
}

int verity_fault_format(const VerityFault *fault, char **ret) {
        switch (fault->kind) {
        case VERITY_FAULT_DATA:
                return text_format(ret, "data block %" PRIu64 " (bytes %" PRIu64 " to %" PRIu64 ")",
                                   fault->block, fault->block * VERITY_BLOCK_SIZE,
                                   fault->block * VERITY_BLOCK_SIZE + VERITY_BLOCK_SIZE - 1);
        case VERITY_FAULT_TREE:
                return text_format(ret, "block %" PRIu64 " of level %zu of the hash tree", fault->block,
                                   fault->level);
        case VERITY_FAULT_NONE:
        default:
                return text_format(ret, "nothing");
        }
}
