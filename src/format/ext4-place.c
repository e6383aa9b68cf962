/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ext2fs/ext2fs.h>

#include "format/ext4.h"

/* The free blocks of a volume, taken from its start to its end. */
typedef struct Space {
        ext2_filsys volume;
        uint64_t position, end; /* the run of free blocks that is being taken */
} Space;

/* Takes up to n_wanted blocks in one piece. -ENOSPC when there are none left. */
static int space_take(Space *space, uint64_t n_wanted, uint64_t *ret_start, uint64_t *ret_n) {
        ext2_filsys volume = space->volume;
        const uint64_t last = ext2fs_blocks_count(volume->super) - 1;

        if (space->position == space->end) {
                blk64_t start, end;

                if (space->end > last ||
                    ext2fs_find_first_zero_block_bitmap2(volume->block_map, space->end, last, &start) != 0)
                        return -ENOSPC;
                if (ext2fs_find_first_set_block_bitmap2(volume->block_map, start, last, &end) != 0)
                        end = last + 1;
                space->position = start;
                space->end = end;
        }

        *ret_start = space->position;
        *ret_n = MIN(n_wanted, space->end - space->position);
        space->position += *ret_n;
        return 0;
}

static int place_index(Ext4Inode *inode, Space *space) {
        const size_t n = ext4_extents_index_blocks(inode->placed.n_items);
        uint64_t n_taken;

        free(inode->index_blocks);
        inode->index_blocks = NULL;
        inode->n_index_blocks = 0;
        if (n == 0)
                return 0;

        inode->index_blocks = calloc(n, sizeof(uint64_t));
        if (!inode->index_blocks)
                return -ENOMEM;
        while (inode->n_index_blocks < n) {
                int r = space_take(space, 1, &inode->index_blocks[inode->n_index_blocks], &n_taken);
                if (r < 0)
                        return r;
                inode->n_index_blocks++;
        }
        return 0;
}

static int place_inode(Ext4Inode *inode, Space *space) {
        free(inode->placed.items);
        inode->placed = (Ext4Extents){};

        for (size_t i = 0; i < inode->wanted.n_items; i++) {
                const Ext4Extent *wanted = &inode->wanted.items[i];

                for (uint32_t done = 0; done < wanted->n_blocks;) {
                        uint64_t start, n;

                        int r = space_take(space,
                                           MIN(wanted->n_blocks - done, (uint32_t)EXT4_EXTENT_SIZE_MAX),
                                           &start, &n);
                        if (r < 0)
                                return r;
                        r = ext4_extents_add(&inode->placed, wanted->logical + done, (uint32_t)n, start);
                        if (r < 0)
                                return r;
                        done += (uint32_t)n;
                }
        }
        return place_index(inode, space);
}

static bool is_directory(const Ext4Inode *inode) {
        return !inode->node || S_ISDIR(inode->node->status.st_mode);
}

/* Directories come first and together, so that a walk through the tree reads one piece of the disk. */
static int place_inodes(Ext4Plan *plan, Space *space) {
        for (unsigned pass = 0; pass < 2; pass++) {
                for (size_t i = 0; i < plan->n_inodes; i++) {
                        Ext4Inode *inode = &plan->inodes[i];

                        if (is_directory(inode) != (pass == 0))
                                continue;
                        int r = place_inode(inode, space);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static uint64_t count_index_blocks(const Ext4Plan *plan) {
        uint64_t n = 0;

        for (size_t i = 0; i < plan->n_inodes; i++)
                n += plan->inodes[i].n_index_blocks;
        return n;
}

static uint64_t missing(uint64_t needed, const struct struct_ext2_filsys *volume) {
        const uint64_t n_free = ext2fs_free_blocks_count(volume->super);

        return needed > n_free ? needed - n_free : 0;
}

int ext4_place(Ext4Plan *plan, struct struct_ext2_filsys *volume, uint64_t reserve_blocks,
               uint64_t *ret_missing) {
        uint64_t needed = plan->n_blocks + plan->n_attribute_blocks + reserve_blocks;
        Space space = { .volume = volume };
        uint64_t n_missing = missing(needed, volume);
        int r = 0;

        /* How many blocks the extent trees take shows only when all extents are known. */
        if (n_missing == 0) {
                r = place_inodes(plan, &space);
                if (r < 0 && r != -ENOSPC)
                        return r;
                needed += count_index_blocks(plan);
                n_missing = missing(needed, volume);
        }
        if (n_missing == 0 && r == 0)
                return 0;
        if (ret_missing)
                *ret_missing = MAX(n_missing, UINT64_C(1));
        return -ENOSPC;
}
