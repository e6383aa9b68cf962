/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include <ext2fs/ext2fs.h>
#include <ext2fs/ext3_extents.h>

#include "format/ext4.h"

/* A node of an extent tree is a header and entries of the same size, whether they name data or other nodes; those in
 * blocks of their own end with a checksum. */
#define ENTRY_SIZE    12
#define ROOT_ENTRIES  4
#define BLOCK_ENTRIES ((EXT4_BLOCK_SIZE - ENTRY_SIZE - sizeof(struct ext3_extent_tail)) / ENTRY_SIZE)

static_assert(sizeof(struct ext3_extent) == ENTRY_SIZE && sizeof(struct ext3_extent_idx) == ENTRY_SIZE &&
                      sizeof(struct ext3_extent_header) == ENTRY_SIZE,
              "the entries of extent trees are of one size");

size_t ext4_extents_index_blocks(size_t n_extents) {
        size_t n_blocks = 0;

        for (size_t n = n_extents; n > ROOT_ENTRIES;) {
                n = divide_round_up(n, BLOCK_ENTRIES);
                n_blocks += n;
        }
        return n_blocks;
}

static void write_header(uint8_t *at, size_t n_entries, size_t n_entries_max, unsigned depth) {
        struct ext3_extent_header header = {
                .eh_magic = ext2fs_cpu_to_le16(EXT3_EXT_MAGIC),
                .eh_entries = ext2fs_cpu_to_le16((uint16_t)n_entries),
                .eh_max = ext2fs_cpu_to_le16((uint16_t)n_entries_max),
                .eh_depth = ext2fs_cpu_to_le16((uint16_t)depth),
        };

        memcpy(at, &header, sizeof(header));
}

/* The same for both kinds but for the order of the halves of the block number. */
static void write_entry(uint8_t *at, const Ext4Extent *extent, unsigned depth) {
        const uint32_t low = ext2fs_cpu_to_le32((uint32_t)extent->physical);
        const uint16_t high = ext2fs_cpu_to_le16((uint16_t)(extent->physical >> 32));

        if (depth == 0) {
                const struct ext3_extent entry = {
                        .ee_block = ext2fs_cpu_to_le32(extent->logical),
                        .ee_len = ext2fs_cpu_to_le16((uint16_t)extent->n_blocks),
                        .ee_start_hi = high,
                        .ee_start = low,
                };
                memcpy(at, &entry, sizeof(entry));
        } else {
                const struct ext3_extent_idx entry = {
                        .ei_block = ext2fs_cpu_to_le32(extent->logical),
                        .ei_leaf = low,
                        .ei_leaf_hi = high,
                };
                memcpy(at, &entry, sizeof(entry));
        }
}

static void write_node(uint8_t *at, const Ext4Extent *extents, size_t n, size_t n_max, unsigned depth) {
        write_header(at, n, n_max, depth);
        for (size_t i = 0; i < n; i++)
                write_entry(at + (1 + i) * ENTRY_SIZE, &extents[i], depth);
}

/* Writes the nodes of one level, and turns level into what the level above it has to name: them. */
static int write_level(struct struct_ext2_filsys *volume, const Ext4Inode *inode, Ext4Extents *level,
                       const uint64_t *blocks, unsigned depth) {
        const size_t n_nodes = divide_round_up(level->n_items, BLOCK_ENTRIES);

        for (size_t i = 0; i < n_nodes; i++) {
                const Ext4Extent *first = &level->items[i * BLOCK_ENTRIES];
                const size_t n = MIN(level->n_items - i * BLOCK_ENTRIES, BLOCK_ENTRIES);
                uint8_t block[EXT4_BLOCK_SIZE] = {};

                write_node(block, first, n, BLOCK_ENTRIES, depth);
                errcode_t error = ext2fs_extent_block_csum_set(volume, inode->number,
                                                               (struct ext3_extent_header *)block);
                if (!error)
                        error = io_channel_write_blk64(volume->io, blocks[i], 1, block);
                if (error)
                        return ext4_error(error, NULL);
                /* Never before what is still to be read: i is at most the index of first. */
                level->items[i] = (Ext4Extent){ .logical = first->logical, .physical = blocks[i] };
        }
        level->n_items = n_nodes;
        return 0;
}

int ext4_write_extents(struct struct_ext2_filsys *volume, const Ext4Inode *inode, uint8_t root[static 60]) {
        const size_t n = inode->placed.n_items;
        _cleanup_(freep) Ext4Extent *items = NULL;
        const uint64_t *blocks = inode->index_blocks;
        unsigned depth = 0;

        if (n <= ROOT_ENTRIES) {
                write_node(root, inode->placed.items, n, ROOT_ENTRIES, 0);
                return 0;
        }

        items = calloc(n, sizeof(Ext4Extent));
        if (!items)
                return -ENOMEM;
        memcpy(items, inode->placed.items, n * sizeof(Ext4Extent));

        Ext4Extents level = { .items = items, .n_items = n };
        for (; level.n_items > ROOT_ENTRIES; depth++) {
                int r = write_level(volume, inode, &level, blocks, depth);
                if (r < 0)
                        return r;
                blocks += level.n_items;
        }
        write_node(root, level.items, level.n_items, ROOT_ENTRIES, depth);
        return 0;
}
