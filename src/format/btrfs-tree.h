/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A btrfs tree, made from its first item to its last: blocks are filled to the brim and written as they get full, so
 * that a tree of any size takes one block per level in memory. */

#include "base/uuid.h"
#include "format/btrfs-output.h"
#include "format/btrfs-space.h"

#define BTRFS_LEVELS_MAX 8

/* Who owns the tree blocks, in the order in which they were given their addresses. */
typedef struct BtrfsBlock {
        uint64_t owner;
        uint8_t level;
} BtrfsBlock;

typedef struct BtrfsBlocks {
        BtrfsBlock *items;
        size_t n_items;
} BtrfsBlocks;

/* Where trees go. Without output and space nothing is written and nothing taken: then a tree only counts its blocks. */
typedef struct BtrfsForest {
        Uuid uuid, chunk_tree_uuid;
        BtrfsOutput *output;
        BtrfsSpace *space;
        BtrfsBlocks blocks;
} BtrfsForest;

typedef struct BtrfsTree {
        BtrfsForest *forest;
        uint64_t owner; /* the tree's number */
        uint64_t type;  /* of its chunks: BTRFS_BLOCK_GROUP_METADATA or _SYSTEM */
        uint64_t n_blocks;
        uint64_t address; /* of the root block, once the tree is finished */
        uint8_t level;    /* of the root block */

        struct btrfs_key last;
        uint8_t *levels[BTRFS_LEVELS_MAX]; /* the block under way in each level, NULL above the highest */
        size_t data_size;                  /* what the data of the leaf under way takes */
} BtrfsTree;

void btrfs_forest_done(BtrfsForest *forest);

void btrfs_tree_init(BtrfsTree *tree, BtrfsForest *forest, uint64_t owner, uint64_t type);
void btrfs_tree_done(BtrfsTree *tree);

/* Adds an item, and says where its data goes; there are zeros, and it must be there by the next call. The key must sort
 * behind the last one, and the size be at most BTRFS_ITEM_SIZE_MAX. */
int btrfs_tree_add(BtrfsTree *tree, struct btrfs_key key, size_t size, void **ret);

/* Writes what is left. A tree without items has one empty leaf. */
int btrfs_tree_finish(BtrfsTree *tree);
